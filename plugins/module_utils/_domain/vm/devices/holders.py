# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host devices are in use, and by which VMs. PRIVATE to the collection.

A fixed backing holds its device even while the VM is off, because the VM can be powered on at any time. A dynamic backing holds a device
only while the VM runs. The server also offers devices that other VMs hold, so "offered" does not mean free.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ...observed.hosts import Host, HostDevice
from ...observed.vms import AllowedDevice, DynamicBacking, FixedBacking, SriovBacking, Vm
from ..observed_vms import ObservedVms
from ..pairing import pair_up


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceHolder:
    """A VM that holds a device, or may hold it."""

    vm: str
    moid: str
    powered_on: bool
    fixed: bool
    planned: bool = False
    """True when this plan gives the device to the VM."""
    leaving: bool = False
    """True when the VM gives up the device in this plan."""
    doubt: str = ""
    """Why it is uncertain that the VM holds this device, as a clause; empty when it is certain."""

    def sentence(self) -> str:
        if self.planned:
            return f"given to {self.vm} in this run"
        if self.doubt:
            return f"perhaps held by {self.vm} ({self.doubt})"
        return f"held by {self.vm} ({'running' if self.powered_on else 'powered off'})"


@dataclass(frozen=True, kw_only=True, slots=True)
class DynamicItem:
    """A dynamic device of a VM: any one device of these models, with this label (None: any)."""

    allowed: tuple[AllowedDevice, ...]
    label: str | None

    def accepts(self, device: HostDevice) -> bool:
        if self.label is not None and device.label != self.label:
            return False
        return any(_is_model(device, model) for model in self.allowed)

    @property
    def text(self) -> str:
        models = "/".join(f"{model.vendor_id}:{model.device_id}" for model in self.allowed)
        return models + (f" labeled {self.label}" if self.label else "")


@dataclass(kw_only=True, slots=True)
class DeviceHolders:
    """All holders, by host id and address. The planner adds the devices that it gives to VMs, so that later VMs see them."""

    table: dict[str, dict[str, list[DeviceHolder]]] = field(default_factory=dict)
    unplaced: dict[str, list[tuple[str, DynamicItem]]] = field(default_factory=dict)
    """Host id → (VM id, item) of dynamic devices that are, or will be, in use there on a device whose address is unknown."""

    def add(self, host_moid: str, address: str, holder: DeviceHolder) -> None:
        self.table.setdefault(host_moid, {}).setdefault(address, []).append(holder)

    def place(self, host_moid: str, vm: Vm, items: Sequence[DynamicItem]) -> None:
        self.unplaced.setdefault(host_moid, []).extend((vm.moid, item) for item in items)

    def others(self, host_moid: str, address: str, vm: Vm) -> tuple[DeviceHolder, ...]:
        """Holders other than this VM."""
        return tuple(holder for holder in self.table.get(host_moid, {}).get(address, ()) if holder.moid != vm.moid)

    def is_open(self, host: Host, device: HostDevice, vm: Vm, *, running_count: bool) -> bool:
        """True when the holders allow that a dynamic device of this VM uses the device.

        The VM's own fixed devices, including those of this plan, are not available. ``running_count``: devices that running VMs hold as
        dynamic devices are not available either.
        """
        return not any(
            (holder.fixed and not (holder.leaving and holder.moid == vm.moid))
            or (running_count and holder.moid != vm.moid)
            for holder in self.table.get(host.moid, {}).get(device.address, ())
        )

    def is_unbound(self, host: Host, device: HostDevice) -> bool:
        """True when no VM has the device as a fixed device after this plan is applied."""
        return not any(
            holder.fixed and not holder.leaving for holder in self.table.get(host.moid, {}).get(device.address, ())
        )

    def release(self, host_moid: str, address: str, vm: Vm) -> None:
        """Record that the VM gives up the device in this plan. For other VMs it stays in use until that is done."""
        holders = self.table.get(host_moid, {}).get(address, [])
        holders[:] = [replace(holder, leaving=True) if holder.moid == vm.moid else holder for holder in holders]

    def others_unplaced(self, host_moid: str, vm: Vm) -> tuple[DynamicItem, ...]:
        return tuple(item for moid, item in self.unplaced.get(host_moid, ()) if moid != vm.moid)


