# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session with one vCenter or ESXi host. PRIVATE to the collection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from ..._domain.errors import DirectPathError
from ..._domain.planning.plan import Sent
from ..._domain.writing.api_versions import ApiVersions, parse_version
from ..http.connections import Bounds, TooSlow
from ..sdk import IsChildVersion, version_id, vim, vmodl
from .endpoint import Endpoint, on_twin
from .faults import explain, explain_connection, is_transient
from .file import SessionFile
from .shared import end_shared_session, use_or_open
from .shared_read import SharedRead
from .transport import (
    ATTEMPTS,
    FIRST_PAUSE,
    PATIENT_PAUSE,
    READ_METHODS,
    Guard,
    GuardedSoapStub,
    open_transport,
    tls_context,
)
from .version_guard import newest_known, refuse_lossy
from .versions import NotVsphere

__all__ = [
    "ATTEMPTS",
    "READ_METHODS",
    "Guard",
    "GuardedSoapStub",
    "Lane",
    "Session",
    "connect_session",
    "end_session",
    "open_session",
    "open_transport",
    "tls_context",
]


class Lane:
    """The part of a session that a thread does not share: its property collector. One thread at a time may use it."""

    def __init__(self) -> None:
        self._collector: Any = None
        self._logins = 0

    def collector(self, session: Session) -> Any:
        """The property collector of the lane. Created at first use, and again after a new login."""
        if self._collector is None or self._logins != session.logins:
            self._logins = session.logins
            self._collector = session.content.propertyCollector.CreatePropertyCollector()
        return self._collector

    def close(self, session: Session) -> None:
        """Remove the property collector from the server, if the server can be reached."""
        if self._collector is not None and self._logins == session.logins:
            with suppress(Exception):
                self._collector.DestroyPropertyCollector()
        self._collector = None


