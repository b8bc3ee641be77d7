# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``numa_node`` of a device: set with it, changed in place, kept where no entry names one, and refused where the VM cannot have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from simulator.api import versions
from tests.unit.modules.every_module import sent
from tests.unit.modules.harness import Lab
from tests.unit.modules.vm_pci_device import unit_labs
from tests.unit.modules.vm_pci_device.unit_labs import DVX, QUARTER, T4
from tests.unit.pains.labs import A100, FIRST, SECOND, entry, host, lab, on, power, vm, written

Wanted = list[dict[str, Any]]


def made(cards: int = 2, release: str = "8.0.3", **more: Any) -> Lab:
    cards_on = [on() for _unused in range(cards)]
    return lab([host(cards=cards_on, version=release)], [vm(**{"version": 20, **more})], version=release)


def run(world: Lab, wanted: Wanted, **more: Any) -> dict[str, Any]:
    return world.run("vm_pci_device", vm=["train-01"], devices=wanted, **{"power": "cycle", **more})


def nodes(world: Lab, name: str = "train-01") -> list[tuple[str, int | None]]:
    """Kind and NUMA node of each device, as the simulator itself knows them."""
    found = world.sim.find("VirtualMachine", name).get("config").hardware.device
    kinds = {
        "DeviceBackingInfo": "fixed",
        "DynamicBackingInfo": "dynamic",
        "VmiopBackingInfo": "vgpu",
        "DvxBackingInfo": "dvx",
    }
    named = [(kinds.get(type(one.backing).__name__.rpartition(".")[2]), one.numaNode) for one in found]
    return [(kind, node) for kind, node in named if kind]


def match(node: int | None = None, **more: Any) -> dict[str, Any]:
    return {"match": A100, **({} if node is None else {"numa_node": node}), **more}


@pytest.mark.parametrize("backing", ["fixed", "dynamic"])
def test_it_is_set_changed_in_place_and_removed(backing: str) -> None:
    world = made(power="on")
    for wanted, after in (([match(1)], 1), ([match(0)], 0), ([match(-1)], None)):
        world.sim.clock.advance(60)
        checked = run(world, wanted, backing=backing, check=True)
        world.sim.journal.clear()
        result = run(world, wanted, backing=backing)
        assert checked["changes"] == result["changes"]
        assert len(written(world, "ReconfigVM_Task")) == 1
        assert (nodes(world), power(world)) == ([(backing, after)], "poweredOn")
        assert entry(result, "train-01")["devices"][0]["numa_node"] == after
        assert run(world, wanted, backing=backing)["changes"] == []
    info = entry(world.run("vm_pci_device_info", vms=["train-01"]), "train-01")
    assert info["devices"][0]["numa_node"] is None


def test_a_device_stays_and_only_its_node_is_edited() -> None:
    world = made(devices=[{"fixed": FIRST, "numa_node": 0}], locked=True)
    changes = run(world, [match(1)], backing="fixed")["changes"]
    assert [
        (one["kind"], one["subject"], one["before"]["numa_node"], one["after"]["numa_node"]) for one in changes
    ] == [("edit", FIRST, "0", "1")]
    backing = next(one for one in world.sim.find("VirtualMachine", "train-01").devices if one.key == 13000).backing
    assert (backing.id, nodes(world)) == (FIRST, [("fixed", 1)])


def test_devices_of_one_model_go_to_different_nodes_in_either_order() -> None:
    world = made(cards=4)
    wanted = [match(0, count=2), match(1), match()]
    run(world, wanted)
    assert sorted(node if node is not None else -1 for _kind, node in nodes(world)) == [-1, 0, 0, 1]
    assert run(world, wanted[::-1])["changes"] == []
    run(world, [match(0), match(1, count=2)], state="exactly")
    assert sorted(node for _kind, node in nodes(world)) == [0, 1, 1]
    assert run(world, [match(1, count=2), match(0)], state="exactly")["changes"] == []


def test_a_device_without_numa_node_keeps_what_it_has() -> None:
    world = made(devices=[{"fixed": FIRST, "numa_node": 1}], locked=True)
    assert run(world, [match()], backing="fixed")["changes"] == []
    # Also when it is attached again with another backing.
    run(world, [match()], backing="dynamic")
    assert nodes(world) == [("dynamic", 1)]
    run(world, [match()], backing="fixed")
    assert nodes(world) == [("fixed", 1)]


