# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated vCenter or ESXi host: its objects, clock, journal, faults and ways in."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pyVmomi import VmomiSupport as vs

from . import names, versions
from .authz import Authorization
from .base import Entity, ManagedObject
from .changes import ChangeLog
from .clock import Clock, ManualClock, ScaledClock
from .data import Ref
from .faults import FaultRules
from .journal import Journal
from .knobs import CORE_KNOBS, Knob, Knobs
from .registry import Registry
from .services import build_services
from .services.reading import PropertyReader
from .services.sessions import Sessions
from .services.updates import GONE
from .services.views import STRUCTURE, ContainerView
from .stops import Holds, Stop, Stops, Write
from .tasks import Body, Task
from .unmodelled import Absent
from .vapi.sessions import Sessions as VapiSessions
from .vapi.tags import Tags

if TYPE_CHECKING:
    from .bmc.accounts import Sessions as BmcSessions
    from .dispatch import Call
    from .services.events import EventManager
    from .services.task_manager import TaskManager
    from .services.views import ViewManager
    from .transport.http import Server
    from .transport.inprocess import InProcessStub

Lab = Mapping[str, Any]
_YAML: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times slower where PyYAML lacks libyaml
_NAMESPACE = uuid.UUID("6f1c8f0e-8f0d-4f59-9a0b-8f2f7f6d7c11")
BUILDS = {
    "5.5": "1623387",
    "6.7": "17994927",
    "7.0": "21290409",
    "8.0": "24674464",
    "9.0": "24755230",
    "9.1": "25100000",
}


class Simulator:
    """Everything of one endpoint; nothing outside it is shared, so two simulators never meet."""

    def __init__(
        self,
        lab: Lab,
        clock: Clock | None = None,
        knobs: Mapping[str, Knob] | None = None,
        roles: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        """An empty endpoint of the lab's kind and version; use ``from_lab`` for one with an inventory.

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
        self.container_views: list[ContainerView] = []
        self.events: dict[str, Callable[..., Any]] = {}
        self.describe: Callable[[Simulator], Any] = lambda sim: {}
        self.internal_errors: list[Exception] = self.clock.errors
        self.bmc_sessions: dict[str, BmcSessions] = {}
        self.vapi_sessions = VapiSessions(self)
        self.tags = Tags(self)
        self.online = True
        self.offline_answer = "drop"
        self._chain = 0
        self.services = build_services(self)

    @property
    def version(self) -> str:
        """The product release, for example 8.0.3."""
        return self.product_version

    @classmethod
    def from_lab(cls, lab: str | Path | Lab, clock: Clock | None = None) -> Simulator:
        """An endpoint with the inventory of a lab (path of a YAML file, or the same as a mapping).

        Without a clock it gets a ManualClock. Raises ValueError when the lab makes no sense.
        """
        from .lab.accounts import ROLES
        from .lab.load import load
        from .rules.knobs import KNOBS

        folder = Path()
        if not isinstance(lab, Mapping):
            folder = Path(lab).parent
            read = yaml.load(Path(lab).read_text(encoding="utf-8"), _YAML)
            if not isinstance(read, Mapping):
                raise ValueError(f"{lab}: a lab is a mapping")
            lab = read
        sim = cls(lab, clock, KNOBS, ROLES)
        sim.folder = folder
        load(sim, lab)
        sim.open(lab)
        return sim

    def open(self, lab: Lab) -> None:
        """Finish after the inventory was built: permissions, fault rules, ServiceContent."""
        if self.root is None:
            raise ValueError("the lab loader made no root folder")
        self.authz.load_permissions(lab)
        for rule in lab.get("faults") or []:
            self.faults.add(**rule)
        self.services.instance.publish()

    # -- ways in ----------------------------------------------------------------------------------------------

    def stub(self, version: str | None = None) -> InProcessStub:
        """A pyVmomi stub without a socket; ``stub().connect()`` gives a logged-in ServiceInstance."""
        from .transport.inprocess import InProcessStub

        return InProcessStub(self, version or self.api_version)

    @contextmanager
    def serve(self, port: int = 0, **options: Any) -> Iterator[Server]:
        """Serve SOAP over TLS on 127.0.0.1 for the length of a ``with`` block; see transport.http.Server."""
        from .transport.http import Server

        server = Server(self, port=port, **options)
        server.start()
        try:
            yield server
        finally:
            server.stop()

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
                self.container_views.append(obj)
            else:
                self.container_views.remove(obj)
        if isinstance(obj, Entity):
            if what == "add" and (fields := self.services.custom_fields) is not None:
                obj.props["availableField"] = fields.available(obj)
            self._views.structure_changed()
            if what == "remove" and self.services.alarms is not None:
                self.services.alarms.forget(obj)
        if what == "remove":
            self.changes.add(obj.moid, GONE)
            self.clock.changed.notify_all()

    @property
    def _views(self) -> ViewManager:
        return self.services.views

    # -- what happens -----------------------------------------------------------------------------------------

    def note_change(self, obj: ManagedObject, path: str) -> None:
        """A property changed: log it, wake waiting clients, let views follow the structure."""
        with self.lock:
            self.changes.add(obj.moid, path)
            self.clock.changed.notify_all()
            if path in STRUCTURE and self.container_views:
                self._views.structure_changed()

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
        self._tasks.started(task)
        task.begin()
        return task

    def task_ended(self, task: Task) -> None:
        """Called by a task when it ends."""
        self._tasks.finished(task)

    @property
    def _tasks(self) -> TaskManager:
        return self.services.tasks

    def post_event(
        self,
        cls: type[Any],
        target: Entity,
        *,
        message: str = "",
        call: Call | None = None,
        host: Entity | None = None,
        **fields: Any,
    ) -> Any:
        """Record an event about an entity (and ``host``, when the entity is a VM)."""
        manager: EventManager = self.services.events
        entities = [target] if host is None else [target, host]
        return manager.post(cls, entities, call.user if call is not None else "", message, fields)


def _failing(fault: Exception) -> Body:
    def body(task: Task) -> Any:
        raise fault

    return body


def server_clock(speed: float) -> ScaledClock:
    """The clock of a served simulator."""
    return ScaledClock(speed)
