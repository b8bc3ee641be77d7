# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which privileges a ConfigSpec needs: ReconfigVM_Task has none of its own, every field asks for its own.

Source: API reference of VirtualMachine.ReconfigVM_Task and VirtualMachineConfigSpec. Whether a passthrough device is
a raw device or a plain one is not stated: `Knobs.raw_device_privilege`.
"""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

from ..knobs import Knobs

CONFIG = "VirtualMachine.Config."

FIELDS = {
    "name": "Rename",
    "annotation": "Annotation",
    "memoryMB": "Memory",
    "memoryHotAddEnabled": "Memory",
    "numCPUs": "CPUCount",
    "numCoresPerSocket": "CPUCount",
    "cpuHotAddEnabled": "CPUCount",
    "cpuHotRemoveEnabled": "CPUCount",
    "memoryReservationLockedToMax": "Resource",
    "memoryAllocation": "Resource",
    "cpuAllocation": "Resource",
    "extraConfig": "AdvancedConfig",
    "deviceGroups": "AddRemoveDevice",
}
"""ConfigSpec field -> privilege below VirtualMachine.Config; every other field asks for Settings."""

FREE = frozenset({"changeVersion", "deviceChange", "dynamicType", "dynamicProperty"})


def needed(spec: Any, knobs: Knobs) -> list[str]:
    """Privileges for a `vim.vm.ConfigSpec`, sorted, without doubles."""
    found = {FIELDS.get(name, "Settings") for name in given(spec) if name not in FREE}
    for change in spec.deviceChange or []:
        found.update(_for_device(change, knobs))
    return [CONFIG + name for name in sorted(found)]


def given(spec: Any) -> list[str]:
    """Names of the fields a data object carries."""
    return [
        name
        for name, value in spec.__dict__.items()
        if value is not None and not (isinstance(value, list) and not value)
    ]


def is_raw(device: Any) -> bool:
    """A whole PCI device, fixed or dynamic; vGPU, DVX and SR-IOV cards are not."""
    backing = getattr(device, "backing", None)
    whole: tuple[type[Any], ...] = (vim.vm.device.VirtualPCIPassthrough.DeviceBackingInfo,)
    dynamic = getattr(vim.vm.device.VirtualPCIPassthrough, "DynamicBackingInfo", None)
    if dynamic is not None:
        whole += (dynamic,)
    return isinstance(device, vim.vm.device.VirtualPCIPassthrough) and (backing is None or isinstance(backing, whole))


def _for_device(change: Any, knobs: Knobs) -> set[str]:
    plain = "EditDevice" if str(change.operation) == "edit" else "AddRemoveDevice"
    if not is_raw(change.device):
        return {plain}
    if knobs.raw_device_privilege == "both":
        return {"RawDevice", plain}
    return {"RawDevice"} if knobs.raw_device_privilege == "raw_device" else {plain}
