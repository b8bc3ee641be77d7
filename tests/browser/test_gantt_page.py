# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rolling reboot page in a real browser: bars are at their times, controls work, and the page requests nothing."""

from __future__ import annotations

import re
import time
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.gantt.axis import TimeZone
from ansible_collections.directpath.vsphere.plugins.plugin_utils.gantt.page import render_gantt
from tests.browser.looking import contrasts, cpu_seconds, is_wide, quiet
from tests.unit.module_utils._domain.rolling.stories import NOON, result
from tools.devtools import Browser, Tab

ZONE = TimeZone(info=UTC, name="UTC")

SEEN = """
(() => {
  const shown = node => node.checkVisibility();
  const names = kind => [...document.querySelectorAll('.row.' + kind)].filter(shown).map(row => row.querySelector('.name').textContent);
  return {
    hosts: names('host'), vms: names('vm'),
    groups: [...document.querySelectorAll('.group')].filter(shown).map(group => group.dataset.find),
    open: [...document.querySelectorAll('.group[open]')].filter(shown).map(group => group.dataset.find),
    tools: shown(document.querySelector('.tools')),
  };
})()
"""

BARS = """
(() => {
  const lane = document.querySelector('.rows .grid').getBoundingClientRect();
  return Object.fromEntries([...document.querySelectorAll('.row')].filter(row => row.querySelector('.lane')).map(row => [
    row.querySelector('.name').title,
    [...row.querySelectorAll('.bar')].map(bar => {
      const box = bar.getBoundingClientRect();
      return [bar.classList[1], (box.left - lane.left) / lane.width, (box.right - lane.left) / lane.width, box.height];
    }),
  ]));
})()
"""


def opened(chromium: Browser, folder: Path, run: dict[str, Any], **shown: Any) -> Tab:
    page = folder / "timeline.html"
    page.write_text(render_gantt(run, zone=ZONE, subject="vcenter.lab.example"), encoding="utf-8")
    return chromium.open(page, **shown)


def chosen(tab: Tab, *, words: str = "", trouble: bool = False, vms: bool = True) -> dict[str, Any]:
    """What is visible with this filter."""
    tab.evaluate(
        f"""
        (() => {{
          document.getElementById('find').value = {words!r};
          document.getElementById('only-trouble').checked = {str(trouble).lower()};
          document.getElementById('show-vms').checked = {str(vms).lower()};
          document.getElementById('find').dispatchEvent(new Event('input'));
        }})()
        """
    )
    seen: dict[str, Any] = tab.evaluate(SEEN)
    return seen


@pytest.mark.parametrize("width", [420, 800, 1400])
def test_each_phase_is_drawn_where_its_time_is(chromium: Browser, tmp_path: Path, width: int) -> None:
    run = result(3, 4)
    tab = opened(chromium, tmp_path, run, width=width)
    seen = tab.evaluate(BARS)
    rows = run["timeline"]["hosts"] + run["timeline"]["vms"]
    assert set(seen) == {row["name"] for row in rows}
    pieces = tab.evaluate("pieces")
    (piece,) = pieces  # nothing is folded: one scale for all
    for row in rows:
        drawn = [segment for segment in row["segments"] if segment["phase"] != "idle"]
        bars = seen[row["name"]]
        assert [drawn[0] for drawn in bars] == [segment["phase"] for segment in drawn]
        for (_phase, left, right, height), segment in zip(bars, drawn, strict=True):
            whole = piece["end"] - piece["start"]
            assert left == pytest.approx((segment["start"] - piece["start"]) / whole, abs=0.004)
            assert right == pytest.approx(min(1, (segment["end"] - piece["start"]) / whole), abs=0.005)
            assert height >= 4
    quiet(tab)


def test_the_page_tells_what_it_is_about(chromium: Browser, tmp_path: Path) -> None:
    tab = opened(chromium, tmp_path, result(3, 4))
    text = re.sub(r"\s+", " ", tab.evaluate("document.body.innerText"))
    for words in (
        "Rolling reboot",
        "vcenter.lab.example · 2026-01-22 12:00 to 13:36 (UTC)",
        "stalled",
        "Needs attention",
    ):
        assert words in text
    assert tab.evaluate(SEEN)["tools"] is True
    assert tab.evaluate("document.title") == "Rolling reboot"
    quiet(tab)


