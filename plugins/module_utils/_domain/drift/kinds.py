# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of drift: what can differ between what is wanted and what is there. PRIVATE to the collection.

A difference is found by the same planners the modules act by (``drift_hosts``, ``drift_vms``), so what ``site`` would change and
what drift reports cannot come apart. ``planned`` is True for those; the others are what no planner minds, as it does not have to be
changed to fulfil the intent: devices that nobody asked for, settings left behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

ObjectType: TypeAlias = Literal["vcenter", "cluster", "host", "vm"]
Certainty: TypeAlias = Literal["drift", "unknown"]
Status: TypeAlias = Literal["in_sync", "drift", "unknown"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """``title``: the difference in a few words, ``mark``: in a word or two, for a cell of a table.

    ``is_grave``: not settled by a command. ``certainty``: whether there is a difference, or nobody could tell.
    """

    title: str
    mark: str
    is_grave: bool = False
    certainty: Certainty = "drift"


KINDS: Mapping[str, Kind] = {
    "missing": Kind(title="device missing", mark="missing", is_grave=True),
    "disabled": Kind(title="not enabled", mark="off"),
    "label_differs": Kind(title="another label", mark="label"),
    "pending_reboot": Kind(title="waits for a reboot", mark="reboot"),
    "roll_unfinished": Kind(title="rolling reboot not finished", mark="in hand"),
    "stale_address": Kind(title="address out of date", mark="stale"),
    "identity_changed": Kind(title="another card at the address", mark="other card", is_grave=True),
    "protected_conflict": Kind(title="the host needs it", mark="protected", is_grave=True),
    "not_capable": Kind(title="not offered for passthrough", mark="not offered", is_grave=True),
    "iommu_off": Kind(title="IOMMU off", mark="no IOMMU", is_grave=True),
    "ambiguous": Kind(title="several models meant", mark="ambiguous", is_grave=True),
    "extra": Kind(title="not asked for", mark="extra"),
    "device_missing": Kind(title="device missing in the VM", mark="missing"),
    "wrong_backing": Kind(title="wrong kind of backing", mark="backing"),
    "memory_not_reserved": Kind(title="memory not reserved", mark="memory"),
    "memory_limited": Kind(title="memory limited", mark="limit"),
    "memory_changed": Kind(title="memory changed since it was reserved", mark="memory", is_grave=True),
    "mmio_differs": Kind(title="64-bit MMIO window", mark="MMIO"),
    "hot_add_on": Kind(title="hot-add switched on", mark="hot-add"),
    "powered_off": Kind(title="not running", mark="off"),
    "limit_exceeded": Kind(title="too many devices", mark="too many", is_grave=True),
    "refused": Kind(title="cannot be as wanted", mark="refused", is_grave=True),
    "not_found": Kind(title="not there", mark="not there", is_grave=True),
    "unreachable": Kind(title="not reachable", mark="no answer", certainty="unknown"),
    "unreadable": Kind(title="could not be read", mark="unread", certainty="unknown"),
    "invisible": Kind(title="not visible to this account", mark="not visible", certainty="unknown"),
    "unchecked": Kind(title="not looked at", mark="unchecked", certainty="unknown"),
}
"""Every kind of difference, the most particular word first. A name never changes its meaning: pipelines branch on it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One thing that is not as wanted, or of which nobody can tell.

    ``subject`` is what it is about on the object: a PCI address, ``10de:20f1 #1``, ``memory reservation``. ``cause`` says what is
    there and why that differs, ``cure`` what to do; ``command`` does it, or, where only hands can, shows it. ``obstacles`` stand in
    the way of the cure. ``ignored`` is the name of the rule that lets it pass.
    """

    kind: str
    type: ObjectType
    object: str
    moid: str = ""
    cluster: str | None = None
    subject: str = ""
    device: str = ""
    wanted: str = ""
    found: str = ""
    cause: str = ""
    cure: str = ""
    command: str = ""
    obstacles: tuple[str, ...] = ()
    planned: bool = True
    ignored: str = ""

    @property
    def certainty(self) -> Certainty:
        return KINDS[self.kind].certainty

    @property
    def place(self) -> tuple[str, str, str, str, str]:
        """Where it stands in a report: hosts before VMs, by name."""
        return (self.type, self.object, self.moid, self.subject, self.kind)

    def sentence(self) -> str:
        """Everything a person needs, in one line."""
        what = f"{self.object}{f' {self.subject}' if self.subject else ''}: {KINDS[self.kind].title}"
        parts = [what, *(text for text in (self.cause, *self.obstacles, self.cure) if text)]
        return " ".join(f"{part.rstrip('.')}." for part in parts)

    def record(self) -> dict[str, Any]:
        """As the report shows it."""
        return {
            "kind": self.kind,
            "title": KINDS[self.kind].title,
            "certainty": self.certainty,
            "type": self.type,
            "object": self.object,
            "moid": self.moid,
            "cluster": self.cluster,
            "subject": self.subject,
            "device": self.device,
            "wanted": self.wanted,
            "found": self.found,
            "cause": self.cause,
            "obstacles": list(self.obstacles),
            "cure": self.cure,
            "command": self.command,
            "planned": self.planned,
            "ignored": self.ignored or None,
        }


def is_settled(differences: tuple[Difference, ...] | list[Difference]) -> bool:
    """Whether the modules would find nothing to do, to wait for or to refuse. A rule that lets a difference pass keeps no module from
    acting on it."""
    return not any(difference.planned for difference in differences)


def status_of(differences: tuple[Difference, ...] | list[Difference]) -> Status:
    """Drift is certain where any is found, whatever else could not be told. What a rule lets pass does not count."""
    certainties = {difference.certainty for difference in differences if not difference.ignored}
    if "drift" in certainties:
        return "drift"
    return "unknown" if "unknown" in certainties else "in_sync"
