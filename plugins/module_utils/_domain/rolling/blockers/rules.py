# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blockers: what blocks a rolling reboot of a host, and what blocks host_maintenance. PRIVATE to the collection.

``RULES`` is the whole table. The rules are applied in its order. ``quick_blockers`` use what is already known of every host,
``precheck_blockers`` what is read from the server right before a host is started. Each blocker says what blocks and how to resolve it. A
blocked host does not count against the budget and is checked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from ...planning.plan import Blocker
from ..state.observed import ClusterView, HostView, VmView
from ..state.pinned import pinned_blockers
from ..state.policy import Goal, Policy
from . import host_blockers, vm_blockers

Stage = Literal["first", "host", "vms", "precheck", "precheck of vms"]
"""When a rule is applied. Of those in ``first``, only the first one that finds something counts. Rules of VMs are not applied to a host in
maintenance mode, and those of a precheck only after one."""

TRANSIENT = frozenset({"vsan_resync", "vsan_objects", "task_running", "remediation_running", "tags_unreadable"})
"""Codes of blockers that usually disappear without action: for example vSAN resynchronizes after a host was away."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A host that is to be started. ``vms``: those that are registered on it; ``others``: the other hosts of its cluster."""

    view: HostView
    vms: Sequence[VmView]
    cluster: ClusterView
    others: Sequence[HostView]
    policy: Policy


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockerRule:
    """``codes``: of the blockers that it finds; ``what``: what blocks, as a clause for the table in the documentation."""

    stage: Stage
    goals: frozenset[Goal]
    codes: tuple[str, ...]
    what: str
    find: Callable[[Candidate], Iterable[Blocker]]


def quick_blockers(
    view: HostView, vms: Sequence[VmView], cluster: ClusterView, others: Sequence[HostView], policy: Policy
) -> tuple[Blocker, ...]:
    """``vms``: those that are registered on the host; ``others``: the other hosts of its cluster."""
    candidate = Candidate(view=view, vms=vms, cluster=cluster, others=others, policy=policy)
    first = next((found for rule in _rules(policy.goal, "first") if (found := tuple(rule.find(candidate)))), ())
    if first:
        return first
    return _apply(candidate, *(("host",) if view.in_maintenance else ("host", "vms")))


def precheck_blockers(
    view: HostView, vms: Sequence[VmView], cluster: ClusterView, others: Sequence[HostView], policy: Policy
) -> tuple[Blocker, ...]:
    """Empty without a precheck."""
    if view.precheck is None:
        return ()
    candidate = Candidate(view=view, vms=vms, cluster=cluster, others=others, policy=policy)
    return _apply(candidate, *(("precheck",) if view.in_maintenance else ("precheck", "precheck of vms")))


@cache
def _rules(goal: Goal, *stages: Stage) -> tuple[BlockerRule, ...]:
    return tuple(rule for rule in RULES if rule.stage in stages and goal in rule.goals)


def _apply(candidate: Candidate, *stages: Stage) -> tuple[Blocker, ...]:
    return tuple(blocker for rule in _rules(candidate.policy.goal, *stages) for blocker in rule.find(candidate))


# -- the table ------------------------------------------------------------------------------------------------------

_REBOOT: frozenset[Goal] = frozenset({"reboot"})
_ENTER: frozenset[Goal] = frozenset({"enter"})
_LEAVE: frozenset[Goal] = frozenset({"leave"})


def _rule(
    stage: Stage, goals: frozenset[Goal], codes: str, what: str, find: Callable[[Candidate], Iterable[Blocker]]
) -> BlockerRule:
    return BlockerRule(stage=stage, goals=goals, codes=tuple(codes.split()), what=what, find=find)


