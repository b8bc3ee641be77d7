# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EventManager: what happened, newest last."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pyVmomi import VmomiSupport as vs
from pyVmomi import vim, vmodl

from ..api import data, wire
from ..api.takes import takes
from ..core.base import Endpoint, Entity, ManagedObject

if TYPE_CHECKING:
    from ..core.accounts import User
    from ..core.call import Call

KEEP = 10_000
FILTER = ("filter.entity.*", "filter.time.*", "filter.userName.systemUser=false", "filter.userName.userList",
          "filter.eventChainId", "filter.disableFullMessage=false", "filter.type", "filter.eventTypeId", "filter.maxCount")  # fmt: skip
"""The parts of a filter that are honored."""
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


def argument(entity: Entity) -> Any:
    """An entity as an event shows it: its name and reference."""
    for kind, _unused, made, attribute in _ARGUMENTS:
        if issubclass(entity.vim_type, kind):
            return data.new(made, **{"name": entity.name, attribute: entity.ref})
    return data.new(vim.event.ManagedEntityEventArgument, name=entity.name, entity=entity.ref)


def arguments(entities: list[Entity]) -> dict[str, Any]:
    """The event's object arguments, from the entities it is about and what is above them; the first of a kind wins."""
    found: dict[str, Any] = {}
    for entity in entities:
        for node in entity.ancestors():
            for kind, name, _argument, _unused in _ARGUMENTS:
                if name not in found and issubclass(node.vim_type, kind):
                    found[name] = argument(node)
    return found


def description() -> Any:
    """The event types of the API. Texts and categories are plain: errors by name, the rest is information."""
    levels = {"error": "Error", "warning": "Warning", "info": "Information", "user": "User"}
    categories = [data.new(vim.ElementDescription, key=key, label=text, summary=text) for key, text in levels.items()]
    details = []
    for vmodl_name in sorted(vs.ListDataTypes()):
        prefix, _unused, name = vmodl_name.rpartition(".")
        if prefix == "vim.event" and name.endswith("Event"):
            level = "error" if "Failed" in name or name.endswith("ErrorEvent") else "info"
            texts = dict.fromkeys(("formatOnDatacenter", "formatOnComputeResource", "formatOnHost", "formatOnVm"), name)
            details.append(
                data.new(
                    vim.event.EventDescription.EventDetail,
                    key=name,
                    description=name,
                    category=level,
                    fullFormat=name,
                    **texts,
                )
            )
    return data.new(vim.event.EventDescription, category=categories, eventInfo=details)


