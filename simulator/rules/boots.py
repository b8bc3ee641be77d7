# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the boots of a host take, if they differ, and times that are not known: drawn from a seed, so that the same seed gives the same
run.

No source: it is statistics. What is known of a host is its past boots. A new boot differs from their true middle by the spread of boots,
and the middle of few boots differs from the true one by a part of the same spread. A draw has both, or real runs would end outside of the
range of rehearsed ones too often.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median

from . import knobs

SHARE = 0.3
"""Boots take this share less or more at most, where nothing else is known."""
ENOUGH = 5
"""So many boots beyond the first one of each host tell how much boots differ."""
UNSURE = 1.5
"""Variance of the median of n boots, in variances of one boot, times n: 1.6 for many normal ones, 1.8 for three uniform ones."""
MORE = 1.25
"""Draws are wider by this factor. Of 21 equal runs, each is as often the longest: without the factor, 2 of 21 real runs would be longer or
shorter than each of 20 rehearsals."""
OTHERS = 3.0
"""Other times are from a third to three times as long as in the simulator, where they are not known."""
OTHER_TIMES = (
    "maintenance_seconds", "exit_maintenance_seconds", "down_after_seconds", "migrate_seconds", "shutdown_seconds", "power_on_seconds",
    "power_off_seconds", "guest_boot_seconds",
)  # fmt: skip
"""Knobs with times of a rolling reboot that a capture does not show. They are the same for all hosts, so in a large fleet, in which boots
even out, they decide how far a real run is from its rehearsals."""
LEAST = 0.1
"""A boot takes at least this share of the usual time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BootSpread:
    """Boots take ``share`` less or more at most. ``seed``: selects one of the possible runs."""

    seed: str
    share: float

    def factor(self, host: str, number: int, past: int) -> float:
        """By how much the boot with this number (from 0) of a host differs from its usual boot, which is the middle of ``past`` boots; 0:
        it is exactly known."""
        width = self.share * (MORE * sqrt(1 + min(1.0, UNSURE / past)) if past else 1.0)
        return max(LEAST, random.Random(f"{self.seed}/{host}/{number}").uniform(1 - width, 1 + width))


def other_times(seed: str, most: float, known: Collection[str]) -> dict[str, float]:
    """Knob -> seconds for one run. ``most``: the largest factor. ``known``: knobs that a lab sets."""
    chosen = random.Random(f"{seed}/others")
    factors = {name: most ** chosen.uniform(-1, 1) for name in OTHER_TIMES}
    return {name: getattr(knobs.DEFAULTS, name) * factor for name, factor in factors.items() if name not in known}


def share_of(histories: Iterable[Sequence[float]]) -> float | None:
    """The share by which boots differ, by the past boots of all hosts; None where they are too few."""
    squares, degrees = 0.0, 0
    for past in histories:
        middle = median(past) if past else 0.0
        if len(past) > 1 and middle > 0:
            squares += sum((each / middle - 1) ** 2 for each in past)
            degrees += len(past) - 1
    return min(1.0, sqrt(3 * squares / degrees)) if degrees >= ENOUGH else None
