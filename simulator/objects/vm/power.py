# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual machine starts, stops, is reset, and takes or gives back devices of its host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from ...api import data
from ...core.tasks import Task
from ...rules import admission, faults, limits
from ...rules.pci import vgpu
from ...rules.vm import devices as device_rules
from ...rules.vm import power_on as rules
from ..cluster import ha as cluster_ha
from ..host import cards as host_cards
from ..host import graphics as host_graphics
from ..host import maintenance as host_maintenance
from . import agents, evacuated
from . import config as vm_config
from . import move as vm_move
from .devices import wanted

if TYPE_CHECKING:
    from ...core.call import Call
    from ...core.tasks import Body
    from ..host.host import HostSystem
    from .vm import VirtualMachine


def start(vm: VirtualMachine, call: Call | None, operation: str, body: Body, duration: float) -> Task:
    """A task on a VM; one at a time (TaskInProgress)."""
    if vm.busy is not None and vm.busy.running:
        raise vim.fault.TaskInProgress(task=vm.busy.ref)
    vm.busy = vm.sim.start_task(call, vm, f"VirtualMachine.{operation}", body, duration=duration)
    return vm.busy


def check_state(vm: VirtualMachine, existing: str, requested: str | None = None) -> None:
    """Raise InvalidPowerState unless the VM is in the state `existing`."""
    if vm.power != existing:
        raise faults.invalid_power_state(requested, vm.power)


def machine(vm: VirtualMachine) -> rules.Machine:
    """The configuration as the power-on rule reads it."""
    config = vm.get("config")
    found = [item for item in map(wanted, config.hardware.device) if item is not None]
    return rules.Machine(
        moid=vm.moid,
        name=vm.name,
        memory_mb=config.hardware.memoryMB,
        reservation_mb=config.memoryAllocation.reservation,
        vcpus=config.hardware.numCPU,
        firmware=config.firmware,
        nested=bool(config.nestedHVEnabled),
        memory_hot_add=bool(config.memoryHotAddEnabled),
        extra={item.key: str(item.value) for item in config.extraConfig},
        wanted=tuple(found),
        latency=str(config.latencySensitivity.level),
    )


def host_view(host: HostSystem) -> rules.Host:
    """The host as the power-on rule reads it."""
    return rules.Host(
        name=host.name,
        system=host.spec.system_id,
        cards=host.cards(),
        free_memory=host.free_memory,
        lent=len(host.holders),
        device_max=limits.host_device_max(host.spec.release, host.settings),
    )


def fitting(vm: VirtualMachine, host: HostSystem) -> dict[int, str]:
    """Device key -> address if the VM can start on the host; raises the fault otherwise."""
    chain = vm.sim.obj(vm.props["resourcePool"]).chain()
    return rules.assigned(machine(vm), host_view(host), chain, host.settings)


def check_itself(vm: VirtualMachine) -> None:
    """Raise what keeps the VM from starting, wherever it is placed."""
    found = machine(vm)
    rules.check_itself(found, vm.settings)
    admission.check_pool(vm.sim.obj(vm.props["resourcePool"]).chain(), rules.needed_memory(found))


def check_startable(vm: VirtualMachine) -> None:
    """Raise what keeps any host from starting it: it runs, or its own host does not answer.

    While that is so nobody knows whether the VM still runs there, and its files may be locked: vCenter starts it nowhere else.
    """
    if vm.is_on:
        raise faults.invalid_power_state("poweredOn", vm.power)
    if not vm.host.standby:
        vm.host.reach()


def power_on(vm: VirtualMachine, call: Call | None, target: HostSystem | None) -> Task:
    """PowerOnVM_Task on a host, or where DRS or its registration puts it; a suspended VM resumes (API reference)."""
    from ..cluster import placement

    def body(task: Task) -> None:
        check_startable(vm)
        host = target or vm.host
        try:
            host = target or placement.by_itself(vm)
            switch_on(vm, host, call)
        except vmodl.MethodFault as fault:
            failed = vim.event.VmFailedToPowerOnEvent
            reason = getattr(fault, "msg", None) or type(fault).__name__
            text = f"Cannot power on {vm.name} on {host.name}: {reason}"
            vm.sim.post_event(failed, vm, message=text, call=call, host=host, reason=fault)
            raise

    return start(vm, call, "powerOn", body, vm.settings.power_on_seconds)


