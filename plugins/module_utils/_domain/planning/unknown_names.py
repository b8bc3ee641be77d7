# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Warnings for exceptions that name nothing: a slip in a list that allows something. PRIVATE to the collection.

Such an entry allows nothing, so it is no danger. But whoever wrote it believes that it is in effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ..suggest import suggest_word
from .plan import Plan

Unknown = Literal["warn", "only_if_refused"]
_COULD_ALLOW = frozenset({"protected", "holders_unknown", "reboot_takes_protected"})
"""Codes of refusals that an entry of such a list could have prevented."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnknownName:
    """An entry of an option whose ``name`` no object of the endpoint has. ``noun``: of the object. ``known``: the names that there are."""

    option: str
    entry: str
    name: str
    noun: str
    known: tuple[str, ...] = ()

    def sentence(self) -> str:
        meant = suggest_word(self.name, self.known)
        return (
            f"{self.option} contains {self.entry!r}, but no {self.noun} that this account can see has the name, path or id "
            f"{self.name!r}{meant}: this entry has no effect"
        )


def sentences(unknown: Iterable[UnknownName], mode: Unknown, refusals: Iterable[str]) -> tuple[str, ...]:
    """The warnings. ``refusals``: codes of what was refused."""
    if mode == "only_if_refused" and _COULD_ALLOW.isdisjoint(refusals):
        return ()
    return tuple(dict.fromkeys(one.sentence() for one in unknown))


def warn_of_unknown(plan: Plan, unknown: Sequence[UnknownName], mode: Unknown) -> Plan:
    """The plan with a warning for each unknown name."""
    if not unknown:
        return plan
    refusals = {blocker.code for target in plan.targets for blocker in target.blockers}
    return replace(plan, warnings=(*plan.warnings, *sentences(unknown, mode, refusals)))
