# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SR-IOV network adapters of VMs against a simulated cluster for network functions."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import yaml
from pyVmomi import vim

from tests.unit.modules.harness import LABS, Lab

DATA, CONTROL, LAB_NET = {"network": "nfv-data"}, {"network": "nfv-control"}, {"network": "lab-net"}


def nfv(drs: str = "fullyAutomated", **knobs: Any) -> Lab:
    text = (LABS / "nfv.yml").read_text(encoding="utf-8")
    lab = Lab.load(yaml.safe_load(text.replace("drs: fullyAutomated", f"drs: {drs}")))
    for name, value in knobs.items():
        lab.sim.knobs.set(name, value)
    return lab


def adapters(lab: Lab, vm: str) -> list[dict[str, Any]]:
    """As vm_pci_device_info shows them, in the order of the labels."""
    found = lab.run("vm_pci_device_info", vms=[vm])["vms"][0]["devices"]
    return [device for device in sorted(found, key=lambda one: one["label"]) if device["backing"] == "sriov"]


def drift(lab: Lab, *vms: dict[str, Any]) -> dict[str, Any]:
    return lab.run("drift_info", vms=list(vms))


def test_adapters_come_with_the_memory_lock_in_one_reconfiguration() -> None:
    lab = nfv()
    ask = {
        "vm": ["fw-01"],
        "sriov_networks": [DATA, {**LAB_NET, "physical_function": "vmnic4", "mac": "02-00-5E-00-00-01"}],
    }
    predicted = lab.run("vm_sriov_network", check=True, **ask)
    assert lab.writes() == []
    made = lab.run("vm_sriov_network", **ask, power="on")
    assert lab.writes() == ["ReconfigVM_Task", "PowerOnMultiVM_Task"]
    assert made["changes"][:-1] == predicted["changes"]
    assert [(change["kind"], change["subject"]) for change in predicted["changes"]] == [
        ("attach", "SR-IOV nfv-data #1"),
        ("attach", "SR-IOV lab-net #1"),
        ("memory", "memory reservation"),
    ]
    warnings = str(made["vms"][0]["warnings"])
    assert "no vMotion" in warnings
    assert "tied to esx-nfv-01.lab" in warnings
    first, second = adapters(lab, "fw-01")
    assert (first["network"], first["automatic"], first["physical_function"]) == ("nfv-data", True, "0000:3b:00.0")
    assert (second["mac"], second["address_type"]) == ("02:00:5e:00:00:01", "manual")
    assert (second["network"], second["automatic"], second["physical_function"]) == ("lab-net", False, "0000:5e:00.0")
    lab.sim.journal.clear()
    assert not lab.run("vm_sriov_network", **ask, power="on")["changed"]
    assert lab.writes() == []


@pytest.mark.parametrize(
    "knobs",
    [
        {"added_adapters_order": "reversed"},
        {"automatic_adapter_off": "unset"},
        {"sriov_pools_shown": False},
        {"sriov_counts_in_limit": True},
        {"virtual_function_state": "not_capable"},
        {"reconfigure_seconds": 200.0},
    ],
    ids=str,
)
def test_the_second_run_changes_nothing_whatever_the_server_does(knobs: dict[str, Any]) -> None:
    lab = nfv(**knobs)
    mac = "02:00:5e:00:00:02"
    ask = {
        "vm": ["fw-01"],
        "sriov_networks": [DATA, {**DATA, "mac": mac}, CONTROL, {**DATA, "physical_function": "vmnic2"}],
    }
    for power in ("off", "on", "cycle"):
        lab.run("vm_sriov_network", **ask, power=power)
        lab.sim.clock.advance(300)
        lab.sim.journal.clear()
        assert not lab.run("vm_sriov_network", **ask, power=power)["changed"]
        assert lab.writes() == []
        assert not drift(lab, {"name": "fw-01", "sriov_networks": ask["sriov_networks"]})["report"]["differences"]
    assert sorted(one["network"] for one in adapters(lab, "fw-01")) == [
        "nfv-control",
        "nfv-data",
        "nfv-data",
        "nfv-data",
    ]


