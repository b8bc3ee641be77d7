# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a lock is reported as lost, and what is reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.lost_locks import (
    WatchedLock,
    lock_event,
    lost_locks,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import Lock

LOCK = Lock(owner="me@awx-1", run_id="1f3c", scope="s", since=100.0, beat=1000.0, ttl=60.0)
WATCHED = WatchedLock(moid="domain-c1", place="gpu", lock=LOCK, hosts=("gpu-01",), vms_off=("train-01",))

REBOOT = ("domain-c1", "reboot")
LOCKS: dict[str, tuple[float, dict[Any, float], bool, float | None]] = {
    "it has a heartbeat": (1060.0, {}, False, 1060.0),
    "its heartbeat is too old": (1061.0, {}, True, None),
    "it was reported": (1061.0, {REBOOT: 1000.0}, False, None),
    "it had a heartbeat since then": (1061.0, {REBOOT: 900.0}, True, None),
    "another one was reported": (1061.0, {("domain-c2", "reboot"): 1000.0}, True, None),
    "another one of the same object was reported": (1061.0, {("domain-c1", "maintenance"): 1000.0}, True, None),
}


@pytest.mark.parametrize("case", LOCKS)
def test_a_lock_is_lost_once(case: str) -> None:
    now, reported, is_lost, due = LOCKS[case]
    assert lost_locks([WATCHED], reported, now) == ((WATCHED,) if is_lost else (), due)


def test_the_next_lock_decides_when_to_look() -> None:
    later = replace(WATCHED, moid="domain-c2", lock=replace(LOCK, beat=1030.0))
    assert lost_locks([later, WATCHED], {}, 1001.0) == ((), 1060.0)


def test_a_lost_lock_says_what_is_off() -> None:
    assert lock_event(WATCHED, 1100.0) == {
        "type": "lock_lost",
        "purpose": "reboot",
        "place": "gpu",
        "moid": "domain-c1",
        "run_id": "1f3c",
        "owner": "me@awx-1",
        "since": "1970-01-01T00:01:40Z",
        "last_heartbeat": "1970-01-01T00:16:40Z",
        "silent_seconds": 100,
        "ttl": 60,
        "hosts_in_progress": ["gpu-01"],
        "hosts_in_progress_left_out": 0,
        "vms_off": ["train-01"],
        "vms_off_left_out": 0,
    }


def test_no_text_of_it_is_a_template() -> None:
    evil = "{{ lookup('pipe', 'id') }}"
    lock = replace(LOCK, owner=evil, run_id=evil)
    event = lock_event(replace(WATCHED, moid=evil, place=evil, lock=lock, hosts=(evil,), vms_off=(evil,)), 1100.0)
    assert str(event).count("(( lookup") == 6
    assert "{{" not in str(event)
