# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs of Ansible, ours and the peers', each the same question on a fleet where nothing is left to do."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.servers import Server
from tools.envs import clean_environ
from tools.tree import collections_path, sync

FOLDER = Path(__file__).resolve().parent / "playbooks"


@dataclass(frozen=True, kw_only=True)
class Play:
    """``most``: the largest fleet it is tried on, where a run takes minutes beyond."""

    name: str
    question: str
    file: str
    most: int = 1000
    ours: bool = False


PLAYS = (
    Play(name="empty playbook", question="nothing", file="empty.yml"),
    Play(name="ours: host_passthrough", question="passthrough on all hosts", file="ours_passthrough.yml", ours=True),
    Play(
        name="community.vmware: vmware_host_passthrough",
        question="passthrough on all hosts",
        file="peer_passthrough.yml",
        most=100,
    ),
    Play(name="ours: host_pci_device_info", question="all PCI devices", file="ours_info.yml", ours=True),
    Play(name="vmware.vmware: inventory esxi_hosts", question="all PCI devices", file="peer_esxi_hosts.yml", most=100),
    Play(name="ours: vm_memory_reservation", question="memory of 20 VMs", file="ours_memory.yml", ours=True),
    Play(name="vmware.vmware: vm", question="memory of 20 VMs", file="peer_memory.yml", most=100),
)


class PlayFailed(Exception):
    """A play did not do what it is there for; the message holds its output."""


def measure(play: Play, server: Server, env: Path) -> dict[str, Any]:
    """One run that brings about what is asked for and warms what can be warm, and one that is measured."""
    environ = _environ(server, env)
    _run(play, env, environ)
    before, spent = server.counters(), server.cpu()
    began = time.monotonic()
    usage = _run(play, env, environ)
    wall = time.monotonic() - began
    after = server.counters()
    return {
        "calls": sum(after["methods"].values()) - sum(before["methods"].values()),
        "logins": after["logins"] - before["logins"],
        "bytes": after["bytes_out"] - before["bytes_out"],
        "writes": after["writes"] - before["writes"],
        "cpu": usage.ru_utime + usage.ru_stime,
        "wall": wall,
        "server_cpu": server.cpu() - spent,
        "peak_mb": usage.ru_maxrss / 1024,
    }


def _environ(server: Server, env: Path) -> Mapping[str, str]:
    sync("bench")
    return {
        **clean_environ(env),
        **server.variables(),
        "ANSIBLE_COLLECTIONS_PATH": str(collections_path("bench")),
        "ANSIBLE_INVENTORY_ENABLED": "vmware.vmware.esxi_hosts,host_list",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
    }


def _run(play: Play, env: Path, environ: Mapping[str, str]) -> Any:
    file = str(FOLDER / play.file)
    if play.file.endswith("esxi_hosts.yml"):
        command = [str(env / "bin" / "ansible-inventory"), "-i", file, "--list"]
    else:
        command = [str(env / "bin" / "ansible-playbook"), "-i", "localhost,", "-c", "local", file]
        command += ["-e", f"ansible_python_interpreter={env / 'bin' / 'python'}"]
    log = FOLDER.parents[1] / ".cache" / "log" / "bench.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, env=dict(environ), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    said = log.read_text(encoding="utf-8", errors="replace")
    if process.returncode != 0 or "Unable to parse" in said:
        raise PlayFailed(f"{play.name}: status {process.returncode}\n{said[-3000:]}")
    return usage
