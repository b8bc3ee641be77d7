# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody sets a clock in the middle of a rolling reboot: that of vCenter, or that of a host."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.run_owner import make_owner
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.slices import slices
from simulator.core.stops import Write
from tests.unit.modules.host_rolling_reboot.lab import MODULE, Killed, Roll, die

pytestmark = pytest.mark.slow

HOURS = 7200.0
STEPS = pytest.mark.parametrize("step", [HOURS, -HOURS], ids=["forward", "back"])


def recent(**options: Any) -> Roll:
    """A host that has a VM to be shut down, and booted an hour ago."""
    roll = Roll.pinned(pinned_vms="shutdown", **options)
    roll.options.pop("cluster")
    roll.options["hosts"] = ["esx-01"]
    host = roll.lab.sim.find("HostSystem", "esx-01.lab")
    clock = roll.lab.sim.clock
    host.booted_at = clock.seconds() - 3600
    host.boot_time = clock.now() - timedelta(seconds=3600)
    host.set("runtime.bootTime", host.boot_time)
    roll.remember()
    return roll


def after(roll: Roll, method: str, happen: Callable[[], Any], seconds: float = 0.0) -> None:
    """``happen`` so many seconds after the first call of this method."""
    done: list[bool] = []

    def once(_write: Write) -> None:
        if not done:
            done.append(True)
            roll.lab.sim.clock.call_later(seconds, happen)

    roll.lab.sim.on_write(None, once, when="after", method=method)


def watch_boot(roll: Roll) -> list[str]:
    """Writes that must come after the boot and came before it."""
    host, early = roll.lab.sim.find("HostSystem", "esx-01.lab"), list[str]()
    before = host.booted_at

    def look(write: Write) -> None:
        if host.booted_at == before:
            early.append(write.method)

    for method in ("ExitMaintenanceMode_Task", "PowerOnVM_Task"):
        roll.lab.sim.on_write(None, look, when="before", method=method)
    return early


def in_slices(roll: Roll, seconds: float, **more: Any) -> dict[str, Any]:
    def call(options: dict[str, Any], is_first: bool) -> dict[str, Any]:
        return roll.lab._main(MODULE, {**roll.lab.credentials(), **options})

    *_earlier, (_part, joined) = slices({**roll.options, **more, "run_id": make_owner()}, seconds, call)
    return joined


def step_vcenter(roll: Roll, seconds: float) -> Callable[[], Any]:
    return lambda: roll.lab.sim.events["step_vcenter_clock"](seconds=seconds)


@STEPS
@pytest.mark.parametrize("length", [0, 60])
def test_vcenter_s_clock_is_set_between_the_request_and_the_host_going_down(step: float, length: int) -> None:
    roll = recent()
    roll.lab.sim.find("HostSystem", "esx-01.lab").knobs["down_after_seconds"] = 90.0
    early = watch_boot(roll)
    after(roll, "RebootHost_Task", step_vcenter(roll, step), 3.0)
    result = in_slices(roll, length) if length else roll.run()
    assert early == []
    assert result["state"] == "finished", result["reasons"]
    assert any(f"was set {'forward' if step > 0 else 'back'} by 2 h" in note for note in result["notes"])
    (host,) = result["hosts"]
    assert 390 <= host["seconds"]["reboot"] <= 395
    roll.assert_over({"esx-01"})


@STEPS
@pytest.mark.parametrize("when", [1, 40, 100, 200, 345, 370])
def test_at_any_moment_it_changes_no_duration(step: float, when: float) -> None:
    roll = recent()
    begun = roll.lab.sim.clock.seconds()
    roll.at(when, step_vcenter(roll, step))
    result = roll.run()
    assert result["state"] == "finished", result["reasons"]
    assert roll.lab.sim.clock.seconds() - begun < 500
    roll.assert_over({"esx-01"})


