# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Executes the actions that were decided for a rolling reboot, or for host_maintenance. PRIVATE to the collection.

Each action is checked against the present state, then written to the journal, and only then made. Faults are stored as data for the next
decision. A call whose answer was lost is never repeated here: the scheduler observes its result, and decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..._domain.errors import DirectPathError
from ..._domain.rolling.state.actions import LOCKING, Action, Kind, refusal_key
from ..._domain.rolling.state.codec import decode_lock, encode
from ..._domain.rolling.state.journal import (
    DEVICES,
    EARLIER_MARK,
    ENTRY,
    GATE,
    LINKS,
    LOCKS,
    MAINTENANCE,
    MAINTENANCE_VM,
    VM,
    Entry,
    Lock,
    Purpose,
    VmEntry,
)
from ..._domain.rolling.state.observed import Refusal
from ..attributes.journal import Journal, Subject
from ..attributes.values import Texts
from ..power import calls
from ..sdk import vim, vmodl
from ..session.connect import Session
from ..session.faults import explain, words
from ..session.privileges import lacking
from .fresh import Beside
from .inventory import FleetInventory
from .pending_actions import PendingActions
from .precheck import POWER

ActionOutcome = Literal["done", "dropped", "refused"]

MISSING: Texts = {}
FINAL = ("no_permission", "not_licensed", "not_supported", "api_too_old", "library_too_old")

