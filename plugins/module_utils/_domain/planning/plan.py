# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan: the changes, the blockers that prevent them, and the warnings. PRIVATE to the collection.

``changed``, the diff, the result and the writes all come from the same plan, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ..observed.vms import Vm
from ..plain import Plain, Record
from ..text import full_stop
from .details import ChangeKind, Detail

Shown: TypeAlias = bool | int | str | Mapping[str, bool | int | str | None] | None
"""A value before or after a change, as results show it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One change of a target.

    ``subject``: what changes on the target (a PCI address, "memory", "power"). ``before`` and ``after``: values to show. ``detail``: what
    is written; it is never shown.
    """

    subject: str
    before: Shown
    after: Shown
    detail: Detail

    @property
    def kind(self) -> ChangeKind:
        """The kind of write."""
        return self.detail.kind

    def record(self, target: str) -> Record:
        """The change as the result shows it. Check mode and a real run show the same."""
        return {
            "target": target,
            "kind": self.kind,
            "subject": self.subject,
            "before": self.before,
            "after": self.after,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """A reconfigure that was sent: the VM before it, and the changes."""

    was: Vm
    changes: tuple[Change, ...]


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
            parts.append(full_stop(self.cure))
        return " ".join(parts)

    def record(self) -> Record:
        return {"code": self.code, "message": self.message, "cure": self.cure, "candidates": list(self.candidates)}


@dataclass(frozen=True, kw_only=True, slots=True)
class UsedOverride:
    """A protected device that an override allows to enable: the override, and the reasons of the protection."""

    address: str
    device: str
    override: str
    reasons: tuple[str, ...]

    def record(self) -> Record:
        return {
            "address": self.address,
            "device": self.device,
            "override": self.override,
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class HostFacts:
    """What the planner of ``host_passthrough`` found on a host. All devices by address.

    ``selected``: devices that the entries select, with their reset groups. ``groups``: reset groups with more than one function.
    ``pending_after``: selected devices that are expected to have a pending reboot after the changes. ``reboot_expected``: whether any
    device is. ``provisional``: the host must be read with its fabric, and planned again.
    """

    selected: tuple[str, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    pending_after: tuple[str, ...] = ()
    reboot_expected: bool = False
    overridden: tuple[UsedOverride, ...] = ()
    provisional: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowFacts:
    """How the size of the MMIO window was computed. ``devices``: the sum as text. ``wanted_gb``: the size that is enough."""

    devices: str
    sum_gb: int
    wanted_gb: int
    size_gb: int
    kept_larger: bool

    def record(self) -> Record:
        return {
            "devices": self.devices,
            "sum_gb": self.sum_gb,
            "wanted_gb": self.wanted_gb,
            "size_gb": self.size_gb,
            "kept_larger": self.kept_larger,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaving:
    """Why a device is detached. ``reason``: a clause, or empty."""

    why: Literal["unwanted", "companion", "stale", "replaced"]
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class VmFacts:
    """What the planner of ``vm_pci_device`` found. ``leaving``: subject of a device that is detached → why.

    ``needs_details``: limits, system ids and offered devices must be read for this VM, and it must be planned again.
    """

    mmio: WindowFacts | None = None
    leaving: Mapping[str, Leaving] = field(default_factory=dict)
    needs_details: bool = False
    needs_offers: bool = False
    """What its hosts offer to VMs must be read, and the VM planned again."""
    needs_groups: bool = False
    """The vendor device groups of each host where it may run must be read, and the VM planned again."""
    needs_networks: bool = False
    """The networks of each host where it may run must be read, and the VM planned again."""
    needs_placement: bool = False
    """The settings of its cluster must be read, and it must be planned again."""
    minimum_hardware: int = 0
    """The hardware version to which the VM is upgraded at least; 0: no upgrade."""
    starts_elsewhere: bool = False
    """It will be powered on, and the best host for its dynamic devices is another one than its own: only DRS can move it there."""


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
    host_facts: HostFacts = HostFacts()
    vm_facts: VmFacts = VmFacts()
    skipped: bool = False
    """True when the target is skipped because of ``on_missing: skip``."""
    waits_for: frozenset[str] = frozenset()
    """Ids of the targets of this plan that are changed before this one."""

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

    def records(self) -> list[Record]:
        """All changes that will be made, in order."""
        return [change.record(target.target) for target in self.targets for change in target.effective]

    def diff(self) -> dict[str, str]:
        """The state before and after as text for ``--diff``, one line for each change."""
        rows = [(target.target, change) for target in self.targets for change in target.effective]
        return {
            "before": "".join(f"{target}  {change.subject}: {_text(change.before)}\n" for target, change in rows),
            "after": "".join(f"{target}  {change.subject}: {_text(change.after)}\n" for target, change in rows),
        }


def _text(value: Plain) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(value[key])}" for key in sorted(value))
    if isinstance(value, list | tuple):
        return ", ".join(_text(entry) for entry in value)
    return str(value)
