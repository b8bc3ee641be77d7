# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check of ``guest`` in the entry of a VM: how its guest is verified, and what prepares it. PRIVATE to the collection.

The intent is a fact that Ansible shows and caches, so it never holds a credential: it has the names of the variables that do.
``docs/intent.schema.json`` has the same rules (``tools/intent_schema_guest.py``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils._domain.guest.expectation import WORKS
from .source_location import Place, choice, items, mapping, text, whole_number

VIA = ("connection", "tools")
OS = ("linux", "windows")
WHEN = ("after_change", "always", "never")
CHOICES = {"via": VIA, "os": OS, "when": WHEN}
CREDENTIALS = ("username_variable", "password_variable")
GUEST_KEYS = ("via", "inventory_host", "os", "when", "expect", "prepare", *CREDENTIALS)
EXPECT_KEYS = ("match", "count", "driver", "works", "min_memory_gb", "command")
PREPARE_KEYS = ("role", "tasks_file")

MODEL = "(0[xX])?[0-9a-fA-F]{1,4}(:(0[xX])?[0-9a-fA-F]{1,4})?"
"""``10de:20f1``, or the vendor alone."""
VARIABLE = "[A-Za-z_][A-Za-z0-9_]*"


def guest_entry(place: Place, raw: Any) -> dict[str, Any]:
    """Check ``guest`` of one VM and return it with its defaults. Raises PlacedError."""
    given = mapping(place, raw, GUEST_KEYS)
    entry: dict[str, Any] = {
        "via": "connection",
        "os": "linux",
        "when": "after_change",
        "inventory_host": None,
        "expect": None,
        "prepare": None,
        **dict.fromkeys(CREDENTIALS),
    }
    for key, value in given.items():
        where = place.key(key)
        if key in CHOICES:
            entry[key] = choice(where, value, CHOICES[key])
        elif key == "expect":
            entry[key] = [_expected(each, one) for each, one in items(where, value)]
        elif key == "prepare":
            entry[key] = _prepare(where, value)
        elif key in CREDENTIALS:
            entry[key] = _variable(where, value)
        else:
            entry[key] = text(where, value)
    if entry["inventory_host"] is None and (entry["via"] == "connection" or entry["prepare"]):
        place.fail(
            "missing_key",
            "has no inventory_host, so it is unknown how to connect to the guest",
            "Name the inventory host of the guest, or use via: tools (without prepare)",
        )
    if entry["via"] == "tools" and not all(entry[key] for key in CREDENTIALS):
        place.fail(
            "missing_key",
            "has via: tools without username_variable and password_variable",
            "Name the variables with the account of the guest",
        )
    return entry


def _expected(place: Place, raw: Any) -> dict[str, Any]:
    given = mapping(place, raw, EXPECT_KEYS)
    if "match" not in given:
        place.fail("missing_key", "has no match", 'Give vendor:device as the guest shows it, such as "10de:20f1"')
    entry: dict[str, Any] = {}
    for key, value in given.items():
        where = place.key(key)
        if key == "match":
            entry[key] = _model(where, value)
        elif key in ("count", "min_memory_gb"):
            entry[key] = whole_number(where, value)
        elif key == "driver":
            entry[key] = _drivers(where, value)
        elif key == "works":
            entry[key] = choice(where, value, WORKS)
        else:
            entry[key] = text(where, value)
    return entry


def _model(place: Place, value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(MODEL, value.strip()):
        place.wrong_type(value, 'a model such as "10de:20f1", or a vendor such as "10de" (in quotes)')
    return ":".join(part.lower().removeprefix("0x").zfill(4) for part in value.strip().split(":"))


def _drivers(place: Place, value: Any) -> list[str]:
    """One name or several."""
    if isinstance(value, str):
        return [text(place, value)]
    found = [text(where, entry) for where, entry in items(place, value)]
    if not found:
        place.wrong_type(value, "a name or a list of names (leave driver out to accept any)")
    return found


def _variable(place: Place, value: Any) -> str:
    """The name of a variable. What is not one may be the secret itself, so it is not in the message."""
    if not isinstance(value, str) or not re.fullmatch(VARIABLE, value):
        place.fail(
            "wrong_type",
            "must be the name of a variable, not a value or a template",
            "Put the credential into a variable (from a vault), and write its name here",
        )
    return value


def _prepare(place: Place, raw: Any) -> dict[str, str]:
    given = mapping(place, raw, PREPARE_KEYS)
    if len(given) != 1:
        place.fail("missing_key", "must have exactly one of role and tasks_file", "Name a role, or a file with tasks")
    return {key: text(place.key(key), value) for key, value in given.items()}


def guests_of(vms: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The guests in the entries of a vCenter's VMs, each with the name or id of its VM."""
    return [{"vm": vm.get("name") or vm["moid"], **vm["guest"]} for vm in vms if "guest" in vm]


def without_guest(vm: Mapping[str, Any]) -> dict[str, Any]:
    """The entry of a VM in the form of the modules."""
    return {key: value for key, value in vm.items() if key != "guest"}


def check_inventory_hosts(where: Mapping[str, Place], guests: Sequence[Mapping[str, Any]]) -> None:
    """Raise PlacedError (duplicate) if two VMs name the same inventory host: it is one machine. ``where``: VM → place of its entry."""
    owners: dict[str, str] = {}
    for guest in guests:
        name = guest["inventory_host"]
        other = owners.setdefault(name, guest["vm"]) if name else guest["vm"]
        if other != guest["vm"]:
            where[guest["vm"]].key("guest").key("inventory_host").fail(
                "duplicate", f"is {name}, which the guest of VM {other} has too", "Each VM has its own inventory host"
            )
