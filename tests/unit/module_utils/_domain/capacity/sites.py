# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small sites for the tests of capacity: hosts with cards, and VMs that have some."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import Host, HostDevice
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import (
    AllowedDevice,
    Backing,
    DynamicBacking,
    FixedBacking,
    MemoryState,
    Vm,
    VmDevice,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.observed_vms import ObservedVms
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.placement import ClusterPlacement
from tests.unit.module_utils._domain.strategies import host as a_host

CLUSTER = "domain-c-1"
HA = ClusterPlacement(drs_enabled=True, ha_enabled=True)


def card(number: int, *, device_id: str = "20f1", **more: Any) -> HostDevice:
    """An active A100 at a bus of its own, unless something else is said."""
    values = {"class_id": "0302", "capable": True, "enabled": True, "active": True, "name": "A100", **more}
    return HostDevice(address=address(number), vendor_id="10de", device_id=device_id, **values)


def address(number: int) -> str:
    return f"0000:{0x30 + number:02x}:00.0"


def host(number: int, *devices: HostDevice, **more: Any) -> Host:
    values = {
        "moid": f"host-{number}", "name": f"esx-{number:02d}", "cluster": "gpu", "compute_moid": CLUSTER, "devices": devices,
        "users": {}, "residents": frozenset(), "unread_vms": (), "unreadable": (), **more,
    }  # fmt: skip
    return replace(a_host(), **values)


def dynamic(assigned: str | None = None, *, device_id: str = "20f1") -> DynamicBacking:
    return DynamicBacking(allowed=(AllowedDevice(vendor_id="10de", device_id=device_id),), assigned_address=assigned)


def fixed(where: str) -> FixedBacking:
    return FixedBacking(address=where, vendor_id="10de", device_id="20f1", system_id="1", text=where, readings=(where,))


def vm(number: int, on: int, *backings: Backing, power: str = "poweredOn", **more: Any) -> Vm:
    """A VM on the host ``on`` with these devices."""
    devices = tuple(VmDevice(key=13000 + key, label="", backing=backing) for key, backing in enumerate(backings))
    return Vm(
        moid=f"vm-{number}", name=f"vm-{number:02d}", host_moid=f"host-{on}", host_name=f"esx-{on:02d}", cluster="gpu",
        power_state=power, memory=MemoryState(size_mb=1024), devices=devices, **more,
    )  # fmt: skip


def site(hosts: list[Host], *vms: Vm, placement: ClusterPlacement | None = HA, **more: Any) -> ObservedVms:
    return ObservedVms(others=vms, hosts=tuple(hosts), placements={CLUSTER: placement}, **more)
