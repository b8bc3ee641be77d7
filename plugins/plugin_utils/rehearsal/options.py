# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a rehearsal, checked before anything is started. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...module_utils._domain.errors import InputError
from ...module_utils._domain.ranges import refuse_out_of_range
from ...module_utils._domain.rehearsal.what_if import WhatIf, parse_what_if
from ..report.files import refusal
from .twin import TwinPlan

PLAYBOOKS = ("site", "reboot")
ARGUMENTS: dict[str, dict[str, Any]] = {
    "vcenters": {"type": "list", "elements": "dict", "required": True},
    "playbook": {"type": "str", "choices": list(PLAYBOOKS), "default": PLAYBOOKS[0]},
    "runs": {"type": "int", "default": 1},
    "seed": {"type": "int", "default": 1},
    "boot_spread": {"type": "float"},
    "what_if": {"type": "list", "elements": "dict", "default": []},
    "consent": {"type": "bool"},
    "run_timeout": {"type": "int", "default": 7200},
    "keep_files": {"type": "bool", "default": False},
    "remove": {"type": "path"},
    "html": {"type": "path"},
    "json": {"type": "path"},
}
KEYS = ("hostname", "port", "capture", "key", "controllers", "guests")
"""Of an entry of ``vcenters``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RehearsalRequest:
    """``consent``: what the user decided about reboots; None if nothing. ``spread``: how much a boot may differ, as a share; None: as in
    the history of the capture. ``captures``: the folder with the captures, which is removed at the end."""

    vcenters: tuple[Mapping[str, Any], ...]
    playbook: str
    runs: int
    seed: int
    spread: float | None
    what_if: tuple[WhatIf, ...]
    consent: bool | None
    timeout: float
    keep_files: bool
    captures: str | None
    html: str | None
    json: str | None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> RehearsalRequest:
        """``given``: checked against ``ARGUMENTS``. Raises InputError."""
        refuse_out_of_range(
            {f"rehearse_{name}": given[name] for name in ("runs", "seed", "boot_spread", "run_timeout")}
        )
        what_if = parse_what_if(given["what_if"])
        if refused := refusal({name: str(given[name]) for name in ("html", "json") if given[name]}):
            raise refused
        return cls(
            vcenters=tuple(_vcenter(entry, number) for number, entry in enumerate(given["vcenters"])),
            playbook=given["playbook"],
            runs=given["runs"],
            seed=given["seed"],
            spread=given["boot_spread"],
            what_if=what_if,
            consent=given["consent"],
            timeout=float(given["run_timeout"]),
            keep_files=given["keep_files"],
            captures=given["remove"],
            html=given["html"],
            json=given["json"],
        )


def _vcenter(entry: Mapping[str, Any], number: int) -> Mapping[str, Any]:
    if unknown := sorted(set(entry) - set(KEYS)):
        raise InputError(
            message=f"vcenters[{number}] has the unknown key {unknown[0]!r}",
            code="bad_rehearsal",
            parameter="vcenters",
            cure=f"The keys are {', '.join(KEYS)}",
        )
    if not entry.get("capture"):
        raise not_captured(entry)
    return entry


def not_captured(entry: Mapping[str, Any]) -> InputError:
    """The error for a vCenter without a capture."""
    return InputError(
        message=f"There is no capture of {entry.get('hostname')} ({entry.get('capture') or 'no file'}), so it has no twin. In a rehearsal "
        "nothing else can be reached",
        code="no_twin",
        parameter="vcenters",
        cure="Correct what the task of the capture reports, or leave its hosts out (--limit)",
    )


def plan_of(entry: Mapping[str, Any], capture: Path, kind: str) -> TwinPlan:
    """The twin of an entry of ``vcenters``. ``capture``: with the names of the site."""
    counts: dict[str, list[str]] = {}
    for host, address in entry.get("controllers") or ():
        counts.setdefault(str(address), []).append(str(host))
    return TwinPlan(
        hostname=str(entry["hostname"]),
        port=int(entry.get("port") or 443),
        capture=capture,
        kind=kind,
        # An address of several hosts is that of a chassis.
        controllers={address: hosts[0] if len(hosts) == 1 else "" for address, hosts in counts.items()},
    )
