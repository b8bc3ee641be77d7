# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health gate: what must be true after a host is back before another host takes its place. PRIVATE to the collection.

A host in its gate is in service, but still in progress: it counts against every budget (as a pod of Kubernetes counts against
maxUnavailable until it is ready for minReadySeconds). First all checks must succeed, then the soak time passes, then they must succeed
once more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from .gate_record import GateVms

CheckKind = Literal["heartbeat", "tools", "tcp", "http", "command"]
CheckedVms = Literal["stopped", "ran_here", "named", "none"]

PLACEHOLDERS = ("vm", "address", "host", "cluster", "moid")
"""What texts of a check may contain in braces: name of the VM, its IP address by VMware Tools, names of host and cluster, id of the VM."""
OF_VMS = ("vm", "address", "moid")
_PLACE = re.compile(r"\{([A-Za-z_]\w*)\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One check of ``ready_when``. ``timeout``: seconds for one attempt; ``names``: patterns that limit the VMs, empty = all of them."""

    kind: CheckKind
    vms: CheckedVms = "stopped"
    names: tuple[str, ...] = ()
    timeout: float = 10.0
    port: int = 0
    address: str = "{address}"
    url: str = ""
    status: tuple[int, ...] = (200,)
    validate_certs: bool = True
    ca_path: str | None = None
    proxy: str | None = None
    argv: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        """What is checked, as a noun, for messages."""
        match self.kind:
            case "heartbeat":
                return "a green guest heartbeat"
            case "tools":
                return "running VMware Tools"
            case "tcp":
                return f"TCP {self.port}"
            case "http":
                return f"HTTP {' or '.join(map(str, self.status))}"
            case "command":
                return f"the command {self.argv[0] if self.argv else ''}"

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of this kind of check, which may contain placeholders."""
        match self.kind:
            case "tcp":
                return (self.address,)
            case "http":
                return (self.url,)
            case "command":
                return (*self.argv, *(text for _unused, text in self.environment))
            case _:
                return ()

    def covers(self, name: str) -> bool:
        """Whether ``names`` allows a VM with this name."""
        return not self.names or any(fnmatchcase(name, pattern) for pattern in self.names)

    def describe(self) -> str:
        """A noun with the VMs, for a schedule."""
        limit = f" named {', '.join(self.names)}" if self.names and self.vms != "named" else ""
        where = {
            "stopped": f"each VM that was stopped{limit}",
            "ran_here": f"each VM that ran on the host{limit}",
            "named": ", ".join(self.names),
            "none": "",
        }[self.vms]
        return f"{self.title} of {where}" if where else self.title


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthGate:
    """``soak``: seconds after the checks succeeded; ``timeout``: seconds for the checks to succeed; ``interval``: between two attempts."""

    soak: float = 0.0
    checks: tuple[Check, ...] = ()
    timeout: float = 600.0
    interval: float = 10.0

    @property
    def is_set(self) -> bool:
        return bool(self.soak or self.checks)

    def describe(self) -> tuple[str, ...]:
        """What must be true before the next host, for a schedule."""
        return (*(check.describe() for check in self.checks), *((f"soak {self.soak:g} s",) if self.soak else ()))


@dataclass(frozen=True, kw_only=True, slots=True)
class GateTarget:
    """One check of one VM, or of the host (``vm`` empty). ``problem``: a clause, why it cannot be checked at all."""

    check: int
    title: str
    vm: str = ""
    name: str = ""
    problem: str = ""

    @property
    def key(self) -> tuple[int, str]:
        return (self.check, self.vm)

    def describe(self) -> str:
        """``TCP 3260 of svm-01``."""
        return f"{self.title} of {self.name}" if self.name else self.title


@dataclass(frozen=True, kw_only=True, slots=True)
class GateAnswer:
    """The last result of a target. ``text``: a clause that says what was found; ``at``: when, by the clock of the run."""

    key: tuple[int, str]
    ok: bool
    text: str
    at: float


def gate_targets(gate: HealthGate, recorded: GateVms | None, names: Mapping[str, str]) -> tuple[GateTarget, ...]:
    """What must succeed for a host. ``recorded``: its VMs, from the journal; ``names``: id → name of all VMs that are shown.

    A VM that must be checked and is not shown any more is a problem, and so is a record that cannot be read.
    """
    found: list[GateTarget] = []
    for number, check in enumerate(gate.checks):

        def target(vm: str = "", name: str = "", problem: str = "", *, place: int = number, of: Check = check) -> None:
            found.append(GateTarget(check=place, title=of.title, vm=vm, name=name, problem=problem))

        if check.vms == "none":
            target()
            continue
        if check.vms == "named":
            chosen: Collection[str] | None = [moid for moid, name in names.items() if check.covers(name)]
            for pattern in check.names:
                if not any(fnmatchcase(name, pattern) for name in names.values()):
                    target(name=pattern, problem="no virtual machine has this name")
        else:
            chosen = None if recorded is None else recorded.stopped if check.vms == "stopped" else recorded.ran
        if chosen is None:
            target(problem="the journal does not show which virtual machines ran on the host")
            continue
        for moid in sorted(chosen, key=lambda vm: (names.get(vm, ""), vm)):
            if moid not in names:
                target(moid, moid, "it is not in the inventory any more, or this account cannot see it")
            elif check.covers(names[moid]):
                target(moid, names[moid])
    return tuple(found)


def is_due(gate: HealthGate, ready: float | None, answer: GateAnswer | None, now: float) -> bool:
    """Whether a target is to be checked now: at once, after ``interval`` if it failed, and once more when the soak time is over.

    ``ready``: when all checks had succeeded for the first time; None before that.
    """
    if answer is None:
        return True
    if not answer.ok:
        return now >= answer.at + gate.interval
    return is_soaked(gate, ready, now) and not is_recent(gate, ready, answer)


def is_soaked(gate: HealthGate, ready: float | None, now: float) -> bool:
    """The soak time is over."""
    return ready is not None and now >= ready + gate.soak


def is_recent(gate: HealthGate, ready: float | None, answer: GateAnswer) -> bool:
    """The answer is younger than the end of the soak time."""
    return ready is not None and answer.at >= ready + gate.soak


def unknown_placeholders(texts: Iterable[str]) -> tuple[str, ...]:
    """Names in braces that no check fills in."""
    return tuple(sorted({name for text in texts for name in _PLACE.findall(text)} - set(PLACEHOLDERS)))


def used_placeholders(texts: Iterable[str]) -> frozenset[str]:
    """Names in braces."""
    return frozenset(name for text in texts for name in _PLACE.findall(text))


def filled(text: str, values: Mapping[str, str], quote: Callable[[str], str] = str) -> str:
    """The text with each placeholder replaced once. ``quote``: applied to each value."""
    return _PLACE.sub(lambda found: quote(values[found[1]]) if found[1] in values else found[0], text)


def gate_vms(gate: HealthGate, stopped: Sequence[str], running: Mapping[str, str]) -> GateVms | None:
    """What is recorded before a host is started. ``stopped``: ids of the VMs that will be stopped; ``running``: id → name of all VMs that
    run on it. None without checks."""
    if not gate.checks:
        return None
    wide = [check for check in gate.checks if check.vms == "ran_here"]
    ran = tuple(sorted(moid for moid, name in running.items() if any(check.covers(name) for check in wide)))
    return GateVms(stopped=tuple(sorted(stopped)), ran=ran if wide else None)
