# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rolling reboot as users run it, ansible-playbook against a vCenter over TLS, that can be killed at any write."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from simulator.clock import ScaledClock
from simulator.lab.describe import describe
from simulator.simulator import Simulator
from simulator.stops import Write
from tests.kill.ranks import assert_ranks
from tools.envs import clean_environ
from tools.tree import collections_path, sync

SPEED = 60.0
"""Seconds of the simulated vCenter in one of ours: so few that a busy machine's hiccup is not a guest that would not stop."""

PATIENCE = 120.0
"""Seconds of ours one playbook may take."""

RANKS: Mapping[str, int] = {"train-02": 10, "train-01": 20}
"""Two VMs that pin the same host, in the order in which they are to be stopped."""

PINNED: Mapping[str, Any] = {
    "host": "esx-01",
    "memory_gb": 32,
    "power": "on",
    "extra": {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "256"},
}

LAB: Mapping[str, Any] = {
    "kind": "vcenter",
    "version": "8.0.3",
    "name": "vc-01.lab",
    "knobs": {"boot_seconds": 45, "down_after_seconds": 8, "shutdown_seconds": 6, "guest_boot_seconds": 6},
    "hardware": {
        "node": {
            "memory_gb": 512,
            "cards": [
                {"card": "a100", "at": "3b", "enabled": True},
                {"card": "a100", "at": "5e", "enabled": True},
                {"card": "p5800x", "enabled": True, "active": False},
                "nvme-data",
            ],
        }
    },
    "datacenters": [
        {
            "name": "DC",
            "clusters": [
                {
                    "name": "gpu",
                    "drs": "fullyAutomated",
                    "hosts": [{"name": "esx-{:02d}.lab", "count": 3, "hardware": "node"}],
                    "vms": [
                        {"name": "train-01", "devices": [{"fixed": "0000:3b:00.0"}], **PINNED},
                        {"name": "train-02", "devices": [{"fixed": "0000:5e:00.0"}], **PINNED},
                        {"name": "web-01", "host": "esx-01", "power": "on"},
                        {"name": "web-02", "host": "esx-02", "power": "on"},
                        {"name": "spare", "host": "esx-03"},
                    ],
                }
            ],
        }
    ],
}


def play(task: Mapping[str, Any]) -> str:
    """The playbook: one task, on localhost."""
    return yaml.safe_dump(
        [
            {
                "name": "Roll",
                "hosts": "localhost",
                "gather_facts": False,
                "tasks": [{"name": "Reboot what owes it", "directpath.vsphere.host_rolling_reboot": dict(task)}],
            }
        ]
    )


