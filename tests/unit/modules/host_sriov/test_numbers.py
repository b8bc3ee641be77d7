# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of virtual functions against a simulated vCenter: what is configured and what is in effect, who uses them, and the reboot."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell import host_sriov as shell
from simulator.objects.host.cards import cards
from simulator.objects.vm.devices import from_lab
from tests.unit.modules.harness import Lab

X710, VF = "8086:1572", "8086:154c"
LEFT, RIGHT = "0000:3b:00.0", "0000:3b:00.1"
"""The ports of the NIC: vmnic2 and vmnic3."""


def loaded(*vms: dict[str, Any], present: int = 0, version: str = "8.0.3", **more: Any) -> Lab:
    """A host with an A100 and a two-port X710 whose right port has so many virtual functions since its last boot."""
    host = {"name": "esx-01.lab", "cards": ["x710", "a100"], "states": {RIGHT: {"virtual_functions": present}}}
    host |= {"vms": [{"memory_gb": 8, **vm} for vm in vms]}
    knobs = more.pop("knobs", {})
    lab = {"kind": "vcenter", "version": version, "knobs": knobs}
    return Lab.load({**lab, "datacenters": [{"name": "DC", "hosts": [{**host, **more}]}]})


def of(number: int, vmnic: str = "vmnic3", **more: Any) -> dict[str, Any]:
    return {"hosts": ["esx-01"], "devices": [{"vmnic": vmnic, "virtual_functions": number}], **more}


def state(lab: Lab, address: str = RIGHT) -> dict[str, Any]:
    """What host_pci_device_info shows of a function."""
    (host,) = lab.run("host_pci_device_info", hosts=["esx-01"], include="all")["hosts"]
    (found,) = [device for device in host["devices"] if device["address"] == address]
    return dict(found)


def listed(lab: Lab) -> list[str]:
    (host,) = lab.run("host_pci_device_info", hosts=["esx-01"], include="all")["hosts"]
    return [device["address"] for device in host["devices"] if device["ids"] == VF]


# -- configured and in effect ---------------------------------------------------------------------------------------


def test_a_number_waits_for_the_reboot_and_is_no_change_meanwhile() -> None:
    lab = loaded()
    first = lab.run("host_sriov", **of(8))
    assert first["reboot_required"] == ["esx-01.lab"]
    assert first["hosts"][0]["pending"] == [RIGHT]
    assert state(lab)["sriov"] == {
        "capable": True, "enabled": True, "active": False, "requested": 8, "present": 0, "maximum": 64, "pending": True
    }  # fmt: skip
    assert state(lab)["vmnic"] == "vmnic3"
    second = lab.run("host_sriov", **of(8))
    assert (second["changed"], second["hosts"][0]["status"]) == (False, "pending")
    rebooted = lab.run("host_rolling_reboot", **of(8))
    assert rebooted["rebooted"] == ["esx-01.lab"]
    assert len(listed(lab)) == 8
    settled = lab.run("host_sriov", **of(8))
    assert (settled["changed"], settled["reboot_required"], settled["hosts"][0]["status"]) == (False, [], "ok")
    assert lab.run("host_rolling_reboot", **of(8))["rebooted"] == [], "nothing is pending any more"


@pytest.mark.parametrize("apply", ["auto", "now", "reboot"])
@pytest.mark.parametrize("at_once", [False, True])
def test_whatever_the_host_does_with_apply_now_the_result_says_it(apply: str, at_once: bool) -> None:
    """That applyNow works for numbers of virtual functions is not documented. Check mode expects the reboot that the guides name."""
    lab = loaded(knobs={"sriov_at_once": at_once})
    assert lab.run("host_sriov", check=True, **of(8, apply=apply))["reboot_required"] == ["esx-01.lab"]
    disappointed = apply == "now" and not at_once
    result = lab.run("host_sriov", **of(8, apply=apply), fails=disappointed)
    assert result.get("error_code") == ("not_applied" if disappointed else None)
    effective = at_once and apply != "reboot"
    assert result["reboot_required"] == ([] if effective else ["esx-01.lab"])
    assert len(listed(lab)) == (8 if effective else 0)
    again = lab.run("host_sriov", **of(8))
    assert not again["changed"]
    assert again["hosts"][0]["status"] == ("ok" if effective else "pending")


