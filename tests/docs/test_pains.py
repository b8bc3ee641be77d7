# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row of docs/pains.md names a test that exists, or says why there is none."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tools.envs import ROOT

PAGE = (ROOT / "docs" / "pains.md").read_text(encoding="utf-8")
PAINS = ROOT / "tests" / "unit" / "pains"
# A4 to A6 and A8 to A11 concern other parts of the collection.
ROWS = {
    *(f"H{number}" for number in range(1, 18)),
    *(f"V{number}" for number in range(1, 21)),
    *(f"M{number}" for number in range(1, 21)),
    *(f"A{number}" for number in (1, 2, 3, 7, 12)),
    *(str(number) for number in range(1, 14)),
}


def rows(page: str) -> list[list[str]]:
    """The cells of every row of every table, headings left out."""
    lines = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    return [cells for cells in lines if re.fullmatch(r"[HVMA]?\d+", cells[0])]


def functions_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def lost(cell: str) -> list[str]:
    """Tests named in a cell that do not exist."""
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", cell)
    return [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).exists() or (name and name not in functions_in(ROOT / path))
    ]


def test_every_known_trouble_has_its_row() -> None:
    found = [cells[0] for cells in rows(PAGE)]
    assert len(found) == len(set(found))
    assert set(found) == ROWS


def test_every_row_names_a_test_or_says_why_not() -> None:
    for cells in rows(PAGE):
        number, trouble, here, proof = cells
        assert trouble, number
        assert here, number
        assert lost(proof) == [], number
        if proof == "-":
            assert "not yet" in here or "not possible" in here, number
        else:
            assert "`tests/" in proof, number


def test_every_test_of_a_pain_is_named() -> None:
    named = set(re.findall(r"`tests/unit/pains/\w+\.py::(\w+)`", PAGE))
    written = {name for path in PAINS.glob("test_*.py") for name in functions_in(path) if name.startswith("test_")}
    assert written == named


def test_a_lost_test_is_noticed() -> None:
    assert lost("`tests/docs/test_pains.py::test_a_lost_test_is_noticed`") == []
    assert lost("`tests/docs/test_pains.py::test_nowhere`") == ["tests/docs/test_pains.py::test_nowhere"]
    assert lost("`tests/docs/nowhere.py`") == ["tests/docs/nowhere.py::"]
