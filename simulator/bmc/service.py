# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests of the Redfish services of a lab.

``/bmc/<host name>/redfish/v1/`` is the controller of one host, ``/redfish/v1/`` one service with every host of the lab as a
system of its own, as chassis managers have. What is not modelled answers 404.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ..core.faults import Dropped, HttpStatus
from ..objects.host.host import HostSystem
from ..web import Answer, Request
from . import accounts, power, resources
from .accounts import Sessions
from .resources import Site, error
from .shapes import SHAPES, Shape, offered

if TYPE_CHECKING:
    from ..core.journal import Entry
    from ..endpoint import SimulatedEndpoint


def is_for_us(path: str) -> bool:
    """Whether an address belongs to a controller."""
    return path.startswith(("/bmc/", "/redfish/")) or path.split("?")[0].rstrip("/") == "/redfish"


def answer(sim: SimulatedEndpoint, request: Request) -> Answer:
    """Serve one request. Raises Dropped where the connection is to be closed without an answer.

    Call it without the simulator's lock: whoever stops at writes is called before and after this one.
    """
    with sim.lock:
        site = _site(sim, request.path)
        if site is None:
            text = f"There is nothing at {request.path}."
            return Answer(status=404, body=error("Base.1.8.ResourceMissingAtURI", text))
        controller = Controller(sim, site, request)
    controller.passing("before")
    try:
        with sim.lock:
            return controller.serve()
    finally:
        if controller.write is not None:
            controller.passing("after")


def _site(sim: SimulatedEndpoint, path: str) -> Site | None:
    plain = path.split("?")[0]
    if not plain.startswith("/bmc/"):
        return Site(prefix="", shape=SHAPES["standard"], hosts=tuple(sim.registry.all(HostSystem)))
    name, _unused, _rest = plain.removeprefix("/bmc/").partition("/")
    host = next((item for item in sim.registry.all(HostSystem) if unquote(name) in (item.name, item.moid)), None)
    if host is None:
        return None
    if host.settings.bmc_shape == "none":
        raise Dropped()
    return Site(prefix=f"/bmc/{name}", shape=SHAPES[host.settings.bmc_shape], hosts=(host,))


