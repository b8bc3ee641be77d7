# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""States of devices and hosts, and which functions belong together."""

from __future__ import annotations

import random

import pytest
from hypothesis import given

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import (
    HostDevice,
    Sriov,
    dependency_group,
    dependency_groups,
    virtual_functions,
)
from tests.unit.module_utils._domain.strategies import (
    A100,
    ACTIVE,
    AUDIO,
    BRIDGE,
    OFF,
    PENDING_DISABLE,
    PENDING_ENABLE,
    STALE,
    UNAVAILABLE,
    X710,
    device,
    device_lists,
    host,
)


@pytest.mark.parametrize(
    ("flags", "state", "pending", "owes"),
    [
        (UNAVAILABLE, "unavailable", False, False),
        (OFF, "off", False, False),
        (PENDING_ENABLE, "pending_enable", True, True),
        (ACTIVE, "active", False, False),
        (PENDING_DISABLE, "pending_disable", True, True),
        (STALE, "stale", True, False),
        ({"enabled": True, "active": True}, "active", False, False),
        ({"active": True}, "pending_disable", True, True),
    ],
)
def test_every_row_of_the_state_table(flags: dict[str, bool], state: str, pending: bool, owes: bool) -> None:
    one = device("0000:3b:00.0", state=flags)
    assert (one.state, one.is_pending, one.requires_reboot) == (state, pending, owes)
    assert host(one).pending == ((one,) if owes else ())


def test_a_device_the_host_says_nothing_of_is_not_pending() -> None:
    assert not device("0000:3b:00.0", state=PENDING_ENABLE, reported=False).is_pending


def test_names_of_a_device() -> None:
    one = device("0000:3b:00.0", subvendor_id="10de", subdevice_id="145f")
    assert one.describe() == "0000:3b:00.0 10de:20f1 NVIDIA A100-PCIE-40GB"
    assert device("0000:3b:00.0", {"vendor_id": "10de", "device_id": "20f1"}).describe() == "0000:3b:00.0 10de:20f1"
    assert one.kind == ("10de", "20f1")
    assert one.identity == ("0000:3b:00.0", "10de", "20f1", "10de", "145f", "0302")


def test_reachable_means_connected_and_read() -> None:
    assert host().is_reachable
    assert not host(connection_state="notResponding").is_reachable
    assert not host(unreadable=("hardware.pciDevice",)).is_reachable


def test_looking_up_and_candidates() -> None:
    gpu, bridge = device("0000:3b:00.0"), device("0000:00:01.0", BRIDGE)
    esx = host(bridge, gpu)
    assert (esx.device("0000:3b:00.0"), esx.device("0000:3b:00.1")) == (gpu, None)
    assert esx.candidates() == (gpu,)


R = "0000:00:01.0"
A, B, C = "0000:3b:00.0", "0000:3b:00.1", "0000:5e:00.0"


@pytest.mark.parametrize(
    ("dependents", "group"),
    [
        ({A: None, B: None}, [A]),
        ({A: A, B: B}, [A]),
        ({A: A, B: A}, [A, B]),
        ({A: R, B: R, C: R}, [A, B, C]),
        ({A: R, B: R, C: C}, [A, B]),
        ({A: B, B: A}, [A, B]),
        ({A: B, B: C, C: C}, [A, B, C]),
        ({A: "0000:ff:00.0", B: "0000:ff:00.0"}, [A, B]),
    ],
)
def test_groups(dependents: dict[str, str | None], group: list[str]) -> None:
    devices = [device(R, BRIDGE, dependent_device=R)]
    devices += [device(address, dependent_device=root) for address, root in dependents.items()]
    assert [member.address for member in dependency_group(devices, A)] == group


def test_the_group_of_a_bridge_is_what_depends_on_it() -> None:
    devices = [device(R, BRIDGE), device(A, dependent_device=R), device(B, AUDIO, dependent_device=B)]
    assert [member.address for member in dependency_group(devices, R)] == [R, A]
    assert dependency_group(devices, "0000:ff:00.0") == ()


@given(device_lists())
def test_every_member_gives_the_same_group_in_any_order(devices: tuple[HostDevice, ...]) -> None:
    groups = dependency_groups(devices)
    turned = random.sample(devices, len(devices))
    assert groups.keys() == {d.address for d in devices if not d.is_bridge}
    for address, group in groups.items():
        assert group == dependency_group(turned, address)
        assert address in {member.address for member in group}
        assert all(groups[member.address] == group for member in group)
        assert not any(member.is_bridge for member in group)


def in_use(count: int) -> Sriov:
    return Sriov(capable=True, enabled=True, active=True, requested=count, current=count, maximum=256)


VF, OTHER_PORT = {**X710, "device_id": "154c"}, {**X710, "device_id": "1521"}


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        pytest.param(
            [device("0000:3b:00.0", X710, sriov=in_use(2)), *(device(f"0000:3b:02.{n}", VF) for n in (0, 1))],
            ["0000:3b:02.0", "0000:3b:02.1"],
            id="as many as the host says",
        ),
        pytest.param(
            [
                device("0000:3b:00.0", X710, sriov=in_use(2)),
                device("0000:3b:00.2", OTHER_PORT),
                *(device(f"0000:3b:02.{n}", VF) for n in (0, 1)),
            ],
            ["0000:3b:02.0", "0000:3b:02.1"],
            id="another port of the card, of another model, is none",
        ),
        pytest.param(
            [
                device("0000:3b:00.0", X710, sriov=in_use(1)),
                device("0000:3b:00.1", X710, sriov=in_use(2)),
                *(device(f"0000:3b:02.{n}", VF) for n in (0, 1, 2)),
            ],
            ["0000:3b:02.0", "0000:3b:02.1", "0000:3b:02.2"],
            id="of two ports",
        ),
        pytest.param(
            [device("0000:3b:00.0", A100, sriov=in_use(2)), *(device(f"0000:3b:00.{n}", A100) for n in (4, 5))],
            ["0000:3b:00.4", "0000:3b:00.5"],
            id="those of a GPU have its device id",
        ),
        pytest.param(
            [device("0000:3b:00.0", X710, sriov=in_use(2)), device("0000:3c:00.0", OTHER_PORT)],
            [],
            id="a card on the next bus is none",
        ),
        pytest.param(
            [
                device("0000:3b:00.0", X710, sriov=Sriov(capable=True, enabled=True, requested=8)),
                device("0000:3b:02.0", VF),
            ],
            [],
            id="none before they are in effect",
        ),
    ],
)
def test_what_the_host_says_of_a_card_tells_which_devices_are_virtual_functions(
    devices: list[HostDevice], expected: list[str]
) -> None:
    assert sorted(virtual_functions(random.sample(devices, len(devices)))) == expected
