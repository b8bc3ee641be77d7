# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.capacity.stock import (
    STATES,
    count_functions,
    stock_rows,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.facts import Gap
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.graphics import (
    GraphicsDevice,
    HostGraphics,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import FunctionUser, Sriov
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import UnknownBacking
from tests.unit.module_utils._domain.capacity.sites import address, card, dynamic, fixed, host, site, vm

SHARED = HostGraphics(gpus=(GraphicsDevice(address=address(1), type="shared_direct"),))


@pytest.mark.parametrize(
    ("device", "others", "more", "state"),
    [
        ({}, (), {}, "free"),
        ({}, (vm(1, 1, dynamic(address(1))),), {}, "used"),
        ({}, (vm(1, 1, dynamic()),), {}, "used"),
        ({}, (vm(1, 1, dynamic(), power="poweredOff"),), {}, "free"),
        ({}, (vm(1, 1, dynamic(address(1)), power="unknown"),), {}, "used"),
        ({}, (vm(1, 1, fixed(address(1))),), {}, "used"),
        ({}, (vm(1, 1, fixed(address(1)), power="poweredOff"),), {}, "held"),
        ({}, (vm(1, 2, fixed(address(1)), power="poweredOff"),), {}, "free"),
        ({}, (vm(1, 1, UnknownBacking(type_name="New")),), {}, "unknown"),
        ({"active": False}, (), {}, "pending"),
        ({"enabled": False}, (), {}, "leaving"),
        ({"enabled": False, "active": False}, (), {}, "off"),
        ({"enabled": False, "active": False}, (), {"graphics": SHARED}, "shared"),
        # A list of GPUs that cannot be read is empty.
        ({"enabled": False, "active": False}, (), {"graphics": HostGraphics(gaps=(Gap(path="x"),))}, "unknown"),
        ({"enabled": False, "active": False, "class_id": "0200"}, (), {"graphics": HostGraphics(gaps=(Gap(path="x"),))}, "off"),
        ({"capable": False}, (), {}, "out_of_service"),
        ({"capable": False, "active": False}, (), {}, "out_of_service"),
        ({}, (), {"in_maintenance_mode": True}, "out_of_service"),
        ({}, (), {"connection_state": "notResponding"}, "unknown"),
        ({}, (), {"unreadable": ("config.pciPassthruInfo",)}, "unknown"),
        ({}, (), {"residents": frozenset({"vm-77"})}, "unknown"),
        ({"enabled": False, "active": False}, (), {"residents": frozenset({"vm-77"})}, "off"),
    ],
)  # fmt: skip
def test_the_state_of_a_function(device: Any, others: Any, more: Any, state: str) -> None:
    (found,) = count_functions(site([host(1, card(1, **device), **more)], *others))
    assert found.state == state


def test_what_cannot_be_passed_through_does_not_count() -> None:
    plain = {"capable": False, "enabled": False, "active": False}
    assert count_functions(site([host(1, card(1, **plain), card(2, class_id="0604"))])) == ()


def test_a_vm_that_the_user_vouches_for_leaves_no_doubt() -> None:
    observed = site([host(1, card(1), residents=frozenset({"vm-77"}))], ignored_vms=frozenset({"vm-77"}))
    assert [one.state for one in count_functions(observed)] == ["free"]


def test_as_many_are_used_as_vms_run_wherever_they_got_them() -> None:
    observed = site(
        [host(1, card(1), card(2), card(3, device_id="1eb8"))], vm(1, 1, dynamic()), vm(2, 1, dynamic(address(1)))
    )
    assert Counter(one.state for one in count_functions(observed)) == {"used": 2, "free": 1}


@pytest.mark.parametrize(
    ("users", "power", "states"),
    [
        ((), "poweredOn", {"free": 3}),
        ((FunctionUser(vm="a", moid="vm-1", powered_on=True, virtual_function="0000:31:02.1"),), "poweredOn", {"used": 1, "free": 2}),
        ((FunctionUser(vm="a", moid="vm-1", powered_on=True, physical_function=address(1)),), "poweredOn", {"used": 1, "free": 2}),
        ((FunctionUser(vm="a", moid="vm-1", powered_on=True),), "poweredOn", {"used": 1, "free": 2}),
        ((FunctionUser(vm="a", moid="vm-1", powered_on=False),), "poweredOff", {"free": 3}),
        # It may run.
        ((FunctionUser(vm="a", moid="vm-1", powered_on=False),), "unknown", {"used": 1, "free": 2}),
    ],
)  # fmt: skip
def test_virtual_functions(users: tuple[FunctionUser, ...], power: str, states: dict[str, int]) -> None:
    port = card(
        1, class_id="0200", enabled=False, active=False,
        sriov=Sriov(capable=True, enabled=True, active=True, requested=3, current=3, maximum=8),
    )  # fmt: skip
    functions = [
        replace(card(1, class_id="0200", enabled=False, active=False, device_id="154c"), address=f"0000:31:02.{number}")
        for number in range(3)
    ]
    observed = site([host(1, port, *functions, function_users=users)], vm(1, 1, power=power))
    found = [one for one in count_functions(observed) if one.kind == "virtual_function"]
    assert Counter(one.state for one in found) == states


@pytest.mark.parametrize(("node", "states"), [(0, {"used": 1, "free": 1}), (1, {"unknown": 2})])
def test_it_is_unknown_which_virtual_function_is_in_use_where_they_differ(node: int, states: dict[str, int]) -> None:
    """A guess would be wrong for one of the two NUMA nodes."""
    on = Sriov(capable=True, enabled=True, active=True, requested=1, current=1, maximum=8)
    off = {"enabled": False, "active": False, "class_id": "0200"}
    devices = [
        device
        for number, place in ((1, 0), (2, node))
        for device in (
            card(number, sriov=on, **off),
            replace(card(9, device_id="154c", numa_node=place, **off), address=f"0000:{0x30 + number:02x}:02.0"),
        )
    ]
    observed = site([host(1, *devices, function_users=(FunctionUser(vm="a", moid="vm-1", powered_on=True),))])
    found = [one for one in count_functions(observed) if one.kind == "virtual_function"]
    assert Counter(one.state for one in found) == states


def test_rows_are_by_host_model_label_and_node() -> None:
    hosts = [
        host(1, card(1, numa_node=0), card(2, numa_node=0), card(3, numa_node=1), card(4, label="big", numa_node=1)),
        host(2, card(1, enabled=False, active=False)),
    ]
    rows = [row.record() for row in stock_rows(count_functions(site(hosts)), everything=False)]
    assert [(row["host"], row["label"], row["numa_node"], row["free"], row["off"], row["total"]) for row in rows] == [
        ("esx-01", None, 0, 2, 0, 2),
        ("esx-01", None, 1, 1, 0, 1),
        ("esx-01", "big", 1, 1, 0, 1),
        ("esx-02", None, None, 0, 1, 1),
    ]
    assert all(sum(row[state] for state in STATES) == row["total"] for row in rows)


def test_a_model_that_is_not_set_up_is_shown_only_if_it_is_asked_for() -> None:
    functions = count_functions(site([host(1, card(1, enabled=False, active=False))]))
    assert stock_rows(functions, everything=False) == ()
    assert len(stock_rows(functions, everything=True)) == 1
