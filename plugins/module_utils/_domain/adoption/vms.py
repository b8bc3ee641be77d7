# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry of an intent for the devices that one VM has now. PRIVATE to the collection.

Options are tried on the planner: an option is part of the entry only if the planner changes nothing because of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..drift.kinds import Difference
from ..host.selector import DesiredDevice, Selector
from ..observed.hosts import Host, HostDevice
from ..observed.networks import HostNetworks, Network
from ..observed.vms import SriovBacking, UnknownBacking, Vm, VmDevice
from ..plain import Record
from ..ranges import RANGES
from ..vm.desired.mmio import DesiredMmio, is_window_size
from ..vm.desired.sriov_networks import AUTOMATIC, DesiredSriovNetwork
from ..vm.desired.units import DesiredDvx, DesiredGroup, DesiredVgpu, is_setting_name
from ..vm.desired.vm import BackingChoice, DesiredVm
from ..vm.devices.matching import Held, survey
from ..vm.devices.plan import plan_vm_devices
from ..vm.kinds.held_units import HeldUnit, held_units
from ..vm.kinds.vgpu import settings_of
from ..vm.mmio import current_size_gb, is_window_on
from ..vm.observed_vms import ObservedVms
from ..vm.placement import find_pin
from .entries import AdoptedVm, Noted, named_once

MIXED = "some of its devices are fixed and some dynamic, so the entry accepts both kinds"
ONCE = "Repair what the cause says, then adopt again or write the entry by hand"


@dataclass(frozen=True, kw_only=True, slots=True)
class VmProposal:
    """The entry of one VM, or None with ``left``: why there is none."""

    vm: AdoptedVm | None = None
    left: tuple[Difference, ...] = ()


def adopt_vm(observed: ObservedVms, vm: Vm, names: Record, models: Mapping[str, HostDevice]) -> VmProposal:
    """The entry for a VM with devices. ``observed``: at least the VM, its host and the VMs on it."""
    host = observed.host_of(vm)
    unknown = vm.unread_devices or (f"is {vm.connection_state}" if vm.connection_state != "connected" else "")
    if not unknown and host is None:
        unknown = "does not report its host" if vm.host_moid is None else "is on a host that this account cannot see"
    if unknown or vm.unreadable:
        cause = unknown or f"does not report {', '.join(vm.unreadable)}"
        return VmProposal(left=(_left(vm, "unreadable", "", f"{vm.name} {cause}"),))
    networks = observed.networks.get(vm.host_moid or "")
    held, others = survey(observed, vm, models)
    problems = [*_unsettled(vm, host, held), *_beyond_an_entry(vm, held, others)]
    if problems:
        return VmProposal(left=tuple(problems))
    devices = _cards(held)
    units = _units(vm)
    adapters = _adapters(others, networks)
    base = DesiredVm(target=vm.name, moid=vm.moid, backing=_backing(held))
    devices = _without_reset_groups(observed, base, devices, units, adapters)
    desired = _with_entries(base, devices, units, adapters)
    desired, notes = _with_options(observed, vm, desired)
    return VmProposal(
        vm=AdoptedVm(
            desired=desired,
            names=names,
            devices=(*devices, *units),
            adapters=adapters,
            host=host.name if host is not None else None,
            cluster=vm.cluster,
            notes=(*((MIXED,) if len({one.kind for one in held}) > 1 else ()), *notes),
        )
    )


def _left(vm: Vm, kind: str, subject: str, cause: str, cure: str = ONCE) -> Difference:
    return Difference(
        kind=kind,
        type="vm",
        object=vm.name,
        moid=vm.moid,
        cluster=vm.cluster,
        subject=subject,
        cause=cause,
        cure=cure,
        planned=False,
    )


def _unsettled(vm: Vm, host: Host | None, held: Sequence[Held]) -> list[Difference]:
    """Fixed devices whose card is not configured and in effect on the host: what a reboot does to them is open."""
    found = []
    for one in held:
        card = one.hardware
        if host is None or card is None or one.is_virtual_function or one.problem or card.state == "active":
            continue
        cause = f"{vm.name} has {card.describe()} of {host.name}, which is {card.state} there"
        cure = f"Decide whether {vm.name} keeps the card: enable passthrough of it on {host.name}, or detach it. Then adopt again"
        found.append(_left(vm, "pending_reboot" if card.is_pending else "device_missing", card.address, cause, cure))
    return found


