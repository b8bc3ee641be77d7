# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Execution nodes as an automation mesh has them: a job is transmitted, a worker runs it, its events are processed where it came from.

A node is a home and a host name of its own, so that no run finds anything of another one, nor knows whether its process lives. A mesh
carries exactly these streams from one machine to another.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.controller.fleet import Fleet, Programs
from tests.kill.processes import family, gone, kill
from tests.unit.inventory.labs import ACCOUNT, PASSWORD, lab

PATIENCE = 300.0
"""Seconds for a job on a busy machine."""
_HOST_NAME = """
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
import os, platform
platform.node = lambda: os.environ["MESH_NODE"]
"""


@dataclass
class Job:
    """A job on a node. ``folder``: the private data folder of the controller. ``rc``: what the artifact says, None before ``finish``;
    ``status``: the exit status of ``process``, which is another thing."""

    folder: Path
    worker: subprocess.Popen[bytes]
    stream: Path
    environ: Mapping[str, str]
    rc: int | None = None
    status: int | None = None

    def kill(self) -> None:
        """The node dies: the worker and all below it, without a last word."""
        kill(family(self.worker.pid))
        self.worker.wait(PATIENCE)

    def finish(self) -> str:
        """Wait for the worker, process what it sent, and return what the play printed."""
        members = family(self.worker.pid)
        self.worker.wait(PATIENCE)
        assert gone(members, 120.0), "a process outlived its job"
        command = [*_RUNNER, "process", str(self.folder)]
        with self.stream.open("rb") as sent:
            done = subprocess.run(
                command, stdin=sent, env=self.environ, capture_output=True, timeout=PATIENCE, check=False
            )
        self.status = done.returncode
        artifacts = self.folder / "artifacts"
        if (artifacts / "rc").exists():
            self.rc = int((artifacts / "rc").read_text(encoding="utf-8"))
        printed = artifacts / "stdout"
        return printed.read_text(encoding="utf-8") if printed.exists() else done.stdout.decode() + done.stderr.decode()

    @property
    def is_running(self) -> bool:
        return self.worker.poll() is None


_RUNNER = (sys.executable, "-m", "ansible_runner")


@dataclass
class Node:
    """An execution node. ``programs``: as on each of them, the collection is installed."""

    name: str
    folder: Path
    programs: Programs
    count: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        (self.folder / "site").mkdir(parents=True)
        (self.folder / "site" / "sitecustomize.py").write_text(_HOST_NAME, encoding="utf-8")

    def environ(self) -> dict[str, str]:
        own = {
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "ANSIBLE_HOME": str(self.folder / ".ansible"),
            "PYTHONPATH": str(self.folder / "site"),
            "MESH_NODE": self.name,
        }
        return {**self.programs.environ, **own}

    def start(self, playbook: str, inventory: Mapping[str, Any], *arguments: str, **environ: str) -> Job:
        """Transmit a job to the node. ``environ``: variables of the job, such as the account of the vCenter."""
        self.count += 1
        folder = self.folder / f"job-{self.count}"
        for name, value in {"inventory/hosts.json": inventory, "env/envvars": environ}.items():
            path = folder / name
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(value), encoding="utf-8")
        (folder / "project").mkdir()
        command = [*_RUNNER, "transmit", str(folder), "-p", playbook]
        command += ["--cmdline", " ".join(arguments)] if arguments else []
        sent = subprocess.run(command, env=self.programs.environ, capture_output=True, timeout=PATIENCE, check=True)
        stream = self.folder / f"stream-{self.count}"
        with stream.open("wb") as output:
            worker = subprocess.Popen(
                [*_RUNNER, "worker", "--private-data-dir", str(self.folder / f"worker-{self.count}")],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.DEVNULL,
                env=self.environ(),
                cwd=self.folder,
                start_new_session=True,
            )
        assert worker.stdin is not None
        worker.stdin.write(sent.stdout)
        worker.stdin.close()
        return Job(folder=folder, worker=worker, stream=stream, environ=self.programs.environ)


def wait_for(condition: Callable[[], bool], what: str, job: Job | None = None) -> None:
    """Wait until it is true. Fails when the job ends before that."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if job is not None and not job.is_running and not condition():
            raise AssertionError(f"the job ended before this: {what}\n{job.finish()}")
        assert time.monotonic() < deadline, f"still not: {what}"
        time.sleep(0.05)


def one(name: str) -> dict[str, Any]:
    hosts = {"name": f"esx-{name}{{}}.lab", "count": 2, "cards": ["t4", "nvme-data"], "memory_gb": 64}
    return lab(name, hosts, vms=[{"name": f"train-{name}", "host": f"esx-{name}1", "memory_gb": 8, "version": 20}])


def vcenter(made: Fleet, name: str) -> dict[str, Any]:
    """The vCenter as an inventory host, with its intent."""
    return {
        "vcenter_hostname": "localhost",
        "vcenter_port": made.ports[name],
        "vcenter_ca_path": str(made.ca_files[name]),
        "passthrough_hosts": [{"cluster": f"gpu {name}", "devices": ["10de:1eb8"]}],
        "passthrough_vms": [{"name": f"train-{name}", "devices": ["10de:1eb8"], "power": "on"}],
    }


def inventory(made: Fleet) -> dict[str, Any]:
    return {"all": {"hosts": {f"vc-{name}": vcenter(made, name) for name in made.ports}}}


SECRETS = {"VMWARE_USER": ACCOUNT, "VMWARE_PASSWORD": PASSWORD}
