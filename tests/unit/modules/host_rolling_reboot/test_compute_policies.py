# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs that compute policies of vCenter stop when their host is evacuated: in the plan, stopped with consent, running again afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab
from tests.unit.modules.host_rolling_reboot.lab import Killed, Roll

RESTART = {"name": "Restart it", "capability": "vm.evacuation.best_effort_restart", "tag": "Policy/restart"}
UNKNOWN = {"name": "Off", "capability": "vm.evacuation.power_off", "tag": "Policy/restart", "effect": "power_off"}
KEPT = [
    {"name": "Move it", "capability": "vm.evacuation.vmotion", "tag": "Policy/restart"},
    {"name": "Apart", "capability": "vm_vm_anti_affinity", "tag": "Policy/restart"},
]
REST = ("Rest.", "Tagging.", "ComputePolicies.")


def inventory(policies: list[dict[str, Any]], version: str = "8.0.3", **knobs: Any) -> dict[str, Any]:
    """Two hosts. One VM has the tag, and a VM beside it has not."""
    hosts = [{"name": f"esx-{number:02d}.lab", "cards": ["a100"]} for number in (1, 2)]
    vms = [
        {"name": name, "host": "esx-01.lab", "power": "on", "memory_gb": 4, "tags": tags}
        for name, tags in (("tagged-01", ["Policy/restart"]), ("free-01", []))
    ]
    cluster = {"name": "gpu", "drs": "fullyAutomated", "hosts": hosts, "vms": vms}
    return {
        "kind": "vcenter",
        "version": version,
        "compute_policies": policies,
        "knobs": knobs,
        "datacenters": [{"name": "DC1", "clusters": [cluster]}],
    }


def roll(
    *policies: dict[str, Any], version: str = "8.0.3", knobs: dict[str, Any] | None = None, **options: Any
) -> Roll:
    options = {"pinned_vms": "shutdown", "reboot_if": "always", **options}
    made = Roll.of(inventory(list(policies), version, **(knobs or {})), owing=False, hosts=["esx-01.lab"], **options)
    made.lab.sim.clock.sleep(60)
    made.remember()
    return made


def plan(made: Roll, **more: Any) -> dict[str, Any]:
    planned: dict[str, Any] = made.lab.run("host_rolling_reboot", check=True, **made.options, **more)["schedule"]
    return planned


def asked(made: Roll) -> list[str]:
    return [call.method for call in made.lab.sim.journal.calls if call.method.startswith(REST)]


@pytest.mark.parametrize("vapi", ["both", "rest_only", "api_only"])
def test_they_are_named_in_the_plan(vapi: str) -> None:
    made = roll(RESTART, *KEPT, knobs={"vapi": vapi})
    planned = plan(made)
    assert [(stop["name"], stop["reason"]) for stop in planned["hosts"][0]["stops"]] == [
        ("tagged-01", "vCenter would power it off when its host is evacuated (compute policy Restart it)")
    ]
    assert planned["stops"] == ["tagged-01"]
    assert planned["not_read"] == []
    assert asked(made).count("ComputePolicies.List") == asked(made).count("ComputePolicies.TagUsage") == 1
    assert asked(made).count("Tagging.ListAttachedObjectsOnTags") == 1
    assert asked(made).count("Rest.Logout") == 1
    assert made.lab.writes() == []


def test_they_are_shut_down_first_and_run_again() -> None:
    made = roll(RESTART)
    result = made.run()
    assert result["state"] == "finished"
    assert [entry.name for entry in made.lab.sim.journal.writes() if entry.method == "ShutdownGuest"] == ["tagged-01"]
    assert not [note for note in result["notes"] if "vCenter powered off" in note]
    made.assert_over({"esx-01"})


def test_without_consent_the_host_is_not_started() -> None:
    failed = roll(RESTART, pinned_vms="fail").fail()
    assert failed["error_code"] == "pinned_vms"
    assert (
        "tagged-01 (vCenter would power it off when its host is evacuated (compute policy Restart it))" in failed["msg"]
    )
    assert "free-01" not in failed["msg"]


