# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ConfigOption: what a hardware version allows. Only what concerns devices and memory is filled.

Source: the recorded QueryConfigOption of an ESXi 9.x for the hardware versions 13 to 22; the numbers that depend on the version are
in rules/limits.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from pyVmomi import vim

from ..api import data
from ..rules import limits
from ..rules.knobs import Knobs
from . import guest_options
from .pci import optional
from .vm import config as vm_config

DEVICE = vim.vm.device
CARD = DEVICE.VirtualEthernetCardOption
MAC_TYPES = ("assigned", "manual", "generated")


def _number(low: int, high: int, usual: int = 0) -> Any:
    return data.new(vim.option.IntOption, min=low, max=high, defaultValue=usual)


def _yes(value: bool) -> Any:
    return data.new(vim.option.BoolOption, supported=value, defaultValue=value)


def _choice(*items: tuple[str, str, str]) -> Any:
    described = [data.new(vim.ElementDescription, label=label, summary=text, key=key) for label, text, key in items]
    return data.new(vim.option.ChoiceOption, choiceInfo=described)


def _on_pci(cls: Any, kind: Any, version: int, *, auto: bool, backings: Iterable[Any], **values: Any) -> Any:
    """An option of a device on the PCI controller. It says `hotRemoveSupported` whatever the guides say (recorded from 9.x)."""
    return data.new(
        cls,
        type=kind,
        busSlotOption=data.new(DEVICE.VirtualDeviceOption.BusSlotOption, type=DEVICE.VirtualDevice.PciBusSlotInfo),
        controllerType=DEVICE.VirtualPCIController,
        autoAssignController=_yes(auto),
        backingOption=list(backings),
        deprecated=False,
        plugAndPlay=False,
        hotRemoveSupported=True,
        **optional(cls, numaSupported=True if version >= limits.DEVICE_GROUPS_FROM else None),
        **values,
    )


def passthrough(version: int) -> Any:
    """The kinds of backing of a VirtualPCIPassthrough, and the most vGPUs."""
    cls = DEVICE.VirtualPCIPassthroughOption
    kind = DEVICE.VirtualPCIPassthrough
    backings = [data.new(cls.DeviceBackingOption, type=kind.DeviceBackingInfo, autoDetectAvailable=_yes(True))]
    if hasattr(kind, "VmiopBackingInfo"):
        backings.append(
            data.new(
                cls.VmiopBackingOption,
                type=kind.VmiopBackingInfo,
                vgpu=data.new(vim.option.StringOption, defaultValue=""),
                maxInstances=limits.vgpu_max(version),
            )
        )
    if limits.allows_dynamic(version):
        backings.append(
            data.new(cls.DynamicBackingOption, type=kind.DynamicBackingInfo, autoDetectAvailable=_yes(True))
        )
    if version >= limits.DEVICE_GROUPS_FROM:
        backings.append(data.new(cls.DvxBackingOption, type=kind.DvxBackingInfo))
    return _on_pci(cls, kind, version, auto=False, backings=backings)


def sriov_card(version: int) -> Any:
    """The backings of a VirtualSriovEthernetCard."""
    cls = DEVICE.VirtualSriovEthernetCardOption
    kind = DEVICE.VirtualEthernetCard
    backings = [
        data.new(cls.SriovBackingOption, type=DEVICE.VirtualSriovEthernetCard.SriovBackingInfo),
        data.new(CARD.NetworkBackingOption, type=kind.NetworkBackingInfo, autoDetectAvailable=_yes(False)),
        data.new(CARD.LegacyNetworkBackingOption, type=kind.LegacyNetworkBackingInfo, autoDetectAvailable=_yes(False)),
        data.new(CARD.DistributedVirtualPortBackingOption, type=kind.DistributedVirtualPortBackingInfo),
    ]
    if version >= limits.DYNAMIC_FROM:
        backings.append(data.new(CARD.OpaqueNetworkBackingOption, type=kind.OpaqueNetworkBackingInfo))
    return _on_pci(
        cls,
        DEVICE.VirtualSriovEthernetCard,
        version,
        auto=True,
        backings=backings,
        supportedOUI=_choice(("00:50:56", "OUI", "00:50:56")),
        macType=_choice(*((name.title(), name.title(), name) for name in MAC_TYPES)),
        wakeOnLanEnabled=_yes(False),
        **optional(cls, vmDirectPathGen2Supported=False, uptCompatibilityEnabled=_yes(False)),
    )


