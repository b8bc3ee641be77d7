# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pyVmomi import vim, vmodl

from simulator import Simulator
from simulator.transport.http import Server
from tests.unit.simulator.inventory import build
from tests.unit.simulator.specs import PC, container, host, object_spec, objects, values, view_spec, vm


@pytest.fixture(params=["in process", "over TLS"])
def client(request: pytest.FixtureRequest, sim: Simulator) -> Any:
    """The same tests for both ways in."""
    if request.param == "in process":
        return sim.stub().connect()
    server: Server = request.getfixturevalue("server")
    connect: Callable[..., Any] = request.getfixturevalue("smart_connect")
    return connect(server)


def read(si: Any, spec: Any, size: int | None = None) -> list[Any]:
    """Every page."""
    collector = si.content.propertyCollector
    page = collector.RetrievePropertiesEx([spec], PC.RetrieveOptions(maxObjects=size))
    found = list(page.objects)
    while page.token:
        page = collector.ContinueRetrievePropertiesEx(page.token)
        found += page.objects
    return found


def test_a_bulk_read_through_a_view(client: Any) -> None:
    spec = view_spec(
        container(client, vim.HostSystem), vim.HostSystem, "name", "runtime.bootTime", "config.pciPassthruInfo"
    )
    found = read(client, spec)
    assert [values(item)["name"] for item in found] == ["esx-01", "esx-02", "esx-03"]
    info = values(found[0])["config.pciPassthruInfo"]
    assert [item.id for item in info] == ["0000:00:00.0", "0000:01:00.0"]
    assert all(isinstance(item, vim.host.PciPassthruInfo) for item in info)
    assert values(found[0])["runtime.bootTime"].year == 2026


@pytest.mark.parametrize(("size", "calls"), [(1, 3), (2, 2), (3, 1), (50, 1)])
def test_paging(client: Any, sim: Simulator, size: int, calls: int) -> None:
    spec = view_spec(container(client, vim.HostSystem), vim.HostSystem, "name")
    mark = sim.journal.mark()
    assert len(read(client, spec, size)) == 3
    made = [entry for entry in sim.journal.since(mark) if "RetrievePropertiesEx" in entry.method]
    assert len(made) == calls


def test_the_server_may_send_fewer_than_asked(client: Any, sim: Simulator) -> None:
    sim.knobs.page_size = 2
    page = client.content.propertyCollector.RetrievePropertiesEx(
        [view_spec(container(client, vim.HostSystem), vim.HostSystem, "name")], PC.RetrieveOptions(maxObjects=100)
    )
    assert len(page.objects) == 2
    assert page.token


@pytest.mark.parametrize("size", [0, -1])
def test_a_page_size_of_zero_or_less_is_illegal(client: Any, size: int) -> None:
    spec = view_spec(container(client, vim.HostSystem), vim.HostSystem, "name")
    with pytest.raises(vmodl.fault.InvalidArgument) as caught:
        client.content.propertyCollector.RetrievePropertiesEx([spec], PC.RetrieveOptions(maxObjects=size))
    assert caught.value.invalidProperty == "options.maxObjects"


def test_a_token_is_good_once_and_can_be_cancelled(client: Any) -> None:
    collector = client.content.propertyCollector
    spec = view_spec(container(client, vim.HostSystem), vim.HostSystem, "name")
    token = collector.RetrievePropertiesEx([spec], PC.RetrieveOptions(maxObjects=1)).token
    second = collector.ContinueRetrievePropertiesEx(token).token
    with pytest.raises(vmodl.fault.InvalidArgument):
        collector.ContinueRetrievePropertiesEx(token)
    collector.CancelRetrievePropertiesEx(second)
    with pytest.raises(vmodl.fault.InvalidArgument):
        collector.ContinueRetrievePropertiesEx(second)


def test_nothing_selected_is_no_result(client: Any) -> None:
    spec = view_spec(container(client, vim.Datastore), vim.Datastore, "name")
    assert client.content.propertyCollector.RetrievePropertiesEx([spec], PC.RetrieveOptions()) is None
    assert not client.content.propertyCollector.RetrieveProperties([spec])


