# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may go wrong in a rehearsal, as the user names it, and the targets that a random choice takes. PRIVATE to the collection."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import InputError
from ..plain import Record
from ..suggest import suggest_word

OPTION = "rehearse_what_if"
KINDS: Mapping[str, str] = {
    "host_never_returns": "host",
    "host_returns_without_devices": "host",
    "drs_refuses": "host",
    "vm_does_not_shut_down": "vm",
    "vcenter_restarts": "at",
    "run_killed": "at",
}
"""Kind → the key that names its target."""
KILLED = "run_killed"
"""The only kind that the simulator does not know: the playbook ends the run and starts it again."""
SECONDS: Mapping[str, float] = {"vcenter_restarts": 180.0, KILLED: 600.0}
"""Kind → the default of ``seconds``: how long a vCenter restarts, and after how long a killed run is started again."""
TEXTS: Mapping[str, str] = {
    "host_never_returns": "{target} never returns from its reboot",
    "host_returns_without_devices": "{target} returns without its devices",
    "drs_refuses": "DRS does not evacuate {target}",
    "vm_does_not_shut_down": "{target} does not shut down",
    "vcenter_restarts": "vCenter restarts {target} after the start, for {seconds} s",
    "run_killed": "the run is killed {target} after the start, and started again {seconds} s later",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class WhatIf:
    """One thing that goes wrong. ``target``: the name of a host or VM; empty if ``at`` (seconds after the start) says when. Both are unset
    while the choice is left to chance."""

    kind: str
    target: str = ""
    at: float | None = None
    seconds: float = 0.0

    @property
    def is_open(self) -> bool:
        """The target is chosen at random, from what the undisturbed rehearsal did."""
        return not self.target and self.at is None

    def text(self) -> str:
        """As a clause for people."""
        target = self.target or f"{round(self.at or 0)} s"
        return TEXTS[self.kind].format(target=target, seconds=round(self.seconds))

    @property
    def short(self) -> str:
        """What the user asked for, in short."""
        return self.kind if self.at is None else f"{self.kind} at {round(self.at)} s"

    def record(self) -> Record:
        """As the lab file of the twin has it."""
        if self.kind == KILLED:
            return {}
        if KINDS[self.kind] == "at":
            return {"kind": self.kind, "at": self.at, "seconds": self.seconds}
        return {"kind": self.kind, KINDS[self.kind]: self.target}


def parse_what_if(entries: object) -> tuple[WhatIf, ...]:
    """The entries of the option. Raises InputError (bad_what_if)."""
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise _bad(OPTION, "is not a list", "Write a list such as [{kind: host_never_returns, host: esx-03.lab}]")
    return tuple(_parsed(entry, f"{OPTION}[{number}]") for number, entry in enumerate(entries))


def _parsed(entry: object, place: str) -> WhatIf:
    if not isinstance(entry, Mapping) or "kind" not in entry:
        raise _bad(place, "names no kind", "Write an entry such as {kind: host_never_returns, random: true}")
    kind = str(entry["kind"])
    if kind not in KINDS:
        problem = f"has the unknown kind {kind!r}{suggest_word(kind, KINDS)}"
        raise _bad(place, problem, "Set one of the kinds", tuple(KINDS))
    key = KINDS[kind]
    allowed = {"kind", "random", key, *(("seconds",) if kind in SECONDS else ())}
    if unknown := sorted(map(str, set(entry) - allowed)):
        cure = f"{kind} has the keys {key} (or random: true){' and seconds' if 'seconds' in allowed else ''}"
        raise _bad(place, f"has the unknown key {unknown[0]!r}{suggest_word(unknown[0], allowed)}", cure)
    is_random, value = str(entry.get("random", False)).lower() in ("true", "yes", "1"), entry.get(key)
    if is_random == (value is not None):
        problem = f"has {'both' if is_random else 'neither'} {key} {'and' if is_random else 'nor'} random: true"
        raise _bad(place, problem, f"Set {key}, or random: true for a choice by rehearse_seed")
    if key == "at":
        seconds = _number(entry.get("seconds", SECONDS[kind]), f"{place}.seconds")
        return WhatIf(kind=kind, at=None if value is None else _number(value, f"{place}.at"), seconds=seconds)
    return WhatIf(kind=kind, target="" if value is None else str(value))


def _number(value: object, place: str) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if not 0 < number < 10**7:
        raise _bad(place, f"is {value!r}, which is no number of seconds above 0", "Set it to a number such as 600")
    return number


def _bad(place: str, problem: str, cure: str, candidates: Sequence[str] = ()) -> InputError:
    return InputError(
        message=f"{place} {problem}", code="bad_what_if", parameter=OPTION, cure=cure, candidates=candidates
    )


def refuse_unknown_targets(what_ifs: Sequence[WhatIf], hosts: Sequence[str], vms: Sequence[str]) -> None:
    """Raise InputError (bad_what_if) for a host or VM that no capture has."""
    for number, what_if in enumerate(what_ifs):
        known = {"host": hosts, "vm": vms}.get(KINDS[what_if.kind])
        if known is not None and what_if.target and what_if.target not in known:
            noun = "host" if KINDS[what_if.kind] == "host" else "VM"
            problem = f"names the {noun} {what_if.target}, which no capture has{suggest_word(what_if.target, known)}"
            raise _bad(f"{OPTION}[{number}]", problem, "Correct the name", tuple(sorted(known))[:10])


def chosen(
    what_if: WhatIf, number: int, *, seed: int, hosts: Sequence[str], vms: Sequence[str], seconds: float
) -> WhatIf | None:
    """With a target. The same seed makes the same choice. ``number``: of the entry, so that two entries differ. ``hosts`` and ``vms``: what
    the undisturbed rehearsal rebooted and shut down; ``seconds``: how long it took. None if there is nothing to choose, or if the run ended
    before the time that the user chose: the report would count it as survived."""
    if not what_if.is_open:
        return None if what_if.at is not None and what_if.at >= seconds else what_if
    draw = int(hashlib.sha256(f"{seed}/{number}/{what_if.kind}".encode()).hexdigest()[:8], 16)
    key = KINDS[what_if.kind]
    if key == "at":
        return replace(what_if, at=float(round(seconds * (0.1 + 0.8 * draw / 2**32)))) if seconds >= 2 else None
    candidates = sorted(hosts if key == "host" else vms)
    return replace(what_if, target=candidates[draw % len(candidates)]) if candidates else None
