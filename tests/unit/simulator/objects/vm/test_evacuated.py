# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs that vCenter powers off by itself when their host is evacuated, and those that it starts again."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from simulator.rules import maintenance
from simulator.rules.knobs import Knobs
from tests.unit.simulator.world import World

GPU = "0000:3b:00.0"
KEY = {"maintenance.vm.evacuation.poweroff": "TRUE"}


def world(vm: dict[str, Any], **cluster: Any) -> World:
    hosts = [{"name": f"esx-{number}", "cards": [{"card": "t4", "at": "3b", "enabled": True}]} for number in (1, 2)]
    given = {"name": "v", "host": "esx-1", "power": "on", "memory_gb": 8, **vm}
    return World(
        {"datacenters": [{"name": "D", "clusters": [{"name": "c", "hosts": hosts, "vms": [given], **cluster}]}]}
    )


def offs(lab: World) -> list[str]:
    events = lab.content.eventManager.QueryEvents(vim.event.EventFilterSpec())
    return [event.userName for event in events if isinstance(event, vim.event.VmPoweredOffEvent)]


@pytest.mark.parametrize("devices", [[{"fixed": GPU}], [{"dynamic": "10de:1eb8"}], []])
@pytest.mark.parametrize("why", [{"extra": KEY}, {"evacuation": "power_off"}])
def test_it_is_powered_off_and_stays_off(devices: list[Any], why: dict[str, Any]) -> None:
    lab = world({"devices": devices, **why})
    vm, host = lab.vm("v"), lab.host("esx-1")
    assert not host.parent.EnterMaintenanceMode([host], None, None).fault
    lab.enter(host, timeout=300)
    assert (vm.runtime.powerState, vm.runtime.host, offs(lab)) == ("poweredOff", host, [""])
    lab.wait(host.ExitMaintenanceMode_Task(0))
    lab.advance(600)
    assert vm.runtime.powerState == "poweredOff"


def test_whether_it_runs_again_with_its_host_is_a_knob() -> None:
    lab = world({"extra": KEY, "devices": [{"fixed": GPU}]})
    lab.sim.knobs.set("evacuated_return", "powered_on")
    host = lab.host("esx-1")
    lab.enter(host, timeout=300)
    lab.wait(host.ExitMaintenanceMode_Task(0))
    lab.advance(60)
    assert lab.vm("v").runtime.powerState == "poweredOn"


def test_whether_the_key_is_honored_is_a_knob() -> None:
    lab = world({"extra": KEY, "devices": [{"fixed": GPU}]})
    lab.sim.knobs.set("evacuation_poweroff", "ignored")
    lab.fails(vim.fault.Timedout, lab.host("esx-1").EnterMaintenanceMode_Task(300, False))
    assert lab.vm("v").runtime.powerState == "poweredOn"


def test_without_drs_nobody_evacuates() -> None:
    lab = world({"extra": KEY}, drs=False)
    lab.fails(vim.fault.Timedout, lab.host("esx-1").EnterMaintenanceMode_Task(300, False))
    assert lab.vm("v").runtime.powerState == "poweredOn"


@pytest.mark.parametrize("tools", [True, False])
def test_best_effort_restart_runs_elsewhere_while_the_host_is_in_maintenance_mode(tools: bool) -> None:
    lab = world({"evacuation": "restart", "devices": [{"dynamic": "10de:1eb8"}], "tools": tools})
    lab.advance(60)
    lab.enter(lab.host("esx-1"), timeout=600)
    lab.advance(30)
    runtime = lab.vm("v").runtime
    assert (runtime.powerState, runtime.host.name) == ("poweredOn", "esx-2")
    events = lab.content.eventManager.QueryEvents(vim.event.EventFilterSpec())
    assert any(isinstance(event, vim.event.VmGuestShutdownEvent) for event in events) is tools


def test_a_guest_that_ignores_it_is_powered_off() -> None:
    lab = world({"evacuation": "restart"})
    lab.sim.knobs.set("shutdown_guest_result", "ignored")
    lab.sim.knobs.set("evacuation_shutdown_seconds", 120.0)
    lab.advance(60)
    lab.enter(lab.host("esx-1"), timeout=600)
    lab.advance(30)
    assert lab.vm("v").runtime.host.name == "esx-2"


def test_a_restart_that_finds_no_host_is_tried_every_three_minutes() -> None:
    lab = world({"evacuation": "restart", "devices": [{"fixed": GPU}]})
    vm, host = lab.vm("v"), lab.host("esx-1")
    lab.enter(host, timeout=600)
    lab.advance(1000)
    assert vm.runtime.powerState == "poweredOff"
    lab.wait(host.ExitMaintenanceMode_Task(0))
    lab.advance(maintenance.RESTART_AGAIN + 1)
    assert (vm.runtime.powerState, vm.runtime.host) == ("poweredOn", host)
    lab.wait(vm.PowerOffVM_Task())
    lab.advance(1000)
    assert vm.runtime.powerState == "poweredOff", "it is over: this one was stopped by a person"


def test_an_entering_that_is_given_up_stops_nothing_any_more() -> None:
    lab = world({"extra": KEY})
    lab.host("esx-1").EnterMaintenanceMode_Task(0, False)
    lab.advance(2)
    lab.sim.events["cancel_entering"](host="esx-1", user="somebody")
    lab.advance(600)
    assert lab.vm("v").runtime.powerState == "poweredOn"
    lab.enter(lab.host("esx-1"), timeout=300)
    assert lab.vm("v").runtime.powerState == "poweredOff"


@pytest.mark.parametrize(
    ("extra", "policy", "way"),
    [
        ({}, "", ""),
        (KEY, "", "power_off"),
        ({"Maintenance.VM.Evacuation.PowerOff": "true"}, "", "power_off"),
        ({"maintenance.vm.evacuation.poweroff": "FALSE"}, "", ""),
        (KEY, "restart", "restart"),
    ],
)
def test_how_a_vm_is_evacuated(extra: dict[str, str], policy: str, way: str) -> None:
    assert maintenance.evacuation(extra, policy, Knobs()) == way
