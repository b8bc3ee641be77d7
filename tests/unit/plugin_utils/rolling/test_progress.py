# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees of a roll: in a terminal, in a log, once more in the next slice, and whatever names contain."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.text import duration, shortened, width
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.progress import (
    Line,
    Shown,
    View,
    meter,
    read,
    show,
)
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.summary_lines import (
    ending_lines,
    schedule_lines,
)

NOON = 1_769_083_200.0  # 2026-01-22 12:00:00 UTC
TERMINAL = View(zone=UTC, redraws=True)
LOG = View(zone=UTC)
VERBOSE = replace(TERMINAL, reasons=True)


def change(
    seconds: float, host: str, old: str | None, new: str, took: float | None = None, **more: Any
) -> dict[str, Any]:
    record = {"at": NOON + seconds, "kind": "transition", "cluster": "gpu-a", "host": host, "before": old, "after": new}
    return {**record, "seconds": took, "reason": "", "counts": None, "ends_at": None, **more}


def counts(done: int = 0, under_way: int = 0, waiting: int = 0, blocked: int = 0, failed: int = 0) -> dict[str, int]:
    total = done + under_way + waiting + blocked + failed
    return {
        "total": total,
        "done": done,
        "in_flight": under_way,
        "waiting": waiting,
        "blocked": blocked,
        "failed": failed,
    }


def texts(lines: tuple[Line, ...]) -> list[str]:
    return [line.text for line in lines]


def told(records: list[dict[str, Any]], view: View = TERMINAL) -> list[str]:
    return texts(show(Shown(), records, view, 0)[1])


# --------------------------------------------------------------------------------------------------------------- lines


def test_a_line_says_when_where_what_and_how_long_it_took() -> None:
    assert told([change(271, "esx-07", "rebooting", "booting", 130)]) == [
        "12:04:31 gpu-a esx-07 rebooting → booting       02:10"
    ]


def test_columns_stay_in_line_for_all_hosts_of_a_batch_and_after_it() -> None:
    shown, lines = show(
        Shown(),
        [
            change(0, "esx-1.lab.example", None, "draining"),
            change(1, "esx-2", "waiting", "draining", 1),
            change(2, "esx-1.lab.example", "draining", "maintenance", 3725),
        ],
        TERMINAL,
        0,
    )
    shown, more = show(shown, [change(3, "esx-2", "draining", "failed", 2, cluster="b", reason="lost")], TERMINAL, 0)
    assert texts((*lines, *more)) == [
        "12:00:00 gpu-a esx-1.lab.example draining",
        "12:00:01 gpu-a esx-2             waiting → draining        00:01",
        "12:00:02 gpu-a esx-1.lab.example draining → maintenance  1:02:05",
        "12:00:03 b     esx-2             draining → failed         00:02 lost",
    ]


def test_reasons_are_told_on_request_and_always_where_something_is_wrong() -> None:
    records = [
        change(0, "a", "waiting", "draining", 1, reason="canary of Dell R760"),
        change(1, "b", "waiting", "blocked", 1, reason="host alarm Fan is red"),
        change(2, "c", "booting", "failed", 1, reason="not back after 45 minutes"),
    ]
    assert [line.rpartition("  00:01")[2] for line in told(records)] == [
        "",
        " host alarm Fan is red",
        " not back after 45 minutes",
    ]
    assert told(records, VERBOSE)[0].endswith("00:01 canary of Dell R760")


def test_a_reason_does_not_name_the_host_of_its_line_again() -> None:
    record = change(0, "esx-1", "booting", "failed", 1, reason="esx-1 is not back after 45 minutes")
    assert told([record])[0].endswith(" esx-1 booting → failed          00:01 is not back after 45 minutes")
    host = {"name": "esx-1", "cluster": "gpu-a", "phase": "failed", "reason": "esx-1 is not back"}
    assert texts(ending_lines({"hosts": [host]}, LOG))[1] == "failed: gpu-a esx-1 is not back"


def test_hosts_that_are_only_found_waiting_have_no_line_but_those_in_trouble_or_in_hand_do() -> None:
    found = [change(0, phase, None, phase) for phase in ("waiting", "idle", "done", "blocked", "failed", "booting")]
    assert [line.split()[2] for line in told(found)] == ["blocked", "failed", "booting"]
    assert len(told(found, VERBOSE)) == 6


