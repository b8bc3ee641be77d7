# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The twin of a vCenter: the simulator that ships with this collection, as a process of its own. PRIVATE to the collection."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...module_utils._domain.errors import DirectPathError
from ...module_utils._domain.text import one_line, shortened

ROOT = Path(__file__).absolute().parents[3]
"""Where the collection is installed. The simulator is below it."""
TO_START = 300.0
"""Seconds until a twin must accept connections: it loads the capture."""
TO_END = 10.0
LOOK = 0.05
PASSED_ON = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_PORT = re.compile(r"(?m)^export VMWARE_PORT='(\d+)'$")


@dataclass(frozen=True, kw_only=True, slots=True)
class TwinPlan:
    """What is replaced: the server at ``hostname`` and ``port``, as ``capture`` has it. ``controllers``: address in the intent → host."""

    hostname: str
    port: int
    capture: Path
    kind: str
    controllers: Mapping[str, str] = field(default_factory=dict)


class TwinProcess:
    """A running twin. Use it as a context manager: it ends with the block. The account is random, and good for this process only."""

    def __init__(self, plan: TwinPlan, folder: Path, more: Mapping[str, Any]) -> None:
        """``folder``: for its files, without access for others. ``more``: other keys of the lab."""
        self._plan, self._folder, self._more = plan, folder, more
        self.username = f"rehearsal-{secrets.token_hex(4)}" + ("@vsphere.local" if plan.kind == "vcenter" else "")
        self.password = secrets.token_urlsafe(24)
        self.clock = folder / "clock"
        self.ca_file = folder / "ca.pem"
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> TwinProcess:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_unused: object) -> None:
        self.close()

    def _start(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lab, ready = self._folder / "lab.yml", self._folder / "ready"
        account = {"name": self.username, "password": self.password, "role": "Admin"}
        # JSON is YAML, too.
        _write(lab, json.dumps({"capture": str(self._plan.capture), "users": [account], **self._more}))
        arguments = [
            "--lab",
            lab,
            "--port",
            "0",
            "--ca-file",
            self.ca_file,
            "--ready-file",
            ready,
            "--clock-socket",
            self.clock,
        ]
        log = self._folder / "twin.log"
        with open(log, "wb") as output:
            self._process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                [sys.executable, "-m", "simulator", *map(str, arguments), "--quiet"],
                cwd=ROOT,
                env={
                    **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
                    "TMPDIR": str(self._folder),
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        end = time.monotonic() + TO_START
        while not ready.exists():
            if self._process.poll() is not None or time.monotonic() > end:
                raise _not_started(self._plan.hostname, log)
            time.sleep(LOOK)
        found = _PORT.search(ready.read_text(encoding="utf-8"))
        if found is None:
            raise _not_started(self._plan.hostname, log)
        self.port = int(found[1])

    def close(self) -> None:
        """End the process, and remove its secrets."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(TO_END)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for name in ("lab.yml", "ready"):
            with suppress(OSError):
                (self._folder / name).unlink()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def record(self) -> dict[str, Any]:
        """As the file of the gate has it. It contains the password."""
        return {
            "hostname": self._plan.hostname,
            "port": self._plan.port,
            "twin_port": self.port,
            "ca_file": str(self.ca_file),
            "username": self.username,
            "password": self.password,
            "clock": str(self.clock),
            "controllers": _paths(self._plan.controllers),
        }


def _paths(controllers: Mapping[str, str]) -> dict[str, str]:
    """Address → path. Hosts of a chassis share an address: there is one service for all of them."""
    return {address: f"/bmc/{host}" if host else "" for address, host in controllers.items()}


def write_gate(path: Path, folder: Path, twins: Sequence[TwinProcess]) -> None:
    """The file of the gate: the twins, and the folder for all files of the run."""
    _write(path, json.dumps({"folder": str(folder), "twins": [twin.record() for twin in twins]}))


def _write(path: Path, text: str) -> None:
    with suppress(FileNotFoundError):
        path.unlink()
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)


def _not_started(hostname: str, log: Path) -> DirectPathError:
    with suppress(OSError):
        said = shortened(one_line(log.read_text(encoding="utf-8", errors="replace")[-2000:]), 1000)
        if said:
            return DirectPathError(
                message=f"The twin of {hostname} did not start: {said}",
                code="twin_not_started",
                cure=f"The Python of ansible-playbook ({sys.executable}) needs what {ROOT}/requirements.txt lists",
            )
    return DirectPathError(
        message=f"The twin of {hostname} did not start within {TO_START:.0f} s",
        code="twin_not_started",
        cure="Check the load of this machine, and run the playbook again",
    )
