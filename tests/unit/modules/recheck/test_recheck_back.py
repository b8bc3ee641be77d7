# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VM that ran before runs after; what it costs to look again; objects that are renamed or moved; two runs at the same card."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine import job as job_module
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import CONNECTION, endpoint
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.gate import Gate
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import open_session
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.write import vms as write_vms
from tests.unit.modules.every_module.test_concurrency import wire
from tests.unit.modules.harness import MODULES, Lab
from tests.unit.modules.recheck.meanwhile import GPU, HOST, VM, before_the_first_write, edit, event, give
from tests.unit.modules.way_back import run_command_at_the_end
from tests.unit.patience import PATIENCE

pytestmark = pytest.mark.slow

A100 = {"match": "10de:20f1"}
NEXT = "0000:5e:00.0"


def at(address: str) -> dict[str, Any]:
    return {"match": {"address": address, "vendor_id": "10de", "device_id": "20f1"}}


def running(*, with_card: bool) -> Lab:
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", cluster=["compute"], devices=[A100])
    if with_card:
        lab.run("vm_pci_device", vm=[VM], devices=[at(GPU)], backing="fixed", mmio={}, power="on")
    else:
        edit("VirtualMachine", VM, "config.memoryAllocation.reservation", lambda _old: 1024)(lab.sim)
        edit("VirtualMachine", VM, "config.memoryHotAddEnabled", lambda _old: True)(lab.sim)
        lab.sim.events["power_vm"](vm=VM, on=True)
    lab.sim.clock.advance(120)
    lab.sim.journal.clear()
    return lab


def shape(lab: Lab) -> dict[str, Any]:
    """All of the VM that a run changes."""
    found = lab.sim.find("VirtualMachine", VM)
    config = found.get("config")
    backings = [one.backing for one in config.hardware.device if type(one).__name__.endswith("VirtualPCIPassthrough")]
    return {
        "power": found.get("runtime").powerState,
        "devices": sorted(getattr(backing, "id", "dynamic") for backing in backings),
        "reservation": config.memoryAllocation.reservation,
        "limit": config.memoryAllocation.limit,
        "locked": bool(config.memoryReservationLockedToMax),
        "hot_add": config.memoryHotAddEnabled,
        "extra": sorted(o.key for o in config.extraConfig if o.key.startswith("pciPassthru.") and o.value),
    }


CHANGE = {"vm": [VM], "devices": [at(NEXT)], "state": "exactly", "backing": "fixed", "power": "cycle", "mmio": {}}
POINTS = {
    "the guest is asked": {"method": "ShutdownGuest", "fault": "NoPermission"},
    "the reconfigure is refused": {"method": "ReconfigVM_Task", "fault": "NoPermission"},
    "the reconfigure fails": {"method": "ReconfigVM_Task", "fault": "GenericVmConfigFault", "in_task": True},
    "the start is refused": {"method": "PowerOnMultiVM_Task", "fault": "GenericVmConfigFault"},
    "the start fails": {"method": "PowerOnMultiVM_Task", "fault": "InsufficientResourcesFault", "in_task": True},
}


@pytest.mark.parametrize("with_card", [False, True], ids=["without a card", "with another card"])
@pytest.mark.parametrize("rule", POINTS.values(), ids=POINTS)
def test_a_vm_runs_again_as_it_was_wherever_its_change_ends(rule: dict[str, Any], with_card: bool) -> None:
    lab = running(with_card=with_card)
    before = shape(lab)
    lab.sim.faults.add(**rule, times=1)
    result = lab.run("vm_pci_device", fails=True, **CHANGE, disable_hot_add=True)
    assert shape(lab) == before
    assert VM in result["msg"]
    if "PowerOn" in rule["method"]:
        assert "the change was undone, it was started again without the change" in result["msg"]


@pytest.mark.parametrize("with_card", [False, True], ids=["without a card", "with another card"])
def test_a_vm_that_cannot_be_started_at_all_is_named_last_with_the_command_that_starts_it(with_card: bool) -> None:
    lab = running(with_card=with_card)
    before = shape(lab)
    lab.sim.faults.add(method="PowerOnMultiVM_Task", fault="GenericVmConfigFault")
    result = lab.run("vm_pci_device", fails=True, **CHANGE)
    assert shape(lab) == {**before, "power": "poweredOff"}
    lab.sim.faults.clear()
    run_command_at_the_end(lab, result["msg"], f"Off now: {VM}.")
    assert shape(lab)["power"] == "poweredOn"