def _beyond_an_entry(vm: Vm, held: Sequence[Held], others: Sequence[VmDevice]) -> list[Difference]:
    """Devices that no entry of an intent can describe."""
    found = []
    for one in held:
        if one.kind == "dynamic" and _common(one) is None:
            cause = f"{vm.name} has a dynamic device of several models that have nothing in common: {_models(one)}"
            found.append(
                _left(
                    vm,
                    "refused",
                    one.device.label,
                    cause,
                    "Attach one device for each model, with a label or by its ids",
                )
            )
    for device in others:
        backing = device.backing
        if isinstance(backing, SriovBacking) and backing.dvx_class and device.group_instance is None:
            cause = (
                f"{device.label or 'a network adapter'} of {vm.name} is provided by the DVX class {backing.dvx_class}"
            )
            found.append(
                _left(
                    vm,
                    "refused",
                    device.label,
                    cause,
                    "Manage this VM by hand: the collection does not change such adapters",
                )
            )
        if isinstance(backing, UnknownBacking):
            found.append(
                _left(vm, "unreadable", device.label, f"{vm.name} has a device of the unknown type {backing.type_name}")
            )
    unnamed = [unit for unit in held_units(vm) if not unit.value]
    if unnamed:
        found.append(_left(vm, "unreadable", "", f"The name of a vendor device group of {vm.name} was not read"))
    return found


# -- cards ----------------------------------------------------------------------------------------------------------


def _cards(held: Sequence[Held]) -> tuple[Noted, ...]:
    counted: dict[tuple[Selector, bool, int | None], list[Held]] = {}
    for one in held:
        selector = _selector(one)
        if selector is not None:
            counted.setdefault((selector, one.is_virtual_function, _node(one.device)), []).append(one)
    return tuple(
        Noted(
            entry=DesiredDevice(
                selector=selector,
                count=len(same) if len(same) > 1 else None,
                virtual_function=virtual,
                numa_node=node,
            ),
            note=named_once(device.name for one in same for device in one.stands_for),
        )
        for (selector, virtual, node), same in counted.items()
    )


def _node(device: VmDevice) -> int | None:
    """The NUMA node as an entry names it. None for a device without one, and for a number that no entry can have: both stay as they are."""
    node, allowed = device.numa_node, RANGES["numa_node"]
    return node if node is not None and allowed.lowest <= node <= allowed.highest else None


def _selector(held: Held) -> Selector | None:
    if held.kind == "fixed":
        first = held.stands_for[0]
        return Selector(vendor_id=first.vendor_id, device_id=first.device_id)
    return _common(held)


def _common(held: Held) -> Selector | None:
    """The narrowest selector that a dynamic device meets, whichever of its models it gets. None when there is none."""
    values = {
        key: found.pop()
        for key in ("vendor_id", "device_id", "subvendor_id", "subdevice_id", "class_id", "label")
        if len(found := {getattr(device, key) or "" for device in held.stands_for}) == 1
    }
    if "vendor_id" in values and "device_id" in values:
        values.pop("class_id", None)
    given = {key: value for key, value in values.items() if value and (key, value) != ("class_id", "0000")}
    selector = Selector(**given)
    return selector if given and all(selector.matches(device) for device in held.stands_for) else None


def _models(held: Held) -> str:
    return ", ".join(device.ids for device in held.stands_for)


def _backing(held: Sequence[Held]) -> BackingChoice:
    kinds = {one.kind for one in held}
    return "auto" if len(kinds) != 1 else next(iter(kinds))


def _without_reset_groups(
    observed: ObservedVms,
    base: DesiredVm,
    devices: tuple[Noted, ...],
    units: Sequence[Noted],
    adapters: Sequence[Noted],
) -> tuple[Noted, ...]:
    """Without the entries for functions that come with another one, because they share a reset: the audio function of a GPU."""
    if len(devices) < 2:
        return devices
    kept = list(devices)
    for one in reversed(devices):
        rest = [other for other in kept if other is not one]
        if rest and _is_complete(observed, _with_entries(base, rest, units, adapters)):
            kept = rest
    return tuple(kept)


# -- other kinds ----------------------------------------------------------------------------------------------------


def _units(vm: Vm) -> tuple[Noted, ...]:
    held = held_units(vm)
    alike: dict[tuple[object, ...], list[HeldUnit]] = {}
    for unit in held:
        node = None if unit.kind == "group" else _node(unit.devices[0])
        alike.setdefault((unit.kind, unit.value, unit.parameters if unit.kind == "dvx" else (), node), []).append(unit)
    return tuple(_unit(vm, same, held) for same in alike.values())


def _unit(vm: Vm, same: Sequence[HeldUnit], held: Iterable[HeldUnit]) -> Noted:
    """The entry for units of one value on one NUMA node. ``held``: all units: entries of one vGPU profile have the same settings."""
    first, count = same[0], len(same)
    if first.kind == "group":
        return Noted(entry=DesiredGroup(name=first.value, count=count))
    node = _node(first.devices[0])
    if first.kind == "dvx":
        return Noted(
            entry=DesiredDvx(device_class=first.value, parameters=first.parameters, count=count, numa_node=node)
        )
    settings = [settings_of(vm, unit) for unit in held if (unit.kind, unit.value) == (first.kind, first.value)]
    common = {name: value for name, value in settings[0].items() if all(other.get(name) == value for other in settings)}
    named = {name: value for name, value in common.items() if is_setting_name(name) and value.strip() == value != ""}
    left = sorted({name for found in settings for name in found} - named.keys())
    note = f"settings that are not the same for all of them are left out: {', '.join(left)}" if left else ""
    return Noted(
        entry=DesiredVgpu(profile=first.value, count=count, advanced=tuple(sorted(named.items())), numa_node=node),
        note=note,
    )


