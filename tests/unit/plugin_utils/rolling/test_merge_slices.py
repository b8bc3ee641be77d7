# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One story of many slices: wherever a run is cut, joining gives back what one slice would have told."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.merge_slices import (
    joined_results,
    joined_timelines,
    joined_transitions,
    span,
)

PHASES = ("waiting", "draining", "maintenance", "rebooting", "booting", "verifying", "leaving", "restoring", "done")


def segment(phase: str, start: float, end: float, *, open: bool = False, reason: str = "") -> dict[str, Any]:
    return {"phase": phase, "start": start, "end": end, "open": open, "reason": reason}


def row(name: str, *segments: dict[str, Any], group: str = "gpu-a", **more: Any) -> dict[str, Any]:
    return {"name": name, "group": group, "segments": list(segments), **more}


def timeline(*hosts: dict[str, Any], vms: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"hosts": list(hosts), "vms": list(vms)}


@st.composite
def stories(draw: st.DrawFn, end: int = 100) -> dict[str, Any]:
    """A timeline in which each host is seen from some moment on until the end, as one long slice would record it."""
    rows = []
    for number in range(draw(st.integers(1, 3))):
        marks = sorted(draw(st.sets(st.integers(0, end - 1), min_size=1, max_size=6)))
        phases = draw(st.lists(st.sampled_from(PHASES), min_size=len(marks), max_size=len(marks)))
        segments: list[dict[str, Any]] = []
        for phase, start, stop in zip(phases, marks, [*marks[1:], end], strict=True):
            if segments and segments[-1]["phase"] == phase:
                segments[-1]["end"] = stop
            else:
                segments.append(segment(phase, start, stop, reason=f"why {phase}"))
        segments[-1]["open"] = True
        rows.append(row(f"esx-{number}", *segments, moid=f"host-{number}"))
    return timeline(*rows)


def before(story: dict[str, Any], at: float) -> dict[str, Any]:
    """What a slice that ends then records: the phase of that moment is open."""
    rows = []
    for told in story["hosts"]:
        seen = [{**part, "end": min(part["end"], at)} for part in told["segments"] if part["start"] < at]
        if seen:
            rows.append({**told, "segments": [*seen[:-1], {**seen[-1], "open": True}]})
    return {"hosts": rows, "vms": []}


def after(story: dict[str, Any], at: float) -> dict[str, Any]:
    rows = []
    for told in story["hosts"]:
        seen = [{**part, "start": max(part["start"], at)} for part in told["segments"] if part["end"] > at]
        rows.append({**told, "segments": seen})
    return {"hosts": rows, "vms": []}


@given(stories(), st.lists(st.integers(0, 99), max_size=4))
def test_cut_anywhere_and_joined_a_story_is_the_same(story: dict[str, Any], cuts: list[int]) -> None:
    told: dict[str, Any] = {}
    rest = story
    for cut in sorted(cuts):
        told = joined_timelines(told, before(rest, cut))
        rest = after(rest, cut)
    joined = joined_timelines(told, rest)
    assert sorted(joined["hosts"], key=lambda told: told["moid"]) == story["hosts"]


@given(stories(), st.integers(1, 99), st.integers(1, 60))
def test_a_gap_between_two_slices_belongs_to_the_phase_before_it(story: dict[str, Any], cut: int, gap: int) -> None:
    joined = joined_timelines(before(story, cut), after(story, min(cut + gap, 99)))
    for told in joined["hosts"]:
        parts = told["segments"]
        assert all(a["end"] == b["start"] for a, b in itertools.pairwise(parts)), "no hole and no overlap"
        assert [part["open"] for part in parts] == [False] * (len(parts) - 1) + [True]
        assert all(a["phase"] != b["phase"] for a, b in itertools.pairwise(parts))


@given(stories(), stories(), st.integers(0, 120))
def test_whatever_the_later_slice_tells_of_the_past_what_was_seen_stays_and_its_last_word_counts(
    first: dict[str, Any], second: dict[str, Any], later: int
) -> None:
    moved = {
        "hosts": [
            {**r, "segments": [{**s, "start": s["start"] + later, "end": s["end"] + later} for s in r["segments"]]}
            for r in second["hosts"]
        ],
        "vms": [],
    }
    joined = {r["moid"]: r["segments"] for r in joined_timelines(first, moved)["hosts"]}
    for told in first["hosts"]:
        parts = joined[told["moid"]]
        assert parts[: len(told["segments"]) - 1] == told["segments"][:-1]
        assert parts[len(told["segments"]) - 1]["phase"] == told["segments"][-1]["phase"]
    for told in moved["hosts"]:
        assert joined[told["moid"]][-1]["phase"] == told["segments"][-1]["phase"]
        assert joined[told["moid"]][-1]["open"]
    for parts in joined.values():
        assert all(a["start"] <= a["end"] <= b["start"] for a, b in itertools.pairwise(parts))


