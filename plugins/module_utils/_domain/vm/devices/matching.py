# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Matching the devices that a VM has to the desired devices. PRIVATE to the collection.

Devices are matched by their backing (a host device at an address, or models), never by key or order, because keys are reused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ...host.selector import DesiredDevice
from ...observed.hosts import Host, HostDevice, virtual_functions
from ...observed.vms import AllowedDevice, DynamicBacking, FixedBacking, Vm, VmDevice
from ...pci import NO_NUMA_NODE
from ..desired.vm import BackingKind, DesiredVm, needs_fixed
from ..limits import MINIMUM_HARDWARE
from ..numa import is_on_node
from ..observed_vms import ObservedVms
from ..pairing import pair_up
from .holders import two_readings


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A passthrough device of a VM that this collection can write (fixed or dynamic)."""

    device: VmDevice
    kind: BackingKind
    stands_for: tuple[HostDevice, ...]
    """The host device (fixed), or a device of each allowed model (dynamic), in the form that selectors match."""
    hardware: HostDevice | None = None
    """The device on the VM's host that a fixed backing refers to; None when there is none."""
    is_virtual_function: bool = False
    """True when ``hardware`` is a virtual function of an SR-IOV card."""
    problem: str = ""
    """Why a fixed backing cannot work on the VM's current host, as a clause; empty when it can."""

    @property
    def key(self) -> int:
        return self.device.key

    @property
    def ids(self) -> str:
        return self.stands_for[0].ids if self.stands_for else ""

    @property
    def name(self) -> str:
        return self.stands_for[0].name if self.stands_for else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """One device to attach. ``replaces``: the current device that it replaces, because its backing is wrong."""

    entry: DesiredDevice
    kind: BackingKind
    replaces: Held | None = None

    @property
    def numa_node(self) -> int | None:
        """The NUMA node of the new device. A device that is replaced keeps its own if the entry names none."""
        if self.entry.numa_node is not None:
            return None if self.entry.numa_node == NO_NUMA_NODE else self.entry.numa_node
        return self.replaces.device.numa_node if self.replaces is not None else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Matching:
    """``kept``: devices that meet an entry. ``needs``: devices to attach. ``surplus``: devices without an entry."""

    kept: tuple[tuple[DesiredDevice, Held], ...]
    needs: tuple[Need, ...]
    surplus: tuple[Held, ...]


def survey(
    observed: ObservedVms, vm: Vm, models: Mapping[str, HostDevice]
) -> tuple[tuple[Held, ...], tuple[VmDevice, ...]]:
    """The VM's devices that the collection can change, sorted by key, and its other devices (vGPU, DVX, SR-IOV, unknown)."""
    host = observed.host_of(vm)
    held, others = [], []
    for device in sorted(vm.devices, key=lambda device: device.key):
        backing = device.backing
        if isinstance(backing, FixedBacking):
            held.append(_fixed(device, backing, host, observed.system_ids.get(vm.host_moid or ""), models))
        elif isinstance(backing, DynamicBacking):
            stands_for = tuple(_as_device(model, backing.custom_label, models) for model in backing.allowed)
            held.append(Held(device=device, kind="dynamic", stands_for=stands_for))
        else:
            others.append(device)
    return tuple(held), tuple(others)


def _fixed(
    device: VmDevice,
    backing: FixedBacking,
    host: Host | None,
    system_id: str | None,
    models: Mapping[str, HostDevice],
) -> Held:
    hardware = host.device(backing.address) if host is not None and backing.address else None
    problem = _problem(backing, host, hardware, system_id)
    if hardware is not None and not _ids_differ(backing, hardware):
        virtual = host is not None and hardware.address in virtual_functions(host.devices)
        return Held(
            device=device,
            kind="fixed",
            stands_for=(hardware,),
            hardware=hardware,
            is_virtual_function=virtual,
            problem=problem,
        )
    vendor_id, device_id = backing.vendor_id or "", backing.device_id or ""
    model = models.get(f"{vendor_id}:{device_id}")
    blank = HostDevice(address="", vendor_id=vendor_id, device_id=device_id)
    stand_in = replace(model or blank, address=backing.address or "", slot=None, label=None)
    return Held(device=device, kind="fixed", stands_for=(stand_in,), problem=problem)


def _ids_differ(backing: FixedBacking, hardware: HostDevice) -> bool:
    return backing.vendor_id not in (None, hardware.vendor_id) or backing.device_id not in (None, hardware.device_id)


def _problem(backing: FixedBacking, host: Host | None, hardware: HostDevice | None, system_id: str | None) -> str:
    """Why the VM cannot power on with this backing, as a clause; empty when no reason is known.

    The server does not check a fixed backing in a reconfiguration; power-on then fails ("The systemId does not match ...").
    """
    if backing.address is None:
        return two_readings(backing) or "its backing has no address"
    if host is None or not host.is_reachable:
        return ""
    ids = f"{backing.vendor_id}:{backing.device_id}"
    if hardware is None:
        return f"{host.name} has no device {backing.address}"
    if _ids_differ(backing, hardware):
        return f"{backing.address} on {host.name} is {hardware.ids} {hardware.name}".rstrip() + f", not {ids}"
    if system_id and backing.system_id and backing.system_id.lower() != system_id.lower():
        return f"it was attached on another host than {host.name} (system id {backing.system_id}, not {system_id})"
    return ""


