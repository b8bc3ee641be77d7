# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Troubles with passthrough devices of VMs that people report of other tools (docs/pains.md), one test each."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab
from tests.unit.pains.labs import A100, FIRST, SECOND, desired, entry, host, lab, on, power, vm, written

TWO = [on(), on()]


def spec_of(lab: Lab) -> dict[str, Any]:
    """The one specification that was sent."""
    (call,) = written(lab, "ReconfigVM_Task")
    spec: dict[str, Any] = call["spec"]
    return spec


def addresses(result: dict[str, Any], name: str = "train-01") -> list[str]:
    return [item["address"] for item in entry(result, name)["devices"]]


def test_v1_a_device_is_attached_and_the_vm_runs() -> None:
    gpus = lab([host(cards=TWO)], [vm(), vm("db-01")])
    dynamic = gpus.run("vm_pci_device", vm=["train-01"], devices=desired(), power="on")
    fixed = gpus.run("vm_pci_device", vm=["db-01"], devices=desired(), backing="fixed", power="on")
    assert entry(dynamic, "train-01")["devices"][0]["backing"] == "dynamic"
    assert entry(fixed, "db-01")["devices"][0]["backing"] == "fixed"
    assert power(gpus, "train-01") == power(gpus, "db-01") == "poweredOn"
    labelled = lab([host(cards=[on(label="night"), on(label="day")])], [vm()])
    labelled.run(
        "vm_pci_device", vm=["train-01"], devices=desired({"vendor_id": "10de", "device_id": "20f1", "label": "day"})
    )
    backing = spec_of(labelled)["deviceChange"][0]["device"]["backing"]
    assert backing["customLabel"] == "day"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"pci_device": FIRST}, "pci_device"),
        ({"devices": [{"match": A100, "cuont": 2}]}, "cuont"),
        (
            {"devices": [{"match": {"vendor": "10de"}}]},
            "unknown key vendor (vendor_id is meant?). Candidates: vendor_id",
        ),
    ],
)
def test_v2_an_unknown_key_is_an_error(options: dict[str, Any], named: str) -> None:
    gpus = lab([host(cards=TWO)], [vm()])
    result = gpus.run("vm_pci_device", fails=True, vm=["train-01"], **options)
    assert named in result["msg"]
    assert gpus.calls() == 0


def test_v3_memory_is_locked_in_the_same_write() -> None:
    gpus = lab([host(cards=TWO)], [vm(limit_mb=16384)])
    gpus.run("vm_pci_device", vm=["train-01"], devices=desired(), power="on")
    spec = spec_of(gpus)
    assert spec["memoryReservationLockedToMax"] is True
    assert spec["memoryAllocation"]["limit"] == -1
    assert len(spec["deviceChange"]) == 1
    assert power(gpus) == "poweredOn"


def test_v4_the_lock_alone_is_enough() -> None:
    gpus = lab(vms=[vm()])
    result = gpus.run("vm_memory_reservation", vm=["train-01"])
    memory = entry(result, "train-01")["memory"]
    assert (memory["locked_to_max"], memory["reservation_mb"], memory["fully_reserved"]) == (True, 32768, True)
    gpus.sim.events["grow_memory"](vm="train-01", memory_mb=65536)
    again = gpus.run("vm_memory_reservation", vm=["train-01"])
    assert (again["changed"], entry(again, "train-01")["memory"]["reservation_mb"]) == (False, 65536)


def test_v5_unlocking_and_lowering_is_one_write() -> None:
    clone = lab(vms=[vm(locked=True)])
    clone.run("vm_memory_reservation", vm=["train-01"], state="unlocked", reservation_mb=2048)
    spec = spec_of(clone)
    assert (spec["memoryReservationLockedToMax"], spec["memoryAllocation"]["reservation"]) == (False, 2048)


def test_v6_the_lock_stays_below_a_device() -> None:
    gpus = lab([host(cards=TWO)], [vm(devices=[{"fixed": FIRST}])])
    result = gpus.run("vm_memory_reservation", fails=True, vm=["train-01"], state="unlocked")
    assert result["error_code"] == "device_needs_reservation"
    assert gpus.writes() == []


