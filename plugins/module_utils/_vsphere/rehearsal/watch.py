# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time of a twin, for the process that watches a rehearsal. PRIVATE to the collection."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

PATIENCE = 5.0
"""Seconds to wait for an answer. A twin that loads or works answers later."""


class TwinWatch:
    """Reads the time of a twin without holding it. ``seconds``: None while the twin does not answer."""

    def __init__(self, clock: Path) -> None:
        self._clock = clock
        self._file: BinaryIO | None = None
        self._link: socket.socket | None = None

    def seconds(self) -> float | None:
        """Simulated seconds since the start of the twin."""
        try:
            if self._file is None:
                self._link = socket.socket(socket.AF_UNIX)
                self._link.settimeout(PATIENCE)
                self._link.connect(str(self._clock))
                self._file = cast(BinaryIO, self._link.makefile("rwb"))
            self._file.write(b"watch\n")
            self._file.flush()
            return float(self._file.readline())
        except (OSError, ValueError):
            self.close()
            return None

    def close(self) -> None:
        """Close the connection."""
        for each in (self._file, self._link):
            if each is not None:
                with suppress(OSError):
                    each.close()
        self._file = self._link = None
