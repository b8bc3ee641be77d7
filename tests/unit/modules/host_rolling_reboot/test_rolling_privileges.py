# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs that would be stopped are stopped only by an account that may start them again."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.unit.modules.host_rolling_reboot.lab import Roll

pytestmark = pytest.mark.slow

ON, OFF = "VirtualMachine.Interact.PowerOn", "VirtualMachine.Interact.PowerOff"
WORK = {"Host.Config.Maintenance", "Host.Config.PciPassthru", "Global.SetCustomField", "Global.ManageCustomFields"}


def as_roller(privileges: set[str], *, pinned_vms: str = "shutdown", pinned: bool = True) -> Roll:
    """The work is given to an account that has just these privileges. Two of three hosts run a VM that cannot be moved."""
    roll = Roll.pinned(pinned_vms=pinned_vms) if pinned else Roll.of(cluster=["compute"], pinned_vms=pinned_vms)
    sim = roll.lab.sim
    sim.authz.add_role("Roller", privileges)
    sim.authz.add_user("roller@vsphere.local", "VMware1!", "Roller")
    roll.lab.user = "roller@vsphere.local"
    sim.journal.clear()
    return roll


def shown(result: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [host for host in result["hosts"] if host["name"] == f"{name}.lab"]
    return found


def asked(roll: Roll) -> int:
    return Counter(call.method for call in roll.lab.sim.journal.calls)["HasPrivilegeOnEntities"]


@pytest.mark.parametrize("lacking", [ON, OFF])
@pytest.mark.parametrize("policy", ["shutdown", "shutdown_then_power_off"])
def test_nothing_is_stopped_that_may_not_be_started_again(lacking: str, policy: str) -> None:
    roll = as_roller((WORK | {ON, OFF}) - {lacking}, pinned_vms=policy)
    result = roll.fail()
    assert result["error_code"] == "no_permission"
    assert result["rebooted"] == ["esx-03.lab"], "the others go on"
    for host, vm in (("esx-01", "train-01"), ("esx-02", "train-02")):
        (blocker,) = shown(result, host)["blockers"]
        assert blocker["code"] == "no_permission"
        assert (vm in blocker["message"], lacking in blocker["message"]) == (True, True)
        assert ({ON, OFF} - {lacking}).pop() not in blocker["message"]
        assert "Grant" in blocker["cure"]
        assert not roll.host(host)["maintenance"]
        assert roll.vm(vm)["power"] == "poweredOn"
    writes = roll.lab.writes()
    assert "ShutdownGuest" not in writes
    assert "PowerOffVM_Task" not in writes
    assert writes.count("EnterMaintenanceMode_Task") == 1


def test_an_account_that_may_does_it_all_and_asks_once_an_exam_and_once_a_vm() -> None:
    roll = as_roller(WORK | {ON, OFF})
    result = roll.run()
    assert result["rebooted"] == ["esx-01.lab", "esx-02.lab", "esx-03.lab"]
    roll.assert_over()
    # Once for the journal, before each of the hosts that run such VMs, and before each of these VMs is stopped.
    assert asked(roll) == 5


def test_only_the_vms_it_may_not_start_block_their_host() -> None:
    roll = as_roller(WORK | {ON, OFF})
    sim = roll.lab.sim
    sim.authz.add_role("Half", WORK | {OFF})
    sim.authz.permit("roller@vsphere.local", sim.find("VirtualMachine", "train-02"), "Half")
    result = roll.fail()
    assert result["rebooted"] == ["esx-01.lab", "esx-03.lab"]
    assert "train-02" in result["msg"]
    assert "train-01" not in result["msg"]


def test_check_mode_shows_it_and_asks_once_for_all() -> None:
    roll = as_roller(WORK | {OFF})
    planned = roll.lab.run("host_rolling_reboot", check=True, fails=True, **roll.options)
    assert [host["name"] for host in planned["schedule"]["hosts"]] == ["esx-03.lab"]
    left = {row["name"]: row["blockers"][0] for row in planned["schedule"]["left"]}
    assert {row["code"] for row in left.values()} == {"no_permission"}
    assert "train-02" in left["esx-02.lab"]["message"]
    assert roll.lab.writes() == []
    assert asked(roll) == 2, "for the journal, and for all VMs"


def test_a_plan_that_frees_the_vm_of_its_device_asks_for_no_privilege() -> None:
    roll = as_roller(WORK | {OFF})
    options = {**roll.options, "assume_detached": ["train-01", "train-02"]}
    planned = roll.lab.run("host_rolling_reboot", check=True, **options)
    assert len(planned["schedule"]["hosts"]) == 3


@pytest.mark.parametrize("fault", ["NotSupported", "InvalidArgument"])
def test_a_server_that_cannot_say_keeps_nobody_from_it(fault: str) -> None:
    roll = as_roller(WORK | {ON, OFF})
    roll.lab.sim.faults.add(method="HasPrivilegeOnEntities", fault=fault)
    assert roll.run()["state"] == "finished"
    roll.assert_over()


@pytest.mark.parametrize("policy", ["fail", "shutdown"])
def test_a_roll_that_stops_nothing_does_not_ask(policy: str) -> None:
    roll = as_roller(WORK, pinned_vms=policy, pinned=False)
    assert roll.run()["state"] == "finished"
    roll.assert_over()
    assert asked(roll) == 1, "for the journal"
