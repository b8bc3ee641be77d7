# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rolling reboot is killed at each of its writes. A restore gives everything back, reboots nothing, and the run can be resumed."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.restore import WHAT_IT_DOES
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import Step
from tests.unit.modules.host_rolling_reboot.lab import Roll
from tests.unit.modules.rolling_reboot_info.test_status import interrupted
from tools.envs import ROOT

MODULE, STATUS = "rolling_reboot_restore", "rolling_reboot_info"
LAST = 43
"""The write after which nothing is left but the journal."""


def assert_given_back(roll: Roll) -> None:
    on = {vm["name"] for vm in roll.vms() if vm["power"] == "poweredOn"}
    assert on >= roll.running
    for host in roll.hosts():
        assert not host["maintenance"], host["name"]
        assert not host["entering"], host["name"]


def assert_restored(write: int) -> None:
    roll = interrupted(write)
    roll.lab.sim.clock.sleep(400)
    off = roll.running - {vm["name"] for vm in roll.vms() if vm["power"] == "poweredOn"}
    predicted = roll.lab.run(MODULE, check=True)
    assert roll.lab.writes() == []
    roll.lab.sim.journal.clear()
    result = roll.lab.run(MODULE)
    assert roll.reboots() == {}, "a restore never reboots"
    assert_given_back(roll)
    assert set(result["vms_started"]) == off
    assert result["vms_off"] == result["hosts_left"] == []
    assert result["changes"] == predicted["changes"]
    assert result["changed"] == predicted["changed"]
    assert roll.lab.run(STATUS)["vms_off"] == []
    roll.lab.sim.journal.clear()
    again = roll.lab.run(MODULE)
    assert not again["changed"]
    assert roll.lab.writes() == []
    roll.lab.sim.clock.sleep(400)
    assert roll.run()["state"] == "finished"
    assert_given_back(roll)


@pytest.mark.parametrize("write", [8, 14, 20, 26])
def test_everything_is_given_back_and_the_run_can_be_resumed(write: int) -> None:
    assert_restored(write)


@pytest.mark.slow
@pytest.mark.parametrize("write", [write for write in range(2, LAST) if write not in (8, 14, 20, 26)])
def test_the_same_after_every_other_write(write: int) -> None:
    assert_restored(write)


def test_a_live_run_is_refused_and_named() -> None:
    roll = interrupted(14)
    failed = roll.lab.run(MODULE, fails=True)
    assert failed["error_code"] == "locked"
    owner = roll.lab.run(STATUS)["runs"][0]["owner"]
    assert owner in failed["msg"]
    assert roll.lab.writes() == []
    wrong = roll.lab.run(MODULE, fails=True, take_lock="someone@else:1:1:1-1")
    assert wrong["error_code"] == "locked"
    result = roll.lab.run(MODULE, take_lock=owner)
    assert result["vms_started"] == ["train-01"]
    assert_given_back(roll)


def test_only_the_named_hosts_are_restored() -> None:
    roll = interrupted(14)
    roll.lab.sim.clock.sleep(400)
    result = roll.lab.run(MODULE, hosts=["esx-03"])
    assert not result["changed"]
    assert roll.lab.writes() == []
    assert roll.lab.run(MODULE, hosts=["esx-01"])["vms_started"] == ["train-01"]
    unknown = roll.lab.run(MODULE, hosts=["esx-99"], fails=True)
    assert unknown["error_code"] == "unknown_host"


def test_a_vm_that_a_person_started_is_left_alone() -> None:
    roll = interrupted(24)
    roll.lab.sim.clock.sleep(400)
    roll.lab.sim.events["power_vm"](vm="train-01", on=True)
    roll.lab.sim.journal.clear()
    result = roll.lab.run(MODULE)
    assert result["vms_started"] == []
    assert "PowerOnVM_Task" not in roll.lab.writes()
    assert_given_back(roll)


def test_a_vm_that_cannot_start_is_named_first() -> None:
    roll = interrupted(24)
    roll.lab.sim.clock.sleep(400)
    roll.lab.sim.events["set_device_state"](host="esx-01.lab", address="0000:3b:00.0", enabled=False, active=False)
    failed = roll.lab.run(MODULE, fails=True)
    assert failed["msg"].startswith("Still off: train-01. ")
    assert failed["vms_off"] == ["train-01"]
    assert roll.lab.run(STATUS)["vms_off"] == ["train-01"]


def test_nothing_to_do_writes_nothing() -> None:
    roll = Roll.of("three_hosts", owing=False)
    roll.lab.sim.journal.clear()
    result = roll.lab.run(MODULE)
    assert not result["changed"]
    assert roll.lab.writes() == []


def test_a_host_that_fails_its_verification_stays_and_is_named() -> None:
    roll = interrupted(15)
    roll.lab.sim.events["swap_card"](host="esx-01.lab", address="0000:3b:00.0", card="h100")
    roll.lab.sim.clock.sleep(900)
    failed = roll.lab.run(MODULE, fails=True, verify_timeout=60)
    assert failed["error_code"] == "identity_changed"
    assert failed["msg"].startswith("Still off: train-01. Not in service: esx-01.lab. ")
    assert roll.host("esx-01")["maintenance"]
    assert roll.reboots() == {}


def test_every_phase_has_a_line_in_the_table() -> None:
    assert set(WHAT_IT_DOES) == set(get_args(Step))


def test_the_guide_has_the_same_table() -> None:
    page = (ROOT / "docs" / "guides" / "emergency.md").read_text(encoding="utf-8")
    rows = page.split("| phase of the host |")[1].split("\n\n")[0].splitlines()[2:]
    told = {phase for row in rows for phase in re.findall(r"`([a-z_]+)`", row.split("|")[1])}
    assert told == set(WHAT_IT_DOES) - {"maintenance"}, "host_maintenance has a guide of its own"
