# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Budgets, canaries, soak, checkpoints, failures, pause and order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.budget import (
    check_amount,
    cluster_budget,
    fleet_budget,
    resolve_amount,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import HostView
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import Durations, Policy
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

FREE = Policy(canary=False, max_unavailable=99)


def started(*hosts: HostView, policy: Policy, **more: Any) -> list[str]:
    return [name for kind, name in deeds(ask(*hosts, policy=policy, **more)) if kind == "enter_maintenance"]


def several(count: int, **more: Any) -> list[HostView]:
    return [host(f"esx-{n}", **more) for n in range(1, count + 1)]


# ------------------------------------------------------------------------------------------------------------- budget


@pytest.mark.parametrize(
    ("amount", "total", "expected"),
    [(1, 16, 1), (99, 16, 99), ("25%", 16, 4), ("25%", 15, 3), ("10%", 5, 1), ("100%", 7, 7), (" 50% ", 4, 2)],
)
def test_amounts(amount: int | str, total: int, expected: int) -> None:
    assert resolve_amount(amount, total) == expected


@pytest.mark.parametrize("amount", [0, -1, "0%", "101%", "five", "5", "%", "1.5%", True, None, 2.0])
def test_what_is_no_amount(amount: Any) -> None:
    with pytest.raises(InputError) as caught:
        check_amount(amount, "max_unavailable")
    assert caught.value.code == "bad_amount"
    assert "max_unavailable" in caught.value.message


@pytest.mark.parametrize("amount", [1, 40, "1%", "100%"])
def test_what_is_an_amount(amount: int | str) -> None:
    check_amount(amount, "x")


def test_vsan_takes_one_out_at_a_time_whatever_is_asked_for() -> None:
    policy = Policy(max_unavailable="50%", cluster_budgets={"b": 3})
    assert cluster_budget(cluster("a"), 16, policy) == 8
    assert cluster_budget(cluster("b"), 16, policy) == 3
    assert cluster_budget(cluster("b", vsan=True), 16, policy) == 1
    assert fleet_budget(40, policy) == 40
    assert fleet_budget(40, replace(policy, fleet_max_unavailable="10%")) == 4


DOWN: dict[str, dict[str, Any]] = {
    "not responding": {"connection_state": "notResponding"},
    "disconnected": {"connection_state": "disconnected"},
    "in maintenance mode": {"in_maintenance_mode": True},
    "entering it": {"entering": True},
    "standby": {"standby": True},
    "quarantined": {"quarantined": True},
    "in hand and still up": {"entry": entry("draining")},
    "in hand and up again": {"entry": entry("restoring")},
    "given up and not out yet": {"entry": entry("backing_out")},
}


@pytest.mark.parametrize("why", DOWN)
def test_a_host_that_is_down_for_any_reason_counts(why: str) -> None:
    other = host("esx-9", devices=(ACTIVE,), wanted=False, **DOWN[why])
    assert started(*several(3), other, policy=replace(FREE, max_unavailable=1)) == []
    assert started(*several(3), other, policy=replace(FREE, max_unavailable=2)) == ["esx-1"]


def test_who_takes_the_places_is_named() -> None:
    other = host("esx-9", devices=(ACTIVE,), connection_state="notResponding")
    answer = ask(host(), other, policy=Policy(max_unavailable=1))
    assert standing(answer).reason == "at most 1 of 2 hosts of gpu may be down at once: esx-9 (notResponding)"
    assert answer.outlook.state == "stalled"


@pytest.mark.parametrize("step", ["done", "failed", "blocked", "withdrawn"])
def test_a_host_that_is_out_of_hand_and_serves_takes_no_place(step: str) -> None:
    other = host("esx-9", devices=(ACTIVE,), entry=entry(step))
    assert started(host(), other, policy=replace(FREE, max_unavailable=1, max_failures=9)) == ["esx-1"]


def test_a_failed_host_that_is_down_keeps_its_place() -> None:
    other = host("esx-9", in_maintenance_mode=True, entry=entry("failed"))
    assert started(host(), other, policy=replace(FREE, max_unavailable=1, max_failures=9)) == []


def test_clusters_roll_side_by_side_within_the_fleet() -> None:
    hosts = [host(f"{c}-{n}", compute_moid=c) for c in "abc" for n in (1, 2)]
    clusters = [cluster(c) for c in "abc"]
    one = replace(FREE, max_unavailable=1)
    assert started(*hosts, policy=one, clusters=clusters) == ["a-1", "b-1", "c-1"]
    assert started(*hosts, policy=replace(one, fleet_max_unavailable=2), clusters=clusters) == ["a-1", "b-1"]


