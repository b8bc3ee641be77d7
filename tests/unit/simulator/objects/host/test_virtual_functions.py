# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual functions are PCI functions of the host for as long as a count of them is in effect."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from simulator import Simulator
from simulator.lab.hardware.cards import LabError
from tests.unit.simulator.world import FREE_NIC, UPLINK, World

PORT = "0000:65:00.1"


@pytest.fixture(autouse=True)
def at_once(request: pytest.FixtureRequest) -> None:
    """Most tests here are about what is there once a number is in effect."""
    if "world" in request.fixturenames:
        request.getfixturevalue("world").sim.knobs.set("sriov_at_once", True)


def count(world: World, host: Any, number: int, address: str = FREE_NIC, **values: Any) -> None:
    """Ask for a number of virtual functions."""
    wish = vim.host.SriovConfig(
        id=address, passthruEnabled=False, sriovEnabled=number > 0, numVirtualFunction=number, **values
    )
    host.configManager.pciPassthruSystem.UpdatePassthruConfig([wish])
    host.configManager.pciPassthruSystem.Refresh()


def listed(host: Any) -> dict[str, list[str]]:
    """Addresses of virtual functions (of X710 cards) in the three lists."""
    target = host.parent.environmentBrowser.QueryConfigTarget(host)
    hardware = [item.id for item in host.hardware.pciDevice if item.deviceId == 0x154C]
    return {
        "hardware": hardware,
        "passthrough": [item.id for item in host.config.pciPassthruInfo if item.id in hardware],
        "sriov": [item.pciDevice.id for item in target.sriov if item.virtualFunction],
    }


FOUR = ["0000:65:02.0", "0000:65:02.1", "0000:65:02.2", "0000:65:02.3"]


def test_they_come_and_go_with_the_count(world: World) -> None:
    host = world.host("esx-01")
    assert listed(host) == {"hardware": [], "passthrough": [], "sriov": []}
    before = len(host.hardware.pciDevice)
    count(world, host, 4)
    assert listed(host) == {"hardware": FOUR, "passthrough": FOUR, "sriov": FOUR}
    assert len(host.hardware.pciDevice) == before + 4
    count(world, host, 2)
    assert listed(host)["hardware"] == FOUR[:2]
    count(world, host, 0)
    assert listed(host) == {"hardware": [], "passthrough": [], "sriov": []}
    assert len(host.hardware.pciDevice) == before


def test_they_wait_for_the_boot_like_the_count(world: World) -> None:
    host = world.host("esx-01")
    count(world, host, 4, applyNow=False)
    assert listed(host)["hardware"] == []
    world.reboot(host)
    assert listed(host) == {"hardware": FOUR, "passthrough": FOUR, "sriov": FOUR}
    world.wait(host.ExitMaintenanceMode_Task(0))


def test_they_follow_their_card_to_another_bus(world: World) -> None:
    host = world.host("esx-01")
    count(world, host, 2)
    world.sim.events["set_knob"](name="bus_renumber", value="next_boot")
    world.reboot(host)
    settings = {item.id: item for item in host.config.pciPassthruInfo if isinstance(item, vim.host.SriovInfo)}
    assert not any(item.sriovActive for item in settings.values()), (
        "settings stay with the address, and there is no card"
    )
    assert listed(host)["hardware"] == []


def test_both_ports_have_theirs_and_no_address_twice(world: World) -> None:
    host = world.host("esx-01")
    count(world, host, 64)
    count(world, host, 64, PORT)
    addresses = [item.id for item in host.hardware.pciDevice]
    assert len(addresses) == len(set(addresses))
    assert len(listed(host)["hardware"]) == 128
    assert {item.parentBridge for item in host.hardware.pciDevice if item.deviceId == 0x154C} == {"0000:64:00.0"}


@pytest.mark.parametrize(
    ("state", "flags"),
    [("active", (True, True, True)), ("capable", (True, False, False)), ("not_capable", (False, False, False))],
)
def test_how_they_look_is_a_knob(state: str, flags: tuple[bool, bool, bool]) -> None:
    world = World("three_hosts", virtual_function_state=state, sriov_at_once=True)
    host = world.host("esx-01")
    count(world, host, 1)
    (info,) = [item for item in host.config.pciPassthruInfo if item.id == FOUR[0]]
    assert (info.passthruCapable, info.passthruEnabled, info.passthruActive) == flags
    assert not isinstance(info, vim.host.SriovInfo)
    target = host.parent.environmentBrowser.QueryConfigTarget(host)
    assert [(item.pciDevice.id, item.virtualFunction, item.pnic) for item in target.sriov] == [
        (FREE_NIC, False, "vmnic2"),
        (FOUR[0], True, None),
    ]
    assert target.pciPassthrough == []
    assert target.dynamicPassthrough == []