def test_what_the_journal_tells_of_a_time_nobody_watched_fills_the_gap() -> None:
    first = timeline(row("esx-1", segment("draining", 0, 50, open=True, reason="2 VMs to go")))
    told = row(
        "esx-1", segment("draining", 5, 90), segment("rebooting", 90, 200), segment("verifying", 200, 210, open=True)
    )
    (joined,) = joined_timelines(first, timeline(told))["hosts"]
    assert joined["segments"] == [
        segment("draining", 0, 90, reason="2 VMs to go"),
        segment("rebooting", 90, 200),
        segment("verifying", 200, 210, open=True),
    ]


def test_a_vm_that_runs_again_between_two_slices_is_not_down_for_ever() -> None:
    vms = (row("train-01", segment("down", 10, 60, open=True), group="esx-1"),)
    (joined,) = joined_timelines(timeline(vms=vms), timeline())["vms"]
    assert joined["segments"] == [segment("down", 10, 60)]


def test_vms_of_one_name_are_told_apart_by_id_else_by_host_and_order() -> None:
    def twins(start: int, **ids: str) -> tuple[dict[str, Any], ...]:
        return tuple(
            row("db", segment(phase, start, start + 10, open=True), group="esx-1", **({"moid": m} if m else {}))
            for phase, m in (("down", ids.get("one")), ("starting", ids.get("two")))
        )

    for ids in ({}, {"one": "vm-1", "two": "vm-2"}):
        joined = joined_timelines(timeline(vms=twins(0, **ids)), timeline(vms=twins(10, **ids)))["vms"]
        assert [[(s["phase"], s["start"], s["end"]) for s in r["segments"]] for r in joined] == [
            [("down", 0, 20)],
            [("starting", 0, 20)],
        ]


def change(at: float, host: str, old: str | None, new: str, seconds: float | None = None) -> dict[str, Any]:
    return {
        "at": at,
        "kind": "transition",
        "cluster": "gpu-a",
        "host": host,
        "before": old,
        "after": new,
        "seconds": seconds,
    }


def test_the_first_sight_of_a_later_slice_is_news_only_where_something_changed() -> None:
    first = [change(0, "a", None, "waiting"), change(5, "a", "waiting", "draining", 5), change(0, "b", None, "waiting")]
    second = [
        change(20, "a", None, "booting"),
        change(20, "b", None, "waiting"),
        change(30, "a", "booting", "verifying", 10),
    ]
    assert joined_transitions(first, second) == [
        *first,
        change(20, "a", "draining", "booting"),
        change(30, "a", "booting", "verifying", 10),
    ]
    assert joined_transitions(first, first[-1:]) == first


def test_results_are_those_of_the_last_slice_with_the_sums_and_the_first_sights_of_all() -> None:
    def host(**more: Any) -> dict[str, Any]:
        return {"name": "esx-1", "moid": "host-1", "cluster": "gpu-a", **more}

    first = {
        "changed": True,
        "ended": False,
        "state": "working",
        "calls": 100,
        "logins": 1,
        "notes": ["lock taken"],
        "rebooted": ["esx-1"],
        "diff": {"before": "esx-1  host: running\n", "after": "esx-1  host: rebooted\n"},
        "measured": {"esx-1": {"reboot": 300}},
        "counts": {"done": 0},
        "hosts": [
            host(phase="verifying", boot_time_before="B1", boot_time_after=None, seconds={"drain": 12, "reboot": None}),
            {"name": "gone", "moid": "host-9", "cluster": "gpu-a", "phase": "waiting"},
        ],
        "timeline": timeline(row("esx-1", segment("verifying", 0, 5, open=True), moid="host-1")),
        "transitions": [change(0, "esx-1", None, "verifying")],
    }
    second = {
        "changed": False,
        "ended": True,
        "state": "finished",
        "calls": 20,
        "logins": 1,
        "notes": ["lock taken", "journal cleared"],
        "rebooted": ["esx-0"],
        "diff": {"before": "esx-0  host: running\n", "after": "esx-0  host: rebooted\n"},
        "measured": {"esx-2": {"reboot": 400}},
        "counts": {"done": 1},
        "hosts": [
            host(phase="done", boot_time_before="B2", boot_time_after="B2", seconds={"drain": None, "reboot": 310})
        ],
        "timeline": timeline(row("esx-1", segment("verifying", 6, 7), segment("done", 7, 9, open=True), moid="host-1")),
        "transitions": [change(6, "esx-1", None, "verifying"), change(7, "esx-1", "verifying", "done", 1)],
    }
    joined = joined_results(joined_results(None, first), second)
    assert {key: joined[key] for key in ("changed", "ended", "state", "calls", "logins", "counts")} == {
        "changed": True,
        "ended": True,
        "state": "finished",
        "calls": 120,
        "logins": 2,
        "counts": {"done": 1},
    }
    assert joined["notes"] == ["lock taken", "journal cleared"]
    assert joined["rebooted"] == ["esx-1", "esx-0"]
    assert joined["diff"]["after"] == "esx-0  host: rebooted\nesx-1  host: rebooted\n"
    assert joined["measured"] == {"esx-1": {"reboot": 300}, "esx-2": {"reboot": 400}}
    assert joined["hosts"] == [
        host(phase="done", boot_time_before="B1", boot_time_after="B2", seconds={"drain": 12, "reboot": 310}),
        {"name": "gone", "moid": "host-9", "cluster": "gpu-a", "phase": "waiting"},
    ]
    assert [s["phase"] for s in joined["timeline"]["hosts"][0]["segments"]] == ["verifying", "done"]
    assert [t["after"] for t in joined["transitions"]] == ["verifying", "done"]


