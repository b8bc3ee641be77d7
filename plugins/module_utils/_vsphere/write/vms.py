# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write to VMs: power operations, and one reconfigure for all settings. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from ..._domain.errors import DirectPathError
from ..._domain.observed.vms import DvxBacking, DynamicBacking, VgpuBacking, Vm
from ..._domain.planning.details import (
    DvxSpec,
    DynamicSpec,
    FixedSpec,
    GroupSpec,
    PinToHost,
    PowerOff,
    PowerOn,
    UpgradeHardware,
    VgpuSpec,
)
from ..._domain.planning.plan import Change, Sent
from ..._domain.vm.kinds.new_settings import new_settings, settings_incomplete
from ..._domain.writing.races import find_other_holders, keeps_device
from ..._domain.writing.restore import restoring_changes
from ..power.calls import power_off, shut_down_guest
from ..property_collector.retrieve import DEVICES_PAGE, collect_through
from ..property_collector.wait import State, wait_for_task, wait_idle, wait_until
from ..read.vms import USER_PATHS, passthrough_devices, place_of, read_vms, vm_from_row
from ..sdk import vim, vmodl
from ..session.connect import Session
from ..session.faults import CONNECTION_ERRORS, UNCERTAIN, explain, explained
from .config_spec import reconfigure_spec
from .pinning import write_pin
from .power_on import start_vm
from .units import FIRST_SEQUENCES, numbers_parts
from .upgrade import upgrade_hardware

TASK_TIMEOUT = 600.0
"""Seconds that a reconfigure or a power operation may take."""
RIVAL_TIMEOUT = 60.0
"""Seconds that another run, which lost the race for a device, has to undo its write."""

SHUT_DOWN = "the VM was shut down"
_REFUSED_WHOLE = frozenset({"invalid_argument", "vsphere_fault"})
"""Error codes of a reconfigure that was refused because of a value: nothing of it was applied."""
_MAY_STILL_STOP = UNCERTAIN | {"shutdown_timed_out", "timed_out"}

Check: TypeAlias = Callable[[Sequence[Change]], tuple[Vm, tuple[Change, ...]]]
"""Called right before a write. Returns the VM as it is now, and the changes that are still necessary. Raises DirectPathError when any other
change would be necessary now."""


def unchecked(vm: Vm) -> Check:
    """A check that accepts all changes, for callers that checked the VM themselves."""
    return lambda changes: (vm, tuple(changes))


def apply_vm(session: Session, vm: Vm, changes: Sequence[Change], check: Check) -> tuple[str, ...]:
    """Make the changes of one VM: shut down, upgrade its hardware version, one reconfigure, power on. Returns what was done, as clauses.

    Raises DirectPathError; its message says what was done before. After an error, a VM that ran before is started again; if that fails, the
    message says so.
    """
    return _Work(session, vm).do(changes, check)


