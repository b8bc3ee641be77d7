# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not modelled refuses, at every depth: generated over all methods and all fields of their arguments."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from pyVmomi import VmomiSupport as vs
from pyVmomi import vim, vmodl

import simulator.lab.load  # with it every class that answers a method
from simulator import Simulator
from simulator.api import data, takes
from simulator.api.wire import is_known
from simulator.core.accounts import Peer
from simulator.core.base import Entity, ManagedObject
from simulator.services.reading import _children, top_level
from simulator.transport.dispatch import Request, invoke
from simulator.transport.soap import method_info

LAB: dict[str, Any] = {
    "kind": "vcenter",
    "version": "8.0.3",
    "hardware": {"node": {"memory_gb": 256, "cards": ["a100", "x710"]}},
    "datacenters": [
        {
            "name": "DC1",
            "clusters": [
                {
                    "name": "compute",
                    "vsan": True,
                    "hosts": [{"name": "esx-{:02d}.lab", "count": 2, "hardware": "node"}],
                    "vms": [{"name": "train-01", "host": "esx-01", "snapshot": True}],
                }
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def sim() -> Simulator:
    return Simulator.from_lab(LAB)


@pytest.fixture(scope="module")
def content(sim: Simulator) -> Any:
    return sim.stub().connect().content


def handlers() -> Iterator[tuple[type[ManagedObject], Any]]:
    """Every class and method of the API that it answers, at the class that defines it."""
    todo: list[type[ManagedObject]] = [ManagedObject]
    while todo:
        cls = todo.pop()
        todo.extend(item for item in cls.__subclasses__() if item.__module__.startswith("simulator"))
        for name in vars(cls):
            info = method_info(name)
            if info is not None and callable(getattr(cls, name)):
                yield cls, info


assert simulator.lab.load.Builder
METHODS = sorted({(cls, info.wsdlName) for cls, info in handlers()}, key=lambda item: (item[0].__name__, item[1]))
ALL_OPTIONAL = vs.F_OPTIONAL


def sample(kind: type[Any]) -> Any:
    """Some value of a type, with nothing optional in it."""
    if issubclass(kind, list):
        item = kind.Item  # type: ignore[attr-defined]
        return kind([data.new(item) if issubclass(item, data.DataObject) else sample(item)])
    if issubclass(kind, vs.ManagedObject):
        return kind("nothing-1")
    if issubclass(kind, vs.Enum):
        return kind(kind.values[0])  # type: ignore[attr-defined]
    if issubclass(kind, data.DataObject):
        return filled(kind)
    if kind in (type, vs.ManagedMethod):
        return vim.VirtualMachine
    if issubclass(kind, datetime.datetime):
        return datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    if kind is object:
        return "x"
    return kind("1")


def filled(kind: type[Any]) -> Any:
    """A data object with one field set: an object without any asks for nothing, and some types have none."""
    made = data.new(kind)
    own = [info for info in kind._GetPropertyList() if info.name not in ("dynamicType", "dynamicProperty")]
    if own:
        field = min(own, key=lambda info: issubclass(info.type, data.DataObject))  # an object as the last resort
        nested = issubclass(field.type, data.DataObject)
        setattr(made, field.name, data.new(field.type) if nested else sample(field.type))
    return made


def kinds(declared: type[Any]) -> list[type[Any]]:
    """A data type and those that extend it."""
    found = [declared]
    for kind in found:
        found += [vs.GetVmodlType(name) for name in _children().get(vs.GetVmodlName(kind), [])]
    return found


def _only(kind: type[Any], name: str, value: Any) -> Any:
    """A data object with this field and no other: pyVmomi fills required text with an empty string."""
    made = data.new(kind)
    for other, text in vars(made).items():
        if text == "":
            made.__dict__[other] = None
    setattr(made, name, value)
    return made


def refused(node: takes.Node | None, declared: type[Any], place: str) -> Iterator[tuple[str, Any]]:
    """(path, value of the parameter) of everything below a parameter that is not honored; one field at a time."""
    if node is not None and node.whole:
        return
    item = declared.Item if issubclass(declared, list) else declared  # type: ignore[attr-defined]

    def wrapped(value: Any) -> Any:
        return declared([value]) if issubclass(declared, list) else value

    if node is None:
        value = wrapped(sample(item))
        if not takes._says_nothing(value, declared):
            yield place, value
    elif issubclass(item, data.DataObject):
        for kind in kinds(item):
            for info in kind._GetPropertyList():
                for path, value in refused(node.fields.get(info.name), info.type, f"{place}.{info.name}"):
                    yield path, wrapped(_only(kind, info.name, value))
    elif node.values:
        for value in (True, False) if item is bool else ():
            if str(value).lower() not in node.values:
                yield f"{place}={str(value).lower()}", wrapped(value)


def declared_at(node: takes.Node, info_type: type[Any], path: str) -> Iterator[str]:
    """Declared paths that the API does not have: a misspelt one would refuse what it means to take."""
    item = info_type.Item if issubclass(info_type, list) else info_type  # type: ignore[attr-defined]
    for name, child in node.fields.items():
        found = [
            info
            for kind in (kinds(item) if issubclass(item, data.DataObject) else [])
            for info in kind._GetPropertyList()
            if info.name == name
        ]
        if not found:
            yield f"{path}.{name}"
        else:
            yield from declared_at(child, found[0].type, f"{path}.{name}")


@pytest.mark.parametrize(("cls", "method"), METHODS, ids=[f"{cls.__name__}.{method}" for cls, method in METHODS])
def test_a_method_names_what_it_takes_in_the_words_of_the_api(cls: type[ManagedObject], method: str) -> None:
    info, node = method_info(method), takes.taken(getattr(cls, method))
    params = {param.name: param.type for param in info.params}
    assert set(node.fields) <= set(params), "no such parameter"
    assert [
        path
        for name, kind in params.items()
        if name in node.fields
        for path in declared_at(node.fields[name], kind, name)
    ] == []
    needed = {param.name for param in info.params if not param.flags & vs.F_OPTIONAL}
    assert needed <= set(node.fields), "a required parameter that is never honored"


@pytest.mark.parametrize(("cls", "method"), METHODS, ids=[f"{cls.__name__}.{method}" for cls, method in METHODS])
def test_all_else_is_not_supported(sim: Simulator, cls: type[ManagedObject], method: str) -> None:
    """Through the one door of every call; a stand-in does what would be done, so that the lab stays as it is."""
    info, node = method_info(method), takes.taken(getattr(cls, method))
    obj = standing_in(sim, cls, method, node)
    tried = 0
    for position, param in enumerate(info.params):
        for path, value in refused(node.fields.get(param.name), param.type, param.name):
            args = [None] * len(info.params)
            args[position] = value
            with pytest.raises(vmodl.fault.NotSupported) as caught:
                call(sim, obj, info, args)
            assert caught.value.msg == f"simulator: {obj.vim_type._wsdlName}.{method} {path} is not modelled"
            tried += 1
    if not tried:  # nothing to refuse: then every parameter is honored as a whole
        assert all(param.name in node.fields for param in info.params)
    assert obj.reached == 0  # type: ignore[attr-defined]


def standing_in(sim: Simulator, cls: type[ManagedObject], method: str, node: takes.Node) -> ManagedObject:
    """An object of the class whose method only counts, with the declaration of the real one."""

    def count(self: Any, call: Any, *args: Any) -> None:
        self.reached += 1

    count.takes = node  # type: ignore[attr-defined]
    kind = getattr(cls, "vim_type", None) or vim.VirtualMachine
    made = type(
        "StandIn", (Entity if cls is Entity else ManagedObject,), {"vim_type": kind, method: count, "reached": 0}
    )
    obj: ManagedObject = made(sim, f"stand-in-{cls.__name__}-{method}")
    if sim.registry.find(obj.moid) is None:
        sim.add(obj)
    return obj


def call(sim: Simulator, obj: ManagedObject, info: Any, args: list[Any]) -> Any:
    user = next(iter(sim.authz.users.values()))
    peer = Peer()
    if not sim.sessions.by_key:
        sim.sessions.open(user, Peer())
    peer.session_key = next(iter(sim.sessions.by_key))
    request = Request(
        moid=obj.moid, type=obj.vim_type, method=info.wsdlName, info=info, args=args, version=sim.api_version
    )
    return invoke(sim, request, peer)


def test_what_is_taken_reaches_the_method(sim: Simulator, content: Any) -> None:
    """The refusal is not of everything: a spec of what is honored goes through."""
    vm = sim.find("VirtualMachine", "train-01")
    user = content.searchIndex.FindByInventoryPath("DC1/vm/train-01")
    user.ReconfigVM_Task(vim.vm.ConfigSpec(annotation="x", cpuAllocation=vim.ResourceAllocationInfo(reservation=100)))
    sim.clock.advance(60)
    assert (vm.get("config.annotation"), vm.get("config.cpuAllocation.reservation")) == ("x", 100)


# -- managed objects that are always there ------------------------------------------------------------------------


@pytest.mark.parametrize("lab", ["three_hosts", "standalone_67", "legacy_55", "v9"])
def test_the_managers_of_every_endpoint_are_never_unset(lab: str) -> None:
    sim = Simulator.from_lab(f"simulator/labs/{lab}.yml")
    content = sim.stub().connect().content
    host = sim.registry.all(vim.HostSystem)[0]
    names = set()
    for holder in (content, host.get("configManager")):
        given = {name: value for name, value in vars(holder).items() if isinstance(value, vs.ManagedObject)}
        assert [name for name, ref in given.items() if sim.registry.find(ref._moId) is None] == []
        since = {info.name: info.version for info in type(holder)._GetPropertyList()}
        assert [name for name in given if not is_known(sim.api_version, since[name])] == []
        names |= set(given)
    assert {"perfManager", "licenseManager", "networkSystem", "firewallSystem"} <= names


def test_they_refuse_what_they_are_asked(sim: Simulator, content: Any) -> None:
    """Each property and each method of each of them, by name."""
    host = content.searchIndex.FindByInventoryPath("DC1/host/compute/esx-01.lab")
    refs = [*vars(content).values(), *vars(host.configManager).values()]
    asked = 0
    for ref in refs:
        if not isinstance(ref, vs.ManagedObject) or not sim.registry.find(ref._moId).refuses:
            continue
        kind = type(ref)._wsdlName
        for name in top_level(type(ref), sim.api_version):
            with pytest.raises(vmodl.query.InvalidProperty) as missing:
                getattr(ref, name)
            assert missing.value.msg == f"simulator: {kind}.{name} is not modelled"
        for method in type(ref)._GetMethodList():
            info = method_info(method.wsdlName)
            if info is not None and is_known(sim.api_version, info.version):
                with pytest.raises(vmodl.fault.MethodNotFound) as refusal:
                    call(sim, sim.registry.find(ref._moId), info, [None] * len(info.params))
                assert refusal.value.msg == f"simulator: {kind}.{info.wsdlName} is not modelled"
        asked += 1
    assert asked > 60
    with pytest.raises(vmodl.MethodFault, match=r"simulator: HostNetworkSystem.AddVirtualSwitch is not modelled"):
        host.configManager.networkSystem.AddVirtualSwitch("vSwitch7", None)
    with pytest.raises(vmodl.MethodFault, match=r"simulator: PerformanceManager.QueryPerfCounter is not modelled"):
        content.perfManager.QueryPerfCounter([1])


def everything(content: Any, ref: Any) -> Any:
    pc = vmodl.query.PropertyCollector
    spec = pc.FilterSpec(objectSet=[pc.ObjectSpec(obj=ref)], propSet=[pc.PropertySpec(type=type(ref), all=True)])
    return content.propertyCollector.RetrieveContents([spec])[0]


def test_a_read_of_everything_names_what_is_not_modelled(content: Any) -> None:
    (store, *_more) = content.searchIndex.FindByInventoryPath("DC1").datastore
    missing = {item.path: item.fault for item in everything(content, store).missingSet}
    assert list(missing) == ["iormConfiguration"]
    assert isinstance(missing["iormConfiguration"], vmodl.fault.NotSupported)
    assert missing["iormConfiguration"].msg == "simulator: Datastore.iormConfiguration is not modelled"
    with pytest.raises(vmodl.query.InvalidProperty) as caught:
        everything(content, content.perfManager)
    assert caught.value.msg == "simulator: PerformanceManager.* is not modelled"


def test_a_path_into_what_a_host_has_and_the_lab_has_not(sim: Simulator, content: Any) -> None:
    """Unset would mean that the host keeps no time; what may be unset is left out as always."""
    host = content.searchIndex.FindByInventoryPath("DC1/host/compute/esx-01.lab")
    pc = vmodl.query.PropertyCollector
    wanted = [
        "config.dateTimeInfo.ntpConfig",
        "config.firewall",
        "config.vFlashConfigInfo",
        "config.network.dnsConfig.hostName",
    ]
    spec = pc.FilterSpec(
        objectSet=[pc.ObjectSpec(obj=host)], propSet=[pc.PropertySpec(type=type(host), pathSet=wanted)]
    )
    mark = sim.journal.mark()
    (row,) = content.propertyCollector.RetrieveContents([spec])
    assert [(item.name, item.val) for item in row.propSet] == [("config.network.dnsConfig.hostName", "esx-01")]
    told = [f"simulator: HostSystem.{path} is not modelled" for path in wanted[:2]]
    assert [item.fault.msg for item in row.missingSet] == told
    assert sim.journal.since(mark)[-1].refused == told
