# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one call of ``observe`` of a module reads, and why. PRIVATE to the collection.

The loop asks in this order: ``FirstLook``; ``Details`` of it; for each target ``BeforeWrite``, right before the write; and ``AfterWrites``
for all targets. ``seen`` is what the previous call returned. After each of these calls the loop plans, and asks for the ``Details`` again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from ..._domain.planning.plan import Plan
from ..._domain.planning.predicted import NOTHING_PREDICTED, Predicted

Observed = TypeVar("Observed")


@dataclass(frozen=True, kw_only=True)
class FirstLook:
    """Read all that the parameters name. In check mode: as it will be after the earlier steps of the same run. ``predicted``: what the
    earlier tasks of the same play would change."""

    check_mode: bool
    predicted: Predicted = NOTHING_PREDICTED


@dataclass(frozen=True, kw_only=True)
class Details(Generic[Observed]):
    """Read what only targets with changes need, and return ``seen`` itself when there is nothing more to read. ``plan``: the provisional
    plan."""

    seen: Observed
    plan: Plan


@dataclass(frozen=True, kw_only=True)
class BeforeWrite(Generic[Observed]):
    """Read what the guards of one target need, by its id: it may have been renamed. ``plan``: the plan that is applied."""

    seen: Observed
    plan: Plan
    moid: str


@dataclass(frozen=True, kw_only=True)
class AfterWrites(Generic[Observed]):
    """Read the targets with these ids again, once the writes are in effect. ``written``: the part of the plan that the server received."""

    seen: Observed
    plan: Plan
    written: Plan
    moids: Collection[str]


Scope: TypeAlias = FirstLook | Details[Observed] | BeforeWrite[Observed] | AfterWrites[Observed]
