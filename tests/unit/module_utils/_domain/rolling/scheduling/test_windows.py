# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When hosts may be started."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.scheduling.windows import (
    closes_at,
    opens_at,
    parse_window,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import (
    Durations,
    Policy,
    Window,
)
from tests.unit.module_utils._domain.rolling.builders import ask, deeds, entry, host, standing

BERLIN = "Europe/Berlin"
NIGHT = Window(start="22:00", end="05:00", days=frozenset({4, 5}), zone=BERLIN)


def at(text: str, zone: str = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("now", "closes"),
    [
        ("2026-05-21T23:00", None),  # a Thursday
        ("2026-05-22T21:59", None),
        ("2026-05-22T22:00", "2026-05-23T05:00"),
        ("2026-05-23T04:59", "2026-05-23T05:00"),
        ("2026-05-23T05:00", None),
        ("2026-05-24T04:00", "2026-05-24T05:00"),  # Sunday morning belongs to Saturday
        ("2026-05-24T23:00", None),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_opens(now: str, closes: str | None) -> None:
    assert closes_at([NIGHT], at(now)) == (at(closes) if closes else None)


def test_summer_time_makes_the_night_shorter() -> None:
    opens, closes = at("2026-03-28T22:00"), at("2026-03-29T05:00")
    assert closes - opens == 6 * 3600
    assert closes_at([NIGHT], opens) == closes


def test_the_next_opening_that_is_long_enough() -> None:
    short = Window(start="12:00", end="12:30", zone=BERLIN)
    now = at("2026-05-20T11:00")
    assert opens_at([short, NIGHT], now) == at("2026-05-20T12:00")
    assert opens_at([short, NIGHT], now, 3600) == at("2026-05-22T22:00")
    assert opens_at([short], now, 3600) is None


def test_windows_that_touch_are_one() -> None:
    first, second = Window(start="08:00", end="12:00"), Window(start="12:00", end="16:00")
    assert closes_at([first, second], at("2026-05-20T09:00", "UTC")) == at("2026-05-20T16:00", "UTC")


def test_a_window_that_never_closes_leaves_room_for_anything() -> None:
    now = at("2026-05-20T09:00", "UTC")
    closes = closes_at([Window(start="00:00", end="00:00")], now)
    assert closes is not None
    assert closes - now > 5 * 86400


def test_parse() -> None:
    assert parse_window(["Fri", "saturday"], "22:00", "05:00", BERLIN) == NIGHT
    assert parse_window([], "22:00", "05:00", "UTC").days == frozenset(range(7))


@pytest.mark.parametrize(
    "wrong", [(["someday"], "22:00", "05:00", "UTC"), ([], "25:00", "05:00", "UTC"), ([], "22:00", "5", "UTC"),
              ([], "22:00", "05:00", "Mars/Base"), ([], "22:00", "05:00", "../etc/passwd")]
)  # fmt: skip
def test_a_wrong_window_is_refused(wrong: tuple[list[str], str, str, str]) -> None:
    with pytest.raises(InputError) as caught:
        parse_window(*wrong)
    assert caught.value.code == "bad_window"


# ------------------------------------------------------------------------------------------------------ in a decision

POLICY = Policy(windows=(NIGHT,), expected=Durations(drain=600, reboot=1200, settle=0))


def test_outside_the_window_nothing_is_started_and_it_wakes_when_it_opens() -> None:
    now = at("2026-05-22T20:00")
    answer = ask(host(precheck=None), policy=POLICY, now=now)
    assert not [kind for kind, _unused in deeds(answer) if kind == "enter_maintenance"]
    assert standing(answer).phase == "waiting"
    assert answer.outlook.state in ("waiting", "working")
    assert answer.outlook.wake_at is not None
    assert answer.outlook.wake_at <= at("2026-05-22T22:00")


def test_no_host_is_started_that_cannot_finish_inside() -> None:
    late, early = at("2026-05-23T04:31"), at("2026-05-23T04:29")
    assert not _starts(late)
    assert _starts(early)
    assert "30 min " in standing(ask(host(), policy=POLICY, now=late)).reason


def test_what_hosts_of_the_model_took_in_this_roll_counts_more_than_the_expectation() -> None:
    now = at("2026-05-23T04:00")
    slow = entry("done", at=now - 600, started=now - 5000, drained=1000.0, rebooted=2700.0)
    assert _starts(now)
    assert not _starts(now, host("esx-2", devices=(), entry=slow))
    assert _starts(now, host("esx-2", devices=(), entry=slow, model="another"))


def test_a_host_that_takes_longer_than_any_window_ends_the_roll() -> None:
    policy = Policy(windows=(NIGHT,), expected=Durations(drain=3600, reboot=8 * 3600))
    answer = ask(host(), policy=policy, now=_locked(at("2026-05-22T22:30")))
    assert "longer than any maintenance window" in standing(answer).reason


def _locked(now: float) -> float:
    return now


def _starts(now: float, *others: object) -> bool:
    from dataclasses import replace

    from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import Precheck
    from tests.unit.module_utils._domain.rolling.builders import LOCK, cluster

    lock = replace(LOCK, since=now - 60, beat=now - 10)
    view = host(precheck=Precheck(at=now - 5))
    answer = ask(view, *others, policy=POLICY, now=now, clusters=[cluster(lock=lock)])  # type: ignore[arg-type]
    return ("enter_maintenance", "esx-1") in deeds(answer)
