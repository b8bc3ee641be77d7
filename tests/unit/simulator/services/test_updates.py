# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters and WaitForUpdatesEx. With the manual clock nothing sleeps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from pyVim.task import WaitForTask
from pyVmomi import vim, vmodl

from simulator import ManualClock, Simulator
from tests.unit.patience import PATIENCE, until
from tests.unit.simulator.inventory import build
from tests.unit.simulator.specs import PC, container, host, object_spec, view_spec, vm

NOW = PC.WaitOptions(maxWaitSeconds=0)


@pytest.fixture(params=["in process", "over TLS"])
def client(request: pytest.FixtureRequest, sim: Simulator) -> Any:
    if request.param == "in process":
        return sim.stub().connect()
    return request.getfixturevalue("smart_connect")(request.getfixturevalue("server"))


def flat(updates: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """(kind, object, changes by path) of every object update."""
    return [
        (str(item.kind), item.obj._moId, {change.name: change.val for change in item.changeSet})
        for filters in updates.filterSet
        for item in filters.objectSet
    ]


def test_the_first_answer_enters_everything_and_the_next_waits(client: Any) -> None:
    collector = client.content.propertyCollector
    collector.CreateFilter(view_spec(container(client, vim.HostSystem), vim.HostSystem, "name"), True)
    first = collector.WaitForUpdatesEx("", NOW)
    assert flat(first) == [("enter", f"host-{n}", {"name": f"esx-0{n}"}) for n in (1, 2, 3)]
    assert collector.WaitForUpdatesEx(first.version, NOW) is None
    assert collector.CheckForUpdates(first.version) is None


@pytest.mark.parametrize(
    ("partial", "watched", "expected"),
    [
        (True, "runtime", "runtime.inMaintenanceMode"),
        (False, "runtime", "runtime"),
        (True, "runtime.inMaintenanceMode", "runtime.inMaintenanceMode"),
        (True, "summary", "summary.runtime.inMaintenanceMode"),
        (False, "summary.runtime.inMaintenanceMode", "summary.runtime.inMaintenanceMode"),
    ],
)
def test_a_change_is_told_once_with_its_path(
    client: Any, sim: Simulator, partial: bool, watched: str, expected: str
) -> None:
    collector = client.content.propertyCollector
    collector.CreateFilter(object_spec(host(client), watched), partial)
    first = collector.WaitForUpdatesEx("", NOW)
    sim.find("HostSystem", "esx-01").set("runtime.inMaintenanceMode", True)
    second = collector.WaitForUpdatesEx(first.version, NOW)
    ((kind, moid, changes),) = flat(second)
    assert (kind, moid, list(changes)) == ("modify", "host-1", [expected])
    value = changes[expected]
    while not isinstance(value, bool):
        value = getattr(value, "inMaintenanceMode", None) or value.runtime
    assert value is True
    assert collector.WaitForUpdatesEx(second.version, NOW) is None


def test_other_properties_and_objects_do_not_wake_it(client: Any, sim: Simulator) -> None:
    collector = client.content.propertyCollector
    collector.CreateFilter(object_spec(host(client), "runtime.inMaintenanceMode"), True)
    version = collector.WaitForUpdatesEx("", NOW).version
    sim.find("HostSystem", "esx-01").set("runtime.connectionState", "notResponding")
    sim.find("HostSystem", "esx-02").set("runtime.inMaintenanceMode", True)
    assert collector.WaitForUpdatesEx(version, NOW) is None


def test_objects_enter_and_leave_with_the_view(client: Any, sim: Simulator) -> None:
    collector = client.content.propertyCollector
    collector.CreateFilter(view_spec(container(client, vim.HostSystem), vim.HostSystem, "name"), True)
    version = collector.WaitForUpdatesEx("", NOW).version
    sim.remove(sim.find("HostSystem", "esx-02"))
    updates = collector.WaitForUpdatesEx(version, NOW)
    assert flat(updates) == [("leave", "host-2", {})]
    from tests.unit.simulator.inventory import _host

    sim.find_entity("/DC1/host").adopt(_host(sim, "esx-new"))
    (entered,) = flat(collector.WaitForUpdatesEx(updates.version, NOW))
    assert (entered[0], entered[2]) == ("enter", {"name": "esx-new"})


def test_a_watched_object_that_goes_away_leaves(client: Any, sim: Simulator) -> None:
    collector = client.content.propertyCollector
    collector.CreateFilter(object_spec(host(client, 2), "name"), True)
    version = collector.WaitForUpdatesEx("", NOW).version
    sim.remove(sim.find("HostSystem", "esx-02"))
    updates = collector.WaitForUpdatesEx(version, NOW)
    assert flat(updates) == [("leave", "host-2", {})]
    assert collector.WaitForUpdatesEx(updates.version, NOW) is None


def test_a_list_view_that_is_modified_moves_the_filter(client: Any) -> None:
    collector = client.content.propertyCollector
    view = client.content.viewManager.CreateListView([host(client, 1)])
    collector.CreateFilter(view_spec(view, vim.HostSystem, "name"), True)
    version = collector.WaitForUpdatesEx("", NOW).version
    view.Modify([host(client, 2)], [host(client, 1)])
    assert flat(collector.WaitForUpdatesEx(version, NOW)) == [
        ("leave", "host-1", {}),
        ("enter", "host-2", {"name": "esx-02"}),
    ]


def test_truncation(client: Any) -> None:
    collector = client.content.propertyCollector
    collector.CreateFilter(view_spec(container(client, vim.HostSystem), vim.HostSystem, "name"), True)
    options = PC.WaitOptions(maxObjectUpdates=2, maxWaitSeconds=0)
    first = collector.WaitForUpdatesEx("", options)
    assert (len(flat(first)), first.truncated) == (2, True)
    second = collector.WaitForUpdatesEx(first.version, options)
    assert (len(flat(second)), bool(second.truncated)) == (1, False)
    assert collector.WaitForUpdatesEx(second.version, options) is None


def test_an_unknown_version_is_refused_and_an_empty_one_starts_over(client: Any) -> None:
    collector = client.content.propertyCollector
    collector.CreateFilter(object_spec(host(client), "name"), True)
    collector.WaitForUpdatesEx("", NOW)
    with pytest.raises(vmodl.query.InvalidCollectorVersion):
        collector.WaitForUpdatesEx("77", NOW)
    assert flat(collector.WaitForUpdatesEx("", NOW)) == [("enter", "host-1", {"name": "esx-01"})]


def test_an_answer_that_got_lost_can_be_asked_for_again(client: Any, sim: Simulator) -> None:
    collector = client.content.propertyCollector
    collector.CreateFilter(object_spec(host(client), "runtime.inMaintenanceMode"), True)
    first = collector.WaitForUpdatesEx("", NOW)
    sim.find("HostSystem", "esx-01").set("runtime.inMaintenanceMode", True)
    lost = collector.WaitForUpdatesEx(first.version, NOW)
    again = collector.WaitForUpdatesEx(first.version, NOW)
    assert again.version == lost.version
    assert flat(again) == flat(lost)


@pytest.mark.parametrize("options", [PC.WaitOptions(maxWaitSeconds=-1), PC.WaitOptions(maxObjectUpdates=0)])
def test_options_that_make_no_sense_are_refused(client: Any, options: Any) -> None:
    with pytest.raises(vmodl.fault.InvalidArgument):
        client.content.propertyCollector.WaitForUpdatesEx("", options)


def test_a_bad_path_is_refused_when_the_filter_is_made(client: Any) -> None:
    with pytest.raises(vmodl.query.InvalidProperty):
        client.content.propertyCollector.CreateFilter(object_spec(host(client), "nope"), True)


def test_waiting_jumps_to_what_happens_next(sim: Simulator, si: Any) -> None:
    target = vm(si)
    si.content.propertyCollector.CreateFilter(object_spec(target, "runtime.powerState"), True)
    version = si.content.propertyCollector.WaitForUpdatesEx("", NOW).version
    target.PowerOnVM_Task()
    (update,) = flat(si.content.propertyCollector.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=60)))
    assert update[2] == {"runtime.powerState": "poweredOn"}
    assert sim.clock.seconds() == 2


