# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a rehearsal in a real browser: bars are at their times, all text can be read, and the page requests nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.gantt.axis import TimeZone
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rehearsal.page import render_rehearsal
from tests.browser.looking import contrasts, is_wide, quiet
from tests.unit.module_utils._domain.rehearsal.test_report import SUBJECT
from tools.devtools import Browser

ZONE = TimeZone(info=UTC, name="UTC")

PLACES = """
(() => {
  const lane = document.querySelector('.rows .grid').getBoundingClientRect();
  return Object.fromEntries([...document.querySelectorAll('.row .lane')].map(svg => {
    const row = svg.closest('.row');
    return [row.querySelector('.name').title, [...svg.querySelectorAll('rect')].map(bar => {
      const box = bar.getBoundingClientRect();
      return [bar.classList[bar.classList.length - 1], (box.left - lane.left) / lane.width, (box.right - lane.left) / lane.width];
    })];
  }));
})()
"""


def written(folder: Path) -> Path:
    page = folder / "rehearsal.html"
    page.write_text(
        render_rehearsal(SUBJECT, zone=ZONE, made=datetime(2026, 1, 22, 12, 0, tzinfo=UTC)), encoding="utf-8"
    )
    return page


@pytest.mark.parametrize("width", [420, 800, 1400])
def test_plan_and_run_are_drawn_where_their_times_are(chromium: Browser, tmp_path: Path, width: int) -> None:
    tab = chromium.open(written(tmp_path), width=width)
    seen = tab.evaluate(PLACES)
    found = {(name, bar[0]): bar[1:] for name, bars in seen.items() for bar in bars}
    assert found["esx-1", "plan"] == pytest.approx([0.0, 1200 / 1740], abs=0.01)
    assert found["esx-1", "booting"] == pytest.approx([60 / 1740, 1.0], abs=0.01)
    assert found["train-01", "down"] == pytest.approx([60 / 1740, 360 / 1740], abs=0.01)
    assert not is_wide(tab)
    quiet(tab)


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_can_be_read(chromium: Browser, tmp_path: Path, dark: bool) -> None:
    tab = chromium.open(written(tmp_path), dark=dark)
    for selector in ("p", "li", "td", "th", ".badge", ".row .name", ".row .end", "dt", "dd"):
        found = contrasts(tab, selector)
        assert found, selector
        assert min(found) >= 4.5, selector
