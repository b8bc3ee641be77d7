# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter specs for tests."""

from __future__ import annotations

from typing import Any

from pyVmomi import vim, vmodl

PC = vmodl.query.PropertyCollector


def view_spec(view: Any, kind: type[Any], *paths: str, everything: bool = False) -> Any:
    """Objects of one type in a view, with these properties."""
    step = PC.TraversalSpec(name="view", type=type(view), path="view", skip=False)
    return PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=view, skip=True, selectSet=[step])],
        propSet=[PC.PropertySpec(type=kind, pathSet=list(paths), all=everything)],
    )


def object_spec(obj: Any, *paths: str) -> Any:
    """One object, with these properties."""
    return PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=obj)], propSet=[PC.PropertySpec(type=type(obj), pathSet=list(paths), all=False)]
    )


def container(si: Any, kind: type[Any]) -> Any:
    """A recursive container view from the root."""
    return si.content.viewManager.CreateContainerView(si.content.rootFolder, [kind], True)


def objects(si: Any, kind: type[Any]) -> list[Any]:
    """All objects of a type, by name."""
    return sorted(container(si, kind).view, key=lambda item: str(item.name))


def host(si: Any, number: int = 1) -> Any:
    return objects(si, vim.HostSystem)[number - 1]


def vm(si: Any, number: int = 1) -> Any:
    return objects(si, vim.VirtualMachine)[number - 1]


def values(content: Any) -> dict[str, Any]:
    """An ObjectContent's properties by name."""
    return {item.name: item.val for item in content.propSet}
