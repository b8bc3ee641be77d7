# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated vCenter for the length of a ``with``: started as a user starts it, ended as a user ends it."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.envs import ROOT

START_SECONDS = 60.0
STOP_SECONDS = 15.0


class LabError(Exception):
    """The simulator did not start, or did not stop cleanly; the message holds what it printed."""


@contextmanager
def running(lab: str | Path, options: tuple[str, ...] = ()) -> Iterator[dict[str, str]]:
    """Start ``python -m simulator`` on a free port and yield the variables it says to export.

    Whatever else happens it is told to stop at the end, and a stop that is not clean is a LabError.
    """
    with tempfile.TemporaryDirectory(prefix="directpath-lab-") as folder:
        output = Path(folder) / "output"
        command = [sys.executable, "-m", "simulator", "--lab", str(lab), "--port", str(free_port())]
        command += ["--ca-file", str(Path(folder) / "ca.pem"), *options]
        with output.open("w", encoding="utf-8") as sink:
            process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT
            )
        try:
            variables = _wait_until_ready(process, output)
            yield variables
        finally:
            code = _stop(process)
        if code not in (0, -signal.SIGTERM):
            raise LabError(f"the simulator ended with status {code}:\n{output.read_text(encoding='utf-8')}")


def free_port() -> int:
    """A port of the loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def exported(text: str) -> dict[str, str]:
    """The variables of every ``export NAME=VALUE`` line, indented or not."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"\s*export ([A-Z_]+)=(.*)$", line)
        if match:
            found[match[1]] = " ".join(shlex.split(match[2]))
    return found


def control(variables: Mapping[str, str], path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Ask the simulator's control page; a body makes it a POST. Returns the decoded JSON answer."""
    address = variables["SIMULATOR_CONTROL_URL"].rstrip("/") + path
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def _wait_until_ready(process: subprocess.Popen[bytes], output: Path) -> dict[str, str]:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        text = output.read_text(encoding="utf-8")
        variables = exported(text)
        if process.poll() is not None:
            raise LabError(f"the simulator ended with status {process.returncode}:\n{text}")
        if "VMWARE_HOST" in variables and _listens(variables):
            return variables
        time.sleep(0.05)
    raise LabError(f"the simulator was not ready after {START_SECONDS:.0f} s:\n{output.read_text(encoding='utf-8')}")


def _listens(variables: Mapping[str, str]) -> bool:
    try:
        socket.create_connection((variables["VMWARE_HOST"], int(variables["VMWARE_PORT"])), timeout=1).close()
    except OSError:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> int:
    if process.poll() is None:
        os.kill(process.pid, signal.SIGTERM)
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return -signal.SIGKILL
