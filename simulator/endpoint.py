# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated vCenter or ESXi host: its objects, clock, journal and faults. simulator.py loads labs into it and serves it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pyVmomi import VmomiSupport as vs
from pyVmomi import vmodl

from .api import names, versions
from .api.data import Ref
from .bmc.accounts import ACCOUNTS, Accounts
from .bmc.accounts import Sessions as BmcSessions
from .core.authz import Authorization
from .core.base import BootTimes, Caller, Entity, ManagedObject
from .core.call import Call
from .core.changes import ChangeLog
from .core.clock import Clock, ManualClock
from .core.faults import FaultRules
from .core.journal import Journal
from .core.knobs import CORE_KNOBS, Knob, Knobs
from .core.registry import Registry
from .core.stops import Holds, Stop, Stops, Write
from .core.tasks import Body, Task
from .objects.unmodelled import Absent
from .services import build_services
from .services.reading import PropertyReader
from .services.sessions import Sessions
from .services.updates import GONE
from .services.views import STRUCTURE, ContainerView
from .vapi.policies import ComputePolicies
from .vapi.sessions import Sessions as VapiSessions
from .vapi.tags import Tags

Lab = Mapping[str, Any]
_NAMESPACE = uuid.UUID("6f1c8f0e-8f0d-4f59-9a0b-8f2f7f6d7c11")
BUILDS = {
    "5.5": "1623387",
    "6.7": "17994927",
    "7.0": "21290409",
    "8.0": "24674464",
    "9.0": "24755230",
    "9.1": "25100000",
}