def test_the_next_slice_tells_nothing_twice_and_what_changed_between_the_two() -> None:
    shown, _lines = show(Shown(), [change(0, "a", None, "waiting"), change(1, "b", "waiting", "draining")], TERMINAL, 0)
    shown, again = show(shown, [change(60, "a", None, "waiting"), change(60, "b", None, "draining")], TERMINAL, 1)
    assert again == ()
    shown, lines = show(shown, [change(90, "b", None, "booting")], TERMINAL, 2)
    assert texts(lines) == ["12:01:30 gpu-a b draining → booting        01:29"]
    assert show(shown, [change(95, "b", "draining", "booting", 5)], TERMINAL, 3)[1] == ()


def test_a_phase_that_lasted_over_several_slices_is_told_in_full() -> None:
    shown, _lines = show(Shown(), [change(0, "a", "rebooting", "booting", 20)], TERMINAL, 0)
    shown, _lines = show(shown, [change(600, "a", None, "booting")], TERMINAL, 1)
    _shown, lines = show(shown, [change(630, "a", "booting", "verifying", 30)], TERMINAL, 2)
    assert texts(lines) == ["12:10:30 gpu-a a booting → verifying       10:30"]


def test_a_phase_whose_beginning_nobody_saw_is_told_as_the_module_tells_it() -> None:
    shown, _lines = show(Shown(), [change(0, "a", None, "booting")], TERMINAL, 0)
    _shown, lines = show(shown, [change(30, "a", "booting", "verifying", 400)], TERMINAL, 2)
    assert texts(lines) == ["12:00:30 gpu-a a booting → verifying       06:40"]


def test_tones_belong_to_ends_only() -> None:
    records = [change(0, phase, "verifying", phase) for phase in ("leaving", "done", "blocked", "failed")]
    assert [line.tone for line in show(Shown(), records, TERMINAL, 0)[1]] == ["", "ok", "warn", "bad"]


def test_times_are_those_of_the_readers_zone() -> None:
    view = replace(TERMINAL, zone=timezone(timedelta(hours=5, minutes=30)))
    assert told([change(0, "a", "waiting", "draining")], view)[0].startswith("17:30:00 ")


def test_notes_have_a_line_of_their_own() -> None:
    assert told([{"at": NOON, "kind": "note", "text": "connection lost;\n trying again"}]) == [
        "12:00:00 connection lost; trying again"
    ]


@given(st.text(), st.text(), st.text())
def test_no_name_and_no_reason_can_steer_a_terminal_or_forge_a_line(cluster: str, host: str, reason: str) -> None:
    (line,) = told([change(0, host, "booting", "failed", 1, cluster=cluster, reason=reason)])
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", line)
    assert len(line.splitlines()) == 1
    line.encode()


def test_wide_characters_take_two_columns() -> None:
    first, second = told([change(0, "主机", "waiting", "draining", 1), change(0, "esx1", "waiting", "draining", 1)])
    assert width(first) == width(second)
    assert shortened("主机一二", 5) == "主机…"


# ---------------------------------------------------------------------------------------------- records that are no good


def test_half_written_and_foreign_lines_of_the_file_are_passed_over() -> None:
    good = change(0, "a", "waiting", "draining")
    text = f'{json.dumps(good)}\nnot json\n[1]\n"x"\n\n{json.dumps(good)[:20]}'
    assert read(text) == [good]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
fields = ("at", "kind", "cluster", "host", "before", "after", "seconds", "reason", "counts", "ends_at", "text")


@given(
    st.lists(
        st.fixed_dictionaries(
            dict.fromkeys(fields, json_values) | {"kind": st.sampled_from(["transition", "note", "x"])}
        )
    )
)
def test_showing_never_stops_a_roll_whatever_the_records_hold(records: list[dict[str, Any]]) -> None:
    _shown, lines = show(Shown(), records, LOG, 0)
    assert all(len(line.text.splitlines()) <= 1 for line in lines)


# ----------------------------------------------------------------------------------------------------------------- bar


def progress(seconds: float, **number: int) -> dict[str, Any]:
    return {"at": NOON + seconds, "kind": "progress", "counts": counts(**number), "ends_at": NOON + 3600}


