# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two endpoints that are compared, and the tools built for it."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pyVim.connect import Disconnect, SmartConnect

from simulator import ManualClock, Simulator
from tools.envs import NoInterpreter, ensure

ROOT = Path(__file__).parents[2]
TOOLS = Path(__file__).parent / "tools"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "directpath-vsphere" / "conformance"
NO_NETWORK = re.compile(r"dial tcp|no such host|could not resolve|i/o timeout|connection refused|proxyconnect", re.I)

LAB: Mapping[str, Any] = {
    "kind": "vcenter",
    "version": "8.0.3",
    "hardware": {"plain": {"memory_gb": 64, "cards": ["x710"]}},
    "datacenters": [
        {
            "name": "DC0",
            "clusters": [
                {
                    "name": "C0",
                    "drs": "fullyAutomated",
                    "hosts": [{"name": "esx-{:02d}.lab", "count": 3, "hardware": "plain"}],
                    "vms": [
                        {"name": "vm-a", "host": "esx-01", "memory_gb": 1, "power": "on"},
                        {"name": "vm-b", "host": "esx-02", "memory_gb": 1, "power": "on"},
                    ],
                }
            ],
        }
    ],
}
"""The same inventory as vcsim's: one datacenter, one cluster, three hosts, two running VMs."""


@pytest.fixture(scope="session")
def tools() -> Path:
    """Directory with vcsim and govc, built once from one pinned module through the Go module registry."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is not installed: vcsim and govc cannot be built, nothing was compared")
    stamp = CACHE / "go.sum"
    wanted = (TOOLS / "go.sum").read_bytes() + b"".join(path.read_bytes() for path in sorted(TOOLS.glob("*/main.go")))
    if not stamp.exists() or stamp.read_bytes() != wanted:
        CACHE.mkdir(parents=True, exist_ok=True)
        # Nothing of it needs C, a debugger or speed. Without optimization and tables for a debugger, the build is cheaper.
        command = [
            go,
            "build",
            "-gcflags=all=-N -l -dwarf=false",
            "-ldflags=-s -w",
            "-o",
            f"{CACHE}/",
            "./vcsim",
            "./govc",
        ]
        environ = {**os.environ, "CGO_ENABLED": "0", "GOGC": "400"}
        built = subprocess.run(command, cwd=TOOLS, env=environ, capture_output=True, text=True, check=False)
        if built.returncode and NO_NETWORK.search(built.stderr):
            pytest.skip(f"the Go module registry is out of reach: {built.stderr.strip().splitlines()[-1]}")
        assert built.returncode == 0, built.stderr
        stamp.write_bytes(wanted)
    return CACHE


@pytest.fixture(scope="session")
def vcsim_port(tools: Path) -> Iterator[int]:
    """The port on which vcsim answers."""
    process = subprocess.Popen(
        [tools / "vcsim"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    found = re.search(r":(\d+)/", process.stdout.readline())
    assert found is not None, "vcsim did not say where it listens"
    yield int(found.group(1))
    process.stdin.close()
    process.wait(60)


@pytest.fixture(scope="session")
def vcsim(vcsim_port: int) -> Iterator[Any]:
    """A ServiceInstance of vcsim."""
    instance = SmartConnect(host="127.0.0.1", port=vcsim_port, user="user", pwd="pass", disableSslCertValidation=True)
    yield instance
    Disconnect(instance)


@pytest.fixture(scope="session")
def peers() -> Path:
    """The interpreter of the environment with the collections that most people have; made once."""
    try:
        return ensure("peers") / "bin" / "python"
    except (NoInterpreter, subprocess.CalledProcessError) as reason:
        pytest.skip(f"the environment with the other collections cannot be made: {reason}")


@pytest.fixture
def demo() -> Simulator:
    """The lab of three hosts, for clients that are run as programs."""
    return Simulator.from_lab(ROOT / "simulator/labs/three_hosts.yml", ManualClock())


@pytest.fixture
def sim() -> Simulator:
    return Simulator.from_lab(LAB)


@pytest.fixture
def ours(sim: Simulator) -> Iterator[Any]:
    """A ServiceInstance of our simulator, over TLS."""
    with sim.serve() as server:
        context = ssl.create_default_context(cafile=str(server.ca_file))
        instance = SmartConnect(
            host="localhost",
            port=server.port,
            user="administrator@vsphere.local",
            pwd="VMware1!",
            sslContext=context,
        )
        yield instance
        Disconnect(instance)
