# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory reservation of virtual machines. PRIVATE to the collection.

A VM with a passthrough device powers on only when all its memory is reserved ("sched.mem.min should be equal to memsize") and it has no
memory limit. The lock (``memoryReservationLockedToMax``) keeps the reservation equal to the size, also when the size changes later. While
the lock is on, the API rejects any other reservation, so unlocking and lowering are one write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..errors import InputError
from ..observed.vms import REMOVED, FixedBacking, MemoryState, Vm, VmDevice
from ..planning.details import MemoryWrite
from ..planning.plan import Blocker, Change, Plan, TargetPlan
from .pools import share_pools

MemoryWanted: TypeAlias = Literal["locked", "reserved", "unlocked"]

RESERVATION = "memory reservation"
LIMIT = "memory limit"
OUTDATED_LOCK_CURE = "Power off the VM, clear Reserve all guest memory in the vSphere Client, and set it again"


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredMemory:
    """The desired memory reservation of one VM.

    ``locked``: the reservation follows the size. ``reserved``: exactly ``reservation_mb``, lock off. ``unlocked``: lock off, and
    ``reservation_mb`` (None: nothing is reserved).
    """

    state: MemoryWanted
    reservation_mb: int | None = None

    def __post_init__(self) -> None:
        if self.state == "locked" and self.reservation_mb is not None:
            raise InputError(
                message="reservation_mb cannot be given with state: locked, because the lock always reserves the memory size",
                code="reservation_with_locked",
                parameter="reservation_mb",
                cure="Leave reservation_mb out, or use state: reserved for a fixed number",
            )
        if self.state == "reserved" and self.reservation_mb is None:
            raise InputError(
                message="state: reserved needs reservation_mb",
                code="reservation_missing",
                parameter="reservation_mb",
                cure="Give the number of megabytes to reserve, or use state: locked to reserve all memory",
            )
        if self.reservation_mb is not None and self.reservation_mb < 0:
            raise InputError(
                message=f"reservation_mb {self.reservation_mb} is negative",
                code="bad_reservation",
                parameter="reservation_mb",
                cure="Give a number of megabytes, or 0 for no reservation",
            )


def merge_writes(changes: Iterable[Change]) -> MemoryWrite:
    """The one write for all memory changes of one VM: the memory part of its reconfiguration."""
    merged = MemoryWrite()
    for change in changes:
        detail = change.detail
        if isinstance(detail, MemoryWrite):
            merged = MemoryWrite(
                locked=detail.locked if detail.locked is not None else merged.locked,
                reservation_mb=detail.reservation_mb if detail.reservation_mb is not None else merged.reservation_mb,
                unlimited=merged.unlimited or detail.unlimited,
                limit_mb=detail.limit_mb if detail.limit_mb is not None else merged.limit_mb,
            )
    return merged


def describe_device(device: VmDevice) -> str:
    """The device for messages, such as ``PCI device 0 (fixed 0000:3b:00.0)``."""
    backing = device.backing
    place = f" {backing.address}" if isinstance(backing, FixedBacking) and backing.address else ""
    return f"{device.label or f'device {device.key}'} ({backing.kind}{place})"


def is_reserved(memory: MemoryState) -> bool:
    """Whether all memory is reserved, and stays reserved when its size changes. Modules, drift, reports and results ask this function.

    Power-on with a passthrough device requires only that the reservation equals the size. But a number does not follow the size: after a
    change of the size the VM fails to power on. So the lock is required, and a number is enough only where the VM does not support the
    lock. A lock with a reservation below the size is out of date, see ``is_lock_outdated``.
    """
    return memory.reservation_mb >= memory.size_mb and (memory.locked_to_max or memory.lock_supported is False)


def is_lock_outdated(memory: MemoryState) -> bool:
    """Whether the lock reserves less than the size: the size was changed outside of vCenter. Setting the lock again has no effect."""
    return memory.locked_to_max and memory.reservation_mb < memory.size_mb