@pytest.mark.parametrize("count", [1, 2, 16])
def test_v7_many_devices_in_one_write(count: int) -> None:
    big = lab([host(cards=[on("t4")] * 16)], [vm()])
    result = big.run("vm_pci_device", vm=["train-01"], devices=desired("10de:1eb8", count=count), power="on")
    keys = [change["device"]["key"] for change in spec_of(big)["deviceChange"]]
    assert len(set(keys)) == count
    assert max(keys) < 0
    assert len(entry(result, "train-01")["devices"]) == count
    assert power(big) == "poweredOn"


def test_v8_one_run_is_enough() -> None:
    gpus = lab([host(cards=TWO)], [vm(extra={})])
    result = gpus.run("vm_pci_device", vm=["train-01"], devices=desired(count=2), power="on", mmio={})
    assert entry(result, "train-01")["power_state"] == "poweredOn"
    assert sorted(addresses(result)) == [FIRST, SECOND]
    again = gpus.run("vm_pci_device", vm=["train-01"], devices=desired(count=2), power="on", mmio={})
    assert not again["changed"]


def test_v9_other_backings_are_left_alone() -> None:
    devices = [{"vgpu": "grid_a100-10c"}, {"vgpu": "grid_a100-10c"}, {"dvx": "rdma"}, {"dynamic": [A100]}]
    mixed = lab([host(cards=TWO)], [vm(devices=devices)])
    shown = mixed.run("vm_pci_device_info", vms=["train-01"])
    assert [item["backing"] for item in entry(shown, "train-01")["devices"]] == ["vgpu", "vgpu", "dvx", "dynamic"]
    result = mixed.run("vm_pci_device", vm=["train-01"], devices=[], state="exactly")
    assert [item["backing"] for item in entry(result, "train-01")["devices"]] == ["vgpu", "vgpu", "dvx"]
    assert any("kinds: all" in warning for warning in entry(result, "train-01")["warnings"])


def test_v10_dynamic_is_the_default() -> None:
    gpus = lab([host("esx-01", []), host("esx-02", TWO)], [vm()])
    result = gpus.run("vm_pci_device", vm=["train-01"], devices=desired(), power="on")
    # Its own host has no such card: with a dynamic device it starts where there is one.
    assert entry(result, "train-01")["host"] == "esx-02"
    tied = lab([host(cards=TWO)], [vm()])
    warned = tied.run("vm_pci_device", vm=["train-01"], devices=desired(), backing="fixed")
    assert any("no vMotion" in warning for warning in entry(warned, "train-01")["warnings"])


def test_v11_the_hardware_version_is_checked_first() -> None:
    old = lab([host(cards=TWO)], [vm(version=14)])
    result = old.run("vm_pci_device", fails=True, vm=["train-01"], devices=desired(), backing="dynamic")
    assert result["error_code"] == "hardware_version"
    assert old.writes() == []
    served = old.run("vm_pci_device", vm=["train-01"], devices=desired())
    assert entry(served, "train-01")["devices"][0]["backing"] == "fixed"


def test_v12_the_mmio_window_is_computed() -> None:
    gpus = lab([host(cards=TWO)], [vm(extra={}), vm("old-01", extra={}, firmware="bios")])
    result = gpus.run("vm_pci_device", vm=["train-01"], devices=desired(count=2), mmio={}, power="on")
    facts = entry(result, "train-01")["mmio"]
    assert (facts["devices"], facts["size_gb"]) == ("2 x 64 (10de:20f1, 40 GB of memory)", 256)
    assert power(gpus) == "poweredOn"
    refused = gpus.run("vm_pci_device", fails=True, vm=["old-01"], devices=desired(), mmio={})
    assert "firmware_not_efi" in [blocker["code"] for blocker in entry(refused, "old-01")["blockers"]]


