# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to the Automation API of a lab's vCenter: ``/rest`` from 6.5 on, ``/api`` from 7.0 U2 on.

An ESXi host and an older vCenter have neither. What is not modelled answers 404 and says so, logged in or not, as real
ones answer addresses they do not know.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pyVmomi import vmodl

from ..core.base import Entity, ManagedObject
from ..core.faults import Dropped, HttpStatus
from ..core.journal import summary
from ..rules import knobs
from ..web import Answer, Request
from .associations import ASSOCIATIONS
from .device_modes import DEVICE_MODES
from .dialects import API, REST, Dialect, address, dialect_of, failure, success
from .operations import OPERATIONS, Ask, Operation
from .policy_operations import POLICIES
from .sessions import HEADER, Session, account_of, key_of
from .tags import Refusal

if TYPE_CHECKING:
    from ..core.journal import Entry
    from ..endpoint import SimulatedEndpoint

AWAY = "503 Service Unavailable (the service behind the proxy does not answer)\n"
LOGIN, LOGOUT, INFO = "Rest.Login", "Rest.Logout", "Rest.Session"
_SESSION = {("POST", ""): LOGIN, ("DELETE", ""): LOGOUT, ("GET", ""): INFO}


def has(sim: SimulatedEndpoint, dialect: Dialect) -> bool:
    """Whether the endpoint's release speaks a dialect."""
    release = tuple(int(part) for part in sim.product_version.split("."))
    return sim.kind == "vcenter" and release >= dialect.since


def is_for_us(sim: SimulatedEndpoint, path: str) -> bool:
    """Whether an address belongs to the Automation API of this endpoint."""
    return dialect_of(path) is not None and has(sim, REST)


def answer(sim: SimulatedEndpoint, request: Request) -> Answer:
    """Serve one request. Raises Dropped where the connection is to be closed without an answer.

    Call it without the simulator's lock: whoever stops at writes is called before and after this one.
    """
    dialect = dialect_of(request.path)
    if dialect is None or not is_for_us(sim, request.path):
        return Answer(status=404, text="not found: there is no Automation API here\n")
    if not sim.online:
        if sim.offline_answer != "503":
            raise Dropped()
        return Answer(status=503, text=AWAY)
    with sim.lock:
        exchange = Exchange(sim, dialect, request)
    exchange.passing("before")
    try:
        with sim.lock:
            found = exchange.serve()
    finally:
        if exchange.write is not None:
            exchange.passing("after")
    if not sim.online:
        raise Dropped()
    return found


