# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reverting the changes of a VM. PRIVATE to the collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from ..observed.networks import network_of
from ..observed.vms import (
    Backing,
    DvxBacking,
    DynamicBacking,
    FixedBacking,
    SriovBacking,
    VgpuBacking,
    Vm,
    VmDevice,
)
from ..pci import NO_NUMA_NODE
from ..planning.details import (
    Detach,
    DetachGroup,
    DvxSpec,
    DynamicSpec,
    ExtraConfig,
    FixedSpec,
    GroupSpec,
    HotAdd,
    Latency,
    MemoryWrite,
    NumaEdit,
    SriovEdit,
    SriovSpec,
    VgpuSpec,
)
from ..planning.plan import Change
from ..vm.memory import describe_device


def restoring_changes(was: Vm, now: Vm, made: Sequence[Change]) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """The changes, for one reconfiguration, that revert the changes ``made``, and descriptions of devices that cannot be restored.

    ``was``: the VM before the changes. ``now``: the VM after them. Changes by another user since then stay. Devices are compared by their
    backing, not by their key: a device that is attached again gets another key.
    """
    attached = Counter(
        _spec_identity(c.detail)
        for c in made
        if isinstance(c.detail, FixedSpec | DynamicSpec | VgpuSpec | DvxSpec | SriovSpec) and c.kind == "attach"
    )
    taken = {change.detail.key for change in made if isinstance(change.detail, Detach)}
    edited = {c.detail.key for c in made if isinstance(c.detail, DvxSpec | SriovEdit | NumaEdit) and c.kind == "edit"}
    changes = [*_edits(was, now, edited), *_groups(was, now, made)]
    there, before = _alone(now.devices, edited), _alone(was.devices, edited)
    for device in _missing_from(there, before):
        attached[_backing_identity(device.backing)] -= 1
        if attached[_backing_identity(device.backing)] >= 0:
            subject, detail = describe_device(device), Detach(key=device.key)
            changes.append(Change(subject=subject, before="attached", after=None, detail=detail))
    lost = []
    for device in _missing_from(before, there):
        if device.key not in taken:
            continue
        spec = _spec(device)
        if spec is None:
            lost.append(describe_device(device))
        else:
            changes.append(Change(subject=describe_device(device), before=None, after="attached", detail=spec))
    kinds = {change.kind for change in made}
    keys = {change.subject for change in made if change.kind == "extra_config"}
    changes += _memory(was, now) if "memory" in kinds else ()
    changes += (change for change in _extra_config(was, now) if change.subject in keys)
    changes += _hot_add(was, now) if "hot_add" in kinds else ()
    changes += _latency(was, now) if "latency" in kinds else ()
    return tuple(changes), tuple(lost)


def _alone(devices: Iterable[VmDevice], edited: Collection[int | None]) -> list[VmDevice]:
    """The devices that are compared one by one: no parts of groups, and none that was edited in place."""
    return [device for device in devices if device.group_instance is None and device.key not in edited]


def _edits(was: Vm, now: Vm, edited: Collection[int | None]) -> Iterator[Change]:
    """The changes that give edited DVX devices their old parameters, edited network adapters what they had, and other edited devices their
    old NUMA node. A device that is gone is left out."""
    there = {device.key: device for device in now.devices}
    for device in was.devices:
        found = there.get(device.key)
        if device.key not in edited or found is None:
            continue
        detail: DvxSpec | SriovEdit | NumaEdit | None = None
        node = NO_NUMA_NODE if device.numa_node is None else device.numa_node
        moved = found.numa_node != device.numa_node
        match device.backing, found.backing:
            case DvxBacking() as old, DvxBacking() as new if old != new:
                detail = DvxSpec(
                    device_class=old.device_class,
                    parameters=old.parameters,
                    key=device.key,
                    numa_node=node if moved else None,
                )
            case SriovBacking() as old, SriovBacking() as new:
                detail = SriovEdit(
                    key=device.key,
                    network=network_of(old) if old.network and old.network != new.network else None,
                    physical_function=None if old.is_automatic else old.physical_function,
                    automatic=old.is_automatic,
                    mac=old.mac,
                    address_type=old.address_type,
                    allow_guest_mtu_change=old.allow_guest_mtu_change,
                )
            case old, new if moved and _backing_identity(old) == _backing_identity(new):
                detail = NumaEdit(key=device.key, backing=new, numa_node=node, name=device.label)
        if detail is not None:
            yield Change(subject=describe_device(device), before="edited", after="as before", detail=detail)


def _groups(was: Vm, now: Vm, made: Sequence[Change]) -> Iterator[Change]:
    """The changes that detach groups which were attached, and attach groups which were detached. Groups are compared by name."""
    attached = Counter(change.detail.name for change in made if isinstance(change.detail, GroupSpec))
    detached = {change.detail.instance for change in made if isinstance(change.detail, DetachGroup)}
    then, there = _parts(was), _parts(now)
    extra = Counter(now.device_groups.get(instance, "") for instance in there)
    extra.subtract(was.device_groups.get(instance, "") for instance in then)
    for instance in sorted(there, reverse=True):
        name = now.device_groups.get(instance, "")
        if extra[name] > 0 and attached[name] > 0:
            extra[name] -= 1
            attached[name] -= 1
            keys = tuple(device.key for device in there[instance])
            yield Change(subject=name, before="attached", after=None, detail=DetachGroup(instance=instance, keys=keys))
    for instance in sorted(detached & then.keys()):
        name = was.device_groups.get(instance, "")
        if extra[name] < 0:
            extra[name] += 1
            parts = tuple((device.backing, None) for device in then[instance])
            yield Change(subject=name, before=None, after="attached", detail=GroupSpec(name=name, parts=parts))


