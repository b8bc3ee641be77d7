# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What signals mean for a task that runs in a worker process of ansible-playbook. PRIVATE to the collection.

Ctrl-C: ansible-playbook passes SIGINT on (since 2.19) or the terminal sends it to all processes. ansible-playbook then sends SIGTERM to its
workers, and waits until they have ended. A second Ctrl-C ends ansible-playbook.
SIGTERM: ansible-playbook ends, and passes the signal on before that (since 2.19), or a service manager sends it to all processes.
SIGHUP: ansible-playbook ends. A worker receives the signal before 2.19 only. Since then, it sees that its terminal has gone.
SIGKILL of ansible-playbook: its worker only sees that its parent has ended.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import FrameType

from ...module_utils._shell.rolling.stop_request import is_same_request, taking_signals
from .terminal import is_hung_up

GRACE = 0.1
"""Seconds between the end of ansible-playbook and the decision what it means. ansible-playbook passes a signal on before it ends, but its
handler may run a little later. The module works on in this time."""

PAUSES = 10
"""The time above is waited in so many pauses: a machine that stands still for a moment ends one of them only, and the handler runs in the
others."""


class Signals:
    """``on_stop`` is called once, with the signal: finish what is in progress. ``on_abort``: end at once; it does not return."""

    def __init__(self, on_stop: Callable[[signal.Signals], None], on_abort: Callable[[], None]) -> None:
        self._on_stop, self._on_abort = on_stop, on_abort
        self._at = 0.0
        self.first: signal.Signals | None = None
        self.is_orphaned = False
        """ansible-playbook has ended."""

    def handled(self) -> AbstractContextManager[None]:
        """Handle signals while the block runs."""
        return taking_signals(self._take)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        signum = signal.Signals(number)
        if self.first is None:
            self.stop(signum)
        elif self._is_second(self.first, signum):
            self._on_abort()

    def _is_second(self, first: signal.Signals, signum: signal.Signals) -> bool:
        """Whether a later signal is a second request. After Ctrl-C, SIGTERM comes from ansible-playbook itself, unless that has ended."""
        if is_same_request(first, signum, time.monotonic() - self._at):
            return False
        return not (first == signal.SIGINT and signum == signal.SIGTERM and not self.is_orphaned)

    def stop(self, signum: signal.Signals) -> None:
        """The first request."""
        self.first, self._at = signum, time.monotonic()
        self._on_stop(signum)

    def orphaned(self) -> None:
        """ansible-playbook has ended. Called on another thread than the signal handlers. Returns if the task goes on."""
        for _unused in range(PAUSES):
            time.sleep(GRACE / PAUSES)
        self.is_orphaned = True
        if is_hung_up():
            if self.first is None:
                self.stop(signal.SIGHUP)
        elif self.first in (None, signal.SIGINT):  # it was killed, or Ctrl-C was pressed twice
            self._on_abort()
