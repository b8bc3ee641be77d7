# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on several targets at the same time, in one session. PRIVATE to the collection.

Most calls return a task at once. Enabling passthrough and shutting down a guest block the caller, so the work on each target has its own
thread. The threads share the login and the connections of the session. Each thread has its own lane of the session.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from ..._domain.concurrency import Pace, next_to_start
from ..._vsphere.session.connect import Lane, Session

Do = Callable[[str], bool]
"""Works on a target and returns whether that succeeded. An exception ends the run."""


def work(
    session: Session,
    targets: Sequence[tuple[str, str]],
    do: Do,
    pace: Pace,
    *,
    failed: int = 0,
    waits_for: Mapping[str, Collection[str]] | None = None,
) -> list[str]:
    """Run ``do`` for each (target, host), in order, as the pace allows. ``failed``: number of earlier failures. ``waits_for``: target →
    targets that must have ended before.

    Returns the started targets, in order. After an exception no other target is started; the running ones finish, then the exception of
    the first of the ``targets`` that has one is raised.
    """
    if pace.at_once == 1 or len(targets) < 2:
        return _work_sequentially(targets, do, pace, failed, waits_for)
    lanes = [Lane() for _unused in range(min(pace.at_once, len(targets)))]
    try:
        with ThreadPoolExecutor(max_workers=len(lanes)) as pool:
            return _work_in_threads(session, targets, do, pace, failed, lanes, pool, waits_for)
    finally:
        for lane in lanes:
            lane.close(session)


def _work_sequentially(
    targets: Sequence[tuple[str, str]], do: Do, pace: Pace, failed: int, waits_for: Mapping[str, Collection[str]] | None
) -> list[str]:
    started: list[str] = []
    waiting, hosts = list(targets), dict(targets)
    while chosen := next_to_start(waiting, (), failed, replace(pace, at_once=1), waits_for):
        (target,) = chosen
        waiting.remove((target, hosts[target]))
        started.append(target)
        failed += not do(target)
    return started


def _work_in_threads(
    session: Session,
    targets: Sequence[tuple[str, str]],
    do: Do,
    pace: Pace,
    failed: int,
    lanes: list[Lane],
    pool: ThreadPoolExecutor,
    waits_for: Mapping[str, Collection[str]] | None,
) -> list[str]:
    waiting, hosts = list(targets), dict(targets)
    running: dict[Future[bool], tuple[str, Lane]] = {}
    errors: dict[str, BaseException] = {}

    def run(target: str, lane: Lane) -> bool:
        with session.in_lane(lane):
            return do(target)

    while True:
        in_progress = [(target, hosts[target]) for target, _lane in running.values()]
        for target in () if errors else next_to_start(waiting, in_progress, failed, pace, waits_for):
            waiting.remove((target, hosts[target]))
            lane = lanes.pop(0)
            running[pool.submit(run, target, lane)] = (target, lane)
        if not running:
            break
        for done in wait(running, return_when=FIRST_COMPLETED).done:
            target, lane = running.pop(done)
            lanes.append(lane)
            error = done.exception()
            if error is not None:
                errors[target] = error
            else:
                failed += not done.result()
    for target, _host in targets:
        if target in errors:
            raise errors[target]
    not_started = {target for target, _host in waiting}
    return [target for target, _host in targets if target not in not_started]
