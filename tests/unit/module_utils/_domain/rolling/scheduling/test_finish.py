# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that are removed, that do not respond for a while, that an earlier run gave up; locks of processes that have ended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.scheduling import pace
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.fleet_index import index_fleet
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import GoneHost
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import Policy, Window
from tests.unit.module_utils._domain.rolling.builders import (
    ACTIVE,
    LOCK,
    NOW,
    ask,
    cluster,
    deeds,
    entry,
    host,
    observed,
    standing,
    vm_entry,
)
from tests.unit.module_utils._domain.rolling.builders import vm as machine

IN: dict[str, Any] = {"in_maintenance_mode": True}
SILENT = host("esx-1", devices=(ACTIVE,), connection_state="notResponding", silent_since=NOW - 60)
SETTLED = host("esx-2", devices=(ACTIVE,))


# ---------------------------------------------------------------------------------------------------------- a host that is gone


def gone(step: str = "rebooting", **more: Any) -> GoneHost:
    return GoneHost(view=host("esx-9"), entry=entry(step), cluster="gpu", **more)


@pytest.mark.parametrize(
    "step", ["draining", "rebooting", "powering", "verifying", "leaving", "restoring", "backing_out"]
)
def test_a_host_that_was_removed_in_progress_has_failed(step: str) -> None:
    answer = ask(SETTLED, gone=(gone(step, off=("db",), lost=("train-01",)),))
    assert answer.outlook.state == "stalled"
    status = standing(answer, "esx-9")
    assert (status.phase, status.vms) == ("failed", ("db", "train-01"))
    (blocker,) = status.blockers
    assert blocker.code == "host_removed"
    assert "db, train-01 (removed, too)" in blocker.message
    assert "power on db, train-01" in blocker.cure


def test_it_counts_as_a_failure() -> None:
    answer = ask(host(), gone=(gone(),))
    assert answer.outlook.state == "halted"
    assert "esx-9" in answer.outlook.reasons[0]
    assert deeds(ask(host(), gone=(gone(),), policy=Policy(max_failures=2, canary=False))) == [
        ("enter_maintenance", "esx-1")
    ]


def test_it_is_a_failure_also_after_the_journal_was_cleared() -> None:
    finishing = [cluster(lock=replace(LOCK, finishing=True))]
    answer = ask(SETTLED, gone=(gone(),), clusters=finishing)
    assert answer.outlook.ended
    assert answer.outlook.state == "stalled"
    assert "esx-9" in answer.outlook.reasons[0]


def test_a_vm_of_it_that_was_moved_is_powered_on_where_it_is() -> None:
    moved = machine("db", "esx-2", power_state="poweredOff", entry=vm_entry(host="esx-9"))
    answer = ask(SETTLED, vms=[moved], gone=(gone(off=("db",)),))
    assert deeds(answer) == [("start_vm", "db")]


# ------------------------------------------------------------------------------------------------------------------- flapping


def test_a_host_that_does_not_respond_is_waited_for() -> None:
    waiting = ask(SILENT, host("esx-3"))
    assert waiting.outlook.state == "waiting"
    assert waiting.outlook.notices[0].endswith("until 2026-02-02 02:49 UTC")
    assert "esx-1 (notResponding)" in waiting.outlook.reasons[0]
    late = ask(replace(SILENT, silent_since=NOW - 600), host("esx-3"))
    assert late.outlook.state == "stalled"
    assert "esx-1 (notResponding)" in "; ".join(late.outlook.reasons)


@pytest.mark.parametrize(
    ("others", "policy"),
    [
        ((replace(SILENT, silent_since=None), host("esx-3")), Policy()),
        ((SILENT, SETTLED), Policy()),
        ((SILENT, host("esx-3")), Policy(patience=0)),
        ((replace(SILENT, entry=entry("failed")), host("esx-3")), Policy(max_failures=2)),
    ],
    ids=["disconnected by a person", "nobody waits", "not wanted", "it failed in this run"],
)
def test_but_not(others: Any, policy: Policy) -> None:
    others = [replace(view, wanted=view.name == "esx-3") for view in others]
    assert ask(*others, policy=policy).outlook.state != "waiting"


