# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A newcomer finds every room: small folders, no circle, no long chain, one meaning a class name, and tests where the code is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from tools.architecture import (
    LAYERS,
    circles,
    class_names,
    depths,
    figures,
    file_graph,
    files,
    inside,
    package_graph,
    reduced,
)
from tools.envs import ROOT

MOST_FILES = 16
"""Of reads of vCenter and of simulated services: each capability adds one."""
MOST_DOMAIN_PACKAGES = 26
"""One for each capability, such as virtual functions, device modes, graphics settings, capacity, adoption, events, captures and rehearsals,
and one for the entries of all."""
ONE_FOR_EACH_MODULE = ("plugins/modules", "plugins/module_utils/_shell")
"""Folders with a file for each module: they grow with the modules."""
MOST_DEPTH = 10
"""Root, observed, planning (which types are in a plan), host, desired, vm, kinds, devices, drift, adoption (which the
comparison judges)."""
PLUGINS = files("plugins")
GRAPH = file_graph(PLUGINS)
PACKAGES = package_graph(GRAPH)
SHARED = ("plugins/module_utils/", "plugins/plugin_utils/")
WHOLE = {
    "exploring": "random fleets through all modules",
    "pains": "what users of other tools suffer, module by module",
    "recorded": "answers of real servers through all readers",
}
"""Folders of tests/unit that are about the whole collection."""
ACROSS = {"bad_input", "every_module", "fail_closed", "recheck"}
"""Folders of tests/unit/modules that are about all modules."""


def test_figures() -> None:
    """Run with -s to see them."""
    print(f"\n{figures()}")


@pytest.mark.parametrize("folder", ["plugins", "simulator", "tests/unit"])
def test_no_folder_is_crowded(folder: str) -> None:
    counts = Counter(path.rpartition("/")[0] for path in files(folder))
    large = {name: count for name, count in counts.items() if count > MOST_FILES}
    assert {name: count for name, count in large.items() if name not in ONE_FOR_EACH_MODULE} == {}


def test_no_circle_of_packages() -> None:
    assert circles(PACKAGES) == []


@pytest.mark.parametrize("layer", [folder for folder, _name, _meaning in LAYERS])
def test_no_long_chain(layer: str) -> None:
    found = depths(inside(PACKAGES, layer))
    assert max(found.values()) <= MOST_DEPTH, found


def test_the_domain_has_few_rooms() -> None:
    assert len(inside(PACKAGES, "plugins/module_utils/_domain")) <= MOST_DOMAIN_PACKAGES


def test_a_class_name_has_one_meaning() -> None:
    names = class_names({path: source for path, source in PLUGINS.items() if path.startswith(SHARED)})
    assert {name: paths for name, paths in names.items() if len(paths) > 1} == {}


def test_no_prefix_stands_for_a_folder() -> None:
    """Neither the name of the folder itself, nor one that three files of a folder share."""
    found = []
    for folder in {path.rpartition("/")[0] for path in PLUGINS if path.startswith(SHARED)}:
        names = [path.rpartition("/")[2] for path in PLUGINS if path.rpartition("/")[0] == folder]
        first = Counter(name.partition("_")[0] for name in names if "_" in name.lstrip("_"))
        repeated = {word for word, count in first.items() if count > 2 and folder.rpartition("/")[2] != "_shell"}
        own = {part.strip("_") for part in folder.split("/")[2:]}
        found += [f"{folder}/{name}" for name in names if name.partition("_")[0] in own | repeated]
    assert found == []


def test_the_shell_has_one_file_for_each_module() -> None:
    modules = {path for path in PLUGINS if path.startswith("plugins/modules/") and "def main" in PLUGINS[path]}
    missing = [path for path in modules if path.replace("modules/", "module_utils/_shell/") not in PLUGINS]
    assert missing == []


# --- tests/unit mirrors plugins/


def misplaced(tests: list[str], there: set[str]) -> Iterator[str]:
    """Tests that stand where no code of their name is. `there`: files and folders of plugins/, without .py."""
    for path in tests:
        place = PurePosixPath(path).relative_to("tests/unit")
        if place.parts[0] in WHOLE or place.parts[0] == "simulator" or len(place.parts) == 1:
            continue
        folder = place.parent.as_posix()
        if place.parts[0] == "modules" and len(place.parts) > 2:
            if place.parts[1] not in ACROSS and f"modules/{place.parts[1]}" not in there:
                yield path
        elif folder not in there:
            yield path
        elif place.name.startswith("test_"):
            name = place.stem.removeprefix("test_")
            beside = {other.rpartition("/")[2] for other in there if other.rpartition("/")[0] == folder}
            if not any(name == other or name.startswith(f"{other}_") for other in beside):
                yield path


def code() -> set[str]:
    """Files and folders of plugins/, without .py."""
    found = {path.removeprefix("plugins/").removesuffix(".py") for path in PLUGINS}
    return found | {parent.as_posix() for path in found for parent in PurePosixPath(path).parents}


def test_the_tests_mirror_the_code() -> None:
    tests = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "tests" / "unit").rglob("*.py"))]
    assert list(misplaced(tests, code())) == []


def test_whole_folders_are_there() -> None:
    assert all((ROOT / "tests" / "unit" / name).is_dir() for name in WHOLE)
    assert all((ROOT / "tests" / "unit" / "modules" / name).is_dir() for name in ACROSS)


MISPLACED = {
    "tests/unit/module_utils/_domain/host/test_memory.py": True,
    "tests/unit/module_utils/_domain/host/test_protection.py": False,
    "tests/unit/module_utils/_domain/host/test_protection_of_usb.py": False,
    "tests/unit/module_utils/_domain/host/builders.py": False,
    "tests/unit/domain/test_protection.py": True,
    "tests/unit/modules/host_passthrough/test_boot_disks.py": False,
    "tests/unit/modules/host_nowhere/test_boot_disks.py": True,
    "tests/unit/modules/recheck/test_recheck.py": False,
}


@pytest.mark.parametrize("path", MISPLACED)
def test_a_misplaced_test_is_noticed(path: str) -> None:
    assert bool(list(misplaced([path], code()))) is MISPLACED[path]


# --- the instruments


SMALL = {
    "a/x.py": "from .y import z\n",
    "a/y.py": "def z():\n    from . import x\n    return x\n",
    "a/b/w.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..y import z\n",
}


def test_every_way_to_import_counts() -> None:
    graph = file_graph(SMALL)
    assert graph == {"a/x.py": {"a/y.py"}, "a/y.py": {"a/x.py"}, "a/b/w.py": {"a/y.py"}}
    assert circles(graph) == [["a/x.py", "a/y.py"]]
    assert package_graph(graph) == {"a": frozenset(), "a/b": {"a"}}
    assert depths(package_graph(graph)) == {"a": 1, "a/b": 2}
    with pytest.raises(ValueError, match="circles"):
        depths(graph)


def test_an_arrow_that_others_say_is_left_out() -> None:
    graph = {"top": frozenset({"middle", "low"}), "middle": frozenset({"low"}), "low": frozenset()}
    assert reduced(graph)["top"] == {"middle"}


def test_a_class_that_stands_twice_is_noticed() -> None:
    assert class_names({"a.py": "class X: ...\n", "b.py": "class X: ...\n"}) == {"X": ("a.py", "b.py")}
