# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blockers: why a host cannot be started. PRIVATE to the collection.

``quick_blockers`` use what is already known of every host, ``precheck_blockers`` what is read from the server right before a host is
started. Each blocker says what blocks and how to resolve it. A blocked host does not count against the budget and is checked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...host.blockers import evacuation_loses_devices, unreachable
from ...plan import Blocker
from ...suggest import matches
from ..state.observed import ClusterView, HostView, VmView
from ..state.pinned import pin_reason, pinned_blockers, pinned_vms, stays_behind
from ..state.policy import Policy

TRANSIENT = frozenset({"vsan_resync", "vsan_objects", "task_running", "remediation_running", "tags_unreadable"})
"""Codes of blockers that usually disappear without action: for example vSAN resynchronizes after a host was away."""


def quick_blockers(
    view: HostView, vms: Sequence[VmView], cluster: ClusterView, others: Sequence[HostView], policy: Policy
) -> tuple[Blocker, ...]:
    """``vms``: those that are registered on the host; ``others``: the other hosts of its cluster."""
    if not view.host.is_reachable:
        return (unreachable(view.host),)
    own = _unreadable(view, vms, cluster) or _maintenance(view, policy)
    if own:
        return own
    rules = (
        *_unsupported(view, policy),
        *_tasks(view, cluster),
        *_alarms(view, cluster, policy),
        *_quick_boot(view, policy),
        *_stale(view),
    )
    if view.in_maintenance:
        return rules
    return (
        *rules,
        *_unread(view, vms, cluster, policy),
        *pinned_blockers(view, vms, cluster, policy.pinned),
        *_evacuation(view, vms, policy),
        *_stay_behind(view, vms, cluster),
    )


def precheck_blockers(
    view: HostView, vms: Sequence[VmView], cluster: ClusterView, others: Sequence[HostView]
) -> tuple[Blocker, ...]:
    """Empty without a precheck. If DRS made a dry run, its result replaces the calculation of memory and admission control."""
    precheck = view.precheck
    if precheck is None:
        return ()
    taken = tuple(
        Blocker(
            code="reboot_takes_protected",
            message=sentence,
            cure="Disable passthrough of this device first (host_passthrough with state: disabled), or name it in allow_protected",
        )
        for sentence in precheck.protected
    )
    if view.in_maintenance:
        return (*taken, *_vsan(view, cluster))
    asked = precheck.evacuation_faults is not None
    return (
        *taken,
        *_denied(view, vms, cluster),
        *_tags(view, vms, cluster),
        *_vsan(view, cluster),
        *(
            _dry_run(view, vms, cluster)
            if asked
            else (*_capacity(view, vms, cluster, others), *_admission(view, cluster, others))
        ),
    )


def _denied(view: HostView, vms: Iterable[VmView], cluster: ClusterView) -> Iterable[Blocker]:
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


def _tags(view: HostView, vms: Iterable[VmView], cluster: ClusterView) -> Iterable[Blocker]:
    """One of the VMs may have a tag that says that it must never be stopped."""
    problem = view.precheck.tags_problem if view.precheck is not None else ""
    names = [vm.name for vm in pinned_vms(vms, cluster)]
    if problem and names:
        yield Blocker(
            code="tags_unreadable",
            message=f"It is unknown whether {', '.join(names)} on {view.name} may be stopped: {problem.rstrip('.')}",
            cure="The tags are read again later. Without tags, list these virtual machines in vm_order and never_stop",
        )


def _unreadable(view: HostView, vms: Iterable[VmView], cluster: ClusterView) -> tuple[Blocker, ...]:
    garbage = [(view.name, value) for value in view.garbage]
    garbage += [(vm.name, value) for vm in vms for value in vm.garbage]
    return tuple(
        Blocker(
            code="journal_unreadable",
            message=f"The journal value {value.attribute} on {name} of {cluster.name} was changed or truncated: {value.text[:60]!r}",
            cure="Check the events of this object, correct its state, then clear the custom attribute",
        )
        for name, value in garbage
    )


def _maintenance(view: HostView, policy: Policy) -> tuple[Blocker, ...]:
    if view.entering:
        message = f"Another user is putting {view.name} into maintenance mode"
    elif view.in_maintenance and policy.operator_maintenance == "block":
        message = f"Another user put {view.name} into maintenance mode"
    else:
        return ()
    cure = "End the maintenance mode. Or set operator_maintenance: use, then the host is rebooted and stays in maintenance mode"
    return (Blocker(code="maintenance_by_other", message=message, cure=cure),)


