# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VirtualMachine: what the API shows of a VM, and its methods. Its state is in state.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pyVmomi import vim

from ...api.takes import takes
from ...core.tasks import Task
from ...rules import faults
from ..cluster import groups as cluster_groups
from ..cluster import placement
from ..host.state import HostState
from . import agents, assigned, evacuated
from . import config as vm_config
from . import create as vm_create
from . import files as vm_files
from . import media as vm_media
from . import move as vm_move
from . import power as vm_power
from . import reconfigure as vm_reconfigure
from . import snapshots as vm_snapshots
from .state import VmState

if TYPE_CHECKING:
    from ...core.call import Call


class VirtualMachine(VmState):
    """A virtual machine: `VmState` with the methods of the API."""

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

    @property
    def profiles(self) -> tuple[str, ...]:
        return tuple(item.profile for item in assigned.profiles(self)) if "vgpu" in self.device_kinds else ()

    @property
    def host_media(self) -> str:
        return vm_media.holding(self) if self.spec.media or self.spec.captured_media else ""

    def set_power(self, state: str) -> None:
        resumes = state == "suspended" or self.power == "suspended"
        self.set("runtime.powerState", state)
        if not resumes or state == "poweredOff":  # kept from suspend to resume (API reference, runtime.bootTime)
            self.set("runtime.bootTime", self.sim.clock.now() if state == "poweredOn" else None)
        vm_power.guest_down(self)
        if state != "poweredOn":
            self.release_devices()
        if self.spec.graphics_3d:
            assigned.show_graphics(self.host)
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
        if "summary" in self.props:
            self.set("summary", vm_config.summary(self))

    def release_devices(self) -> None:
        self.charged = 0
        assigned.release(self)

    def move_by_drs(self, destination: HostState) -> None:
        vm_move.by_drs(self, destination)

    def best_host(self) -> HostState:
        return placement.by_itself(self)

    def fitting_hosts(self) -> list[HostState]:
        return placement.ranked(self)

    def stopped(self) -> None:
        agents.stopped(self)
        evacuated.stopped(self)

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

    @takes(*vm_create.CLONE_TAKEN)
    def CloneVM_Task(self, call: Call, folder: Any, name: str, spec: Any) -> Task:
        """A copy that is off, of a VM that is off or of a template."""
        return vm_create.clone(self, call, self.sim.obj(folder), name, spec, self.__class__)

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
        cluster_groups.forget(self)
        self.sim.remove(self)
