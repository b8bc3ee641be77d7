# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Named rules for expected differences. Ignored differences stay visible in the report. PRIVATE to the collection."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from ..errors import InputError
from ..suggest import matches
from .kinds import KINDS, Difference

RULE_KEYS = ("name", "kinds", "hosts", "vms", "clusters", "devices")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A rule covers a difference when all given conditions match. A condition is a list; one entry of it must match.

    Entries are names with the wildcards ``*`` and ``?``; upper and lower case are equal. ``devices`` is compared with the address and with
    ``vendor:device``. An unknown state (``unreachable``, ...) is ignored only by a rule that names its kind.
    """

    name: str
    kinds: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    vms: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()

    def covers(self, difference: Difference) -> bool:
        if difference.certainty == "unknown" and difference.kind not in self.kinds:
            return False
        if self.kinds and difference.kind not in self.kinds:
            return False
        if self.clusters and not _meets(self.clusters, difference.cluster or ""):
            return False
        if self.devices and not _meets(self.devices, difference.subject, difference.device.split(" ")[0]):
            return False
        return self._names(difference)

    def _names(self, difference: Difference) -> bool:
        if not self.hosts and not self.vms:
            return True
        patterns = {"host": self.hosts, "vm": self.vms}.get(difference.type, ())
        short = difference.object.partition(".")[0] if difference.type == "host" else ""
        return _meets(patterns, difference.object, short, difference.moid)


def _meets(patterns: Sequence[str], *texts: str) -> bool:
    return any(matches(pattern, text) for pattern in patterns for text in texts if text)


RawRule: TypeAlias = Mapping[str, str | Sequence[str] | None]
"""A rule in the option ``ignore``: its name, and the conditions by their keys."""


def parse_rules(raw: Sequence[RawRule]) -> tuple[Rule, ...]:
    """The rules in the option ``ignore``.

    Raises InputError (bad_rule) for a rule without a name or a condition, for a second rule of a name, and for an unknown kind.
    """
    rules = [_rule(entry, f"ignore[{number}]") for number, entry in enumerate(raw)]
    names = [rule.name for rule in rules]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise InputError(
                message=f"ignore[{number}] has the same name as ignore[{names.index(name)}]: {name!r}",
                code="bad_rule",
                parameter=f"ignore[{number}].name",
                cure="Give each rule a different name: the report shows the name of the rule with each ignored difference",
            )
    return tuple(rules)


def _rule(entry: RawRule, place: str) -> Rule:
    name = str(entry.get("name") or "").strip()
    if not name:
        raise InputError(
            message=f"{place} has no name",
            code="bad_rule",
            parameter=f"{place}.name",
            cure="Give the rule a name that says why these differences are expected",
        )
    conditions = {key: tuple(str(text) for text in entry.get(key) or ()) for key in RULE_KEYS[1:]}
    for kind in conditions["kinds"]:
        if kind not in KINDS:
            raise InputError(
                message=f"{place} ({name}) has the unknown kind {kind!r}",
                code="bad_rule",
                parameter=f"{place}.kinds",
                candidates=difflib.get_close_matches(kind, KINDS, n=3, cutoff=0.5) or list(KINDS),
                cure="Correct the kind",
            )
    if not any(conditions.values()):
        raise InputError(
            message=f"{place} ({name}) has no condition and would ignore every difference",
            code="bad_rule",
            parameter=place,
            cure=f"Give at least one of {', '.join(RULE_KEYS[1:])}",
        )
    return Rule(name=name, **conditions)


def apply_rules(
    differences: Sequence[Difference], rules: Sequence[Rule]
) -> tuple[tuple[Difference, ...], tuple[str, ...]]:
    """The differences, each with the name of the first rule that covers it, and the names of the rules that cover none."""
    judged = tuple(
        replace(difference, ignored=next((rule.name for rule in rules if rule.covers(difference)), ""))
        for difference in differences
    )
    used = {difference.ignored for difference in judged}
    return judged, tuple(rule.name for rule in rules if rule.name not in used)