def controller(version: int, passthrough_max: int) -> Any:
    """The PCI controller with the most devices of each kind."""
    cls = DEVICE.VirtualPCIControllerOption
    names = (
        "VirtualSCSIController",
        "VirtualEthernetCard",
        "VirtualSoundCard",
        "VirtualVideoCard",
        "VirtualSATAController",
    )
    supported = [getattr(DEVICE, f"{name}Option") for name in (*names, "VirtualNVMEController")]
    return data.new(
        cls,
        type=DEVICE.VirtualPCIController,
        autoAssignController=_yes(True),
        deprecated=False,
        plugAndPlay=False,
        hotRemoveSupported=False,
        devices=_number(0, 160 if version >= limits.DEVICE_GROUPS_FROM else 32, 2),
        supportedDevice=supported,
        numSCSIControllers=_number(0, 4, 1),
        numEthernetCards=_number(0, 10, 1),
        numVideoCards=_number(1, 1, 1),
        numSoundCards=_number(1, 1, 1),
        numVmiRoms=_number(0, 0),
        numVmciDevices=_number(0, 1),
        numPCIPassthroughDevices=_number(0, passthrough_max),
        numSasSCSIControllers=_number(0, 4),
        numVmxnet3EthernetCards=_number(0, 10),
        numParaVirtualSCSIControllers=_number(0, 4),
        numSATAControllers=_number(0, 4),
        **optional(
            cls,
            numNVMEControllers=_number(0, 4),
            numVmxnet3VrdmaEthernetCards=_number(0, 10 if version >= 19 else 1),
        ),
    )


def _hardware(version: int, passthrough_max: int) -> Any:
    cls = vim.vm.VirtualHardwareOption
    share = data.new(vim.SharesOption, sharesOption=_number(0, 1000000, 1000), defaultLevel="normal")
    allocation = data.new(vim.ResourceAllocationOption, sharesOption=share)
    most = 25149440 if version >= limits.DYNAMIC_FROM else 6275072
    values: dict[str, Any] = {
        "numSupportedWwnPorts": _number(1, 16, 4),
        "numSupportedWwnNodes": _number(1, 1, 1),
        "numNVDIMMControllers": _number(0, 1),
        "numTPMDevices": _number(0, 1 if version >= 14 else 0),
        "numWDTDevices": _number(0, 1 if version >= 17 else 0),
        "numPrecisionClockDevices": _number(0, 1 if version >= 17 else 0),
        "autoCoresPerSocket": _yes(version >= limits.DEVICE_GROUPS_FROM),
    }
    if version >= limits.DYNAMIC_FROM:
        values["epcMemoryMB"] = data.new(vim.option.LongOption, min=2, max=most, defaultValue=16)
    if version >= limits.DEVICE_GROUPS_FROM:
        values |= {
            "numCpuSimultaneousThreads": _number(1, 2, 1),
            "numNumaNodes": _number(1, 64, 1),
            "numDeviceGroups": _number(0, 4),
            "deviceGroupTypes": [vim.vm.VirtualDeviceGroups.VendorDeviceGroup]
            if hasattr(vim.vm, "VirtualDeviceGroups")
            else [],
        }
    return data.new(
        cls,
        hwVersion=version,
        virtualDeviceOption=[controller(version, passthrough_max), passthrough(version), sriov_card(version)],
        deviceListReadonly=False,
        numCPU=[1, 2, 4, 8, 16, 32, 64, 128],
        numCoresPerSocket=_number(1, 960 if version >= 22 else 256 if version >= 20 else 128, 1),
        numCpuReadonly=False,
        memoryMB=data.new(vim.option.LongOption, min=4, max=most, defaultValue=256),
        numPCIControllers=_number(1, 1, 1),
        numIDEControllers=_number(2, 2, 2),
        numUSBControllers=_number(0, 1),
        numUSBXHCIControllers=_number(0, 1),
        numSIOControllers=_number(1, 1, 1),
        numPS2Controllers=_number(1, 1, 1),
        resourceConfigOption=data.new(
            vim.ResourceConfigOption, cpuAllocationOption=allocation, memoryAllocationOption=allocation
        ),
        licensingLimit=[],
        **optional(cls, **values),
    )


@cache
def config_option(version: int, release: str, knobs: Knobs) -> Any:
    """Build ConfigOption for a hardware version on a host of a release."""
    return data.new(
        vim.vm.ConfigOption,
        version=limits.vmx(version),
        description=f"Hardware version {version}",
        guestOSDescriptor=guest_options.descriptors(version),
        guestOSDefaultIndex=0,
        hardwareOptions=_hardware(version, limits.passthrough_max(version, release, knobs)),
        capabilities=vm_config.capability(),
        datastore=data.new(vim.vm.DatastoreOption),
        supportedMonitorType=["release"],
    )