def test_a_vm_that_a_person_shut_down_meanwhile_stays_off() -> None:
    lab = running(with_card=False)
    with before_the_first_write(lab, event("power_vm", vm=VM, on=False)):
        result = lab.run("vm_pci_device", **CHANGE)
    assert (shape(lab)["power"], shape(lab)["devices"]) == ("poweredOff", [NEXT])
    assert [change["kind"] for change in result["changes"] if change["subject"] == "power"] == []
    assert any("another user changed it first: power" in warning for warning in result["vms"][0]["warnings"])


def test_a_part_that_somebody_else_made_is_left_out_and_not_reported_as_ours() -> None:
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", cluster=["compute"], devices=[A100])

    def lock(sim: Any) -> None:
        edit("VirtualMachine", VM, "config.memoryReservationLockedToMax", lambda _old: True)(sim)
        edit("VirtualMachine", VM, "config.memoryAllocation.reservation", lambda _old: 64 * 1024)(sim)

    with before_the_first_write(lab, lock):
        result = lab.run("vm_pci_device", vm=[VM], devices=[at(GPU)], backing="fixed")
    assert [change["kind"] for change in result["changes"]] == ["attach"]
    assert "memory" not in result["diff"]["after"]


def test_nothing_is_reported_as_changed_where_somebody_else_made_all_of_it() -> None:
    lab = Lab.load("three_hosts")
    enable = event("set_device_state", host=HOST, address=GPU, enabled=True, active=True)
    with before_the_first_write(lab, enable):
        result = lab.run("host_passthrough", hosts=[HOST], devices=[at(GPU)])
    assert lab.writes() == []
    assert (result["changed"], result["changes"], result["hosts"][0]["status"]) == (False, [], "ok")


# -- objects are followed by their ids ------------------------------------------------------------------------------


def renamed(kind: str, name: str) -> Callable[[Any], None]:
    return lambda sim: sim.find(kind, name).set("name", f"renamed-{name}")


@pytest.mark.parametrize("module", ["vm_pci_device", "vm_memory_reservation", "host_passthrough"])
def test_what_is_renamed_during_a_run_is_found_again(module: str) -> None:
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", cluster=["compute"], devices=[A100])
    kind, name, options = {
        "vm_pci_device": ("VirtualMachine", VM, {"vm": [VM], "devices": [at(GPU)], "backing": "fixed"}),
        "vm_memory_reservation": ("VirtualMachine", VM, {"vm": [VM]}),
        "host_passthrough": (
            "ClusterComputeResource",
            "compute",
            {"cluster": ["compute"], "devices": [A100], "state": "disabled"},
        ),
    }[module]
    with before_the_first_write(lab, renamed(kind, name)):
        result = lab.run(module, **options)
    assert result["changed"] is True
    assert result["not_done"] == []


@pytest.mark.parametrize("module", ["vm_pci_device", "vm_memory_reservation"])
def test_what_is_removed_before_its_turn_is_a_failure_of_that_target_alone(module: str) -> None:
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", cluster=["compute"], devices=[A100])
    options = {"vm": [VM, "train-02"], **({"devices": [A100], "backing": "fixed"} if module == "vm_pci_device" else {})}
    with before_the_first_write(lab, lambda sim: sim.remove(sim.find("VirtualMachine", VM))):
        result = lab.run(module, fails=True, **options, max_concurrent=1)
    assert result["error_code"] == "vanished"
    assert {vm["name"]: vm["status"] for vm in result["vms"]} == {VM: "failed", "train-02": "changed"}


def test_a_card_that_this_run_gave_to_another_vm_stays_reserved() -> None:
    """Both get what was planned for them, although the first one's card is free again for somebody who plans anew."""
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", hosts=[HOST], devices=[A100])
    lab.run("vm_pci_device", vm=["web-02"], devices=[], state="exactly")
    event("move_vm", vm="train-02", host=HOST)(lab.sim)
    result = lab.run("vm_pci_device", vm=[VM, "train-02"], devices=[{**A100, "count": 1}], backing="fixed")
    assert {vm["name"]: [d["address"] for d in vm["devices"]] for vm in result["vms"]} == {
        VM: [GPU],
        "train-02": [NEXT],
    }


# -- what it costs --------------------------------------------------------------------------------------------------

COSTS: dict[str, tuple[str, dict[str, Any], int]] = {
    "enable a disk": ("host_passthrough", {"hosts": [HOST], "devices": [{"match": "8086:2700"}]}, 4),
    "disable": ("host_passthrough", {"hosts": [HOST], "devices": [A100], "state": "disabled"}, 4),
    "attach": ("vm_pci_device", {"vm": [VM], "devices": [at(GPU)], "backing": "fixed"}, 4),
    "attach dynamic": ("vm_pci_device", {"vm": [VM], "devices": [A100], "backing": "dynamic"}, 4),
    "lock": ("vm_memory_reservation", {"vm": [VM]}, 1),
}