RULES: tuple[BlockerRule, ...] = (
    _rule(
        "first",
        _REBOOT | _ENTER | _LEAVE,
        "host_unreachable",
        "the host is not connected, or does not show its state",
        lambda c: host_blockers.unreachable_host(c.view),
    ),
    _rule(
        "first",
        _REBOOT | _ENTER | _LEAVE,
        "journal_unreadable",
        "a journal value of the host, or of a VM on it, was changed or truncated",
        lambda c: host_blockers.unreadable_journal(c.view, c.vms, c.cluster),
    ),
    _rule(
        "first",
        _REBOOT,
        "maintenance_by_other",
        "another user put the host into maintenance mode, or `host_maintenance` did; `operator_maintenance: use` allows it",
        lambda c: host_blockers.maintenance_of_others(c.view, c.policy),
    ),
    _rule(
        "first",
        _ENTER,
        "maintenance_by_other",
        "a rolling reboot is working on the host, or another user is putting it into maintenance mode",
        lambda c: host_blockers.in_progress_elsewhere(c.view),
    ),
    _rule(
        "first",
        _LEAVE,
        "maintenance_by_other",
        "another user put the host into maintenance mode; `operator_maintenance: end` allows it",
        lambda c: host_blockers.kept_by_other(c.view, c.policy),
    ),
    _rule(
        "host",
        _REBOOT,
        "reboot_unsupported no_bmc",
        "the host reports that it cannot be rebooted, or could not be powered on again (`method: power_cycle`)",
        lambda c: host_blockers.unsupported_reboot(c.view, c.policy),
    ),
    _rule(
        "host",
        _ENTER,
        "maintenance_unsupported",
        "the host reports that it cannot enter maintenance mode",
        lambda c: host_blockers.unsupported_maintenance(c.view),
    ),
    _rule(
        "host",
        _REBOOT | _ENTER,
        "task_running",
        "other tasks are running on the host",
        lambda c: host_blockers.running_tasks(c.view),
    ),
    _rule(
        "host",
        _REBOOT,
        "remediation_running",
        "the lifecycle manager is working on the cluster",
        lambda c: host_blockers.remediation(c.cluster),
    ),
    _rule(
        "host",
        _REBOOT,
        "red_alarms",
        "the host or its cluster has red alarms",
        lambda c: host_blockers.red_alarms(c.view, c.cluster, c.policy),
    ),
    _rule(
        "host",
        _REBOOT,
        "quick_boot",
        "the reboot may skip the firmware although `full_post` is set",
        lambda c: host_blockers.quick_boot(c.view, c.policy),
    ),
    _rule(
        "host",
        _REBOOT,
        "stale_setting",
        "the host is configured to pass through devices that it no longer offers",
        lambda c: host_blockers.stale_settings(c.view),
    ),
    _rule(
        "host",
        _REBOOT,
        "not_as_desired",
        "a desired device is not enabled: the verification after the reboot would fail",
        lambda c: host_blockers.not_as_desired(c.view),
    ),
    _rule(
        "vms",
        _REBOOT | _ENTER,
        "vm_unreadable",
        "it is unknown whether a VM is pinned or runs, or its journal entry would be lost",
        lambda c: vm_blockers.unread_vms(c.view, c.vms, c.cluster, c.policy),
    ),
    _rule(
        "vms",
        _REBOOT | _ENTER,
        "never_stop pinned_vms tools_not_running",
        "a running VM is pinned (see below), and the options do not allow to shut it down, or its guest cannot be shut down",
        lambda c: pinned_blockers(c.view, c.vms, c.cluster, c.policy.pinned, c.policy.purpose),
    ),
    _rule(
        "vms",
        _REBOOT | _ENTER,
        "evacuation_loses_devices",
        "`evacuate_powered_off` would register a VM with a fixed device on another host",
        lambda c: vm_blockers.lost_devices(c.view, c.vms, c.policy),
    ),
    _rule(
        "vms",
        _REBOOT,
        "vms_stay",
        "DRS does not migrate a VM that could be migrated (`host_maintenance` warns, and waits until it is migrated)",
        lambda c: vm_blockers.vms_left_behind(c.view, c.vms, c.cluster),
    ),
    _rule(
        "precheck",
        _REBOOT,
        "reboot_takes_protected",
        "the reboot would take a device from the host that it depends on",
        lambda c: host_blockers.takes_protected(c.view),
    ),
    _rule(
        "precheck of vms",
        _REBOOT | _ENTER,
        "no_permission",
        "this account may not stop and start a pinned VM",
        lambda c: vm_blockers.denied_vms(c.view, c.vms, c.cluster),
    ),
    _rule(
        "precheck of vms",
        _REBOOT | _ENTER,
        "evacuation_loses_devices holders_unknown",
        "`evacuate_powered_off`, and the devices or the host of a VM are unknown, or the VM is shown only by the whole inventory",
        lambda c: vm_blockers.uncertain_devices(c.view, c.vms),
    ),
    _rule(
        "precheck of vms",
        _REBOOT,
        "tags_unreadable",
        "the tags that show which VMs must not be stopped cannot be read",
        lambda c: vm_blockers.unreadable_tags(c.view, c.vms, c.cluster),
    ),
    _rule(
        "precheck",
        _REBOOT,
        "vsan_objects vsan_resync",
        "vSAN has objects without redundancy, or resynchronizes",
        lambda c: host_blockers.vsan_state(c.view, c.cluster),
    ),
    _rule(
        "precheck of vms",
        _REBOOT,
        "evacuation_refused no_capacity ha_admission",
        "DRS reports that it cannot evacuate the host; or without DRS, memory or HA admission control do not allow it",
        lambda c: vm_blockers.no_evacuation(c.view, c.vms, c.cluster, c.others),
    ),
)
