# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which VMs use the devices of hosts, from the devices of the VMs. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .hosts import DeviceUser, FunctionUser
from .vms import DynamicBacking, FixedBacking, SriovBacking, Vm, VmDevice, held_addresses

AUTOMATIC = "0000:00:00.0"
"""The physical function of an adapter whose physical function vSphere chooses at power-on (``Automatic-0000:00:00.0``)."""


def users_by_host(vms: Iterable[Vm]) -> Mapping[str, Mapping[str, tuple[DeviceUser, ...]]]:
    """Host id → address → VMs on this host that use the device, or may use it; sorted by name, then by managed object id."""
    users: dict[str, dict[str, list[DeviceUser]]] = {}
    for vm in sorted(vms, key=lambda vm: (vm.name, vm.moid)):
        if vm.host_moid is None:
            continue
        on_host = users.setdefault(vm.host_moid, {})
        for device in vm.devices:
            is_fixed = isinstance(device.backing, FixedBacking)
            user = DeviceUser(vm=vm.name, moid=vm.moid, powered_on=vm.is_powered_on, fixed=is_fixed)
            for address in held_addresses(device.backing):
                on_host.setdefault(address, []).append(user)
    return {
        moid: {address: tuple(found) for address, found in sorted(on_host.items())} for moid, on_host in users.items()
    }


def function_users_by_host(vms: Iterable[Vm]) -> Mapping[str, tuple[FunctionUser, ...]]:
    """Host id → one entry for each SR-IOV network adapter of the VMs on this host, by VM name, then by managed object id."""
    found: dict[str, list[FunctionUser]] = {}
    for vm in sorted(vms, key=lambda vm: (vm.name, vm.moid)):
        if vm.host_moid is not None:
            found.setdefault(vm.host_moid, []).extend(adapters_of(vm.name, vm.moid, vm.is_powered_on, vm.devices))
    return {moid: tuple(users) for moid, users in found.items()}


def adapters_of(name: str, moid: str, powered_on: bool, devices: Iterable[VmDevice]) -> list[FunctionUser]:
    """The SR-IOV network adapters among the devices of a VM."""
    backings = [device.backing for device in devices if isinstance(device.backing, SriovBacking)]
    return [
        FunctionUser(
            vm=name,
            moid=moid,
            powered_on=powered_on,
            physical_function=None if backing.physical_function == AUTOMATIC else backing.physical_function,
            virtual_function=backing.virtual_function,
        )
        for backing in backings
    ]


def unplaced_by_host(
    vms: Iterable[Vm],
) -> Mapping[str, tuple[tuple[str, tuple[tuple[str, str], ...], str | None], ...]]:
    """Host id → dynamic devices of running VMs that name no address (``Host.unplaced``)."""
    found: dict[str, list[tuple[str, tuple[tuple[str, str], ...], str | None]]] = {}
    for vm in sorted(vms, key=lambda vm: (vm.name, vm.moid)):
        for device in vm.devices:
            backing = device.backing
            waits = isinstance(backing, DynamicBacking) and backing.assigned_address is None
            if isinstance(backing, DynamicBacking) and waits and vm.is_powered_on and vm.host_moid is not None:
                models = tuple((model.vendor_id, model.device_id) for model in backing.allowed)
                found.setdefault(vm.host_moid, []).append((vm.moid, models, backing.custom_label))
    return {moid: tuple(waiting) for moid, waiting in found.items()}
