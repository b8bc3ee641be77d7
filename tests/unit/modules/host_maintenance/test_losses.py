# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is lost in the middle: the host, a privilege. The module ends, failed, and names the VMs that are off and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.modules.harness import Lab
from tests.unit.modules.host_maintenance.test_one_engine import HOST, STOP, held, lab_with, power

CD = {"media": [{"cd": "host"}]}
RIGHTS = [
    "Host.Config.Maintenance",
    "VirtualMachine.Interact.PowerOn",
    "VirtualMachine.Interact.PowerOff",
    "Global.SetCustomField",
    "Global.ManageCustomFields",
]
ENTER: dict[str, Any] = {"hosts": [HOST], "stop_timeout": 60, **STOP}
LEAVE: dict[str, Any] = {"hosts": [HOST], "state": "absent"}


@pytest.fixture
def lab() -> Lab:
    """esx-01 runs db, which must be shut down, and web. The account has the privileges that the module needs."""
    lab = lab_with({"name": "db", **CD}, {"name": "web"})
    lab.sim.authz.add_role("keeper", RIGHTS)
    lab.sim.authz.add_user("keeper@vsphere.local", "VMware1!", "keeper")
    lab.user = "keeper@vsphere.local"
    return lab


def after(lab: Lab, method: str, happen: Callable[[], None], seconds: float = 0.0) -> None:
    """Once, so many seconds after the first call of a method."""
    done: list[bool] = []

    def begin(_write: Any) -> None:
        if not done:
            done.append(True)
            lab.sim.clock.call_later(seconds, happen) if seconds else happen()

    lab.sim.on_write(None, begin, when="after", method=method)


def take(lab: Lab, *names: str, granted: bool = False) -> None:
    lab.sim.events["set_role"](role="keeper", privileges=list(names), granted=granted)


def ends_soon(lab: Lab, **options: Any) -> dict[str, Any]:
    """The module fails, in a bounded time and with a bounded number of calls."""
    begun, calls = lab.sim.clock.seconds(), lab.calls()
    result = lab.run("host_maintenance", fails=True, **options)
    assert lab.sim.clock.seconds() - begun < 5400
    assert lab.calls() - calls < 600
    return result


@pytest.mark.parametrize(
    ("way", "method"),
    [
        (ENTER, "SetField"),
        (ENTER, "EnterMaintenanceMode_Task"),
        (ENTER, "ShutdownGuest"),
        (LEAVE, "ExitMaintenanceMode_Task"),
    ],
)
def test_a_host_that_is_removed(lab: Lab, way: dict[str, Any], method: str) -> None:
    if way is LEAVE:
        lab.run("host_maintenance", **ENTER)
    after(lab, method, lambda: lab.sim.events["remove_host"](host=HOST))
    result = ends_soon(lab, **way)
    assert result["error_code"] == "vanished"
    assert HOST in result["msg"]
    if method in ("ShutdownGuest", "ExitMaintenanceMode_Task"):
        assert f"Shut down for {HOST} and not in the inventory any more: db" in result["msg"]
        assert "Register the VMs on another host" in result["msg"]


def test_a_host_that_is_removed_does_not_stop_the_others(lab: Lab) -> None:
    after(lab, "ShutdownGuest", lambda: lab.sim.events["remove_host"](host=HOST))
    result = ends_soon(lab, **{**ENTER, "hosts": [HOST, "esx-02.lab"]})
    assert result["error_code"] == "vanished"
    assert held(lab, "esx-02.lab")


@pytest.mark.parametrize("right", ["Global.SetCustomField", "Host.Config.Maintenance"])
@pytest.mark.parametrize("method", ["SetField", "EnterMaintenanceMode_Task", "ShutdownGuest"])
def test_a_privilege_that_is_lost_on_the_way_into_maintenance_mode(lab: Lab, method: str, right: str) -> None:
    after(lab, method, lambda: take(lab, right))
    if right == "Host.Config.Maintenance" and method != "SetField":
        lab.run("host_maintenance", **ENTER)  # it is not needed any more
        assert held(lab)
    else:
        result = ends_soon(lab, **ENTER)
        assert right in result["msg"]
        assert power(lab, "db") == "poweredOn" or "Off now: db" in result["msg"]
    take(lab, right, granted=True)
    lab.run("host_maintenance", **LEAVE)
    assert not held(lab)
    assert power(lab, "db") == "poweredOn"


@pytest.mark.parametrize(
    "right", ["Global.SetCustomField", "Host.Config.Maintenance", "VirtualMachine.Interact.PowerOn"]
)
@pytest.mark.parametrize("when", ["before", "SetField", "ExitMaintenanceMode_Task"])
def test_a_privilege_that_is_lost_on_the_way_back(lab: Lab, when: str, right: str) -> None:
    lab.run("host_maintenance", **ENTER)
    if when == "before":
        take(lab, right)
    else:
        after(lab, when, lambda: take(lab, right))
    result = lab.run("host_maintenance", **LEAVE) if _needs_no_more(when, right) else ends_soon(lab, **LEAVE)
    assert power(lab, "db") == "poweredOn" or "Off now: db" in result["msg"]
    assert power(lab, "db") == "poweredOn" or '"state": "absent"' in result["msg"]
    take(lab, right, granted=True)
    lab.run("host_maintenance", **LEAVE)
    assert not held(lab)
    assert power(lab, "db") == "poweredOn"


def _needs_no_more(when: str, right: str) -> bool:
    """The host has left maintenance mode, or the journal is in a file from the beginning."""
    return (when, right) in (
        ("ExitMaintenanceMode_Task", "Host.Config.Maintenance"),
        ("before", "Global.SetCustomField"),
    )
