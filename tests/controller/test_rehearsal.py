# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook rehearse, with an inventory that uses every outlet: only the twin is reached, and the real vCenter is only read."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.core.clock import ScaledClock
from simulator.simulator import Simulator
from tools.envs import clean_environ
from tools.tree import collections_path, sync

LAB: dict[str, Any] = {
    "kind": "vcenter",
    "version": "8.0.3",
    "name": "vc.lab",
    "hardware": {
        "node": {
            "model": "PowerEdge R750",
            "memory_gb": 512,
            "rebind": False,
            "cards": [
                {"card": "a100", "at": "3b", "enabled": True},
                {"card": "p5800x", "at": "5e", "enabled": True, "active": False},
                "nvme-data",
                "x710",
            ],
        }
    },
    "datacenters": [
        {
            "name": "DC",
            "clusters": [
                {
                    "name": "gpu-a",
                    "drs": "fullyAutomated",
                    "hosts": [{"name": "gpu-01.lab", "hardware": "node"}, {"name": "gpu-02.lab", "hardware": "node"}],
                    "vms": [
                        {
                            "name": "train-01",
                            "host": "gpu-01",
                            "memory_gb": 64,
                            "cpus": 16,
                            "power": "on",
                            "devices": [{"fixed": "0000:3b:00.0"}],
                            "extra": {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "128"},
                        },
                        {"name": "web-01", "host": "gpu-02", "power": "on"},
                    ],
                }
            ],
        }
    ],
}
SECRET = "not for a file"


