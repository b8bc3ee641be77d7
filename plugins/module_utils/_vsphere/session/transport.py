# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transport to one vCenter or ESXi host, and the rules for calls on it. PRIVATE to the collection.

Check mode is a property of the connection: a read-only transport refuses each method that is not on the list of reads before it is
sent. So no code path can forget check mode. The same holds for the API version: each call is compared with it here, so a new write is
covered from its first day.
"""

from __future__ import annotations

import hashlib
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from ..._domain.errors import DirectPathError
from ..._domain.writing.api_versions import ApiVersions
from ..http.connections import MOST_AT_FIRST, Bounds, BrokenAnswer
from ..http.soap import SoapStub
from ..http.tls import verifying_context
from ..sdk import vim, vmodl
from .answer_checks import refuse_unsound
from .endpoint import Endpoint
from .faults import is_transient
from .sent_writes import SentWrites
from .version_guard import refuse_lossy
from .versions import newest_version

_Result = TypeVar("_Result")

AUTOMATION = "Automation"
"""Any read of the Automation API (``_vsphere/rest``). The only write is ``Automation.configure`` (``rest/device_modes``)."""


class RefusedApart(Exception):
    """The Automation API refused a write, so that nothing was changed. The text is a clause."""


READ_METHODS = frozenset(
    {
        "RetrieveServiceContent",
        "Login",
        "Logout",
        "CreateContainerView",
        "DestroyView",
        "RetrieveProperties",
        "RetrievePropertiesEx",
        "ContinueRetrievePropertiesEx",
        "CancelRetrievePropertiesEx",
        "CreatePropertyCollector",
        "DestroyPropertyCollector",
        "CreateFilter",
        "DestroyPropertyFilter",
        "WaitForUpdatesEx",
        "CancelWaitForUpdates",
        "QueryConfigTarget",
        "QueryConfigOptionDescriptor",
        "QueryOptions",
        "QueryConfigOptionEx",
        "QueryConfigOption",
        # One property of one object.
        "Fetch",
        "QueryBootDevices",
        # The configured parameters of a kernel module.
        "QueryConfiguredModuleOptionString",
        "DirectPathProfileManagerList",
        "DirectPathProfileManagerQueryCapacity",
        "RetrieveDiskPartitionInfo",
        "RetrieveHardwareUptime",
        "HasPrivilegeOnEntities",
        "CurrentTime",
        "QueryEvents",
        # A window on the event log, which belongs to the session.
        "CreateCollectorForEvents",
        "RewindCollector",
        "ReadNextEvents",
        "DestroyCollector",
        # Returns DRS recommendations for the evacuation of a host and applies none of them (API reference).
        "ClusterEnterMaintenanceMode",
        "QueryCmmds",
        "QuerySyncingVsanObjects",
        AUTOMATION,
    }
)
"""Methods that change nothing but the session itself."""

GUEST_METHODS = frozenset(
    {
        "StartProgramInGuest",
        "ListProcessesInGuest",
        "TerminateProcessInGuest",
        "CreateTemporaryFileInGuest",
        "DeleteFileInGuest",
        "InitiateFileTransferFromGuest",
    }
)
"""Methods that act in the guest of a VM. They change nothing in vSphere, so they are no writes, but they are no reads either: a program
runs, and there is a temporary file. They are never retried here."""

MOST_UNUSUAL = 200
ATTEMPTS = 4
SILENT_ATTEMPTS = 2
"""Attempts for a read without any answer. Each costs the full timeout, so there is only one retry."""
FIRST_PAUSE = 0.5
PATIENT_PAUSE = 10.0
_AT_FIRST = frozenset({"RetrieveServiceContent", "Login"})
"""Calls before or at the login. The server is not known yet, so the limit for the size of an answer is lower."""


def is_write(name: str) -> bool:
    """Whether a method changes something in vSphere."""
    return name not in READ_METHODS and name not in GUEST_METHODS


class Guard:
    """The rules for all calls: count them, refuse writes in a read-only session, retry reads.

    Used as a mixin before a pyVmomi stub adapter. A read that fails because of an overloaded server or a broken connection is retried
    with growing pauses. A write is never retried, because the server may have received it. A call that the server refuses because the
    session ended is retried once after a new login, because the server did not execute it. Several threads may call at the same time:
    if the session has ended, one of them logs in.
    """

    has_wire = False
    """Whether bulk reads can send their own requests on a connection."""
    read_only = False
    in_guest = False
    """Whether methods that act in a guest are sent."""
    api: ApiVersions | None = None
    """The API versions of server and SDK, for messages. None until the server has been read."""
    renew: Callable[[], None] | None = None
    sleep: Callable[[float], None] = staticmethod(time.sleep)

    def __init__(self, *arguments: Any, bounds: Bounds | None = None, **options: Any) -> None:
        self.bounds = bounds or Bounds()
        super().__init__(*arguments, **options)
        self.calls: Counter[str] = Counter()
        self.writes = 0
        """Writes that the server received or may have received: all except those it answered with a fault."""
        self.repeats = 0
        """Retried reads. A paged read checks it: a page whose answer was lost cannot be read again."""
        self.renewals = 0
        self.unusual: list[tuple[float, str, str]] = []
        """The first calls that got a fault or no answer, also those that were repeated: time, method, name of the fault or error."""
        self.sent: SentWrites | None = None
        """The writes, for a run file; None: they are not recorded."""
        self.renewing = threading.RLock()
        self._counting = threading.Lock()
        self._here = threading.local()

    def identity(self) -> str:
        """The SHA-256 of the certificate of the server, the only one that may receive the cookie again. Empty without TLS."""
        return ""

    def use_cookie(self, cookie: str) -> None:
        """Use another session; with "", none."""
        self.cookie = cookie

    @property
    def writes_here(self) -> int:
        """How many of ``writes`` this thread made."""
        return int(getattr(self._here, "writes", 0))

    def _count(self, name: str) -> None:
        with self._counting:
            self.calls[name] += 1

    def _count_write(self, name: str, by: int) -> None:
        if is_write(name):
            self._here.writes = self.writes_here + by
            with self._counting:
                self.writes += by

    def _note_unusual(self, name: str, error: Exception) -> None:
        if len(self.unusual) < MOST_UNUSUAL:
            kind = type(error)
            self.unusual.append((time.time(), name, str(getattr(kind, "_wsdlName", kind.__name__))))

    def InvokeMethod(self, mo: Any, info: Any, args: Any, *outer: Any) -> Any:
        """Make one call. Raises NotSent when it would not arrive as it was meant, and otherwise as ``guarded``."""
        invoke: Callable[..., Any] = super().InvokeMethod  # type: ignore[misc]
        version: str = self.version  # type: ignore[attr-defined]
        refuse_lossy(info, mo._moId, args, version, self.api)
        if self.sent is not None and is_write(info.wsdlName) and not self.read_only:
            with self._counting:
                self.sent.note(mo, info, args)

        def call() -> Any:
            return refuse_unsound(invoke(mo, info, args, *outer), info, version)

        return self._guarded(info.wsdlName, mo._moId, call)

    def guarded(self, name: str, moid: str, call: Callable[[], _Result]) -> _Result:
        """Make one read with a request of its own. All its attempts share one deadline.

        Raises BrokenAnswer and the errors of ``call``, and ValueError for a write: these go out through ``InvokeMethod``, which compares
        them with the API version.
        """
        if name not in READ_METHODS:
            raise ValueError(f"{name} is not a read")
        return self._guarded(name, moid, call)

    def write_apart(self, name: str, moid: str, call: Callable[[], _Result]) -> _Result:
        """Make one write with a request of its own, which is not of the SOAP API. It is refused in check mode, and never repeated.

        ``call`` raises RefusedApart when the server answered that it did not do it. Raises ValueError for a method of the SOAP API.
        """
        if not name.startswith(f"{AUTOMATION}."):
            raise ValueError(f"{name} is not a request to the Automation API")
        if self.sent is not None and not self.read_only:
            with self._counting:
                self.sent.note_name(name)
        try:
            return self._guarded(name, moid, call)
        except RefusedApart:
            self._count_write(name, -1)
            raise

    def _guarded(self, name: str, moid: str, call: Callable[[], _Result]) -> _Result:
        allowed = self.in_guest if name in GUEST_METHODS else name in READ_METHODS or not self.read_only
        if not allowed:
            raise DirectPathError(
                message=f"{name} on {moid} was not sent: this session is read-only (check mode)",
                code="read_only",
                cure="This is a bug in the collection: a plan without changes tried to write. Please report it",
            )
        with self.bounds.within(most=MOST_AT_FIRST if name in _AT_FIRST else None):
            try:
                return self._call_with_retries(name, call)
            except BrokenAnswer as error:
                error.method = error.method or name
                raise

    def _call_with_retries(self, name: str, call: Callable[[], _Result]) -> _Result:
        renewed = False
        attempt = 1
        while True:
            renewals = self.renewals
            self._count(name)
            self._count_write(name, 1)
            try:
                return call()
            except vim.fault.NotAuthenticated as fault:
                self._note_unusual(name, fault)
                self._count_write(name, -1)
                if renewed or self.renew is None or name in ("Login", "Logout"):
                    raise
                renewed = True
                with self.renewing:
                    if self.renewals == renewals:
                        self._renew(self.renew)
            except Exception as error:
                self._note_unusual(name, error)
                if name not in READ_METHODS:
                    self._count_write(name, -isinstance(error, vmodl.MethodFault))
                    raise
                # A login without an answer is retried by the caller, with a new transport.
                attempts = SILENT_ATTEMPTS if isinstance(error, TimeoutError) else ATTEMPTS
                pause = FIRST_PAUSE * 2 ** (attempt - 1)
                if name == "Login" or attempt >= attempts or not is_transient(error) or self.bounds.is_over(pause):
                    raise
                self.sleep(pause)
                self.repeats += 1
                attempt += 1

    def _renew(self, renew: Callable[[], None]) -> None:
        """Log in again. The server refused the call because of the session, so nothing was done yet, and the login is retried as any read:
        also for a call that is a write."""
        attempt = 1
        while True:
            try:
                return renew()
            except vmodl.MethodFault:
                raise
            except Exception as error:
                attempts = SILENT_ATTEMPTS if isinstance(error, TimeoutError) else ATTEMPTS
                pause = FIRST_PAUSE * 2 ** (attempt - 1)
                if attempt >= attempts or not is_transient(error) or self.bounds.is_over(pause):
                    raise
            self.sleep(pause)
            attempt += 1


class GuardedSoapStub(Guard, SoapStub):
    """SOAP over TLS with the rules of Guard."""

    has_wire = True

    def identity(self) -> str:
        with self.bounds.within():
            connection = self.GetConnection()
        try:
            certificate = connection.sock.getpeercert(True)
        finally:
            self.ReturnConnection(connection)
        return hashlib.sha256(certificate).hexdigest()


def tls_context(endpoint: Endpoint) -> ssl.SSLContext:
    """A context that verifies with the CAs of the system and of ``ca_path`` (a file or a hashed directory); or not at all.

    Raises DirectPathError (bad_ca_path).
    """
    if not endpoint.validate_certs:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    return verifying_context(endpoint.ca_path)


def open_transport(endpoint: Endpoint) -> Guard:
    """A guarded stub for the newest API version that both sides know. Tests replace this function with an in-process transport.

    Raises OSError, HTTPException, NotVsphere and DirectPathError (bad_ca_path).
    """
    context = tls_context(endpoint)
    bounds = Bounds(connect=endpoint.connect_timeout)
    version = newest_version(endpoint, context, bounds)
    return GuardedSoapStub(
        bounds=bounds,
        version=version,
        host=endpoint.hostname,
        port=endpoint.port,
        path="/sdk",
        sslContext=context,
        httpProxyHost=endpoint.proxy_host,
        httpProxyPort=endpoint.proxy_port,
    )