def test_an_uplink_keeps_its_switch_and_has_virtual_functions() -> None:
    world = World(
        {"datacenters": [{"name": "d", "hosts": [{"name": "a", "cards": [{"card": "x710", "uplinks": [0]}]}]}]},
        sriov_at_once=True,
    )
    host = world.host("a")
    count(world, host, 2, "0000:3b:00.0")
    assert len(listed(host)["hardware"]) == 2
    assert host.runtime.connectionState == "connected"
    assert "0000:3b:00.0" in [nic.pci for nic in host.config.network.pnic]


def test_one_cannot_be_configured_by_itself(world: World) -> None:
    host = world.host("esx-01")
    count(world, host, 1)
    with pytest.raises(vim.fault.HostConfigFault, match=r"virtual function of 0000:65:00\.0"):
        world.configure(host, FOUR[0])


def test_a_vm_cannot_start_with_one_as_a_whole_card(world: World) -> None:
    host = world.host("esx-01")
    count(world, host, 1)
    vm = world.vm("train-01")
    world.wait(world.attach(vm, world.fixed(host, FOUR[0], systemId="x")))
    world.fails(vim.fault.GenericVmConfigFault, vm.PowerOnVM_Task())
    assert vm.runtime.powerState == "poweredOff"


def test_a_lab_begins_with_a_count_in_effect() -> None:
    host = {"name": "a", "cards": ["connectx6"], "states": {"0000:3b:00.1": {"virtual_functions": 3}}}
    lab = {"datacenters": [{"name": "d", "hosts": [host]}]}
    found = World(lab).host("a")
    functions = [item for item in found.hardware.pciDevice if item.deviceId == 0x101E]
    assert len(functions) == 3
    assert {item.classId for item in functions} == {0x0200}
    states = {"0000:3b:00.1": {"virtual_functions": 65}}
    with pytest.raises(LabError, match="at most 64 virtual functions"):
        Simulator.from_lab({"datacenters": [{"name": "d", "hosts": [{**host, "states": states}]}]})


def test_cards_added_later_find_no_virtual_function_in_their_way(world: World) -> None:
    host = world.host("esx-01")
    count(world, host, 2)
    world.sim.events["add_card"](host="esx-01.lab", card="t4", renumber=False)
    world.reboot(host)
    assert listed(host)["hardware"] == FOUR[:2]
    assert [item.deviceName for item in host.hardware.pciDevice].count("TU104GL [Tesla T4]") == 1


@pytest.mark.parametrize("fault", ["host_config_fault", "platform_config_fault", "invalid_argument", "not_supported"])
def test_passthrough_and_sriov_exclude_each_other(fault: str) -> None:
    world = World("three_hosts", sriov_conflict_fault=fault, sriov_at_once=True)
    host = world.host("esx-01")
    both = vim.host.SriovConfig(id=FREE_NIC, passthruEnabled=True, sriovEnabled=True, numVirtualFunction=2)
    with pytest.raises(Exception, match=r"exclude|configuration|not correct|not supported"):
        host.configManager.pciPassthruSystem.UpdatePassthruConfig([both])
    count(world, host, 2)
    with pytest.raises(Exception, match=r"exclude|configuration|not correct|not supported"):
        world.configure(host, FREE_NIC)
    assert listed(host)["hardware"] == FOUR[:2]
    instead = vim.host.SriovConfig(id=FREE_NIC, passthruEnabled=True, sriovEnabled=False, numVirtualFunction=0)
    host.configManager.pciPassthruSystem.UpdatePassthruConfig([instead])
    host.configManager.pciPassthruSystem.Refresh()
    assert (listed(host)["hardware"], world.states(host)[FREE_NIC]) == ([], (True, True))
    count(world, host, 2)
    assert FREE_NIC not in world.states(host), "that request turns passthrough off"
    assert UPLINK not in world.states(host)