@pytest.mark.parametrize(
    "path",
    ["nme", "runtime.nope", "config.hardware", "capability", "runtime..x", "config.pciPassthruInfo.id", "name[1]"],
)
def test_a_path_that_is_wrong_or_not_modelled_is_invalid_property(client: Any, path: str) -> None:
    with pytest.raises(vmodl.query.InvalidProperty) as caught:
        client.content.propertyCollector.RetrieveProperties([object_spec(host(client), "name", path)])
    assert caught.value.name == path


def test_unset_properties_are_left_out(client: Any) -> None:
    (content,) = client.content.propertyCollector.RetrieveProperties([object_spec(vm(client), "name", "guest")])
    assert values(content) == {"name": "vm-01"}
    assert not content.missingSet


def test_array_elements_by_key(client: Any) -> None:
    paths = ["config.hardware.device[4000]", "config.hardware.device[4000].unitNumber", "config.hardware.device[9]"]
    (content,) = client.content.propertyCollector.RetrieveProperties([object_spec(vm(client), *paths)])
    found = values(content)
    assert found[paths[0]].key == 4000
    assert found[paths[1]] == 7
    assert paths[2] not in found


@pytest.mark.parametrize(
    "path",
    [
        'config.hardware.device["4000"]',
        "config.hardware.device[eth0]",
        "config.extraConfig[guestinfo.a]",
        'config.hardware.device[4000].x["a"]',
        "config.changeVersion[1]",
        "network[network-1]",
    ],
)
def test_a_key_has_the_type_of_the_array(client: Any, path: str) -> None:
    with pytest.raises(vmodl.query.InvalidProperty) as caught:
        client.content.propertyCollector.RetrieveProperties([object_spec(vm(client), path)])
    assert caught.value.name == path


def test_all_reads_what_is_modelled(client: Any) -> None:
    spec = view_spec(container(client, vim.VirtualMachine), vim.VirtualMachine, everything=True)
    found = values(read(client, spec)[0])
    assert found["name"] == "vm-01"
    assert found["config"].hardware.memoryMB == 1024
    assert "layoutEx" not in found


def test_no_path_at_all_gives_the_objects_alone(client: Any) -> None:
    found = read(client, view_spec(container(client, vim.HostSystem), vim.HostSystem))
    assert [item.obj._moId for item in found] == ["host-1", "host-2", "host-3"]
    assert not any(item.propSet for item in found)


def test_a_recursive_traversal_by_name(client: Any) -> None:
    """The classic folder walk: selection specs refer to traversal specs by name, also to themselves."""
    back = PC.SelectionSpec(name="folders")
    folders = PC.TraversalSpec(
        name="folders",
        type=vim.Folder,
        path="childEntity",
        skip=False,
        selectSet=[back, PC.SelectionSpec(name="hosts"), PC.SelectionSpec(name="vms")],
    )
    hosts = PC.TraversalSpec(name="hosts", type=vim.Datacenter, path="hostFolder", skip=False, selectSet=[back])
    vms = PC.TraversalSpec(name="vms", type=vim.Datacenter, path="vmFolder", skip=False, selectSet=[back])
    spec = PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=client.content.rootFolder, skip=False, selectSet=[folders, hosts, vms])],
        propSet=[
            PC.PropertySpec(type=vim.HostSystem, pathSet=["name"]),
            PC.PropertySpec(type=vim.VirtualMachine, pathSet=["name"]),
        ],
    )
    names = sorted(values(item)["name"] for item in read(client, spec))
    assert names == ["esx-01", "esx-02", "esx-03", "vm-01", "vm-02"]


def test_skip_leaves_out_the_object_but_not_what_is_below(client: Any) -> None:
    step = PC.TraversalSpec(type=vim.Folder, path="childEntity", skip=True)
    spec = PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=client.content.rootFolder, skip=False, selectSet=[step])],
        propSet=[PC.PropertySpec(type=vim.ManagedEntity, pathSet=["name"])],
    )
    assert [values(item)["name"] for item in read(client, spec)] == ["Datacenters"]


def test_properties_of_a_base_type_apply_to_its_subtypes(client: Any) -> None:
    spec = view_spec(container(client, vim.HostSystem), vim.ManagedEntity, "name")
    assert len(read(client, spec)) == 3


