# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""vm_pci_device gives vGPUs: counted, beside other kinds, in one reconfigure, with settings by index in a second one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab
from tests.unit.modules.vm_pci_device.unit_labs import QUARTER, T4, WHOLE, devices, lab, run

TWO = [{"vgpu": WHOLE, "count": 2}]


def test_two_of_one_profile_in_one_reconfigure() -> None:
    made = lab()
    made.sim.journal.clear()
    checked = run(made, TWO, check=True)
    assert made.writes() == []
    result = run(made, TWO)
    assert made.writes() == ["ReconfigVM_Task"]
    assert result["changes"] == checked["changes"]
    assert [change["subject"] for change in result["changes"]] == [f"{WHOLE} #1", f"{WHOLE} #2", "memory reservation"]
    assert devices(made) == [f"vgpu {WHOLE}"] * 2
    assert result["vms"][0]["memory"]["fully_reserved"]
    assert not run(made, TWO)["changed"]


def test_more_fewer_and_none() -> None:
    made = lab()
    run(made, [{"vgpu": QUARTER}])
    run(made, [{"vgpu": QUARTER, "count": 3}])
    assert devices(made) == [f"vgpu {QUARTER}"] * 3
    assert not run(made, [{"vgpu": QUARTER}])["changed"]  # present keeps the others
    result = run(made, [{"vgpu": QUARTER}], state="exactly")
    assert [change["kind"] for change in result["changes"]] == ["detach", "detach"]
    assert run(made, [{"vgpu": QUARTER, "count": 5}], state="absent", unlock_memory=True)["changed"]
    assert devices(made) == []
    assert not run(made, [{"vgpu": QUARTER}], state="absent")["changed"]


def test_beside_other_kinds_in_one_reconfigure() -> None:
    made = lab()
    made.sim.journal.clear()
    wanted = [{"match": T4}, {"vgpu": QUARTER, "count": 2}]
    run(made, wanted, mmio={"device_gb": {T4: 16}}, power="on")
    assert made.writes() == ["ReconfigVM_Task", "PowerOnMultiVM_Task"]
    assert devices(made)[1:] == [f"vgpu {QUARTER}"] * 2
    assert not run(made, wanted, mmio={"device_gb": {T4: 16}}, power="on")["changed"]


def test_a_running_vm_is_shut_down_for_it_and_started_again() -> None:
    made = lab({"name": "vm-1", "power": "on"})
    refused = run(made, TWO, fails=True)
    assert refused["error_code"] == "powered_on"
    result = run(made, TWO, power="cycle")
    assert result["vms"][0]["power_state"] == "poweredOn"
    assert devices(made) == [f"vgpu {WHOLE}"] * 2


def test_settings_are_written_by_the_index_of_each_new_device() -> None:
    made = lab()
    wanted = [{"match": T4}, {"vgpu": QUARTER, "count": 2, "advanced": {"enable_uvm": 1}}]
    made.sim.journal.clear()
    result = run(made, wanted, mmio={"device_gb": {T4: 16}})
    assert made.writes() == ["ReconfigVM_Task", "ReconfigVM_Task"]
    assert "the settings of the new devices were set" in result["vms"][0]["done"]
    assert _settings(made) == {"pciPassthru1.cfg.enable_uvm": "1", "pciPassthru2.cfg.enable_uvm": "1"}
    assert not run(made, wanted, mmio={"device_gb": {T4: 16}})["changed"]
    run(made, [{"vgpu": QUARTER}], state="absent")
    assert _settings(made) == {}


def test_a_setting_of_a_device_that_is_there_needs_one_reconfigure() -> None:
    made = lab({"name": "vm-1", "devices": [{"vgpu": QUARTER}]})
    made.sim.journal.clear()
    run(made, [{"vgpu": QUARTER, "advanced": {"enable_uvm": "1"}}])
    assert made.writes() == ["ReconfigVM_Task"]
    assert _settings(made) == {"pciPassthru0.cfg.enable_uvm": "1"}


