# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What DRS recommends: which VMs would leave a host for maintenance mode, and where a VM in manual mode may be started."""

from __future__ import annotations

from typing import Any

from pyVmomi import vim, vmodl

from ...api import data
from ...rules import maintenance
from ..host import maintenance as host_maintenance
from ..host.state import HostState
from ..vm.state import VmState
from .state import ClusterState


def maintenance_advice(cluster: ClusterState, hosts: list[HostState]) -> Any:
    """Build ClusterEnterMaintenanceResult. Raises NotSupported without DRS (API reference: DRS clusters only)."""
    if not cluster.drs_enabled:
        raise vmodl.fault.NotSupported()
    recommendations: list[Any] = []
    by_vm: list[Any] = []
    cls = vim.cluster.DrsFaults.FaultsByVm
    for host in hosts:
        around = host_maintenance.cluster_of(host, but=hosts)
        residents = {vm.moid: host_maintenance.resident(vm) for vm in host.vms}
        plan = maintenance.recommended(residents.values(), around, host.settings)
        once = not around.admitted and host.settings.dry_run_failover == "once"
        if once and any(item.powered_on for item in residents.values()):
            by_vm.append(data.new(cls, fault=[maintenance.failover_fault()]))
        for vm in host.vms:
            if vm.moid in plan:
                recommendations.append(_recommendation(vm, host, cluster.sim.obj(plan[vm.moid]), len(recommendations)))
            elif vm.is_on and not residents[vm.moid].evacuation:
                fault = maintenance.staying_fault(residents[vm.moid], around, host.settings)
                if not (once and isinstance(fault, vim.fault.InsufficientFailoverResourcesFault)):
                    by_vm.append(data.new(cls, vm=vm.ref, fault=[fault]))
    problems = None
    if by_vm:
        problems = data.new(vim.cluster.DrsFaults, reason="hostMaint", faultsByVm=by_vm)
    return data.new(vim.cluster.EnterMaintenanceResult, recommendations=recommendations, fault=problems)


HOSTS = 5
"""Most hosts recommended for one VM: ratings go from 5 to 1 (API reference, ClusterRecommendation.rating)."""


def placement_advice(vm: VmState, hosts: list[HostState]) -> list[Any]:
    """Recommend hosts for a VM that was to be started, best first; they wait in the cluster until an administrator applies one."""
    cluster: Any = vm.host.up
    made = []
    for place, host in enumerate(hosts[:HOSTS]):
        action = data.new(
            vim.cluster.InitialPlacementAction,
            type="InitialPlacementV1",
            target=vm.ref,
            targetHost=host.ref,
            pool=vm.props["resourcePool"],
        )
        made.append(
            data.new(
                vim.cluster.Recommendation,
                key=cluster.next_recommendation(),
                type="V1",
                time=vm.sim.clock.now(),
                rating=HOSTS - place,
                reason="powerOnVm",
                reasonText="Power on virtual machine",
                action=[action],
                target=vm.ref,
            )
        )
    cluster.recommend(vm, made)
    return made


def _recommendation(vm: VmState, source: HostState, destination: HostState, number: int) -> Any:
    now = vm.sim.clock.now()
    move = data.new(
        vim.cluster.DrsMigration,
        key=str(number),
        time=now,
        vm=vm.ref,
        source=source.ref,
        destination=destination.ref,
    )
    action = data.new(vim.cluster.MigrationAction, type="MigrationV1", target=vm.ref, drsMigration=move)
    return data.new(
        vim.cluster.Recommendation,
        key=str(number),
        type="V1",
        time=now,
        rating=5,
        reason="hostMaint",
        reasonText="Host is entering maintenance mode",
        action=[action],
        target=destination.ref,
    )
