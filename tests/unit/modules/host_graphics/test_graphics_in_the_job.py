# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Graphics settings in the whole job: drift is in sync exactly when the modules change nothing, and one rolling reboot is enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine import earlier_tasks
from simulator.rules.pci.graphics import DeviceType
from tests.unit.modules.harness import Lab

FIRST, SECOND = "0000:3b:00.0", "0000:5e:00.0"
VGPU = {
    "match": {"address": FIRST, "vendor_id": "10de", "device_id": "20f1"},
    "type": "shared_direct",
    "vgpu_mode": "mixed_size",
}
SETTINGS: list[dict[str, Any]] = [
    {"hosts": ["esx-01", "esx-02"], "devices": [VGPU], "assignment_policy": "consolidation"}
]
WHOLE = [{"hosts": ["esx-01", "esx-02"], "devices": [{"match": {**VGPU["match"], "address": SECOND}}]}]  # type: ignore[dict-item]
NOTHING: dict[str, Any] = {"targets": [], "vms": []}


def kinds(lab: Lab, graphics: list[dict[str, Any]], **more: Any) -> list[str]:
    found = lab.run("drift_info", **{**NOTHING, **more}, graphics=graphics)
    differences = sorted({one["kind"] for one in found["report"]["differences"]})
    assert found["settled"] is not any(one["planned"] for one in found["report"]["differences"])
    assert (found["status"] == "in_sync") is not bool(differences)
    return differences


def would_change(lab: Lab, graphics: list[dict[str, Any]], whole: list[dict[str, Any]]) -> bool:
    """What the playbook site would do."""
    checks = [lab._main("host_graphics", {**lab.credentials(), "targets": graphics, "_ansible_check_mode": True})]
    if whole:
        checks.append(lab.run("host_passthrough", check=True, targets=whole))
    checks.append(lab.run("host_rolling_reboot", check=True, targets=whole, graphics=graphics))
    return any(check["changed"] or check.get("refused") for check in checks)


@pytest.mark.parametrize("consent", [False, True])
@pytest.mark.parametrize("mode", ["at_once", "xorg", "reboot"])
@pytest.mark.parametrize("whole", [[], WHOLE], ids=["alone", "with cards that are passed through"])
def test_drift_says_what_site_would_do_at_every_step(consent: bool, mode: str, whole: list[dict[str, Any]]) -> None:
    lab = Lab.load("vgpu")
    lab.sim.knobs.set("vgpu_mode_in_effect", mode)
    graphics = [{**SETTINGS[0], "restart_xorg": consent}]

    def step() -> list[str]:
        found = kinds(lab, graphics, targets=whole)
        assert bool(found) is would_change(lab, graphics, whole)
        return found

    assert "graphics_differ" in step()
    if whole:
        lab.run("host_passthrough", targets=whole, apply="reboot")
    lab.run("host_graphics", targets=graphics)
    waits = step()
    assert ("graphics_pending" in waits) is (not consent or mode == "reboot")
    rebooted = lab.run("host_rolling_reboot", targets=whole, graphics=graphics)["rebooted"]
    assert rebooted == (["esx-01.lab", "esx-02.lab"] if waits else [])
    assert lab.writes().count("RebootHost_Task") == len(rebooted), "one reboot for everything"
    assert step() == []


def test_only_hosts_with_desired_settings_are_rebooted_for_them() -> None:
    """A host whose settings wait for a reboot is not rebooted by a task that does not name them: it was not before either."""
    lab = Lab.load("vgpu")
    lab.run("host_graphics", targets=SETTINGS)
    assert lab.run("host_rolling_reboot", cluster=["vgpu"])["rebooted"] == []
    assert lab.run("host_rolling_reboot", targets=[{"cluster": ["vgpu"]}], graphics=SETTINGS)["rebooted"] == [
        "esx-01.lab",
        "esx-02.lab",
    ]


def test_settings_that_a_reboot_does_not_put_in_effect_stop_the_rolling_reboot() -> None:
    lab = Lab.load("vgpu")
    lab.run("host_graphics", targets=SETTINGS)
    # The driver does not start after the reboot, and the GPU keeps its type.
    host = lab.sim.find("HostSystem", "esx-01.lab")
    host.graphics_happened = lambda _when: host.show_graphics()
    result = lab.run("host_rolling_reboot", fails=True, targets=[], graphics=SETTINGS)
    assert result["error_code"] == "not_verified"
    assert "The graphics settings of esx-01.lab are still not in effect after the reboot" in result["msg"]
    assert lab.writes().count("RebootHost_Task") == 1


def test_a_restart_that_is_refused_is_drift_that_names_the_vm() -> None:
    lab = Lab.load("vgpu")
    lab.sim.knobs.set("shared_graphics_users", False)
    lab.sim.find("HostSystem", "esx-03.lab").show_graphics()
    graphics = [{"hosts": ["esx-03"], "devices": [VGPU], "restart_xorg": True}]
    found = lab.run("drift_info", **NOTHING, graphics=graphics)
    (refused,) = [one for one in found["report"]["differences"] if one["kind"] == "refused"]
    assert "desktop-01 (has 3D graphics)" in refused["cause"]
    assert not found["settled"]


