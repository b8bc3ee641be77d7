# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs over a receptor mesh of three nodes, with the files of examples/mesh. Every wait has an end, and no process outlives a test."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.controller.fleet import Fleet, Programs, fleet
from tests.controller.mesh import SECRETS, Node, inventory, one
from tests.kill.processes import at_work_in, family, kill
from tools.envs import ROOT

MISSING = [name for name in ("receptor", "receptorctl") if shutil.which(name) is None]
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(MISSING), reason=f"not on PATH: {', '.join(MISSING)}"),
]

EXAMPLES = ROOT / "examples" / "mesh"
WORKERS = ("node-east", "node-west")
WAIT = 300.0
"""Seconds, for anything."""
LIMIT = 40
"""The seconds of a job whose node dies."""


@dataclass
class Mesh:
    """``folder``: all that the examples put into /tmp. Its path is short: that of a Unix socket has at most 107 characters."""

    folder: Path
    nodes: dict[str, Node]
    port: int
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        example = EXAMPLES / ("node.yml" if name in WORKERS else "controller.yml")
        text = example.read_text(encoding="utf-8").replace("27199", str(self.port)).replace("node-east", name)
        config = self.folder / f"{name}.yml"
        config.write_text(text.replace("/tmp/", f"{self.folder}/"), encoding="utf-8")
        with self._log(name).open("wb") as log:
            self.running[name] = subprocess.Popen(
                ["receptor", "--config", str(config)],
                cwd=self.folder,
                env=self.nodes[name].environ(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self, name: str) -> None:
        """The node dies, and all that works on it."""
        process = self.running[name]
        if process.poll() is None:  # otherwise, its id may be that of another process
            kill(family(process.pid))
        process.wait(WAIT)

    def end(self) -> None:
        for name in self.running:
            self.kill(name)
        kill(at_work_in(self.folder))

    def workers(self) -> set[str]:
        """The nodes to which the controller has a route, and that offer to run jobs."""
        command = ["receptorctl", "--socket", str(self._socket), "status", "--json"]
        environ = self.nodes["controller"].environ()
        done = subprocess.run(command, env=environ, capture_output=True, timeout=WAIT, check=False)
        if done.returncode:  # the controller is still starting
            return set()
        status = json.loads(done.stdout)
        offers = {
            entry["NodeID"]
            for entry in status["Advertisements"]
            if any(work["WorkType"] == "ansible-runner" for work in entry["WorkCommands"] or ())
        }
        return offers & set(status["RoutingTable"])

    def job(self, node: str, playbook: str, vcenter: str, seconds: int = int(WAIT)) -> tuple[int, str]:
        """The exit status of job.sh, and what it printed. To a file: a pipe would be open as long as any process of it lives."""
        told = {"RECEPTOR_SOCKET": str(self._socket), "RECEPTOR_NODE": node, "JOB_SECONDS": str(seconds)}
        command = ["sh", str(EXAMPLES / "job.sh"), str(self.folder / "job"), f"directpath.vsphere.{playbook}", vcenter]
        printed = self.folder / "printed"
        with printed.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.nodes["controller"].environ() | told,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            status = process.wait(WAIT)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"job.sh still runs after {WAIT} s\n{printed.read_text()}\n{self.told()}") from None
        finally:
            if process.poll() is None:
                kill(family(process.pid))
                process.wait(WAIT)
        return status, printed.read_text(encoding="utf-8")

    def told(self) -> str:
        return "".join(f"{name}: {self._log(name).read_text(encoding='utf-8')}\n" for name in self.running)

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until it is true. Fails when a node ends before that: it would never become true."""
        deadline = time.monotonic() + WAIT
        while not condition():
            ended = [name for name, process in self.running.items() if process.poll() is not None]
            assert not ended, f"{ended} ended before this: {what}\n{self.told()}"
            assert time.monotonic() < deadline, f"still not: {what}\n{self.told()}"
            time.sleep(0.5)

    @property
    def _socket(self) -> Path:
        return self.folder / "receptor.sock"

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


@pytest.fixture
def mesh(tmp_path: Path, programs: Programs) -> Iterator[Mesh]:
    with tempfile.TemporaryDirectory(prefix="mesh-") as folder:
        nodes = {name: Node(name=name, folder=tmp_path / name, programs=programs) for name in ("controller", *WORKERS)}
        made = Mesh(folder=Path(folder), nodes=nodes, port=_free_port())
        try:
            for name in nodes:
                made.start(name)
            made.wait_for(lambda: made.workers() == set(WORKERS), "both nodes are in the status")
            yield made
        finally:
            made.end()


@pytest.fixture
def vcenters(tmp_path: Path, programs: Programs, mesh: Mesh) -> Iterator[Fleet]:
    """Two vCenters, and the folder of the jobs."""
    with fleet(tmp_path, programs, a=one("a"), b=one("b")) as running:
        parts: dict[str, Any] = {"inventory/hosts.json": inventory(running), "env/envvars": SECRETS}
        (mesh.folder / "job" / "project").mkdir(parents=True)
        for part, value in parts.items():
            path = mesh.folder / "job" / part
            path.parent.mkdir()
            path.write_text(json.dumps(value), encoding="utf-8")
        yield running


def test_each_node_finds_the_drift_of_its_vcenter(mesh: Mesh, vcenters: Fleet) -> None:
    """The exit status of the play comes back, and no vCenter is asked by the job of the other one."""
    logins = []
    for node, name, other in zip(WORKERS, ("a", "b"), ("b", "a"), strict=True):
        status, printed = mesh.job(node, "drift", f"vc-{name}")
        assert status == 2, printed
        assert "2 hosts and 1 VM compared" in printed
        assert f"esx-{name}1.lab" in printed
        assert f"esx-{other}1.lab" not in printed
        logins.append([vcenters.sims[each].journal.counters.logins for each in ("a", "b")])
    (of_a, none), (still, of_b) = logins
    assert (none, still) == (0, of_a)
    assert of_a == of_b > 0


def test_node_that_dies_ends_its_job_in_time_and_the_other_node_continues(mesh: Mesh, vcenters: Fleet) -> None:
    """receptorctl would wait forever. Afterwards each host has been changed once, by both nodes together."""
    sim = vcenters.sims["a"]
    stop = sim.on_write(1, lambda _write: mesh.kill("node-east"), when="after", method="UpdatePassthruConfig")
    begun = time.monotonic()
    status, printed = mesh.job("node-east", "enable", "vc-a", LIMIT)
    took = time.monotonic() - begun
    assert stop.hit is not None, printed
    assert status == 70, printed
    assert "The job sent no result (status 124)" in printed, printed
    assert LIMIT <= took < WAIT
    status, printed = mesh.job("node-west", "enable", "vc-a")
    assert status == 0, printed
    assert sim.journal.counters.methods["UpdatePassthruConfig"] == 2


def _free_port() -> int:
    with socket.socket() as one_socket:
        one_socket.bind(("127.0.0.1", 0))
        return int(one_socket.getsockname()[1])
