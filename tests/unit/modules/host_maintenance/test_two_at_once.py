# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two processes of host_maintenance on one host: the second one is refused, and both report the truth."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab
from tests.unit.modules.host_maintenance.test_one_engine import (
    HOST,
    OTHER,
    STOP,
    Killed,
    defined,
    held,
    kill,
    lab_with,
    power,
)

ENTER: dict[str, Any] = {"hosts": [HOST], **STOP}
LEAVE: dict[str, Any] = {"hosts": [HOST], "state": "absent"}


@pytest.fixture
def lab() -> Lab:
    return lab_with({"name": "db", "media": [{"cd": "host"}]}, {"name": "web"})


def beside(lab: Lab, method: str, *, when: str = "after", **options: Any) -> list[dict[str, Any]]:
    """Run the module a second time ``when`` the first one calls a method. Its result is in the list afterwards."""
    found: list[dict[str, Any]] = []

    def second(_write: Any) -> None:
        if not found:
            found.append({})
            found[0] = lab.run("host_maintenance", **options)

    lab.sim.on_write(None, second, when=when, method=method)
    return found


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("second", [ENTER, LEAVE, {**ENTER, "pinned_vms": "fail", "drain_timeout": 60}])
@pytest.mark.parametrize("method", ["EnterMaintenanceMode_Task", "ShutdownGuest"])
def test_the_second_is_refused_on_the_way_into_maintenance_mode(
    lab: Lab, method: str, second: dict[str, Any], check: bool
) -> None:
    found = beside(lab, method, **second, check=check, fails=True)
    lab.run("host_maintenance", **ENTER)
    assert found[0]["error_code"] == "locked"
    assert f"{HOST} is locked by " in found[0]["msg"]
    assert "has been working for" in found[0]["msg"]
    assert not found[0]["changed"]
    assert held(lab)
    assert power(lab, "db") == "poweredOff"
    assert lab.run("host_maintenance", **LEAVE)["hosts"][0]["vms_started"] == ["db"]
    assert defined(lab) == set()


@pytest.mark.parametrize("method", ["ExitMaintenanceMode_Task", "PowerOnVM_Task"])
def test_the_second_is_refused_on_the_way_back(lab: Lab, method: str) -> None:
    lab.run("host_maintenance", **ENTER)
    found = beside(lab, method, **LEAVE, fails=True)
    lab.run("host_maintenance", **LEAVE)
    assert found[0]["error_code"] == "locked"
    assert power(lab, "db") == "poweredOn"
    assert not held(lab)


def test_one_that_comes_between_the_look_and_the_lock_of_the_first(lab: Lab) -> None:
    """The first one finds everything done when it has the lock, does nothing, and says so."""
    found = beside(lab, "SetField", when="before", **ENTER)
    first = lab.run("host_maintenance", **ENTER)
    assert found[0]["hosts"][0]["vms_stopped"] == ["db"]
    assert not first["changed"]
    assert "another user changed it first" in str(first["warnings"])
    assert held(lab)
    assert power(lab, "db") == "poweredOff"
    lab.run("host_maintenance", **LEAVE)
    assert power(lab, "db") == "poweredOn"
    assert defined(lab) == set()


def test_another_host_is_not_locked(lab: Lab) -> None:
    found = beside(lab, "ShutdownGuest", **{**ENTER, "hosts": [OTHER]})
    lab.run("host_maintenance", **ENTER)
    assert found[0]["changed"]
    assert held(lab)
    assert held(lab, OTHER)


def test_what_a_process_left_is_continued_when_its_lock_is_stale(lab: Lab) -> None:
    stop = lab.sim.on_write(None, kill, when="after", method="ShutdownGuest")
    with pytest.raises(Killed):
        lab.run("host_maintenance", **ENTER)
    lab.sim.stops.remove(stop)
    early = lab.run("host_maintenance", fails=True, **ENTER)
    assert early["error_code"] == "locked"
    assert "may be taken in" in early["msg"]
    lab.sim.clock.advance(400)
    lab.run("host_maintenance", **ENTER)
    assert held(lab)
    lab.run("host_maintenance", **LEAVE)
    assert power(lab, "db") == "poweredOn"
    assert defined(lab) == set()


def test_a_long_way_keeps_its_lock(lab: Lab) -> None:
    """DRS moves nothing for a while: the heartbeat goes on."""
    lab.sim.knobs.set("shutdown_guest_result", "ignored")
    found = beside(lab, "PowerOffVM_Task", **ENTER, fails=True)
    lab.run("host_maintenance", hosts=[HOST], pinned_vms="shutdown_then_power_off", stop_timeout=600)
    assert found[0]["error_code"] == "locked"
    assert held(lab)
