# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The maximum number of passthrough devices of a VM, and the hardware version that they need. PRIVATE to the collection.

The maximum comes from the server (``QueryConfigOptionEx`` for the VM's hardware version on its host). Published tables contradict each
other and the server, so this file has no table.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from ..observed.vms import SriovBacking, Vm, VmDevice
from ..planning.plan import Blocker

MINIMUM_HARDWARE = {"fixed": 7, "dynamic": 17}
"""First hardware version with the backing. Sources: virtual hardware feature table (fixed), API reference of
VirtualPCIPassthroughDynamicBackingInfo (dynamic)."""


def counts_towards_limit(devices: Iterable[VmDevice]) -> int:
    """The number of devices that count toward the maximum: all except SR-IOV adapters, which are network adapters."""
    return sum(1 for device in devices if not isinstance(device.backing, SriovBacking))


def check_limit(vm: Vm, count_after: int, maximum: int | None) -> Blocker | None:
    """A blocker when the VM would have more passthrough devices than the server allows; None otherwise, or when ``maximum`` is None."""
    if maximum is None or count_after <= maximum:
        return None
    return Blocker(
        code="too_many_devices",
        message=f"{vm.name} would have {count_after} passthrough devices, but its host allows {maximum} "
        f"with hardware version {vm.hardware_version}",
        cure="Reduce the number of devices, or upgrade the VM's hardware version if the newer one allows more",
    )


def check_hardware(vm: Vm, backing: Literal["fixed", "dynamic"]) -> Blocker | None:
    """A blocker when the VM's hardware version does not support the backing; None when it does, or when it was not read (0)."""
    needed = MINIMUM_HARDWARE[backing]
    if vm.hardware_version == 0 or vm.hardware_version >= needed:
        return None
    cure = f"Upgrade the VM to hardware version {needed} or later (it must be off)"
    if backing == "dynamic" and vm.hardware_version >= MINIMUM_HARDWARE["fixed"]:
        cure += ", or use backing: fixed, which ties the VM to its host"
    return Blocker(
        code="hardware_version",
        message=f"{vm.name} has hardware version {vm.hardware_version}, but a {backing} passthrough device needs {needed}",
        cure=cure,
    )
