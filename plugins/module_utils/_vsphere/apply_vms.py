# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes to virtual machines: power, and one reconfigure for everything else. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from .._domain.errors import DirectPathError
from .._domain.memory import MemoryWrite, merge_writes
from .._domain.pci import signed16
from .._domain.plan import Change
from .._domain.vm_devices import Detach, DynamicSpec, FixedSpec, HotAddOff, PowerOff
from .._domain.vms import DynamicBacking, Vm, VmName
from .faults import CONNECTION_ERRORS, UNCERTAIN, explain, explained
from .read_vms import read_vms
from .sdk import vim, vmodl
from .session import Session
from .start_vm import start_vm
from .tasks import State, wait_for_task, wait_idle, wait_until

TASK_TIMEOUT = 600.0
"""Seconds a reconfigure or a power operation may take."""

POWER_KINDS = frozenset({"shutdown", "power_on"})
SHUT_DOWN = "the VM was shut down"


def apply_vm(session: Session, vm: Vm, changes: Sequence[Change]) -> tuple[str, ...]:
    """Carry out the changes of one VM in their order: stop, one reconfigure, start. Returns what was done, in words.

    Raises DirectPathError; its message then says what had been done before.
    """
    done: list[str] = []
    try:
        for change in changes:
            if change.kind == "shutdown":
                _stop(session, vm, change.detail)
                done.append(SHUT_DOWN)
        settings = [change for change in changes if change.kind not in POWER_KINDS]
        if settings:
            _reconfigure(session, vm, settings)
            done.append("the VM was reconfigured")
        if any(change.kind == "power_on" for change in changes):
            _start_in_turn(session, vm, changes)
            done.append("the VM was started")
    except DirectPathError as error:
        if error.code in UNCERTAIN:
            _wait_idle(session, vm)
        elif done == [SHUT_DOWN] and any(change.kind == "power_on" for change in changes):
            done.append(_start_again(session, vm))
        if done:
            error.message = f"{error.message.rstrip('.')}. Done before that: {', '.join(done)}"
        raise
    return tuple(done)


def _wait_idle(session: Session, vm: Vm) -> None:
    """Until what was asked for without an answer is over: a start is a task of the datacenter first, then one of the VM."""
    with suppress(vmodl.MethodFault, *CONNECTION_ERRORS):
        if vm.datacenter_moid is not None:
            wait_idle(session, session.reference(vim.Datacenter, vm.datacenter_moid), timeout=TASK_TIMEOUT)
        wait_idle(session, _reference(session, vm), timeout=TASK_TIMEOUT)


def _start_in_turn(session: Session, vm: Vm, changes: Sequence[Change]) -> None:
    """Start a VM; those with dynamic devices of one cluster one after another.

    A host for such a VM is chosen by the devices that are free, and they are taken only when it runs: of two that start at the same
    time, both may be sent to the last device. Which host bears a fixed device is no question.
    """
    wanted = any(isinstance(change.detail, DynamicSpec) for change in changes)
    if not wanted and not any(isinstance(device.backing, DynamicBacking) for device in vm.devices):
        start_vm(session, vm)
        return
    with session.turn(f"start in {vm.datacenter_moid} {vm.cluster or vm.host_moid}"):
        start_vm(session, vm)


def _start_again(session: Session, vm: Vm) -> str:
    """A VM that was shut down for a change that was then refused has no reason to stay off."""
    try:
        _start_in_turn(session, vm, ())
    except DirectPathError as error:
        return f"it could not be started again as it was and is off ({error.message})"
    return "it was started again as it was"


def _reference(session: Session, vm: Vm) -> Any:
    return session.reference(vim.VirtualMachine, vm.moid)


def _stop(session: Session, vm: Vm, how: PowerOff) -> None:
    """Ask the guest, wait, and only where it was allowed pull the plug."""
    reference = _reference(session, vm)
    problem = None
    try:
        reference.ShutdownGuest()
    except (vim.fault.ToolsUnavailable, vim.fault.InvalidState, vmodl.fault.NotSupported) as fault:
        problem = explain(fault, doing="shut down the guest of {}", on=vm.name)
    except (vmodl.MethodFault, *CONNECTION_ERRORS) as fault:
        raise explain(fault, doing="shut down the guest of {}", on=vm.name) from fault
    if problem is None and _wait_off(session, reference, how.timeout_seconds):
        return
    if not how.allow_power_off:
        raise problem or DirectPathError(
            message=f"Cannot shut down {vm.name}: its guest was asked and still runs after {how.timeout_seconds} seconds",
            code="shutdown_timed_out",
            cure="Look at the guest's console, raise shutdown_timeout, or allow pulling the plug with allow_power_off: true",
        )
    with explained("power off {}", vm.name):
        task = reference.PowerOffVM_Task()
        wait_for_task(session, task, doing="power off {}", on=vm.name, timeout=TASK_TIMEOUT)


def _wait_off(session: Session, reference: Any, timeout: float) -> bool:
    def is_off(state: State) -> bool | None:
        return True if state.get(reference._moId, {}).get("runtime.powerState") == "poweredOff" else None

    return wait_until(session, {reference: ("runtime.powerState",)}, is_off, timeout=timeout) is not None


