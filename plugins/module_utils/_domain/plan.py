# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan: the changes, the blockers that prevent them, and the warnings. PRIVATE to the collection.

``changed``, the diff, the result and the writes all come from the same plan, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One change of a target.

    ``kind``: the kind of write. ``subject``: what changes on the target (a PCI address, "memory", "power"). ``before`` and ``after``:
    plain values to show. ``detail``: data for the function that makes the change; it is never shown.
    """

    kind: str
    subject: str
    before: Any
    after: Any
    detail: Any = None

    def record(self, target: str) -> dict[str, Any]:
        """The change as the result shows it. Check mode and a real run show the same."""
        return {
            "target": target,
            "kind": self.kind,
            "subject": self.subject,
            "before": self.before,
            "after": self.after,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Blocker:
    """Why a target is not changed. ``message``: what, on which object, why. ``cure``: what to do next. ``code``: for programs."""

    code: str
    message: str
    cure: str = ""
    candidates: tuple[str, ...] = ()
    skippable: bool = False
    """True when ``on_missing: skip`` turns this blocker into a note."""
    subjects: tuple[str, ...] = ()
    """Addresses of the devices that the blocker is about, if any. For programs; the message names them too."""

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
    """The plan of one host or VM.

    A target with a blocker is not changed: ``changes`` are the changes without the blocker, ``effective`` those that will be made.
    """

    target: str
    moid: str
    host_moid: str | None = None
    """Id of the ESXi host that a VM is on; empty when it is on none. None: the target itself is a host."""
    changes: tuple[Change, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    warnings: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    """Subjects whose configuration is as desired and takes effect at the next reboot (host) or power-on (VM)."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """More values for the result of this target (arithmetic, allocation)."""
    skipped: bool = False
    """True when the target is skipped because of ``on_missing: skip``."""

    @property
    def effective(self) -> tuple[Change, ...]:
        return () if self.blockers or self.skipped else self.changes


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Plans of all targets, sorted by name, then by managed object id."""

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
        """The state before and after as text for ``--diff``, one line for each change."""
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
