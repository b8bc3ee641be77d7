# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site with devices of every kind, hard names and unhealthy objects: the entries, and what is listed in their place."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from simulator.core.clock import ManualClock
from simulator.simulator import Simulator
from tests.unit.modules.fail_closed.fading import Fade, watched
from tests.unit.modules.harness import Lab
from tests.unit.modules.intent_info.adopted import Adopted, check, check_each_entry
from tests.unit.pains.labs import FIRST, host, lab, on, vm

SITE = Path(__file__).resolve().parents[4] / "tests" / "docs" / "labs" / "moving_in.yml"
A100 = {"match": "10de:20f1"}
POOL = {"match": {"vendor_id": "10de", "device_id": "20f1", "label": "pool"}}


def site() -> Lab:
    return Lab(sim=Simulator.from_lab(str(SITE), clock=ManualClock()))


def vms(adopted: Adopted) -> dict[str, dict[str, Any]]:
    return {vm["name"]: vm for vm in adopted.intent["vms"]}


@pytest.mark.parametrize("shape", ["esxi_hosts", "vcenter"])
def test_every_entry_stands_for_something(shape: str) -> None:
    adopted = Adopted.of(site(), shape)
    check(adopted)
    assert check_each_entry(adopted) == 23


def test_what_is_not_healthy_is_listed_and_not_desired() -> None:
    adopted = Adopted.of(site())
    listed = {(one["object"], one["subject"]): one for one in adopted.result["not_adopted"]}
    assert {(name, subject): one["kind"] for (name, subject), one in listed.items()} == {
        ("odd-01.lab", "0000:86:00.0"): "pending_reboot",
        ("clone", "0000:3b:00.0"): "shared_device",
        ("original", "0000:3b:00.0"): "shared_device",
        ("loose", "memory reservation"): "memory_not_reserved",
    }
    assert all(one["cause"] and one["cure"] and not one["planned"] for one in listed.values())
    assert not vms(adopted).keys() & {"clone", "original", "loose"}
    both = [
        json.loads(shlex.split(listed[name, "0000:3b:00.0"]["command"])[-1])["vms"] for name in ("clone", "original")
    ]
    assert both[0] == both[1][::-1], "it is unknown which is the clone, so both are shown"
    assert set(both[0]) == {listed[name, "0000:3b:00.0"]["moid"] for name in ("clone", "original")}
    assert "vm_memory_reservation" in listed["loose", "memory reservation"]["command"]


def test_a_vm_whose_host_is_unknown_is_not_adopted() -> None:
    """Whether another VM has the same fixed device, or the card is in effect, is unknown then."""
    with watched(Fade(kind="VirtualMachine", path="runtime.host", way="missing")):
        adopted = Adopted.of(site())
    assert adopted.result["vms"] == []
    left = [one for one in adopted.result["not_adopted"] if one["type"] == "vm"]
    assert len(left) == 11
    assert {one["kind"] for one in left} == {"unreadable"}
    assert all(one["cause"] == f"{one['object']} does not report its host" for one in left)


@pytest.mark.parametrize("path", ["config.graphicsConfig", "config.graphicsInfo"])
def test_graphics_settings_that_cannot_be_read_are_listed(path: str) -> None:
    with watched(Fade(kind="HostSystem", path=path, way="missing", of=("esx-nfv-01.lab", "gpu-01.lab"))):
        adopted = Adopted.of(site())
        unknown = [one for one in adopted.result["not_adopted"] if one["subject"] == "graphics settings"]
        assert [(one["object"], one["kind"], one["found"]) for one in unknown] == [
            ("esx-nfv-01.lab", "unreadable", path),
            ("gpu-01.lab", "unreadable", path),
        ]
        assert not {"esx-nfv-01.lab", "gpu-01.lab"} & {
            host["name"] for host in adopted.result["hosts"] if host["devices"]
        }
        check(adopted)


def test_the_fix_that_is_shown_makes_it_adoptable() -> None:
    lab = site()
    lab.run("vm_memory_reservation", vm=["loose"])
    lab.run("vm_pci_device", vm=["clone"], devices=[], state="exactly")
    lab.run("host_passthrough", hosts=["odd-01.lab"], devices=[{"match": "0000:86:00.0"}], state="disabled")
    adopted = Adopted.of(lab)
    assert adopted.result["not_adopted"] == []
    assert {"loose", "original"} <= vms(adopted).keys()
    assert adopted.drift()["status"] == "in_sync"


def test_the_entries() -> None:
    adopted = Adopted.of(site())
    assert vms(adopted) == {
        "/Lyon/vm/a/twin": {"name": "/Lyon/vm/a/twin", "devices": [A100], "backing": "dynamic", "mmio": {}},
        "desktop-01": {"name": "desktop-01", "devices": [{"vgpu": "grid_a100-10c"}]},
        "fixed-01": {"name": "fixed-01", "devices": [A100], "backing": "fixed", "mmio": {}},
        "router-01": {
            "name": "router-01",
            "sriov_networks": [{"network": "nfv-control", "physical_function": "vmnic3"}, {"network": "nfv-data"}],
        },
        "studio": {"name": "studio", "devices": [{"match": "10de:2230"}], "backing": "fixed", "mmio": {}},
        "train-01": {
            "name": "train-01",
            "devices": [
                {"group": "Nvidia:2@grid_a100-40c%NVLink"},
                {"dvx": {"class": "com.example.dvx", "parameters": {"size": 20}}},
            ],
            "mmio": {},
        },
        "yes: no # off": {"name": "yes: no # off", "devices": [POOL], "backing": "dynamic", "mmio": {}},
        "{{ 7 * 7 }}": {"name": "{{ 7 * 7 }}", "devices": [POOL], "backing": "dynamic", "mmio": {}},
    }
    assert adopted.intent["targets"] == [
        {"cluster": ["nfv"], "devices": [{"match": "8086:1572", "virtual_functions": 8}]},
        {"cluster": ["gpu"], "devices": [{**A100, "label": "pool"}, {"match": "10de:2230"}]},
        {"hosts": ["odd-01.lab"], "devices": [{"match": "10de:1eb8", "count": 1}]},
    ]
    gpus = [{**A100, "type": "shared_direct", "vgpu_mode": "same_size"}]
    assert adopted.intent["graphics"] == [{"cluster": ["nfv"], "devices": gpus}]


@pytest.mark.parametrize(("size", "mmio"), [("96", None), ("160", {}), ("2097152", {})])
def test_a_window_that_was_set_by_hand_does_not_stop_the_adoption(size: str, mmio: dict[str, int] | None) -> None:
    """``mmio.size_gb`` refuses such a size."""
    window = {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": size}
    world = lab([host(cards=[on()])], [vm(devices=[{"fixed": FIRST}], locked=True, extra=window)])
    adopted = Adopted.of(world)
    assert adopted.intent["vms"][0].get("mmio") == mmio
    check(adopted)
