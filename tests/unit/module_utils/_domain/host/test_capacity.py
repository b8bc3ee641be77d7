# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.capacity import (
    Capacity,
    CapacityPlace,
    DirectPathProfile,
    Numbers,
    capacities,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import (
    DeviceUser,
    Host,
    HostDevice,
    UnreadVm,
)
from tests.unit.module_utils._domain.strategies import host

MODEL = ("10de", "20f1")
WHOLE = DirectPathProfile(id="1", name="whole", kind="dynamic", value="10de:20f1", models=(MODEL,))
SLICE = DirectPathProfile(id="2", name="slice", kind="vgpu", value="grid_a100-10c")


def gpus(count: int, label: str | None = None, **more: Any) -> Host:
    devices = tuple(
        HostDevice(
            address=f"0000:{0x30 + number:02x}:00.0", vendor_id="10de", device_id="20f1", class_id="0302",
            enabled=True, active=True, label=label,
        )
        for number in range(count)
    )  # fmt: skip
    return replace(host(), **{"devices": devices, "users": {}, "unread_vms": (), **more})


def at(*hosts: Host) -> CapacityPlace:
    return CapacityPlace(type="cluster", name="gpu", moid="c-1", hosts=hosts)


def one(found: tuple[Capacity, ...], value: str = "10de:20f1") -> Any:
    return next(item.record() for item in found if item.value == value)


def running(*, powered_on: bool = True, fixed: bool = False) -> tuple[DeviceUser, ...]:
    return (DeviceUser(vm="train", moid="vm-1", powered_on=powered_on, fixed=fixed),)


def test_what_vcenter_says_is_taken_as_it_is() -> None:
    answer = Numbers(consumed=1, remaining=0, maximum=4, unused_reservation=2)
    found = one(capacities(at(gpus(2)), (WHOLE,), {"1": answer}, ""))
    assert (found["source"], found["consumed"], found["remaining"], found["max"], found["unused_reservation"]) == (
        "vcenter", 1, 0, 4, 2,
    )  # fmt: skip


def test_unknown_is_counted_where_that_is_possible_and_says_why() -> None:
    found = capacities(at(gpus(2)), (WHOLE, SLICE), {"1": "vCenter does not know", "2": "vCenter does not know"}, "")
    counted, unknown = one(found), one(found, "grid_a100-10c")
    assert (counted["source"], counted["remaining"], counted["reason"]) == ("counted", 2, "vCenter does not know")
    assert (unknown["source"], unknown["remaining"], unknown["max"]) == ("unknown", None, None)


@pytest.mark.parametrize(
    ("users", "unplaced", "remaining"),
    [
        ({}, (), 2),
        ({"0000:30:00.0": running()}, (), 1),
        ({"0000:30:00.0": running(powered_on=False, fixed=True)}, (), 2),
        ({}, (("vm-1", (MODEL,), None),), 1),
        ({"0000:30:00.0": running()}, (("vm-1", (MODEL,), None),), 1),
        ({"0000:30:00.0": running(fixed=True)}, (("vm-1", (MODEL,), None),), 0),
        ({}, (("vm-1", (("8086", "2701"),), None),), 2),
    ],
)
def test_the_count(users: Any, unplaced: Any, remaining: int) -> None:
    found = one(capacities(at(replace(gpus(2), users=users, unplaced=unplaced)), (), {}, "vCenter 8"))
    assert (found["source"], found["remaining"], found["max"]) == ("counted", remaining, 2)
    assert found["consumed"] == 2 - remaining


def test_a_label_is_counted_by_itself_and_hosts_add_up() -> None:
    found = capacities(at(gpus(2, "a"), gpus(1)), (), {}, "vCenter 8")
    assert one(found)["max"] == 3
    assert one(found, "10de:20f1 labeled a")["max"] == 2


def test_a_host_in_maintenance_mode_gives_nothing() -> None:
    assert one(capacities(at(gpus(2, in_maintenance_mode=True)), (), {}, "vCenter 8"))["max"] == 0


@pytest.mark.parametrize(
    "doubtful",
    [
        replace(gpus(2), unread_vms=(UnreadVm(vm="lost", moid="vm-9", why="is orphaned"),)),
        gpus(2, connection_state="notResponding"),
    ],
)
def test_what_cannot_be_read_makes_the_count_unknown_and_not_zero(doubtful: Host) -> None:
    found = one(capacities(at(gpus(1), doubtful), (), {}, "vCenter 8"))
    assert (found["source"], found["consumed"], found["remaining"], found["max"]) == ("unknown", None, None, None)
    assert "uncertain" in found["reason"]
