# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""host_reboot: one host after another, proven, without a journal."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from tests.unit.modules.harness import Lab
from tests.unit.pains.labs import FIRST, SECOND, active, entry, host, lab, on, power, vm, wish, written

OWING = {FIRST: {"enabled": True, "active": False}, SECOND: {"enabled": True, "active": False}}


def owing(vms: list[dict[str, Any]] | None = None, **more: Any) -> Lab:
    """A host whose two cards wait for a reboot, and one beside it."""
    knobs = more.pop("host_knobs", {})
    return lab([host("esx-01", states=OWING, knobs=knobs), host("esx-02", [])], vms, **more)


def test_vms_that_cannot_move_are_named_first() -> None:
    held = lab(
        [host("esx-01", [on(), {"card": "a100", "enabled": True, "active": False}]), host("esx-02", [])],
        [vm("train-01", power="on", devices=[{"fixed": FIRST}]), vm("web-01", power="on")],
    )
    for check in (True, False):
        result = held.run("host_reboot", fails=True, check=check, hosts=["esx-01"])
        assert result["error_code"] == "pinned_vms"
        assert "train-01 (PCI device 0)" in result["msg"]
        assert "web-01" not in result["msg"]
    assert held.writes() == []
    assert power(held, "train-01") == power(held, "web-01") == "poweredOn"


def test_no_task_is_left_behind() -> None:
    stuck = owing([vm("web-01", power="on")], drs="manual")
    result = stuck.run("host_reboot", fails=True, hosts=["esx-01"], drain_timeout=120)
    assert result["error_code"] == "timed_out"
    assert "web-01" in result["msg"]
    (call,) = written(stuck, "EnterMaintenanceMode_Task")
    assert call["timeout"] == 120
    tasks = [task.info for task in stuck.sim.registry.all(vim.Task)]
    assert [str(info.state) for info in tasks if info.descriptionId.endswith("enterMaintenanceMode")] == ["error"]
    stuck.sim.clock.advance(86400)
    assert not stuck.sim.find("HostSystem", "esx-01").get("runtime.inMaintenanceMode")


@pytest.mark.parametrize("boot", [97, 311, 1201])
def test_waiting_is_not_polling(boot: int) -> None:
    """Each wait ends when something happened, so no time is lost between a host's return and the next step."""
    gpus = owing(host_knobs={"down_after_seconds": 20, "boot_seconds": boot, "maintenance_seconds": 70})
    seconds = entry(gpus.run("host_reboot", hosts=["esx-01"]))["seconds"]
    assert 70 <= seconds["drain"] <= 72
    assert boot + 20 <= seconds["reboot"] <= boot + 22


def test_the_message_names_the_deed() -> None:
    refused = owing()
    refused.sim.faults.add(method="EnterMaintenanceMode_Task", fault="InvalidState", message="Not now.")
    result = refused.run("host_reboot", fails=True, hosts=["esx-01"])
    assert "Cannot enter maintenance mode on esx-01: Not now." in result["msg"]
    assert "exit" not in result["msg"]


def test_the_reboot_is_over_when_the_module_returns() -> None:
    gpus = owing()
    before = gpus.sim.find("HostSystem", "esx-01").get("runtime.bootTime")
    result = gpus.run("host_reboot", hosts=["esx-01"], devices=wish())
    now = gpus.sim.find("HostSystem", "esx-01")
    assert now.get("runtime.bootTime") > before
    assert str(now.get("runtime.connectionState")) == "connected"
    assert active(gpus) == [FIRST, SECOND]
    assert not now.get("runtime.inMaintenanceMode")
    assert entry(result)["boot_time_after"] > entry(result)["boot_time_before"]
    assert entry(result)["seconds"]["reboot"] >= 300


def test_check_mode_reboots_nothing() -> None:
    gpus = owing()
    result = gpus.run("host_reboot", check=True, hosts=["esx-01"])
    assert result["changed"]
    assert gpus.writes() == []
    always = gpus.run("host_reboot", check=True, hosts=["esx-02"], reboot_if="always")
    assert always["changed"]
    assert gpus.writes() == []


def test_the_second_run_reboots_nothing() -> None:
    gpus = owing()
    first = gpus.run("host_reboot", hosts=["esx-01"])
    second = gpus.run("host_reboot", hosts=["esx-01"])
    assert (first["changed"], second["changed"]) == (True, False)
    assert (
        entry(first)["reason"]
        == f"it settles {FIRST} (enabled, not yet in force), {SECOND} (enabled, not yet in force)"
    )
    assert len(written(gpus, "RebootHost_Task")) == 1


def test_a_host_that_never_went_down_is_not_back() -> None:
    gpus = owing(host_knobs={"boot_result": "same_boot_time"})
    result = gpus.run("host_reboot", fails=True, hosts=["esx-01"], reboot_timeout=1200)
    assert result["error_code"] == "not_back"
    assert gpus.sim.find("HostSystem", "esx-01").get("runtime.inMaintenanceMode")


def test_services_must_answer() -> None:
    gpus = owing()
    rule = gpus.sim.faults.add(method="Refresh", fault="HostCommunication", times=3)
    result = gpus.run("host_reboot", hosts=["esx-01"], devices=wish())
    assert rule.hits == 3
    assert result["rebooted"] == ["esx-01"]
    calls = [call.method for call in gpus.sim.journal.calls]
    assert calls.index("ExitMaintenanceMode_Task") > len(calls) - calls[::-1].index("Refresh") - 1


def test_a_slow_server_is_waited_for() -> None:
    slow = owing(host_knobs={"boot_seconds": 1500})
    assert slow.run("host_reboot", hosts=["esx-01"])["rebooted"] == ["esx-01"]
    gone = owing(host_knobs={"boot_result": "never_returns"})
    result = gone.run("host_reboot", fails=True, hosts=["esx-01"])
    assert result["error_code"] == "not_back"
    assert "2700 seconds" in result["msg"]