def _parts(vm: Vm) -> dict[int, list[VmDevice]]:
    found: dict[int, list[VmDevice]] = {}
    for device in vm.devices:
        if device.group_instance is not None:
            found.setdefault(device.group_instance, []).append(device)
    return found


def _missing_from(these: Iterable[VmDevice], those: Iterable[VmDevice]) -> Iterator[VmDevice]:
    """Devices of ``these`` that have no equal among ``those``."""
    there = Counter(_backing_identity(device.backing) for device in those)
    for device in these:
        there[_backing_identity(device.backing)] -= 1
        if there[_backing_identity(device.backing)] < 0:
            yield device


def _backing_identity(backing: Backing) -> object:
    if isinstance(backing, DynamicBacking):
        return _dynamic_identity(backing)
    if isinstance(backing, SriovBacking):
        return ("sriov", backing.network, None if backing.is_automatic else backing.physical_function)
    return (backing.kind, backing.address or backing.text) if isinstance(backing, FixedBacking) else backing


def _dynamic_identity(wanted: DynamicBacking | DynamicSpec) -> object:
    return ("dynamic", tuple(sorted(wanted.allowed, key=repr)), wanted.custom_label or None)


def _spec_identity(spec: FixedSpec | DynamicSpec | VgpuSpec | DvxSpec | SriovSpec) -> object:
    """The same for a device that is to be attached."""
    if isinstance(spec, VgpuSpec):
        return VgpuBacking(profile=spec.profile)
    if isinstance(spec, DvxSpec):
        return DvxBacking(device_class=spec.device_class, parameters=spec.parameters)
    if isinstance(spec, SriovSpec):
        return ("sriov", spec.network.key, spec.physical_function)
    return ("fixed", spec.address) if isinstance(spec, FixedSpec) else _dynamic_identity(spec)


def _spec(device: VmDevice) -> FixedSpec | DynamicSpec | VgpuSpec | DvxSpec | SriovSpec | None:
    match device.backing:
        case VgpuBacking(profile=profile):
            return VgpuSpec(profile=profile, numa_node=device.numa_node)
        case DvxBacking() as backing:
            return DvxSpec(device_class=backing.device_class, parameters=backing.parameters, numa_node=device.numa_node)
        case FixedBacking(vendor_id=str() as vendor, device_id=str() as model) as backing:
            return FixedSpec(
                address=backing.text or backing.address or "",
                vendor_id=vendor,
                device_id=model,
                system_id=backing.system_id,
                name=device.label,
                numa_node=device.numa_node,
            )
        case DynamicBacking() as backing:
            return DynamicSpec(
                allowed=backing.allowed,
                custom_label=backing.custom_label,
                name=device.label,
                numa_node=device.numa_node,
            )
        case SriovBacking(network=str() as key) as backing if key and not backing.dvx_class:
            return SriovSpec(
                network=network_of(backing),
                physical_function=None if backing.is_automatic else backing.physical_function,
                mac=backing.mac,
                address_type=backing.address_type,
                allow_guest_mtu_change=backing.allow_guest_mtu_change,
            )
    return None


def _memory(was: Vm, now: Vm) -> Iterator[Change]:
    old, new = was.memory, now.memory
    write = MemoryWrite(
        locked=None if old.locked_to_max == new.locked_to_max else old.locked_to_max,
        reservation_mb=None if old.reservation_mb == new.reservation_mb or old.locked_to_max else old.reservation_mb,
        unlimited=old.limit_mb is None and new.limit_mb is not None,
        limit_mb=old.limit_mb if old.limit_mb != new.limit_mb else None,
    )
    if write != MemoryWrite():
        yield Change(subject="memory", before=new.reservation_mb, after=old.reservation_mb, detail=write)


def _extra_config(was: Vm, now: Vm) -> Iterator[Change]:
    for key in sorted({*was.extra_config, *now.extra_config}):
        before, after = now.extra_config.get(key), was.extra_config.get(key)
        if before != after:
            yield Change(subject=key, before=before, after=after, detail=ExtraConfig(key=key, value=after or ""))


def _hot_add(was: Vm, now: Vm) -> Iterator[Change]:
    memory = was.memory.hot_add if was.memory.hot_add != now.memory.hot_add else None
    cpu = was.cpu_hot_add if was.cpu_hot_add != now.cpu_hot_add else None
    if (memory, cpu) != (None, None):
        yield Change(subject="hot-add", before=None, after=None, detail=HotAdd(memory=memory, cpu=cpu))


def _latency(was: Vm, now: Vm) -> Iterator[Change]:
    level, mhz = was.latency_sensitivity, was.cpu.reservation_mhz
    write = Latency(
        level=level if isinstance(level, str) and level != now.latency_sensitivity else None,
        cpu_reservation_mhz=mhz if mhz != now.cpu.reservation_mhz else None,
    )
    if write != Latency():
        yield Change(subject="latency sensitivity", before=None, after=None, detail=write)
