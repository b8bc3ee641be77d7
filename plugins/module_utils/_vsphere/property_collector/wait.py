# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for the server to say that something changed: no polling with sleeps. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from ..._domain.errors import DirectPathError
from ..http.connections import BrokenAnswer
from ..sdk import vmodl
from ..session.answer_checks import reader
from ..session.connect import Session
from ..session.faults import deed, explain
from .retrieve import collect_objects

_pc = vmodl.query.PropertyCollector
_Result = TypeVar("_Result")
State = dict[str, dict[str, Any]]
"""moid → path → value, as last seen."""

LONGEST_WAIT = 30
"""Seconds one WaitForUpdatesEx may take, so that a dead connection is noticed."""


def wait_until(
    session: Session,
    watched: Mapping[Any, tuple[str, ...]],
    is_done: Callable[[State], _Result | None],
    *,
    timeout: float,
) -> _Result | None:
    """Watch properties of objects until ``is_done(state)`` gives something other than None, or the timeout (seconds) is over.

    ``is_done`` sees a state after every change, and once at the beginning. Survives a renewed session: the filter is made again.
    None means that time is up.
    """
    deadline = session.clock() + timeout
    while True:
        logins = session.logins
        try:
            return _watch(session, watched, is_done, deadline)
        except vmodl.MethodFault:
            if session.logins == logins:
                raise


def _watch(
    session: Session,
    watched: Mapping[Any, tuple[str, ...]],
    is_done: Callable[[State], _Result | None],
    deadline: float,
) -> _Result | None:
    collector = session.collector
    kinds: dict[type, set[str]] = {}
    for reference, paths in watched.items():
        kinds.setdefault(type(reference), set()).update(paths)
    spec = _pc.FilterSpec(
        objectSet=[_pc.ObjectSpec(obj=reference, skip=False) for reference in watched],
        propSet=[_pc.PropertySpec(type=kind, all=False, pathSet=sorted(paths)) for kind, paths in kinds.items()],
        reportMissingObjectsInResults=True,
    )
    # Whole values, not parts of them: the state is small and a part would have to be patched in.
    update_filter = collector.CreateFilter(spec, False)
    state: State = {}
    version, logins = "", session.logins
    try:
        while True:
            left = deadline - session.clock()
            options = _pc.WaitOptions(maxWaitSeconds=max(0, min(LONGEST_WAIT, int(left + 0.999))))
            update = collector.WaitForUpdatesEx(version, options)
            if update is not None:
                version = update.version
                _merge(state, update)
                if not update.truncated:
                    done = is_done(state)
                    if done is not None:
                        return done
            elif not version and session.logins == logins:
                # In a session that was renewed meanwhile the filter is gone, and there is nothing to say.
                raise BrokenAnswer("it is empty, where all that is watched was asked for", method="WaitForUpdatesEx")
            elif left <= 0:
                return None
    finally:
        with suppress(Exception):
            update_filter.DestroyPropertyFilter()


@reader
def _merge(state: State, update: Any) -> None:
    for filter_update in update.filterSet or ():
        for change in filter_update.objectSet or ():
            moid = change.obj._moId
            if change.kind == "leave":
                state.pop(moid, None)
                continue
            values = state.setdefault(moid, {})
            for entry in change.changeSet or ():
                values[entry.name] = entry.val


def wait_for_task(session: Session, task: Any, *, doing: str, on: str, timeout: float) -> Any:
    """The task's result. Raises DirectPathError with the server's words when it fails, or after cancelling it when time is up.

    A task that cannot be cancelled goes on in the server, and the message says so.
    """

    def ended(state: State) -> Any:
        values = state.get(task._moId, {})
        return values if values.get("info.state") in ("success", "error") else None

    watched = {task: ("info.state", "info.error", "info.result")}
    values = wait_until(session, watched, ended, timeout=timeout)
    if values is None:
        raise _give_up(task, doing=doing, on=on, timeout=timeout)
    if values["info.state"] == "error":
        raise explain(values["info.error"], doing=doing, on=on)
    return values.get("info.result")


def wait_idle(session: Session, reference: Any, *, timeout: float) -> None:
    """Wait until no task runs on an object: after a request whose answer was lost, only then is what it did to be seen.

    Gives up quietly after the timeout (seconds).
    """
    rows = collect_objects(session, type(reference), [reference._moId], ("recentTask",))
    tasks = {task: ("info.state",) for row in rows for task in row.get("recentTask", ())}

    def idle(state: State) -> bool | None:
        busy = any(values.get("info.state") in ("queued", "running") for values in state.values())
        return None if busy else True

    if tasks:
        wait_until(session, tasks, idle, timeout=timeout)


def _give_up(task: Any, *, doing: str, on: str, timeout: float) -> DirectPathError:
    fate = "the task was cancelled"
    try:
        task.CancelTask()
    except Exception as fault:
        fate = f"the task goes on in the server, as it could not be cancelled ({explain(fault, doing='cancel', on=on).message})"
    return DirectPathError(
        message=f"Cannot {deed(doing, on)}: not done after {timeout:.0f} seconds; {fate}",
        code="timed_out",
    )
