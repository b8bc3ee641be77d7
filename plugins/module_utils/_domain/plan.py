# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan: what would change, what stands in the way, what is merely worth saying. PRIVATE to the collection.

One plan serves everything: ``changed``, the diff, the result and the writes are all read from it, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One thing that will be different afterwards.

    ``kind`` names the writer in ``_vsphere/apply``; ``subject`` is what changes on the target (a PCI address, "memory", "power");
    ``before`` and ``after`` are plain values for people; ``detail`` carries what the writer needs and is never shown.
    """

    kind: str
    subject: str
    before: Any
    after: Any
    detail: Any = None

    def record(self, target: str) -> dict[str, Any]:
        """The change as the result shows it; equal in check mode and in a real run."""
        return {
            "target": target,
            "kind": self.kind,
            "subject": self.subject,
            "before": self.before,
            "after": self.after,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Blocker:
    """Why a target is left alone: ``message`` = what on which object and why, ``cure`` = what to do, ``code`` for machines."""

    code: str
    message: str
    cure: str = ""
    candidates: tuple[str, ...] = ()
    skippable: bool = False
    """True where the caller may ask to pass over it (``on_missing: skip``)."""
    subjects: tuple[str, ...] = ()
    """Addresses of the devices it is about, where it is about certain ones. For machines: the message names them."""

    def sentence(self) -> str:
        parts = [self.message.rstrip(".") + "."]
        if self.candidates:
            parts.append("Candidates: " + "; ".join(self.candidates) + ".")
        if self.cure:
            parts.append(self.cure.rstrip(".") + ".")
        return " ".join(parts)

    def record(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "cure": self.cure, "candidates": list(self.candidates)}


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetPlan:
    """What is to happen to one host or VM.

    With a blocker nothing happens to it: ``changes`` is what *would* have, ``effective`` what will.
    """

    target: str
    moid: str
    changes: tuple[Change, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    warnings: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    """Subjects already as wished in configuration that come into force at the next reboot (host) or power-on (VM)."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else the result should say of this target (arithmetic, allocation)."""
    skipped: bool = False
    """Passed over because the caller said so."""

    @property
    def effective(self) -> tuple[Change, ...]:
        return () if self.blockers or self.skipped else self.changes


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Plans of all targets, sorted by name, then moid."""

    targets: tuple[TargetPlan, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return any(target.effective for target in self.targets)

    @property
    def blocked(self) -> tuple[TargetPlan, ...]:
        return tuple(target for target in self.targets if target.blockers)

    def records(self) -> list[dict[str, Any]]:
        """All changes that will be made, in order."""
        return [change.record(target.target) for target in self.targets for change in target.effective]

    def diff(self) -> dict[str, str]:
        """Before and after as text, a line a change, for --diff."""
        rows = self.records()
        return {"before": _lines(rows, "before"), "after": _lines(rows, "after")}


def _lines(rows: list[dict[str, Any]], side: str) -> str:
    return "".join(f"{row['target']}  {row['subject']}: {_plain(row[side])}\n" for row in rows)


def _plain(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(value[key])}" for key in sorted(value))
    if isinstance(value, list | tuple):
        return ", ".join(_plain(entry) for entry in value)
    return str(value)
