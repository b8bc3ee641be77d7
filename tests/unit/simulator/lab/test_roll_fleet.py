# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets to roll through: every host owes a reboot, each takes its own time, and every run is the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pyVmomi import vim, vmodl

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import decode_lock
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import LOCK, Lock
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.lock import is_stale
from simulator import ManualClock, Simulator
from simulator.core.clock import START
from simulator.lab import values
from simulator.lab.hardware.cards import LabError
from simulator.lab.roll import reboot_times, roll_lab
from simulator.objects.cluster.cluster import ClusterComputeResource
from simulator.objects.host.host import HostSystem
from simulator.objects.vm.vm import VirtualMachine
from tests.unit.simulator.world import LABS, World

PC = vmodl.query.PropertyCollector


def test_every_host_owes_a_reboot_and_takes_its_own_time() -> None:
    sim = Simulator.from_lab(roll_lab(clusters=2, hosts=8))
    hosts = sim.registry.all(HostSystem)
    assert len(hosts) == 16
    assert len(sim.registry.all(VirtualMachine)) == 64
    for host in hosts:
        assert host.get("config.pciPassthruInfo") is not None
        assert sum(state.enabled and not state.active for state in host.pci.values()) == 1
    times = {host.name: host.settings.boot_seconds for host in hosts}
    assert times == {name: value for each in reboot_times(clusters=2, hosts=8).values() for name, value in each.items()}
    assert len(set(times.values())) > 12
    assert all(300 <= value <= 900 for value in times.values())
    assert len({host.spec.model for host in hosts}) == 2


def test_the_times_depend_on_the_seed_and_on_nothing_else() -> None:
    assert reboot_times(clusters=2) == reboot_times(clusters=2)
    assert reboot_times(clusters=2)["roll-01"] == reboot_times(clusters=3)["roll-01"]
    assert reboot_times(clusters=1, seed="x") != reboot_times(clusters=1)
    assert set(reboot_times(clusters=1, spread=0, boot_seconds=60)["roll-01"].values()) == {60.0}


