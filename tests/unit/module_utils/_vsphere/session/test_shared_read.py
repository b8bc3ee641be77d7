# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One read for several threads: fewer reads, and never facts from before a thread asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.shared_read import SharedRead
from tests.unit.patience import PATIENCE


class Slow:
    """A read that ends when it is told to. ``state`` is what it returns: as it was when the read began."""

    def __init__(self) -> None:
        self.state = 0
        self.began = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.reads = 0

    def __call__(self) -> int:
        self.reads += 1
        found = self.state
        self.began.release()
        assert self.may_end.acquire(timeout=PATIENCE)
        return found


class Key(str):
    """A key that says when a thread that asks with it has joined a read: then it was looked up twice."""

    def __init__(self, _text: str) -> None:
        self.looked_up = threading.Semaphore(0)

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other)

    def __hash__(self) -> int:
        self.looked_up.release()
        return super().__hash__()


def _ask(pool: ThreadPoolExecutor, shared: SharedRead[int], read: Callable[[], int], text: str = "") -> Future[int]:
    """A thread that asks; returns once it has joined a read that has not begun."""
    key = Key(text)
    found = pool.submit(shared.get, key, read)
    for _unused in range(2):
        assert key.looked_up.acquire(timeout=PATIENCE)
    return found


def test_threads_that_wait_for_a_read_in_progress_share_the_next_one() -> None:
    shared, read = SharedRead[int](), Slow()
    with ThreadPoolExecutor(8) as pool:
        first = _ask(pool, shared, read)
        assert read.began.acquire(timeout=PATIENCE)
        read.state = 1  # changes after the first read began: whoever asks from now on must see it
        later = [_ask(pool, shared, read) for _unused in range(6)]
        read.may_end.release(7)
        assert first.result(PATIENCE) == 0
        assert {found.result(PATIENCE) for found in later} == {1}
    assert read.reads == 2


def test_reads_one_after_the_other_are_not_shared() -> None:
    shared: SharedRead[int] = SharedRead()
    answers = iter([1, 2])
    assert [shared.get("", lambda: next(answers)), shared.get("", lambda: next(answers))] == [1, 2]


def test_other_hosts_are_another_read() -> None:
    shared, one, other = SharedRead[int](), Slow(), Slow()
    other.state = 5
    with ThreadPoolExecutor(2) as pool:
        waits = _ask(pool, shared, one, "hosts of a")
        assert one.began.acquire(timeout=PATIENCE)
        other.may_end.release()
        assert _ask(pool, shared, other, "hosts of b").result(PATIENCE) == 5
        one.may_end.release()
        assert waits.result(PATIENCE) == 0


def test_a_read_that_fails_fails_for_one_thread_only() -> None:
    shared, slow = SharedRead[int](), Slow()
    failures = threading.Semaphore(1)

    def read() -> int:
        if failures.acquire(blocking=False):
            raise ConnectionResetError("the server closed the connection")
        return 7

    with ThreadPoolExecutor(4) as pool:
        first = _ask(pool, shared, slow)
        assert slow.began.acquire(timeout=PATIENCE)
        waiting = [_ask(pool, shared, read) for _unused in range(3)]
        slow.may_end.release()
        assert first.result(PATIENCE) == 0
        outcomes = [found.exception(PATIENCE) for found in waiting]
        assert [type(error) for error in outcomes if error] == [ConnectionResetError]
        assert [found.result() for found, error in zip(waiting, outcomes, strict=True) if error is None] == [7, 7]
    with pytest.raises(StopIteration):
        shared.get("", lambda: next(iter(())))