class EventManager(ManagedObject):
    """Events of this endpoint."""

    vim_type = vim.event.EventManager
    lazy: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"description": lambda self: description()}

    def __init__(self, sim: Endpoint, moid: str) -> None:
        super().__init__(sim, moid, latestEvent=None, maxCollector=32)
        self.records: list[Record] = []
        self.collectors: list[EventHistoryCollector] = []
        self._key = 0

    def post(self, cls: type[Any], entities: list[Entity], user: str, message: str, fields: dict[str, Any]) -> Any:
        """Record an event."""
        self._key += 1
        given = {name: argument(value) if isinstance(value, Entity) else value for name, value in fields.items()}
        values = {**arguments(entities), **given}
        event = data.new(
            cls,
            key=self._key,
            chainId=fields.pop("chainId", self._key),
            createdTime=self.sim.clock.now(),
            userName=user,
            fullFormattedMessage=message,
            **{name: value for name, value in values.items() if name != "chainId"},
        )
        wire.write([], "event", event, object, self.sim.api_version)  # a required field left out shows here, not later
        about = frozenset(entity.moid for entity in entities)
        below = frozenset(node.moid for entity in entities for node in entity.ancestors())
        self.records.append(Record(event=event, about=about, below=below))
        if len(self.records) > KEEP:
            del self.records[: KEEP // 10]
        self.set("latestEvent", event)
        for collector in self.collectors:
            collector.touch("latestPage")
        return event

    def matching(self, user: User, spec: Any) -> list[Any]:
        """Events that pass a filter and that a user may see, oldest first."""
        return [record.event for record in self.records if _passes(spec, record) and self._visible(user, record)]

    @takes(*FILTER)
    def QueryEvents(self, call: Call, spec: Any, view: Any = None) -> list[Any]:
        """Events that pass a filter, oldest first (the reference names no order).

        Parts of a filter that are not modelled, and a view, are NotSupported.
        """
        assert call.account is not None
        found = self.matching(call.account, spec)
        return found[-spec.maxCount :] if spec.maxCount else found

    @takes(*FILTER)
    def CreateCollectorForEvents(self, call: Call, spec: Any) -> Any:
        """A collector of this session."""
        assert call.session is not None
        made = EventHistoryCollector(self, spec, call.session.user)
        made.session_key = call.session.key
        call.session.objects.add(made.moid)
        self.collectors.append(made)
        return self.sim.add(made)

    @takes("entity", "msg")
    def LogUserEvent(self, call: Call, entity: Any, msg: str) -> None:
        """An event with a text, about an object (GeneralUserEvent). Requires Global.LogEvent on the object."""
        assert call.account is not None
        about = self.sim.registry.behind(entity)
        if not isinstance(about, Entity):
            raise vmodl.fault.ManagedObjectNotFound(obj=entity)
        named = data.new(vim.event.ManagedEntityEventArgument, name=about.name, entity=about.ref)
        self.post(vim.event.GeneralUserEvent, [about], call.account.name, msg, {"message": msg, "entity": named})

    def _visible(self, user: User, record: Record) -> bool:
        known = [self.sim.registry.find(moid) for moid in record.about]
        return all(obj is None or self.sim.authz.allows(user, "System.View", obj) for obj in known)


class EventHistoryCollector(ManagedObject):
    """A window on the events that pass a filter: the latest page (newest first), and a place to read on from."""

    vim_type = vim.event.EventHistoryCollector
    id_prefix = "session-event-collector"
    live: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"latestPage": lambda self: self.latest()}

    def __init__(self, manager: EventManager, spec: Any, user: User) -> None:
        super().__init__(manager.sim, filter=spec)
        self.manager = manager
        self.spec = spec
        self.user = user
        self.size = 10
        self.after = 0
        """Key of the last event read; reading on starts behind it."""

    def _all(self) -> list[Any]:
        return self.manager.matching(self.user, self.spec)

    def latest(self) -> list[Any]:
        """The newest events, newest first."""
        return self._all()[-self.size :][::-1]

    @takes("maxCount")
    def ReadNextEvents(self, call: Call, most: int) -> list[Any]:
        """Newer events, oldest first; none at the end."""
        found = [event for event in self._all() if event.key > self.after][:most]
        if found:
            self.after = found[-1].key
        return found

    @takes("maxCount")
    def ReadPreviousEvents(self, call: Call, most: int) -> list[Any]:
        """Older events, newest first; none at the beginning."""
        found = [event for event in self._all() if event.key <= self.after][-most:]
        if found:
            self.after = found[0].key - 1
        return found[::-1]

    def RewindCollector(self, call: Call) -> None:
        """Back to before the oldest event."""
        self.after = 0

    def ResetCollector(self, call: Call) -> None:
        """To just before the latest page."""
        page = self.latest()
        self.after = page[-1].key - 1 if page else 0

    @takes("maxCount")
    def SetCollectorPageSize(self, call: Call, most: int) -> None:
        """Size of the latest page, 1 to 1000."""
        if not 0 < most <= 1000:
            raise vmodl.fault.InvalidArgument(invalidProperty="maxCount")
        self.size = most
        self.touch("latestPage")

    def DestroyCollector(self, call: Call) -> None:
        """Remove the collector."""
        self.sim.remove(self)

    def removed(self) -> None:
        self.manager.collectors.remove(self)


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
