# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of devices beside fixed and dynamic ones, each with its planner. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable

from ..desired import DesiredVm
from ..observed_vms import ObservedVms
from .kind_plan import KindPlan, merge_kinds


def _plan_units(observed: ObservedVms, desired: DesiredVm) -> KindPlan:
    """vGPUs, groups and DVX devices. Their planner is imported only for a VM that names them."""
    if not (desired.units or (desired.all_kinds and desired.state == "exactly")):
        return KindPlan()
    from .units import plan_units

    return plan_units(observed, desired)


KINDS: tuple[Callable[[ObservedVms, DesiredVm], KindPlan], ...] = (_plan_units,)
"""The planners, in the order in which their changes are shown."""


def plan_kinds(observed: ObservedVms, desired: DesiredVm) -> KindPlan:
    """The plan of one VM for all these kinds."""
    return merge_kinds(planner(observed, desired) for planner in KINDS)
