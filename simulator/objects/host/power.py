# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host goes away and comes back: reboot, shutdown, power loss, disconnect, and what a boot does to its devices."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from ...core.tasks import PENDING, Task
from ...rules import reboot
from ...rules.pci import buses, graphics, passthrough
from ...rules.pci.passthrough import Passthrough
from ...services.alarms import CONNECTION
from ..pci import Layout, delivered
from . import config as host_config
from . import maintenance as host_maintenance
from . import network as host_network
from . import storage as host_storage
from . import virtual_functions
from .state import HostState

if TYPE_CHECKING:
    from ...core.call import Call


def restart(host: HostState, call: Call, *, force: bool, returns: bool) -> Task:
    """RebootHost_Task (`returns`) and ShutdownHost_Task."""
    host.reach()

    def body(task: Task) -> Any:
        reboot.check(host.in_maintenance and not host.journey, force and not host.journey)
        plan = reboot.journey(
            host.sim.clock.seconds(),
            host.next_boot() if returns else host.settings,
            returns=returns,
            direct=host.direct,
            quick=host.spec.quick_boot,
        )
        what = "reboot" if returns else "shut down"
        host.sim.post_event(
            vim.event.HostShutdownEvent,
            host,
            message=f"Host {host.name} is about to {what}",
            call=call,
            reason=what,
        )
        _schedule(host, plan)
        _schedule_end(host, task, plan)
        return PENDING

    name = "HostSystem.reboot" if returns else "HostSystem.shutdown"
    return host.sim.start_task(call, host, name, body, duration=0.0)


def _schedule(host: HostState, plan: reboot.Journey) -> None:
    clock = host.sim.clock
    now = clock.seconds()

    def leave() -> None:
        go_down(host)
        if plan.power_off:
            switch(host, on=False)
        if plan.back is None:
            host.journey = []

    host.journey = [clock.call_later(plan.down - now, leave)]
    if plan.back is not None:
        host.journey.append(clock.call_later(plan.back - now, lambda: come_back(host, plan)))


def _schedule_end(host: HostState, task: Task, plan: reboot.Journey) -> None:
    if plan.task_ends is None:
        if plan.back is not None:
            host.sim.clock.call_later(plan.back - host.sim.clock.seconds(), lambda: task.fail(_cut()))
        return
    delay = plan.task_ends - host.sim.clock.seconds()
    if plan.task_fails:
        host.sim.clock.call_later(delay, lambda: task.fail(vmodl.fault.HostCommunication()))
    else:
        host.sim.clock.call_later(delay, task.succeed)


def _cut() -> vmodl.fault.HostCommunication:
    """What a task of the time before a boot ends with on the host itself; it never reports success."""
    return vmodl.fault.HostCommunication()


def go_down(host: HostState) -> None:
    """The host stops answering. What ran on it is off, which is seen when it is back; the API freezes."""
    if not host.running:
        return
    host.running = False
    host_maintenance.abandon(host)
    host.crashed = [vm for vm in host.vms if vm.is_on]
    lose_contact(host)
    if host.direct:
        host.sim.go_offline()


def lose_contact(host: HostState) -> None:
    """vCenter no longer hears the host; properties stay as they were."""
    if host.direct or host.connection != "connected":
        return
    host.update({"runtime.connectionState": "notResponding", "runtime.powerState": "unknown"})
    alarm(host)
    for vm in host.vms:
        vm.set("runtime.connectionState", "disconnected")
    host.sim.post_event(vim.event.HostConnectionLostEvent, host, message=f"Host {host.name} is not responding")


def alarm(host: HostState) -> None:
    """Set the default alarm of every vCenter: red while the host does not respond and is not in standby."""
    if host.settings.connection_alarm:
        red = host.connection == "notResponding" and not host.standby
        host.sim.trigger_alarm(host, CONNECTION, "red" if red else "green")


