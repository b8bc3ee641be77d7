# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hardware version of a VM allows of vGPUs, groups and DVX devices. PRIVATE to the collection.

The numbers come from the server (``QueryConfigOptionEx``), as the maximum of all passthrough devices does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...observed.vms import Vm
from ...planning.plan import Blocker
from ..desired.units import DesiredUnit
from ..offers import KindLimits
from .held_units import HeldUnit
from .kind_plan import KindPlan

_WORDS = {"vgpu": "a vGPU", "group": "a vendor device group", "dvx": "a DVX device"}


def limit_blockers(
    vm: Vm,
    limits: KindLimits | None,
    plan: KindPlan,
    missing: Sequence[DesiredUnit],
    held: Sequence[HeldUnit],
    leaving: Sequence[HeldUnit],
) -> tuple[Blocker, ...]:
    """Why the hardware version of a VM does not allow the units of a plan. Without limits (the server does not say) nothing is refused."""
    if limits is None:
        return ()
    new = list(dict.fromkeys(entry.kind for entry in missing))
    blockers = [
        _hardware_version(vm, kind)
        for kind in new
        if (kind == "group" and not limits.groups) or (kind != "group" and kind not in limits.backings)
    ]
    if blockers:
        return tuple(blockers)
    staying = [unit for unit in held if unit.kind == "group" and unit not in leaving]
    groups = len(staying) + sum(1 for entry in missing if entry.kind == "group")
    counts = [
        ("vGPUs", len(plan.profiles), limits.vgpus, any(kind in ("vgpu", "group") for kind in new)),
        ("vendor device groups", groups, limits.groups, "group" in new),
    ]
    return tuple(_exceeded(vm, counts))


def _exceeded(vm: Vm, counts: Iterable[tuple[str, int, int | None, bool]]) -> Iterable[Blocker]:
    for words, count, most, counted in counts:
        if counted and most is not None and count > most:
            yield Blocker(
                code="too_many_devices",
                message=f"{vm.name} would have {count} {words}, but its host allows {most} with hardware version {vm.hardware_version}",
                cure="Reduce the number, or upgrade the VM's hardware version if the newer one allows more",
            )


def _hardware_version(vm: Vm, kind: str) -> Blocker:
    return Blocker(
        code="hardware_version",
        message=f"{vm.name} has hardware version {vm.hardware_version}, with which its host gives a VM no {_WORDS[kind].split(' ', 1)[1]}",
        cure="Set minimum_hardware_version, such as 20, which upgrades the VM while it is off. An upgrade cannot be reverted",
    )
