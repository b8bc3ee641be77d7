# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs that gave one card to two VMs: which of them keeps it. PRIVATE to the collection.

vCenter accepts a fixed device in any number of VMs; only one of them can be started. Both runs see it right after their write, and the same
rule makes one of them take its write back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..observed.vms import FixedBacking, Vm


def others_with(addresses: Collection[str], vm: Vm, neighbors: Iterable[Vm]) -> tuple[Vm, ...]:
    """Other VMs of the same host that hold one of these addresses as a fixed device, sorted by id."""
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


def keeps(vm: Vm, rivals: Collection[Vm]) -> bool:
    """Whether this VM keeps the card: the one that runs does, otherwise the one with the lower id."""
    if vm.is_powered_on or any(rival.is_powered_on for rival in rivals):
        return vm.is_powered_on
    return all(_rank(vm.moid) < _rank(rival.moid) for rival in rivals)


def _rank(moid: str) -> tuple[int, str]:
    """``vm-9`` comes before ``vm-10``, on both sides alike."""
    return (len(moid), moid)