@dataclass(kw_only=True)
class Session:
    """An open session. ``content``: the ServiceContent. ``stub``: the guarded transport."""

    endpoint: Endpoint
    stub: Guard
    content: Any
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    logins: int = 1
    """Number of server sessions so far, the current one included. Views and filters of earlier ones no longer exist."""
    adopted: int = 0
    """How many of the server sessions another task had opened."""
    off: dict[str, str] = field(default_factory=dict, repr=False)
    """VMs that this run shut down and has not started again: id → name."""
    to_start: dict[str, Sent | None] = field(default_factory=dict, repr=False)
    """VMs that this run shut down for a change and must start again: id → the reconfigure that was sent since then. After a lost answer,
    the next read finds such a VM powered off; a second attempt undoes the reconfigure if necessary."""
    browsers: dict[str, str] = field(default_factory=dict, repr=False)
    """The environment browsers that were read: compute resource id → browser id."""
    file: SessionFile | None = None
    """The file that keeps the session for the next task; None when the session ends with this task."""
    around: SharedRead[Any] = field(default_factory=SharedRead, repr=False)
    """Reads of hosts and the VMs on them (``read_around``) by threads that work at the same time."""
    _ended: str = field(default="", init=False, repr=False)
    """The cookie of the last session that ended. A secret."""
    _here: threading.local = field(default_factory=threading.local, repr=False)
    _turns: dict[str, threading.Lock] = field(default_factory=dict, repr=False)
    _lane: Lane | None = field(default=None, init=False, repr=False)
    """The lane of the main thread in a shared session, which another task may use at the same time."""

    def __post_init__(self) -> None:
        self.stub.api = self.api
        if self.file is not None:
            self._lane = Lane()

    @property
    def collector(self) -> Any:
        """The property collector for waits: that of the lane of this thread, or that of the session. Updates are numbered per collector, so
        two waits at the same time need two collectors."""
        lane: Lane | None = getattr(self._here, "lane", self._lane)
        return self.content.propertyCollector if lane is None else lane.collector(self)

    def turn(self, what: str) -> threading.Lock:
        """The lock for work that only one thread at a time may do. ``what``: the name of the work."""
        return self._turns.setdefault(what, threading.Lock())

    @contextmanager
    def in_lane(self, lane: Lane) -> Iterator[None]:
        """In the block, this thread uses its own lane."""
        self._here.lane = lane
        try:
            yield
        finally:
            del self._here.lane

    @property
    def is_vcenter(self) -> bool:
        """False when the endpoint is an ESXi host."""
        return bool(self.content.about.apiType == "VirtualCenter")

    @property
    def api(self) -> ApiVersions:
        """The API versions of this session."""
        spoken = parse_version(version_id(self.stub.version))  # type: ignore[attr-defined]
        return ApiVersions(
            spoken=spoken,
            # A server that names no version, or an older one than it speaks, has at least the negotiated one.
            server=max(spoken, parse_version(str(self.content.about.apiVersion or ""))),
            library=newest_known(),
            product="vCenter" if self.is_vcenter else "ESXi",
        )

    @property
    def instance(self) -> Any:
        """The ServiceInstance."""
        return self.reference(vim.ServiceInstance, "ServiceInstance")

    @property
    def calls(self) -> int:
        """Round trips so far."""
        return self.stub.calls.total()

    def reference(self, kind: type, moid: str) -> Any:
        """A managed object of this session by its id; no round trip."""
        return kind(moid, self.stub)

    def knows(self, kind: type, name: str) -> bool:
        """Whether the negotiated API version has this property. Reading an unknown property is a fault, not None."""
        return self._is_known(kind, "_GetPropertyInfo", name)

    def knows_method(self, kind: type, name: str) -> bool:
        """Whether the negotiated API version has this method."""
        return self._is_known(kind, "_GetMethodInfo", name)

    def _is_known(self, kind: type, lookup: str, name: str) -> bool:
        try:
            info = getattr(kind, lookup)(name)
        except AttributeError:
            return False  # this release of pyVmomi does not know it
        return bool(IsChildVersion(self.stub.version, info.version))  # type: ignore[attr-defined]

    def refuse_lossy(self, kind: Any, moid: str, method: str, arguments: Sequence[Any]) -> None:
        """Raise NotSent when the call would not arrive as it is meant. The transport checks each call too: this is for callers that do
        something irrevocable before it. ``method``: its name in the SDK, without ``_Task``."""
        version: str = self.stub.version  # type: ignore[attr-defined]
        refuse_lossy(kind._GetMethodInfo(method), moid, arguments, version, self.api)

    @property
    def own_logins(self) -> int:
        """Logins of this task so far."""
        return self.logins - self.adopted

    def begin(self) -> None:
        """Log in, or reuse the shared session. Raises DirectPathError and faults of the server."""
        if self.file is None:
            self.login()
        else:
            self.adopted += use_or_open(self.file, self, ended="")

    def login(self) -> None:
        """Log in with the account of the endpoint. Raises vim.fault.InvalidLogin."""
        self.content.sessionManager.Login(self.endpoint.username, self.endpoint.password, None)

    @property
    def cookie(self) -> str:
        """The cookie that identifies the session. A secret."""
        return str(self.stub.cookie).partition(";")[0]

    def renewed_since(self, logins: int) -> bool:
        """Whether the session is another one than when ``logins`` was read. Readers ask when a call fails: views and filters of an earlier
        session no longer exist. If another thread is logging in, this waits for it: calls reach the new session before it is counted."""
        with self.stub.renewing:
            return self.logins != logins

    def renew(self) -> None:
        """Log in again after the server ended the session. Views and filters of the old session no longer exist: see ``renewed_since``."""
        with self.stub.renewing:
            if self.file is None:
                # In a session that still exists, a second login fails with InvalidLogin.
                self.logout()
                self.login()
            else:
                # An attempt that failed has already dropped the cookie; the session that it named has ended all the same.
                self._ended = self.cookie or self._ended
                self.adopted += use_or_open(self.file, self, ended=self._ended)
            self.logins += 1
            self.stub.renewals += 1

    def logout(self) -> None:
        """End the session, if the server can be reached."""
        with suppress(Exception):
            self.content.sessionManager.Logout()

    def close(self) -> None:
        """Log out, or keep the session for the next task. An unreachable server is not an error."""
        if self.file is None:
            self.logout()
        elif self._lane is not None:
            self._lane.close(self)
        drop = getattr(self.stub, "DropConnections", None)
        if drop is not None:
            with suppress(Exception):
                drop()