def test_an_edit_keeps_what_is_not_desired_otherwise() -> None:
    lab = nfv()
    lab.run("vm_sriov_network", vm=["fw-01"], sriov_networks=[{**DATA, "allow_guest_mtu_change": True}])
    (before,) = adapters(lab, "fw-01")
    ask = {"vm": ["fw-01"], "sriov_networks": [{**DATA, "physical_function": "0000:3b:00.0"}]}
    result = lab.run("vm_sriov_network", **ask)
    (change,) = result["changes"]
    assert (change["kind"], change["subject"]) == ("edit", "SR-IOV network adapter 1")
    assert (change["before"]["physical_function"], change["after"]["physical_function"]) == (
        "auto",
        "vmnic2 (0000:3b:00.0)",
    )
    (after,) = adapters(lab, "fw-01")
    assert after == {**before, "automatic": False, "physical_function": "0000:3b:00.0"}
    assert lab.run("vm_sriov_network", vm=["fw-01"], sriov_networks=[DATA])["changes"][0]["kind"] == "edit"
    assert adapters(lab, "fw-01") == [before]


def test_an_adapter_is_found_by_its_mac_address_in_another_network() -> None:
    lab, mac = nfv(), "00:50:56:00:00:21"
    lab.run("vm_sriov_network", vm=["fw-01"], sriov_networks=[{**DATA, "mac": mac}])
    result = lab.run("vm_sriov_network", vm=["fw-01"], sriov_networks=[{**CONTROL, "mac": mac}])
    assert [change["kind"] for change in result["changes"]] == ["edit"]
    assert [(one["network"], one["mac"]) for one in adapters(lab, "fw-01")] == [("nfv-control", mac)]


def test_entries_of_two_vms_with_one_mac_address_are_named_beforehand_for_both() -> None:
    """Each VM was planned alone: the second one only had a warning after the first one had its adapter."""
    lab, network = nfv(), {**DATA, "mac": "00:50:56:00:00:21"}
    vms: list[dict[str, Any]] = [{"name": name, "sriov_networks": [network]} for name in ("dpi-01", "fw-01")]
    result = lab.run("vm_sriov_network", check=True, vms=vms)
    told = [" ".join(vm["warnings"]) for vm in result["vms"]]
    assert "The entries of dpi-01 and fw-01 have the same MAC address 00:50:56:00:00:21" in told[0]
    assert "The entries of fw-01 and dpi-01 have the same MAC address 00:50:56:00:00:21" in told[1]
    alone = lab.run("vm_sriov_network", check=True, vms=vms[1:])
    assert "same MAC address" not in " ".join(alone["vms"][0]["warnings"])


def test_a_mac_address_that_a_person_chose_stays_with_its_adapter() -> None:
    lab = nfv()
    ask = {
        "vm": ["probe-01"],
        "sriov_networks": [{**LAB_NET, "physical_function": "vmnic4", "mac": "00:50:56:00:00:11"}],
    }
    result = lab.run("vm_sriov_network", **ask, power="cycle", allow_power_off=True)
    assert [change["kind"] for change in result["changes"]] == ["shutdown", "attach", "power_on"]
    assert [one["mac"] for one in adapters(lab, "probe-01")] == ["00:50:56:00:00:10", "00:50:56:00:00:11"]


def test_absent_and_exactly_remove_adapters_and_nothing_else() -> None:
    lab = nfv()
    ask = {"vm": ["dpi-01"], "devices": ["10de:20f1"], "sriov_networks": [DATA, CONTROL], "mmio": {}}
    lab.run("vm_pci_device", **ask)
    ordinary = [
        card.key
        for card in lab.sim.find("VirtualMachine", "dpi-01").devices
        if isinstance(card, vim.vm.device.VirtualVmxnet3)
    ]
    # An entry that does not name adapters decides nothing about them, and the other way round.
    assert not lab.run("vm_pci_device", vm=["dpi-01"], devices=["10de:20f1"], state="exactly", mmio={})["changed"]
    lab.run("vm_sriov_network", vm=["dpi-01"], sriov_networks=[CONTROL], state="absent")
    assert [one["network"] for one in adapters(lab, "dpi-01")] == ["nfv-data"]
    result = lab.run("vm_sriov_network", vm=["dpi-01"], sriov_networks=[], state="exactly", unlock_memory=True)
    assert [change["kind"] for change in result["changes"]] == ["detach"], "the memory lock is for the GPU too"
    devices = lab.run("vm_pci_device_info", vms=["dpi-01"])["vms"][0]["devices"]
    assert [device["backing"] for device in devices] == ["dynamic"]
    cards = lab.sim.find("VirtualMachine", "dpi-01").devices
    assert [card.key for card in cards if isinstance(card, vim.vm.device.VirtualVmxnet3)] == ordinary
    assert not lab.run("vm_sriov_network", vm=["dpi-01"], sriov_networks=[], state="exactly")["changed"]


