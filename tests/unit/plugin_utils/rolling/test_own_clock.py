# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times of a server whose clock differs, as they are shown on the control node."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.own_clock import OwnClock, describe_difference

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 12, 3, 12, tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize(
    ("ahead", "learned", "shown"),
    [
        (0, 0, "03:12"),
        (60, 0, "03:12"),
        (-60, 0, "03:12"),
        (61, 61, "03:10"),
        (300, 300, "03:07"),
        (-300, -300, "03:17"),
        (12 * 3600, 12 * 3600, "15:12"),
        (12 * 3600 + 1, 0, "03:12"),
    ],
)
def test_a_difference_of_more_than_a_minute_is_learned_once(ahead: int, learned: int, shown: str) -> None:
    clock = OwnClock(BERLIN)
    assert clock.learn(NOW + ahead, NOW) == learned
    assert clock.learn(NOW + ahead, NOW) == 0, "it is worth one line"
    assert datetime.fromtimestamp(NOW, tz=clock).strftime("%H:%M") == shown


@given(
    moment=st.integers(1_700_000_000, 1_900_000_000),
    ahead=st.integers(-12 * 3600, 12 * 3600),
    zone=st.sampled_from([BERLIN, ZoneInfo("America/New_York"), ZoneInfo("UTC"), timezone(timedelta(hours=5.5))]),
)
def test_a_moment_is_what_the_clock_of_this_machine_showed_then(moment: int, ahead: int, zone: ZoneInfo) -> None:
    clock = OwnClock(zone)
    clock.ahead = timedelta(seconds=ahead)
    shown = datetime.fromtimestamp(moment, tz=clock)
    here = datetime.fromtimestamp(moment - ahead, tz=zone)
    assert (shown.replace(tzinfo=None), shown.tzname()) == (here.replace(tzinfo=None), here.tzname())
    if here.fold == 0 and (here + timedelta(hours=1)).utcoffset() == (here - timedelta(hours=1)).utcoffset():
        assert shown.timestamp() == moment


def test_the_line_says_whose_times_are_shown() -> None:
    assert describe_difference("vc.lab\n", 300) == (
        "the clock of vc.lab is 5 min ahead of this machine. Times are those of this machine"
    )
    assert "5 min behind this machine" in describe_difference("vc.lab", -300)
