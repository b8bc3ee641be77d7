# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The write-ahead journal: what is stored on hosts, VMs and clusters in vCenter. PRIVATE to the collection.

A rolling reboot and host_maintenance have the same entries, in attributes of their own (``Purpose``): the name of the attribute shows what
an entry is for, and a host that is kept in maintenance mode can be rebooted there without losing its entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Step = Literal[
    "draining",
    "maintenance",
    "rebooting",
    "powering",
    "verifying",
    "leaving",
    "restoring",
    "checking",
    "done",
    "backing_out",
    "withdrawn",
    "blocked",
    "failed",
]

ENDED: tuple[Step, ...] = ("done", "withdrawn", "blocked", "failed", "maintenance")
"""Steps after which nothing more is done to the host itself."""

Purpose = Literal["reboot", "maintenance"]
"""What an entry is for: a rolling reboot, or maintenance mode for work on the hardware (host_maintenance)."""

ENTRY = "directpath.roll"
DEVICES = "directpath.roll.before"
LINKS = "directpath.roll.links"
GATE = "directpath.roll.gate"
VM = "directpath.roll.vm"
LOCK = "directpath.roll.lock"
PAUSE = "directpath.roll.pause"
HOST_ATTRIBUTES = (ENTRY, DEVICES, LINKS)
ATTRIBUTES = (*HOST_ATTRIBUTES, VM, LOCK, PAUSE)
"""Custom attributes: the first three are set on hosts, VM on VMs, the last two on clusters. GATE, on hosts, is only used and defined by
runs with a health gate that has checks."""

MAINTENANCE = "directpath.maintenance"
MAINTENANCE_VM = "directpath.maintenance.vm"
MAINTENANCE_LOCK = "directpath.maintenance.lock"
MAINTENANCE_ATTRIBUTES = (MAINTENANCE, MAINTENANCE_VM, MAINTENANCE_LOCK)
"""The same with the purpose ``maintenance``. Its lock is on the host: two processes may work on two hosts of a cluster."""

LOCKS: Mapping[Purpose, str] = {"reboot": LOCK, "maintenance": MAINTENANCE_LOCK}
"""The attribute of the lock."""

EARLIER_MARK = "directpath.parked"
"""The mark of host_maintenance 0.x on hosts and VMs. It is read and removed, and never written."""

STOP_ORDER = "directpath.stop_order"
"""Administrators set this attribute to define the order in which VMs are stopped. It is only read, and never removed."""

DIRECTORY = "~/.ansible/directpath"
"""The folder of the journal, when the journal is a file."""

LONGEST = 255
"""The maximum length of a value of a custom attribute, in characters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Garbage:
    """A journal value that cannot be read. Everything that depends on it is unknown."""

    attribute: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What a run intends to do with a host, written before it is done. ``at``: when ``step`` was first written.

    - ``draining``: the host is being evacuated and enters maintenance mode.
    - ``maintenance``: it is in maintenance mode, and stays there until ``state: absent`` (only with that purpose).
    - ``rebooting``: the reboot was requested, or is about to be (with ``cycle``: the shutdown). ``powering``: likewise the power-on.
    - ``verifying``: the host is back. ``leaving``: it is verified and leaves maintenance mode. ``restoring``: its VMs are powered on.
      ``checking``: it is in service, and its health gate has not passed yet. ``done``.
    - ``backing_out``: given up before the reboot; the host returns to service. ``blocked``: given up, and back in service (see ``code``
      and ``text``).
    - ``withdrawn``: another user entered the maintenance mode, or took it over.
    - ``failed``: the host stays as it is.
    """

    run_id: str
    step: Step
    at: float
    started: float
    """When this host was started (when it began to count against the budget)."""
    purpose: Purpose = "reboot"
    account: str = ""
    """With the purpose ``maintenance``: the account that the maintenance mode was requested by."""
    by_operator: bool = False
    """Another user entered the maintenance mode: the rolling reboot never ends it."""
    tries: int = 1
    calls: int = 0
    """How often the API call of this step was made, including the next one; ``called``: when it was made last."""
    called: float = 0.0
    cycle: bool = False
    """Method power_cycle."""
    pending: str = ""
    """Digests of what the reboot is for. In a host that failed after the reboot: of what is still pending."""
    boot: float | None = None
    """Boot time before the reboot."""
    away: bool = False
    """The host was seen not connected since its reboot was requested."""
    asked: float | None = None
    """When the reboot was first requested. Kept from then on: the host has been rebooted for ``pending``."""
    drained: float | None = None
    """Seconds that the drain took; ``rebooted``: seconds that the reboot took. Used for later estimates."""
    rebooted: float | None = None
    gate: bool = False
    """The host was started by a run with a health gate, which has not passed yet. ``ready``: when all its checks had succeeded; the soak
    time counts from then."""
    ready: float | None = None
    code: str = ""
    text: str = ""


def is_active(entry: Entry | None) -> bool:
    """The host is in progress: it counts against the budget, whatever vCenter shows."""
    return entry is not None and entry.step not in ENDED


@dataclass(frozen=True, kw_only=True, slots=True)
class VmEntry:
    """A VM that was running and that this run stops or has stopped. Kept until the VM runs again. ``at``: when ``step`` was first
    written."""

    run_id: str
    host: str
    """moid of the host that it is to run on again."""
    step: Literal["stop", "start"]
    at: float
    purpose: Purpose = "reboot"
    rank: int = 0
    """A lower rank is stopped earlier and started later."""
    calls: int = 0
    called: float = 0.0
    forced: bool = False
    """Powered off, because the guest operating system did not shut down."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """On a cluster: the run that reboots its hosts. On a host: the process of host_maintenance that works on it. Times are seconds since
    the epoch; ``beat``: the last heartbeat; ``ttl``: seconds after which a lock without a heartbeat is stale; ``scope``: digest of what the
    run was asked for."""

    owner: str
    run_id: str
    scope: str
    since: float
    beat: float
    ttl: float
    purpose: Purpose = "reboot"
    finishing: bool = False
    """Everything is done; only the journal remains to be removed."""
    ahead: float = 0.0
    """``beat`` as stored is by the clock of vCenter, which other runs compare it with. It was this much ahead of the clock of the run."""
    ended: bool = False
    """Not stored: the owner is a process of this machine that has ended."""

    def is_stale(self, now: float) -> bool:
        """The process of the owner has ended, or the last heartbeat is older than the time to live."""
        return self.ended or now > self.beat + self.ttl


@dataclass(frozen=True, kw_only=True, slots=True)
class Before:
    """The state of a host before the reboot, as short digests, to compare with the state after it (``verification``)."""

    devices: tuple[tuple[str, str], ...] = ()
    """(address, digest of the identity) of each device that is passed through. A ``+`` after the digest: it was enabled. If they do not
    fit: one item (``*`` and the number of enabled devices, digest of them)."""
    datastores: tuple[str, ...] = ()
    """Digests of the names of the accessible datastores. If they do not fit: one item, ``*`` and their number."""
    uplinks: tuple[str, ...] = ()
    """Names of the uplinks with a link; otherwise as ``datastores``."""
    build: str = ""
    """Release and build, such as ``8.0.3-24022510``; empty in a journal of an earlier release of this collection."""