def test_a_host_that_is_down_already_needs_no_place() -> None:
    parked = host(in_maintenance_mode=True)
    answer = ask(parked, policy=Policy(operator_maintenance="use", max_unavailable=1))
    assert deeds(answer) == [("reboot_host", "esx-1")]
    assert answer.actions[0].entry is not None
    assert answer.actions[0].entry.by_operator  # type: ignore[union-attr]
    assert answer.actions[0].before is not None


# -------------------------------------------------------------------------------------------------- canary, soak, checkpoints

CANARY = replace(FREE, canary=True, canary_soak=600)


def test_the_first_host_of_each_model_goes_alone() -> None:
    hosts = [*several(2, model="R750"), host("esx-8", model="DL380"), host("esx-9", model="DL380")]
    answer = ask(*hosts, policy=CANARY)
    assert [name for _unused, name in deeds(answer)] == ["esx-1", "esx-8"]
    assert standing(answer, "esx-2").reason == "esx-1, the first host of the model R750, must be done first"


def test_the_others_follow_when_it_has_soaked() -> None:
    proven = entry("done", at=NOW - 599)
    hosts = [host("esx-0", devices=(ACTIVE,), entry=proven), *several(2)]
    answer = ask(*hosts, policy=CANARY)
    assert deeds(answer) == []
    assert standing(answer).reason == "soak after the first host of the model R750"
    assert answer.outlook.wake_at == NOW + 1
    hosts[0] = replace(hosts[0], entry=replace(proven, at=NOW - 600))
    assert started(*hosts, policy=CANARY) == ["esx-1", "esx-2"]


def test_when_it_failed_its_model_is_left_alone_and_others_are_not() -> None:
    broken = host("esx-0", in_maintenance_mode=True, entry=entry("failed"))
    hosts = [broken, host("esx-1"), host("esx-2", model="DL380")]
    policy = replace(CANARY, max_failures=2)
    answer = ask(*hosts, policy=policy)
    assert deeds(answer) == [("enter_maintenance", "esx-2")]
    assert standing(answer).reason == "esx-0, the first host of the model R750, failed"
    assert ask(*hosts[:2], policy=policy).outlook.state == "stalled"


def test_a_canary_of_another_roll_proves_nothing() -> None:
    old = host("esx-0", devices=(ACTIVE,), entry=entry("done", run_id="0ther000", at=NOW - 9999))
    assert started(old, *several(2), policy=CANARY) == ["esx-1"]


def test_a_checkpoint_is_not_run_over() -> None:
    """Hosts in hand count: with the checkpoint after two, no third is begun before both are done."""
    policy = replace(FREE, checkpoints=(2, "50%"), canary_soak=600)
    assert started(*several(8), policy=policy) == ["esx-1", "esx-2"]
    begun = [host(f"esx-{n}", devices=(ACTIVE,), entry=entry("done", at=NOW - 700)) for n in (1,)]
    begun.append(host("esx-2", entry=entry("verifying"), in_maintenance_mode=True))
    rest = [host(f"esx-{n}") for n in range(3, 9)]
    assert started(*begun, *rest, policy=policy) == []


def test_after_a_checkpoint_it_soaks_and_goes_on_to_the_next() -> None:
    policy = replace(FREE, checkpoints=(2, "50%"), canary_soak=600)
    rest = [host(f"esx-{n}") for n in range(3, 9)]

    def done(ago: float) -> list[HostView]:
        return [host(f"esx-{n}", devices=(ACTIVE,), entry=entry("done", at=NOW - ago)) for n in (1, 2)]

    waiting = ask(*done(599), *rest, policy=policy)
    assert deeds(waiting) == []
    assert waiting.outlook.wake_at == NOW + 1
    assert standing(waiting, "esx-3").reason == "checkpoint after 2 hosts"
    assert started(*done(600), *rest, policy=policy) == ["esx-3", "esx-4"]


# -------------------------------------------------------------------------------------------------------- failures, pause


def test_enough_failures_halt_the_roll() -> None:
    broken = host("esx-9", in_maintenance_mode=True, entry=entry("failed"))
    answer = ask(host(), broken, policy=replace(FREE, max_failures=1))
    assert answer.outlook.state == "halted"
    assert answer.outlook.reasons == ("1 host failed (esx-9), so no other host is started",)
    assert deeds(answer) == [("release_lock", "gpu")]
    assert started(host(), broken, policy=replace(FREE, max_failures=2)) == ["esx-1"]


def test_a_failure_in_percent() -> None:
    broken = [host(f"bad-{n}", in_maintenance_mode=True, entry=entry("failed")) for n in (1, 2)]
    assert ask(*several(8), *broken, policy=replace(FREE, max_failures="20%")).outlook.state == "halted"
    assert started(*several(9), *broken[:1], policy=replace(FREE, max_failures="20%"))


