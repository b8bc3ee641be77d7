# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run takes back is what it did, whenever it ends: after a refused read, after a lost answer, and beside other people's changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.gate import Gate
from tests.unit.modules.harness import Lab
from tests.unit.modules.recheck.meanwhile import GPU, HOST, OTHER, VM, Change, before_the_first_write, edit, event, give
from tests.unit.modules.recheck.test_recheck import PARK, pinned, power
from tests.unit.modules.recheck.test_recheck_back import A100, CHANGE, NEXT, at, running, shape

pytestmark = pytest.mark.slow

THIRD = "0000:86:00.0"


def once(lab: Lab, method: str, change: Change) -> None:
    """The change happens right after the first call of the method."""
    done: list[bool] = []

    def on_write(_write: Any) -> None:
        if not done:
            done.append(True)
            change(lab.sim)

    lab.sim.on_write(None, on_write, when="after", method=method)


def refused_read(number: int) -> Change:
    """One of the reads from now on is refused."""
    return lambda sim: sim.faults.add(method="RetrievePropertiesEx", fault="SystemError", after=number, times=1)


def at_look(number: int, change: Callable[[], Any]) -> Any:
    """The change happens before a target is looked at for the so-manieth time."""
    honest, looks = Gate.reread, []

    def look(gate: Any) -> Any:
        looks.append(True)
        if len(looks) == number:
            change()
        return honest(gate)

    return mock.patch.object(Gate, "reread", look)


@pytest.mark.parametrize("number", range(4))
def test_a_vm_runs_again_where_a_read_is_refused_after_its_shutdown(number: int) -> None:
    lab = running(with_card=False)
    before = shape(lab)
    once(lab, "ShutdownGuest", refused_read(number))
    result = lab.run("vm_pci_device", fails=True, **CHANGE)
    assert shape(lab) == before
    assert "it was started again without the change" in result["msg"]


def test_what_somebody_else_attached_meanwhile_is_not_taken_back() -> None:
    lab = running(with_card=False)
    once(lab, "ReconfigVM_Task", lambda sim: (sim.clock.advance(10), give(VM, THIRD)(sim))[0])
    lab.sim.faults.add(method="PowerOnMultiVM_Task", fault="GenericVmConfigFault", times=1)
    lab.run("vm_pci_device", fails=True, **CHANGE)
    assert shape(lab)["devices"] == [THIRD]


def test_a_change_whose_answer_was_lost_is_taken_back_too() -> None:
    lab = running(with_card=True)
    before = shape(lab)
    lab.sim.faults.add(method="ReconfigVM_Task", drop="after", times=1)
    lab.sim.faults.add(method="PowerOnMultiVM_Task", fault="GenericVmConfigFault", times=1)
    result = lab.run("vm_pci_device", fails=True, **CHANGE)
    assert shape(lab) == before
    assert "the change was undone, it was started again without the change" in result["msg"]


def test_a_vm_is_started_although_its_change_could_not_be_taken_back() -> None:
    lab = running(with_card=True)
    lab.sim.faults.add(method="PowerOnMultiVM_Task", fault="GenericVmConfigFault", times=1)
    lab.sim.faults.add(method="ReconfigVM_Task", fault="NoPermission", after=1, times=1)
    result = lab.run("vm_pci_device", fails=True, **CHANGE)
    assert (shape(lab)["power"], shape(lab)["devices"]) == ("poweredOn", [NEXT])
    assert "it was started again with the change" in result["msg"]
    assert "did not start again" not in result["msg"]


def test_a_vm_that_somebody_started_again_is_not_called_off() -> None:
    lab = running(with_card=False)
    with at_look(2, lambda: lab.sim.events["power_vm"](vm=VM, on=True)):
        result = lab.run("vm_pci_device", fails=True, **CHANGE)
    assert (shape(lab)["power"], shape(lab)["devices"]) == ("poweredOn", [])
    assert result["error_code"] == "changed_meanwhile"
    assert "did not start again" not in result["msg"]


def test_two_vms_do_not_keep_one_card_because_an_answer_was_lost() -> None:
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", hosts=[HOST], devices=[A100])
    lab.sim.on_write(None, lambda _write: give("web-01")(lab.sim), when="before", method="ReconfigVM_Task")
    lab.sim.faults.add(method="ReconfigVM_Task", drop="after", times=1)
    result = lab.run("vm_pci_device", fails=True, vm=[VM], devices=[at(GPU)], backing="fixed")
    assert result["error_code"] == "device_taken"
    assert shape(lab)["devices"] == []


def test_a_part_that_somebody_else_made_is_not_ours_because_an_answer_was_lost() -> None:
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", cluster=["compute"], devices=[A100])

    def lock(sim: Any) -> None:
        edit("VirtualMachine", VM, "config.memoryReservationLockedToMax", lambda _old: True)(sim)
        edit("VirtualMachine", VM, "config.memoryAllocation.reservation", lambda _old: 64 * 1024)(sim)

    lab.sim.faults.add(method="ReconfigVM_Task", drop="before", times=1)
    with before_the_first_write(lab, lock):
        result = lab.run("vm_pci_device", vm=[VM], devices=[at(GPU)], backing="fixed")
    assert [change["kind"] for change in result["changes"]] == ["attach"]