def test_never_stop_counts() -> None:
    made = roll(RESTART, never_stop=["tagged-01"])
    assert made.fail()["error_code"] == "never_stop"
    assert not {"ShutdownGuest", "EnterMaintenanceMode_Task"} & set(made.lab.writes())


def test_an_unknown_capability_about_evacuation_counts_and_is_named() -> None:
    planned = plan(roll(UNKNOWN))
    (stop,) = planned["hosts"][0]["stops"]
    assert (
        "compute policy Off, whose capability com.vmware.vcenter.compute.policies.capabilities.vm.evacuation.power_off"
        in (stop["reason"])
    )
    assert planned["not_read"] == []


def test_policies_that_stop_nothing_cost_one_request() -> None:
    made = roll(*KEPT)
    assert plan(made)["stops"] == []
    assert asked(made) == ["Rest.Login", "ComputePolicies.List", "Rest.Logout"]


@pytest.mark.parametrize(
    ("knobs", "why"),
    [
        ({"compute_policies": "not_found"}, "HTTP 404"),
        ({"compute_policies": "unauthorized"}, "HTTP 403"),
        ({"compute_policy_tags": "hidden"}, "does not show to which VMs Restart it apply"),
        ({"vapi": "down"}, "503"),
    ],
)
def test_what_cannot_be_read_is_said_and_stops_nothing(knobs: dict[str, Any], why: str) -> None:
    made = roll(RESTART, knobs=knobs)
    (line,) = plan(made)["not_read"]
    assert line.startswith("compute policies of vCenter, which may power off VMs of a host that is evacuated")
    assert why in line
    result = made.run()
    assert result["state"] == "finished"
    assert f"Not read: {line}" in str(result["warnings"])


@pytest.mark.parametrize("version", ["7.0.3", "6.7.0"])
def test_releases_before_8_are_not_asked(version: str) -> None:
    made = roll(version=version)
    assert plan(made)["not_read"] == []
    assert asked(made) == []


def test_nothing_is_asked_where_no_host_would_be_evacuated() -> None:
    made = roll(RESTART, reboot_if="pending")
    assert plan(made)["hosts"] == []
    assert asked(made) == []


def maintenance(lab: Lab, state: str, **more: Any) -> dict[str, Any]:
    return lab.run("host_maintenance", hosts=["esx-01.lab"], state=state, **more)


def test_host_maintenance_needs_the_same_consent() -> None:
    lab = Lab.load(inventory([RESTART]))
    refused = maintenance(lab, "present", fails=True)
    assert refused["error_code"] == "pinned_vms"
    assert "compute policy Restart it" in refused["msg"]
    maintenance(lab, "present", pinned_vms="shutdown")
    vm = lab.sim.find("VirtualMachine", "tagged-01")
    assert vm.get("runtime.powerState") == "poweredOff"
    maintenance(lab, "absent")
    assert vm.get("runtime.powerState") == "poweredOn"


def test_host_maintenance_warns_where_they_cannot_be_read() -> None:
    lab = Lab.load(inventory([], compute_policies="unauthorized"))
    assert "HTTP 403" in str(maintenance(lab, "present")["warnings"])


def die(_write: Any) -> None:
    raise Killed


def test_a_run_that_is_resumed_knows_them_for_hosts_that_are_being_evacuated() -> None:
    """The process was killed after the entry of the host, and before the VM was shut down."""
    made = roll(RESTART)
    made.lab.sim.on_write(10, die)
    with pytest.raises(Killed):
        made.run()
    assert "draining" in " ".join(made.texts()["esx-01.lab"].values())
    assert {vm["power"] for vm in made.vms()} == {"poweredOn"}
    made.lab.sim.clock.sleep(400)
    made.lab.sim.journal.clear()
    result = made.run()
    assert result["state"] == "finished"
    assert [entry.name for entry in made.lab.sim.journal.writes() if entry.method == "ShutdownGuest"] == ["tagged-01"]
    assert not [note for note in result["notes"] if "vCenter powered off" in note]
