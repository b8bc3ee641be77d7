# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blockers that concern the VMs of a host: which of them cannot be stopped or migrated, and why. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...host.blockers import evacuation_loses_devices, evacuation_may_lose_devices
from ...planning.plan import Blocker
from ..state.observed import ClusterView, HostView, VmView
from ..state.pinned import pin_reason, pinned_vms, stays_behind
from ..state.policy import Policy


def denied_vms(view: HostView, vms: Iterable[VmView], cluster: ClusterView) -> Iterable[Blocker]:
    """If this were found only after a VM was stopped, the VM would stay off."""
    denied = view.precheck.denied if view.precheck is not None else {}
    named = [(vm.name, denied[vm.moid]) for vm in pinned_vms(vms, cluster) if vm.moid in denied]
    if named:
        missing = sorted({privilege for _unused, privileges in named for privilege in privileges})
        listed = "; ".join(f"{name} (missing privilege {', '.join(privileges)})" for name, privileges in named)
        yield Blocker(
            code="no_permission",
            message=f"{view.name} runs virtual machines that would be stopped and started, which this account may not do: {listed}",
            cure=f"Grant {', '.join(missing)} to this account on these virtual machines or a parent folder, or shut them down yourself",
        )


def unreadable_tags(view: HostView, vms: Iterable[VmView], cluster: ClusterView) -> Iterable[Blocker]:
    """One of the VMs may have a tag that says that it must never be stopped."""
    problem = view.precheck.tags_problem if view.precheck is not None else ""
    names = [vm.name for vm in pinned_vms(vms, cluster)]
    if problem and names:
        yield Blocker(
            code="tags_unreadable",
            message=f"It is unknown whether {', '.join(names)} on {view.name} may be stopped: {problem.rstrip('.')}",
            cure="The tags are read again later. Without tags, list these virtual machines in vm_order and never_stop",
        )


def unread_vms(view: HostView, vms: Iterable[VmView], cluster: ClusterView, policy: Policy) -> Iterable[Blocker]:
    """If it is unknown whether a VM is pinned, it is neither migrated nor stopped. If its journal entry is not readable, it is not
    stopped."""
    found = []
    for vm in sorted(vms, key=lambda vm: (vm.name, vm.moid)):
        concerned = vm.is_on or vm.power_state == "unknown" or policy.evacuate_powered_off
        if vm.unread and concerned and not vm.agent:
            found.append(f"{vm.name} {vm.unread}")
        elif not vm.shows_journal and vm.is_on and policy.pinned.action != "fail" and pin_reason(vm, cluster):
            found.append(
                f"{vm.name} does not show its custom attributes, where the journal would record that it was stopped"
            )
    if found:
        yield Blocker(
            code="vm_unreadable",
            message=f"It is unknown what to do with these virtual machines of {view.name}: {'; '.join(found)}",
            cure="Check that the account has System.Read on them, repair or unregister them, or shut them down yourself",
        )


def lost_devices(view: HostView, vms: Iterable[VmView], policy: Policy) -> Iterable[Blocker]:
    """VMs that are stopped for the reboot are also powered off at that time."""
    stops = policy.pinned.action != "fail"
    fixed = [vm.name for vm in vms if vm.fixed and (stops or not vm.is_on)] if policy.evacuate_powered_off else []
    if fixed:
        yield evacuation_loses_devices(view.name, fixed)


def uncertain_devices(view: HostView, vms: Iterable[VmView]) -> Iterable[Blocker]:
    """VMs that the host, or the whole inventory, shows on this host, although the fleet does not show them with their devices."""
    precheck = view.precheck
    if precheck is None:
        return
    lost = set(precheck.lost) - {vm.name for vm in vms if vm.fixed}
    if lost:
        yield evacuation_loses_devices(view.name, sorted(lost))
    if precheck.uncertain:
        yield evacuation_may_lose_devices(view.name, precheck.uncertain)


