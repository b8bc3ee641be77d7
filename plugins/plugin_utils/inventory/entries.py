# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts and VMs as entries of an inventory: small facts, and the groups that follow from them. PRIVATE to the collection.

An entry is plain data, as Ansible's cache plugins store it. Groups are read from entries, never from what entries were made of,
so that an inventory from the cache is the inventory that was read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ...module_utils._domain.observed.hosts import Host, HostDevice
from ...module_utils._domain.observed.vms import DynamicBacking, FixedBacking, Vm, VmDevice
from ...module_utils._domain.text import visible_name

PREFIX = "directpath_"
"""Of the facts among the variables of an inventory host."""

GROUPINGS = ("vcenter", "cluster", "device", "label", "pending_reboot", "maintenance_mode", "disconnected", "version")
Counted = Literal["capable", "enabled", "active"]
Entry = dict[str, Any]


def host_entry(host: Host, vcenter: str) -> Entry:
    """An ESXi host. ``models`` counts the devices somebody could mean, by vendor:device."""
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
    }


def _models(devices: Sequence[HostDevice]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for device in sorted(devices, key=lambda device: (device.ids, device.address)):
        numbers = found.setdefault(device.ids, {"capable": 0, "enabled": 0, "active": 0})
        for state in ("capable", "enabled", "active"):
            numbers[state] += bool(getattr(device, state))
    return found


def vm_entry(vm: Vm, vcenter: str) -> Entry:
    """A VM with passthrough devices. ``models`` counts them, by the models they may be; those of other kinds by their kind."""
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
    }


def _model(device: VmDevice) -> str:
    match device.backing:
        case FixedBacking():
            return f"{device.backing.vendor_id}:{device.backing.device_id}"
        case DynamicBacking():
            return "/".join(sorted(f"{entry.vendor_id}:{entry.device_id}" for entry in device.backing.allowed))
    return str(device.backing.kind)


def facts(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of an entry: what it holds, each under the prefix, but for what says where and what it is."""
    return {f"{PREFIX}{key}": value for key, value in entry.items() if key not in ("name", "vcenter")}


def inventory_name(text: str) -> str:
    """A name that is only a name to Ansible. It evaluates the name of an inventory host as a template (before release 2.19), so that
    braces which could begin one become parentheses, and a ``#`` at the beginning, which could change what begins one, an underscore.
    """
    name = visible_name(text)
    if any(sign in name for sign in ("{{", "{%", "{#")):
        name = name.translate(_BRACES)
    return f"_{name[1:]}" if name.startswith("#") else name


_BRACES = str.maketrans("{}", "()")


def groups(entry: Mapping[str, Any], by: Sequence[str], counted: Counted = "capable") -> list[str]:
    """The built-in groups of an entry, not yet made safe as names, in the order of GROUPINGS.

    ``counted``: in which state a host's device must be for a group of its model. VMs are grouped by the models they may hold, in
    groups of their own: variables of a cluster's hosts are not meant for its VMs.
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
        "pending_reboot": ["pending_reboot"] if entry.get("pending_reboot") else [],
        "maintenance_mode": ["maintenance_mode"] if entry.get("in_maintenance_mode") else [],
        "disconnected": ["disconnected"] if entry.get("connection_state", "connected") != "connected" else [],
        "version": [f"esxi_{entry['version']}"] if entry.get("version") else [],
    }
    chosen = [group for kind in GROUPINGS if kind in by for group in found[kind]]
    return ["vms_with_devices", *(f"vms_{group}" for group in chosen)] if is_vm else ["esxi_hosts", *chosen]
