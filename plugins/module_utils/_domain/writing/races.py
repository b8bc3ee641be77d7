# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs attached one device to two VMs: which VM keeps it. PRIVATE to the collection.

vCenter accepts a fixed device in any number of VMs, but only one of them can be started. Each run checks for this after its write. Both use
the same rule, so exactly one of them reverts its write.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..observed.vms import FixedBacking, Vm


def find_other_holders(addresses: Collection[str], vm: Vm, neighbors: Iterable[Vm]) -> tuple[Vm, ...]:
    """Other VMs of the same host that have a fixed device with one of these addresses, sorted by managed object id."""
    found = (other for other in neighbors if other.moid != vm.moid and other.host_moid == vm.host_moid)
    holders = (other for other in found if _fixed_addresses(other) & set(addresses))
    return tuple(sorted(holders, key=lambda other: _rank(other.moid)))


def _fixed_addresses(vm: Vm) -> set[str]:
    return {
        address
        for device in vm.devices
        if isinstance(device.backing, FixedBacking)
        for address in device.backing.possible
    }


def keeps_device(vm: Vm, rivals: Collection[Vm]) -> bool:
    """True when this VM keeps the device: the VM that runs keeps it, else the VM with the lowest managed object id."""
    if vm.is_powered_on or any(rival.is_powered_on for rival in rivals):
        return vm.is_powered_on
    return all(_rank(vm.moid) < _rank(rival.moid) for rival in rivals)


def _rank(moid: str) -> tuple[int, str]:
    """The sort key that puts ``vm-9`` before ``vm-10``. Both runs must use the same order."""
    return (len(moid), moid)
