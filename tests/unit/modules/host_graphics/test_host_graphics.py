# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""host_graphics against the simulator: what is written, what takes effect when, and what is refused before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from unittest import mock

import pytest
from pyVmomi import vmodl

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.gate import Gate
from simulator.objects.host import power as host_power
from simulator.rules.pci.graphics import DeviceType
from tests.unit.modules.harness import Lab

FIRST, SECOND = "0000:3b:00.0", "0000:5e:00.0"
A100 = "10de:20f1"
VGPU = {"match": A100, "type": "shared_direct", "vgpu_mode": "mixed_size"}
ONE: dict[str, Any] = {"hosts": ["esx-01"], "devices": [VGPU]}
OF_GRAPHICS = ("UpdateGraphicsConfig", "RestartService")


def written(lab: Lab) -> list[str]:
    return [method for method in lab.writes() if method in OF_GRAPHICS]


def entries(lab: Lab, host: str = "esx-01.lab") -> dict[str, tuple[str, str | None]]:
    config = lab.sim.find("HostSystem", host).get("config").graphicsConfig
    return {entry.deviceId: (entry.graphicsType, entry.vgpuMode) for entry in config.deviceType}


def present(lab: Lab, host: str = "esx-01.lab") -> dict[str, tuple[str, str | None]]:
    infos = lab.sim.find("HostSystem", host).get("config").graphicsInfo
    return {info.pciId: (info.graphicsType, info.vgpuMode) for info in infos if info.graphicsType != "basic"}


def write_config(lab: Lab, host: str = "esx-01.lab", **entry: Any) -> None:
    """Another user writes the type of the second GPU."""
    found = lab.sim.find("HostSystem", host)
    found.graphics.devices[entry["address"]] = DeviceType(entry["type"])  # type: ignore[index]
    found.show_graphics()


@pytest.mark.parametrize("kind", ["at_once", "xorg", "reboot"])
@pytest.mark.parametrize("mode", ["at_once", "xorg", "reboot"])
@pytest.mark.parametrize("seconds", [0.0, 3.0, 3600.0])
def test_all_ends_well_whenever_settings_take_effect(kind: str, mode: str, seconds: float) -> None:
    """Nobody could confirm when. A run never claims what the host does not show, writes once, and a reboot settles the rest."""
    lab = Lab.load("vgpu")
    for knob, value in (
        ("graphics_type_in_effect", kind),
        ("vgpu_mode_in_effect", mode),
        ("graphics_info_seconds", seconds),
    ):
        lab.sim.knobs.set(knob, value)
    first = lab.run("host_graphics", **ONE, restart_xorg=True)
    assert written(lab) == ["UpdateGraphicsConfig", "RestartService"]
    host = first["hosts"][0]
    in_effect = present(lab) == dict.fromkeys((FIRST, SECOND), ("sharedDirect", "mixedSize"))
    assert host["reboot_required"] is not in_effect
    assert bool(host["waiting"]) is not in_effect
    lab.sim.clock.advance(7200)
    host_power.boot(lab.sim.find("HostSystem", "esx-01.lab"))
    lab.sim.journal.clear()
    again = lab.run("host_graphics", **ONE, restart_xorg=True)
    assert (again["changed"], again["hosts"][0]["waiting"]) == (False, [])
    assert present(lab) == dict.fromkeys((FIRST, SECOND), ("sharedDirect", "mixedSize"))
    assert written(lab) == []


@pytest.mark.parametrize("mode", ["at_once", "xorg", "reboot"])
def test_a_second_run_changes_nothing_also_where_xorg_did_not_help(mode: str) -> None:
    lab = Lab.load("vgpu")
    lab.sim.knobs.set("vgpu_mode_in_effect", mode)
    lab.run("host_graphics", **ONE, restart_xorg=True)
    lab.sim.journal.clear()
    again = lab.run("host_graphics", **ONE, restart_xorg=True)
    assert (again["changed"], written(lab)) == (False, [])
    assert again["hosts"][0]["status"] == ("pending" if mode == "reboot" else "ok")


