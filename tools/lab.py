# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated vCenter in a ``with`` block: ``python -m simulator`` in its own process.

The process is a fork of one that has already imported the simulator, because a start costs one CPU second, and a fork much
less. Arguments, ready file, signals and exit status are those of the command line.
"""

from __future__ import annotations

import atexit
import gc
import json
import multiprocessing
import os
import re
import shlex
import signal
import ssl
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tools.envs import ROOT

START_SECONDS = 180.0
STOP_SECONDS = 90.0
SPEED = 60.0  # five minutes for the boot of a host become five seconds
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["simulator.__main__", "tools.lab"])
atexit.register(forkserver._forkserver._stop)  # type: ignore[attr-defined]  # waits for it, so that its CPU seconds count for this process


class LabError(Exception):
    """The simulator did not start, or did not stop cleanly. The message contains its output."""


@contextmanager
def running(lab: str | Path, speed: float = SPEED) -> Iterator[dict[str, str]]:
    """Start a simulator on a free port and yield the variables for clients.

    These are the variables that the simulator prints, and SIMULATOR_CONTROL_URL. The simulator is always stopped at the
    end. Raises LabError when it does not stop cleanly.
    """
    with tempfile.TemporaryDirectory(prefix="directpath-lab-") as name:
        folder = Path(name)
        options = ["--lab", str(lab), "--speed", str(speed), "--port", "0"]
        options += ["--ca-file", str(folder / "ca.pem"), "--ready-file", str(folder / "ready")]
        (folder / "output").touch()
        process = FORKS.Process(target=_serve, args=(options, str(folder / "output")))
        process.start()
        try:
            variables = _wait_until_ready(process, folder)
            yield variables | {"SIMULATOR_CONTROL_URL": f"https://localhost:{variables['VMWARE_PORT']}/control"}
        finally:
            code = _stop(process)
        if code != 0:
            raise LabError(f"the simulator ended with status {code}:\n{_output(folder)}")


def exported(text: str) -> dict[str, str]:
    """The variables of all ``export NAME=VALUE`` lines."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"export ([A-Z_]+)=(.*)$", line)
        if match:
            found[match[1]] = " ".join(shlex.split(match[2]))
    return found


def control(variables: Mapping[str, str], path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Send a request to the control page of the simulator: a POST with a body, else a GET. Returns the decoded JSON answer."""
    address = variables["SIMULATOR_CONTROL_URL"].rstrip("/") + path
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data=data, headers={"Content-Type": "application/json"})
    trust = ssl.create_default_context(cafile=variables["VMWARE_CA_PATH"])
    with urllib.request.urlopen(request, timeout=180, context=trust) as answer:
        return json.loads(answer.read())


def _serve(options: list[str], output: str) -> None:
    """Run the simulator in the forked process."""
    from simulator.__main__ import main

    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    gc.freeze()  # keeps memory shared between forks
    gc.set_threshold(50_000, 50, 100)
    os.chdir(ROOT)
    sink = os.open(output, os.O_WRONLY | os.O_APPEND)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    sys.exit(main(options))


def _end_with(parent: BaseProcess) -> None:
    """Stop the simulator when its parent process ends, also when it is killed."""
    parent.join()
    signal.pthread_kill(
        threading.main_thread().ident or 0, signal.SIGTERM
    )  # a signal to another thread would not wake it


def _wait_until_ready(process: BaseProcess, folder: Path) -> dict[str, str]:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if (folder / "ready").exists():  # written atomically when the simulator accepts connections
            return exported((folder / "ready").read_text(encoding="utf-8"))
        if process.exitcode is not None:
            raise LabError(f"the simulator ended with status {process.exitcode}:\n{_output(folder)}")
        time.sleep(0.05)
    raise LabError(f"the simulator was not ready after {START_SECONDS:.0f} s:\n{_output(folder)}")


def _output(folder: Path) -> str:
    return (folder / "output").read_text(encoding="utf-8", errors="replace")


def _stop(process: BaseProcess) -> int | None:
    process.terminate()
    process.join(STOP_SECONDS)
    if process.exitcode is None:
        process.kill()
        process.join()
    return process.exitcode
