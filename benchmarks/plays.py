# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of Ansible with this collection and with others, for the same questions, on a fleet in the desired state."""

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
"""The method that reads a further page of a large answer."""
FOLDER = Path(__file__).resolve().parent / "playbooks"


@dataclass(frozen=True, kw_only=True)
class Play:
    """A play to measure. ``most``: the largest fleet for it; with more hosts, a run takes minutes. ``intent``: it needs an inventory
    with an intent, with one cluster of all hosts and one VM per host."""

    name: str
    question: str
    file: str
    most: int = 1000
    ours: bool = False
    intent: bool = False


SITE, DRIFT = "ours: site", "ours: drift"
PEER = "community.vmware: vmware_host_passthrough"

PLAYS = (
    Play(name="empty playbook", question="nothing", file="empty.yml"),
    Play(name="ours: host_passthrough", question="passthrough on all hosts", file="ours_passthrough.yml", ours=True),
    # site runs all phases, and the peer only the first one. They are compared all the same.
    Play(name=SITE, question="passthrough on all hosts", file="ours_site.yml", ours=True, intent=True),
    Play(
        name=PEER,
        question="passthrough on all hosts",
        file="peer_passthrough.yml",
        most=100,
    ),
    Play(name="ours: host_pci_device_info", question="all PCI devices", file="ours_info.yml", ours=True),
    Play(name="vmware.vmware: inventory esxi_hosts", question="all PCI devices", file="peer_esxi_hosts.yml", most=100),
    Play(name="ours: vm_memory_reservation", question="memory of 20 VMs", file="ours_memory.yml", ours=True),
    Play(name="vmware.vmware: vm", question="memory of 20 VMs", file="peer_memory.yml", most=100),
    Play(name=DRIFT, question="drift of the whole intent", file="ours_drift.yml", ours=True, intent=True),
)


class PlayFailed(Exception):
    """A play failed. The message contains its output."""


def settle(server: Server, env: Path, hosts: int) -> None:
    """Create the desired state of all plays, so that no play has anything to change."""
    for play in (play for play in PLAYS if play.name == SITE):
        _run(play, env, _environ(server, env), hosts)


def measure(play: Play, server: Server, env: Path, hosts: int) -> dict[str, Any]:
    """Run a play once to fill caches, and once to measure it."""
    environ = _environ(server, env)
    _run(play, env, environ, hosts)
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
    """Write the intent of a fleet to an inventory file in JSON, which is also YAML. The account comes from the environment."""
    vms = [f"cluster-01-vm-{number:03d}" for number in range(1, hosts + 1)]
    desired = [{"name": vm, "devices": ["10de:20f1"], "mmio": {}, "power": "on"} for vm in vms]
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
        # Only enabled here, because it would be imported in other runs too.
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
    said = log.read_text(encoding="utf-8", errors="replace")
    if process.returncode != 0 or "Unable to parse" in said:
        raise PlayFailed(f"{play.name}: status {process.returncode}\n{said[-3000:]}")
    return usage