def test_without_consent_nothing_is_restarted_and_the_way_is_named() -> None:
    lab = Lab.load("vgpu")
    result = lab.run("host_graphics", **ONE)
    assert written(lab) == ["UpdateGraphicsConfig"]
    assert result["reboot_required"] == ["esx-01.lab"]
    (warning,) = result["hosts"][0]["warnings"]
    assert "restart_xorg: true" in warning
    assert "or at its next reboot" in warning
    assert present(lab) == dict.fromkeys((FIRST, SECOND), ("shared", "none"))
    again = lab.run("host_graphics", **ONE)
    assert (again["changed"], again["hosts"][0]["status"]) == (False, "pending")


@pytest.mark.parametrize("restart", [True, False])
def test_gpus_are_given_back_to_the_default_as_predicted(restart: bool) -> None:
    """The way back of the guide: what was set is set to what it was, and the host shows what it showed before."""
    lab = Lab.load("vgpu")
    before = present(lab), entries(lab)
    lab.run("host_graphics", **ONE, restart_xorg=True)
    assert present(lab) != before[0]
    back = {"hosts": ["esx-01"], "devices": [{"match": A100, "type": "shared"}], "restart_xorg": restart}
    checked = lab.run("host_graphics", check=True, **back)
    made = lab.run("host_graphics", **back)
    assert made["changes"] == checked["changes"] != []
    assert {kind for kind, _mode in entries(lab).values()} == {kind for kind, _mode in before[1].values()} == {"shared"}
    if not restart:
        assert made["reboot_required"] == ["esx-01.lab"]
        host_power.boot(lab.sim.find("HostSystem", "esx-01.lab"))
    assert present(lab) == before[0]
    again = lab.run("host_graphics", **back)
    assert (again["changed"], again["hosts"][0]["status"]) == (False, "ok")


def test_entries_that_nobody_asked_about_stay() -> None:
    """The write replaces the whole configuration: what it lacks is gone."""
    lab = Lab.load("vgpu")
    lab.run("host_graphics", hosts=["esx-01"], devices=[{**VGPU, "match": {"address": FIRST, "vendor_id": "10de"}}])
    assert entries(lab) == {FIRST: ("sharedDirect", "mixedSize"), SECOND: ("shared", None)}
    lab.run("host_graphics", hosts=["esx-01"], assignment_policy="consolidation")
    assert entries(lab) == {FIRST: ("sharedDirect", "mixedSize"), SECOND: ("shared", None)}


def test_an_entry_of_a_card_that_was_removed_stays() -> None:
    lab = Lab.load("vgpu")
    lab.sim.find("HostSystem", "esx-01.lab").graphics.devices["0000:f1:00.0"] = DeviceType("sharedDirect", "sameSize")
    lab.sim.find("HostSystem", "esx-01.lab").show_graphics()
    lab.run("host_graphics", **ONE)
    assert entries(lab)["0000:f1:00.0"] == ("sharedDirect", "sameSize")


def test_what_another_user_writes_meanwhile_is_kept() -> None:
    lab = Lab.load("vgpu")
    honest = Gate.reread

    def after_another_user(gate: Any) -> Any:
        write_config(lab, address=SECOND, type="sharedDirect")
        return honest(gate)

    with mock.patch.object(Gate, "reread", after_another_user):
        only_first = [{"match": {"address": FIRST, "vendor_id": "10de"}, "type": "shared_direct"}]
        lab.run("host_graphics", hosts=["esx-01"], devices=only_first)
    assert {kind for kind, _mode in entries(lab).values()} == {"sharedDirect"}


@pytest.mark.parametrize("listed", [True, False])
def test_xorg_is_not_restarted_under_a_vm_with_3d_graphics(listed: bool) -> None:
    """Whether the host lists such a VM as user of a GPU is not confirmed, so its video card counts too."""
    lab = Lab.load("vgpu")
    lab.sim.knobs.set("shared_graphics_users", listed)
    lab.sim.find("HostSystem", "esx-03.lab").show_graphics()
    options = {"hosts": ["esx-03"], "devices": [VGPU], "restart_xorg": True}
    result = lab.run("host_graphics", fails=True, **options)
    assert "desktop-01" in result["msg"]
    codes = [blocker["code"] for blocker in result["hosts"][0]["blockers"]]
    assert codes == (["graphics_in_use", "xorg_in_use"] if listed else ["xorg_in_use"])
    assert lab.run("host_graphics", fails=True, check=True, **options)["msg"] == result["msg"]
    assert written(lab) == []


