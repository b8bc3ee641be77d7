# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the final plan of VMs needs beside their properties. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..._domain.observed.vms import Vm
from ..._domain.planning.plan import Plan
from ..._domain.vm.hardware_version import choose_version, upgrades_of
from ..._domain.vm.observed_vms import ObservedVms
from ..session.connect import Session
from .hardware_versions import read_hardware_versions
from .vm_limits import Options, read_options, with_options


def read_details(session: Session, observed: ObservedVms, vms: Sequence[Vm], plan: Plan) -> ObservedVms:
    """Read limits and system ids for these VMs. The limits of a VM that is upgraded are those of its new hardware version."""
    upgrades = upgrades_of(plan)
    minimums: dict[str, int] = {}
    for vm in vms:
        if vm.moid in upgrades and vm.host_moid is not None and vm.host_moid not in observed.hardware_versions:
            minimums[vm.host_moid] = min(upgrades[vm.moid], minimums.get(vm.host_moid, upgrades[vm.moid]))
    if minimums:
        versions = read_hardware_versions(session, observed.hosts, minimums)
        observed = replace(observed, hardware_versions={**observed.hardware_versions, **versions})
    have = Options(
        limits=observed.limits,
        system_ids=observed.system_ids,
        offered=observed.offered,
        kind_limits=observed.offers.limits,
    )
    options = read_options(session, [_upgraded(observed, vm, upgrades) for vm in vms], observed.hosts, have)
    return with_options(observed, options)


def _upgraded(observed: ObservedVms, vm: Vm, upgrades: Mapping[str, int]) -> Vm:
    if vm.moid not in upgrades or not vm.hardware_version:
        return vm
    offered = observed.hardware_versions.get(vm.host_moid or "")
    return replace(vm, hardware_version=choose_version(upgrades[vm.moid], offered))