class Exchange:
    """One request."""

    def __init__(self, sim: SimulatedEndpoint, dialect: Dialect, request: Request) -> None:
        self.sim, self.dialect, self.request = sim, dialect, request
        self.address = address(dialect, request.path)
        self.knobs = knobs.DEFAULTS if sim.root is None else knobs.of(sim.root)
        self.given = _json(request.body)
        self.operation = self._operation()
        self.session: Session | None = None
        self.target, self.moid, self.name = self._subject()
        self.write: tuple[str, str, str] | None = None

    def passing(self, when: str) -> None:
        """Tell those who stop at writes where this request is."""
        self.sim.stops.passing(when, self.method, self.moid, self.name)

    @property
    def method(self) -> str:
        """Its name in the journal, in fault rules and for those who stop at writes."""
        if self.operation is not None:
            return self.operation.method
        verb, action = self.request.verb, self.address.action
        if self.address.resource != "session":
            return f"Rest.{verb}"
        if self.dialect is REST and (verb, action) == ("POST", "get"):
            return INFO
        return _SESSION.get((verb, action), f"Rest.{verb}")

    def serve(self) -> Answer:
        """The answer; the journal knows what was asked and how it ended, and fault rules have their say."""
        key = key_of(self.request.headers, cookies=self.dialect is REST)
        self.session = self.sim.vapi_sessions.of(key, self.knobs.vapi_session_idle_seconds)
        entry = self._note()
        try:
            found = self._answer(entry)
        except HttpStatus as error:
            found = Answer(status=error.status, text=f"{error}\n")
        except Dropped:
            entry.outcome = "dropped"
            raise
        except Refusal as error:
            found = failure(self.dialect, error.kind, str(error), error.message)
        except Exception as error:
            self.sim.internal_errors.append(error)
            text = f"simulator: {type(error).__name__}: {error}"
            found = failure(self.dialect, "internal_server_error", text, "simulator.internal_error")
        entry.outcome = "ok" if found.status < 400 else f"http {found.status}"
        return found

    # -- what it is about -------------------------------------------------------------------------------------

    def _operation(self) -> Operation | None:
        where = self.address
        key = (self.request.verb, where.resource, bool(where.id), where.action)
        found = OPERATIONS.get(key) or ASSOCIATIONS.get(key) or POLICIES.get(key) or DEVICE_MODES.get(key)
        return found if found is not None and self.dialect.name in found.dialects else None

    def _subject(self) -> tuple[ManagedObject | None, str, str]:
        """The object fault rules look at, and the id and name for the journal: those of an object, else of a tag."""
        given = self.given.get("object_id") if isinstance(self.given, dict) else None
        moid = str(given.get("id", "")) if isinstance(given, dict) else ""
        entity = self.sim.registry.find(moid or self.address.id)
        if isinstance(entity, Entity):
            return entity, entity.moid, entity.name
        key, tags = self.address.id, self.sim.tags
        name = tags.tags[key].path if key in tags.tags else ""
        name = tags.categories[key].name if key in tags.categories else name
        return self.sim.root, moid or key, name

    def _note(self) -> Entry:
        given = self.given if isinstance(self.given, dict) else {}
        return self.sim.journal.open(
            time=self.sim.clock.now().isoformat(),
            user=self.session.user.name if self.session else "",
            session=self.session.id if self.session else "",
            moid=self.moid,
            type="AutomationApi",
            name=self.name,
            method=self.method,
            args={"path": self.request.path, **{str(key): summary(value) for key, value in given.items()}},
            bytes_in=len(self.request.body),
        )

    # -- answers ----------------------------------------------------------------------------------------------

    def _answer(self, entry: Entry) -> Answer:
        if self.knobs.vapi == "down":
            return Answer(status=503, text=AWAY)
        switched = {"rest_only": REST, "api_only": API}.get(self.knobs.vapi, self.dialect)
        if switched is not self.dialect or not has(self.sim, self.dialect):
            return Answer(status=404, text=f"not found: there is no {self.dialect.prefix} here\n")
        if self.operation is None and self.method not in (LOGIN, LOGOUT, INFO):
            text = f"not modelled: {self.request.verb} {self.request.path}; there are sessions, tags, compute policies and device modes"
            return failure(self.dialect, "not_found", text, "simulator.not_modelled")
        user = account_of(self.sim, self.request.headers) if self.method == LOGIN else None
        if self.session is not None and self.method != LOGIN:
            user = self.session.user
        if user is None:
            raise _unauthenticated()
        after = self._suffer()
        if self.operation is None:
            found = self._session(user)
        else:
            found = self._run(self.operation, Ask(sim=self.sim, user=user, address=self.address, given=self._body()))
        entry.effect = True
        self.write = (self.method, self.moid, self.name) if entry.write else None
        if after is not None:
            raise after
        return Answer(status=found.status, body=found.body, headers=found.headers, write=self.write)

    def _run(self, operation: Operation, ask: Ask) -> Answer:
        return success(self.dialect, operation.run(ask), operation.done)

    def _body(self) -> dict[str, Any]:
        if not isinstance(self.given, dict):
            raise Refusal("invalid_argument", "The body of the request is no JSON object")
        return self.given

    def _session(self, user: Any) -> Answer:
        sessions = self.sim.vapi_sessions
        if self.method == LOGIN:
            opened = sessions.open(user)
            found = success(self.dialect, opened.id, 201)
            bare = self.request.headers.get("vmware-use-header-authn", "").lower() == "true"
            if self.dialect is API or bare:
                return found
            cookie = f"{HEADER}={opened.id}; Path=/rest; Secure; HttpOnly"
            return Answer(status=found.status, body=found.body, headers={"Set-Cookie": cookie})
        assert self.session is not None
        if self.method == INFO:
            return success(self.dialect, self.session.describe(), 200)
        sessions.close(self.session)
        return success(self.dialect, None, 204)

    def _suffer(self) -> Exception | None:
        """Let fault rules strike: what comes before is raised, what comes after the effect is returned."""
        if self.target is None:
            return None
        strike = self.sim.faults.judge(self.method, self.target)
        if strike.latency:
            self.sim.clock.delay(strike.latency)
        if isinstance(strike.before, vmodl.MethodFault):
            raise _as_refusal(strike.before._wsdlName)
        if strike.before is not None:
            raise strike.before
        return strike.after


def _unauthenticated() -> Refusal:
    text, message = "Authentication required.", "com.vmware.vapi.endpoint.method.authentication.required"
    return Refusal("unauthenticated", text, message)


def _as_refusal(fault: str) -> Refusal:
    """A fault of the SDK that a rule asked for, as this API says it."""
    if fault == "NotAuthenticated":
        return _unauthenticated()
    kind = {"NoPermission": "unauthorized", "NotFound": "not_found"}.get(fault, "internal_server_error")
    return Refusal(kind, f"injected: {fault}")


def _json(body: bytes) -> Any:
    """The body of a request: an object, empty where there is none; None where it is no JSON."""
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return None
    return {} if found is None else found
