# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPException, RemoteDisconnected
from typing import Any

import pytest
from pyVmomi import vim, vmodl

from simulator import Simulator
from simulator.core.faults import FaultRule
from simulator.core.journal import READS
from simulator.transport.http import Server
from tests.unit.simulator.specs import container, host, view_spec, vm


@pytest.fixture(params=["in process", "over TLS"])
def client(request: pytest.FixtureRequest, sim: Simulator) -> Any:
    if request.param == "in process":
        return sim.stub().connect()
    return request.getfixturevalue("smart_connect")(request.getfixturevalue("server"))


def test_reading_is_no_write(client: Any, sim: Simulator) -> None:
    view = container(client, vim.HostSystem)
    client.content.propertyCollector.RetrieveProperties([view_spec(view, vim.HostSystem, "name")])
    view.Destroy()
    assert client.CurrentTime()
    assert sim.journal.writes() == []
    assert sim.journal.count() > 5


def test_writes_are_recorded_with_all_that_matters(client: Any, sim: Simulator) -> None:
    mark = sim.journal.mark()
    vm(client).ReconfigVM_Task(vim.vm.ConfigSpec(memoryMB=2048))
    (entry,) = sim.journal.writes()
    assert (entry.method, entry.moid, entry.name, entry.outcome) == ("ReconfigVM_Task", "vm-1", "vm-01", "ok")
    assert entry.args == {"spec": {"_type": "VirtualMachineConfigSpec", "memoryMB": 2048}}
    assert entry.user == "administrator@vsphere.local"
    assert entry in sim.journal.since(mark)
    assert sim.journal.count("ReconfigVM_Task") == 1


def test_a_refused_call_is_recorded_too(client: Any, sim: Simulator) -> None:
    with pytest.raises(vim.fault.InvalidState):
        host(client).RebootHost_Task(False)
    with pytest.raises(vmodl.fault.MethodNotFound):
        host(client).ShutdownHost_Task(True)
    assert [(entry.method, entry.outcome) for entry in sim.journal.writes()] == [
        ("RebootHost_Task", "InvalidState"),
        ("ShutdownHost_Task", "MethodNotFound"),
    ]


def test_the_read_list_names_real_methods_only() -> None:
    from pyVmomi import VmomiSupport as vs

    unknown = []
    for name in {
        item
        for item in READS
        if not item.startswith(("Redfish.", "Rest.", "Tagging.", "ComputePolicies.", "Tasks.", "DirectPathDevices."))
    } - {"Fetch"}:
        try:
            vs.GetWsdlMethod("urn:vim25", name)
        except KeyError:
            unknown.append(name)
    assert unknown == []


def test_clear_forgets(client: Any, sim: Simulator) -> None:
    client.CurrentTime()
    sim.journal.clear()
    assert sim.journal.count() == 0
    assert sim.journal.counters.calls == 0


def test_bytes_and_connections_are_counted(sim: Simulator, server: Server, smart_connect: Callable[..., Any]) -> None:
    si = smart_connect(server)
    host(si)
    counters = sim.journal.counters
    assert counters.http_requests == sim.journal.count()
    assert counters.http_connections >= 1
    assert counters.logins == 1
    (read,) = [entry for entry in sim.journal.calls if entry.method == "CreateContainerView"]
    assert read.bytes_in > 300
    assert read.bytes_out > 100
    assert counters.bytes_out >= sum(entry.bytes_out for entry in sim.journal.calls)


# -- fault rules --------------------------------------------------------------------------------------------------


def test_a_fault_by_method_and_object_after_n_for_n_times(client: Any, sim: Simulator) -> None:
    rule = sim.faults.add(method="RebootHost_Task", name="esx-01", after=1, times=1, fault="HostNotReachable")
    host(client).RebootHost_Task(True)
    with pytest.raises(vmodl.fault.HostNotReachable) as caught:
        host(client).RebootHost_Task(True)
    assert caught.value.msg == "The host is not reachable."
    host(client, 2).RebootHost_Task(True)
    host(client).RebootHost_Task(True)
    assert (rule.seen, rule.hits) == (3, 1)
    assert [entry.outcome for entry in sim.journal.writes()] == ["ok", "HostNotReachable", "ok", "ok"]


