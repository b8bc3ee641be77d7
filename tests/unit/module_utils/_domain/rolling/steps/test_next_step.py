# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is next for a host in hand: by its entry and by what vCenter shows, whichever process wrote that entry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import decode_host, encode
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import (
    LONGEST,
    Before,
    Entry,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import HostView, Refusal
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.phases import Decision
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import Deadlines, Policy
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.verification import (
    before_reboot,
    problems,
)
from tests.unit.module_utils._domain.rolling.builders import (
    ACTIVE,
    BOOT,
    CARD,
    LOCK,
    NOW,
    ROLL,
    ask,
    cluster,
    deeds,
    entry,
    host,
    standing,
    vm,
    vm_entry,
)

LONG = 10_000.0
DOWN: dict[str, Any] = {"connection_state": "notResponding", "in_maintenance_mode": True}
IN: dict[str, Any] = {"in_maintenance_mode": True}
UP: dict[str, Any] = {**IN, "uptime": 1_000_000.0}
ANEW: dict[str, Any] = {**IN, "devices": (ACTIVE,), "uptime": 100.0}
"""It shows the boot time of before, and says that it is up since a moment ago."""
BACK: dict[str, Any] = {"in_maintenance_mode": True, "boot_time": NOW - 30, "devices": (ACTIVE,), "uptime": 30.0}
ASKED: dict[str, Any] = {"asked": NOW - 60}


def written(decision: Decision) -> Entry:
    (action,) = decision.actions
    assert isinstance(action.entry, Entry)
    return action.entry


def test_the_slot_is_taken_with_all_that_is_needed_afterwards() -> None:
    view = host(datastores={"ds1": True, "ds2": False}, uplinks={"vmnic0": True})
    answer = ask(view, policy=Policy(vsan_mode="ensureObjectAccessibility"))
    (action,) = answer.actions
    assert action.kind == "enter_maintenance"
    assert action.before == before_reboot(view)
    assert (action.timeout, action.vsan_mode, action.evacuate_powered_off) == (1800, "ensureObjectAccessibility", False)
    made = written(answer)
    assert made == Entry(
        run_id=ROLL, step="draining", at=NOW, started=NOW, calls=1, called=NOW, pending=made.pending, boot=BOOT
    )  # fmt: skip
    assert action.reason == "it puts in effect 0000:3b:00.0 (enabled, not yet active)"


# name → (host, entry, policy, what is done, step written, code written)
Case = tuple[dict[str, Any], Entry, Policy, str | None, str, str]
DRAIN, REBOOT, VERIFY, LEAVE = "draining", "rebooting", "verifying", "leaving"
P = Policy()
CYCLE = Policy(method="power_cycle")
NO = Refusal(kind="enter_maintenance", code="no_permission", text="no", at=NOW - 5, permanent=True)
WRONG_STATE = Refusal(kind="reboot_host", code="invalid_state", text="wrong state", at=NOW - 5)
TABLE: dict[str, Case] = {
    "told to enter, shows nothing yet": ({}, entry(DRAIN, called=NOW - 59), P, None, "", ""),
    "told to enter, and that was lost": ({}, entry(DRAIN), P, "enter_maintenance", "draining", ""),
    "told, and the call is under way": (
        {"under_way": frozenset(["enter_maintenance"])}, entry(DRAIN, called=NOW - LONG), P, None, "", ""),
    "told four times": ({}, entry(DRAIN, calls=4), P, "record", "backing_out", "enter_ignored"),
    "refused for good": ({"refusal": NO}, entry(DRAIN), P, "record", "backing_out", "no_permission"),
    "refused for now": ({"refusal": replace(NO, permanent=False)}, entry(DRAIN), P, None, "", ""),
    "refused a while ago": (
        {"refusal": replace(NO, permanent=False, at=NOW - 60)}, entry(DRAIN), P, "enter_maintenance", "draining", ""),
    "somebody cancelled": (
        {"refusal": replace(NO, permanent=False, code="cancelled")}, entry(DRAIN), P, "record", "backing_out", "cancelled"),
    "entering": ({"entering": True}, entry(DRAIN), P, None, "", ""),
    "entering for too long": ({"entering": True}, entry(DRAIN, at=NOW - 1800), P, "record", "backing_out", "drain_deadline"),
    "entering by somebody else": (
        {"entering": True, "maintenance_is_own": False}, entry(DRAIN), P, "record", "withdrawn", "maintenance_by_other"),
    "it does not owe a reboot any more": ({"devices": (ACTIVE,)}, entry(DRAIN), P, "record", "backing_out", "owes_nothing"),
    "gone while it is emptied": ({"connection_state": "notResponding"}, entry(DRAIN), P, None, "", ""),
    "gone for too long": (
        {"connection_state": "notResponding"}, entry(DRAIN, at=NOW - 1800), P, "record", "failed", "lost_contact"),
    "empty": (IN, entry(DRAIN), P, "reboot_host", "rebooting", ""),
    "empty, for a power cycle": ({**IN, "bmc_power": "on"}, entry(DRAIN), CYCLE, "shut_down_host", "rebooting", ""),
    "empty, and a task runs": ({**IN, "tasks": ("Scan",)}, entry(DRAIN), P, None, "", ""),
    "empty, and a task runs for ever": (
        {**IN, "tasks": ("Scan",)}, entry(DRAIN, at=NOW - 1800), P, "record", "backing_out", "drain_deadline"),
    "empty, and somebody reboots it": ({**IN, "rebooting": True}, entry(DRAIN), P, None, "", ""),
    "empty, and somebody has rebooted it": (
        {**IN, "boot_time": NOW - 50, "uptime": 50.0}, entry(DRAIN), P, "record", "verifying", ""),
    "empty, with another boot time, and its uptime is not read yet": (
        {**IN, "boot_time": NOW - 50}, entry(DRAIN), P, None, "", ""),
    "empty, with another boot time, and its uptime is never read": (
        {**IN, "boot_time": NOW - 50}, entry(DRAIN, at=NOW - 1800), P, "record", "backing_out", "drain_deadline"),
    "empty, and its clock was set": (
        {**IN, "boot_time": BOOT + 7200, "uptime": NOW - BOOT}, entry(DRAIN), P, "reboot_host", "rebooting", ""),
    "empty, but another was first": (
        {**IN, "refusal": replace(NO, code="already_in_maintenance")}, entry(DRAIN), P, "record", "withdrawn",
        "maintenance_by_other"),
    "in maintenance mode by another": (
        {**IN, "maintenance_is_own": False}, entry(DRAIN), P, "record", "withdrawn", "maintenance_by_other"),
    "told to reboot, still up": (IN, entry(REBOOT, asked=NOW - 299, called=NOW - 299), P, None, "", ""),
    "told to reboot, and that was lost": (
        UP, entry(REBOOT, asked=NOW - 300, called=NOW - 300), P, "reboot_host", "rebooting", ""),
    "told to shut down, and that was lost": (
        {**UP, "bmc_power": "on"}, entry(REBOOT, cycle=True, asked=NOW - 300, called=NOW - 300), CYCLE, "shut_down_host",
        "rebooting", ""),
    "told, still up, and for how long is not known yet": (
        IN, entry(REBOOT, asked=NOW - 300, called=NOW - 300), P, None, "", ""),
    "told four times, and for how long it is up is not known": (
        IN, entry(REBOOT, asked=NOW - 999, called=NOW - 300, calls=4), P, None, "", ""),
    "told, and it never says how long it is up": (
        IN, entry(REBOOT, asked=NOW - 2700, called=NOW - 2400), P, "record", "failed", "not_back"),
    "back with its old boot time": (ANEW, entry(REBOOT, asked=NOW - 300, called=NOW - 300), P, "record", "verifying", ""),
    "back with a boot time from before that": (
        {**ANEW, "boot_time": BOOT - 9999}, entry(REBOOT, asked=NOW - 900, called=NOW - 300), P, "record", "verifying", ""),
    "back and without a boot time": (
        {**ANEW, "boot_time": None}, entry(REBOOT, asked=NOW - 900, called=NOW - 300), P, "record", "verifying", ""),
    "back with its old boot time, told four times": (
        ANEW, entry(REBOOT, asked=NOW - 1300, called=NOW - 300, calls=4), P, "record", "verifying", ""),
    "back with its old boot time, services do not answer": (
        {**ANEW, "services_answer": None}, entry(REBOOT, asked=NOW - 900, called=NOW - 900), P, None, "", ""),
    "back with its old boot time after a power cycle": (
        ANEW, entry("powering", cycle=True, asked=NOW - 900), CYCLE, "record", "verifying", ""),
    "up since just before it was told": (
        {**IN, "uptime": 300.0}, entry(REBOOT, asked=NOW - 300, called=NOW - 300), P, "reboot_host", "rebooting", ""),
    "told, and a reboot is queued": (
        {**IN, "rebooting": True}, entry(REBOOT, asked=NOW - 900, called=NOW - 900), P, None, "", ""),
    "told four times to reboot": (
        UP, entry(REBOOT, asked=NOW - 999, called=NOW - 300, calls=4), P, "record", "failed", "reboot_refused"),
    "the reboot is refused for good": (
        {**IN, "refusal": replace(NO, kind="reboot_host")}, entry(REBOOT, **ASKED), P, "record", "failed", "reboot_refused"),
    "its clock was set, it did not go down": (
        {**IN, "boot_time": BOOT + 20}, entry(REBOOT, asked=NOW - 299, called=NOW - 299), P, None, "", ""),
    "its maintenance mode was ended before it went": (
        {}, entry(REBOOT, asked=NOW - 300, called=NOW - 300), P, "record", "withdrawn", "maintenance_by_other"),
    "down, seen for the first time": (DOWN, entry(REBOOT, **ASKED), P, "record", "rebooting", ""),
    "down": (DOWN, entry(REBOOT, away=True, **ASKED), P, None, "", ""),
    "down, and almost too long": (DOWN, entry(REBOOT, away=True, asked=NOW - 2699), P, None, "", ""),
    "down for too long": (DOWN, entry(REBOOT, asked=NOW - 2700), P, "record", "failed", "not_back"),
    "down, shows an old boot time": ({**DOWN, "boot_time": NOW - 30}, entry(REBOOT, away=True, **ASKED), P, None, "", ""),
    "rejected, for now": (
        {**IN, "refusal": WRONG_STATE}, entry(REBOOT, **ASKED), P, "record", "rebooting", ""),
    "rejected, and recorded": (
        {**IN, "refusal": WRONG_STATE}, entry(REBOOT, text="wrong state", **ASKED), P, None, "", ""),
    "rejected a minute ago": (
        {**IN, "refusal": replace(WRONG_STATE, at=NOW - 60)}, entry(REBOOT, text="wrong state", **ASKED), P, "reboot_host",
        "rebooting", ""),
    "rejected a minute ago, by another process": (
        IN, entry(REBOOT, text="wrong state", **ASKED), P, "reboot_host", "rebooting", ""),
    "rejected, and the time is up": (
        {**IN, "refusal": WRONG_STATE}, entry(REBOOT, **ASKED), Policy(deadlines=Deadlines(reboot=60)), "record", "failed",
        "reboot_refused"),
    "a shutdown is rejected, and the time is up": (
        {**IN, "refusal": replace(WRONG_STATE, kind="shut_down_host"), "bmc_power": "on"}, entry(REBOOT, cycle=True, **ASKED),
        Policy(method="power_cycle", deadlines=Deadlines(reboot=60)), "record", "failed", "reboot_refused"),
    "rejected, and it is down all the same": (
        {**DOWN, "refusal": WRONG_STATE}, entry(REBOOT, asked=NOW - 2700, away=True), P, "record", "failed", "not_back"),
    "shut down, not off yet": ({**DOWN, "bmc_power": "on"}, entry(REBOOT, cycle=True, **ASKED), CYCLE, None, "", ""),
    "off": ({**DOWN, "bmc_power": "off"}, entry(REBOOT, cycle=True, **ASKED), CYCLE, "power_on_host", "powering", ""),
    "off, and the run that did it wanted a power cycle": (
        {**DOWN, "bmc_power": "off"}, entry(REBOOT, cycle=True, **ASKED), P, "power_on_host", "powering", ""),
    "off, and that was lost": (
        {**DOWN, "bmc_power": "off"}, entry("powering", cycle=True, asked=NOW - 300), CYCLE, "power_on_host", "powering", ""),
    "powered on": ({**DOWN, "bmc_power": "on"}, entry("powering", cycle=True, asked=NOW - 300), CYCLE, None, "", ""),
    "back": (BACK, entry(REBOOT, **ASKED), P, "record", "verifying", ""),
    "back after a power cycle": (BACK, entry("powering", cycle=True, **ASKED), CYCLE, "record", "verifying", ""),
    "back, services do not answer": ({**BACK, "services_answer": None}, entry(REBOOT, **ASKED), P, None, "", ""),
    "back, it says, but it is up for longer": ({**BACK, "uptime": 5000.0}, entry(REBOOT, **ASKED), P, None, "", ""),
    "back, boot time unknown before": (
        {**BACK, "boot_time": None}, entry(REBOOT, boot=None, **ASKED), P, "record", "verifying", ""),
    "boot time unknown, and up for long": (
        {**BACK, "boot_time": None, "uptime": 5000.0}, entry(REBOOT, boot=None, asked=NOW - 900, called=NOW - 900), P,
        "reboot_host", "rebooting", ""),
    "back, another boot time, and its uptime is not readable": (
        {**BACK, "uptime": None}, entry(REBOOT, **ASKED), P, None, "", ""),
    "the same, and it was away": ({**BACK, "uptime": None}, entry(REBOOT, away=True, **ASKED), P, "record", "verifying", ""),
    "its clock was set, and it is up": (
        {**UP, "boot_time": BOOT + 7200}, entry(REBOOT, asked=NOW - 300, called=NOW - 300), P, "reboot_host", "rebooting", ""),
    "proven": (BACK, entry(VERIFY, **ASKED), P, "leave_maintenance", "leaving", ""),
    "not proven yet": ({**BACK, "devices": (CARD,)}, entry(VERIFY, **ASKED), P, None, "", ""),
    "not proven in time": (
        {**BACK, "devices": (CARD,)}, entry(VERIFY, at=NOW - 300, **ASKED), P, "record", "failed", "not_verified"),
    "gone again": (DOWN, entry(VERIFY, at=NOW - 300, **ASKED), P, "record", "failed", "host_unreachable"),
    "proven, left in what it was in": (BACK, entry(VERIFY, by_operator=True, **ASKED), P, "record", "done", ""),
    "proven, and somebody else's now": (
        {**BACK, "maintenance_is_own": False}, entry(VERIFY, **ASKED), P, "record", "withdrawn", "maintenance_by_other"),
    "proven, and already out": (
        {**BACK, "in_maintenance_mode": False}, entry(VERIFY, **ASKED), P, "record", "restoring", ""),
    "told to leave": (BACK, entry(LEAVE, called=NOW - 59, **ASKED), P, None, "", ""),
    "told to leave, and that was lost": (BACK, entry(LEAVE, **ASKED), P, "leave_maintenance", "leaving", ""),
    "told to leave, and broken meanwhile": ({**BACK, "devices": (CARD,)}, entry(LEAVE, **ASKED), P, None, "", ""),
    "does not leave": (BACK, entry(LEAVE, at=NOW - 600, **ASKED), P, "record", "failed", "not_released"),
    "left": ({**BACK, "in_maintenance_mode": False}, entry(LEAVE, **ASKED), P, "record", "done", ""),
    "left, and in again by somebody else": (
        {**BACK, "maintenance_is_own": False}, entry(LEAVE, **ASKED), P, "record", "withdrawn", "maintenance_by_other"),
    "given up, entering": ({"entering": True}, entry("backing_out", calls=0), P, "cancel_entering", "backing_out", ""),
    "given up, in": (IN, entry("backing_out", calls=0), P, "leave_maintenance", "backing_out", ""),
    "given up, told to leave": (IN, entry("backing_out", called=NOW - 59, text="not empty"), P, None, "", ""),
    "given up, out": ({}, entry("backing_out", code="drain_deadline"), P, "record", "blocked", "drain_deadline"),
    "given up, and the call to enter is under way": (
        {"under_way": frozenset(["enter_maintenance"])}, entry("backing_out", text="not empty"), P, None, "", ""),
    "given up, entered by somebody else": (
        {**IN, "maintenance_is_own": False}, entry("backing_out"), P, "record", "withdrawn", "maintenance_by_other"),
    "given up, cannot be released": (
        IN, entry("backing_out", at=NOW - 1500, code="drain_deadline"), P, "record", "failed", "drain_deadline"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_what_is_next(name: str) -> None:
    more, kept, policy, kind, step, code = TABLE[name]
    answer = ask(host(entry=kept, **more), policy=policy)
    if kind is None:
        assert answer.actions == ()
        assert answer.outlook.state == "working"
        assert standing(answer).reason
        return
    assert deeds(answer) == [(kind, "esx-1")]
    made = written(answer)
    assert (made.step, made.code) == (step, code)
    assert (made.run_id, made.started) == (kept.run_id, kept.started)
    if kind != "record":
        assert (made.called, made.calls) == (NOW, kept.calls + 1 if made.step == kept.step else 1)


def test_every_wait_ends() -> None:
    """Whatever a host in hand waits for, there is a moment to look again even if nothing is heard."""
    waits = [name for name, case in TABLE.items() if case[3] is None]
    assert len(waits) > 15
    for name in waits:
        more, kept, policy, *_unused = TABLE[name]
        answer = ask(host(entry=kept, **more), policy=policy)
        assert answer.outlook.wake_at is not None, name
        assert answer.outlook.wake_at > NOW, name


def test_a_reboot_is_asked_for_on_the_boot_it_is_to_end() -> None:
    view = host(entry=entry(DRAIN), in_maintenance_mode=True, boot_time=BOOT + 0.75)
    (action,) = ask(view).actions
    assert action.boot_time == BOOT + 0.75
    assert (written(ask(view)).boot, written(ask(view)).asked, written(ask(view)).drained) == (BOOT, NOW, 120.0)


def test_that_it_is_not_back_is_said_as_a_person_would_and_fits_into_the_journal() -> None:
    name = "esx-storage-0042.rack-17.datacenter-west.example.com"
    view = host(
        name,
        entry=entry(REBOOT, asked=NOW - 6300, run_id="1f3c9a2e", pending="4be1a7c0", drained=1799.0, calls=4),
        **DOWN,
    )
    failed = written(ask(view, policy=Policy(deadlines=Deadlines(reboot=6250))))
    assert failed.text == f"{name} is not back 1 h 45 min after its reboot was requested: it is notResponding"
    values = encode(failed)
    assert all(len(text) <= LONGEST for text in values.values())
    kept = decode_host(values)[0]
    assert isinstance(kept, Entry)
    assert kept.text.startswith(f"{name} is not back 1 h 45 min")


@pytest.mark.parametrize("more", [UP, IN, {**IN, "refusal": WRONG_STATE}])
def test_a_host_that_never_went_down_is_not_reported_as_one_that_is_not_back(more: dict[str, Any]) -> None:
    failed = written(ask(host(entry=entry(REBOOT, asked=NOW - 2700, called=NOW - 60), **more)))
    assert failed.step == "failed"
    assert "not back" not in failed.text
    assert ("wrong state" in failed.text) == ("refusal" in more)


def test_a_rejected_reboot_is_retried_after_a_minute_and_reported_after_four() -> None:
    """Whatever its uptime is: the first call certainly had no effect."""
    view = host(entry=entry(REBOOT, text="wrong state", called=NOW - 60, asked=NOW - 60), **IN)
    again = written(ask(view))
    assert (again.calls, again.text, again.called) == (2, "", NOW)
    spent = host(entry=entry(REBOOT, text="wrong state", calls=4, called=NOW - 60, asked=NOW - 400), **UP)
    assert (written(ask(spent)).code, written(ask(spent)).step) == ("reboot_refused", "failed")
    assert "(wrong state)" in written(ask(spent)).text


def test_a_process_that_resumes_gives_a_request_its_full_time() -> None:
    """By the times of the journal it was made long ago: the clock may have been set since."""
    view = host(entry=entry(REBOOT, asked=NOW - 7300, called=NOW - 7300), **UP)
    taken = [cluster(lock=replace(LOCK, since=NOW - 10))]
    assert ask(view, clusters=taken).actions == ()
    assert deeds(ask(view, clusters=[cluster(lock=replace(LOCK, since=NOW - 300))])) == [("reboot_host", "esx-1")]


@pytest.mark.parametrize(("now", "word"), [("8.0.2-22380479", "an older build"), ("8.0.3-24674464", "a newer build")])
def test_a_host_that_comes_back_with_another_build_is_released_only_where_that_is_allowed(now: str, word: str) -> None:
    before = before_reboot(host(**BACK, build="8.0.3-24022510"))
    assert decode_host(encode(before))[1] == before
    view = host(**BACK, build=now, before=before, entry=entry(VERIFY, at=NOW - 300, **ASKED))
    failed = written(ask(view))
    assert (failed.step, failed.code) == ("failed", "build_changed")
    assert all(text in failed.text for text in (now, "8.0.3-24022510", word))
    other = Policy(allow_build_change=("1",))
    assert written(ask(view, policy=other)).code == "build_changed"
    allowed = Policy(allow_build_change=(now.split("-")[1],))
    assert deeds(ask(view, policy=allowed)) == [("leave_maintenance", "esx-1")]
    left = host(**{**BACK, "in_maintenance_mode": False}, build=now, before=before, entry=entry(LEAVE, **ASKED))
    assert f"its build changed from 8.0.3-24022510 to {now}" in written(ask(left, policy=allowed)).text


def test_a_build_that_cannot_be_read_afterwards_is_not_the_same_build() -> None:
    before = before_reboot(host(**BACK, build="8.0.3-24022510"))
    view = host(**BACK, build="", before=before, entry=entry(VERIFY, at=NOW - 300, **ASKED))
    assert written(ask(view)).code == "build_changed"
    unknown = host(**BACK, build="8.0.3-1", before=before_reboot(host(**BACK)), entry=entry(VERIFY, **ASKED))
    assert deeds(ask(unknown)) == [("leave_maintenance", "esx-1")], "an earlier release did not record it"


def test_how_long_the_reboot_took_is_kept() -> None:
    assert written(ask(host(entry=entry(REBOOT, asked=NOW - 700), **BACK))).rebooted == 700.0


@pytest.mark.parametrize("more", [{}, IN, {**IN, "maintenance_is_own": True}, DOWN, {"entering": True}])
def test_nothing_more_is_done_to_a_failed_host(more: dict[str, Any]) -> None:
    view = host(entry=entry("failed", text="it is not back"), **more)
    answer = ask(view)
    assert {kind for kind, _unused in deeds(answer)} <= {"release_lock"}
    assert standing(answer).phase == "failed"
    assert standing(answer).reason == "it is not back"


def test_a_failed_host_is_proven_again_when_that_is_asked_for() -> None:
    broken = host(entry=entry("failed", at=NOW - 90000, run_id="0ld00000", **ASKED), **BACK)
    assert {kind for kind, _unused in deeds(ask(broken))} <= {"release_lock"}
    answer = ask(broken, policy=Policy(failed_hosts="verify"))
    assert written(answer).step == "verifying"
    assert written(answer).run_id == ROLL
    fresh = host(entry=entry("failed", at=NOW - 30, **ASKED), **BACK)
    assert {kind for kind, _unused in deeds(ask(fresh, policy=Policy(failed_hosts="verify")))} <= {"release_lock"}


def test_a_failed_host_is_not_rebooted_for_the_same_debt_again() -> None:
    told = entry(DRAIN)
    pending = written(ask(host(entry=told, **IN))).pending
    back = host(entry=entry("failed", at=NOW - 90000, pending=pending, **ASKED))
    assert deeds(ask(back)) == [("release_lock", "gpu")]
    other = host(entry=entry("failed", at=NOW - 90000, pending="0therdeb", **ASKED))
    assert deeds(ask(other, policy=Policy(max_failures=2))) == [("enter_maintenance", "esx-1")]


def test_a_failed_host_that_a_person_put_back_into_service_is_done() -> None:
    view = host(devices=(ACTIVE,), boot_time=NOW - 500, entry=entry("failed", at=NOW - 90000, **ASKED))
    assert written(ask(view)).step == "done"


# --------------------------------------------------------------------------------------------------------------- proof

GOOD = host(**BACK, datastores={"ds1": True}, uplinks={"vmnic0": True})
BEFORE = before_reboot(GOOD)
WRONG: dict[str, tuple[HostView, str, str]] = {
    "a card is gone": (replace(GOOD, host=replace(GOOD.host, devices=())), "device_gone", "0000:3b:00.0"),
    "another card in its place": (
        replace(GOOD, host=replace(GOOD.host, devices=(replace(ACTIVE, device_id="2235"),))), "identity_changed", "10de:2235"),
    "passthrough is lost": (
        replace(GOOD, host=replace(GOOD.host, devices=(replace(ACTIVE, enabled=False, active=False),))),
        "passthrough_lost",
        "no longer is",
    ),
    "still pending": (replace(GOOD, host=replace(GOOD.host, devices=(CARD,))), "not_verified", "KB 391460"),
    "a datastore is missing": (replace(GOOD, datastores={"ds1": False}), "datastores_missing", "ds1"),
    "an uplink is down": (replace(GOOD, uplinks={"vmnic0": False}), "uplinks_down", "vmnic0"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_host_is_not_released_when(name: str) -> None:
    view, code, said = WRONG[name]
    waiting = ask(replace(view, before=BEFORE, entry=entry(VERIFY, **ASKED)))
    assert waiting.actions == ()
    late = ask(replace(view, before=BEFORE, entry=entry(VERIFY, at=NOW - 300, **ASKED)))
    assert (written(late).step, written(late).code) == ("failed", code)
    assert said in written(late).text


def test_a_host_as_before_is_released() -> None:
    more = replace(GOOD, datastores={"ds1": True, "new": True}, uplinks={"vmnic0": True, "vmnic1": False})
    assert deeds(ask(replace(more, before=BEFORE, entry=entry(VERIFY, **ASKED)))) == [("leave_maintenance", "esx-1")]


def test_more_than_fits_into_the_journal_is_compared_as_a_whole() -> None:
    cards = tuple(replace(ACTIVE, address=f"0000:{n:02x}:00.0") for n in range(20))
    many = host(
        **{**BACK, "devices": cards},
        datastores={f"ds{n}": True for n in range(30)},
        uplinks={f"vmnic{n}": True for n in range(14)},
    )
    before = before_reboot(many)
    assert before == Before(devices=((before.devices[0]),), datastores=("*30",), uplinks=("*14",))
    kept = replace(many, before=before, entry=entry(VERIFY, **ASKED))
    assert deeds(ask(kept)) == [("leave_maintenance", "esx-1")]
    swapped = replace(kept, host=replace(kept.host, devices=(*cards[:-1], replace(cards[-1], device_id="2235"))))
    assert ask(swapped).actions == ()
    fewer = replace(kept, datastores={f"ds{n}": n > 0 for n in range(30)})
    assert ask(fewer).actions == ()
    assert "1 datastore" in standing(ask(fewer)).reason


def test_more_than_fits_does_not_have_to_be_kept_where_it_was_to_be_given_back() -> None:
    """One of twenty waits to be disabled: gone after the reboot, as it should be."""
    cards = tuple(replace(ACTIVE, address=f"0000:{n:02x}:00.0") for n in range(20))
    leaving = (*cards[:-1], replace(cards[-1], enabled=False))
    before = before_reboot(host(**{**BACK, "devices": leaving}))
    gone = (*cards[:-1], replace(cards[-1], enabled=False, active=False))
    kept = host(**{**BACK, "devices": gone}, before=before, entry=entry(VERIFY, **ASKED))
    assert deeds(ask(kept)) == [("leave_maintenance", "esx-1")]
    lost = (*cards[:-2], replace(cards[-2], enabled=False, active=False), gone[-1])
    assert ask(replace(kept, host=replace(kept.host, devices=lost))).actions == ()


@given(
    st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 255), st.booleans(), st.booleans()), max_size=40),
    st.integers(0, 40),
    st.lists(st.text("abcvmnic0123456789-", min_size=1, max_size=40), max_size=30, unique=True),
)
def test_whatever_a_host_has_fits_into_the_journal(
    devices: list[tuple[int, int, bool, bool]], datastores: int, uplinks: list[str]
) -> None:
    cards = {
        f"{segment:04x}:{bus:02x}:00.0": replace(
            ACTIVE, address=f"{segment:04x}:{bus:02x}:00.0", enabled=enabled, active=active
        )
        for segment, bus, enabled, active in devices
    }
    view = host(
        **{**BACK, "devices": tuple(cards.values())},
        datastores={f"datastore {n}": True for n in range(datastores)},
        uplinks=dict.fromkeys(uplinks, True),
    )
    before = before_reboot(view)
    texts = encode(before)
    assert all(len(text) <= LONGEST for text in texts.values())
    assert decode_host(texts)[1] == before
    settled = tuple(replace(card, active=card.enabled) for card in cards.values())
    back = replace(view, host=replace(view.host, devices=settled), before=before)
    assert problems(back) == ()


# ------------------------------------------------------------------------------------------------------------- limits


def test_deadlines_are_the_caller_s() -> None:
    policy = Policy(deadlines=Deadlines(reboot=100))
    assert ask(host(entry=entry(REBOOT, asked=NOW - 99, away=True), **DOWN), policy=policy).actions == ()
    assert written(ask(host(entry=entry(REBOOT, asked=NOW - 100), **DOWN), policy=policy)).code == "not_back"


def test_a_host_is_not_emptied_further_when_others_went_down_meanwhile() -> None:
    """The first call was lost; before it is made again the budget is looked at again."""
    gone = host("esx-9", devices=(ACTIVE,), connection_state="notResponding")
    answer = ask(host(entry=entry(DRAIN)), gone)
    assert answer.actions == ()
    assert "budget" in standing(answer).reason


def test_a_host_that_another_run_left_in_hand_is_gone_on_with() -> None:
    """Not asked for by this run, and yet nobody else will release it."""
    view = host(wanted=False, entry=entry(VERIFY, run_id="0ld00000", **ASKED), **BACK)
    assert deeds(ask(view)) == [("leave_maintenance", "esx-1")]
    not_rebooted = host(wanted=False, entry=entry(DRAIN, run_id="0ld00000"), **IN)
    assert written(ask(not_rebooted)).step == "backing_out"


def test_a_vm_on_it_keeps_an_empty_host_from_being_rebooted() -> None:
    answer = ask(host(entry=entry(DRAIN), **IN), vms=[vm()])
    assert answer.actions == ()
    assert "vm-1" in standing(answer).reason


def test_what_a_host_has_cost_stays_with_it() -> None:
    """VMs that were stopped for a failed host are shown with it, and nothing is done about them while it does not serve."""
    view = host(entry=entry("failed"), **IN)
    answer = ask(view, vms=[vm("gpu-vm", power_state="poweredOff", entry=vm_entry())])
    assert standing(answer).vms == ("gpu-vm",)
    assert {kind for kind, _unused in deeds(answer)} <= {"release_lock"}


@pytest.mark.parametrize("step", ["draining", "rebooting", "verifying", "leaving", "backing_out"])
def test_time_in_which_nobody_worked_does_not_count(step: Any) -> None:
    """A run died in the night. Whoever goes on with it in the morning does not find every deadline over."""
    begun = entry(step, at=NOW - 40000, started=NOW - 40000, asked=NOW - 40000, boot=NOW - 90000)
    view = host(entry=begun, connection_state="notResponding", in_maintenance_mode=True)
    for since, failed in ((NOW - 86400, True), (NOW - 60, False)):
        answer = ask(view, clusters=[cluster(lock=replace(LOCK, since=since))])
        (status,) = [status for status in answer.hosts if status.moid == view.moid]
        assert (
            any(action.entry and action.entry.step in ("failed", "backing_out") for action in answer.actions) == failed
        ), status
