# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blockers that concern a host itself: its state, its tasks and who works on it. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable

from ...host.blockers import unreachable
from ...host.reboot_verification import Foreseen, foresee
from ...planning.plan import Blocker
from ...suggest import matches
from ...timestamps import on_day
from ..state.journal import Entry, is_active
from ..state.observed import ClusterView, HostView, VmView
from ..state.policy import Policy


def is_maintained(view: HostView) -> bool:
    """host_maintenance put the host into its present maintenance mode, as far as journal and event log show."""
    entry = view.entry
    return entry is not None and entry.step not in ("withdrawn", "blocked") and view.maintenance_is_own is not False


def unreachable_host(view: HostView) -> Iterable[Blocker]:
    if not view.host.is_reachable:
        yield unreachable(view.host)


def kept_by_other(view: HostView, policy: Policy) -> Iterable[Blocker]:
    if view.in_maintenance and not is_maintained(view) and policy.operator_maintenance != "end":
        yield Blocker(
            code="maintenance_by_other",
            message=f"{view.name} was put into maintenance mode by another user, so it stays in maintenance mode",
            cure="Set operator_maintenance: end to end it nevertheless",
        )


def takes_protected(view: HostView) -> Iterable[Blocker]:
    for sentence in view.precheck.protected if view.precheck is not None else ():
        yield Blocker(
            code="reboot_takes_protected",
            message=sentence,
            cure="Disable passthrough of this device first (host_passthrough with state: disabled), or name it in allow_protected",
        )


def unreadable_journal(view: HostView, vms: Iterable[VmView], cluster: ClusterView) -> tuple[Blocker, ...]:
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


def in_progress_elsewhere(view: HostView) -> tuple[Blocker, ...]:
    """For host_maintenance: a rolling reboot is working on the host, or another user is putting it into maintenance mode."""
    other, own = view.other_entry, view.entry
    if is_active(other) and other is not None:
        message = f"A rolling reboot is working on {view.name} since {on_day(other.started)} ({other.step})"
        cure = "Wait until it is done with this host. If it was interrupted, run it again first"
    elif view.entering and not (is_active(own) and view.maintenance_is_own is not False):
        message = f"Another user is putting {view.name} into maintenance mode"
        cure = "Wait until this has ended, or cancel it, and run this again"
    else:
        return ()
    return (Blocker(code="maintenance_by_other", message=message, cure=cure),)


def maintenance_of_others(view: HostView, policy: Policy) -> tuple[Blocker, ...]:
    other = view.other_entry
    if other is not None and is_active(other) and not (other.step == "draining" and view.in_maintenance):
        return (
            Blocker(
                code="maintenance_by_other",
                message=f"host_maintenance is working on {view.name}{_requested(other)} ({other.step})",
                cure="Wait until it has ended. If it was interrupted, run it again, or with state: absent",
            ),
        )
    if other is not None and view.in_maintenance and policy.operator_maintenance == "block":
        return (
            Blocker(
                code="maintenance_by_other",
                message=f"{view.name} is in maintenance mode for work on its hardware{_requested(other)}",
                cure="Return it to service (host_maintenance with state: absent). Or set operator_maintenance: use, then the host is "
                "rebooted and stays in maintenance mode",
            ),
        )
    if view.entering:
        message = f"Another user is putting {view.name} into maintenance mode"
    elif view.in_maintenance and policy.operator_maintenance == "block":
        message = f"Another user put {view.name} into maintenance mode"
    else:
        return ()
    cure = "End the maintenance mode. Or set operator_maintenance: use, then the host is rebooted and stays in maintenance mode"
    return (Blocker(code="maintenance_by_other", message=message, cure=cure),)


def _requested(entry: Entry) -> str:
    """`` by ACCOUNT since DAY``, as far as it is known."""
    by = f" by {entry.account}" if entry.account else ""
    return f"{by} since {on_day(entry.started)}" if entry.started else by


