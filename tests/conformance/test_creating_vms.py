# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks of docs/guides/creating_and_cloning.md that need another collection: its module creates or clones the VM, ours does the rest.

The tasks are read from the guide, so that what is tested is what people copy.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator import Simulator
from simulator.core.clock import ScaledClock
from simulator.selfcheck import problems
from simulator.transport.http import Server
from tests.unit.modules.harness import Lab
from tools.markdown import blocks

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/guides/creating_and_cloning.md"
LABS = ROOT / "tests/docs/labs"
OURS = "directpath.vsphere."
TASK_KEYWORDS = {"name", "register", "check_mode"}
FIRST = "0000:3b:00.0"


def tasks(index: int) -> list[tuple[str, dict[str, Any]]]:
    """(module, arguments) of each task of a play of the guide that the guide itself does not run."""
    plays = [block for block in blocks(GUIDE.read_text(encoding="utf-8"), GUIDE.name) if block.not_run]
    (play,) = yaml.safe_load(plays[index].text)
    found = [{key: value for key, value in task.items() if key not in TASK_KEYWORDS} for task in play["tasks"]]
    return [next(iter(task.items())) for task in found]


@dataclass(frozen=True, kw_only=True)
class Site:
    """A simulator, and the modules of both collections."""

    lab: Lab
    server: Server
    peers: Path

    @property
    def sim(self) -> Simulator:
        return self.lab.sim

    def run(self, module: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Ours in this process, others over TLS. Fails when the module does."""
        if module.startswith(OURS):
            return self.lab.run(module.removeprefix(OURS), **arguments)
        account = {"username": "administrator@vsphere.local", "password": "VMware1!"}
        connection = {"hostname": "localhost", "port": self.server.port, "validate_certs": True}
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("VMWARE_", "PYTHON"))}
        done = subprocess.run(
            [self.peers, Path(__file__).parent / "peer_modules.py"],
            env=environ | {"SSL_CERT_FILE": str(self.server.ca_file)},
            input=json.dumps([(module, account | connection | arguments)]),
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        (result,) = json.loads(done.stdout)
        assert not result["failed"], result["msg"]
        return dict(result)


def site(name: str, peers: Path) -> Iterator[Site]:
    """The module of the other collection asks for its task every second: time has to pass by itself."""
    sim = Simulator.from_lab(LABS / f"{name}.yml", ScaledClock(speed=20, start=datetime(2026, 1, 5, tzinfo=UTC)))
    with sim.serve() as server:
        yield Site(lab=Lab(sim=sim), server=server, peers=peers)
    assert (sim.internal_errors, problems(sim)) == ([], [])
    sim.close()


@pytest.fixture
def enabled(peers: Path) -> Iterator[Site]:
    yield from site("enabled", peers)


@pytest.fixture
def cloned(peers: Path) -> Iterator[Site]:
    yield from site("cloned", peers)


def test_a_vm_that_vmware_guest_creates_gets_a_card_and_runs(enabled: Site) -> None:
    (creating, arguments), (ours, attach) = tasks(0)
    assert enabled.run(creating, arguments)["changed"] is True
    vm = enabled.sim.find("VirtualMachine", "new-01")
    config = vm.get("config")
    assert (config.firmware, config.version, config.hardware.memoryMB, config.hardware.numCPU) == (
        "efi", "vmx-20", arguments["hardware"]["memory_mb"], arguments["hardware"]["num_cpus"]
    )  # fmt: skip
    attached = enabled.run(ours, attach)["vms"][0]
    assert (attached["power_state"], len(attached["devices"]), attached["memory"]["locked_to_max"]) == (
        "poweredOn", 1, True
    )  # fmt: skip
    assert enabled.run(ours, attach)["changed"] is False
    assert len(vm.assigned) == 1


def test_a_clone_that_vmware_guest_makes_is_found_with_the_card_of_its_source(cloned: Site) -> None:
    (cloning, arguments), (ours, detach), (_same, attach) = tasks(1)
    wanted = {"name": "db-01", "devices": ["8086:2700"], "backing": "fixed"}
    cloned.lab.run("vm_pci_device", vm=["db-02"], devices=[], state="exactly")
    assert cloned.lab.run("vm_pci_device", check=True, vms=[wanted])["vms"][0]["warnings"] == []
    assert cloned.run(cloning, arguments)["changed"] is True

    sentence = f"db-01 and db-03 have the same fixed device, {FIRST} of esx-11, so only one of them can run"
    plan = cloned.lab.run("vm_pci_device", check=True, vms=[wanted])
    (warning,) = plan["vms"][0]["warnings"]
    assert (plan["changed"], sentence in warning) == (False, True)
    assert "db-03 is probably a clone of db-01" in warning
    drift = cloned.lab.run("drift_info", vms=[wanted])
    assert [item["kind"] for item in drift["report"]["differences"]] == ["shared_device"]
    assert sentence in drift["report"]["differences"][0]["cause"]

    assert cloned.run(ours, detach)["vms"][0]["devices"] == []
    (device,) = cloned.run(ours, attach)["vms"][0]["devices"]
    assert device["address"] != FIRST
    assert cloned.sim.find("VirtualMachine", "db-03").is_on
    assert cloned.lab.run("drift_info", vms=[wanted])["status"] == "in_sync"
