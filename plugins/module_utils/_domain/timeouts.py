# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of time-outs that a caller sets. PRIVATE to the collection."""

from __future__ import annotations

from .errors import InputError


def check_timeout(name: str, value: float, least: float = 1) -> None:
    """Raises InputError (bad_timeout) for less than ``least`` seconds. vSphere reads a time-out of 0 as "wait forever"."""
    if value < least:
        many = "a positive number of seconds" if least == 1 else f"at least {least:g} seconds"
        raise InputError(
            message=f"{name} {value:g} is not {many}",
            code="bad_timeout",
            parameter=name,
            cure="Give a whole number of seconds. A time-out cannot be turned off",
        )