class _Work:
    """The work on one VM, and the data to undo it."""

    def __init__(self, session: Session, vm: Vm) -> None:
        self._session, self._vm, self._stopped = session, vm, session.to_start
        self._done: list[str] = []
        self._ran = vm.moid in self._stopped
        self._sent = self._stopped.get(vm.moid)
        self._lost = False
        """Whether another VM keeps the device."""

    def do(self, changes: Sequence[Change], check: Check) -> tuple[str, ...]:
        """Make the changes. See ``apply_vm``."""
        try:
            # A read that the server refuses in the middle leaves the VM off, as a refused write does.
            with explained("change {}", self._vm.name):
                self._make_changes(changes, check)
        except DirectPathError as error:
            self._undo_after(error)
            raise
        self._session.off.pop(self._vm.moid, None)
        return tuple(self._done)

    def _make_changes(self, changes: Sequence[Change], check: Check) -> None:
        now, left = check(changes)
        pin = next((change.detail for change in left if isinstance(change.detail, PinToHost)), None)
        if pin is not None:
            # First, because it stops nothing: a refusal leaves the VM as it is.
            self._done.append(write_pin(self._session, now, pin))
            left = tuple(change for change in left if change.detail is not pin)
        stop = next((change.detail for change in left if isinstance(change.detail, PowerOff)), None)
        if stop is not None:
            _refuse_lossy(self._session, now, _settings(left))
            self._shut_down(now, stop, starts=_starts(left))
            now, left = check([change for change in left if change.detail is not stop])
        upgrade = next((change.detail for change in left if isinstance(change.detail, UpgradeHardware)), None)
        if upgrade is not None:
            self._done.append(upgrade_hardware(self._session, now, upgrade.version))
            now, left = check([change for change in left if change.detail is not upgrade])
        settings = _settings(left)
        incomplete = None
        if settings:
            self._set(now, settings)
            incomplete = self._set_by_index(now, settings)
        if _starts(left):
            self._start(now, settings)
            self._done.append("the VM was started")
        if incomplete is not None:
            # The devices stay, and the next run sets what is missing.
            self._sent, self._ran = None, False
            raise incomplete

    def _set_by_index(self, before: Vm, settings: Sequence[Change]) -> DirectPathError | None:
        """The second reconfigure: settings of new devices, whose index is known only now. Returns the error if they could not be set."""
        if not any(isinstance(change.detail, VgpuSpec) and change.detail.advanced for change in settings):
            return None
        more: tuple[Change, ...] = ()
        try:
            now = _read(self._session, before)
            more = new_settings(before, now, settings)
            _reconfigure(self._session, now, more)
        except DirectPathError as error:
            if error.code in UNCERTAIN:
                _wait_idle(self._session, before)
            return settings_incomplete(before, settings, more, error)
        if self._sent is not None:
            self._sent = Sent(was=self._sent.was, changes=(*self._sent.changes, *more))
            if before.moid in self._stopped:
                self._stopped[before.moid] = self._sent
        self._done.append("the settings of the new devices were set")
        return None

    def _set(self, now: Vm, settings: Sequence[Change]) -> None:
        self._sent = Sent(was=now, changes=tuple(settings))
        if now.moid in self._stopped:
            self._stopped[now.moid] = self._sent
        try:
            _reconfigure(self._session, now, settings)
        except DirectPathError as error:
            if error.code in UNCERTAIN:
                _wait_idle(self._session, now)
                with suppress(vmodl.MethodFault, *CONNECTION_ERRORS):
                    self._settle_race(now, settings)  # the server may have made the change
            raise
        self._done.append("the VM was reconfigured")
        self._settle_race(now, settings)

    def _shut_down(self, now: Vm, how: PowerOff, *, starts: bool) -> None:
        self._session.off[now.moid] = now.name
        try:
            _stop(self._session, now, how)
        except DirectPathError as error:
            if error.code not in _MAY_STILL_STOP:
                del self._session.off[now.moid]
            raise
        self._done.append(SHUT_DOWN)
        self._ran = True
        if starts:
            self._stopped[now.moid] = None

    def _start(self, now: Vm, settings: Sequence[Change] = ()) -> None:
        _start_in_turn(self._session, now, settings)
        self._session.off.pop(now.moid, None)
        self._stopped.pop(now.moid, None)

    # ------------------------------------------------------------------------------------------------------- undoing

    def _undo_after(self, error: DirectPathError) -> None:
        """Undo the changes after an error. If it is unknown what the server did, only wait: the second attempt reads the VM first."""
        if error.code in UNCERTAIN:
            _wait_idle(self._session, self._vm)
        elif self._ran or self._lost:
            self._done += self._restore()
        if self._done:
            error.message = f"{error.message.rstrip('.')}. Done before that: {', '.join(self._done)}"

    def _restore(self) -> list[str]:
        """Undo the reconfigure, and start the VM if it ran before. Returns what was done, or failed, as clauses."""
        steps: list[str] = []
        restored = "without the change"
        try:
            if self._sent is not None:
                steps += self._undo_reconfigure(self._sent)
        except DirectPathError as problem:
            restored = "with the change"
            steps.append(f"the change could not be undone ({problem.message.rstrip('.')})")
        try:
            if self._ran and _is_on(self._session, self._vm):
                self._session.off.pop(self._vm.moid, None)  # another user started it
                self._stopped.pop(self._vm.moid, None)
            elif self._ran:
                self._start(self._vm)
                steps.append(f"it was started again {restored}")
        except DirectPathError as problem:
            steps.append(f"it could not be started again ({problem.message.rstrip('.')})")
        return steps

    def _undo_reconfigure(self, sent: Sent) -> list[str]:
        now = _read(self._session, self._vm)
        changes, lost = restoring_changes(sent.was, now, sent.changes)
        if changes:
            _reconfigure(self._session, now, changes)
        missing = [f"{device} could not be attached again" for device in lost]
        return [*(["the change was undone"] if changes else []), *missing]

    def _settle_race(self, now: Vm, settings: Sequence[Change]) -> None:
        """Check whether another run attached the same device to another VM at the same time. The run that must give way raises
        DirectPathError (device_taken).
        """
        addresses = {change.detail.address for change in settings if isinstance(change.detail, FixedSpec)}
        if not addresses or now.host_moid is None:
            return
        rivals = find_other_holders(addresses, now, _on_host(self._session, now.host_moid))
        if not rivals or (keeps_device(now, rivals) and _gave_way(self._session, rivals, addresses)):
            return
        self._lost = True
        names = ", ".join(f"{rival.name} ({'running' if rival.is_powered_on else 'powered off'})" for rival in rivals)
        raise DirectPathError(
            message=f"{now.name} cannot have {', '.join(sorted(addresses))}: the same device was attached to {names} at the same time",
            code="device_taken",
            cure="Run the task again: it chooses from the devices that are free then",
        )


