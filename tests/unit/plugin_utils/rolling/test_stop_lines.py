# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is printed when a signal stops a rolling reboot."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.last_look import LastLook
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.own_clock import OwnClock
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.progress import View
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.stop_lines import (
    SLOWEST_REACTION,
    Stop,
    abort_lines,
    opening_line,
    stop_lines,
)
from tests.unit.action.records import NOON

VIEW = View(zone=UTC)
BEGUN = LastLook(
    hosts=({"name": "gpu-01.lab", "cluster": "gpu-a", "phase": "booting", "since": NOON},),
    vms=(
        {"name": "train-02", "host": "gpu-01.lab", "since": NOON - 120, "state": "off"},
        {"name": "train-01", "host": "gpu-01.lab", "since": NOON - 60, "state": "shutting down"},
    ),
    at=NOON,
    is_last=True,
    at_most=3570.0,
)
DRAINING = LastLook(
    hosts=({"name": "gpu-01.lab", "cluster": "gpu-a", "phase": "draining", "since": NOON},), at=NOON, is_last=True
)
NOTHING = LastLook(at=NOON + 31, is_last=True)


def texts(lines: Any) -> list[str]:
    return [line.text for line in lines]


def test_the_first_line_says_where_the_page_is_and_how_to_pause() -> None:
    assert opening_line({"timeline_html": "/r/t.html"}).text == (
        "timeline_html: /r/t.html (updated from now on). To pause: "
        """ansible-playbook directpath.vsphere.pause -e '{"pause_reason": "why"}'"""
    )
    assert shlex.split(opening_line({}).text)[-3:] == ["directpath.vsphere.pause", "-e", '{"pause_reason": "why"}']


def test_ctrl_c_names_what_is_off_and_how_long_and_what_a_second_one_does() -> None:
    assert texts(stop_lines(BEGUN, Stop(signal="SIGINT", pages=["/r/t.html"]), VIEW, NOON)) == [
        "stopping (Ctrl-C): no further host is started",
        "VMs off because of this run: train-02 (for gpu-01.lab since 11:58), train-01 (shutting down, for gpu-01.lab since 11:59)",
        "hosts being finished: gpu-a gpu-01.lab (booting since 12:00)",
        "this takes at most 60 min (until 13:00), usually much less",
        "Ctrl-C again stops at once. Then VMs stay off, hosts stay as they are until: ansible-playbook directpath.vsphere.restore",
        "timeline, still updated: /r/t.html",
        "what is off or in progress: ansible-playbook directpath.vsphere.status",
        "to continue with the other hosts: run the same playbook again",
    ]


@pytest.mark.parametrize(
    ("look", "then"),
    [
        (BEGUN, ". Then VMs stay off, hosts stay as they are until: ansible-playbook directpath.vsphere.restore"),
        (DRAINING, ". Then hosts stay as they are until: ansible-playbook directpath.vsphere.restore"),
        (NOTHING, ""),
    ],
    ids=["VMs off", "draining", "nothing"],
)
def test_a_second_ctrl_c_leaves_only_what_is_begun(look: LastLook, then: str) -> None:
    lines = texts(stop_lines(look, Stop(signal="SIGINT"), VIEW, NOON))
    assert f"Ctrl-C again stops at once{then}" in lines


def test_without_a_terminal_the_process_that_goes_on_is_named() -> None:
    lines = texts(stop_lines(NOTHING, Stop(signal="SIGTERM", pid=4711, delay=60), VIEW, NOON))
    assert lines[0] == "stopping (SIGTERM): no further host is started in at most 60 s"
    assert lines[1:3] == [
        "no VM was off because of this run at its last look (12:00:31)",
        "no host was in progress at its last look (12:00:31)",
    ]
    assert "process 4711 finishes this in the background. To stop it at once: kill 4711" in lines
    assert not [line for line in lines if "Ctrl-C" in line]


UNKNOWN_VMS = "VMs off because of this run: not known. To see them: ansible-playbook directpath.vsphere.status"
UNKNOWN_HOSTS = "hosts left as they are: not known. To see them: ansible-playbook directpath.vsphere.status"


@pytest.mark.parametrize(
    ("look", "vms", "hosts"),
    [
        (
            NOTHING,
            "no VM was off because of this run at its last look (12:00:31)",
            "no host was in progress at its last look (12:00:31)",
        ),
        (LastLook(at=NOON), UNKNOWN_VMS, UNKNOWN_HOSTS),
        (LastLook(), UNKNOWN_VMS, UNKNOWN_HOSTS),
        (DRAINING, UNKNOWN_VMS, "hosts left as they are: gpu-a gpu-01.lab (draining since 12:00)"),
    ],
    ids=["certain", "lines after the state", "nothing read", "a host that is draining"],
)
def test_a_run_that_ends_at_once_says_no_vm_only_if_that_is_certain(look: LastLook, vms: str, hosts: str) -> None:
    assert texts(abort_lines(look, "a second signal", VIEW))[1:3] == [vms, hosts]


@given(
    now=st.integers(1_700_000_000, 1_900_000_000),
    ahead=st.integers(-13 * 3600, 13 * 3600),
    longest=st.floats(1, 9 * 3600),
    delay=st.sampled_from([0.0, 60.0]),
    zone=st.sampled_from([ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("UTC")]),
)
def test_the_deadline_is_by_the_clock_of_this_machine_whatever_the_difference(
    now: int, ahead: int, longest: float, delay: float, zone: ZoneInfo
) -> None:
    clock = OwnClock(zone)
    clock.learn(now + ahead, now)
    lines = texts(
        stop_lines(
            LastLook(at=now + ahead, at_most=longest),
            Stop(signal="SIGINT", delay=delay),
            View(zone=clock, here=zone),
            now,
        )
    )
    (line,) = (line for line in lines if line.startswith("this takes at most"))
    today, ends = (datetime.fromtimestamp(at, tz=zone) for at in (now, now + longest + delay + SLOWEST_REACTION))
    assert f"(until {ends:{'%H:%M' if today.date() == ends.date() else '%Y-%m-%d %H:%M'}})" in line


def test_a_run_that_ends_at_once_names_what_it_leaves() -> None:
    assert texts(abort_lines(BEGUN, "a second signal", VIEW)) == [
        "stopped at once (a second signal). Nothing is lost: the journal shows what was begun",
        "VMs off because of this run: train-02 (for gpu-01.lab since 11:58), train-01 (shutting down, for gpu-01.lab since 11:59)",
        "hosts left as they are: gpu-a gpu-01.lab (booting since 12:00)",
        "what is off or in progress: ansible-playbook directpath.vsphere.status",
        "to get VMs and hosts back: ansible-playbook directpath.vsphere.restore",
        "to continue: run the same playbook again",
    ]
