# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guides explain every error code and every protection there is in the code, and none that is not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tools.envs import ROOT

SOURCES = sorted(
    path for folder in ("module_utils", "plugin_utils") for path in (ROOT / "plugins" / folder).rglob("*.py")
)
GUIDES = ROOT / "docs" / "guides"
PROTECTION = "Protection"
PAIRS = ("verification", "guests")


def codes(tree: ast.AST, *, protections: bool) -> Iterator[str]:
    """Codes in a source: ``code="x"`` of any call, the first argument of ``place.fail``, the table of faults."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if (name == PROTECTION) is protections:
                yield from (text for word in node.keywords if word.arg == "code" for text in _texts(word.value))
            if name == "fail" and not protections and len(node.args) > 1:
                yield from _texts(node.args[0])
            if name in ("fail", "back_out") and not protections and len(node.args) > 4:
                yield from _texts(node.args[3])
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "_KNOWN" and not protections:
            assert isinstance(node.value, ast.Tuple)
            yield from (text for row in node.value.elts for text in _texts(row.elts[1]))  # type: ignore[attr-defined]
        if isinstance(node, ast.keyword) and node.arg == "error_code" and not protections:
            yield from _texts(node.value)


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    if isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))


def findings(tree: ast.AST) -> Iterator[str]:
    """Pairs of a code and a sentence, as the scheduler of rolling reboots has them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2:
            yield from (text for text in _texts(node.elts[0]) if re.fullmatch(r"[a-z]+(_[a-z]+)+", text))


@cache
def parsed() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


def in_code(*, protections: bool) -> set[str]:
    trees = parsed()
    found = {code for tree in trees.values() for code in codes(tree, protections=protections)}
    if not protections:
        pairs = [tree for path, tree in trees.items() if "rolling" in path.parts and path.stem in PAIRS]
        found |= {code for tree in pairs for code in findings(tree)}
    return found


def in_first_column(page: str, column: int = 0) -> set[str]:
    """Words in backticks in one column of every table of a guide."""
    rows = re.findall(r"^\|(.*)\|$", (GUIDES / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    cells = [row.split(" | ")[column] for row in rows if not row.startswith("-")]
    return {word for cell in cells for word in re.findall(r"`([a-z_0-9]+)`", cell)} - {"error_code"}


def test_troubleshooting_explains_every_error_code() -> None:
    assert in_first_column("troubleshooting.md") == in_code(protections=False)


def test_protected_devices_names_every_protection() -> None:
    explained = in_first_column("protected_devices.md", column=1)
    assert explained == in_code(protections=True)


def test_each_way_to_write_a_code_is_seen() -> None:
    source = """
raise InputError(message="x", code="one")
Blocker(code="two" if x else "three")
place.fail("four", "is wrong")
_KNOWN: tuple = (("vim.fault.X", "five", ""),)
module.fail_json(msg="x", error_code="six")
Protection(code="seven", reason="x")
"""
    tree = ast.parse(source)
    assert set(codes(tree, protections=False)) == {"one", "two", "three", "four", "five", "six"}
    assert set(codes(tree, protections=True)) == {"seven"}
