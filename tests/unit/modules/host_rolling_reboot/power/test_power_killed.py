# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A power cycle that is killed, wherever: the host ends on, its cards lost power once, the button is not pressed twice."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell import host_rolling_reboot
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.redfish import http
from tests.unit.module_utils._vsphere.redfish.bmc_lab import InProcess
from tests.unit.modules.host_rolling_reboot.lab import Roll

pytestmark = pytest.mark.slow

CONTROLLER = {"host": "esx-01", "address": "bmc.test/bmc/esx-01.lab", "username": "admin", "password": "VMware1!"}


class Killed(BaseException):
    """The process is gone."""


def die(_write: Any) -> None:
    raise Killed


def one_host(monkeypatch: pytest.MonkeyPatch, offers: str) -> Roll:
    roll = Roll.of(owing=False, hosts=["esx-01"], reboot_if="always", method="power_cycle", bmc=[CONTROLLER])
    roll.lab.sim.events["set_knob"](name="bmc_offers", value=offers, host="esx-01.lab")
    monkeypatch.setattr(http, "open_http", lambda access: InProcess(roll.lab.sim, access))
    return roll


@pytest.mark.parametrize(("when", "offers"), [("before", "push_power_button"), ("after", "power_cycle")])
def test_it_is_gone_on_with_and_power_is_lost_once(monkeypatch: pytest.MonkeyPatch, when: str, offers: str) -> None:
    """Where ``On`` is not offered, a reset too many would be a power cut, or a shutdown."""
    number, methods = 0, []
    while True:
        number += 1
        roll = one_host(monkeypatch, offers)
        stop = roll.lab.sim.on_write(number, die, when=when)
        with pytest.raises(Killed):
            roll.run()
        assert stop.hit is not None
        methods.append(stop.hit.method)
        if roll.host("esx-01")["cold_boots"] and not roll.texts():
            break  # the roll is over and its lock is gone: the same command is a new roll
        # Whoever starts it again may do so at once.
        with mock.patch.object(host_rolling_reboot, "is_gone", return_value=True):
            assert roll.run()["state"] == "finished", (number, methods[-1])
        calls = [call for call in roll.lab.sim.journal.calls if call.method == "Redfish.Reset" and call.effect]
        assert len(calls) == 1, (number, methods[-1])
        assert roll.host("esx-01")["cold_boots"] == 1
        roll.assert_over({"esx-01"})
    assert {"ShutdownHost_Task", "Redfish.Reset", "ExitMaintenanceMode_Task"} <= set(methods)


def shut_down_and_killed(monkeypatch: pytest.MonkeyPatch) -> Roll:
    """The process died after it shut down the host, whose VM is off because of it."""
    roll = one_host(monkeypatch, "all")
    roll.options["pinned_vms"] = "shutdown"
    roll.lab.sim.on_write(1, die, when="answered", method="ShutdownHost_Task")
    with pytest.raises(Killed):
        roll.run()
    roll.lab.sim.clock.sleep(600)
    return roll


def test_a_restore_powers_the_host_on_by_its_controller(monkeypatch: pytest.MonkeyPatch) -> None:
    roll = shut_down_and_killed(monkeypatch)
    result = roll.lab.run("rolling_reboot_restore", bmc=[CONTROLLER])
    assert result["hosts_returned"] == ["esx-01.lab"]
    assert result["hosts_left"] == result["vms_off"] == []
    calls = [call for call in roll.lab.sim.journal.calls if call.method == "Redfish.Reset" and call.effect]
    assert len(calls) == 1
    assert roll.host("esx-01")["cold_boots"] == 1


def test_without_the_controller_a_restore_asks_for_a_person_and_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    roll = shut_down_and_killed(monkeypatch)
    result = roll.lab.run("rolling_reboot_restore", fails=True, reboot_timeout=1200)
    asked = "was shut down for a power cycle, and its management controller is not given (bmc): power it on by hand"
    assert [note for note in result["notes"] if asked in note], result["notes"]
    assert asked in result["msg"]
    assert result["hosts_left"] == ["esx-01.lab"]
