# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The valid range of every numeric option of all modules. PRIVATE to the collection.

The ranges are checked before the first connection. Without the check a shutdown time-out of -1 seconds would end at once, and the VM
would get a hard power-off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .errors import InputError

DAY = 86_400
WEEK = 7 * DAY


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """From ``lowest`` to ``highest``, both included. ``unit``: shown in messages. ``code``: error code of a value outside."""

    lowest: float
    highest: float
    code: str
    unit: str = ""

    def __str__(self) -> str:
        return f"{plain(self.lowest)} to {plain(self.highest)}" + (f" {self.unit}" if self.unit else "")


def plain(number: float) -> str:
    """The number as people write it: 1048576, never 1.04858e+06 or 60.0."""
    return str(int(number) if isinstance(number, float) and number.is_integer() else number)


_PORT = Range(lowest=1, highest=65_535, code="out_of_range")
_SECONDS = Range(lowest=1, highest=WEEK, unit="seconds", code="bad_timeout")
_MINUTES = Range(lowest=0.1, highest=WEEK / 60, unit="minutes", code="bad_minutes")

RANGES: Mapping[str, Range] = {
    "port": _PORT,
    "proxy_port": _PORT,
    "connect_timeout": Range(lowest=1, highest=3600, unit="seconds", code="bad_timeout"),
    "settle_timeout": Range(lowest=0, highest=DAY, unit="seconds", code="bad_timeout"),
    "task_timeout": Range(lowest=0, highest=DAY, unit="seconds", code="bad_timeout"),
    **dict.fromkeys(
        (
            "shutdown_timeout",
            "drain_timeout",
            "stop_timeout",
            "reboot_timeout",
            "verify_timeout",
            "leave_timeout",
            "restore_timeout",
            "ready_timeout",
            "guest_timeout",
        ),
        _SECONDS,
    ),
    "lock_ttl": Range(lowest=60, highest=DAY, unit="seconds", code="bad_timeout"),
    "slice": Range(lowest=0, highest=WEEK, unit="seconds", code="bad_timeout"),
    "soak": Range(lowest=0, highest=WEEK, unit="seconds", code="bad_timeout"),
    "canary_soak": Range(lowest=0, highest=WEEK, unit="seconds", code="bad_timeout"),
    "ready_when.timeout": Range(lowest=0.1, highest=3600, unit="seconds", code="bad_timeout"),
    "notify.timeout": Range(lowest=0.1, highest=300, unit="seconds", code="bad_timeout"),
    "ready_when.status": Range(lowest=100, highest=599, code="out_of_range"),
    "blocked_timeout": Range(lowest=0, highest=WEEK, unit="seconds", code="bad_timeout"),
    "max_concurrent": Range(lowest=1, highest=1000, code="bad_limit"),
    "max_failures": Range(lowest=1, highest=100_000, code="bad_limit"),
    "size_gb": Range(lowest=1, highest=1 << 20, unit="gigabytes", code="bad_mmio_size"),
    # The BARs of one card.
    "device_gb": Range(lowest=0, highest=1 << 16, unit="gigabytes", code="bad_mmio_size"),
    "reservation_mb": Range(lowest=0, highest=1 << 30, unit="megabytes", code="bad_reservation"),
    "numa_node": Range(lowest=-1, highest=63, code="bad_numa_node"),
    "minimum_hardware_version": Range(lowest=7, highest=99, code="bad_amount"),
    "report_outage_after": Range(lowest=1, highest=DAY, unit="seconds", code="bad_timeout"),
    "host_device_limit": Range(lowest=0, highest=100_000, code="out_of_range"),
    "max_host_queries": Range(lowest=0, highest=1_000_000, code="bad_amount"),
    "rehearse_runs": Range(lowest=1, highest=200, code="bad_amount"),
    "rehearse_seed": Range(lowest=0, highest=1_000_000_000, code="out_of_range"),
    "rehearse_boot_spread": Range(lowest=0, highest=0.9, code="out_of_range"),
    "rehearse_run_timeout": Range(lowest=10, highest=DAY, unit="seconds", code="bad_timeout"),
    **dict.fromkeys(("expected_minutes.drain", "expected_minutes.reboot", "expected_minutes.settle"), _MINUTES),
}
"""``option`` or ``option.suboption`` → valid range. An option has the same range in every module."""


def refuse_out_of_range(params: Mapping[str, object]) -> None:
    """Raise InputError for the first number outside its range, at any depth of the options."""
    for place, name, value in _numbers(params, "", ()):
        allowed = RANGES.get(".".join(name[-2:])) or RANGES.get(name[-1])
        if allowed is not None:
            check_range(place, value, allowed)


def check_range(place: str, value: float, allowed: Range, parameter: str = "") -> None:
    """Raise InputError for a number outside the range. ``parameter``: the option, if ``place`` is none."""
    if not allowed.lowest <= value <= allowed.highest:
        raise InputError(
            message=f"{place} is {plain(value)}, but must be {allowed}",
            code=allowed.code,
            parameter=parameter or place,
            cure=f"Give a number from {allowed}",
        )


def _numbers(value: object, place: str, name: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...], float]]:
    """Each number with its place (``targets[0].count``) and the names of the options that lead to it."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _numbers(entry, f"{place}.{key}".lstrip("."), (*name, str(key)))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, entry in enumerate(value):
            yield from _numbers(entry, f"{place}[{index}]", name)
    elif isinstance(value, int | float) and not isinstance(value, bool) and name:
        yield place, name, value


def check_timeout(name: str, value: float, least: float = 1) -> None:
    """Raises InputError (bad_timeout) for less than ``least`` seconds. vSphere reads a time-out of 0 as "wait forever"."""
    if value < least:
        many = "a positive number of seconds" if least == 1 else f"at least {plain(least)} seconds"
        raise InputError(
            message=f"{name} {plain(value)} is not {many}",
            code="bad_timeout",
            parameter=name,
            cure="Give a whole number of seconds. A time-out cannot be turned off",
        )