class Doors:
    """Servers that nobody may reach: they only count connections."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self._open: list[socket.socket] = []

    def port(self, name: str) -> int:
        door = socket.create_server(("127.0.0.1", 0))
        self._open.append(door)
        threading.Thread(target=self._count, args=(door, name), daemon=True).start()
        return int(door.getsockname()[1])

    def _count(self, door: socket.socket, name: str) -> None:
        while True:
            try:
                visitor, _address = door.accept()
            except OSError:
                return
            self.reached.append(name)
            visitor.close()

    def close(self) -> None:
        for door in self._open:
            door.close()


@contextmanager
def doors() -> Iterator[Doors]:
    made = Doors()
    try:
        yield made
    finally:
        made.close()


def inventory(outside: Path, found: Doors, port: int, ca_file: Path) -> dict[str, Any]:
    """Every outlet, every file, checks of all kinds, management controllers, and a guest behind a connection of Ansible."""
    hook, store = found.port("notify"), found.port("upload")
    vcenter = {
        "vcenter_hostname": "localhost",
        "vcenter_port": port,
        "vcenter_username": "reader@vsphere.local",
        "vcenter_password": "{{ vaulted }}",
        "vcenter_ca_path": str(ca_file),
        "vcenter_session": "shared",
        "ansible_become": True,
        "passthrough_hosts": [{"cluster": "gpu-a", "devices": [{"match": {"name": "*P5800X*"}}, "10de:20f1"]}],
        "passthrough_vms": [
            {
                "name": "train-01",
                "devices": [{"match": "10de:20f1", "count": 1}],
                "guest": {
                    "when": "always",
                    "inventory_host": "train-01",
                    "prepare": {"tasks_file": str(outside / "prepare.yml")},
                },
            }
        ],
        "rolling_reboot_pinned_vms": "shutdown",
        "rolling_reboot_method": "power_cycle",
        "rolling_reboot_bmc": [
            {
                "host": f"gpu-0{number}.lab",
                "address": f"127.0.0.1:{found.port('bmc')}",
                "username": "root",
                "password": SECRET,
            }
            for number in (1, 2)
        ],
        "rolling_reboot_notify": [{"url": f"https://localhost:{hook}/{SECRET.replace(' ', '-')}"}],
        "rolling_reboot_traces": True,
        "rolling_reboot_vcenter_events": True,
        "rolling_reboot_metrics_file": str(outside / "a.prom"),
        "rolling_reboot_timeline_html": str(outside / "timeline.html"),
        "rolling_reboot_timeline_json": str(outside / "timeline.json"),
        "rolling_reboot_timeline_html_url": f"https://localhost:{store}/timeline.html",
        "rolling_reboot_journal": "file",
        "rolling_reboot_journal_dir": str(outside / "journal"),
        "rolling_reboot_ready_when": [
            {"check": "tcp", "vms": "none", "address": "127.0.0.1", "port": found.port("tcp")},
            {"check": "http", "vms": "none", "url": f"http://127.0.0.1:{found.port('http')}/"},
            {"check": "command", "vms": "none", "argv": ["/usr/bin/touch", str(outside / "ran")]},
        ],
    }
    guest = {"ansible_host": "127.0.0.1", "ansible_port": found.port("ssh"), "ansible_connection": "ssh"}
    return {"all": {"hosts": {"vc-01": vcenter}, "children": {"guests": {"hosts": {"train-01": guest}}}}}


def listing(*places: Path) -> set[str]:
    """All files. Byte code and the folder of Ansible itself do not count: each play has them."""
    found = (path for place in places for path in place.rglob("*"))
    return {str(path) for path in found if "__pycache__" not in path.parts and ".ansible" not in path.parts}


class Site:
    """Where the playbook is run: a home, a current directory, a place for reports."""

    def __init__(self, folder: Path) -> None:
        self.home, self.work, self.outside, self.scratch = (
            folder / name for name in ("home", "work", "outside", "scratch")
        )
        for each in (self.home, self.work, self.outside, self.scratch):
            each.mkdir()
        (self.outside / "prepare.yml").write_text("- ansible.builtin.command: touch prepared\n", encoding="utf-8")

    def places(self) -> tuple[Path, ...]:
        return (self.home, self.work, self.outside, self.scratch)

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        sync("rehearse")
        return subprocess.run(
            [sys.executable, "-m", "ansible", "playbook", *arguments],
            cwd=self.work,
            env={
                **clean_environ(Path(sys.prefix)),
                "HOME": str(self.home),
                "PWD": str(self.work),
                "TMPDIR": str(self.scratch),
                "XDG_RUNTIME_DIR": str(self.home / "runtime"),
                "ANSIBLE_HOME": str(self.home / ".ansible"),
                "ANSIBLE_REMOTE_TMP": str(self.home / ".ansible" / "tmp"),
                "ANSIBLE_COLLECTIONS_PATH": str(collections_path("rehearse")),
                **variables,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )


@pytest.mark.slow
def test_only_the_twin_is_reached_and_the_real_vcenter_is_only_read(tmp_path: Path) -> None:
    site = Site(tmp_path)
    real = Simulator.from_lab(LAB, ScaledClock(60.0))
    with doors() as found, real.serve() as server:
        hosts = inventory(site.outside, found, server.port, Path(server.ca_file))
        (site.work / "inventory.yml").write_text(yaml.safe_dump(hosts), encoding="utf-8")
        (site.work / "password.txt").write_text("of the vault\n", encoding="utf-8")
        encrypt = [
            "-m",
            "ansible",
            "vault",
            "encrypt_string",
            "--vault-password-file",
            "password.txt",
            "VMware1!",
            "--name",
            "vaulted",
        ]
        text = subprocess.run(
            [sys.executable, *encrypt],
            cwd=site.work,
            env=clean_environ(Path(sys.prefix)),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        (site.work / "vaulted.yml").write_text(text, encoding="utf-8")
        (site.work / "secret.sh").write_text("#!/bin/sh\necho of the vault\n", encoding="utf-8")
        (site.work / "secret.sh").chmod(0o700)
        before = listing(*site.places())
        done = site.run(
            "directpath.vsphere.rehearse",
            *("-i", "inventory.yml", "-e", "@vaulted.yml", "--vault-id", "site@secret.sh"),
            *("-e", '{"rehearse_what_if": [{"kind": "run_killed", "random": true}]}'),
        )
        assert done.returncode == 0, done.stdout
        # 1. Nothing but the twin was reached, and nothing was written but the report.
        assert found.reached == [], done.stdout
        assert listing(*site.places()) - before == {
            str(site.work / "rehearsal.html"),
            str(site.work / "rehearsal.json"),
        }
        # 2. The real vCenter was only read, in one session, which is closed.
        calls = [entry.method for entry in real.journal.calls]
        assert calls.count("Login") == calls.count("Logout") == 1
        assert calls[-1] == "Logout"
        assert [entry.method for entry in real.journal.writes()] == []
        # 3. What was rehearsed is in the report, and what was not is listed.
        report = json.loads((site.work / "rehearsal.json").read_text(encoding="utf-8"))
        assert sorted(report["undisturbed"]["rebooted"]) == ["gpu-01.lab", "gpu-02.lab"]
        assert list(report["vms_off"]) == ["train-01"]
        assert report["to_do"] == [
            "Give consent to the reboots: -e rolling_reboot_consent=true. The rehearsal assumed it"
        ]
        kinds = {text.partition(":")[0] for text in report["not_rehearsed"]}
        assert kinds == {"health gate", "notify", "traces", "upload", "guests", "applications", "times", "vCenter"}
        (killed,) = report["what_if"]
        assert killed["verdict"] == "succeeds"
        assert killed["longer"] > 300
        assert SECRET not in (site.work / "rehearsal.json").read_text(encoding="utf-8") + done.stdout
