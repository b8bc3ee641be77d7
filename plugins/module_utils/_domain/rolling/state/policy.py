# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rolling reboot may do, in which order and how fast. PRIVATE to the collection. Lengths are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Amount: TypeAlias = int | str
"""A number, or a percentage such as ``"25%"``."""

Method = Literal["reboot", "power_cycle"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadlines:
    """How long each phase of one host may take; all finite."""

    drain: float = 1800
    """From taking the slot until maintenance mode, stopping of pinned VMs included."""
    stop_vm: float = 300
    """For a guest to shut down."""
    watch_vm: float = 900
    """A guest that was asked to shut down and is up after this long is taken to stay up."""
    reboot: float = 2700
    """From the call until the host is back."""
    verify: float = 300
    """From being back until devices, datastores and uplinks are proven."""
    leave: float = 600
    restore: float = 900
    """From leaving maintenance mode until all VMs stopped for it are up."""
    start_vm: float = 300
    """For one VM to report its tools after it was started; it counts as started without them after that."""
    retry: float = 60
    """A call without visible effect is made again after this long, and one that was refused."""
    reboot_retry: float = 300
    """The same for a reboot: hosts take their time to go down."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pinned:
    """What is done with VMs that cannot leave a host while they run. VMs with ``never_stop`` always block."""

    action: Literal["fail", "shutdown", "shutdown_then_power_off"] = "fail"
    wait_for_tools: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Hours in which hosts may be started. ``days`` 0 = Monday, of the day it opens; ``end`` not after ``start`` = the next day.

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
    """Proof, leaving maintenance mode, starting VMs."""

    @property
    def total(self) -> float:
        return self.drain + self.reboot + self.settle


@dataclass(frozen=True, kw_only=True, slots=True)
class LockRule:
    """``take``: whether a lock of another run may be taken: never, once it is stale, or at once."""

    ttl: float = 300
    heartbeat: float = 90
    settle: float = 3
    """Nothing is done under a lock younger than this, so that two runs that wrote at once both see who won."""
    take: Literal["never", "stale", "force"] = "stale"


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The whole of it. Mappings are by host name (``order``), cluster name (``cluster_budgets``)."""

    max_unavailable: Amount = 1
    cluster_budgets: Mapping[str, Amount] = field(default_factory=dict)
    fleet_max_unavailable: Amount | None = None
    canary: bool = True
    soak: float = 0
    """No further host of a model is started this long after its canary, and none at all after a checkpoint."""
    checkpoints: tuple[Amount, ...] = ()
    """Numbers of finished hosts after which ``soak`` is waited."""
    max_failures: Amount = 1
    """No host is started once this many have failed in this roll."""
    windows: tuple[Window, ...] = ()
    order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Host name → (zone, rack, ...): lower first; hosts not named come last."""
    reason: Literal["pending", "firmware"] = "pending"
    """``firmware``: every wanted host is rebooted once, although nothing is pending."""
    booted_before: float | None = None
    """With ``firmware``: a host that booted at this time (seconds since the epoch) or later owes nothing any more."""
    method: Method = "reboot"
    full_post: bool = False
    """The reboot must go through the firmware: Quick Boot is a blocker."""
    operator_maintenance: Literal["block", "use"] = "block"
    """A host somebody else put into maintenance mode is left alone, or rebooted and left in it."""
    failed_hosts: Literal["keep", "verify"] = "keep"
    """Hosts that failed in an earlier run are left as they are, or proven again and released when they hold."""
    pinned: Pinned = Pinned()
    ignore_alarms: tuple[str, ...] = ()
    """Shell patterns of alarm names that block nothing."""
    evacuate_powered_off: bool = False
    vsan_mode: str | None = None
    expected: Durations = Durations()
    measured: Mapping[str, Durations] = field(default_factory=dict)
    """Host name or model → how long it took an earlier time."""
    deadlines: Deadlines = Deadlines()
    lock: LockRule = LockRule()
    precheck_age: float = 120
    """A host is started on an examination not older than this."""
    revisit: float = 300
    """A blocked host is examined again after this long."""
    patience: float | None = None
    """How long (seconds) blocked hosts are waited for when nothing else is left to do. None: those whose blockers pass by themselves
    ``transient_patience`` long, others not."""
    transient_patience: float = 3600
    resume_within: float = 86400
    """A roll that ended incomplete is gone on with when the same is asked for within this time; later it is a new one."""
    tries: int = 2
    """How often a host may be started whose drain was given up."""
    boot_margin: float = 30
    """A boot time must have moved by more than this to count (setting the clock moves it a little)."""
