# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual machine starts, stops, is reset, and takes or gives back devices of its host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from ...core.tasks import Task
from ...rules import admission, faults, limits, maintenance
from ...rules.vm import power_on as rules
from ...rules.vm import units
from .. import offers
from ..cluster import groups as cluster_groups
from ..cluster import ha as cluster_ha
from ..host import cards as host_cards
from ..host import config as host_config
from ..host import virtual_functions
from ..host.state import HostState
from . import config as vm_config
from . import move as vm_move
from .assigned import machine, take
from .devices import wanted
from .state import VmState
from .tasks import check_state, start

if TYPE_CHECKING:
    from ...core.call import Call


def host_view(host: HostState) -> rules.Host:
    """The host as the power-on rule reads it."""
    return rules.Host(
        name=host.name,
        system=host.spec.system_id,
        cards=host_cards.cards(host),
        free_memory=host.free_memory,
        cpu_mhz=host_config.MHZ,
        lent=len(host.holders),
        pools=virtual_functions.behind(host),
        device_max=limits.host_device_max(host.spec.release, host.settings),
        dvx_classes=tuple(item.name for item in host.spec.dvx if not item.nic),
    )


def pools_of(vm: VmState) -> list[admission.Pool]:
    """The resource pool of the VM and those above it, as they are now."""
    found: list[admission.Pool] = vm.sim.obj(vm.props["resourcePool"]).chain()
    return found


def fitting(vm: VmState, host: HostState, pools: list[admission.Pool] | None = None) -> dict[int, str]:
    """Device key -> address if the VM can start on the host; raises the fault otherwise. ``pools``: when they were read before."""
    names = [item.deviceGroupName for item in vm_config.groups(vm.get("config"))]
    if names:
        units.check_power_on(names, offers.offered([host]))
    return rules.assigned(machine(vm), host_view(host), pools_of(vm) if pools is None else pools, host.settings)


def check_itself(vm: VmState) -> None:
    """Raise what keeps the VM from starting, wherever it is placed."""
    found = machine(vm)
    rules.check_itself(found, vm.settings)
    admission.check_pool(pools_of(vm), rules.needed_memory(found))


def check_startable(vm: VmState) -> None:
    """Raise what keeps any host from starting it: it runs, or its own host does not answer.

    While that is so it is unknown whether the VM still runs there, and its files may be locked: vCenter starts it nowhere else.
    """
    if vm.is_on:
        raise faults.invalid_power_state("poweredOn", vm.power)
    if not vm.host.standby:
        vm.host.reach()


def power_on(vm: VmState, call: Call | None, target: HostState | None) -> Task:
    """PowerOnVM_Task on a host, or where DRS or its registration puts it; a suspended VM resumes (API reference)."""

    def body(task: Task) -> None:
        check_startable(vm)
        host = target or vm.host
        try:
            host = target or vm.best_host()
            switch_on(vm, host, call)
        except vmodl.MethodFault as fault:
            failed = vim.event.VmFailedToPowerOnEvent
            reason = getattr(fault, "msg", None) or type(fault).__name__
            text = f"Cannot power on {vm.name} on {host.name}: {reason}"
            vm.sim.post_event(failed, vm, message=text, call=call, host=host, reason=fault)
            raise

    return start(vm, call, "powerOn", body, vm.settings.power_on_seconds)


def switch_on(vm: VmState, host: HostState, call: Call | None) -> None:
    """Check, take the devices, run."""
    if vm.get("config").template:
        raise vim.fault.InvalidState()
    host.reach()
    maintenance.check_operation(host.entering is not None, host.in_maintenance, "PowerOnVM_Task")
    if vm.datastore is not None and not vm.datastore.is_mounted_on(host):
        raise vim.fault.CannotAccessFile(file=vm.get("config").files.vmPathName)
    cluster_groups.check(vm, host)
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


def guest_up(vm: VmState) -> None:
    """The guest has booted and its Tools answer."""
    if vm.is_on:
        delay = vm.settings.guest_operations_seconds
        vm.guest_os.reboots = False
        vm.set("guest", vm_config.guest(vm.spec, running=True, ready=delay <= 0))
        vm.show_summary()
        if vm.spec.tools and delay > 0:
            vm.timers.append(vm.sim.clock.call_later(delay, lambda: guest_ready(vm)))
        if vm.spec.tools:
            vm.timers.append(vm.sim.clock.call_later(vm.settings.heartbeat_seconds, lambda: guest_beats(vm)))


def guest_ready(vm: VmState) -> None:
    """VMware Tools serve guest operations from now on, some time after they began to run."""
    if vm.is_on and vm.get("guest").toolsRunningStatus == "guestToolsRunning":
        vm.set("guest.guestOperationsReady", True)


