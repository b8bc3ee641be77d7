# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of devices beside fixed and dynamic ones, each with its planner. PRIVATE to the collection."""

from __future__ import annotations

from ..desired.vm import DesiredVm
from ..observed_vms import ObservedVms
from .kind_plan import KindPlan, merge_kinds


def plan_kinds(observed: ObservedVms, desired: DesiredVm) -> KindPlan:
    """The plan of one VM for all these kinds, in the order in which their changes are shown. A planner is imported where it is needed: most
    VMs have fixed and dynamic devices only."""
    plans = []
    everything = desired.all_kinds and desired.state == "exactly"
    if desired.units or everything:
        from .units import plan_units

        plans.append(plan_units(observed, desired))
    if desired.sriov_networks is not None or everything:
        from .sriov_networks import plan_sriov_networks

        plans.append(plan_sriov_networks(observed, desired))
    return merge_kinds(plans)
