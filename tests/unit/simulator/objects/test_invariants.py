# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever clients and hardware do in whatever order: the inventory holds together, and nothing breaks inside."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from pyVmomi import vim, vmodl

from simulator.objects.host.host import HostSystem
from simulator.objects.vm.vm import VirtualMachine
from simulator.rules.vm import devices as device_rules
from tests.unit.simulator.world import GPU, GPU2, NVME, PASSTHROUGH, World

pytestmark = pytest.mark.slow

NAMES = ("train-01", "train-02", "web-01", "web-02")
HOSTS = ("esx-01", "esx-02", "esx-03")


RARE = {
    "do_power_loss": 0.2,
    "do_disconnect": 0.1,
    "do_enter": 0.2,
    "do_reboot": 0.3,
    "do_configure": 2.0,
    "do_detach": 0.3,
}


class Walk:
    """Random calls; faults of the API are part of the walk, anything else is not."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        knobs = {"cold_migration_fault": self.dice.choice(["allowed", "device_not_supported"])}
        self.world = World("three_hosts", session_idle_seconds=1e9, **knobs)
        self.hosts = [self.world.host(name) for name in HOSTS]
        self.vms = [self.world.vm(name) for name in NAMES]
        self.running_with_device = 0

    def step(self) -> None:
        names = [name for name in dir(self) if name.startswith("do_")]
        weights = [RARE.get(name, 1.0) for name in names]
        with suppress(vmodl.MethodFault):
            getattr(self, self.dice.choices(names, weights)[0])()
        self.world.advance(self.dice.choice([0, 1, 5, 30, 400]))
        self.running_with_device += sum(bool(vm.assigned) for vm in self.world.sim.registry.all(VirtualMachine))

    @property
    def host(self) -> Any:
        return self.dice.choice(self.hosts)

    @property
    def vm(self) -> Any:
        return self.dice.choice(self.vms)

    def do_configure(self) -> None:
        address = self.dice.choice([GPU, GPU2, NVME])
        self.world.configure(self.host, address, on=self.dice.random() < 0.8, applyNow=self.dice.choice([None, False]))

    def do_attach_dynamic(self) -> None:
        vm = self.vm
        if not self.world.devices(vm):
            self.world.attach(vm, self.world.dynamic())

    def do_attach_fixed(self) -> None:
        vm, host = self.vm, self.host
        if self.world.devices(vm):
            return
        system = self.world.sim.find("HostSystem", host.name).spec.system_id
        self.world.attach(vm, self.world.fixed(host, self.dice.choice([GPU, GPU2]), systemId=system))

    def do_detach(self) -> None:
        vm = self.vm
        for device in self.world.devices(vm)[:1]:
            change = vim.vm.device.VirtualDeviceSpec(operation="remove", device=PASSTHROUGH(key=device.key))
            vm.ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=[change]))

    def do_power_on(self) -> None:
        self.vm.PowerOnVM_Task(self.dice.choice([None, self.host]))

    def do_power_on_by_drs(self) -> None:
        self.world.find(vim.Datacenter, "DC1").PowerOnMultiVM_Task([self.vm], None)

    def do_power_off(self) -> None:
        self.vm.PowerOffVM_Task()

    def do_shut_down_guest(self) -> None:
        self.vm.ShutdownGuest()

    def do_migrate(self) -> None:
        self.vm.MigrateVM_Task(None, self.host, "defaultPriority", None)

    def do_enter(self) -> None:
        self.host.EnterMaintenanceMode_Task(self.dice.choice([0, 60]), self.dice.random() < 0.3)

    def do_leave(self) -> None:
        self.host.ExitMaintenanceMode_Task(0)

    def do_reboot(self) -> None:
        self.host.RebootHost_Task(self.dice.random() < 0.5)

    def do_power_loss(self) -> None:
        name = self.dice.choice(HOSTS) + ".lab"
        self.world.sim.events[self.dice.choice(["host_power_loss", "host_power_on"])](host=name)

    def do_disconnect(self) -> None:
        self.host.DisconnectHost_Task()

    def do_reconnect(self) -> None:
        self.host.ReconnectHost_Task(None, None)

    def do_lock(self) -> None:
        self.vm.ReconfigVM_Task(vim.vm.ConfigSpec(memoryReservationLockedToMax=self.dice.random() < 0.5))


def check(world: World) -> None:
    hosts: list[HostSystem] = world.sim.registry.all(HostSystem)
    vms: list[VirtualMachine] = world.sim.registry.all(VirtualMachine)
    placed = Counter(ref._moId for host in hosts for ref in host.props["vm"])
    assert placed == Counter(vm.moid for vm in vms)
    for vm in vms:
        assert vm.ref in vm.host.props["vm"]
        whole = {key: address for key, address in vm.assigned.items() if key < 13031}
        for address in whole.values():
            assert vm.host.holders[address] == vm.moid
        if not vm.is_on:
            assert (vm.assigned, vm.charged) == ({}, 0)
        elif vm.device_kinds and vm.host.running and vm.host.connection == "connected":
            assert len(vm.assigned) == len(vm.device_kinds)
            config = vm.get("config")
            assert config.memoryAllocation.reservation <= config.hardware.memoryMB
        assert device_rules.kinds(vm.devices) == vm.device_kinds
    for host in hosts:
        held = Counter(address for vm in host.vms for address in vm.assigned.values())
        assert set(held) == set(host.holders)
        assert max(held.values(), default=1) == 1
        assert host.free_memory >= 0
        if host.in_maintenance and host.running and host.connection == "connected":
            assert not any(vm.is_on for vm in host.vms)
        for address, state in host.pci.items():
            assert state.capable or not state.active, address


@pytest.mark.parametrize("seed", range(10))
def test_a_random_walk(seed: int) -> None:
    walk = Walk(seed)
    for _step in range(300):
        walk.step()
        assert walk.world.sim.internal_errors == []
        check(walk.world)
    walk.world.advance(10_000)
    check(walk.world)
    assert walk.running_with_device > 0
