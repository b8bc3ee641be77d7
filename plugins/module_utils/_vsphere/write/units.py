# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a ConfigSpec for vGPUs, DVX devices and vendor device groups. PRIVATE to the collection.

Sources: API reference of VirtualDeviceGroups (the whole list is the state; a new group has a negative key, which its devices name) and of
VirtualPCIPassthroughDvxBackingInfo (the list of parameters replaces the old one).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..._domain.observed.vms import Backing, DvxBacking, DynamicBacking, VgpuBacking, Vm
from ..._domain.planning.details import DetachGroup, DvxSpec, DynamicSpec, GroupSpec, VgpuSpec
from ..._domain.planning.plan import Change
from ..sdk import as_long, vim

FIRST_SEQUENCES = (1, 0)
"""The first sequence id of a group whose template has none. The reference says that the ids are positive, bosh-vsphere-cpi counts from 0:
a request that is refused with the first is sent again with the second."""


def vgpu_backing(profile: str) -> Any:
    return vim.vm.device.VirtualPCIPassthrough.VmiopBackingInfo(vgpu=profile)


def dvx_backing(device_class: str, parameters: Sequence[tuple[str, Any]]) -> Any:
    options = [vim.option.OptionValue(key=key, value=_any_value(value)) for key, value in parameters]
    return vim.vm.device.VirtualPCIPassthrough.DvxBackingInfo(deviceClass=device_class, configParams=options)


def _any_value(value: Any) -> Any:
    """A whole number is sent as xsd:long, as the options of DVX classes need it."""
    return as_long(value) if isinstance(value, int) and not isinstance(value, bool) else value


def backing_of(part: Backing | VgpuSpec | DvxSpec) -> Any:
    """The backing of a device. Raises ValueError (programming error) for a backing that only another file can send."""
    match part:
        case VgpuBacking(profile=profile) | VgpuSpec(profile=profile):
            return vgpu_backing(profile)
        case DvxBacking(device_class=name, parameters=parameters) | DvxSpec(device_class=name, parameters=parameters):
            return dvx_backing(name, parameters)
    raise ValueError(f"no backing for {part}")


def set_numa_node(device: Any, node: int | None) -> None:
    """Without a node, nothing is set: a pyVmomi that does not know the property can still write the device."""
    if node is not None:
        device.numaNode = node


def edited_device(vm: Vm, spec: DvxSpec) -> Any:
    """The edit of a DVX device in place."""
    device = vim.vm.device.VirtualPCIPassthrough(
        key=spec.key, controllerKey=vm.pci_controller_key, backing=backing_of(spec)
    )
    set_numa_node(device, spec.numa_node)
    return vim.vm.device.VirtualDeviceSpec(operation="edit", device=device)


def numbers_parts(changes: Sequence[Change]) -> bool:
    """Whether the changes add a group whose template has no sequence ids."""
    return any(sequence is None for group in _new_groups(changes) for _backing, sequence in group.parts)


def group_devices(
    vm: Vm, changes: Sequence[Change], first_key: int, dynamic: Callable[[DynamicSpec], Any], first_sequence: int
) -> Iterator[Any]:
    """The devices of all new groups, with temporary keys from ``first_key`` downward. ``dynamic``: makes the backing of a dynamic part."""
    key = first_key
    for number, group in enumerate(_new_groups(changes), 1):
        for position, (backing, sequence) in enumerate(group.parts):
            made = (
                dynamic(DynamicSpec(allowed=backing.allowed, custom_label=backing.custom_label, name=""))
                if isinstance(backing, DynamicBacking)
                else backing_of(backing)
            )
            info = vim.vm.device.VirtualDevice.DeviceGroupInfo(
                groupInstanceKey=-number, sequenceId=first_sequence + position if sequence is None else sequence
            )
            device = vim.vm.device.VirtualPCIPassthrough(
                key=key, controllerKey=vm.pci_controller_key, backing=made, deviceGroupInfo=info
            )
            yield vim.vm.device.VirtualDeviceSpec(operation="add", device=device)
            key -= 1


def device_groups(vm: Vm, changes: Sequence[Change]) -> Any:
    """The list of groups after the changes; None when no group comes or goes. A group without a device is left out: some servers keep it
    after its devices were removed."""
    leaving = {change.detail.instance for change in changes if isinstance(change.detail, DetachGroup)}
    new = _new_groups(changes)
    if not leaving and not new:
        return None
    kinds = vim.vm.VirtualDeviceGroups
    used = {device.group_instance for device in vm.devices}
    staying = [
        kinds.VendorDeviceGroup(groupInstanceKey=instance, deviceGroupName=name)
        for instance, name in sorted(vm.device_groups.items())
        if instance in used - leaving
    ]
    added = [
        kinds.VendorDeviceGroup(groupInstanceKey=-number, deviceGroupName=group.name)
        for number, group in enumerate(new, 1)
    ]
    return kinds(deviceGroup=[*staying, *added])


def _new_groups(changes: Sequence[Change]) -> list[GroupSpec]:
    return [change.detail for change in changes if isinstance(change.detail, GroupSpec)]
