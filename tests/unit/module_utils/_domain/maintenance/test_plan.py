# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What forbids to empty a host for work on its hardware, and what is worth knowing before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.maintenance.plan import (
    DesiredMaintenance,
    EnterMaintenance,
    plan_maintenance,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import Host, HostCapabilities
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import (
    DynamicBacking,
    FixedBacking,
    MemoryState,
    Vm,
    VmDevice,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.plan import TargetPlan
from tests.unit.module_utils._domain.strategies import STALE, device, host

P = "0000:3b:00.0"
FIXED = FixedBacking(address=P, vendor_id="10de", device_id="20f1", system_id=None)
DYNAMIC = DynamicBacking(allowed=())
STOP = DesiredMaintenance(pinned="shutdown_then_power_off")
EVACUATE = DesiredMaintenance(evacuate_powered_off=True)


def vm(name: str, *backings: Any, on: bool = True) -> Vm:
    devices = tuple(
        VmDevice(key=13000 + n, label=f"PCI device {n}", backing=backing) for n, backing in enumerate(backings)
    )
    return Vm(
        moid=f"vm-{name}",
        name=name,
        host_moid=esx().moid,
        power_state="poweredOn" if on else "poweredOff",
        memory=MemoryState(size_mb=4096),
        devices=devices,
    )


def esx(**more: Any) -> Host:
    return host(device(P), **{"cluster": "gpu-a", "drs_moves_vms": True, **more})


def park(made: Host, desired: DesiredMaintenance, *residents: Vm, tasks: tuple[str, ...] = ()) -> TargetPlan:
    plan = plan_maintenance([made], {made.moid: residents}, desired, tasks={made.moid: tasks}, marks={}, stopped=())
    (target,) = plan.targets
    return target


@pytest.mark.parametrize(
    ("made", "desired", "residents", "tasks", "code", "said"),
    [
        (esx(connection_state="notResponding"), STOP, (), (), "host_unreachable", "esx-01 is notResponding"),
        (
            esx(capabilities=HostCapabilities(maintenance_mode=False)),
            STOP,
            (),
            (),
            "maintenance_unsupported",
            "esx-01 does not support maintenance mode",
        ),
        (
            esx(),
            STOP,
            (),
            ("vm.migrate", "host.updateFirmware"),
            "task_running",
            "Other tasks are running on esx-01: host.updateFirmware, vm.migrate",
        ),
        (
            esx(),
            EVACUATE,
            (vm("train-01", FIXED, on=False), vm("train-02", DYNAMIC, on=False), vm("web-01", on=False)),
            (),
            "evacuation_loses_devices",
            "evacuate_powered_off would register train-01 on other hosts, where their devices of esx-01 do not exist",
        ),
        (
            esx(),
            replace(EVACUATE, pinned="shutdown_then_power_off"),
            (vm("train-01", FIXED), vm("train-02", DYNAMIC)),
            (),
            "evacuation_loses_devices",
            "evacuate_powered_off would register train-01 on other hosts",
        ),
    ],
    ids=["away", "unsupported", "busy", "off", "stopped for it"],
)
def test_what_stands_in_the_way(
    made: Host, desired: DesiredMaintenance, residents: tuple[Vm, ...], tasks: tuple[str, ...], code: str, said: str
) -> None:
    target = park(made, desired, *residents, tasks=tasks)
    (blocker,) = target.blockers
    assert blocker.code == code
    assert said in blocker.message
    assert blocker.cure
    assert target.effective == ()


@pytest.mark.parametrize(
    ("made", "desired", "residents"),
    [
        (esx(), EVACUATE, (vm("train-01", DYNAMIC, on=False), vm("web-01"))),
        (esx(), STOP, (vm("train-01", FIXED), vm("train-02", FIXED, on=False))),
        (esx(capabilities=HostCapabilities(reboot=False)), STOP, ()),
        (replace(esx(), devices=(device(P, state=STALE),)), STOP, ()),
    ],
)
def test_what_does_not(made: Host, desired: DesiredMaintenance, residents: tuple[Vm, ...]) -> None:
    target = park(made, desired, *residents)
    assert target.blockers == ()
    assert target.effective[-1].kind == "enter_maintenance"


def test_everything_is_said_at_once() -> None:
    made = esx(capabilities=HostCapabilities(maintenance_mode=False))
    target = park(made, EVACUATE, vm("train-01", FIXED), vm("train-02", FIXED, on=False), tasks=("x",))
    assert [blocker.code for blocker in target.blockers] == [
        "maintenance_unsupported",
        "task_running",
        "pinned_vms",
        "evacuation_loses_devices",
    ]


def test_what_the_writer_is_told() -> None:
    (enter,) = park(esx(), DesiredMaintenance(drain_timeout=60, vsan_mode="noAction")).effective
    assert enter.detail == EnterMaintenance(timeout_seconds=60, evacuate_powered_off=False, vsan_mode="noAction")


@pytest.mark.parametrize("name", ["drain_timeout", "stop_timeout", "leave_timeout"])
@pytest.mark.parametrize("seconds", [0, -1])
def test_nothing_waits_for_ever(name: str, seconds: int) -> None:
    with pytest.raises(InputError, match=f"{name} {seconds} is not a positive number of seconds"):
        replace(STOP, **{name: seconds})


@pytest.mark.parametrize(
    ("moves", "why"),
    [
        (None, "DRS of its cluster may not"),
        (False, "DRS of its cluster is not fully automated and will not"),
        (True, None),
    ],
)
def test_vms_that_somebody_must_move_are_named(moves: bool | None, why: str | None) -> None:
    target = park(esx(drs_moves_vms=moves), STOP, vm("web-02"), vm("web-01"), vm("off-01", on=False))
    expected = f"esx-01 waits up to 1800 seconds until these virtual machines are migrated: web-01, web-02. {why} migrate them: be ready"
    assert target.warnings == ((f"{expected} to migrate them manually",) if why else ())