def test_an_uplink_keeps_its_link_and_changes_at_the_reboot_only() -> None:
    lab = loaded(knobs={"sriov_at_once": True}, cards=[{"card": "x710", "uplinks": [1]}])
    result = lab.run("host_sriov", **of(8))
    assert "an uplink of vSwitch0" in result["hosts"][0]["warnings"][0]
    assert result["reboot_required"] == ["esx-01.lab"]
    refused = lab.run("host_sriov", fails=True, **of(4, apply="now"))
    assert refused["error_code"] == "uplink_in_service"


def test_now_is_refused_on_a_host_that_needs_the_reboot() -> None:
    lab = loaded(rebind=False)
    assert lab.run("host_sriov", fails=True, **of(8, apply="now"))["error_code"] == "rebind_unsupported"
    assert lab.writes() == []


def test_zero_turns_it_off_and_on_a_nic_without_sriov_nothing_is_to_be_done() -> None:
    lab = loaded(present=4)
    assert lab.run("host_sriov", **of(0))["changes"][0]["after"]["virtual_functions"] == 0
    lab.run("host_rolling_reboot", **of(0))
    assert listed(lab) == []
    assert state(lab)["sriov"]["enabled"] is False
    assert not lab.run("host_sriov", **of(0))["changed"]
    assert not lab.run("host_sriov", **of(0, vmnic="vmnic0"))["changed"], "the NIC on board has no SR-IOV"
    gone = lab.run("host_sriov", **of(0, vmnic="vmnic9"))
    assert "nothing to turn off" in gone["hosts"][0]["warnings"][0]


@pytest.mark.parametrize(
    ("fault", "why"),
    [("HostConfigFault", "see vmkernel.log of the host"), ("NotSupported", "does not offer the operation")],
)
def test_a_write_that_the_host_refuses_is_told_and_the_next_run_makes_it(fault: str, why: str) -> None:
    lab = loaded(present=4)
    lab.sim.faults.add(method="UpdatePassthruConfig", fault=fault, times=1)
    result = lab.run("host_sriov", fails=True, **of(8))
    assert "Cannot change SR-IOV on esx-01.lab" in result["msg"]
    assert why in result["msg"]
    assert (result["changed"], result["reboot_required"]) == (False, [])
    assert [change["after"]["virtual_functions"] for change in result["not_done"]] == [8]
    assert (state(lab)["sriov"]["requested"], len(listed(lab))) == (4, 4)
    assert lab.run("host_sriov", **of(8))["changed"]
    assert not lab.run("host_sriov", **of(8))["changed"]


def test_fewer_functions_than_configured_after_the_reboot_are_a_failed_verification() -> None:
    """Interrupt vectors or the driver limit them: another reboot changes nothing."""
    lab = loaded(knobs={"virtual_functions_at_most": 4})
    lab.run("host_sriov", **of(8))
    result = lab.run("host_rolling_reboot", fails=True, **of(8))
    assert "8 virtual functions configured, 4 in effect" in result["msg"]
    assert "interrupt vectors" in result["msg"]


def test_a_number_nobody_desires_keeps_no_host_in_maintenance_mode() -> None:
    """A host that never had as many as configured went back to service before, and still does."""
    lab = loaded(knobs={"virtual_functions_at_most": 4})
    lab.run("host_sriov", **of(8))
    assert lab.run("host_rolling_reboot", hosts=["esx-01"])["rebooted"] == ["esx-01.lab"]
    assert lab.run("host_rolling_reboot", hosts=["esx-01"])["rebooted"] == [], "nor is it rebooted by each run"


