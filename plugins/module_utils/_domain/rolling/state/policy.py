# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rolling reboot may do, in which order and how fast. PRIVATE to the collection. Durations are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ...health_gate import HealthGate
from .journal import Purpose

Amount: TypeAlias = int | str
"""A number, or a percentage such as ``"25%"``."""

Method = Literal["reboot", "power_cycle"]
Goal = Literal["reboot", "enter", "leave"]
"""What is done with a host: maintenance mode, reboot and return to service; only maintenance mode; only the return to service."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadlines:
    """How long each phase of one host may take. All are finite."""

    drain: float = 1800
    """From the start of the host until it is in maintenance mode, including the shutdown of pinned VMs."""
    stop_vm: float = 300
    """For the guest operating system to shut down."""
    watch_vm: float = 900
    """A guest that was asked to shut down and is still running after this time is considered to stay on."""
    reboot: float = 2700
    """From the API call until the host is back."""
    verify: float = 300
    """From the time the host is back until devices, datastores and uplinks are verified."""
    leave: float = 600
    restore: float = 900
    """From the end of maintenance mode until all VMs that were stopped for the host are running."""
    start_vm: float = 300
    """For VMware Tools of one VM to report after its power-on. After this time it counts as started without them."""
    retry: float = 60
    """An API call that had no visible effect, or was rejected, is retried after this time."""
    reboot_retry: float = 300
    """The same for a reboot, because hosts need time to go down. A reboot that was rejected is retried after ``retry``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pinned:
    """What is done with VMs that cannot be migrated. VMs with ``never_stop`` always block."""

    action: Literal["fail", "shutdown", "shutdown_then_power_off"] = "fail"
    wait_for_tools: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Hours in which hosts may be started. ``days``: 0 = Monday, the day on which it opens. ``end`` <= ``start``: it ends the next day.

    ``start``, ``end`` as ``HH:MM`` in ``zone`` (IANA name).
    """

    start: str
    end: str
    days: frozenset[int] = frozenset(range(7))
    zone: str = "UTC"


@dataclass(frozen=True, kw_only=True, slots=True)
class Durations:
    """How long one host takes, expected or measured."""

    drain: float = 300
    reboot: float = 900
    settle: float = 120
    """Verification, leaving maintenance mode, powering on VMs."""

    @property
    def total(self) -> float:
        """Seconds for the whole host."""
        return self.drain + self.reboot + self.settle


@dataclass(frozen=True, kw_only=True, slots=True)
class LockRule:
    """``take``: whether this run may take the lock of another run: never, if it is stale, or always. ``ttl``, ``heartbeat``: seconds."""

    ttl: float = 300
    heartbeat: float = 90
    settle: float = 3
    """Nothing is done under a lock younger than this, so that two runs that wrote at once both see which one has the lock."""
    take: Literal["never", "stale", "force"] = "stale"
    owner: str = ""
    """The lock of this owner may be taken even if its run is alive; empty: of none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The complete policy. Keys of mappings are host names (``order``) and cluster names (``cluster_budgets``)."""

    max_unavailable: Amount = 1
    cluster_budgets: Mapping[str, Amount] = field(default_factory=dict)
    fleet_max_unavailable: Amount | None = None
    canary: bool = True
    canary_soak: float = 0
    """After its canary, no other host of a model is started for this time. After a checkpoint, no host at all."""
    checkpoints: tuple[Amount, ...] = ()
    """Numbers of finished hosts after which the rolling reboot waits for ``canary_soak``."""
    gate: HealthGate = field(default_factory=HealthGate)
    """What must be true of each host that is back before another one takes its place."""
    max_failures: Amount = 1
    """No host is started once this many have failed in this rolling reboot."""
    windows: tuple[Window, ...] = ()
    order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Host name → (zone, rack, ...): lower values first; hosts that are not listed come last."""
    reason: Literal["pending", "firmware"] = "pending"
    """``firmware``: every requested host is rebooted once, although nothing is pending."""
    booted_before: float | None = None
    """With ``firmware``: a host that booted at this time (seconds since the epoch) or later requires no reboot."""
    method: Method = "reboot"
    full_post: bool = False
    """The reboot must include the firmware self-test (POST): Quick Boot is a blocker."""
    operator_maintenance: Literal["block", "use", "end"] = "block"
    """A host that another user put into maintenance mode is skipped (``block``), rebooted and kept in it (``use``), or taken out of it
    (``end``, only with the goal ``leave``)."""
    goal: Goal = "reboot"
    start_vms: bool = True
    """Only with the goal ``leave``: whether VMs that were stopped for the host are started now, or by a later run."""
    failed_hosts: Literal["keep", "verify"] = "keep"
    """Hosts that failed in an earlier run stay as they are, or are verified again and then return to service."""
    only_restore: bool = False
    """Return the requested hosts in progress to service and start their VMs. No host is started, no reboot is requested."""
    pinned: Pinned = Pinned()
    allow_build_change: tuple[str, ...] = ()
    """Builds (numbers) with which a host may come back although it had another one before its reboot."""
    ignore_alarms: tuple[str, ...] = ()
    """Shell patterns of alarm names that do not block."""
    evacuate_powered_off: bool = False
    vsan_mode: str | None = None
    expected: Durations = Durations()
    measured: Mapping[str, Durations] = field(default_factory=dict)
    """Host name or model → how long it took in an earlier run."""
    deadlines: Deadlines = Deadlines()
    lock: LockRule = LockRule()
    precheck_age: float = 120
    """A host is started only with a precheck that is not older than this."""
    revisit: float = 300
    """The precheck of a blocked host is repeated after this time."""
    patience: float | None = None
    """How long (seconds) to wait for blocked hosts when nothing else is left to do. None: ``transient_patience`` for hosts whose
    blockers usually disappear without action; no time for the others."""
    transient_patience: float = 3600
    resume_within: float = 86400
    """An incomplete rolling reboot is resumed when the same is requested within this time. Later it is a new one."""
    tries: int = 2
    """How often a host may be started if its drain was given up."""
    boot_margin: float = 30
    """A boot time must differ by more than this to count: setting the clock changes it a little."""
    contact_patience: float = 600
    """How long (seconds) to wait, when nothing else is left to do, for hosts that do not respond: some of them only flap."""

    @property
    def purpose(self) -> Purpose:
        """The purpose of the journal entries of this run."""
        return "reboot" if self.goal == "reboot" else "maintenance"
