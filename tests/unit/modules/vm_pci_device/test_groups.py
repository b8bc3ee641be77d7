# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""vm_pci_device gives vendor device groups: whole or not at all, in one request, however the server keeps their list."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab
from tests.unit.modules.vm_pci_device.unit_labs import GROUP, MIXED_GROUP, QUARTER, T4, WHOLE, devices, lab, run

ONE = [{"group": GROUP}]
MANY = [*(["a100"] * 4), {"card": "t4", "enabled": True}]
PARTS = [f"vgpu {WHOLE} in {GROUP}"] * 2
UNCONFIRMED = [
    {},
    {"device_groups_list": "replaces"},
    {"device_groups_list": "keeps_empty"},
    {"first_sequence_id": "zero"},
    {"first_sequence_id": "one"},
    {"unknown_unit_fault": "power_on"},
]


def names(made: Lab) -> list[str]:
    groups = made.sim.find("VirtualMachine", "vm-1").get("config").deviceGroups
    return [item.deviceGroupName for item in groups.deviceGroup or []] if groups else []


@pytest.mark.parametrize("knobs", UNCONFIRMED, ids=str)
def test_a_group_comes_and_goes_whole(knobs: dict[str, Any]) -> None:
    made = lab(knobs=knobs)
    made.sim.journal.clear()
    checked = run(made, ONE, check=True)
    assert made.writes() == []
    result = run(made, ONE)
    assert result["changes"] == checked["changes"]
    assert [change["subject"] for change in result["changes"]] == [f"{GROUP} #1", "memory reservation"]
    assert devices(made) == PARTS
    vm = made.sim.find("VirtualMachine", "vm-1")
    assert {device.deviceGroupInfo.groupInstanceKey for device in vm.devices if device.key >= 13000} == {0}
    assert not run(made, ONE)["changed"]
    assert run(made, ONE, state="absent")["changes"][0]["subject"] == f"{GROUP} #1"
    assert devices(made) == []
    assert not run(made, ONE, state="absent")["changed"]
    assert run(made, ONE)["changed"]
    assert devices(made) == PARTS


def test_it_is_one_request_also_beside_other_kinds() -> None:
    made = lab(cards=MANY)
    wanted = [{"match": T4}, {"group": GROUP}, {"vgpu": QUARTER}]
    made.sim.journal.clear()
    run(made, wanted, mmio={"device_gb": {T4: 16}})
    assert made.writes() == ["ReconfigVM_Task"]
    assert sorted(devices(made)[1:]) == sorted([f"vgpu {QUARTER}", *PARTS])
    assert not run(made, wanted, mmio={"device_gb": {T4: 16}})["changed"]
    # The vGPUs of the group are no vGPUs of their own.
    assert not run(made, [{"vgpu": WHOLE}], state="absent")["changed"]
    run(made, [{"vgpu": QUARTER}], state="absent")
    assert devices(made)[1:] == PARTS


@pytest.mark.parametrize("knobs", UNCONFIRMED[:3], ids=str)
def test_two_groups_and_then_one(knobs: dict[str, Any]) -> None:
    made = lab(knobs=knobs, cards=["a100"] * 4)
    run(made, [{"group": GROUP, "count": 2}])
    assert devices(made) == PARTS * 2
    run(made, ONE, state="exactly")
    assert devices(made) == PARTS
    assert not run(made, ONE, state="exactly")["changed"]


def test_a_group_with_a_network_adapter_is_refused_whole() -> None:
    made = lab()
    result = run(made, [{"group": MIXED_GROUP}], fails=True)
    assert result["error_code"] == "group_unsupported"
    assert "network" in result["msg"]
    assert devices(made) == []


def test_an_unknown_group_is_refused_with_those_that_are_offered() -> None:
    result = run(lab(), [{"group": "Nvidia:4@grid_a100-40c%NVLink"}], fails=True)
    assert result["error_code"] == "unknown_group"
    assert GROUP in result["vms"][0]["blockers"][0]["candidates"]


def test_an_old_hardware_version_has_no_groups() -> None:
    result = run(lab({"name": "vm-1", "version": 19}), ONE, fails=True)
    assert result["error_code"] == "hardware_version"


