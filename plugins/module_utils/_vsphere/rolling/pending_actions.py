# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked for in a rolling reboot and is not to be seen yet. PRIVATE to the collection.

Nothing of it matters to safety: a process that dies forgets it all. It keeps calls from being repeated while they are under way, tells
what became of a task, and whose a maintenance mode is as long as this process has seen it begin and end.
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
"""Calls that answer with a task whose end says something."""

PRESUMED = 20.0
"""Seconds for which a call whose answer was lost is taken to be under way."""


@dataclass(kw_only=True, slots=True)
class PendingAction:
    """``task`` is None until, and unless, the call was answered with one. ``shown``: its effect was seen."""

    kind: Kind
    target: str
    at: float
    task: str | None = None
    shown: bool = False


class PendingActions:
    """Calls under way, by target: a target has one at a time, and a reboot beside it."""

    def __init__(self, session: Session, refuse: Callable[[Kind, str, BaseException], None]) -> None:
        self._session = session
        self._refuse = refuse
        self._pending: dict[str, PendingAction] = {}
        self._entered_by: dict[str, str | None] = {}
        """host → the task with which this process put it into maintenance mode last; None: its answer was lost."""
        self._left: dict[str, bool] = {}
        """host → our way out of maintenance mode ended; True once the host was seen outside."""
        self.own: dict[str, bool | None] = {}
        """host → whose its maintenance mode is, where that is known."""

    def asked(self, action: Action, now: float) -> None:
        """Just before the call."""
        if action.kind in TRACKED:
            self._pending[action.target] = PendingAction(kind=action.kind, target=action.target, at=now)
        if action.kind == "enter_maintenance":
            self._entered_by[action.target] = None
            self._left.pop(action.target, None)
            self.own.pop(action.target, None)

    def answered(self, action: Action, task: str | None) -> None:
        """The call came back: with a task, or (None) without one, when there is nothing to wait for."""
        pending = self._pending.get(action.target)
        if task is None:
            self._pending.pop(action.target, None)
        elif pending is not None:
            pending.task = task
        if action.kind == "enter_maintenance" and task is not None:
            self._entered_by[action.target] = task

    def under_way(self, target: str) -> frozenset[str]:
        pending = self._pending.get(target)
        if pending is None or pending.shown or pending.kind in ("reboot_host", "shut_down_host"):
            return frozenset()
        return frozenset({pending.kind})

    def settle(
        self,
        hosts: Collection[HostView],
        vms: Collection[VmView],
        entering: Mapping[str, Collection[str]],
        now: float,
    ) -> None:
        """Compare with what is shown now; ask for the tasks of those that show nothing.

        ``entering``: host → tasks that put it into maintenance mode. Another one than ours does not show that ours is alive.
        """
        views = {view.moid: view for view in hosts}
        machines = {vm.moid: vm for vm in vms}
        for view in hosts:
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
                # Its answer was lost, and nothing came of it.
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
        """Our way out ended, the host was seen outside, and now it is, or goes, inside again: that is somebody else's doing."""
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
        """``tasks`` put a host into maintenance mode now. One of them is known not to be ours when ours is known and not among them."""
        own = self._entered_by.get(moid)
        if own is not None and tasks and own not in tasks:
            self.own[moid] = False


def _effect(pending: PendingAction, view: HostView | None, vm: VmView | None) -> str:
    """``over``: what was asked for is there; ``visible``: it is under way for everybody to see; empty: nothing is shown."""
    if view is None and vm is None:
        return "over"
    if vm is not None:
        return "over" if vm.is_on == (pending.kind == "start_vm") else ""
    if view is None:
        return ""
    match pending.kind:
        case "enter_maintenance":
            # In maintenance mode by our task, or by somebody's who was faster: only the end of our task tells.
            return "visible" if view.entering and not view.in_maintenance else ""
        case "leave_maintenance":
            return "over" if view.connected and not view.in_maintenance else ""
        case _:
            return "" if view.connected else "over"


def _counts(kind: Kind, error: Any) -> bool:
    """Whether an ended task says that nothing comes of it. That of a reboot may end as a broken connection, and mean nothing."""
    if kind not in ("reboot_host", "shut_down_host"):
        return True
    final = (vim.fault.InvalidState, vim.fault.NoPermission, vim.fault.RestrictedVersion)
    return isinstance(error, final) or type(error).__name__.endswith("NotSupported")
