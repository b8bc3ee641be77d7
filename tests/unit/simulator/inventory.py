# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The smallest inventory the core can be tested on: folders, hosts and VMs with almost no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pyVmomi import vim, vmodl

from simulator import ManualClock, Simulator
from simulator.api import data
from simulator.api.takes import takes
from simulator.core.base import Entity
from simulator.core.call import Call
from simulator.core.clock import Clock
from simulator.core.tasks import PENDING, Task
from simulator.services.service_instance import about


class Folder(Entity):
    vim_type = vim.Folder
    id_prefix = "group"

    def adopt(self, child: Entity) -> Any:
        self.sim.add(child, parent=self)
        self.set("childEntity", [item.ref for item in self.down.values()])
        return child


class Datacenter(Entity):
    vim_type = vim.Datacenter


class Host(Entity):
    vim_type = vim.HostSystem
    id_prefix = "host"
    mirrors: ClassVar[Any] = {"runtime": ("summary.runtime",)}
    lazy: ClassVar[Any] = {"config": lambda self: self.make_config()}

    def make_config(self) -> Any:
        product = data.clone(about(self.sim))
        return data.new(vim.host.ConfigInfo, host=self.ref, product=product, pciPassthruInfo=self.passthru())

    def passthru(self) -> list[Any]:
        return [data.new(vim.host.PciPassthruInfo, id=f"0000:0{n}:00.0", dependentDevice="x") for n in range(2)]

    def missing(self, path: str) -> Any:
        if self.props["runtime"].connectionState == "disconnected" and path.startswith("config"):
            return vmodl.fault.HostNotConnected()
        return None

    @takes("force")
    def RebootHost_Task(self, call: Call, force: bool) -> Any:
        if not force and not self.props["runtime"].inMaintenanceMode:
            raise vim.fault.InvalidState()
        return self.sim.start_task(call, self, "HostSystem.reboot", lambda task: None, duration=4.0)

    @takes("timeout", "evacuatePoweredOffVms")
    def EnterMaintenanceMode_Task(self, call: Call, timeout: int, evacuate: bool | None, spec: Any) -> Any:
        def body(task: Task) -> Any:
            if timeout > 0:
                self.sim.clock.call_later(timeout, lambda: task.fail(vim.fault.Timedout()))
            return PENDING

        return self.sim.start_task(
            call, self, "HostSystem.enterMaintenanceMode", body, on_cancel=lambda task: self.touch("runtime")
        )


class VirtualMachine(Entity):
    vim_type = vim.VirtualMachine
    id_prefix = "vm"

    @takes("host")
    def PowerOnVM_Task(self, call: Call, host: Any) -> Any:
        def body(task: Task) -> None:
            self.set("runtime.powerState", "poweredOn")
            self.sim.post_event(vim.event.VmPoweredOnEvent, self, message="on", call=call, template=False)

        return self.sim.start_task(call, self, "VirtualMachine.powerOn", body, duration=2.0)

    @takes("spec.memoryMB")
    def ReconfigVM_Task(self, call: Call, spec: Any) -> Any:
        if spec.memoryMB is not None:
            call.require("VirtualMachine.Config.Memory", self)

        def body(task: Task) -> None:
            with self.edit("config") as config:
                config.hardware.memoryMB = spec.memoryMB

        return self.sim.start_task(call, self, "VirtualMachine.reconfigure", body)


def _runtime(sim: Simulator) -> Any:
    return data.new(
        vim.host.RuntimeInfo,
        connectionState="connected",
        powerState="poweredOn",
        inMaintenanceMode=False,
        bootTime=sim.clock.now(),
    )


def _host(sim: Simulator, name: str) -> Host:
    runtime = _runtime(sim)
    config = data.new(vim.host.Summary.ConfigSummary, name=name, port=443, faultToleranceEnabled=False)
    summary = data.new(
        vim.host.Summary,
        runtime=runtime,
        config=config,
        quickStats=vim.host.Summary.QuickStats(),
        overallStatus="green",
        rebootRequired=False,
    )
    return Host(sim, name=name, runtime=runtime, summary=summary, vm=[])


def _vm(sim: Simulator, name: str, host: Host) -> VirtualMachine:
    device = data.new(vim.vm.device.VirtualDevice, key=4000, unitNumber=7)
    hardware = data.new(vim.vm.VirtualHardware, numCPU=2, memoryMB=1024, device=[device], numCoresPerSocket=1)
    config = data.new(
        vim.vm.ConfigInfo,
        changeVersion="1",
        modified=sim.clock.now(),
        name=name,
        guestFullName="Linux",
        version="vmx-21",
        uuid=f"42{host.moid[-1]}-{name}",
        instanceUuid=f"50-{name}",
        template=False,
        guestId="otherLinux64Guest",
        alternateGuestName="",
        files=vim.vm.FileInfo(),
        flags=vim.vm.FlagInfo(),
        defaultPowerOps=vim.vm.DefaultPowerOpInfo(),
        hardware=hardware,
    )
    runtime = data.new(
        vim.vm.RuntimeInfo,
        host=host.ref,
        connectionState="connected",
        powerState="poweredOff",
        toolsInstallerMounted=False,
        faultToleranceState="notConfigured",
        recordReplayState="inactive",
        numMksConnections=0,
        device=[],
    )
    return VirtualMachine(sim, name=name, config=config, runtime=runtime, guest=None)


def build(
    lab: Mapping[str, Any] | None = None, *, hosts: int = 3, vms: int = 2, clock: Clock | None = None
) -> Simulator:
    """Root folder, one datacenter, a host folder with hosts and a VM folder with VMs."""
    sim = Simulator(lab or {}, clock or ManualClock())
    root = Folder(sim, "group-d1", name="Datacenters", childEntity=[], childType=["Datacenter"])
    sim.add(root)
    sim.root = root
    center = root.adopt(Datacenter(sim, name="DC1"))
    host_folder = Folder(sim, "group-h1", name="host", childEntity=[], childType=["ComputeResource"])
    vm_folder = Folder(sim, "group-v1", name="vm", childEntity=[], childType=["VirtualMachine"])
    for folder in (vm_folder, host_folder):
        sim.add(folder, parent=center)
    center.props.update(hostFolder=host_folder.ref, vmFolder=vm_folder.ref)
    made = [host_folder.adopt(_host(sim, f"esx-{n:02}")) for n in range(1, hosts + 1)]
    for n in range(1, vms + 1):
        vm_folder.adopt(_vm(sim, f"vm-{n:02}", made[n % hosts]))
    sim.open(lab or {})
    return sim
