# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host offers beside PCI functions, as the API shows it: vendor device groups and DVX classes.

Source: the recorded ConfigTarget of a 9.x host (shape of vendorDeviceGroupInfo and dvxClassInfo), API reference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from pyVmomi import vim

from ..api import data
from ..rules.vm import units
from .host import graphics
from .host.state import HostState

DEVICE = vim.vm.device
FIRST_RELEASE = (8, 0)


def _able(host: HostState) -> bool:
    return host.spec.version_numbers >= FIRST_RELEASE


def offered(hosts: Collection[HostState]) -> units.Offered:
    """What these hosts offer together."""
    able = [host for host in hosts if _able(host)]
    return units.Offered(
        profiles=frozenset(name for host in hosts for name in graphics.profiles(host.spec, host.taken)),
        groups={group.name: group for host in able for group in host.spec.groups},
        classes={item.name: item for host in able for item in host.spec.dvx},
    )


def groups(hosts: Iterable[HostState]) -> list[Any]:
    """`vendorDeviceGroupInfo`, by name."""
    found = {group.name: group for host in hosts if _able(host) for group in host.spec.groups}
    cls = vim.vm.VendorDeviceGroupInfo
    return [
        data.new(
            cls,
            name="",
            deviceGroupName=name,
            deviceGroupDescription=group.description,
            componentDeviceInfo=[_component(part) for part in group.parts],
        )
        for name, group in sorted(found.items())
    ]


def _component(part: units.Part) -> Any:
    types = {"vgpu": "nvidiaVgpu", "dvx": "dvx", "nic": "sriovNic"}
    return data.new(
        vim.vm.VendorDeviceGroupInfo.ComponentDeviceInfo,
        type=types[part.kind],
        vendorName="NVIDIA Corporation" if part.kind == "vgpu" else "VMware",
        deviceName=f"NVIDIA {part.value}" if part.kind == "vgpu" else part.value,
        isConfigurable=part.kind == "nic",
        device=_template(part),
    )


def _template(part: units.Part) -> Any:
    info = None
    if part.sequence is not None:
        info = DEVICE.VirtualDevice.DeviceGroupInfo(groupInstanceKey=0, sequenceId=part.sequence)
    if part.kind == "nic":
        backing = DEVICE.VirtualPCIPassthrough.DvxBackingInfo(deviceClass=part.value)
        return data.new(DEVICE.VirtualSriovEthernetCard, key=0, dvxBackingInfo=backing, deviceGroupInfo=info)
    return data.new(DEVICE.VirtualPCIPassthrough, key=0, backing=backing_of(part), deviceGroupInfo=info)


def backing_of(part: units.Part) -> Any:
    """The backing of a part that is a passthrough device."""
    if part.kind == "vgpu":
        return DEVICE.VirtualPCIPassthrough.VmiopBackingInfo(vgpu=part.value)
    return DEVICE.VirtualPCIPassthrough.DvxBackingInfo(deviceClass=part.value)


def dvx_classes(hosts: Iterable[HostState]) -> list[Any]:
    """`dvxClassInfo`, by name."""
    found = {item.name: item for host in hosts if _able(host) for item in host.spec.dvx}
    return [
        data.new(
            vim.vm.DvxClassInfo,
            deviceClass=vim.ElementDescription(label=item.label or name, summary=item.label or name, key=name),
            vendorName=item.vendor,
            sriovNic=item.nic,
            configParams=[_option(parameter) for parameter in item.parameters],
        )
        for name, item in sorted(found.items())
    ]


def _option(item: units.Parameter) -> Any:
    return data.new(vim.option.OptionDef, key=item.key, label=item.key, summary=item.key, optionType=_type(item))


def _type(item: units.Parameter) -> Any:
    kinds = vim.option
    if item.kind == "long":
        return data.new(
            kinds.LongOption, valueIsReadonly=False, min=item.low, max=item.high, defaultValue=int(item.default or 0)
        )
    if item.kind == "bool":
        return data.new(kinds.BoolOption, valueIsReadonly=False, supported=True, defaultValue=bool(item.default))
    if item.kind == "choice":
        choices = [vim.ElementDescription(label=key, summary=key, key=key) for key in item.choices]
        index = item.choices.index(item.default) if item.default is not None else None
        return data.new(kinds.ChoiceOption, valueIsReadonly=False, choiceInfo=choices, defaultIndex=index)
    return data.new(kinds.StringOption, valueIsReadonly=False, defaultValue=str(item.default or ""))
