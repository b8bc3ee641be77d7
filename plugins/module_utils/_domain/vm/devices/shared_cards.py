# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two VMs of one host with the same fixed device: mostly a VM and its clone. PRIVATE to the collection.

A clone copies the fixed backings of its source, and vSphere accepts it; then only one of the two VMs can run. Which of them is the clone
follows from ``config.createDate`` (vSphere 6.7); VMs that were made before have none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ...observed.vms import FixedBacking, Vm, VmDevice
from ...plain import Record
from ...timestamps import on_day

_HOW = "vm_pci_device with its moid, devices: [] and state: exactly"


@dataclass(frozen=True, kw_only=True, slots=True)
class SharedCard:
    """A device that ``vm`` and ``other`` both have as a fixed device. ``clone``: the one that was created later; None when unknown."""

    address: str
    vm: Vm
    other: Vm
    clone: Vm | None

    def sentence(self) -> str:
        who = f"{self.vm.name} and {self.other.name} have the same fixed device, {self.address} of {self.vm.host_name or 'their host'}"
        return f"{who}, so only one of them can run. {self._guess()}"

    def _guess(self) -> str:
        if self.clone is None:
            return "One of them is probably a clone of the other"
        source = self.other if self.clone is self.vm else self.vm
        dates = [on_day(vm.created) for vm in (self.clone, source) if vm.created is not None]
        return f"{self.clone.name} is probably a clone of {source.name}: it was created on {dates[0]}, {source.name} on {dates[1]}"

    def cure(self) -> str:
        """What a person does. Without a known clone nothing points to one of the two: a wrong one would lose the card that it needs."""
        if self.clone is not None:
            return f"Detach the device from the clone, {_named(self.clone)}: {_HOW}"
        return f"Decide which of {_named(self.vm)} and {_named(self.other)} keeps the device, and detach it from the other: {_HOW}"

    def to_look_at(self) -> tuple[str, ...]:
        """Ids of the VMs that a person looks at first: the clone, or both VMs if it is unknown."""
        return (self.vm.moid, self.other.moid) if self.clone is None else (self.clone.moid,)

    def record(self) -> Record:
        return {
            "address": self.address,
            "vm": self.other.name,
            "moid": self.other.moid,
            "probable_clone": None if self.clone is None else self.clone.name,
        }


def cards_by_place(vms: Iterable[Vm]) -> Mapping[tuple[str, str], tuple[Vm, ...]]:
    """(host id, address) → VMs that have the device as a fixed device, for devices that more than one VM has; sorted by name."""
    found: dict[tuple[str, str], dict[str, Vm]] = {}
    for vm in sorted(vms, key=lambda vm: (vm.name, vm.moid)):
        for address in fixed_addresses(vm.devices):
            if vm.host_moid is not None:
                found.setdefault((vm.host_moid, address), {})[vm.moid] = vm
    return {place: tuple(each.values()) for place, each in found.items() if len(each) > 1}


def fixed_addresses(devices: Iterable[VmDevice]) -> Iterator[str]:
    """Addresses of fixed devices whose address is certain."""
    for device in devices:
        if isinstance(device.backing, FixedBacking) and device.backing.address is not None:
            yield device.backing.address


def shared_cards(
    vm: Vm,
    addresses: Iterable[str],
    places: Mapping[tuple[str, str], tuple[Vm, ...]],
    leaving: Collection[tuple[str, str]] = (),
) -> tuple[SharedCard, ...]:
    """The devices at these addresses that other VMs have, too. ``leaving``: (VM id, address) of devices that VMs give up."""
    return tuple(
        SharedCard(address=address, vm=vm, other=other, clone=_clone(vm, other))
        for address in sorted(set(addresses))
        for other in places.get((vm.host_moid or "", address), ())
        if other.moid != vm.moid and (other.moid, address) not in leaving
    )


def _clone(vm: Vm, other: Vm) -> Vm | None:
    if vm.created is None or other.created is None or vm.created == other.created:
        return None
    return vm if vm.created > other.created else other


def _named(vm: Vm) -> str:
    return f"{vm.name} ({vm.moid})"