def _adapters(others: Iterable[VmDevice], networks: HostNetworks | None) -> tuple[Noted, ...]:
    backings = [
        device.backing
        for device in others
        if isinstance(device.backing, SriovBacking) and not device.backing.dvx_class and device.group_instance is None
    ]
    places = [_place(backing, networks) for backing in backings]
    return tuple(
        Noted(entry=_adapter(backing, place, alone=places.count(place) == 1))
        for backing, place in zip(backings, places, strict=True)
    )


def _place(backing: SriovBacking, networks: HostNetworks | None) -> tuple[str, str]:
    """Network and physical function, as an entry has them."""
    known = networks.by_key(backing.network) if networks is not None else None
    name = known.name if known is not None else backing.network_name or backing.network
    if known is not None and networks is not None and _is_named_twice(known, networks):
        name = known.key
    if backing.is_automatic:
        return name, AUTOMATIC
    address = backing.physical_function or ""
    return name, (networks.vmnic_of(address) if networks is not None else None) or address


def _is_named_twice(network: Network, networks: HostNetworks) -> bool:
    return sum(network.name in (other.name, other.key) for other in networks.networks) > 1


def _adapter(backing: SriovBacking, place: tuple[str, str], *, alone: bool) -> DesiredSriovNetwork:
    """A generated MAC address is left to the server, unless it is the only difference from another adapter of the VM."""
    network, function = place
    keeps_mac = backing.mac and (backing.address_type == "manual" or not alone)
    return DesiredSriovNetwork(
        network=network,
        physical_function=function,
        mac=backing.mac if keeps_mac else None,
        allow_guest_mtu_change=True if backing.allow_guest_mtu_change else None,
    )


# -- options --------------------------------------------------------------------------------------------------------


def _with_entries(
    base: DesiredVm, devices: Iterable[Noted], units: Iterable[Noted], adapters: Iterable[Noted]
) -> DesiredVm:
    cards = tuple(one.entry for one in devices if isinstance(one.entry, DesiredDevice))
    found = tuple(one.entry for one in units if isinstance(one.entry, DesiredVgpu | DesiredGroup | DesiredDvx))
    networks = tuple(one.entry for one in adapters if isinstance(one.entry, DesiredSriovNetwork))
    return replace(
        base,
        devices=cards,
        units=found,
        names_devices=bool(cards or found),
        sriov_networks=networks or None,
        backing=base.backing if cards else "auto",
    )


def _with_options(observed: ObservedVms, vm: Vm, desired: DesiredVm) -> tuple[DesiredVm, list[str]]:
    notes: list[str] = []
    tried: list[tuple[str, list[DesiredVm]]] = []
    if is_window_on(vm):
        size = current_size_gb(vm)
        sizes = [DesiredMmio(), *([DesiredMmio(size_gb=size)] if size and is_window_size(size) else [])]
        tried.append(("its 64-bit MMIO window is not what mmio needs", [replace(desired, mmio=mmio) for mmio in sizes]))
    if vm.latency_sensitivity == "high":
        tried.append(
            (
                "its latency sensitivity is high, but not all CPUs are reserved",
                [replace(desired, latency_sensitivity="high")],
            )
        )
    if _is_pinned(observed, vm):
        tried.append(("its VM-host rule is not complete", [replace(desired, pin_to_host=True)]))
    for why, variants in tried:
        fitting = next((one for one in variants if _is_settled(observed, _added(desired, one))), None)
        if fitting is None:
            notes.append(f"{why}, so this option is left out")
        else:
            desired = _added(desired, fitting)
    return desired, notes


def _added(desired: DesiredVm, other: DesiredVm) -> DesiredVm:
    """Both with their options."""
    return replace(
        desired,
        mmio=other.mmio or desired.mmio,
        latency_sensitivity=other.latency_sensitivity or desired.latency_sensitivity,
        pin_to_host=other.pin_to_host or desired.pin_to_host,
    )


def _is_pinned(observed: ObservedVms, vm: Vm) -> bool:
    host = observed.host_of(vm)
    placement = observed.placements.get(host.compute_moid) if host is not None else None
    return placement is not None and find_pin(placement, vm.moid).exists


def _is_settled(observed: ObservedVms, desired: DesiredVm) -> bool:
    """Whether the planner would change nothing and refuse nothing."""
    (target,) = plan_vm_devices(observed, [desired]).targets
    return not target.changes and not target.blockers


def _is_complete(observed: ObservedVms, desired: DesiredVm) -> bool:
    """Whether the entry is about each device of the VM: the planner would detach none that it does not name."""
    (target,) = plan_vm_devices(observed, [replace(desired, state="exactly", all_kinds=True)]).targets
    return not any(change.kind in ("attach", "detach") for change in target.changes)