def connect_session(
    endpoint: Endpoint,
    *,
    read_only: bool,
    in_guest: bool = False,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    patience: float = 0.0,
) -> Session:
    """Connect and log in. Raises DirectPathError (unknown_name, refused, certificate_untrusted, invalid_login, not_vsphere, ...).

    ``in_guest``: the session may act in guests, too. ``patience``: seconds to wait for a server that is expected to be away for some time,
    such as a rebooting host. In a rehearsal the session is one of the twin: its account, its time.
    """
    endpoint, clock, sleep = on_twin(endpoint, clock, sleep)
    where = f"{endpoint.hostname}:{endpoint.port}"
    deadline = clock() + patience
    while True:
        try:
            session = _connect(endpoint, read_only=read_only, clock=clock, sleep=sleep)
            session.stub.in_guest = in_guest
            return session
        except vmodl.MethodFault as fault:
            raise explain(fault, doing=f"log in as {endpoint.username}", on=where) from fault
        except DirectPathError:
            raise
        except NotVsphere as error:
            raise DirectPathError(
                message=f"Cannot log in on {where}: it answers, but it is neither vCenter nor ESXi",
                code="not_vsphere",
                parameter="hostname",
                cure="Check hostname and port: the API has the address of the vSphere Client, with the path /sdk",
            ) from error
        except Exception as error:
            is_temporary = is_transient(error) or isinstance(error, ConnectionRefusedError | TooSlow)
            if clock() < deadline and is_temporary:
                sleep(PATIENT_PAUSE)
                continue
            raise explain_connection(error, doing="log in", on=where) from error


def _connect(
    endpoint: Endpoint, *, read_only: bool, clock: Callable[[], float], sleep: Callable[[float], None]
) -> Session:
    """Connect with as many attempts as a read has, all within one deadline. After a timeout there is no retry."""
    bounds = Bounds(connect=endpoint.connect_timeout)
    attempt = 1
    with bounds.within():
        while True:
            pause = FIRST_PAUSE * 2 ** (attempt - 1)
            try:
                return _connect_once(endpoint, read_only=read_only, clock=clock, sleep=sleep)
            except (vmodl.MethodFault, DirectPathError, NotVsphere, TimeoutError):
                raise
            except Exception as error:
                if attempt >= ATTEMPTS or not is_transient(error) or bounds.is_over(pause):
                    raise
            sleep(pause)
            attempt += 1


def _connect_once(
    endpoint: Endpoint, *, read_only: bool, clock: Callable[[], float], sleep: Callable[[float], None]
) -> Session:
    stub = open_transport(endpoint)
    stub.read_only = read_only
    stub.sleep = sleep  # type: ignore[method-assign]
    content = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()
    file = SessionFile(endpoint.key(), sleep=sleep) if endpoint.shared else None
    session = Session(endpoint=endpoint, stub=stub, content=content, clock=clock, sleep=sleep, file=file)
    session.begin()
    stub.renew = session.renew
    return session


@contextmanager
def open_session(endpoint: Endpoint, *, read_only: bool, **options: Any) -> Iterator[Session]:
    """Open a session, and close it at the end in any case. Raises DirectPathError."""
    session = connect_session(endpoint, read_only=read_only, **options)
    try:
        yield session
    finally:
        session.close()


def end_session(endpoint: Endpoint, *, pretend: bool) -> bool:
    """Log out of the shared session. Returns whether there was one. ``pretend``: do not log out. Raises DirectPathError."""
    endpoint, _clock, _sleep = on_twin(endpoint)
    return end_shared_session(endpoint, open_transport, pretend=pretend)
