# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an anonymized capture may contain as it is: values of enumerations, versions, PCI ids and PCI names. All else is replaced.

Names are ``Type.field`` of an object of the API, or ``Type:path`` of a property. A field of a later release is not in these lists, so its
texts are replaced and its numbers become 0.
"""

from __future__ import annotations

import re

TEXTS = frozenset(
    """
    AboutInfo.apiType AboutInfo.apiVersion AboutInfo.build AboutInfo.fullName AboutInfo.licenseProductName
    AboutInfo.licenseProductVersion AboutInfo.localeBuild AboutInfo.localeVersion AboutInfo.name AboutInfo.osType
    AboutInfo.patchLevel AboutInfo.productLineId AboutInfo.vendor AboutInfo.version
    AlarmState.overallStatus ClusterComputeResourceSummary.overallStatus ClusterConfigInfoEx.vmSwapPlacement
    ClusterDasConfigInfo.hBDatastoreCandidatePolicy ClusterDasConfigInfo.hostMonitoring ClusterDasConfigInfo.vmComponentProtecting
    ClusterDasConfigInfo.vmMonitoring ClusterDrsConfigInfo.defaultVmBehavior ClusterDrsVmConfigInfo.behavior
    CustomFieldDef.managedObjectType CustomFieldDef.type Datastore:summary.type Folder:childType
    HostBlockHba.driver HostBlockHba.status HostBlockHba.storageProtocol HostDiagnosticPartition.diagnosticType
    HostDiagnosticPartition.storageType HostDiskPartitionAttributes.type HostDiskPartitionBlockRange.type
    HostDiskPartitionSpec.partitionFormat HostDvxClass.deviceClass HostFibreChannelHba.driver HostFibreChannelHba.portType
    HostFibreChannelHba.status HostFibreChannelHba.storageProtocol HostFileSystemMountInfo.vStorageSupport
    HostFileSystemVolume.type HostGraphicsConfig.hostDefaultGraphicsType HostGraphicsConfig.sharedPassthruAssignmentPolicy
    HostGraphicsConfigDeviceType.graphicsType HostGraphicsConfigDeviceType.vgpuMode HostGraphicsInfo.deviceName
    HostGraphicsInfo.graphicsType HostGraphicsInfo.vendorName HostGraphicsInfo.vgpuMode HostHostBusAdapter.driver
    HostHostBusAdapter.status HostHostBusAdapter.storageProtocol HostInternetScsiHba.driver HostInternetScsiHba.status
    HostMountInfo.accessMode HostMultipathInfoHppLogicalUnitPolicy.policy HostMultipathInfoLogicalUnitPolicy.policy
    HostMultipathInfoPath.pathState HostMultipathInfoPath.state HostNasVolume.type HostNumaInfo.type
    HostNvmeController.transportType HostParallelScsiHba.driver HostParallelScsiHba.status
    HostPciDevice.deviceClassName HostPciDevice.deviceName HostPciDevice.vendorName
    HostPciPassthruInfoDirectPathState.configurableModes HostPciPassthruInfoDirectPathState.mode
    HostPcieHba.driver HostPcieHba.status HostPcieHba.storageProtocol
    HostScsiDisk.applicationProtocol HostScsiDisk.deviceType HostScsiDisk.lunType HostScsiDisk.operationalState
    HostScsiDisk.scsiDiskType HostScsiDisk.vStorageSupport HostSharedGpuCapabilities.vgpu
    HostSystem:config.fileSystemVolume.volumeTypeList HostSystem:config.sharedPassthruGpuTypes
    HostSystem:runtime.connectionState HostSystem:runtime.powerState HostSystem:runtime.standbyMode
    HostVfatVolume.type HostVmfsVolume.type HostVmfsVolume.unmapPriority
    HostVmfsVolume.version LatencySensitivity.level ParaVirtualSCSIController.sharedBus PhysicalNic.driver
    ScsiLun.deviceType ScsiLun.lunType ScsiLun.operationalState ScsiLunDescriptor.quality SharesInfo.level
    VirtualDeviceGroupsVendorDeviceGroup.deviceGroupName VirtualDiskFlatVer2BackingInfo.diskMode
    VirtualMachine:config.firmware VirtualMachine:config.guestId VirtualMachine:config.version VirtualMachine:guest.guestFamily
    VirtualMachine:guest.toolsRunningStatus VirtualMachine:guest.toolsVersionStatus2 VirtualMachine:guestHeartbeatStatus
    VirtualMachine:runtime.connectionState VirtualMachine:runtime.faultToleranceState VirtualMachine:runtime.powerState
    VirtualMachineSnapshotTree.state VirtualMachineVideoCard.use3dRenderer VirtualNicManagerNetConfig.nicType
    VirtualPCIPassthroughDvxBackingInfo.deviceClass
    VirtualPCIPassthroughVmiopBackingInfo.vgpu
    ElementDescription.key OptionDef.key VirtualMachineVendorDeviceGroupInfo.deviceGroupName
    VirtualMachineVendorDeviceGroupInfoComponentDeviceInfo.type
    VirtualE1000.addressType VirtualE1000e.addressType VirtualSriovEthernetCard.addressType VirtualVmxnet3.addressType
    """.split()
)
"""Texts that are kept. The model and the vendor of a server, a disk or an adapter are not among them."""

NUMBERS = frozenset(
    """
    attributes block blockSize blockSizeMb bus busNumber capacity capacityInBlocks capacityInBytes capacityInKB channelNumber
    classId controllerKey controllerNumber cpuID cpuMhz currentFailoverLevel device deviceId effectiveCpu effectiveMemory
    endSector failoverLevel function groupInstanceKey hz id key limit lun lunNumber majorVersion maxBlocks
    maxVirtualFunctionSupported memoryRangeBegin memoryRangeLength memorySize memorySizeInKB mtu numCpuCores numCpuPackages
    numCpuPkgs numCpuThreads numDisplays numEffectiveHosts numHBAs numHosts numNics numNodes numPorts numPortsAvailable
    numVirtualFunction numVirtualFunctionRequested numVmotions numberOfQueues partition pciSlotNumber physicalSlot queueDepth
    queueSize reservation scsiCtlrUnitNumber scsiLevel sequenceId shares slot slots speed speedMb startSector subDeviceId
    subVendorId numaNode target targetNumber totalCpu totalMemory totalSectors typeId unitNumber unmapGranularity usedMemory vendorId
    videoRamSizeInKB vmotionRate cpuFailoverResourcesPercent memoryFailoverResourcesPercent currentCpuFailoverResourcesPercent
    currentMemoryFailoverResourcesPercent formatVersion startOrder
    defaultIndex defaultValue max min
    config.hardware.memoryMB config.hardware.numCPU hardware.memorySize runtime.memory.unreservedForVm summary.capacity
    summary.quickStats.hostMemoryUsage summary.quickStats.overallCpuUsage summary.quickStats.overallMemoryUsage
    """.split()
)
"""Fields and properties whose numbers are kept. All others become 0: the names of Fibre Channel adapters (WWN) are numbers, too."""

GPT_TYPES = frozenset(
    """
    4eb2ea39-7855-4790-a79e-fae495e21f8d 9d275380-40ad-11db-bf97-000c2911d1b8 aa31e02a-400f-11db-9590-000c2911d1b8
    381cfccc-7288-11e0-92ee-000c2911d0b2 c12a7328-f81f-11d2-ba4b-00a0c93ec93b ebd0a0a2-b9e5-4433-87c0-68b6b72699c7
    """.split()
)
"""Types of partitions, which are the same everywhere."""

NAMES = frozenset(
    """
    Resources vm host datastore network ha-datacenter ha-folder-root Datacenters BOOTBANK1 BOOTBANK2 Hypervisor1 Hypervisor2
    Hypervisor3 LOCKER OSDATA BYPASS none defaultTcpipStack vSphereProvisioning vmotion unavailable com.vmware.vim.eam
    """.split()
) | {"VM Network", "Management Network", ""}
"""Names that every installation has, and words that stand for no name."""

DEVICE_LABEL = re.compile(
    r"(PCI device|SR-IOV network adapter|Network adapter|Hard disk|SCSI controller|SATA controller|NVME controller|USB xHCI controller|"
    r"USB controller|IDE|PS2 controller|PCI controller|SIO controller|Keyboard|Pointing device|Video card|VMCI device|CD/DVD drive|"
    r"Floppy drive|Serial port|Parallel port|USB|Device on the virtual machine PCI bus that provides support for the virtual machine "
    r"communication interface|VMware paravirtual SCSI) ?[0-9]*"
)
"""The labels that vCenter gives to devices of VMs."""

KERNEL = re.compile(
    r"(vmnic|vmhba|vmk|vusb|vSwitch)[0-9]+|vmhba[0-9]+(:C[0-9]+)?(:T?[0-9]+)?(:L?[0-9]+)?|pcie\.vmhba[0-9]+(:[0-9]+)*|"
    r"mpx\.vmhba[0-9]+:C[0-9]+:T[0-9]+:L[0-9]+"
)
"""Names that the kernel of ESXi gives to its adapters and paths."""

PCI_ID = re.compile(r"(0x)?[0-9a-fA-F]{1,8}")
PCI_IDS = frozenset({"HostNvmeController.vendorId", "VirtualPCIPassthroughDeviceBackingInfo.deviceId"})
"""Texts that are PCI ids."""

PCI_ADDRESS = re.compile(r"(Automatic-|pci-)?[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7]")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z?")
MOID = re.compile(
    r"(domain-[cs]|group-[dhvnsp]|host|vm|datastore|network|dvportgroup|dvs|resgroup|resgroup-v|datacenter|alarm|envbrowser|snapshot|task|"
    r"(assignableHardwareManager|graphicsManager|kernelModuleSystem|pciPassthruSystem|serviceSystem|storageSystem|vsanInternalSystem|"
    r"assignablehardwaremanager|graphicsmanager|kernelmodulesystem|pcipassthrusystem|servicesystem|storagesystem|vsaninternalsystem))"
    r"-?[0-9]+|[0-9]{1,9}|ha-(host|datacenter|folder-(root|vm|host|datastore|network)|compute-res|compute-res-env|root-pool|"
    r"[a-z]{5,30}(manager|system|browser))|CustomFieldsManager|Ha[A-Z][A-Za-z]{4,30}Manager"
)
"""Ids that vCenter and ESXi give to objects. Others may contain names, as those of networks of an ESXi host do."""

SETTING_KEY = re.compile(
    r"pciPassthru(\.use64bitMMIO|\.64bitMMIOSizeGB|[0-9]{1,2}\.cfg\.enable_(uvm|debugging|profiling))|"
    r"maintenance\.vm\.evacuation\.poweroff|VgpuMMAutomationTimeoutSecs|vgpu\.hotmigrate\.enabled",
    re.IGNORECASE,
)
SETTING_VALUE = re.compile(r"true|false|-?[0-9]{1,6}", re.IGNORECASE)
"""The settings whose key and value are kept."""

FILE_TYPES = frozenset("vmx vmdk vmtx vmsd vmsn nvram iso flp img log vswp".split())
NIC_TYPES = frozenset(
    """
    faultToleranceLogging management vSphereProvisioning vSphereReplication vSphereReplicationNFC vSphereBackupNFC vmotion vsan
    vsanWitness vsanExternal nvmeTcp nvmeRdma
    """.split()
)
