# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DVX devices and vendor device groups in a reconfigure: parameters, whole groups, temporary keys.

Sources: API reference (VirtualPCIPassthroughDvxBackingInfo: the class is needed on add, required parameters on add and edit, the list
replaces the old one; VirtualDeviceGroups, VirtualDeviceDeviceGroupInfo: a new group has a negative key; sequence ids), a recorded
ConfigTarget of a 9.x host (two NVLink vGPUs as templates without sequence ids; LongOption with bounds, ChoiceOption with keys),
bosh-vsphere-cpi (all devices of a group in one request). Unconfirmed, so
knobs: `unknown_unit_fault`, `first_sequence_id`, `device_groups_list`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyVmomi import vim

from .. import faults
from ..knobs import Knobs

DEVICE = vim.vm.device


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """A parameter of a DVX class. `kind`: long, choice, bool or string. Without a default it is required."""

    key: str
    kind: str = "long"
    low: int = 0
    high: int = 2**63 - 1
    choices: tuple[str, ...] = ()
    default: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DvxClass:
    """A class of DVX devices; `nic` classes are for SR-IOV network cards."""

    name: str
    label: str = ""
    vendor: str = "VMware"
    nic: bool = False
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A template of a group: a vGPU of a profile, a DVX device of a class, or a network card (`nic`), which needs a network too."""

    kind: str
    value: str
    sequence: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """A vendor device group."""

    name: str
    description: str = ""
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Offered:
    """What the host of the VM offers. None of the profiles: anything goes until power-on."""

    profiles: frozenset[str] = frozenset()
    groups: Mapping[str, Group] = field(default_factory=dict)
    classes: Mapping[str, DvxClass] = field(default_factory=dict)


def check_backings(changes: Sequence[Any], offered: Offered, knobs: Knobs) -> None:
    """Profiles, classes and parameters of devices that are added or edited. Whether an unknown one is noticed here is a knob."""
    for position, change in enumerate(changes):
        backing = getattr(change.device, "backing", None)
        if str(change.operation or "") not in ("add", "edit"):
            continue
        dvx = getattr(DEVICE.VirtualPCIPassthrough, "DvxBackingInfo", None)
        if dvx is not None and isinstance(backing, dvx):
            _check_dvx(backing, position, offered, knobs)
        elif (
            isinstance(backing, DEVICE.VirtualPCIPassthrough.VmiopBackingInfo)
            and backing.vgpu not in offered.profiles
            and knobs.unknown_unit_fault == "reconfigure"
        ):
            raise vim.fault.InvalidDeviceBacking(deviceIndex=position)


def _check_dvx(backing: Any, position: int, offered: Offered, knobs: Knobs) -> None:
    where = f"spec.deviceChange[{position}].device.backing"
    if not backing.deviceClass:
        raise faults.invalid_argument(f"{where}.deviceClass")
    found = offered.classes.get(backing.deviceClass)
    if found is None:
        if knobs.unknown_unit_fault == "reconfigure":
            raise vim.fault.InvalidDeviceBacking(deviceIndex=position)
        return
    if found.nic:
        raise vim.fault.InvalidDeviceBacking(deviceIndex=position)
    given = {option.key: option.value for option in backing.configParams or []}
    known = {item.key: item for item in found.parameters}
    for key, value in given.items():
        if key not in known or not _accepts(known[key], value):
            raise faults.invalid_argument(f"{where}.configParams")
    if any(item.default is None and item.key not in given for item in found.parameters):
        raise faults.invalid_argument(f"{where}.configParams")


def _accepts(item: Parameter, value: Any) -> bool:
    if item.kind == "long":
        return isinstance(value, int) and not isinstance(value, bool) and item.low <= value <= item.high
    if item.kind == "bool":
        return isinstance(value, bool)
    return isinstance(value, str) and (item.kind != "choice" or value in item.choices)


def check_groups(spec: Any, before: Sequence[Any], current: Mapping[int, str], offered: Offered, knobs: Knobs) -> None:
    """Groups come and go whole, in one request. `current`: key -> name of the groups of the VM; `before`: its devices."""
    changes = list(spec.deviceChange or [])
    listed = {item.groupInstanceKey: item.deviceGroupName for item in _listed(spec)}
    added: dict[int, list[Any]] = {}
    for position, change in enumerate(changes):
        info = getattr(change.device, "deviceGroupInfo", None)
        if str(change.operation or "") == "add" and info is not None:
            if info.groupInstanceKey >= 0 or info.groupInstanceKey not in listed:
                raise faults.invalid_argument(f"spec.deviceChange[{position}].device.deviceGroupInfo.groupInstanceKey")
            added.setdefault(info.groupInstanceKey, []).append(change.device)
    for key, name in listed.items():
        if key >= 0 and current.get(key) != name:
            raise faults.invalid_argument("spec.deviceGroups.deviceGroup.groupInstanceKey")
        if key < 0:
            _check_new(name, added.get(key, []), offered, knobs)
    _check_leaving(changes, before, listed, current, knobs, given=getattr(spec, "deviceGroups", None) is not None)


def _listed(spec: Any) -> list[Any]:
    groups = getattr(spec, "deviceGroups", None)
    return list(groups.deviceGroup or []) if groups is not None else []


def _check_new(name: str, devices: Sequence[Any], offered: Offered, knobs: Knobs) -> None:
    group = offered.groups.get(name)
    if group is None:
        if knobs.unknown_unit_fault == "reconfigure":
            raise faults.invalid_argument("spec.deviceGroups.deviceGroup.deviceGroupName")
        return
    found = Counter(_template_of(device) for device in devices)
    if found != Counter((part.kind, part.value) for part in group.parts):
        raise faults.invalid_argument("spec.deviceGroups.deviceGroup")
    sequence = sorted(device.deviceGroupInfo.sequenceId for device in devices)
    fixed = sorted(part.sequence for part in group.parts if part.sequence is not None)
    first = {"zero": 0, "one": 1}.get(knobs.first_sequence_id, sequence[0])
    wanted = fixed if len(fixed) == len(sequence) else list(range(first, first + len(sequence)))
    if sequence != wanted:
        raise faults.invalid_argument("spec.deviceChange.device.deviceGroupInfo.sequenceId")


def _template_of(device: Any) -> tuple[str, str]:
    backing = device.backing
    kinds = DEVICE.VirtualPCIPassthrough
    if isinstance(device, DEVICE.VirtualSriovEthernetCard):
        return ("nic", getattr(device.dvxBackingInfo, "deviceClass", ""))
    if isinstance(backing, kinds.VmiopBackingInfo):
        return ("vgpu", backing.vgpu)
    return ("dvx", getattr(backing, "deviceClass", "")) if isinstance(device, kinds) else ("", "")


def group_of(device: Any) -> int | None:
    """Key of the group that a device belongs to."""
    info = getattr(device, "deviceGroupInfo", None)
    return None if info is None else int(info.groupInstanceKey)


def _check_leaving(
    changes: Sequence[Any],
    before: Sequence[Any],
    listed: Mapping[int, str],
    current: Mapping[int, str],
    knobs: Knobs,
    *,
    given: bool,
) -> None:
    removed = {change.device.key for change in changes if str(change.operation or "") == "remove"}
    leaving = set()
    for key in current:
        parts = [device.key for device in before if group_of(device) == key]
        gone = [part for part in parts if part in removed]
        if gone and len(gone) < len(parts):
            raise vim.fault.InvalidDeviceOperation(
                deviceIndex=0, msg="A device of a device group can only be removed with the whole group."
            )
        if gone:
            leaving.add(key)
    if knobs.device_groups_list == "replaces" and (given or leaving):
        staying = {key for key in current if any(group_of(device) == key for device in before)} - leaving
        if {key for key in listed if key >= 0} != staying:
            raise faults.invalid_argument("spec.deviceGroups")


def after(spec: Any, devices: Sequence[Any], current: Mapping[int, str], knobs: Knobs) -> dict[int, str]:
    """The groups after the request. New ones get the smallest free keys from 0 up (bosh-vsphere-cpi uses 0, 1, ...), which their devices
    get too. Whether a group without devices is kept is a knob."""
    groups = dict(current)
    for item in _listed(spec):
        if item.groupInstanceKey >= 0:
            continue
        key = next(number for number in range(len(groups) + 1) if number not in groups)
        groups[key] = item.deviceGroupName
        for device in devices:
            if group_of(device) == item.groupInstanceKey:
                device.deviceGroupInfo.groupInstanceKey = key
    if knobs.device_groups_list == "keeps_empty":
        return groups
    used = {group_of(device) for device in devices}
    return {key: name for key, name in groups.items() if key in used}


def check_power_on(groups: Collection[str], offered: Offered) -> None:
    """A group that the host does not offer keeps the VM from starting there."""
    for name in groups:
        if name not in offered.groups:
            text = f"The device group {name} is not available on the host."
            raise faults.vm_config_fault([("msg.deviceGroup.notAvailable", text)])