@pytest.mark.parametrize(
    ("selection", "fault"),
    [
        (PC.SelectionSpec(name="nowhere"), vmodl.fault.InvalidArgument),
        (PC.TraversalSpec(type=vim.Folder, path="nope"), vmodl.query.InvalidProperty),
        (PC.TraversalSpec(type=vim.Folder, path="name"), vmodl.query.InvalidProperty),
    ],
    ids=["unknown name", "unknown path", "not a reference"],
)
def test_a_traversal_that_makes_no_sense_is_refused(client: Any, selection: Any, fault: type[Exception]) -> None:
    spec = PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=client.content.rootFolder, selectSet=[selection])],
        propSet=[PC.PropertySpec(type=vim.Folder, pathSet=["name"])],
    )
    with pytest.raises(fault):
        client.content.propertyCollector.RetrieveProperties([spec])


def test_a_start_object_that_is_gone(client: Any) -> None:
    gone = vim.HostSystem("host-99", client._stub)
    spec = object_spec(gone, "name")
    with pytest.raises(vmodl.fault.ManagedObjectNotFound) as caught:
        client.content.propertyCollector.RetrieveProperties([spec])
    assert caught.value.obj._moId == "host-99"
    spec.reportMissingObjectsInResults = True
    assert not client.content.propertyCollector.RetrieveProperties([spec])


def test_a_disconnected_hosts_properties_are_missing_with_their_fault(client: Any, sim: Simulator) -> None:
    sim.find("HostSystem", "esx-02").set("runtime.connectionState", "disconnected")
    spec = view_spec(container(client, vim.HostSystem), vim.HostSystem, "name", "config.pciPassthruInfo")
    lost = {values(item)["name"]: item.missingSet for item in read(client, spec)}
    assert not lost["esx-01"]
    (missing,) = lost["esx-02"]
    assert missing.path == "config.pciPassthruInfo"
    assert isinstance(missing.fault, vmodl.fault.HostNotConnected)
    assert missing.fault.msg


def test_a_client_cannot_change_the_simulator_by_changing_what_it_read(client: Any, sim: Simulator) -> None:
    (content,) = client.content.propertyCollector.RetrieveProperties([object_spec(vm(client), "config")])
    values(content)["config"].hardware.device[0].unitNumber = 99
    vm(client).config.hardware.memoryMB = 1
    assert vm(client).config.hardware.memoryMB == 1024
    assert vm(client).config.hardware.device[0].unitNumber == 7


def test_both_ways_in_show_the_same(sim: Simulator, server: Server, smart_connect: Callable[..., Any]) -> None:
    from simulator.api import data

    shown = []
    for si in (sim.stub().connect(), smart_connect(server)):
        spec = view_spec(
            container(si, vim.ManagedEntity), vim.ManagedEntity, "name", "parent", "overallStatus", "recentTask"
        )
        more = view_spec(container(si, vim.VirtualMachine), vim.VirtualMachine, "config", "runtime")
        shown.append(data.new(PC.RetrieveResult, objects=read(si, spec) + read(si, more)))
    assert data.same(shown[0], shown[1])


def test_a_read_costs_the_same_calls_however_many_hosts(sim: Simulator) -> None:
    counts = []
    for number in (10, 100):
        large = build(hosts=number, vms=0)
        si = large.stub().connect()
        view = container(si, vim.HostSystem)
        mark = large.journal.mark()
        assert len(read(si, view_spec(view, vim.HostSystem, "name", "config.pciPassthruInfo"))) == number
        counts.append(len(large.journal.since(mark)))
    assert counts[0] == counts[1]


def test_objects_removed_between_pages_are_left_out(client: Any, sim: Simulator) -> None:
    collector = client.content.propertyCollector
    page = collector.RetrievePropertiesEx(
        [view_spec(container(client, vim.HostSystem), vim.HostSystem, "name")], PC.RetrieveOptions(maxObjects=2)
    )
    sim.remove(sim.find("HostSystem", "esx-03"))
    assert not collector.ContinueRetrievePropertiesEx(page.token).objects


def test_attribute_access_reads_one_property(client: Any) -> None:
    target = host(client)
    assert target.name == "esx-01"
    assert target.runtime.connectionState == "connected"
    assert list(target.vm) == []
    assert target.parent._moId == "group-h1"
    with pytest.raises(vmodl.query.InvalidProperty):
        _unused = target.capability
    assert [item.name for item in objects(client, vim.VirtualMachine)] == ["vm-01", "vm-02"]
