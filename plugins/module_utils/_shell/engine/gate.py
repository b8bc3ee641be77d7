# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check right before a write to one target: does the plan still hold? PRIVATE to the collection.

A plan may be minutes old at that time: other targets came first, or a guest took long to shut down. So the gate reads everything again that
the guards of the target used, and the same planner plans this one target again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from ..._domain.errors import DirectPathError
from ..._domain.planning.plan import Change, TargetPlan
from ..._domain.writing.recheck import still_to_do

Observed = TypeVar("Observed")


class Gate(Generic[Observed]):
    """The gate of one target. ``elsewhere``: planned changes that another user made before this run could make them."""

    def __init__(self, planned: TargetPlan, reread: Callable[[], tuple[Observed, TargetPlan | None]]) -> None:
        self._planned, self._reread = planned, reread
        self.elsewhere: tuple[Change, ...] = ()

    def reread(self) -> tuple[Observed, TargetPlan]:
        """Read and plan the target again. Raises DirectPathError (vanished) when it was removed."""
        observed, now = self._reread()
        if now is None:
            name = self._planned.target
            raise DirectPathError(
                message=f"{name} was removed after it was read", code="vanished", cure="Run the task again"
            )
        return observed, now

    def check(self, changes: Sequence[Change], now: TargetPlan, *, doing: str, also: str = "") -> tuple[Change, ...]:
        """The ``changes`` that are still necessary. ``now``: the new plan. ``doing`` and ``also`` are parts of the message.

        Raises DirectPathError (changed_meanwhile) when the new plan has any other change.
        """
        left = still_to_do(changes, now, doing=doing, also=also)
        kept = {(change.kind, change.subject) for change in left}
        self.elsewhere += tuple(change for change in changes if (change.kind, change.subject) not in kept)
        return left
