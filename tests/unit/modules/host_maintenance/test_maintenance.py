# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance mode with a memory: what is stopped is started again, and what others began is theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.modules.harness import Lab

A100 = {"match": "10de:20f1"}
HOST = {"hosts": ["esx-01"]}
JOURNAL = ("directpath.maintenance", "directpath.maintenance.vm")
STOP = {"pinned_vms": "shutdown"}


@pytest.fixture
def lab() -> Lab:
    """esx-01 runs train-01, which holds two devices, and web-01, which can be moved."""
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", cluster=["compute"], devices=[A100])
    lab.run("vm_pci_device", vm=["train-01"], devices=[{**A100, "count": 2}], mmio={}, power="on")
    lab.sim.clock.advance(60)
    lab.sim.journal.clear()
    return lab


def power(lab: Lab, vm: str) -> str:
    return str(lab.sim.find("VirtualMachine", vm).power)


def in_maintenance(lab: Lab, host: str = "esx-01.lab") -> bool:
    return bool(lab.sim.find("HostSystem", host).in_maintenance)


def attributes(lab: Lab) -> dict[str, str]:
    """Name → journal entry, of hosts and VMs; nothing when the attributes are not defined."""
    manager = lab.sim.stub().connect().content
    keys = [field.key for field in manager.customFieldsManager.field if field.name in JOURNAL]
    view = manager.viewManager.CreateContainerView(manager.rootFolder, [], True)
    found = {item.name: value.value for item in view.view for value in item.customValue if value.key in keys}
    return {name: text for name, text in found.items() if text}


def test_pinned_vms_are_named_and_nothing_happens(lab: Lab) -> None:
    where = lab.sim.find("VirtualMachine", "train-01").host.name
    result = lab.run("host_maintenance", fails=True, hosts=[where])
    assert result["error_code"] == "pinned_vms"
    assert "train-01 (it holds PCI device" in result["msg"]
    assert "state: absent" in result["msg"]
    assert lab.writes() == []


def test_there_and_back(lab: Lab) -> None:
    where = lab.sim.find("VirtualMachine", "train-01").host.name
    parked = lab.run("host_maintenance", hosts=[where], **STOP)
    assert parked["hosts"][0]["vms_stopped"] == ["train-01"]
    assert parked["hosts"][0]["in_maintenance_mode"]
    assert power(lab, "train-01") == "poweredOff"
    marks = attributes(lab)
    assert set(marks) == {where, "train-01"}
    assert "by=administrator@vsphere.local" in marks[where]
    assert "in maintenance mode for work on its hardware" in marks[where]
    assert "state: absent starts it again" in marks["train-01"]
    assert lab.run("host_maintenance", hosts=[where], **STOP)["changed"] is False
    back = lab.run("host_maintenance", hosts=[where], state="absent")
    assert back["hosts"][0]["vms_started"] == ["train-01"]
    assert not in_maintenance(lab, where)
    assert power(lab, "train-01") == "poweredOn"
    assert attributes(lab) == {}
    defined = {field.name for field in lab.sim.stub().connect().content.customFieldsManager.field}
    assert not any(name.startswith("directpath.") for name in defined)
    assert lab.run("host_maintenance", hosts=[where], state="absent")["changed"] is False


def test_vms_may_be_started_later(lab: Lab) -> None:
    """Their devices are given back in between."""
    where = lab.sim.find("VirtualMachine", "train-01").host.name
    lab.run("host_maintenance", hosts=[where], **STOP)
    lab.run("host_maintenance", hosts=[where], state="absent", start_vms=False)
    assert not in_maintenance(lab, where)
    assert power(lab, "train-01") == "poweredOff"
    assert set(attributes(lab)) == {"train-01"}
    lab.run("host_maintenance", hosts=[where], state="absent")
    assert power(lab, "train-01") == "poweredOn"
    assert attributes(lab) == {}


