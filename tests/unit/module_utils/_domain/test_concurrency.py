# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be begun next: explored over random fleets, finishing in random order."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.concurrency import (
    MODEST,
    ONE_BY_ONE,
    Pace,
    next_to_start,
    parse_pace,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from tests.unit.searching import search

paces = st.builds(
    Pace, at_once=st.integers(1, 6), on_one_host=st.integers(1, 3), max_failures=st.none() | st.integers(1, 4)
)
fleets = st.lists(st.sampled_from("abcd"), max_size=15).map(
    lambda hosts: [(f"t{number:02}", host) for number, host in enumerate(hosts)]
)


@search()
@given(fleets, paces, st.randoms(use_true_random=False), st.integers(0, 3))
def test_whatever_ends_first_the_bounds_hold_and_nothing_is_forgotten(fleet, pace, random, bad) -> None:  # type: ignore[no-untyped-def]
    waiting, running, begun, failed = list(fleet), [], [], 0
    while True:
        chosen = next_to_start(waiting, running, failed, pace)
        if pace.max_failures is not None and failed >= pace.max_failures:
            assert chosen == ()
        for target in chosen:
            entry = next(entry for entry in waiting if entry[0] == target)
            waiting.remove(entry)
            running.append(entry)
            begun.append(entry)
        assert len(running) <= pace.at_once
        assert all(number <= pace.on_one_host for number in Counter(host for _target, host in running).values())
        if not running:
            break
        # As much is under way as may be: whoever waits is held up by a bound.
        if pace.max_failures is None or failed < pace.max_failures:
            busy = Counter(host for _target, host in running)
            assert len(running) == pace.at_once or all(busy[host] >= pace.on_one_host for _target, host in waiting)
        running.pop(random.randrange(len(running)))
        failed += random.randrange(4) < bad
    for host in "abcd":
        order = [target for target, place in begun if place == host]
        assert order == sorted(order), "on one host in their order"
    if pace.max_failures is None or failed < pace.max_failures:
        assert sorted(begun) == sorted(fleet)


def test_a_busy_host_does_not_hold_up_the_others() -> None:
    waiting = [("t1", "a"), ("t2", "a"), ("t3", "b")]
    assert next_to_start(waiting, [("t0", "a")], 0, Pace(at_once=3, on_one_host=1)) == ("t3",)


def test_one_by_one() -> None:
    waiting = [("t1", "a"), ("t2", "b")]
    assert next_to_start(waiting, [], 5, ONE_BY_ONE) == ("t1",)
    assert next_to_start(waiting, [("t0", "c")], 0, ONE_BY_ONE) == ()
    assert next_to_start(waiting, [], 1, Pace(at_once=1, max_failures=1)) == ()


def test_the_pace_of_a_module() -> None:
    assert parse_pace(None, None) == Pace(at_once=MODEST)
    assert parse_pace(9, 2) == Pace(at_once=9, max_failures=2)


@pytest.mark.parametrize("name", ["max_concurrent", "max_failures"])
@pytest.mark.parametrize("value", [0, -1])
def test_no_pace_at_all_is_refused(name: str, value: int) -> None:
    with pytest.raises(InputError, match=f"{name} is {value}") as caught:
        parse_pace(**{"max_concurrent": None, "max_failures": None, name: value})
    assert caught.value.code == "bad_limit"


def test_a_target_waits_until_others_have_ended_and_does_not_hold_up_the_rest() -> None:
    waiting, waits = [("t1", "a"), ("t2", "b"), ("t3", "c")], {"t1": {"t2"}}
    pace = Pace(at_once=2)
    assert next_to_start(waiting, [], 0, pace, waits) == ("t2", "t3")
    assert next_to_start([("t1", "a")], [("t2", "b")], 0, pace, waits) == ()
    assert next_to_start([("t1", "a")], [("t3", "c")], 0, pace, waits) == ("t1",)
    assert next_to_start(waiting, [], 0, ONE_BY_ONE, waits) == ("t2",)