def test_hosts_and_vms_are_found_and_only_trouble_is_shown_on_request(chromium: Browser, tmp_path: Path) -> None:
    tab = opened(chromium, tmp_path, result(8, 8))
    seen = chosen(tab)
    assert seen["open"] == ["gpu-a", "gpu-b"]
    assert len(seen["groups"]) == 8
    assert chosen(tab, words="ESX-037")["hosts"] == ["esx-037"]
    found = chosen(tab, words="train-0403")
    assert (found["hosts"], found["vms"], found["open"]) == (["esx-036"], ["train-0403-0"], ["gpu-e"])
    assert len(chosen(tab, words="gpu-h")["hosts"]) == 8
    assert chosen(tab, trouble=True)["hosts"] == ["esx-002", "esx-016"]
    assert chosen(tab, words="gpu-a", vms=False)["vms"] == []
    assert chosen(tab, words="nonsense")["groups"] == []
    assert chosen(tab) == seen
    quiet(tab)


def test_clusters_fold_and_unfold(chromium: Browser, tmp_path: Path) -> None:
    tab = opened(chromium, tmp_path, result(8, 8))
    tab.evaluate("document.getElementById('open-all').click()")
    assert len(tab.evaluate(SEEN)["hosts"]) == 64
    tab.evaluate("document.getElementById('close-all').click()")
    assert tab.evaluate(SEEN)["hosts"] == []
    tab.evaluate("document.querySelector('.group summary').click()")
    assert len(tab.evaluate(SEEN)["hosts"]) == 8
    quiet(tab)


def test_the_pointer_reads_the_time(chromium: Browser, tmp_path: Path) -> None:
    run = result(3, 4)
    tab = opened(chromium, tmp_path, run)
    (piece,) = tab.evaluate("pieces")
    half = tab.evaluate(
        """
        (() => {
          const rows = document.querySelector('.rows'), box = rows.querySelector('.grid').getBoundingClientRect();
          rows.dispatchEvent(new MouseEvent('mousemove', {clientX: box.left + box.width / 2, clientY: box.top + 50}));
          return rows.querySelector('.cursor span').textContent;
        })()
        """
    )
    assert piece["start"] == NOON
    wanted = (piece["end"] - piece["start"]) / 2
    minutes, seconds = map(int, half.removeprefix("12:").split(":"))
    assert minutes * 60 + seconds == pytest.approx(wanted, abs=15), "to the pixel"


def test_512_hosts_are_there_at_once_and_found_while_one_types(chromium: Browser, tmp_path: Path) -> None:
    tab = opened(chromium, tmp_path, result(16, 32, budget=2, pinned=2))
    loaded = tab.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    assert loaded < 5000
    used = cpu_seconds(
        tab,
        """
        (() => {
          for (const text of ['e', 'es', 'esx-3', 'esx-37', 'esx-377']) {
            find.value = text;
            find.dispatchEvent(new Event('input'));
          }
        })()
        """,
    )
    assert 0 < used / 5 < 0.2
    assert tab.evaluate(SEEN)["hosts"] == ["esx-377"]
    quiet(tab)


@pytest.mark.parametrize("shown", [{"width": 420}, {"dark": True}, {"media": "print"}], ids=["phone", "dark", "paper"])
def test_it_keeps_within_its_width(chromium: Browser, tmp_path: Path, shown: dict[str, Any]) -> None:
    tab = opened(chromium, tmp_path, result(3, 4), **shown)
    assert not is_wide(tab)
    quiet(tab)


def test_on_paper_every_cluster_is_unfolded_and_has_its_own_clock(chromium: Browser, tmp_path: Path) -> None:
    run = result(8, 8)
    tab = opened(chromium, tmp_path, run)
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    tab.show(media="print")
    seen = tab.evaluate(SEEN)
    assert len(seen["hosts"]) == 64
    assert not seen["tools"]
    clocks = tab.evaluate("[...document.querySelectorAll('.row.axes')].filter(node => node.checkVisibility()).length")
    assert clocks == 8


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_words_can_be_read_on_their_ground(chromium: Browser, tmp_path: Path, dark: bool) -> None:
    tab = opened(chromium, tmp_path, result(3, 4), dark=dark)
    ratios = contrasts(tab, ".badge, .end b, .end, .name, .lead, .legend li, .fact dt, .fact dd")
    assert len(ratios) > 50
    assert min(ratios) >= 4.5