def _as_device(model: AllowedDevice, label: str | None, models: Mapping[str, HostDevice]) -> HostDevice:
    """An allowed model in the form that selectors match: without a place, and with subsystem ids only when the backing has them."""
    known = models.get(f"{model.vendor_id}:{model.device_id}")
    blank = HostDevice(address="", vendor_id=model.vendor_id, device_id=model.device_id)
    return replace(
        known or blank,
        address="",
        slot=None,
        subvendor_id=model.subvendor_id or "",
        subdevice_id=model.subdevice_id or "",
        label=label or None,
    )


def is_meant(entry: DesiredDevice, device: HostDevice) -> bool:
    """True when an entry matches this device, including the label."""
    return entry.selector.matches(device) and (not entry.label or device.label == entry.label)


def kind_for(observed: ObservedVms, vm: Vm, desired: DesiredVm, entry: DesiredDevice) -> BackingKind:
    """The backing of a new device. ``auto``: dynamic when the VM and its hosts support it, so that the VM is not tied to a host."""
    if desired.backing == "fixed" or needs_fixed(entry):
        return "fixed"
    if desired.backing == "dynamic":
        return "dynamic"
    supported = any(host.capabilities.assignable_hardware for host in observed.candidates(vm))
    return "dynamic" if supported and vm.hardware_version >= MINIMUM_HARDWARE["dynamic"] else "fixed"


def accepts(desired: DesiredVm, entry: DesiredDevice, held: Held) -> bool:
    """True when a current device meets an entry without a change."""
    if entry.virtual_function and not held.is_virtual_function:
        return False
    if held.problem or not held.stands_for or not all(is_meant(entry, device) for device in held.stands_for):
        return False
    if needs_fixed(entry):
        return held.kind == "fixed"
    return desired.backing in ("auto", held.kind)


def could_become(entry: DesiredDevice, held: Held) -> bool:
    """True when a device has the desired model, so that a new backing makes it meet the entry."""
    fits = held.is_virtual_function or not entry.virtual_function
    return fits and bool(held.stands_for) and all(is_meant(entry, device) for device in held.stands_for)


def in_order(entries: Sequence[DesiredDevice]) -> list[DesiredDevice]:
    """Narrow entries first. The order does not depend on the order of the list."""
    return sorted(
        entries,
        key=lambda entry: (
            entry.selector.address is None,
            entry.count == "all",
            -len(entry.selector.given),
            entry.selector.text,
            entry.label or "",
            (entry.numa_node is None, entry.numa_node or 0),
        ),
    )


def match_devices(
    observed: ObservedVms, vm: Vm, desired: DesiredVm, held: Sequence[Held], amounts: Mapping[DesiredDevice, int]
) -> Matching:
    """Match current devices to the entries. ``amounts``: number of devices of each entry. Current devices come first, those on the desired
    NUMA node before others, which are edited in place."""
    slots = [entry for entry in in_order(desired.devices) for _unused in range(amounts[entry])]
    in_sync = _edges(
        slots, held, lambda entry, one: accepts(desired, entry, one) and is_on_node(entry.numa_node, one.device)
    )
    accepted = _edges(slots, held, lambda entry, one: accepts(desired, entry, one))
    best_first = {
        left: sorted(rights, key=lambda right: right not in in_sync[left]) for left, rights in accepted.items()
    }
    pairs = pair_up(slots, held, best_first, pair_up(slots, held, in_sync))
    used = set(pairs.values())
    open_slots = [number for number in range(len(slots)) if number not in pairs]
    spare = [number for number in range(len(held)) if number not in used]
    open_entries, others = [slots[number] for number in open_slots], [held[number] for number in spare]
    again = pair_up(open_entries, others, _edges(open_entries, others, could_become))
    needs = []
    for position, number in enumerate(open_slots):
        replaced = held[spare[again[position]]] if position in again else None
        entry = slots[number]
        needs.append(Need(entry=entry, kind=kind_for(observed, vm, desired, entry), replaces=replaced))
    used |= {spare[right] for right in again.values()}
    return Matching(
        kept=tuple((slots[left], held[right]) for left, right in sorted(pairs.items())),
        needs=tuple(needs),
        surplus=tuple(device for number, device in enumerate(held) if number not in used),
    )


def _edges(
    slots: Sequence[DesiredDevice], held: Sequence[Held], fits: Callable[[DesiredDevice, Held], bool]
) -> dict[int, list[int]]:
    return {left: [right for right, one in enumerate(held) if fits(entry, one)] for left, entry in enumerate(slots)}
