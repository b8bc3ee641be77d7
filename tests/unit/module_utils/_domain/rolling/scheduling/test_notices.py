# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of the whole roll: why nobody is started, until when, and that no window is long enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.scheduling.notices import (
    gist_of,
    journal_notice,
    on_clock,
    topic_of,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import (
    Durations,
    Policy,
    Window,
)
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.merge_slices import joined_results
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.progress import Shown, View, show
from tests.unit.module_utils._domain.rolling.builders import (
    ACTIVE,
    LOCK,
    NOW,
    ask,
    cluster,
    deeds,
    entry,
    host,
    standing,
)

# NOW is 2026-02-02 02:40:00 UTC, a Monday.
FREE = Policy(canary=False, max_unavailable=1, expected=Durations(drain=300, reboot=780, settle=120))
NIGHT = replace(FREE, windows=(Window(start="03:00", end="05:00"),))
SHORT = replace(FREE, windows=(Window(start="03:00", end="03:10"),))
BY_ALICE = "audit (by alice@bastion-7, since 2026-02-02 02:00 UTC)"
RESUME = "ansible-playbook directpath.vsphere.unpause"
WAITS = "this run waits for the end of the pause"
YOUNG = replace(LOCK, since=NOW - 60)
DRAIN_WAITS = "esx-8 waits, until 2026-02-02 03:09 UTC at most, and then returns to service"
REBOOTING = host("esx-8", in_maintenance_mode=True, entry=entry("rebooting", asked=NOW - 60))
BUSY = host("esx-8", entry=entry("draining"), entering=True)
DONE = host("esx-0", devices=(ACTIVE,), entry=entry("done", at=NOW - 60))
FAILED = host("esx-9", in_maintenance_mode=True, entry=entry("failed"))
AWAY = host("esx-9", devices=(ACTIVE,), connection_state="notResponding")


@pytest.mark.parametrize(
    ("hosts", "policy", "more", "told"),
    [
        ([host()], FREE, {}, ()),
        ([host()], NIGHT, {}, ("it is outside the maintenance window, until 2026-02-02 03:00 UTC",)),
        ([host()], FREE, {"pause": "night shift"}, (f"paused: night shift; {WAITS}",)),
        ([host()], replace(FREE, patience=3600), {"pause": "night shift", "clusters": [cluster(lock=YOUNG)]},
         (f"paused: night shift; {WAITS}, until 2026-02-02 03:39 UTC",)),
        ([host()], FREE, {"pause": BY_ALICE}, (f"paused: {BY_ALICE}; {WAITS}; to end it: {RESUME}",)),
        ([host()], FREE, {"clusters": [cluster(pause="freeze")]}, (f"its cluster is paused: freeze; {WAITS}",)),
        ([DONE, host()], replace(FREE, canary=True, canary_soak=630),
         {}, ("soak after the first host of the model R750, until 2026-02-02 02:50 UTC",)),
        ([DONE, host(), host("esx-2")], replace(FREE, checkpoints=(1,), canary_soak=600),
         {}, ("checkpoint after 1 host, until 2026-02-02 02:49 UTC",)),
        # While hosts are in hand, only what they will not change by themselves.
        ([BUSY, host()], FREE, {}, ()),
        ([BUSY, host()], replace(FREE, canary=True), {}, ()),
        ([BUSY, host()], replace(FREE, checkpoints=(1,)), {}, ()),
        ([BUSY, host()], FREE, {"pause": "night shift"}, (f"paused: night shift; {DRAIN_WAITS}",)),
        ([REBOOTING, host()], FREE, {"pause": "night shift"}, ("paused: night shift",)),
        ([BUSY, host()], NIGHT, {}, ("it is outside the maintenance window, until 2026-02-02 03:00 UTC",)),
        ([BUSY, FAILED, host()], FREE, {}, ("1 host failed (esx-9), so no other host is started",)),
        ([BUSY], FREE, {"pause": "night shift"}, (f"paused: night shift; {DRAIN_WAITS}",)),
        ([REBOOTING], FREE, {"pause": "night shift"}, ()),
    ],
)  # fmt: skip
def test_what_holds_the_whole_roll_back(
    hosts: list[Any], policy: Policy, more: dict[str, Any], told: tuple[str, ...]
) -> None:
    assert ask(*hosts, policy=policy, **more).outlook.notices == tuple(f"held back: {text}" for text in told)