def test_a_bar_shows_every_kind_of_host_by_its_own_mark_and_in_words() -> None:
    number = counts(done=4, under_way=2, waiting=4, blocked=1, failed=1)
    assert meter(number, NOON + 1400, NOON, LOG) == (
        "[########>>>>........!!xx] 4 of 12 done, 2 in progress, 4 waiting, 1 blocked, 1 failed; about 23 min left (12:23)"
    )
    assert meter(counts(done=12), None, NOON, LOG) == "[########################] 12 of 12 done"
    assert meter(counts(done=11, failed=1), NOON + 50, NOON, LOG).endswith("11 of 12 done, 1 failed"), "nothing is left"


@given(st.tuples(*[st.integers(0, 600)] * 5))
def test_the_bar_is_as_long_as_ever_and_nobody_is_rounded_away(number: tuple[int, ...]) -> None:
    found = counts(*number)
    cells = meter(found, None, NOON, LOG)[1:].partition("]")[0]
    assert 13 <= len(cells) <= 24
    for mark, many in zip("#>.!x", number, strict=True):
        assert (mark in cells) == (many > 0 or (mark == "#" and sum(number) == 0))
    assert "".join(sorted(cells, key="#>.!x".index)) == cells


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 120])
def test_a_bar_for_a_terminal_fits_its_width(columns: int) -> None:
    number = counts(done=100, under_way=16, waiting=390, blocked=4, failed=2)
    text = meter(number, NOON + 1400, NOON, LOG, columns=columns)
    assert width(text) <= columns
    assert text.startswith("[") == (columns >= 85)
    assert "100 of 512 do" in text


def test_a_log_has_a_bar_a_minute_at_most_and_a_sign_of_life_every_five() -> None:
    shown, bars = Shown(), []
    for second in range(0, 1200, 10):
        done = min(second // 30, 10)
        shown, lines = show(shown, [progress(second, done=done, waiting=12 - done)], LOG, second)
        bars += [(second, line.text) for line in lines]
    assert [second for second, _text in bars] == [0, 60, 120, 180, 240, 300, 600, 900]
    assert bars[1][1] == "12:01:00 [####....................] 2 of 12 done, 10 waiting; about 59 min left (13:00)"


def test_where_a_bar_is_redrawn_there_is_none_between_the_lines_and_its_numbers_are_the_last_ones() -> None:
    shown, lines = show(Shown(), [progress(0, waiting=3), progress(30, done=1, waiting=2)], TERMINAL, 0)
    assert lines == ()
    assert (shown.counts, shown.at, shown.ends_at) == (counts(done=1, waiting=2), NOON + 30, NOON + 3600)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (89, "89 s"),
        (90, "2 min"),
        (1400, "23 min"),
        (6300, "1 h 45 min"),
        (7200, "2 h"),
        (183600, "2 d 3 h"),
    ],
)
def test_durations_are_told_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


# --------------------------------------------------------------------------------------------------- before and after


def planned(name: str, wave: int, starts: int, *stops: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "cluster": "gpu-a",
        "wave": wave,
        "starts_after_seconds": starts,
        "ends_after_seconds": starts + 1500,
        "reason": "0000:3b:00.0 waits for a reboot",
        "stops": [{"name": vm, "reason": "it holds PCI device 0", "order": 1} for vm in stops],
        "moves": [],
        "in_progress": False,
        **more,
    }


BLOCKED = {
    "name": "esx-9",
    "cluster": "gpu-b",
    "phase": "blocked",
    "reason": "alarm",
    "blockers": [{"code": "red_alarm", "message": "Alarm Fan is red", "cure": "Repair the fan"}],
}


def test_check_mode_tells_the_whole_schedule_and_every_vm_that_stops() -> None:
    hosts = [planned("esx-1", 1, 0, "train-1", "train-2"), planned("esx-10", 2, 1500)]
    schedule = {"waves": 2, "seconds": 3000, "hosts": hosts, "left": [BLOCKED], "idle": ["esx-4", "esx-5"]}
    assert texts(schedule_lines(schedule, LOG)) == [
        "2 hosts would be rebooted in 2 waves, in about 50 min; 2 VMs would be stopped",
        " +0:00 to  +0:25 wave 1   gpu-a esx-1  stops train-1, train-2",
        " +0:25 to  +0:50 wave 2   gpu-a esx-10",
        "skipped: gpu-b esx-9 (blocked): Alarm Fan is red. Repair the fan.",
        "2 hosts require no reboot",
    ]
    assert texts(schedule_lines(schedule, VERBOSE))[1].endswith(
        "stops train-1 (it holds PCI device 0), train-2 (it holds PCI device 0) (0000:3b:00.0 waits for a reboot)"
    )
    assert texts(schedule_lines({"hosts": [], "idle": ["a"]}, LOG)) == [
        "No host would be rebooted",
        "1 host requires no reboot",
    ]