@pytest.mark.parametrize("case", COSTS)
def test_looking_again_costs_at_most_four_calls_a_target_and_none_where_nothing_is_written(case: str) -> None:
    module, options, most = COSTS[case]
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", hosts=[HOST], devices=[A100])
    honest, spent = Gate.reread, []

    def look(gate: Any) -> Any:
        before = lab.calls()
        try:
            return honest(gate)
        finally:
            spent.append(lab.calls() - before)

    with mock.patch.object(Gate, "reread", look):
        assert lab.run(module, **options)["changed"] is True
        assert 0 < sum(spent) <= most
        spent.clear()
        assert lab.run(module, **options)["changed"] is False
        assert spent == []


def test_a_vm_that_is_shut_down_for_its_change_is_looked_at_twice_and_that_is_six_calls() -> None:
    lab = running(with_card=False)
    spent = []
    honest = Gate.reread

    def look(gate: Any) -> Any:
        before = lab.calls()
        found = honest(gate)
        spent.append(lab.calls() - before)
        return found

    with mock.patch.object(Gate, "reread", look):
        lab.run("vm_pci_device", **CHANGE)
    assert spent == [3, 3]  # the VM, its host, and what the host offers to VMs


# -- two runs -------------------------------------------------------------------------------------------------------


def job_of(module: str) -> job_module.Job[Any, Any]:
    code = importlib.import_module(f"{MODULES}.{module}")
    with mock.patch.object(code, "run") as run:
        code.main()
    job: job_module.Job[Any, Any] = run.call_args.args[0]
    return job