@pytest.mark.parametrize("renderer", ["automatic", "hardware", "software"])
def test_3d_graphics_that_is_rendered_in_software_uses_no_gpu(renderer: str) -> None:
    lab = one_host(vms=[{"name": "v", "graphics_3d": renderer, "power": "on"}])
    refused = renderer != "software"
    result = lab.run("host_graphics", fails=refused, **ONE, restart_xorg=True)
    assert bool(written(lab)) is not refused
    assert result.get("error_code") in (None, "graphics_in_use", "xorg_in_use")


def one_host(vms: list[dict[str, Any]] | None = None, version: str = "8.0.3", **host: Any) -> Lab:
    entry = {"name": "esx-01.lab", "cards": ["a100", "a100", "nvme"], "shared_gpus": {"a100": "shared"}, **host}
    cluster = {"name": "c", "hosts": [entry], "vms": vms or []}
    return Lab.load({"kind": "vcenter", "version": version, "datacenters": [{"name": "DC", "clusters": [cluster]}]})


def test_a_gpu_whose_vgpus_are_in_use_keeps_its_mode() -> None:
    shared = {"shared_gpus": ["a100"]}
    lab = one_host([{"name": "v", "memory_gb": 8, "power": "on", "devices": [{"vgpu": "grid_a100-10c"}]}], **shared)
    result = lab.run("host_graphics", fails=True, **ONE)
    assert result["error_code"] == "graphics_in_use"
    assert f"{FIRST} GA100 [A100 PCIe 40GB] on esx-01.lab cannot be changed: it is used by v" in result["msg"]
    second = {**VGPU, "match": {"address": SECOND, "vendor_id": "10de"}}
    assert lab.run("host_graphics", hosts=["esx-01"], devices=[second])["changed"], "the other one is free"
    assert present(lab) == {FIRST: ("sharedDirect", "sameSize"), SECOND: ("sharedDirect", "mixedSize")}


def test_a_vm_that_this_account_cannot_see_forbids_the_restart() -> None:
    lab = Lab.load("vgpu")
    lab.sim.authz.add_role("Nothing", [])
    lab.sim.authz.add_user("op@vsphere.local", "VMware1!", "Admin")
    for name in ("train-01",):
        lab.sim.authz.permit("op@vsphere.local", lab.sim.find("VirtualMachine", name), "NoAccess")
    lab.user = "op@vsphere.local"
    result = lab.run("host_graphics", fails=True, **ONE, restart_xorg=True)
    assert result["error_code"] == "xorg_users_unknown"
    assert written(lab) == []
    assert lab.run("host_graphics", **ONE)["changed"], "the setting itself disturbs nobody"


@pytest.mark.parametrize("direct", [True, False])
def test_a_gpu_in_passthrough_is_named_also_where_the_host_lists_it(direct: bool) -> None:
    lab = one_host(states={FIRST: {"enabled": True, "active": True}}, knobs={"direct_in_graphics_info": direct})
    result = lab.run("host_graphics", fails=True, **ONE)
    assert result["error_code"] == "graphics_direct"
    assert "0000:3b:00.0 10de:20f1" in result["msg"]
    assert written(lab) == []


@pytest.mark.parametrize("fault", ["not_supported", "system_error"])
def test_a_fault_that_the_method_does_not_declare_is_explained(fault: str) -> None:
    lab = Lab.load("vgpu")
    lab.sim.knobs.set("graphics_config_fault", fault)
    result = lab.run("host_graphics", fails=True, **ONE, restart_xorg=True)
    assert "Cannot change the graphics configuration on esx-01.lab" in result["msg"]
    assert written(lab) == ["UpdateGraphicsConfig"]
    assert result["changed"] is False
    assert {change["kind"] for change in result["not_done"]} == {"graphics", "restart_xorg"}


def test_one_host_that_is_refused_does_not_stop_the_others() -> None:
    lab = Lab.load("vgpu")
    result = lab.run("host_graphics", fails=True, cluster=["vgpu"], devices=[VGPU], restart_xorg=True)
    assert [host["status"] for host in result["hosts"]] == ["changed", "changed", "refused"]
    assert present(lab, "esx-02.lab") == dict.fromkeys((FIRST, SECOND), ("sharedDirect", "mixedSize"))


