# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EventManager: what happened, newest last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from .. import data
from ..base import Entity, ManagedObject

if TYPE_CHECKING:
    from ..dispatch import Call
    from ..simulator import Simulator

KEEP = 10_000
UNMODELLED = ("alarm", "scheduledTask", "tag", "category", "auditable", "auditId")
_ARGUMENTS: tuple[tuple[type[Any], str, type[Any], str], ...] = (
    (vim.VirtualMachine, "vm", vim.event.VmEventArgument, "vm"),
    (vim.HostSystem, "host", vim.event.HostEventArgument, "host"),
    (vim.ComputeResource, "computeResource", vim.event.ComputeResourceEventArgument, "computeResource"),
    (vim.Datacenter, "datacenter", vim.event.DatacenterEventArgument, "datacenter"),
    (vim.Datastore, "ds", vim.event.DatastoreEventArgument, "datastore"),
    (vim.Network, "net", vim.event.NetworkEventArgument, "network"),
)


@dataclass(frozen=True, kw_only=True)
class Record:
    """An event, the objects it names, and all that was above them at the time."""

    event: Any
    about: frozenset[str]
    below: frozenset[str]


def arguments(entities: list[Entity]) -> dict[str, Any]:
    """The event's object arguments, from the entities it is about and what is above them; the first of a kind wins."""
    found: dict[str, Any] = {}
    for entity in entities:
        for node in entity.ancestors():
            for kind, name, argument, attribute in _ARGUMENTS:
                if name not in found and issubclass(node.vim_type, kind):
                    found[name] = data.new(argument, **{"name": node.name, attribute: node.ref})
    return found


class EventManager(ManagedObject):
    """Events of this endpoint."""

    vim_type = vim.event.EventManager

    def __init__(self, sim: Simulator, moid: str) -> None:
        super().__init__(sim, moid, latestEvent=None, maxCollector=32)
        self.records: list[Record] = []
        self._key = 0

    def post(self, cls: type[Any], entities: list[Entity], user: str, message: str, fields: dict[str, Any]) -> Any:
        """Record an event."""
        self._key += 1
        values = {**arguments(entities), **fields}
        event = data.new(
            cls,
            key=self._key,
            chainId=fields.pop("chainId", self._key),
            createdTime=self.sim.clock.now(),
            userName=user,
            fullFormattedMessage=message,
            **{name: value for name, value in values.items() if name != "chainId"},
        )
        about = frozenset(entity.moid for entity in entities)
        below = frozenset(node.moid for entity in entities for node in entity.ancestors())
        self.records.append(Record(event=event, about=about, below=below))
        if len(self.records) > KEEP:
            del self.records[: KEEP // 10]
        self.set("latestEvent", event)
        return event

    def QueryEvents(self, call: Call, spec: Any, view: Any = None) -> list[Any]:
        """Events that pass a filter, oldest first; parts of a filter that are not modelled are NotSupported."""
        for name in UNMODELLED:
            if getattr(spec, name, None):
                raise vmodl.fault.NotSupported(msg=f"simulator: event filter by {name} is not modelled")
        if view is not None:
            raise vmodl.fault.NotSupported(msg="simulator: event view specifications are not modelled")
        found = [record.event for record in self.records if _passes(spec, record) and self._visible(call, record)]
        if spec.maxCount:
            found = found[-spec.maxCount :]
        return found

    def _visible(self, call: Call, record: Record) -> bool:
        known = [self.sim.registry.find(moid) for moid in record.about]
        return all(obj is None or call.allows("System.View", obj) for obj in known)


def _passes(spec: Any, record: Record) -> bool:
    event = record.event
    if spec.entity is not None:
        moid, recursion = spec.entity.entity._moId, spec.entity.recursion
        own = moid in record.about
        if recursion == "self" and not own:
            return False
        if (recursion != "self" and moid not in record.below) or (recursion == "children" and own):
            return False
    if spec.time is not None:
        if spec.time.beginTime is not None and event.createdTime < spec.time.beginTime:
            return False
        if spec.time.endTime is not None and event.createdTime > spec.time.endTime:
            return False
    if spec.userName is not None and spec.userName.userList and event.userName not in spec.userName.userList:
        return False
    if spec.eventChainId is not None and event.chainId != spec.eventChainId:
        return False
    if spec.type and not isinstance(event, tuple(spec.type)):
        return False
    return not (spec.eventTypeId and f"vim.event.{event._wsdlName}" not in spec.eventTypeId)
