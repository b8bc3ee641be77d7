# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of devices beside fixed and dynamic ones, each with its planner. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable

from ..desired import DesiredVm
from ..observed_vms import ObservedVms
from .kind_plan import KindPlan, merge_kinds

KINDS: tuple[Callable[[ObservedVms, DesiredVm], KindPlan], ...] = ()
"""The planners, in the order in which their changes are shown."""


def plan_kinds(observed: ObservedVms, desired: DesiredVm) -> KindPlan:
    """The plan of one VM for all these kinds."""
    return merge_kinds(planner(observed, desired) for planner in KINDS)
