# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run file. docs/run.schema.json is its format. PRIVATE to the collection."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

FORMAT = "directpath.vsphere.run"
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Server:
    """``capture``: the text of its capture; empty if there is none. ``intent``: the desired state, as the roles pass it to modules."""

    name: str
    capture: str
    intent: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of a module. ``server``: number of its entry in ``servers``. ``at``: seconds since the begin of the run. ``answers``: what
    the server did not answer as usual."""

    server: int
    module: str
    check: bool
    only_asks: bool
    at: float
    seconds: float
    options: Mapping[str, Any]
    decisions: Mapping[str, Any]
    answers: tuple[Mapping[str, Any], ...] = ()

    def record(self) -> dict[str, Any]:
        """As in the file."""
        return {
            "server": self.server,
            "module": self.module,
            "check": self.check,
            "only_asks": self.only_asks,
            "at": self.at,
            "seconds": self.seconds,
            "options": dict(self.options),
            "decisions": dict(self.decisions),
            "answers": list(self.answers),
        }


@dataclass(frozen=True, kw_only=True)
class RunFile:
    """``began``: seconds since 1970. ``check``: of the whole run. ``key``: for each server, alias → name; for a file of its own."""

    began: float
    check: bool
    anonymized: bool
    servers: tuple[Server, ...]
    calls: tuple[Call, ...]
    left_out: tuple[str, ...]
    key: Mapping[str, Mapping[str, str]]

    def text(self, versions: Mapping[str, str]) -> str:
        """What a person wants to read comes first: one call on a line, then the captures. ``versions``: of the programs that ran."""
        head = {
            "format": FORMAT,
            "version": VERSION,
            "anonymized": self.anonymized,
            "began": datetime.fromtimestamp(round(self.began), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "check": self.check,
            "versions": dict(sorted(versions.items())),
            "left_out": list(self.left_out),
        }
        lines = [f"{_dumped(name)}: {_dumped(value)}" for name, value in head.items()]
        lines.append('"calls": ' + _rows(_dumped(call.record()) for call in self.calls))
        lines.append('"servers": ' + _rows(map(_server, self.servers)))
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def key_text(self) -> str:
        """The file that maps aliases to names."""
        return json.dumps(self.key, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _server(server: Server) -> str:
    capture = server.capture.strip() or "null"
    return f'{{"name": {_dumped(server.name)}, "intent": {_dumped(server.intent)}, "capture": {capture}}}'


def _rows(texts: Iterable[str]) -> str:
    return "[\n" + ",\n".join(texts) + "\n]"


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
