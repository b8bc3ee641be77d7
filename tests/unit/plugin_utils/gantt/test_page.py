# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a rolling reboot shows the timeline as bars, text and tables, with 12 hosts and with 512, whatever names contain."""

from __future__ import annotations

import copy
import itertools
import json
import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.phases import (
    PHASES as ALL_PHASES,
)
from ansible_collections.directpath.vsphere.plugins.plugin_utils.gantt.assets import PHASES
from ansible_collections.directpath.vsphere.plugins.plugin_utils.gantt.axis import TimeZone, build_axis, find_ticks
from ansible_collections.directpath.vsphere.plugins.plugin_utils.gantt.page import render_gantt
from tests.unit.module_utils._domain.rolling.stories import NOON, result
from tests.unit.plugin_utils.test_html import Seen

BERLIN = TimeZone(info=ZoneInfo("Europe/Berlin"), name="Europe/Berlin")
Bar = dict[str, Any]


class Picture(Seen):
    """The rows of the timeline: name → bars, label, row attributes."""

    def __init__(self, text: str) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self._row: dict[str, Any] | None = None
        self._title = False
        super().__init__(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        found = dict(attrs)
        classes = (found.get("class") or "").split()
        if "row" in classes:
            self._row = None if "axes" in classes else {"bars": [], "kind": classes[1], **found}
        elif self._row is not None and tag == "div" and classes == ["name"]:
            self.rows[found["title"] or ""] = self._row
        elif self._row is not None and classes[:1] == ["lane"]:
            self._row["label"] = found["aria-label"]
        elif self._row is not None and classes[:1] == ["bar"]:
            left, width = (float((found[key] or "").rstrip("%")) for key in ("x", "width"))
            self._row["bars"].append({"phase": classes[1], "left": left, "right": left + width, "title": ""})
        self._title = tag == "title"

    def handle_endtag(self, tag: str) -> None:
        super().handle_endtag(tag)
        self._title = False

    def handle_data(self, data: str) -> None:
        super().handle_data(data)
        if self._title and self._row is not None and self._row["bars"]:
            self._row["bars"][-1]["title"] += data


def picture(run: dict[str, Any]) -> Picture:
    return Picture(render_gantt(run, zone=BERLIN, subject="vcenter.lab.example"))


def test_every_phase_of_every_host_is_a_bar_where_it_belongs() -> None:
    run = result(3, 4)
    seen = picture(run)
    for row in run["timeline"]["hosts"]:
        wanted = [segment for segment in row["segments"] if segment["phase"] != "idle"]
        bars = seen.rows[row["name"]]["bars"]
        assert [drawn["phase"] for drawn in bars] == [segment["phase"] for segment in wanted]
        for before, after in itertools.pairwise(bars):
            assert after["left"] >= before["left"]
            assert after["left"] == pytest.approx(before["right"], abs=0.17), (
                "no gap, except for the minimum width of a bar"
            )
        for drawn, segment in zip(bars, wanted, strict=True):
            assert drawn["title"].startswith(f"{segment['phase']} {BERLIN.time_of_day(segment['start'])} ")
    first = [rows["bars"][0] for name, rows in seen.rows.items() if name == "esx-001.lab.example"]
    assert first[0]["left"] == 0


def test_vms_that_were_down_stand_under_their_host() -> None:
    run = result(2, 4, pinned=2)
    seen = picture(run)
    order = list(seen.rows)
    vms = run["timeline"]["vms"]
    assert len(vms) == 8
    for vm in vms:
        assert seen.rows[vm["name"]]["kind"] == "vm"
        assert [drawn["phase"] for drawn in seen.rows[vm["name"]]["bars"]] == ["stopping", "down", "starting"]
        host = [name for name in order[: order.index(vm["name"])] if seen.rows[name]["kind"] == "host"][-1]
        assert host == vm["group"]


def test_it_says_what_needs_a_person_and_how_to_go_on_before_the_picture() -> None:
    text = render_gantt(result(3, 4), zone=BERLIN)
    trouble, _unused, rest = text.partition("<h2>Timeline</h2>")
    for words in (
        "esx-002",
        "pinned_vms is fail",
        "Set pinned_vms to shutdown",
        "did not come back",
        "run the same again",
    ):
        assert words in trouble
    assert "Needs attention" not in render_gantt(result(3, 4, troubles=False), zone=BERLIN)
    assert "the lock of ops@bastion:311" in rest


def test_what_the_picture_shows_can_be_read_aloud_and_in_a_table() -> None:
    run = result(3, 4)
    seen = picture(run)
    label = seen.rows["esx-001.lab.example"]["label"]
    assert re.match(
        r"esx-001.lab.example: draining from 13:00:00 for \d+ (s|min), .*booting from .*, done since ", label
    )
    assert "blocked from 13:00:02" in seen.rows["esx-002.lab.example"]["label"]
    text = render_gantt(run, zone=BERLIN)
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', text)
    assert [name for name, _cells in rows] == [row["name"] for row in run["timeline"]["hosts"]]
    cells = re.sub(r"<[^>]+>", "|", dict(rows)["esx-008.lab.example"])
    assert "failed" in cells
    assert "it did not come back within 45 minutes" in cells
    assert "train-0103-0 16:20" in cells


def test_no_phase_is_told_by_colour_alone_and_every_phase_has_a_look() -> None:
    assert {*PHASES, "idle"} == {*ALL_PHASES, "unseen"}
    for one, other in itertools.combinations(PHASES.values(), 2):
        assert (one.letter, one.pattern, one.thin) != (other.letter, other.pattern, other.thin)


def test_few_hosts_are_all_unfolded_and_of_many_only_clusters_that_need_a_person() -> None:
    def unfolded(run: dict[str, Any]) -> list[str]:
        groups = [a for tag, a in picture(run).elements if tag == "details" and "group" in (a.get("class") or "")]
        return [str(a["data-find"]) for a in groups if "open" in a]

    assert unfolded(result(3, 4)) == ["gpu-a", "gpu-b", "gpu-c"]
    assert unfolded(result(8, 8)) == ["gpu-a", "gpu-b"]
    assert unfolded(result(8, 8, troubles=False)) == []


def test_512_hosts_make_a_page_that_opens() -> None:
    run = result(16, 32, budget=2, pinned=2)
    text = render_gantt(run, zone=BERLIN)
    seen = Picture(text)
    assert len([row for row in seen.rows.values() if row["kind"] == "host"]) == 512
    assert len(text) < 2_000_000


def test_names_are_shortened_only_where_they_stay_apart() -> None:
    run = result(1, 3, troubles=False)
    assert ">esx-001</div>" in render_gantt(run, zone=BERLIN)
    run["timeline"]["hosts"][0]["name"] = "esx-002.other.example"
    assert ">esx-003.lab.example</div>" in render_gantt(run, zone=BERLIN)
    for number, row in enumerate(run["timeline"]["hosts"]):
        row["name"] = f"10.{number}.0.7"
    assert ">10.0.0.7</div>" in render_gantt(run, zone=BERLIN)


HOSTILE = "</script></title><img src=x onerror=alert(1)>\"'&\u202e\x1b[31m"


def page_with(text: str) -> str:
    """A page with this text in every name, reason and note."""
    run = json.loads(json.dumps(result(3, 4)))
    for row in (*run["timeline"]["hosts"], *run["timeline"]["vms"]):
        row["name"] += text
        row["group"] += text
        for segment in row["segments"]:
            segment["reason"] = text
    for host in run["hosts"]:
        host.update(name=host["name"] + text, cluster=text, reason=text)
        for blocker in host["blockers"]:
            blocker.update(message=text, cure=text)
    run.update(notes=[text], resume=[text], state=text, reasons=[text])
    return render_gantt(run, zone=TimeZone(info=UTC, name=text), title=text, subject=text)


def test_hostile_names_and_reasons_are_text_everywhere() -> None:
    text = page_with(HOSTILE)
    seen = Picture(text)
    plain = [(tag, list(attributes)) for tag, attributes in Picture(page_with("x")).elements]
    assert [(tag, list(attributes)) for tag, attributes in seen.elements] == plain
    assert {tag for tag, _attributes in seen.elements} & {"img", "iframe", "a"} == set()
    assert sum(tag == "script" for tag, _attributes in seen.elements) == 2
    assert not [name for _tag, attributes in seen.elements for name in attributes if name.startswith("on")]
    assert not re.search("[\x1b\u202e]", text)


def test_a_page_of_nothing_is_a_page() -> None:
    assert "Nothing has happened." in render_gantt({}, zone=BERLIN)
    assert "no pending reboot" in render_gantt(
        {"timeline": {"hosts": [{"name": "a", "group": "", "segments": [{"phase": "idle", "start": 5, "end": 5}]}]}},
        zone=BERLIN,
    )


def test_a_run_that_goes_on_is_told_up_to_now() -> None:
    text = render_gantt(result(3, 6, budget=2, running=True, troubles=False), zone=BERLIN)
    assert "so far" in text
    assert re.search(r"booting \d\d:\d\d:\d\d until now", text)


def test_what_a_host_waited_for_is_told_with_since_when() -> None:
    reasons = [{"at": NOON, "reason": "outside the window"}, {"at": NOON + 3600, "reason": "paused: x"}]
    waiting = {"phase": "waiting", "start": NOON, "end": NOON + 7200, "open": True, "reason": "paused: x"}
    rows = [{"name": "a", "group": "c", "segments": [{**waiting, "reasons": reasons}]}]
    run = {
        "timeline": {"hosts": rows, "vms": []},
        "server_time": NOON + 7200,
        "notes": ["held back: soak, until 2026-01-22 14:00 UTC"],
    }
    since = f"{BERLIN.time_of_day(NOON)} outside the window; {BERLIN.time_of_day(NOON + 3600)} paused: x"
    assert picture(run).rows["a"]["bars"][0]["title"].endswith(f"): {since}")
    text = render_gantt(run, zone=BERLIN)
    assert f"<td>{since}</td>" in text
    assert "held back: soak, until 15:00<" in text


def test_a_time_in_which_nobody_looked_is_drawn_as_such_and_counts_where_the_host_was_in_hand() -> None:
    parts = [("waiting", 0, 10), ("draining", 20, 30), ("rebooting", 90, 100), ("done", 110, 120)]
    segments = [{"phase": name, "start": NOON + a, "end": NOON + b, "open": False} for name, a, b in parts]
    run = {"timeline": {"hosts": [{"name": "a", "group": "c", "segments": segments}], "vms": []}}
    row = picture(run).rows["a"]
    assert [drawn["phase"] for drawn in row["bars"]] == [
        "waiting",
        "unseen",
        "draining",
        "unseen",
        "rebooting",
        "unseen",
        "done",
    ]
    text = render_gantt(run, zone=BERLIN)
    assert '<b class="ok">done</b> 01:30' in text


# ---------------------------------------------------------------------------------------------------------------- axis


@given(
    st.integers(1, 500_000),
    st.lists(st.tuples(st.integers(0, 500_000), st.integers(1, 5_000)), max_size=6),
    st.lists(st.integers(-10, 500_010), min_size=2, max_size=8),
)
def test_later_is_further_right_and_all_of_the_width_is_used(
    length: int, work: list[tuple[int, int]], moments: list[int]
) -> None:
    along = build_axis(0, length, [(a, a + b) for a, b in work])
    places = [along.x(moment) for moment in sorted(moments)]
    assert places == sorted(places)
    assert all(0 <= place <= 100 for place in places)
    assert along.x(0) == 0
    assert along.pieces[-1].right == pytest.approx(100)
    assert sum(not piece.folded for piece in along.pieces) >= 1


def test_the_day_between_two_nights_is_folded() -> None:
    nights = [(NOON, NOON + 7200), (NOON + 86400, NOON + 93600)]
    along = build_axis(NOON, NOON + 93600, nights)
    assert [piece.folded for piece in along.pieces] == [False, True, False]
    assert along.pieces[1].right - along.pieces[1].left == pytest.approx(2)
    found = find_ticks(along, UTC)
    assert [tick.date for tick in found if tick.date] == ["2026-01-22", "2026-01-23"]


@pytest.mark.parametrize(("length", "step"), [(50, 10), (600, 120), (5400, 600), (6 * 3600, 3600), (86400 * 20, 86400)])
def test_ticks_are_at_round_times_of_the_zone_and_not_too_many(length: int, step: int) -> None:
    zone = ZoneInfo("Asia/Kolkata")  # half an hour off
    along = build_axis(NOON + 7, NOON + 7 + length, [(NOON + 7, NOON + 7 + length)])
    found = find_ticks(along, zone)
    assert 3 <= len(found) <= 10
    for tick in found:
        local = datetime.fromtimestamp(tick.at, tz=zone)
        seconds = local.hour * 3600 + local.minute * 60 + local.second
        assert seconds % min(step, 86400) == 0


def test_ticks_stay_round_where_clocks_are_put_forward() -> None:
    zone = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 28, 22, 0, tzinfo=zone).timestamp()
    found = find_ticks(build_axis(start, start + 8 * 3600, [(start, start + 8 * 3600)]), zone)
    assert [tick.label for tick in found][:5] == ["22:00", "23:00", "00:00", "01:00", "03:00"]