def tools_down(vm: VmState, seconds: float) -> None:
    """VMware Tools stop while the guest runs on, and start again after some seconds; below 0: they stay away."""
    vm.guest_os.tools_restarted()
    vm.set("guest", vm_config.guest(vm.spec, running=False))
    vm.set("guest.guestState", "running")
    vm.set("guestHeartbeatStatus", "gray")
    vm.show_summary()
    if seconds >= 0:
        vm.timers.append(vm.sim.clock.call_later(seconds, lambda: guest_up(vm)))


def guest_beats(vm: VmState) -> None:
    """VMware Tools send heartbeats: green. Gray without Tools (API reference, guestHeartbeatStatus)."""
    if vm.is_on and vm.get("guest").toolsRunningStatus == "guestToolsRunning":
        vm.set("guestHeartbeatStatus", "green")
        vm.show_summary()


def guest_down(vm: VmState) -> None:
    """Its guest does not run, so neither do its Tools nor what they started."""
    vm.guest_os.reboots = False
    vm.guest_os.stopped()
    vm.set("guest", vm_config.guest(vm.spec, running=False))
    vm.set("guestHeartbeatStatus", "gray")


def check_hot_add(vm: VmState, devices: list[Any]) -> None:
    """Raise what a power-on would for fixed devices that are to be added to a running VM."""
    fresh = [item for item in map(wanted, devices) if item is not None and item.key not in vm.assigned]
    for item in fresh:
        rules.check_fixed(item, machine(vm), host_view(vm.host), vm.host.settings)


def power_off(vm: VmState, call: Call | None) -> Task:
    """PowerOffVM_Task."""

    def body(task: Task) -> None:
        if vm.power == "poweredOff":
            raise faults.invalid_power_state("poweredOff", vm.power)
        vm.host.reach()
        switch_off(vm, call)

    return start(vm, call, "powerOff", body, vm.settings.power_off_seconds)


def switch_off(vm: VmState, call: Call | None, *, user: str = "") -> None:
    """Stop now. ``user``: as the event shows it, without a call."""
    for timer in vm.timers:
        timer.cancel()
    vm.timers.clear()
    vm.set_power("poweredOff")
    message = f"{vm.name} is powered off"
    vm.sim.post_event(vim.event.VmPoweredOffEvent, vm, message=message, call=call, user=user, host=vm.host)
    vm.stopped()


def reset(vm: VmState, call: Call | None) -> Task:
    """ResetVM_Task: the guest restarts, the VMX process and its devices stay."""

    def body(task: Task) -> None:
        check_state(vm, "poweredOn")
        vm.set("runtime.bootTime", vm.sim.clock.now())
        guest_down(vm)
        vm.timers.append(vm.sim.clock.call_later(vm.settings.guest_boot_seconds, lambda: guest_up(vm)))

    return start(vm, call, "reset", body, vm.settings.power_off_seconds)


def suspend(vm: VmState, call: Call | None) -> Task:
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


def _check_tools(vm: VmState) -> None:
    if vm.get("guest").toolsRunningStatus != "guestToolsRunning":
        raise vim.fault.ToolsUnavailable(
            msg="Cannot complete operation because VMware Tools is not running in this virtual machine."
        )


def shutdown_guest(vm: VmState, call: Call | None) -> None:
    """ShutdownGuest: asks and returns; a guest may take its time or ignore it (a knob)."""
    check_state(vm, "poweredOn", "poweredOff")
    vm.host.reach()
    _check_tools(vm)
    vm.sim.post_event(
        vim.event.VmGuestShutdownEvent, vm, message=f"Guest OS shut down for {vm.name}", call=call, host=vm.host
    )
    if vm.settings.shutdown_guest_result == "normal":
        vm.timers.append(vm.sim.clock.call_later(vm.settings.shutdown_seconds, lambda: _guest_down(vm)))


def _guest_down(vm: VmState) -> None:
    if vm.is_on and vm.host.connection == "connected":
        switch_off(vm, None)


def reboot_guest(vm: VmState, call: Call | None) -> None:
    """RebootGuest: asks and returns."""
    check_state(vm, "poweredOn")
    vm.host.reach()
    _check_tools(vm)
    guest_restarts(vm)


def guest_restarts(vm: VmState) -> None:
    """The guest restarts, asked or by itself."""
    guest_down(vm)
    vm.guest_os.reboots = True
    vm.timers.append(vm.sim.clock.call_later(vm.settings.guest_boot_seconds, lambda: guest_up(vm)))


def destroy(vm: VmState, call: Call | None) -> Task:
    """Destroy_Task: powered off only."""

    def body(task: Task) -> Any:
        check_state(vm, "poweredOff")
        cluster_groups.forget(vm)
        vm.sim.remove(vm)

    return start(vm, call, "destroy", body, 1.0)