def race(
    power: str, before_write: Callable[[str], object], before_look: Callable[[], object] = lambda: None
) -> tuple[dict[str, dict[str, Any]], dict[str, list[str]]]:
    """Runs that give the same card to the VMs a and b: their results, and which VM has which card. Over TLS. Each run calls
    ``before_write`` with its VM when it sends its first write, and ``before_look`` when it looks whether another VM has its card."""
    lab = {
        "kind": "vcenter",
        "version": "8.0.3",
        "datacenters": [
            {
                "name": "DC",
                "clusters": [
                    {
                        "name": "gpu",
                        "hosts": [{"name": HOST, "cards": [{"card": "t4", "enabled": True}], "memory_gb": 512}],
                        "vms": [{"name": name, "host": "esx-01", "memory_gb": 8, "version": 20} for name in ("a", "b")],
                    }
                ],
            }
        ],
    }
    results: dict[str, dict[str, Any]] = {}
    job = job_of("vm_pci_device")
    arguments = {**CONNECTION, **job.arguments}
    honest = write_vms._on_host

    def look(*where: Any) -> Any:
        before_look()
        return honest(*where)

    with wire(lab, speed=30) as made, mock.patch.object(write_vms, "_on_host", look):
        for number in (1, 2):  # the third one takes a write back
            made.sim.on_write(number, lambda write: before_write(write.name), when="before", method="ReconfigVM_Task")

        def go(name: str) -> None:
            chosen = {"vm": [name], "devices": [{"match": "10de:1eb8"}], "backing": "fixed", "power": power}
            params = {option: spec.get("default") for option, spec in arguments.items()}
            params |= {**made.options, **chosen}
            request = job.parse(params)
            with open_session(endpoint(params), read_only=False) as session:
                results[name] = job_module.execute(job, session, request)

        threads = [threading.Thread(target=go, args=(name,)) for name in ("a", "b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * PATIENCE)
        held = {}
        for name in ("a", "b"):
            devices = made.sim.find("VirtualMachine", name).get("config").hardware.device
            held[name] = [one.backing.id for one in devices if hasattr(one.backing, "systemId")]
    return results, held


@pytest.mark.parametrize("power", ["keep", "on"])
def test_of_two_runs_that_give_one_card_to_two_vms_one_takes_its_write_back(power: str) -> None:
    """Both look when both have written: both find the other VM, and the ids of the VMs decide."""
    both_planned, both_wrote = threading.Barrier(2), threading.Barrier(2)
    results, held = race(power, lambda _vm: both_planned.wait(PATIENCE), lambda: both_wrote.wait(PATIENCE))
    assert len(held["a"]) == 1
    assert held["b"] == []
    assert not results["a"].get("failed"), results["a"]
    assert results["b"]["error_code"] == "device_taken"
    assert "a (" in results["b"]["msg"]
    assert "the change was undone" in results["b"]["msg"]


@pytest.mark.parametrize("power", ["keep", "on"])
@pytest.mark.parametrize("late", ["a", "b"])
def test_a_run_whose_write_comes_after_the_look_of_the_other_run_takes_it_back(late: str, power: str) -> None:
    """The other run found no other VM with the card, so it never gives way, whatever the ids of the VMs."""
    early = "b" if late == "a" else "a"
    both_planned, looked = threading.Barrier(2), threading.Event()
    ended: list[bool] = []
    honest = job_module.execute

    def execute(job: Any, session: Any, request: Any) -> Any:
        try:
            return honest(job, session, request)
        finally:
            looked.set()  # the early run is over, or the late one: then nothing waits any more

    def before_write(vm: str) -> None:
        both_planned.wait(PATIENCE)
        if vm == late:
            ended.append(looked.wait(PATIENCE))

    with mock.patch.object(job_module, "execute", execute), mock.patch.object(write_vms, "RIVAL_TIMEOUT", 0.2):
        results, held = race(power, before_write)
    assert ended == [True]
    assert (len(held[early]), held[late]) == (1, [])
    assert not results[early].get("failed"), results[early]
    assert results[late]["error_code"] == "device_taken"
    assert f"{early} (" in results[late]["msg"]
    assert "the change was undone" in results[late]["msg"]


def test_a_run_that_waits_for_the_other_one_gives_way_when_the_other_vm_is_started() -> None:
    """b looks before a writes, and is started while a waits for b to give way: a does not wait until its time is over."""
    both_planned, b_looked, a_waits = threading.Barrier(2), threading.Event(), threading.Event()
    honest_wait, honest_start = write_vms.wait_until, write_vms.start_vm
    answers: list[Any] = []
    began: list[bool] = []

    def before_write(vm: str) -> None:
        both_planned.wait(PATIENCE)
        if vm == "a":
            began.append(b_looked.wait(PATIENCE))

    def wait_until(session: Any, watched: Any, is_done: Callable[[Any], Any], **options: Any) -> Any:
        def first_look(state: Any) -> Any:
            found = is_done(state)
            if found is None:
                a_waits.set()
            return found

        answers.append(honest_wait(session, watched, first_look, **options))
        return answers[-1]

    def start(session: Any, vm: Any, *more: Any) -> None:
        b_looked.set()
        began.append(a_waits.wait(PATIENCE))
        honest_start(session, vm, *more)

    with (
        mock.patch.object(write_vms, "wait_until", wait_until),
        mock.patch.object(write_vms, "start_vm", start),
        mock.patch.object(write_vms, "RIVAL_TIMEOUT", 10 * PATIENCE),
    ):
        results, held = race("on", before_write)
    assert began == [True, True]
    assert answers == [False], "it ended before its time was over"
    assert (held["a"], len(held["b"])) == ([], 1)
    assert results["b"]["vms"][0]["power_state"] == "poweredOn"
    assert results["a"]["error_code"] == "device_taken"


DEVICES, POWER = "config.hardware.device", "runtime.powerState"


@pytest.mark.parametrize(
    ("state", "free"),
    [
        ({}, True),  # the VM was removed
        ({"vm-2": {DEVICES: [], POWER: "poweredOff"}}, True),
        ({"vm-2": {POWER: "poweredOff"}}, False),
        ({"vm-2": {DEVICES: None, POWER: "poweredOff"}}, False),
        ({"vm-2": {POWER: "poweredOn"}}, False),
    ],
)
def test_a_vm_whose_devices_cannot_be_read_did_not_give_way(state: dict[str, dict[str, Any]], free: bool) -> None:
    def wait(_session: Any, _watched: Any, is_done: Callable[[Any], Any], **_options: Any) -> Any:
        return is_done(state)

    with mock.patch.object(write_vms, "wait_until", wait):
        assert write_vms._gave_way(mock.Mock(), [mock.Mock(moid="vm-2")], {GPU}) is free


def test_a_person_who_keeps_the_same_card_is_not_fought() -> None:
    """Their run will never give way, so ours does, whatever its id."""
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", hosts=[HOST], devices=[A100])
    lab.sim.on_write(None, lambda _write: give("web-01")(lab.sim), when="before", method="ReconfigVM_Task")
    result = lab.run("vm_pci_device", fails=True, vm=[VM], devices=[at(GPU)], backing="fixed")
    assert result["error_code"] == "device_taken"
    assert "web-01 (running)" in result["msg"]
    assert shape(lab)["devices"] == []
    assert shape(lab)["locked"] is False
