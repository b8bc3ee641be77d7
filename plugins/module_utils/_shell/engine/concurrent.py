# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several targets written to at the same time, on one session. PRIVATE to the collection.

Most calls answer with a task at once, but enabling passthrough and a guest's shutdown keep the caller waiting, so each target has a
thread while it is worked on. The threads share the session's login and connections and have a lane of it each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from ..._domain.concurrency import Pace, next_to_start
from ..._vsphere.session.connect import Lane, Session

Do = Callable[[str], bool]
"""Works on a target and says whether that went well. Whatever it raises ends the run."""


def work(session: Session, targets: Sequence[tuple[str, str]], do: Do, pace: Pace, *, failed: int = 0) -> list[str]:
    """Run ``do`` for the (target, host) in their order as the pace allows; ``failed`` failed before. Returns the targets begun, in
    order.

    Nothing is begun after an exception; what is under way is waited for, and the first target's exception is raised.
    """
    if pace.at_once == 1 or len(targets) < 2:
        return _one_by_one(targets, do, pace, failed)
    lanes = [Lane() for _unused in range(min(pace.at_once, len(targets)))]
    try:
        with ThreadPoolExecutor(max_workers=len(lanes)) as pool:
            return _side_by_side(session, targets, do, pace, failed, lanes, pool)
    finally:
        for lane in lanes:
            lane.close(session)


def _one_by_one(targets: Sequence[tuple[str, str]], do: Do, pace: Pace, failed: int) -> list[str]:
    begun: list[str] = []
    for target, host in targets:
        if not next_to_start([(target, host)], (), failed, pace):
            break
        begun.append(target)
        failed += not do(target)
    return begun


def _side_by_side(
    session: Session,
    targets: Sequence[tuple[str, str]],
    do: Do,
    pace: Pace,
    failed: int,
    lanes: list[Lane],
    pool: ThreadPoolExecutor,
) -> list[str]:
    waiting, hosts = list(targets), dict(targets)
    running: dict[Future[bool], tuple[str, Lane]] = {}
    errors: dict[str, BaseException] = {}

    def run(target: str, lane: Lane) -> bool:
        with session.in_lane(lane):
            return do(target)

    while True:
        under_way = [(target, hosts[target]) for target, _lane in running.values()]
        for target in () if errors else next_to_start(waiting, under_way, failed, pace):
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
    left = {target for target, _host in waiting}
    return [target for target, _host in targets if target not in left]