@dataclass
class Site:
    """A simulated vCenter over TLS, and what must be as before when all is done."""

    sim: Simulator
    port: int
    ca_file: str
    folder: Path
    before: dict[str, Any] = field(default_factory=dict)
    output: str = ""

    def environ(self, home: Path) -> dict[str, str]:
        account = next(iter(self.sim.authz.users.values()))
        return clean_environ(Path(sys.prefix)) | {
            "HOME": str(home),
            "ANSIBLE_HOME": str(home / ".ansible"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_COLLECTIONS_PATH": str(collections_path("kill")),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_NOCOLOR": "1",
            "VMWARE_HOST": "localhost",
            "VMWARE_PORT": str(self.port),
            "VMWARE_USER": account.name,
            "VMWARE_PASSWORD": account.password,
            "VMWARE_CA_PATH": self.ca_file,
        }

    def start(self, home: str = "home") -> subprocess.Popen[str]:
        """ansible-playbook as a process group of its own, with a home of its own: two homes know nothing of each other."""
        place = self.folder / home
        place.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "ansible.cli.playbook", str(self.folder / "roll.yml")]
        return subprocess.Popen(
            command,
            cwd=place,
            env=self.environ(place),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> int:
        """Its exit code. Fails when it takes too long."""
        try:
            self.output, _unused = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            kill_all(process.pid)
            self.output, _unused = process.communicate()
            raise AssertionError(f"still running after {PATIENCE:.0f} seconds:\n{self.output}") from None
        return process.returncode

    def roll(self, home: str = "home") -> int:
        return self.finish(self.start(home))

    def proven(self) -> None:
        """Every host was rebooted once and all is as before, but for the debt: that is settled. Nothing of ours is left.

        VMs that pin one host were stopped in their order and started in reverse, over all runs together.
        """
        state = self.state()
        assert self.reboots() == dict.fromkeys(state["connection"], 1), self.output
        assert state == {**self.before, "pending": []}, self.output
        assert_ranks(self.sim, *RANKS)

    def reboots(self) -> Counter[str]:
        """Host → how often a call that reboots it had its effect."""
        return Counter(
            entry.name for entry in self.sim.journal.writes() if entry.method == "RebootHost_Task" and entry.effect
        )

    def state(self) -> dict[str, Any]:
        """What a user would find."""
        with self.sim.lock:
            seen = describe(self.sim)
        return {
            "connection": {host["name"]: host["connection"] for host in seen["hosts"]},
            "maintenance": sorted(host["name"] for host in seen["hosts"] if host["maintenance"] or host["entering"]),
            "pending": sorted(
                host["name"] for host in seen["hosts"] for device in host["devices"] if device["pending"]
            ),
            "power": {vm["name"]: vm["power"] for vm in seen["vms"]},
            "pinned": {vm["name"]: vm["host"] for vm in seen["vms"] if vm["devices"]},
            "attributes": leftovers(self.sim),
        }


def leftovers(sim: Simulator) -> list[str]:
    """Names of our custom attributes that are still defined."""
    manager = sim.content["customFieldsManager"]
    return sorted(item.name for item in manager.get("field") or () if item.name.startswith("directpath."))


@contextmanager
def site(folder: Path, task: Mapping[str, Any]) -> Iterator[Site]:
    """A fresh vCenter and a playbook for it."""
    sim = Simulator.from_lab(LAB, clock=ScaledClock(SPEED))
    (folder / "roll.yml").write_text(play(task), encoding="utf-8")
    with sim.serve(port=0) as server:
        place = Site(sim=sim, port=server.port, ca_file=str(server.ca_file), folder=folder)
        place.before = place.state()
        yield place


def kill_at(place: Site, number: int, *, when: str = "after", whole_tree: bool = True) -> Write | None:
    """Run the playbook and kill -9 it at its n-th write: with all its children, or alone. None: it ended before that write."""
    struck = threading.Event()
    process: subprocess.Popen[str] | None = None
    ready = threading.Event()
    found: list[Write] = []

    def strike(write: Write) -> None:
        ready.wait()
        found.append(write)  # before the process is gone: whoever waits for it looks at this next
        if process is not None:
            (kill_all if whole_tree else kill_one)(process.pid)
        struck.set()

    stop = place.sim.on_write(number, strike, when=when)
    process = place.start()
    ready.set()
    deadline = time.monotonic() + PATIENCE
    while not struck.wait(0.05) and process.poll() is None and time.monotonic() < deadline:
        pass
    place.sim.stops.remove(stop)
    if not whole_tree:
        wait_for_orphans(place.folder, deadline)
    with suppress(subprocess.TimeoutExpired):
        place.output, _unused = process.communicate(timeout=10)
    return found[0] if found else None


def kill_one(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_all(pid: int) -> None:
    """A process and everything below it, wherever it put itself: workers are sessions of their own."""
    family = [pid, *descendants(pid)]
    for member in family:
        kill_one(member)


def descendants(pid: int) -> list[int]:
    """Everything started by a process, as the kernel tells it."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(folder.name))
    found: list[int] = []
    todo = [pid]
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += children
    return found


def wait_for_orphans(folder: Path, deadline: float) -> None:
    """Until no process that was started in the folder is left: what a killed playbook leaves ends by itself."""
    while time.monotonic() < deadline:
        if not any(_works_in(pid, folder) for pid in Path("/proc").iterdir() if pid.name.isdigit()):
            return
        time.sleep(0.1)
    raise AssertionError("a process outlived the killed playbook")


def _works_in(process: Path, folder: Path) -> bool:
    with suppress(OSError):
        return Path(os.readlink(process / "cwd")).is_relative_to(folder)
    return False


def prepare() -> None:
    """The collection as users install it."""
    sync("kill")
