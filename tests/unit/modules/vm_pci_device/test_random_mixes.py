# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random mixes of all kinds of devices, before and after: check mode predicts the run, the second run changes nothing, drift agrees."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.unit.modules.harness import Lab
from tests.unit.modules.vm_pci_device.unit_labs import DVX, GROUP, QUARTER, T4, WHOLE, lab

pytestmark = pytest.mark.slow
CARDS = [*(["a100"] * 4), {"card": "t4", "at": "86", "enabled": True}, {"card": "t4", "at": "af", "enabled": True}]


def has(random: Random) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [{"fixed": "0000:86:00.0"}] * random.randint(0, 1)
    made += [{"vgpu": random.choice([QUARTER, WHOLE])} for _unused in range(random.randint(0, 2))]
    made += [{"group": GROUP}] * random.randint(0, 1)
    made += [{"dvx": DVX, "parameters": {"mode": random.choice("128"), "size": 10}}] * random.randint(0, 2)
    return random.sample(made, len(made))


def wants(random: Random) -> dict[str, Any]:
    entries: list[dict[str, Any]] = []
    if random.random() < 0.5:
        entries.append({"match": T4, "count": random.randint(1, 2)})
    if random.random() < 0.6:
        entry: dict[str, Any] = {"vgpu": QUARTER, "count": random.randint(1, 3)}
        entries.append({**entry, "advanced": {"enable_uvm": "1"}} if random.random() < 0.5 else entry)
    if random.random() < 0.4:
        entries.append({"group": GROUP})
    if random.random() < 0.5:
        entries.append(
            {"dvx": {"class": DVX, "parameters": {"mode": random.choice("128")}}, "count": random.randint(1, 2)}
        )
    state = random.choice(["present", "present", "exactly", "absent"])
    if state == "absent" and not entries:
        state = "exactly"
    kinds = random.choice(["named", "all"])
    return {
        "devices": random.sample(entries, len(entries)),
        "state": state,
        "kinds": kinds,
        "backing": random.choice(["auto", "fixed"]),
    }


def planned(made: Lab, entry: dict[str, Any]) -> list[Any]:
    return [one for one in made.run("drift_info", vms=[entry])["report"]["differences"] if one["planned"]]


@pytest.mark.parametrize("seed", range(40))
def test_a_random_mix(seed: int) -> None:
    random = Random(seed)
    knobs = {"device_groups_list": random.choice(["with_devices", "replaces", "keeps_empty"])}
    made = lab(
        {"name": "train", "version": 21, "locked": random.random() < 0.7, "devices": has(random)},
        cards=CARDS,
        hosts=1,
        knobs=knobs,
    )
    for _round in range(2):
        entry = {"name": "train", "mmio": {"device_gb": {T4: 16}}, **wants(random)}
        checked = made.run("vm_pci_device", vms=[entry], check=True, **_may_fail(made, entry))
        drift = planned(made, entry)
        assert bool(drift) is bool(checked["changes"] or checked["refused"]), (drift, checked["changes"])
        if checked["refused"]:
            continue
        result = made.run("vm_pci_device", vms=[entry])
        assert result["changes"] == checked["changes"]
        assert not made.run("vm_pci_device", vms=[entry])["changed"]
        assert planned(made, entry) == []


def _may_fail(made: Lab, entry: dict[str, Any]) -> dict[str, Any]:
    """Some mixes need more than the host has: then check mode refuses, too."""
    probe = made.run("drift_info", vms=[entry])["report"]["differences"]
    grave = {"refused", "limit_exceeded", "device_missing"}
    return {"fails": True} if any(one["kind"] in grave and one["obstacles"] for one in probe) else {}
