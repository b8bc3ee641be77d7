# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The request to stop a rolling reboot: from the action plugin, or by a signal to this process. PRIVATE to the collection.

The first request lets hosts in progress be finished. A second signal ends the process at once, which is as safe as kill -9: all state is in
the journal and in vCenter.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import FrameType

STOP_FILE = "stop"
"""Name of the file, in the folder that module and action plugin share, whose content is the reason of a request to stop."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

ONE_REQUEST = 1.0
"""Seconds. Signals that arrive within this time are one request."""
PASSED_ON = 10.0
"""Seconds. The same for a second SIGTERM: a service manager signals a process and its parent, and the parent passes its signal on when
the machine has time for it."""


def is_same_request(first: signal.Signals, number: int, seconds: float) -> bool:
    """Whether a signal belongs to the first request, which came so many seconds before. The end of a session never makes a second one."""
    is_term_again = first == number == signal.SIGTERM
    return number == signal.SIGHUP or seconds < (PASSED_ON if is_term_again else ONE_REQUEST)


@contextmanager
def taking_signals(take: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Call ``take`` for each of ``SIGNALS`` while the block runs. Signals that this process ignores (nohup) stay ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    taken = [number for number, handler in before.items() if handler is not signal.SIG_IGN and handler is not None]
    for number in taken:
        signal.signal(number, take)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number])


class StopRequest:
    """``folder``: shared with the action plugin, or None. ``given``: the reason that the options of this slice contain, or empty."""

    def __init__(self, folder: str | None = None, *, given: str = "") -> None:
        self._file = None if folder is None else Path(folder) / STOP_FILE
        self._given = given
        self._signal = ""
        self._at = 0.0

    def reason(self) -> str:
        """Why no further host is to be started; empty if nobody asked for that."""
        if self._given or self._signal:
            return self._given or self._signal
        try:
            return "" if self._file is None else self._file.read_text(encoding="utf-8").strip() or "a request"
        except OSError:
            return ""

    def catching_signals(self) -> AbstractContextManager[None]:
        """Take signals as requests while the block runs."""
        return taking_signals(self._take)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        if not self._signal:
            self._signal, self._at = signal.Signals(number).name, time.monotonic()
        elif not is_same_request(signal.Signals[self._signal], number, time.monotonic() - self._at):
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
