# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was read and what was not: an unknown fact cannot be mistaken for "none". PRIVATE to the collection.

A guard that needs a fact gets it as one of these two. Neither can be used as a plain value by mistake: what was not read has to be
handled, or the program stops (and mypy says so before).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, NoReturn, TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """One property that a server did not give, or gave in contradiction to another: ``why`` is a clause for people."""

    path: str
    why: str = "could not be read"

    def __str__(self) -> str:
        return f"{self.path} {self.why}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Unknown:
    """A single value that could not be read. It is neither true nor false."""

    gap: Gap

    def __bool__(self) -> NoReturn:
        raise TypeError(f"{self.gap}: unknown is neither true nor false")


Fact: TypeAlias = T | Unknown
"""A value, or the reason why there is none."""


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """Entries of one kind: those that were ``read``, and the ``gaps`` because of which there may be more.

    It has no length and is not iterable: whoever takes ``read`` has the gaps before his eyes.
    """

    read: tuple[T, ...] = ()
    gaps: tuple[Gap, ...] = field(default=(), kw_only=True)

    def __iter__(self) -> Iterator[NoReturn]:
        raise TypeError("a listing may have gaps: take .read, and answer for .gaps")

    def __bool__(self) -> NoReturn:
        raise TypeError("a listing may have gaps: take .read, and answer for .gaps")


NOTHING: Listing[Any] = Listing()
"""Everything was read, and there is nothing."""


def gaps_of(fact: Listing[T] | Fact[T]) -> tuple[Gap, ...]:
    """Why a fact is not known, or not whole; empty where it is."""
    if isinstance(fact, Unknown):
        return (fact.gap,)
    return fact.gaps if isinstance(fact, Listing) else ()
