# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is planned for numbers of virtual functions: configured and in effect, for every combination of the two."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.facts import Gap, Listing
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.reboot_verification import verify_after
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host_entries.kinds import parse_host_entries
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import (
    Host,
    HostDevice,
    PhysicalNic,
    Sriov,
    Switch,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.plan import Plan, TargetPlan
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.predicted import predict_hosts
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.sriov.desired import DesiredSriov
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.sriov.plan import (
    plan_sriov,
    project_sriov,
    sriov_writes,
)
from tests.unit.module_utils._domain.strategies import A100, EMPTY_FABRIC, X710, device, host
from tests.unit.searching import search

PORT = "0000:3b:00.0"


def port(enabled: bool = False, requested: int = 0, active: bool = False, current: int = 0, **more: Any) -> HostDevice:
    sriov = Sriov(capable=True, enabled=enabled, active=active, requested=requested, current=current, maximum=64)
    return device(PORT, X710, sriov=more.pop("sriov", sriov), vmnic="vmnic4", driver="i40en", **more)


def planned(where: Host, number: int, match: Any = "8086:1572", **more: Any) -> TargetPlan:
    entry = {"vmnic": match} if match.startswith("vmnic") else {"match": match}
    entries = parse_host_entries([{**entry, "virtual_functions": number}])
    (target,) = plan_sriov([where], DesiredSriov(devices={where.moid: entries}, **more)).targets
    return target


def codes(target: TargetPlan) -> list[str]:
    return [blocker.code for blocker in target.blockers]


OFF, ON = {}, {"enabled": True, "requested": 8, "active": True, "current": 8}
LOWERED = {**ON, "requested": 4}
TURNED_OFF = {"active": True, "current": 8, "requested": 8}
"""Off, but the host keeps the number of the setting."""


@pytest.mark.parametrize(
    ("state", "number", "writes", "pending"),
    [
        (OFF, 8, [8], False),
        (OFF, 0, [], False),
        (ON, 8, [], False),
        (ON, 4, [4], False),
        (ON, 0, [0], False),
        (LOWERED, 8, [8], False),
        (LOWERED, 4, [], True),
        (TURNED_OFF, 0, [], True),
        (TURNED_OFF, 8, [8], False),
    ],
)
def test_the_configured_number_is_compared(
    state: dict[str, Any], number: int, writes: list[int], pending: bool
) -> None:
    target = planned(host(port(**state)), number)
    assert [write.virtual_functions for write in sriov_writes(target.effective)] == writes
    assert bool(target.pending) == pending


@search()
@given(
    state=st.builds(port, st.booleans(), st.integers(0, 64), st.booleans(), st.integers(0, 64)),
    number=st.integers(0, 64),
)
def test_after_the_plan_and_a_reboot_nothing_is_left(state: HostDevice, number: int) -> None:
    """Check mode predicts what a projection shows, a second run plans nothing, and the verification finds nothing."""
    where = host(state)
    target = planned(where, number)
    assert not target.blockers
    predicted = predict_hosts([where], Plan(targets=(target,)))
    (before_reboot,) = predicted.of_hosts([where])
    assert planned(before_reboot, number).effective == ()
    (after,) = project_sriov([where], Plan(targets=(target,)))
    after = replace(after, devices=tuple(one.rebooted() for one in after.devices))
    assert planned(after, number).effective == ()
    assert not after.pending
    entries = parse_host_entries([{"match": "8086:1572", "virtual_functions": number}])
    assert verify_after(after, entries) == ()


@pytest.mark.parametrize(
    ("where", "number", "code"),
    [
        (host(port(), name="a"), 65, "too_many_virtual_functions"),
        (host(port(sriov=None)), 1, "not_sriov_capable"),
        (host(port(sriov=Sriov(capable=True))), 1, "not_sriov_capable"),
        (host(port(sriov=Sriov(maximum=64))), 1, "not_sriov_capable"),
        (host(port(), connection_state="notResponding"), 1, "host_unreachable"),
        (host(replace(port(), enabled=True, active=True)), 1, "passed_through"),
        (host(device("0000:5e:00.0", A100, sriov=Sriov(capable=True, maximum=16))), 1, "no_match"),
    ],
)
def test_what_is_refused(where: Host, number: int, code: str) -> None:
    assert codes(planned(where, number)) == [code]


def test_a_vmnic_is_unknown_where_the_nics_were_not_read() -> None:
    where = host(port(), nics_unread=True)
    assert codes(planned(where, 4, "vmnic4")) == ["host_unreachable"]
    assert codes(planned(where, 4, "vmnic4", on_missing="skip")) == ["host_unreachable"], "unknown is not missing"
    assert planned(where, 4).effective, "the model is known"


def test_two_models_are_two_entries() -> None:
    other = device("0000:5e:00.0", {**X710, "device_id": "1563", "name": "Ethernet Controller X550"})
    target = planned(host(port(), other), 4, "0000:3b:00.0")
    assert len(target.effective) == 1
    entries = parse_host_entries([{"match": {"name": "Ethernet*"}, "virtual_functions": 4}])
    where = host(port(), other)
    (target,) = plan_sriov([where], DesiredSriov(devices={where.moid: entries})).targets
    assert codes(target) == ["ambiguous"]
    assert "one entry for each model" in target.blockers[0].cure


def test_two_entries_that_mean_one_function_must_agree() -> None:
    where = host(port())
    entries = parse_host_entries(
        [{"vmnic": "vmnic4", "virtual_functions": 4}, {"match": "8086:1572", "virtual_functions": 8}]
    )
    (target,) = plan_sriov([where], DesiredSriov(devices={where.moid: entries})).targets
    assert codes(target) == ["contradicting_numbers"]


UPLINK = replace(
    EMPTY_FABRIC,
    nics=Listing((PhysicalNic(device="vmnic4", address=PORT),)),
    switches=Listing((Switch(name="vSwitch0", uplinks=("vmnic4",)),)),
)


@pytest.mark.parametrize(
    ("fabric", "apply_now"),
    [
        (EMPTY_FABRIC, None),
        (UPLINK, False),
        (
            replace(UPLINK, switches=Listing((), gaps=(Gap(path="config.network.vswitch", why="was not returned"),))),
            False,
        ),
        (None, False),
    ],
)
def test_an_uplink_changes_at_the_reboot_only(fabric: Any, apply_now: bool | None) -> None:
    (write,) = sriov_writes(planned(host(port(), fabric=fabric), 4).changes)
    assert write.apply_now is apply_now
    now = planned(host(port(), fabric=fabric), 4, apply="now")
    assert codes(now) == ([] if apply_now is None else ["uplink_in_service"])