def switch_on(vm: VirtualMachine, host: HostSystem, call: Call | None) -> None:
    """Check, take the devices, run."""
    if vm.get("config").template:
        raise vim.fault.InvalidState()
    host.reach()
    host_maintenance.check_operation(host, "PowerOnVM_Task")
    if vm.datastore is not None and not vm.datastore.is_mounted_on(host):
        raise vim.fault.CannotAccessFile(file=vm.get("config").files.vmPathName)
    taken = fitting(vm, host)
    cluster_ha.check_power_on(vm, host, rules.needed_memory(machine(vm)))
    if host is not vm.host:
        vm_move.register(vm, host)
    vm.charged = rules.needed_memory(machine(vm))
    resumes = vm.power == "suspended"
    take(vm, host, taken)
    vm.set_power("poweredOn")
    vm.sim.post_event(
        vim.event.VmPoweredOnEvent, vm, message=f"{vm.name} on {host.name} is powered on", call=call, host=host
    )
    delay = 0.0 if resumes else vm.settings.guest_boot_seconds
    vm.timers.append(vm.sim.clock.call_later(delay, lambda: guest_up(vm)))


def guest_up(vm: VirtualMachine) -> None:
    """The guest has booted and its Tools answer."""
    if vm.is_on:
        vm.set("guest", vm_config.guest(vm.spec, running=True))
        vm.show_summary()


def take(vm: VirtualMachine, host: HostSystem, taken: dict[int, str]) -> None:
    """Book the devices on the host; dynamic backings show which one they got."""
    vm.assigned = dict(taken)
    kinds = {item.key: item for item in machine(vm).wanted}
    for key, address in taken.items():
        item = kinds[key]
        if item.kind in ("fixed", "dynamic"):
            host.holders[address] = vm.moid
        elif item.kind == "sriov":
            host.functions_used[address] += 1
        elif item.kind == "vgpu":
            host.profiles_used[address, item.profile] += 1
    if taken:
        _show_assigned(vm, taken)
        show_graphics(host)


def profiles(vm: VirtualMachine) -> list[rules.Wanted]:
    """Its vGPUs, by device key."""
    found = [item for item in machine(vm).wanted if item.kind == "vgpu"]
    return sorted(found, key=lambda item: item.key)


def carry_profiles(vm: VirtualMachine, destination: HostSystem) -> None:
    """A running VM is about to change hosts: its vGPUs are those of the destination from now on. Raises when they do not fit."""
    carried = [item for item in profiles(vm) if item.key in vm.assigned]
    places = vgpu.fit([item.profile for item in carried], host_cards.gpus(destination))
    if places is None:
        raise vgpu.insufficient()
    for item, address in zip(carried, places, strict=True):
        vm.host.profiles_used[vm.assigned[item.key], item.profile] -= 1
        destination.profiles_used[address, item.profile] += 1
        vm.assigned[item.key] = address


def show_graphics(host: HostSystem) -> None:
    """Which VMs run on which shared GPU is another now."""
    if host.spec.shared_gpus and host.connection == "connected":
        host.set("config.graphicsInfo", host_graphics.info(host.spec, host.taken, host.vgpu_users))


def _show_assigned(vm: VirtualMachine, taken: dict[int, str]) -> None:
    """assignedId while powered on; the guest's slot is given at the first power-on (8.0.3) and stays."""
    with vm.edit("config") as config:
        for device in config.hardware.device:
            kind = device_rules.kind(device)
            if kind == "dynamic":
                device.backing.assignedId = taken.get(device.key)
            if kind and device.slotInfo is None and taken:
                slot = 192 + 32 * (device.key % 100)
                device.slotInfo = data.new(vim.vm.device.VirtualDevice.PciBusSlotInfo, pciSlotNumber=slot)
        config.changeVersion = vm.next_change_version()


def release(vm: VirtualMachine) -> None:
    """Give every device back."""
    if not vm.assigned:
        return
    host = vm.host
    kinds = {item.key: item for item in machine(vm).wanted}
    for key, address in vm.assigned.items():
        if host.holders.get(address) == vm.moid:
            del host.holders[address]
        item = kinds.get(key)
        if item is not None and item.kind == "sriov":
            host.functions_used[address] -= 1
        elif item is not None and item.kind == "vgpu":
            host.profiles_used[address, item.profile] -= 1
    vm.assigned = {}
    _show_assigned(vm, {})
    show_graphics(host)


def rebook(vm: VirtualMachine) -> None:
    """Devices came or went while the VM runs: book what it has now."""
    found = {item.key: item for item in machine(vm).wanted}
    if set(found) == set(vm.assigned):
        return
    host = vm.host
    for key in set(vm.assigned) - set(found):
        host.holders.pop(vm.assigned.pop(key), None)
    for key in set(found) - set(vm.assigned):
        vm.assigned[key] = found[key].address
        host.holders[found[key].address] = vm.moid


