# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that are shut down and powered on through their management controllers."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell import host_rolling_reboot as rolling
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.redfish import http as redfish_http
from tests.unit.module_utils._vsphere.redfish.bmc_lab import InProcess
from tests.unit.modules.host_rolling_reboot.lab import Roll

pytestmark = pytest.mark.slow

DEFAULTS = {"username": "admin", "password": "VMware1!"}


def access(number: int, host: int | None = None) -> dict[str, str]:
    return {"host": f"esx-0{host or number}", "address": f"bmc.test/bmc/esx-0{number}.lab"}


@pytest.fixture
def roll(monkeypatch: pytest.MonkeyPatch) -> Roll:
    made = Roll.of(
        owing=False,
        hosts=["esx-01", "esx-02"],
        reboot_if="always",
        method="power_cycle",
        bmc=[access(1), access(2)],
        bmc_defaults=DEFAULTS,
    )
    monkeypatch.setattr(redfish_http, "open_http", lambda given: InProcess(made.lab.sim, given))
    return made


def resets(roll: Roll) -> list[str]:
    return [
        call.args["ResetType"] for call in roll.lab.sim.journal.calls if call.method == "Redfish.Reset" and call.effect
    ]


def test_power_is_taken_and_given_back_and_the_same_proof_is_asked_for(roll: Roll) -> None:
    planned = roll.lab.run("host_rolling_reboot", check=True, **roll.options)
    assert [host["name"] for host in planned["schedule"]["hosts"]] == ["esx-01.lab", "esx-02.lab"]
    assert roll.lab.writes() == []
    result = roll.run()
    assert result["state"] == "finished"
    assert resets(roll) == ["On", "On"]
    assert [roll.host(name)["cold_boots"] for name in ("esx-01", "esx-02", "esx-03")] == [1, 1, 0]
    roll.assert_over({"esx-01", "esx-02"})
    assert "RebootHost_Task" not in roll.lab.writes()


def test_the_passwords_are_told_nobody(roll: Roll, tmp_path: Any) -> None:
    result = roll.run(progress_file=str(tmp_path / "progress"))
    assert "VMware1!" not in str(result)
    assert "VMware1!" not in (tmp_path / "progress").read_text()


@pytest.mark.parametrize(
    ("bmc", "says"),
    [
        ([access(1)], "esx-02.lab"),
        ([access(1), access(3, host=2)], "esx-02.lab"),
        ([access(1), {**access(2), "username": "viewer"}], "viewer"),
        ([access(1), {**access(2), "password": "wrong"}], "password"),
    ],
    ids=["none", "another server's", "may only read", "wrong password"],
)
def test_a_host_that_could_not_be_powered_on_again_is_not_shut_down(roll: Roll, bmc: Any, says: str) -> None:
    result = roll.fail(bmc=bmc)
    assert result["error_code"] == "no_bmc"
    assert says in result["msg"]
    assert result["rebooted"] == ["esx-01.lab"]
    assert roll.host("esx-02")["cold_boots"] == 0
    assert not roll.host("esx-02")["maintenance"]


def test_a_run_that_is_killed_while_the_host_is_off_powers_it_on(roll: Roll, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(write: Any) -> None:
        raise Killed

    roll.lab.sim.on_write(1, die, when="after", method="ShutdownHost_Task")
    with pytest.raises(Killed):
        roll.run()
    roll.lab.sim.clock.sleep(120)
    assert not roll.host("esx-01")["powered"]
    monkeypatch.setattr(rolling, "is_gone", lambda owner: True)
    assert roll.run()["state"] == "finished"
    assert resets(roll) == ["On", "On"]
    roll.assert_over({"esx-01", "esx-02"})


@pytest.mark.parametrize("trouble", [{"http": 503}, {"drop": "before"}, {"drop": "after"}], ids=str)
def test_a_controller_in_trouble_is_asked_again_and_told_once(roll: Roll, trouble: dict[str, Any]) -> None:
    roll.lab.sim.faults.add(method="Redfish.Reset", times=1, **trouble)
    assert roll.run()["state"] == "finished"
    assert resets(roll) == ["On", "On"]
    roll.assert_over({"esx-01", "esx-02"})
