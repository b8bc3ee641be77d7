# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domain values as parts of results: the same keys in all modules. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..._domain.host.protection import cautions, protections
from ..._domain.observed.hosts import Host, HostDevice, dependency_group
from ..._domain.observed.vms import (
    AllowedDevice,
    Backing,
    DvxBacking,
    DynamicBacking,
    FixedBacking,
    SriovBacking,
    UnknownBacking,
    VgpuBacking,
    Vm,
    VmDevice,
)
from ..._domain.planning.plan import Plan, TargetPlan
from ..._domain.vm.memory import is_reserved
from ..._domain.vm.offers import DvxClass, GroupPart, Offer, OfferedGroup
from .result import Outcome, status_of


def device_results(host: Host, devices: Iterable[HostDevice]) -> list[dict[str, Any]]:
    """Devices of a host, sorted by address. Reasons for protection need the fabric of the host; without it they are empty."""
    reasons = protections(host) if host.fabric is not None else {}
    notes = cautions(host) if host.fabric is not None else {}
    results = []
    for device in sorted(devices, key=lambda device: device.address):
        results.append(
            {
                "address": device.address,
                "ids": device.ids,
                "vendor_id": device.vendor_id,
                "device_id": device.device_id,
                "subvendor_id": device.subvendor_id,
                "subdevice_id": device.subdevice_id,
                "class_id": device.class_id,
                "name": device.name,
                "vendor_name": device.vendor_name,
                "slot": device.slot,
                "numa_node": device.numa_node,
                "label": device.label,
                "capable": device.capable,
                "enabled": device.enabled,
                "active": device.active,
                "state": device.state,
                "pending": device.is_pending,
                "mode": device.mode,
                "vmnic": device.vmnic,
                "sriov": sriov_result(device),
                "directpath_mode": device.direct_path.mode if device.direct_path else None,
                "directpath_modes": list(device.direct_path.offered) if device.direct_path else None,
                "group": [member.address for member in dependency_group(host.devices, device.address)],
                "protected": [reason.reason for reason in reasons.get(device.address, ())],
                "cautions": list(notes.get(device.address, ())),
                "vms": [
                    {"name": user.vm, "moid": user.moid, "powered_on": user.powered_on, "fixed": user.fixed}
                    for user in host.users.get(device.address, ())
                ],
            }
        )
    return results


def sriov_result(device: HostDevice) -> dict[str, Any] | None:
    """The virtual functions of a physical function: configured, in effect, and possible."""
    sriov = device.sriov
    if sriov is None:
        return None
    return {
        "capable": sriov.capable,
        "enabled": sriov.enabled,
        "active": sriov.active,
        "requested": sriov.requested,
        "present": sriov.current,
        "maximum": sriov.maximum,
        "pending": sriov.is_pending,
    }


