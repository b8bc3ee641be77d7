# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pause of rolling reboots: its text in vCenter, and what a request to pause or to go on changes. PRIVATE to the collection.

The text is a clause that an administrator reads in the vSphere Client, and that every message shows as it is:
``storage is being moved (by alice@bastion-7, since 2026-11-29 03:12 UTC)``. A text that a person wrote by hand is a pause, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from ...planning.plan import Blocker
from ...text import one_line

LONGEST_REASON = 150
"""Characters. With the name and the time, the text must fit into a custom attribute (255 characters)."""
RESUME = "ansible-playbook directpath.vsphere.unpause"
"""The command that ends a pause."""

_TEXT = re.compile(
    r"(?P<reason>.*) \(by (?P<by>[^\s()]+), since (?P<since>[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}) UTC\)",
    re.DOTALL,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """``by``: user and machine that paused, without blanks and parentheses; empty if a person wrote the attribute by hand. ``since``:
    seconds since the epoch by the clock of the server, in whole minutes; None if unknown."""

    reason: str
    by: str = ""
    since: float | None = None

    def text(self) -> str:
        """The clause that is stored and shown."""
        if not self.by or self.since is None:
            return self.reason
        return f"{self.reason} (by {self.by}, since {datetime.fromtimestamp(self.since, UTC):%Y-%m-%d %H:%M} UTC)"

    def clause(self) -> str:
        """``by alice@bastion-7: storage is being moved``."""
        return f"by {self.by or 'an unknown user'}: {self.reason}"


def make_pause(reason: str, by: str, now: float) -> Pause:
    """A pause that begins now."""
    return Pause(reason=one_line(reason), by=re.sub(r"[\s()]", "_", by), since=now // 60 * 60)


def decode_pause(text: str) -> Pause | None:
    """The pause of a text; None if it is empty."""
    if not text.strip():
        return None
    found = _TEXT.fullmatch(text)
    if found is None:
        return Pause(reason=one_line(text))
    try:
        since = datetime.strptime(found["since"], "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return Pause(reason=one_line(text))
    return Pause(reason=found["reason"], by=found["by"], since=since)


@dataclass(frozen=True, kw_only=True, slots=True)
class PauseChange:
    """What a request does with one place: a cluster, or the whole vCenter. ``before`` and ``after``: the stored texts."""

    before: str
    after: str
    blocker: Blocker | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing is written."""
        return self.before == self.after


def plan_pause(held: str, wanted: Pause, place: str) -> PauseChange:
    """``held``: the stored text; empty: not paused. ``place``: how messages name it.

    Another user may rely on the existing pause, so it is never replaced: that user would end it, and this one would not know.
    """
    known = decode_pause(held)
    if known is None:
        return PauseChange(before=held, after=wanted.text())
    if known.reason == wanted.reason:
        return PauseChange(before=held, after=held)
    if known.by == wanted.by:
        return PauseChange(before=held, after=Pause(reason=wanted.reason, by=known.by, since=known.since).text())
    blocker = Blocker(
        code="paused_by_other",
        message=f"{place} is paused already, {known.clause()}. The pause for {wanted.reason!r} was not stored",
        cure=f"Nothing is started at present. To keep it so, ask that user not to end the pause, or end it ({RESUME}) and pause again",
    )
    return PauseChange(before=held, after=held, blocker=blocker)


def plan_unpause(held: str) -> PauseChange:
    """End the pause, whoever began it."""
    return PauseChange(before=held, after="" if held.strip() else held)