def _reconfigure(session: Session, vm: Vm, changes: Sequence[Change]) -> None:
    with explained("reconfigure {}", vm.name):
        now = _look_again(session, vm)
        task = _reference(session, vm).ReconfigVM_Task(reconfigure_spec(now, changes))
        wait_for_task(session, task, doing="reconfigure {}", on=vm.name, timeout=TASK_TIMEOUT)


def _look_again(session: Session, vm: Vm) -> Vm:
    """The VM just before the write. Stopping it may bump its change version; its devices and memory must be as planned."""
    place = VmName(moid=vm.moid, name=vm.name, path=vm.path, host_moid=vm.host_moid, datacenter_moid=vm.datacenter_moid)
    found = read_vms(session, [place])
    now = found[0] if found else None
    if now is None or not _is_as_planned(now, vm):
        raise DirectPathError(
            message=f"Cannot reconfigure {vm.name}: somebody else changed it since it was read",
            code="changed_meanwhile",
            cure="Run the task again",
        )
    return now


def _is_as_planned(now: Vm, planned: Vm) -> bool:
    """Whether devices and memory are what was planned for. Capabilities are left out: they may depend on the power state."""
    memory = replace(now.memory, lock_supported=planned.memory.lock_supported)
    return [device.key for device in now.devices] == [
        device.key for device in planned.devices
    ] and memory == planned.memory


def reconfigure_spec(vm: Vm, changes: Sequence[Change]) -> Any:
    """Everything in one ConfigSpec, tied to the version that was read: a race is refused by the server, not lost."""
    spec = vim.vm.ConfigSpec(changeVersion=vm.change_version or None)
    device_changes = []
    temporary_key = -100
    for change in changes:
        detail = change.detail
        if isinstance(detail, Detach):
            device_changes.append(_removal(vm, detail.key))
        elif isinstance(detail, FixedSpec | DynamicSpec):
            # Keys of new devices must be negative and distinct, else "Cannot add multiple devices using the same device key".
            device_changes.append(_addition(vm, detail, temporary_key))
            temporary_key -= 1
        elif isinstance(detail, MemoryWrite):
            continue  # all of them at once, below
        elif change.kind == "extra_config":
            key, value = detail
            spec.extraConfig = [*(spec.extraConfig or ()), vim.option.OptionValue(key=key, value=value)]
        elif isinstance(detail, HotAddOff):
            spec.memoryHotAddEnabled = False if detail.memory else spec.memoryHotAddEnabled
            spec.cpuHotAddEnabled = False if detail.cpu else spec.cpuHotAddEnabled
        else:
            raise ValueError(f"no writer for {change.kind}")
    _set_memory(spec, merge_writes(changes))
    if device_changes:
        spec.deviceChange = device_changes
    return spec


def _removal(vm: Vm, key: int) -> Any:
    # The server finds the device by its key; the type tells it which family of devices to look in.
    sriov = any(device.key == key and device.backing.kind == "sriov" for device in vm.devices)
    kind = vim.vm.device.VirtualSriovEthernetCard if sriov else vim.vm.device.VirtualPCIPassthrough
    return vim.vm.device.VirtualDeviceSpec(operation="remove", device=kind(key=key))


def _addition(vm: Vm, wanted: FixedSpec | DynamicSpec, key: int) -> Any:
    device = vim.vm.device.VirtualPCIPassthrough(
        key=key,
        controllerKey=vm.pci_controller_key,
        backing=_fixed(wanted) if isinstance(wanted, FixedSpec) else _dynamic(wanted),
    )
    return vim.vm.device.VirtualDeviceSpec(operation="add", device=device)


def _fixed(wanted: FixedSpec) -> Any:
    if not wanted.system_id:
        # Written empty it would be accepted here, and the VM would not start.
        raise DirectPathError(
            message=f"The system id of the host of {wanted.address} is not known, so {wanted.address} cannot be attached",
            code="no_system_id",
            cure="Run this again; if it stays so, refresh the host's hardware in vCenter",
        )
    return vim.vm.device.VirtualPCIPassthrough.DeviceBackingInfo(
        deviceName=wanted.name,
        id=wanted.address,
        # Hexadecimal although the reference says otherwise: a decimal id is accepted here and refused at power-on.
        deviceId=wanted.device_id,
        systemId=wanted.system_id,
        vendorId=signed16(wanted.vendor_id),
    )


def _dynamic(wanted: DynamicSpec) -> Any:
    kinds = vim.vm.device.VirtualPCIPassthrough
    allowed = []
    for entry in wanted.allowed:
        # Unsigned here, unlike everywhere else in the API.
        one = kinds.AllowedDevice(vendorId=int(entry.vendor_id, 16), deviceId=int(entry.device_id, 16))
        if entry.subvendor_id is not None:
            one.subVendorId = int(entry.subvendor_id, 16)
        if entry.subdevice_id is not None:
            one.subDeviceId = int(entry.subdevice_id, 16)
        allowed.append(one)
    return kinds.DynamicBackingInfo(deviceName=wanted.name, allowedDevice=allowed, customLabel=wanted.custom_label)


def _set_memory(spec: Any, write: MemoryWrite) -> None:
    if write.locked is not None:
        spec.memoryReservationLockedToMax = write.locked
    if write.reservation_mb is not None or write.unlimited:
        allocation = spec.memoryAllocation or vim.ResourceAllocationInfo()
        if write.reservation_mb is not None:
            allocation.reservation = write.reservation_mb
        if write.unlimited:
            allocation.limit = -1
        spec.memoryAllocation = allocation
