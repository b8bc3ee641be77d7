# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs that cannot be moved: recorded, stopped in order, as late as can be, and started again in reverse order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import VmEntry
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import Refusal, VmView
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.phases import Decision
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import Pinned, Policy
from tests.unit.module_utils._domain.rolling.builders import (
    ACTIVE,
    NOW,
    ROLL,
    ask,
    deeds,
    entry,
    host,
    pinned,
    standing,
    vm,
    vm_entry,
)

ASK = Policy(pinned=Pinned(action="shutdown"))
FORCE = Policy(pinned=Pinned(action="shutdown_then_power_off"))
ENTERING: dict[str, Any] = {"entering": True, "entry": entry("draining")}
OFF: dict[str, Any] = {"power_state": "poweredOff"}
SERVES: dict[str, Any] = {"devices": (ACTIVE,), "boot_time": NOW - 100, "entry": entry("restoring", asked=NOW - 900)}
NO = Refusal(kind="start_vm", code="busy", text="no", at=NOW - 5)


def drain(*vms: VmView, policy: Policy = ASK, **more: Any) -> Decision:
    return ask(host(**{**ENTERING, **more}), vms=vms, policy=policy)


def restore(*vms: VmView, policy: Policy = ASK, **more: Any) -> Decision:
    return ask(host(**{**SERVES, **more}), vms=vms, policy=policy)


# ------------------------------------------------------------------------------------------------------------ stopping


def test_a_vm_is_recorded_before_it_is_stopped() -> None:
    (action,) = drain(pinned(order=3)).actions
    assert (action.kind, action.host_moid, action.timeout) == ("stop_vm", "esx-1", 300)
    assert action.entry == VmEntry(run_id=ROLL, host="esx-1", step="stop", at=NOW, rank=3, calls=1, called=NOW)


def test_nobody_is_stopped_while_others_are_still_moving_away() -> None:
    answer = drain(pinned(), vm("web"))
    assert answer.actions == ()
    assert standing(answer).reason == "waits for web to be migrated"


def test_ranks_are_stopped_one_after_another_and_equals_together() -> None:
    vms = [pinned("db", order=2), pinned("app-1", order=1), pinned("app-2", order=1)]
    assert deeds(drain(*vms)) == [("stop_vm", "app-1"), ("stop_vm", "app-2")]
    vms[1:] = [replace(vm_, **OFF, entry=vm_entry(rank=1)) for vm_ in vms[1:]]
    assert deeds(drain(*vms)) == [("stop_vm", "db")]


def test_nothing_is_stopped_before_the_host_is_entering() -> None:
    """Nobody is down for a host that may never be rebooted."""
    view = host(entry=entry("draining", called=NOW - 5))
    assert ask(view, vms=[pinned()], policy=ASK).actions == ()


Stop = tuple[VmEntry | None, dict[str, Any], Policy, str | None]
STOPS: dict[str, Stop] = {
    "asked just now": (vm_entry(called=NOW - 59), {}, ASK, None),
    "asked, and that was lost": (vm_entry(), {}, ASK, "stop_vm"),
    "asked, and refused just now": (vm_entry(), {"refusal": replace(NO, kind="stop_vm")}, ASK, None),
    "asked, under way": (vm_entry(called=NOW - 999), {"under_way": frozenset(["stop_vm"])}, ASK, None),
    "asked by an earlier roll": (vm_entry(run_id="0ld00000", at=NOW - 9999), {}, ASK, "stop_vm"),
    "asked before this drain": (vm_entry(at=NOW - 9999), {}, ASK, "stop_vm"),
    "does not shut down in time": (vm_entry(at=NOW - 300, called=NOW - 9), {}, FORCE, "power_off_vm"),
    "powered off just now": (vm_entry(at=NOW - 310, called=NOW - 9, forced=True), {}, FORCE, None),
    "powered off, and that was lost": (vm_entry(at=NOW - 360, forced=True), {}, FORCE, "power_off_vm"),
    "has no tools to ask": (None, {"tools_running": False}, FORCE, "power_off_vm"),
}


@pytest.mark.parametrize("name", STOPS)
def test_how_a_vm_is_stopped(name: str) -> None:
    kept, more, policy, kind = STOPS[name]
    answer = drain(pinned(entry=kept, **more), policy=policy, entry=entry("draining", at=NOW - 400, started=NOW - 400))
    assert [action.kind for action in answer.actions] == ([kind] if kind else [])
    if kind:
        made = answer.actions[0].entry
        assert isinstance(made, VmEntry)
        assert (made.step, made.host, made.called, made.run_id) == ("stop", "esx-1", NOW, ROLL)
        assert made.forced == (kind == "power_off_vm")
    else:
        assert answer.outlook.wake_at is not None


