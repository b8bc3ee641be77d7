# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of property changes that update collectors read from where they left off."""

from __future__ import annotations

LIMIT = 100_000


class ChangeLog:
    """(object id, path) in order. Old entries are dropped beyond LIMIT; whoever is that far behind re-reads all."""

    def __init__(self) -> None:
        self._base = 0
        self._entries: list[tuple[str, str]] = []

    @property
    def position(self) -> int:
        """Where the next entry will be."""
        return self._base + len(self._entries)

    def add(self, moid: str, path: str) -> None:
        """Record a change."""
        self._entries.append((moid, path))
        if len(self._entries) > LIMIT:
            drop = LIMIT // 2
            del self._entries[:drop]
            self._base += drop

    def since(self, position: int) -> list[tuple[str, str]] | None:
        """Entries from a position on; None when some of them were dropped."""
        if position < self._base:
            return None
        return self._entries[position - self._base :]