def test_waiting_in_vain_costs_virtual_time_only(sim: Simulator, si: Any) -> None:
    si.content.propertyCollector.CreateFilter(object_spec(vm(si), "name"), True)
    version = si.content.propertyCollector.WaitForUpdatesEx("", NOW).version
    assert si.content.propertyCollector.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=600)) is None
    assert sim.clock.seconds() == 600


def test_pyvims_own_task_helper_works(client: Any) -> None:
    task = vm(client).PowerOnVM_Task()
    WaitForTask(task)
    assert task.info.state == "success"
    assert vm(client).runtime.powerState == "poweredOn"
    with pytest.raises(vim.fault.Timedout):
        WaitForTask(host(client).EnterMaintenanceMode_Task(30))


def test_a_destroyed_filter_is_silent(client: Any, sim: Simulator) -> None:
    collector = client.content.propertyCollector
    made = collector.CreateFilter(object_spec(host(client), "runtime.inMaintenanceMode"), True)
    version = collector.WaitForUpdatesEx("", NOW).version
    assert [item._moId for item in collector.filter] == [made._moId]
    made.Destroy()
    sim.find("HostSystem", "esx-01").set("runtime.inMaintenanceMode", True)
    assert collector.WaitForUpdatesEx(version, NOW) is None
    assert list(collector.filter) == []