def test_a_slice_that_fails_takes_nothing_away_from_what_was_told() -> None:
    first = {
        "changed": True,
        "hosts": [{"name": "a"}],
        "timeline": timeline(row("a", segment("draining", 0, 5, open=True))),
    }
    joined = joined_results(first, {"failed": True, "msg": "no answer", "changed": False})
    assert joined["failed"]
    assert joined["changed"]
    assert joined["msg"] == "no answer"
    assert joined["hosts"] == [{"name": "a"}]
    assert joined["timeline"] == first["timeline"]


def test_a_roll_lasts_from_its_first_deed_to_its_last() -> None:
    told = timeline(
        row("a", segment("waiting", 0, 50), segment("draining", 50, 70), segment("done", 70, 200, open=True)),
        vms=(row("vm", segment("down", 60, 90)),),
    )
    assert span(told) == (50, 90)
    assert span(timeline(row("a", segment("waiting", 3, 8)))) == (3, 8)
    assert span({}) == (0, 0)


def test_a_run_that_only_looked_took_no_longer_than_that_whatever_the_journal_tells_of_an_earlier_one() -> None:
    lost = row(
        "a", segment("draining", 100, 160), segment("booting", 160, 2800), segment("failed", 9000, 9003, open=True)
    )
    assert span({**timeline(lost), "began": 9000}) == (9000, 9003)
    slices = [{**timeline(row("a", segment("waiting", t, t + 60, open=True))), "began": t} for t in (9000, 9060, 9120)]
    joined: dict[str, Any] = {}
    for part in slices:
        joined = joined_timelines(joined, part)
    assert span(joined) == (9000, 9180)


def waited(start: float, end: float, *reasons: tuple[float, str]) -> dict[str, Any]:
    several = {"reasons": [{"at": at, "reason": why} for at, why in reasons]} if len(reasons) > 1 else {}
    return {**segment("waiting", start, end, open=True, reason=reasons[-1][1]), **several}


def test_what_a_host_waited_for_in_several_slices_is_one_list_without_what_was_said_twice() -> None:
    def joined(*segments: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for part in segments:
            found = joined_timelines(found, timeline(row("a", part)))
        last: dict[str, Any] = found["hosts"][0]["segments"][-1]
        return last

    assert joined(waited(0, 60, (0, "A")), waited(60, 120, (60, "A"))) == waited(0, 120, (0, "A"))
    assert joined(waited(0, 60, (0, "A")), waited(60, 120, (60, "B"))) == waited(0, 120, (0, "A"), (60, "B"))
    assert joined(
        waited(0, 60, (0, "A"), (50, "B")), waited(60, 120, (60, "B"), (90, "C")), waited(120, 180, (120, "C"))
    ) == waited(0, 180, (0, "A"), (50, "B"), (90, "C"))
    many = [waited(60 * n, 60 * n + 60, (60 * n, f"reason {n}")) for n in range(9)]
    assert [entry["reason"] for entry in joined(*many)["reasons"]] == [f"reason {n}" for n in range(4, 9)]


def test_unusual_answers_of_all_slices_are_kept() -> None:
    one, two = ({"unusual_answers": [{"time": time, "method": "Login", "answer": "x"}]} for time in (1.0, 2.0))
    assert [row["time"] for row in joined_results(one, two)["unusual_answers"]] == [1.0, 2.0]
    assert joined_results(one, {})["unusual_answers"] == one["unusual_answers"]
    assert "unusual_answers" not in joined_results({}, {})


def test_equal_writes_of_all_slices_are_counted() -> None:
    one, two = (
        {"method": "RebootHost_Task", "arguments": {f"force={word}": 1}, "times": 2} for word in ("false", "true")
    )
    slices = ({"sent_writes": rows} for rows in ([one], [two, one]))
    assert joined_results(*slices)["sent_writes"] == [{**one, "times": 4}, two]
    assert "sent_writes" not in joined_results({}, {})


def test_writes_to_equal_objects_in_all_slices_are_counted() -> None:
    one, two = ({"method": "RebootHost_Task", "object": moid, "times": 1} for moid in ("host-11", "host-12"))
    slices = ({"written_objects": rows} for rows in ([one], [two, one]))
    assert joined_results(*slices)["written_objects"] == [{**one, "times": 2}, two]
    assert "written_objects" not in joined_results({}, {})
