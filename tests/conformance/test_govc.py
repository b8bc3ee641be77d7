# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""govc, a client of another language and another XML library, against our simulator with verification on."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator import Simulator
from simulator.transport.http import Server

Govc = Callable[..., str]


@pytest.fixture
def govc(demo: Simulator, tools: Path) -> Iterator[Govc]:
    """Run govc; returns what it printed, fails when govc does."""
    with demo.serve() as server:
        yield runner(server, tools)


def runner(server: Server, tools: Path) -> Govc:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GOVC_")}
    environment |= {
        "GOVC_URL": server.url,
        "GOVC_USERNAME": "administrator@vsphere.local",
        "GOVC_PASSWORD": "VMware1!",
        "GOVC_TLS_CA_CERTS": str(server.ca_file),
        "GOVC_PERSIST_SESSION": "false",
        "GOVC_DATACENTER": "DC1",
    }

    def run(*words: str) -> str:
        command = [str(tools / "govc"), *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    return run


def test_about(govc: Govc) -> None:
    about = json.loads(govc("about", "-json"))["about"]
    assert (about["apiType"], about["version"], about["apiVersion"]) == ("VirtualCenter", "8.0.3", "8.0.3.0")


def test_ls_walks_the_tree(govc: Govc) -> None:
    assert govc("ls").split() == ["/DC1/vm", "/DC1/host", "/DC1/datastore", "/DC1/network"]
    assert "/DC1/host/compute/esx-01.lab" in govc("ls", "/DC1/host/compute").splitlines()
    assert sorted(govc("ls", "/DC1/vm").split()) == [
        "/DC1/vm/train-01",
        "/DC1/vm/train-02",
        "/DC1/vm/web-01",
        "/DC1/vm/web-02",
    ]


def test_host_info(govc: Govc) -> None:
    shown = govc("host.info", "/DC1/host/compute/esx-01.lab")
    assert "State:           connected" in shown
    assert "Name:              esx-01.lab" in shown


def test_vm_info(govc: Govc) -> None:
    shown = govc("vm.info", "train-01")
    assert "Memory:       65536MB" in shown
    assert "Power state:  poweredOff" in shown


def test_pci_devices_of_a_vm_are_offered_once_active(govc: Govc, demo: Simulator) -> None:
    assert len(govc("device.pci.ls", "-vm", "train-01").splitlines()) == 1
    host = demo.find("HostSystem", "esx-01.lab")
    gpu = next(item for item in host.get("hardware.pciDevice") if item.deviceId & 0xFFFF == 0x20F1)
    demo.events["set_device_state"](host="esx-01.lab", address=gpu.id, enabled=True, active=True)
    (line,) = govc("device.pci.ls", "-vm", "train-01").splitlines()[1:]
    assert gpu.id in line


def test_object_collect(govc: Govc) -> None:
    assert govc("object.collect", "-s", "HostSystem:host-1", "name", "runtime.connectionState").split() == [
        "esx-01.lab",
        "connected",
    ]
    found: list[Any] = json.loads(govc("object.collect", "-json", "HostSystem:host-1", "config.pciPassthruInfo"))
    assert found[0]["name"] == "config.pciPassthruInfo"


def test_find_and_fields_and_events(govc: Govc) -> None:
    assert len(govc("find", "/", "-type", "h").split()) == 3
    assert sorted(govc("find", "/", "-type", "m").split())[0] == "/DC1/vm/train-01"
    key = govc("fields.add", "stage").strip()
    govc("fields.set", "stage", "draining", "/DC1/vm/train-01")
    assert key in govc("fields.ls")
    govc("vm.power", "-on", "train-02")
    # DRS chooses the host.
    assert re.search(r"\[info\] train-02 on esx-0[123]\.lab is powered on", govc("events", "/DC1/vm/train-02"))


def test_maintenance_mode_waits_and_tells_progress(govc: Govc, demo: Simulator) -> None:
    govc("vm.power", "-off", "web-01", "web-02")
    govc("host.maintenance.enter", "-timeout", "600", "esx-01.lab")
    assert demo.find("HostSystem", "esx-01.lab").get("runtime.inMaintenanceMode") is True
    govc("host.maintenance.exit", "esx-01.lab")
    assert demo.find("HostSystem", "esx-01.lab").get("runtime.inMaintenanceMode") is False
    assert [entry.outcome for entry in demo.journal.writes()] == ["ok"] * len(demo.journal.writes())


def test_it_logs_out(govc: Govc, demo: Simulator) -> None:
    assert "govc" in govc("session.ls")
    assert demo.sessions.by_key == {}
    assert demo.internal_errors == []
