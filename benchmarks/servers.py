# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Endpoints to measure against. Each is a process of its own, so that its CPU time is not counted as that of the client."""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.envs import ROOT

START_SECONDS = 120.0
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running endpoint. ``ca_file`` None: its certificate cannot be verified (vcsim creates a self-signed one)."""

    kind: str
    port: int
    username: str
    password: str
    ca_file: str | None
    pid: int

    def cpu(self) -> float:
        """CPU seconds that the process has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def counters(self) -> dict[str, Any]:
        """Calls and bytes so far, as the endpoint counts them. Empty if the endpoint does not count."""
        if self.ca_file is None:
            return {}
        context = ssl.create_default_context(cafile=self.ca_file)
        with urllib.request.urlopen(f"https://localhost:{self.port}/control/counters", context=context) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def slow_down(self, milliseconds: int) -> None:
        """Add latency to every call, like the network and a busy vCenter. Only the simulator supports it."""
        body = json.dumps({"latency": milliseconds / 1000}).encode()
        for method, data in (("DELETE", None), *((("POST", body),) if milliseconds else ())):
            request = urllib.request.Request(
                f"https://localhost:{self.port}/control/faults",
                data=data,
                method=method,
                headers={"Content-Type": "application/json"},
            )
            urllib.request.urlopen(request, context=ssl.create_default_context(cafile=self.ca_file)).close()

    def variables(self) -> dict[str, str]:
        """What the collections read from their environment."""
        return {
            "VMWARE_HOST": "localhost",
            "VMWARE_PORT": str(self.port),
            "VMWARE_USER": self.username,
            "VMWARE_PASSWORD": self.password,
            "VMWARE_VALIDATE_CERTS": "true" if self.ca_file else "false",
            **({"VMWARE_CA_PATH": self.ca_file, "SSL_CERT_FILE": self.ca_file} if self.ca_file else {}),
        }


def fleet(hosts: int, vms: int, *, ready: int = 50, per_cluster: int = 50, attached: int = 0) -> dict[str, Any]:
    """A lab: hosts with 32 PCI functions each, of which ``ready`` percent have their GPUs active. ``attached``: VMs of each cluster that
    have a GPU."""
    numbers = {
        "hosts": hosts,
        "vms": vms,
        "ready": ready,
        "per_cluster": per_cluster,
        "devices": 32,
        "attached": attached,
    }
    return {"kind": "vcenter", "version": "8.0.3", "name": "vc-bench.lab", "fleet": numbers}


@contextmanager
def simulator(lab: dict[str, Any], *, speed: float = 1.0) -> Iterator[Server]:
    """The simulator with this lab. ``speed``: factor of the simulated time."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        source, ready, ca_file = (Path(folder) / name for name in ("lab.yml", "ready", "ca.pem"))
        source.write_text(yaml.safe_dump(lab), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "simulator",
            "--lab",
            str(source),
            "--port",
            "0",
            "--quiet",
            "--speed",
            str(speed),
        ]
        process = subprocess.Popen([*command, "--ca-file", str(ca_file), "--ready-file", str(ready)], cwd=ROOT)
        try:
            _wait(process, ready.exists)
            exported = dict(re.findall(r"export (\w+)='(.*)'", ready.read_text(encoding="utf-8")))
            yield Server(
                kind="simulator",
                port=int(exported["VMWARE_PORT"]),
                username=exported["VMWARE_USER"],
                password=exported["VMWARE_PASSWORD"],
                ca_file=str(ca_file),
                pid=process.pid,
            )
        finally:
            process.terminate()
            process.wait(30)


def vcsim_binary() -> str | None:
    """The path of govmomi's simulator, if it is on PATH."""
    return shutil.which("vcsim")


@contextmanager
def vcsim(binary: str, hosts: int, vms: int) -> Iterator[Server]:
    """govmomi's simulator. It has no passthrough devices, but its hosts have a list of PCI devices to read."""
    clusters = max(1, hosts // 50)
    shape = ["-standalone-host", "0", "-cluster", str(clusters), "-host", str(hosts // clusters)]
    shape += ["-vm", str(vms // clusters), "-l", "127.0.0.1:0", "-username", "user", "-password", "pass"]
    process = subprocess.Popen([binary, *shape], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        port = None
        for line in process.stdout:
            found = re.search(r"https://[^@/]*@?127\.0\.0\.1:(\d+)", line)
            if found:
                port = int(found[1])
                break
        if port is None:
            raise RuntimeError("vcsim did not start")
        yield Server(kind="vcsim", port=port, username="user", password="pass", ca_file=None, pid=process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: subprocess.Popen[Any], ready: Any) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the simulator did not start")
        time.sleep(0.05)
