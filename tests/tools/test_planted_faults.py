# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of planted faults fits the files and the tests of today; and the script tells a caught fault from a broken check."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tools.planted_faults import AREAS, FAILED, PASSED, TOOLS, Fault, FaultError, command, load, row, verdict
from tests.tools.planted_faults import Result as Tried
from tools.commands import Done
from tools.envs import ROOT

FAULTS = load()
AT_LEAST = {"domain": 12, "vsphere": 9, "shell": 6, "roles": 5, "simulator": 8}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_each_fault_can_be_planted(fault: Fault) -> None:
    text = (ROOT / fault.file).read_text(encoding="utf-8")
    planted = fault.planted(text)
    assert planted != text
    assert fault.effect.endswith(".")
    if fault.file.endswith(".py"):
        ast.parse(planted)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_each_check_is_there(fault: Fault) -> None:
    for check in fault.caught_by:
        name, _unused, rest = check.partition(" ")
        if name in TOOLS:
            places = {
                "tools.run_targets": f"tests/integration/targets/{rest}/tasks/main.yml",
                "tools.run_docs": rest,
                "tools.run_examples": f"plugins/modules/{rest}.py",
            }
            assert (ROOT / places[name]).is_file(), check
        else:
            file, *inside = check.partition("[")[0].split("::")
            assert (ROOT / file).is_file(), check
            assert set(inside) <= names_in(ROOT / file), check


def names_in(path: Path) -> set[str]:
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, kinds)}


def test_every_area_has_its_share() -> None:
    counted = Counter(fault.area for fault in FAULTS)
    assert set(counted) == set(AREAS) == set(AT_LEAST)
    assert not {area: counted[area] for area in AREAS if counted[area] < AT_LEAST[area]}
    assert sum(counted.values()) >= 40


ENTRY = """
- id: {id}
  area: domain
  file: a.py
  old: x
  new: y
  effect: Nothing works.
  caught_by: ["tests/a.py"]
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ENTRY.format(id="one") + ENTRY.format(id="one"), "more than one fault is called one"),
        (ENTRY.format(id="one").replace("effect", "efect"), r"one: missing \['effect'\], unknown \['efect'\]"),
        (ENTRY.format(id="one").replace('["tests/a.py"]', "tests/a.py"), "caught_by is a list"),
        (ENTRY.format(id="one").replace("domain", "kernel"), "area one of domain"),
    ],
)
def test_a_list_that_is_wrong_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "list.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FaultError, match=words):
        load(path)


@pytest.mark.parametrize(("text", "times"), [("a", 0), ("x x", 2)])
def test_a_text_that_is_not_there_once_is_refused(text: str, times: int) -> None:
    fault = replace(FAULTS[0], id="one", file="a.py", old="x", new="y")
    with pytest.raises(FaultError, match=f"one: the old text occurs {times} times in a.py, not once"):
        fault.planted(text)
    assert fault.planted("a x b") == "a y b"


@pytest.mark.parametrize(
    ("code", "output", "said"),
    [
        (0, "3 passed in 0.1s", PASSED),
        (1, "1 failed, 2 passed in 0.1s", FAILED),
        (1, "ok\n3 passed, 1 failed", FAILED),
        (1, "3 passed, 0 failed", "exit status 1 and no failed test"),
        (1, "2 passed, 1 error in 0.1s", "exit status 1 and no failed test"),
        (2, "1 failed, 1 error in 0.1s", "exit status 2"),
        (4, "ERROR: not found: tests/a.py::test_b", "exit status 4"),
        (124, "stopped after 600 seconds", "exit status 124"),
    ],
)
def test_only_a_failed_test_catches(code: int, output: str, said: str) -> None:
    assert said in verdict("a check", Done(code=code, output=output))


def test_how_checks_are_run() -> None:
    assert command(["tools.run_docs docs/a.md"])[1:] == ["-m", "tools.run_docs", "docs/a.md"]
    assert command(["tests/a.py::test_b[x y]", "tests/c.py"])[-2:] == ["tests/a.py::test_b[x y]", "tests/c.py"]


def test_a_line_says_which_check_caught_it() -> None:
    assert row(Tried(fault=FAULTS[0], by="tests/a.py", seconds=1.0)).endswith("yes    1.0 s  tests/a.py")
    assert row(Tried(fault=FAULTS[0], by="", seconds=1.0, problem="x")).endswith("NO     1.0 s  nothing")
