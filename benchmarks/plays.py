# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs of Ansible, with this collection and with its peers. Each pair asks the same of a fleet where nothing is left to do."""

from __future__ import annotations

import json
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

FURTHER = "ContinueRetrievePropertiesEx"
"""The method that gets another page of a large answer."""
FOLDER = Path(__file__).resolve().parent / "playbooks"


@dataclass(frozen=True, kw_only=True)
class Play:
    """One run to measure.

    ``most``: the largest fleet it runs on; on larger ones it takes minutes. ``this_collection``: not a peer. ``intent``: it reads the
    intent from an inventory (one cluster with all hosts, and one VM a host). ``runs``: how often it is measured; the fastest run counts.
    """

    name: str
    question: str
    file: str
    most: int = 1000
    this_collection: bool = False
    intent: bool = False
    runs: int = 1


EMPTY, INFO = "empty playbook", "this collection: host_pci_device_info"
SITE, DRIFT = "this collection: site", "this collection: drift"
PEER = "community.vmware: vmware_host_passthrough"

PLAYS = (
    Play(name=EMPTY, question="nothing", file="empty.yml", runs=3),
    Play(
        name="this collection: host_passthrough",
        question="passthrough on all hosts",
        file="collection_passthrough.yml",
        this_collection=True,
    ),
    # site runs all phases; the peer only has the first one. Both are in the table of the first one.
    Play(
        name=SITE,
        question="passthrough on all hosts",
        file="collection_site.yml",
        this_collection=True,
        intent=True,
        runs=3,
    ),
    Play(
        name=PEER,
        question="passthrough on all hosts",
        file="peer_passthrough.yml",
        most=100,
    ),
    Play(
        name=INFO,
        question="all PCI devices",
        file="collection_info.yml",
        this_collection=True,
        runs=3,
    ),
    Play(name="vmware.vmware: inventory esxi_hosts", question="all PCI devices", file="peer_esxi_hosts.yml", most=100),
    Play(
        name="this collection: vm_memory_reservation",
        question="memory of 20 VMs",
        file="collection_memory.yml",
        this_collection=True,
    ),
    Play(name="vmware.vmware: vm", question="memory of 20 VMs", file="peer_memory.yml", most=100),
    Play(
        name=DRIFT, question="drift of the whole intent", file="collection_drift.yml", this_collection=True, intent=True
    ),
)


class PlayFailed(Exception):
    """A play failed; the message holds its output."""


def settle(server: Server, env: Path, hosts: int) -> None:
    """Configure what the plays ask for and the fleet does not have yet, so that none of them has anything left to do."""
    for play in (play for play in PLAYS if play.name == SITE):
        _run(play, env, _environ(server, env), hosts)


def measure(play: Play, server: Server, env: Path, hosts: int) -> dict[str, Any]:
    """Run it once to fill the caches, and measure the next runs."""
    environ = _environ(server, env)
    _run(play, env, environ, hosts)
    return min((_measure_once(play, server, env, environ, hosts) for _unused in range(play.runs)), key=_wall)


def _wall(cost: Mapping[str, Any]) -> float:
    return float(cost["wall"])


def _measure_once(play: Play, server: Server, env: Path, environ: Mapping[str, str], hosts: int) -> dict[str, Any]:
    before, spent = server.counters(), server.cpu()
    began = time.monotonic()
    usage = _run(play, env, environ, hosts)
    wall = time.monotonic() - began
    after = server.counters()
    return {
        "calls": sum(after["methods"].values()) - sum(before["methods"].values()),
        "pages": after["methods"].get(FURTHER, 0) - before["methods"].get(FURTHER, 0),
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
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
    }


def _inventory(hosts: int) -> str:
    """Write the intent of a fleet as an inventory file (JSON is valid YAML) and return its path. The account comes from the environment."""
    vms = [f"cluster-01-vm-{number:03d}" for number in range(1, hosts + 1)]
    desired = [{"name": vm, "devices": ["10de:20f1"], "mmio": {}, "power": "on", "allow_shutdown": True} for vm in vms]
    variables = {
        "passthrough_hosts": [{"cluster": "cluster-01", "devices": ["10de:20f1"]}],
        "passthrough_vms": desired,
        "attach_devices_max_concurrent": 16,
        "rolling_reboot_consent": True,
        "vcenter_hostname": "localhost",
    }
    file = FOLDER.parents[1] / ".cache" / "bench" / f"fleet_{hosts}.yml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"all": {"hosts": {"vc-bench": variables}}}), encoding="utf-8")
    return str(file)


def _run(play: Play, env: Path, environ: Mapping[str, str], hosts: int) -> Any:
    file = str(FOLDER / play.file)
    environ = {**environ, "ANSIBLE_INVENTORY_ENABLED": "yaml,host_list"}
    if play.file.endswith("esxi_hosts.yml"):
        # Enabled only here: other runs would import the plugin and not use it.
        environ["ANSIBLE_INVENTORY_ENABLED"] = "vmware.vmware.esxi_hosts"
        command = [str(env / "bin" / "ansible-inventory"), "-i", file, "--list"]
    else:
        inventory = _inventory(hosts) if play.intent else "localhost,"
        command = [str(env / "bin" / "ansible-playbook"), "-i", inventory, "-c", "local", file]
        command += ["-e", f"ansible_python_interpreter={env / 'bin' / 'python'}"]
    log = FOLDER.parents[1] / ".cache" / "log" / "bench.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, env=dict(environ), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    printed = log.read_text(encoding="utf-8", errors="replace")
    if process.returncode != 0 or "Unable to parse" in printed:
        raise PlayFailed(f"{play.name}: status {process.returncode}\n{printed[-3000:]}")
    return usage
