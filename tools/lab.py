# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated vCenter for the length of a ``with``: started as a user starts it, ended as a user ends it."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import ssl
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
SPEED = 60.0  # a host that takes five minutes to boot takes five seconds


class LabError(Exception):
    """The simulator did not start, or did not stop cleanly; the message holds what it printed."""


@contextmanager
def running(lab: str | Path, speed: float = SPEED) -> Iterator[dict[str, str]]:
    """Start ``python -m simulator`` on a free port and yield the variables a client needs.

    They are those the simulator says to export, and SIMULATOR_CONTROL_URL. Whatever else happens it is told to stop
    at the end, and a stop that is not clean is a LabError.
    """
    with tempfile.TemporaryDirectory(prefix="directpath-lab-") as name:
        folder = Path(name)
        command = [sys.executable, "-m", "simulator", "--lab", str(lab), "--speed", str(speed)]
        command += ["--port", "0", "--ca-file", str(folder / "ca.pem"), "--ready-file", str(folder / "ready")]
        with (folder / "output").open("w", encoding="utf-8") as sink:
            process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
        try:
            variables = _wait_until_ready(process, folder)
            yield variables | {"SIMULATOR_CONTROL_URL": f"https://localhost:{variables['VMWARE_PORT']}/control"}
        finally:
            code = _stop(process)
        if code != 0:
            raise LabError(f"the simulator ended with status {code}:\n{_output(folder)}")


def exported(text: str) -> dict[str, str]:
    """The variables of every ``export NAME=VALUE`` line."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"export ([A-Z_]+)=(.*)$", line)
        if match:
            found[match[1]] = " ".join(shlex.split(match[2]))
    return found


def control(variables: Mapping[str, str], path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Ask the simulator's control page; a body makes it a POST. Returns the decoded JSON answer."""
    address = variables["SIMULATOR_CONTROL_URL"].rstrip("/") + path
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data=data, headers={"Content-Type": "application/json"})
    trust = ssl.create_default_context(cafile=variables["VMWARE_CA_PATH"])
    with urllib.request.urlopen(request, timeout=30, context=trust) as answer:
        return json.loads(answer.read())


def _wait_until_ready(process: subprocess.Popen[bytes], folder: Path) -> dict[str, str]:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if (folder / "ready").exists():  # appears whole, and only once connections are accepted
            return exported((folder / "ready").read_text(encoding="utf-8"))
        if process.poll() is not None:
            raise LabError(f"the simulator ended with status {process.returncode}:\n{_output(folder)}")
        time.sleep(0.05)
    raise LabError(f"the simulator was not ready after {START_SECONDS:.0f} s:\n{_output(folder)}")


def _output(folder: Path) -> str:
    return (folder / "output").read_text(encoding="utf-8", errors="replace")


def _stop(process: subprocess.Popen[bytes]) -> int:
    if process.poll() is None:
        os.kill(process.pid, signal.SIGTERM)
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return -signal.SIGKILL
