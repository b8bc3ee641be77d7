# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that show their old boot time after a reboot: what they say of their uptime decides whether they are told again."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from rolling_lab import Roll


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
    assert "does not say for how long it is up" in result["msg"]
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
