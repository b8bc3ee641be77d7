# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the planner of one kind of device contributes to the plan of a VM. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ...planning.plan import Blocker, Change, Leaving
from ..mmio import MmioDevice


@dataclass(frozen=True, kw_only=True, slots=True)
class KindPlan:
    """The changes of one VM for one kind of device, such as its vGPUs.

    All changes of a VM are one reconfiguration with the VM off: the planner of the VM adds power, memory, features and the device maximum.
    """

    detaching: tuple[Change, ...] = ()
    attaching: tuple[Change, ...] = ()
    """Devices to add, and devices to edit in place."""
    detached: frozenset[int] = frozenset()
    """Keys of the devices that are detached."""
    added: int = 0
    """The number of new devices that count toward the device maximum of the VM."""
    blockers: tuple[Blocker, ...] = ()
    warnings: tuple[str, ...] = ()
    leaving: Mapping[str, Leaving] = field(default_factory=dict)
    """Subject of each device that is detached → why."""
    named: frozenset[int] = frozenset()
    """Keys of the devices of a kind that the entry names. ``state: exactly`` changes only these; a warning names the others."""
    only_vgpus: bool = False
    """All devices to add are vGPUs, which allow snapshots and nested virtualization. True also when nothing is added or edited."""
    profiles: tuple[str, ...] = ()
    """The profiles of all vGPUs that the VM will have."""
    classes: tuple[str, ...] = ()
    """The DVX classes that the VM will have."""
    groups: tuple[str, ...] = ()
    """The vendor device groups that the VM will have, as far as their names are known."""
    mapped: tuple[MmioDevice, ...] = ()
    """Devices of this kind that need room in the MMIO window of the VM."""
    needs_offers: bool = False
    """What the hosts offer to VMs (profiles, groups, classes) must be read, and the VM planned again."""
    needs_details: bool = False
    """Facts that cost a call must be read for this VM, and it must be planned again."""

    @property
    def changes(self) -> bool:
        return bool(self.detaching or self.attaching)

    @property
    def adds_units(self) -> bool:
        """Whether the VM gets a vGPU, a group or a DVX device."""
        return bool(self.added and (self.profiles or self.classes))

    def with_blockers(self, more: tuple[Blocker, ...]) -> KindPlan:
        """The plan with more blockers."""
        return replace(self, blockers=(*self.blockers, *more)) if more else self


@dataclass(frozen=True, kw_only=True, slots=True)
class Supply:
    """Whether hosts have enough virtual functions for SR-IOV network adapters: VM id → blocker, and VM id → warnings."""

    blockers: Mapping[str, Blocker] = field(default_factory=dict)
    warnings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def merge_kinds(plans: Iterable[KindPlan]) -> KindPlan:
    """One plan of all kinds, in the order of ``plans``."""
    given = tuple(plans)
    return KindPlan(
        detaching=tuple(change for plan in given for change in plan.detaching),
        attaching=tuple(change for plan in given for change in plan.attaching),
        detached=frozenset().union(*(plan.detached for plan in given)),
        added=sum(plan.added for plan in given),
        blockers=tuple(blocker for plan in given for blocker in plan.blockers),
        warnings=tuple(warning for plan in given for warning in plan.warnings),
        leaving={subject: why for plan in given for subject, why in plan.leaving.items()},
        named=frozenset().union(*(plan.named for plan in given)),
        only_vgpus=all(plan.only_vgpus or not plan.attaching for plan in given),
        profiles=tuple(profile for plan in given for profile in plan.profiles),
        classes=tuple(found for plan in given for found in plan.classes),
        groups=tuple(name for plan in given for name in plan.groups),
        mapped=tuple(device for plan in given for device in plan.mapped),
        needs_offers=any(plan.needs_offers for plan in given),
        needs_details=any(plan.needs_details for plan in given),
    )