def test_hosts_in_hand_are_finished_when_the_roll_halts() -> None:
    broken = host("esx-9", in_maintenance_mode=True, entry=entry("failed"))
    proven = host(
        "esx-8",
        devices=(ACTIVE,),
        in_maintenance_mode=True,
        boot_time=NOW - 30,
        entry=entry("verifying", asked=NOW - 90),
    )
    answer = ask(host(), broken, proven, policy=replace(FREE, max_failures=1))
    assert deeds(answer) == [("leave_maintenance", "esx-8")]
    assert answer.outlook.state == "working"


@pytest.mark.parametrize("where", ["world", "cluster"])
def test_pause(where: str) -> None:
    proven = host(
        "esx-8",
        devices=(ACTIVE,),
        in_maintenance_mode=True,
        boot_time=NOW - 30,
        entry=entry("verifying", asked=NOW - 90),
    )
    clusters = [cluster(pause="freeze" if where == "cluster" else "")]
    pause = "freeze" if where == "world" else ""
    busy = ask(host(), proven, clusters=clusters, pause=pause, policy=FREE)
    assert deeds(busy) == [("leave_maintenance", "esx-8")], "hosts in hand are finished"
    rest = ask(host(), clusters=clusters, pause=pause, policy=FREE)
    assert deeds(rest) == []
    assert rest.outlook.state == "waiting"
    assert standing(rest).reason.endswith("paused: freeze")


def test_a_run_that_waits_for_the_end_of_a_pause_ends_at_its_deadline_and_says_how_to_continue() -> None:
    young = cluster(lock=replace(LOCK, since=NOW - 60, beat=NOW + 530))
    patient = replace(FREE, patience=600.0)
    waiting = ask(host(), clusters=[young], pause="freeze", policy=patient, now=NOW + 539)
    assert (waiting.outlook.state, waiting.outlook.wake_at) == ("waiting", NOW + 540)
    ended = ask(host(), clusters=[young], pause="freeze", policy=patient, now=NOW + 540)
    assert ended.outlook.state == "stalled"
    assert ended.outlook.reasons == (
        "paused: freeze",
        "the pause did not end within 10 min (blocked_timeout): end it (ansible-playbook directpath.vsphere.unpause), then run again",
    )


# -------------------------------------------------------------------------------------------------------------- order


def test_the_inventory_decides_then_the_load() -> None:
    policy = replace(FREE, max_unavailable=1, order={"esx-1": ("b", "r1"), "esx-2": ("a", "r2"), "esx-3": ("a", "r1")})
    assert started(*several(3), host("esx-0"), policy=policy) == ["esx-3"]
    hosts = [host("esx-1", load=0.9), host("esx-2", load=0.2), host("esx-3", load=0.5)]
    assert started(*hosts, policy=replace(FREE, max_unavailable=1)) == ["esx-2"]


def test_hosts_known_to_take_long_come_first() -> None:
    policy = replace(FREE, max_unavailable=1, measured={"esx-2": Durations(reboot=3600)})
    assert started(*several(3), policy=policy) == ["esx-2"]


def test_the_cluster_with_most_left_to_do_gets_the_place_of_the_fleet() -> None:
    hosts = [host("a-1", compute_moid="a"), *(host(f"b-{n}", compute_moid="b") for n in (1, 2))]
    policy = replace(FREE, max_unavailable=1, fleet_max_unavailable=1)
    assert started(*hosts, policy=policy, clusters=[cluster("a"), cluster("b")]) == ["b-1"]


def test_a_host_that_was_given_up_is_tried_again_at_the_end_and_not_for_ever() -> None:
    given_up = host(entry=entry("blocked", at=NOW - 9999, text="it was not empty in time"))
    one = replace(FREE, max_unavailable=1)
    assert started(given_up, host("esx-2"), policy=one) == ["esx-2"]
    again = ask(given_up, policy=one)
    assert deeds(again) == [("enter_maintenance", "esx-1")]
    assert again.actions[0].entry.tries == 2  # type: ignore[union-attr]
    soon = host(entry=entry("blocked", at=NOW - 10, text="it was not empty in time"))
    assert ask(soon, policy=one).outlook.state == "waiting"
    twice = host(entry=entry("blocked", at=NOW - 9999, tries=2, text="it was not empty in time"))
    over = ask(twice, policy=one)
    assert standing(over).phase == "blocked"
    assert [kind for kind, _unused in deeds(over)] == ["finish_lock"]


def test_a_firmware_roll_with_a_host_that_was_given_up_is_not_finished() -> None:
    twice = host(entry=entry("blocked", at=NOW - 9999, tries=2, pending="firmware", text="it was not empty in time"))
    done = host("esx-2", entry=entry("done", at=NOW - 999, pending="firmware", asked=NOW - 2000))
    over = ask(twice, done, policy=replace(FREE, reason="firmware"))
    assert over.outlook.state == "stalled"
    assert over.outlook.reasons == ("1 host is blocked",)
    assert deeds(over) == [("release_lock", "gpu")], "what was rebooted stays on record"
