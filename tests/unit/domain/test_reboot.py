# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host is rebooted, what stands in the way, and in which order things are done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.hosts import (
    Disk,
    Host,
    HostCapabilities,
    StorageAdapter,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.plan import TargetPlan
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.reboot import (
    EnterMaintenance,
    ExitMaintenance,
    Reboot,
    RebootWish,
    needs_reboot,
    plan_reboot,
    reboot_blockers,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vms import (
    DynamicBacking,
    FixedBacking,
    MemoryState,
    VgpuBacking,
    Vm,
    VmDevice,
)
from ansible_collections.directpath.vsphere.tests.unit.domain.strategies import (
    ACTIVE,
    EMPTY_FABRIC,
    NVME,
    OFF,
    PENDING_DISABLE,
    PENDING_ENABLE,
    STALE,
    UNAVAILABLE,
    device,
    host,
    hosts,
)

P, Q = "0000:3b:00.0", "0000:5e:00.0"
MANAGE = RebootWish(maintenance="manage")
FIXED = FixedBacking(address=P, vendor_id="10de", device_id="20f1", system_id=None)
DYNAMIC = DynamicBacking(allowed=())
VGPU = VgpuBacking(profile="grid_a100-40c")


def vm(name: str, *backings: Any, on: bool = True) -> Vm:
    devices = tuple(
        VmDevice(key=13000 + n, label=f"PCI device {n}", backing=backing) for n, backing in enumerate(backings)
    )
    return Vm(
        moid=f"vm-{name}",
        name=name,
        power_state="poweredOn" if on else "poweredOff",
        memory=MemoryState(size_mb=4096),
        devices=devices,
    )


def esx(state: Mapping[str, bool] = PENDING_ENABLE, *, ready: bool = True, **more: Any) -> Host:
    """A host of a cluster with one A100; ready is in maintenance mode."""
    return host(device(P, state=state), **{"cluster": "gpu-a", "in_maintenance_mode": ready, **more})


def plan_one(made: Host, wish: RebootWish, *residents: Vm, tasks: tuple[str, ...] = ()) -> TargetPlan:
    (target,) = plan_reboot([made], {made.moid: residents}, wish, {made.moid: tasks}).targets
    return target


# --- need -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (OFF, None),
        (ACTIVE, None),
        (UNAVAILABLE, None),
        (STALE, None),
        (PENDING_ENABLE, f"it settles {P} (enabled, not yet in force)"),
        (PENDING_DISABLE, f"it settles {P} (disabled, still in force)"),
    ],
)
def test_need(state: dict[str, bool], reason: str | None) -> None:
    made = esx(state)
    assert needs_reboot(made, RebootWish()) == reason
    assert needs_reboot(made, RebootWish(reboot_if="always")) == "it was asked for"
    target = plan_one(made, RebootWish())
    assert [change.kind for change in target.effective] == (["reboot"] if reason else [])
    assert target.facts == {"reason": reason}


def test_the_hint_of_the_host_is_no_reason() -> None:
    assert needs_reboot(esx(ACTIVE, reboot_required_hint=True), RebootWish()) is None


def test_a_forecast_counts_changes_to_come() -> None:
    expecting = RebootWish(expect_pending=frozenset({"esx-01"}))
    assert needs_reboot(esx(OFF), expecting) == "the planned changes will leave devices pending"
    assert needs_reboot(replace(esx(OFF), name="esx-02"), expecting) is None


def test_a_host_in_no_need_is_left_alone_whatever_stands_in_the_way() -> None:
    target = plan_one(esx(ACTIVE, ready=False), RebootWish(), vm("train-01", FIXED), tasks=("x",))
    assert (target.changes, target.blockers) == ((), ())


def test_a_stale_setting_is_pointed_out() -> None:
    target = plan_one(esx(STALE), RebootWish())
    assert target.warnings == (
        f"{P} 10de:20f1 NVIDIA A100-PCIE-40GB on esx-01 is configured for passthrough, but the host no longer offers "
        "it: no reboot changes that",
    )


@pytest.mark.parametrize("state", [ACTIVE, PENDING_ENABLE])
def test_a_host_that_was_left_in_maintenance_mode_is_pointed_out(state: dict[str, bool]) -> None:
    """A run that was killed while the host booted leaves it there, and the next one has nothing to do."""
    (warning,) = plan_one(esx(state), MANAGE).warnings
    assert warning.startswith("esx-01 is in maintenance mode already and will be left in it")
    assert plan_one(esx(state), RebootWish()).warnings == ()
    assert plan_one(esx(state, ready=False), MANAGE).warnings == ()


