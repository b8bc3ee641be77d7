# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drift page in a real browser: opened from a file and filtered, without a console message and without a request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.drift.html import render_html
from tests.browser.looking import contrasts, cpu_seconds, quiet
from tests.unit.module_utils._domain.drift.reports import fleet, one_of_everything
from tools.devtools import Browser, Tab

VISIBLE = """
(() => {
  const shown = (node) => node.checkVisibility();  // also false in a collapsed part
  const rows = [...document.querySelectorAll('.matrix tbody tr')].filter(shown);
  return {
    hosts: rows.map((row) => row.querySelector('th').firstChild.textContent.trim()),
    list: [...document.querySelectorAll('.list tbody tr')].filter(shown).length,
    parts: [...document.querySelectorAll('details')].filter(shown).length,
    count: document.getElementById('count').textContent,
    wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  };
})()
"""


def opened(chromium: Browser, folder: Path, report: dict[str, Any], **shown: Any) -> Tab:
    page = folder / "drift.html"
    page.write_text(render_html(report, made="2026-11-22 16:40:00 UTC"), encoding="utf-8")
    return chromium.open(page, **shown)


def filtered(tab: Tab, words: str = "", kind: str = "") -> dict[str, Any]:
    """What is visible after a user typed the words and chose the kind."""
    tab.evaluate(
        f"""
        (() => {{
          document.getElementById('words').value = {json.dumps(words)};
          document.getElementById('kind').value = {json.dumps(kind)};
          document.getElementById('filter').dispatchEvent(new Event('submit', {{cancelable: true}}));
        }})()
        """
    )
    seen: dict[str, Any] = tab.evaluate(VISIBLE)
    return seen


def test_the_page_opens_from_a_file_and_says_nothing_on_the_console(chromium: Browser, tmp_path: Path) -> None:
    tab = opened(chromium, tmp_path, one_of_everything())
    seen = filtered(tab)
    assert seen["hosts"] == ["esx-01", "esx-02", "esx-03", "esx-04"]
    assert seen["list"] == 5
    assert not seen["wide"]
    quiet(tab)


def test_words_filter_hosts_and_differences_alike(chromium: Browser, tmp_path: Path) -> None:
    tab = opened(chromium, tmp_path, one_of_everything())
    assert filtered(tab, "esx-02")["hosts"] == ["esx-02"]
    assert filtered(tab, "TRAIN-01")["hosts"] == ["esx-02"], "a host is found by the VMs on it"
    assert filtered(tab, "esx-02 train-01 off")["hosts"] == ["esx-02"]
    nothing = filtered(tab, "esx-02 nonsense")
    assert (nothing["hosts"], nothing["list"], nothing["parts"]) == ([], 0, 0)
    assert nothing["count"].startswith("0 of ")
    assert filtered(tab)["hosts"] == ["esx-01", "esx-02", "esx-03", "esx-04"]
    quiet(tab)


def test_a_kind_shows_only_what_has_it(chromium: Browser, tmp_path: Path) -> None:
    tab = opened(chromium, tmp_path, one_of_everything())
    assert filtered(tab, kind="unreachable")["hosts"] == ["esx-03"]
    assert filtered(tab, kind="!")["hosts"] == ["esx-02", "esx-03", "esx-04"]
    assert filtered(tab, kind="powered_off")["hosts"] == ["esx-02"], "found by the kind of its VM"
    quiet(tab)


def test_a_folded_cluster_opens_for_what_is_found_in_it(chromium: Browser, tmp_path: Path) -> None:
    tab = opened(chromium, tmp_path, fleet(1000, 1000))
    assert len(filtered(tab)["hosts"]) == 100, "the clusters that differ; the others are collapsed"
    assert filtered(tab, "esx-0777")["hosts"] == ["esx-0777"]
    assert filtered(tab, "train-0999")["hosts"] == ["esx-0999"]
    assert len(filtered(tab, "cluster-05")["hosts"]) == 50
    assert filtered(tab, kind="disabled")["hosts"] == ["esx-0150", "esx-0650"]
    quiet(tab)


def test_a_thousand_hosts_are_filtered_while_one_types(chromium: Browser, tmp_path: Path) -> None:
    tab = opened(chromium, tmp_path, fleet(1000, 5000))
    used = cpu_seconds(
        tab,
        """
        (() => {
          const words = document.getElementById('words');
          for (const text of ['e', 'es', 'esx-0', 'esx-07', 'esx-0777']) {
            words.value = text;
            document.getElementById('filter').dispatchEvent(new Event('submit', {cancelable: true}));
          }
        })()
        """,
    )
    assert 0 < used / 5 < 0.2
    quiet(tab)


@pytest.mark.parametrize("shown", [{"width": 420}, {"dark": True}, {"media": "print"}], ids=["phone", "dark", "paper"])
def test_the_page_keeps_within_its_width(chromium: Browser, tmp_path: Path, shown: dict[str, Any]) -> None:
    tab = opened(chromium, tmp_path, one_of_everything(), **shown)
    assert not tab.evaluate(VISIBLE)["wide"]
    quiet(tab)


def test_marks_can_be_read_on_their_ground(chromium: Browser, tmp_path: Path) -> None:
    """At least 4.5 to 1, as WCAG 2 asks for text of this size, light and dark."""
    for dark in (False, True):
        tab = opened(chromium, tmp_path, one_of_everything(), dark=dark)
        ratios = contrasts(tab, ".badge")
        assert len(ratios) > 10
        assert min(ratios) >= 4.5
