# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VM with vGPUs goes only where its profiles are free, and takes them with it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyVmomi import vim

from simulator.rules import maintenance
from simulator.rules.knobs import Knobs
from simulator.rules.maintenance import Cluster, Resident, Target
from simulator.rules.pci import vgpu
from tests.unit.simulator.world import World

GPU = "0000:3b:00.0"
SMALL, WHOLE = "grid_a100-10c", "grid_a100-40c"


def world(*vms: tuple[str, str, list[str]], hosts: int = 2, **more: Any) -> World:
    """Hosts with one A100 each (four small profiles or one whole), the last one without; VMs that are on: name, host, profiles."""
    gpu = {"name": "esx-{}", "count": hosts, "cards": [{"card": "a100", "at": "3b"}], "shared_gpus": ["a100"]}
    plain = {"name": "plain", "memory_gb": 1024}
    listed = [
        {"name": name, "host": host, "power": "on", "memory_gb": 8, "devices": [{"vgpu": item} for item in profiles]}
        for name, host, profiles in vms
    ]
    cluster = {"name": "c", "hosts": [gpu, plain], "vms": listed, "drs_options": {"VgpuMMAutomationTimeoutSecs": -1}}
    return World({"datacenters": [{"name": "D", "clusters": [{**cluster, **more}]}]})


def used(of: World, host: str) -> dict[str, list[str]]:
    """What the API says: VMs on the shared GPUs of a host."""
    shown = of.host(host).config.graphicsInfo
    return {info.pciId: [vm.name for vm in info.vm] for info in shown if info.graphicsType == "sharedDirect"}


def test_a_move_books_the_profile_where_the_vm_runs() -> None:
    lab = world(("a", "esx-1", [SMALL]))
    assert (used(lab, "esx-1"), used(lab, "esx-2")) == ({GPU: ["a"]}, {GPU: []})
    lab.wait(lab.vm("a").MigrateVM_Task(None, lab.host("esx-2"), "defaultPriority", None))
    assert (used(lab, "esx-1"), used(lab, "esx-2")) == ({GPU: []}, {GPU: ["a"]})
    source, destination = (lab.sim.find("HostSystem", name) for name in ("esx-1", "esx-2"))
    assert (+source.profiles_used, +destination.profiles_used) == ({}, {(GPU, SMALL): 1})
    lab.wait(lab.vm("a").PowerOffVM_Task())
    assert not +destination.profiles_used


@pytest.mark.parametrize("method", ["MigrateVM_Task", "RelocateVM_Task"])
@pytest.mark.parametrize("target", ["esx-2", "plain"])
def test_a_host_that_cannot_take_the_profile_is_no_destination(method: str, target: str) -> None:
    """esx-2 serves whole GPUs at the moment, which leaves nothing for another profile."""
    lab = world(("a", "esx-1", [SMALL]), ("b", "esx-2", [WHOLE]))
    vm, host = lab.vm("a"), lab.host(target)
    task = vm.MigrateVM_Task(None, host, "defaultPriority") if method[0] == "M" else vm.RelocateVM_Task(
        vim.vm.RelocateSpec(host=host)
    )  # fmt: skip
    lab.fails(vim.fault.InsufficientGraphicsResourcesFault, task)
    assert vm.runtime.host.name == "esx-1"
    assert used(lab, "esx-1") == {GPU: ["a"]}
    lab.wait(lab.vm("b").PowerOffVM_Task())
    if target == "esx-2":
        lab.wait(vm.MigrateVM_Task(None, host, "defaultPriority"))
        assert used(lab, "esx-2") == {GPU: ["a"]}


def advice(lab: World, host: str) -> tuple[list[str], dict[str, str]]:
    result = lab.host(host).parent.EnterMaintenanceMode([lab.host(host)], None, None)
    faults = {row.vm.name: type(row.fault[0]).__name__ for row in (result.fault.faultsByVm if result.fault else [])}
    return sorted(item.action[0].drsMigration.vm.name for item in result.recommendations), faults


def test_drs_and_its_dry_run_count_the_profiles_of_the_others() -> None:
    """Three of four small profiles are free on esx-2: of four VMs on esx-1 one stays, and keeps the host waiting."""
    names = ["a", "b", "c", "d"]
    lab = world(*((name, "esx-1", [SMALL]) for name in names), ("e", "esx-2", [SMALL]))
    moved, faults = advice(lab, "esx-1")
    assert (moved, faults) == (["a", "b", "c"], {"d": "vim.fault.InsufficientGraphicsResourcesFault"})
    lab.fails(vim.fault.Timedout, lab.host("esx-1").EnterMaintenanceMode_Task(300, False))
    assert [vm.name for vm in lab.host("esx-1").vm] == ["d"]
    assert sorted(used(lab, "esx-2")[GPU]) == ["a", "b", "c", "e"]


def test_placement_starts_a_vm_where_its_profile_is_free() -> None:
    lab = world(("a", "esx-1", [WHOLE]), ("b", "esx-2", [SMALL]))
    lab.wait(lab.vm("b").PowerOffVM_Task())
    lab.wait(lab.vm("b").MigrateVM_Task(None, lab.host("plain"), "defaultPriority"))
    result = lab.wait(lab.find(vim.Datacenter, "D").PowerOnMultiVM_Task([lab.vm("b")], None))
    lab.advance(60)
    assert not result.notAttempted
    assert lab.vm("b").runtime.host.name == "esx-2", "the plain host has most memory, and no GPU"


def test_an_event_cannot_put_a_vm_where_it_cannot_run() -> None:
    lab = world(("a", "esx-1", [SMALL]))
    with pytest.raises(ValueError, match="graphics resource"):
        lab.sim.events["move_vm"](vm="a", host="plain")
    lab.sim.events["move_vm"](vm="a", host="esx-2")
    assert used(lab, "esx-2") == {GPU: ["a"]}


@pytest.mark.parametrize(
    ("profiles", "gpus", "places"),
    [
        ((), {}, ()),
        (("s",), {}, None),
        (("s", "s"), {"1": {"s": 2}}, ("1", "1")),
        (("s", "s", "s"), {"1": {"s": 2}, "2": {"s": 1}}, ("1", "1", "2")),
        (("s", "w"), {"1": {"s": 4, "w": 1}}, None),
        (("s", "w"), {"1": {"s": 4, "w": 1}, "2": {"s": 4, "w": 1}}, ("1", "2")),
    ],
)
def test_a_gpu_serves_one_profile_at_a_time(profiles: Any, gpus: vgpu.Gpus, places: Any) -> None:
    assert vgpu.fit(profiles, gpus) == places


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from([("s",), ("w",), ("s", "s"), ()]), max_size=8),
    st.lists(st.integers(min_value=0, max_value=4), min_size=1, max_size=3),
)
def test_what_is_placed_always_fits_together(wanted: list[tuple[str, ...]], free: list[int]) -> None:
    around = Cluster(
        drs=True,
        vgpu=True,
        targets=[
            Target(moid=f"h{number}", usable=True, free_memory=100, gpus={"gpu": {"s": count, "w": count // 4}})
            for number, count in enumerate(free)
        ],
    )
    vms = [
        Resident(moid=f"v{n}", name=f"v{n}", powered_on=True, memory=1, devices=("vgpu",) * len(items), profiles=items)
        for n, items in enumerate(wanted)
    ]
    plan = maintenance.moves(vms, around, powered_off=False, knobs=Knobs())
    for target in around.targets:
        there = tuple(profile for vm in vms if plan.get(vm.moid) == target.moid for profile in vm.profiles)
        assert len(set(there)) <= 1
        assert vgpu.fit(there, target.gpus) is not None
