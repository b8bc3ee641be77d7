# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``minimum_hardware_version``: upgraded by consent, with the VM off, before its devices change, and never back."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from tests.unit.modules.harness import Lab
from tests.unit.pains.labs import desired, entry, host, lab, on, power, vm, written

TO_20: dict[str, Any] = {"vm": ["train-01"], "devices": desired(), "minimum_hardware_version": 20, "power": "cycle"}


def old(release: str = "8.0.3", *, hosts: list[dict[str, Any]] | None = None, **more: Any) -> Lab:
    """A running VM of hardware version 14, which has no dynamic devices."""
    return lab(hosts or [host(cards=[on(), on()], version=release)], [vm(power="on", version=14, **more)])


def version(made: Lab) -> str:
    found: str = made.sim.find("VirtualMachine", "train-01").get("config").version
    return found


def without_disk(made: Lab) -> None:
    with made.sim.find("VirtualMachine", "train-01").edit("config") as config:
        kept = [item for item in config.hardware.device if not isinstance(item, vim.vm.device.VirtualDisk)]
        config.hardware.device = kept


def changes(result: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    return [(change["kind"], change["before"], change["after"]) for change in result["changes"]]


def test_the_upgrade_is_in_the_same_power_cycle_and_before_the_devices() -> None:
    made = old()
    checked = made.run("vm_pci_device", check=True, **TO_20)
    result = made.run("vm_pci_device", **TO_20)
    assert checked["changes"] == result["changes"]
    assert checked["vms"][0]["warnings"] == result["vms"][0]["warnings"]
    assert ("hardware_version", 14, 20) in changes(result)
    writes = [name for name in made.writes() if name in ("ShutdownGuest", "UpgradeVM_Task", "ReconfigVM_Task")]
    assert writes == ["ShutdownGuest", "UpgradeVM_Task", "ReconfigVM_Task"]
    assert (version(made), power(made)) == ("vmx-20", "poweredOn")
    assert entry(result, "train-01")["devices"][0]["backing"] == "dynamic", "which version 14 does not have"
    assert any("cannot be reverted" in warning for warning in result["vms"][0]["warnings"])
    assert made.run("vm_pci_device", **TO_20)["changed"] is False


def test_a_vm_that_is_new_enough_is_not_upgraded_and_nothing_more_is_read() -> None:
    plain, asked = (lab([host(cards=[on(), on()])], [vm(version=20)]) for _number in range(2))
    few = plain.run("vm_pci_device", vm=["train-01"], devices=desired(), minimum_hardware_version=None)["calls"]
    assert asked.run("vm_pci_device", vm=["train-01"], devices=desired(), minimum_hardware_version=17)["calls"] == few
    assert version(asked) == "vmx-20", "never back"


def test_without_the_option_no_vm_is_upgraded() -> None:
    made = old()
    result = made.run("vm_pci_device", fails=True, vm=["train-01"], devices=desired(), backing="dynamic", power="cycle")
    assert result["error_code"] == "hardware_version"
    assert version(made) == "vmx-14"


def test_the_limit_is_that_of_the_new_version() -> None:
    cards = [on() for _number in range(7)]
    made = lab([host(cards=cards, version="8.0.3")], [vm(version=9)])
    options = {"vm": ["train-01"], "devices": desired(count=7), "backing": "fixed"}
    refused = made.run("vm_pci_device", fails=True, **options)
    assert refused["error_code"] == "too_many_devices", "version 9 allows 6"
    result = made.run("vm_pci_device", **options, minimum_hardware_version=20)
    assert len(entry(result, "train-01")["devices"]) == 7


def test_the_next_version_that_the_host_offers() -> None:
    made = lab([host(cards=[on(), on()], version="8.0.3")], [vm(version=13)])
    result = made.run("vm_pci_device", vm=["train-01"], devices=desired(), minimum_hardware_version=12)
    assert not [change for change in result["changes"] if change["kind"] == "hardware_version"], "13 is more than 12"
    older = lab([host(cards=[on(), on()], version="8.0.3")], [vm(version=5 + 2)])
    result = older.run("vm_pci_device", vm=["train-01"], devices=[], minimum_hardware_version=8)
    assert changes(result) == [("hardware_version", 7, 8)]


@pytest.mark.parametrize("hosts", ["listed", "left_out"])
def test_a_version_that_the_host_does_not_offer(hosts: str) -> None:
    mixed = [host(cards=[on(), on()], version="7.0.3"), host("esx-02", cards=[on()], version="8.0.3")]
    made = old(hosts=mixed)
    made.sim.knobs.set("descriptor_hosts", hosts)
    for check in (True, False):
        result = made.run("vm_pci_device", check=check, fails=True, **TO_20)
        blocker = entry(result, "train-01")["blockers"][0]
        assert (result["error_code"], blocker["code"]) == ("hardware_version_not_offered",) * 2
    assert made.writes() == [], "nothing is stopped for it"
    if hosts == "listed":
        assert blocker["candidates"] == ["15", "16", "17", "18", "19"]
    fitting = made.run("vm_pci_device", **{**TO_20, "minimum_hardware_version": 17})
    assert ("hardware_version", 14, 17) in changes(fitting)


def test_hosts_that_cannot_run_the_vm_afterwards_are_named() -> None:
    mixed = [host(cards=[on(), on()], version="8.0.3"), host("esx-02", cards=[on()], version="7.0.3")]
    warnings = old(hosts=mixed).run("vm_pci_device", check=True, **TO_20)["vms"][0]["warnings"]
    assert any("cannot run on esx-02 with hardware version 20" in warning for warning in warnings)


def test_a_vm_without_a_disk_is_refused_before_it_is_stopped() -> None:
    made = old()
    without_disk(made)
    result = made.run("vm_pci_device", fails=True, **TO_20)
    assert result["error_code"] == "no_disk"
    assert made.writes() == []


def test_a_host_in_maintenance_mode_is_refused() -> None:
    made = lab([host(cards=[on(), on()], version="8.0.3", maintenance=True)], [vm(version=14)])
    result = made.run("vm_pci_device", fails=True, vm=["train-01"], devices=[], minimum_hardware_version=20)
    assert result["error_code"] == "host_in_maintenance"
    assert made.writes() == []


def test_after_a_refused_upgrade_the_vm_runs_as_before() -> None:
    made = old()
    made.sim.faults.add(method="UpgradeVM_Task", times=1, fault="NoDiskFound")
    result = made.run("vm_pci_device", fails=True, **TO_20)
    assert result["error_code"] == "no_disk"
    assert (version(made), power(made)) == ("vmx-14", "poweredOn")
    assert "hardware version was upgraded" not in result["msg"]


def test_after_a_refused_reconfigure_the_message_says_that_the_upgrade_stays() -> None:
    made = old()
    made.sim.faults.add(method="ReconfigVM_Task", times=1, fault="GenericVmConfigFault")
    result = made.run("vm_pci_device", fails=True, **TO_20)
    assert "its hardware version was upgraded from 14 to 20, which cannot be reverted" in result["msg"]
    assert (version(made), power(made)) == ("vmx-20", "poweredOn")
    assert not written(made, "ReconfigVM_Task")


def test_a_lost_answer_to_the_upgrade_is_no_second_upgrade() -> None:
    made = old()
    made.sim.faults.add(method="UpgradeVM_Task", times=1, drop="after")
    assert made.run("vm_pci_device", **TO_20)["changed"]
    assert (version(made), power(made)) == ("vmx-20", "poweredOn")
    assert made.writes().count("UpgradeVM_Task") == 1


def test_absent_upgrades_nothing() -> None:
    made = lab([host(cards=[on(), on()], version="8.0.3")], [vm(version=14)])
    result = made.run("vm_pci_device", vm=["train-01"], devices=desired(), state="absent", minimum_hardware_version=20)
    assert result["changed"] is False


@pytest.mark.parametrize("number", [0, 6, 100])
def test_a_number_that_is_no_hardware_version(number: int) -> None:
    result = old().run("vm_pci_device", fails=True, **{**TO_20, "minimum_hardware_version": number})
    assert (result["error_code"], "minimum_hardware_version" in result["msg"]) == ("bad_amount", True)


def test_drift_reports_it_until_it_is_done() -> None:
    made = old()
    wanted = {"name": "train-01", "devices": desired(), "minimum_hardware_version": 20, "allow_shutdown": True}
    found = made.run("drift_info", vms=[wanted])["report"]["differences"]
    assert [(one["kind"], one["found"], one["wanted"]) for one in found if one["subject"] == "hardware version"] == [
        ("hardware_old", "14", "20")
    ]
    made.run("vm_pci_device", vms=[wanted])
    assert made.run("drift_info", vms=[wanted])["status"] == "in_sync"
