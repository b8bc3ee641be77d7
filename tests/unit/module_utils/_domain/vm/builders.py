# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small worlds for the tests, and what the writers do to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import (
    Host,
    HostCapabilities,
    HostDevice,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import (
    AllowedDevice,
    DynamicBacking,
    FixedBacking,
    MemoryState,
    PoolState,
    Vm,
    VmDevice,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.details import (
    Detach,
    DynamicSpec,
    ExtraConfig,
    FixedSpec,
    HotAdd,
    MemoryWrite,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.plan import Plan, TargetPlan
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.desired.units import parse_vm_devices
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.devices.plan import (
    DesiredVm,
    ObservedVms,
    plan_vm_devices,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.memory import merge_writes

A100, T4, NIC = "10de:20f1", "10de:1eb8", "8086:1572"
NAMES = {A100: "A100-PCIE-40GB", T4: "Tesla T4", NIC: "Ethernet Controller X710"}
CLASSES = {A100: "0302", T4: "0302", NIC: "0200"}


def card(address: str, ids: str = A100, **fields: Any) -> HostDevice:
    """An active card at ``0000:<address>``."""
    vendor_id, device_id = ids.split(":")
    values = {"capable": True, "enabled": True, "active": True, "name": NAMES.get(ids, "some card")}
    values["class_id"] = CLASSES.get(ids, "0000")
    return HostDevice(address=f"0000:{address}", vendor_id=vendor_id, device_id=device_id, **{**values, **fields})


def esx(name: str = "esx-01", *devices: HostDevice, **fields: Any) -> Host:
    values: dict[str, Any] = {
        "moid": f"host-{name}",
        "cluster": "gpu",
        "compute_moid": "domain-c1",
        "capabilities": HostCapabilities(assignable_hardware=True, hardware_labels=True),
    }
    return Host(name=name, devices=devices, **{**values, **fields})


WINDOW = {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "512"}
"""The settings of a VM that has room for the BARs of its cards."""


def guest(name: str = "train-01", *devices: VmDevice, host: str | None = "esx-01", **fields: Any) -> Vm:
    memory = fields.pop("memory", {})
    state = memory if isinstance(memory, MemoryState) else MemoryState(**{"size_mb": 8192, **memory})
    values: dict[str, Any] = {
        "moid": f"vm-{name}",
        "host_moid": f"host-{host}" if host else None,
        "host_name": host,
        "cluster": "gpu",
        "hardware_version": 19,
        "firmware": "efi",
        "tools_running": True,
        "memory": state,
    }
    return Vm(name=name, devices=devices, **{**values, **fields})


def locked(size_mb: int = 8192) -> MemoryState:
    return MemoryState(size_mb=size_mb, reservation_mb=size_mb, locked_to_max=True)


def pool(unreserved: int | None) -> PoolState:
    return PoolState(name="gold", unreserved_for_vm_mb=unreserved, expandable=False, reservation_mb=4096)


def fixed(
    address: str | None, ids: str = A100, key: int = 13000, system_id: str | None = None, **more: Any
) -> VmDevice:
    vendor_id, device_id = ids.split(":")
    backing = FixedBacking(
        address=f"0000:{address}" if address else None, vendor_id=vendor_id, device_id=device_id, system_id=system_id
    )
    return VmDevice(key=key, label=f"PCI device {key - 13000}", backing=backing, **more)


def dynamic(*ids: str, key: int = 13000, label: str | None = None, at: str | None = None, **more: Any) -> VmDevice:
    models = tuple(AllowedDevice(vendor_id=one[:4], device_id=one[5:]) for one in ids or (A100,))
    backing = DynamicBacking(allowed=models, custom_label=label, assigned_address=f"0000:{at}" if at else None)
    return VmDevice(key=key, label=f"PCI device {key - 13000}", backing=backing, **more)


def desired(vm: Vm, *devices: Any, **fields: Any) -> DesiredVm:
    selected, units = parse_vm_devices(list(devices))
    return DesiredVm(target=vm.name, moid=vm.moid, devices=selected, units=units, **fields)


def observed(vms: Sequence[Vm], hosts: Sequence[Host], **fields: Any) -> ObservedVms:
    """Everything read: limits of 16, a system id per host, all active devices offered."""
    values: dict[str, Any] = {
        "limits": {vm.moid: 16 for vm in vms},
        "system_ids": {host.moid: f"sys-{host.name}" for host in hosts},
        "offered": {host.moid: frozenset(d.address for d in host.devices if d.active) for host in hosts},
    }
    return ObservedVms(vms=tuple(vms), hosts=tuple(hosts), **{**values, **fields})


def plan_one(vm: Vm, hosts: Sequence[Host], *devices: Any, others: Sequence[Vm] = (), **fields: Any) -> TargetPlan:
    """The plan of one wished VM."""
    details = {key: fields.pop(key) for key in ("limits", "system_ids", "offered") if key in fields}
    made = plan_vm_devices(observed([vm], hosts, others=tuple(others), **details), [desired(vm, *devices, **fields)])
    return made.targets[0]


def codes(target: TargetPlan) -> list[str]:
    return [blocker.code for blocker in target.blockers]


def kinds(target: TargetPlan) -> list[str]:
    return [change.kind for change in target.changes]


def subjects(target: TargetPlan, kind: str = "attach") -> list[str]:
    return [change.subject for change in target.changes if change.kind == kind]


def remember(memory: MemoryState, write: MemoryWrite) -> MemoryState:
    """What the server makes of a memory write: a lock carries the reservation to the size."""
    if write.locked is not None:
        memory = replace(memory, locked_to_max=write.locked)
    if write.reservation_mb is not None:
        memory = replace(memory, reservation_mb=write.reservation_mb)
    if memory.locked_to_max:
        memory = replace(memory, reservation_mb=memory.size_mb)
    return replace(memory, limit_mb=None) if write.unlimited else memory


def carry_out(vm: Vm, target: TargetPlan) -> Vm:
    """The VM after the effective changes of its plan."""
    devices = list(vm.devices)
    extra: Mapping[str, str] = vm.extra_config
    for change in target.effective:
        match change.detail:
            case Detach(key=key):
                devices = [device for device in devices if device.key != key]
            case FixedSpec() | DynamicSpec():
                key = max([12999, *(device.key for device in devices)]) + 1
                devices.append(VmDevice(key=key, label=f"PCI device {key}", backing=_backing(change.detail)))
            case HotAdd(memory=memory, cpu=cpu):
                hot = replace(vm.memory, hot_add=vm.memory.hot_add if memory is None else memory)
                vm = replace(vm, memory=hot, cpu_hot_add=vm.cpu_hot_add if cpu is None else cpu)
            case ExtraConfig(key=name, value=value):
                extra = {**extra, name: value}
        if change.kind in ("shutdown", "power_on"):
            vm = replace(vm, power_state=change.after)
    memory_after = remember(vm.memory, merge_writes(target.effective))
    return replace(vm, devices=tuple(devices), extra_config=extra, memory=memory_after)


def _backing(spec: FixedSpec | DynamicSpec) -> FixedBacking | DynamicBacking:
    if isinstance(spec, FixedSpec):
        return FixedBacking(
            address=spec.address, vendor_id=spec.vendor_id, device_id=spec.device_id, system_id=spec.system_id
        )
    return DynamicBacking(allowed=spec.allowed, custom_label=spec.custom_label)


def carry_out_all(before: ObservedVms, plan: Plan) -> ObservedVms:
    table = {target.moid: target for target in plan.targets}
    return replace(before, vms=tuple(carry_out(vm, table[vm.moid]) if vm.moid in table else vm for vm in before.vms))
