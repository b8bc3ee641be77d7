# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may roll a cluster, and what a run that comes later goes on with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import Garbage, Lock
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.lock import (
    adopt,
    scope_digest,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import Refusal
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import LockRule, Policy
from tests.unit.module_utils._domain.rolling.builders import (
    ACTIVE,
    LOCK,
    ME,
    NOW,
    ROLL,
    ask,
    cluster,
    codes,
    deeds,
    entry,
    host,
    standing,
)

BOB = replace(LOCK, owner="bob@ctl-2", run_id="b0b00000", scope="other")
DEAD = replace(BOB, beat=NOW - 301)
JUNK = Garbage(attribute="directpath.roll.lock", text="mine!")
FORCE = Policy(lock=LockRule(take="force"))
NEVER = Policy(lock=LockRule(take="never"))


@pytest.mark.parametrize(
    ("lock", "policy", "taken"),
    [
        (None, Policy(), True),
        (BOB, Policy(), False),
        (BOB, FORCE, True),
        (DEAD, Policy(), True),
        (DEAD, NEVER, False),
        (replace(BOB, beat=NOW - 300), Policy(), False),
        (JUNK, Policy(), False),
        (JUNK, FORCE, True),
    ],
)
def test_whose_lock_is_taken(lock: Any, policy: Policy, taken: bool) -> None:
    answer = ask(host(), clusters=[cluster(lock=lock)], policy=policy)
    assert (deeds(answer) == [("take_lock", "gpu")]) is taken
    if taken:
        assert answer.actions[0].entry == Lock(owner=ME, run_id=ROLL, scope="s", since=NOW, beat=NOW, ttl=300)
    else:
        assert standing(answer).phase == "blocked"
        assert deeds(answer) == []


def test_taking_a_stale_lock_says_whose_it_was() -> None:
    answer = ask(host(), clusters=[cluster(lock=DEAD)])
    assert answer.actions[0].reason == "the lock of bob@ctl-2 is stale: its last heartbeat is 5 min old"


def test_times_of_locks_are_told_as_people_say_them() -> None:
    dead = replace(BOB, beat=NOW - 6300)
    answer = ask(host(), clusters=[cluster(lock=dead)])
    assert answer.actions[0].reason.endswith("its last heartbeat is 1 h 45 min old")
    (blocker,) = standing(ask(host(), clusters=[cluster(lock=dead)], policy=NEVER)).blockers
    assert "sent its last heartbeat 1 h 45 min ago and" in blocker.message
    alive = replace(BOB, since=NOW - 7200, beat=NOW - 20)
    (blocker,) = standing(ask(host(), clusters=[cluster(lock=alive)])).blockers
    assert "has been working for 2 h, last heartbeat 20 s ago" in blocker.message
    assert blocker.cure.endswith("may be taken in 5 min")


def test_nothing_is_done_before_the_lock_has_settled() -> None:
    fresh = replace(LOCK, since=NOW - 2, beat=NOW - 2)
    answer = ask(host(), clusters=[cluster(lock=fresh)])
    assert deeds(answer) == []
    assert answer.outlook.state == "working"
    assert answer.outlook.wake_at == NOW + 1
    assert deeds(ask(host(), clusters=[cluster(lock=replace(fresh, since=NOW - 3))])) == [
        ("enter_maintenance", "esx-1")
    ]


def test_a_sign_of_life_is_given_while_hosts_go_on() -> None:
    busy = host(
        in_maintenance_mode=True, boot_time=NOW - 30, devices=(ACTIVE,), entry=entry("verifying", asked=NOW - 90)
    )
    answer = ask(busy, clusters=[cluster(lock=replace(LOCK, beat=NOW - 90))])
    assert deeds(answer) == [("renew_lock", "gpu"), ("leave_maintenance", "esx-1")]
    assert answer.actions[0].entry == replace(LOCK, beat=NOW)


def test_a_run_that_was_silent_too_long_makes_sure_of_its_lock_first() -> None:
    busy = host(
        in_maintenance_mode=True, boot_time=NOW - 30, devices=(ACTIVE,), entry=entry("verifying", asked=NOW - 90)
    )
    answer = ask(busy, clusters=[cluster(lock=replace(LOCK, beat=NOW - 301))])
    assert deeds(answer) == [("renew_lock", "gpu")]
    assert answer.actions[0].entry == replace(LOCK, since=NOW, beat=NOW)


def test_a_run_that_lost_its_lock_stops_at_once_and_says_so() -> None:
    busy = host(
        in_maintenance_mode=True, boot_time=NOW - 30, devices=(ACTIVE,), entry=entry("verifying", asked=NOW - 90)
    )
    answer = ask(busy, clusters=[cluster(lock=BOB)])
    assert deeds(answer) == []
    assert codes(answer) == ["locked"]
    assert standing(answer).phase == "verifying"
    assert answer.outlook.state == "stalled"
    assert answer.outlook.reasons == ("hosts in progress are locked by another run: esx-1",)


def test_hosts_that_another_run_has_in_progress_are_waited_for_as_long_as_the_user_says() -> None:
    busy = host(in_maintenance_mode=True, devices=(ACTIVE,), entry=entry("verifying", at=NOW - 90, asked=NOW - 90))
    patient = ask(busy, clusters=[cluster(lock=BOB)], policy=Policy(patience=3600))
    assert deeds(patient) == []
    assert patient.outlook.state == "waiting"
    assert "bob" in patient.outlook.reasons[0]
    tired = ask(busy, clusters=[cluster(lock=BOB)], policy=Policy(patience=10), now=NOW + 100)
    assert tired.outlook.state == "stalled"


def test_other_clusters_do_not_wait_for_a_locked_one() -> None:
    hosts = [host("a-1", compute_moid="a"), host("b-1", compute_moid="b")]
    answer = ask(*hosts, clusters=[cluster("a", lock=BOB), cluster("b")])
    assert deeds(answer) == [("enter_maintenance", "b-1")]


def test_a_cluster_in_which_nothing_is_to_be_done_is_not_locked() -> None:
    answer = ask(host(devices=(ACTIVE,)), clusters=[cluster(lock=None)])
    assert deeds(answer) == []
    assert answer.outlook.state == "finished"


def test_a_lock_that_cannot_be_written_is_explained() -> None:
    refusal = Refusal(kind="take_lock", code="no_permission", text="Global.SetCustomField", at=NOW - 5, permanent=True)
    answer = ask(host(), clusters=[cluster(lock=None, refusal=refusal)])
    assert codes(answer) == ["lock_refused"]
    assert "Global.SetCustomField" in standing(answer).reason
    passing = replace(refusal, permanent=False, at=NOW - 61)
    assert deeds(ask(host(), clusters=[cluster(lock=None, refusal=passing)])) == [("take_lock", "gpu")]


# ------------------------------------------------------------------------------------------------------------ adoption


def roll_of(*, locks: Any = (), entries: Any = (), policy: Policy | None = None) -> tuple[str, bool]:
    held = [one if isinstance(one, tuple) else (None, one) for one in entries]
    found = adopt(locks, held, me=ME, scope="s", policy=policy or Policy(), now=NOW, fresh_id="new00000")
    return found.run_id, found.resumed


OTHER = "0ld00000"


@pytest.mark.parametrize(
    ("case", "roll"),
    [
        ({}, "new00000"),
        ({"locks": [LOCK]}, ROLL),
        ({"locks": [None, JUNK, BOB]}, "new00000"),
        ({"locks": [replace(DEAD, scope="s")]}, "b0b00000"),
        ({"locks": [replace(BOB, scope="s")]}, "new00000"),
        ({"locks": [replace(BOB, scope="s")], "policy": FORCE}, "b0b00000"),
        ({"locks": [DEAD]}, "new00000"),
        ({"entries": [entry("rebooting", run_id=OTHER, at=NOW - 10**7)]}, OTHER),
        ({"entries": [entry("done", run_id=OTHER)]}, OTHER),
        ({"entries": [entry("done", run_id=OTHER, at=NOW - 86401)]}, "new00000"),
        ({"entries": [entry("failed", run_id=OTHER)]}, "new00000"),
        ({"entries": [entry("done", run_id="r2"), entry("rebooting", run_id=OTHER, at=NOW - 999)]}, OTHER),
        ({"entries": [entry("rebooting", run_id=OTHER)], "locks": [LOCK]}, ROLL),
    ],
)
def test_what_was_begun_is_finished_first(case: dict[str, Any], roll: str) -> None:
    assert roll_of(**case) == (roll, roll != "new00000")


def test_the_scope_is_the_same_for_the_same_wish() -> None:
    same = scope_digest(["host-2", "host-1"], Policy())
    assert scope_digest(["host-1", "host-2"], Policy(max_unavailable=5)) == same
    assert scope_digest(["host-1"], Policy()) != same
    assert scope_digest(["host-1", "host-2"], Policy(reason="firmware")) != same


# -------------------------------------------------------------------------------------------------------- clearing up


def test_the_journal_is_cleared_in_an_order_that_survives_a_crash() -> None:
    done = host(devices=(ACTIVE,), entry=entry("done"))
    first = ask(done)
    assert deeds(first) == [("finish_lock", "gpu")]
    assert not first.outlook.ended
    finishing = cluster(lock=replace(LOCK, finishing=True))
    second = ask(done, clusters=[finishing])
    assert deeds(second) == [("forget_host", "esx-1")]
    assert second.closing
    last = ask(host(devices=(ACTIVE,)), clusters=[finishing])
    assert deeds(last) == [("release_lock", "gpu")]
    assert last.outlook.state == "finished"


def test_while_it_is_cleared_no_host_is_started() -> None:
    """The hosts of a finished firmware roll look as if they had all of it before them."""
    finishing = cluster(lock=replace(LOCK, finishing=True))
    answer = ask(host(), host("esx-2"), clusters=[finishing], policy=Policy(reason="firmware"))
    assert deeds(answer) == [("release_lock", "gpu")]
    assert answer.outlook.state == "finished"


def test_a_firmware_roll_that_is_not_complete_keeps_what_it_knows() -> None:
    done = host(devices=(ACTIVE,), entry=entry("done"))
    failed = host("esx-2", in_maintenance_mode=True, entry=entry("failed"))
    answer = ask(done, failed, policy=Policy(reason="firmware"))
    assert deeds(answer) == [("release_lock", "gpu")]
    assert answer.outlook.state == "stalled"


def test_a_failed_host_keeps_its_entry() -> None:
    done = host(devices=(ACTIVE,), entry=entry("done"))
    failed = host("esx-2", in_maintenance_mode=True, entry=entry("failed", text="it is not back"))
    finishing = cluster(lock=replace(LOCK, finishing=True))
    assert deeds(ask(done, failed)) == [("finish_lock", "gpu")]
    assert deeds(ask(done, failed, clusters=[finishing])) == [("forget_host", "esx-1")]
    end = ask(host(devices=(ACTIVE,)), failed, clusters=[finishing])
    assert deeds(end) == [("release_lock", "gpu")]
    assert end.outlook.state == "stalled"


def test_whoever_clears_up_under_a_living_lock_of_theirs_does_not_end_ours() -> None:
    """Somebody took one of our clusters by force, went on with our roll there, and is done with it."""
    taken = replace(LOCK, owner="bob@ctl-2", beat=NOW - 5, finishing=True)
    other = cluster("other", lock=taken)
    answer = ask(host(), host("esx-9", compute_moid="other", devices=()), clusters=[cluster(), other])
    assert deeds(answer) == [("enter_maintenance", "esx-1")]
    dead = cluster("other", lock=replace(taken, beat=NOW - 9999))
    answer = ask(host(), host("esx-9", compute_moid="other", devices=()), clusters=[cluster(), dead])
    assert ("enter_maintenance", "esx-1") not in deeds(answer), "what only has to be cleared up is cleared up first"


@pytest.mark.parametrize(
    ("held", "roll"), [(BOB, "new00000"), (DEAD, OTHER), (LOCK, OTHER), (None, OTHER), (JUNK, "new00000")]
)
def test_hosts_in_hand_are_gone_on_with_unless_somebody_who_lives_works_on_them(held: Any, roll: str) -> None:
    assert roll_of(entries=[(held, entry("draining", run_id=OTHER))])[0] == roll
