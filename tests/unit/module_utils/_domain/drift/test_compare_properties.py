# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift finds what the modules would change, over generated fleets: no more (but for what is marked as unplanned), and no less."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.commands import Commands
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.compare import (
    ObservedEndpoint,
    Plans,
    find_drift,
    make_plans,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.kinds import KINDS, Difference, status_of
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.passthrough import (
    DesiredPassthrough,
    project,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.plan import Plan
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.devices.plan import ObservedVms
from tests.unit.module_utils._domain import strategies as on_hosts
from tests.unit.module_utils._domain.vm.builders import carry_out_all
from tests.unit.module_utils._domain.vm.devices import test_plan_properties as on_vms
from tests.unit.searching import search

COMMANDS = Commands(vcenter="vc-01", arguments="-i inventory.yml")
NOTHING = DesiredPassthrough(devices={})
pytestmark = pytest.mark.slow

every = search(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@st.composite
def host_worlds(draw: st.DrawFn) -> ObservedEndpoint:
    fleet, desired = draw(on_hosts.cases())
    return ObservedEndpoint(
        vms=ObservedVms(hosts=fleet),
        hosts=replace(desired, state="enabled", apply="auto"),
        whole_fleet=draw(st.booleans()),
    )


@st.composite
def vm_worlds(draw: st.DrawFn) -> ObservedEndpoint:
    observed, desired_vms = draw(on_vms.cases())
    return ObservedEndpoint(vms=observed, hosts=NOTHING, desired_vms=desired_vms, whole_fleet=draw(st.booleans()))


def drift(observed: ObservedEndpoint) -> tuple[Plans, tuple[Difference, ...]]:
    plans = make_plans(observed)
    return plans, find_drift(observed, plans, COMMANDS)


def changes_nothing(plan: Plan) -> dict[str, bool]:
    """By target: whether a check run of the module would find nothing to do, to wait for, or to refuse."""
    return {t.moid: not (t.changes or t.blockers or t.pending) for t in plan.targets}


def planned(found: tuple[Difference, ...]) -> set[str]:
    return {difference.moid for difference in found if difference.planned}


@every
@given(host_worlds())
def test_hosts_drift_exactly_where_site_would_act_or_be_refused(observed: ObservedEndpoint) -> None:
    plans, found = drift(observed)
    in_sync = changes_nothing(plans.hosts)
    wanted = {host.moid: host for host in observed.wanted()}
    for moid, nothing_to_do in in_sync.items():
        owes = wanted[moid].is_reachable and bool(wanted[moid].pending)
        assert (moid in planned(found)) == (not nothing_to_do or owes)


@every
@given(vm_worlds())
def test_vms_drift_exactly_where_site_would_act_or_be_refused(observed: ObservedEndpoint) -> None:
    plans, found = drift(observed)
    for moid, nothing_to_do in changes_nothing(plans.vms).items():
        assert (moid in planned(found)) == (not nothing_to_do)


@every
@given(host_worlds())
def test_what_would_be_changed_or_waits_is_named_by_its_address(observed: ObservedEndpoint) -> None:
    plans, found = drift(observed)
    told = {(d.moid, d.subject) for d in found if d.planned}
    for target in plans.hosts.targets:
        for address in (*(change.subject for change in target.changes), *target.pending):
            assert (target.moid, address) in told


@every
@given(vm_worlds())
def test_each_change_of_a_vm_is_told_or_is_a_step_of_one_that_is(observed: ObservedEndpoint) -> None:
    plans, found = drift(observed)
    told = {(d.moid, d.subject) for d in found}
    for target in plans.vms.targets:
        for change in target.changes:
            if change.kind in ("detach", "memory", "extra_config", "hot_add"):
                assert (target.moid, change.subject) in told
        attaching = sum(change.kind == "attach" for change in target.changes)
        devices = [d for d in found if d.moid == target.moid and d.type == "vm" and d.planned]
        kinds = {d.kind for d in devices}
        if attaching:
            assert kinds & {"device_missing", "wrong_backing", "stale_address"}


@every
@given(host_worlds())
def test_a_host_that_does_not_answer_is_never_in_sync(observed: ObservedEndpoint) -> None:
    _plans, found = drift(observed)
    for host in observed.wanted():
        if not host.is_reachable and observed.hosts.devices.get(host.moid):
            mine = [d for d in found if d.moid == host.moid]
            assert [d.certainty for d in mine] == ["unknown"]
            assert status_of(mine) == "unknown"


@every
@given(host_worlds())
def test_a_host_that_was_brought_to_what_is_wanted_is_in_sync(observed: ObservedEndpoint) -> None:
    """But for devices that nobody asked for: those are not taken away."""
    plans, _found = drift(observed)
    after = _settled(observed, plans)
    _again, found = drift(after)
    refused = {target.moid for target in plans.hosts.targets if target.blockers}
    left = {d.kind for d in found if d.moid not in refused and d.moid in observed.hosts.devices}
    assert left <= {"extra", "stale_address"}
    assert not [d for d in found if d.moid not in refused and d.moid in observed.hosts.devices and d.planned]


def _settled(observed: ObservedEndpoint, plans: Plans) -> ObservedEndpoint:
    hosts = project(observed.vms.hosts, plans.hosts)
    return replace(observed, vms=replace(observed.vms, hosts=hosts))


@every
@given(vm_worlds())
def test_vms_that_were_brought_to_what_is_wanted_are_in_sync(observed: ObservedEndpoint) -> None:
    plans, _found = drift(observed)
    freeing = any(change.kind == "detach" for target in plans.vms.targets for change in target.changes)
    # All there are: what another VM gives back in the same run can be had by the next one only.
    assume(not (freeing and any(entry.count == "all" for desired in observed.desired_vms for entry in desired.devices)))
    after = replace(observed, vms=carry_out_all(observed.vms, plans.vms))
    _again, found = drift(after)
    # What must go along with a card may be held by a VM that gives it back in the same run: a warning says so.
    free = {
        t.moid for t in plans.vms.targets if not t.blockers and "both must be in the same VM" not in str(t.warnings)
    }
    assert not [d for d in found if d.moid in free and d.planned]


@every
@given(st.one_of(host_worlds(), vm_worlds()))
def test_every_difference_says_what_why_and_what_to_do(observed: ObservedEndpoint) -> None:
    _plans, found = drift(observed)
    for difference in found:
        assert difference.kind in KINDS
        assert difference.object
        assert difference.object in difference.cause or difference.subject in difference.cause
        assert difference.cure
        assert difference.command.startswith(("ansible-playbook directpath.vsphere.", "ansible localhost -m "))
        assert "None" not in difference.sentence()


@every
@given(host_worlds(), st.randoms(use_true_random=False))
def test_the_order_in_which_things_are_read_does_not_matter(observed: ObservedEndpoint, shuffle: object) -> None:
    _plans, found = drift(observed)
    turned = [replace(host, devices=tuple(reversed(host.devices))) for host in reversed(observed.vms.hosts)]
    _again, same = drift(replace(observed, vms=ObservedVms(hosts=tuple(turned))))
    assert same == found


def test_words() -> None:
    assert {kind.certainty for kind in KINDS.values()} == {"drift", "unknown"}
    assert len({kind.title for kind in KINDS.values()}) == len(KINDS)
