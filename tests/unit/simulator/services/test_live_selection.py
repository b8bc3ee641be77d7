# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A filter whose traversals are spelt out follows changes step by step, and still selects what a fresh walk selects."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyVmomi import vim

from simulator import Simulator
from simulator.services import selection
from simulator.services.updates import Filter
from tests.unit.searching import search
from tests.unit.simulator.inventory import _host, _vm, build
from tests.unit.simulator.specs import PC

NOW = PC.WaitOptions(maxWaitSeconds=0)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("task"), st.integers(1, 4)),
        st.tuples(st.just("host task"), st.integers(1, 3)),
        st.tuples(st.just("advance"), st.sampled_from([3, 700])),
        st.tuples(st.just("move"), st.integers(1, 4)),
        st.tuples(st.just("new vm"), st.integers(1, 3)),
        st.tuples(st.just("lose vm"), st.integers(1, 4)),
        st.tuples(st.just("lose host"), st.integers(1, 3)),
        st.tuples(st.just("new host"), st.integers(1, 3)),
        st.tuples(st.just("ask"), st.integers(1, 5)),
    ),
    max_size=30,
)


def step(kind: Any, path: str, *deeper: Any, skip: bool = False) -> Any:
    return PC.TraversalSpec(type=kind, path=path, skip=skip, selectSet=list(deeper))


def spec(start: Any) -> Any:
    """Folder -> host -> VMs and tasks, VM -> tasks and (a second way to it) its host."""
    back = step(vim.VirtualMachine, "runtime.host")
    vms = step(vim.HostSystem, "vm", step(vim.VirtualMachine, "recentTask"), back)
    hosts = step(vim.Folder, "childEntity", vms, step(vim.HostSystem, "recentTask"), skip=True)
    return PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=start, skip=True, selectSet=[hosts])],
        propSet=[
            PC.PropertySpec(type=vim.HostSystem, pathSet=["name"]),
            PC.PropertySpec(type=vim.VirtualMachine, pathSet=["runtime.host"]),
            PC.PropertySpec(type=vim.Task, pathSet=["info.state"]),
        ],
    )


def show_vms(sim: Simulator) -> None:
    """The small inventory keeps no list of the VMs of a host; the test does."""
    for host in sim.registry.all(vim.HostSystem):
        mine = [vm.ref for vm in sim.registry.all(vim.VirtualMachine) if vm.props["runtime"].host._moId == host.moid]
        host.set("vm", mine)


def act(sim: Simulator, client: Any, what: str, number: int) -> None:
    hosts, vms = sim.registry.all(vim.HostSystem), sim.registry.all(vim.VirtualMachine)
    host = hosts[number % len(hosts)] if hosts else None
    vm = vms[number % len(vms)] if vms else None
    if what == "advance":
        sim.clock.advance(number)
    elif what == "new host":
        sim.find_entity("/DC1/host").adopt(_host(sim, f"new-{len(sim.registry)}"))
    elif what == "task" and vm is not None:
        sim.start_task(None, vm, "VirtualMachine.powerOn", lambda task: None, duration=2.0)
    elif host is None:
        return
    elif what == "host task":
        sim.start_task(None, host, "HostSystem.reboot", lambda task: None, duration=2.0)
    elif what == "new vm":
        sim.find_entity("/DC1/vm").adopt(_vm(sim, f"vm-{len(sim.registry)}", host))
    elif what == "lose host" and len(hosts) > 1:
        sim.remove(host)
        sim.find_entity("/DC1/host").set("childEntity", [item.ref for item in hosts if item is not host])
    elif what == "move" and vm is not None:
        vm.set("runtime.host", host.ref)
    elif what == "lose vm" and vm is not None:
        sim.remove(vm)
    show_vms(sim)


def follow(client: Any, version: str, known: set[str], most: int | None) -> str:
    """Take one answer; every enter is of something new, every leave of something known."""
    options = PC.WaitOptions(maxWaitSeconds=0, maxObjectUpdates=most)
    found = client.content.propertyCollector.WaitForUpdatesEx(version, options)
    if found is None:
        return version
    for update in [item for each in found.filterSet for item in each.objectSet]:
        moid = update.obj._moId
        if update.kind == "enter":
            assert moid not in known
            known.add(moid)
        elif update.kind == "leave":
            known.remove(moid)
        else:
            assert moid in known
    return str(found.version)


@search()
@given(actions=ACTIONS)
def test_following_selects_what_a_fresh_walk_selects(actions: list[tuple[str, int]]) -> None:
    sim = build(hosts=3, vms=4)
    show_vms(sim)
    client = sim.stub().connect()
    wanted = spec(client.content.rootFolder.childEntity[0].hostFolder)
    assert selection.LiveSelection.serves(wanted)
    client.content.propertyCollector.CreateFilter(wanted, True)
    known: set[str] = set()
    version = ""
    for what, number in actions:
        if what == "ask":
            version = follow(client, version, known, number)
        else:
            act(sim, client, what, number)
    for _unused in range(100):
        version = follow(client, version, known, None)
    fresh = {item.obj._moId for item in client.content.propertyCollector.RetrieveProperties([wanted])}
    assert known == fresh


def test_a_change_costs_what_it_moves_and_not_what_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    sim = build(hosts=40, vms=80)
    show_vms(sim)
    client = sim.stub().connect()
    collector = client.content.propertyCollector
    collector.CreateFilter(spec(client.content.rootFolder.childEntity[0].hostFolder), True)
    version = collector.WaitForUpdatesEx("", NOW).version
    reads: list[str] = []
    read = sim.property_reader.read

    def counted(call: Any, obj: Any, path: Any) -> Any:
        reads.append(path.text)
        return read(call, obj, path)

    monkeypatch.setattr(sim.property_reader, "read", counted)
    sim.start_task(None, sim.registry.all(vim.VirtualMachine)[7], "VirtualMachine.powerOn", lambda task: None)
    answer = collector.WaitForUpdatesEx(version, NOW)
    assert [update.kind for update in answer.filterSet[0].objectSet] == ["enter"]
    assert len(reads) < 6


def test_named_traversals_are_walked_as_a_whole() -> None:
    sim = build(hosts=2, vms=2)
    client = sim.stub().connect()
    again = PC.SelectionSpec(name="down")
    down = PC.TraversalSpec(name="down", type=vim.Folder, path="childEntity", selectSet=[again])
    wanted = PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=client.content.rootFolder.childEntity[0].hostFolder, selectSet=[down])],
        propSet=[PC.PropertySpec(type=vim.HostSystem, pathSet=["name"])],
    )
    assert not selection.LiveSelection.serves(wanted)
    collector = client.content.propertyCollector
    collector.CreateFilter(wanted, True)
    version = collector.WaitForUpdatesEx("", NOW).version
    (made,) = sim.registry.all(Filter)
    assert made.choice is None
    sim.find_entity("/DC1/host").adopt(_host(sim, "esx-99"))
    (update,) = collector.WaitForUpdatesEx(version, NOW).filterSet[0].objectSet
    assert update.kind == "enter"