def test_a_reboot_is_refused_beforehand_if_the_number_is_not_configured() -> None:
    lab = loaded()
    lab.run("host_sriov", **of(8, vmnic="vmnic2"))
    result = lab.run("host_rolling_reboot", fails=True, **of(8))
    assert "0 virtual functions, and 8 are desired" in result["msg"]
    assert "RebootHost_Task" not in lab.writes()


# -- passthrough beside them ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [{"enabled": True, "active": True}, {"enabled": True}, {"active": True}])
def test_a_function_that_is_passed_through_is_refused(values: dict[str, bool]) -> None:
    lab = loaded(states={RIGHT: values})
    result = lab.run("host_sriov", fails=True, hosts=["esx-01"], devices=[{"match": X710, "virtual_functions": 4}])
    assert result["error_code"] == "passed_through"
    assert lab.writes() == []
    off = lab.run("host_sriov", hosts=["esx-01"], devices=[{"match": X710, "virtual_functions": 0}])
    assert not off["changed"], "a function that is passed through has no virtual functions to turn off"


def test_host_passthrough_refuses_a_function_that_has_them() -> None:
    lab = loaded(present=4)
    result = lab.run("host_passthrough", fails=True, hosts=["esx-01"], devices=[{"match": X710}])
    assert result["error_code"] == "protected"


def test_a_gpu_is_refused() -> None:
    result = loaded().run(
        "host_sriov", fails=True, hosts=["esx-01"], devices=[{"match": "10de:20f1", "virtual_functions": 4}]
    )
    assert "not a network adapter" in result["msg"]


# -- who uses them --------------------------------------------------------------------------------------------------

USERS = {
    "powered on": {"name": "nfv-01", "power": "on", "devices": [{"sriov": RIGHT}, {"sriov": RIGHT}]},
    "powered off": {"name": "nfv-01", "devices": [{"sriov": RIGHT}, {"sriov": RIGHT}]},
}


@pytest.mark.parametrize("title", sorted(USERS))
def test_no_number_below_those_in_use(title: str) -> None:
    lab = loaded(USERS[title], present=4)
    result = lab.run("host_sriov", fails=True, **of(1))
    assert result["error_code"] == "in_use"
    assert f"2 x nfv-01 ({title})" in result["msg"]
    assert lab.run("host_sriov", fails=True, **of(0))["error_code"] == "in_use"
    assert lab.writes() == []
    assert lab.run("host_sriov", **of(2))["changed"], "two are left for two"
    assert lab.run("host_sriov", **of(8))["changed"], "more is always possible"


@pytest.mark.parametrize(("number", "refused"), [(2, False), (1, False), (0, True)])
def test_a_vm_whose_function_vsphere_chooses_may_use_any(number: int, refused: bool) -> None:
    lab = loaded({"name": "nfv-01", "devices": [{"sriov": "0000:00:00.0"}]}, present=4)
    if not refused:
        assert lab.run("host_sriov", **of(number))["changed"]
        return
    result = lab.run("host_sriov", fails=True, **of(number))
    assert result["error_code"] == "holders_unknown"
    assert "nfv-01" in result["msg"]
    assert lab.run("host_sriov", **of(number, ignore_unreadable_vms=["nfv-01"]))["changed"]


def test_a_vm_that_cannot_be_read_may_use_any() -> None:
    lab = loaded({"name": "lost-01"}, present=4)
    lab.sim.find("VirtualMachine", "lost-01").set("runtime.connectionState", "inaccessible")
    result = lab.run("host_sriov", fails=True, **of(2))
    assert result["error_code"] == "holders_unknown"
    assert "lost-01" in result["msg"]
    assert lab.run("host_sriov", check=True, **of(8))["changed"], "more takes nothing from it"
    assert lab.run("host_sriov", **of(2, ignore_unreadable_vms=["lost-01"]))["changed"]


