# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rolling reboot sees: hosts, VMs, clusters as vCenter shows them, and the journal kept there. PRIVATE to the collection.

Times are seconds since the epoch on the clock of the server, lengths are seconds. None means "not known", not "no".
Nothing in here was remembered by the process that reads it, except ``in_flight`` and ``refusal``, which may be lost at any moment
without harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...host.selector import DesiredDevice
from ...observed.hosts import Host
from .journal import Before, Entry, Garbage, Lock, VmEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """The last call of ``kind`` on this object was refused, or never got through. ``permanent``: the same call cannot succeed."""

    kind: str
    code: str
    text: str
    at: float
    permanent: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Precheck:
    """What is asked of the server only when a host is about to be started, because it is costly. ``at`` is when it was asked."""

    at: float
    evacuation_faults: Mapping[str, str] | None = None
    """DRS dry run (ClusterEnterMaintenanceMode): VM moid → why it cannot leave. Empty: all can. None: there is no dry run here."""
    evacuation_refused: str = ""
    """DRS would not do it at all, for a reason that is not about one VM."""
    vsan_resync_mb: int | None = None
    vsan_inaccessible: int | None = None
    """vSAN objects that are missing or without redundancy."""
    protected: tuple[str, ...] = ()
    """Sentences: protected devices the reboot would take from the host (``reboot_takes_protected``)."""
    denied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """VM moid → privileges the account lacks to stop it and start it again; only of VMs that would be stopped."""
    tags_problem: str = ""
    """A sentence: the tags that say which of its VMs may be stopped could not be read; only where VMs would be stopped."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HostView:
    """One host. Hosts of a cluster are all listed, wanted or not: they count against the budget and are where VMs go.

    ``host`` is as read (devices, boot time, connection state, maintenance mode); while it is not connected its values are
    old ones, and nothing in here believes them.
    """

    host: Host
    wanted: bool = True
    """The caller named it."""
    desired_devices: tuple[DesiredDevice, ...] = ()
    """Devices that must be in force afterwards."""
    expects_settled: bool = False
    """A planned change puts its pending devices in order without a reboot."""
    skips_missing: bool = False
    """A device of the wishes that the host does not have is no difference."""
    expected_reboot: str | None = None
    """A clause: a change not yet made will leave devices pending (forecasts only)."""

    entering: bool = False
    """An EnterMaintenanceMode task runs on it, whoever started it."""
    standby: bool = False
    quarantined: bool = False
    tasks: tuple[str, ...] = ()
    """Names of other tasks that run on it; those of our own calls and of entering maintenance mode excepted."""
    rebooting: bool = False
    """A RebootHost or ShutdownHost task is queued or runs, whoever started it."""
    uptime: float | None = None
    """Seconds, from the hardware clock (RetrieveHardwareUptime); read while a reboot is being proven."""
    services_answer: bool | None = None
    """Its passthrough system answered a Refresh since it is connected; None = not tried."""
    maintenance_is_own: bool | None = None
    """What the event log says of the present maintenance mode, for hosts with a journal entry at the start of a process: False =
    entered by another user, or ended and entered again since the entry. None = not read, or the log does not tell."""
    bmc_power: str | None = None
    """``on``, ``off``, from the board management controller (method power_cycle)."""
    bmc_problem: str = ""
    """Why its controller could not power it on again, as a sentence; before anything is shut down."""

    model: str = ""
    """Maker and model: one canary each."""
    load: float = 0.0
    """0..1, the larger of memory and CPU in use."""
    memory_mb: int | None = None
    memory_free_mb: int | None = None
    quick_boot: bool | None = None
    red_alarms: tuple[str, ...] = ()
    """Names of the alarms that are red on it and not acknowledged."""
    datastores: Mapping[str, bool] = field(default_factory=dict)
    """name → accessible."""
    uplinks: Mapping[str, bool] = field(default_factory=dict)
    """vmnic → link up."""

    precheck: Precheck | None = None
    entry: Entry | None = None
    before: Before | None = None
    garbage: tuple[Garbage, ...] = ()
    """Journal values on it that could not be read."""
    under_way: frozenset[str] = frozenset()
    """Kinds of actions of this process on this host that are under way: not to be asked for again."""
    refusal: Refusal | None = None

    @property
    def moid(self) -> str:
        return self.host.moid

    @property
    def name(self) -> str:
        return self.host.name

    @property
    def connected(self) -> bool:
        return self.host.connection_state == "connected"

    @property
    def in_maintenance(self) -> bool:
        return self.host.in_maintenance_mode

    @property
    def in_service(self) -> bool:
        """VMs can run on it now."""
        return self.connected and not (self.in_maintenance or self.entering or self.standby or self.quarantined)


@dataclass(frozen=True, kw_only=True, slots=True)
class VmView:
    """One VM registered on a host of the world."""

    moid: str
    name: str
    host_moid: str
    power_state: str = "poweredOn"
    tools_running: bool = False
    tools_known: bool = True
    """False where it is not known whether VMware Tools run: the guest is asked then."""
    has_tools: bool = True
    """VMware Tools are installed: worth waiting for them after a start."""
    devices: tuple[str, ...] = ()
    """Labels of devices that pin it while it runs: fixed and dynamic passthrough, SR-IOV."""
    fixed: bool = False
    """One of them is a function of one certain host."""
    vgpu: bool = False
    local_datastores: tuple[str, ...] = ()
    """Datastores it lies on that no other host of the cluster sees."""
    host_media: tuple[str, ...] = ()
    """Labels of connected devices backed by the host or the client: CD, floppy, USB, serial, parallel."""
    drs_moves: bool | None = None
    """What DRS does with this VM: False = manual, partly automated or disabled for it alone. None = as the cluster."""
    memory_mb: int = 0
    reserved_mb: int = 0
    order: int = 0
    """Stop order from a variable or tag: lower is stopped first, and started last."""
    agent: bool = False
    """vCenter's own (vSphere Cluster Services, agents): it moves, stops and starts it itself, and undoes what others do."""
    never_stop: bool = False
    unread: str = ""
    """Why it is not known what keeps it on its host, or whether it runs, as a clause; empty when it is known."""
    shows_journal: bool = True
    """False where its custom attributes cannot be read: a record of it would be lost."""
    entry: VmEntry | None = None
    garbage: tuple[Garbage, ...] = ()
    under_way: frozenset[str] = frozenset()
    refusal: Refusal | None = None

    @property
    def is_on(self) -> bool:
        return self.power_state == "poweredOn"