def test_v13_no_device_is_given_twice() -> None:
    taken = lab([host(cards=[on(), on(), on()])], [vm("holder", devices=[{"fixed": FIRST}]), vm("one"), vm("two")])
    result = taken.run("vm_pci_device", vm=["one", "two"], devices=desired(), backing="fixed")
    assert {*addresses(result, "one"), *addresses(result, "two")} == {SECOND, "0000:86:00.0"}
    late = taken.run("vm_pci_device", fails=True, vm=["one"], devices=desired(count=2), backing="fixed")
    assert late["error_code"] == "no_free_device"
    assert "held by holder" in late["msg"]


def test_v14_a_vm_that_is_right_keeps_running() -> None:
    gpus = lab([host(cards=TWO)], [vm(power="on", devices=[{"fixed": FIRST}])])
    result = gpus.run("vm_pci_device", vm=["train-01"], devices=desired(), power="cycle")
    assert not result["changed"]
    assert gpus.writes() == []
    more = gpus.run("vm_pci_device", vm=["train-01"], devices=desired(count=2), power="cycle", check=True)
    assert [record["kind"] for record in more["changes"]][:1] == ["shutdown"]


def test_v15_absent_twice() -> None:
    gpus = lab([host(cards=TWO)], [vm(devices=[{"fixed": FIRST}])])
    assert gpus.run("vm_pci_device", vm=["train-01"], devices=desired(), state="absent")["changed"]
    assert not gpus.run("vm_pci_device", vm=["train-01"], devices=desired(), state="absent")["changed"]


def test_v17_the_match_that_added_removes() -> None:
    gpus = lab([host(cards=[on(), on("p5800x")])], [vm()])
    both = [{"match": A100}, {"match": {"class_id": "0108", "name": "*P5800X*"}}]
    gpus.run("vm_pci_device", vm=["train-01"], devices=both)
    result = gpus.run("vm_pci_device", vm=["train-01"], devices=desired(), state="absent")
    (left,) = entry(result, "train-01")["devices"]
    assert left["allowed"][0]["device_id"] == "2700"


def test_v18_devices_that_stay_keep_their_keys() -> None:
    gpus = lab([host(cards=[on(), on(), on()])], [vm(devices=[{"fixed": SECOND}])])
    (before,) = entry(gpus.run("vm_pci_device_info", vms=["train-01"]), "train-01")["devices"]
    result = gpus.run("vm_pci_device", vm=["train-01"], devices=desired(count=3), backing="fixed")
    assert before in entry(result, "train-01")["devices"]
    assert [change["operation"] for change in spec_of(gpus)["deviceChange"]] == ["add", "add"]


def test_v19_functions_that_reset_together() -> None:
    pair = lab([host(cards=[on("rtx-gpu-with-audio")])], [vm()])
    result = pair.run("vm_pci_device", vm=["train-01"], devices=desired("10de:2230"), backing="fixed", power="on")
    assert sorted(addresses(result)) == ["0000:3b:00.0", "0000:3b:00.1"]
    assert power(pair) == "poweredOn"


@pytest.mark.parametrize("backing", ["fixed", "dynamic"])
def test_h13_ids_above_7fff_reach_the_vm(backing: str) -> None:
    """Samsung's a808 and Intel's 8086 are negative numbers on the wire; a wrong one is found at power-on."""
    disks = lab([host(cards=[on("nvme"), on("p5800x")])], [vm()])
    both = [{"match": "144d:a808"}, {"match": "8086:2700"}]
    result = disks.run("vm_pci_device", vm=["train-01"], devices=both, backing=backing, power="on")
    assert len(entry(result, "train-01")["devices"]) == 2
    assert power(disks) == "poweredOn"


def test_12_the_system_id_is_that_of_the_vms_host() -> None:
    twins = lab(
        [host("esx-01", TWO), host("esx-02", TWO)],
        [vm("one", host="esx-01"), vm("two", host="esx-02")],
    )
    result = twins.run("vm_pci_device", vm=["one", "two"], devices=desired(), backing="fixed", power="on")
    ids = {entry(result, name)["devices"][0]["system_id"] for name in ("one", "two")}
    assert len(ids) == 2
    assert power(twins, "one") == power(twins, "two") == "poweredOn"
