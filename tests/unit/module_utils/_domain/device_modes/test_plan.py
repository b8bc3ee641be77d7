# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.device_modes.plan import (
    DesiredModes,
    mode_writes,
    plan_modes,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host_entries.device_modes import (
    parse_mode_entries,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host_entries.kinds import parse_host_entries
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.direct_path import DirectPathState
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import (
    DeviceUser,
    Host,
    HostDevice,
    UnreadVm,
)
from tests.unit.module_utils._domain.strategies import host

GPU = "0000:3b:00.0"
OFFERED = ("directpath", "host", "none", "vgpu_mixed_size", "vgpu_same_size")


def with_gpu(mode: str | None = "host", **more: Any) -> Host:
    state = None if mode is None else DirectPathState(mode=mode, offered=OFFERED)
    gpu = HostDevice(address=GPU, vendor_id="10de", device_id="20f1", capable=True, class_id="0302", direct_path=state)
    return replace(host(), **{"devices": (gpu,), "fabric": None, "users": {}, "unread_vms": (), **more})


def planned(observed: Host, mode: str = "vgpu_mixed_size", **more: Any) -> Any:
    entries = parse_mode_entries([{"match": "10de:20f1", "mode": mode}])
    (target,) = plan_modes([observed], DesiredModes(devices={observed.moid: entries}, **more)).targets
    return target


def user(*, powered_on: bool) -> DeviceUser:
    return DeviceUser(vm="train", moid="vm-1", powered_on=powered_on, fixed=True)


def test_hosts_are_planned_by_name() -> None:
    hosts = [host(name="esx-02", moid="host-2"), host(name="esx-01", moid="host-1")]
    assert [target.target for target in plan_modes(hosts, DesiredModes()).targets] == ["esx-01", "esx-02"]


def test_a_mode_that_is_configured_is_no_change() -> None:
    assert planned(with_gpu("vgpu_mixed_size")).changes == ()
    (write,) = mode_writes(planned(with_gpu()).effective)
    assert (write.device.address, write.mode) == (GPU, "vgpu_mixed_size")


@pytest.mark.parametrize(
    ("observed", "mode", "code"),
    [
        (with_gpu(None), "host", "no_device_modes"),
        (with_gpu(), "enhanced_directpath", "mode_not_offered"),
        (with_gpu(users={GPU: (user(powered_on=True),)}), "none", "in_use"),
        (with_gpu("directpath", users={GPU: (user(powered_on=False),)}), "host", "in_use"),
        (with_gpu(unread_vms=(UnreadVm(vm="lost", moid="vm-9", why="is orphaned"),)), "none", "holders_unknown"),
        (with_gpu(connection_state="notResponding"), "none", "host_unreachable"),
        (replace(with_gpu(), devices=()), "none", "no_match"),
    ],
)
def test_what_is_refused(observed: Host, mode: str, code: str) -> None:
    target = planned(observed, mode)
    assert code in [blocker.code for blocker in target.blockers]
    assert target.effective == ()


def test_a_vm_that_is_off_does_not_hold_a_card_that_it_cannot_have_now() -> None:
    assert planned(with_gpu(users={GPU: (user(powered_on=False),)}), "directpath").effective


def test_users_that_are_known_to_hold_nothing_are_named_by_the_user() -> None:
    lost = with_gpu(unread_vms=(UnreadVm(vm="lost", moid="vm-9", why="is orphaned"),))
    assert planned(lost, "none", ignore_unreadable_vms=frozenset({"vm-9"})).effective


def test_esxi_alone_has_no_api_for_it() -> None:
    assert [blocker.code for blocker in planned(with_gpu(), is_vcenter=False).blockers] == ["needs_vcenter"]


def test_a_missing_device_can_be_skipped() -> None:
    target = planned(replace(with_gpu(), devices=()), on_missing="skip")
    assert (target.skipped, target.blockers) == (True, ())


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([{"match": "10de:20f1", "mode": "host"}, "10de:20f1"], "contradicting_wishes"),
        ([{"match": "10de:20f1", "mode": "host"}, {"match": "10de:20f1", "mode": "host"}], "duplicate_wish"),
        ([{"match": "10de:20f1", "mode": "on"}], "bad_mode"),
        ([{"match": "10de:20f1", "mode": None}], "bad_mode"),
        ([{"mode": "host"}], "bad_devices"),
        ([{"match": "10de:20f1", "mode": "host", "label": "a"}], "bad_devices"),
    ],
)
def test_entries_that_are_wrong(entries: list[Any], code: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_host_entries(entries, "devices")
    assert caught.value.code == code


def test_entries_of_both_kinds_stand_in_one_list() -> None:
    entries = parse_host_entries(["8086:2701", {"match": "10de:20f1", "mode": "host"}], "devices")
    assert [entry.mode for entry in entries] == [None, "host"]
