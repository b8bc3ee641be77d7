# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of differences between the desired state and the observed state. PRIVATE to the collection.

Drift is found by the planners that the modules use, so the report shows the changes that the playbook ``site`` would make. These
differences have ``planned`` True. The others (``planned`` False) need no change to reach the desired state, so no planner reports them:
extra devices and settings that are left from an earlier state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypedDict

ObjectType: TypeAlias = Literal["vcenter", "cluster", "host", "vm"]
Certainty: TypeAlias = Literal["drift", "unknown"]
Status: TypeAlias = Literal["in_sync", "drift", "unknown"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NotFound:
    """A name in the intent that no object has. ``cause``: a sentence with similar names."""

    type: Literal["cluster", "host", "vm"]
    name: str
    cause: str


class DifferenceRecord(TypedDict):
    """One difference as the report shows it."""

    kind: str
    title: str
    certainty: Certainty
    type: ObjectType
    object: str
    moid: str
    cluster: str | None
    subject: str
    device: str
    wanted: str
    found: str
    cause: str
    obstacles: list[str]
    cure: str
    command: str
    planned: bool
    ignored: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """``title``: the difference in a few words. ``mark``: in one or two words, for a table cell.

    ``is_grave``: no command fixes it. ``certainty``: ``drift``, or ``unknown`` when the state could not be read.
    """

    title: str
    mark: str
    is_grave: bool = False
    certainty: Certainty = "drift"


KINDS: Mapping[str, Kind] = {
    "missing": Kind(title="device missing", mark="missing", is_grave=True),
    "disabled": Kind(title="not enabled", mark="off"),
    "functions_differ": Kind(title="different number of virtual functions", mark="VFs"),
    "mode_differs": Kind(title="different device mode", mark="mode"),
    "label_differs": Kind(title="different label", mark="label"),
    "pending_reboot": Kind(title="pending reboot", mark="reboot"),
    "graphics_differ": Kind(title="graphics settings differ", mark="graphics"),
    "graphics_pending": Kind(title="graphics settings not in effect", mark="graphics"),
    "roll_unfinished": Kind(title="rolling reboot not finished", mark="in progress"),
    "stale_address": Kind(title="address out of date", mark="stale"),
    "identity_changed": Kind(title="another card at the address", mark="other card", is_grave=True),
    "protected_conflict": Kind(title="the host depends on the device", mark="protected", is_grave=True),
    "not_capable": Kind(title="not offered for passthrough", mark="not offered", is_grave=True),
    "iommu_off": Kind(title="IOMMU off", mark="no IOMMU", is_grave=True),
    "ambiguous": Kind(title="several models match", mark="ambiguous", is_grave=True),
    "extra": Kind(title="not in the desired state", mark="extra"),
    "device_missing": Kind(title="device missing in the VM", mark="missing"),
    "shared_device": Kind(title="fixed device of two VMs", mark="two VMs", is_grave=True),
    "wrong_backing": Kind(title="wrong kind of backing", mark="backing"),
    "parameters_differ": Kind(title="other parameters of a device", mark="parameters"),
    "numa_node_differs": Kind(title="other NUMA node of a device", mark="NUMA node"),
    "setting_differs": Kind(title="other setting of a device", mark="setting"),
    "adapter_differs": Kind(title="network adapter differs", mark="adapter"),
    "memory_not_reserved": Kind(title="memory not reserved", mark="memory"),
    "memory_limited": Kind(title="memory limited", mark="limit"),
    "memory_changed": Kind(title="memory changed since it was reserved", mark="memory", is_grave=True),
    "mmio_differs": Kind(title="64-bit MMIO window", mark="MMIO"),
    "hot_add_on": Kind(title="hot-add switched on", mark="hot-add"),
    "latency_differs": Kind(title="latency sensitivity differs", mark="latency"),
    "hardware_old": Kind(title="hardware version too old", mark="hardware"),
    "host_rule": Kind(title="VM-host rule differs", mark="rule"),
    "powered_off": Kind(title="not running", mark="off"),
    "stopped_for_host": Kind(title="off because of its host", mark="off"),
    "guest_failed": Kind(title="does not work in the guest", mark="guest", is_grave=True),
    "limit_exceeded": Kind(title="too many devices", mark="too many", is_grave=True),
    "refused": Kind(title="desired state not possible", mark="refused", is_grave=True),
    "not_found": Kind(title="not found", mark="not found", is_grave=True),
    "unreachable": Kind(title="not reachable", mark="no answer", certainty="unknown"),
    "unreadable": Kind(title="could not be read", mark="unread", certainty="unknown"),
    "invisible": Kind(title="not visible to this account", mark="not visible", certainty="unknown"),
    "guest_unknown": Kind(title="not verified in the guest", mark="guest", certainty="unknown"),
    "unchecked": Kind(title="not checked", mark="unchecked", certainty="unknown"),
}
"""Every kind of difference. A name never changes its meaning: pipelines depend on it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One difference from the desired state, or one state that is unknown.

    ``subject``: the part of the object, such as a PCI address, ``10de:20f1 #1`` or ``memory reservation``. ``wanted`` and ``found``: the
    desired and the actual value. ``cause``: what was found and why it differs. ``cure``: what to do next. ``command``: the command that
    does it, or, when no command can, a command that shows the details. ``obstacles``: what blocks the fix. ``ignored``: the name of the
    rule that covers the difference.
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
        """Sort key in a report: hosts before VMs, by name."""
        return (self.type, self.object, self.moid, self.subject, self.kind)

    def sentence(self) -> str:
        """What differs, why, and what to do next, in one line."""
        what = f"{self.object}{f' {self.subject}' if self.subject else ''}: {KINDS[self.kind].title}"
        parts = [what, *(text for text in (self.cause, *self.obstacles, self.cure) if text)]
        return " ".join(f"{part.rstrip('.')}." for part in parts)

    def record(self) -> DifferenceRecord:
        """The difference as the report shows it."""
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
    """True when the modules would have nothing to change, to wait for or to reject. Ignored differences count: the modules do not know
    the rules."""
    return not any(difference.planned for difference in differences)


def status_of(differences: tuple[Difference, ...] | list[Difference]) -> Status:
    """``drift`` when any difference is certain, else ``unknown`` when anything could not be read. Ignored differences do not count."""
    certainties = {difference.certainty for difference in differences if not difference.ignored}
    if "drift" in certainties:
        return "drift"
    return "unknown" if "unknown" in certainties else "in_sync"
