# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`config`, `summary`, `guest` and the base devices of a virtual machine, built from its specification."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

from pyVmomi import vim
from pyVmomi.VmomiSupport import F_OPTIONAL

from ...api import data, names
from ...rules import limits
from ...rules.vm import devices as device_rules
from ..host import config as host_config
from ..pci import optional
from ..specs import VmSpec
from . import media as vm_media
from .state import VmState

DEVICE = vim.vm.device
GUEST_NAMES = {
    "ubuntu64Guest": "Ubuntu Linux (64-bit)",
    "windows2019srv_64Guest": "Microsoft Windows Server 2019 (64-bit)",
}


def _info(label: str, summary: str = "") -> Any:
    return data.new(vim.Description, label=label, summary=summary or label)


@cache
def _base_devices() -> tuple[Any, ...]:
    """Devices every VM has; shared between VMs, so nobody may change them in place."""
    new = data.new
    return (
        new(DEVICE.VirtualIDEController, key=200, deviceInfo=_info("IDE 0"), busNumber=0),
        new(DEVICE.VirtualIDEController, key=201, deviceInfo=_info("IDE 1"), busNumber=1),
        new(DEVICE.VirtualPS2Controller, key=300, deviceInfo=_info("PS2 controller 0"), busNumber=0, device=[600, 700]),
        new(DEVICE.VirtualSIOController, key=400, deviceInfo=_info("SIO controller 0"), busNumber=0),
        new(
            DEVICE.VirtualVideoCard, key=500, deviceInfo=_info("Video card "), controllerKey=100, unitNumber=0,
            videoRamSizeInKB=4096, numDisplays=1, useAutoDetect=False, enable3DSupport=False,
        ),
        new(DEVICE.VirtualKeyboard, key=600, deviceInfo=_info("Keyboard"), controllerKey=300, unitNumber=0),
        new(DEVICE.VirtualPointingDevice, key=700, deviceInfo=_info("Pointing device"), controllerKey=300, unitNumber=1),
        new(
            DEVICE.ParaVirtualSCSIController, key=1000, deviceInfo=_info("SCSI controller 0", "VMware paravirtual SCSI"),
            controllerKey=100, unitNumber=3, busNumber=0, device=[2000], hotAddRemove=True, sharedBus="noSharing",
            scsiCtlrUnitNumber=7,
        ),
        new(DEVICE.VirtualVMCIDevice, key=12000, deviceInfo=_info("VMCI device"), controllerKey=100, unitNumber=17),
    )  # fmt: skip


def default_devices() -> list[Any]:
    """What every new VM has by itself (API reference, VirtualMachineConfigOption.defaultDevice): no storage and no network."""
    return [item for item in _base_devices() if not isinstance(item, DEVICE.VirtualSCSIController)]


def _with_3d(device: Any, renderer: str) -> Any:
    """The video card with 3D graphics, `use3dRenderer` since 5.1; every other device as it is."""
    if not renderer or not isinstance(device, DEVICE.VirtualVideoCard):
        return device
    card = data.clone(device)
    card.enable3DSupport, card.use3dRenderer = True, renderer
    return card


def pci_controller(devices: list[Any]) -> Any:
    """Controller 100 with the keys of everything on it."""
    return data.new(
        DEVICE.VirtualPCIController,
        key=device_rules.PCI_CONTROLLER,
        deviceInfo=_info("PCI controller 0"),
        busNumber=0,
        device=[item.key for item in devices if item.controllerKey == device_rules.PCI_CONTROLLER],
    )


def with_controller(devices: list[Any]) -> list[Any]:
    """The list with controller 100 rebuilt for its members."""
    rest = [item for item in devices if item.key != device_rules.PCI_CONTROLLER]
    return sorted([pci_controller(rest), *rest], key=lambda item: item.key)


