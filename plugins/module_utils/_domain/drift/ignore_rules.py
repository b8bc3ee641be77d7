# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Differences somebody expects: named rules that let them pass, and stay visible. PRIVATE to the collection."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import InputError
from ..suggest import matches
from .kinds import KINDS, Difference

RULE_KEYS = ("name", "kinds", "hosts", "vms", "clusters", "devices")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """All conditions that are given must hold; each is a list of which one must. Patterns are names in any case, in which ``*`` and
    ``?`` may stand for other characters.

    ``devices`` is compared with the address and with ``vendor:device``. What nobody could tell (``unreachable``, ...) is only let pass
    by a rule that names its kind.
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


def parse_rules(raw: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Rules of the option ``ignore``. Raises InputError for rules without a name or a condition, and for kinds that do not exist."""
    rules = [_rule(entry, f"ignore[{number}]") for number, entry in enumerate(raw)]
    names = [rule.name for rule in rules]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise InputError(
                message=f"ignore[{number}] has the name {name!r}, as ignore[{names.index(name)}] has",
                code="bad_rule",
                parameter=f"ignore[{number}].name",
                cure="Give each rule a name of its own: the report says by it which rule let what pass",
            )
    return tuple(rules)


def _rule(entry: Mapping[str, Any], place: str) -> Rule:
    name = str(entry.get("name") or "").strip()
    if not name:
        raise InputError(
            message=f"{place} has no name",
            code="bad_rule",
            parameter=f"{place}.name",
            cure="Give it a name that says why these differences are expected",
        )
    conditions = {key: tuple(str(text) for text in entry.get(key) or ()) for key in RULE_KEYS[1:]}
    for kind in conditions["kinds"]:
        if kind not in KINDS:
            raise InputError(
                message=f"{place} ({name}) names the kind {kind!r}, which does not exist",
                code="bad_rule",
                parameter=f"{place}.kinds",
                candidates=difflib.get_close_matches(kind, KINDS, n=3, cutoff=0.5) or list(KINDS),
                cure="Correct it",
            )
    if not any(conditions.values()):
        raise InputError(
            message=f"{place} ({name}) has no condition and would let everything pass",
            code="bad_rule",
            parameter=place,
            cure=f"Give at least one of {', '.join(RULE_KEYS[1:])}",
        )
    return Rule(name=name, **conditions)


def let_pass(
    differences: Sequence[Difference], rules: Sequence[Rule]
) -> tuple[tuple[Difference, ...], tuple[str, ...]]:
    """The differences, each with the name of the first rule that covers it, and the names of rules that cover none any more."""
    judged = tuple(
        replace(difference, ignored=next((rule.name for rule in rules if rule.covers(difference)), ""))
        for difference in differences
    )
    used = {difference.ignored for difference in judged}
    return judged, tuple(rule.name for rule in rules if rule.name not in used)