def test_a_card_adapters_and_a_virtual_function_are_one_reconfiguration() -> None:
    lab = nfv()
    function = {"match": "8086:154c", "virtual_function": True}
    ask = {
        "vm": ["dpi-01"],
        "devices": ["10de:20f1", function],
        "sriov_networks": [DATA, CONTROL],
        "mmio": {},
        "power": "on",
    }
    predicted = lab.run("vm_pci_device", check=True, **ask)
    made = lab.run("vm_pci_device", **ask)
    assert lab.writes() == ["ReconfigVM_Task", "PowerOnMultiVM_Task"]
    assert made["changes"] == predicted["changes"]
    backings = [device["backing"] for device in made["vms"][0]["devices"]]
    assert sorted(backings) == ["dynamic", "fixed", "sriov", "sriov"]
    lab.sim.journal.clear()
    assert not lab.run("vm_pci_device", **ask)["changed"]
    entry = {"name": "dpi-01", **{key: ask[key] for key in ("devices", "sriov_networks", "mmio", "power")}}
    assert drift(lab, entry)["status"] == "in_sync"
    assert lab.writes() == []


def test_drift_names_what_site_would_do_and_what_is_too_much() -> None:
    lab = nfv()
    entry = {"name": "router-01", "sriov_networks": [{**DATA, "physical_function": "vmnic2"}, LAB_NET]}
    found = drift(lab, entry)["report"]["differences"]
    assert {
        one["kind"]: one["subject"] for one in found if one["planned"] and one["kind"] != "memory_not_reserved"
    } == {
        "device_missing": "SR-IOV lab-net #1",
        "adapter_differs": "SR-IOV network adapter 1",
    }
    (extra,) = [one for one in found if one["kind"] == "extra"]
    assert extra["device"] == "nfv-control"
    assert '"sriov_networks"' in extra["command"]
    assert '"devices"' not in extra["command"], "the intent does not name its devices, so the command keeps them"


# -- limits and refusals ---------------------------------------------------------------------------------------------


def test_virtual_functions_are_counted_over_all_vms_of_the_plan() -> None:
    """vmnic4 has two, and probe-01 uses one of them. VMs of a cluster without DRS are powered on where they are."""
    lab = nfv(drs="disabled")
    ask = [{**LAB_NET, "physical_function": "vmnic4"}]
    result = lab.run(
        "vm_sriov_network",
        fails=True,
        vm=["fw-01", "fw-02"],
        sriov_networks=ask,
        power="on",
        allow_shutdown=True,
        allow_power_off=True,
    )
    assert result["error_code"] == "no_free_virtual_function"
    assert {vm["name"]: vm["status"] for vm in result["vms"]} == {"fw-01": "changed", "fw-02": "refused"}
    assert "vmnic4 on esx-nfv-01.lab, which has 2, in use by fw-01 (1), probe-01 (1)" in result["msg"]
    again = lab.run(
        "vm_sriov_network", fails=True, vm=["fw-02"], sriov_networks=ask, power="cycle", allow_power_off=True
    )
    assert "in use by fw-01 (1), probe-01 (1)" in again["msg"]


def test_those_of_vms_that_are_off_are_noted() -> None:
    lab = nfv(drs="disabled")
    lab.run("vm_sriov_network", vm=["fw-01"], sriov_networks=[{**LAB_NET, "physical_function": "vmnic4"}])
    ask = [{**LAB_NET, "physical_function": "vmnic4"}] * 2
    result = lab.run(
        "vm_sriov_network", fails=True, vm=["fw-02"], sriov_networks=ask, power="cycle", allow_power_off=True
    )
    assert "(powered off, but configured with them: fw-01 (1))" in result["msg"]


def test_a_vm_has_room_for_128_devices_and_adapters() -> None:
    lab = nfv()
    result = lab.run("vm_sriov_network", fails=True, vm=["fw-01"], sriov_networks=[DATA] * 129)
    assert result["error_code"] == "too_many_devices"
    assert lab.writes() == []


def test_a_power_on_that_fails_is_undone() -> None:
    """The virtual functions are taken while the VM is reconfigured."""
    lab = nfv(drs="disabled")
    host = lab.sim.find("HostSystem", "esx-nfv-01.lab")

    def take(_write: Any) -> None:
        host.functions_used["0000:5e:00.0"] = 2

    lab.sim.on_write(1, take, method="ReconfigVM_Task")
    ask = {"vm": ["fw-02"], "sriov_networks": [{**LAB_NET, "physical_function": "vmnic4"}]}
    lab.sim.clock.advance(300)
    result = lab.run("vm_sriov_network", fails=True, **ask, power="cycle")
    assert "No SR-IOV virtual function (VF) is available" in result["msg"]
    assert "the change was undone" in result["msg"]
    assert adapters(lab, "fw-02") == []
    assert lab.sim.find("VirtualMachine", "fw-02").is_on