def test_a_task_can_be_made_to_fail_after_the_call_was_accepted(client: Any, sim: Simulator) -> None:
    sim.faults.add(method="PowerOnVM_Task", fault="NotSupported", in_task=True, times=1)
    task = vm(client).PowerOnVM_Task(None)
    sim.clock.advance(10)  # type: ignore[attr-defined]
    assert task.info.state == "error"
    assert isinstance(task.info.error, vmodl.fault.NotSupported)
    assert vm(client).runtime.powerState == "poweredOff"
    assert sim.journal.writes()[-1].outcome == "ok"
    again = vm(client).PowerOnVM_Task(None)
    sim.clock.advance(10)  # type: ignore[attr-defined]
    assert again.info.state == "success"


def test_a_fault_carries_its_fields_and_text(client: Any, sim: Simulator) -> None:
    sim.faults.add(
        type="VirtualMachine",
        method="ReconfigVM_Task",
        fault="InvalidArgument",
        fields={"invalidProperty": "x"},
        message="no",
    )
    with pytest.raises(vmodl.fault.InvalidArgument) as caught:
        vm(client).ReconfigVM_Task(vim.vm.ConfigSpec())
    assert (caught.value.invalidProperty, caught.value.msg) == ("x", "no")


def test_an_http_status(client: Any, sim: Simulator) -> None:
    sim.faults.add(method="CurrentTime", http=503, times=1)
    with pytest.raises(HTTPException, match="503"):
        client.CurrentTime()
    assert client.CurrentTime()
    assert [entry.outcome for entry in sim.journal.calls if entry.method == "CurrentTime"] == ["http 503", "ok"]


@pytest.mark.parametrize(("when", "powered"), [("before", "poweredOff"), ("after", "poweredOn")])
def test_a_connection_dropped_before_or_after_the_effect(client: Any, sim: Simulator, when: str, powered: str) -> None:
    target = vm(client)
    sim.faults.add(method="PowerOnVM_Task", drop=when, times=1)
    with pytest.raises((ConnectionResetError, RemoteDisconnected)):
        target.PowerOnVM_Task()
    sim.clock.advance(5)
    assert target.runtime.powerState == powered
    assert [entry.outcome for entry in sim.journal.writes()] == ["dropped"]


def test_latency_takes_time(sim: Simulator, si: Any) -> None:
    sim.faults.add(method="CurrentTime", latency=5.0)
    before = sim.clock.seconds()
    si.CurrentTime()
    assert sim.clock.seconds() == before + 5


def test_clearing_the_rules(client: Any, sim: Simulator) -> None:
    sim.faults.add(method="CurrentTime", http=503)
    sim.faults.clear()
    assert client.CurrentTime()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"http": 503, "in_task": True}, "in_task needs a fault"),
        ({}, "needs fault, http, drop or latency"),
        ({"fault": "NoSuchFault"}, "no fault named 'NoSuchFault'"),
        ({"fault": "HostSystem"}, "is not a fault"),
        ({"fault": "NotFound", "fields": {"nope": 1}}, "NotFound has no field nope"),
        ({"drop": "sometimes"}, "drop is 'before' or 'after'"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FaultRule(**fields)


def test_a_fault_hits_before_the_session_is_lost_but_after_privileges(sim: Simulator) -> None:
    sim.authz.add_user("reader", "r", "ReadOnly")
    sim.faults.add(method="RebootHost_Task", fault="HostNotReachable")
    with pytest.raises(vim.fault.NoPermission):
        host(sim.stub().connect("reader")).RebootHost_Task(True)
    with pytest.raises(vim.fault.NotAuthenticated):
        vim.HostSystem("host-1", sim.stub()).RebootHost_Task(True)
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        vim.HostSystem("host-9", sim.stub().connect()._stub).RebootHost_Task(True)
