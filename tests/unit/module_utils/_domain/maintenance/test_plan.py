# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What host_maintenance would change, what blocks it, and what it warns of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.maintenance.plan import plan_maintenance
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import HostCapabilities
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.plan import TargetPlan
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.fleet_index import index_fleet
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import Garbage
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import (
    ClusterView,
    HostView,
    Precheck,
    VmView,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import (
    Deadlines,
    Pinned,
    Policy,
)
from tests.unit.module_utils._domain.rolling.builders import NOW, cluster, entry, host, observed, pinned, vm, vm_entry

ENTER = Policy(goal="enter", pinned=Pinned(action="shutdown_then_power_off"))
LEAVE = Policy(goal="leave")
EVACUATE = replace(ENTER, evacuate_powered_off=True)
HELD = entry("maintenance", purpose="maintenance", account="ops@lab", drained=60.0)
STOPPED = vm_entry(purpose="maintenance")


def planned(view: HostView, policy: Policy, *vms: VmView, of: ClusterView | None = None) -> TargetPlan:
    fleet = index_fleet(observed(view, vms=vms, clusters=[of or cluster(lock=None)]), policy, NOW)
    (target,) = plan_maintenance(fleet, [view.moid]).targets
    return target


def changes(target: TargetPlan) -> list[tuple[str, str]]:
    return [(change.kind, change.subject) for change in target.changes]


@pytest.mark.parametrize(
    ("view", "policy", "vms", "code", "said"),
    [
        (host(connection_state="notResponding"), ENTER, (), "host_unreachable", "esx-1 is notResponding"),
        (
            host(capabilities=HostCapabilities(maintenance_mode=False)),
            ENTER,
            (),
            "maintenance_unsupported",
            "esx-1 does not support maintenance mode",
        ),
        (host(tasks=("vm.migrate", "scan")), ENTER, (), "task_running", "in progress on esx-1: scan, vm.migrate"),
        (host(entering=True), ENTER, (), "maintenance_by_other", "Another user is putting esx-1"),
        (
            host(other_entry=entry("draining")),
            ENTER,
            (),
            "maintenance_by_other",
            "A rolling reboot is working on esx-1 since 2026-02-02",
        ),
        (
            host(garbage=(Garbage(attribute="directpath.maintenance", text="?"),)),
            ENTER,
            (),
            "journal_unreadable",
            "directpath.maintenance on esx-1",
        ),
        (host(), Policy(goal="enter"), (pinned(),), "pinned_vms", "gpu-vm (it holds PCI device 0)"),
        (
            host(),
            Policy(goal="enter"),
            (vm("db", host_media=("CD/DVD drive 1",)),),
            "pinned_vms",
            "db (CD/DVD drive 1 is connected to its host or to a client)",
        ),
        (host(), Policy(goal="enter"), (vm("db", local_datastores=("local",)),), "pinned_vms", "db (it is on local"),
        (host(), ENTER, (pinned(never_stop=True),), "never_stop", "gpu-vm"),
        (
            host(),
            replace(ENTER, pinned=Pinned(action="shutdown")),
            (pinned(tools_running=False),),
            "tools_not_running",
            "gpu-vm",
        ),
        (host(), ENTER, (vm(unread="does not show its devices"),), "vm_unreadable", "vm-1 does not show its devices"),
        (
            host(),
            EVACUATE,
            (pinned("off", power_state="poweredOff"), vm("web", power_state="poweredOff")),
            "evacuation_loses_devices",
            "evacuate_powered_off would register off on other hosts",
        ),
        (host(), EVACUATE, (pinned(),), "evacuation_loses_devices", "would register gpu-vm on other hosts"),
        (
            host(precheck=Precheck(at=NOW, denied={"gpu-vm": ("VirtualMachine.Interact.PowerOn",)})),
            ENTER,
            (pinned(),),
            "no_permission",
            "gpu-vm (missing privilege VirtualMachine.Interact.PowerOn)",
        ),
        (host(in_maintenance_mode=True), LEAVE, (), "maintenance_by_other", "so it stays in maintenance mode"),
        (
            host(in_maintenance_mode=True, entry=HELD, maintenance_is_own=False),
            LEAVE,
            (),
            "maintenance_by_other",
            "so it stays in maintenance mode",
        ),
        (host(connection_state="disconnected", entry=HELD), LEAVE, (), "host_unreachable", "esx-1 is disconnected"),
    ],
)
def test_what_blocks(view: HostView, policy: Policy, vms: tuple[VmView, ...], code: str, said: str) -> None:
    target = planned(view, policy, *vms)
    assert [blocker.code for blocker in target.blockers] == [code]
    assert said in target.blockers[0].message
    assert target.blockers[0].cure
    assert target.effective == ()


@pytest.mark.parametrize(
    ("view", "of"),
    [
        (host(red_alarms=("Host hardware",)), None),
        (host(capabilities=HostCapabilities(reboot=False)), None),
        (host(), cluster(lock=None, remediation="remediate")),
        (host(other_entry=entry("failed")), None),
        (host(other_entry=entry("done")), None),
    ],
)
def test_what_blocks_a_rolling_reboot_only(view: HostView, of: ClusterView | None) -> None:
    target = planned(view, ENTER, of=of)
    assert target.blockers == ()
    assert changes(target) == [("enter_maintenance", "maintenance mode")]


def test_all_blockers_are_listed_at_once() -> None:
    view = host(capabilities=HostCapabilities(maintenance_mode=False), tasks=("x",))
    policy = Policy(goal="enter", evacuate_powered_off=True)
    target = planned(view, policy, pinned(), pinned("off", power_state="poweredOff"))
    assert [blocker.code for blocker in target.blockers] == [
        "maintenance_unsupported",
        "task_running",
        "pinned_vms",
        "evacuation_loses_devices",
    ]


def test_pinned_vms_are_stopped_in_their_order() -> None:
    target = planned(host(), ENTER, pinned("b", order=1), pinned("c"), pinned("a", order=1), vm("web"))
    assert changes(target) == [
        ("shutdown", "c"),
        ("shutdown", "a"),
        ("shutdown", "b"),
        ("enter_maintenance", "maintenance mode"),
    ]


@pytest.mark.parametrize(
    ("view", "warned"),
    [
        (host(in_maintenance_mode=True, entry=HELD), False),
        (host(in_maintenance_mode=True, entry=replace(HELD, step="draining")), False),
        (host(in_maintenance_mode=True), True),
        (host(in_maintenance_mode=True, entry=HELD, maintenance_is_own=False), True),
    ],
)
def test_a_host_that_is_in_maintenance_mode_stays_in_it(view: HostView, warned: bool) -> None:
    target = planned(view, ENTER, pinned())
    assert (target.changes, target.blockers) == ((), ())
    assert bool(target.warnings) == warned


def test_the_return_to_service_undoes_what_was_done() -> None:
    off: dict[str, Any] = {"power_state": "poweredOff"}
    vms = (
        pinned("any", fixed=False, entry=STOPPED, **off),
        pinned("fixed", entry=STOPPED, **off),
        pinned("first", entry=replace(STOPPED, rank=10), **off),
        pinned("runs", entry=STOPPED),
        pinned("other", entry=replace(STOPPED, host="esx-2"), **off),
        pinned("was off", **off),
    )
    view, other = host(in_maintenance_mode=True, entry=HELD), host("esx-2")
    fleet = index_fleet(observed(view, other, vms=vms, clusters=[cluster(lock=None)]), LEAVE, NOW)
    (target,) = plan_maintenance(fleet, [view.moid]).targets
    assert changes(target) == [
        ("exit_maintenance", "maintenance mode"),
        ("forget", "mark of the host"),
        ("power_on", "first"),
        ("forget", "mark of first"),
        ("power_on", "fixed"),
        ("forget", "mark of fixed"),
        ("forget", "mark of runs"),
        ("power_on", "any"),
        ("forget", "mark of any"),
    ]
    later = planned(view, replace(LEAVE, start_vms=False), *vms)
    assert changes(later) == [("exit_maintenance", "maintenance mode"), ("forget", "mark of the host")]


def test_the_maintenance_mode_of_another_user_is_ended_only_on_request() -> None:
    view = host(in_maintenance_mode=True)
    assert planned(view, LEAVE).effective == ()
    assert changes(planned(view, replace(LEAVE, operator_maintenance="end"))) == [
        ("exit_maintenance", "maintenance mode")
    ]


@pytest.mark.parametrize(
    ("of", "vms", "why"),
    [
        (cluster(lock=None, drs_moves_vms=None), (vm("web"),), "web (it is unknown whether DRS migrates it)"),
        (
            cluster(lock=None, drs_moves_vms=False),
            (vm("web"),),
            "web (DRS of the cluster is off or not fully automated)",
        ),
        (cluster(lock=None), (vm("web", drs_moves=False),), "web (DRS does not migrate it automatically)"),
        (cluster(lock=None, vgpu_moves=False), (vm("web", vgpu=True),), "web (it has a vGPU"),
        (cluster(lock=None), (vm("web"),), None),
        (cluster(lock=None, drs_moves_vms=False), (vm("off", power_state="poweredOff"),), None),
        (cluster(lock=None, drs_moves_vms=False), (vm("agent", agent=True),), None),
    ],
)
def test_vms_that_a_person_must_migrate_are_named(of: ClusterView, vms: tuple[VmView, ...], why: str | None) -> None:
    target = planned(host(), replace(ENTER, deadlines=Deadlines(drain=600)), *vms, of=of)
    assert target.blockers == ()
    if why is None:
        assert target.warnings == ()
    else:
        (warning,) = target.warnings
        assert warning.startswith("esx-1 waits up to 600 seconds until these virtual machines are migrated: ")
        assert why in warning
