# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dry run of maintenance mode: which VMs DRS would move where, and why it would leave others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from .. import data
from ..rules import maintenance
from . import host_maintenance

if TYPE_CHECKING:
    from .cluster import ClusterComputeResource
    from .host import HostSystem
    from .vm import VirtualMachine


def maintenance_advice(cluster: ClusterComputeResource, hosts: list[HostSystem]) -> Any:
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
            elif vm.is_on:
                fault = maintenance.staying_fault(residents[vm.moid], around, host.settings)
                if not (once and isinstance(fault, vim.fault.InsufficientFailoverResourcesFault)):
                    by_vm.append(data.new(cls, vm=vm.ref, fault=[fault]))
    problems = None
    if by_vm:
        problems = data.new(vim.cluster.DrsFaults, reason="hostMaint", faultsByVm=by_vm)
    return data.new(vim.cluster.EnterMaintenanceResult, recommendations=recommendations, fault=problems)


def _recommendation(vm: VirtualMachine, source: HostSystem, destination: HostSystem, number: int) -> Any:
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
