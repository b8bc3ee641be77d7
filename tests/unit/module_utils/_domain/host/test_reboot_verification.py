# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold before a host returns to service after a reboot."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.passthrough import (
    DesiredPassthrough,
    plan_passthrough,
    project,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.reboot_verification import (
    foresee,
    verify_after,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.selector import parse_desired_devices
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import Host, HostDevice, Sriov
from tests.unit.module_utils._domain.strategies import (
    A40,
    ACTIVE,
    NVME,
    OFF,
    PENDING_DISABLE,
    PENDING_ENABLE,
    STALE,
    UNAVAILABLE,
    cases,
    device,
    host,
)
from tests.unit.searching import search

P, Q, R = "0000:3b:00.0", "0000:5e:00.0", "0000:86:00.0"


# --- devices afterwards -----------------------------------------------------------------------------------------------


def problems(now: Host, *raw: Any) -> tuple[str, ...]:
    return verify_after(now, parse_desired_devices(raw))


def test_as_it_should_be() -> None:
    after = host(device(P, state=ACTIVE), device(Q, A40, OFF))
    assert problems(after) == problems(after, "10de:20f1") == ()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (PENDING_ENABLE, "is enabled, but still not active after the reboot. Another reboot will not help."),
        (PENDING_DISABLE, "is disabled, but still active after the reboot. Another reboot will not help."),
        (STALE, "is configured for passthrough, but the host no longer offers it. Another reboot will not help."),
    ],
)
def test_still_pending(state: dict[str, bool], said: str) -> None:
    (problem,) = problems(host(device(P, state=state)), "10de:20f1")[:1]
    assert problem.startswith(f"{P} 10de:20f1 NVIDIA A100-PCIE-40GB on esx-01 {said}")
    for hint in ("ACS", "KB 391460", "pci_devices record", "pending again after each boot"):
        assert hint in problem


def test_a_problem_is_told_once() -> None:
    assert len(problems(host(device(P, state=PENDING_ENABLE)), "10de:20f1", {"match": {"class_id": "03"}})) == 1


def test_a_card_that_moved_is_missed_where_it_is_wanted() -> None:
    after = host(device(P, NVME, ACTIVE), device("0000:3c:00.0"), device(Q, NVME))
    (missing,) = problems(after, "10de:20f1")
    assert missing == (
        "0000:3c:00.0 10de:20f1 NVIDIA A100-PCIE-40GB on esx-01 is desired but not enabled. "
        "Enable it with host_passthrough."
    )


def test_a_card_that_is_gone() -> None:
    (problem,) = problems(host(device(Q, A40)), "10de:20f1")
    assert problem.startswith("No device of esx-01 matches 10de:20f1.")


def test_problems_come_sorted() -> None:
    pending = host(device(Q, state=PENDING_ENABLE), device(P, state=PENDING_ENABLE))
    assert [problem.split()[0] for problem in problems(pending)] == [P, Q]


def test_too_few_are_in_force() -> None:
    after = host(device(P, state=ACTIVE), device(Q, state=UNAVAILABLE))
    assert problems(after, {"match": "10de:20f1", "count": 1}) == ()
    (problem,) = problems(after, {"match": "10de:20f1", "count": 2})
    assert problem.startswith("esx-01 has 1 of the 2 desired devices 10de:20f1.")


def test_a_host_that_is_away_proves_nothing() -> None:
    away = host(device(P, state=ACTIVE), connection_state="notResponding")
    (problem,) = problems(away, "10de:20f1")
    assert problem.startswith("esx-01 is notResponding")


def with_functions(device: HostDevice) -> HostDevice:
    """The device after a reboot that puts its number of virtual functions in effect."""
    return replace(device, sriov=None if device.sriov is None else device.sriov.rebooted())


@search()
@given(cases())
def test_the_projection_passes_and_the_order_of_devices_does_not_matter(
    case: tuple[tuple[Host, ...], DesiredPassthrough],
) -> None:
    fleet, desired = case
    plan = plan_passthrough(fleet, desired)
    for projected, target in zip(project(fleet, plan), plan.targets, strict=True):
        after = replace(projected, devices=tuple(map(with_functions, projected.devices)))
        if target.blockers or target.warnings or any(each.state == "stale" for each in after.devices):
            continue
        if any(
            each.has_pending_functions for each in after.devices
        ):  # more than the function can provide: no reboot helps
            continue
        wanted = desired.devices[after.moid] if desired.state == "enabled" else ()
        assert verify_after(after, wanted) == ()
        pending = replace(after, devices=tuple(replace(each, active=not each.enabled) for each in after.devices))
        turned = replace(pending, devices=tuple(random.sample(pending.devices, len(pending.devices))))
        assert verify_after(turned, wanted) == verify_after(pending, wanted)
        assert len(verify_after(pending)) == sum(each.is_pending for each in pending.devices)


def test_a_device_without_its_functions_is_foreseen_once() -> None:
    """It has SR-IOV with more functions than it can provide, and passthrough is desired: a random search found that both were foreseen, and
    only the first one reported after the reboot."""
    stuck = Sriov(capable=True, enabled=True, requested=8, maximum=0)
    before = host(replace(device(P, state=OFF), class_id="0200", sriov=stuck))
    (found,) = foresee(before, parse_desired_devices(["10de:20f1"])).certain
    assert "virtual functions" in found
    assert [found] == [each for each in problems(before, "10de:20f1") if "virtual functions" in each]


@search()
@given(cases())
def test_what_is_foreseen_is_found(case: tuple[tuple[Host, ...], DesiredPassthrough]) -> None:
    fleet, desired = case
    for before in fleet:
        if not before.is_reachable or any(each.state == "stale" for each in before.devices):
            continue
        devices, skips = desired.devices[before.moid], desired.on_missing == "skip"
        foreseen = foresee(before, devices, skips_missing=skips)
        rebooted = replace(
            before, devices=tuple(replace(each.rebooted(), active=each.enabled) for each in before.devices)
        )
        found = {
            problem.removesuffix(" Enable it with host_passthrough.") for problem in _found(rebooted, devices, skips)
        }
        assert found == {*foreseen.certain, *foreseen.missing}


def _found(after: Host, devices: Any, skips: bool) -> tuple[str, ...]:
    return verify_after(after, devices, skips_missing=skips)
