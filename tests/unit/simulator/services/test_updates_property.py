# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that only follows updates ends up with what a fresh read shows, whatever happened and however it asked."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pyVmomi import vim

from simulator import Simulator
from simulator.api import data
from tests.unit.searching import search
from tests.unit.simulator.inventory import _host, build
from tests.unit.simulator.specs import PC, container, values, view_spec

PATHS = ("name", "runtime", "summary.runtime.connectionState", "config.pciPassthruInfo")
HOSTS = st.integers(1, 4)
ACTIONS = st.one_of(
    st.tuples(st.just("state"), HOSTS, st.sampled_from(["connected", "disconnected", "notResponding"])),
    st.tuples(st.just("maintenance"), HOSTS, st.booleans()),
    st.tuples(st.just("replace"), HOSTS, st.booleans()),
    st.tuples(st.just("rename"), HOSTS, st.sampled_from(["a", "b"])),
    st.tuples(st.just("passthru"), HOSTS, st.booleans()),
    st.tuples(st.just("remove"), HOSTS, st.none()),
    st.tuples(st.just("add"), HOSTS, st.none()),
    st.tuples(st.just("ask"), st.integers(1, 3), st.booleans()),
)


def act(sim: Simulator, what: str, number: int, value: Any) -> None:
    host = sim.registry.find(f"host-{number}")
    if what == "add":
        sim.find_entity("/DC1/host").adopt(_host(sim, f"new-{number}"))
    elif host is None:
        return
    elif what == "remove":
        sim.remove(host)
    elif what == "state":
        host.set("runtime.connectionState", value)
        host.touch("config")
    elif what == "maintenance":
        host.set("runtime.inMaintenanceMode", value)
    elif what == "replace":
        runtime = data.clone(host.get("runtime"))
        runtime.inMaintenanceMode, runtime.bootTime = value, sim.clock.now()
        for name, item in runtime.__dict__.items():
            host.set(f"runtime.{name}", item)
    elif what == "rename":
        host.set("name", value)
    elif what == "passthru":
        with host.edit("config") as config:
            config.pciPassthruInfo[0].passthruEnabled = value


class Replica:
    """What a client believes, from updates alone."""

    def __init__(self, collector: Any, partial: bool) -> None:
        self.collector = collector
        self.version = ""
        self.partial = partial
        self.known: dict[str, dict[str, Any]] = {}

    def ask(self, most: int | None) -> bool:
        """One WaitForUpdatesEx; False when there was nothing."""
        options = PC.WaitOptions(maxWaitSeconds=0, maxObjectUpdates=most)
        found = self.collector.WaitForUpdatesEx(self.version, options)
        if found is None:
            return False
        self.version = found.version
        for filters in found.filterSet:
            for update in filters.objectSet:
                self.take(update)
        return True

    def take(self, update: Any) -> None:
        moid = update.obj._moId
        if update.kind == "leave":
            del self.known[moid]
            return
        if update.kind == "enter":
            assert moid not in self.known
            self.known[moid] = {}
        for change in update.changeSet:
            self.change(self.known[moid], str(change.name), change.val)
        for lost in update.missingSet:
            self.known[moid].pop(str(lost.path), None)

    def change(self, known: dict[str, Any], path: str, value: Any) -> None:
        if path in PATHS:
            known[path] = value
            return
        assert self.partial, path
        watched = next(item for item in PATHS if path.startswith(item + "."))
        holder = known[watched]
        *steps, last = path[len(watched) + 1 :].split(".")
        for step in steps:
            holder = getattr(holder, step)
        setattr(holder, last, value)


@search(0.5)
@given(actions=st.lists(ACTIONS, max_size=25), partial=st.booleans())
def test_following_updates_equals_reading_anew(actions: list[tuple[str, int, Any]], partial: bool) -> None:
    sim = build(hosts=3, vms=0)
    si = sim.stub().connect()
    view = container(si, vim.HostSystem)
    spec = view_spec(view, vim.HostSystem, *PATHS)
    collector = si.content.propertyCollector
    collector.CreateFilter(spec, partial)
    replica = Replica(collector, partial)
    for what, number, value in actions:
        if what == "ask":
            replica.ask(number)
        else:
            act(sim, what, number, value)
    while replica.ask(None):
        pass
    truth = {item.obj._moId: values(item) for item in collector.RetrieveProperties([spec])}
    assert replica.known.keys() == truth.keys()
    for moid, expected in truth.items():
        assert replica.known[moid].keys() == expected.keys()
        for path, value in expected.items():
            assert data.same(replica.known[moid][path], value), (moid, path)