def test_a_vm_that_somebody_started_meanwhile_is_left_alone(lab: Lab) -> None:
    where = lab.sim.find("VirtualMachine", "train-01").host.name
    lab.run("host_maintenance", hosts=[where], **STOP)
    lab.run("host_maintenance", hosts=[where], state="absent", start_vms=False)
    lab.sim.events["power_vm"](vm="train-01", on=True)
    lab.sim.journal.clear()
    result = lab.run("host_maintenance", hosts=[where], state="absent")
    assert result["hosts"][0]["vms_started"] == []
    assert attributes(lab) == {}


def test_only_the_vms_of_that_host_are_started(lab: Lab) -> None:
    """Neither one that was stopped for another host, nor one that was off before."""
    where = lab.sim.find("VirtualMachine", "train-01").host.name
    lab.sim.events["power_vm"](vm="web-02", on=False)
    lab.run("host_maintenance", hosts=[where], **STOP)
    lab.run("host_maintenance", hosts=["esx-02"], **STOP)
    assert lab.run("host_maintenance", hosts=["esx-02"], state="absent")["hosts"][0]["vms_started"] == []
    assert power(lab, "train-01") == "poweredOff"
    assert lab.run("host_maintenance", hosts=[where], state="absent")["hosts"][0]["vms_started"] == ["train-01"]
    assert power(lab, "web-02") == "poweredOff"


def test_what_others_began_is_not_ended(lab: Lab) -> None:
    si = lab.sim.stub().connect()
    host = si.content.searchIndex.FindByDnsName(None, "esx-02.lab", False)
    host.EnterMaintenanceMode_Task(0, False)
    lab.sim.clock.advance(60)
    lab.sim.journal.clear()
    seen = lab.run("host_maintenance", hosts=["esx-02"])
    assert seen["changed"] is False
    assert "another user" in seen["hosts"][0]["warnings"][0]
    refused = lab.run("host_maintenance", fails=True, hosts=["esx-02"], state="absent")
    assert refused["error_code"] == "maintenance_by_other"
    assert lab.writes() == []
    lab.run("host_maintenance", hosts=["esx-02"], state="absent", operator_maintenance="end")
    assert not in_maintenance(lab, "esx-02.lab")


def test_never_stop_and_silent_tools(lab: Lab) -> None:
    vm = lab.sim.find("VirtualMachine", "train-01")
    never = lab.run("host_maintenance", fails=True, hosts=[vm.host.name], never_stop=["train-01"], **STOP)
    assert never["error_code"] == "never_stop"
    with vm.edit("guest") as guest:
        guest.toolsRunningStatus = "guestToolsNotRunning"
    deaf = lab.run("host_maintenance", fails=True, hosts=[vm.host.name], **STOP)
    assert deaf["error_code"] == "tools_not_running"
    assert lab.writes() == []


def test_a_guest_that_does_not_listen(lab: Lab) -> None:
    """What was done is said; the mark is there, so that nothing is lost; the plug is pulled only where that was allowed."""
    vm = lab.sim.find("VirtualMachine", "train-01")
    lab.sim.knobs.set("shutdown_guest_result", "ignored")
    result = lab.run("host_maintenance", fails=True, hosts=[vm.host.name], stop_timeout=60, **STOP)
    assert result["error_code"] == "shutdown_timed_out"
    assert not in_maintenance(lab, vm.host.name)
    assert vm.power == "poweredOn"
    done = lab.run("host_maintenance", hosts=[vm.host.name], stop_timeout=60, pinned_vms="shutdown_then_power_off")
    assert done["hosts"][0]["in_maintenance_mode"]
    lab.run("host_maintenance", hosts=[vm.host.name], state="absent")
    assert vm.power == "poweredOn"


