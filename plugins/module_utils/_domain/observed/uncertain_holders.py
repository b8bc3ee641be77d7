# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs that may use any device of a host, because their devices or their host are unknown. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable

from .hosts import Host, UnreadVm
from .vms import DynamicBacking, FixedBacking, Vm


def unread_vms(host: Host, vms: Iterable[Vm]) -> tuple[UnreadVm, ...]:
    """The VMs of the host whose devices are unknown, sorted by name. A VM is on a host when the VM or the host reports it.

    ``vms``: every VM that may be on the host, including VMs that report another host.
    """
    known = {vm.moid: vm for vm in vms}
    found = [UnreadVm(vm=vm.name, moid=vm.moid, why=why) for vm in known.values() if (why := _why(host, vm))]
    unseen = sorted(host.residents - known.keys())
    found += [UnreadVm(vm=moid, moid=moid, why="is not shown to this account") for moid in unseen]
    return tuple(sorted(found, key=lambda vm: (vm.vm, vm.moid)))


def _why(host: Host, vm: Vm) -> str:
    if vm.host_moid == host.moid:
        return vm.unread_devices or _impossible(host, vm)
    if vm.host_moid is not None and vm.moid not in host.residents:
        return ""
    if not vm.devices and not vm.unread_devices:
        return ""  # it has no devices, so its host does not matter
    if vm.host_moid is None:
        return "does not report its host"
    return f"is in the VM list of {host.name}, but reports another host"


def _impossible(host: Host, vm: Vm) -> str:
    """A clause when a running VM reports a device that its host does not have. A VM that is off may keep an old address: its card moved."""
    if not vm.is_powered_on or not host.devices:
        return ""
    for device in vm.devices:
        match device.backing:
            case FixedBacking(address=str() as address) | DynamicBacking(assigned_address=str() as address):
                if host.device(address) is None:
                    return f"runs with a PCI device at {address}, but its host has no device there"
    return ""
