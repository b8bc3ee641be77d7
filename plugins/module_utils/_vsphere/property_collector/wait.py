# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for changes with the property collector, without polling. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from ..._domain.errors import DirectPathError
from ..http.connections import BrokenAnswer
from ..sdk import vmodl
from ..session.answer_checks import reader
from ..session.connect import Session
from ..session.faults import describe_action, explain
from .retrieve import collect_objects

_pc = vmodl.query.PropertyCollector
_Result = TypeVar("_Result")
State = dict[str, dict[str, Any]]
"""moid → property path → last known value."""

LONGEST_WAIT = 30
"""Seconds that one WaitForUpdatesEx may take, so that a dead connection is detected."""


def wait_until(
    session: Session,
    watched: Mapping[Any, tuple[str, ...]],
    is_done: Callable[[State], _Result | None],
    *,
    timeout: float,
) -> _Result | None:
    """Watch properties of objects until ``is_done(state)`` returns something other than None, and return that.

    ``is_done`` is called at the beginning and after each change. ``timeout``: seconds, after which the result is None. After a new login
    the filter is created again. Raises faults of the server.
    """
    deadline = session.clock() + timeout
    while True:
        logins = session.logins
        try:
            return _watch(session, watched, is_done, deadline, logins)
        except vmodl.MethodFault:
            if not session.renewed_since(logins):
                raise


def _watch(
    session: Session,
    watched: Mapping[Any, tuple[str, ...]],
    is_done: Callable[[State], _Result | None],
    deadline: float,
    logins: int,
) -> _Result | None:
    """``logins``: those of the session before the first call. A session that is renewed between two calls does not have the filter."""
    collector = session.collector
    kinds: dict[type, set[str]] = {}
    for reference, paths in watched.items():
        kinds.setdefault(type(reference), set()).update(paths)
    spec = _pc.FilterSpec(
        objectSet=[_pc.ObjectSpec(obj=reference, skip=False) for reference in watched],
        propSet=[_pc.PropertySpec(type=kind, all=False, pathSet=sorted(paths)) for kind, paths in kinds.items()],
        reportMissingObjectsInResults=True,
    )
    # No partial updates: the values are small, and a partial value would have to be merged.
    update_filter = collector.CreateFilter(spec, False)
    state: State = {}
    version = ""
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
            elif not version and not session.renewed_since(logins):
                # The first answer has all watched objects, unless the session was renewed: then the filter no longer exists.
                raise BrokenAnswer("it is empty, but must have all watched objects", method="WaitForUpdatesEx")
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
    """Wait for a task and return its result. ``timeout``: seconds.

    Raises DirectPathError with the text of the server when the task fails. After the timeout it cancels the task and raises DirectPathError
    (timed_out). A task that cannot be canceled continues on the server, and the message says so.
    """

    def ended(state: State) -> Any:
        values = state.get(task._moId, {})
        return values if values.get("info.state") in ("success", "error") else None

    watched = {task: ("info.state", "info.error", "info.result")}
    values = wait_until(session, watched, ended, timeout=timeout)
    if values is None:
        raise _cancel(task, doing=doing, on=on, timeout=timeout)
    if values["info.state"] == "error":
        raise explain(values["info.error"], doing=doing, on=on)
    return values.get("info.result")


def wait_idle(session: Session, reference: Any, *, timeout: float) -> None:
    """Wait until no task is in progress on an object. After a request without an answer, its effect is visible only then.

    Returns without an error after the timeout (seconds).
    """
    rows = collect_objects(session, type(reference), [reference._moId], ("recentTask",))
    tasks = {task: ("info.state",) for row in rows for task in row.get("recentTask", ())}

    def idle(state: State) -> bool | None:
        busy = any(values.get("info.state") in ("queued", "running") for values in state.values())
        return None if busy else True

    if tasks:
        wait_until(session, tasks, idle, timeout=timeout)


def _cancel(task: Any, *, doing: str, on: str, timeout: float) -> DirectPathError:
    result = "the task was canceled"
    try:
        task.CancelTask()
    except Exception as fault:
        result = f"the task continues on the server, because it could not be canceled ({explain(fault, doing='cancel', on=on).message})"
    return DirectPathError(
        message=f"Cannot {describe_action(doing, on)}: not finished after {timeout:.0f} seconds; {result}",
        code="timed_out",
    )
