# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m simulator`` as a user starts it."""

from __future__ import annotations

import os
import re
import shlex
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim

from simulator import ManualClock, Simulator
from simulator.api import versions
from simulator.selfcheck import problems
from tests.unit.patience import PATIENCE, until
from tests.unit.simulator.specs import PC, container, values, view_spec

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
LABS = sorted((ROOT / "simulator/labs").glob("*.yml"))


def start(*options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "simulator", *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def exports(text: str) -> dict[str, str]:
    lines = [line.removeprefix("export ") for line in text.splitlines() if line.startswith("export ")]
    return dict(shlex.split(line)[0].split("=", 1) for line in lines)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    ready = tmp_path / "ready"
    process = start(
        "--lab", "simulator/labs/three_hosts.yml", "--port", "0", "--ca-file", str(tmp_path / "ca.pem"),
        "--ready-file", str(ready), "--speed", "100",
    )  # fmt: skip
    until(lambda: ready.exists() or process.poll() is not None)
    assert ready.exists(), process.stderr.read() if process.stderr else ""
    yield process, ready
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_prints_what_to_export_and_stops_cleanly(
    running: tuple[subprocess.Popen[str], Path], number: signal.Signals
) -> None:
    process, ready = running
    env = exports(ready.read_text())
    context = ssl.create_default_context(cafile=env["VMWARE_CA_PATH"])
    si = SmartConnect(
        host=env["VMWARE_HOST"],
        port=int(env["VMWARE_PORT"]),
        user=env["VMWARE_USER"],
        pwd=env["VMWARE_PASSWORD"],
        sslContext=context,
    )
    spec = view_spec(container(si, vim.HostSystem), vim.HostSystem, "name", "config.pciPassthruInfo")
    found = si.content.propertyCollector.RetrievePropertiesEx([spec], PC.RetrieveOptions(maxObjects=50)).objects
    assert len(found) == 3
    assert all(values(item)["config.pciPassthruInfo"] for item in found)
    Disconnect(si)
    process.send_signal(number)
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert errors == ""
    assert exports(output) == env
    assert env["GOVC_URL"] == f"https://localhost:{env['VMWARE_PORT']}/sdk"
    assert len(output.splitlines()) < 25
    assert not ready.exists()


@pytest.mark.parametrize(
    ("lab", "message"),
    [
        (None, "No such file"),
        ({"kind": "hyperv"}, "kind: 'vcenter' or 'esxi'"),
        ({"version": "99.0"}, "knows the API up to"),
        ({"knobs": {"nope": 1}}, "no knob named 'nope'"),
        (["a"], "a lab is a mapping"),
    ],
)
def test_a_lab_that_makes_no_sense_is_one_line_and_status_2(tmp_path: Path, lab: object, message: str) -> None:
    path = tmp_path / "lab.yml"
    if lab is not None:
        path.write_text(yaml.safe_dump(lab))
    process = start("--lab", str(path), "--port", "0")
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert output == ""
    assert message in errors
    assert "Traceback" not in errors


def test_quiet_is_quiet(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    process = start("--lab", "simulator/labs/home.yml", "--port", "0", "--quiet", "--ready-file", str(ready))
    assert until(ready.exists)
    os.kill(process.pid, signal.SIGTERM)
    output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output, errors) == (0, "", "")


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
def test_every_lab_loads_and_can_be_sent(path: Path) -> None:
    release = str(yaml.safe_load(path.read_text()).get("version", "8.0.3"))
    try:
        versions.for_product(release)
    except ValueError as error:
        pytest.skip(str(error))
    sim = Simulator.from_lab(path, ManualClock())
    if path.stem != "fleet":
        assert problems(sim) == []
    si = sim.stub().connect()
    assert len(container(si, vim.HostSystem).view) >= 1


def test_the_fleet_loads_in_seconds_and_is_read_at_the_speed_of_the_serialiser() -> None:
    """1,000 hosts of 32 devices. Bounds are generous: a busy machine must not fail, a quadratic loop must."""
    begin = time.perf_counter()
    sim = Simulator.from_lab(ROOT / "simulator/labs/fleet.yml")
    loaded = time.perf_counter()
    assert loaded - begin < 30
    si = sim.stub().connect()
    spec = view_spec(
        container(si, vim.HostSystem), vim.HostSystem, "name", "hardware.pciDevice", "config.pciPassthruInfo"
    )
    page = si.content.propertyCollector.RetrievePropertiesEx([spec], PC.RetrieveOptions(maxObjects=100))
    count = len(page.objects)
    while page.token:
        page = si.content.propertyCollector.ContinueRetrievePropertiesEx(page.token)
        count += len(page.objects)
    assert count == 1000
    assert time.perf_counter() - loaded < 30


def test_the_readmes_python_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / "simulator/README.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.S)
    exec(compile(example, "simulator/README.md", "exec"), {})


def test_the_readme_names_every_option() -> None:
    text = (ROOT / "simulator/README.md").read_text()
    shown = subprocess.run(
        [sys.executable, "-m", "simulator", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    options = set(re.findall(r"--[a-z-]+", shown)) - {"--help"}
    assert options
    assert {option for option in options if f"`{option}" not in text} == set()
