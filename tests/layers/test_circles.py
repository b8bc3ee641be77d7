# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No import circles, but for those that are named here with a reason; and the checker finds circles of every form."""

from __future__ import annotations

import pytest

from tools.architecture import Graph, circles, file_graph, files

ALLOWED: dict[str, list[list[str]]] = {
    "plugins": [],
    "simulator": [
        # A host has VMs, a VM has a host, and a cluster has both.
        [
            "simulator/objects/cluster/state.py",
            "simulator/objects/host/state.py",
            "simulator/objects/vm/state.py",
        ],
    ],
}


@pytest.mark.parametrize("folder", ALLOWED)
def test_no_import_circle_but_the_named_ones(folder: str) -> None:
    graph = file_graph(files(folder))
    assert len(graph) > 1
    found = circles(graph)
    assert found == ALLOWED[folder], "\n".join(_explain(graph, circle) for circle in found)


def _explain(graph: Graph, circle: list[str]) -> str:
    return "\n".join(f"{path} imports {', '.join(sorted(graph[path] & set(circle)))}" for path in circle)


GRAPHS = {
    "nothing": ({}, []),
    "a line": ({"a": ["b"], "b": ["c"], "c": []}, []),
    "a diamond": ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}, []),
    "two": ({"a": ["b"], "b": ["a"]}, [["a", "b"]]),
    "three, with a tail and a head": (
        {"t": ["a"], "a": ["b"], "b": ["c"], "c": ["a", "h"], "h": []},
        [["a", "b", "c"]],
    ),
    "two circles with a bridge": (
        {"a": ["b"], "b": ["a", "c"], "c": ["d"], "d": ["c"]},
        [["a", "b"], ["c", "d"]],
    ),
    "two circles that share a file": ({"a": ["b"], "b": ["a", "c"], "c": ["b"]}, [["a", "b", "c"]]),
    "a file outside": ({"a": ["x", "b"], "b": ["a"]}, [["a", "b"]]),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_circles_of_a_graph(name: str) -> None:
    graph, expected = GRAPHS[name]
    assert circles({name: frozenset(reached) for name, reached in graph.items()}) == expected


BACK = {
    "relative": "from . import a\n",
    "relative, a name in it": "from .a import thing\n",
    "absolute": "import p.a\n",
    "absolute, a name in it": "from p.a import thing\n",
    "with an alias": "import p.a as other\n",
    "from the package": "from p import a\n",
    "by the full name of a collection": "from ansible_collections.directpath.vsphere.p.a import thing\n",
    "in a function": "def late():\n    from .a import thing\n    return thing\n",
    "in a method": "class C:\n    def late(self):\n        from . import a\n        return a\n",
    "for types only": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .a import Thing\n",
    "guarded": "try:\n    from . import a\nexcept ImportError:\n    a = None\n",
}


@pytest.mark.parametrize("name", BACK)
def test_every_form_of_import_counts(name: str) -> None:
    sources = {"p/__init__.py": "", "p/a.py": "from .b import thing\n", "p/b.py": BACK[name]}
    assert circles(file_graph(sources)) == [["p/a.py", "p/b.py"]]


def test_a_package_counts_when_a_name_is_imported_from_it() -> None:
    sources = {"p/__init__.py": "from .q.c import thing\n", "p/q/__init__.py": "", "p/q/c.py": "from .. import other\n"}
    assert circles(file_graph(sources)) == [["p/__init__.py", "p/q/c.py"]]


def test_that_a_package_is_loaded_with_its_modules_does_not_count() -> None:
    sources = {"p/__init__.py": "from .a import thing\n", "p/a.py": "from .b import thing\n", "p/b.py": ""}
    assert circles(file_graph(sources)) == []


def test_other_imports_do_not_count() -> None:
    sources = {"p/a.py": "import json\nfrom . import b\nfrom elsewhere import b\n", "p/b.py": "from a import thing\n"}
    assert circles(file_graph(sources)) == []
