# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run file shows a bug: some are planted in each of five layers, and each replay reports a difference that is not there without it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from tests.tools.planted_faults import AREAS, Copy, Fault, load
from tests.tools.recorded_runs import Step, record
from tests.unit.modules.harness import Lab
from tools import replay
from tools.commands import Done, run
from tools.envs import ROOT

FAULTS = load(Path(__file__).with_name("replayed_faults.yml"))
TARGETS = [
    {
        "cluster": ["gpu-a"],
        "devices": [{"match": "10de:20f1", "label": "a100"}, {"match": {"name": "*Optane*"}, "count": 1}],
    },
    {"cluster": ["gpu-b"], "devices": ["15b3:1015"]},
]
VMS = [
    {"name": "train-01", "devices": [{"match": "10de:20f1", "count": 2}], "mmio": {}, "power": "on"},
    {"name": "old-db", "devices": [{"match": "15b3:1015", "count": 1}], "power": "cycle"},
]
REBOOT = {"targets": TARGETS, "pinned_vms": "shutdown", "evacuate_powered_off": True}
RUN = (
    Step(module="drift_info", options={"targets": TARGETS, "vms": VMS}),
    Step(module="host_passthrough", options={"targets": TARGETS}),
    Step(module="host_passthrough", options={"targets": TARGETS}, check=True),
    Step(module="host_passthrough", options={"hosts": ["gpu-01.lab", "nvme-01.lab"], "devices": [{"match": "10de:20f1", "count": 2}]}),
    Step(module="host_rolling_reboot", options=REBOOT, check=True),
    Step(module="host_rolling_reboot", options=REBOOT),
    Step(module="vm_pci_device", options={"vms": VMS}),
)  # fmt: skip
"""The playbook site for the lab demo: devices that take effect at once, one host that requires a reboot, and one that is refused."""
TWO_HOSTS = """
kind: vcenter
version: 8.0.3
name: vc.lab
hardware:
  node:
    model: PowerEdge R750
    memory_gb: 512
    rebind: false
    cards:
      - {card: a100, at: "3b", enabled: true}
      - {card: a100, at: "af", enabled: true}
      - {card: p5800x, at: "5e", enabled: true, active: false}
      - nvme-data
      - x710
vm_defaults: {memory_gb: 32, power: "on", extra: {pciPassthru.use64bitMMIO: "TRUE", pciPassthru.64bitMMIOSizeGB: "128"}}
datacenters:
  - name: Two
    clusters:
      - name: gpu
        drs: fullyAutomated
        hosts: [{name: "gpu-{:02d}.lab", count: 2, hardware: node}]
        vms:
          - {name: db-01, host: gpu-01, devices: [{fixed: "0000:3b:00.0"}]}
          - {name: app-01, host: gpu-01, devices: [{fixed: "0000:af:00.0"}]}
          - {name: web-01, host: gpu-01}
          - {name: web-02, host: gpu-02}
"""
ORDERED = {
    "targets": [{"cluster": ["gpu"], "devices": [{"match": {"name": "*P5800X*"}}]}],
    "pinned_vms": "shutdown",
    "expected_minutes": {"reboot": 12},
    "vm_order": {"app-01": 1, "db-01": 2},
}
ROLLING = (
    Step(module="host_rolling_reboot", options=ORDERED, check=True),
    Step(module="host_rolling_reboot", options=ORDERED),
    Step(module="vm_pci_device_info"),
)  # fmt: skip
"""A rolling reboot that takes more than one slice, and stops two VMs of a host in order. Then a module that only reads."""


PLAY = """
import sys
sys.modules["rfc3987_syntax"] = None
from tools import replay
sys.exit(replay.main(sys.argv[1:]))
"""
"""``python -m tools.replay`` without a grammar that jsonschema loads for a second, for formats that no schema here has."""


@pytest.fixture(scope="module")
def run_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    labs = {"site": (Lab.load("demo"), RUN), "rolling": (Lab.load(yaml.safe_load(TWO_HOSTS)), ROLLING)}
    return {name: record(lab, run, tmp_path_factory.mktemp(name)) for name, (lab, run) in labs.items()}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("faults") / "copy")


def replayed(copy: Copy, path: Path) -> Done:
    return run([sys.executable, "-c", PLAY, str(path)], copy.root, copy.environ)


def test_there_is_one_in_each_layer() -> None:
    assert {fault.area for fault in FAULTS} == set(AREAS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_each_can_be_planted(fault: Fault) -> None:
    text = (ROOT / fault.file).read_text(encoding="utf-8")
    assert fault.planted(text) != text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["site", "rolling"])
def test_without_a_fault_the_outcome_is_the_same(name: str, copy: Copy, run_files: dict[str, Path]) -> None:
    done = replayed(copy, run_files[name])
    assert done.code == replay.SAME, done.output


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_the_replay_shows_it(fault: Fault, copy: Copy, run_files: dict[str, Path]) -> None:
    name = fault.caught_by[0].removeprefix("tools.replay ")
    with copy.planted(fault):
        done = replayed(copy, run_files[name])
    assert done.code == replay.DIFFERS, done.output
    assert "differs" in done.output
    assert "Traceback" not in done.output