class Controller:
    """One request to one service."""

    def __init__(self, sim: SimulatedEndpoint, site: Site, request: Request) -> None:
        self.sim, self.site, self.request = sim, site, request
        self.shape: Shape = site.shape
        self.now = sim.clock.seconds()
        self.sessions: Sessions = sim.bmc_sessions.setdefault(site.prefix, Sessions(f"{sim.salt}{site.prefix}"))
        self.auth = str(site.hosts[0].settings.bmc_auth) if site.prefix else "both"
        self.user = accounts.caller(request.headers, self.sessions, self.now, self.auth, sim.bmc_accounts)
        whole = request.path.split("?")[0].removeprefix(site.prefix).removeprefix("/redfish")
        self.parts = [part for part in whole.split("/") if part]
        self.write: tuple[str, str, str] | None = None

    def passing(self, when: str) -> None:
        """Tell those who stop at writes where this request is."""
        host = self._host()
        self.sim.stops.passing(when, self._method(), host.moid if host else "", host.name if host else "")

    def serve(self) -> Answer:
        """The answer; the journal knows what was asked and how it ended, and fault rules have their say."""
        entry = self._note()
        try:
            after = self._suffer()
            found = self._answer()
            entry.effect = self.write is not None
            if after is not None:
                raise after
        except HttpStatus as status:
            entry.outcome = f"http {status.status}"
            text = "The service is not available at the moment." if status.status == 503 else str(status)
            return Answer(status=status.status, body=error("Base.1.8.GeneralError", text))
        except Dropped:
            entry.outcome = "dropped"
            raise
        entry.outcome = "ok" if found.status < 400 else f"http {found.status}"
        return found

    def _host(self) -> HostSystem | None:
        """The host a request speaks about."""
        if self.parts[1:2] == ["Systems"] and len(self.parts) > 2:
            return self.site.system(self.parts[2])
        return self.site.hosts[0] if self.site.prefix else None

    def _is_reset(self) -> bool:
        return self.request.verb == "POST" and self.parts[-1:] == ["ComputerSystem.Reset"]

    def _method(self) -> str:
        return "Redfish.Reset" if self._is_reset() else f"Redfish.{self.request.verb}"

    def _note(self) -> Entry:
        host = self._host()
        args: dict[str, Any] = {"path": self.request.path}
        if self._is_reset():
            args["ResetType"] = self._given().get("ResetType")
        return self.sim.journal.open(
            time=self.sim.clock.now().isoformat(),
            user=self.user or "",
            session="",
            moid=host.moid if host else "",
            type="ManagementController",
            name=host.name if host else "",
            method=self._method(),
            args=args,
            bytes_in=len(self.request.body),
        )

    def _suffer(self) -> Exception | None:
        target = self._host() or self.sim.root
        if target is None:
            return None
        strike = self.sim.faults.judge(self._method(), target)
        if strike.latency:
            self.sim.clock.delay(strike.latency)
        if isinstance(strike.before, HttpStatus | Dropped):
            raise strike.before
        if strike.before is not None:
            raise HttpStatus(500)
        return strike.after

    def _given(self) -> dict[str, Any]:
        try:
            given = json.loads(self.request.body or b"{}")
        except ValueError:
            return {}
        return given if isinstance(given, dict) else {}

    # -- addresses --------------------------------------------------------------------------------------------

    def _answer(self) -> Answer:
        verb, parts = self.request.verb, self.parts
        if not parts:
            return Answer(status=200, body={"v1": self.site.address()})
        if parts[0] != "v1":
            return self._missing()
        if verb == "GET" and len(parts) == 1 and not self.request.path.split("?")[0].endswith("/"):
            return Answer(status=308, headers={"Location": self.site.address()})
        if verb == "GET" and len(parts) == 1:
            return Answer(status=200, body=resources.root(self.sim, self.site, self.auth))
        if verb == "POST" and parts[1:] in (["SessionService", "Sessions"], ["SessionService", "Sessions", "Members"]):
            return self._login()
        if self.user is None:
            return self._unknown()
        if verb == "GET":
            found = resources.find(self.sim, self.site, self.auth, parts[1:], self.sessions)
            return self._missing() if found is None else Answer(status=200, body=found)
        if verb == "DELETE" and parts[1:3] == ["SessionService", "Sessions"] and len(parts) == 4:
            return Answer(status=204) if self.sessions.close(parts[3]) else self._missing()
        if self._is_reset() and len(parts) == 5 and parts[1] == "Systems" and parts[3] == "Actions":
            return self._reset()
        return self._missing() if verb == "POST" else Answer(status=405, body=error("Base.1.8.GeneralError", "No."))

    def _missing(self) -> Answer:
        text = f"The resource at the URI {self.request.path} was not found."
        return Answer(status=404, body=error("Base.1.8.ResourceMissingAtURI", text))

    def _unknown(self) -> Answer:
        text = "While accessing the resource, the service received an authorization error: no valid credentials."
        headers = {} if self.auth == "session" else {"WWW-Authenticate": 'Basic realm="Redfish"'}
        return Answer(status=401, body=error("Base.1.8.NoValidSession", text), headers=headers)

    def _login(self) -> Answer:
        given = self._given()
        if self.auth == "basic":
            return self._missing()
        user, password = str(given.get("UserName", "")), str(given.get("Password", ""))
        if not accounts.is_right(self.sim.bmc_accounts, user, password):
            return self._unknown()
        session = self.sessions.add(user, self.now)
        if session is None:
            text = "The session establishment failed due to the number of simultaneous sessions exceeding the limit."
            return Answer(status=503, body=error("Base.1.8.SessionLimitExceeded", text))
        body = resources.session(self.site, session)
        return Answer(
            status=201, body=body, headers={"X-Auth-Token": session.token, "Location": str(body["@odata.id"])}
        )

    def _reset(self) -> Answer:
        host, kind = self.site.system(self.parts[2]), str(self._given().get("ResetType", ""))
        if host is None:
            return self._missing()
        assert self.user is not None
        if not accounts.may_reset(self.sim.bmc_accounts, self.user):
            text = "There are insufficient privileges for the account associated with the session."
            return Answer(status=403, body=error("Base.1.8.InsufficientPrivilege", text))
        resets = offered(self.shape, str(host.settings.bmc_offers))
        if kind not in resets or kind == "Nmi":
            text = f"The value {kind} for the parameter ResetType is not in the list of acceptable values."
            return Answer(status=400, body=error("Base.1.8.ActionParameterNotSupported", text))
        no = power.refusal(host, kind, self.shape, resets)
        if no is not None and self.shape.refusal is not None:
            return Answer(status=self.shape.refusal, body=error(*no))
        if no is None:
            power.reset(host, kind)
            self.write = ("Redfish.Reset", host.moid, host.name)
        body = error("Base.1.8.Success", "Successfully Completed Request") if self.shape.done == 200 else None
        return Answer(status=self.shape.done, body=body, write=self.write)
