# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of ansible-playbook, for the lines that are printed when its display no longer prints. PRIVATE to the collection.

Ansible's display passes the text of a worker process to the main process. After a signal, the main process no longer reads it, or has
ended. Since ansible-core 2.19, a worker process also loses its standard output and its terminal. Both are therefore opened when this file
is imported, which Ansible does in the main process, and inherited by the worker processes.
"""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress


def _copy_of_stdout() -> int | None:
    try:
        return None if sys.__stdout__ is None else os.dup(sys.__stdout__.fileno())
    except (OSError, ValueError):
        return None


def _open_terminal() -> int | None:
    try:
        return os.open("/dev/tty", os.O_WRONLY | os.O_NOCTTY)
    except OSError:
        return None


def _read_columns() -> int:
    try:
        if sys.__stdout__ is None or not sys.__stdout__.isatty():
            return 0
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80
    except (OSError, ValueError):
        return 0


STDOUT = _copy_of_stdout()
TERMINAL = _open_terminal()
COLUMNS = _read_columns()
"""Width of the terminal that ansible-playbook writes to; 0 without a terminal."""


def write(text: str) -> None:
    """Write to the standard output of ansible-playbook. Nothing happens if that has gone."""
    data = text.encode("utf-8", errors="replace")
    with suppress(OSError):
        while STDOUT is not None and data:
            data = data[os.write(STDOUT, data) :]


def is_hung_up() -> bool:
    """Whether the terminal of ansible-playbook has gone, such as that of an SSH session that was lost. False without a terminal."""
    if TERMINAL is None:
        return False
    poll = select.poll()
    poll.register(TERMINAL, 0)
    return any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _unused, event in poll.poll(0))
