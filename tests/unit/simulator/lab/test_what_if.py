# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab arranges to happen in a rehearsal, and boots that differ."""

from __future__ import annotations

import statistics
from typing import Any

import pytest
import yaml
from pyVmomi import vim

from simulator import Simulator
from simulator.lab.hardware.cards import LabError
from simulator.objects.host.host import HostSystem
from simulator.rules.boots import LEAST, MORE, OTHER_TIMES, BootSpread, other_times, share_of
from tests.unit.simulator.world import GPU, GPU2, LABS, World


def lab(*what_if: Any, **more: Any) -> dict[str, Any]:
    source: dict[str, Any] = yaml.safe_load((LABS / "three_hosts.yml").read_text(encoding="utf-8"))
    return {**source, "what_if": list(what_if), **more}


def test_a_host_never_returns() -> None:
    world = World(lab({"kind": "host_never_returns", "host": "esx-03"}))
    for name, connection in (("esx-02", "connected"), ("esx-03", "notResponding")):
        host = world.host(name)
        world.reboot(host)
        world.advance(6000)
        assert host.runtime.connectionState == connection
    assert world.sim.what_if == [{"kind": "host_never_returns", "host": "esx-03.lab"}]


def test_a_host_returns_without_its_devices() -> None:
    """Those that are enabled when it boots; others stay."""
    world = World(lab({"kind": "host_returns_without_devices", "host": "esx-01.lab"}))
    hosts = [world.host("esx-01"), world.host("esx-02")]
    before = {item.id for item in hosts[0].hardware.pciDevice}
    for host in hosts:
        world.configure(host, GPU, GPU2)
        world.reboot(host)
        assert host.runtime.connectionState == "connected"
    assert {item.id for item in hosts[1].hardware.pciDevice} == before
    assert before - {item.id for item in hosts[0].hardware.pciDevice} == {GPU, GPU2}
    assert (world.states(hosts[0]), len(world.states(hosts[1]))) == ({}, 2)


def test_a_host_returns_without_one_device() -> None:
    world = World(lab({"kind": "host_returns_without_devices", "host": "esx-01", "devices": [GPU2.upper()]}))
    host = world.host("esx-01")
    world.configure(host, GPU, GPU2)
    world.reboot(host)
    assert world.states(host) == {GPU: (True, True)}


def test_a_vm_does_not_shut_down() -> None:
    world = World(lab({"kind": "vm_does_not_shut_down", "vm": "web-01"}))
    for name, power in (("web-01", "poweredOn"), ("web-02", "poweredOff")):
        vm = world.vm(name)
        vm.ShutdownGuest()
        world.advance(600)
        assert vm.runtime.powerState == power


def test_drs_refuses() -> None:
    """The dry run does not know it; another host is evacuated."""
    world = World(lab({"kind": "drs_refuses", "host": "esx-01"}))
    refused, other = world.host("esx-01"), world.host("esx-02")
    dry = refused.parent.ClusterEnterMaintenanceMode([refused], None)
    assert not dry.fault
    assert [action.target.name for advice in dry.recommendations for action in advice.action][:1] == ["web-01"]
    task = refused.EnterMaintenanceMode_Task(0, False)
    world.advance(6000)
    assert (task.info.state, [vm.name for vm in refused.vm if vm.runtime.powerState == "poweredOn"]) == (
        "running",
        ["web-01"],
    )
    task.CancelTask()
    world.enter(other)
    assert other.runtime.inMaintenanceMode


def test_vcenter_restarts() -> None:
    world = World(lab({"kind": "vcenter_restarts", "at": 100, "seconds": 50}))
    for seconds, online in ((99, True), (2, False), (48, False), (2, True)):
        world.advance(seconds)
        assert world.sim.online is online


def test_the_seed_chooses() -> None:
    """Hosts that are connected; VMs that run, with devices if there are any."""
    chosen = set()
    for seed in range(20):
        sim = Simulator.from_lab(lab({"kind": "host_never_returns", "host": "random", "seed": seed},
                                     {"kind": "vm_does_not_shut_down", "vm": "random", "seed": seed}))  # fmt: skip
        again = Simulator.from_lab(lab({"kind": "host_never_returns", "host": "random", "seed": seed}))
        assert again.what_if == sim.what_if[:1]
        chosen.add((sim.what_if[0]["host"], sim.what_if[1]["vm"]))
    assert {host for host, _vm in chosen} == {"esx-01.lab", "esx-02.lab", "esx-03.lab"}
    assert {vm for _host, vm in chosen} == {"web-01", "web-02"}


@pytest.mark.parametrize(
    ("what_if", "message"),
    [
        ({"kind": "fire"}, "what_if 1: kind is one of host_never_returns, .*, not 'fire'"),
        ({"kind": "host_never_returns"}, "no host is named ''; candidates: esx-01.lab, esx-02.lab, esx-03.lab"),
        ({"kind": "drs_refuses", "host": "exs-01.lab"}, r"what_if 1 \(drs_refuses\): no host is named 'exs-01.lab'; candidates: esx-01"),
        ({"kind": "vm_does_not_shut_down", "vm": "wep-01"}, "no vm is named 'wep-01'; candidates: web-01"),
        ({"kind": "vcenter_restarts", "at": -1}, "at is a number, 0 or more, not -1"),
        ({"kind": "vcenter_restarts", "seconds": "long"}, "seconds is a number, 0 or more, not 'long'"),
        ({"kind": "host_never_returns", "host": "esx-01", "vm": "x"}, "what_if 1 .*vm"),
        ({"kind": "host_returns_without_devices", "host": "esx-01", "devices": ["0000:ff:00.0"]},
         "esx-01.lab has no device at 0000:ff:00.0; candidates: 0000:00:00.0"),
        ({"kind": "host_returns_without_devices", "host": "esx-01", "devices": []}, "devices is a list of addresses"),
        ("host_never_returns", "what_if is a list of mappings"),
    ],
)  # fmt: skip
def test_mistakes_are_found_when_the_lab_is_loaded(what_if: Any, message: str) -> None:
    with pytest.raises(LabError, match=message):
        Simulator.from_lab(lab(what_if))