def test_the_vgpus_of_groups_count_toward_the_limit() -> None:
    """Hardware version 20 allows eight vGPUs and four groups."""
    result = run(lab({"name": "vm-1", "version": 20}), [{"group": GROUP, "count": 4}, {"vgpu": QUARTER}], fails=True)
    assert "would have 9 vGPUs, but its host allows 8" in result["msg"]
    assert "groups" in run(lab({"name": "vm-1", "version": 21}), [{"group": GROUP, "count": 5}], fails=True)["msg"]


def test_the_sequence_ids_of_a_template_are_copied() -> None:
    parts = [{"vgpu": WHOLE, "sequence": 7}, {"vgpu": WHOLE, "sequence": 3}]
    made = lab(device_groups=[{"name": GROUP, "parts": parts}])
    run(made, ONE)
    vm = made.sim.find("VirtualMachine", "vm-1")
    assert [device.deviceGroupInfo.sequenceId for device in vm.devices if device.key >= 13000] == [7, 3]


@pytest.mark.parametrize("knobs", UNCONFIRMED[:5], ids=str)
def test_a_start_that_fails_takes_the_group_back(knobs: dict[str, Any]) -> None:
    made = lab({"name": "vm-1", "power": "on"}, hosts=1, knobs=knobs)

    def take(_write: Any) -> None:
        host = made.sim.find("HostSystem", "esx-1")
        for address in host.spec.shared_gpus:
            host.profiles_used[address, QUARTER] += 4

    made.sim.on_write(1, take, method="PowerOnMultiVM_Task")
    result = run(made, ONE, power="cycle", fails=True)
    assert "the change was undone" in result["msg"]
    assert made.sim.find("VirtualMachine", "vm-1").is_on
    assert devices(made) == []


@pytest.mark.parametrize("knobs", UNCONFIRMED[:5], ids=str)
def test_a_start_that_fails_brings_a_detached_group_back(knobs: dict[str, Any]) -> None:
    made = lab(
        {"name": "vm-1", "power": "on", "locked": True, "devices": [{"group": GROUP}, {"vgpu": QUARTER}]},
        hosts=1,
        knobs=knobs,
        cards=["a100"] * 3,
    )
    vm = made.sim.find("VirtualMachine", "vm-1")

    def fail(_write: Any) -> None:
        with vm.edit("config") as config:
            config.nestedHVEnabled = False
            config.memoryAllocation.reservation = 1

    made.sim.on_write(1, fail, method="PowerOnMultiVM_Task")
    result = run(made, ONE, state="absent", power="cycle", fails=True)
    assert "the change was undone" in result["msg"], result["msg"]
    assert sorted(devices(made)) == sorted([f"vgpu {QUARTER}", *PARTS])


def test_a_session_that_cannot_see_groups_detaches_no_vgpu() -> None:
    made = lab({"name": "vm-1", "devices": [{"group": GROUP}]})
    made.api_version = "vim.version.v7_0_3_0"
    made.sim.journal.clear()
    result = run(made, [{"vgpu": WHOLE}], state="absent", fails=True)
    assert result["error_code"] == "library_too_old"
    assert "vendor device group" in result["msg"]
    assert run(made, ONE, fails=True)["error_code"] == "library_too_old"
    assert made.writes() == []


def test_a_group_whose_name_cannot_be_read_is_not_guessed() -> None:
    made = lab({"name": "vm-1", "devices": [{"group": GROUP}]})
    made.sim.find("VirtualMachine", "vm-1").get("config").deviceGroups = None
    assert run(made, ONE, fails=True)["error_code"] == "group_unknown"


def test_exactly_that_keeps_a_group_says_that_its_vgpus_are_parts_of_it() -> None:
    """The entry names vGPUs, and the warning said that it does not."""
    made = lab(cards=MANY)
    run(made, [*ONE, {"vgpu": WHOLE}])
    result = run(made, [{"vgpu": WHOLE}], state="exactly")
    assert not result["changed"]
    (warning,) = result["vms"][0]["warnings"]
    assert f"(part of the group {GROUP})" in warning
    assert "(vgpu)" not in warning


@pytest.mark.parametrize(("more", "named"), [({}, True), ({"mmio": {}}, False)])
def test_vgpus_without_a_large_enough_window_have_a_warning(more: dict[str, Any], named: bool) -> None:
    """A card without a window had a warning; 80 GB of vGPUs had none."""
    warnings = " ".join(run(lab(), ONE, check=True, **more)["vms"][0]["warnings"])
    assert ("2 x 64 (grid_a100-40c, 40 GB of memory)" in warnings) is named
    assert ("set mmio: {} to set a window" in warnings) is named
