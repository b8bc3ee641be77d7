# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C, SIGTERM, SIGHUP and SIGKILL, as the guide describes them for this release of ansible-core."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from ansible.release import __version__

from tests.kill.playbooks import PATIENCE, prepare, vcenter
from tests.kill.stops import STOPS, VMS, all_ended, booting, let_it_boot, off
from tools.envs import ROOT

FINISHED, LEFT = "is finished", "is left as it is"


def table() -> dict[str, tuple[str, str]]:
    """The table of the guide: what happens → what becomes of the run with this release, and what is printed."""
    text = (ROOT / "docs" / "guides" / "emergency.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.partition("<!-- signals -->")[2].partition("<!-- end of signals -->")[0].splitlines()
        if line.startswith("| ") and "---" not in line
    ]
    found = {}
    for what, outcome, seen, _how in rows[1:]:
        old = re.fullmatch(rf"({FINISHED}|{LEFT}); with ansible-core 2\.16: ({FINISHED}|{LEFT})", outcome)
        if old is not None:
            outcome = old[2 if __version__.startswith("2.16.") else 1]
        found[what] = (outcome, seen)
    return found


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    prepare()


def test_the_guide_describes_every_one_of_them() -> None:
    assert set(table()) == set(STOPS)
    assert {outcome for outcome, _seen in table().values()} == {FINISHED, LEFT}


@pytest.mark.parametrize("what", STOPS)
def test_it_is_as_the_guide_says(what: str, tmp_path: Path) -> None:
    outcome, seen = table()[what]
    page = tmp_path / "timeline.html"
    with vcenter(tmp_path, timeline_html=str(page)) as site, booting(site) as terminal:
        assert f"timeline_html: {page}" in terminal.text
        deadline = time.monotonic() + PATIENCE
        while "train-01" not in page.read_text(encoding="utf-8"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        STOPS[what](terminal)
        if outcome == FINISHED:
            let_it_boot(site)
        assert all_ended(site), terminal.text
        printed = terminal.to_the_end()
        for words in re.findall(r"`([^`]+)`", seen):
            assert words in printed, printed
        if "train-01" in printed.partition("VMs off")[2]:
            assert "train-02" in printed.partition("VMs off")[2]
        state = site.state()
        reboots = sum(site.reboots().values())
        assert reboots == 1, "no further host was started"
        text = page.read_text(encoding="utf-8")
        if outcome == FINISHED:
            assert off(site) == set(), terminal.text
            assert state["maintenance"] == []
            assert "interrupted" in text
            assert "VMs that are off" not in text
        else:
            assert off(site) == VMS
            assert "VMs that are off because of this rolling reboot" in text
        assert terminal.process.wait(PATIENCE) != 0
