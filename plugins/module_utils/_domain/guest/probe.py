# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probes that run in guests, and the readers of their output, by operating system. PRIVATE to the collection.

``probe_of(os, commands)`` is the text for ``/bin/sh`` or PowerShell; it reads only. ``parse_report(os, text)`` reads what it printed.
"""

from __future__ import annotations

from collections.abc import Sequence

from .linux import parse_linux
from .linux_probe import LINUX_PROBE, linux_probe
from .report import GuestError, GuestOs, GuestReport
from .windows import WINDOWS_PROBE, parse_windows, windows_probe

__all__ = [
    "LINUX_PROBE",
    "WINDOWS_PROBE",
    "GuestError",
    "GuestReport",
    "linux_probe",
    "parse_linux",
    "parse_report",
    "parse_windows",
    "probe_of",
    "windows_probe",
]


def probe_of(os: GuestOs, commands: Sequence[str] = ()) -> str:
    """The text of the probe. ``commands``: commands of the user; only their exit status is reported, by their number."""
    return linux_probe(commands) if os == "linux" else windows_probe(commands)


def parse_report(os: GuestOs, text: str) -> GuestReport:
    """The report in the output of the probe. Raises GuestError."""
    return parse_linux(text) if os == "linux" else parse_windows(text)
