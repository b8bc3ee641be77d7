# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked right before a write to one target: is it still the plan? PRIVATE to the collection.

A plan may be minutes old when its turn comes: others were written to first, a guest took its time to shut down. So everything that the
guards of the target used is read again, and the same planner plans that one target again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from ..._domain.errors import DirectPathError
from ..._domain.plan import Change, TargetPlan
from ..._domain.writing.recheck import still_to_do

Observed = TypeVar("Observed")


class Gate(Generic[Observed]):
    """The gate of one target. ``elsewhere``: planned changes that somebody else made before our turn came."""

    def __init__(self, planned: TargetPlan, look: Callable[[], tuple[Observed, TargetPlan | None]]) -> None:
        self._planned, self._look = planned, look
        self.elsewhere: tuple[Change, ...] = ()

    def look(self) -> tuple[Observed, TargetPlan]:
        """The target as it is now, and its plan. Raises DirectPathError (vanished) where it was removed."""
        observed, now = self._look()
        if now is None:
            name = self._planned.target
            raise DirectPathError(
                message=f"{name} was removed after it was read", code="vanished", cure="Run the task again"
            )
        return observed, now

    def judge(self, changes: Sequence[Change], now: TargetPlan, *, doing: str, also: str = "") -> tuple[Change, ...]:
        """Which of the ``changes`` are still to be made. Raises DirectPathError (changed_meanwhile) where any other would be."""
        left = still_to_do(changes, now, doing=doing, also=also)
        kept = {(change.kind, change.subject) for change in left}
        self.elsewhere += tuple(change for change in changes if (change.kind, change.subject) not in kept)
        return left