# --- blockers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "wish", "residents", "tasks", "code", "said"),
    [
        (esx(connection_state="notResponding"), MANAGE, (), (), "host_unreachable", "esx-01 is notResponding"),
        (
            esx(capabilities=HostCapabilities(reboot=False)),
            MANAGE,
            (),
            (),
            "reboot_unsupported",
            "esx-01 says that it cannot be rebooted through the API",
        ),
        (
            esx(ready=False, capabilities=HostCapabilities(maintenance_mode=False)),
            MANAGE,
            (),
            (),
            "reboot_unsupported",
            "esx-01 says that it cannot enter maintenance mode",
        ),
        (
            esx(),
            MANAGE,
            (),
            ("vm.migrate", "host.updateFirmware"),
            "task_running",
            "Other work is under way on esx-01: host.updateFirmware, vm.migrate",
        ),
        (esx(ready=False), RebootWish(), (), (), "not_in_maintenance", "esx-01 is not in maintenance mode"),
        (
            esx(ready=False),
            MANAGE,
            (vm("train-02", DYNAMIC, FIXED), vm("train-01", FIXED), vm("vdi-01", VGPU), vm("web-01")),
            (),
            "pinned_vms",
            "esx-01 runs virtual machines that cannot be moved, because of their devices: train-01 (PCI device 0); "
            "train-02 (PCI device 0, PCI device 1)",
        ),
        (
            esx(ready=False, cluster=None),
            MANAGE,
            (vm("web-02"), vm("web-01"), vm("web-03", on=False)),
            (),
            "running_vms",
            "esx-01 is in no cluster, so nothing moves its running virtual machines away: web-01, web-02",
        ),
        (
            esx(ready=False),
            replace(MANAGE, evacuate_powered_off=True),
            (vm("train-01", FIXED, on=False), vm("train-02", DYNAMIC, on=False), vm("web-01", on=False)),
            (),
            "evacuation_loses_devices",
            "evacuate_powered_off would register train-01 on other hosts, away from their devices on esx-01",
        ),
    ],
)
def test_what_stands_in_the_way(
    made: Host, wish: RebootWish, residents: tuple[Vm, ...], tasks: tuple[str, ...], code: str, said: str
) -> None:
    (blocker,) = reboot_blockers(made, residents, wish, tasks)
    assert blocker.code == code
    assert said in blocker.message
    assert blocker.cure
    target = plan_one(made, wish, *residents, tasks=tasks)
    assert (target.blockers, target.effective) == ((blocker,), ())


@pytest.mark.parametrize(
    ("made", "wish", "residents"),
    [
        (esx(), RebootWish(), ()),
        (esx(ready=False), MANAGE, (vm("web-01"), vm("vdi-01", VGPU), vm("train-01", FIXED, on=False))),
        (esx(cluster=None), MANAGE, ()),
        (esx(ready=False, cluster=None), MANAGE, (vm("web-01", on=False),)),
        (esx(), replace(MANAGE, evacuate_powered_off=True), (vm("train-01", FIXED, on=False),)),
        (esx(ready=False), replace(MANAGE, evacuate_powered_off=True), (vm("train-01", DYNAMIC, on=False),)),
        (esx(capabilities=HostCapabilities(maintenance_mode=False)), MANAGE, ()),
    ],
)
def test_what_does_not(made: Host, wish: RebootWish, residents: tuple[Vm, ...]) -> None:
    assert reboot_blockers(made, residents, wish) == ()


def test_everything_is_said_at_once() -> None:
    made = esx(ready=False, cluster=None, capabilities=HostCapabilities(reboot=False))
    residents = (vm("train-01", FIXED), vm("train-02", FIXED, on=False))
    found = reboot_blockers(made, residents, replace(MANAGE, evacuate_powered_off=True), ("x",))
    assert [blocker.code for blocker in found] == [
        "reboot_unsupported",
        "task_running",
        "pinned_vms",
        "running_vms",
        "evacuation_loses_devices",
    ]


BOOT = replace(
    EMPTY_FABRIC,
    adapters=(StorageAdapter(device="vmhba1", address=Q, disks=("naa.1",)),),
    disks=(Disk(name="naa.1", local=True, is_boot=True),),
)


def grabbing(state: Mapping[str, bool] = PENDING_ENABLE) -> Host:
    return replace(esx(), devices=(device(P, state=PENDING_ENABLE), device(Q, NVME, state)), fabric=BOOT)


def test_a_reboot_that_would_take_the_boot_disk_is_refused() -> None:
    (blocker,) = reboot_blockers(grabbing(), (), RebootWish())
    assert blocker.code == "reboot_takes_protected"
    assert blocker.message == (
        f"The reboot would take {Q} 144d:a808 NVMe SSD PM983 from esx-01, although vmhba1 leads to naa.1, which is the "
        "disk ESXi boots from"
    )
    assert f'allow_protected: ["esx-01/{Q}"]' in blocker.cure


@pytest.mark.parametrize("state", [OFF, ACTIVE, PENDING_DISABLE])
def test_a_reboot_that_takes_nothing_more_is_not(state: dict[str, bool]) -> None:
    assert reboot_blockers(grabbing(state), (), RebootWish()) == ()


def test_the_loss_may_be_accepted_by_name() -> None:
    assert reboot_blockers(grabbing(), (), RebootWish(allow_protected=(f"esx-01/{Q}",))) == ()
    assert len(reboot_blockers(grabbing(), (), RebootWish(allow_protected=(f"esx-02/{Q}",)))) == 1