GIVEN_UP: dict[str, tuple[VmView, Policy, str]] = {
    "it does not shut down": (pinned(entry=vm_entry(at=NOW - 300)), ASK, "vm_not_stopped"),
    "it was pinned meanwhile": (pinned(), Policy(), "pinned_vms"),
    "it must never be stopped": (pinned(never_stop=True), FORCE, "pinned_vms"),
}


@pytest.mark.parametrize("name", GIVEN_UP)
def test_a_drain_that_cannot_succeed_is_given_up(name: str) -> None:
    view, policy, code = GIVEN_UP[name]
    answer = drain(view, policy=policy, entry=entry("draining", at=NOW - 400, started=NOW - 400))
    (action,) = answer.actions
    assert (action.kind, action.entry.step, action.entry.code) == ("record", "backing_out", code)  # type: ignore[union-attr]
    assert "gpu-vm" in action.reason


# ------------------------------------------------------------------------------------------------------------ starting


def test_they_start_in_reverse_order_each_rank_when_the_one_before_is_up() -> None:
    db = pinned("db", order=2, **OFF, entry=vm_entry(rank=2))
    app = pinned("app", order=1, **OFF, entry=vm_entry(rank=1))
    assert deeds(restore(app, db)) == [("start_vm", "db")]
    starting = replace(db, power_state="poweredOn", tools_running=False, entry=vm_entry("start", rank=2))
    assert restore(app, starting).actions == ()
    up = replace(starting, tools_running=True)
    assert deeds(restore(app, up)) == [("forget_vm", "db")]
    assert deeds(restore(app, replace(up, entry=None))) == [("start_vm", "app")]


Start = tuple[dict[str, Any], VmEntry, Policy, str | None]
ON: dict[str, Any] = {}
STARTS: dict[str, Start] = {
    "off": (OFF, vm_entry(), ASK, "start_vm"),
    "suspended meanwhile": ({"power_state": "suspended"}, vm_entry(), ASK, "start_vm"),
    "told to start": (OFF, vm_entry("start", called=NOW - 59), ASK, None),
    "told to start, and that was lost": (OFF, vm_entry("start"), ASK, "start_vm"),
    "told to start, under way": ({**OFF, "under_way": frozenset(["start_vm"])}, vm_entry("start"), ASK, None),
    "refused just now": ({**OFF, "refusal": NO}, vm_entry("start"), ASK, None),
    "told by an earlier roll": (OFF, vm_entry("start", run_id="0ld00000", calls=4, called=NOW - 5), ASK, "start_vm"),
    "up": (ON, vm_entry("start"), ASK, "forget_vm"),
    "up, no tools yet": ({"tools_running": False}, vm_entry("start"), ASK, None),
    "up, no tools ever": ({"tools_running": False}, vm_entry("start", called=NOW - 300), ASK, "forget_vm"),
    "up, has no tools": ({"tools_running": False, "has_tools": False}, vm_entry("start"), ASK, "forget_vm"),
    "up, tools do not matter": (
        {"tools_running": False}, vm_entry("start"), Policy(pinned=Pinned(action="shutdown", wait_for_tools=False)),
        "forget_vm"),
    "started by somebody else": (ON, vm_entry(at=NOW - 1000, called=NOW - 1000), ASK, "record"),
}  # fmt: skip


@pytest.mark.parametrize("name", STARTS)
def test_how_a_vm_is_started(name: str) -> None:
    more, kept, policy, kind = STARTS[name]
    answer = restore(pinned(entry=kept, **more), policy=policy)
    assert [action.kind for action in answer.actions] == ([kind] if kind else [])
    if kind == "record":
        assert answer.actions[0].entry.step == "done"  # type: ignore[union-attr]
    if kind == "start_vm":
        (action,) = answer.actions
        assert isinstance(action.entry, VmEntry)
        assert (action.entry.step, action.entry.run_id, action.host_moid) == ("start", ROLL, "esx-1")


def test_a_vm_that_was_moved_meanwhile_starts_where_the_cluster_likes() -> None:
    answer = ask(host(**SERVES), host("esx-2", devices=()), vms=[pinned(on="esx-2", **OFF, entry=vm_entry())])
    (action,) = answer.actions
    assert (action.kind, action.host_moid) == ("start_vm", None)


