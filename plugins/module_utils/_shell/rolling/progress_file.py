# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The progress of a rolling reboot: one line of JSON for each event in a file, and the same records for the result. PRIVATE to the
collection."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from ansible.module_utils.common.parameters import remove_values

from ..._domain.errors import InputError
from ..._domain.rolling.state.phases import HostStatus
from ..._domain.rolling.state.timeline import Transition, counts
from ..._domain.text import all_visible
from ..._vsphere.http.rehearsal import place_of

MOST = 1000
"""Maximum number of transitions and of notes in the result; the progress file contains all."""
HEARTBEAT = 30.0
"""Seconds (server time) between two progress lines if nothing changes."""


Listener = Callable[[Mapping[str, Any], str], None]
"""Gets each record, and the id of the host or VM that it is about; empty if it is about none."""


class ProgressWriter:
    """``path``: the progress file, or None. ``secrets``: words that are masked. ``listener``: gets the same records; it returns at
    once."""

    def __init__(self, path: str | None, *, secrets: Collection[str] = (), listener: Listener | None = None) -> None:
        self.transitions: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self._path, self._listener = None if path is None else str(place_of(path)), listener
        self._secrets = frozenset(secrets)
        self._last_write = 0.0
        if path is not None:
            self._append("")

    def note(self, text: str, at: float, *, about: str = "", **more: str) -> None:
        """Write a note. ``at``: seconds since the epoch, server time. ``more``: of a note on a VM ``vm``, ``host`` and ``action``.
        ``about``: id of the VM."""
        if len(self.notes) < MOST:
            self.notes.append(text)
        self._line({"at": at, "kind": "note", "text": text, **more}, about)

    def write_transitions(
        self,
        transitions: Iterable[Transition],
        statuses: Collection[HostStatus],
        now: float,
        ends_at: Callable[[], float | None],
    ) -> None:
        """Write the transitions, each with the counts after it. Without transitions, write a progress line from time to time."""
        fresh = list(transitions)
        if not fresh and now < self._last_write + HEARTBEAT:
            return
        self._last_write = now
        state = {"counts": counts(statuses).record(), "ends_at": ends_at()}
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
            self._line(record, transition.moid)

    def _line(self, record: dict[str, Any], about: str = "") -> None:
        if self._path is None and self._listener is None:
            return
        shown = all_visible(remove_values(record, self._secrets))
        if self._listener is not None:
            self._listener(shown, about)
        if self._path is None:
            return
        try:
            self._append(json.dumps(shown) + "\n")
        except InputError:
            self._path = None  # the rolling reboot continues without a progress file

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
                cure="Name a file in a directory that this user can write to",
            ) from error
