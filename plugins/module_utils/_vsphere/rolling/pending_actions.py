# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""API calls of a rolling reboot whose effect is not visible yet. PRIVATE to the collection.

Safety does not depend on this: a process that ends loses all of it. It prevents repeated calls while one is in progress, reads the result
of tasks, and knows which user entered a maintenance mode, as long as this process observed its begin and end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ..._domain.rolling.state.actions import Action, Kind
from ..._domain.rolling.state.observed import HostView, VmView
from ..property_collector.retrieve import collect_objects
from ..sdk import vim
from ..session.connect import Session

TRACKED: frozenset[str] = frozenset(
    {"enter_maintenance", "leave_maintenance", "reboot_host", "shut_down_host", "power_off_vm", "start_vm"}
)
"""Calls that return a task with a meaningful result."""

PRESUMED = 20.0
"""A call whose answer was lost counts as in progress for this number of seconds."""


@dataclass(kw_only=True, slots=True)
class PendingAction:
    """``task``: id of the returned task, None before the answer and for calls without one. ``shown``: the effect was observed."""

    kind: Kind
    target: str
    at: float
    task: str | None = None
    shown: bool = False


class PendingActions:
    """Calls in progress, by target. A target has at most one; a reboot does not block other calls."""

    def __init__(self, session: Session, refuse: Callable[[Kind, str, BaseException], None]) -> None:
        self._session = session
        self._refuse = refuse
        self._pending: dict[str, PendingAction] = {}
        self._entered_by: dict[str, str | None] = {}
        """host → the task with which this process last put it into maintenance mode; None: the answer was lost."""
        self._left: dict[str, bool] = {}
        """host → False: the exit from maintenance mode has ended; True: the host was then observed outside of it."""
        self.own: dict[str, bool | None] = {}
        """host → whether this run entered its maintenance mode, where that is known."""

    def asked(self, action: Action, now: float) -> None:
        """Call this right before the API call."""
        if action.kind in TRACKED:
            self._pending[action.target] = PendingAction(kind=action.kind, target=action.target, at=now)
        if action.kind == "enter_maintenance":
            self._entered_by[action.target] = None
            self._left.pop(action.target, None)
            self.own.pop(action.target, None)

    def answered(self, action: Action, task: str | None) -> None:
        """Call this after the API call. ``task``: the returned task, or None if there is nothing to wait for."""
        pending = self._pending.get(action.target)
        if task is None:
            self._pending.pop(action.target, None)
        elif pending is not None:
            pending.task = task
        if action.kind == "enter_maintenance" and task is not None:
            self._entered_by[action.target] = task

    def all_under_way(self) -> dict[str, frozenset[str]]:
        """Target → kinds of calls on it that are in progress without visible effect. Reboots are not included."""
        return {
            target: frozenset({pending.kind})
            for target, pending in self._pending.items()
            if not pending.shown and pending.kind not in ("reboot_host", "shut_down_host")
        }

    def settle(
        self,
        hosts: Collection[HostView],
        vms: Collection[VmView],
        entering: Mapping[str, Collection[str]],
        now: float,
    ) -> None:
        """Compare with the observed state; read the tasks of calls without visible effect.

        ``entering``: host → tasks that are putting it into maintenance mode. A task of another user does not show that the task of this
        run is still running.
        """
        concerned = self._pending.keys() | self._left.keys()
        if not concerned:
            return
        views = {view.moid: view for view in hosts if view.moid in concerned}
        machines = {vm.moid: vm for vm in vms if vm.moid in concerned}
        for view in views.values():
            self._watch_maintenance(view)
        unclear: list[PendingAction] = []
        for pending in list(self._pending.values()):
            state = _effect(pending, views.get(pending.target), machines.get(pending.target))
            if state == "visible" and pending.task is not None and pending.task not in entering.get(pending.target, ()):
                state = ""
            if state == "over":
                del self._pending[pending.target]
            elif state == "visible":
                pending.shown = True
            elif pending.task is not None:
                unclear.append(pending)
            elif now > pending.at + PRESUMED:
                # The answer was lost, and there is no effect.
                del self._pending[pending.target]
        self._ask(unclear)

    def _ask(self, pending_actions: Collection[PendingAction]) -> None:
        """One bulk read for all of them."""
        tasks = [pending.task for pending in pending_actions if pending.task is not None]
        rows = {row.moid: row for row in collect_objects(self._session, vim.Task, tasks, ("info.state", "info.error"))}
        for pending in pending_actions:
            row = rows.get(pending.task or "")
            state = str(row.get("info.state")) if row is not None else "gone"
            if state in ("queued", "running"):
                continue
            self._pending.pop(pending.target, None)
            error: Any = row.get("info.error") if row is not None else None
            if state == "error" and error is not None:
                if _counts(pending.kind, error):
                    self._refuse(pending.kind, pending.target, error)
                if pending.kind == "enter_maintenance":
                    self.own[pending.target] = False  # whatever maintenance mode it is in now, or goes into
            elif pending.kind == "leave_maintenance":
                self._left[pending.target] = False

    def _watch_maintenance(self, view: HostView) -> None:
        """This run ended the maintenance mode, the host was observed outside, and is inside again: another user has entered it."""
        moid = view.moid
        inside = view.in_maintenance or view.entering
        pending = self._pending.get(moid)
        if pending is not None and pending.kind == "leave_maintenance" and view.connected and not inside:
            self._left[moid] = True
        if moid in self._left and view.connected:
            if not inside:
                self._left[moid] = True
            elif self._left[moid]:
                self.own[moid] = False

    def entering(self, moid: str, tasks: Collection[str]) -> None:
        """``tasks`` are putting the host into maintenance mode now. If the known task of this run is not among them, another user's is."""
        own = self._entered_by.get(moid)
        if own is not None and tasks and own not in tasks:
            self.own[moid] = False


def _effect(pending: PendingAction, view: HostView | None, vm: VmView | None) -> str:
    """``over``: the effect is complete; ``visible``: the call is visibly in progress; empty: no effect."""
    if view is None and vm is None:
        return "over"
    if vm is not None:
        return "over" if vm.is_on == (pending.kind == "start_vm") else ""
    if view is None:
        return ""
    match pending.kind:
        case "enter_maintenance":
            # In maintenance mode by the task of this run or of another user who was faster: only the end of the task shows which.
            return "visible" if view.entering and not view.in_maintenance else ""
        case "leave_maintenance":
            return "over" if view.connected and not view.in_maintenance else ""
        case _:
            return "" if view.connected else "over"


def _counts(kind: Kind, error: Any) -> bool:
    """Whether the error of an ended task means that the call failed. The task of a reboot may end with a broken connection."""
    if kind not in ("reboot_host", "shut_down_host"):
        return True
    final = (vim.fault.InvalidState, vim.fault.NoPermission, vim.fault.RestrictedVersion)
    return isinstance(error, final) or type(error).__name__.endswith("NotSupported")
