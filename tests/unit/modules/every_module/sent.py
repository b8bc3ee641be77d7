# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls as they are handed to pyVmomi, what arrives of them at an API version, and what the code of the collection can send at all."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from pyVmomi import SoapStubAdapter, vim, vmodl
from pyVmomi import VmomiSupport as vs

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session import transport, version_guard
from simulator.api import data, versions
from simulator.api.takes import is_unset
from simulator.transport.soap import Request, decode, method_info

CODE = Path(__file__).resolve().parents[4] / "plugins" / "module_utils" / "_vsphere"
NEWEST = versions.supported(versions.for_product(".".join(versions.version_id(versions._public()[-1]).split(".")[:3])))[
    0
]
API = tuple(versions.supported(NEWEST))
"""Every released API version that the installed pyVmomi knows, newest first."""
LABS = tuple(version for version in API if versions.version_id(version) >= "5.5")
"""Those that a simulated server can have."""


@dataclass(frozen=True)
class Sent:
    """One call: the method, and its arguments."""

    info: Any
    arguments: tuple[Any, ...]

    @property
    def method(self) -> str:
        return str(self.info.wsdlName)

    def arrives(self, version: str) -> bool:
        """Whether a server gets at this version what was meant: pyVmomi serializes it, and the newest server reads it."""
        stub = SoapStubAdapter(host="nowhere.test", version=version)
        receiver = vs.GetVmodlType(self.info.type)("moid-1", stub)
        try:
            body = stub.SerializeRequest(receiver, self.info, list(self.arguments))
        except vmodl.fault.MethodNotFound:
            return False
        got: Request = decode(body, NEWEST)
        meant = {
            parameter.name: value
            for parameter, value in zip(self.info.params, self.arguments, strict=True)
            if not is_unset(value)
        }
        return got.values.keys() == meant.keys() and all(data.same(got.values[name], meant[name]) for name in meant)

    def is_refused(self, version: str) -> bool:
        """Whether the collection refuses to send it at this version."""
        return any(version_guard.lost_parts(self.info, self.arguments, version))


def of_the_sdk(value: Any) -> Any:
    """An object of the type that a server reads: the collection has a subtype of one that prints no password."""
    if isinstance(value, vs.DataObject):
        kind = next(kind for kind in type(value).__mro__ if kind.__module__.startswith("pyVmomi"))
        object.__setattr__(value, "__class__", kind)  # the SDK's own takes only properties
    return value


@contextmanager
def recording(into: list[Sent]) -> Iterator[None]:
    """In the block, every call of the collection is added to the list before it is sent."""
    real: Callable[..., None] = transport.refuse_lossy

    def recorded(info: Any, moid: str, arguments: Sequence[Any], *more: Any) -> None:
        into.append(Sent(info, tuple(of_the_sdk(data.clone(value)) for value in arguments)))
        real(info, moid, arguments, *more)

    with mock.patch.object(transport, "refuse_lossy", recorded):
        yield


# -- what the calls consist of ---------------------------------------------------------------------------------------


def parts(value: Any) -> Iterator[tuple[str, str]]:
    """(type, property) of everything that is set inside a value; types by their last name."""
    if isinstance(value, list):
        for item in value:
            yield from parts(item)
    elif isinstance(value, vs.DataObject):
        for name in data.fields(type(value)):
            item = getattr(value, name)
            if not is_unset(item):
                yield type(value).__name__.rpartition(".")[2], name
                yield from parts(item)


# -- what the code can send ------------------------------------------------------------------------------------------


@cache
def _trees() -> tuple[ast.Module, ...]:
    return tuple(ast.parse(path.read_text(encoding="utf-8")) for path in sorted(CODE.rglob("*.py")))


def methods_in_code() -> set[str]:
    """The methods of the API that the code calls, by their names on the wire."""
    found = set()
    for tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                name = node.func.attr
                found |= {wire for wire in (name, f"{name}_Task") if name[0].isupper() and method_info(wire)}
    return found


def parts_in_code() -> set[tuple[str, str]]:
    """(type, property) of each data object that the code builds from names in ``vim`` and ``vmodl``."""
    found = set()
    for tree in _trees():
        roots = {"vim", "vmodl"}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and _root(node.value) in roots and isinstance(node.value, ast.Attribute):
                roots |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _root(node.func) in roots:
                found |= {(node.func.attr, word.arg) for word in node.keywords if word.arg is not None}
    return found


def properties_set_in_code() -> set[str]:
    """The properties that the code assigns to a data object. Names of its own have no capital letters."""
    return {
        target.attr
        for tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute) and not target.attr.islower() and target.attr[0].islower()
    }


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


__all__ = [
    "API",
    "LABS",
    "NEWEST",
    "Sent",
    "methods_in_code",
    "parts",
    "parts_in_code",
    "properties_set_in_code",
    "recording",
    "vim",
]
