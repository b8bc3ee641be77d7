# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GuestOsDescriptor: what a guest operating system gets. Only the guests that VMs of a lab may have; a release knows many more.

The fields are those of the API reference; the numbers are the limits of the hardware version, recommendations are modest.
"""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

from ..api import data
from .pci import optional
from .vm.config import GUEST_NAMES

DEVICE = vim.vm.device


def descriptors(version: int) -> list[Any]:
    """One for each guest that the simulator knows."""
    return [_descriptor(name, version) for name in GUEST_NAMES]


def _descriptor(name: str, version: int) -> Any:
    cls = vim.vm.GuestOsDescriptor
    cards = [DEVICE.VirtualVmxnet3, DEVICE.VirtualE1000e, DEVICE.VirtualSriovEthernetCard]
    return data.new(
        cls,
        id=name,
        family="windowsGuest" if name.startswith("windows") else "linuxGuest",
        fullName=GUEST_NAMES[name],
        supportedMaxCPUs=128,
        numSupportedPhysicalSockets=128,
        numSupportedCoresPerSocket=64,
        supportedMinMemMB=4,
        supportedMaxMemMB=25165824 if version >= 18 else 6128640,
        recommendedMemMB=4096,
        recommendedColorDepth=32,
        supportedDiskControllerList=[DEVICE.ParaVirtualSCSIController, DEVICE.VirtualLsiLogicController],
        recommendedSCSIController=DEVICE.ParaVirtualSCSIController,
        recommendedDiskController=DEVICE.ParaVirtualSCSIController,
        supportedNumDisks=256,
        recommendedDiskSizeMB=16384,
        recommendedCdromController=DEVICE.VirtualAHCIController,
        supportedEthernetCard=cards,
        recommendedEthernetCard=DEVICE.VirtualVmxnet3,
        supportsSlaveDisk=True,
        smcRequired=False,
        supportsWakeOnLan=True,
        supportsVMI=False,
        supportsMemoryHotAdd=True,
        supportsCpuHotAdd=True,
        supportsCpuHotRemove=False,
        supportedFirmware=["bios", "efi"],
        recommendedFirmware="efi",
        supports3D=True,
        recommended3D=False,
        smcRecommended=False,
        ich7mRecommended=False,
        usbRecommended=False,
        supportLevel="supported",
        supportedForCreate=True,
        vRAMSizeInKB=data.new(vim.option.IntOption, min=1024, max=262144, defaultValue=8192),
        numSupportedFloppyDevices=2,
        supportsPvscsiControllerForBoot=True,
        diskUuidEnabled=False,
        supportsHotPlugPCI=True,
        **optional(cls, supportsSecureBoot=True, defaultSecureBoot=True),
    )
