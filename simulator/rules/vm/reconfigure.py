# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ReconfigVM without the devices: versions, memory and its reservation, flags, extraConfig.

Sources: API reference (VirtualMachineConfigSpec, memoryReservationLockedToMax, extraConfig), govmomi issue 1871
(reservation under a lock; keys that clash with fields are ignored), KB 2012319 for hot-plug limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pyVmomi import vim, vmodl

from .. import faults, limits
from ..knobs import Knobs

FIRST_CLASS = frozenset(
    {
        "sched.mem.min", "sched.mem.max", "sched.mem.pin", "sched.mem.shares", "sched.cpu.min", "sched.cpu.max",
        "memsize", "numvcpus", "cpuid.corespersocket", "displayname", "guestos", "annotation", "firmware",
        "virtualhw.version", "mem.hotadd", "vcpu.hotadd", "vhv.enable", "uuid.bios",
    }
)  # fmt: skip
"""extraConfig keys that belong to a typed field: setting them through extraConfig is silently ignored."""

OFF_ONLY = ("firmware", "memoryHotAddEnabled", "cpuHotAddEnabled", "cpuHotRemoveEnabled", "nestedHVEnabled", "guestId",
            "fixedPassthruHotPlugEnabled", "motherboardLayout")  # fmt: skip
"""Fields that can be changed on a powered-off VM only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """Memory settings of a VM, in MB; limit -1 is unlimited."""

    size: int
    reservation: int
    limit: int = -1
    locked: bool = False


def check_change_version(given: str | None, current: str) -> None:
    """Raise ConcurrentAccess when the caller saw another version (API reference)."""
    if given and given != current:
        raise vim.fault.ConcurrentAccess(
            msg="The virtual machine has been changed or is being changed by another task."
        )


def check_power(spec: Any, powered_on: bool) -> None:
    """Raise InvalidPowerState for fields that need the VM off."""
    if powered_on and any(getattr(spec, name, None) is not None for name in OFF_ONLY):
        raise faults.invalid_power_state("poweredOff", "poweredOn")
    if powered_on and spec.flags is not None and getattr(spec.flags, "vvtdEnabled", None) is not None:
        raise faults.invalid_power_state("poweredOff", "poweredOn")


def check_cpus(wanted: int | None, now: int, *, powered_on: bool, hot_add: bool, hot_remove: bool) -> None:
    """Raise CpuHotPlugNotSupported where a running VM may not get, or give back, processors (API reference)."""
    if powered_on and wanted is not None and wanted != now and not (hot_add if wanted > now else hot_remove):
        raise vim.fault.CpuHotPlugNotSupported(msg="CPU hot plug is not supported for this virtual machine.")


def memory(now: Memory, spec: Any, *, version: int, powered_on: bool, hot_add: bool, passthrough: bool) -> Memory:
    """The memory settings after a spec, or the fault.

    While the lock is on, the reservation is the size; asking for another one is refused, and the lock has to be taken
    off in the same spec (or before).
    """
    size = now.size if spec.memoryMB is None else _size(int(spec.memoryMB), now, powered_on, hot_add, passthrough)
    locked = now.locked if spec.memoryReservationLockedToMax is None else bool(spec.memoryReservationLockedToMax)
    if locked and not now.locked and version < limits.LOCK_FROM:
        raise vmodl.fault.NotSupported()
    asked = spec.memoryAllocation
    reservation = now.reservation if asked is None or asked.reservation is None else int(asked.reservation)
    limit = now.limit if asked is None or asked.limit is None else int(asked.limit)
    if locked:
        if asked is not None and asked.reservation is not None and reservation != size:
            raise faults.invalid_argument("spec.memoryAllocation.reservation")
        reservation = size
    if not 0 <= reservation <= size:
        raise faults.invalid_argument("spec.memoryAllocation.reservation")
    if limit != -1 and limit < reservation:
        raise faults.invalid_argument("spec.memoryAllocation.limit")
    return Memory(size=size, reservation=reservation, limit=limit, locked=locked)


@dataclass(frozen=True, kw_only=True, slots=True)
class Needs:
    """What beside devices needs the memory of a VM reserved in full. `ref` is the VM."""

    name: str
    ref: Any
    fault_tolerant: bool = False
    latency: str = "normal"
    becomes_high: bool = False


def check_needs(now: Memory, after: Memory, needs: Needs, knobs: Knobs) -> None:
    """Raise what keeps memory from being taken away from a VM whose features need it.

    Fault Tolerance: size, reservation and limit are fixed while it is on (vSphere Availability guide); the fault is made for that
    (FaultToleranceCannotEditMem, API reference). Latency sensitivity high: all memory is reserved (performance guide, and the text of
    the power-on); whether a reconfigure refuses to lower it is not confirmed: knob `latency_needs_memory`.
    """
    edited = (after.size, after.reservation, after.limit) != (now.size, now.reservation, now.limit)
    if needs.fault_tolerant and (edited or (now.locked and not after.locked)):
        raise vim.fault.FaultToleranceCannotEditMem(
            vmName=needs.name,
            vm=needs.ref,
            msg=f"The memory of {needs.name} cannot be edited while Fault Tolerance is on.",
        )
    lowered = after.reservation < after.size and (now.reservation == now.size or needs.becomes_high)
    if needs.latency == "high" and lowered and knobs.latency_needs_memory == "reconfigure":
        text = f"The latency sensitivity of {needs.name} is high: all its memory has to be reserved."
        raise faults.vm_config_fault([("msg.latencySensitivity.memoryReservation", text)])


def _size(wanted: int, now: Memory, powered_on: bool, hot_add: bool, passthrough: bool) -> int:
    if wanted <= 0 or wanted % 4:
        raise faults.invalid_argument("spec.memoryMB")
    if powered_on and wanted != now.size:
        if wanted < now.size:
            raise faults.invalid_power_state("poweredOff", "poweredOn")
        if not hot_add or passthrough:
            raise vim.fault.MemoryHotPlugNotSupported(msg="Memory hot plug is not supported for this virtual machine.")
    return wanted


def extra_config(now: Mapping[str, str], changes: Iterable[tuple[str, object]]) -> dict[str, str]:
    """extraConfig after changes: an empty value deletes, keys of typed fields are ignored (API reference)."""
    after = dict(now)
    for key, value in changes:
        if key.lower() in FIRST_CLASS:
            continue
        text = "" if value is None else str(value)
        if text:
            after[key] = text
        else:
            after.pop(key, None)
    return after


def upgraded(current: int, wanted: str | None, newest: int) -> int:
    """The version after UpgradeVM_Task; newest of the host when none is named (API reference)."""
    target = newest if not wanted else limits.hardware_version(wanted)
    if target > newest:
        raise vmodl.fault.NotSupported(msg=f"Hardware version {target} is not supported by the host.")
    if target <= current:
        raise vim.fault.AlreadyUpgraded(msg="The virtual machine is already at this hardware version.")
    return target