def _settings(changes: Sequence[Change]) -> list[Change]:
    return [
        change for change in changes if not isinstance(change.detail, PowerOff | UpgradeHardware | PinToHost | PowerOn)
    ]


def _starts(changes: Sequence[Change]) -> bool:
    return any(isinstance(change.detail, PowerOn) for change in changes)


def _on_host(session: Session, host: str) -> list[Vm]:
    paths = {vim.VirtualMachine: USER_PATHS}
    rows = collect_through(session, vim.HostSystem, [host], "vm", paths, page=DEVICES_PAGE)[vim.VirtualMachine]
    return [vm_from_row(row, None) for row in rows]


def _gave_way(session: Session, rivals: Sequence[Vm], addresses: set[str]) -> bool:
    """Wait until the other VMs no longer have the addresses. Returns False if one keeps them: it was started with them, its run did not
    see the change of this run, or its devices cannot be read. A VM that was removed has none."""
    devices, power = "config.hardware.device", "runtime.powerState"
    references = {rival.moid: session.reference(vim.VirtualMachine, rival.moid) for rival in rivals}

    def free(state: State) -> bool | None:
        found = [state[moid] for moid in references if moid in state]
        holders = [vm for vm in found if vm.get(devices) is None or _held(vm[devices]) & addresses]
        if not holders:
            return True
        return False if any(vm.get(power) == "poweredOn" for vm in holders) else None

    watched = dict.fromkeys(references.values(), (devices, power))
    return wait_until(session, watched, free, timeout=RIVAL_TIMEOUT) is True


def _held(devices: Iterable[Any]) -> set[str]:
    return {a for device in passthrough_devices(devices) for a in getattr(device.backing, "possible", ())}


def _wait_idle(session: Session, vm: Vm) -> None:
    """Wait for the end of a request without an answer. A power-on is first a task of the datacenter, then one of the VM."""
    with suppress(vmodl.MethodFault, *CONNECTION_ERRORS):
        if vm.datacenter_moid is not None:
            wait_idle(session, session.reference(vim.Datacenter, vm.datacenter_moid), timeout=TASK_TIMEOUT)
        wait_idle(session, _reference(session, vm), timeout=TASK_TIMEOUT)


