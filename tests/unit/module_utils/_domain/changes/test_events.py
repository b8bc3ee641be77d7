# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which events a change has: as tables of before, now and what is reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.changes.events import (
    MOST,
    host_events,
    next_boot,
    started_event,
    unreadable,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.changes.observed import (
    SeenBoot,
    SeenDevice,
    WatchedHost,
    watched_host,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import (
    DeviceUser,
    Host,
    HostDevice,
)

A, B = "0000:3b:00.0", "0000:5e:00.0"
GPU = SeenDevice(address=A, ids="10de:20f1", name="A100", label=None, enabled=True, active=True)
BOOT = SeenBoot(time=1_000_000.0, since=10.0)
HOST = WatchedHost(moid="host-1", name="gpu-01", cluster="gpu", known=True, boot=BOOT, devices={A: GPU})


def with_device(**changes: Any) -> WatchedHost:
    return replace(HOST, devices={A: replace(GPU, **changes)})


def device(event: dict[str, Any]) -> dict[str, Any]:
    (only,) = event["devices"]
    return dict(only)


CHANGES: dict[str, tuple[WatchedHost, WatchedHost, list[str], dict[str, Any]]] = {
    "nothing": (HOST, HOST, [], {}),
    "disabled": (HOST, with_device(enabled=False), ["device_changed"], {"enabled": True}),
    "no longer in effect": (HOST, with_device(active=False), ["device_changed"], {"active": True}),
    "attached": (HOST, with_device(holders=("vm-1",), vms=("train-01",)), ["device_changed"], {"vms": []}),
    "another VM of the same name": (
        with_device(holders=("vm-1",), vms=("train-01",)),
        with_device(holders=("vm-2",), vms=("train-01",)),
        ["device_changed"],
        {"vms": ["train-01"]},
    ),
    "its VM was renamed": (
        with_device(holders=("vm-1",), vms=("old",)),
        with_device(holders=("vm-1",), vms=("new",)),
        [],
        {},
    ),
    "its card was replaced": (HOST, with_device(ids="10de:2330"), ["device_changed"], {"ids": "10de:20f1"}),
    "labelled": (HOST, with_device(label="a100"), ["device_changed"], {"label": None}),
    "removed": (HOST, replace(HOST, devices={}), ["device_changed"], {"present": True}),
    "added": (replace(HOST, devices={}), HOST, ["device_changed"], {"present": False}),
    "a pending reboot": (HOST, replace(HOST, pending=(A,)), ["reboot_pending"], {}),
    "one more pending device": (replace(HOST, pending=(A,)), replace(HOST, pending=(A, B)), ["reboot_pending"], {}),
    "one pending device less": (replace(HOST, pending=(A, B)), replace(HOST, pending=(A,)), [], {}),
    "rebooted": (HOST, replace(HOST, boot=SeenBoot(time=1_000_900.0, since=20.0)), ["host_rebooted"], {}),
    "rebooted, and a device is gone": (
        unreadable(HOST),
        replace(HOST, boot=SeenBoot(time=1_000_900.0, since=20.0), devices={}),
        ["host_rebooted", "device_changed"],
        {"present": True},
    ),
    "its clock was set": (HOST, replace(HOST, boot=replace(BOOT, time=1_009_000.0)), [], {}),
    "not readable": (HOST, unreadable(HOST), [], {}),
    "readable again": (unreadable(HOST), HOST, [], {}),
    "disabled while it was not readable": (
        unreadable(HOST),
        with_device(enabled=False),
        ["device_changed"],
        {"enabled": True},
    ),
    "read for the first time": (replace(HOST, known=False, devices=None), HOST, [], {}),
    "read for the first time, with a pending reboot": (
        replace(HOST, known=False, devices=None),
        replace(HOST, pending=(A,)),
        ["reboot_pending"],
        {},
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_has_its_events(case: str) -> None:
    before, now, types, was = CHANGES[case]
    events = host_events(before, now)
    assert [event["type"] for event in events] == types
    for event in events:
        assert (event["host"], event["moid"], event["cluster"]) == ("gpu-01", "host-1", "gpu")
        if event["type"] == "device_changed":
            assert device(event)["before"] == was


def test_a_new_and_a_removed_host() -> None:
    assert [event["type"] for event in host_events(None, HOST)] == ["host_added"]
    assert [event["type"] for event in host_events(HOST, None)] == ["host_removed"]
    assert host_events(None, None) == ()


BOOTS: dict[str, tuple[SeenBoot, dict[str, Any], SeenBoot | None]] = {
    "seen first": (SeenBoot(time=None, since=10.0), {"boot_time": 5.0}, SeenBoot(time=5.0, since=10.0)),
    "the same": (BOOT, {"boot_time": 1_000_000.0}, BOOT),
    "its clock was set a little": (BOOT, {"boot_time": 1_000_020.0}, BOOT),
    "rebooted": (BOOT, {"boot_time": 1_000_900.0, "uptime": 100.0}, SeenBoot(time=1_000_900.0, since=1010.0)),
    "its clock was set": (
        BOOT, {"boot_time": 1_009_000.0, "uptime": 90_000.0}, SeenBoot(time=1_009_000.0, since=10.0)),
    "its clock was set, and its uptime is unknown": (BOOT, {"boot_time": 1_009_000.0}, None),
    "away, and its uptime is unknown": (
        replace(BOOT, away=True), {"boot_time": 1_000_900.0}, SeenBoot(time=1_000_900.0, since=1010.0)),
    "away only": (replace(BOOT, away=True), {"boot_time": 1_000_000.0}, BOOT),
}  # fmt: skip


@pytest.mark.parametrize("case", BOOTS)
def test_a_reboot_takes_two_facts(case: str) -> None:
    known, facts, expected = BOOTS[case]
    found = next_boot(known, **{"boot_time": None, "uptime": None, "now": 1010.0, **facts})
    assert found == expected


EVIL = "{{ lookup('pipe', 'id') }}"


def test_no_text_of_an_event_is_a_template() -> None:
    before = replace(HOST, moid=EVIL, name=EVIL, cluster="{% x %}", devices={})
    bad = replace(GPU, address=EVIL, name=EVIL, label="#jinja2: x", vms=(EVIL,), holders=("vm-1",))
    events = [
        *host_events(before, replace(before, devices={A: bad}, pending=(EVIL,))),
        *host_events(replace(before, devices={A: bad}), replace(before, devices={A: replace(bad, label=None)})),
        started_event([replace(before, pending=(A,))]),
    ]
    assert len(events) == 4
    assert not any(sign in str(event) for event in events for sign in ("{{", "{%", "'#"))
    assert "(( lookup" in str(events)


def test_lists_are_bounded() -> None:
    many = {f"0000:{number:02x}:00.0": replace(GPU, address=f"0000:{number:02x}:00.0") for number in range(MOST + 3)}
    (event,) = host_events(replace(HOST, devices={}), replace(HOST, devices=many))
    assert (len(event["devices"]), event["devices_left_out"]) == (MOST, 3)  # type: ignore[arg-type]


def test_only_devices_that_passthrough_is_about_are_kept() -> None:
    one = HostDevice(address=A, vendor_id="10de", device_id="20f1", capable=True, enabled=True)
    other = HostDevice(address=B, vendor_id="8086", device_id="0001")
    users = {A: (DeviceUser(vm="b", moid="vm-2", powered_on=True, fixed=False),) * 2}
    host = watched_host(Host(moid="host-1", name="gpu-01", devices=(one, other)), users, BOOT)
    assert host.devices is not None
    assert list(host.devices) == [A]
    assert (host.devices[A].holders, host.devices[A].vms, host.pending) == (("vm-2",), ("b",), (A,))
