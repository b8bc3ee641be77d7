# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reverting the changes of a VM. PRIVATE to the collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set

from ..observed.networks import network_of
from ..observed.vms import Backing, DynamicBacking, FixedBacking, SriovBacking, Vm, VmDevice
from ..planning.details import Detach, DynamicSpec, ExtraConfig, FixedSpec, HotAdd, MemoryWrite, SriovEdit, SriovSpec
from ..planning.plan import Change
from ..vm.memory import describe_device


def restoring_changes(was: Vm, now: Vm, made: Sequence[Change]) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """The changes, for one reconfiguration, that revert the changes ``made``, and descriptions of devices that cannot be restored.

    ``was``: the VM before the changes. ``now``: the VM after them. Changes by another user since then stay. Devices are compared by their
    backing, not by their key: a device that is attached again gets another key.
    """
    attached = Counter(
        _spec_identity(c.detail) for c in made if isinstance(c.detail, FixedSpec | DynamicSpec | SriovSpec)
    )
    taken = {change.detail.key for change in made if isinstance(change.detail, Detach)}
    edited = {change.detail.key for change in made if isinstance(change.detail, SriovEdit)}
    old = [device for device in was.devices if device.key not in edited]
    new = [device for device in now.devices if device.key not in edited]
    changes = []
    for device in _missing_from(new, old):
        attached[_backing_identity(device.backing)] -= 1
        if attached[_backing_identity(device.backing)] >= 0:
            subject, detail = describe_device(device), Detach(key=device.key)
            changes.append(Change(subject=subject, before="attached", after=None, detail=detail))
    lost = []
    for device in _missing_from(old, new):
        if device.key not in taken:
            continue
        spec = _spec(device)
        if spec is None:
            lost.append(describe_device(device))
        else:
            changes.append(Change(subject=describe_device(device), before=None, after="attached", detail=spec))
    changes += _edits(was, now, edited)
    kinds = {change.kind for change in made}
    keys = {change.subject for change in made if change.kind == "extra_config"}
    changes += _memory(was, now) if "memory" in kinds else ()
    changes += (change for change in _extra_config(was, now) if change.subject in keys)
    changes += _hot_add(was, now) if "hot_add" in kinds else ()
    return tuple(changes), tuple(lost)


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


def _spec_identity(spec: FixedSpec | DynamicSpec | SriovSpec) -> object:
    """The same for a device that is to be attached."""
    if isinstance(spec, SriovSpec):
        return ("sriov", spec.network.key, spec.physical_function)
    return ("fixed", spec.address) if isinstance(spec, FixedSpec) else _dynamic_identity(spec)


def _spec(device: VmDevice) -> FixedSpec | DynamicSpec | SriovSpec | None:
    match device.backing:
        case FixedBacking(vendor_id=str() as vendor, device_id=str() as model) as backing:
            return FixedSpec(
                address=backing.text or backing.address or "",
                vendor_id=vendor,
                device_id=model,
                system_id=backing.system_id,
                name=device.label,
            )
        case DynamicBacking() as backing:
            return DynamicSpec(allowed=backing.allowed, custom_label=backing.custom_label, name=device.label)
        case SriovBacking(network=str() as key) as backing if key and not backing.dvx_class:
            return SriovSpec(
                network=network_of(backing),
                physical_function=None if backing.is_automatic else backing.physical_function,
                mac=backing.mac,
                address_type=backing.address_type,
                allow_guest_mtu_change=backing.allow_guest_mtu_change,
            )
    return None


def _edits(was: Vm, now: Vm, keys: Set[int]) -> Iterator[Change]:
    """The edits that give adapters back what they had. An adapter that is gone is left out."""
    before = {device.key: device.backing for device in was.devices if device.key in keys}
    for device in now.devices:
        old, new = before.get(device.key), device.backing
        if isinstance(old, SriovBacking) and isinstance(new, SriovBacking):
            detail = SriovEdit(
                key=device.key,
                network=network_of(old) if old.network and old.network != new.network else None,
                physical_function=None if old.is_automatic else old.physical_function,
                automatic=old.is_automatic,
                mac=old.mac,
                address_type=old.address_type,
                allow_guest_mtu_change=old.allow_guest_mtu_change,
            )
            yield Change(subject=describe_device(device), before="edited", after="as before", detail=detail)


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
