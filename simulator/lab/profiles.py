# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DirectPath profiles of a lab."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from .expand import unknown_keys
from .hardware.cards import LabError

if TYPE_CHECKING:
    from ..endpoint import SimulatedEndpoint

_KEYS = {"name", "description", "vgpu", "dynamic", "group", "dvx"}
_KINDS = ("vgpu", "dynamic", "group", "dvx")


def load(sim: SimulatedEndpoint, lab: Mapping[str, Any]) -> None:
    """Make `directpath_profiles: [{name, description, vgpu | dynamic: {ids, label} | group | dvx}]`. Raises LabError."""
    listed = lab.get("directpath_profiles") or []
    manager: Any = sim.content.get("directPathProfileManager")
    if listed and manager is None:
        raise LabError("only a vCenter of 9.0 or later has DirectPath profiles, and only a pyVmomi that knows them")
    for item in listed:
        if not isinstance(item, Mapping):
            raise LabError(f"directpath_profiles is a list of mappings, not of {item!r}")
        name = str(item.get("name", ""))
        unknown_keys(item, _KEYS, f"DirectPath profile {name}")
        given = [kind for kind in _KINDS if kind in item]
        if len(given) != 1:
            raise LabError(f"DirectPath profile {name}: one of {', '.join(_KINDS)}")
        try:
            manager.add(name, str(item.get("description", "")), _config(given[0], item[given[0]], name))
        except (vim.fault.AlreadyExists, vmodl.fault.InvalidArgument) as fault:
            raise LabError(f"DirectPath profile {name}: {type(fault).__name__}") from None


def _config(kind: str, value: Any, name: str) -> Any:
    types, backings = vim.DirectPathProfileManager, vim.vm.device.VirtualPCIPassthrough
    if kind == "vgpu":
        return types.VmiopDirectPathConfig(vgpuProfile=str(value))
    if kind == "group":
        return types.VirtualDeviceGroupDirectPathConfig(deviceGroupName=str(value))
    if kind == "dvx":
        return types.DvxDirectPathConfig(dvxBacking=backings.DvxBackingInfo(deviceClass=str(value), backing=""))
    if not isinstance(value, Mapping) or ":" not in str(value.get("ids", "")):
        raise LabError(f"DirectPath profile {name}: dynamic is a mapping of ids (such as 10de:20f1) and label")
    unknown_keys(value, {"ids", "label"}, f"DirectPath profile {name}, dynamic")
    vendor, device = (int(part, 16) for part in str(value["ids"]).split(":"))
    allowed = backings.AllowedDevice(vendorId=vendor, deviceId=device)
    label = str(value["label"]) if value.get("label") else None
    return types.DynamicDirectPathConfig(
        dynamicDirectPathBacking=backings.DynamicBackingInfo(deviceName="", allowedDevice=[allowed], customLabel=label)
    )