def test_an_override_must_say_the_host() -> None:
    fleet = [esx(), replace(esx(), name="esx-02", moid="host-2")]
    with pytest.raises(InputError, match="does not say on which of the 2 hosts"):
        plan_reboot(fleet, {}, RebootWish(allow_protected=(Q,)))


# --- order ------------------------------------------------------------------------------------------------------------


def kinds(target: TargetPlan) -> list[str]:
    return [change.kind for change in target.effective]


def test_only_maintenance_mode_that_was_entered_is_left() -> None:
    assert kinds(plan_one(esx(ready=False), MANAGE)) == ["enter_maintenance", "reboot", "exit_maintenance"]
    assert kinds(plan_one(esx(), MANAGE)) == ["reboot"]
    assert kinds(plan_one(esx(), RebootWish())) == ["reboot"]


def test_what_the_writer_is_told() -> None:
    wish = replace(MANAGE, drain_timeout=60, reboot_timeout=900, verify_timeout=30, vsan_mode="noAction")
    enter, reboot, leave = plan_one(esx(ready=False), wish).effective
    assert enter.detail == EnterMaintenance(timeout_seconds=60, evacuate_powered_off=False, vsan_mode="noAction")
    assert reboot.detail == Reboot(timeout_seconds=900, verify_seconds=30)
    assert leave.detail == ExitMaintenance(timeout_seconds=60)
    assert (enter.before, enter.after, leave.before, leave.after) == (False, True, True, False)
    assert (reboot.subject, reboot.before, reboot.after) == ("host", "running", "rebooted")


@pytest.mark.parametrize("name", ["drain_timeout", "reboot_timeout", "verify_timeout"])
@pytest.mark.parametrize("seconds", [0, -1])
def test_nothing_waits_for_ever(name: str, seconds: int) -> None:
    with pytest.raises(InputError, match=f"{name} {seconds} is not a positive number of seconds"):
        replace(MANAGE, **{name: seconds})


def test_a_forecast_gives_the_same_records_as_the_real_run() -> None:
    forecast = RebootWish(maintenance="manage", expect_pending=frozenset({"esx-01"}))
    before, after = esx(OFF, ready=False), esx(PENDING_ENABLE, ready=False)
    assert plan_reboot([before], {}, forecast).records() == plan_reboot([after], {}, MANAGE).records()


@pytest.mark.parametrize(
    ("moves", "why"),
    [(None, "DRS may not move them"), (False, "DRS of its cluster does not move them by itself"), (True, None)],
)
def test_vms_that_somebody_must_move_are_named(moves: bool | None, why: str | None) -> None:
    made = esx(ready=False, drs_moves_vms=moves)
    target = plan_one(made, MANAGE, vm("web-02"), vm("web-01"), vm("off-01", on=False))
    said = (
        f"esx-01 waits up to 1800 seconds for these virtual machines to be moved away: web-01, web-02. {why}: be ready"
    )
    assert target.warnings == ((f"{said} to move them",) if why else ())


def test_targets_come_sorted() -> None:
    fleet = [replace(esx(), name=name, moid=moid) for name, moid in (("b", "h-2"), ("a", "h-9"), ("a", "h-1"))]
    found = plan_reboot(fleet, {}, RebootWish()).targets
    assert [(target.target, target.moid) for target in found] == [("a", "h-1"), ("a", "h-9"), ("b", "h-2")]


_vms = st.lists(
    st.builds(
        lambda name, backings, on: vm(name, *backings, on=on),
        st.sampled_from(["a", "b", "c"]),
        st.lists(st.sampled_from([FIXED, DYNAMIC, VGPU]), max_size=2),
        st.booleans(),
    ),
    max_size=3,
).map(tuple)
_wishes = st.builds(
    RebootWish,
    reboot_if=st.sampled_from(["pending", "always"]),
    maintenance=st.sampled_from(["require", "manage"]),
    evacuate_powered_off=st.booleans(),
)


@settings(max_examples=200, deadline=None)
@given(hosts(), st.booleans(), st.sampled_from([None, "gpu-a"]), _vms, _wishes)
def test_never_a_reboot_that_takes_running_vms_down(
    made: Host, ready: bool, cluster: str | None, residents: tuple[Vm, ...], wish: RebootWish
) -> None:
    made = replace(made, in_maintenance_mode=ready, cluster=cluster)
    target = plan_one(made, wish, *residents)
    for blocker in target.blockers:
        assert made.name in blocker.message
        assert blocker.cure
    if "reboot" in kinds(target):
        assert made.is_reachable
        assert ready or kinds(target)[0] == "enter_maintenance"
        assert not any(each.is_powered_on and each.pins_to_host for each in residents)
        assert wish.reboot_if == "always" or made.pending
    assert ("enter_maintenance" in kinds(target)) == ("exit_maintenance" in kinds(target))