def _unsupported(view: HostView, policy: Policy) -> Iterable[Blocker]:
    can = view.host.capabilities
    if not can.reboot or (not can.maintenance_mode and not view.in_maintenance):
        what = "be rebooted through the API" if not can.reboot else "enter maintenance mode"
        yield Blocker(
            code="reboot_unsupported",
            message=f"{view.name} reports that it cannot {what}",
            cure="Reboot it by hand (console or BMC)",
        )
    if policy.method == "power_cycle" and (view.bmc_power is None or view.bmc_problem):
        why = view.bmc_problem.rstrip(".") or f"The management controller of {view.name} is unknown or does not respond"
        yield Blocker(
            code="no_bmc",
            message=f"{view.name} could not be powered on again. {why}",
            cure="Set the address and the account of its management controller in the inventory (bmc), or set method: reboot",
        )


def _tasks(view: HostView, cluster: ClusterView) -> Iterable[Blocker]:
    if view.tasks or view.rebooting:
        names = ", ".join(sorted({*view.tasks, *(["reboot or shutdown"] if view.rebooting else [])}))
        yield Blocker(
            code="task_running",
            message=f"Other tasks are in progress on {view.name}: {names}",
            cure="The host is checked again later. Cancel the task if it hangs",
        )
    if cluster.remediation:
        yield Blocker(
            code="remediation_running",
            message=f"The lifecycle manager is working on {cluster.name}: {cluster.remediation}",
            cure="Wait until it has finished: both would reboot hosts",
        )


def _alarms(view: HostView, cluster: ClusterView, policy: Policy) -> Iterable[Blocker]:
    for name, alarms in ((view.name, view.red_alarms), (cluster.name, cluster.red_alarms)):
        red = [alarm for alarm in alarms if not any(matches(pattern, alarm) for pattern in policy.ignore_alarms)]
        if red:
            yield Blocker(
                code="red_alarms",
                message=f"{name} has red alarms: {', '.join(sorted(red))}",
                cure="Resolve or acknowledge them, or list them in ignore_alarms",
            )


def _quick_boot(view: HostView, policy: Policy) -> Iterable[Blocker]:
    if policy.full_post and policy.method == "reboot" and view.quick_boot:
        yield Blocker(
            code="quick_boot",
            message=f"{view.name} may reboot with Quick Boot, which skips the firmware: the host supports it, and the API does not "
            "show whether it is enabled",
            cure="Check on the host (loadESXEnable -s). If it is disabled, set full_post: false. Or set method: power_cycle",
        )


def _stale(view: HostView) -> Iterable[Blocker]:
    """The verification after the reboot would fail, and no reboot changes that. So report it before VMs are migrated or stopped."""
    stale = [device.describe() for device in view.host.devices if device.state == "stale"]
    if stale:
        yield Blocker(
            code="stale_setting",
            message=f"{view.name} is configured to pass through devices that it no longer offers: {'; '.join(stale)}",
            cure="Disable passthrough of these devices first (host_passthrough with state: disabled). No reboot makes it take effect",
        )


def _unread(view: HostView, vms: Iterable[VmView], cluster: ClusterView, policy: Policy) -> Iterable[Blocker]:
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


def _evacuation(view: HostView, vms: Iterable[VmView], policy: Policy) -> Iterable[Blocker]:
    """VMs that are stopped for the reboot are also powered off at that time."""
    stops = policy.pinned.action != "fail"
    fixed = [vm.name for vm in vms if vm.fixed and (stops or not vm.is_on)] if policy.evacuate_powered_off else []
    if fixed:
        yield evacuation_loses_devices(view.name, fixed)


def _stay_behind(view: HostView, vms: Iterable[VmView], cluster: ClusterView) -> Iterable[Blocker]:
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


def _capacity(
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


def _admission(view: HostView, cluster: ClusterView, others: Sequence[HostView]) -> Iterable[Blocker]:
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


def _dry_run(view: HostView, vms: Iterable[VmView], cluster: ClusterView) -> Iterable[Blocker]:
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


def _vsan(view: HostView, cluster: ClusterView) -> Iterable[Blocker]:
    precheck = view.precheck
    if not cluster.vsan or precheck is None:
        return
    if precheck.vsan_inaccessible:
        yield Blocker(
            code="vsan_objects",
            message=f"vSAN of {cluster.name} has {precheck.vsan_inaccessible} objects that are inaccessible or have no redundancy",
            cure="Resolve this first (vSAN health): another host that is down may make their data inaccessible",
        )
    if precheck.vsan_resync_mb:
        yield Blocker(
            code="vsan_resync",
            message=f"vSAN of {cluster.name} still has {precheck.vsan_resync_mb} MB to resynchronize",
            cure="The cluster is checked again later; no action is required",
        )