def target_result(target: TargetPlan, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """The keys that every module returns for a target of its plan."""
    outcome = outcomes.get(target.moid)
    error = outcome.error if outcome is not None else None
    return {
        "name": target.target,
        "moid": target.moid,
        "status": status_of(target, outcomes),
        "blockers": [blocker.record() for blocker in target.blockers],
        "warnings": list(target.warnings),
        "error": error.sentence() if error is not None else None,
        "error_code": error.code if error is not None else None,
    }


def render_vms(vms: Sequence[Vm], plan: Plan, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """The keys ``vms`` and ``refused`` of a result. ``outcomes``: VM id → outcome."""
    by_id = {vm.moid: vm for vm in vms}
    results = [
        {
            **vm_result(by_id[target.moid]),
            **target_result(target, outcomes),
            "mmio": window.record() if (window := target.vm_facts.mmio) is not None else None,
            "done": list(outcomes[target.moid].done) if target.moid in outcomes else [],
        }
        for target in plan.targets
    ]
    return {"vms": results, "refused": [vm["name"] for vm in results if vm["status"] == "refused"]}


def memory_result(vm: Vm) -> dict[str, Any]:
    """Memory size, reservation and limit of a VM, in MB."""
    memory = vm.memory
    return {
        "size_mb": memory.size_mb,
        "reservation_mb": memory.reservation_mb,
        "limit_mb": memory.limit_mb,
        "locked_to_max": memory.locked_to_max,
        "fully_reserved": is_reserved(memory),
    }


def vm_result(vm: Vm) -> dict[str, Any]:
    """The keys that every module returns for a VM."""
    return {
        "name": vm.name,
        "moid": vm.moid,
        "path": vm.path,
        "host": vm.host_name,
        "cluster": vm.cluster,
        "power_state": vm.power_state,
        "hardware_version": vm.hardware_version,
        "firmware": vm.firmware,
        "memory": memory_result(vm),
        "latency_sensitivity": vm.latency_sensitivity if isinstance(vm.latency_sensitivity, str) else None,
        "cpu_reservation_mhz": vm.cpu.reservation_mhz,
        "devices": [vm_device_result(device, vm.device_groups) for device in vm.devices],
    }


def vm_device_result(device: VmDevice, groups: Mapping[int, str]) -> dict[str, Any]:
    """One passthrough device of a VM. The keys after ``numa_node`` depend on the kind of backing. ``groups``: key → name of each group."""
    group = device.group_instance
    return {
        "key": device.key,
        "label": device.label,
        "backing": device.backing.kind,
        "group": None if group is None else {"key": group, "name": groups.get(group)},
        "numa_node": device.numa_node,
        **backing_result(device.backing),
    }


def backing_result(backing: Backing) -> dict[str, Any]:
    """The keys that depend on the kind of backing."""
    match backing:
        case FixedBacking():
            return {
                "address": backing.address,
                "vendor_id": backing.vendor_id,
                "device_id": backing.device_id,
                "system_id": backing.system_id,
            }
        case DynamicBacking():
            return {
                "address": backing.assigned_address,
                "allowed": [_allowed(entry) for entry in backing.allowed],
                "custom_label": backing.custom_label,
            }
        case VgpuBacking():
            return {"profile": backing.profile}
        case DvxBacking():
            return {"device_class": backing.device_class, "parameters": dict(backing.parameters)}
        case SriovBacking():
            return {
                "address": backing.virtual_function,
                "physical_function": backing.physical_function,
                "automatic": backing.is_automatic,
                "network": backing.network_name or None,
                "network_id": backing.network or None,
                "mac": backing.mac or None,
                "address_type": backing.address_type or None,
                "allow_guest_mtu_change": backing.allow_guest_mtu_change,
                **({"device_class": backing.dvx_class} if backing.dvx_class else {}),
            }
        case UnknownBacking():
            return {"type": backing.type_name}


def _allowed(entry: AllowedDevice) -> dict[str, str | None]:
    return {
        "vendor_id": entry.vendor_id,
        "device_id": entry.device_id,
        "subvendor_id": entry.subvendor_id,
        "subdevice_id": entry.subdevice_id,
    }


def offer_result(offer: Offer | None) -> dict[str, Any]:
    """The keys ``vgpu_profiles``, ``device_groups`` and ``dvx_classes`` of a host. Null when they were not read."""
    if offer is None:
        return dict.fromkeys(("vgpu_profiles", "device_groups", "dvx_classes"))
    return {
        "vgpu_profiles": [_profile(offer, name) for name in sorted(offer.offered | offer.known.keys())],
        "device_groups": [_group(group) for _name, group in sorted(offer.groups.items())],
        "dvx_classes": [_dvx_class(found) for _name, found in sorted(offer.classes.items())],
    }


def _profile(offer: Offer, name: str) -> dict[str, Any]:
    known = offer.known.get(name)
    return {
        "name": name,
        "offered": name in offer.offered,
        "sharing": known.sharing if known else None,
        "memory_gb": known.memory_gb if known else None,
        "gpu": known.model if known else None,
    }


def _group(group: OfferedGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "description": group.description,
        "can_be_attached": bool(group.parts) and all(part.backing is not None for part in group.parts),
        "devices": [_part(part) for part in group.parts],
    }


def _part(part: GroupPart) -> dict[str, Any]:
    more = {} if part.backing is None else {"backing": part.backing.kind, **backing_result(part.backing)}
    return {"type": part.type, "name": part.name, **more}


def _dvx_class(found: DvxClass) -> dict[str, Any]:
    return {
        "name": found.name,
        "label": found.label,
        "vendor": found.vendor,
        "for_network_adapters": found.for_nic,
        "parameters": [
            {
                "key": one.key,
                "label": one.label,
                "type": one.type,
                "minimum": one.minimum,
                "maximum": one.maximum,
                "choices": list(one.choices),
                "default": one.default,
            }
            for one in found.parameters
        ],
    }