def test_not_done_carries_the_reason() -> None:
    finishing = [cluster(lock=replace(LOCK, finishing=True))]
    answer = ask(replace(SILENT, wanted=False), host("esx-3"), clusters=finishing)
    assert answer.outlook.reasons == (
        "not done: esx-3 (at most 1 of 2 hosts of gpu may be down at once: esx-1 (notResponding))",
    )
    both = ask(SILENT, host("esx-3"), clusters=finishing).outlook.reasons[0]
    assert "esx-1 (it is notResponding)" in both
    failed = ask(host("esx-3", entry=entry("failed", text="esx-3 is not back")), clusters=finishing)
    assert failed.outlook.reasons == ("not done: esx-3 (esx-3 is not back)",)


# ----------------------------------------------------------------------------------------------------- what an earlier run saw


@pytest.mark.parametrize(
    ("more", "now"),
    [
        ({}, "esx-1 is in service now"),
        (IN, "esx-1 is connected and in maintenance mode now"),
        ({"connection_state": "notResponding"}, "esx-1 is notResponding now"),
        ({"standby": True}, "esx-1 is in standby now"),
    ],
)
@pytest.mark.parametrize("step", ["failed", "withdrawn"])
def test_a_later_run_reports_the_present_state_and_when_the_other_was_seen(
    step: str, more: dict[str, Any], now: str
) -> None:
    text = "esx-1 is not back 45 min after its reboot was requested: it is notResponding"
    seen = host(devices=(ACTIVE,), entry=entry(step, run_id="0ld00000", at=NOW - 90_000, text=text), **more)
    young = [cluster(lock=replace(LOCK, since=NOW - 60))]
    reason = standing(ask(seen, host("esx-2"), clusters=young)).reason
    assert reason == f"{now}; at 2026-02-01 01:40 UTC: {text}"
    assert standing(ask(seen, clusters=[cluster(lock=None)])).reason == reason
    same_day = replace(seen, entry=replace(seen.entry, at=NOW - 3600)) if seen.entry else seen
    assert "; at 2026-02-02 01:40 UTC: " in standing(ask(same_day, clusters=young)).reason


def test_this_run_reports_what_it_saw() -> None:
    seen = host(devices=(ACTIVE,), entry=entry("failed", text="esx-1 is not back"), **IN)
    assert standing(ask(seen)).reason == "esx-1 is not back"


# ------------------------------------------------------------------------------------------------------------------ time and locks


def test_the_age_of_the_lock_of_a_process_that_has_ended_is_the_real_one() -> None:
    dead = replace(LOCK, owner="bob@ctl-2", beat=NOW - 6, ended=True)
    (action,) = ask(host(), clusters=[cluster(lock=dead)]).actions
    assert action.reason == ("the lock of bob@ctl-2 is stale: its process has ended, and its last heartbeat is 6 s old")


def test_maintenance_windows_are_by_the_clock_of_vcenter() -> None:
    """NOW is 02:40 UTC; vCenter's clock is two hours ahead of the run."""
    open_now = Policy(windows=(Window(start="04:00", end="06:00"),))
    assert deeds(ask(host(), policy=open_now, ahead=7200.0)) == [("enter_maintenance", "esx-1")]
    closed = ask(host(), policy=open_now)
    assert closed.outlook.state == "waiting"
    later = Policy(windows=(Window(start="05:00", end="07:00"),))
    waiting = ask(host(), policy=later, ahead=7200.0)
    nothing = pace.Progress(done=(), failed=(), active=(), total=1)
    hold = pace.find_run_hold(index_fleet(observed(host(), ahead=7200.0), later, NOW), nothing)
    assert hold is not None
    assert hold.wake == NOW + 1200, "by the clock of the run"
    assert "05:00 UTC" in waiting.outlook.notices[0], "by the clock of vCenter"


def test_a_task_that_powers_on_a_vm_and_never_ends_is_given_up() -> None:
    """Also for a host that is over, where no other deadline ends the wait."""
    stuck = machine(
        "db",
        power_state="poweredOff",
        entry=vm_entry("start", called=NOW - 899),
        under_way=frozenset(["start_vm"]),
    )
    over = host(devices=(ACTIVE,), entry=entry("failed", text="x"))
    assert ask(over, vms=[stuck]).outlook.state == "working"
    entry_of = stuck.entry
    assert entry_of is not None
    late = replace(stuck, entry=replace(entry_of, called=NOW - 900))
    assert ask(over, vms=[late]).outlook.ended
