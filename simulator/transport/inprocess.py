# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pyVmomi stub that calls the dispatcher directly: no socket, no XML, the same rules."""

from __future__ import annotations

from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from pyVmomi import VmomiSupport as vs
from pyVmomi import vim, vmodl
from pyVmomi.SoapAdapter import StubAdapterBase

from ..api import wire
from ..core.accounts import Peer
from ..core.faults import Dropped, HttpStatus
from .dispatch import Request, invoke, passing

if TYPE_CHECKING:
    from ..endpoint import SimulatedEndpoint


class InProcessStub(StubAdapterBase):  # type: ignore[misc]
    """What a client holds instead of a SoapStubAdapter. ``version`` is the API version it speaks."""

    def __init__(self, sim: SimulatedEndpoint, version: str) -> None:
        if not vs.IsChildVersion(sim.api_version, version):
            raise ValueError(f"the simulated endpoint does not speak {version}")
        super().__init__(version)
        self.sim = sim
        self.peer = Peer()
        self.cookie = ""

    def connect(self, user: str | None = None, password: str | None = None) -> Any:
        """Log in (default: the lab's first account) and return the ServiceInstance."""
        accounts = self.sim.authz.users
        account = accounts[user.lower()] if user is not None else next(iter(accounts.values()))
        instance = self.instance()
        instance.content.sessionManager.Login(account.name, account.password if password is None else password, None)
        return instance

    def instance(self) -> Any:
        """The ServiceInstance, not logged in."""
        return vim.ServiceInstance("ServiceInstance", self)

    def DropConnections(self) -> None:
        """Nothing to drop."""

    def __deepcopy__(self, memo: Any) -> InProcessStub:
        return self

    def InvokeMethod(self, mo: Any, info: Any, args: Any) -> Any:
        """One call. Raises the fault, HTTPException for an HTTP status, ConnectionResetError for a dropped answer."""
        if not self.sim.online:
            if self.sim.offline_answer == "503":
                raise HTTPException("503 Service Unavailable")
            raise ConnectionRefusedError("the simulated endpoint is offline")
        if not wire.is_known(self.version, info.version):
            raise vmodl.fault.MethodNotFound(receiver=mo, method=info.name)
        fetch = info.wsdlName == "Fetch"
        given = zip(args, info.params, strict=True)
        # As pyVmomi does on the wire: what this API version lacks is left out, with no word about it.
        request = Request(
            moid=mo._moId,
            type=mo.__class__,
            method=info.wsdlName,
            info=None if fetch else info,
            args=[
                wire.localise(arg, par.type, self.version, None)
                if arg is not None and wire.is_known(self.version, par.version)
                else None
                for arg, par in given
            ],
            version=self.version,
        )
        passing(self.sim, "before", request)
        try:
            try:
                with self.sim.lock:
                    result = invoke(self.sim, request, self.peer)
                    self.cookie = f'vmware_soap_session="{self.peer.session_key}"' if self.peer.session_key else ""
                    answer = self._answer(result, info)
            finally:
                passing(self.sim, "after", request)
        except HttpStatus as error:
            raise HTTPException(str(error)) from None
        except Dropped:
            raise ConnectionResetError("the simulated endpoint dropped the connection") from None
        except vmodl.MethodFault as fault:
            raise wire.localise(fault, object, self.version, self) from fault.__cause__
        passing(self.sim, "answered", request)
        return answer

    def _answer(self, result: Any, info: Any) -> Any:
        if result is None:
            return info.result() if isinstance(info.result, type) and issubclass(info.result, list) else None
        return wire.localise(result, info.result, self.version, self)