def test_fixed_devices_are_back_before_a_dynamic_one_could_get_their_card() -> None:
    """DRS gives any free card of the model to a dynamic device, also one that a VM has which is off."""
    waits = {**OFF, "entry": vm_entry("start")}
    dynamic, free = pinned("dynamic", fixed=False, **waits), vm("web", **waits)
    fixed = pinned("fixed", **waits)
    assert [name for _kind, name in deeds(restore(dynamic, fixed, free))] == ["fixed", "web"]
    up = replace(fixed, power_state="poweredOn")
    assert ("start_vm", "dynamic") in deeds(restore(dynamic, up, free))


def test_a_host_is_done_when_all_its_vms_are_up() -> None:
    answer = restore(pinned())
    (action,) = answer.actions
    assert action.entry.step == "done"  # type: ignore[union-attr]


def test_a_vm_that_does_not_start_does_not_keep_the_others_down() -> None:
    bad = pinned("bad", **OFF, entry=vm_entry("start", rank=2, calls=4))
    good = pinned("good", **OFF, entry=vm_entry(rank=1))
    assert deeds(restore(bad, good)) == [("start_vm", "good")]


def test_and_fails_the_host_in_the_end() -> None:
    bad = pinned("bad", **OFF, entry=vm_entry("start", calls=4))
    (action,) = restore(bad).actions
    assert (action.entry.step, action.entry.code) == ("failed", "vm_not_started")  # type: ignore[union-attr]
    assert "bad" in action.reason


def test_a_host_whose_vms_are_not_up_in_time_fails() -> None:
    slow = pinned(**OFF, entry=vm_entry("start", called=NOW - 5))
    (action,) = restore(slow, entry=entry("restoring", at=NOW - 900, asked=NOW - 2000)).actions
    assert action.entry.code == "vm_not_started"  # type: ignore[union-attr]


def test_nothing_starts_on_a_host_that_somebody_took_out_again() -> None:
    answer = restore(pinned(**OFF, entry=vm_entry()), in_maintenance_mode=True)
    (action,) = answer.actions
    assert action.entry.step == "withdrawn"  # type: ignore[union-attr]


# --------------------------------------------------------------------------------------- records that outlived their host


@pytest.mark.parametrize("step", ["failed", "withdrawn", "blocked", "done", None])
def test_whoever_finds_a_record_owes_the_vm_a_start(step: str | None) -> None:
    kept = entry(step, asked=NOW - 900) if step else None
    answer = restore(pinned(**OFF, entry=vm_entry(run_id="0ld00000")), entry=kept)
    assert ("start_vm", "gpu-vm") in deeds(answer)


def test_even_when_the_host_is_gone_for_good() -> None:
    lost = pinned(on="esx-2", **OFF, entry=vm_entry(host="esx-99"))
    assert deeds(ask(host("esx-2", devices=()), vms=[lost])) == [("start_vm", "gpu-vm")]


def test_a_guest_that_may_still_shut_down_is_watched_without_holding_a_place() -> None:
    """Given up, the host is released at once; the record stays until the request has run out."""
    stubborn = pinned(entry=vm_entry(called=NOW - 300))
    out = ask(host(entry=entry("backing_out", text="it does not shut down")), vms=[stubborn], policy=ASK)
    assert [(a.kind, a.entry.step) for a in out.actions] == [("record", "blocked")]  # type: ignore[union-attr]
    watched = ask(host(entry=entry("blocked", tries=2, text="x")), vms=[stubborn], policy=ASK)
    assert watched.actions == ()
    assert watched.outlook.state == "working"
    over = replace(stubborn, entry=vm_entry(called=NOW - 900))
    assert deeds(ask(host(entry=entry("blocked", tries=2)), vms=[over], policy=ASK)) == [("forget_vm", "gpu-vm")]


@pytest.mark.parametrize("step", ["failed", None])
def test_a_start_under_way_is_waited_for_although_nothing_else_is_left(step: str | None) -> None:
    flying = pinned(**OFF, entry=vm_entry("start", called=NOW - 1), under_way=frozenset({"start_vm"}))
    kept = host(devices=(ACTIVE,), boot_time=NOW - 100, entry=entry(step, asked=NOW - 900) if step else None)
    answer = ask(kept, vms=[flying])
    assert answer.actions == ()
    assert answer.outlook.state == "working"
    assert answer.outlook.wake_at == NOW + Policy().deadlines.retry
