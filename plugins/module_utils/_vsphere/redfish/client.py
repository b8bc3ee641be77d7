# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Power control of one server through its management controller, with Redfish. PRIVATE to the collection.

Redfish specification (DSP0266), ComputerSystem of the data model (DSP0268). ``resources`` handles the differences between vendors; a test
runs all of them.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from ..._domain.errors import DirectPathError
from . import http as redfish_http
from .errors import explain_reply, is_login_refusal
from .http import BmcAccess, RedfishReply, RedfishTransport, same_origin
from .rehearsed import on_twin_controller
from .resources import (
    Identity,
    PowerState,
    allowed_resets,
    choose_reset,
    choose_system,
    is_on_already,
    link,
    named_system,
    power_of,
    refuse_account,
    reset_action,
    reset_target,
)

__all__ = ["Bmc", "BmcAccess"]

READ_ATTEMPTS = 3
BUSY = (429, 502, 503, 504)
MOST_REDIRECTS = 3
MOST_PAGES = 50
MOST_ACCOUNTS = 32
LONGEST_PAUSE = 10.0
FIRST_PAUSE = 1.0


class Bmc:
    """The controller of one server. Several threads may use it; calls wait for each other.

    ``uuid`` and ``serial``: those that vSphere shows for the server. They select its system among several, and detect the controller
    of another server. The login is made at the first call. After a refused login no further request is sent, because controllers
    lock accounts. All methods but ``close`` raise DirectPathError.
    """

    def __init__(
        self, access: BmcAccess, *, uuid: str = "", serial: str = "", sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._access = on_twin_controller(access)
        self._identity = Identity(uuid=uuid, serial=serial)
        self._sleep = sleep
        self._lock = threading.Lock()
        self._http: RedfishTransport | None = None
        self._root: Mapping[str, Any] | None = None
        self._credentials: dict[str, str] = {}
        self._session = ""
        self._refused: DirectPathError | None = None
        self._system_path = ""

    def __repr__(self) -> str:
        return f"Bmc({self._access.where})"

    # -- public methods ---------------------------------------------------------------------------------------

    def power_state(self) -> PowerState:
        """``on`` also while the server is powering on or off: it may be powered on only when it is off. None: unknown."""
        with self._lock:
            return power_of(self._system())

    def power_on(self) -> None:
        """Power on a server that is off; does nothing if it is on.

        One request, never repeated: if no answer came (codes connection_lost, no_answer), it may have arrived. Raises bmc_not_off if
        the controller does not report that the server is off. Some controllers still report off for some seconds after the request:
        wait half a minute before calling this again.
        """
        with self._lock:
            system = self._system()
            state = power_of(system)
            if state == "on":
                return
            if state != "off":
                raise DirectPathError(
                    message=f"{self._access.where} does not report that the server is off (PowerState "
                    f"{system.get('PowerState')!r}), so no power-on was sent",
                    code="bmc_not_off",
                    cure="Check the console of the server",
                )
            kind = choose_reset(self._allowed(system), self._access.where)
            path = self._path(self._system_path, reset_target(system, self._system_path))
            reply = self._send("POST", path, {"ResetType": kind})
            if reply.status < 300 or is_on_already(reply) or power_of(self._system()) == "on":
                return
            raise explain_reply(reply, f"power the server on ({kind})", self._access)

    def check(self) -> None:
        """Check everything that a power cycle needs, before anything is shut down. Only reads."""
        with self._lock:
            system = self._system()
            if power_of(system) is None:
                raise DirectPathError(
                    message=f"{self._access.where} does not report whether the server is on (PowerState "
                    f"{system.get('PowerState')!r})",
                    code="bmc_not_off",
                    cure="Restart the controller, or set method: reboot",
                )
            choose_reset(self._allowed(system), self._access.where)
            refuse_account(self._account(), self._access.username, self._access.where)

    def close(self) -> None:
        """End the session. If this fails, the controller ends it after a while."""
        if not self._lock.acquire(timeout=5):
            return
        try:
            with suppress(DirectPathError):
                if self._session:
                    self._send("DELETE", self._session)
            if self._http is not None:
                self._http.close()
            self._http, self._credentials, self._session = None, {}, ""
        finally:
            self._lock.release()

    # -- the system -------------------------------------------------------------------------------------------

    def _system(self) -> Mapping[str, Any]:
        if not self._system_path:
            self._system_path, system = self._find_system()
            return system
        return self._read(self._system_path)

    def _find_system(self) -> tuple[str, Mapping[str, Any]]:
        start = link(self._service_root(), "Systems")
        if not start:
            raise self._no_redfish("its service root contains no Systems")
        paths = list(self._members(self._path(self._access.root, start)))
        if self._access.system is not None:
            path = named_system(paths, self._access.system, self._access.where)
            return path, self._read(path)
        return choose_system([(path, self._read(path)) for path in paths], self._identity, self._access.where)

    def _members(self, path: str) -> Iterator[str]:
        """Paths of the members of a collection, from all its pages."""
        for _unused in range(MOST_PAGES):
            page = self._read(path)
            for member in page.get("Members") or ():
                yield self._path(path, link({"it": member}, "it"))
            following = page.get("Members@odata.nextLink")
            if not following:
                return
            path = self._path(path, str(following))

    def _allowed(self, system: Mapping[str, Any]) -> tuple[str, ...] | None:
        action = reset_action(system)
        where = action.get("@Redfish.ActionInfo")
        info = None
        if allowed_resets(action, None) is None and where:
            info = self._read(self._path(self._system_path, str(where)))
        return allowed_resets(action, info)

    def _account(self) -> Mapping[str, Any]:
        """What the controller shows of this account. Empty for directory accounts, or if the account may not read it."""
        service = link(self._service_root(), "AccountService")
        if not service:
            return {}
        accounts = link(self._shown(self._path(self._access.root, service)), "Accounts")
        collection = self._path(self._access.root, accounts) if accounts else ""
        members = (self._shown(collection).get("Members") or ()) if collection else ()
        for member in members[:MOST_ACCOUNTS]:
            account = self._shown(self._path(collection, link({"it": member}, "it")))
            if account.get("UserName") == self._access.username:
                return account
        return {}

    def _shown(self, path: str) -> Mapping[str, Any]:
        """As ``_read``, but empty if the account may not read it."""
        try:
            return self._read(path)
        except DirectPathError as error:
            if error.code in ("no_permission", "bmc_refused", "not_redfish"):
                return {}
            raise

    # -- requests ---------------------------------------------------------------------------------------------

    def _service_root(self) -> Mapping[str, Any]:
        if self._root is None:
            self._root = self._read(self._access.root, anonymous=True)
        return self._root

    def _path(self, base: str, target: str) -> str:
        path = same_origin(self._access, base, target) if target else None
        if path is None:
            raise self._no_redfish("it refers to another machine" if target else "it contains an empty reference")
        return path

    def _no_redfish(self, why: str) -> DirectPathError:
        return DirectPathError(
            message=f"{self._access.where} answers, but not as a Redfish service: {why}",
            code="not_redfish",
            cure="Check the address, and check that Redfish is enabled in the settings of the controller",
        )

    def _read(self, path: str, *, anonymous: bool = False) -> Mapping[str, Any]:
        """GET. Retried while the controller is busy or the connection breaks, and once after its session ended."""
        reply = self._get(path, anonymous)
        if reply.status == 401 and self._session:
            self._credentials, self._session = {}, ""
            reply = self._get(path, anonymous)
        for _unused in range(MOST_REDIRECTS):
            if reply.status not in (301, 302, 307, 308):
                break
            path = self._path(path, reply.headers.get("location", ""))
            reply = self._get(path, anonymous)
        if reply.status == 401:
            self._refused = explain_reply(reply, "log in", self._access)
            raise self._refused
        if reply.status == 404 and path == self._access.root:
            raise self._no_redfish(f"{path} does not exist")
        if reply.status >= 300:
            raise explain_reply(reply, f"read {path}", self._access)
        if reply.body is None:
            raise self._no_redfish(f"{path} is not a JSON object")
        return reply.body

    def _get(self, path: str, anonymous: bool) -> RedfishReply:
        attempt = 0
        while True:
            attempt += 1
            pause = FIRST_PAUSE * 2 ** (attempt - 1)
            try:
                reply = self._send("GET", path, anonymous=anonymous)
            except DirectPathError as error:
                if error.code != "connection_lost" or attempt >= READ_ATTEMPTS:
                    raise
            else:
                if reply.status not in BUSY or attempt >= READ_ATTEMPTS:
                    return reply
                asked = reply.headers.get("retry-after", "")
                pause = max(pause, float(asked)) if asked.isdecimal() else pause
            self._sleep(min(pause, LONGEST_PAUSE))

    def _send(
        self, verb: str, path: str, body: Mapping[str, Any] | None = None, *, anonymous: bool = False
    ) -> RedfishReply:
        if self._refused is not None:
            raise self._refused
        if self._http is None:
            self._http = redfish_http.open_http(self._access)
        if not anonymous and not self._credentials:
            self._log_in(self._http)
        headers = {"Accept": "application/json", "OData-Version": "4.0", **({} if anonymous else self._credentials)}
        return self._http.send(verb, path, headers, body)

    # -- login ------------------------------------------------------------------------------------------------

    def _log_in(self, http: RedfishTransport) -> None:
        """A session if possible, because controllers check a password slowly. Otherwise HTTP Basic with each request."""
        if self._access.auth != "basic" and self._open_session(http):
            return
        pair = f"{self._access.username}:{self._access.password}".encode()
        self._credentials = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def _open_session(self, http: RedfishTransport) -> bool:
        """False if Basic is to be used: the controller has no sessions, or none is free (DSP0266, 13.3.4)."""
        root = self._service_root()
        sessions = link(root.get("Links"), "Sessions")
        only = self._access.auth == "session"
        if not sessions and not only:
            return False
        path = self._path(self._access.root, sessions or "SessionService/Sessions")
        given = {"UserName": self._access.username, "Password": self._access.password}
        reply = http.send("POST", path, {"Accept": "application/json", "OData-Version": "4.0"}, given)
        token = reply.headers.get("x-auth-token", "")
        if reply.status < 300 and token:
            self._credentials = {"X-Auth-Token": token}
            place = reply.headers.get("location") or (reply.body or {}).get("@odata.id")
            self._session = same_origin(self._access, path, str(place)) or "" if place else ""
            return True
        if is_login_refusal(reply):
            self._refused = explain_reply(reply, "log in", self._access, code="invalid_login")
            raise self._refused
        if only:
            raise explain_reply(reply, "open a session", self._access)
        return False
