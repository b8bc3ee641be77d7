# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deadlines a caller may set. PRIVATE to the collection."""

from __future__ import annotations

from .errors import InputError


def check_timeout(name: str, value: float, least: float = 1) -> None:
    """Raises InputError for less than ``least`` seconds: to the server a time-out of 0 means to wait for ever."""
    if value < least:
        many = "a positive number of seconds" if least == 1 else f"at least {least:g} seconds"
        raise InputError(
            message=f"{name} {value:g} is not {many}",
            code="bad_timeout",
            parameter=name,
            cure="Give a whole number of seconds; nothing here waits for ever",
        )
