# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody could confirm how the real API behaves in some points. The main job must survive every way it may be.

Each case turns one knob of the simulator away from its default and runs the whole job: enable, reboot, attach, start; then again, when
nothing may change. Where a setting makes the job impossible, it must end in a refusal that says so and not in another reboot.
"""

from __future__ import annotations

from typing import Any

import pytest

from simulator.rules.knobs import FIELDS
from tests.unit.modules.harness import Lab

pytestmark = pytest.mark.slow

A100 = {"match": "10de:20f1"}
HOSTS = {"cluster": ["compute"], "devices": [A100]}
VM = {"vm": ["train-01"], "devices": [{**A100, "count": 2}], "mmio": {}, "power": "on"}

SURVIVED: list[tuple[str, Any]] = [
    ("info_delay_seconds", 0.0),
    ("info_delay_seconds", 20.0),
    ("info_delay_seconds", -1.0),
    ("refresh_shows_info", False),
    ("unknown_id_fault", "invalid_argument"),
    ("not_capable_fault", "not_supported"),
    ("uplink_fault", "accept"),
    ("same_value_fault", "host_config_fault"),
    ("same_value_fault", "platform_config_fault"),
    ("sriov_conflict_fault", "platform_config_fault"),
    ("sriov_conflict_fault", "invalid_argument"),
    ("sriov_conflict_fault", "not_supported"),
    ("added_adapters_order", "reversed"),
    ("automatic_adapter_off", "unset"),
    ("storage_refused", True),
    ("group_follows", True),
    ("reboot_required_flag", "never"),
    ("reboot_required_flag", "always"),
    ("missing_while_away", ["config"]),
    ("missing_while_away", ["config.pciPassthruInfo", "hardware.pciDevice"]),
    ("away_fault", "host_communication"),
    ("query_boot_devices", True),
    ("negative_bus_bytes", False),
    ("nvme_in_scsi_topology", False),
    ("evacuate_moves_fixed", False),
    ("drs_passthrough_fault", "device_not_supported"),
    ("dry_run_manual", "fault"),
    ("dry_run_failover", "once"),
    ("standby_connection", "connected"),
    ("services_seconds", 60.0),
    ("connection_alarm", False),
    ("reboot_task_end", "late"),
    ("reboot_task_end", "error"),
    ("boot_seconds", 1800.0),
    ("down_after_seconds", 300.0),
    ("maintenance_seconds", 120.0),
    ("same_card_twice", "invalid_argument"),
    ("same_card_twice", "power_on"),
    ("hot_add_fault", "hot_plug_not_supported"),
    ("hot_add_fault", "invalid_power_state"),
    ("raw_device_privilege", "add_remove"),
    ("raw_device_privilege", "both"),
    ("memory_hot_add_with_passthrough", "power_on_refused"),
    ("reserve_on_reconfigure", True),
    ("sriov_counts_in_limit", True),
    ("limit_table", "kb309986"),
    ("cold_migration_fault", "allowed"),
    ("vapi", "rest_only"),
    ("vapi", "down"),
    ("vapi_empty_rows", "listed"),
    ("attempted_task", "always"),
    ("reference_types", "ancestors"),
    ("power_on_seconds", 200.0),
    ("reconfigure_seconds", 200.0),
]


def do_the_job(lab: Lab) -> list[dict[str, Any]]:
    return [
        lab.run("host_passthrough", **HOSTS, apply="reboot"),
        lab.run("host_rolling_reboot", **HOSTS),
        lab.run("vm_pci_device", **VM),
    ]


def truth(lab: Lab) -> list[dict[str, Any]]:
    """The hosts as the simulator itself knows them."""
    found: list[dict[str, Any]] = lab.sim.describe(lab.sim)["hosts"]
    return found


@pytest.mark.parametrize(("knob", "value"), SURVIVED, ids=str)
def test_the_job_is_done_whatever_the_api_does(knob: str, value: Any) -> None:
    lab = Lab.load("three_hosts")
    lab.sim.knobs.set(knob, value)
    enabled, rebooted, attached = do_the_job(lab)
    assert len(enabled["changes"]) == 6
    assert enabled["reboot_required"] == ["esx-01.lab", "esx-02.lab", "esx-03.lab"]
    assert rebooted["rebooted"] == ["esx-01.lab", "esx-02.lab", "esx-03.lab"]
    assert not [host["name"] for host in truth(lab) if host["maintenance"] or host["entering"]]
    assert {call.name for call in lab.sim.journal.writes() if call.method == "RebootHost_Task"} == set(
        rebooted["rebooted"]
    )
    assert lab.writes().count("RebootHost_Task") == 3, "each once"
    vm = attached["vms"][0]
    assert vm["power_state"] == "poweredOn"
    assert vm["memory"]["fully_reserved"]
    assert len({device["address"] for device in vm["devices"]}) == 2
    lab.sim.journal.clear()
    assert [result["changed"] for result in do_the_job(lab)] == [False, False, False]
    assert lab.writes() == []


OFF_BY_VCENTER = {"extra": {"maintenance.vm.evacuation.poweroff": "TRUE"}}


@pytest.mark.parametrize(
    ("vm", "knob", "value"),
    [
        (OFF_BY_VCENTER, "evacuated_return", "powered_on"),
        (OFF_BY_VCENTER, "evacuated_return", "stays_off"),
        (OFF_BY_VCENTER, "evacuation_poweroff", "ignored"),
        ({"evacuation": "power_off"}, "evacuation_poweroff", "ignored"),
        ({"evacuation": "restart"}, "evacuated_return", "stays_off"),
    ],
)
def test_a_vm_runs_after_a_roll_whatever_vcenter_does_with_it(vm: dict[str, Any], knob: str, value: str) -> None:
    card = {"card": "t4", "at": "3b", "enabled": True, "active": False}
    hosts = [{"name": "esx-{}", "count": 2, "rebind": False, "cards": [card]}]
    vms = [{"name": "v", "host": "esx-1", "power": "on", "memory_gb": 8, **vm}]
    lab = Lab.load({"datacenters": [{"name": "D", "clusters": [{"name": "c", "hosts": hosts, "vms": vms}]}]})
    lab.sim.knobs.set(knob, value)
    lab.sim.clock.advance(60)
    options = {"cluster": ["c"], "devices": [{"match": "10de:1eb8"}], "pinned_vms": "shutdown"}
    result = lab.run("host_rolling_reboot", **options)
    assert result["rebooted"] == ["esx-1", "esx-2"]
    assert not [host["name"] for host in truth(lab) if host["maintenance"] or host["entering"]]
    lab.sim.clock.advance(600)
    assert lab.sim.find("VirtualMachine", "v").is_on


@pytest.mark.parametrize("when", ["reconfigure", "power_on"])
def test_a_vm_of_high_latency_sensitivity_gets_its_device_and_starts(when: str) -> None:
    hosts = [{"name": "esx-1", "cards": [{"card": "t4", "enabled": True}]}]
    vms = [{"name": "v", "host": "esx-1", "latency_sensitivity": "high", "locked": False, "reservation_mb": 0}]
    lab = Lab.load({"datacenters": [{"name": "D", "clusters": [{"name": "c", "hosts": hosts, "vms": vms}]}]})
    lab.sim.knobs.set("latency_needs_memory", when)
    devices = [{"match": "10de:1eb8"}]
    assert lab.run("vm_pci_device", vm=["v"], devices=devices, power="on")["vms"][0]["power_state"] == "poweredOn"
    lab.sim.clock.advance(60)
    gone = lab.run("vm_pci_device", vm=["v"], devices=[], state="exactly", power="cycle")["vms"][0]
    assert (gone["power_state"], gone["devices"], gone["memory"]["fully_reserved"]) == ("poweredOn", [], True)


def test_every_knob_of_an_unconfirmed_point_is_turned() -> None:
    """A knob with choices is an open question: each must be in the table above or have a test of its own below or elsewhere."""
    own_tests = {"boot_result", "bus_renumber", "iommu_off_shape", "shutdown_guest_result"}
    own_tests |= {"virtual_function_state"}  # tests/unit/modules/host_passthrough/test_virtual_functions.py
    own_tests |= {"descriptor_hosts", "evacuation_poweroff", "evacuated_return", "latency_needs_memory"}
    own_tests |= {"numa_node_fault"}  # tests/unit/modules/vm_pci_device/test_numa_node.py
    own_tests |= {"latency_needs_cpu"}  # tests/unit/modules/vm_pci_device/test_latency.py
    own_tests |= {
        "bmc_shape",
        "bmc_auth",
        "bmc_offers",
    }  # tests/unit/module_utils/_vsphere/redfish/test_resources_by_maker.py
    own_tests |= {
        "compute_policies",
        "compute_policy_tags",
    }  # tests/unit/modules/host_rolling_reboot/test_compute_policies.py
    own_tests |= {
        "graphics_type_in_effect",
        "vgpu_mode_in_effect",
        "graphics_config_fault",
    }  # tests/unit/modules/host_graphics/test_host_graphics.py
    # tests/unit/modules/host_device_mode/test_device_mode.py, tests/unit/modules/host_device_mode/test_capacity.py
    own_tests |= {"device_mode_impact", "device_mode_pending", "device_id_form", "profile_capacity"}
    own_tests |= {"guest_reboot_fault", "guest_file_host"}  # tests/unit/modules/vm_guest_info/test_guests.py
    own_tests |= {
        "unknown_unit_fault",
        "first_sequence_id",
        "device_groups_list",
    }  # tests/unit/modules/vm_pci_device/test_groups.py
    own_tests |= {"clone_fixed_devices"}  # tests/unit/modules/vm_pci_device/test_clones.py
    own_tests |= {"drs_evacuation"}  # tests/unit/modules/host_rolling_reboot/test_what_if.py
    questions = {name for name, item in FIELDS.items() if item.metadata.get("choices")}
    assert questions <= {knob for knob, _unused in SURVIVED} | own_tests


def reboot_after_enabling(knob: str, value: Any, **options: Any) -> tuple[Lab, dict[str, Any]]:
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", **HOSTS, apply="reboot")
    lab.sim.knobs.set(knob, value)
    lab.sim.journal.clear()
    return lab, lab.run("host_rolling_reboot", fails=True, **HOSTS, **options)


@pytest.mark.parametrize("knob", ["never_active", "pending_again"])
def test_a_device_that_still_waits_after_a_reboot_is_a_failure_and_no_second_reboot(knob: str) -> None:
    lab, result = reboot_after_enabling(knob, ["10de:20f1"])
    assert lab.writes().count("RebootHost_Task") == 1
    first, *others = result["hosts"]
    assert (first["phase"], result["error_code"]) == ("failed", "not_verified")
    assert truth(lab)[0]["maintenance"], "a host that is not proven stays where it is safe"
    assert "Another reboot will not help" in result["msg"]
    assert [(host["phase"], host["status"]) for host in others] == [("waiting", "not_reached")] * 2
    assert result["state"] == "halted"
    assert result["changed"] is True
    lab.sim.clock.sleep(7200)
    assert lab.run("host_rolling_reboot", fails=True, **HOSTS)["rebooted"] == []
    assert lab.writes().count("RebootHost_Task") == 1, "it still owes it, and another reboot is not tried"


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("never_returns", "notResponding"),
        ("same_boot_time", "its boot time did not change"),
        ("disconnected", "disconnected"),
    ],
)
def test_a_host_that_is_not_proven_to_be_back_stops_the_rest(outcome: str, words: str) -> None:
    lab, result = reboot_after_enabling("boot_result", outcome, reboot_timeout=500)
    assert result["error_code"] == "not_back"
    assert words in str([row["reason"] for row in result["transitions"] if row["host"] == "esx-01.lab"])
    assert "esx-01.lab" in result["msg"]
    assert {call.name for call in lab.sim.journal.writes() if call.method == "RebootHost_Task"} == {"esx-01.lab"}
    assert "ExitMaintenanceMode_Task" not in lab.writes()
    assert result["rebooted"] == []
    assert result["summary"] == "3 checked, 0 rebooted, 2 waiting, 1 failed"


def test_a_card_that_moves_at_the_boot_is_noticed() -> None:
    lab, result = reboot_after_enabling("bus_renumber", "next_boot")
    assert result["error_code"] == "identity_changed"
    assert "belongs to the address" in result["msg"]
    assert lab.writes().count("RebootHost_Task") == 1


@pytest.mark.parametrize("shape", ["not_capable", "empty"])
def test_an_iommu_that_is_off_is_named(shape: str) -> None:
    lab = Lab.load("mixed")
    lab.sim.events["set_knob"](name="iommu_off_shape", value=shape, host="no-iommu-01.lab")
    lab.sim.find("HostSystem", "no-iommu-01.lab").publish()
    shown = lab.run("host_pci_device_info", hosts=["no-iommu-01"])["hosts"][0]
    assert shown["iommu"] == "probably_off"
    assert "VT-d" in shown["hints"][0]
    result = lab.run("host_passthrough", fails=True, hosts=["no-iommu-01"], devices=[A100])
    assert result["error_code"] == "iommu_off"
    assert "AMD-Vi" in result["msg"]
    assert lab.writes() == []


def test_a_guest_that_will_not_shut_down_is_only_powered_off_when_allowed() -> None:
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", **HOSTS)
    lab.run("vm_pci_device", **VM)
    lab.sim.clock.advance(60)
    lab.sim.knobs.set("shutdown_guest_result", "ignored")
    detach = {"vm": ["train-01"], "devices": [], "state": "exactly", "power": "cycle"}
    result = lab.run("vm_pci_device", fails=True, **detach)
    assert result["error_code"] == "shutdown_timed_out"
    assert result["vms"][0]["power_state"] == "poweredOn"
    result = lab.run("vm_pci_device", **detach, allow_power_off=True)
    assert result["vms"][0]["power_state"] == "poweredOn"
    assert result["vms"][0]["devices"] == []
