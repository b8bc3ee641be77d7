# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that show their old boot time after a reboot: what they say of their uptime decides whether they are told again."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell import host_rolling_reboot
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.redfish import http
from tests.unit.module_utils._vsphere.redfish.bmc_lab import InProcess
from tests.unit.modules.host_rolling_reboot.lab import Roll

pytestmark = pytest.mark.slow


def back_with_its_old_time(name: str = "esx-03", **more: Any) -> Roll:
    """The host reboots as it is told to, and is shown with the boot time it had before."""
    roll = Roll.of(hosts=[name])
    roll.lab.sim.find("HostSystem", f"{name}.lab").knobs.update({"boot_result": "old_boot_time", **more})
    return roll


def asked_for(roll: Roll, method: str) -> int:
    return Counter(call.method for call in roll.lab.sim.journal.calls)[method]


def assert_rebooted_once(roll: Roll, name: str = "esx-03") -> None:
    assert roll.reboots() == {f"{name}.lab": 1}
    found = roll.host(name)
    assert found["boot_time"] == roll.boots[found["name"]], "it shows the old one"
    assert not found["maintenance"]
    assert not [device for device in found["devices"] if device["pending"]]
    assert roll.texts() == {}


@pytest.mark.parametrize("boot_seconds", [60, 300, 1500])
def test_a_host_that_shows_its_old_boot_time_is_rebooted_once_and_proven(boot_seconds: int) -> None:
    roll = back_with_its_old_time(boot_seconds=boot_seconds)
    result = roll.run()
    assert result["state"] == "finished"
    assert result["rebooted"] == ["esx-03.lab"]
    assert_rebooted_once(roll)
    (host,) = result["hosts"]
    assert host["seconds"]["reboot"] <= boot_seconds + 20 + 5, "its return is seen, not waited for"
    assert asked_for(roll, "RetrieveHardwareUptime") <= 2


def test_it_goes_on_when_its_services_answer() -> None:
    roll = back_with_its_old_time(services_seconds=200)
    result = roll.run()
    assert result["state"] == "finished"
    assert_rebooted_once(roll)
    assert result["hosts"][0]["seconds"]["reboot"] >= 320 + 200


@pytest.mark.parametrize("later", [100, 400, 2000])
def test_a_run_that_died_is_gone_on_with_without_another_reboot(later: float, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(write: Any) -> None:
        raise Killed

    roll = back_with_its_old_time()
    roll.lab.sim.on_write(1, die, when="after", method="RebootHost_Task")
    with pytest.raises(Killed):
        roll.run()
    roll.lab.sim.clock.sleep(later)
    assert roll.run(take_lock="force")["state"] == "finished"
    assert_rebooted_once(roll)


def test_a_host_that_says_nothing_of_its_uptime_is_not_told_again() -> None:
    roll = back_with_its_old_time()
    roll.lab.sim.faults.add(method="RetrieveHardwareUptime", fault="NotSupported")
    result = roll.fail()
    assert result["error_code"] == "not_back"
    assert "its uptime is not readable" in result["msg"]
    assert roll.reboots() == {"esx-03.lab": 1}
    assert roll.host("esx-03")["maintenance"]
    assert asked_for(roll, "RetrieveHardwareUptime") <= 100, "it is asked now and then, until the deadline"


def test_an_uptime_that_comes_late_is_waited_for() -> None:
    roll = back_with_its_old_time()
    roll.lab.sim.faults.add(method="RetrieveHardwareUptime", fault="HostCommunication", times=3)
    assert roll.run()["state"] == "finished"
    assert_rebooted_once(roll)


def test_a_reboot_that_never_reached_the_host_is_asked_for_again() -> None:
    """Up all the time, it says: the call was lost, and is made again."""
    roll = Roll.of(hosts=["esx-03"])
    roll.lab.sim.faults.add(method="RebootHost_Task", times=2, drop="before")
    assert roll.run()["state"] == "finished"
    roll.assert_over({"esx-03"})
    assert asked_for(roll, "RebootHost_Task") == 3
    assert asked_for(roll, "RetrieveHardwareUptime") <= 4


def test_a_host_that_was_cut_off_and_never_rebooted_is_told_again_and_no_more_than_four_times() -> None:
    roll = Roll.of(hosts=["esx-03"])
    roll.lab.sim.find("HostSystem", "esx-03.lab").knobs["boot_result"] = "same_boot_time"
    result = roll.fail()
    assert result["error_code"] in ("not_back", "reboot_refused")
    assert 2 <= roll.reboots()["esx-03.lab"] <= 4


def test_a_host_that_goes_down_and_comes_back_as_usual_is_asked_once() -> None:
    roll = Roll.of(hosts=["esx-03"])
    roll.run()
    roll.assert_over({"esx-03"})
    assert asked_for(roll, "RetrieveHardwareUptime") == 1


def test_what_a_host_said_before_it_went_down_does_not_count_afterwards() -> None:
    """Slow to go down, it says that it was up all the time; then it boots and shows the old time."""
    roll = back_with_its_old_time(down_after_seconds=320, boot_seconds=60)
    roll.lab.sim.faults.add(method="RebootHost_Task", times=1, after=1, fault="HostConfigFault")
    assert roll.run()["state"] == "finished"
    assert_rebooted_once(roll)
    assert asked_for(roll, "RebootHost_Task") == 2, "the second one was refused, as it is on its way down"
    assert asked_for(roll, "RetrieveHardwareUptime") <= 4


def test_a_power_cycle_with_an_old_boot_time_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    controller = {"host": "esx-01", "address": "bmc.test/bmc/esx-01.lab", "username": "admin", "password": "VMware1!"}
    roll = Roll.of(owing=False, hosts=["esx-01"], reboot_if="always", method="power_cycle", bmc=[controller])
    roll.lab.sim.find("HostSystem", "esx-01.lab").knobs["boot_result"] = "old_boot_time"
    monkeypatch.setattr(http, "open_http", lambda access: InProcess(roll.lab.sim, access))
    assert roll.run()["state"] == "finished"
    assert (asked_for(roll, "ShutdownHost_Task"), asked_for(roll, "Redfish.Reset")) == (1, 1)
    assert roll.host("esx-01")["cold_boots"] == 1
    assert not roll.host("esx-01")["maintenance"]


@pytest.mark.parametrize("later", [0, 700])
def test_killed_at_every_write_it_is_rebooted_once(later: float, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(_write: Any) -> None:
        raise Killed

    monkeypatch.setattr(host_rolling_reboot, "is_gone", lambda owner: True)
    number, methods = 0, set()
    while True:
        number += 1
        roll = back_with_its_old_time()
        stop = roll.lab.sim.on_write(number, die, when="after")
        with pytest.raises(Killed):
            roll.run()
        methods.add(stop.hit.method)
        roll.lab.sim.clock.sleep(later)
        over = bool(roll.reboots()) and not roll.texts()
        assert roll.run()["state"] == "finished", (number, stop.hit.method)
        assert_rebooted_once(roll)
        if over:
            break
    assert {"RebootHost_Task", "ExitMaintenanceMode_Task"} <= methods