_CALL_WORDS: Mapping[Kind, str] = {
    "enter_maintenance": "put {} into maintenance mode",
    "cancel_entering": "cancel the maintenance mode of {}",
    "stop_vm": "shut down the guest of {}",
    "power_off_vm": "power off {}",
    "reboot_host": "reboot {}",
    "shut_down_host": "shut down {}",
    "power_on_host": "power on {}",
    "leave_maintenance": "take {} out of maintenance mode",
    "start_vm": "power on {}",
}
_FORGOTTEN: Mapping[tuple[Purpose, Kind], tuple[str, tuple[str, ...]]] = {
    ("reboot", "forget_host"): (ENTRY, (GATE, LINKS, DEVICES)),
    ("reboot", "forget_vm"): (VM, ()),
    ("maintenance", "forget_host"): (MAINTENANCE, (EARLIER_MARK,)),
    ("maintenance", "forget_vm"): (MAINTENANCE_VM, (EARLIER_MARK,)),
}
"""The attribute of the entry, and the others that are removed with it."""
_VMS = frozenset({"stop_vm", "power_off_vm", "start_vm", "mark_vm", "forget_vm"})
_NEEDS_ENTRY = frozenset(
    {"take_lock", "enter_maintenance", "stop_vm", "power_off_vm", "mark_vm", "reboot_host", "shut_down_host"}
)
"""Actions that require the journal entry first: another process may have to continue from it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionTarget:
    """The target of one action, and the journal texts on it as they were observed for the decision."""

    subject: Subject
    texts: Texts


class ActionExecutor:
    """``me``: the owner token in the locks of this run. ``lock_subject``: cluster moid → the object that stores its lock;
    ``lock_of``: the same for the cluster of an action; None = no lock is needed. ``bmcs``: host moid → its management controller.
    """

    def __init__(
        self,
        session: Session,
        fleet: FleetInventory,
        journal: Journal,
        *,
        pending_actions: PendingActions,
        me: str,
        lock_subject: Callable[[str], Subject],
        lock_of: Callable[[Action], Subject | None],
        bmcs: Mapping[str, Any],
        purpose: Purpose = "reboot",
    ) -> None:
        self.refusals: dict[str, Refusal] = {}
        self._session = session
        self._fleet = fleet
        self._journal = journal
        self._pending = pending_actions
        self._me = me
        self._lock_subject = lock_subject
        self._lock_of = lock_of
        self._bmcs = bmcs
        self._purpose = purpose
        self._stoppable: set[str] = set()
        """VMs that this account may stop and start."""
        self._calls: Mapping[Kind, Callable[[Action], Any]] = {
            "enter_maintenance": self._enter,
            "cancel_entering": self._cancel,
            "stop_vm": lambda action: calls.shut_down_guest(session, action.target),
            "power_off_vm": lambda action: calls.power_off(session, action.target),
            "start_vm": lambda action: calls.power_on(session, action.target, action.host_moid),
            "reboot_host": lambda action: self._host(action).RebootHost_Task(False),
            "shut_down_host": lambda action: self._host(action).ShutdownHost_Task(False),
            "power_on_host": lambda action: self._bmcs[action.target].power_on(),
            "leave_maintenance": lambda action: calls.exit_maintenance(session, action.target, timeout=action.timeout),
        }

    def carry_out(self, action: Action, values: Mapping[str, Texts]) -> ActionOutcome:
        """``values``: the journal as it was observed. Connection errors are raised: the result of the call is then unknown.

        Returns ``done``, ``dropped`` (the state has changed since the decision) or ``refused`` (see ``refusals``).
        """
        subject = self._subject(action)
        known = ActionTarget(subject=subject, texts=values.get(subject.moid, MISSING))
        if not self._is_valid_now(action):
            return "dropped"
        missing = self._missing(action)
        if missing is not None:
            return self._refused(action, missing, written=True)
        try:
            if not self._write(action, known):
                return "dropped"
            if not self._is_recorded(action, subject):
                raise DirectPathError(message="the written value is not shown", code="journal_unreadable")
        except vim.fault.NotAuthenticated:
            raise
        except (vmodl.MethodFault, DirectPathError) as fault:
            return self._refused(action, fault, written=False)
        call = self._calls.get(action.kind)
        if call is None:
            self._accepted(action)
            return "done"
        if action.kind in ("reboot_host", "shut_down_host") and not self._is_valid_now(action):
            return "dropped"
        return self._call(action, call)

    def _call(self, action: Action, call: Callable[[Action], Any]) -> ActionOutcome:
        self._pending.asked(action, self._fleet.now())
        try:
            answer = call(action)
        except vim.fault.NotAuthenticated:
            raise
        except (vmodl.MethodFault, DirectPathError) as fault:
            self._pending.answered(action, None)
            return self._refused(action, fault, written=True)
        task = getattr(answer, "_moId", None)
        self._pending.answered(action, task)
        if task is not None:
            self._fleet.own_tasks.add(task)
        self._accepted(action)
        return "done"

    def _accepted(self, action: Action) -> None:
        self.refusals.pop(refusal_key(action.kind, action.target), None)

    def _refused(self, action: Action, fault: BaseException, *, written: bool) -> ActionOutcome:
        self.refuse(action.kind, action.target, fault, written=written)
        return "refused"

    def refuse(self, kind: Kind, target: str, fault: BaseException, *, written: bool = True) -> None:
        """Store the fault for the next decision."""
        self.refusals[refusal_key(kind, target)] = refusal(kind, fault, at=self._fleet.now(), written=written)

    def _subject(self, action: Action) -> Subject:
        if action.kind in LOCKING:
            return self._lock_subject(action.target)
        is_vm = action.kind in _VMS or isinstance(action.entry, VmEntry)
        return Subject(kind="vm" if is_vm else "host", moid=action.target)

    # ------------------------------------------------------------------------------------------------------------ guards

    def _is_valid_now(self, action: Action) -> bool:
        """Read the present state: is the action still valid?"""
        match action.kind:
            case "stop_vm" | "power_off_vm" | "start_vm":
                return self._is_vm_ready(action)
            case "enter_maintenance" | "cancel_entering" | "reboot_host" | "shut_down_host" | "leave_maintenance":
                return self._is_host_ready(action)
            case "power_on_host":
                return self._is_off(action.target)
            case _:
                return True

    def _is_vm_ready(self, action: Action) -> bool:
        lock, beside = self._lock_beside(action)
        vm = self._fleet.fresh_vm(action.target, beside)
        if vm is None or not self._is_held(lock, vm.beside):
            return False
        if action.kind == "start_vm":
            return vm.power_state == "poweredOff"
        return vm.power_state == "poweredOn" and vm.host_moid == action.host_moid

    def _is_host_ready(self, action: Action) -> bool:
        lock, beside = self._lock_beside(action)
        host = self._fleet.fresh_host(action.target, beside)
        if host is None or not host.connected or not self._is_held(lock, host.beside):
            return False
        self._pending.entering(action.target, [task.moid for task in host.tasks if task.is_entering])
        match action.kind:
            case "enter_maintenance":
                return not host.in_maintenance and not host.entering
            case "cancel_entering":
                return host.entering and self._pending.own.get(action.target) is not False
            case "leave_maintenance":
                return host.in_maintenance
            case _:
                going = any(task.is_reboot for task in host.tasks)
                same = host.boot_time == action.boot_time
                return host.in_maintenance and same and not host.running and not going

    def _lock_beside(self, action: Action) -> tuple[Subject | None, Beside | None]:
        lock = self._lock_of(action)
        return lock, None if lock is None else self._journal.beside(lock)

    def _is_held(self, lock: Subject | None, values: Sequence[Any]) -> bool:
        """Whether this run has the lock now. A process that was stopped for longer than the time to live may have lost it."""
        if lock is None:
            return True
        held = decode_lock(self._journal.now(lock, values), self._purpose)
        return isinstance(held, Lock) and held.owner == self._me

    def _missing(self, action: Action) -> DirectPathError | None:
        """The precheck has read this before the host was started, but perhaps in another process, with another account."""
        if action.kind not in ("stop_vm", "power_off_vm") or action.target in self._stoppable:
            return None
        missing = lacking(self._session, [self._vm(action)], POWER).get(action.target)
        if missing:
            return DirectPathError(message=f"missing privilege {', '.join(missing)}", code="no_permission")
        self._stoppable.add(action.target)
        return None

    def _is_off(self, host: str) -> bool:
        bmc = self._bmcs.get(host)
        try:
            return bmc is not None and bmc.power_state() == "off"
        except DirectPathError:
            return False

    # ----------------------------------------------------------------------------------------------------------- journal

    def _write(self, action: Action, known: ActionTarget) -> bool:
        texts: dict[str, str] = {}
        if action.before is not None:
            texts |= encode(action.before)
        if action.gate_vms is not None:
            texts |= encode(action.gate_vms)
        if action.entry is not None:
            texts |= encode(self._on_server_clock(action.entry))
        expected: Texts | None = None
        lock = LOCKS[self._purpose]
        match action.kind:
            case "release_lock":
                texts[lock], expected = "", {lock: known.texts.get(lock, "")}
            case "take_lock" | "renew_lock" | "finish_lock":
                expected = {lock: known.texts.get(lock, "")}
            case "record":
                expected = {name: known.texts.get(name, "") for name in texts}
            case "forget_host" | "forget_vm":
                must, also = _FORGOTTEN[self._purpose, action.kind]
                # The entry is removed last: without it no run would look for the other values.
                texts = {name: "" for name in (*also, must) if known.texts.get(name) or name in (ENTRY, VM)}
                expected = {must: known.texts.get(must, "")} if texts else None
        if not texts:
            return True
        try:
            return self._journal.write(known.subject, texts, expected)
        except DirectPathError as error:
            # Actions that return a host to service need no lasting entry, and must not wait for one.
            if error.code != "journal_unwritable" or action.kind in _NEEDS_ENTRY:
                raise
            return self._journal.hold(known.subject, texts, expected)

    def _on_server_clock(self, entry: Entry | VmEntry | Lock) -> Entry | VmEntry | Lock:
        """Other runs compare the heartbeat of a lock with the clock of the server."""
        ahead = self._fleet.clock.ahead
        return replace(entry, beat=entry.beat + ahead, ahead=ahead) if isinstance(entry, Lock) else entry

    def _is_recorded(self, action: Action, subject: Subject) -> bool:
        """A VM is stopped only after the object shows its journal entry: without the entry no run would start the VM."""
        entry = action.entry
        if not isinstance(entry, VmEntry) or entry.step != "stop" or entry.calls != 1:
            return True
        return self._journal.write(subject, {}, encode(entry))

    # ------------------------------------------------------------------------------------------------------------- calls

    def _host(self, action: Action) -> Any:
        return self._session.reference(vim.HostSystem, action.target)

    def _vm(self, action: Action) -> Any:
        return self._session.reference(vim.VirtualMachine, action.target)

    def _enter(self, action: Action) -> Any:
        return calls.enter_maintenance(
            self._session,
            action.target,
            timeout=action.timeout,
            evacuate_powered_off=action.evacuate_powered_off,
            vsan_mode=action.vsan_mode,
        )

    def _cancel(self, action: Action) -> None:
        host = self._fleet.fresh_host(action.target)
        for task in host.tasks if host is not None else ():
            if task.is_entering:
                self._session.reference(vim.Task, task.moid).CancelTask()


def refusal(kind: Kind, fault: BaseException, *, at: float, written: bool = True) -> Refusal:
    """The fault, for the scheduler. ``at``: seconds since the epoch; ``written`` False: the journal could not be written."""
    if isinstance(fault, DirectPathError):
        code, text = fault.code, fault.message
    else:
        code, text = explain(fault, doing=_CALL_WORDS.get(kind, "write the journal of {}"), on="it").code, words(fault)
        if isinstance(fault, vim.fault.NoPermission) and fault.privilegeId:
            text = f"missing privilege {fault.privilegeId}"  # short, because it is written to the journal
    permanent = code in FINAL or isinstance(fault, vmodl.fault.NotSupported)
    if not written:
        return Refusal(
            kind=kind, code=code, text=f"its journal could not be written: {text}", at=at, permanent=permanent
        )
    if kind == "enter_maintenance" and isinstance(fault, vim.fault.InvalidState):
        return Refusal(kind=kind, code="already_in_maintenance", text=text, at=at, permanent=True)
    return Refusal(kind=kind, code=code, text=text, at=at, permanent=permanent)
