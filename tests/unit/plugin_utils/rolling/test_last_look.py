# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is off and in progress at the last look of a run, with the lines that are newer than its state."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.last_look import LastLook
from tests.unit.action.records import NOON

HOST = {"name": "gpu-02", "cluster": "gpu-a", "phase": "restoring", "since": NOON - 60}
OFF = {"name": "train-02", "host": "gpu-02", "since": NOON - 600, "state": "off"}


def state(*, hosts: tuple[Any, ...] = (), vms: tuple[Any, ...] = ()) -> dict[str, Any]:
    return {"server_time": NOON, "in_progress": {"hosts": hosts, "vms_off": vms, "at_most": 60.0}}


def note(action: str, at: float, vm: str = "train-01") -> dict[str, Any]:
    return {"at": NOON + at, "kind": "note", "text": "-", "vm": vm, "host": "gpu-02", "action": action}


def change(after: str, at: float, host: str = "gpu-02") -> dict[str, Any]:
    return {"at": NOON + at, "kind": "transition", "cluster": "gpu-a", "host": host, "before": "-", "after": after}


@pytest.mark.parametrize(
    ("records", "vms"),
    [
        ([], []),
        ([note("stop_vm", 0.5)], [("train-01", "shutting down", NOON + 0.5)]),
        ([note("stop_vm", 0)], [("train-01", "shutting down", NOON)]),
        ([note("stop_vm", -1)], []),
        ([note("power_off_vm", 1)], [("train-01", "powering off", NOON + 1)]),
        ([note("stop_vm", 1), note("start_vm", 2)], [("train-01", "powering on", NOON + 1)]),
        ([note("stop_vm", 1), note("is_on", 3)], []),
        (
            [note("stop_vm", 1), note("stop_vm", 2, "train-03")],
            [("train-01", "shutting down", NOON + 1), ("train-03", "shutting down", NOON + 2)],
        ),
    ],
)
def test_a_vm_that_a_line_announced_is_named(records: list[Any], vms: list[Any]) -> None:
    look = LastLook.of(state(), records)
    assert [(vm["name"], vm["state"], vm["since"]) for vm in look.vms] == vms
    assert look.is_last == (not any(record["at"] > NOON for record in records))


@pytest.mark.parametrize(("action", "kept"), [("start_vm", [("train-02", "powering on", NOON - 600)]), ("is_on", [])])
def test_a_vm_of_the_state_is_off_until_a_line_says_that_it_is_on(action: str, kept: list[Any]) -> None:
    look = LastLook.of(state(vms=(OFF,)), [note(action, 5, "train-02")])
    assert [(vm["name"], vm["state"], vm["since"]) for vm in look.vms] == kept


@pytest.mark.parametrize(
    ("records", "hosts"),
    [
        ([], [("gpu-02", "restoring")]),
        ([change("returned", 1)], []),
        ([change("returned", 0)], [("gpu-02", "restoring")]),
        ([change("draining", 2, "gpu-03")], [("gpu-02", "restoring"), ("gpu-03", "draining")]),
        ([change("verifying", 2)], [("gpu-02", "verifying")]),
    ],
)
def test_a_host_is_as_the_last_line_says(records: list[Any], hosts: list[Any]) -> None:
    look = LastLook.of(state(hosts=(HOST,)), records)
    assert [(host["name"], host["phase"]) for host in look.hosts] == hosts


@pytest.mark.parametrize(
    ("known", "records", "certain"),
    [
        (state(), [], True),
        (state(), [change("done", 0)], True),
        (state(), [change("done", 1)], False),
        (state(), None, False),
        ({}, [], False),
        (state(hosts=({**HOST, "phase": "draining"},)), [], False),
        (state(hosts=({**HOST, "phase": "booting"},)), [], True),
    ],
    ids=["state", "line of the state", "later line", "no progress file", "no state", "draining", "booting"],
)
def test_no_vm_is_off_only_if_nothing_can_have_changed(
    known: dict[str, Any], records: list[Any] | None, certain: bool
) -> None:
    look = LastLook.of(known, records)
    assert (look.vms, look.may_hide_vms) == ((), not certain)
    assert look.at == (NOON if known else None)
