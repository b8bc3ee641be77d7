# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``latency_sensitivity``: with all memory and CPUs reserved in the same reconfiguration, and nothing lowered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab
from tests.unit.pains.labs import desired, entry, host, lab, on, power, vm, written

HIGH: dict[str, Any] = {"vm": ["train-01"], "devices": desired(), "latency_sensitivity": "high", "power": "cycle"}
FULL_MHZ = 4 * 2400
"""Four virtual CPUs on a host of 2400 MHz."""


def made(release: str = "8.0.3", **more: Any) -> Lab:
    return lab([host(cards=[on(), on()], version=release)], [vm(**more)])


def config(made: Lab) -> Any:
    return made.sim.find("VirtualMachine", "train-01").get("config")


def set_cpu(made: Lab, **values: int) -> None:
    with made.sim.find("VirtualMachine", "train-01").edit("config") as edited:
        for name, value in values.items():
            setattr(edited.cpuAllocation, name, value)


def shown(result: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    return [(change["subject"], change["before"], change["after"]) for change in result["changes"]]


def test_high_is_one_reconfiguration_with_devices_memory_and_cpus() -> None:
    world = made(power="on")
    checked = world.run("vm_pci_device", check=True, **HIGH)
    result = world.run("vm_pci_device", **HIGH)
    assert checked["changes"] == result["changes"]
    assert ("latency sensitivity", "normal", "high") in shown(result)
    assert ("CPU reservation", 0, FULL_MHZ) in shown(result)
    assert len(written(world, "ReconfigVM_Task")) == 1
    found = config(world)
    assert (found.latencySensitivity.level, found.cpuAllocation.reservation) == ("high", FULL_MHZ)
    assert (found.memoryReservationLockedToMax, power(world)) == (True, "poweredOn")
    seen = entry(result, "train-01")
    assert (seen["latency_sensitivity"], seen["cpu_reservation_mhz"]) == ("high", FULL_MHZ)
    again = world.run("vm_pci_device", **HIGH)
    assert (again["changed"], again["changes"]) == (False, [])
    info = entry(world.run("vm_pci_device_info", vm=["train-01"]), "train-01")
    assert (info["latency_sensitivity"], info["cpu_reservation_mhz"]) == ("high", FULL_MHZ)


def test_a_vm_without_devices_gets_its_memory_locked_too() -> None:
    world = made()
    world.run("vm_pci_device", **{**HIGH, "devices": []}, state="exactly")
    assert config(world).memoryReservationLockedToMax is True
    assert world.run("vm_pci_device", **{**HIGH, "devices": []}, state="exactly")["changed"] is False


def test_a_reservation_that_is_too_small_is_raised() -> None:
    world = made(latency_sensitivity="high")
    set_cpu(world, reservation=1000)
    result = world.run("vm_pci_device", **{**HIGH, "power": "on"})
    assert ("CPU reservation", 1000, FULL_MHZ) in shown(result)
    assert power(world) == "poweredOn"


def test_a_larger_reservation_stays() -> None:
    world = made()
    set_cpu(world, reservation=FULL_MHZ + 1)
    world.run("vm_pci_device", **HIGH)
    assert config(world).cpuAllocation.reservation == FULL_MHZ + 1


def test_normal_resets_only_the_level() -> None:
    world = made(latency_sensitivity="high")
    options = {**HIGH, "devices": [], "latency_sensitivity": "normal"}
    result = world.run("vm_pci_device", **options, state="exactly")
    assert shown(result) == [("latency sensitivity", "high", "normal")]
    found = config(world)
    assert (found.latencySensitivity.level, found.cpuAllocation.reservation) == ("normal", FULL_MHZ)
    assert found.memoryReservationLockedToMax is True
    assert world.run("vm_pci_device", **options, state="exactly")["changed"] is False


@pytest.mark.parametrize("more", [{}, {"latency_sensitivity": "high", "state": "absent"}])
def test_it_does_not_change_without_the_option_or_with_absent(more: dict[str, Any]) -> None:
    world = made(latency_sensitivity="medium")
    world.run("vm_pci_device", vm=["train-01"], devices=desired(), **more)
    assert config(world).latencySensitivity.level == "medium"


def test_a_running_vm_is_shut_down_by_consent_only() -> None:
    world = made(power="on")
    result = world.run("vm_pci_device", fails=True, **{**HIGH, "devices": [], "power": "keep"}, state="exactly")
    assert result["error_code"] == "powered_on"
    assert (power(world), config(world).latencySensitivity.level) == ("poweredOn", "normal")


def test_a_cpu_limit_is_refused_before_anything_is_stopped() -> None:
    world = made(power="on")
    set_cpu(world, limit=2000)
    result = world.run("vm_pci_device", fails=True, **HIGH)
    assert (result["error_code"], world.writes()) == ("cpu_limit", [])


def test_a_host_that_does_not_tell_its_speed_is_refused() -> None:
    world = made()
    with world.sim.find("HostSystem", "esx-01").edit("summary") as summary:
        summary.hardware = None
    result = world.run("vm_pci_device", fails=True, **HIGH)
    assert (result["error_code"], world.writes()) == ("latency_unknown", [])


def test_a_release_that_does_not_know_it_is_named() -> None:
    world = lab([host(cards=[], version="5.0.0")], [vm(version=8, extra={})], version="5.0.0")
    options = {**HIGH, "devices": [], "state": "exactly"}
    result = world.run("vm_pci_device", fails=True, **options)
    assert (result["error_code"], "latency sensitivity" in result["msg"]) == ("api_too_old", True)
    assert world.run("vm_pci_device", **{**options, "latency_sensitivity": "normal"})["changed"] is False


def test_a_vm_that_does_not_start_with_it_gets_its_old_level_back() -> None:
    world = made(power="on")

    def fail(_write: Any) -> None:
        set_cpu(world, reservation=FULL_MHZ - 1)

    world.sim.on_write(1, fail, method="PowerOnMultiVM_Task")
    result = world.run("vm_pci_device", fails=True, **HIGH)
    found = config(world)
    assert (found.latencySensitivity.level, found.cpuAllocation.reservation) == ("normal", 0)
    assert (power(world), result["vms"][0]["devices"]) == ("poweredOn", [])
    assert "the change was undone" in result["msg"]


@pytest.mark.parametrize("knob", ["power_on", "none"])
def test_it_starts_whether_vsphere_checks_the_cpus_or_not(knob: str) -> None:
    world = made()
    world.sim.knobs.set("latency_needs_cpu", knob)
    world.run("vm_pci_device", **{**HIGH, "power": "on"})
    assert power(world) == "poweredOn"


def test_drift_reports_what_a_run_would_change_and_nothing_after_it() -> None:
    world = made()
    wanted = {"name": "train-01", "devices": desired(), "latency_sensitivity": "high"}
    before = world.run("drift_info", vms=[wanted])
    found = [
        (one["subject"], one["found"], one["wanted"])
        for one in before["report"]["differences"]
        if one["kind"] == "latency_differs"
    ]
    assert found == [("CPU reservation", "0", str(FULL_MHZ)), ("latency sensitivity", "normal", "high")]
    world.run("vm_pci_device", vms=[wanted])
    assert world.run("drift_info", vms=[wanted])["status"] == "in_sync"
