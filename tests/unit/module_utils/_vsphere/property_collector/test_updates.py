# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A property filter goes on through everything that ends one on the server, and what became different is told once."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector.updates import NEW, Watch
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector.wait import wait_until
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import Session
from simulator.simulator import Simulator
from tests.unit.module_utils._vsphere.rolling.inventory_lab import end_sessions, open_session, simulator

_pc = vmodl.query.PropertyCollector


def watch_hosts(sim: Simulator, session: Session) -> Watch:
    def describe() -> tuple[list[Any], dict[type, list[str]]]:
        hosts = list(sim.registry.all(vim.HostSystem))
        objects = [_pc.ObjectSpec(obj=session.reference(vim.HostSystem, host.moid), skip=False) for host in hosts]
        return objects, {vim.HostSystem: ["name", "runtime.inMaintenanceMode", "config.pciPassthruInfo"]}

    return Watch(session, describe)


@pytest.fixture
def sim() -> Simulator:
    return simulator("three_hosts")


@pytest.fixture
def session(sim: Simulator) -> Session:
    return open_session(sim)


def set_maintenance(sim: Simulator, name: str, on: bool = True) -> None:
    sim.find(vim.HostSystem, name).set("runtime.inMaintenanceMode", on)


def test_at_first_everything_is_new(sim: Simulator, session: Session) -> None:
    watch = watch_hosts(sim, session)
    delta = watch.wait(0)
    assert len(delta.changed) == 3
    assert all(NEW in paths for paths in delta.changed.values())
    assert {row.get("name") for row in watch.rows.values()} == {"esx-01.lab", "esx-02.lab", "esx-03.lab"}


def test_then_only_what_changed_is_told_and_only_once(sim: Simulator, session: Session) -> None:
    watch = watch_hosts(sim, session)
    watch.wait(0)
    set_maintenance(sim, "esx-02.lab")
    moid = sim.find(vim.HostSystem, "esx-02.lab").moid
    assert watch.wait(0).changed == {moid: {"runtime.inMaintenanceMode"}}
    assert watch.rows[moid].get("runtime.inMaintenanceMode") is True
    assert not watch.wait(0)


def test_a_wait_ends_with_the_first_change_or_when_time_is_up(sim: Simulator, session: Session) -> None:
    watch = watch_hosts(sim, session)
    watch.wait(0)
    sim.clock.call_later(47, lambda: set_maintenance(sim, "esx-01.lab"))
    began = session.calls
    assert watch.wait(300)
    assert sim.clock.seconds() == 47
    assert session.calls - began == 2  # none lasts longer than 30 seconds
    assert not watch.wait(45)
    assert sim.clock.seconds() == 92


@pytest.mark.parametrize("changed", [True, False], ids=["something changed", "nothing changed"])
def test_after_a_session_ended_only_real_differences_are_told(sim: Simulator, session: Session, changed: bool) -> None:
    watch = watch_hosts(sim, session)
    watch.wait(0)
    end_sessions(sim)
    if changed:
        set_maintenance(sim, "esx-03.lab")
    delta = watch.wait(0)
    assert session.logins == 2
    moid = sim.find(vim.HostSystem, "esx-03.lab").moid
    assert delta.changed == ({moid: {"runtime.inMaintenanceMode"}} if changed else {})
    set_maintenance(sim, "esx-01.lab")
    assert len(watch.wait(0).changed) == 1


def test_a_session_renewed_by_another_call_is_noticed(sim: Simulator, session: Session) -> None:
    watch = watch_hosts(sim, session)
    watch.wait(0)
    end_sessions(sim)
    session.instance.CurrentTime()
    set_maintenance(sim, "esx-01.lab")
    assert len(watch.wait(0).changed) == 1


def test_a_session_that_ends_while_it_is_waited_in_is_renewed(sim: Simulator, session: Session) -> None:
    watch = watch_hosts(sim, session)
    watch.wait(0)
    sim.clock.call_later(10, sim.sessions.close_all)
    sim.clock.call_later(20, lambda: set_maintenance(sim, "esx-01.lab"))
    assert len(watch.wait(60).changed) == 1
    assert sim.clock.seconds() == 20


def test_an_object_that_went_while_nobody_watched_has_left(sim: Simulator, session: Session) -> None:
    watch = watch_hosts(sim, session)
    watch.wait(0)
    host = sim.find(vim.HostSystem, "esx-03.lab")
    end_sessions(sim)
    sim.remove(host)
    delta = watch.wait(0)
    assert delta.left == {host.moid: vim.HostSystem}
    assert not delta.changed
    assert host.moid not in watch.rows


def test_other_waits_of_the_session_take_nothing_away(sim: Simulator, session: Session) -> None:
    watch = watch_hosts(sim, session)
    watch.wait(0)
    set_maintenance(sim, "esx-01.lab")
    other = session.reference(vim.HostSystem, sim.find(vim.HostSystem, "esx-02.lab").moid)
    wait_until(session, {other: ("name",)}, lambda state: True if state else None, timeout=1)
    assert len(watch.wait(0).changed) == 1


@pytest.mark.parametrize("trouble", [{"drop": "before"}, {"drop": "after"}, {"http": 503}], ids=str)
def test_what_was_told_before_the_connection_broke_for_good_is_told_again(
    sim: Simulator, session: Session, trouble: dict[str, Any]
) -> None:
    watch = watch_hosts(sim, session)
    sim.knobs.set("max_update_objects", 1)
    rule = sim.faults.add(method="WaitForUpdatesEx", after=2, **trouble)
    with pytest.raises(Exception, match=r"503|RemoteDisconnected|closed|reset|abort|drop"):
        watch.wait(0)
    assert rule.hits > 1
    sim.faults.clear()
    delta = watch.wait(0)
    assert {row.get("name") for row in watch.rows.values()} == {"esx-01.lab", "esx-02.lab", "esx-03.lab"}
    assert len(delta.changed) == 3
    assert all(NEW in paths for paths in delta.changed.values())


def test_answers_in_parts_are_one_picture(sim: Simulator, session: Session) -> None:
    sim.knobs.set("max_update_objects", 1)
    watch = watch_hosts(sim, session)
    assert len(watch.wait(0).changed) == 3


def test_nothing_to_watch_is_waited_for_quietly(sim: Simulator, session: Session) -> None:
    gone = _pc.ObjectSpec(obj=session.reference(vim.HostSystem, "host-999"), skip=False)
    watch = Watch(session, lambda: ([gone], {vim.HostSystem: ["name"]}))
    began = session.calls
    assert not watch.wait(60)
    assert sim.clock.seconds() == 60
    assert session.calls - began <= 5


def test_a_fault_of_another_kind_is_raised_and_the_next_wait_goes_on(sim: Simulator, session: Session) -> None:
    watch = watch_hosts(sim, session)
    watch.wait(0)
    sim.faults.add(method="WaitForUpdatesEx", fault="NotSupported", times=1)
    with pytest.raises(vmodl.fault.NotSupported):
        watch.wait(0)
    set_maintenance(sim, "esx-01.lab")
    assert len(watch.wait(0).changed) == 1


def test_close_leaves_nothing_on_the_server(sim: Simulator, session: Session) -> None:
    watch = watch_hosts(sim, session)
    watch.wait(0)
    before = len(sim.registry.all(_pc.Filter))
    assert before == 1
    watch.close()
    assert len(sim.registry.all(_pc.Filter)) == 0
    set_maintenance(sim, "esx-01.lab")
    assert len(watch.wait(0).changed) == 1