def test_two_collectors_of_one_session_do_not_share(client: Any) -> None:
    first = client.content.propertyCollector
    second = first.CreatePropertyCollector()
    second.CreateFilter(object_spec(host(client), "name"), True)
    assert first.WaitForUpdatesEx("", NOW) is None
    assert len(flat(second.WaitForUpdatesEx("", NOW))) == 1
    second.Destroy()
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        second.WaitForUpdatesEx("", NOW)
    with pytest.raises(vmodl.fault.NotSupported):
        first.Destroy()


def test_a_property_that_becomes_unreadable_is_in_the_missing_set(client: Any, sim: Simulator) -> None:
    collector = client.content.propertyCollector
    collector.CreateFilter(object_spec(host(client), "config.pciPassthruInfo"), True)
    version = collector.WaitForUpdatesEx("", NOW).version
    target = sim.find("HostSystem", "esx-01")
    target.set("runtime.connectionState", "disconnected")
    target.touch("config")
    (item,) = collector.WaitForUpdatesEx(version, NOW).filterSet[0].objectSet
    assert [(lost.path, type(lost.fault)) for lost in item.missingSet] == [
        ("config.pciPassthruInfo", vmodl.fault.HostNotConnected)
    ]


def test_updates_survive_a_change_log_that_was_cut(monkeypatch: pytest.MonkeyPatch, si: Any, sim: Simulator) -> None:
    monkeypatch.setattr("simulator.core.changes.LIMIT", 10)
    collector = si.content.propertyCollector
    collector.CreateFilter(object_spec(host(si), "runtime.inMaintenanceMode"), True)
    version = collector.WaitForUpdatesEx("", NOW).version
    sim.find("HostSystem", "esx-01").set("runtime.inMaintenanceMode", True)
    for n in range(30):
        sim.obj("host-2").set("name", f"esx-02-{n}")
    (update,) = flat(collector.WaitForUpdatesEx(version, NOW))
    assert update[2] == {"runtime.inMaintenanceMode": True}