def _disk(vm: VmState) -> Any:
    store = vm.datastore
    backing = data.new(
        DEVICE.VirtualDisk.FlatVer2BackingInfo,
        fileName=vm.spec.file("vmdk"),
        diskMode="persistent",
        datastore=store.ref if store is not None else None,
        thinProvisioned=True,
    )
    return data.new(
        DEVICE.VirtualDisk,
        key=2000,
        deviceInfo=_info("Hard disk 1"),
        controllerKey=1000,
        unitNumber=0,
        backing=backing,
        capacityInKB=64 * 1024 * 1024,
        **optional(DEVICE.VirtualDisk, capacityInBytes=64 * 1024**3),
    )


def _nic(vm: VmState) -> Any:
    number = int(vm.spec.uuid.replace("-", "")[:6], 16)
    network = vm.network
    backing = data.new(
        DEVICE.VirtualEthernetCard.NetworkBackingInfo,
        deviceName=vm.spec.network,
        network=network.ref if network is not None else None,
    )
    return data.new(
        DEVICE.VirtualVmxnet3,
        key=4000,
        deviceInfo=_info("Network adapter 1", vm.spec.network),
        controllerKey=100,
        unitNumber=7,
        backing=backing,
        connectable=data.new(
            DEVICE.VirtualDevice.ConnectInfo, startConnected=True, allowGuestControl=True, connected=vm.is_on
        ),
        addressType="assigned",
        macAddress=f"00:50:56:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}",
        wakeOnLanEnabled=True,
    )


def hardware_devices(vm: VmState) -> list[Any]:
    """All devices at the start: the base ones, a disk, a network card, and the passthrough ones of the lab."""
    base = [_with_3d(device, vm.spec.graphics_3d) for device in _base_devices()]
    return with_controller([*base, _disk(vm), _nic(vm), *vm_media.devices(vm), *vm.first_devices])


def _allocation(reservation: int, limit: int, shares: int) -> Any:
    return data.new(
        vim.ResourceAllocationInfo,
        reservation=reservation,
        expandableReservation=False,
        limit=limit,
        shares=data.new(vim.SharesInfo, shares=shares, level="normal"),
    )


def groups(config: Any) -> list[Any]:
    """The vendor device groups of a VM (8.0.0.1 and later)."""
    found = getattr(config, "deviceGroups", None)
    return list(found.deviceGroup or []) if found is not None else []


def set_groups(config: Any, found: dict[int, str]) -> None:
    """Show these groups, key -> name; none at all where the VM never had one."""
    if not found and not groups(config):
        return
    kinds = vim.vm.VirtualDeviceGroups
    config.deviceGroups = data.new(
        kinds,
        deviceGroup=[
            data.new(kinds.VendorDeviceGroup, groupInstanceKey=key, deviceGroupName=name)
            for key, name in sorted(found.items())
        ],
    )


def option_values(extra: dict[str, str]) -> list[Any]:
    """extraConfig as the API shows it, by key."""
    return [data.new(vim.option.OptionValue, key=key, value=extra[key]) for key in sorted(extra)]


def _boot_options() -> Any:
    """Nothing chosen: the defaults of the API reference."""
    cls = vim.vm.BootOptions
    values = optional(cls, efiSecureBootEnabled=False, networkBootProtocol="ipv4")
    return data.new(cls, bootDelay=0, enterBIOSSetup=False, bootRetryEnabled=False, bootRetryDelay=10000, **values)


def _store_urls(vm: VmState) -> list[Any]:
    if vm.datastore is None:
        return []
    return [data.new(vim.vm.ConfigInfo.DatastoreUrlPair, name=vm.datastore.name, url=vm.datastore.props["info"].url)]


def _tools() -> Any:
    """Scripts run at every change of power, nothing upgrades by itself (API reference, ToolsConfigInfo)."""
    cls = vim.vm.ToolsConfigInfo
    scripts = ("afterPowerOn", "afterResume", "beforeGuestStandby", "beforeGuestShutdown")
    return data.new(
        cls,
        toolsVersion=0,
        toolsUpgradePolicy="manual",
        syncTimeWithHost=False,
        lastInstallInfo=data.new(cls.ToolsLastInstallInfo, counter=0),
        **dict.fromkeys(scripts, True),
    )


