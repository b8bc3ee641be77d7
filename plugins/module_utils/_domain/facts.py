# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts that may be unknown: a fact that was not read cannot be mistaken for "none". PRIVATE to the collection.

A check that needs a fact gets it as a ``Fact`` or a ``Listing``. Neither can be used as a plain value by mistake: code that does not
handle the unknown case is rejected by mypy, and raises TypeError at run time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, NoReturn, TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """One property that the server did not return, or that contradicts another one. ``why`` is a clause for a message."""

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
"""A value, or the reason why it is unknown."""


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """Entries of one kind: those that were ``read``, and the ``gaps`` that mean there may be more.

    It has no length and cannot be iterated over, so that a caller who uses ``read`` also decides about ``gaps``.
    """

    read: tuple[T, ...] = ()
    gaps: tuple[Gap, ...] = field(default=(), kw_only=True)

    def __iter__(self) -> Iterator[NoReturn]:
        raise TypeError("a listing may have gaps: use .read, and handle .gaps")

    def __bool__(self) -> NoReturn:
        raise TypeError("a listing may have gaps: use .read, and handle .gaps")


NOTHING: Listing[Any] = Listing()
"""Everything was read, and there are no entries."""


def gaps_of(fact: Listing[T] | Fact[T]) -> tuple[Gap, ...]:
    """Why a fact is unknown or incomplete; empty when it is known in full."""
    if isinstance(fact, Unknown):
        return (fact.gap,)
    return fact.gaps if isinstance(fact, Listing) else ()