def cut_off(host: HostState) -> None:
    """The host runs on, but its last management uplink is gone."""
    if host.direct:
        host.sim.go_offline()
    lose_contact(host)


def come_back(host: HostState, plan: reboot.Journey) -> None:
    """The boot is over; whether vCenter hears of it depends on what the boot did to the network."""
    host.running = True
    host.journey = []
    host.back_at = host.sim.clock.seconds()
    host.quick_boots += plan.quick
    for change in host.at_boot:
        change()
    host.at_boot.clear()
    if plan.boots:
        shown = host.boot_time
        boot(host)
        if not plan.boot_time_moves:
            host.boot_time = shown
    if not host_network.management_up(host.spec, host.taken, host.links_down):
        return
    if host.direct:
        host.sim.go_online()
    regain_contact(host, reboot.connection_after_boot(plan))


def regain_contact(host: HostState, connection: str = "connected") -> None:
    """Heartbeats arrive again: the API shows the truth, and the VMs that died are seen to be off."""
    if host.direct:
        connection = "connected"
    state = reboot.seen_power_state(connection, host.running)
    host.update({"runtime.connectionState": connection, "runtime.powerState": state, "runtime.standbyMode": "none"})
    alarm(host)
    if connection != "connected":
        host.sim.post_event(vim.event.HostDisconnectedEvent, host, message=f"Disconnected from {host.name}")
        return
    if not host.spec.known:
        host.learn()
    host.set("runtime.bootTime", host.boot_time)
    for vm in host.vms:
        vm.set("runtime.connectionState", "connected")
    for vm in host.crashed:
        vm.found_off()
    host.crashed = []
    show_devices(host)
    host.publish()
    host.sim.post_event(vim.event.HostConnectedEvent, host, message=f"Connected to {host.name}")


def boot(host: HostState) -> None:
    """What a boot does: new boot time, new addresses if cards moved, active follows the stored settings."""
    clock = host.sim.clock
    host.boot_time = host.local_time()
    host.booted_at = clock.seconds()
    if (host.next_release, host.next_build) != (host.spec.release, host.spec.build):
        host.spec = dataclasses.replace(host.spec, release=host.next_release, build=host.next_build)
    stored = host.pci if has_boot_bank(host) else host.saved
    layout = _renumbered(host)
    if layout is not host.spec.layout:
        moved = _addresses(host.spec.layout, layout)
        host.spec = buses.moved_host(host.spec, layout, moved)
        host.graphics = graphics.moved(host.graphics, moved)
    host.pci = {address: _booted(host, address, stored) for address in layout.functions}
    virtual_functions.refit(host)
    if has_boot_bank(host):
        host.saved = dict(host.pci)
    host.taken = frozenset(address for address, state in host.pci.items() if state.active and not state.physical)
    host.graphics_happened("reboot")


def has_boot_bank(host: HostState) -> bool:
    """Whether settings reach the boot disk. A host whose boot controller is in passthrough runs from memory."""
    adapter = host_storage.boot_adapter(host.spec)
    return adapter is None or adapter.address not in host.taken


def _booted(host: HostState, address: str, stored: Mapping[str, Passthrough]) -> Passthrough:
    """Settings belong to the address, so they may hit another device than the one they were made for."""
    fresh = delivered(host.spec.layout.functions[address])
    old = stored.get(address)
    if old is not None:
        sriov = old.sriov if fresh.sriov else None
        fresh = dataclasses.replace(
            fresh, enabled=old.enabled, label=old.label, sriov=sriov or fresh.sriov, mode=old.mode
        )
    return passthrough.at_boot(fresh, host.settings, virtual_functions.functions_of(host, address))


def _renumbered(host: HostState) -> Layout:
    layout = host.spec.layout
    real = virtual_functions.hardware(layout.functions.values())
    if len(real) < len(layout.functions):
        layout = Layout(real)  # virtual functions are created again when their cards have their addresses
    if host.settings.bus_renumber != "none":
        layout = Layout(buses.shifted(layout.functions.values(), buses.FIRST_SLOT_BUS, 1))
        if host.settings.bus_renumber == "next_boot":
            host.knobs["bus_renumber"] = "none"
    if host.next_functions is not None:
        layout, host.next_functions = Layout(host.next_functions), None
    return layout