def test_a_vm_that_gets_an_adapter_between_plan_and_write_stops_the_write(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = loaded({"name": "nfv-01"}, present=4)
    vm, host = lab.sim.find("VirtualMachine", "nfv-01"), lab.sim.find("HostSystem", "esx-01.lab")
    adapter = from_lab({"sriov": RIGHT}, cards(host), host.spec.system_id, 0)
    deepen = shell._deepen

    def and_meanwhile(*given: Any) -> Any:
        found = deepen(*given)
        if adapter not in vm.get("config").hardware.device:
            with vm.edit("config") as config:
                config.hardware.device.append(adapter)
        return found

    monkeypatch.setattr(shell, "_deepen", and_meanwhile)
    result = lab.run("host_sriov", fails=True, **of(0))
    assert result["error_code"] == "changed_meanwhile"
    assert "nfv-01" in result["msg"]
    assert lab.writes() == []


# -- drivers and interrupt vectors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("max_vfs=4,4", True),
        ("RSS=1 max_vfs=0,16", True),
        ("max_vfs=0,8", False),
        ("max_vfs=16", False),
        ("max_vfs=4,0", False),
        ("RSS=1", False),
        ("", False),
    ],
)
def test_a_parameter_of_the_driver_that_says_another_number_is_named(options: str, named: bool) -> None:
    """A value that the host has configured now is no contradiction: some releases write the parameter themselves."""
    lab = loaded(module_options={"i40en": options})
    warnings = " ".join(lab.run("host_sriov", check=True, **of(8))["hosts"][0]["warnings"])
    assert ("max_vfs" in warnings) is named
    if named:
        assert "esxcli system module parameters set -m i40en" in warnings


def test_a_parameter_that_wins_shows_after_the_reboot() -> None:
    lab = loaded(module_options={"i40en": "max_vfs=4,4"}, knobs={"driver_parameter_wins": True})
    lab.run("host_sriov", **of(8))
    assert "max_vfs" in lab.run("host_rolling_reboot", fails=True, **of(8))["msg"]


def test_without_the_privilege_the_parameters_are_unknown_and_that_is_said() -> None:
    lab = Lab.load(
        {
            "kind": "vcenter",
            "version": "8.0.3",
            "roles": {"Sriov": ["System.Anonymous", "System.View", "System.Read", "Host.Config.PciPassthru"]},
            "users": [{"name": "nfv@vsphere.local", "password": "VMware1!", "role": "Sriov"}],
            "datacenters": [{"name": "DC", "hosts": [{"name": "esx-01.lab", "cards": ["x710"]}]}],
        }
    )
    lab.user = "nfv@vsphere.local"
    result = lab.run("host_sriov", **of(8))
    assert result["changed"]
    assert "needs the privilege Host.Config.Settings" in " ".join(result["hosts"][0]["warnings"])


def test_only_hosts_that_change_are_asked_for_parameters() -> None:
    lab = loaded()
    lab.run("host_sriov", **of(8))
    lab.sim.journal.clear()
    lab.run("host_sriov", **of(8))
    assert "QueryConfiguredModuleOptionString" not in [call.method for call in lab.sim.journal.calls]


def test_too_few_interrupt_vectors_are_named() -> None:
    cards = [{"card": "x710", "count": 8}]
    lab = loaded(cards=cards, states={})
    result = lab.run("host_sriov", check=True, hosts=["esx-01"], devices=[{"match": X710, "virtual_functions": 64}])
    assert "would need 3072 interrupt vectors" in " ".join(result["hosts"][0]["warnings"])
    fewer = lab.run("host_sriov", check=True, hosts=["esx-01"], devices=[{"match": X710, "virtual_functions": 63}])
    assert "interrupt vectors" not in " ".join(fewer["hosts"][0]["warnings"])


# -- old releases ---------------------------------------------------------------------------------------------------


def test_an_api_that_cannot_say_it_is_refused() -> None:
    lab = loaded()
    lab.api_version = "vim.version.version8"  # 5.1
    result = lab.run("host_sriov", fails=True, **of(8))
    assert result["error_code"] in ("api_too_old", "library_too_old")
    assert lab.writes() == []


def test_an_old_host_below_a_new_vcenter_is_set_with_the_next_boot() -> None:
    lab = loaded(version="6.7", rebind=False)
    assert lab.run("host_sriov", **of(8))["reboot_required"] == ["esx-01.lab"]
