# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page for each module, inventory plugin and callback plugin in docs/reference, with what ``ansible-doc`` shows.

`python -m tools.generate` writes the pages.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.envs import ROOT
from tools.option_tables import GenerateError, cell, documentation, markdown, options_table, sentences

COLLECTION = "directpath.vsphere."
FOLDER = "docs/reference"
CONNECTION = "connection"
"""The fragment whose options have a table of their own, because all modules have them."""


def fragment(name: str, root: Path = ROOT) -> dict[str, Any]:
    """A doc fragment ('connection', or 'attributes.info' for its variable INFO). Raises FileNotFoundError or KeyError."""
    file, _dot, part = name.partition(".")
    tree = ast.parse((root / "plugins" / "doc_fragments" / f"{file}.py").read_text(encoding="utf-8"))
    wanted = (part or "documentation").upper()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == wanted for t in node.targets):
            loaded: dict[str, Any] = yaml.safe_load(ast.literal_eval(node.value))
            return loaded
    raise KeyError(f"fragment {name}: {file}.py has no {wanted}")


def merged(path: Path, root: Path = ROOT) -> dict[str, Any]:
    """DOCUMENTATION with the options, attributes and requirements of its fragments. Unknown fragments raise as ``fragment``."""
    own: dict[str, Any] = yaml.safe_load(documentation(path))
    result = own | {"options": dict(own.get("options") or {})}
    for name in fragments(own):
        found = fragment(name, root)
        for key in ("options", "attributes"):
            given = result.get(key) or {}  # first, because they are what the module is about
            result[key] = given | {name: value for name, value in (found.get(key) or {}).items() if name not in given}
        result["requirements"] = [*(found.get("requirements") or ()), *(result.get("requirements") or ())]
    return result


def fragments(doc: Mapping[str, Any]) -> list[str]:
    """The names of the fragments of this collection that a documentation uses."""
    names = doc.get("extends_documentation_fragment") or []
    listed = [names] if isinstance(names, str) else names
    return [name.removeprefix(COLLECTION) for name in listed if name.startswith(COLLECTION)]


def sources(root: Path = ROOT) -> list[Path]:
    """The files of the modules and of the plugins with options of their own."""
    return [
        path
        for kind in ("modules", "inventory", "callback")
        for path in sorted((root / "plugins" / kind).glob("[a-z]*.py"))
    ]


def link(name: str) -> str:
    """The page of a module or plugin, from the root of the collection."""
    return f"{FOLDER}/{name}.md"


def page(path: Path, root: Path = ROOT) -> str:
    """The page of a module or plugin."""
    doc = merged(path, root)
    return "\n".join(part.rstrip("\n") + "\n" for part in _parts(path, doc, root) if part)


def _parts(path: Path, doc: Mapping[str, Any], root: Path) -> Iterator[str]:
    kind = path.parent.name.removesuffix("s")
    yield f"# {COLLECTION}{path.stem}\n"
    yield f"<!-- Written by tools/generate.py from plugins/{path.parent.name}/{path.name}. -->\n"
    since = f" Since {doc['version_added']}." if doc.get("version_added") else ""
    command = f"ansible-doc {'' if kind == 'module' else f'-t {kind} '}{COLLECTION}{path.stem}"
    yield f"{markdown(str(doc['short_description']))}. In a terminal: `{command}`.{since}\n"
    yield _bullets(doc.get("description"))
    if doc.get("requirements"):
        yield "Requirements: " + ", ".join(f"`{markdown(str(text))}`" for text in doc["requirements"]) + "\n"
    connection = fragment(CONNECTION, root)["options"] if CONNECTION in fragments(doc) else {}
    own = {name: option for name, option in doc["options"].items() if name not in connection}
    if own:
        yield "## Options\n"
        yield options_table(own, "option")
    if connection:
        yield "## Connection\n"
        yield options_table(connection, "option")
    if doc.get("attributes"):
        yield "## Attributes\n"
        yield _table("attribute", "support", "details", rows=_attributes(doc["attributes"]))
    if doc.get("notes"):
        yield "## Notes\n"
        yield _bullets(doc["notes"])
    if examples := _present(path, "EXAMPLES"):
        yield "## Examples\n"
        yield '<!-- not run: stage "examples" or the pages run them -->'
        yield f"```yaml\n{examples.strip()}\n```\n"
    if returned := _present(path, "RETURN"):
        yield "## Return values\n"
        yield _table("key", "type", "returned", "meaning", rows=_values(yaml.safe_load(returned)))
    names = [str(entry["module"]) for entry in doc.get("seealso") or () if "module" in entry]
    if names:
        yield "## See also\n"
        own_names = [name.removeprefix(COLLECTION) for name in names if name.startswith(COLLECTION)]
        yield ", ".join(f"[{name}]({name}.md)" for name in own_names) + "\n"


def _present(path: Path, name: str) -> str:
    try:
        return documentation(path, name)
    except GenerateError:
        return ""


def _bullets(texts: Any) -> str:
    listed = texts if isinstance(texts, list) else [texts] if texts else []
    return "".join(f"- {markdown(str(text))}\n" for text in listed)


def _table(*heads: str, rows: Iterator[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _attributes(attributes: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    for name, attribute in attributes.items():
        text = " ".join(sentences(attribute.get(key) or "") for key in ("description", "details"))
        yield f"`{name}`", cell(str(attribute.get("support", ""))), cell(text)


def _values(values: Mapping[str, Mapping[str, Any]], prefix: str = "") -> Iterator[tuple[str, ...]]:
    for name, value in values.items():
        kind = str(value.get("type", ""))
        kind += f" of {value['elements']}" if value.get("elements") else ""
        meaning = sentences(value.get("description", ""))
        yield f"`{prefix}{name}`", kind, cell(str(value.get("returned", ""))), cell(meaning)
        yield from _values(value.get("contains") or {}, f"{prefix}{name}{'[].' if kind.startswith('list') else '.'}")