def test_settings_of_several_targets_are_combined_and_consent_is_not() -> None:
    lab = Lab.load("vgpu")
    targets = [
        {"cluster": ["vgpu"], "assignment_policy": "consolidation", "restart_xorg": True},
        {"hosts": ["esx-01"], "devices": [VGPU], "restart_xorg": False},
        {"hosts": ["esx-02"], "devices": [VGPU], "restart_xorg": True},
    ]
    result = lab.run("host_graphics", targets=targets)
    assert result["reboot_required"] == ["esx-01.lab"]
    assert {change["target"] for change in result["changes"] if change["kind"] == "restart_xorg"} == {"esx-02.lab"}
    other = [*targets, {"hosts": ["esx-03"], "assignment_policy": "performance"}]
    assert lab.run("host_graphics", fails=True, targets=other)["error_code"] == "contradicting_graphics"


def test_an_address_without_ids_is_for_one_host() -> None:
    lab = Lab.load("vgpu")
    devices = [{"match": FIRST, "type": "shared_direct"}]
    assert (
        lab.run("host_graphics", fails=True, hosts=["esx-01", "esx-02"], devices=devices)["error_code"]
        == "address_needs_identity"
    )
    assert lab.run("host_graphics", hosts=["esx-01"], devices=devices)["changed"]


@pytest.mark.parametrize(("missing", "code"), [("fail", "no_match"), ("skip", None)])
def test_a_host_without_the_gpu_is_refused_or_skipped(missing: str, code: str | None) -> None:
    lab = one_host(cards=["nvme"], shared_gpus={})
    result = lab.run("host_graphics", fails=code is not None, **ONE, on_missing=missing)
    assert result.get("error_code") == code
    assert result["hosts"][0]["status"] == ("skipped" if code is None else "refused")


@pytest.mark.parametrize(
    ("version", "options", "code"),
    [
        ("5.5", {"assignment_policy": "consolidation"}, "api_too_old"),
        ("8.0.2", {"devices": [VGPU]}, "vgpu_mode_unsupported"),
        ("8.0.2", {"devices": [{"match": A100, "type": "shared_direct"}]}, None),
        ("6.7", {"devices": [{"match": A100, "type": "shared_direct"}]}, None),
    ],
)
def test_what_an_older_release_lacks_is_refused(version: str, options: dict[str, Any], code: str | None) -> None:
    lab = one_host(version=version)
    result = lab.run("host_graphics", fails=code is not None, hosts=["esx-01"], **options)
    codes = [blocker["code"] for blocker in result["hosts"][0]["blockers"]]
    assert (code in codes) if code else not codes
    assert bool(written(lab)) is (code is None)


def test_a_session_that_would_lose_the_vgpu_modes_of_a_host_writes_nothing() -> None:
    """At API version 7.0.3 the vGPU mode of every entry vanishes from what is read and what is sent."""
    lab = one_host(shared_gpus={"a100": {"type": "sharedDirect", "mode": "mixedSize"}})
    lab.api_version = "vim.version.v7_0_3_0"
    result = lab.run("host_graphics", fails=True, hosts=["esx-01"], assignment_policy="consolidation")
    assert result["error_code"] == "library_too_old"
    assert written(lab) == []
    assert entries(lab) == dict.fromkeys((FIRST, SECOND), ("sharedDirect", "mixedSize"))


def test_settings_that_cannot_be_read_are_not_taken_for_none() -> None:
    lab = Lab.load("vgpu")
    host = lab.sim.find("HostSystem", "esx-01.lab")
    hidden: Mapping[str, Any] = {"config.graphicsConfig": vmodl.fault.NotSupported()}
    host.missing = hidden.get
    result = lab.run("host_graphics", fails=True, **ONE)
    assert result["error_code"] == "graphics_unreadable"
    assert written(lab) == []


def test_calls_do_not_grow_with_the_hosts() -> None:
    counts = []
    for number in (2, 12):
        host = {"name": "esx-{}", "count": number, "cards": ["a100"], "shared_gpus": ["a100"]}
        lab = Lab.load({"datacenters": [{"name": "D", "clusters": [{"name": "c", "hosts": [host]}]}]})
        result = lab.run("host_graphics", cluster=["c"], devices=[{"match": A100, "type": "shared_direct"}])
        assert not result["changed"]
        counts.append(result["calls"])
    assert counts[0] == counts[1]
