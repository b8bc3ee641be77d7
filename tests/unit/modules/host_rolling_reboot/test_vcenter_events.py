# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events in vCenter (vcenter_events): what the log of vCenter shows afterwards, and that nothing waits for them."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from typing import Any
from unittest import mock

import pytest
from pyVmomi import vim, vmodl

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.outlets import vcenter_events
from tests.unit.modules.harness import Lab
from tests.unit.modules.host_rolling_reboot.lab import Roll
from tests.unit.patience import PATIENCE

PHASES = ["waiting", "draining", "rebooting", "booting", "verifying", "leaving", "done"]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time to end is over only where a test shows what happens then."""
    monkeypatch.setattr(vcenter_events.VcenterEvents.end, "__defaults__", (PATIENCE,))


def logged(lab: Lab) -> list[tuple[str, str]]:
    """(object, text) of each event of this collection, oldest first."""
    events = [record.event for record in lab.sim.services.events.records]
    return [(event.entity.name, event.message) for event in events if isinstance(event, vim.event.GeneralUserEvent)]


def test_each_phase_of_each_host_is_logged_on_the_host() -> None:
    roll = Roll.of(cluster=["compute"])
    result = roll.run(vcenter_events=True)
    roll.assert_over()
    for host in ("esx-01.lab", "esx-02.lab", "esx-03.lab"):
        texts = [text.partition(": ")[2] for name, text in logged(roll.lab) if name == host]
        steps = [text.partition(":")[0].removeprefix(f"{host} ") for text in texts]
        assert steps == [f"{a} → {b}" for a, b in pairwise(PHASES)]
    (report,) = result["outlets"]
    assert report == {"name": "vcenter_events", "sent": 18, "lost": 0, "why": ""}
    accounts = {
        record.event.userName
        for record in roll.lab.sim.services.events.records
        if isinstance(record.event, vim.event.GeneralUserEvent)
    }
    assert len(accounts) == 1


def test_vms_that_are_stopped_are_logged_on_the_vm() -> None:
    roll = Roll.pinned(pinned_vms="shutdown", vcenter_events=True)
    roll.run()
    texts = [text for name, text in logged(roll.lab) if name == "train-01"]
    assert texts == [
        "directpath.vsphere: shutting down train-01 for esx-01.lab",
        "directpath.vsphere: powering on train-01 after the work on esx-01.lab",
    ]


def test_slices_log_each_change_once() -> None:
    whole = Roll.of(cluster=["compute"])
    whole.run(vcenter_events=True)
    roll, more = Roll.of(cluster=["compute"]), {}
    for number in range(60):
        part = roll.run(vcenter_events=True, slice=60, run_id="me", continue_run=number > 0, **more)
        more = {name: part[name] for name in ("earlier_slices", "resolved", "stopped_vms")}
        if part["ended"]:
            break
    assert number > 3
    assert sorted(logged(roll.lab)) == sorted(logged(whole.lab))


@pytest.mark.parametrize("options", [{}, {"vcenter_events": False}])
def test_it_is_off_by_default(options: dict[str, Any]) -> None:
    roll = Roll.of(cluster=["compute"])
    result = roll.run(**options)
    assert logged(roll.lab) == []
    assert "outlets" not in result


def test_check_mode_and_a_run_with_nothing_to_do_log_nothing() -> None:
    roll = Roll.of(cluster=["compute"], vcenter_events=True)
    planned = roll.lab.run("host_rolling_reboot", check=True, **roll.options)
    assert "outlets" not in planned
    assert roll.lab.writes() == []
    roll.run()
    roll.lab.sim.journal.clear()
    assert roll.run()["changed"] is False
    assert roll.lab.writes() == []


def test_without_the_privilege_the_reboot_goes_on_and_the_result_says_what_is_missing() -> None:
    roll = Roll.of(cluster=["compute"], vcenter_events=True)
    roll.lab.sim.authz.add_user("few@vsphere.local", "VMware1!", "VirtualMachineAdmin")
    result = roll.run(username="few@vsphere.local", password="VMware1!")
    roll.assert_over()
    assert result["state"] == "finished"
    assert logged(roll.lab) == []
    (report,) = result["outlets"]
    assert (report["sent"], report["lost"]) == (0, 18)
    assert "Global.LogEvent" in report["why"]


def test_a_log_that_does_not_answer_delays_no_step_and_the_end_by_seconds_only() -> None:
    """The call hangs. The heartbeat of the lock is written as before, at the same simulated times."""
    free = Roll.of(cluster=["compute"], lock_ttl=60)
    free.run()
    clusters = [entity for _time, _method, entity in _writes(free.lab) if entity.startswith("domain-c")]
    assert len(clusters) > 20, "the heartbeat of the lock is among the writes"
    hangs = threading.Event()

    def hang(*_arguments: Any) -> None:
        hangs.wait(600)
        raise vmodl.fault.SystemError

    roll = Roll.of(cluster=["compute"], lock_ttl=60, vcenter_events=True)
    began = time.monotonic()
    with (
        mock.patch.object(vcenter_events, "log_user_event", hang),
        mock.patch.object(vcenter_events.VcenterEvents.end, "__defaults__", (0.3,)),
    ):
        result = roll.run()
    hangs.set()
    assert time.monotonic() - began < 120
    roll.assert_over()
    (report,) = result["outlets"]
    assert (report["sent"], report["lost"]) == (0, 18)
    assert report["why"] == "no answer before the end of the run"
    assert _writes(roll.lab) == _writes(free.lab)


def _writes(lab: Lab) -> list[tuple[str, str, str]]:
    """(simulated time, method, object) of each write: the steps, and the heartbeats of the lock between them."""
    return [(call.time, call.method, str(call.args.get("entity", call.moid))) for call in lab.sim.journal.writes()]
