# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The observed fleet: hosts, VMs and clusters as vCenter shows them, with the journal stored there. PRIVATE to the collection.

Times are seconds since the epoch by the clock of the run, which no step of another clock changes (``ObservedFleet.ahead``). Boot times
are by the clock of the host. Durations are seconds. None means "unknown", not "no".
The process remembers nothing of this except ``under_way`` and ``refusal``; losing these does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ...gate_record import GateVms
from ...graphics.desired import DesiredGraphics
from ...graphics.plan import Waiting, waiting_graphics
from ...health_gate import GateAnswer
from ...host.selector import DesiredDevice
from ...observed.hosts import Host, UnreadVm
from .journal import Before, Entry, Garbage, Lock, VmEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """The last call of ``kind`` on this object was rejected, or did not arrive. ``permanent``: the same call cannot succeed later."""

    kind: str
    code: str
    text: str
    at: float
    permanent: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Precheck:
    """What is read from the server only right before a host is started, because it is expensive. ``at``: when it was read."""

    at: float
    evacuation_faults: Mapping[str, str] | None = None
    """DRS dry run (ClusterEnterMaintenanceMode): VM moid → why it cannot be migrated. Empty: all can. None: no dry run is possible."""
    evacuation_refused: str = ""
    """Why DRS would not evacuate the host at all, for a reason that does not concern one VM."""
    vsan_resync_mb: int | None = None
    vsan_inaccessible: int | None = None
    """vSAN objects that are inaccessible or have no redundancy."""
    protected: tuple[str, ...] = ()
    """Sentences: protected devices that the host would lose by the reboot (``reboot_takes_protected``)."""
    denied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """VM moid → privileges that the account lacks to stop and start it; only VMs that would be stopped."""
    lost: tuple[str, ...] = ()
    """Names of VMs with fixed devices of the host, with ``evacuate_powered_off``: by the list of the host and by the VMs themselves."""
    uncertain: tuple[UnreadVm, ...] = ()
    """The same for VMs whose devices or host are unknown."""
    tags_problem: str = ""
    """A sentence: the tags that define which VMs may be stopped could not be read. Only set where VMs would be stopped."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HostView:
    """One host. All hosts of a cluster are listed, requested or not: they count against the budget and VMs are migrated to them.

    ``host``: as read (devices, boot time, connection state, maintenance mode). While the host is not connected these values are
    out of date, and no rule uses them.
    """

    host: Host
    wanted: bool = True
    """The caller requested this host."""
    desired_devices: tuple[DesiredDevice, ...] = ()
    """Devices whose passthrough must be in effect after the reboot."""
    graphics: DesiredGraphics | None = None
    """Graphics settings that must be in effect after the reboot."""
    names_devices: bool = True
    """False when only graphics settings of the host are desired: its devices then require no reboot."""
    expects_settled: bool = False
    """Check mode: a planned change makes its pending devices consistent without a reboot."""
    skips_missing: bool = False
    """A desired device that the host does not have is not drift."""
    expected_reboot: str | None = None
    """A clause: a planned change will leave devices pending (only for forecasts)."""

    silent_since: float | None = None
    """Since when it has not responded (``notResponding``), as far as this run has seen; None when it responds."""

    entering: bool = False
    """An EnterMaintenanceMode task is running on it, whoever started it."""
    standby: bool = False
    quarantined: bool = False
    tasks: tuple[str, ...] = ()
    """Names of other tasks that are running on it, without the calls of this run and without entering maintenance mode."""
    rebooting: bool = False
    """A RebootHost or ShutdownHost task is queued or running, whoever started it."""
    uptime: float | None = None
    """Seconds, from the hardware clock (RetrieveHardwareUptime). Read while a reboot is being verified."""
    services_answer: bool | None = None
    """Its passthrough system answered a Refresh since the host is connected; None = not asked."""
    maintenance_is_own: bool | None = None
    """What the event log shows about the present maintenance mode. Read when a process starts, for hosts with a journal entry. False =
    another user entered it, or it was ended and entered again since the entry. None = not read, or the log does not show it."""
    bmc_power: str | None = None
    """``on`` or ``off``, from the board management controller (method power_cycle)."""
    bmc_problem: str = ""
    """A sentence: why the management controller could not power on the host. Known before anything is shut down."""

    build: str = ""
    """Release and build, such as ``8.0.3-24022510``; empty when not readable."""
    model: str = ""
    """Vendor and model. Each model has its own canary."""
    load: float = 0.0
    """0 to 1: memory or CPU in use, whichever is higher."""
    memory_mb: int | None = None
    memory_free_mb: int | None = None
    quick_boot: bool | None = None
    red_alarms: tuple[str, ...] = ()
    """Names of its red alarms that are not acknowledged."""
    datastores: Mapping[str, bool] = field(default_factory=dict)
    """name → accessible."""
    uplinks: Mapping[str, bool] = field(default_factory=dict)
    """vmnic → link up."""

    precheck: Precheck | None = None
    entry: Entry | None = None
    """The entry with the purpose of this run; ``other_entry``: the one with the other purpose, which this run never changes."""
    other_entry: Entry | None = None
    before: Before | None = None
    lock: Lock | Garbage | None = None
    """Only with the purpose ``maintenance``: the process of host_maintenance that works on the host."""
    gate_vms: GateVms | None = None
    """The VMs of its health gate, from the journal. ``gate_answers``: the last result of each check, while the gate is checked."""
    gate_answers: tuple[GateAnswer, ...] = ()
    garbage: tuple[Garbage, ...] = ()
    """Journal values on the host that cannot be read."""
    under_way: frozenset[str] = frozenset()
    """Kinds of actions of this process on this host that are in progress: they are not requested again."""
    refusal: Refusal | None = None
    lock_refusal: Refusal | None = None

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
    def waiting_graphics(self) -> tuple[Waiting, ...]:
        """Desired graphics settings that are configured and not in effect."""
        return () if self.graphics is None else waiting_graphics(self.host, self.graphics)

    @property
    def in_maintenance(self) -> bool:
        return self.host.in_maintenance_mode

    @property
    def in_service(self) -> bool:
        """VMs can run on the host now."""
        return self.connected and not (self.in_maintenance or self.entering or self.standby or self.quarantined)


@dataclass(frozen=True, kw_only=True, slots=True)
class PoweredOff:
    """Who powered off a VM that ran: vCenter itself, a ``user``, or unknown."""

    by: Literal["vcenter", "user", "unclear"]
    user: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class VmView:
    """One VM that is registered on a host of the fleet."""

    moid: str
    name: str
    host_moid: str
    power_state: str = "poweredOn"
    tools_running: bool = False
    tools_known: bool = True
    """False where it is unknown whether VMware Tools are running. The guest is then asked to shut down anyway."""
    has_tools: bool = True
    """VMware Tools are installed, so a start can wait for them."""
    devices: tuple[str, ...] = ()
    """Labels of devices that pin the VM while it runs: fixed and dynamic passthrough, SR-IOV."""
    fixed: bool = False
    """One of the devices is a fixed function of one host."""
    vgpu: bool = False
    local_datastores: tuple[str, ...] = ()
    """Datastores of the VM that no other host of the cluster can access."""
    host_media: tuple[str, ...] = ()
    """Labels of connected devices that are backed by the host or the client: CD, floppy, USB, serial, parallel."""
    drs_moves: bool | None = None
    """The DRS setting of this VM: False = manual, partially automated or disabled for this VM. None = as the cluster."""
    memory_mb: int = 0
    reserved_mb: int = 0
    evacuation_off: bool = False
    """vCenter powers it off when its host is evacuated, because of an advanced setting of the VM."""
    evacuation_policy: str = ""
    """A clause: the compute policy of vCenter that powers it off when its host is evacuated. Empty if there is none, or none is known."""
    order: int = 0
    """Stop order, from a variable or a tag: a lower number is stopped first and started last."""
    agent: bool = False
    """A VM of vCenter itself (vSphere Cluster Services, agents). vCenter migrates, stops and starts it and reverts changes by others."""
    never_stop: bool = False
    unread: str = ""
    """A clause: why it is unknown whether the VM is pinned or whether it runs. Empty when both are known."""
    shows_journal: bool = True
    """False where its custom attributes cannot be read: a journal entry on it would be lost."""
    entry: VmEntry | None = None
    powered_off: PoweredOff | None = None
    """It ran on a host in progress, and is off although no run stopped it. None: it is not so, or not known yet."""
    garbage: tuple[Garbage, ...] = ()
    under_way: frozenset[str] = frozenset()
    refusal: Refusal | None = None

    @property
    def is_on(self) -> bool:
        return self.power_state == "poweredOn"


@dataclass(frozen=True, kw_only=True, slots=True)
class Admission:
    """HA admission control: how much capacity must be reserved (``wanted``) and how much is (``current``).

    ``unit``: ``hosts`` (failover level) or ``percent`` (of the cluster's CPU or memory, whichever is less).
    """

    unit: str
    wanted: float
    current: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterView:
    """A cluster, or the compute resource of a standalone host (``is_cluster`` False). Budgets and locks apply to each of them."""

    moid: str
    name: str
    is_cluster: bool = True
    drs_moves_vms: bool | None = None
    """DRS is on and fully automated."""
    vgpu_moves: bool | None = None
    """DRS evacuates VMs with a vGPU automatically (VgpuMMAutomationTimeoutSecs, KB 88271)."""
    vsan: bool = False
    admission: Admission | None = None
    """None when HA or its admission control is off."""
    red_alarms: tuple[str, ...] = ()
    remediation: str = ""
    """Name of the lifecycle manager task that is running on the cluster."""
    pause: str = ""
    """The text of the pause attribute of the cluster."""
    lock: Lock | Garbage | None = None
    under_way: frozenset[str] = frozenset()
    refusal: Refusal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GoneHost:
    """A host that was in progress and that the server no longer shows. ``view``, ``entry``: as they were seen last."""

    view: HostView
    entry: Entry
    cluster: str
    off: tuple[str, ...] = ()
    """Names of VMs that were shut down for it and do not run."""
    lost: tuple[str, ...] = ()
    """Names of VMs that were shut down for it and that the server no longer shows either."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ObservedFleet:
    """All input of a decision, except the policy and the time."""

    me: str
    """The owner token of this run, as locks contain it. It is the same in every slice of a run."""
    run_id: str
    """Id of the rolling reboot, see ``lock.adopt``."""
    scope: str = ""
    """Digest of what is requested (``lock.scope_digest``)."""
    begun: float = 0.0
    """When this process began to work. Only for runs without locks; a lock shows it otherwise."""
    hosts: tuple[HostView, ...] = ()
    vms: tuple[VmView, ...] = ()
    clusters: tuple[ClusterView, ...] = ()
    gone: tuple[GoneHost, ...] = ()
    """Hosts that were removed while they were in progress."""
    ahead: float = 0.0
    """How much the clock of vCenter is ahead of the clock of the run (seconds; below 0: behind). It changes when either is set."""
    pause: str = ""
    """Why no host is started at present: pause file, or pause attribute of the root folder."""
    stop: str = ""
    """A clause: why this run starts nothing more, and returns hosts to service whose reboot it has not requested yet."""