@pytest.mark.parametrize("times", [1, 99])
def test_a_refused_call_is_repeated_and_then_the_host_is_back_as_it_was(lab: Lab, times: int) -> None:
    """The host has no entry then, so that the next maintenance mode is not taken for one of this module."""
    vm = lab.sim.find("VirtualMachine", "train-01")
    where = vm.host.name
    lab.sim.faults.add(method="EnterMaintenanceMode_Task", fault="HostConfigFault", times=times)
    result = lab.run("host_maintenance", fails=times > 1, hosts=[where], **STOP)
    if times > 1:
        assert "did not enter maintenance mode after 4 calls" in result["msg"]
        assert vm.power == "poweredOn"
        assert attributes(lab) == {}
        assert result["not_done"] == result["changes"]
    else:
        assert in_maintenance(lab, where)


class Killed(BaseException):
    """The process is gone."""


def kill(_write: Any) -> None:
    raise Killed


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["there", "back"])
@pytest.mark.parametrize("write", range(1, 6))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_anywhere_it_is_gone_on_with(lab: Lab, phase: str, write: int, moment: str) -> None:
    """Stopped at each write of the way there or back: the same again finishes it, and all ends as it was."""
    where = lab.sim.find("VirtualMachine", "train-01").host.name
    there: dict[str, Any] = {"hosts": [where], **STOP}
    back: dict[str, Any] = {"hosts": [where], "state": "absent"}
    if phase == "back":
        lab.run("host_maintenance", **there)
    lab.sim.on_write(write, kill, when=moment)
    with pytest.raises(Killed):
        lab.run("host_maintenance", **(there if phase == "there" else back))
    lab.sim.clock.advance(900)
    if phase == "there":
        lab.run("host_maintenance", **there)
        assert in_maintenance(lab, where)
        assert power(lab, "train-01") == "poweredOff"
    lab.run("host_maintenance", **back)
    assert not in_maintenance(lab, where)
    assert power(lab, "train-01") == "poweredOn"
    assert attributes(lab) == {}


def test_without_the_privilege_the_journal_is_in_a_file(lab: Lab, tmp_path: Path) -> None:
    lab.sim.authz.add_role(
        "Few", ("Host.Config.Maintenance", "VirtualMachine.Interact.PowerOn", "VirtualMachine.Interact.PowerOff")
    )
    lab.sim.authz.add_user("few@vsphere.local", "VMware1!", "Few")
    lab.user = "few@vsphere.local"
    where = lab.sim.find("VirtualMachine", "train-01").host.name
    kept = {"journal_dir": str(tmp_path)}
    refused = lab.run("host_maintenance", fails=True, hosts=[where], journal="vcenter", **STOP, **kept)
    assert refused["error_code"] == "journal_impossible"
    result = lab.run("host_maintenance", hosts=[where], **STOP, **kept)
    assert "lacks" in result["journal"]["why"]
    (file,) = tmp_path.iterdir()
    assert "train-01" not in file.read_text(encoding="utf-8")
    assert lab.run("host_maintenance", hosts=[where], state="absent", **kept)["hosts"][0]["vms_started"] == ["train-01"]
    assert list(tmp_path.iterdir()) == []


def test_an_esxi_host_that_is_asked_itself(tmp_path: Path) -> None:
    lab = Lab.load("standalone_67")
    (host,) = lab.sim.describe(lab.sim)["hosts"]
    running = sorted(vm["name"] for vm in lab.sim.describe(lab.sim)["vms"] if vm["power"] == "poweredOn")
    kept = {"hosts": [host["name"]], "journal_dir": str(tmp_path)}
    if running:
        assert lab.run("host_maintenance", fails=True, **kept)["error_code"] == "pinned_vms"
    result = lab.run("host_maintenance", pinned_vms="shutdown_then_power_off", **kept)
    assert result["hosts"][0]["vms_stopped"] == running
    assert in_maintenance(lab, host["name"])
    assert lab.run("host_maintenance", state="absent", **kept)["hosts"][0]["vms_started"] == running
    impossible = lab.run("host_maintenance", fails=True, journal="vcenter", **kept)
    assert impossible["error_code"] == "journal_impossible"
