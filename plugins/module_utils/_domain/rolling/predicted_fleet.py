# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode: the fleet after the earlier tasks of the same play. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import replace

from ..observed.vms import FixedBacking, VgpuBacking, pinning
from ..planning.predicted import Predicted, PredictedVm
from .state.observed import ObservedFleet, VmView


def predict_fleet(observed: ObservedFleet, predicted: Predicted) -> ObservedFleet:
    """The fleet as it will be: devices of hosts, and power state, devices and reservation of VMs."""
    hosts = predicted.of_hosts(view.host for view in observed.hosts)
    return replace(
        observed,
        hosts=tuple(replace(view, host=host) for view, host in zip(observed.hosts, hosts, strict=True)),
        vms=tuple(_vm(view, predicted.vms.get(view.moid)) for view in observed.vms),
    )


def freed_vms(predicted: Predicted) -> frozenset[str]:
    """Ids of VMs that will have no device that pins them to their host."""
    return frozenset(moid for moid, vm in predicted.vms.items() if not pinning(vm.devices))


def _vm(view: VmView, found: PredictedVm | None) -> VmView:
    if found is None:
        return view
    return replace(
        view,
        power_state=found.power_state,
        devices=tuple(device.label or device.backing.kind for device in pinning(found.devices)),
        fixed=any(isinstance(device.backing, FixedBacking) for device in found.devices),
        vgpu=any(isinstance(device.backing, VgpuBacking) for device in found.devices),
        reserved_mb=found.memory.reservation_mb,
    )
