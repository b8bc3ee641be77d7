# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Vendor device groups and DVX classes of a captured cluster: a host offers those whose vGPU profiles and classes it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyVmomi import vim

from ...rules.vm.units import DvxClass, Group, Parameter, Part
from .file import Captured, Thing

_KINDS: Mapping[str, str] = {"LongOption": "long", "IntOption": "long", "ChoiceOption": "choice", "BoolOption": "bool"}


def of_host(thing: Thing, captured: Captured) -> dict[str, Any]:
    """The fields of a HostSpec that say what it offers."""
    compute = thing.get("parent")
    target = captured.targets.get(compute._moId, {}) if compute is not None else {}
    profiles = set(thing.get("config.sharedPassthruGpuTypes", ()))
    classes = {item.deviceClass for item in thing.get("hardware.dvxClasses", ())}
    groups = [_group(info) for info in target.get("vendorDeviceGroupInfo", ())]
    return {
        "groups": tuple(group for group in groups if _offers(group, profiles, classes)),
        "dvx": tuple(_class(info) for info in target.get("dvxClassInfo", ()) if info.deviceClass.key in classes),
    }


def _offers(group: Group, profiles: set[str], classes: set[str]) -> bool:
    return all(part.value in (profiles if part.kind == "vgpu" else classes) for part in group.parts)


def _group(info: Any) -> Group:
    parts = tuple(_part(item.device) for item in info.componentDeviceInfo or ())
    return Group(name=info.deviceGroupName, description=info.deviceGroupDescription or "", parts=parts)


def _part(device: Any) -> Part:
    place = getattr(device, "deviceGroupInfo", None)
    sequence = getattr(place, "sequenceId", None)
    if isinstance(device, vim.vm.device.VirtualSriovEthernetCard):
        backing = getattr(device, "dvxBackingInfo", None)
        return Part(kind="nic", value=str(getattr(backing, "deviceClass", "") or ""), sequence=sequence)
    if isinstance(device.backing, vim.vm.device.VirtualPCIPassthrough.VmiopBackingInfo):
        return Part(kind="vgpu", value=str(device.backing.vgpu or ""), sequence=sequence)
    return Part(kind="dvx", value=str(getattr(device.backing, "deviceClass", "") or ""), sequence=sequence)


def _class(info: Any) -> DvxClass:
    return DvxClass(
        name=info.deviceClass.key,
        label=info.deviceClass.label or "",
        vendor=info.vendorName or "",
        nic=bool(info.sriovNic),
        parameters=tuple(_parameter(option) for option in info.configParams or ()),
    )


def _parameter(option: Any) -> Parameter:
    kind = option.optionType
    choices = tuple(str(item.key) for item in getattr(kind, "choiceInfo", None) or ())
    default = getattr(kind, "defaultValue", None)
    if choices and (index := getattr(kind, "defaultIndex", None)) is not None and index < len(choices):
        default = choices[index]
    return Parameter(
        key=option.key,
        kind=_KINDS.get(type(kind).__name__.rpartition(".")[2], "string"),
        low=int(getattr(kind, "min", None) or 0),
        high=int(getattr(kind, "max", None) or 2**63 - 1),
        choices=choices,
        default=default,
    )