def test_a_host_that_is_away_is_unknown_and_no_drift() -> None:
    lab = Lab.load("vgpu")
    lab.sim.find("HostSystem", "esx-01.lab").set("runtime.connectionState", "notResponding")
    found = lab.run("drift_info", **NOTHING, graphics=[{"hosts": ["esx-01"], "default_type": "shared"}])
    assert found["status"] == "unknown"
    assert [one["kind"] for one in found["report"]["differences"]] == ["unreachable"]


def test_a_name_that_no_host_has_is_drift() -> None:
    lab = Lab.load("vgpu")
    found = lab.run("drift_info", **NOTHING, graphics=[{"hosts": ["esx-99"], "default_type": "shared"}])
    assert [one["kind"] for one in found["report"]["differences"]] == ["not_found"]


def test_settings_cost_no_call_where_all_is_in_sync() -> None:
    lab = Lab.load("vgpu")
    plain = lab.run("drift_info", **{**NOTHING, "targets": [{"cluster": ["vgpu"], "devices": []}]})
    graphics = [{"cluster": ["vgpu"], "default_type": "shared"}]
    both = lab.run("drift_info", **{**NOTHING, "targets": [{"cluster": ["vgpu"], "devices": []}]}, graphics=graphics)
    assert (both["status"], both["calls"]) == ("in_sync", plain["calls"])


def test_the_info_module_shows_what_is_configured_and_what_is_in_effect() -> None:
    lab = Lab.load("vgpu")
    host = lab.sim.find("HostSystem", "esx-01.lab")
    host.graphics.devices[FIRST] = DeviceType("sharedDirect", "mixedSize")
    host.show_graphics()
    shown = lab.run("host_pci_device_info", hosts=["esx-01"])["hosts"][0]["graphics"]
    gpu = next(gpu for gpu in shown["gpus"] if gpu["address"] == FIRST)
    assert (gpu["configured_type"], gpu["type"]) == ("shared_direct", "shared")
    assert (gpu["configured_vgpu_mode"], gpu["vgpu_mode"]) == ("mixed_size", "none")
    assert shown["profiles"] == []
    desktop = lab.run("host_pci_device_info", hosts=["esx-03"])["hosts"][0]["graphics"]
    assert [gpu["vms"] for gpu in desktop["gpus"] if gpu["address"] == FIRST] == [["desktop-01"]]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "it is not set"),
        ({"vgpu.hotmigrate.enabled": False}, "it is False"),
        ({"vgpu.hotmigrate.enabled": True}, None),
    ],
)
def test_the_plan_names_the_setting_without_which_vgpus_do_not_move(settings: dict[str, Any], says: str | None) -> None:
    made = {"cards": ["a100", "a100"], "shared_gpus": ["a100"]}
    vms = [{"name": "desk", "host": "esx-1", "memory_gb": 8, "power": "on", "devices": [{"vgpu": "grid_a100-10c"}]}]
    drs = {"drs": "fullyAutomated", "drs_options": {"VgpuMMAutomationTimeoutSecs": -1}}
    cluster = {"name": "c", "hosts": [{"name": "esx-{}", "count": 2, **made}], "vms": vms, **drs}
    lab = Lab.load({"datacenters": [{"name": "D", "clusters": [cluster]}], "advanced_settings": settings})
    for hosts, wanted in ((["esx-1"], says), (["esx-2"], None)):
        lab.sim.journal.clear()
        plan = lab.run("host_rolling_reboot", check=True, hosts=hosts, reboot_if="always")
        advice = [warning for warning in map(str, plan.get("warnings", ())) if "vgpu.hotmigrate.enabled" in warning]
        assert bool(advice) is (wanted is not None)
        assert all("desk has vGPUs" in text and (wanted or "") in text for text in advice)
        asked = [call.method for call in lab.sim.journal.calls].count("QueryOptions")
        assert asked == (1 if hosts == ["esx-1"] else 0), "no call where no VM has a vGPU"


MIXED = [{"hosts": ["esx-01"], "devices": [VGPU]}]
BACK = [{"hosts": ["esx-01"], "devices": [{"match": VGPU["match"], "type": "shared"}]}]


@pytest.mark.parametrize("first", [None, MIXED, BACK], ids=["never set", "pending", "in effect as before"])
@pytest.mark.parametrize("then", [MIXED, BACK], ids=["to vGPU", "back"])
def test_a_check_run_reboots_for_the_settings_that_the_task_before_it_leaves(
    first: list[dict[str, Any]] | None, then: list[dict[str, Any]], tmp_path: Path
) -> None:
    """A setting that is changed back while it waits for a reboot needs none any more, and its check run says so."""
    lab = Lab.load("vgpu")
    if first is not None:
        lab.run("host_graphics", targets=first)
    tasks = [
        ("host_graphics", {"targets": then}),
        ("host_rolling_reboot", {"targets": [], "graphics": then}),
        ("host_graphics", {"targets": then, "settle_timeout": 31}),
    ]
    with mock.patch.object(earlier_tasks, "controller_folder", return_value=tmp_path):
        foreseen = [lab.run(module, check=True, **options) for module, options in tasks]
    lab.sim.clock.sleep(60)
    made = [lab.run(module, **options) for module, options in tasks]
    assert [result["changed"] for result in foreseen] == [result["changed"] for result in made]
    assert made[1]["rebooted"] == made[0]["reboot_required"] == foreseen[0]["reboot_required"]
    assert made[1]["rebooted"] == [host["name"] for host in foreseen[1]["hosts"] if host["status"] == "changed"]
    assert made[2]["changed"] is False