def test_an_address_is_not_given_away_for_a_node() -> None:
    """The wider entry has a node that only the other device has: the narrow entry still keeps its own device."""
    world = made(devices=[{"fixed": FIRST, "numa_node": 0}, {"fixed": SECOND, "numa_node": 1}], locked=True)
    changes = run(world, [{"match": {"address": FIRST}}, match(0)], backing="fixed")["changes"]
    assert [(one["kind"], one["subject"]) for one in changes] == [("edit", SECOND)]
    assert nodes(world) == [("fixed", 0), ("fixed", 0)]


def test_absent_detaches_whatever_the_node_is() -> None:
    world = made(devices=[{"fixed": FIRST, "numa_node": 0}], locked=True)
    run(world, [match(1)], state="absent")
    assert nodes(world) == []


UNITS: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "vgpu": ({"vgpu": QUARTER}, {"vgpu": QUARTER}),
    "dvx": (
        {"dvx": {"class": DVX, "parameters": {"mode": "1"}}},
        {"dvx": DVX, "parameters": {"mode": "1", "size": 10}},
    ),
}


@pytest.mark.parametrize("kind", UNITS)
def test_units_of_one_value_go_to_different_nodes(kind: str) -> None:
    unit, _there = UNITS[kind]
    world = unit_labs.lab()
    wanted = [{**unit, "numa_node": 0}, {**unit, "numa_node": 1}]
    checked = unit_labs.run(world, wanted, check=True)
    assert unit_labs.run(world, wanted)["changes"] == checked["changes"]
    assert nodes(world, "vm-1") == [(kind, 0), (kind, 1)]
    assert unit_labs.run(world, wanted[::-1])["changes"] == []
    changes = unit_labs.run(world, [{**unit, "count": 2, "numa_node": 1}], state="exactly")["changes"]
    assert [(one["kind"], one["after"]["numa_node"]) for one in changes] == [("edit", "1")]
    assert nodes(world, "vm-1") == [(kind, 1), (kind, 1)]


@pytest.mark.parametrize("kind", UNITS)
def test_a_unit_of_another_tool_gets_its_node_in_place(kind: str) -> None:
    unit, there = UNITS[kind]
    world = unit_labs.lab({"name": "vm-1", "locked": True, "devices": [{**there, "numa_node": 1}]})
    assert unit_labs.run(world, [unit])["changes"] == []
    for node, after in ((0, 0), (-1, None)):
        assert [one["kind"] for one in unit_labs.run(world, [{**unit, "numa_node": node}])["changes"]] == ["edit"]
        assert nodes(world, "vm-1") == [(kind, after)]
        assert unit_labs.run(world, [{**unit, "numa_node": node}])["changes"] == []


def test_parameters_and_node_of_a_dvx_device_are_one_edit() -> None:
    there = {"dvx": DVX, "parameters": {"mode": "1", "size": 10}, "numa_node": 1}
    world = unit_labs.lab({"name": "vm-1", "locked": True, "devices": [there]})
    changed = {"dvx": {"class": DVX, "parameters": {"mode": "2"}}}
    assert unit_labs.run(world, [changed])["changes"][0]["kind"] == "edit"
    assert nodes(world, "vm-1") == [("dvx", 1)]  # without numa_node, an edit of the parameters keeps it
    changed["dvx"]["parameters"]["mode"] = "8"
    changes = unit_labs.run(world, [{**changed, "numa_node": 0}])["changes"]
    assert [(one["kind"], one["before"]["numa_node"], one["after"]["numa_node"]) for one in changes] == [
        ("edit", "1", "0")
    ]
    assert unit_labs.run(world, [{**changed, "numa_node": 0}])["changes"] == []


def test_all_kinds_with_nodes_in_one_reconfigure() -> None:
    world = unit_labs.lab()
    world.sim.journal.clear()
    wanted = [{"match": T4, "numa_node": 0}, {"vgpu": QUARTER, "numa_node": 1}, {**UNITS["dvx"][0], "numa_node": 1}]
    unit_labs.run(world, wanted, power="on")
    assert world.writes() == ["ReconfigVM_Task", "PowerOnMultiVM_Task"]
    assert sorted(nodes(world, "vm-1")) == [("dvx", 1), ("dynamic", 0), ("vgpu", 1)]
    assert unit_labs.run(world, wanted)["changes"] == []


# -- refused before anything is stopped --------------------------------------------------------------------------------