@pytest.mark.parametrize(
    ("spread", "message"),
    [
        (5, "boot_spread is a mapping"),
        ({"share": 2}, "share is a number, from 0 to 1, not 2"),
        ({"others": 0.5}, "others is a number, 1 or more, not 0.5"),
        ({"sead": 1}, "sead"),
    ],
)
def test_mistakes_in_the_spread(spread: Any, message: str) -> None:
    with pytest.raises(LabError, match=message):
        Simulator.from_lab(lab(boot_spread=spread))


def test_an_esxi_host_has_no_vcenter_that_restarts() -> None:
    source = yaml.safe_load((LABS / "home.yml").read_text(encoding="utf-8"))
    with pytest.raises(LabError, match="an ESXi host has no vCenter"):
        Simulator.from_lab({**source, "what_if": [{"kind": "vcenter_restarts"}]})


def away(world: World, name: str) -> float:
    """Seconds that a host is away in one reboot."""
    host = world.sim.find("HostSystem", f"{name}.lab")
    world.sim.events["enter_maintenance"](host=host.name, user="bob")
    world.advance(100)
    world.sim.events["reboot_host"](host=host.name, user="bob")
    times = []
    for connection in ("notResponding", "connected"):
        while host.connection != connection:
            world.advance(0.5)
        times.append(world.sim.clock.seconds())
    world.sim.events["exit_maintenance"](host=host.name, user="bob")
    world.advance(100)
    return times[1] - times[0]


def test_each_boot_takes_its_own_time_by_the_seed() -> None:
    seen = {}
    for seed in (1, 2, 1):
        world = World(lab(boot_spread={"seed": seed, "share": 0.2}))
        times = [away(world, name) for name in ("esx-01", "esx-02", "esx-01")]
        assert all(239 <= each <= 361 for each in times)
        assert len(set(times)) == 3
        assert seen.setdefault(seed, times) == times
    assert seen[1] != seen[2]
    world = World(lab(boot_spread={"seed": 1, "share": 0}))
    assert away(world, "esx-01") == 300.0


def test_the_order_of_the_hosts_does_not_change_their_boots() -> None:
    found = []
    for order in (("esx-01", "esx-02"), ("esx-02", "esx-01")):
        world = World(lab(boot_spread={"seed": "x"}))
        found.append({name: away(world, name) for name in order})
    assert found[0] == found[1]


def test_the_middle_of_few_boots_is_less_sure() -> None:
    spread = BootSpread(seed="s", share=0.3)

    def width(past: int) -> float:
        return statistics.pstdev(spread.factor("host-1", number, past) for number in range(2000)) * 3**0.5

    assert width(0) == pytest.approx(0.3, rel=0.03)
    assert width(1) == pytest.approx(0.3 * MORE * 2**0.5, rel=0.03)
    assert width(6) == pytest.approx(0.3 * MORE * 1.25**0.5, rel=0.03)
    wide = BootSpread(seed="s", share=1.0)
    assert min(wide.factor("host-1", number, 1) for number in range(500)) == LEAST


def test_times_that_a_capture_does_not_show_are_drawn() -> None:
    """One factor for each, for all hosts. A knob that the lab sets is known."""
    assert Simulator.from_lab(lab(boot_spread={"seed": 1})).knobs.turned == {}
    seen = []
    for seed in range(30):
        sim = Simulator.from_lab(lab(boot_spread={"seed": seed, "others": 2}, knobs={"migrate_seconds": 77.0}))
        assert set(sim.knobs.turned) == set(OTHER_TIMES)
        assert sim.knobs.migrate_seconds == 77.0
        seen.append(sim.knobs.down_after_seconds)
        assert all(10.0 <= each <= 40.0 for each in seen)
    assert min(seen) < 14
    assert max(seen) > 29
    assert other_times("s", 3.0, ()) == other_times("s", 3.0, ())


def test_past_boots_say_how_much_boots_differ() -> None:
    assert share_of([]) is None
    assert share_of([[100], [200], []]) is None
    assert share_of([[100, 100, 100], [200, 200, 200], [1, 1]]) == 0.0
    uniform = [[600 * (1 - 0.3 + 0.6 * (number + 0.5) / 20) for number in range(20)]]
    assert share_of(uniform) == pytest.approx(0.3, rel=0.05)
    assert share_of([[1, 1000, 1, 1000, 1, 1000]]) == 1.0


def test_a_lab_without_spread_is_as_before() -> None:
    sim = Simulator.from_lab(LABS / "three_hosts.yml")
    host = sim.registry.all(HostSystem)[0]
    assert (sim.boot_spread, sim.what_if, host.next_boot() is host.settings) == (None, [], True)
    assert isinstance(host.ref, vim.HostSystem)