@pytest.mark.parametrize(
    ("hosts", "waves", "head"),
    [
        ([planned("esx-1", 0, -60, in_progress=True)], 0, "the reboot of 1 host in progress would be finished"),
        (
            [planned("esx-1", 0, -60, in_progress=True, is_rebooted=True), planned("esx-2", 1, 0)],
            1,
            "1 host would be rebooted in 1 wave, 1 host would be returned to service without another reboot",
        ),
        (
            [planned(f"esx-{n}", 0, 0, in_progress=True, is_rebooted=n > 1) for n in (1, 2, 3)],
            0,
            "the reboot of 1 host in progress would be finished, 2 hosts would be returned to service without another reboot",
        ),
    ],
)
def test_a_host_in_progress_is_no_new_reboot(hosts: list[Any], waves: int, head: str) -> None:
    lines = texts(schedule_lines({"waves": waves, "seconds": 600, "hosts": hosts}, LOG))
    assert lines[0] == f"{head}, in about 10 min; no VM would be stopped"


def locked(name: str, cluster: str, *others: dict[str, Any], owner: str = "bob@vm:1") -> dict[str, Any]:
    message = f"{cluster} is locked by {owner}, which has been working for 10 min"
    lock = {"code": "locked", "message": message, "cure": "Wait until it has finished"}
    return {"name": name, "cluster": cluster, "phase": "blocked", "reason": message, "blockers": [lock, *others]}


def test_a_run_that_holds_hosts_of_many_clusters_is_named_once() -> None:
    alarm = BLOCKED["blockers"][0]
    left = [locked("esx-1", "gpu-a"), locked("esx-2", "gpu-a"), locked("esx-7", "gpu-b", alarm)]
    left.append(locked("esx-8", "edge", owner="eve@vm:2"))
    why = "which has been working for 10 min. Wait until it has finished."
    held = [
        f"gpu-a, gpu-b esx-1, esx-2, esx-7: held by the run of bob@vm:1, {why}",
        f"edge esx-8: held by the run of eve@vm:2, {why}",
    ]
    assert texts(schedule_lines({"hosts": [], "left": left}, LOG)) == [
        "No host can be rebooted now",
        *(f"skipped: {text}" for text in held),
        "skipped: gpu-b esx-7 (blocked): Alarm Fan is red. Repair the fan.",
    ]
    assert texts(ending_lines({"state": "stalled", "counts": counts(blocked=4), "hosts": left}, LOG))[1:] == [
        *(f"blocked: {text}" for text in held),
        "blocked: gpu-b esx-7: Alarm Fan is red. Repair the fan.",
    ]


def test_the_lines_of_held_hosts_describe_the_run_once() -> None:
    reason = "gpu-a is locked by bob@vm:1, which has been working for 10 min, last heartbeat 20 s ago"
    records = [change(0, name, None, "blocked", reason=reason) for name in ("esx-1", "esx-2")]
    lines = [line for line in texts(show(Shown(), records, LOG, 0.0)[1]) if "blocked  " in line]
    assert lines[0].endswith(reason)
    assert lines[1].endswith(" held by the run of bob@vm:1")


def test_after_a_request_to_stop_a_blocked_host_that_is_left_has_no_line() -> None:
    blocked = change(0, "esx-1", None, "blocked", reason="a red alarm")
    left = change(0, "esx-1", "blocked", "waiting", reason="left for another run: 0000:3b:00.0 waits for a reboot")
    again = change(0, "esx-1", "blocked", "waiting", reason="at most 1 of 3 hosts may be down at once")
    shown, _lines = show(Shown(), [blocked], replace(LOG, redraws=True), 0.0)
    assert show(shown, [left], replace(LOG, redraws=True), 1.0)[1] == ()
    assert len(show(shown, [again], replace(LOG, redraws=True), 1.0)[1]) == 1


