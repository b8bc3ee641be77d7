# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts and VMs as entries of an inventory: a few facts, and groups from these facts. PRIVATE to the collection.

An entry is plain data, which cache plugins of Ansible can store. Groups are made from entries only, so that an inventory from the cache
is equal to the one that was read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from ...module_utils._domain.observed.hosts import Host, HostDevice
from ...module_utils._domain.observed.vms import (
    DvxBacking,
    DynamicBacking,
    FixedBacking,
    VgpuBacking,
    Vm,
    VmDevice,
)

PREFIX = "directpath_"
"""Prefix of the facts in the variables of an inventory host."""

GROUPINGS = (
    "vcenter",
    "cluster",
    "device",
    "label",
    "sriov",
    "pending_reboot",
    "maintenance_mode",
    "disconnected",
    "version",
)
Counted = Literal["capable", "enabled", "active"]
Entry = dict[str, Any]


def host_entry(host: Host, vcenter: str) -> Entry:
    """The entry of an ESXi host. ``models``: vendor:device → numbers of devices that support or use passthrough. ``virtual_functions``:
    the same for SR-IOV."""
    devices = [device for device in host.candidates() if device.capable or device.enabled or device.active]
    return {
        "type": "esxi",
        "name": host.name,
        "moid": host.moid,
        "path": host.path,
        "vcenter": vcenter,
        "cluster": host.cluster,
        "version": host.version,
        "connection_state": host.connection_state,
        "in_maintenance_mode": host.in_maintenance_mode,
        "pending_reboot": bool(host.pending),
        "labels": sorted({device.label for device in devices if device.label}),
        "models": _models(devices),
        "virtual_functions": _virtual_functions(host.candidates()),
    }


def _virtual_functions(devices: Sequence[HostDevice]) -> dict[str, Any]:
    """vendor:device of network adapters with SR-IOV → numbers of their functions, and of virtual functions."""
    found: dict[str, Any] = {}
    for device in sorted(devices, key=lambda device: (device.ids, device.address)):
        sriov = device.sriov
        if sriov is None or not device.is_network_adapter or not (sriov.maximum or sriov.configured or sriov.in_effect):
            continue
        numbers = found.setdefault(device.ids, {"functions": 0, "configured": 0, "present": 0, "maximum": 0})
        numbers["functions"] += 1
        numbers["configured"] += sriov.configured
        numbers["present"] += sriov.in_effect
        numbers["maximum"] += sriov.maximum
    return found


def _models(devices: Sequence[HostDevice]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for device in sorted(devices, key=lambda device: (device.ids, device.address)):
        numbers = found.setdefault(device.ids, {"capable": 0, "enabled": 0, "active": 0})
        for state in ("capable", "enabled", "active"):
            numbers[state] += bool(getattr(device, state))
    return found


def vm_entry(vm: Vm, vcenter: str) -> Entry:
    """The entry of a VM with passthrough devices. ``models``: number of devices by the models they may be, or by their kind of backing."""
    models = sorted(_model(device) for device in vm.devices)
    return {
        "type": "vm",
        "name": vm.name,
        "moid": vm.moid,
        "path": vm.path,
        "vcenter": vcenter,
        "cluster": vm.cluster,
        "host": vm.host_name,
        "power_state": vm.power_state,
        "labels": sorted(
            {
                d.backing.custom_label
                for d in vm.devices
                if isinstance(d.backing, DynamicBacking) and d.backing.custom_label
            }
        ),
        "models": {model: models.count(model) for model in dict.fromkeys(models)},
        "vgpu_profiles": _counted(d.backing.profile for d in vm.devices if isinstance(d.backing, VgpuBacking)),
        "device_groups": _counted(vm.device_groups.get(key, "") for key in _groups(vm)),
        "dvx_classes": _counted(d.backing.device_class for d in vm.devices if isinstance(d.backing, DvxBacking)),
    }


def _counted(names: Iterable[str]) -> dict[str, int]:
    """Name → how often it occurs, sorted."""
    return dict(sorted(Counter(names).items()))


def _groups(vm: Vm) -> set[int]:
    """The keys of the vendor device groups of which the VM has a device."""
    return {device.group_instance for device in vm.devices if device.group_instance is not None}


def _model(device: VmDevice) -> str:
    match device.backing:
        case FixedBacking():
            return f"{device.backing.vendor_id}:{device.backing.device_id}"
        case DynamicBacking():
            return "/".join(sorted(f"{entry.vendor_id}:{entry.device_id}" for entry in device.backing.allowed))
    return str(device.backing.kind)


def facts(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of an entry: its values with the prefix, except name and vCenter."""
    return {f"{PREFIX}{key}": value for key, value in entry.items() if key not in ("name", "vcenter")}


def groups(entry: Mapping[str, Any], by: Sequence[str], counted: Counted = "capable") -> list[str]:
    """The built-in groups of an entry, in the order of GROUPINGS. The names are not sanitized.

    ``counted``: the state that a device of a host must have for the group of its model. VMs have separate groups, by the models they
    may have, because the variables of the hosts of a cluster are not for its VMs.
    """
    is_vm = entry["type"] == "vm"
    models = (
        [pair for models in entry["models"] for pair in models.split("/") if ":" in pair]
        if is_vm
        else [model for model, numbers in entry["models"].items() if numbers[counted]]
    )
    found = {
        "vcenter": [f"vcenter_{entry['vcenter']}"],
        "cluster": [f"cluster_{entry['cluster'].removeprefix('/')}"] if entry["cluster"] else [],
        "device": [f"pci_{model}" for model in models],
        "label": [f"label_{label}" for label in entry["labels"]],
        "sriov": ["sriov"] if any(n["present"] for n in (entry.get("virtual_functions") or {}).values()) else [],
        "pending_reboot": ["pending_reboot"] if entry.get("pending_reboot") else [],
        "maintenance_mode": ["maintenance_mode"] if entry.get("in_maintenance_mode") else [],
        "disconnected": ["disconnected"] if entry.get("connection_state", "connected") != "connected" else [],
        "version": [f"esxi_{entry['version']}"] if entry.get("version") else [],
    }
    chosen = [group for kind in GROUPINGS if kind in by for group in found[kind]]
    return ["vms_with_devices", *(f"vms_{group}" for group in chosen)] if is_vm else ["esxi_hosts", *chosen]
