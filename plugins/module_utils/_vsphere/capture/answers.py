# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record how a server answers about one host: requests and answers as they were on the wire. PRIVATE to the collection.

The simulator answers the same requests from a capture (``simulator/answers.py``), and both are compared
(``plugin_utils/answers``): types, encodings and what is there, not values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._domain.errors import InputError
from ..._domain.names import shown_name
from ..http.soap import ask, chunks
from ..property_collector.retrieve import Row, collect_objects, collect_view
from ..sdk import vim, vmodl
from ..session.connect import Session
from .paths import HOSTS, OTHERS, known_paths

MOST_VMS = 50
"""Virtual machines of the host whose answers are recorded."""
_OF_HOST = (
    "name",
    "parent",
    "vm",
    "datastore",
    "network",
    "runtime.connectionState",
    "config.storageDevice.scsiLun",
    "configManager.storageSystem",
    "configManager.kernelModuleSystem",
)
_pc = vmodl.query.PropertyCollector


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """``title``: what is asked. ``answer``: a fault is an answer, too."""

    title: str
    action: str
    request: str
    answer: str

    def record(self) -> dict[str, str]:
        """For a file."""
        return {"title": self.title, "action": self.action, "request": self.request, "answer": self.answer}


def record_answers(session: Session, host: str | None) -> list[Answer]:
    """Ask about one host, its VMs, its cluster, its datastores and networks. ``host``: name or id; None for the first one that answers.

    Raises InputError (unknown_host, no_host_answers) and errors of the connection. Faults are recorded.
    """
    row = _chosen(session, host)
    return [
        _ask(session, title, kind, moid, method, args) for title, kind, moid, method, args in _questions(session, row)
    ]


def _chosen(session: Session, host: str | None) -> Row:
    rows = collect_view(session, {vim.HostSystem: _OF_HOST})[vim.HostSystem]
    answering = [row for row in rows if str(row.get("runtime.connectionState")) == "connected"]
    if host is None:
        if not answering:
            raise InputError(
                message="No host of this server is connected",
                code="no_host_answers",
                parameter="answers_host",
                cure="Connect a host, or name another server",
            )
        return answering[0]
    named = [row for row in rows if host in (row.moid, shown_name(str(row.get("name", ""))))]
    if len(named) != 1:
        raise InputError(
            message=f"{len(named)} hosts have the name {host}" if named else f"No host has the name {host}",
            code="unknown_host",
            parameter="answers_host",
            cure="Write the name as the vSphere Client shows it, or the managed object id",
            candidates=tuple(shown_name(str(row.get("name", ""))) for row in answering[:10]),
        )
    return named[0]


_Question = tuple[str, Any, str, str, Sequence[Any]]


def _questions(session: Session, host: Row) -> Iterator[_Question]:
    """Title, type, id, method and arguments of each request. All are reads."""
    paths = {**known_paths(session, HOSTS), **known_paths(session, OTHERS)}
    yield _properties(session, vim.HostSystem, [host.moid], paths)
    for kind, moids in _around(host).items():
        yield _properties(session, kind, moids, paths)
    compute = host.get("parent")
    for row in collect_objects(session, type(compute), [compute._moId], ["environmentBrowser"]) if compute else ():
        if (browser := row.get("environmentBrowser")) is not None:
            me = session.reference(vim.HostSystem, host.moid)
            yield "QueryConfigTarget", vim.EnvironmentBrowser, browser._moId, "QueryConfigTarget", [me]
            yield (
                "QueryConfigOptionDescriptor",
                vim.EnvironmentBrowser,
                browser._moId,
                "QueryConfigOptionDescriptor",
                [],
            )
            yield "QueryConfigOption", vim.EnvironmentBrowser, browser._moId, "QueryConfigOption", [None, me]
    if (storage := host.get("configManager.storageSystem")) is not None:
        disks = sorted(
            path for lun in host.get("config.storageDevice.scsiLun", ()) if (path := getattr(lun, "devicePath", ""))
        )
        if disks:
            yield (
                "RetrieveDiskPartitionInfo",
                vim.host.StorageSystem,
                storage._moId,
                "RetrieveDiskPartitionInfo",
                [disks],
            )
    if (modules := host.get("configManager.kernelModuleSystem")) is not None:
        title = "QueryConfiguredModuleOptionString"
        yield title, vim.host.KernelModuleSystem, modules._moId, title, ["ixgben"]
    yield "RetrieveHardwareUptime", vim.HostSystem, host.moid, "RetrieveHardwareUptime", []
    yield "CurrentTime", vim.ServiceInstance, "ServiceInstance", "CurrentTime", []


def _around(host: Row) -> Mapping[Any, list[str]]:
    found: dict[Any, list[str]] = {vim.VirtualMachine: [ref._moId for ref in host.get("vm", ())][:MOST_VMS]}
    refs = [*host.get("datastore", ()), *host.get("network", ()), *filter(None, [host.get("parent")])]
    for ref in refs:
        found.setdefault(_asked_type(ref), []).append(ref._moId)
    return {kind: moids for kind, moids in found.items() if moids}


def _asked_type(ref: Any) -> Any:
    return next((kind for kind in type(ref).__mro__ if kind in OTHERS), vim.Network)


def _properties(session: Session, kind: Any, moids: Sequence[str], paths: Mapping[Any, Sequence[str]]) -> _Question:
    spec = _pc.FilterSpec(
        propSet=[_pc.PropertySpec(type=kind, all=False, pathSet=list(paths[kind]))],
        objectSet=[_pc.ObjectSpec(obj=session.reference(kind, moid), skip=False) for moid in moids],
    )
    collector = session.content.propertyCollector._moId
    arguments = [[spec], _pc.RetrieveOptions(maxObjects=len(moids))]
    return f"properties of {kind._wsdlName}", _pc, collector, "RetrievePropertiesEx", arguments


def _ask(session: Session, title: str, kind: Any, moid: str, method: str, args: Sequence[Any]) -> Answer:
    stub: Any = session.stub
    info = _method(kind, method)
    body: bytes = stub.SerializeRequest(session.reference(kind, moid), info, list(args))

    def call() -> str:
        return ask(stub, body, lambda response, _on: b"".join(chunks(response)).decode())

    try:
        answer = stub.guarded(method, moid, call)
    except vmodl.MethodFault as fault:
        answer = f"fault {type(fault)._wsdlName}"
    return Answer(title=title, action=str(stub.versionId), request=body.decode(), answer=answer)


def _method(kind: Any, wsdl_name: str) -> Any:
    """The method by its name on the wire. Raises LookupError."""
    return next(info for info in kind._GetMethodList() if info.wsdlName == wsdl_name)
