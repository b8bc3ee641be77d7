# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes an event, and what the state of a run contains."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.outlets.outlet import Outlet
from ansible_collections.directpath.vsphere.plugins.plugin_utils.outlets.events import Event, RunState
from ansible_collections.directpath.vsphere.plugins.plugin_utils.outlets.publisher import Publisher
from tests.unit.action.records import NOON, change

AHEAD = 3600.0
"""Seconds by which the clock of the server is ahead."""


class Told:
    """A publisher, and what two receivers of events and one of states have got so far."""

    def __init__(self, *kinds: str, succeeded: float | None = None) -> None:
        self.events: list[Event] = []
        self.some: list[Event] = []
        self.states: list[RunState] = []
        self.now = NOON - AHEAD
        self.outlets = [Outlet("a", self.events.append), Outlet("b", self.some.append)]
        self.publisher = Publisher(
            vcenter="vc-a",
            events=[(self.outlets[0], None), (self.outlets[1], frozenset(kinds))],
            states=[Outlet("c", self.states.append)],
            succeeded=succeeded,
            now=lambda: self.now,
        )
        self.publisher.begin()
        self.publisher.learn(NOON)

    def end(self, **result: Any) -> list[tuple[str, dict[str, Any]]]:
        """The events but heartbeats, after the end of the run."""
        self.publisher.end({"state": "finished", **result})
        return [(event.kind, dict(event.more)) for event in self.events if event.kind != "heartbeat"]


def state(*names: str, state: str = "off", since: float = NOON) -> dict[str, Any]:
    vms = [{"name": name, "host": "esx-1", "since": since, "state": state} for name in names]
    return {"server_time": NOON, "in_progress": {"hosts": [], "vms_off": vms}}


def test_changes_of_hosts_are_events_with_the_time_of_this_machine() -> None:
    told = Told()
    told.publisher.feed([change("esx-1", "waiting", "draining", 10), change("esx-1", "draining", "failed", 70)])
    events = told.end(failed=True, state="halted", msg="esx-1 failed")
    assert [kind for kind, _more in events] == ["run_started", "host_phase", "host_failed", "run_ended"]
    assert events[1][1] | {"counts": None} == {
        "cluster": "gpu-a",
        "host": "esx-1",
        "before": "waiting",
        "after": "draining",
        "reason": "why draining",
        "seconds": 130.0,
        "counts": None,
    }
    assert [round(event.at - NOON + AHEAD) for event in told.events if event.kind.startswith("host")] == [10, 70]
    assert events[3][1]["failed"] is True
    assert events[3][1]["msg"] == "esx-1 failed"


def test_what_a_new_slice_repeats_is_no_event() -> None:
    told = Told()
    told.publisher.feed([change("esx-1", None, "waiting"), change("esx-2", None, "blocked")])
    told.publisher.feed([change("esx-1", "waiting", "draining")])
    told.publisher.feed([change("esx-1", None, "draining"), change("esx-2", None, "blocked")])
    told.publisher.feed([change("esx-1", None, "maintenance")])
    found = [(more["host"], more["before"], more["after"]) for kind, more in told.end() if kind == "host_phase"]
    assert found == [
        ("esx-2", "", "blocked"),
        ("esx-1", "waiting", "draining"),
        ("esx-1", "draining", "maintenance"),
    ]


def test_vms_that_are_off_and_on_again() -> None:
    told = Told()
    note = {"at": NOON, "kind": "note", "text": "x", "vm": "db-1", "host": "esx-1", "action": "stop_vm"}
    told.publisher.feed([note, note])
    told.publisher.see(state("db-1", state="shutting down"))
    told.publisher.see(state("db-1"))
    told.publisher.see(state("db-1"))
    told.now += 600
    told.publisher.see(state())
    found = [(kind, more["vm"], more["host"]) for kind, more in told.end() if kind.startswith("vm")]
    assert found == [("vm_stopping", "db-1", "esx-1"), ("vm_off", "db-1", "esx-1"), ("vm_on", "db-1", "esx-1")]
    assert [more["seconds"] for kind, more in told.end() if kind == "vm_on"] == [600.0]


def test_a_guest_that_does_not_shut_down_is_told_again_when_it_is_powered_off() -> None:
    told = Told()
    note = {"at": NOON, "kind": "note", "vm": "db-1", "host": "esx-1", "action": "stop_vm"}
    told.publisher.feed([note, {**note, "action": "power_off_vm"}])
    assert [more["reason"] for kind, more in told.end() if kind == "vm_stopping"] == [
        "its guest shuts down",
        "a hard power-off",
    ]


def test_a_receiver_gets_what_it_wants_numbered_without_gaps() -> None:
    told = Told("host_phase", "run_ended")
    for phase in ("draining", "rebooting", "booting"):
        told.publisher.feed([change("esx-1", None, phase)])
    told.end()
    assert [(event.kind, event.number) for event in told.some] == [
        ("host_phase", 1),
        ("host_phase", 2),
        ("host_phase", 3),
        ("run_ended", 4),
    ]
    assert len({event.run for event in told.events}) == 1


def test_each_report_of_the_module_is_a_heartbeat() -> None:
    told = Told()
    told.now += 30
    told.publisher.feed([{"at": NOON + 30, "kind": "progress", "counts": {"total": 1}}])
    told.publisher.feed([])
    told.now += 45
    told.publisher.see(state())
    told.end()
    assert [event.kind for event in told.events].count("heartbeat") == 1
    beats = sorted({round(one.heartbeat - NOON + AHEAD) for one in told.states})
    assert beats[-1] == 75


@pytest.mark.parametrize(
    ("result", "succeeds"),
    [({"state": "finished"}, True), ({"state": "halted", "failed": True}, False), ({"failed": True}, False)],
)
def test_the_state_of_a_run_that_ended(result: dict[str, Any], succeeds: bool) -> None:
    told = Told(succeeded=5.0)
    told.publisher.feed([change("esx-1", None, "done")])
    told.now += 100
    told.publisher.end(result)
    last = told.states[-1]
    assert last.ended == told.now
    assert last.succeeded == (told.now if succeeds else 5.0)
    assert last.phases == {("gpu-a", "esx-1"): "done"}
    assert last.state == result.get("state", "failed")


def test_a_run_that_is_cut_off_keeps_its_state() -> None:
    told = Told()
    told.publisher.see(state("db-1"))
    told.publisher.abort("a second signal", 5.0)
    told.publisher.see(state())
    assert told.events[-1].more["state"] == "aborted"
    assert told.states[-1].ended is None
    assert [vm.name for vm in told.states[-1].vms_off] == ["db-1"]


def test_the_end_is_published_once() -> None:
    told = Told()
    told.end()
    told.end()
    assert [event.kind for event in told.events].count("run_ended") == 1