def test_when_the_second_reconfigure_fails_the_result_says_what_is_missing() -> None:
    made = lab({"name": "vm-1", "power": "on"})
    wanted = [{"vgpu": QUARTER, "advanced": {"enable_uvm": "1"}}]

    vm = made.sim.find("VirtualMachine", "vm-1")

    def touch(_write: Any) -> None:
        with vm.edit("config") as config:
            config.changeVersion = vm.next_change_version()

    made.sim.on_write(2, touch, method="ReconfigVM_Task")
    result = run(made, wanted, power="cycle", fails=True)
    assert result["error_code"] == "settings_incomplete"
    assert "pciPassthru0.cfg.enable_uvm=1" in result["msg"]
    assert vm.is_on
    assert devices(made) == [f"vgpu {QUARTER}"]
    made.sim.clock.sleep(300.0)  # until VMware Tools run again
    run(made, wanted, power="cycle")
    assert _settings(made) == {"pciPassthru0.cfg.enable_uvm": "1"}


def _settings(made: Lab) -> dict[str, str]:
    found = made.run("vm_pci_device_info", vms=["vm-1"])["vms"][0]["extra_config"]
    return {key: value for key, value in found.items() if ".cfg." in key}


@pytest.mark.parametrize(
    ("profile", "code", "says"),
    [
        ("grid_a100-41c", "unknown_profile", "grid_a100-40c is meant"),
        ("grid_a100-3-20c", "profile_in_other_mode", "only in MIG mode"),
    ],
)
def test_a_profile_that_is_not_offered_is_refused_with_those_that_are(profile: str, code: str, says: str) -> None:
    made = lab()
    made.sim.journal.clear()
    result = run(made, [{"vgpu": profile}], fails=True)
    assert result["error_code"] == code
    assert says in result["msg"]
    assert WHOLE in result["vms"][0]["blockers"][0]["candidates"]
    assert made.writes() == []


@pytest.mark.parametrize(("version", "most"), [(13, 1), (19, 4), (20, 8), (21, 16)])
def test_the_limit_is_that_of_the_hardware_version_on_its_host(version: int, most: int) -> None:
    made = lab({"name": "vm-1", "version": version})
    result = run(made, [{"vgpu": QUARTER, "count": most + 1}], fails=True)
    assert result["error_code"] == "too_many_devices"
    assert f"allows {most} with hardware version {version}" in result["msg"]


def test_more_than_any_host_could_run_is_refused() -> None:
    made = lab()
    assert run(made, [{"vgpu": WHOLE, "count": 3}], fails=True)["error_code"] == "no_free_device"


def test_what_is_in_use_is_refused_only_for_a_start() -> None:
    busy = [
        {"name": f"busy-{n}", "host": f"esx-{n}", "power": "on", "devices": [{"vgpu": WHOLE}] * 2, "locked": True}
        for n in (1, 2)
    ]
    made = lab({"name": "vm-1"}, *busy)
    assert run(made, [{"vgpu": QUARTER}], power="on", fails=True)["error_code"] == "no_free_device"
    result = run(made, [{"vgpu": QUARTER}])
    assert "cannot be powered on now" in " ".join(result["vms"][0]["warnings"])


def test_vms_of_one_run_do_not_count_the_same_gpu_twice() -> None:
    made = lab(*({"name": f"vm-{n}"} for n in (1, 2, 3)), hosts=1)
    result = made.run("vm_pci_device", vm=["vm-1", "vm-2", "vm-3"], devices=[{"vgpu": WHOLE}], power="on", fails=True)
    assert result["refused"] == ["vm-3"]


