# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on purpose: rules that make calls fail, and the default texts faults carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import responses
from typing import Any

from pyVmomi import VmomiSupport as vs
from pyVmomi import vmodl

from ..api import data
from ..api.names import escaped
from .base import ManagedObject


class HttpStatus(Exception):
    """The endpoint answers with this HTTP status and no SOAP."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status} {responses.get(status, '')}".strip())
        self.status = status


class Dropped(Exception):
    """The endpoint closes the connection without an answer."""


def _names(obj: ManagedObject) -> set[Any]:
    """What an object answers to: its id and name, and those of the entity it is a part of (the host of a storage system)."""
    names = {obj.moid, obj.props.get("name")}
    return names if obj.owner is None else names | _names(obj.owner)


@dataclass(kw_only=True)
class FaultRule:
    """When a call matches all that is given, it fails (or is slow).

    ``method``: WSDL name; ``type``: WSDL type name; ``name``: name or id of the object, or of the entity it belongs to.
    The first ``after`` matches pass; then ``times`` matches are hit (None: for ever). One of ``fault`` (WSDL name of a
    fault, its ``fields`` and ``message``), ``http`` (status) or ``drop`` ("before" or "after" the effect); ``latency``
    seconds may go with any. ``in_task``: the call is accepted, and the task it starts ends with the fault, undone.
    """

    method: str | None = None
    type: str | None = None
    name: str | None = None
    after: int = 0
    times: int | None = None
    fault: str | None = None
    fields: Mapping[str, Any] | None = None
    message: str | None = None
    http: int | None = None
    drop: str | None = None
    latency: float = 0.0
    in_task: bool = False
    seen: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        if self.drop not in (None, "before", "after"):
            raise ValueError(f"drop is 'before' or 'after', not {self.drop!r}")
        if self.fault is not None:
            self.build(None)
        elif self.http is None and self.drop is None and not self.latency:
            raise ValueError("a fault rule needs fault, http, drop or latency")
        if self.in_task and self.fault is None:
            raise ValueError("in_task needs a fault")

    def matches(self, method: str, obj: ManagedObject) -> bool:
        """Whether the rule speaks about this call."""
        return (
            self.method in (None, method)
            and self.type in (None, obj.vim_type._wsdlName)
            and (self.name is None or not {self.name, escaped(self.name)}.isdisjoint(_names(obj)))
        )

    def strikes(self) -> bool:
        """Count a match; True when this one is to be hit."""
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True

    def build(self, obj: ManagedObject | None) -> Any:
        """A fresh fault. Raises ValueError on a name that is no fault or a field it has not."""
        try:
            cls = vs.GetWsdlType("urn:vim25", self.fault)
        except KeyError:
            raise ValueError(f"no fault named {self.fault!r} in the vSphere API") from None
        if not issubclass(cls, vmodl.MethodFault):
            raise ValueError(f"{self.fault} is not a fault")
        values = dict(self.fields or {})
        if obj is not None and "object" in data.fields(cls) and "object" not in values:
            values["object"] = obj.ref
        unknown = set(values) - set(data.fields(cls))
        if unknown:
            raise ValueError(f"{self.fault} has no field {', '.join(sorted(unknown))}")
        return cls(msg=self.message, **values)


@dataclass(frozen=True, kw_only=True)
class Strike:
    """What the rules decided about one call."""

    latency: float = 0.0
    before: Exception | None = None
    after: Exception | None = None
    in_task: Exception | None = None


class FaultRules:
    """The active rules, in order; latencies add up, the first failure wins."""

    def __init__(self) -> None:
        self.rules: list[FaultRule] = []

    def add(self, **fields: Any) -> FaultRule:
        """Add a rule; see FaultRule for the fields."""
        rule = FaultRule(**fields)
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Remove every rule."""
        self.rules.clear()

    def judge(self, method: str, obj: ManagedObject) -> Strike:
        """What happens to this call."""
        latency = 0.0
        before: Exception | None = None
        after: Exception | None = None
        in_task: Exception | None = None
        for rule in self.rules:
            if before is not None or not rule.matches(method, obj) or not rule.strikes():
                continue
            latency += rule.latency
            if rule.in_task:
                in_task = rule.build(obj)
            elif rule.fault is not None:
                before = rule.build(obj)
            elif rule.http is not None:
                before = HttpStatus(rule.http)
            elif rule.drop == "before":
                before = Dropped()
            elif rule.drop == "after":
                after = Dropped()
        return Strike(latency=latency, before=before, after=after, in_task=in_task)


TEXTS: dict[str, str] = {
    "NotAuthenticated": "The session is not authenticated.",
    "InvalidLogin": "Cannot complete login due to an incorrect user name or password.",
    "NoPermission": "Permission to perform this operation was denied.",
    "ManagedObjectNotFound": "The object has already been deleted or has not been completely created",
    "InvalidState": "The operation is not allowed in the current state.",
    "InvalidPowerState": "The attempted operation cannot be performed in the current state.",
    "NotSupported": "The operation is not supported on the object.",
    "InvalidArgument": "A specified parameter was not correct: {invalidProperty}",
    "InvalidRequest": "Invalid request.",
    "InvalidProperty": "Invalid property.",
    "InvalidCollectorVersion": "The version of the property collector is not valid.",
    "RequestCanceled": "The task was canceled by a user.",
    "Timedout": "Operation timed out.",
    "TaskInProgress": "The operation is not allowed in the current state because another task is in progress.",
    "DuplicateName": "The name '{name}' already exists.",
    "NotFound": "The object or item referred to could not be found.",
    "HostNotConnected": "Unable to communicate with the remote host, since it is disconnected.",
    "HostNotReachable": "The host is not reachable.",
    "ConcurrentAccess": "The resource is being changed by another operation.",
    "SystemError": "A general system error occurred: {reason}",
    "MethodNotFound": "Method not found.",
}
"""Texts vCenter shows for the commonest faults; others get the fault's name in words."""


def with_text(fault: Any) -> Any:
    """Give a fault the text vCenter would show, unless it has one."""
    if not fault.msg:
        name = fault._wsdlName
        text = TEXTS.get(name)
        if text is None:
            text = "".join(" " + char.lower() if char.isupper() else char for char in name).strip().capitalize() + "."
        fault.msg = text.format(**{key: _plain(value) for key, value in fault.__dict__.items()})
    return fault


def _plain(value: Any) -> str:
    return "" if value is None else str(value)
