# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a capture reads: all properties that plans, drift, prechecks and rolling reboots read. PRIVATE to the collection.

A test compares these tables with the calls of such runs, so that a property that they begin to read cannot be forgotten here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..property_collector.retrieve import DEVICES_PAGE, PAGE
from ..read.disk_paths import TOPOLOGIES
from ..sdk import DataObject, vim
from ..session.connect import Session

HOSTS: Mapping[type, Sequence[str]] = {
    vim.HostSystem: (
        "name",
        "parent",
        "vm",
        "network",
        "datastore",
        "customValue",
        "triggeredAlarmState",
        "runtime.connectionState",
        "runtime.powerState",
        "runtime.inMaintenanceMode",
        "runtime.inQuarantineMode",
        "runtime.standbyMode",
        "runtime.bootTime",
        "summary.hardware",
        "summary.maintenanceModeRequired",
        "summary.quickStats.overallCpuUsage",
        "summary.quickStats.overallMemoryUsage",
        "summary.rebootRequired",
        "capability.assignableHardwareSupported",
        "capability.assignHwPciConfigSupported",
        "capability.deviceRebindWithoutRebootSupported",
        "capability.maintenanceModeSupported",
        "capability.quickBootSupported",
        "capability.rebootSupported",
        "config.activeDiagnosticPartition",
        "config.fileSystemVolume.mountInfo",
        "config.fileSystemVolume.volumeTypeList",
        "config.graphicsConfig",
        "config.graphicsInfo",
        "config.network.opaqueSwitch",
        "config.network.pnic",
        "config.network.portgroup",
        "config.network.proxySwitch",
        "config.network.vnic",
        "config.network.vswitch",
        "config.pciPassthruInfo",
        "config.product",
        "config.sharedGpuCapabilities",
        "config.sharedPassthruGpuTypes",
        "config.sriovDevicePool",
        "config.storageDevice.hostBusAdapter",
        "config.storageDevice.scsiLun",
        *TOPOLOGIES,
        "config.virtualNicManagerInfo.netConfig",
        "config.vsanHostConfig",
        "configManager.assignableHardwareManager",
        "configManager.graphicsManager",
        "configManager.kernelModuleSystem",
        "configManager.pciPassthruSystem",
        "configManager.serviceSystem",
        "configManager.storageSystem",
        "configManager.vsanInternalSystem",
        "hardware.cpuInfo",
        "hardware.dvxClasses",
        "hardware.memorySize",
        "hardware.numaInfo",
        "hardware.pciDevice",
        "hardware.systemInfo",
    )
}
_COMPUTE = (
    "name",
    "parent",
    "host",
    "datastore",
    "network",
    "resourcePool",
    "environmentBrowser",
    "customValue",
    "triggeredAlarmState",
)
OTHERS: Mapping[type, Sequence[str]] = {
    vim.VirtualMachine: (
        "name",
        "parent",
        "resourcePool",
        "datastore",
        "network",
        "snapshot",
        "customValue",
        "guestHeartbeatStatus",
        "runtime.connectionState",
        "runtime.faultToleranceState",
        "runtime.host",
        "runtime.powerState",
        "guest.guestFamily",
        "guest.ipAddress",
        "guest.toolsRunningStatus",
        "guest.toolsVersionStatus2",
        "capability.memoryReservationLockSupported",
        "config.changeVersion",
        "config.cpuAllocation",
        "config.cpuHotAddEnabled",
        "config.createDate",
        "config.deviceGroups",
        "config.extraConfig",
        "config.files.vmPathName",
        "config.firmware",
        "config.fixedPassthruHotPlugEnabled",
        "config.flags.vvtdEnabled",
        "config.guestId",
        "config.hardware.device",
        "config.hardware.memoryMB",
        "config.hardware.numCPU",
        "config.instanceUuid",
        "config.latencySensitivity",
        "config.managedBy",
        "config.memoryAllocation",
        "config.memoryHotAddEnabled",
        "config.memoryReservationLockedToMax",
        "config.nestedHVEnabled",
        "config.template",
        "config.uuid",
        "config.version",
        "summary.quickStats.hostMemoryUsage",
    ),
    vim.ClusterComputeResource: (*_COMPUTE, "configurationEx", "summary"),
    vim.ComputeResource: _COMPUTE,
    vim.ResourcePool: ("name", "parent", "owner", "config.memoryAllocation", "runtime.memory.unreservedForVm"),
    vim.Folder: ("name", "parent", "childType", "customValue"),
    vim.Datacenter: ("name", "parent", "vmFolder", "hostFolder", "datastoreFolder", "networkFolder"),
    vim.Datastore: ("name", "parent", "host", "summary.type", "summary.capacity", "summary.url"),
    vim.Network: ("name", "parent"),
    vim.dvs.DistributedVirtualPortgroup: ("name", "parent", "key", "config.distributedVirtualSwitch"),
    vim.DistributedVirtualSwitch: ("name", "parent", "uuid"),
}
"""Everything but hosts. A virtual app is a resource pool, an opaque network is a network."""
PAGES = ((HOSTS, PAGE), (OTHERS, DEVICES_PAGE))
FIELDS: Mapping[type, Sequence[str]] = {vim.CustomFieldsManager: ("field",)}
BINDINGS: Mapping[type, Sequence[str]] = {vim.host.AssignableHardwareManager: ("binding",)}
ALARMS: Mapping[type, Sequence[str]] = {vim.alarm.Alarm: ("info.name",)}
WANTED_SETTINGS = ("maintenance.vm.evacuation.poweroff",)
"""Settings of a VM that are kept beside those of ``OWN_SETTING``."""
SETTINGS = ("vgpu.hotmigrate.enabled",)
"""Advanced settings of the vCenter that are read."""
COMPUTED = (
    "ClusterEnterMaintenanceMode",
    "CurrentTime",
    "HasPrivilegeOnEntities",
    "QueryBootDevices",
    "QueryCmmds",
    "QueryConfigOption",
    "QueryConfigOptionDescriptor",
    "QueryConfigOptionEx",
    "QueryConfigTarget",
    "QueryConfiguredModuleOptionString",
    "QueryEvents",
    "QuerySyncingVsanObjects",
    "RetrieveHardwareUptime",
    "DirectPathProfileManagerList",
    "DirectPathProfileManagerQueryCapacity",
)
"""Methods whose answers the twin computes: from the hardware and the VMs of the capture, from its clock, or from what happens in it."""


def known_paths(session: Session, table: Mapping[type, Sequence[str]]) -> dict[type, list[str]]:
    """The paths of a table that the API version of the session has."""
    return {kind: [path for path in paths if _is_known(session, kind, path)] for kind, paths in table.items()}


def _is_known(session: Session, kind: Any, path: str) -> bool:
    """Whether each part of a path exists in the API version."""
    for part in path.split("."):
        if not session.knows(kind, part):
            return False
        declared = kind._GetPropertyInfo(part).type
        if not isinstance(declared, type) or not issubclass(declared, DataObject):
            return True
        kind = declared
    return True
