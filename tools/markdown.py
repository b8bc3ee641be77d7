# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fenced examples of a Markdown page, each with the comment that controls it.

The comment is the line before the fence (blank lines in between do not matter):

- ``<!-- run: lab=simulator/labs/demo.yml args="--check" expect="changed=0" refuse="failed=1" rc=0 -->``
  runs the block: ``yaml`` as a playbook, ``shell`` as a script. The texts of ``expect`` must be in the output, those of
  ``refuse`` must not (both are repeatable). ``lab`` starts a new simulator; without it, the last one of the page is used.
  ``also="B=other.yml"`` starts a further one, with the variables B_HOST, B_PORT and B_CA_PATH. ``start=plain`` starts Ansible and its
  modules as users do, not in forks of a process that has imported them: what depends on the process of Ansible needs this.
  An example that may change something is run with ``--check`` first, and what that says is compared (tools/predict.py);
  ``unpredicted="reason"`` says why not.
  ``folder=collection`` runs it in the folder of the collection, and not in that of the page.
- ``<!-- output: -->`` is for a block with the output of the last run. Its lines must be in that output, one after the other. A line
  ``...`` stands for lines that are left out.
- ``<!-- file: inventory.yml -->`` saves the block under this name for later runs of the page.
- ``<!-- not run: reason -->`` says why an example cannot be executed.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

FENCE = re.compile(r"^(?P<indent> *)```+ *(?P<language>[\w+-]*)\s*$")
DIRECTIVE = re.compile(r"^\s*<!-- (?P<kind>run|output|file|not run):(?P<text>.*)-->\s*$")
RUN_KEYS = ("lab", "also", "args", "expect", "refuse", "rc", "start", "unpredicted", "folder")


class MarkdownError(Exception):
    """A directive is invalid, or not before a fence."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """How to run a block, and the expected result."""

    lab: str | None = None
    also: tuple[tuple[str, str], ...] = ()
    """(prefix of variables, lab) of each further simulator."""
    args: tuple[str, ...] = ()
    expect: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()
    rc: int = 0
    plain: bool = False
    unpredicted: str = ""
    """Why a check run does not predict it."""
    in_collection: bool = False


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced example. At most one of ``run``, ``output``, ``file`` and ``not_run`` is set."""

    line: int
    language: str
    text: str
    run: Run | None = None
    output: bool = False
    file: str | None = None
    not_run: str | None = None

    @property
    def is_bare(self) -> bool:
        """Whether the block has no directive."""
        return self.run is None and not self.output and self.file is None and self.not_run is None


def blocks(text: str, where: str = "page") -> list[Block]:
    """All fenced blocks of a page, in order. Raises MarkdownError with the line number."""
    found: list[Block] = []
    directive: tuple[int, str, str] | None = None
    lines = iter(enumerate(text.splitlines(), start=1))
    for number, line in lines:
        fence = FENCE.match(line)
        comment = DIRECTIVE.match(line)
        if fence:
            body = _body(lines, len(fence["indent"]), f"{where}:{number}")
            found.append(_block(number, fence["language"], body, directive, where))
            directive = None
        elif comment:
            if directive:
                raise MarkdownError(f"{where}:{directive[0]}: the comment stands before no fence")
            directive = (number, comment["kind"], comment["text"].strip())
        elif line.strip() and directive:
            raise MarkdownError(f"{where}:{directive[0]}: the comment stands before no fence")
    if directive:
        raise MarkdownError(f"{where}:{directive[0]}: the comment stands before no fence")
    return found


def _body(lines: Iterator[tuple[int, str]], indent: int, where: str) -> str:
    body: list[str] = []
    for _number, line in lines:
        if re.match(r"^ *```+\s*$", line):
            return "".join(f"{text}\n" for text in body)
        body.append(line[indent:] if not line[:indent].strip() else line)
    raise MarkdownError(f"{where}: the fence is never closed")


def _block(number: int, language: str, text: str, directive: tuple[int, str, str] | None, where: str) -> Block:
    if directive is None:
        return Block(line=number, language=language, text=text)
    at, kind, words = directive
    if kind == "run":
        return Block(line=number, language=language, text=text, run=_run(words, f"{where}:{at}"))
    if kind == "output":
        return Block(line=number, language=language, text=text, output=True)
    if not words:
        raise MarkdownError(f"{where}:{at}: '{kind}:' needs a text")
    if kind == "file":
        if words.startswith("/") or ".." in words.split("/"):
            raise MarkdownError(f"{where}:{at}: {words} leads out of the page's folder")
        return Block(line=number, language=language, text=text, file=words)
    return Block(line=number, language=language, text=text, not_run=words)


def lacks(output: str, shown: str) -> str | None:
    """The first line of ``shown`` that is not where it should be in ``output``; None if all are. ``...`` stands for lines left out."""
    lines = [line.rstrip() for line in output.splitlines()]
    at, anywhere = 0, True
    for line in shown.splitlines():
        if line.strip() == "...":
            anywhere = True
            continue
        try:
            found = lines.index(line.rstrip(), at)
        except ValueError:
            return line
        if found != at and not anywhere:
            return line
        at, anywhere = found + 1, False
    return None


def _run(words: str, where: str) -> Run:
    pairs: dict[str, list[str]] = {key: [] for key in RUN_KEYS}
    for word in shlex.split(words):
        key, equals, value = word.partition("=")
        if key not in pairs or not equals:
            raise MarkdownError(f"{where}: {word!r} is none of {', '.join(f'{key}=' for key in RUN_KEYS)}")
        pairs[key].append(value)
    for key in ("lab", "args", "rc", "start", "unpredicted", "folder"):
        if len(pairs[key]) > 1:
            raise MarkdownError(f"{where}: {key}= stands twice")
    also = tuple((name, lab) for name, _equals, lab in (word.partition("=") for word in pairs["also"]))
    if not all(name.isidentifier() and name.isupper() and lab for name, lab in also):
        raise MarkdownError(f"{where}: also= is written NAME=lab.yml, the name in capitals")
    if pairs["start"] not in ([], ["plain"]):
        raise MarkdownError(f"{where}: start= can only be plain")
    if pairs["folder"] not in ([], ["collection"]):
        raise MarkdownError(f"{where}: folder= can only be collection")
    return Run(
        plain=bool(pairs["start"]),
        unpredicted=pairs["unpredicted"][0] if pairs["unpredicted"] else "",
        in_collection=bool(pairs["folder"]),
        lab=pairs["lab"][0] if pairs["lab"] else None,
        also=also,
        args=tuple(shlex.split(pairs["args"][0])) if pairs["args"] else (),
        expect=tuple(pairs["expect"]),
        refuse=tuple(pairs["refuse"]),
        rc=int(pairs["rc"][0]) if pairs["rc"] else 0,
    )
