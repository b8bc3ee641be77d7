# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired 64-bit MMIO window of a VM. ``mmio`` plans it. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ...errors import InputError
from ...pci import parse_pair
from ...ranges import RANGES, check_range
from ...suggest import as_whole


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredMmio:
    """The desired window. ``size_gb``: its size, a power of two; None: computed.

    ``per_device_gb``: memory of one card by vendor:device; it comes before the table. 0: the card has small BARs.
    """

    size_gb: int | None = None
    per_device_gb: Mapping[str, int] | Literal["auto"] = "auto"

    def __post_init__(self) -> None:
        if self.size_gb is not None:
            check_range("mmio.size_gb", self.size_gb, RANGES["size_gb"], "mmio")
            if not is_power_of_two(self.size_gb):
                raise InputError(
                    message=f"mmio size {self.size_gb} GB is not a power of two",
                    code="bad_mmio_size",
                    parameter="mmio",
                    cure=f"Use {power_of_two_above(self.size_gb)}, or leave size_gb out, and the size is computed",
                )
        if isinstance(self.per_device_gb, Mapping):
            for ids, size in sorted(self.per_device_gb.items()):
                check_range(f"mmio.device_gb of {ids}", size, RANGES["device_gb"], "mmio")


def parse_mmio(size_gb: int | None, device_gb: object, parameter: str = "mmio") -> DesiredMmio:
    """The window in the option ``mmio``. ``device_gb``: vendor:device → GB of memory of one card. Raises InputError."""
    if device_gb is None:
        return DesiredMmio(size_gb=size_gb)
    if not isinstance(device_gb, Mapping):
        raise _bad_sizes(f"{parameter}.device_gb is not a mapping of vendor:device to gigabytes")
    given: dict[str, int] = {}
    for ids, size in device_gb.items():
        number = as_whole(size)
        if number is None:
            raise _bad_sizes(f"{parameter}.device_gb has {size!r} for {ids}, which is not a whole number of gigabytes")
        # Same spelling as in the devices of hosts: 10DE:20F1 would match no device, without any error.
        given[":".join(parse_pair(str(ids)))] = number
    return DesiredMmio(size_gb=size_gb, per_device_gb=given)


def _bad_sizes(message: str) -> InputError:
    return InputError(message=message, code="bad_mmio_size", parameter="mmio", cure='Write it as {"10de:20f1": 40}')


def is_window_size(number: int) -> bool:
    """Whether ``size_gb`` may be this number. The window of a VM may have any size."""
    return is_power_of_two(number) and number <= RANGES["size_gb"].highest


def is_power_of_two(number: int) -> bool:
    return number > 0 and number & (number - 1) == 0


def power_of_two_above(number: int) -> int:
    """The smallest power of two strictly greater than a number that is not negative."""
    return 1 << number.bit_length()