def waiting(
    sim: Simulator, collector: Any, version: str, seconds: int | None = 120
) -> tuple[threading.Thread, list[Any]]:
    """A client blocked in WaitForUpdatesEx on another thread, and where its result or exception will be."""
    result: list[Any] = []

    def run() -> None:
        try:
            result.append(collector.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=seconds)))
        except Exception as error:
            result.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def waits() -> bool:
        with sim.lock:
            return any(item.waiting for item in sim.sessions.by_key.values())

    assert until(waits)
    return thread, result


@pytest.fixture
def patient() -> Simulator:
    """A simulator whose time stands still while clients wait."""
    return build(clock=ManualClock(auto_advance=False))


def test_a_waiting_client_is_woken_by_a_change(patient: Simulator, smart_connect: Callable[..., Any]) -> None:
    with patient.serve() as server:
        si = smart_connect(server)
        collector = si.content.propertyCollector
        collector.CreateFilter(object_spec(host(si), "runtime.inMaintenanceMode"), True)
        version = collector.WaitForUpdatesEx("", NOW).version
        thread, result = waiting(patient, collector, version)
        assert result == []
        patient.find("HostSystem", "esx-01").set("runtime.inMaintenanceMode", True)
        thread.join(PATIENCE)
        assert flat(result[0]) == [("modify", "host-1", {"runtime.inMaintenanceMode": True})]


def test_waiting_without_end_over_the_network_is_patience(sim: Simulator, smart_connect: Callable[..., Any]) -> None:
    """In process nobody else could ever end it; over the network another client can."""
    si = sim.stub().connect()
    si.content.propertyCollector.CreateFilter(object_spec(host(si), "name"), True)
    version = si.content.propertyCollector.WaitForUpdatesEx("", NOW).version
    with pytest.raises(vmodl.fault.SystemError, match="nothing is scheduled"):
        si.content.propertyCollector.WaitForUpdatesEx(version, None)
    with sim.serve() as server:
        far = smart_connect(server)
        collector = far.content.propertyCollector
        collector.CreateFilter(object_spec(host(far), "name"), True)
        version = collector.WaitForUpdatesEx("", NOW).version
        thread, result = waiting(sim, collector, version, seconds=None)
        assert result == []
        sim.find("HostSystem", "esx-01").set("name", "renamed")
        thread.join(PATIENCE)
        assert flat(result[0])[0][2] == {"name": "renamed"}


def test_a_wait_can_be_cancelled(patient: Simulator, smart_connect: Callable[..., Any]) -> None:
    with patient.serve() as server:
        si = smart_connect(server)
        collector = si.content.propertyCollector
        collector.CreateFilter(object_spec(host(si), "name"), True)
        version = collector.WaitForUpdatesEx("", NOW).version
        thread, result = waiting(patient, collector, version)
        collector.CancelWaitForUpdates()
        thread.join(PATIENCE)
        assert isinstance(result[0], vmodl.fault.RequestCanceled)


def test_a_wait_ends_when_its_session_ends(patient: Simulator, smart_connect: Callable[..., Any]) -> None:
    with patient.serve() as server:
        si = smart_connect(server)
        collector = si.content.propertyCollector
        collector.CreateFilter(object_spec(host(si), "name"), True)
        version = collector.WaitForUpdatesEx("", NOW).version
        thread, result = waiting(patient, collector, version)
        with patient.lock:
            patient.sessions.close_all()
        thread.join(PATIENCE)
        assert isinstance(result[0], vim.fault.NotAuthenticated)


def test_other_clients_are_served_while_one_waits(patient: Simulator, smart_connect: Callable[..., Any]) -> None:
    with patient.serve() as server:
        first, second = smart_connect(server), smart_connect(server)
        collector = first.content.propertyCollector
        collector.CreateFilter(object_spec(host(first), "name"), True)
        version = collector.WaitForUpdatesEx("", NOW).version
        thread, result = waiting(patient, collector, version)
        assert host(second, 2).name == "esx-02"
        assert result == []
        patient.find("HostSystem", "esx-01").set("name", "renamed")
        thread.join(PATIENCE)
        assert flat(result[0])[0][2] == {"name": "renamed"}