def config(vm: VmState) -> Any:
    """Build `VirtualMachineConfigInfo`."""
    found = _config(vm)
    names = [str(entry["group"]) for entry in vm.spec.devices if "group" in entry]
    set_groups(found, dict(enumerate(names)))
    return found


def _config(vm: VmState) -> Any:
    spec = vm.spec
    cls = vim.vm.ConfigInfo
    flags = data.new(vim.vm.FlagInfo, **optional(vim.vm.FlagInfo, vvtdEnabled=False, vbsEnabled=False))
    hardware = data.new(
        vim.vm.VirtualHardware,
        numCPU=spec.cpus,
        numCoresPerSocket=1,
        memoryMB=spec.memory_mb,
        device=hardware_devices(vm),
        **optional(vim.vm.VirtualHardware, motherboardLayout="i440bxHostBridge"),
    )
    return data.new(
        cls,
        changeVersion=vm.next_change_version(),
        modified=vm.sim.clock.start,
        name=vm.name,
        guestId=spec.guest,
        guestFullName=GUEST_NAMES.get(spec.guest, spec.guest),
        alternateGuestName="",
        version=limits.vmx(spec.version),
        uuid=spec.uuid,
        instanceUuid="50" + spec.uuid[2:],
        annotation=spec.annotation,
        managedBy=vim.ext.ManagedByInfo(extensionKey=spec.managed_by, type="agent") if spec.managed_by else None,
        template=spec.template,
        datastoreUrl=_store_urls(vm),
        files=data.new(vim.vm.FileInfo, vmPathName=spec.file("vmx")),
        flags=flags,
        defaultPowerOps=data.new(vim.vm.DefaultPowerOpInfo, powerOffType="soft", resetType="soft", suspendType="hard"),
        hardware=hardware,
        cpuAllocation=_allocation(spec.cpus * host_config.MHZ if spec.latency == "high" else 0, -1, spec.cpus * 1000),
        memoryAllocation=_allocation(
            spec.memory_mb if spec.locked else spec.reservation_mb, spec.limit_mb, 10 * spec.memory_mb
        ),
        memoryHotAddEnabled=spec.memory_hot_add,
        cpuHotAddEnabled=spec.cpu_hot_add,
        cpuHotRemoveEnabled=False,
        extraConfig=option_values(dict(spec.extra)),
        bootOptions=_boot_options(),
        tools=_tools(),
        firmware=spec.firmware,
        memoryReservationLockedToMax=spec.locked,
        nestedHVEnabled=spec.nested,
        latencySensitivity=data.new(vim.LatencySensitivity, level=spec.latency),
        ftInfo=_fault_tolerance(vm),
        **optional(cls, fixedPassthruHotPlugEnabled=False, createDate=_created(vm)),
    )


def _created(vm: VmState) -> Any:
    """`createDate`; unset for a VM from before 6.7 (API reference)."""
    days = vm.spec.created_days
    return None if days is None else vm.sim.clock.start - timedelta(days=days)


def _fault_tolerance(vm: VmState) -> Any:
    """`ftInfo` of a primary VM; unset without Fault Tolerance (API reference)."""
    if vm.spec.fault_tolerance == "notConfigured":
        return None
    instance = "50" + vm.spec.uuid[2:]
    return data.new(
        vim.vm.FaultTolerancePrimaryConfigInfo, role=1, instanceUuids=[instance], configPaths=[vm.spec.file("vmx")]
    )


