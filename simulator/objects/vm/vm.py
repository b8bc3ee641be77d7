# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VirtualMachine: its state. Power is in power.py, reconfiguration in reconfigure.py, moves in move.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pyVmomi import vim

from ...api.takes import takes
from ...core.base import Endpoint, Entity
from ...core.tasks import Task
from ...rules import admission, faults, limits
from ...rules import knobs as knob_rules
from ...rules.vm import devices as device_rules
from ..specs import VmSpec
from . import config as vm_config
from . import files as vm_files
from . import media as vm_media
from . import move as vm_move
from . import power as vm_power
from . import reconfigure as vm_reconfigure
from . import snapshots as vm_snapshots

if TYPE_CHECKING:
    from ...core.call import Call
    from ...core.clock import Timer
    from ..cluster.cluster import ClusterComputeResource
    from ..datastore import Datastore
    from ..host.host import HostSystem
    from ..network import Network


class VirtualMachine(Entity):
    """One VM. `charged` is what its power-on reserved, in bytes; `assigned` maps device keys to host addresses."""

    vim_type = vim.VirtualMachine
    id_prefix = "vm"
    mirrors: ClassVar[Mapping[str, tuple[str, ...]]] = {"runtime": ("summary.runtime",)}
    lazy: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "config": vm_config.config,
        "summary": vm_config.summary,
        "guest": lambda self: vm_config.guest(self.spec, running=self.is_on),
        "capability": lambda self: vm_config.capability(),
    }
    live: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "resourceConfig": vm_config.resource_config,
        "layout": vm_files.layout,
        "layoutEx": vm_files.layout_ex,
        "storage": vm_files.storage,
    }

    def __init__(self, sim: Endpoint, spec: VmSpec, host: HostSystem, *, moid: str | None = None) -> None:
        super().__init__(sim, moid, name=spec.name)
        self.spec = spec
        self.knobs.update(spec.knobs)
        self.first_devices: list[Any] = []
        self.assigned: dict[int, str] = {}
        self.charged = 0
        self.moving = False
        self.evacuated = ""
        """How vCenter stopped it, or is about to, for the evacuation of its host; empty again once it runs."""
        self.busy: Task | None = None
        self.timers: list[Timer] = []
        self.datastore: Datastore | None = None
        self.network: Network | None = None
        self._version = 0
        connected = host.connection == "connected"
        self.props |= {
            "runtime": vm_config.runtime(spec, host.ref, powered_on=spec.power == "on", connected=connected),
            "resourcePool": None,
            "parentVApp": None,
            "datastore": [],
            "network": [],
            "snapshot": None,
            "rootSnapshot": [],
            "guestHeartbeatStatus": "gray",
            "environmentBrowser": None,
        }
        if spec.power == "on":
            reserved = spec.memory_mb if spec.locked else spec.reservation_mb
            self.charged = reserved * admission.MIB + admission.overhead(spec.memory_mb, spec.cpus)

    # -- reading ----------------------------------------------------------------------------------------------

    @property
    def settings(self) -> knob_rules.Knobs:
        """The knobs in force: its own, then its host's, then the lab's."""
        return knob_rules.of(self, self.host)

    @property
    def host(self) -> HostSystem:
        """The host it is registered on."""
        found: HostSystem = self.sim.obj(self.props["runtime"].host)
        return found

    @property
    def power(self) -> str:
        """poweredOn, poweredOff or suspended, as the API shows it."""
        return str(self.props["runtime"].powerState)

    @property
    def is_on(self) -> bool:
        """Whether it runs."""
        return self.power == "poweredOn"

    @property
    def runtime_connection(self) -> str:
        """connected, disconnected, inaccessible ..."""
        return str(self.props["runtime"].connectionState)

    @property
    def devices(self) -> list[Any]:
        """Its virtual devices."""
        return list(self.get("config").hardware.device)

    @property
    def device_kinds(self) -> tuple[str, ...]:
        """Kinds of its passthrough devices; does not build the configuration of a VM that has none."""
        if "config" in self.props:
            return device_rules.kinds(self.props["config"].hardware.device)
        return device_rules.kinds(self.first_devices)

    @property
    def profiles(self) -> tuple[str, ...]:
        """The profiles of its vGPUs, by device key."""
        return tuple(item.profile for item in vm_power.profiles(self)) if "vgpu" in self.device_kinds else ()

    @property
    def host_media(self) -> str:
        """Label of a connected device of the host or of a client that keeps it where it is; empty: none."""
        return vm_media.holding(self) if self.spec.media else ""

    @property
    def load(self) -> tuple[int, int]:
        """What it takes of its host while it runs: MB and vCPUs."""
        if "config" not in self.props:
            return self.spec.memory_mb, self.spec.cpus
        hardware = self.props["config"].hardware
        return int(hardware.memoryMB), int(hardware.numCPU)

    @property
    def version(self) -> int:
        """Hardware version as a number."""
        return limits.hardware_version(self.get("config").version)

    @property
    def cluster(self) -> ClusterComputeResource | None:
        """The cluster of its host."""
        from ..cluster.cluster import ClusterComputeResource

        parent = self.host.up
        return parent if isinstance(parent, ClusterComputeResource) else None

    @property
    def automation(self) -> str:
        """How far DRS may move it: the override of its cluster, or the cluster's own; `disabled` without DRS."""
        return self.cluster.automation_of(self) if self.cluster is not None else "disabled"

    def next_change_version(self) -> str:
        """A new changeVersion: a time stamp that never repeats."""
        self._version += 1
        now = self.sim.clock.now()
        return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{self._version:06d}Z"

    # -- changing ---------------------------------------------------------------------------------------------

    def set_power(self, state: str) -> None:
        """Show a power state, and let a host that waits for this VM know."""
        resumes = state == "suspended" or self.power == "suspended"
        self.set("runtime.powerState", state)
        if not resumes or state == "poweredOff":  # kept from suspend to resume (API reference, runtime.bootTime)
            self.set("runtime.bootTime", self.sim.clock.now() if state == "poweredOn" else None)
        self.set("guest", vm_config.guest(self.spec, running=False))
        if state != "poweredOn":
            self.release_devices()
        vm_media.connect(self, state == "poweredOn")
        self.show_summary()
        self.host.counted()
        if state == "poweredOn":
            self.evacuated = ""
        if (cluster := self.cluster) is not None:
            cluster.recommend(self, [])
        if self.host.entering is not None:
            self.host.entering.look()

    def show_summary(self) -> None:
        """Rebuild the summary if anybody ever read it."""
        if "summary" in self.props:
            self.set("summary", vm_config.summary(self))

    def release_devices(self) -> None:
        """Give devices and memory back to the host."""
        self.charged = 0
        vm_power.release(self)

    def found_off(self) -> None:
        """The host came back and this VM is not running any more."""
        if self.is_on:
            self.set_power("poweredOff")
            self.sim.post_event(
                vim.event.VmPoweredOffEvent, self, message=f"{self.name} is powered off", host=self.host
            )

    def move_by_drs(self, destination: HostSystem) -> None:
        """DRS takes it to another host."""
        vm_move.by_drs(self, destination)

    def removed(self) -> None:
        """Leave the lists of folder, host, pool, stores and networks."""
        if self.up is not None:
            self.up.forget(self)
        for holder in (self.host, self.props["resourcePool"], self.datastore, self.network):
            target = self.sim.obj(holder) if isinstance(holder, vim.ManagedObject) else holder
            if target is not None:
                target.set("vm", [ref for ref in target.props["vm"] if ref._moId != self.moid])

    # -- methods ----------------------------------------------------------------------------------------------

    @takes(*vm_reconfigure.TAKEN)
    def ReconfigVM_Task(self, call: Call, spec: Any) -> Task:
        """Field by field privileges first; the rest in the task."""
        return vm_reconfigure.reconfigure(self, call, spec)

    @takes("version")
    def UpgradeVM_Task(self, call: Call, version: str | None = None) -> Task:
        """To a newer hardware version, powered off."""
        return vm_reconfigure.upgrade(self, call, version)

    @takes("host")
    def PowerOnVM_Task(self, call: Call, host: Any = None) -> Task:
        """On the given host, or where DRS or its registration puts it; a suspended VM resumes."""
        return vm_power.power_on(self, call, self.sim.obj(host) if host is not None else None)

    def PowerOffVM_Task(self, call: Call) -> Task:
        """Hard off."""
        return vm_power.power_off(self, call)

    def ResetVM_Task(self, call: Call) -> Task:
        """Hard reset; devices stay."""
        return vm_power.reset(self, call)

    def SuspendVM_Task(self, call: Call) -> Task:
        """Refused with a passthrough device."""
        return vm_power.suspend(self, call)

    def ShutdownGuest(self, call: Call) -> None:
        """Returns at once; the guest takes its time."""
        vm_power.shutdown_guest(self, call)

    def RebootGuest(self, call: Call) -> None:
        """Returns at once."""
        vm_power.reboot_guest(self, call)

    @takes("pool", "host", "priority")
    def MigrateVM_Task(
        self, call: Call, pool: Any = None, host: Any = None, priority: Any = None, state: Any = None
    ) -> Task:
        """Another host, same datastore."""
        call.require("Resource.HotMigrate" if self.is_on else "Resource.ColdMigrate", self)
        vm_move.check_elsewhere(self, call, pool=pool)
        return vm_move.migrate(self, call, self.sim.obj(host) if host is not None else None)

    @takes("spec.host", "spec.pool", "spec.datastore", "priority")
    def RelocateVM_Task(self, call: Call, spec: Any, priority: Any = None) -> Task:
        """Another host, if the spec names one; datastores are not moved."""
        if self.is_on:
            call.require("Resource.HotMigrate", self)
        vm_move.check_elsewhere(self, call, pool=spec.pool, datastore=spec.datastore)
        return vm_move.migrate(self, call, self.sim.obj(spec.host) if spec.host is not None else None)

    @takes("name", "description", "memory", "quiesce=false")
    def CreateSnapshot_Task(self, call: Call, name: str, description: Any, memory: bool, quiesce: bool) -> Task:
        """Not with memory while a passthrough device is attached."""
        return vm_snapshots.create(self, call, name, str(description or ""), memory=memory)

    @takes("consolidate=true")
    def RemoveAllSnapshots_Task(self, call: Call, consolidate: Any = None, spec: Any = None) -> Task:
        """All of them go."""
        return vm_snapshots.remove_all(self, call)

    @takes("newName")
    def Rename_Task(self, call: Call, newName: str) -> Task:
        """A new name in inventory and configuration."""
        call.require("VirtualMachine.Config.Rename", self)
        spec = vim.vm.ConfigSpec(name=newName)
        return vm_reconfigure.reconfigure(self, call, spec)

    def Destroy_Task(self, call: Call) -> Task:
        """Powered off only."""
        call.require("VirtualMachine.Inventory.Delete", self)
        return vm_power.destroy(self, call)

    def UnregisterVM(self, call: Call) -> None:
        """Leaves the inventory, keeps its files."""
        if self.is_on:
            raise faults.invalid_power_state("poweredOff", self.power)
        self.sim.remove(self)