def _is_model(device: HostDevice, model: AllowedDevice) -> bool:
    return (
        device.vendor_id == model.vendor_id
        and device.device_id == model.device_id
        and model.subvendor_id in (None, device.subvendor_id)
        and model.subdevice_id in (None, device.subdevice_id)
    )


def item_of(backing: DynamicBacking) -> DynamicItem:
    return DynamicItem(allowed=tuple(sorted(backing.allowed, key=_model_key)), label=backing.custom_label or None)


def _model_key(model: AllowedDevice) -> tuple[str, ...]:
    return (model.vendor_id, model.device_id, model.subvendor_id or "", model.subdevice_id or "")


def read_holders(observed: ObservedVms) -> DeviceHolders:
    """The holders in the observed state: from the VMs, and from the users of a host when the VM does not report the device."""
    holders = DeviceHolders()
    for vm in observed.everyone():
        if vm.host_moid is None:
            continue
        for address, fixed, doubt in _addresses(vm):
            holder = DeviceHolder(vm=vm.name, moid=vm.moid, powered_on=vm.is_powered_on, fixed=fixed, doubt=doubt)
            holders.add(vm.host_moid, address, holder)
        if vm.may_run:
            holders.place(vm.host_moid, vm, tuple(_unassigned(vm)))
    for host in observed.hosts:
        for address, users in sorted(host.users.items()):
            for user in sorted(users, key=lambda user: (user.vm, user.moid)):
                known = {holder.moid for holder in holders.table.get(host.moid, {}).get(address, ())}
                if user.moid not in known and (user.fixed or user.powered_on):
                    holder = DeviceHolder(vm=user.vm, moid=user.moid, powered_on=user.powered_on, fixed=user.fixed)
                    holders.add(host.moid, address, holder)
    return holders


def _addresses(vm: Vm) -> Iterator[tuple[str, bool, str]]:
    """Addresses that the VM holds, whether the backing is fixed, and why it is uncertain."""
    for device in vm.devices:
        match device.backing:
            case FixedBacking() as backing:
                for address in backing.possible:
                    yield address, True, two_readings(backing)
            case DynamicBacking(assigned_address=str() as address) if vm.may_run:
                yield address, False, ""
            case SriovBacking(virtual_function=str() as address):
                yield address, True, ""


def two_readings(backing: FixedBacking) -> str:
    """Why it is uncertain which device a fixed backing means, as a clause; empty when it is certain."""
    if len(backing.readings) < 2:
        return ""
    return f"its PCI address {backing.text} can mean {' or '.join(backing.readings)}"


def _unassigned(vm: Vm) -> Iterator[DynamicItem]:
    for device in vm.devices:
        if isinstance(device.backing, DynamicBacking) and device.backing.assigned_address is None:
            yield item_of(device.backing)


def free_devices(host: Host, holders: DeviceHolders, vm: Vm, *, running_count: bool) -> tuple[HostDevice, ...]:
    """Active devices of a host that are free for a VM. ``running_count``: dynamic devices of running VMs are not free."""
    return tuple(
        device
        for device in sorted(host.candidates(active=True), key=lambda device: device.address)
        if holders.is_open(host, device, vm, running_count=running_count)
    )


def satisfiable(items: Sequence[DynamicItem], devices: Sequence[HostDevice]) -> int:
    """The number of items that can have a device at the same time, each a different one."""
    edges = {
        left: [right for right, device in enumerate(devices) if item.accepts(device)] for left, item in enumerate(items)
    }
    return len(pair_up(items, devices, edges))
