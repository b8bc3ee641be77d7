# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes that host_maintenance makes: into maintenance mode, or back into service. PRIVATE to the collection.

Check mode reports this plan. A run makes it again from the observed state before each action (``plan_gate``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..planning.details import ChangeKind, MaintenanceStep
from ..planning.plan import Change, Plan, Shown, TargetPlan
from ..rolling.blockers.host_blockers import is_maintained
from ..rolling.blockers.rules import precheck_blockers, quick_blockers
from ..rolling.state.fleet_index import FleetIndex
from ..rolling.state.journal import is_active
from ..rolling.state.observed import ClusterView, HostView, VmView
from ..rolling.state.pinned import pin_reason, pinned_vms, stays_behind
from .host_lock import locked


def plan_maintenance(fleet: FleetIndex, hosts: Iterable[str]) -> Plan:
    """One plan for each of the hosts (ids) that still exist, sorted by name."""
    views = sorted(
        (fleet.hosts[moid] for moid in hosts if moid in fleet.hosts), key=lambda view: (view.name, view.moid)
    )
    return Plan(targets=tuple(plan_host(fleet, view) for view in views))


def plan_host(fleet: FleetIndex, view: HostView) -> TargetPlan:
    """The plan of one host, by the goal of the policy."""
    return _leave(fleet, view) if fleet.policy.goal == "leave" else _enter(fleet, view)


def _enter(fleet: FleetIndex, view: HostView) -> TargetPlan:
    vms, cluster = fleet.residents.get(view.moid, ()), fleet.cluster_of(view)
    if view.host.is_reachable and view.in_maintenance:
        warning = f"{view.name} was put into maintenance mode by another user, and only that user should end it"
        return TargetPlan(target=view.name, moid=view.moid, warnings=() if is_maintained(view) else (warning,))
    blockers = (
        *locked(fleet, view),
        *quick_blockers(view, vms, cluster, (), fleet.policy),
        *precheck_blockers(view, vms, cluster, (), fleet.policy),
    )
    if not view.host.is_reachable:
        return TargetPlan(target=view.name, moid=view.moid, blockers=blockers)
    return TargetPlan(
        target=view.name,
        moid=view.moid,
        changes=(
            *(_change("shutdown", vm.name, "poweredOn", "poweredOff") for vm in pinned_vms(vms, cluster)),
            _change("enter_maintenance", "maintenance mode", False, True),
        ),
        blockers=blockers,
        warnings=_migration_warnings(fleet, view, vms, cluster),
    )


def _migration_warnings(
    fleet: FleetIndex, view: HostView, vms: Sequence[VmView], cluster: ClusterView
) -> tuple[str, ...]:
    """A warning when running VMs must be migrated before the host enters maintenance mode and DRS may not do it."""
    if not cluster.is_cluster:
        return ()
    moving = [vm for vm in vms if vm.is_on and not vm.agent and not pin_reason(vm, cluster)]
    left = [(vm.name, stays_behind(vm, cluster) or _unknown(cluster)) for vm in moving]
    names = sorted(f"{name} ({why})" for name, why in left if why)
    if not names:
        return ()
    return (
        f"{view.name} waits up to {fleet.policy.deadlines.drain:.0f} seconds until these virtual machines are migrated: "
        f"{', '.join(names)}. Be ready to migrate them manually",
    )


def _unknown(cluster: ClusterView) -> str:
    return "it is unknown whether DRS migrates it" if cluster.drs_moves_vms is None else ""


def _leave(fleet: FleetIndex, view: HostView) -> TargetPlan:
    blockers = (*locked(fleet, view), *quick_blockers(view, (), fleet.cluster_of(view), (), fleet.policy))
    if not view.host.is_reachable:
        return TargetPlan(target=view.name, moid=view.moid, blockers=blockers)
    changes: list[Change] = []
    if view.in_maintenance or (view.entering and is_active(view.entry)):
        changes.append(_change("exit_maintenance", "maintenance mode", True, False))
    if view.entry is not None:
        changes.append(_change("forget", "mark of the host", "marked", None))
    stopped = fleet.stopped_vms.get(view.moid, ()) if fleet.policy.start_vms else ()
    for vm in sorted(stopped, key=_in_start_order):
        if not vm.is_on:
            changes.append(_change("power_on", vm.name, "poweredOff", "poweredOn"))
        changes.append(_change("forget", f"mark of {vm.name}", "marked", None))
    return TargetPlan(target=view.name, moid=view.moid, changes=tuple(changes), blockers=blockers)


def _in_start_order(vm: VmView) -> tuple[int, bool, str, str]:
    """VMs with fixed devices start first: a dynamic device takes any free device, also one that is fixed in a VM that is off."""
    return (-vm.entry.rank if vm.entry else 0, not vm.fixed, vm.name, vm.moid)


def _change(kind: ChangeKind, subject: str, before: Shown, after: Shown) -> Change:
    return Change(subject=subject, before=before, after=after, detail=MaintenanceStep(kind=kind))
