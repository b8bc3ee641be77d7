# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run file that Ansible itself wrote is replayed with the same outcome: Ansible and the action plugins add to results."""

from __future__ import annotations

import gzip
import json
import subprocess
from typing import Any

import pytest

from tests.controller.fleet import Fleet, Programs, fleet
from tools.envs import ROOT, clean_environ, ensure

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
                    "name": "gpu",
                    "drs": "fullyAutomated",
                    "hosts": [{"name": "gpu-{:02d}.lab", "count": 2, "hardware": "node"}],
                    "vms": [
                        {"name": "train-01", "host": "gpu-01", "memory_gb": 64},
                        {"name": "web-01", "host": "gpu-02", "power": "on"},
                    ],
                }
            ],
        }
    ],
}
DESIRED: dict[str, Any] = {
    "passthrough_hosts": [{"cluster": "gpu", "devices": [{"match": {"name": "*P5800X*"}}, "10de:20f1"]}],
    "passthrough_vms": [
        {"name": "train-01", "devices": [{"match": "10de:20f1", "count": 1}], "mmio": {}, "power": "on"}
    ],
    "rolling_reboot_pinned_vms": "shutdown",
    "rolling_reboot_never_stop": ["web-01"],
    "capacity_fit": [{"match": "10de:20f1", "count": 1}],
}


@pytest.fixture
def made(tmp_path: Any, programs: Programs) -> Any:
    with fleet(tmp_path, programs, vc=LAB) as found:
        yield found


def played(made: Fleet, *playbooks: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    """The playbooks in one command, after a capture."""
    address = {
        "vcenter_hostname": "localhost",
        "vcenter_port": made.ports["vc"],
        "vcenter_ca_path": str(made.ca_files["vc"]),
    }
    source = made.source(json.dumps({"all": {"hosts": {"vc": {**address, **DESIRED}}}}), "inventory.yml")
    names = (f"directpath.vsphere.{name}" for name in ("capture", *playbooks))
    return made.run(
        "ansible-playbook",
        *(*names, "-i", str(source), "-e", json.dumps(variables)),
        env={"ANSIBLE_CALLBACKS_ENABLED": "directpath.vsphere.run_file", "PWD": str(made.folder)},
    )


def replayed(made: Fleet) -> subprocess.CompletedProcess[str]:
    """As ``make replay`` does it, whatever release of Ansible wrote the file."""
    env = ensure("main")
    command = [str(env / "bin" / "python"), "-m", "tools.replay", str(made.folder / "run.json.gz")]
    return subprocess.run(command, cwd=ROOT, env=clean_environ(env), capture_output=True, text=True, check=False)


def test_a_whole_run_is_replayed_with_the_same_outcome(made: Fleet) -> None:
    done = played(made, "site", "verify", "status", "capacity", rolling_reboot_consent=True)
    assert done.returncode == 0, done.stdout + done.stderr
    raw = json.loads(gzip.decompress((made.folder / "run.json.gz").read_bytes()))
    modules = {call["module"] for call in raw["calls"]}
    assert modules >= {
        *("drift_info", "host_passthrough", "host_rolling_reboot", "vm_pci_device"),
        *("rolling_reboot_info", "host_capacity_info"),
    }
    read = [call for call in raw["calls"] if call["decisions"].get("figures")]
    assert {call["module"] for call in read} >= {"rolling_reboot_info", "host_capacity_info"}
    again = replayed(made)
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stderr == ""
    assert "differs" not in again.stdout
    assert f"Same: 0 of {len(raw['calls'])} calls differ" in again.stdout


def test_a_run_that_ends_before_its_first_call_says_so(made: Fleet) -> None:
    done = played(made, "site", passthrough_hostz=[])
    assert done.returncode != 0
    assert "run.json.gz has no call" in done.stdout
    again = replayed(made)
    assert "Same: 0 of 0 calls differ" in again.stdout