def test_a_long_schedule_is_told_by_waves_and_still_names_every_vm() -> None:
    hosts = [planned(f"esx-{n}", n // 64 + 1, n // 64 * 1500, f"vm-{n}") for n in range(512)]
    schedule = {"waves": 8, "seconds": 12000, "hosts": hosts, "left": [], "idle": []}
    lines = texts(schedule_lines(schedule, LOG))
    assert len(lines) == 9
    assert lines[1].startswith(" +0:00 wave 1   64 hosts: esx-0 to esx-9, esx-10 to esx-63; stops vm-0 to vm-9, vm-10 ")
    assert lines[8].endswith("wave 8   64 hosts: esx-448 to esx-511; stops vm-448 to vm-511")
    assert len(schedule_lines(schedule, replace(LOG, reasons=True))) == 513


def test_a_thousand_waves_take_25_lines() -> None:
    hosts = [planned(f"esx-{n:04}", n, n * 1500) for n in range(1, 1001)]
    schedule = {"waves": 1000, "seconds": 1500000, "hosts": hosts, "left": [], "idle": []}
    lines = texts(schedule_lines(schedule, LOG))
    assert len(lines) == 26
    assert lines[1].endswith("waves 1 to 40 40 hosts: esx-0001 to esx-0040")
    assert lines[25].endswith("waves 961 to 1000 40 hosts: esx-0961 to esx-1000")


def test_hosts_that_are_skipped_for_the_same_reason_share_a_line() -> None:
    def left(name: str, cure: str = "Repair the fan") -> dict[str, Any]:
        blockers = [{"code": "red_alarm", "message": f"{name} has a red alarm", "cure": cure}] * 2
        return {**BLOCKED, "name": name, "blockers": blockers}

    schedule = {"hosts": [], "left": [left("esx-1"), left("esx-2"), left("esx-3"), left("esx-4", "Wait")]}
    assert texts(schedule_lines(schedule, LOG)) == [
        "No host can be rebooted now",
        "skipped: gpu-b esx-1 to esx-3 (blocked): has a red alarm. Repair the fan. It has a red alarm. Repair the fan.",
        "skipped: gpu-b esx-4 (blocked): has a red alarm. Wait. It has a red alarm. Wait.",
    ]
    many = {"hosts": [], "left": [left(f"esx-{n}", f"Wait {n}") for n in range(1000)]}
    lines = texts(schedule_lines(many, LOG))
    assert len(lines) == 27
    assert lines[-1] == "skipped: 975 more hosts, see hosts in the result: esx-25 to esx-99, esx-100 to esx-999"


def test_the_end_tells_who_needs_a_person_and_how_to_go_on() -> None:
    result = {
        "state": "stalled",
        "reasons": ["only blocked hosts are left"],
        "counts": counts(done=10, blocked=1, failed=1),
        "hosts": [
            {**BLOCKED},
            {"name": "esx-3", "cluster": "gpu-a", "phase": "failed", "reason": "not back after 45 min"},
        ],
        "resume": ["esx-9: resolve the blockers, then run the same again."],
        "timeline": {
            "hosts": [
                {"name": "a", "segments": [{"phase": "draining", "start": NOON, "end": NOON + 3000, "open": False}]}
            ]
        },
    }
    lines = ending_lines(result, LOG)
    assert [(line.text, line.tone) for line in lines] == [
        (
            "ended incomplete after 50 min: [####################!!xx] 10 of 12 done, 1 blocked, 1 failed (only blocked hosts are left)",
            "warn",
        ),
        ("failed: gpu-a esx-3: not back after 45 min", "bad"),
        ("blocked: gpu-b esx-9: Alarm Fan is red. Repair the fan.", "warn"),
        ("next: esx-9: resolve the blockers, then run the same again.", ""),
    ]
    assert texts(ending_lines({"state": "finished", "changed": False}, LOG)) == ["finished: nothing was to be done"]
    looked = {**result, "timeline": {**result["timeline"], "began": NOON + 2997}}  # type: ignore[dict-item]
    assert ending_lines(looked, LOG)[0].text.startswith("ended incomplete after 3 s: ")
    many = {**result, "hosts": [{**BLOCKED, "name": f"esx-{n}"} for n in range(500)]}
    assert len(ending_lines(many, LOG)) == 1 + 20 + 1 + 1