def test_a_start_that_fails_gives_the_vm_its_old_configuration_back() -> None:
    made = lab({"name": "vm-1", "power": "on"}, {"name": "other"}, hosts=1)

    def take(_write: Any) -> None:
        host = made.sim.find("HostSystem", "esx-1")
        for address in host.spec.shared_gpus:
            host.profiles_used[address, QUARTER] += 4

    made.sim.on_write(1, take, method="PowerOnMultiVM_Task")
    result = run(made, [{"vgpu": WHOLE, "advanced": {"enable_uvm": "1"}}], power="cycle", fails=True)
    assert "raphics" in result["msg"]
    vm = made.sim.find("VirtualMachine", "vm-1")
    assert vm.is_on
    assert devices(made) == []
    assert _settings(made) == {}


def test_snapshots_are_fine_where_the_profile_allows_them() -> None:
    made = lab({"name": "vm-1", "snapshot": True})
    assert run(made, [{"vgpu": WHOLE}])["changed"]
    never = lab({"name": "vm-1", "snapshot": True}, shared_gpus=["a100"])
    assert run(never, [{"vgpu": WHOLE}], fails=True)["error_code"] == "snapshots"


def test_a_profile_without_live_migration_is_named() -> None:
    made = lab(shared_gpus={"a100": {"migrate": False}})
    result = run(made, [{"vgpu": WHOLE}])
    assert "cannot be migrated while it runs" in " ".join(result["vms"][0]["warnings"])


def test_an_old_api_version_is_refused_before_anything_is_stopped() -> None:
    made = lab({"name": "vm-1", "power": "on"})
    made.api_version = "vim.version.version9"
    made.sim.journal.clear()
    result = run(made, TWO, power="cycle", fails=True)
    assert result["error_code"] in ("api_too_old", "library_too_old")
    assert made.writes() == []


def test_exactly_decides_only_about_kinds_that_the_entry_names() -> None:
    """The play of an earlier release, on a VM that has vGPUs beside its fixed device."""
    mine = [{"fixed": "0000:86:00.0"}, {"vgpu": QUARTER}]
    made = lab({"name": "vm-1", "devices": mine})
    kept = run(made, [{"match": T4}], state="exactly")
    assert not [change for change in kept["changes"] if change["kind"] == "detach"]
    assert "PCI device 1 (vgpu)" in " ".join(kept["vms"][0]["warnings"])
    run(made, [], state="exactly")
    assert devices(made) == [f"vgpu {QUARTER}"]
    run(made, [], state="exactly", kinds="all")
    assert devices(made) == []


def test_exactly_with_vgpus_only_keeps_passed_through_devices() -> None:
    made = lab({"name": "vm-1", "devices": [{"fixed": "0000:86:00.0"}, {"vgpu": QUARTER}, {"vgpu": WHOLE}]})
    result = run(made, [{"vgpu": WHOLE}], state="exactly")
    assert devices(made) == ["fixed 0000:86:00.0", f"vgpu {WHOLE}"]
    assert "kinds: all detaches them too" in " ".join(result["vms"][0]["warnings"])


@pytest.mark.parametrize(
    "cluster",
    [{"drs": "fullyAutomated", "drs_vms": {"vm-1": "disabled"}}, {"drs": False}, {"ha": {"dedicated": ["esx-2"]}}],
    ids=["an override", "no DRS", "a failover host"],
)
def test_a_vm_that_cannot_start_where_a_gpu_is_free_is_refused_before_anything_is_changed(
    cluster: dict[str, Any],
) -> None:
    busy = {"name": "busy", "host": "esx-1", "power": "on", "devices": [{"vgpu": WHOLE}] * 2, "locked": True}
    made = lab({"name": "vm-1"}, busy, cluster={"drs": "fullyAutomated", **cluster})
    for check in (True, False):
        refused = run(made, [{"vgpu": QUARTER}], power="on", fails=True, check=check)
        assert refused["error_code"] == "no_free_device", refused["msg"]
    assert made.writes() == []
    usual = lab({"name": "vm-1"}, busy, cluster={"drs": "fullyAutomated"})
    run(usual, [{"vgpu": QUARTER}], power="on")
    assert usual.sim.find("VirtualMachine", "vm-1").host.name == "esx-2"