@dataclass(frozen=True, kw_only=True, slots=True)
class Admission:
    """HA admission control: how much is set aside (``wanted``) and how much there is (``current``).

    ``unit``: ``hosts`` (failover level) or ``percent`` (of the cluster's CPU or memory, whichever is less).
    """

    unit: str
    wanted: float
    current: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterView:
    """A cluster, or the compute resource of a host of its own (``is_cluster`` False): budgets and locks are per entry here."""

    moid: str
    name: str
    is_cluster: bool = True
    drs_moves_vms: bool | None = None
    """DRS is on and fully automated."""
    vgpu_moves: bool | None = None
    """DRS evacuates VMs with a vGPU by itself (VgpuMMAutomationTimeoutSecs, KB 88271)."""
    vsan: bool = False
    admission: Admission | None = None
    """None when HA or its admission control is off."""
    red_alarms: tuple[str, ...] = ()
    remediation: str = ""
    """Name of the task of the lifecycle manager that works on the cluster."""
    pause: str = ""
    """Text of the pause attribute on the cluster."""
    lock: Lock | Garbage | None = None
    under_way: frozenset[str] = frozenset()
    refusal: Refusal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ObservedFleet:
    """Everything a decision is made of, besides the policy and the time."""

    me: str
    """This run's owner token, the same in every slice of a run; what locks carry."""
    run_id: str
    """Id of the roll, see ``lock.adopt``."""
    scope: str = ""
    """Digest of what is asked for (``lock.scope_digest``)."""
    hosts: tuple[HostView, ...] = ()
    vms: tuple[VmView, ...] = ()
    clusters: tuple[ClusterView, ...] = ()
    pause: str = ""
    """Why no host is to be started for now: pause file, pause attribute of the root folder."""
    stop: str = ""
    """Why nothing is to be begun any more in this run, and hosts that were not told to reboot are given back: a clause."""