def reads_of_one_reboot(clusters: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Properties the simulator reads for a client that watches the whole fleet while one host is drained and rebooted."""
    world = World(roll_lab(clusters=clusters, hosts=4, vms=2))
    tasks = PC.TraversalSpec(type=vim.HostSystem, path="recentTask")
    vms = PC.TraversalSpec(
        type=vim.HostSystem, path="vm", selectSet=[PC.TraversalSpec(type=vim.VirtualMachine, path="recentTask")]
    )
    hosts = PC.TraversalSpec(type=vim.ComputeResource, path="host", selectSet=[tasks, vms])
    view = world.content.viewManager.CreateContainerView(world.content.rootFolder, [vim.ComputeResource], True)
    spec = PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=each, skip=True, selectSet=[hosts]) for each in view.view],
        propSet=[
            PC.PropertySpec(type=vim.HostSystem, pathSet=["runtime", "vm", "config.pciPassthruInfo", "customValue"]),
            PC.PropertySpec(type=vim.VirtualMachine, pathSet=["runtime.host", "runtime.powerState"]),
            PC.PropertySpec(type=vim.Task, pathSet=["info.state"]),
        ],
    )
    view.DestroyView()
    collector = world.content.propertyCollector
    collector.CreateFilter(spec, True)
    version = collector.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=0)).version
    count = 0
    read = world.sim.property_reader.read

    def counted(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        return read(*arguments)

    monkeypatch.setattr(world.sim.property_reader, "read", counted)
    host = world.sim.find("HostSystem", "esx-002.roll-01.lab")
    world.sim.events["enter_maintenance"](host=host.name, user="bob")
    asked = False
    for _unused in range(60):
        answer = collector.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=60))
        version = answer.version if answer is not None else version
        if host.in_maintenance and not asked:
            asked = bool(world.sim.events["reboot_host"](host=host.name, user="bob"))
    assert host.since_boot < 1e6
    return count


def test_watching_one_reboot_costs_the_same_in_a_small_and_in_a_large_fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reads_of_one_reboot(1, monkeypatch) == reads_of_one_reboot(12, monkeypatch)


def test_pinned_machines_run_on_a_device_and_stay() -> None:
    world = World(roll_lab(clusters=1, hosts=3, vms=1, pinned=1))
    host = world.host("esx-001")
    (pinned,) = [vm for vm in host.vm if "gpu" in vm.name]
    assert pinned.runtime.powerState == "poweredOn"
    task = host.EnterMaintenanceMode_Task(0, False)
    world.advance(600)
    assert task.info.state == "running"
    assert [vm.name for vm in host.vm] == [pinned.name]
    world.wait(pinned.PowerOffVM_Task())
    world.advance(10)
    assert task.info.state == "success"


def test_the_lab_of_twelve_has_its_troubles() -> None:
    world = World("roll_12")
    hosts = world.sim.registry.all(HostSystem)
    assert len(hosts) == 12
    assert all(sum(state.enabled != state.active for state in host.pci.values()) == 1 for host in hosts)
    (cluster,) = [cluster for cluster in world.sim.registry.all(ClusterComputeResource) if cluster.name == "gpu-b"]
    lock = decode_lock({LOCK: " ".join(cluster.custom.values())})
    assert isinstance(lock, Lock)
    assert lock.owner == "alice@bastion-7:4711:1:x"
    assert is_stale(lock, world.sim.clock.now().timestamp())
    assert world.sim.clock.start.timestamp() - lock.beat == 4691
    pinned, waiting = world.host("gpu-02"), world.host("gpu-02").EnterMaintenanceMode_Task(300, False)
    world.fails(vim.fault.Timedout, waiting)
    assert [vm.name for vm in pinned.vm] == ["train-01"]
    (alarm,) = world.host("gpu-06").triggeredAlarmState
    assert (alarm.alarm.info.name, alarm.overallStatus) == ("Host hardware power status", "red")
    for name in ("edge-02", "edge-03"):
        host = world.host(name)
        world.enter(host)
        world.wait(host.RebootHost_Task(False))
        world.advance(3600)
        assert host.runtime.connectionState == ("notResponding" if name == "edge-02" else "connected")
    device = next(info for info in world.host("edge-03").config.pciPassthruInfo if info.passthruEnabled)
    assert device.passthruActive


@pytest.mark.parametrize("begins", [START, datetime(2031, 3, 1, 0, 30, tzinfo=UTC)])
def test_ages_in_a_lab_count_from_its_begin(begins: datetime) -> None:
    sim = Simulator.from_lab(LABS / "roll_12.yml", ManualClock(begins))
    texts = [" ".join(item.custom.values()) for item in sim.registry.all(ClusterComputeResource) if item.custom]
    lock = decode_lock({LOCK: texts[0]})
    assert isinstance(lock, Lock)
    assert (begins.timestamp() - lock.since, begins.timestamp() - lock.beat) == (6471, 4691)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("since {ago 2d 1h}, seen {ago 90s}", "since 2026-01-03T07:00:00Z, seen 2026-01-05T07:58:30Z"),
        ("{ago} {ago x} {crc} ~{crc} .", "{ago} {ago x} {crc} ~{crc} ."),
        ("123456789 ~{crc}", "123456789 ~3926"),  # the check value of CRC-32 is cbf43926
    ],
)
def test_texts_of_a_lab(text: str, expected: str) -> None:
    assert values.written(text, START) == expected


@pytest.mark.parametrize("numbers", [{"clusters": 0}, {"hosts": 0}, {"vms": -1}, {"spread": 1}, {"size": 3}])
def test_numbers_that_make_no_sense_are_refused(numbers: dict[str, float]) -> None:
    with pytest.raises(LabError):
        Simulator.from_lab(roll_lab(**numbers))