def lock_changes(vm: Vm) -> tuple[Change, ...]:
    """The changes that keep all memory of a VM reserved: lock on, no limit. Empty when that is the state already."""
    changes = []
    if not is_reserved(vm.memory) and not is_lock_outdated(vm.memory):
        changes.append(_reservation_change(vm.memory, locked=True, reservation_mb=vm.memory.size_mb))
    if vm.memory.limit_mb is not None:
        changes.append(_limit_change(vm.memory))
    return tuple(changes)


def outdated_lock_blockers(vm: Vm) -> tuple[Blocker, ...]:
    """A blocker when the lock reserves less than the memory size. No reconfiguration of this collection corrects that."""
    if not is_lock_outdated(vm.memory):
        return ()
    return (
        Blocker(
            code="memory_lock_outdated",
            message=f"{vm.name} has {vm.memory.size_mb} MB of memory, but its lock reserves {vm.memory.reservation_mb} MB: the size was "
            "changed after the lock was set",
            cure=OUTDATED_LOCK_CURE,
        ),
    )


def unlock_changes(vm: Vm, reservation_mb: int | None = None) -> tuple[Change, ...]:
    """The changes that turn the lock off and set the reservation to ``reservation_mb`` (None: 0)."""
    memory = vm.memory
    if reservation_mb is None:
        reservation_mb = 0
    if not memory.locked_to_max and memory.reservation_mb == reservation_mb:
        return ()
    return (_reservation_change(memory, locked=False, reservation_mb=reservation_mb),)


def unlock_blockers(vm: Vm, staying: Sequence[VmDevice]) -> tuple[Blocker, ...]:
    """Why the memory of a VM cannot be unlocked together with the last of its devices. ``staying``: devices that it keeps."""
    reasons = [*vm.lock_reasons, *(f"it keeps {describe_device(device)}" for device in staying)]
    if not reasons:
        return ()
    return (
        Blocker(
            code="feature_needs_reservation",
            message=f"The memory reservation of {vm.name} cannot be unlocked: {' and '.join(reasons)}",
            cure="Leave out unlock_memory, or turn the feature off for the VM first",
        ),
    )


def lock_blockers(vm: Vm) -> tuple[Blocker, ...]:
    """Why the memory of a VM cannot be locked: the VM does not support it, or its resource pool has too little memory."""
    blockers = []
    if vm.memory.lock_supported is False:
        blockers.append(
            Blocker(
                code="memory_lock_unsupported",
                message=f"The memory reservation of {vm.name} cannot be locked: the VM does not support it "
                f"(hardware version {vm.hardware_version})",
                cure="Upgrade the VM's hardware version, or reserve its full size with state: reserved",
            )
        )
    return (*blockers, *pool_blockers(vm, vm.memory.size_mb))


def pool_blockers(vm: Vm, reservation_mb: int) -> tuple[Blocker, ...]:
    """A blocker with the numbers when the VM's resource pool has too little memory for a reservation.

    A pool counts the reservations of running VMs: a running VM needs only the increase, a VM that is off needs all of it.
    ``unreserved_for_vm_mb`` includes what an expandable pool may use from its parents.
    """
    pool = vm.pool
    if pool is None or pool.unreserved_for_vm_mb is None:
        return ()
    charged = vm.memory.reservation_mb if vm.is_powered_on else 0
    needed = reservation_mb - charged
    if needed <= pool.unreserved_for_vm_mb or needed <= 0:
        return ()
    parts = [f"{vm.name} needs {needed} MB more reserved"]
    if charged:
        parts.append(f"({reservation_mb} MB, of which it has {charged} MB)")
    parts.append(f"but resource pool {pool.name or 'of the VM'} has {pool.unreserved_for_vm_mb} MB left for VMs")
    if pool.reservation_mb is not None:
        parts.append(f"(own reservation {pool.reservation_mb} MB, {'' if pool.expandable else 'not '}expandable)")
    return (
        Blocker(
            code="pool_memory",
            message=" ".join(parts),
            cure="Raise the pool's memory reservation or make it expandable, free memory reserved by other VMs, "
            "or give the VM less memory",
        ),
    )


