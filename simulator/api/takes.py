# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a method does with the arguments it is given: whatever it does not name is refused, at any depth.

A spec of the API has hundreds of fields, and a method of the simulator honors a few of them. Without this the others
would be accepted and dropped, and a client would hear of a success that did not happen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import field as default
from typing import Any, TypeVar

from pyVmomi import vmodl

from .data import DataObject, fields

F = TypeVar("F", bound=Callable[..., Any])
ALL = "*"
MARK = "simulator: "
"""How the text of every refusal begins that is the simulator's own and no rule of the real thing."""


@dataclass
class Node:
    """One parameter or field: its fields that are honored, the only values that are, or everything below it."""

    fields: dict[str, Node] = default(default_factory=dict)
    values: frozenset[str] = frozenset()
    whole: bool = False


NOTHING = Node()


def takes(*paths: str) -> Callable[[F], F]:
    """Declare what a method honors of its arguments, by the API's own names of parameters and fields.

    ``spec.name`` is a field (of each element where ``spec`` is a list), ``spec.flags.*`` everything below,
    ``modify=true`` one value only. A method without this takes nothing.
    """
    root = Node()
    for path in paths:
        place, _unused, value = path.partition("=")
        node = root
        for name in place.split("."):
            if name == ALL:
                node.whole = True
            else:
                node = node.fields.setdefault(name, Node())
        if value:
            node.values |= {value}

    def mark(function: F) -> F:
        function.takes = root  # type: ignore[attr-defined]
        return function

    return mark


def taken(handler: Callable[..., Any]) -> Node:
    """What a handler honors."""
    found: Node = getattr(handler, "takes", NOTHING)
    return found


def is_unset(value: Any) -> bool:
    """pyVmomi cannot tell an empty list from none."""
    return value is None or (isinstance(value, list) and not value)


def not_modelled(what: str) -> Any:
    """The fault that says so: the type, the method or property, and the part of it."""
    return vmodl.fault.NotSupported(msg=f"{MARK}{what} is not modelled")


def _says_nothing(value: Any, declared: type[Any]) -> bool:
    """An object without a single field, of the very type that is expected there, asks for nothing: clients send those."""
    if not isinstance(value, DataObject) or value.__class__ is not declared:
        return False
    known = fields(declared)
    return all(is_unset(item) or _says_nothing(item, known[name].type) for name, item in value.__dict__.items())


def check(handler: Callable[..., Any], what: str, names: Sequence[str], args: Sequence[Any]) -> None:
    """Raise NotSupported, naming the first argument or field that is set and not honored. ``what``: Type.Method."""
    root = taken(handler)
    for name, value in zip(names, args, strict=True):
        _check(root.fields.get(name), value, f"{what} {name}")


def _check(node: Node | None, value: Any, path: str) -> None:
    if is_unset(value) or (node is not None and node.whole):
        return
    if node is None:
        raise not_modelled(path)
    if isinstance(value, list):
        for item in value:
            _check(node, item, path)
    elif isinstance(value, DataObject):
        known = fields(value.__class__)
        for name, item in value.__dict__.items():
            if node.fields.get(name) is not None or not _says_nothing(item, known[name].type):
                _check(node.fields.get(name), item, f"{path}.{name}")
    elif node.values and str(value).lower() not in node.values:
        raise not_modelled(f"{path}={str(value).lower()}")
