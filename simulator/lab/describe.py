# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a lab as plain data, for the control page and for people: the truth, not what the API shows."""

from __future__ import annotations

from typing import Any

from ..api.names import shown
from ..endpoint import SimulatedEndpoint
from ..objects.host.host import HostSystem
from ..objects.vm.vm import VirtualMachine
from ..rules.pci import passthrough


def describe(sim: SimulatedEndpoint) -> dict[str, Any]:
    """Hosts with their devices, and VMs."""
    return {
        "hosts": [host_state(sim, host) for host in sim.registry.all(HostSystem)],
        "vms": [vm_state(sim, vm) for vm in sim.registry.all(VirtualMachine)],
    }


def host_state(sim: SimulatedEndpoint, host: HostSystem) -> dict[str, Any]:
    """One host; bridges and chipset are left out."""
    return {
        "name": shown(host.name),
        "cluster": shown(host.up.name) if host.up is not None else None,
        "version": host.spec.release,
        "connection": host.connection,
        "running": host.running,
        "powered": host.powered,
        "cold_boots": host.cold_boots,
        "quick_boots": host.quick_boots,
        "maintenance": host.in_maintenance,
        "entering": host.entering is not None,
        "alarms": alarms_of(sim, host),
        "boot_time": host.boot_time.isoformat(),
        "devices": [
            device_state(host, address)
            for address, item in host.spec.layout.functions.items()
            if item.role != "chipset"
        ],
    }


def alarms_of(sim: SimulatedEndpoint, host: HostSystem) -> list[str]:
    """Its alarms that are not green, by name and color."""
    alarms = sim.services.alarms
    if alarms is None:
        return []
    names = {alarm.moid: alarm.name for alarm in alarms.alarms.values()}
    return [f"{names[state.alarm._moId]}: {state.overallStatus}" for state in alarms.states(host)]


def device_state(host: HostSystem, address: str) -> dict[str, Any]:
    """One device as it is."""
    item, state = host.spec.layout.functions[address], host.pci[address]
    holder = host.holders.get(address)
    return {
        "address": address,
        "name": item.device_name,
        "id": item.identity,
        "capable": state.capable,
        "enabled": state.enabled,
        "active": state.active,
        "pending": passthrough.is_pending(state),
        "label": state.label,
        "vm": shown(host.sim.obj(holder).name) if holder else None,
    }


def vm_state(sim: SimulatedEndpoint, vm: VirtualMachine) -> dict[str, Any]:
    """One VM with the devices it has now."""
    return {
        "name": shown(vm.name),
        "host": shown(vm.host.name),
        "power": vm.power,
        "memory_mb": vm.get("config").hardware.memoryMB,
        "reserved_mb": vm.get("config").memoryAllocation.reservation,
        "locked": bool(vm.get("config").memoryReservationLockedToMax),
        "devices": list(vm.device_kinds),
        "tags": sim.tags.of(vm),
        "assigned": {str(key): address for key, address in sorted(vm.assigned.items())},
    }