def plan_memory(vms: Sequence[Vm], desired_memory: Mapping[str, DesiredMemory]) -> Plan:
    """One target for each VM in ``desired_memory`` (by managed object id). Raises ValueError (programming error) for an id that is not in
    ``vms``."""
    table = {vm.moid: vm for vm in vms}
    unknown = sorted(set(desired_memory) - set(table))
    if unknown:
        raise ValueError(f"no state was read for VMs {', '.join(unknown)}")
    chosen = sorted((table[moid] for moid in desired_memory), key=lambda vm: (vm.name, vm.moid))
    return share_pools(vms, Plan(targets=tuple(_plan_one(vm, desired_memory[vm.moid]) for vm in chosen)))


def _plan_one(vm: Vm, desired: DesiredMemory) -> TargetPlan:
    changes = _changes(vm, desired)
    blockers = _blockers(vm, desired, changes)
    return TargetPlan(
        target=vm.name,
        moid=vm.moid,
        host_moid=vm.host_moid or "",
        changes=changes,
        blockers=blockers,
        warnings=_warnings(vm, desired),
    )


def _changes(vm: Vm, desired: DesiredMemory) -> tuple[Change, ...]:
    if desired.state == "locked":
        return lock_changes(vm)
    changes = unlock_changes(vm, desired.reservation_mb)
    if desired.reservation_mb is not None and vm.needs_full_reservation and vm.memory.limit_mb is not None:
        changes = (*changes, _limit_change(vm.memory))
    return changes


def _blockers(vm: Vm, desired: DesiredMemory, changes: tuple[Change, ...]) -> tuple[Blocker, ...]:
    blockers = [*state_blockers(vm, bool(changes))]
    if desired.state == "locked":
        blockers += outdated_lock_blockers(vm)
        if any(change.subject == RESERVATION for change in changes):
            blockers += lock_blockers(vm)
        return tuple(blockers)
    write = merge_writes(changes)
    target = write.reservation_mb if write.reservation_mb is not None else vm.memory.reservation_mb
    blockers += _size_blockers(vm, desired, target)
    blockers += _device_blockers(vm, desired, target)
    blockers += _feature_blockers(vm, desired, target)
    if not any(blocker.code == "reservation_above_size" for blocker in blockers) and target > vm.memory.reservation_mb:
        blockers += pool_blockers(vm, target)
    return tuple(blockers)


def state_blockers(vm: Vm, changing: bool) -> tuple[Blocker, ...]:
    """Why a VM cannot be planned for or changed at all. vCenter returns old data for a VM that is not connected."""
    if vm.connection_state == REMOVED:
        return (
            Blocker(
                code="vanished", message=f"{vm.name} was removed", cure="Remove it from the task, or correct its name"
            ),
        )
    blockers = []
    if vm.connection_state != "connected":
        blockers.append(
            Blocker(
                code="vm_not_connected",
                message=f"{vm.name} is {vm.connection_state}, so the data in vCenter is out of date",
                # To register a VM again that its host still has would make two of it.
                cure=f"Reconnect its host {vm.host_name or ''}".rstrip()
                if vm.connection_state == "disconnected"
                else "Check its files and its datastore, then register it again",
            )
        )
    if vm.unreadable:
        blockers.append(
            Blocker(
                code="vm_unreadable",
                message=f"vCenter did not return these properties of {vm.name}: {', '.join(sorted(vm.unreadable))}",
                cure="Check that the account has System.Read on the VM",
            )
        )
    if changing and vm.is_template:
        blockers.append(
            Blocker(
                code="template",
                message=f"{vm.name} is a template, which cannot be reconfigured",
                cure="Convert it to a virtual machine first, or use a VM that was deployed from it",
            )
        )
    return tuple(blockers)


