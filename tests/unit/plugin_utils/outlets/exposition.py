# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the text format of Prometheus, strictly. Source: the documentation of the exposition formats, version 0.0.4."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
LINE = re.compile(rf"({NAME})\{{(.*)\}} (-?[0-9.]+)")
COMMENT = re.compile(rf"# (HELP|TYPE) ({NAME}) (.+)")
SIGNS = {'\\"': '"', "\\\\": "\\", "\\n": "\n"}


@dataclass(frozen=True, kw_only=True)
class Sample:
    name: str
    labels: dict[str, str]
    value: float


def parse(text: str) -> list[Sample]:
    """Raises ValueError for what a server would refuse, and for a metric without HELP and TYPE."""
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    found: list[Sample] = []
    known: dict[str, set[str]] = {}
    for line in text[:-1].split("\n"):
        comment = COMMENT.fullmatch(line)
        if comment:
            kind, name, _text = comment.groups()
            if kind in known.setdefault(name, set()):
                raise ValueError(f"{kind} of {name} twice")
            known[name].add(kind)
        elif not line.startswith("#"):
            found.append(_sample(line, known))
    seen = [(one.name, tuple(sorted(one.labels.items()))) for one in found]
    if len(set(seen)) != len(seen):
        raise ValueError("a sample is there twice")
    return found


def _sample(line: str, known: dict[str, set[str]]) -> Sample:
    match = LINE.fullmatch(line)
    if match is None:
        raise ValueError(f"not a sample: {line}")
    name, labels, value = match.groups()
    if known.get(name) != {"HELP", "TYPE"}:
        raise ValueError(f"{name} has no HELP or no TYPE")
    return Sample(name=name, labels=dict(_labels(labels)), value=float(value))


def _labels(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text):
        found = LABEL.match(text, place)
        if found is None:
            raise ValueError(f"not labels: {text}")
        yield found[1], re.sub(r'\\["\\n]', lambda sign: SIGNS[sign[0]], found[2])
        place = found.end()