def test_those_who_are_waited_for_are_named_and_so_is_what_would_have_to_change() -> None:
    patient = replace(FREE, patience=3600.0)
    held = cluster(lock=replace(LOCK, since=NOW - 60))
    answer = ask(host(), host("esx-2", red_alarms=("Fan",)), AWAY, policy=patient, clusters=[held])
    assert answer.outlook.state == "waiting"
    (told,) = answer.outlook.notices
    assert told == (
        "held back: at most 1 of 3 hosts of gpu may be down at once: esx-9 (notResponding); esx-2 blocked; esx-9 unreachable; "
        "the rolling reboot waits for a change, until 2026-02-02 03:39 UTC"
    )


def test_many_reasons_are_not_all_told_and_always_in_the_same_order() -> None:
    clusters = [cluster(name, pause=f"because of {name}") for name in "abcde"]
    hosts = [host(f"esx-{name}", compute_moid=name) for name in "abcde"]
    (told,) = ask(*hosts, policy=FREE, clusters=clusters).outlook.notices
    assert told.endswith(
        f"of a; its cluster is paused: because of b; its cluster is paused: because of c; and 2 more reasons; {WAITS}"
    )
    loads = [replace(view, load=1 - n / 10) for n, view in enumerate(hosts)]
    assert ask(*loads, policy=FREE, clusters=clusters).outlook.notices == (told,)


# ---------------------------------------------------------------------------------------------- windows that are too short


def test_where_no_window_is_long_enough_for_anybody_the_roll_ends_before_it_waits() -> None:
    answer = ask(host(), host("esx-2"), policy=SHORT)
    assert answer.outlook.state == "stalled"
    assert answer.outlook.reasons == (
        "it takes about 20 min, which is longer than any maintenance window",
        "the longest one lasts 10 min: make it longer, or set in expected_minutes or measured how long hosts really take",
    )
    assert deeds(answer) == [("release_lock", "gpu")]
    assert standing(answer).reason == "it takes about 20 min, which is longer than any maintenance window"


@pytest.mark.parametrize(
    "more", [{"pause": "night shift"}, {"policy": replace(SHORT, patience=7200.0)}, {"now": NOW + 1260}]
)
def test_neither_a_pause_nor_patience_nor_an_open_window_delays_that(more: dict[str, Any]) -> None:
    held = cluster(lock=replace(LOCK, since=NOW - 60, beat=NOW + 1250))
    assert ask(host(), **{"policy": SHORT, "clusters": [held], **more}).outlook.state == "stalled"


def test_one_who_fits_none_is_named_at_once_and_the_others_go_on() -> None:
    policy = replace(SHORT, measured={"esx-2": Durations(drain=60, reboot=300, settle=60)})
    answer = ask(host(), host("esx-2"), policy=policy)
    assert answer.outlook.state == "waiting"
    assert answer.outlook.notices == (
        "held back: it is outside the maintenance window, until 2026-02-02 03:00 UTC",
        "no maintenance window is long enough for esx-1: the longest lasts 10 min, and they are expected to take longer "
        "(expected_minutes: drain, reboot, settle)",
    )
    opened = ask(
        host(), host("esx-2"), policy=policy, now=NOW + 1201, clusters=[cluster(lock=replace(LOCK, beat=NOW + 1200))]
    )
    assert [name for kind, name in deeds(opened) if kind != "renew_lock"] == ["esx-2"]
    over = ask(host(), replace(DONE, model="R650"), policy=policy)
    assert deeds(over) == [("finish_lock", "gpu")], "nobody is left to be waited for"


def test_what_a_host_in_hand_takes_may_show_that_the_others_fit() -> None:
    assert ask(BUSY, host(), policy=SHORT).outlook.state == "working"
    quick = replace(DONE, entry=entry("done", at=NOW - 60, drained=60.0, rebooted=300.0))
    assert ask(quick, host(), policy=SHORT).outlook.state == "waiting"


def test_a_week_is_looked_at_whatever_is_left_of_the_window_that_is_open() -> None:
    """Mondays only, and it closes in ten minutes: next Monday there is room."""
    policy = replace(FREE, windows=(Window(start="02:00", end="02:50", days=frozenset({0})),))
    answer = ask(host(), policy=policy)
    assert answer.outlook.notices == (
        "held back: it takes about 20 min and the maintenance window closes before that, until 2026-02-09 02:00 UTC",
    )


