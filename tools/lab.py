# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated vCenter for the length of a ``with``: ``python -m simulator`` in a process of its own.

The process is forked from one that has imported the simulator before (a start costs a second of a processor, a fork a
fraction of it); arguments, ready file, signals and exit status are those of the command line.
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

START_SECONDS = 60.0
STOP_SECONDS = 15.0
SPEED = 60.0  # a host that takes five minutes to boot takes five seconds
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["simulator.__main__", "tools.lab"])
atexit.register(forkserver._forkserver._stop)  # type: ignore[attr-defined]  # waits for it: its seconds are ours


class LabError(Exception):
    """The simulator did not start, or did not stop cleanly; the message holds what it printed."""


@contextmanager
def running(lab: str | Path, speed: float = SPEED) -> Iterator[dict[str, str]]:
    """Start a simulator on a free port and yield the variables a client needs.

    They are those the simulator says to export, and SIMULATOR_CONTROL_URL. Whatever else happens it is told to stop
    at the end, and a stop that is not clean is a LabError.
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


def _serve(options: list[str], output: str) -> None:
    """What the forked process does."""
    from simulator.__main__ import main

    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    gc.freeze()  # what the forks share stays shared
    gc.set_threshold(50_000, 50, 100)
    os.chdir(ROOT)
    sink = os.open(output, os.O_WRONLY | os.O_APPEND)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    sys.exit(main(options))


def _end_with(parent: BaseProcess) -> None:
    """Whoever is killed ends its simulators, too."""
    parent.join()
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)  # another thread would not wake it


def _wait_until_ready(process: BaseProcess, folder: Path) -> dict[str, str]:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if (folder / "ready").exists():  # appears whole, and only once connections are accepted
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
