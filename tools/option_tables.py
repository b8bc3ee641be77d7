# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of plugins and roles as rows of Markdown tables. Reads sources, and imports none of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

HEAD = ("| {} | type | default | meaning |", "|---|---|---|---|")


class GenerateError(Exception):
    """A source or a marker of a table is missing or invalid."""


def documentation(path: Path, name: str = "DOCUMENTATION") -> str:
    """The documentation of a plugin, read without importing it. Raises GenerateError."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            text = ast.literal_eval(node.value)
            if isinstance(text, str):
                return text
    raise GenerateError(f"{path.name} has no {name}")


def options_table(options: Mapping[str, Any], what: str = "variable") -> str:
    """The table of options, with a row for each suboption; empty without options."""
    rows = [row for name, option in options.items() for row in _rows(name, option)]
    return "\n".join([HEAD[0].format(what), HEAD[1], *rows]) + "\n" if rows else ""


def _rows(name: str, option: Mapping[str, Any]) -> list[str]:
    kind = option.get("type", "str")
    if option.get("elements"):
        kind = f"{kind} of {option['elements']}"
    default = "**required**" if option.get("required") else _default(option)
    text = sentences(option.get("description", ""))
    if option.get("choices"):
        text += " One of " + ", ".join(f"`{_scalar(choice)}`" for choice in option["choices"]) + "."
    if option.get("aliases"):
        text += " Alias: " + ", ".join(f"`{alias}`" for alias in option["aliases"]) + "."
    rows = [f"| `{name}` | {kind} | {default} | {cell(text)} |"]
    for inner, spec in (option.get("options") or option.get("suboptions") or {}).items():
        rows += _rows(f"{name}.{inner}" if kind == "dict" else f"{name}[].{inner}", spec)
    return rows


def sentences(description: Any) -> str:
    """A description, which is a text or a list of texts, as one text."""
    return " ".join(map(str, description)) if isinstance(description, list) else str(description)


def _default(option: Mapping[str, Any]) -> str:
    return f"`{_scalar(option['default'])}`" if "default" in option and option["default"] is not None else "unset"


def _scalar(value: Any) -> str:
    return str(yaml.safe_dump(value, default_flow_style=True, width=1000)).removesuffix("...\n").strip()


def markdown(text: str) -> str:
    """Converts the markup of Ansible to Markdown, and line breaks to blanks."""
    text = re.sub(r"\b(?:C|V|O|RV|E|M|P|I|B)\(((?:[^()]|\([^()]*\))*)\)", r"`\1`", text)
    return " ".join(text.split())


def cell(text: str) -> str:
    """Text for one table cell: as ``markdown``, with bars escaped."""
    return markdown(text).replace("|", "\\|")
