# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timetable of a reboot, and the buses afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from simulator.lab.hardware import cards as hardware
from simulator.objects.pci import Function
from simulator.rules import reboot
from simulator.rules.knobs import Knobs
from simulator.rules.pci import buses


def journey(**knobs: Any) -> reboot.Journey:
    return reboot.journey(
        1000.0, Knobs(down_after_seconds=20.0, boot_seconds=300.0, **knobs), returns=True, direct=False
    )


@pytest.mark.parametrize(
    ("maintenance", "force", "allowed"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_when_a_host_may_reboot(maintenance: bool, force: bool, allowed: bool) -> None:
    if allowed:
        reboot.check(maintenance, force)
        return
    with pytest.raises(vim.fault.InvalidState):
        reboot.check(maintenance, force)


@pytest.mark.parametrize(
    ("end", "ends", "fails"), [("early", 1001.0, False), ("late", 1320.0, False), ("error", 1020.0, True)]
)
def test_when_the_task_ends(end: str, ends: float, fails: bool) -> None:
    plan = journey(reboot_task_end=end)
    assert (plan.down, plan.back, plan.task_ends, plan.task_fails) == (1020.0, 1320.0, ends, fails)


def test_a_task_that_waits_for_a_host_that_never_returns_never_ends() -> None:
    plan = journey(boot_result="never_returns", reboot_task_end="late")
    assert plan.back is None
    assert plan.task_ends is None


@pytest.mark.parametrize(
    ("result", "boots", "moves", "state"),
    [
        ("normal", True, True, "connected"),
        ("same_boot_time", False, False, "connected"),
        ("old_boot_time", True, False, "connected"),
        ("disconnected", True, True, "disconnected"),
    ],
)
def test_how_a_boot_ends(result: str, boots: bool, moves: bool, state: str) -> None:
    plan = journey(boot_result=result)
    assert (plan.boots, plan.boot_time_moves) == (boots, moves)
    assert reboot.connection_after_boot(plan) == state


def test_a_shutdown_does_not_return_and_a_direct_task_never_reports() -> None:
    plan = reboot.journey(0.0, Knobs(), returns=False, direct=True)
    assert plan.back is None
    assert plan.task_ends is None


@pytest.mark.parametrize(
    ("connection", "on", "seen"),
    [
        ("connected", True, "poweredOn"),
        ("connected", False, "poweredOff"),
        ("notResponding", True, "unknown"),
        ("disconnected", True, "unknown"),
    ],
)
def test_the_power_state_that_is_seen(connection: str, on: bool, seen: str) -> None:
    assert reboot.seen_power_state(connection, on) == seen


def test_uptime_counts_from_the_boot() -> None:
    assert reboot.uptime(100.0, 160.9) == 60
    assert reboot.uptime(100.0, 99.0) == 0


def functions() -> list[Function]:
    cards = hardware.placed([{"card": "lom", "at": "04"}, {"card": "rtx-gpu-with-audio"}, {"card": "nvme"}])
    return list(hardware.layout(cards, cpu="intel", numa_nodes=2, iommu=True).functions.values())


def test_buses_move_together_with_their_bridges_and_dependents() -> None:
    before, after = functions(), buses.shifted(functions(), 0x30, 1)
    moved = {old.address: new for old, new in zip(before, after, strict=True)}
    assert moved["0000:04:00.0"].address == "0000:04:00.0"
    sound = moved["0000:3b:00.1"]
    assert (sound.address, sound.parent, sound.dependent) == ("0000:3c:00.1", "0000:3b:00.0", "0000:3b:00.0")
    assert moved["0000:5e:00.0"].address == "0000:5f:00.0"
    assert len({item.address for item in after}) == len(after)
