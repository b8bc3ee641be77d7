# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`guest_os` of a VM of a lab: what guest operations find in it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...rules.vm import guest as rules
from ..expand import unknown_keys
from ..hardware.cards import LabError

KEYS = {"family", "uuid", "accounts", "pci", "drivers", "programs", "refuses"}
ACCOUNT_KEYS = {"name", "password", "denied"}
FUNCTION_KEYS = {"id", "address", "class", "subsystem", "driver", "bars", "decodes"}
PROGRAM_KEYS = {"command", "exit_code", "output", "output_file", "seconds", "fault"}
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
UNPLACED = "unplaced"


def spec(entry: Mapping[str, Any] | None, guest_id: str, folder: Path, where: str) -> rules.GuestSpec:
    """The guest of a VM. Without `family` it follows from the guest id. Raises LabError."""
    given = entry or {}
    unknown_keys(given, KEYS, f"{where}, guest_os")
    family = str(given.get("family") or ("windows" if guest_id.startswith("win") else "linux"))
    if family not in rules.FAMILIES:
        raise LabError(f"{where}: family of guest_os is linux or windows, not {family!r}")
    refuses = str(given.get("refuses") or "")
    if refuses and refuses not in rules.REFUSALS:
        raise LabError(f"{where}: refuses of guest_os is one of {', '.join(rules.REFUSALS)}, not {refuses!r}")
    functions = given.get("pci")
    return rules.GuestSpec(
        family=rules.FAMILIES[family],
        uuid=str(given.get("uuid") or ""),
        accounts=tuple(_account(item, where) for item in given.get("accounts") or ()),
        functions=None if functions is None else tuple(_function(item, n, where) for n, item in enumerate(functions)),
        drivers=tuple((str(key).lower(), str(value)) for key, value in (given.get("drivers") or {}).items()),
        programs=tuple(_program(item, folder, where) for item in given.get("programs") or ()),
        refuses=refuses,
    )


def changed(before: rules.GuestSpec, changes: Mapping[str, Any], folder: Path, where: str) -> rules.GuestSpec:
    """A guest with some keys of the lab changed. Raises LabError."""
    made = spec(changes, "", folder, where)
    fields = {"pci": "functions"}
    taken = {fields.get(key, key): getattr(made, fields.get(key, key)) for key in changes}
    return dataclasses.replace(before, **taken)


def _account(item: Any, where: str) -> rules.Account:
    if not isinstance(item, Mapping) or not {"name", "password"} <= set(item):
        raise LabError(f"{where}: an account of guest_os has a name and a password")
    unknown_keys(item, ACCOUNT_KEYS, f"{where}, an account of guest_os")
    return rules.Account(name=str(item["name"]), password=str(item["password"]), denied=bool(item.get("denied", False)))


def _ids(text: Any, where: str) -> tuple[int, int]:
    try:
        vendor, device = (int(part, 16) for part in str(text).split(":"))
    except ValueError:
        raise LabError(f"{where}: an id in pci of guest_os is vendor:device, not {text!r}") from None
    return vendor, device


def _function(item: Any, number: int, where: str) -> rules.Function:
    if isinstance(item, str):
        item = {"id": item}
    unknown_keys(item, FUNCTION_KEYS, f"{where}, pci of guest_os")
    vendor, device = _ids(item.get("id"), where)
    return rules.Function(
        address=str(item.get("address") or f"0000:{3 + 8 * number:02x}:00.0"),
        vendor=vendor,
        device=device,
        class_id=int(str(item.get("class", "0302")).ljust(6, "0"), 16),
        subsystem=_ids(item.get("subsystem", "0000:0000"), where),
        driver=str(item.get("driver") or ""),
        bars=tuple(_bar(text, number, place, where) for place, text in enumerate(item.get("bars", ("16M",)))),
        decodes=bool(item.get("decodes", True)),
    )


def _bar(text: Any, number: int, place: int, where: str) -> rules.Bar:
    """`64G`, or `64G unplaced` for one that the firmware found no room for."""
    found = re.fullmatch(r"(\d+)\s*([KMG])( unplaced)?", str(text), re.IGNORECASE)
    if found is None:
        raise LabError(f"{where}: a BAR in pci of guest_os is a size such as 64G, or 64G {UNPLACED}, not {text!r}")
    start = 0 if found[3] else (1 << 40) * (number + 1) + (1 << 37) * place
    return rules.Bar(start=start, size=int(found[1]) * _UNITS[found[2].lower()])


def _program(item: Any, folder: Path, where: str) -> rules.Program:
    if not isinstance(item, Mapping) or "command" not in item:
        raise LabError(f"{where}: a program of guest_os has a command: a regular expression for the command line")
    unknown_keys(item, PROGRAM_KEYS, f"{where}, a program of guest_os")
    fault = str(item.get("fault") or "")
    if fault and fault not in rules.PROGRAM_FAULTS:
        raise LabError(f"{where}: fault of a program is one of {', '.join(rules.PROGRAM_FAULTS)}, not {fault!r}")
    try:
        command = re.compile(str(item["command"]), re.DOTALL)
        output = (
            (folder / str(item["output_file"])).read_text(encoding="utf-8")
            if "output_file" in item
            else str(item.get("output", ""))
        )
    except re.error as error:
        raise LabError(f"{where}: command {item['command']!r}: {error}") from None
    except OSError as error:
        raise LabError(f"{where}: output_file {item['output_file']!r}: {error.strerror}") from None
    return rules.Program(
        command=command,
        exit_code=int(item.get("exit_code", 0)),
        output=output,
        seconds=float(item.get("seconds", 0.5)),
        fault=fault,
    )
