# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual NUMA node of a passthrough device of a VM (``numa_node``). PRIVATE to the collection.

Source: API reference of VirtualDevice.numaNode (a negative number is no affinity, an unset one no change) and the option of passthrough
devices (``numaSupported``), which servers return from hardware version 20.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..observed.vms import DynamicBacking, Vm, VmDevice
from ..pci import NO_NUMA_NODE
from ..planning.details import DvxSpec, DynamicSpec, FixedSpec, NumaEdit, VgpuSpec
from ..planning.plan import Blocker, Change

NUMA_HARDWARE = 20
"""First hardware version with NUMA nodes of devices."""
_WORD = "numa_node"


def is_on_node(desired: int | None, device: VmDevice) -> bool:
    """True when a device has the desired NUMA node, or none is desired."""
    return desired is None or desired == (NO_NUMA_NODE if device.numa_node is None else device.numa_node)


def new_node_words(node: int | None) -> dict[str, str]:
    """What a change that attaches a device says about its NUMA node."""
    return {} if node is None else {_WORD: str(node)}


def moving_change(
    subject: str, device: VmDevice, node: int, words: Mapping[str, bool | int | str | None], name: str = ""
) -> Change:
    """The edit of a device that stays. ``words``: describe it. ``name``: of the host device, for a fixed or dynamic backing."""
    before, after = {**words, **node_words(device.numa_node)}, {**words, **node_words(node)}
    backing = device.backing
    if isinstance(backing, DynamicBacking):
        # It changes when the VM is shut down for this edit.
        backing = replace(backing, assigned_address=None)
    detail = NumaEdit(key=device.key, backing=backing, numa_node=node, name=name)
    return Change(subject=subject, before=before, after=after, detail=detail)


def node_words(node: int | None) -> dict[str, str]:
    """What an edit says about the NUMA node before or after it."""
    return {_WORD: "none" if node in (None, NO_NUMA_NODE) else str(node)}


def numa_blockers(vm: Vm, changes: Iterable[Change]) -> tuple[Blocker, ...]:
    """Why the devices of a VM cannot have the NUMA nodes that its changes give them."""
    nodes = sorted({node for change in changes if (node := _node_of(change)) is not None and node >= 0})
    if not nodes:
        return ()
    if 0 < vm.hardware_version < NUMA_HARDWARE:
        return (
            Blocker(
                code="numa_node_unsupported",
                message=f"{vm.name} has hardware version {vm.hardware_version}, but numa_node of a device needs {NUMA_HARDWARE}",
                cure=f"Upgrade the VM (minimum_hardware_version: {NUMA_HARDWARE}), or leave numa_node out",
            ),
        )
    if vm.cpu.count is not None and nodes[-1] >= vm.cpu.count:
        return (
            Blocker(
                code="no_such_numa_node",
                message=f"{vm.name} has {vm.cpu.count} virtual CPUs, so it has no virtual NUMA node {nodes[-1]}: each has a CPU or more, "
                "and they are numbered from 0",
                cure="Correct numa_node. The guest shows its NUMA nodes, on Linux with lscpu",
            ),
        )
    return ()


def _node_of(change: Change) -> int | None:
    match change.detail:
        case FixedSpec() | DynamicSpec() | VgpuSpec() | DvxSpec() | NumaEdit() as detail:
            return detail.numa_node
    return None