def unsupported_maintenance(view: HostView) -> Iterable[Blocker]:
    if not view.host.capabilities.maintenance_mode:
        yield Blocker(
            code="maintenance_unsupported",
            message=f"{view.name} does not support maintenance mode (host.capability.maintenanceModeSupported)",
            cure="Shut down its virtual machines and then the host manually",
        )


def unsupported_reboot(view: HostView, policy: Policy) -> Iterable[Blocker]:
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


def running_tasks(view: HostView) -> Iterable[Blocker]:
    if view.tasks or view.rebooting:
        names = ", ".join(sorted({*view.tasks, *(["reboot or shutdown"] if view.rebooting else [])}))
        yield Blocker(
            code="task_running",
            message=f"Other tasks are in progress on {view.name}: {names}",
            cure="The host is checked again later. Cancel the task if it hangs",
        )


def remediation(cluster: ClusterView) -> Iterable[Blocker]:
    if cluster.remediation:
        yield Blocker(
            code="remediation_running",
            message=f"The lifecycle manager is working on {cluster.name}: {cluster.remediation}",
            cure="Wait until it has finished: both would reboot hosts",
        )


def red_alarms(view: HostView, cluster: ClusterView, policy: Policy) -> Iterable[Blocker]:
    for name, alarms in ((view.name, view.red_alarms), (cluster.name, cluster.red_alarms)):
        red = [alarm for alarm in alarms if not any(matches(pattern, alarm) for pattern in policy.ignore_alarms)]
        if red:
            yield Blocker(
                code="red_alarms",
                message=f"{name} has red alarms: {', '.join(sorted(red))}",
                cure="Resolve or acknowledge them, or list them in ignore_alarms",
            )


def quick_boot(view: HostView, policy: Policy) -> Iterable[Blocker]:
    if policy.full_post and policy.method == "reboot" and view.quick_boot:
        yield Blocker(
            code="quick_boot",
            message=f"{view.name} may reboot with Quick Boot, which skips the firmware: the host supports it, and the API does not "
            "show whether it is enabled",
            cure="Check on the host (loadESXEnable -s). If it is disabled, set full_post: false. Or set method: power_cycle",
        )


def stale_settings(view: HostView) -> Iterable[Blocker]:
    """The verification after the reboot would fail, and no reboot changes that. So report it before VMs are migrated or stopped."""
    stale = [device.describe() for device in view.host.devices if device.state == "stale"]
    lost = [device.describe() for device in view.host.candidates() if device.is_lost_at_reboot]
    if stale:
        yield Blocker(
            code="stale_setting",
            message=f"{view.name} is configured to pass through devices that it no longer offers: {'; '.join(stale)}",
            cure="Disable passthrough of these devices first (host_passthrough with state: disabled). No reboot makes it take effect",
        )
    if lost:
        yield Blocker(
            code="stale_setting",
            message=f"{view.name} still passes through devices that it no longer offers, and would not do so after the reboot: "
            f"{'; '.join(lost)}",
            cure="Check its IOMMU (VT-d, AMD-Vi) in the firmware and the ACS check (KB 391460). Or disable passthrough of these devices "
            "first (host_passthrough with state: disabled)",
        )


def foreseen_failure(view: HostView) -> Foreseen:
    """What the verification after the reboot would find. Nothing where a planned change is going to change the devices."""
    if view.expected_reboot is not None or view.expects_settled:
        return Foreseen()
    return foresee(view.host, view.desired_devices, skips_missing=view.skips_missing)


def not_as_desired(view: HostView) -> Iterable[Blocker]:
    """The verification after the reboot would fail, and no reboot changes that: the host would stay in maintenance mode."""
    sentences = foreseen_failure(view).certain
    if sentences:
        yield Blocker(
            code="not_as_desired",
            message=f"The verification after the reboot would fail: {' '.join(sentences)}".rstrip("."),
            cure="Enable the devices first (host_passthrough), or take them out of devices",
        )


def vsan_state(view: HostView, cluster: ClusterView) -> Iterable[Blocker]:
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