def _addresses(old: Layout, new: Layout) -> dict[str, str]:
    """Old address -> new address of the cards that are still there, matched by card and function number."""
    places = {(item.card, item.address[-1]): item.address for item in new.functions.values() if item.card}
    return {
        item.address: places[item.card, item.address[-1]]
        for item in old.functions.values()
        if item.card and (item.card, item.address[-1]) in places
    }


def show_devices(host: HostState) -> None:
    """Rebuild what depends on the devices and on the release: PCI list, network, storage, volumes, graphics ..."""
    host.relearn()
    show_hardware(host)
    host.update(
        {
            "config.network": host.network_info(),
            "config.storageDevice": host.storage(),
            "config.fileSystemVolume": host.volumes(),
            "config.activeDiagnosticPartition": host_storage.diagnostic_partition(host.spec, host.taken),
            "config.vsanHostConfig": host_storage.vsan_config(host.spec, host.taken, host.ref),
        }
    )
    host.show_graphics()
    host.show_datastores()


def show_hardware(host: HostState) -> None:
    """The PCI list as it is now."""
    host.set("hardware", host_config.hardware(host.spec, signed_bus=host.settings.negative_bus_bytes))


def power_loss(host: HostState) -> None:
    """Hard power-off: no shutdown, and the host does not come back by itself."""
    crash(host)
    switch(host, on=False)


def crash(host: HostState) -> None:
    """The host stops where it is, whatever it was doing; its power is not touched."""
    for timer in host.journey:
        timer.cancel()
    host.journey = []
    go_down(host)


def switch(host: HostState, *, on: bool) -> None:
    """Power comes or goes; what the host makes of it is not decided here. A start from no power is a cold one."""
    if host.powered != on:
        host.powered, host.power_changed = on, host.sim.clock.seconds()
        host.cold_boots += on


def soft_off(host: HostState) -> None:
    """The power button of a running host is pressed: ESXi shuts down, in maintenance mode or not."""
    if host.running and not host.journey:
        _schedule(host, reboot.journey(host.sim.clock.seconds(), host.settings, returns=False, direct=host.direct))


def power_up(host: HostState) -> None:
    """The power button of a host that is off is pressed, or a host that hangs is reset; it needs its boot time."""
    if not host.running and not host.journey:
        switch(host, on=True)
        now = host.sim.clock.seconds()
        plan = reboot.journey(
            now, dataclasses.replace(host.next_boot(), down_after_seconds=0.0), returns=True, direct=host.direct
        )
        _schedule(host, plan)


def disconnect(host: HostState, call: Call | None) -> Task:
    """DisconnectHost_Task."""

    def body(task: Task) -> None:
        host.update({"runtime.connectionState": "disconnected", "runtime.powerState": "unknown"})
        for vm in host.vms:
            vm.set("runtime.connectionState", "disconnected")
        host.sim.post_event(vim.event.HostDisconnectedEvent, host, message=f"Disconnected from {host.name}", call=call)

    return host.sim.start_task(call, host, "HostSystem.disconnect", body, duration=1.0)


def reconnect(host: HostState, call: Call | None) -> Task:
    """ReconnectHost_Task: works when the host answers, fails with HostConnectFault while it is down."""

    def body(task: Task) -> None:
        if not host.running or not host_network.management_up(host.spec, host.taken, host.links_down):
            raise vim.fault.HostConnectFault(msg=f"Cannot contact the specified host ({host.name}).")
        if host.connection != "connected":
            regain_contact(host)

    return host.sim.start_task(call, host, "HostSystem.reconnect", body, duration=host.settings.reconnect_seconds)