def test_a_picture_changes_nothing_of_what_it_shows() -> None:
    run = result(3, 4)
    before = copy.deepcopy(run)
    render_gantt(run, zone=BERLIN)
    assert run == before


BEGUN = {
    "hosts": [{"name": "esx-001", "cluster": "gpu-a", "phase": "booting", "since": NOON}],
    "vms_off": [{"name": "train-01", "host": "esx-001", "since": NOON + 60, "state": "off"}],
    "at_most": 600.0,
}


def words_of(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text.partition("<main>")[2]))


def test_a_run_in_progress_is_marked_and_what_is_off_comes_first() -> None:
    words = words_of(
        render_gantt({**result(2, 3, running=True), "in_progress": BEGUN}, zone=BERLIN, updated=NOON + 120)
    )
    marks = [
        "in progress, last update 13:02",
        "VMs that are off because of this rolling reboot",
        "train-01 off 13:01 esx-001",
        "Hosts in progress: gpu-a esx-001 (booting since 13:00)",
        "VMs stopped",
        "Timeline",
    ]
    assert [mark for mark in marks if mark in words] == marks
    assert sorted(marks, key=words.index) == marks


def test_a_run_that_has_just_begun_is_marked_too() -> None:
    text = render_gantt({"state": "working", "ended": False}, zone=BERLIN, subject="vc-01", updated=NOON)
    assert "vc-01 · The hosts have not been read yet." in text
    assert "in progress, last update 13:00" in text
    assert "No VM is off because of this rolling reboot." in text


def test_a_run_that_ended_without_a_result_says_why_and_how_to_go_on() -> None:
    text = render_gantt(
        {**result(2, 3, running=True), "in_progress": BEGUN}, zone=BERLIN, updated=NOON, ended_by="Killed."
    )
    words = words_of(text)
    assert "interrupted at 13:00 : Killed." in words
    assert "ansible-playbook directpath.vsphere.restore" in words
    assert "last update" not in words
    assert "data-updated" not in text


def test_a_run_that_is_over_has_no_mark() -> None:
    text = render_gantt(result(2, 3), zone=BERLIN)
    assert 'id="now"' not in text
    assert "No VM is off" not in text
