# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names with a slash, a backslash or a percent sign: escaped wherever the API sends one, readable in labs and on the control page."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyVmomi import vim

from simulator.api import names
from tests.unit.simulator.world import World

GPU = "0000:5e:00.0"


def lab(datacenter: str, cluster: str, feature: str, percent: str, folder: Any) -> dict[str, Any]:
    on = {"enabled": True, "active": True}
    hosts = [{"name": "esx-01.lab", "cards": ["t4", "t4"], "states": {"0000:3b:00.0": on, GPU: on}}]
    vms = [
        {"name": feature, "host": "esx-01.lab"},
        {"name": percent, "host": "esx-01.lab"},
        {"name": "plain", "folder": folder, "host": "esx-01.lab", "devices": [{"fixed": GPU}]},
    ]
    overrides = {feature: "manual"}
    cluster_ = {"name": cluster, "hosts": hosts, "vms": vms, "drs_vms": overrides}
    return {"kind": "vcenter", "datacenters": [{"name": datacenter, "clusters": [cluster_]}]}


READABLE = lab("Environment - A/B", "GPU/A100 prod", "base_win-feature/debug-02", "100% gpu", ["Team A/B", "in\\out"])
AS_SENT = lab(
    "Environment - A%2fB", "GPU%2FA100 prod", "base_win-feature%2fdebug-02", "100%25 gpu", "Team A%2fB/in%5Cout"
)


@pytest.mark.parametrize("given", [READABLE, AS_SENT], ids=["readable", "as sent"])
def test_a_lab_takes_names_in_either_form_and_the_api_sends_them_escaped(given: dict[str, Any]) -> None:
    world = World(given)
    vm = world.vm("base_win-feature%2fdebug-02")
    assert (vm.config.name, vm.summary.config.name) == ("base_win-feature%2fdebug-02",) * 2
    assert vm.config.files.vmPathName.count("/") == 1
    assert world.vm("100%25 gpu").name == "100%25 gpu"
    assert world.find(vim.ClusterComputeResource, "GPU%2fA100 prod").configurationEx.drsVmConfig[0].key == vm
    assert world.find(vim.Datacenter, "Environment - A%2fB").name == "Environment - A%2fB"
    task = vm.PowerOnVM_Task(None)
    world.wait(task)
    assert task.info.entityName == vm.name
    events = world.content.eventManager.QueryEvents(vim.event.EventFilterSpec())
    assert {event.vm.name for event in events if event.vm is not None} == {vm.name}


@pytest.mark.parametrize("given", [READABLE, AS_SENT], ids=["readable", "as sent"])
def test_paths_and_children_are_found_by_either_form(given: dict[str, Any]) -> None:
    world = World(given)
    index = world.content.searchIndex
    plain = world.vm("plain")
    assert index.FindByInventoryPath("Environment - A%2FB/vm/Team A%2fB/in%5cout/plain") == plain
    assert index.FindByInventoryPath("Environment - A/B/vm/Team A/B/in%5cout/plain") is None, "a slash parts names"
    datacenter = world.find(vim.Datacenter, "Environment - A%2fB")
    for name in ("100% gpu", "100%25 gpu"):
        assert index.FindChild(datacenter.vmFolder, name) == world.vm("100%25 gpu")
    assert world.sim.find("VirtualMachine", "100% gpu") is world.sim.find("VirtualMachine", "100%25 gpu")


def test_people_are_shown_readable_names() -> None:
    state = World(READABLE).sim.describe
    sim = World(AS_SENT).sim
    assert [vm["name"] for vm in state(sim)["vms"]] == ["base_win-feature/debug-02", "100% gpu", "plain"]
    assert state(sim)["hosts"][0]["cluster"] == "GPU/A100 prod"


def test_a_new_name_is_escaped_too() -> None:
    world = World(READABLE)
    vm = world.vm("plain")
    world.wait(vm.Rename_Task("a/b 50%"))
    assert (vm.name, vm.config.name) == ("a%2fb 50%25",) * 2
    folder = world.find(vim.Datacenter, "Environment - A%2fB").vmFolder.CreateFolder("x\\y")
    assert folder.name == "x%5cy"
    with pytest.raises(vim.fault.DuplicateName):
        folder.parent.CreateFolder("x%5Cy")


def test_a_fault_rule_and_an_event_take_either_form() -> None:
    world = World(READABLE)
    world.sim.faults.add(method="PowerOnVM_Task", name="100% gpu", fault="NotSupported")
    world.sim.events["power_vm"](vm="base_win-feature/debug-02", on=True)
    with pytest.raises(Exception, match="not supported"):
        world.vm("100%25 gpu").PowerOnVM_Task(None)


@pytest.mark.parametrize(
    ("name", "sent", "shown"),
    [
        ("a/b", "a%2fb", "a/b"),
        ("a%2Fb", "a%2fb", "a/b"),
        ("50%", "50%25", "50%"),
        ("%20", "%2520", "%20"),
        ("%252f", "%252f", "%2f"),
        ("c:\\d", "c:%5cd", "c:\\d"),
    ],
)
def test_one_name_in_its_forms(name: str, sent: str, shown: str) -> None:
    assert (names.escaped(name), names.shown(sent)) == (sent, shown)


@given(st.text(alphabet="a/\\%2fF5c "))
def test_escaping_is_done_once_and_leaves_nothing_behind(name: str) -> None:
    sent = names.escaped(name)
    assert names.escaped(sent) == sent
    assert not {"/", "\\"} & set(sent)
    assert names.shown(names.shown(sent).replace("%", "%25").replace("/", "%2f").replace("\\", "%5c")) == names.shown(
        sent
    )