def test_a_card_that_a_refused_vm_asks_for_stays_reserved() -> None:
    """All that are left is what was planned; it does not become more because the other VM cannot have its card."""
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", hosts=[HOST], devices=[A100])
    event("move_vm", vm="train-02", host=HOST)(lab.sim)
    edit("VirtualMachine", VM, "config.nestedHVEnabled", lambda _old: True)(lab.sim)
    desired_devices = [{"name": VM, "devices": [at(GPU)]}, {"name": "train-02", "devices": [{**A100, "count": "all"}]}]
    result = lab.run("vm_pci_device", fails=True, vms=desired_devices, backing="fixed")
    assert {vm["name"]: vm["status"] for vm in result["vms"]} == {VM: "refused", "train-02": "changed"}


# -- maintenance mode -----------------------------------------------------------------------------------------------


def other_work(lab: Lab) -> Change:
    return lambda _sim: lab.sim.events["run_task"](on=HOST, task="HostSystem.scanLicenses")


def test_a_vm_that_a_person_stopped_is_not_started_with_those_that_the_run_stopped() -> None:
    lab = pinned()
    lab.run("vm_pci_device", vm=[OTHER], devices=[at(NEXT)], backing="fixed", mmio={}, power="cycle")
    lab.sim.clock.advance(120)
    once(lab, "ShutdownGuest", other_work(lab))
    with before_the_first_write(lab, event("power_vm", vm=VM, on=False)):
        result = lab.run("host_maintenance", fails=True, **PARK)
    assert (power(lab), power(lab, OTHER)) == ("poweredOff", "poweredOn")
    assert f"{OTHER} was started again" in result["msg"]


def test_a_vm_that_was_stopped_before_an_answer_was_lost_is_started_again() -> None:
    lab = pinned()
    lab.sim.faults.add(method="EnterMaintenanceMode_Task", drop="before", times=1)
    once(lab, "ShutdownGuest", other_work(lab))
    result = lab.run("host_maintenance", fails=True, **PARK)
    assert power(lab) == "poweredOn"
    assert f"{VM} was started again" in result["msg"]


@pytest.mark.parametrize("number", range(4))
def test_a_host_enters_maintenance_mode_although_a_read_is_refused_after_its_vm_was_stopped(number: int) -> None:
    lab = pinned()
    once(lab, "ShutdownGuest", refused_read(number))
    result = lab.run("host_maintenance", **PARK)
    assert power(lab) == "poweredOff"
    assert result["hosts"][0]["done"] == [
        "esx-01.lab entered maintenance mode",
        f"{VM} was shut down (state: absent starts it again)",
    ]


def test_a_vm_that_was_removed_while_it_was_stopped_is_forgotten() -> None:
    lab = pinned()
    lab.run("host_maintenance", **PARK)
    with before_the_first_write(lab, lambda sim: sim.remove(sim.find("VirtualMachine", VM))):
        result = lab.run("host_maintenance", hosts=[HOST], state="absent")
    assert result["hosts"][0]["status"] == "changed"


@pytest.mark.parametrize("method", ["EnterMaintenanceMode_Task", "ExitMaintenanceMode_Task"])
def test_maintenance_mode_whose_answer_was_lost_is_waited_for(method: str) -> None:
    lab = pinned()
    lab.sim.faults.add(method=method, drop="after", times=1)
    lab.run("host_maintenance", **PARK)
    lab.run("host_maintenance", hosts=[HOST], state="absent")
    assert power(lab) == "poweredOn"


# -- what was not done is said --------------------------------------------------------------------------------------


def kinds(records: list[dict[str, Any]], target: str) -> list[str]:
    return [record["kind"] for record in records if record["target"] == target]


@pytest.mark.parametrize("host", ["esx-02.lab", "esx-03.lab"])
def test_nothing_of_a_vm_that_was_not_written_to_counts_as_done(host: str) -> None:
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", cluster=["compute"], devices=[A100])
    with before_the_first_write(lab, event("move_vm", vm=VM, host=host)):
        result = lab.run("vm_pci_device", fails=True, vm=[VM], devices=[at(GPU)], backing="fixed")
    assert result["not_done"] == result["changes"] != []
    assert ", 0 changes, 2 not done, 1 failed]" in result["msg"]


def test_nothing_of_a_change_that_was_taken_back_counts_as_done() -> None:
    lab = running(with_card=False)
    lab.sim.faults.add(method="PowerOnMultiVM_Task", fault="GenericVmConfigFault", times=1)
    result = lab.run("vm_pci_device", fails=True, **CHANGE)
    assert kinds(result["not_done"], VM) == kinds(result["changes"], VM) != []


def test_a_maintenance_mode_that_was_not_entered_does_not_count_as_done() -> None:
    lab = pinned()
    lab.run("vm_pci_device", vm=[OTHER], devices=[at(NEXT)], backing="fixed", mmio={}, power="cycle")
    lab.sim.clock.advance(120)
    once(lab, "ShutdownGuest", other_work(lab))
    with before_the_first_write(lab, event("power_vm", vm=VM, on=False)):
        result = lab.run("host_maintenance", fails=True, **PARK)
    assert [(c["kind"], c["subject"]) for c in result["not_done"]] == [
        ("shutdown", OTHER),
        ("enter_maintenance", "maintenance mode"),
    ]