def guest(spec: VmSpec, *, running: bool, ready: bool = True) -> Any:
    """Build `GuestInfo`: what VMware Tools tell. ``ready``: guest operations are served, too."""
    talks = running and spec.tools
    states = ("toolsOk", "guestToolsRunning") if talks else ("toolsNotRunning", "guestToolsNotRunning")
    return data.new(
        vim.vm.GuestInfo,
        toolsStatus=states[0] if spec.tools else "toolsNotInstalled",
        toolsRunningStatus=states[1],
        toolsVersionStatus2="guestToolsCurrent" if spec.tools else "guestToolsNotInstalled",
        toolsVersion="12389" if spec.tools else "0",
        guestState="running" if running else "notRunning",
        guestId=spec.guest if talks else None,
        guestFamily=spec.guest_os.family if talks else None,
        hostName=names.of_file(spec.name) if talks else None,
        ipAddress=spec.ip if talks and spec.ip else None,
        guestOperationsReady=talks and ready,
        interactiveGuestOperationsReady=False,
    )


def _quick_stats(vm: VmState) -> Any:
    """What a running VM takes of its host, as the host counts it: all its memory, a tenth of its CPUs."""
    megabytes, vcpus = vm.load if vm.is_on and vm.host.knob("load_follows_vms") else (0, 0)
    return data.new(
        vim.vm.Summary.QuickStats,
        guestHeartbeatStatus=vm.props["guestHeartbeatStatus"],
        overallCpuUsage=vcpus * host_config.MHZ // 10,
        hostMemoryUsage=megabytes,
        guestMemoryUsage=megabytes,
    )


def _storage(devices: list[Any], when: Any) -> Any:
    """Thin disks to which nobody ever wrote."""
    size = sum(int(item.capacityInKB) * 1024 for item in devices if isinstance(item, DEVICE.VirtualDisk))
    return data.new(vim.vm.Summary.StorageSummary, committed=0, uncommitted=size, unshared=0, timestamp=when)


def summary(vm: VmState) -> Any:
    """Build `VirtualMachineSummary` from config, runtime and guest."""
    info, told = vm.get("config"), vm.get("guest")
    cls = vim.vm.Summary
    devices = info.hardware.device
    return data.new(
        cls,
        vm=vm.ref,
        runtime=vm.props["runtime"],
        guest=data.new(
            cls.GuestSummary,
            guestId=info.guestId,
            guestFullName=info.guestFullName,
            toolsStatus=told.toolsStatus,
            toolsRunningStatus=told.toolsRunningStatus,
            hostName=told.hostName,
        ),
        config=data.new(
            cls.ConfigSummary,
            name=info.name,
            template=info.template,
            vmPathName=info.files.vmPathName,
            memorySizeMB=info.hardware.memoryMB,
            memoryReservation=info.memoryAllocation.reservation,
            cpuReservation=0,
            numCpu=info.hardware.numCPU,
            numEthernetCards=sum(isinstance(item, DEVICE.VirtualEthernetCard) for item in devices),
            numVirtualDisks=sum(isinstance(item, DEVICE.VirtualDisk) for item in devices),
            uuid=info.uuid,
            instanceUuid=info.instanceUuid,
            guestId=info.guestId,
            guestFullName=info.guestFullName,
            annotation=info.annotation,
        ),
        storage=_storage(devices, vm.sim.clock.start),
        quickStats=_quick_stats(vm),
        overallStatus="green",
    )


def resource_config(vm: VmState) -> Any:
    """`resourceConfig`: the same allocations once more."""
    config = vm.get("config")
    return data.new(
        vim.ResourceConfigSpec,
        entity=vm.ref,
        cpuAllocation=config.cpuAllocation,
        memoryAllocation=config.memoryAllocation,
    )


@cache
def capability() -> Any:
    """`VirtualMachineCapability`; the lock of the memory reservation is what matters here."""
    cls = vim.vm.Capability
    required = (name for name, info in data.fields(cls).items() if not info.flags & F_OPTIONAL)
    values: dict[str, Any] = dict.fromkeys(required, False)
    for name in (
        "snapshotOperationsSupported",
        "memoryReservationLockSupported",
        "nestedHVSupported",
        "bootOptionsSupported",
    ):
        values[name] = True
    return data.new(cls, **values)
