# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory admission: what a power-on asks of its resource pool and of its host.

Sources: API reference (ResourceAllocationInfo, ResourcePoolResourceUsage.unreservedForVm,
InsufficientMemoryResourcesFault); a reservation is charged when the VM powers on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import faults

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """One resource pool on the way up: sizes in bytes, `used` by running VMs and child pools."""

    reservation: int
    used: int
    expandable: bool


def unreserved_for_vm(pools: Sequence[Pool]) -> int:
    """What the first pool can still give: its own rest, and its ancestors' while expandable."""
    total = 0
    for pool in pools:
        total += max(pool.reservation - pool.used, 0)
        if not pool.expandable:
            break
    return total


def check_pool(pools: Sequence[Pool], requested: int) -> None:
    """Raise InsufficientMemoryResourcesFault when the pool chain cannot reserve `requested` bytes."""
    free = unreserved_for_vm(pools)
    if requested > free:
        raise faults.insufficient_memory(free, requested)


def host_free(memory: int, system: int, reserved: int) -> int:
    """Bytes of a host that no running VM has reserved and the hypervisor does not need."""
    return max(memory - system - reserved, 0)


def check_host(free: int, requested: int) -> None:
    """Raise InsufficientMemoryResourcesFault when the host cannot reserve `requested` bytes."""
    if requested > free:
        raise faults.insufficient_memory(free, requested)


def system_memory(memory: int) -> int:
    """What the hypervisor keeps of a host's memory: about 4 % and 1 GiB (rule of thumb, generous)."""
    return memory // 25 + 1024 * MIB


def overhead(memory_mb: int, vcpus: int) -> int:
    """Bytes the VMX process reserves beside guest memory: rule of thumb from the published overhead tables."""
    return (40 + 25 * vcpus + memory_mb // 128) * MIB
