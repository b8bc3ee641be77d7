# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a healthy server leaves out each property that is read of a host or a VM. Nothing may be refused for that.

A property that is not in the table fails the tests: whoever reads a new one says how it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.api import data
from simulator.api.wire import Stored
from simulator.core.base import ManagedObject

ALWAYS = ""
"""A server that answers gives it."""
OLDER = "a release that does not know it"

HOSTS: Mapping[str, str] = {
    "name": ALWAYS,
    "parent": ALWAYS,
    "configManager.assignableHardwareManager": "before 7.0",
    "configManager.kernelModuleSystem": ALWAYS,
    "configManager.pciPassthruSystem": "a host that passes nothing through",
    "configManager.storageSystem": ALWAYS,
    "hardware.numaInfo": OLDER,
    "hardware.pciDevice": ALWAYS,
    "summary.hardware": ALWAYS,
    "summary.quickStats.overallCpuUsage": "a host that has just booted",
    "summary.quickStats.overallMemoryUsage": "a host that has just booted",
    "summary.hardware.cpuMhz": ALWAYS,
    "summary.rebootRequired": ALWAYS,
    "summary.maintenanceModeRequired": "before 9.1",
    "customValue": "no custom attribute has a value",
    "triggeredAlarmState": "no alarm",
    "recentTask": "no task",
    "capability.assignHwPciConfigSupported": "before 7.0.2",
    "capability.assignableHardwareSupported": "before 7.0",
    "capability.deviceRebindWithoutRebootSupported": "before 7.0",
    "capability.maintenanceModeSupported": ALWAYS,
    "capability.quickBootSupported": OLDER,
    "capability.rebootSupported": ALWAYS,
    "config.product.version": ALWAYS,
    "runtime.bootTime": "a host that is off",
    "runtime.connectionState": ALWAYS,
    "runtime.inMaintenanceMode": ALWAYS,
    "runtime.inQuarantineMode": "before 6.5, and without Proactive HA",
    "runtime.powerState": ALWAYS,
    "runtime.standbyMode": "a standalone host",
    "config.pciPassthruInfo": "a host that passes nothing through",
    "config.network.pnic": ALWAYS,
    "config.network.vswitch": "every switch is distributed",
    "config.network.proxySwitch": "no distributed switch",
    "config.network.opaqueSwitch": "no NSX",
    "config.network.portgroup": "no standard switch",
    "config.network.vnic": ALWAYS,
    "config.virtualNicManagerInfo.netConfig": ALWAYS,
    "config.storageDevice.hostBusAdapter": "a diskless host",
    "config.storageDevice.scsiLun": "a diskless host",
    "config.storageDevice.scsiTopology": "no adapter but NVMe",
    "config.storageDevice.multipathInfo": "a diskless host",
    "config.storageDevice.nvmeTopology": "no NVMe, or before 7.0",
    "config.storageDevice.plugStoreTopology": OLDER,
    "config.fileSystemVolume.mountInfo": "a diskless host",
    "config.fileSystemVolume.volumeTypeList": ALWAYS,
    "config.activeDiagnosticPartition": "core dumps go to a file or over the network",
    "config.vsanHostConfig": "no vSAN, or before 5.5",
    "config.graphicsInfo": "no GPU, or before 5.1",
    "config.graphicsConfig": "before 6.5",
    "config.sharedPassthruGpuTypes": "no GPU that provides vGPUs",
    "configManager.graphicsManager": OLDER,
    "configManager.serviceSystem": ALWAYS,
    "vm": "no VM",
    "network": "no network",
    "config.sriovDevicePool": "no NIC provides virtual functions, or before 6.5",
}

VMS: Mapping[str, str] = {
    "name": ALWAYS,
    "parent": "in a vApp",
    "resourcePool": "a template",
    "snapshot": "no snapshot",
    "customValue": HOSTS["customValue"],
    "recentTask": "no task",
    "config.managedBy": "nobody's",
    "config.latencySensitivity": "never set, or before 5.1",
    'config.extraConfig["maintenance.vm.evacuation.poweroff"]': "no such setting",
    "config.extraConfig": "no setting",
    "config.deviceGroups": "no vendor device group, or before 8.0.0.1",
    "summary.quickStats.hostMemoryUsage": "off",
    "runtime.faultToleranceState": ALWAYS,
    "runtime.host": "off, and assigned to no host",
    "runtime.powerState": ALWAYS,
    "runtime.connectionState": ALWAYS,
    "guest.toolsRunningStatus": ALWAYS,
    "guest.toolsVersionStatus2": "before 5.0",
    "guest.guestFamily": "VMware Tools do not run",
    "guest.guestOperationsReady": "before 5.0",
    "config.guestId": ALWAYS,
    "capability.memoryReservationLockSupported": "before 5.0",
    "config.template": ALWAYS,
    "config.changeVersion": ALWAYS,
    "config.version": ALWAYS,
    "config.createDate": "created before 6.7",
    "config.uuid": ALWAYS,
    "config.firmware": "before 5.0",
    "config.flags.vvtdEnabled": "before 6.7",
    "config.nestedHVEnabled": "before 5.1",
    "config.cpuHotAddEnabled": "never set",
    "config.memoryHotAddEnabled": "never set",
    "config.fixedPassthruHotPlugEnabled": "before 8.0.1",
    "config.memoryReservationLockedToMax": "never set, or before 5.0",
    "config.cpuAllocation": ALWAYS,
    "config.hardware.numCPU": ALWAYS,
    "config.memoryAllocation": ALWAYS,
    "config.hardware.memoryMB": ALWAYS,
    "config.hardware.device": ALWAYS,
    "config.files.vmPathName": ALWAYS,
}
LEFT_OUT: Mapping[tuple[str, str], str] = {
    **{("HostSystem", path): how for path, how in HOSTS.items()},
    **{("VirtualMachine", path): how for path, how in VMS.items()},
}
_NONE = ("none", "normal", "bios", "guestToolsNotInstalled")
"""Texts and levels that say the same as nothing."""


@dataclass(frozen=True, kw_only=True)
class Frugal:
    """A server that leaves out everything that says "none", where healthy servers do."""

    def means(self, obj: ManagedObject, path: str, kind: str) -> bool:
        return bool(LEFT_OUT.get((kind, path)))

    def applied(self, obj: ManagedObject, stored: Stored | None, fault: Any) -> tuple[Stored | None, Any]:
        return (None, fault) if stored is None or is_none(stored.value) else (stored, fault)


def is_none(value: Any) -> bool:
    """Whether a value says no more than its absence: false, empty, or made of nothing but that."""
    if isinstance(value, data.DataObject):
        return all(is_none(item) for name, item in value.__dict__.items() if not name.startswith("_"))
    if isinstance(value, list):
        return not value
    return not value or str(value) in _NONE