def check_hot_add(vm: VirtualMachine, devices: list[Any]) -> None:
    """Raise what a power-on would for fixed devices that are to be added to a running VM."""
    fresh = [item for item in map(wanted, devices) if item is not None and item.key not in vm.assigned]
    for item in fresh:
        rules.check_fixed(item, machine(vm), host_view(vm.host), vm.host.settings)


def power_off(vm: VirtualMachine, call: Call | None) -> Task:
    """PowerOffVM_Task."""

    def body(task: Task) -> None:
        if vm.power == "poweredOff":
            raise faults.invalid_power_state("poweredOff", vm.power)
        vm.host.reach()
        switch_off(vm, call)

    return start(vm, call, "powerOff", body, vm.settings.power_off_seconds)


def switch_off(vm: VirtualMachine, call: Call | None) -> None:
    """Stop now."""
    for timer in vm.timers:
        timer.cancel()
    vm.timers.clear()
    vm.set_power("poweredOff")
    vm.sim.post_event(vim.event.VmPoweredOffEvent, vm, message=f"{vm.name} is powered off", call=call, host=vm.host)
    agents.stopped(vm)
    evacuated.stopped(vm)


def reset(vm: VirtualMachine, call: Call | None) -> Task:
    """ResetVM_Task: the guest starts anew, the VMX process and its devices stay."""

    def body(task: Task) -> None:
        check_state(vm, "poweredOn")
        vm.set("runtime.bootTime", vm.sim.clock.now())
        vm.set("guest", vm_config.guest(vm.spec, running=False))
        vm.timers.append(vm.sim.clock.call_later(vm.settings.guest_boot_seconds, lambda: guest_up(vm)))

    return start(vm, call, "reset", body, vm.settings.power_off_seconds)


def suspend(vm: VirtualMachine, call: Call | None) -> Task:
    """SuspendVM_Task: not with a whole device or a virtual function (networking guide)."""

    def body(task: Task) -> None:
        check_state(vm, "poweredOn", "suspended")
        if any(kind in ("fixed", "dynamic", "sriov") for kind in vm.device_kinds):
            text = "The virtual machine cannot be suspended: it has PCI passthrough devices."
            raise faults.vm_config_fault([("msg.pciPassthru.noSuspend", text)])
        for timer in vm.timers:
            timer.cancel()
        vm.timers.clear()
        vm.set_power("suspended")
        text = f"{vm.name} on {vm.host.name} is suspended"
        vm.sim.post_event(vim.event.VmSuspendedEvent, vm, message=text, call=call, host=vm.host)

    return start(vm, call, "suspend", body, vm.settings.power_off_seconds)


def _check_tools(vm: VirtualMachine) -> None:
    if vm.get("guest").toolsRunningStatus != "guestToolsRunning":
        raise vim.fault.ToolsUnavailable(
            msg="Cannot complete operation because VMware Tools is not running in this virtual machine."
        )


def shutdown_guest(vm: VirtualMachine, call: Call | None) -> None:
    """ShutdownGuest: asks and returns; a guest may take its time or ignore it (a knob)."""
    check_state(vm, "poweredOn", "poweredOff")
    vm.host.reach()
    _check_tools(vm)
    vm.sim.post_event(
        vim.event.VmGuestShutdownEvent, vm, message=f"Guest OS shut down for {vm.name}", call=call, host=vm.host
    )
    if vm.settings.shutdown_guest_result == "normal":
        vm.timers.append(vm.sim.clock.call_later(vm.settings.shutdown_seconds, lambda: _guest_down(vm)))


def _guest_down(vm: VirtualMachine) -> None:
    if vm.is_on and vm.host.connection == "connected":
        switch_off(vm, None)


def reboot_guest(vm: VirtualMachine, call: Call | None) -> None:
    """RebootGuest: asks and returns."""
    check_state(vm, "poweredOn")
    vm.host.reach()
    _check_tools(vm)
    vm.set("guest", vm_config.guest(vm.spec, running=False))
    vm.timers.append(vm.sim.clock.call_later(vm.settings.guest_boot_seconds, lambda: guest_up(vm)))


def destroy(vm: VirtualMachine, call: Call | None) -> Task:
    """Destroy_Task: powered off only."""

    def body(task: Task) -> Any:
        check_state(vm, "poweredOff")
        vm.sim.remove(vm)

    return start(vm, call, "destroy", body, 1.0)