# ------------------------------------------------------------------------------------------------------------- shown once

LOG = View(zone=UTC, redraws=True)
CLOSED = "held back: it is outside the maintenance window, until 2026-02-02 03:00 UTC"


def note(text: str, at: float = NOW) -> dict[str, Any]:
    return {"at": at, "kind": "note", "text": text}


def change(host: str, old: str | None, new: str, at: float = NOW) -> dict[str, Any]:
    return {"at": at, "kind": "transition", "cluster": "gpu", "host": host, "before": old, "after": new}


def shown(*slices: list[dict[str, Any]], view: View = LOG) -> list[str]:
    state, told = Shown(), []
    for number, records in enumerate(slices):
        state, lines = show(state, records, view, number)
        told += [line.text for line in lines]
    return told


def test_a_slice_does_not_repeat_what_the_one_before_it_said() -> None:
    waiting = change("esx-1", None, "waiting")
    assert shown([waiting, note(CLOSED)], [waiting, note(CLOSED, NOW + 600)]) == [
        "02:40:00 held back: it is outside the maintenance window, until 03:00"
    ]


def test_another_reason_is_told_another_time_is_not() -> None:
    retried, paused = CLOSED.replace("03:00", "03:01"), "held back: paused: x"
    assert [
        line[9:] for line in shown([note(CLOSED)], [note(retried)], [note(paused), note(retried)], [note(paused)])
    ] == [
        "held back: it is outside the maintenance window, until 03:00",
        "held back: paused: x",
        "held back: paused: x",
    ], "what was told before a batch is not told again in it"


def test_the_same_is_news_again_after_hosts_were_started() -> None:
    begun = [change("esx-1", "waiting", "draining", NOW + 60)]
    first = [change("esx-1", None, "waiting"), note("held back: paused: x")]
    assert [line[9:] for line in shown(first, begun, [note("held back: paused: x", NOW + 120)])] == [
        "held back: paused: x",
        "gpu esx-1 waiting → draining        01:00",
        "held back: paused: x",
    ]
    told_at_its_end = [*begun, note("held back: paused: x", NOW + 120)]
    assert len(shown(first, told_at_its_end)) == 2


def test_other_notes_are_told_as_often_as_they_come() -> None:
    assert len(shown([note("The server does not answer")], [note("The server does not answer")])) == 2


@pytest.mark.parametrize(
    ("hours", "moment", "told"),
    [
        (0, "2026-02-02 03:00", "03:00"),
        (2, "2026-02-02 03:00", "05:00"),
        (0, "2026-02-07 22:00", "Sat 22:00"),
        (-4, "2026-02-02 03:00", "23:00"),
        (0, "2026-02-09 03:00", "2026-02-09 03:00"),
        (0, "2026-02-01 03:00", "2026-02-01 03:00"),
        (0, "2026-99-99 99:99", "2026-99-99 99:99 UTC"),
    ],
)
def test_times_are_put_on_the_clock_of_the_reader(hours: int, moment: str, told: str) -> None:
    zone = timezone(timedelta(hours=hours))
    assert on_clock(f"held back: soak until {moment} UTC", zone, NOW) == f"held back: soak until {told}"
    assert on_clock(f"until {moment} UTC", zone, NOW) == f"until {moment} UTC", "what others write is left as it is"


def test_where_the_journal_is_kept_is_told_once_a_run_whatever_later_slices_know_of_it() -> None:
    first = journal_notice("/journals/vc_443.json", "the account lacks Global.SetCustomField in vCenter")
    later = journal_notice("/journals/vc_443.json", "an earlier run left its journal in this file")
    assert topic_of(first) == topic_of(later) == gist_of(first) == gist_of(later)
    assert [line[9:] for line in shown([note(first)], [note(later)], [note(later)])] == [first]
    journal = {
        "kind": "file",
        "place": "/journals/vc_443.json",
        "why": "the account lacks Global.SetCustomField in vCenter",
    }
    joined = joined_results(
        {"notes": [first, "x"], "journal": journal},
        {"notes": [later, "y"], "journal": {**journal, "why": "an earlier run left its journal in this file"}},
    )
    assert joined["notes"] == [first, "x", "y"]
    assert joined["journal"] == journal