class SimulatedEndpoint:
    """One endpoint with all its state. Two of them share nothing."""

    def __init__(
        self,
        lab: Lab,
        clock: Clock | None = None,
        knobs: Mapping[str, Knob] | None = None,
        roles: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        """An empty endpoint of the lab's kind and version; use ``Simulator.from_lab`` for one with an inventory.

        ``knobs`` and ``roles`` (name -> privileges) are those the lab may use beside the core's own.
        """
        self.kind = str(lab.get("kind", "vcenter"))
        if self.kind not in ("vcenter", "esxi"):
            raise ValueError(f"kind: 'vcenter' or 'esxi', not {self.kind!r}")
        self.name = str(lab.get("name", "vc-01" if self.kind == "vcenter" else "esx-01"))
        self.product_version = str(lab.get("version", "8.0.3"))
        self.api_version = versions.for_product(self.product_version)
        self.build = str(lab.get("build", BUILDS.get(".".join(self.product_version.split(".")[:2]), "24674464")))
        self.instance_uuid = str(lab.get("instance_uuid") or uuid.uuid5(_NAMESPACE, f"{self.kind}/{self.name}"))
        self.salt = self.instance_uuid
        """What keys of sessions are made of, beside a counter. A random one makes them secrets."""
        self.clock = clock or ManualClock()
        self.lock = self.clock.lock
        self.knobs = Knobs(CORE_KNOBS, knobs or {})
        for name, value in (lab.get("knobs") or {}).items():
            self.knobs.set(str(name), value)
        self.registry = Registry()
        self.registry.watchers.append(self._structure)
        self.absent = Absent(self)
        self.registry.absent = self.absent.find
        self.registry.is_lenient = lambda: bool(self.knobs.reference_types == "ancestors")
        self.changes = ChangeLog()
        self.journal = Journal()
        self.faults = FaultRules()
        self.stops = Stops()
        self.holds = Holds(self.stops)
        self.sessions = Sessions(self)
        self.authz = Authorization(self)
        for role, privileges in (roles or {}).items():
            self.authz.add_role(role, privileges)
        self.authz.load(lab)
        self.property_reader = PropertyReader(self)
        self.root: Entity | None = None
        self.folder = Path()
        """Where relative paths in the lab begin: the folder of its file, or the current one."""
        self.content: dict[str, ManagedObject] = {}
        self.events: dict[str, Callable[..., Any]] = {}
        self.describe: Callable[[SimulatedEndpoint], Any] = lambda sim: {}
        self.internal_errors: list[Exception] = self.clock.errors
        self.bmc_accounts: Accounts = ACCOUNTS
        self.bmc_sessions: dict[str, BmcSessions] = {}
        self.vapi_sessions = VapiSessions(self)
        self.sessions.also_closed.append(self.vapi_sessions.close_all)
        self.tags = Tags(self)
        self.policies = ComputePolicies(self)
        self.mode_tasks: dict[str, dict[str, Any]] = {}
        """Id of a task that configures a device mode -> its result, or why it failed (see vapi.device_modes)."""
        self.boot_spread: BootTimes | None = None
        """How the times of boots differ; None: not at all."""
        self.what_if: list[dict[str, Any]] = []
        """What a lab arranged to happen, with the hosts and VMs that it chose."""
        self.online = True
        self.offline_answer = "drop"
        self._chain = 0
        self.services = build_services(self, self.sessions, self.property_reader)

    @property
    def version(self) -> str:
        """The product release, for example 8.0.3."""
        return self.product_version

    def evacuation_policy(self, moid: str) -> str:
        """What compute policies do with a VM whose host is evacuated; see rules.maintenance.EVACUATIONS."""
        return self.policies.effect_on(self.tags.tags, moid)

    def open(self, lab: Lab) -> None:
        """Finish after the inventory was built: permissions, fault rules, ServiceContent."""
        if self.root is None:
            raise ValueError("the lab loader made no root folder")
        self.authz.load_permissions(lab)
        for rule in lab.get("faults") or []:
            self.faults.add(**rule)
        self.services.instance.publish()

    def close(self) -> None:
        """Stop background work of the clock."""
        self.clock.close()

    def on_write(
        self, write: int | None, call: Callable[[Write], None], *, when: str = "after", method: str | None = None
    ) -> Stop:
        """Call back at the n-th write from now (None: at every one), ``before`` or ``after`` its effect or once ``answered``.

        The callback runs on the thread that serves the call and holds up its answer, not the simulator. What it raises
        reaches the caller in process; a client on the network sees the connection drop. Raises ValueError.
        """
        return self.stops.add(write, call, when, method)

    def client_clock(self) -> tuple[Callable[[], float], Callable[[float], None]]:
        """(monotonic, sleep) for client code in the same process that must share this simulator's time."""
        return self.clock.seconds, self.clock.sleep

    def go_offline(self, answer: str = "drop") -> None:
        """The endpoint is gone: every connection drops, none is accepted, all sessions end.

        ``answer``: what a client meets now. ``drop``: a TLS handshake and then silence; ``refuse``: a reset connection;
        ``503``: the proxy in front of a service that starts.
        """
        with self.lock:
            self.online = False
            self.offline_answer = answer
            self.sessions.close_all()

    def go_online(self) -> None:
        """The endpoint is back."""
        with self.lock:
            self.online = True

    # -- objects ----------------------------------------------------------------------------------------------

    def add(self, obj: Any, parent: Entity | None = None, owner: ManagedObject | None = None) -> Any:
        """Register an object; see Registry.add."""
        with self.lock:
            return self.registry.add(obj, parent, owner)

    def remove(self, obj: ManagedObject) -> None:
        """Remove an object, all below it and all it owns."""
        with self.lock:
            self.registry.remove(obj)

    def reparent(self, obj: Entity, parent: Entity) -> None:
        """Move an entity in the tree."""
        with self.lock:
            self.registry.reparent(obj, parent)

    def obj(self, ref: Ref | str) -> Any:
        """The object behind a reference or id. Raises ManagedObjectNotFound."""
        return self.registry.obj(ref)

    def find(self, kind: str | type[Any], name: str) -> Any:
        """The one object of a type (WSDL name, pyVmomi type or simulator class) with this name. Raises KeyError."""
        wanted = vs.GetWsdlType(vs.XMLNS_VMODL_BASE, kind) if isinstance(kind, str) else kind
        either = (name, names.escaped(name))
        found = [item for item in self.registry.all(wanted) if item.props.get("name") in either]
        if len(found) != 1:
            raise KeyError(f"{len(found)} objects of type {kind} are named {name!r}")
        return found[0]

    def find_entity(self, where: str) -> Entity:
        """An entity by inventory path (starts with /) or by a name that is unique. Raises ValueError."""
        if where == "/" and self.root is not None:
            return self.root
        found: list[Entity]
        if where.startswith("/"):
            node = self.by_inventory_path(where)
            found = [node] if node is not None else []
        else:
            found = [item for item in self.registry.all(Entity) if item.is_named(where)]
        if len(found) != 1:
            raise ValueError(f"{len(found)} inventory objects match {where!r}")
        return found[0]

    def by_inventory_path(self, path: str) -> Entity | None:
        """The entity at ``/DC/vm/folder/name``, slashes in names escaped; None when there is none."""
        node = self.root
        for part in path.strip("/").split("/"):
            if node is None or not part:
                return None
            node = next((child for child in node.view_children() if child.is_named(part)), None)
        return node

    def _structure(self, what: str, obj: ManagedObject) -> None:
        if isinstance(obj, ContainerView):
            if what == "add":
                self.services.views.containers.append(obj)
            else:
                self.services.views.containers.remove(obj)
        if isinstance(obj, Entity):
            if what == "add" and (fields := self.services.custom_fields) is not None:
                obj.props["availableField"] = fields.available(obj)
            self.services.views.structure_changed()
            if what == "remove" and self.services.alarms is not None:
                self.services.alarms.forget(obj)
        if what == "remove":
            self.changes.add(obj.moid, GONE)
            self.clock.changed.notify_all()

    # -- what happens -----------------------------------------------------------------------------------------

    def note_change(self, obj: ManagedObject, path: str) -> None:
        """A property changed: log it, wake waiting clients, let views follow the structure."""
        with self.lock:
            self.changes.add(obj.moid, path)
            self.clock.changed.notify_all()
            if path in STRUCTURE and self.services.views.containers:
                self.services.views.structure_changed()

    def next_event_chain(self) -> int:
        """A new event chain id."""
        self._chain += 1
        return self._chain

    def start_task(
        self,
        call: Call | None,
        obj: ManagedObject | None,
        operation: str,
        body: Body,
        *,
        duration: float = 0.0,
        on_cancel: Callable[[Task], None] | None = None,
        cancelable: bool | None = None,
    ) -> Task:
        """Start a task. ``body(task)`` runs ``duration`` simulated seconds after the task began to run."""
        if call is not None and call.task_fault is not None:
            body = _failing(call.task_fault)
        task = Task(
            self,
            target=obj,
            operation=operation,
            user=call.user if call is not None else "system",
            body=body,
            duration=duration,
            on_cancel=on_cancel,
            cancelable=on_cancel is not None if cancelable is None else cancelable,
        )
        self.add(task)
        self.services.tasks.started(task)
        task.begin()
        return task

    def task_ended(self, task: Task) -> None:
        """Called by a task when it ends."""
        self.services.tasks.finished(task)

    def post_event(
        self,
        cls: type[Any],
        target: Entity,
        *,
        message: str = "",
        call: Caller | None = None,
        user: str = "",
        host: Entity | None = None,
        **fields: Any,
    ) -> Any:
        """Record an event about an entity (and ``host``, when the entity is a VM). ``user``: without a call."""
        entities = [target] if host is None else [target, host]
        return self.services.events.post(cls, entities, call.user if call is not None else user, message, fields)

    def set_custom_value(self, entity: Entity, name: str, value: str) -> None:
        """Set a custom attribute by its name. Raises InvalidArgument, and NotSupported on an ESXi host."""
        if self.services.custom_fields is None:
            raise vmodl.fault.NotSupported()
        self.services.custom_fields.store_by_name(entity, name, value)

    def trigger_alarm(self, entity: Entity, name: str, status: str) -> None:
        """Turn an alarm red, yellow or green on an entity; an ESXi host has no alarms."""
        if self.services.alarms is not None:
            self.services.alarms.trigger(entity, name, status)


def _failing(fault: Exception) -> Body:
    def body(task: Task) -> Any:
        raise fault

    return body
