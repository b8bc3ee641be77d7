# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What shows that a host was rebooted, while every clock may be set."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.boot_evidence import BootEvidence
from tests.unit.searching import search

OLD, NEW = 1_000_000.0, 1_000_900.0
DAY, HOURS = 86_400.0, 7_200.0
UP = BootEvidence(boot_before=OLD, boot_now=OLD, uptime=DAY + 60, since=60, up_before=DAY)
"""Up for a day, its reboot was requested a minute ago, and it has not gone down."""
RESUMED: dict[str, Any] = {"measured": False, "watched": 5.0}
SHORT: dict[str, Any] = {"uptime": 3_660.0, "up_before": 3_600.0}
"""It had booted an hour before the request."""
FORWARD: dict[str, Any] = {"since": 60 + HOURS}
BACK: dict[str, Any] = {"since": 0.0}
BOOTED: dict[str, Any] = {"boot_now": NEW, "uptime": 200.0, "since": 600.0}

TABLE: dict[str, tuple[dict[str, Any], bool | None, str]] = {
    "it has not gone down": ({}, False, "it has not gone down yet"),
    "it booted": (BOOTED, True, ""),
    "it booted, with its old boot time": ({**BOOTED, "boot_now": OLD}, True, ""),
    "it booted, with a boot time of before that": ({**BOOTED, "boot_now": OLD - 9999}, True, ""),
    "it booted, and shows no boot time": ({**BOOTED, "boot_now": None}, True, ""),
    "its boot time was never known": ({**BOOTED, "boot_before": None, "up_before": None}, True, ""),
    "its boot time was never known, nor its uptime": (
        {"boot_before": None, "uptime": None}, None, "its uptime is not readable"),
    "its clock was set forward": ({"boot_now": OLD + HOURS}, False, "its clock was set, and it has not gone down yet"),
    "its clock was set back": ({"boot_now": OLD - HOURS}, False, "its clock was set"),
    "its clock was set a little": ({"boot_now": OLD + 20, "uptime": None}, None, "its boot time did not change"),
    "another boot time, and its uptime is not readable": (
        {"boot_now": NEW, "uptime": None}, None, "its boot time changed, but it was not seen away"),
    "the same, and it was away": ({"boot_now": NEW, "uptime": None, "away": True}, True, ""),
    "the old boot time, and it was away": ({"uptime": None, "away": True}, None, "its boot time did not change"),
    "cut off, and up all the time": ({"away": True}, False, "it has not gone down yet"),
    "resumed, it has not gone down": (RESUMED, False, "it has not gone down yet"),
    "resumed after vCenter's clock was set forward": ({**RESUMED, **FORWARD}, False, "it has not gone down yet"),
    "the same, and it had booted an hour before": ({**RESUMED, **FORWARD, **SHORT}, None, "it is not certain"),
    "the same, and this run measured it": (SHORT, False, "it has not gone down yet"),
    "resumed after vCenter's clock was set back, it booted": ({**RESUMED, **BOOTED, **BACK}, True, ""),
    "the same, with its old boot time": ({**RESUMED, **BOOTED, **BACK, "boot_now": OLD}, None, "it is not certain"),
    "the same, and it had booted a minute before": (
        {**RESUMED, **BOOTED, **BACK, "up_before": 60.0}, None, "it is not certain"),
    "resumed the next morning, it had booted a minute before": (
        {**RESUMED, **BOOTED, "uptime": 30_000.0, "since": 40_000.0, "up_before": 60.0}, None, "it is not certain"),
    "the same, and it stayed up for a while": (
        {**RESUMED, **BOOTED, "uptime": 30_000.0, "since": 40_000.0, "up_before": 60.0, "watched": 300.0}, True, ""),
    "the same, and it was seen away": (
        {**RESUMED, **BOOTED, "uptime": 30_000.0, "since": 40_000.0, "up_before": 60.0, "away": True}, True, ""),
    "resumed, its clock was set": ({**RESUMED, "boot_now": OLD + HOURS}, None, "it is not certain"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_what_is_certain(name: str) -> None:
    more, rebooted, why = TABLE[name]
    found = replace(UP, **more)
    assert found.is_rebooted is rebooted
    assert why in found.why_not
    assert (found.why_not == "") == (rebooted is True)


SECONDS = st.integers(0, 30_000).map(float)


@given(
    up=SECONDS,
    request=SECONDS,
    booted=st.none() | SECONDS,
    host_step=st.sampled_from([0.0, HOURS, -HOURS, 40.0]),
    server_step=st.sampled_from([0.0, HOURS, -HOURS]),
    measured=st.booleans(),
    away=st.booleans(),
    watched=SECONDS,
)
@search()
def test_no_single_clock_makes_a_host_rebooted(
    up: float,
    request: float,
    booted: float | None,
    host_step: float,
    server_step: float,
    measured: bool,
    away: bool,
    watched: float,
) -> None:
    """``up``: before the request; ``booted``: so long after the request, at the latest now."""
    if not measured and host_step and server_step:
        return  # two clocks that are set alike forge two facts
    began, now = 1_000_000.0, 1_000_000.0 + up + request
    boot = began if booted is None else min(began + up + booted, now)
    found = BootEvidence(
        boot_before=began,
        boot_now=boot + host_step,
        uptime=now - boot,
        since=request if measured else max(0.0, request + server_step),
        measured=measured,
        up_before=up,
        watched=0.0 if measured else min(watched, request),
        away=away,
    )
    if booted is None:
        assert found.is_rebooted is not True
    elif measured and boot > began + up:
        assert found.is_rebooted is True
