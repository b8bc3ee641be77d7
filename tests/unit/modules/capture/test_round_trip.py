# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture that the simulator serves is the same capture again, and the collection plans the same on it."""

from __future__ import annotations

import copy
import json
import os
import re

import pytest
from pyVmomi import vim

from simulator.core.clock import ManualClock
from simulator.lab.hardware.cards import LabError
from simulator.objects.vm.vm import VirtualMachine
from simulator.simulator import Simulator
from tests.unit.exploring.random_labs import commit_seed, example
from tests.unit.modules.capture.test_anonymous import LAB
from tests.unit.modules.capture.twins import NAMES, asked, capture, intent_of, runs
from tests.unit.modules.harness import Lab
from tests.unit.modules.host_rolling_reboot.lab import interrupted
from tests.unit.pains.labs import host as made_host
from tests.unit.pains.labs import lab as made_lab
from tests.unit.pains.labs import on, vm
from tools.envs import ROOT

DAILY = ("interrupted", "mixed", "nfv", "standalone_67", "v80")
EVERY = [pytest.param(name, marks=() if name in DAILY else pytest.mark.long) for name in NAMES]
RANDOM = [*range(6), *(pytest.param(number, marks=pytest.mark.long) for number in range(6, 200))]
PERSON = re.compile("alice@bastion-7(:[0-9]+:1:x)?")
"""The owner of a lock, of which messages show the first part. Its alias is one text."""
PRIVATE = frozenset({"HasPrivilegeOnEntities", "Fetch"})
"""Methods whose answer is about the account that calls, and whose arguments have no order."""


def lab_of(name: str) -> Lab:
    found = Lab.load(name)
    if name == "v9" and found.sim.version < "9":
        pytest.skip("this pyVmomi knows no 9.1")
    return found


def booked(lab: Lab) -> dict[str, tuple[int, dict[int, str]]]:
    """The memory and the devices that running VMs with devices hold on their hosts."""
    return {vm.moid: (vm.charged, vm.assigned) for vm in lab.sim.registry.all(VirtualMachine) if vm.assigned}


def check(lab: Lab) -> None:
    """The capture of the twin is the same, each value and each answer is the same, and so are plan, drift and prediction."""
    intent = intent_of(lab)
    first = capture(lab)
    twin = first.twin()
    assert capture(twin).text == first.text
    assert booked(twin) == booked(lab)
    with asked() as real:
        expected = runs(lab, intent)
    with asked() as again:
        found = runs(twin, intent)
    for title, result in expected.items():
        assert found[title] == result, title
    assert {key: again.values.get(key) for key in real.values} == real.values
    answers = {key: text for key, text in real.answers.items() if key[2] not in PRIVATE}
    assert {key: again.answers.get(key) for key in answers} == answers
    assert twin.sim.internal_errors == []


@pytest.mark.parametrize("name", EVERY)
def test_twin_of_a_lab(name: str) -> None:
    check(lab_of(name))


@pytest.mark.parametrize("number", RANDOM)
def test_twin_of_a_random_lab(number: int) -> None:
    found = example(os.environ.get("DIRECTPATH_SEED", commit_seed()), number)
    try:
        lab = Lab.load(found.lab)
    except LabError:
        pytest.skip("a lab that cannot be: a VM that is said to run could not have been started")
    try:
        check(lab)
    except AssertionError as error:
        error.add_note(found.told)
        raise


def check_anonymized(lab: Lab) -> None:
    """Names are aliases, and apart from that plan, drift and prediction are the same."""
    intent = intent_of(lab)
    first = capture(lab, anonymize=True)
    twin = first.twin()
    found = runs(twin, first.anonymous(intent))
    for title, result in runs(lab, intent).items():
        # Names of PCI devices stay in the twin, and are aliases where an adapter or a disk has them, too.
        expected = json.loads(PERSON.sub("text-00001", json.dumps(result)))
        assert first.anonymous(found[title]) == first.anonymous(expected), title


@pytest.mark.parametrize("name", EVERY)
def test_anonymized_twin_of_a_lab(name: str) -> None:
    check_anonymized(lab_of(name))


@pytest.mark.long
@pytest.mark.parametrize("anonymized", [False, True])
def test_twin_of_a_fleet(anonymized: bool) -> None:
    """Two clusters with 100 hosts and 500 VMs. test_cost.py loads a fleet of full size."""
    lab = Lab.load({"kind": "vcenter", "version": "8.0.3", "name": "vc-fleet.lab",
                    "fleet": {"hosts": 100, "vms": 500, "per_cluster": 50, "devices": 32, "ready": 50}})  # fmt: skip
    (check_anonymized if anonymized else check)(lab)


def test_devices_with_a_numa_node_a_group_a_rule_and_an_order() -> None:
    """What vm_pci_device writes beside a device, and the stop order of a VM."""
    shared = Lab.load("nvlink")
    dvx = {"class": "com.vmware.dvxtestconst.mode", "parameters": {"mode": 2}}
    wanted = [{"vgpu": "grid_a100-40c", "numa_node": 1}, {"group": "Nvidia:2@grid_a100-40c%NVLink"}, {"dvx": dvx}]
    shared.run("vm_pci_device", vm=["train-01"], devices=wanted)
    own = made_lab([made_host(cards=[on(), on()])], [vm(version=20), vm("train-02", version=20)])
    for number, (name, backing) in enumerate((("train-01", "fixed"), ("train-02", "dynamic")), 1):
        devices = [{"match": "10de:20f1", "numa_node": number - 1}]
        entry = {"name": name, "devices": devices, "backing": backing, "pin_to_host": backing == "fixed"}
        own.run("vm_pci_device", vms=[entry])
    for each in (shared, own):
        text = capture(each, anonymize=True).text
        assert '"numaNode":1' in text
        first = capture(each)
        twin = first.twin()
        assert capture(twin).text == first.text
        assert runs(twin, intent_of(each)) == runs(each, intent_of(each))
        check_anonymized(each)