def test_a_screen_reader_gets_a_sentence_for_each_row_and_tables(chromium: Browser, tmp_path: Path) -> None:
    tab = opened(chromium, tmp_path, result(3, 4))
    tab.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    tab.call("Accessibility.enable")
    nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
    names = [
        (node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node.get("ignored")
    ]
    pictures = [name for role, name in names if role == "image"]
    assert any(
        re.match(r"esx-008.lab.example: draining from .*, booting from .*, failed from ", name) for name in pictures
    )
    assert sum(name.startswith("esx-") for name in pictures) == 12
    assert ("searchbox", "Find a host, VM or cluster") in names
    assert [name for role, name in names if role == "table"] == [f"gpu-{c}: times of day UTC" for c in "abc"]
    assert {name for role, name in names if role == "rowheader"} >= {f"esx-{n:03}.lab.example" for n in range(1, 13)}


def test_names_that_are_code_are_names(chromium: Browser, tmp_path: Path) -> None:
    evil = "</script><img src=x onerror=\"document.title='taken'\"><svg onload=\"document.title='taken'\">"
    run = result(2, 4)
    for row in (*run["timeline"]["hosts"], *run["timeline"]["vms"]):
        row["name"] += evil
        row["group"] += evil
    run["notes"] = [evil]
    tab = opened(chromium, tmp_path, run)
    assert tab.evaluate("document.title") == "Rolling reboot"
    assert tab.evaluate("document.querySelectorAll('img').length") == 0
    assert evil in tab.evaluate("document.body.innerText")
    quiet(tab)


def test_code_that_got_in_all_the_same_would_not_run(chromium: Browser, tmp_path: Path) -> None:
    run = result(1, 2, troubles=False)
    page = tmp_path / "timeline.html"
    text = render_gantt(run, zone=ZONE)
    page.write_text(
        text.replace(
            "<main>", "<main><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
        )
    )
    tab = chromium.open(page)
    assert tab.evaluate("document.title") == "Rolling reboot"
    assert any("Content Security Policy" in problem for problem in tab.problems)


# --------------------------------------------------------------------------------------------------------- in progress

BEGUN = {
    "hosts": [{"name": "esx-001.lab.example", "cluster": "gpu-a", "phase": "booting", "since": NOON}],
    "vms_off": [{"name": "train-0001-0", "host": "esx-001.lab.example", "since": NOON + 60, "state": "off"}],
    "at_most": 4500.0,
}


def opened_in_progress(chromium: Browser, folder: Path, age: float, **shown: Any) -> Tab:
    page = folder / "timeline.html"
    run = {**result(3, 4, running=True), "in_progress": BEGUN}
    page.write_text(
        render_gantt(run, zone=ZONE, subject="vcenter.lab.example", updated=time.time() - age), encoding="utf-8"
    )
    return chromium.open(page, **shown)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_run_in_progress_shows_what_is_off_first(chromium: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    tab = opened_in_progress(chromium, tmp_path, 30, width=width, dark=dark)
    tops = tab.evaluate(
        "['#now', '.off', '.facts', '.group'].map(name => document.querySelector(name).getBoundingClientRect().top)"
    )
    assert tops == sorted(tops)
    assert tops[1] < 600, "it is seen without scrolling"
    assert not tab.evaluate("document.getElementById('stale').checkVisibility()")
    assert not is_wide(tab)
    assert min(contrasts(tab, "#now, #now strong, .off th, .off td, .off .badge")) >= 4.5
    quiet(tab)


def test_a_page_that_is_no_longer_written_says_that_the_run_was_interrupted(chromium: Browser, tmp_path: Path) -> None:
    began = time.time()
    tab = opened_in_progress(chromium, tmp_path, 25 * 60 + 2)
    text = tab.evaluate("document.getElementById('now').innerText")
    latest = 25 + int((time.time() - began + 3) // 60)
    shown = re.search(r"No update for (\d+) min: the run was probably interrupted\.", text)
    assert shown
    assert 25 <= int(shown[1]) <= latest
    assert "ansible-playbook directpath.vsphere.status" in text
    assert min(contrasts(tab, "#stale")) >= 4.5
    quiet(tab)