@STEPS
def test_a_deadline_is_as_long_as_it_was(step: float) -> None:
    roll = recent(reboot_timeout=900)
    roll.lab.sim.find("HostSystem", "esx-01.lab").knobs["boot_result"] = "never_returns"
    asked: list[float] = []
    after(roll, "RebootHost_Task", lambda: asked.append(roll.lab.sim.clock.seconds()))
    after(roll, "RebootHost_Task", step_vcenter(roll, step), 100.0)
    result = roll.fail()
    assert result["error_code"] == "not_back"
    assert "15 min after" in result["msg"]
    assert roll.lab.sim.clock.seconds() - asked[0] == pytest.approx(900, abs=90)


@STEPS
@pytest.mark.parametrize("method", ["RebootHost_Task", "EnterMaintenanceMode_Task", "ExitMaintenanceMode_Task"])
def test_a_run_that_was_killed_is_resumed_after_the_clock_was_set(step: float, method: str) -> None:
    """Only the times of the journal are left, and they are by the clock of before."""
    roll = recent()
    roll.lab.sim.find("HostSystem", "esx-01.lab").knobs["down_after_seconds"] = 90.0
    early = watch_boot(roll)
    roll.lab.sim.on_write(1, die, when="after", method=method)
    with pytest.raises(Killed):
        roll.run()
    step_vcenter(roll, step)()
    begun = roll.lab.sim.clock.seconds()
    result = roll.run(take_lock="force")
    assert early == []
    assert result["state"] == "finished", result["reasons"]
    assert roll.lab.sim.clock.seconds() - begun < 1000
    assert any("was set back by 2 h" in note for note in result["notes"]) == (step < 0)
    roll.assert_over({"esx-01"})


@STEPS
@pytest.mark.parametrize("where", ["EnterMaintenanceMode_Task", "RebootHost_Task"])
def test_the_clock_of_the_host_is_set(step: float, where: str) -> None:
    """Its boot time changes. It was not rebooted, neither by this run nor by another user."""
    roll = recent(reboot_if="always")
    roll.lab.sim.find("HostSystem", "esx-01.lab").knobs["down_after_seconds"] = 90.0
    early = watch_boot(roll)
    after(roll, where, lambda: roll.lab.sim.events["step_clock"](host="esx-01.lab", seconds=step), 2.0)
    result = roll.run()
    assert early == []
    assert result["state"] == "finished", result["reasons"]
    assert roll.reboots() == {"esx-01.lab": 1}
    if where == "EnterMaintenanceMode_Task":
        assert any("its clock was set" in row["reason"] for row in result["transitions"])


def test_without_an_uptime_it_must_have_been_away() -> None:
    roll = recent()
    roll.lab.sim.faults.add(method="RetrieveHardwareUptime", fault="NotSupported")
    assert in_slices(roll, 60)["state"] == "finished", "it was seen away, and the journal says so"
    roll.assert_over({"esx-01"})


def test_without_an_uptime_a_clock_that_was_set_is_no_reboot() -> None:
    roll = recent(reboot_timeout=600)
    roll.lab.sim.faults.add(method="RetrieveHardwareUptime", fault="NotSupported")
    roll.lab.sim.faults.add(method="RebootHost_Task", drop="before")
    after(roll, "RebootHost_Task", lambda: None)
    roll.at(60, lambda: roll.lab.sim.events["step_clock"](host="esx-01.lab", seconds=HOURS))
    result = roll.fail()
    assert result["error_code"] == "not_back"
    assert "has not gone down" in result["msg"] or "it was not seen away" in result["msg"]
    assert roll.host("esx-01")["maintenance"]


@STEPS
def test_the_lock_of_an_active_run_is_not_stale_after_a_step(step: float) -> None:
    """Its heartbeats are by the clock that others compare them with."""
    roll = Roll.of(cluster=["compute"])
    roll.at(100, step_vcenter(roll, step))
    found: list[str] = []

    def look() -> None:
        found.append(roll.texts()["compute"]["directpath.roll.lock"])

    roll.at(320, look)
    assert roll.run()["state"] == "finished"
    assert f"ahead={step:+.0f}" in found[0]
    assert roll.texts() == {}
