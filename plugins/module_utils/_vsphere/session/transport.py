# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to one vCenter or ESXi host, and the rules for calls on it. PRIVATE to the collection.

Check mode is a property of the connection: a read-only transport refuses every method that is not on the list of reads, before it
reaches the wire, so no code path can forget to ask.
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
from ..http.connections import MOST_AT_FIRST, Bounds, BrokenAnswer
from ..http.soap import SoapStub
from ..sdk import vim, vmodl
from .answer_checks import refuse_unsound
from .endpoint import Endpoint
from .faults import is_transient
from .versions import newest_version

_Result = TypeVar("_Result")

AUTOMATION = "Automation"
"""Any request to the Automation API: there are only reads (``automation``)."""

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
        "QueryConfigOptionEx",
        "QueryConfigOption",
        # One property of one object.
        "Fetch",
        "QueryBootDevices",
        "RetrieveDiskPartitionInfo",
        "RetrieveHardwareUptime",
        "HasPrivilegeOnEntities",
        "CurrentTime",
        "QueryEvents",
        # Recommendations for emptying a host, none of which it applies (API reference).
        "ClusterEnterMaintenanceMode",
        "QueryCmmds",
        "QuerySyncingVsanObjects",
        AUTOMATION,
    }
)
"""Methods that change nothing but the session itself."""

ATTEMPTS = 4
SILENT_ATTEMPTS = 2
"""A read that was not answered at all is repeated once: each time costs the whole timeout."""
FIRST_PAUSE = 0.5
PATIENT_PAUSE = 10.0
_AT_FIRST = frozenset({"RetrieveServiceContent", "Login"})
"""Calls before which nobody has logged in: whoever answers may be anybody."""


class Guard:
    """What every transport of ours does beside carrying calls: counts them, refuses writes when read-only, repeats reads.

    Mixed in front of a pyVmomi stub adapter. A read that meets an overloaded server or a broken connection is repeated with growing
    pauses; a write never is, as it may have arrived. A call refused because the session ended is repeated once after a new login: the
    server did not act on it. Calls may come from several threads: of those that find the session ended, one logs in.
    """

    has_wire = False
    """Whether there is a connection on which bulk reads can make requests of their own."""
    read_only = False
    renew: Callable[[], None] | None = None
    sleep: Callable[[float], None] = staticmethod(time.sleep)

    def __init__(self, *arguments: Any, bounds: Bounds | None = None, **options: Any) -> None:
        self.bounds = bounds or Bounds()
        super().__init__(*arguments, **options)
        self.calls: Counter[str] = Counter()
        self.writes = 0
        """Writes that arrived, or may have: all but those the server answered with a fault."""
        self.repeats = 0
        """Reads that were made again: a page whose answer was lost cannot be had twice."""
        self.renewals = 0
        self.renewing = threading.RLock()
        self._counting = threading.Lock()
        self._here = threading.local()

    def identity(self) -> str:
        """The SHA-256 of the server's certificate: to whom a cookie may be shown again. Empty where there is no TLS."""
        return ""

    def use_cookie(self, cookie: str) -> None:
        """Go on in another session; "" in none."""
        self.cookie = cookie

    @property
    def writes_here(self) -> int:
        """Those of ``writes`` that this thread made."""
        return int(getattr(self._here, "writes", 0))

    def _count(self, name: str) -> None:
        with self._counting:
            self.calls[name] += 1

    def _count_write(self, name: str, by: int) -> None:
        if name not in READ_METHODS:
            self._here.writes = self.writes_here + by
            with self._counting:
                self.writes += by

    def InvokeMethod(self, mo: Any, info: Any, args: Any, *outer: Any) -> Any:
        invoke: Callable[..., Any] = super().InvokeMethod  # type: ignore[misc]

        def call() -> Any:
            return refuse_unsound(invoke(mo, info, args, *outer), info, self.version)  # type: ignore[attr-defined]

        return self.guarded(info.wsdlName, mo._moId, call)

    def guarded(self, name: str, moid: str, call: Callable[[], _Result]) -> _Result:
        """Make one call of a method under these rules. All its attempts share one deadline."""
        if self.read_only and name not in READ_METHODS:
            raise DirectPathError(
                message=f"{name} on {moid} was held back: this session is read-only (check mode)",
                code="read_only",
                cure="This is a fault of the collection: a plan that changes nothing tried to write",
            )
        with self.bounds.within(most=MOST_AT_FIRST if name in _AT_FIRST else None):
            try:
                return self._repeated(name, call)
            except BrokenAnswer as error:
                error.method = error.method or name
                raise

    def _repeated(self, name: str, call: Callable[[], _Result]) -> _Result:
        renewed = False
        attempt = 1
        while True:
            renewals = self.renewals
            self._count(name)
            self._count_write(name, 1)
            try:
                return call()
            except vim.fault.NotAuthenticated:
                self._count_write(name, -1)
                if renewed or self.renew is None or name in ("Login", "Logout"):
                    raise
                renewed = True
                with self.renewing:
                    if self.renewals == renewals:
                        self.renew()
            except Exception as error:
                if name not in READ_METHODS:
                    self._count_write(name, -isinstance(error, vmodl.MethodFault))
                    raise
                # A login whose answer is lost is begun anew with a transport of its own.
                attempts = SILENT_ATTEMPTS if isinstance(error, TimeoutError) else ATTEMPTS
                pause = FIRST_PAUSE * 2 ** (attempt - 1)
                if name == "Login" or attempt >= attempts or not is_transient(error) or self.bounds.is_over(pause):
                    raise
                self.sleep(pause)
                self.repeats += 1
                attempt += 1


class GuardedSoapStub(Guard, SoapStub):
    """SOAP over TLS, guarded."""

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
    """Verifies against the system's CAs, plus ``ca_path`` (a file or a hashed directory) when given."""
    if not endpoint.validate_certs:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    context = ssl.create_default_context()
    # The same on every Python. A certificate that is named itself is trusted, although the CA of the ESXi installer that signed it is
    # not to be had; and CAs without the extensions that Python 3.13 began to insist on go on working.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if endpoint.ca_path:
        try:
            context.load_verify_locations(endpoint.ca_path)
        except IsADirectoryError:
            context.load_verify_locations(capath=endpoint.ca_path)
        except (OSError, ssl.SSLError) as error:
            raise DirectPathError(
                message=f"Cannot read CA certificates from {endpoint.ca_path}: {_why_not(error)}",
                code="bad_ca_path",
                parameter="ca_path",
                cure="Name a PEM file that holds the CA that signed the server's certificate",
            ) from error
    return context


def _why_not(error: OSError) -> str:
    return "it holds no certificate" if isinstance(error, ssl.SSLError) else (error.strerror or "it cannot be read")


def open_transport(endpoint: Endpoint) -> Guard:
    """A guarded stub that speaks the newest API version both sides know. Tests put an in-process transport in this function's place."""
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