@pytest.mark.parametrize("write", [9, 12])
def test_what_a_killed_run_wrote_is_the_same_on_an_anonymized_twin(write: int) -> None:
    """Its journal has the owner of a lock, and digests of datastores."""
    lab = interrupted(write).lab
    found = capture(lab, anonymize=True)
    twin = found.twin()
    words = 0
    for kind in (vim.HostSystem, vim.VirtualMachine, vim.ClusterComputeResource):
        for each in lab.sim.registry.all(kind):
            shown = twin.sim.obj(each.moid).custom
            assert shown.keys() == each.custom.keys()
            assert {key: text[:12] for key, text in shown.items()} == {
                key: text[:12] for key, text in each.custom.items()
            }
            words += len(shown)
    assert words >= 3
    options = {"hosts": ["esx-01", "esx-03"], "pinned_vms": "shutdown", "take_lock": "force"}
    expected, seen = (
        each.run("host_rolling_reboot", check=True, **more)
        for each, more in ((lab, options), (twin, found.anonymous(options)))
    )
    assert [item["status"] for item in seen["hosts"]] == [item["status"] for item in expected["hosts"]] != []
    assert seen["counts"] == expected["counts"]
    assert len(seen["changes"]) == len(expected["changes"]) > 0


def test_tags_policies_alarms_and_attributes_come_back() -> None:
    source = copy.deepcopy(LAB)
    extra = source["datacenters"][0]["clusters"][0]["vms"][0]["extra"]
    for key in [key for key in extra if key.startswith("guestinfo")]:
        del extra[key]  # settings that no module reads are not in a capture
    lab = Lab.load(source)
    check(lab)
    twin = capture(lab).twin()
    for kind in (vim.VirtualMachine, vim.HostSystem):
        for entity in lab.sim.registry.all(kind):
            assert twin.sim.obj(entity.moid).custom == entity.custom
            if kind is vim.VirtualMachine:
                assert twin.sim.tags.of(twin.sim.obj(entity.moid)) == lab.sim.tags.of(entity) != []
                assert twin.sim.evacuation_policy(entity.moid) == lab.sim.evacuation_policy(entity.moid) == "restart"
    assert {each.name for each in twin.sim.registry.all(vim.alarm.Alarm)} == {
        each.name for each in lab.sim.registry.all(vim.alarm.Alarm)
    }


def test_a_host_that_refuses_its_partition_tables_refuses_them_in_the_twin() -> None:
    """Otherwise the twin knows a boot disk that is unknown in the fleet, and plans to pass it through or to leave it."""
    lab = Lab.load("three_hosts")
    lab.sim.faults.add(method="RetrieveDiskPartitionInfo", name="esx-02.lab", fault="HostConfigFault")
    intent = intent_of(lab)
    first = capture(lab)
    twin = first.twin()
    assert [moid for moid, tables in first.raw["partitions"].items() if tables is None] == [
        moid for moid, tables in capture(twin).raw["partitions"].items() if tables is None
    ] == [lab.sim.find_entity("esx-02.lab").moid]  # fmt: skip
    assert runs(twin, intent) == runs(lab, intent)
    assert twin.sim.internal_errors == []


def test_recorded_host_loads() -> None:
    """A host that a real ESXi 8.0.3 described goes through a capture: its own answers come back."""
    source = {"kind": "vcenter", "version": "8.0.3", "datacenters": [{"name": "DC", "clusters": [{"name": "c", "hosts": [
        {"name": "recorded.lab", "recorded": str(ROOT / "tests" / "recorded" / "esxi-8.0.3-host.xml")}]}]}]}  # fmt: skip
    check(Lab(sim=Simulator.from_lab(source, clock=ManualClock())))


def test_twin_lives() -> None:
    """A rolling reboot on the twin reboots the same hosts as on the lab, for the same reasons, and ends with active devices."""
    lab = Lab.load("three_hosts")
    intent = intent_of(lab)
    lab.run("host_passthrough", targets=intent["targets"], apply="reboot")
    twin = capture(lab).twin()
    results = [each.run("host_rolling_reboot", targets=intent["targets"]) for each in (lab, twin)]
    assert results[0]["rebooted"] == results[1]["rebooted"] == ["esx-01.lab", "esx-02.lab", "esx-03.lab"]
    for each in (lab, twin):
        assert each.run("drift_info", targets=intent["targets"])["settled"]
        assert each.run("host_passthrough", targets=intent["targets"])["changed"] is False


def test_past_reboots_decide_how_long_the_twin_takes() -> None:
    lab = Lab.load("three_hosts")
    targets = intent_of(lab)["targets"]
    durations = {"esx-01.lab": 130.0, "esx-02.lab": 470.0, "esx-03.lab": 1000.0}
    for host in lab.sim.registry.all():
        if host.props.get("name") in durations:
            host.knobs["boot_seconds"] = durations[host.props["name"]]
    lab.run("host_passthrough", targets=targets, apply="reboot")
    lab.run("host_rolling_reboot", targets=targets)
    found = capture(lab)
    assert found.result["reboots"] == 3
    twin = found.twin()
    knobs = {host.name: host.knobs["boot_seconds"] for host in twin.sim.registry.all() if "boot_seconds" in host.knobs}
    assert knobs == durations
