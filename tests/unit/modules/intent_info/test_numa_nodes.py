# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices with a NUMA node, adopted: the entry names the node, the plan changes nothing, and drift reports a node that is changed later."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab
from tests.unit.modules.intent_info.adopted import Adopted, check, check_each_entry
from tests.unit.modules.vm_pci_device import unit_labs
from tests.unit.modules.vm_pci_device.test_numa_node import made, match, nodes, run
from tests.unit.modules.vm_pci_device.unit_labs import DVX, GROUP, QUARTER, T4
from tests.unit.pains.labs import A100, FIRST, SECOND

PARAMETERS = {"mode": "1", "size": 10}
ROOM = {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "128"}


def devices(adopted: Adopted) -> Any:
    return adopted.intent["vms"][0]["devices"]


def cards(*placed: int | None, **more: Any) -> Lab:
    """A VM with fixed devices on these NUMA nodes."""
    found: list[dict[str, Any]] = [
        {"fixed": address, **({} if node is None else {"numa_node": node})}
        for address, node in zip((FIRST, SECOND), placed, strict=False)
    ]
    return made(cards=len(placed), devices=found, locked=True, extra=ROOM, **more)


@pytest.mark.parametrize("shape", ["esxi_hosts", "vcenter"])
@pytest.mark.parametrize(
    ("placed", "entries"),
    [
        ((1, 1), [{"match": A100, "count": 2, "numa_node": 1}]),
        ((0, 1), [{"match": A100, "numa_node": 0}, {"match": A100, "numa_node": 1}]),
        ((0, None), [{"match": A100, "numa_node": 0}, {"match": A100}]),
        ((None, None), [{"match": A100, "count": 2}]),
        ((64, 0), [{"match": A100}, {"match": A100, "numa_node": 0}]),  # no entry can have 64
    ],
)
def test_cards(placed: tuple[int | None, ...], entries: list[dict[str, Any]], shape: str) -> None:
    adopted = Adopted.of(cards(*placed), shape)
    assert devices(adopted) == entries
    check(adopted)
    assert check_each_entry(adopted) > len(entries)


UNITS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "vgpu": ({"vgpu": QUARTER}, {"vgpu": QUARTER}),
    "dvx": ({"dvx": DVX, "parameters": PARAMETERS}, {"dvx": {"class": DVX, "parameters": PARAMETERS}}),
}


@pytest.mark.parametrize("kind", UNITS)
def test_units(kind: str) -> None:
    there, entry = UNITS[kind]
    held = [{**there, "numa_node": 1}, {**there, "numa_node": 0}, {**there, "numa_node": 1}, there]
    adopted = Adopted.of(unit_labs.lab({"name": "vm-1", "locked": True, "devices": held}))
    assert devices(adopted) == [
        {**entry, "count": 2, "numa_node": 1},
        {**entry, "numa_node": 0},
        entry,
    ]
    check(adopted)
    check_each_entry(adopted)


def test_vgpus_of_one_profile_have_the_same_settings_on_every_node() -> None:
    """Two entries of one profile with different settings would be refused."""
    extra = {"pciPassthru0.cfg.enable_uvm": "1", "pciPassthru1.cfg.enable_uvm": "1", "pciPassthru1.cfg.other": "2"}
    held = [{"vgpu": QUARTER, "numa_node": 0}, {"vgpu": QUARTER, "numa_node": 1}]
    adopted = Adopted.of(unit_labs.lab({"name": "vm-1", "locked": True, "devices": held, "extra": extra}))
    assert devices(adopted) == [
        {"vgpu": QUARTER, "advanced": {"enable_uvm": "1"}, "numa_node": node} for node in (0, 1)
    ]
    assert "left out: other" in "".join(adopted.files.values())
    check(adopted)


def test_drift_reports_a_node_that_is_changed_later() -> None:
    lab = cards(1)
    adopted = Adopted.of(lab)
    run(lab, [match(0)], backing="fixed")
    assert [(one["kind"], one["wanted"], one["found"]) for one in adopted.drift()["report"]["differences"]] == [
        ("numa_node_differs", "1", "0")
    ]


@pytest.mark.parametrize("named", [True, False])
def test_exactly_detaches_nothing(named: bool) -> None:
    """A person adds ``state: exactly`` to an adopted entry, or removes the node from it."""
    lab = cards(0, 1)
    wanted = devices(Adopted.of(lab)) if named else [match(count=2)]
    assert run(lab, wanted, backing="fixed", state="exactly")["changes"] == []
    assert nodes(lab) == [("fixed", 0), ("fixed", 1)]


def test_a_group_has_no_node() -> None:
    lab = unit_labs.lab(
        {"name": "vm-1", "locked": True, "devices": [{"group": GROUP}, {"dynamic": T4, "numa_node": 1}]}
    )
    adopted = Adopted.of(lab)
    assert devices(adopted) == [{"match": T4, "numa_node": 1}, {"group": GROUP}]
    check(adopted)