@pytest.mark.parametrize(("version", "code"), [("5.1", "api_too_old"), ("5.5", "")])
def test_an_api_before_adapters_is_refused(version: str, code: str) -> None:
    from ansible_collections.directpath.vsphere.plugins.module_utils._domain.writing.api_versions import (
        ApiVersions,
        kind_blocker,
        parse_version,
    )

    api = ApiVersions(spoken=parse_version(version), server=parse_version(version), library=parse_version("9.1"))
    blocker = kind_blocker("sriov_network", api, "fw-01")
    assert (blocker.code if blocker else "") == code


def test_functions_that_go_between_plan_and_write_are_noticed() -> None:
    """Another user turns SR-IOV off while the guest shuts down."""
    lab = nfv()
    lab.sim.clock.advance(300)
    host = lab.sim.find("HostSystem", "esx-nfv-01.lab")

    def turn_off(_write: Any) -> None:
        off = {address: dataclasses.replace(state, sriov=None) for address, state in host.pci.items()}
        host.pci = off
        host.publish()

    lab.sim.on_write(1, turn_off, method="ShutdownGuest")
    result = lab.run("vm_sriov_network", fails=True, vm=["fw-02"], sriov_networks=[DATA], power="cycle")
    assert result["error_code"] == "changed_meanwhile"
    assert "ReconfigVM_Task" not in lab.writes()
    assert lab.sim.find("VirtualMachine", "fw-02").is_on


def test_two_networks_of_one_name_need_the_id() -> None:
    lab = nfv()
    host = lab.sim.find("HostSystem", "esx-nfv-01.lab")
    twin = next(lab.sim.obj(ref) for ref in host.props["network"] if lab.sim.obj(ref).is_named("lab-net"))
    twin.set("name", "nfv-data")
    result = lab.run("vm_sriov_network", fails=True, vm=["fw-01"], sriov_networks=[DATA])
    assert result["error_code"] == "ambiguous_network"
    assert len(result["candidates"]) == 2
    moid = next(text.split()[0] for text in result["candidates"] if "distributed" in text)
    assert lab.run("vm_sriov_network", vm=["fw-01"], sriov_networks=[{"network": moid}])["changed"]


@pytest.mark.parametrize("missing", ["Network.Assign", "VirtualMachine.Config.AddRemoveDevice", ""])
def test_the_privileges_that_it_needs(missing: str) -> None:
    lab = nfv()
    needed = {"Network.Assign", "VirtualMachine.Config.AddRemoveDevice", "VirtualMachine.Config.Resource"}
    lab.sim.authz.add_role("network functions", sorted(needed - {missing}))
    lab.sim.authz.add_user("nfv@vsphere.local", "VMware1!", "network functions")
    lab.user = "nfv@vsphere.local"
    result = lab.run("vm_sriov_network", fails=bool(missing), vm=["fw-01"], sriov_networks=[DATA])
    assert bool(missing) is bool(result.get("failed"))
    assert missing in result.get("msg", "")


# -- virtual functions as devices ------------------------------------------------------------------------------------


def test_a_virtual_function_is_given_only_when_it_is_certainly_free() -> None:
    lab = nfv()
    function = {
        "match": {"address": "0000:3b:02.0", "vendor_id": "8086", "device_id": "154c"},
        "virtual_function": True,
    }
    result = lab.run("vm_pci_device", fails=True, vm=["fw-01"], devices=[function])
    assert result["error_code"] == "no_free_device"
    assert "does not show which virtual function an adapter has" in str(result["vms"][0]["blockers"])
    lab.run("vm_sriov_network", vm=["router-01"], sriov_networks=[], state="exactly", power="off", allow_power_off=True)
    assert (
        lab.run("vm_pci_device", vm=["fw-01"], devices=[function], power="on")["vms"][0]["power_state"] == "poweredOn"
    )
    lab.sim.journal.clear()
    assert not lab.run("vm_pci_device", vm=["fw-01"], devices=[function], power="on")["changed"]
    # What fw-01 holds is not left for adapters: eight virtual functions, one of them taken.
    result = lab.run(
        "vm_sriov_network",
        fails=True,
        vm=["dpi-01", "fw-02"],
        sriov_networks=[DATA] * 8,
        power="cycle",
        allow_power_off=True,
    )
    assert "fw-01 (1)" in result["msg"]


def test_without_the_key_a_virtual_function_is_no_card() -> None:
    result = nfv().run("vm_pci_device", fails=True, vm=["fw-01"], devices=["8086:154c"])
    assert result["error_code"] == "no_such_device"
