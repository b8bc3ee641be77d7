# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of devices beside fixed and dynamic ones, each with its planner. PRIVATE to the collection."""

from __future__ import annotations

from ...observed.vms import DvxBacking, VgpuBacking, Vm
from ..desired.vm import DesiredVm
from ..observed_vms import ObservedVms
from .kind_plan import KindPlan, merge_kinds


def _unnamed_units(vm: Vm) -> KindPlan:
    """The vGPUs, DVX devices and groups of a VM whose entry names none: they stay, and a host must have them free when the VM is powered
    on."""
    backings = [device.backing for device in vm.devices]
    instances = {device.group_instance for device in vm.devices}
    return KindPlan(
        profiles=tuple(sorted(one.profile for one in backings if isinstance(one, VgpuBacking))),
        classes=tuple(sorted(one.device_class for one in backings if isinstance(one, DvxBacking))),
        groups=tuple(sorted(name for key, name in vm.device_groups.items() if name and key in instances)),
    )


def plan_kinds(observed: ObservedVms, desired: DesiredVm) -> KindPlan:
    """The plan of one VM for all these kinds, in the order in which their changes are shown. A planner is imported where it is needed: most
    VMs have fixed and dynamic devices only."""
    plans = []
    everything = desired.all_kinds and desired.state == "exactly"
    if desired.units or everything:
        from .units import plan_units

        plans.append(plan_units(observed, desired))
    else:
        plans.append(_unnamed_units(observed.vm(desired.moid)))
    if desired.sriov_networks is not None or everything:
        from .sriov_networks import plan_sriov_networks

        plans.append(plan_sriov_networks(observed, desired))
    return merge_kinds(plans)
