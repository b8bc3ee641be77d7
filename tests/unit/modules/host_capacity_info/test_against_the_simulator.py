# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers of host_capacity_info are those of the simulator, on random sites and on labs, and the calls do not grow."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from simulator.lab.hardware.cards import LabError
from simulator.objects.host.cards import cards
from simulator.objects.host.state import HostState
from simulator.objects.vm.state import VmState
from tests.unit.exploring.random_labs import commit_seed, example
from tests.unit.exploring.random_mixes import mix
from tests.unit.modules.fail_closed.fading import Fade, watched
from tests.unit.modules.harness import Lab

SEED = commit_seed()
BATCH = 6
LABS = ("demo", "mixed", "legacy_55", "standalone_67", "vgpu", "nfv", "nvlink", "home", "interrupted", "converged_50")
STATES = ("free", "used", "held", "pending", "leaving", "off", "shared", "out_of_service", "unknown")


def opened(lab: Any) -> Lab | None:
    """None for a lab that cannot be: a VM that is said to run could not have been started."""
    try:
        found = Lab.load(lab)
    except LabError as error:
        if "cannot be on" not in str(error):
            raise
        return None
    found.sim.clock.sleep(120)
    return found


def compare(lab: Lab) -> int:
    """The number of functions that were compared."""
    result = lab.run("host_capacity_info", include="capable")
    assert lab.writes() == []
    counted: dict[tuple[str, str], Counter[str]] = {}
    for row in result["stock"]:
        assert sum(row[state] for state in STATES) == row["total"], row
        counted.setdefault((row["moid"], row["model"]), Counter()).update({state: row[state] for state in STATES})
    doubtful = {row["moid"] for row in result["unknown"]}
    unexplained = {row["host"] for row in result["stock"] if row["unknown"]} - {
        row["host"] for row in result["unknown"]
    }
    assert not unexplained, unexplained
    number = 0
    vms = list(lab.sim.registry.all(VmState))
    for host in lab.sim.registry.all(HostState):
        known = Counter[tuple[str, str]]()
        fixed = {
            device.backing.id
            for vm in vms
            if vm.host is host
            for device in vm.devices
            if type(device.backing).__name__.endswith("DeviceBackingInfo") and not vm.is_on
        }
        for card in cards(host).values():
            model = f"{card.vendor & 0xFFFF:04x}:{card.device & 0xFFFF:04x}"
            if card.holder:
                known[model, "used"] += 1
            elif (card.active or card.physical) and card.address not in fixed:
                known[model, "free"] += 1
        for (moid, model), states in counted.items():
            if moid != host.moid or moid in doubtful or states["out_of_service"]:
                continue
            number += sum(states.values())
            if states["unknown"]:
                assert states["free"] <= known[model, "free"], (host.moid, model, states, known)
            else:
                # A device that is disabled at the next reboot still works.
                assert (states["used"], states["free"] + states["leaving"]) == (known[model, "used"], known[model, "free"]), (
                    host.moid, model, states, known,
                )  # fmt: skip
    return number


@pytest.mark.parametrize("name", LABS)
def test_labs(name: str) -> None:
    lab = opened(name)
    assert lab is not None
    assert compare(lab) > 0


@pytest.mark.parametrize("batch", range(2))
def test_random_sites(batch: int) -> None:
    found = [opened(mix(SEED, number).lab) for number in range(batch * BATCH, (batch + 1) * BATCH)]
    found += [opened(example(SEED, number).lab) for number in range(batch * BATCH, (batch + 1) * BATCH)]
    assert sum(compare(lab) for lab in found if lab is not None) > 0


@pytest.mark.parametrize("name", LABS)
def test_read_only_is_enough_and_each_host_has_an_answer(name: str) -> None:
    lab = opened(name)
    assert lab is not None
    fit = [{"match": "10de:20f1", "count": 2}]
    mine = lab.run("host_capacity_info", fit=fit)
    lab.user = next(name for name in lab.sim.authz.users if name.startswith("reader"))
    theirs = lab.run("host_capacity_info", fit=fit)
    for part in ("stock", "unknown", "failures", "fit"):
        assert theirs[part] == mine[part]
    assert sorted(one["moid"] for one in mine["fit"]) == sorted(host.moid for host in lab.sim.registry.all(HostState))


def test_a_gpu_is_unknown_while_the_graphics_of_its_host_cannot_be_read() -> None:
    """vGPUs may share it. It is not counted as one that only has to be enabled."""
    lab = opened("nvlink")
    assert lab is not None
    before = lab.run("host_capacity_info", include="capable")
    shared = sum(row["shared"] for row in before["stock"])
    assert shared > 0
    with watched(Fade(kind="HostSystem", path="config.graphicsInfo", way="missing")):
        after = lab.run("host_capacity_info", include="capable")
    assert sum(row["shared"] for row in after["stock"]) == 0
    assert sum(row["unknown"] for row in after["stock"]) >= shared
    hosts = {row["host"] for row in after["stock"] if row["unknown"]}
    assert {row["host"] for row in after["unknown"]} == hosts
    assert all(row["why"].startswith("does not show what uses 0000:") for row in after["unknown"])
