# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of a folder import each other, and which of them in a circle.

Every import statement counts, also those under TYPE_CHECKING and inside functions: a reader has to follow them all. That
importing a module also runs the ``__init__.py`` of its packages does not count.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

Graph = Mapping[str, Iterable[str]]


def read_graph(root: Path, folder: str) -> dict[str, set[str]]:
    """The imports among the files of a folder: path -> paths, relative to the root."""
    sources = {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in (root / folder).rglob("*.py")}
    return build_graph(sources)


def build_graph(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """The imports among sources, given as path -> text."""
    modules = {_module_of(path): path for path in sources}
    graph = {}
    for path, source in sources.items():
        found = {modules[name] for name in _imported(path, ast.parse(source), modules)}
        graph[path] = found - {path}
    return graph


def _module_of(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _imported(path: str, tree: ast.AST, modules: Mapping[str, str]) -> Iterator[str]:
    """Modules that the import statements name. ``from a import b`` names the module a.b if there is one, else a."""
    package = path.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            upward = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*upward, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            found = _nearest(_own_name(name, modules), modules)
            if found:
                yield found


def _own_name(name: str, modules: Mapping[str, str]) -> str:
    """A name without what stands before the folder (``ansible_collections.namespace.name``)."""
    tops = {module.split(".")[0] for module in modules}
    parts = name.split(".")
    if parts[0] in tops or parts[0] != "ansible_collections":
        return name
    return ".".join(parts[3:])


def _nearest(name: str, modules: Mapping[str, str]) -> str:
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def circles(graph: Graph) -> list[list[str]]:
    """The strongly connected components of more than one node, each sorted (Tarjan's algorithm, without recursion)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    open_nodes: list[str] = []
    found = []
    for start in sorted(graph):
        if start in order:
            continue
        todo = [(start, iter(sorted(graph[start])))]
        order[start] = low[start] = len(order)
        open_nodes.append(start)
        while todo:
            node, targets = todo[-1]
            target = next((item for item in targets if item in graph), None)
            if target is None:
                todo.pop()
                if todo:
                    low[todo[-1][0]] = min(low[todo[-1][0]], low[node])
                if low[node] == order[node]:
                    at = open_nodes.index(node)
                    component, open_nodes[at:] = open_nodes[at:], []
                    found.append(sorted(component))
            elif target not in order:
                order[target] = low[target] = len(order)
                open_nodes.append(target)
                todo.append((target, iter(sorted(graph[target]))))
            elif target in open_nodes:
                low[node] = min(low[node], order[target])
    return sorted(component for component in found if len(component) > 1)