def _size_blockers(vm: Vm, desired: DesiredMemory, target: int) -> list[Blocker]:
    if desired.reservation_mb is not None and desired.reservation_mb > vm.memory.size_mb:
        return [
            Blocker(
                code="reservation_above_size",
                message=f"{vm.name} has {vm.memory.size_mb} MB of memory, so {desired.reservation_mb} MB cannot be reserved",
                cure="Reserve at most the memory size, or use state: locked to follow it",
            )
        ]
    limit = vm.memory.limit_mb
    if limit is not None and not vm.needs_full_reservation and target > max(limit, vm.memory.reservation_mb):
        return [
            Blocker(
                code="limit_below_reservation",
                message=f"{vm.name} has a memory limit of {limit} MB, below the reservation of {target} MB",
                cure="Remove the memory limit, or use state: locked, which removes it",
            )
        ]
    return []


def _is_given_up(vm: Vm, desired: DesiredMemory, target: int) -> bool:
    """True when the lock would be turned off, or the reservation lowered to less than all memory."""
    return vm.memory.locked_to_max or (target < vm.memory.size_mb and target != vm.memory.reservation_mb)


def _loss(vm: Vm, target: int) -> str:
    return "unlocked" if vm.memory.locked_to_max else f"lowered to {target} of {vm.memory.size_mb} MB"


def _feature_blockers(vm: Vm, desired: DesiredMemory, target: int) -> list[Blocker]:
    """Fault Tolerance and high latency sensitivity also require a full reservation; the API rejects a smaller one."""
    if not vm.lock_reasons or not _is_given_up(vm, desired, target):
        return []
    return [
        Blocker(
            code="feature_needs_reservation",
            message=f"The memory reservation of {vm.name} cannot be {_loss(vm, target)}: {' and '.join(vm.lock_reasons)}",
            cure="Turn the feature off for the VM first, or keep the memory locked",
        )
    ]


def _device_blockers(vm: Vm, desired: DesiredMemory, target: int) -> list[Blocker]:
    devices = vm.devices  # all of them: a device with an unknown backing may need the reservation too
    if not devices or not _is_given_up(vm, desired, target):
        return []
    what = _loss(vm, target)
    return [
        Blocker(
            code="device_needs_reservation",
            message=f"The memory reservation of {vm.name} cannot be {what}: the VM would no longer power on with "
            + ", ".join(describe_device(device) for device in devices),
            cure="Detach these devices first, or keep the memory locked",
        )
    ]


def _warnings(vm: Vm, desired: DesiredMemory) -> tuple[str, ...]:
    devices = vm.needs_full_reservation
    if not devices or desired.state == "locked":
        return ()
    names = ", ".join(describe_device(device) for device in devices)
    if desired.state == "unlocked" and vm.memory.reservation_mb < vm.memory.size_mb:
        return (
            f"{vm.name} has {names} but reserves only {vm.memory.reservation_mb} of {vm.memory.size_mb} MB, so "
            "it will not power on. Use state: locked.",
        )
    if desired.state == "reserved" and not vm.memory.locked_to_max and desired.reservation_mb == vm.memory.size_mb:
        return (
            f"{vm.name} has {names}, and a fixed reservation does not grow with its memory: with more memory it will not power on. "
            "Use state: locked.",
        )
    return ()


def _reservation_change(memory: MemoryState, *, locked: bool, reservation_mb: int) -> Change:
    write = MemoryWrite(locked=True) if locked else MemoryWrite(locked=False, reservation_mb=reservation_mb)
    return Change(
        subject=RESERVATION,
        before=_plain(memory),
        after={"locked": locked, "reservation_mb": reservation_mb},
        detail=write,
    )


def _limit_change(memory: MemoryState) -> Change:
    return Change(subject=LIMIT, before=memory.limit_mb, after="unlimited", detail=MemoryWrite(unlimited=True))


def _plain(memory: MemoryState) -> dict[str, bool | int]:
    return {"locked": memory.locked_to_max, "reservation_mb": memory.reservation_mb}
