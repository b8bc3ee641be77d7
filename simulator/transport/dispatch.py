# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dispatcher of SOAP calls: finds object and session, checks method, privilege and fault rules, calls, keeps the journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyVmomi import VmomiSupport as vs
from pyVmomi import vim, vmodl

from ..api import takes, wire
from ..core.accounts import ANONYMOUS, Peer, Session
from ..core.base import ManagedObject
from ..core.call import Call
from ..core.faults import Dropped, HttpStatus, Strike, with_text
from ..core.journal import Entry, summary

if TYPE_CHECKING:
    from ..endpoint import SimulatedEndpoint


@dataclass(kw_only=True)
class Request:
    """A call as a transport hands it over; ``args`` in the order of the method's parameters."""

    moid: str
    type: type[Any] | None
    method: str
    info: Any
    args: Sequence[Any]
    version: str
    bytes_in: int = 0
    entry: Entry | None = None
    """The journal entry of the call, once it has one."""


def passing(sim: SimulatedEndpoint, when: str, request: Request) -> None:
    """A transport says where a call is, without the lock; after the call only those that had an effect count."""
    if when == "before" or (request.entry is not None and request.entry.effect):
        obj = sim.registry.find(request.moid)
        name = str(obj.props.get("name", "")) if obj is not None else ""
        sim.stops.passing(when, request.method, request.moid, name)


def invoke(sim: SimulatedEndpoint, request: Request, peer: Peer) -> Any:
    """Run one call under the simulator lock. Raises the fault, HttpStatus or Dropped; the journal knows either way."""
    with sim.lock:
        sim.sessions.expire()
        obj = sim.registry.find(request.moid)
        session = sim.sessions.of(peer.session_key)
        entry = request.entry = sim.journal.open(
            time=sim.clock.now().isoformat(),
            user=session.user.name if session else "",
            session=session.key if session else "",
            moid=request.moid,
            type=request.type._wsdlName if request.type else "",
            name=str(obj.props.get("name", "")) if obj else "",
            method=request.method,
            args=_arguments(request),
            bytes_in=request.bytes_in,
        )
        try:
            return _run(sim, request, peer, obj, session)
        except HttpStatus as error:
            entry.outcome = f"http {error.status}"
            raise
        except Dropped:
            entry.outcome = "dropped"
            raise
        except vmodl.MethodFault as fault:
            entry.outcome = fault._wsdlName
            if (fault.msg or "").startswith(takes.MARK):
                entry.refused.append(fault.msg)
            raise with_text(fault) from None
        except Exception as error:
            entry.outcome = "SystemError"
            sim.internal_errors.append(error)
            reason = f"simulator: {type(error).__name__}: {error}"
            raise with_text(vmodl.fault.SystemError(reason=reason)) from error


def _run(
    sim: SimulatedEndpoint, request: Request, peer: Peer, obj: ManagedObject | None, session: Session | None
) -> Any:
    privilege = request.info.privId if request.info is not None else None
    if session is None and not (privilege == ANONYMOUS or request.method == "Fetch"):
        raise vim.fault.NotAuthenticated(object=_reference(request), privilegeId=privilege or "System.View")
    if obj is None or not _is_there(sim, obj, request, session):
        raise vmodl.fault.ManagedObjectNotFound(obj=_reference(request))
    handler = _handler(sim, request, obj)
    call = Call(sim=sim, peer=peer, session=session, version=request.version, method=request.method, obj=obj)
    call.refused = request.entry.refused if request.entry is not None else call.refused
    if session is not None:
        session.touch(sim.clock.now())
    _check_privileges(sim, call, request, obj)
    if request.info is not None:
        names = [param.name for param in request.info.params]
        takes.check(handler, f"{obj.vim_type._wsdlName}.{request.method}", names, request.args)
    strike = sim.faults.judge(request.method, obj)
    _suffer(sim, strike)
    call.task_fault = strike.in_task
    result = handler(call, *request.args)
    if request.entry is not None:
        request.entry.effect = True
    if strike.after is not None:
        raise strike.after
    return result.ref if isinstance(result, ManagedObject) else result


def _is_there(sim: SimulatedEndpoint, obj: ManagedObject, request: Request, session: Session | None) -> bool:
    """Whether the object is of the type asked for, and this session's when it belongs to one."""
    own = obj.session_key is None or (session is not None and session.key == obj.session_key)
    return own and (request.type is None or sim.registry.answers(obj, request.type))


def _handler(sim: SimulatedEndpoint, request: Request, obj: ManagedObject) -> Callable[..., Any]:
    """The object's handler of a method its type and the client's API version have. Raises MethodNotFound."""
    if request.method == "Fetch":
        return lambda call, path: sim.property_reader.fetch(call, obj, path)
    info = request.info
    handler = getattr(obj, request.method, None) if info is not None else None
    declared = info is not None and issubclass(obj.vim_type, vs.GetVmodlType(info.type))
    if handler is None or not declared or not wire.is_known(request.version, info.version):
        known = declared or info is None  # what pyVmomi has never heard of may be one of the internal methods
        text = f"{takes.MARK}{obj.vim_type._wsdlName}.{request.method} is not modelled" if known else None
        raise vmodl.fault.MethodNotFound(receiver=obj.ref, method=request.method, msg=text)
    return handler  # type: ignore[no-any-return]


def _check_privileges(sim: SimulatedEndpoint, call: Call, request: Request, obj: ManagedObject) -> None:
    info = request.info
    if info is None:
        return
    if info.privId:
        call.require(info.privId, obj)
    for param, value in zip(info.params, request.args, strict=True):
        if param.privId and value is not None:
            for ref in value if isinstance(value, list) else [value]:
                target = sim.registry.behind(ref) if isinstance(ref, vs.ManagedObject) else None
                if target is not None:  # what is not there is the method's business
                    call.require(param.privId, target)


def _suffer(sim: SimulatedEndpoint, strike: Strike) -> None:
    if strike.latency:
        sim.clock.delay(strike.latency)
    if strike.before is not None:
        raise strike.before


def _reference(request: Request) -> Any:
    return (request.type or vs.ManagedObject)(request.moid)


def _arguments(request: Request) -> dict[str, Any]:
    if request.info is None:
        return {"prop": request.args[0]} if request.args else {}
    shown = {}
    for param, value in zip(request.info.params, request.args, strict=False):
        if value is not None:
            secret = bool(param.flags & vs.F_SECRET) or "password" in param.name.lower()
            shown[param.name] = "***" if secret else summary(value)
    return shown