def vms_left_behind(view: HostView, vms: Iterable[VmView], cluster: ClusterView) -> Iterable[Blocker]:
    if not cluster.is_cluster:
        return
    left = [
        f"{vm.name} ({why})"
        for vm in sorted(vms, key=lambda vm: (vm.name, vm.moid))
        if vm.is_on and not pin_reason(vm, cluster) and (why := stays_behind(vm, cluster))
    ]
    if left:
        yield Blocker(
            code="vms_stay",
            message=f"These virtual machines would not be migrated away from {view.name}: {'; '.join(left)}",
            cure="Set DRS of the cluster and of these VMs to fully automated, or migrate them yourself",
        )


def _movable(vms: Iterable[VmView], cluster: ClusterView) -> list[VmView]:
    return [vm for vm in vms if vm.is_on and not vm.agent and not pin_reason(vm, cluster)]


def missing_capacity(
    view: HostView, vms: Iterable[VmView], cluster: ClusterView, others: Sequence[HostView]
) -> Iterable[Blocker]:
    """Memory only, and only as far as it is certain: DRS knows better what can be shared, swapped or migrated further."""
    moving = _movable(vms, cluster)
    rooms = [other.memory_free_mb for other in others if other.in_service] if moving else [None]
    if any(room is None for room in rooms):
        return
    free = [room for room in rooms if room is not None]
    need, room = sum(vm.memory_mb for vm in moving), sum(free)
    largest = max(moving, key=lambda vm: (vm.reserved_mb, vm.name))
    if need > room:
        what = f"its running virtual machines use {need} MB and the other hosts in service have {room} MB free"
    elif largest.reserved_mb > max(free, default=0):
        what = (
            f"{largest.name} reserves {largest.reserved_mb} MB and no other host in service has this much free memory"
        )
    else:
        return
    yield Blocker(
        code="no_capacity",
        message=f"{view.name} cannot be evacuated: {what}",
        cure="Wait until hosts are back in service, shut down VMs that are not needed, or add capacity",
    )


def refused_admission(view: HostView, cluster: ClusterView, others: Sequence[HostView]) -> Iterable[Blocker]:
    """DRS does not evacuate a host if this would violate HA admission control."""
    rule = cluster.admission
    if rule is None:
        return
    left = rule.current - (1.0 if rule.unit == "hosts" else 100.0 / (len(others) + 1))
    if left < rule.wanted:
        unit = "host failures" if rule.unit == "hosts" else "% reserved capacity"
        yield Blocker(
            code="ha_admission",
            message=f"HA admission control of {cluster.name} would not allow {view.name} to leave: {left:.0f} {unit} would be left, but "
            f"{rule.wanted:.0f} are required",
            cure="Wait until hosts are back in service, add capacity, or relax admission control temporarily",
        )


def refused_evacuation(view: HostView, vms: Iterable[VmView], cluster: ClusterView) -> Iterable[Blocker]:
    precheck = view.precheck
    if precheck is None or precheck.evacuation_faults is None:
        return
    moving = {vm.moid: vm.name for vm in _movable(vms, cluster)}
    stuck = sorted(
        (name, precheck.evacuation_faults[moid]) for moid, name in moving.items() if moid in precheck.evacuation_faults
    )
    if stuck:
        named = "; ".join(f"{name} ({why})" for name, why in stuck)
        yield Blocker(
            code="evacuation_refused",
            message=f"DRS reports that it cannot migrate these virtual machines away from {view.name}: {named}",
            cure="Resolve these reasons, or migrate or shut down these VMs yourself",
        )
    elif precheck.evacuation_refused and moving:
        yield Blocker(
            code="evacuation_refused",
            message=f"DRS reports that it would not evacuate {view.name}: {precheck.evacuation_refused}",
            cure="Resolve this reason; the host is checked again later",
        )


def no_evacuation(
    view: HostView, vms: Iterable[VmView], cluster: ClusterView, others: Sequence[HostView]
) -> Iterable[Blocker]:
    """If DRS made a dry run, its result replaces the calculation of memory and admission control."""
    if view.precheck is not None and view.precheck.evacuation_faults is not None:
        yield from refused_evacuation(view, vms, cluster)
    else:
        yield from missing_capacity(view, vms, cluster, others)
        yield from refused_admission(view, cluster, others)
