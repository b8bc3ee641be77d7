# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the text of the project against docs/vocabulary.yml.

``python -m tools.vocabulary [PATH ...]`` prints each place with a word to avoid, as ``path:line: found → say``, and ends
with status 1 if there is one. Without paths it checks all files.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from tools.envs import ROOT

LIST = ROOT / "docs" / "vocabulary.yml"
SCOPES = ("docs", "options", "messages", "docstrings", "names")
DOCUMENTATION = ("DOCUMENTATION", "EXAMPLES", "RETURN")
HISTORY = ("docs/decisions/", "docs/vocabulary.", "changelogs/changelog.yaml", "CHANGELOG")
"""Files about the past, and files that quote the words to avoid."""


@dataclass(frozen=True, kw_only=True)
class Word:
    """One row of the list. ``found`` matches the words to avoid, ``allowed`` the places where they are right."""

    say: str
    found: re.Pattern[str]
    scopes: frozenset[str]
    allowed: re.Pattern[str] | None
    avoid: tuple[str, ...]
    example: str


@dataclass(frozen=True, kw_only=True)
class Text:
    """One line of text in a file."""

    path: str
    line: int
    scope: str
    text: str


@cache
def words(path: Path = LIST) -> tuple[Word, ...]:
    """The rows of the list. Raises ValueError for an unknown scope."""
    found = []
    for row in yaml.safe_load(path.read_text(encoding="utf-8")):
        if unknown := set(row["in"]) - set(SCOPES):
            raise ValueError(f"{row['say']}: unknown scope {', '.join(sorted(unknown))}")
        allowed = "|".join(row.get("allowed", ()))
        found.append(
            Word(
                say=row["say"],
                found=re.compile(rf"(?<![\w.])(?:{'|'.join(row['avoid'])})(?!\w)", re.IGNORECASE),
                scopes=frozenset(row["in"]),
                allowed=re.compile(allowed, re.IGNORECASE) if allowed else None,
                avoid=tuple(row["avoid"]),
                example=row["example"],
            )
        )
    return tuple(found)


@cache
def _any_word(scope: str) -> re.Pattern[str]:
    """Matches any word to avoid, in text of lower case. Almost no line has one, and one search is much faster than one for each row.

    A pattern that ignores case is ten times slower, because Python then does not skip alternatives by their first character.
    """
    words_to_avoid = "|".join(text for word in words() if scope in word.scopes for text in word.avoid)
    return re.compile(rf"(?<![\w.])(?:{lower(words_to_avoid)})(?!\w)")


def lower(pattern: str) -> str:
    """A regular expression with the letters in lower case, but for those of classes such as ``\\S``."""
    return re.sub(r"(?<!\\)[A-Z]", lambda letter: letter[0].lower(), pattern)


def caught(text: str, scope: str) -> list[tuple[str, str]]:
    """(words found, words to use instead) for each match in one line of text."""
    if not _any_word(scope).search(text.lower()):
        return []
    return [
        (match[0], word.say)
        for word in words()
        if scope in word.scopes
        for match in word.found.finditer(text)
        if word.allowed is None
        or not any(place.start() <= match.start() < place.end() for place in word.allowed.finditer(text))
    ]


def texts(path: str, source: str) -> Iterator[Text]:
    """The lines of text in a file for readers, each with its scope. `path`: relative to the root, with slashes."""
    if path.startswith(HISTORY):
        return
    if path.endswith(".md"):
        yield from _lines(path, source, "docs")
    elif path.endswith((".yml", ".yaml")) and path.startswith(("roles/", "playbooks/", "plugins/", "examples/")):
        yield from _lines(path, source, "options")
    elif path.endswith(".yml") and path.startswith("changelogs/fragments/"):
        yield from _lines(path, source, "docs")
    elif path.endswith(".py") and path.startswith("plugins/"):
        yield from _python(path, source)
    elif path.endswith(".py") and path.startswith(("simulator/", "tools/", "benchmarks/")):
        yield from (text for text in _python(path, source) if text.scope == "docstrings")


def _lines(path: str, source: str, scope: str, first: int = 1) -> Iterator[Text]:
    for number, line in enumerate(source.splitlines(), first):
        yield Text(path=path, line=number, scope=scope, text=line)


def _python(path: str, source: str) -> Iterator[Text]:
    tree = ast.parse(source)
    nodes = list(_walk(tree))
    prose = set(_docstrings(nodes))
    documented = {
        id(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in DOCUMENTATION
    }
    # Before Python 3.12, the parts of an f-string have the line number of the whole string.
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            scope = "docstrings" if id(node) in prose else "options" if id(node) in documented else "messages"
            if " " in node.value or scope != "messages":
                yield from _lines(path, node.value, scope, node.lineno)
        for name in _names(node) if isinstance(node, NAMED) else ():
            yield Text(path=path, line=getattr(node, "lineno", 1), scope="names", text=_split(name))
    yield from (Text(path=path, line=line, scope="docstrings", text=text) for line, text in comments(source))
    yield Text(path=path, line=1, scope="names", text=_split(path.rpartition("/")[2].removesuffix(".py")))


def _walk(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes, like ``ast.walk``, which takes three times as long."""
    todo = [tree]
    while todo:
        node = todo.pop()
        yield node
        for value in vars(node).values():
            if isinstance(value, list):
                todo += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST):
                todo.append(value)


STRING_OR_COMMENT = re.compile(
    r"""(\"{3}|'{3})(?:\\.|(?!\1).)*\1|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|(?P<comment>\#[^\n]*)""", re.DOTALL
)
"""In a raw string, too, a backslash and a quotation mark do not end the string."""


def comments(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of each comment in a Python source. The tokenizer of Python takes twenty times as long."""
    line, end = 1, 0
    for found in STRING_OR_COMMENT.finditer(source):
        if found["comment"] is not None:
            line += source.count("\n", end, found.start())
            end = found.start()
            yield line, found["comment"]


def _docstrings(nodes: Iterable[ast.AST]) -> Iterator[int]:
    """Strings that are statements: docstrings, and the descriptions below constants and fields."""
    for node in nodes:
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else ():
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                yield id(statement.value)


NAMED = (ast.FunctionDef, ast.ClassDef, ast.arg, ast.Name, ast.alias)


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.alias(asname=str() as name):
            yield name


def _split(name: str) -> str:
    """The words of a name: ``plan_one`` and ``PlanOne`` are two."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").strip()


def findings(paths: Iterable[Path]) -> Iterator[str]:
    """``path:line: found → say`` for each match."""
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        for text in texts(name, path.read_text(encoding="utf-8")):
            for found, say in caught(text.text, text.scope):
                yield f"{name}:{text.line}: {found} → {say} [{text.scope}] {text.text.strip()[:90]}"


def sources(inside: Sequence[str] = ()) -> list[Path]:
    """All files that the list applies to, or those at and below some paths."""
    folders = [ROOT / name for name in inside] or [
        ROOT / name
        for name in (
            "docs",
            "roles",
            "playbooks",
            "plugins",
            "examples",
            "simulator",
            "tools",
            "benchmarks",
            "changelogs",
        )
    ]
    files = [path for path in folders if path.is_file()]
    files += [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in (".md", ".yml", ".py")]
    return files if inside else [*sorted(ROOT.glob("*.md")), *files]


def main() -> int:
    """Exit status 1 when there is a match."""
    parser = argparse.ArgumentParser(prog="python -m tools.vocabulary", description=__doc__)
    parser.add_argument("path", nargs="*", help="files and folders, relative to the root")
    found = list(findings(sources(parser.parse_args().path)))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
