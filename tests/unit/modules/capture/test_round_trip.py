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
from simulator.simulator import Simulator
from tests.unit.exploring.random_labs import commit_seed, example
from tests.unit.modules.capture.test_anonymous import LAB
from tests.unit.modules.capture.twins import NAMES, asked, capture, intent_of, runs
from tests.unit.modules.harness import Lab
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


def check(lab: Lab) -> None:
    """The capture of the twin is the same, each value and each answer is the same, and so are plan, drift and prediction."""
    intent = intent_of(lab)
    first = capture(lab)
    twin = first.twin()
    assert capture(twin).text == first.text
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


@pytest.mark.parametrize("name", EVERY)
def test_anonymized_twin_of_a_lab(name: str) -> None:
    """Names are aliases, and apart from that plan, drift and prediction are the same."""
    lab = lab_of(name)
    intent = intent_of(lab)
    first = capture(lab, anonymize=True)
    twin = first.twin()
    found = runs(twin, first.anonymous(intent))
    for title, result in runs(lab, intent).items():
        # Names of PCI devices stay in the twin, and are aliases where an adapter or a disk has them, too.
        expected = json.loads(PERSON.sub("text-00001", json.dumps(result)))
        assert first.anonymous(found[title]) == first.anonymous(expected), title


def test_tags_policies_alarms_and_attributes_come_back() -> None:
    source = copy.deepcopy(LAB)
    extra = source["datacenters"][0]["clusters"][0]["vms"][0]["extra"]
    for key in [key for key in extra if key.startswith("guestinfo")]:
        del extra[key]  # settings that nobody reads are not in a capture
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
