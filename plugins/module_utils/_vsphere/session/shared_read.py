# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One read for several threads that need the same facts at about the same time. PRIVATE to the collection.

Before a write to a VM, its gate reads all hosts that the VM could run on. A hundred VMs of one cluster, sixteen at a time, would read the
cluster two hundred times.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Facts = TypeVar("Facts")


@dataclass
class _Turn(Generic[Facts]):
    """A read that has not begun, and its result once it has ended."""

    found: list[Facts] = field(default_factory=list)


@dataclass
class SharedRead(Generic[Facts]):
    """Reads of one kind. Each thread gets the result of a read that began after it asked, so the facts are as new as those of a read of its
    own. A thread that asks while a read is in progress waits for the next one, which serves all that wait."""

    _guard: threading.Lock = field(default_factory=threading.Lock)
    _busy: dict[Hashable, threading.Lock] = field(default_factory=dict)
    _open: dict[Hashable, _Turn[Facts]] = field(default_factory=dict)

    def get(self, key: Hashable, read: Callable[[], Facts]) -> Facts:
        """The facts that ``read`` returns. ``key``: what is read; equal keys share. If a read fails, the next thread that waits for it
        reads for itself."""
        with self._guard:
            turn = self._open.setdefault(key, _Turn())
            busy = self._busy.setdefault(key, threading.Lock())
        with busy:
            if not turn.found:
                with self._guard:
                    if self._open.get(key) is turn:
                        del self._open[key]
                turn.found.append(read())
            return turn.found[0]
