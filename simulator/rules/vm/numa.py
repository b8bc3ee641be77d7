# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual NUMA node of a device in a reconfigure.

Sources: API reference (VirtualDevice.numaNode: a negative number is no affinity, an unset one changes nothing in a reconfigure, and the
configuration of a device without affinity has it unset); recorded options of a 9.x host (`numaSupported` from vmx-20 on, for passthrough
devices and SR-IOV cards). What the server does with a node on older hardware, or with one that the VM does not have, is not published:
knob `numa_node_fault`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyVmomi import vim

from .. import faults, limits
from ..knobs import Knobs


def check(changes: Sequence[Any], version: int, cpus: int, knobs: Knobs) -> None:
    """Refuse, or drop, nodes that the VM cannot have. Each virtual node has at least one CPU."""
    for position, change in enumerate(changes):
        node = getattr(change.device, "numaNode", None)
        if node is None or node < 0 or str(change.operation or "") not in ("add", "edit"):
            continue
        if version >= limits.DEVICE_GROUPS_FROM and node < cpus:
            continue
        if knobs.numa_node_fault == "ignored":
            change.device.numaNode = None
        elif version < limits.DEVICE_GROUPS_FROM:
            raise vim.fault.DeviceUnsupportedForVmVersion(
                deviceIndex=position,
                currentVersion=limits.vmx(version),
                expectedVersion=limits.vmx(limits.DEVICE_GROUPS_FROM),
                msg=f"A NUMA node of a device needs hardware version {limits.DEVICE_GROUPS_FROM}.",
            )
        else:
            raise faults.invalid_argument(f"spec.deviceChange[{position}].device.numaNode")


def add(device: Any) -> None:
    """A new device. One without affinity has the property unset."""
    node = getattr(device, "numaNode", None)
    if node is not None and node < 0:
        device.numaNode = None


def edit(old: Any, new: Any) -> None:
    """An edit without a node keeps the old one."""
    if getattr(new, "numaNode", None) is None:
        node = getattr(old, "numaNode", None)
        if node is not None:
            new.numaNode = node
    else:
        add(new)
