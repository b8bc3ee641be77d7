# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold for every fleet and every wish."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.passthrough import (
    DesiredPassthrough,
    needs_fabric,
    plan_passthrough,
    project,
    remaining,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.protection import (
    management_addresses,
    protections,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import Host, dependency_group
from tests.unit.module_utils._domain.strategies import cases
from tests.unit.searching import search

Case = tuple[tuple[Host, ...], DesiredPassthrough]
thorough = search()


@thorough
@given(cases())
def test_the_projected_fleet_needs_no_change(case: Case) -> None:
    fleet, desired = case
    plan = plan_passthrough(fleet, desired)
    again = plan_passthrough(project(fleet, plan), desired)
    for before, after in zip(plan.targets, again.targets, strict=True):
        if not before.blockers:
            assert (after.changes, after.blockers, after.pending) == ((), (), ())
            assert not after.host_facts.reboot_expected
    assert remaining(again).targets == ()


@pytest.mark.slow
@thorough
@given(cases())
def test_the_order_in_which_hardware_is_listed_does_not_matter(case: Case) -> None:
    fleet, desired = case
    turned = [replace(host, devices=tuple(random.sample(host.devices, len(host.devices)))) for host in reversed(fleet)]
    assert plan_passthrough(turned, desired) == plan_passthrough(fleet, desired)


@pytest.mark.slow
@thorough
@given(cases())
def test_no_protected_device_is_enabled_unless_named(case: Case) -> None:
    fleet, desired = case
    plan = plan_passthrough(fleet, desired)
    named = {tuple(entry.partition("=")[0].split("/")) for entry in desired.allow_protected}
    for host, target in zip(fleet, plan.targets, strict=True):
        enabled = {c.subject for c in target.effective if c.after["enabled"] and not c.before["enabled"]}
        if host.fabric is None:
            assert bool(enabled) <= (host.moid in needs_fabric(plan))
            continue
        reasons = protections(host)
        for address in enabled:
            assert address not in reasons or (host.name, address) in named
            assert not any(reason.hard for reason in reasons.get(address, ()))
        left = management_addresses(host)
        assert not left or left - enabled


@pytest.mark.slow
@thorough
@given(cases())
def test_groups_change_as_a_whole(case: Case) -> None:
    fleet, desired = case
    plan = plan_passthrough(fleet, desired)
    later = {host.moid: host for host in project(fleet, plan)}
    for target in plan.targets:
        if target.blockers:
            continue
        for address in target.host_facts.selected:
            group = dependency_group(later[target.moid].devices, address)
            assert {member.enabled for member in group} == {desired.state == "enabled"}
            assert {member.address for member in group} <= set(target.host_facts.selected)


@pytest.mark.slow
@thorough
@given(cases())
def test_a_person_is_told_where_and_what_to_do(case: Case) -> None:
    fleet, desired = case
    for target in plan_passthrough(fleet, desired).targets:
        for blocker in target.blockers:
            assert target.target in blocker.message
            assert blocker.cure
            assert blocker.code
        assert all(target.target in warning for warning in target.warnings)
        assert not target.blockers or not target.effective


@pytest.mark.slow
@given(cases())
@search()
def test_hosts_do_not_influence_each_other(case: Case) -> None:
    fleet, desired = case
    together = plan_passthrough(fleet, desired).targets
    apart = tuple(target for host in fleet for target in plan_passthrough([host], desired).targets)
    assert together == apart


@pytest.mark.slow
@thorough
@given(cases())
def test_writes_say_what_the_change_says(case: Case) -> None:
    fleet, desired = case
    plan = plan_passthrough(fleet, desired)
    for target in plan.targets:
        subjects = [change.subject for change in target.changes]
        assert subjects == sorted(set(subjects))
        for change in target.changes:
            write = change.detail
            assert change.before != change.after
            assert write.device.address == change.subject
            assert write.enabled is change.after["enabled"] is (desired.state == "enabled")
            assert (write.label is None) == (change.before["label"] == change.after["label"])
            moves = change.before["enabled"] != change.after["enabled"]
            again = desired.apply == "now" and write.device.requires_reboot  # its setting is as desired
            assert write.apply_now == (
                {"auto": None, "now": True, "reboot": False}[desired.apply] if moves or again else None
            )


@pytest.mark.slow
@thorough
@given(cases())
def test_a_reboot_settles_what_was_planned(case: Case) -> None:
    """Nothing on an unblocked host is pending in the projection, and a skipped host keeps its configuration."""
    fleet, desired = case
    plan = plan_passthrough(fleet, desired)
    for before, after, target in zip(fleet, project(fleet, plan), plan.targets, strict=True):
        if target.blockers:
            assert after == before
        else:
            assert after.pending == ()
        if target.skipped:
            assert [d.enabled for d in after.devices] == [d.enabled for d in before.devices]
