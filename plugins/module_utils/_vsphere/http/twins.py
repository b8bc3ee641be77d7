# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rehearsal may reach, and where its files go. Only ``rehearsal.py`` imports this. PRIVATE to the collection."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from ..._domain.errors import DirectPathError

LEFT_OUT = "left_out.jsonl"
"""In the folder of the rehearsal: what was left out, one record in a line."""


@dataclass(frozen=True, kw_only=True)
class Twin:
    """The simulator that replaces the server at ``hostname`` and ``port``. ``clock``: its socket; empty if its time is that of this
    machine."""

    hostname: str
    port: int
    twin_port: int
    ca_file: str
    username: str
    password: str = field(repr=False)
    clock: str = ""

    name: ClassVar[str] = "localhost"
    """The name in its certificate. Its CA signs nothing else."""

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return "127.0.0.1", self.twin_port

    def context(self) -> ssl.SSLContext:
        """Trusts this twin and no other server."""
        return ssl.create_default_context(cafile=self.ca_file)

    @property
    def time(self) -> TwinClock:
        """Its clock, the same one for all of this process."""
        return _clock(self.clock)

    def header(self) -> tuple[str, str] | None:
        """The header by which the twin knows the thread that makes a request; None without a clock."""
        return ("X-Simulator-Clock", str(self.time.number())) if self.clock else None


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """``controllers``: address of a management controller → the twin, and the path of this controller there."""

    folder: Path
    twins: Mapping[tuple[str, int], Twin]
    controllers: Mapping[str, tuple[Twin, str]]


@cache
def read_rehearsal(path: str) -> Rehearsal:
    """The rehearsal that a file describes. Raises DirectPathError (rehearsal_unreadable)."""
    try:
        content: Any = json.loads(Path(path).read_text(encoding="utf-8"))
        twins: dict[tuple[str, int], Twin] = {}
        controllers: dict[str, tuple[Twin, str]] = {}
        for record in content["twins"]:
            paths = record.pop("controllers", {})
            twin = Twin(**record)
            twins[_key(twin.hostname, twin.port)] = twin
            controllers |= {str(address): (twin, str(place)) for address, place in paths.items()}
        folder = Path(content["folder"])
        if not folder.is_absolute() or not folder.is_dir():
            raise ValueError(f"{folder} is no folder")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DirectPathError(
            message=f"DIRECTPATH_REHEARSAL is set, but the file {path!r} cannot be used ({type(error).__name__}: {error})",
            code="rehearsal_unreadable",
            cure="Remove DIRECTPATH_REHEARSAL from the environment: the playbook rehearse sets it itself",
        ) from error
    return Rehearsal(folder=folder, twins=twins, controllers=controllers)


def _key(host: str, port: int | None) -> tuple[str, int]:
    return host.lower().rstrip(".").strip("[]"), int(port or 0)


def _refuse(place: str) -> NoReturn:
    raise DirectPathError(
        message=f"{place} was not contacted: in a rehearsal only the twins of the captured vCenters can be reached",
        code="not_rehearsed",
        cure="Nothing is wrong with the server. What needs it cannot be rehearsed",
    )


def twin_of(found: Rehearsal, host: str, port: int | None) -> Twin:
    """The twin of a server. Raises DirectPathError (not_rehearsed) if it has none."""
    key = _key(host, port)
    return found.twins.get(key) or _refuse(f"{key[0]}:{key[1]}")


def controller_of(found: Rehearsal, address: str) -> tuple[Twin, str]:
    """The twin with a management controller, and its path. Raises DirectPathError (not_rehearsed)."""
    return found.controllers.get(address) or _refuse("A management controller")


def place_of(found: Rehearsal, path: Path, *, copied: bool) -> Path:
    """Where a file really goes. See ``rehearsal.place_of``."""
    whole = Path(os.path.abspath(path.expanduser()))
    if whole.is_relative_to(found.folder):
        return whole
    place = found.folder / "files" / whole.relative_to(whole.anchor)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if copied and whole.is_file() and not place.exists():
        shutil.copyfile(whole, place)
    return place


def record_left_out(found: Rehearsal, kind: str, about: str) -> None:
    """Add a line to the file ``LEFT_OUT``."""
    line = json.dumps({"kind": kind, "about": about}) + "\n"
    handle = os.open(found.folder / LEFT_OUT, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


class TwinClock:
    """The time of a twin: it passes only while all its clients wait. Each thread has a connection of its own."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._here = threading.local()

    def now(self) -> float:
        """Seconds since the simulation began. Raises DirectPathError."""
        return self._ask("now")

    def sleep(self, seconds: float) -> None:
        """Wait until that much time of the twin has passed. Raises DirectPathError."""
        self._ask(f"sleep {max(0.0, seconds):.6f}")

    def number(self) -> int:
        """The number that the twin gave the connection of this thread. Raises DirectPathError."""
        if not hasattr(self._here, "number"):
            self._here.number = int(self._ask("id"))
        return self._here.number  # type: ignore[no-any-return]

    def _ask(self, request: str) -> float:
        try:
            if not hasattr(self._here, "file"):
                link = socket.socket(socket.AF_UNIX)
                link.connect(self._path)
                self._here.file = link.makefile("rwb")
            self._here.file.write(f"{request}\n".encode())
            self._here.file.flush()
            return float(self._here.file.readline())
        except (OSError, ValueError) as error:
            raise DirectPathError(
                message=f"The clock of the twin does not answer: {error}. Nothing else was contacted",
                code="twin_ended",
                cure="Run the playbook rehearse again",
            ) from error


@cache
def _clock(path: str) -> TwinClock:
    return TwinClock(path)