def test_older_hardware_is_refused_or_upgraded_in_the_same_run() -> None:
    world = made(version=19, power="on")
    result = run(world, [match(1)], fails=True)
    assert (result["error_code"], world.writes()) == ("numa_node_unsupported", [])
    assert "minimum_hardware_version: 20" in result["msg"]
    run(world, [match(-1)])
    assert nodes(world) == [("dynamic", None)]
    world.sim.clock.advance(60)
    run(world, [match(1)], minimum_hardware_version=20)
    assert nodes(world) == [("dynamic", 1)]


def test_a_node_beyond_the_cpus_is_refused() -> None:
    world = made()
    result = run(world, [match(4)], fails=True)
    assert (result["error_code"], world.writes()) == ("no_such_numa_node", [])
    assert "4 virtual CPUs" in result["msg"]


@pytest.mark.parametrize(
    ("session", "code", "says"),
    [("7.0.3.0", "library_too_old", "pyVmomi knows the API only up to"), (None, "api_too_old", "vCenter offers 7.0.3")],
)
def test_a_session_that_does_not_know_it_is_named(session: str | None, code: str, says: str) -> None:
    """At both ends: the installed pyVmomi is older than the server, or the server is older than pyVmomi."""
    world = made(release="8.0.3" if session else "7.0.3", version=20 if session else 19, power="on")
    if session:
        world.api_version = next(one for one in sent.LABS if versions.version_id(one) == session)
    result = run(world, [match(1)], fails=True)
    assert world.writes() == []
    refused = {one["code"]: one["message"] for one in result["vms"][0]["blockers"]}
    assert says in refused[code]
    assert "NUMA node" in refused[code]
    # Without numa_node, the device is attached.
    run(world, [match()])
    assert len(nodes(world)) == 1


def test_a_running_vm_is_shut_down_by_consent_only() -> None:
    world = made(power="on", devices=[{"fixed": FIRST, "numa_node": 0}], locked=True)
    result = run(world, [match(1)], backing="fixed", power="keep", fails=True)
    assert (result["error_code"], nodes(world), power(world)) == ("powered_on", [("fixed", 0)], "poweredOn")


def test_a_server_that_ignores_the_node_is_noticed() -> None:
    """The plan accepts the node, the simulator drops it as beyond the CPUs of the VM: the run fails, and does not report success."""
    world = made()
    world.sim.knobs.set("numa_node_fault", "ignored")

    def fewer_cpus(_write: Any) -> None:
        with world.sim.find("VirtualMachine", "train-01").edit("config") as config:
            config.hardware.numCPU = 1

    world.sim.on_write(1, fewer_cpus, method="ReconfigVM_Task")
    result = run(world, [match(1)], fails=True)
    assert (nodes(world), result["error_code"]) == ([("dynamic", None)], "not_verified")


# -- undo, drift -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [None, 0])
def test_a_vm_that_does_not_start_gets_its_old_node_back(before: int | None) -> None:
    there = {"fixed": FIRST} if before is None else {"fixed": FIRST, "numa_node": before}
    world = made(power="on", devices=[there], locked=True)
    world.sim.faults.add(method="PowerOnMultiVM_Task", fault="InsufficientHostCapacityFault", times=1)
    result = run(world, [match(1)], backing="fixed", fails=True)
    assert "the change was undone" in result["msg"]
    assert (nodes(world), power(world)) == ([("fixed", before)], "poweredOn")


def test_drift_reports_the_node_and_nothing_after_the_run() -> None:
    world = made(devices=[{"fixed": FIRST, "numa_node": 0}], locked=True)
    wanted = {"name": "train-01", "devices": [match(1)], "backing": "fixed"}
    before = world.run("drift_info", vms=[wanted])["report"]["differences"]
    found = [(one["kind"], one["subject"], one["found"], one["wanted"]) for one in before]
    assert found == [("numa_node_differs", FIRST, "0", "1")]
    world.run("vm_pci_device", vms=[wanted])
    assert world.run("drift_info", vms=[wanted])["status"] == "in_sync"


def test_drift_names_what_keeps_the_node_from_being_set() -> None:
    world = made(version=19, devices=[{"fixed": FIRST}], locked=True)
    wanted = {"name": "train-01", "devices": [match(1)], "backing": "fixed"}
    (found,) = world.run("drift_info", vms=[wanted])["report"]["differences"]
    assert (found["kind"], "needs 20" in str(found["obstacles"])) == ("numa_node_differs", True)
