# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rolling reboot says while it works: a line of JSON for everything that happens, and the same for the result. PRIVATE to the
collection."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict
from typing import Any

from ansible.module_utils.common.parameters import remove_values

from ..._domain.errors import InputError
from ..._domain.rolling.state.phases import HostStatus
from ..._domain.rolling.state.timeline import Transition, counts
from ..._domain.text import all_visible

MOST = 1000
"""Transitions and notes kept for the result; the progress file has all of them."""
SIGN_OF_LIFE = 30.0
"""Seconds of the server's clock between two progress lines without news."""


class ProgressWriter:
    """``path`` is the progress file, or None. ``secrets`` are words that are masked."""

    def __init__(self, path: str | None, *, secrets: Collection[str] = ()) -> None:
        self.transitions: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self._path = path
        self._secrets = frozenset(secrets)
        self._told = 0.0
        if path is not None:
            self._append("")

    def note(self, text: str, at: float) -> None:
        if len(self.notes) < MOST:
            self.notes.append(text)
        self._line({"at": at, "kind": "note", "text": text})

    def news(
        self,
        transitions: Iterable[Transition],
        statuses: Collection[HostStatus],
        now: float,
        ends_at: Callable[[], float | None],
    ) -> None:
        """Transitions with the counts after them; without any, a sign of life now and then."""
        fresh = list(transitions)
        if not fresh and now < self._told + SIGN_OF_LIFE:
            return
        self._told = now
        state = {"counts": asdict(counts(statuses)), "ends_at": ends_at()}
        if not fresh:
            self._line({"at": now, "kind": "progress", **state})
        for transition in fresh:
            record = {
                "at": transition.at,
                "kind": "transition",
                "cluster": transition.cluster,
                "host": transition.name,
                "before": transition.before,
                "after": transition.after,
                "seconds": transition.seconds,
                "reason": transition.reason,
                **state,
            }
            if len(self.transitions) < MOST:
                self.transitions.append(record)
            self._line(record)

    def _line(self, record: dict[str, Any]) -> None:
        if self._path is None:
            return
        try:
            self._append(json.dumps(all_visible(remove_values(record, self._secrets))) + "\n")
        except InputError:
            self._path = None  # who reads it will miss the rest; the roll goes on

    def _append(self, text: str) -> None:
        try:
            handle = os.open(self._path or "", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(handle, text.encode())
            finally:
                os.close(handle)
        except OSError as error:
            raise InputError(
                message=f"The progress file {self._path} cannot be written: {error.strerror or error}",
                code="progress_unwritable",
                parameter="progress_file",
                cure="Name a file in a directory that this user may write to",
            ) from error
