# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays with three tasks, made up from a number: the modules in any order, each with what the lab of that number has or lacks."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from tests.unit.exploring.random_labs import Example, example

MEMORY = ("locked", "locked", "reserved", "unlocked")


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task of a play: the module and its options."""

    module: str
    options: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Play:
    """A lab, and the tasks of a play for it."""

    example: Example
    tasks: tuple[Task, ...]

    @property
    def told(self) -> str:
        return f"{self.tasks} on {self.example.told}"


def play(seed: str, number: int) -> Play:
    found = example(seed, number)
    rng = random.Random(f"{seed}/play/{number}")
    makers = [_passthrough, _passthrough, _devices, _devices, _memory, _reboot]
    tasks: list[Task] = []
    for _one in range(3):
        task = rng.choice(makers)(rng, found)
        if task is not None and task not in tasks:  # the same task again is the same question, which sees no answer
            tasks.append(task)
    return Play(example=found, tasks=tuple(tasks))


def _names(found: Example) -> list[str]:
    lab = found.lab
    clusters = [cluster for center in lab.get("datacenters", ()) for cluster in center["clusters"]]
    return [vm["name"] for place in (*clusters, lab) for vm in place.get("vms", ())]


def _passthrough(rng: random.Random, found: Example) -> Task:
    state = "disabled" if rng.random() < 0.25 else "enabled"
    return Task(
        module="host_passthrough",
        options={"targets": found.targets, "on_missing": found.on_missing, "state": state},
    )


def _devices(rng: random.Random, found: Example) -> Task | None:
    names = _names(found)
    if rng.random() < 0.25 and names:
        leaving = {"name": rng.choice(names), "state": "absent", "devices": []}
        return Task(module="vm_pci_device", options={"vms": [{**leaving, "power": rng.choice(("keep", "cycle"))}]})
    return Task(module="vm_pci_device", options={"vms": found.vms}) if found.vms else None


def _memory(rng: random.Random, found: Example) -> Task | None:
    names = _names(found)
    if not names:
        return None
    state = rng.choice(MEMORY)
    more = {"reservation_mb": 2048} if state == "reserved" else {}
    return Task(module="vm_memory_reservation", options={"vm": [rng.choice(names)], "state": state, **more})


def _reboot(rng: random.Random, found: Example) -> Task:
    return Task(
        module="host_rolling_reboot",
        options={
            "targets": found.targets,
            # A reboot may bring back a missing device, so check mode does not say that the run will fail.
            "on_missing": "skip",
            "pinned_vms": rng.choice((found.pinned, "shutdown_then_power_off")),
            "evacuate_powered_off": found.evacuate_powered_off,
            "canary": False,
            "drain_timeout": 120,
            "stop_timeout": 60,
        },
    )