def _start_in_turn(session: Session, vm: Vm, changes: Sequence[Change]) -> None:
    """Start a VM. VMs of one cluster with dynamic devices, vGPUs or DVX devices start one after another.

    vCenter chooses the host for such a VM by its free devices, and the VM takes a device only when it runs. So two VMs that start at the
    same time could both be sent to the last free device. For a fixed device there is only one host.
    """
    gets_shared = any(isinstance(change.detail, DynamicSpec | VgpuSpec | DvxSpec | GroupSpec) for change in changes)
    shared = DynamicBacking | VgpuBacking | DvxBacking
    if not gets_shared and not any(isinstance(device.backing, shared) for device in vm.devices):
        start_vm(session, vm)
        return
    with session.turn(f"start in {vm.datacenter_moid} {vm.cluster or vm.host_moid}"):
        start_vm(session, vm)


def _reference(session: Session, vm: Vm) -> Any:
    return session.reference(vim.VirtualMachine, vm.moid)


def _stop(session: Session, vm: Vm, how: PowerOff) -> None:
    """Shut down the guest and wait. After the timeout do a hard power-off, if that is allowed. Raises DirectPathError."""
    reference = _reference(session, vm)
    problem = None
    try:
        shut_down_guest(session, vm.moid)
    except (vim.fault.ToolsUnavailable, vim.fault.InvalidState, vmodl.fault.NotSupported) as fault:
        problem = explain(fault, doing="shut down the guest of {}", on=vm.name)
    except (vmodl.MethodFault, *CONNECTION_ERRORS) as fault:
        raise explain(fault, doing="shut down the guest of {}", on=vm.name) from fault
    if problem is None and _wait_off(session, reference, how.timeout_seconds):
        return
    if not how.allow_power_off:
        raise problem or DirectPathError(
            message=f"Cannot shut down {vm.name}: its guest still runs {how.timeout_seconds} seconds after the request. "
            "It may still shut down later, and is not started again then",
            code="shutdown_timed_out",
            cure="Check the console of the guest, raise shutdown_timeout, or allow a hard power-off with allow_power_off: true",
        )
    with explained("power off {}", vm.name):
        task = power_off(session, vm.moid)
        wait_for_task(session, task, doing="power off {}", on=vm.name, timeout=TASK_TIMEOUT)


def _wait_off(session: Session, reference: Any, timeout: float) -> bool:
    def is_off(state: State) -> bool | None:
        return True if state.get(reference._moId, {}).get("runtime.powerState") == "poweredOff" else None

    return wait_until(session, {reference: ("runtime.powerState",)}, is_off, timeout=timeout) is not None


def _refuse_lossy(session: Session, vm: Vm, changes: Sequence[Change]) -> None:
    """Raise DirectPathError for a reconfigure that cannot be sent: before the VM is shut down for it."""
    with explained("reconfigure {}", vm.name):
        session.refuse_lossy(vim.VirtualMachine, vm.moid, "Reconfigure", [reconfigure_spec(vm, changes)])


def _reconfigure(session: Session, vm: Vm, changes: Sequence[Change]) -> None:
    *earlier, last = FIRST_SEQUENCES if numbers_parts(changes) else FIRST_SEQUENCES[:1]
    for first in earlier:
        try:
            return _send(session, vm, reconfigure_spec(vm, changes, first_sequence=first))
        except DirectPathError as error:
            if error.code not in _REFUSED_WHOLE:
                raise
    return _send(session, vm, reconfigure_spec(vm, changes, first_sequence=last))


def _send(session: Session, vm: Vm, spec: Any) -> None:
    with explained("reconfigure {}", vm.name):
        task = _reference(session, vm).ReconfigVM_Task(spec)
        wait_for_task(session, task, doing="reconfigure {}", on=vm.name, timeout=TASK_TIMEOUT)


def _read(session: Session, vm: Vm) -> Vm:
    with explained("read {}", vm.name):
        found = read_vms(session, [place_of(vm)])
    if not found:
        raise DirectPathError(message=f"{vm.name} was removed", code="vanished")
    return found[0]


def _is_on(session: Session, vm: Vm) -> bool:
    return _read(session, vm).is_powered_on
