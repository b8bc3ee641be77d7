# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m simulator --clock-socket``: the twin of a rehearsal, as the one who starts it sees it."""

from __future__ import annotations

import base64
import json
import os
import shlex
import signal
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim

from simulator import Simulator
from tests.unit.patience import PATIENCE, until
from tests.unit.simulator.clock_client import ClockClient
from tests.unit.simulator.lab.captured.test_captured import write

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
ACCOUNT = {"name": "rehearsal-7f3a", "password": "a-random-word", "role": "Admin"}


@dataclass
class Twin:
    process: subprocess.Popen[str]
    folder: Path

    @property
    def variables(self) -> dict[str, str]:
        lines = (self.folder / "ready").read_text().splitlines()
        return dict(shlex.split(line)[1].split("=", 1) for line in lines)

    @property
    def port(self) -> int:
        return int(self.variables["VMWARE_PORT"])

    def get(self, path: str, account: dict[str, str] | None = None) -> int:
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        connection = HTTPSConnection("localhost", self.port, context=context, timeout=PATIENCE)
        word = base64.b64encode("{name}:{password}".format(**account).encode()).decode() if account else ""
        connection.request("GET", path, headers={"Authorization": f"Basic {word}"} if word else {})
        answer = connection.getresponse()
        connection.close()
        return answer.status


def command(folder: Path, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "simulator", "--lab", str(folder / "lab.yml"), "--port", "0", "--ca-file", str(folder / "ca.pem"),
        "--ready-file", str(folder / "ready"), "--quiet", "--clock-socket", str(folder / "clock"), *more,
    ]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path)
    lab: dict[str, Any] = {
        "capture": "capture.json",
        "users": [ACCOUNT],
        "boot_spread": {"seed": 1},
        "what_if": [{"kind": "host_never_returns", "host": "random", "seed": 1}],
    }
    (tmp_path / "lab.yml").write_text(yaml.safe_dump(lab))
    return tmp_path


@pytest.fixture
def twin(folder: Path) -> Iterator[Twin]:
    process = subprocess.Popen(
        command(folder, "--name", "vc-01.example.com", "--name", "10.0.0.7"),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert until(lambda: (folder / "ready").exists() or process.poll() is not None)
    assert process.poll() is None, process.stderr.read() if process.stderr else ""
    yield Twin(process, folder)
    process.kill()
    process.communicate()


def test_it_serves_one_account_and_its_own_time(twin: Twin) -> None:
    found = twin.variables
    assert (found["VMWARE_USER"], found["VMWARE_PASSWORD"]) == (ACCOUNT["name"], ACCOUNT["password"])
    assert json.loads(found["SIMULATOR_WHAT_IF"]) == [{"kind": "host_never_returns", "host": "esx-01.lab"}]
    assert [stat.S_IMODE((twin.folder / name).stat().st_mode) for name in ("ready", "clock")] == [0o600, 0o600]
    context = ssl.create_default_context(cafile=found["VMWARE_CA_PATH"])
    for user, password in (
        ("administrator@vsphere.local", "VMware1!"),
        ("root", "VMware1!"),
        ("reader@vsphere.local", "VMware1!"),
    ):
        with pytest.raises(vim.fault.InvalidLogin):
            SmartConnect(host="localhost", port=twin.port, user=user, pwd=password, sslContext=context)
    si = SmartConnect(
        host="localhost", port=twin.port, user=ACCOUNT["name"], pwd=ACCOUNT["password"], sslContext=context
    )
    with ClockClient(twin.folder / "clock") as clock:
        begin = si.CurrentTime()
        assert begin.isoformat() == "2026-02-23T04:05:06+00:00"
        clock.sleep(3600.0)
        assert (si.CurrentTime() - begin).total_seconds() == 3600
    Disconnect(si)
    assert [twin.get(path) for path in ("/control", "/control/state", "/")] == [404, 404, 404]
    twin.process.send_signal(signal.SIGTERM)
    assert (*twin.process.communicate(timeout=PATIENCE), twin.process.returncode) == ("", "", 0)
    assert [(twin.folder / name).exists() for name in ("ready", "clock")] == [False, False]


def test_keys_of_sessions_are_secrets(twin: Twin) -> None:
    """The same lab gives other keys in each rehearsal, for a client of the SDK and one of the Automation API."""
    context = ssl.create_default_context(cafile=str(twin.folder / "ca.pem"))
    si = SmartConnect(
        host="localhost", port=twin.port, user=ACCOUNT["name"], pwd=ACCOUNT["password"], sslContext=context
    )
    found = si.content.sessionManager.currentSession.key
    Disconnect(si)
    sim = Simulator.from_lab(twin.folder / "lab.yml")
    assert sim.stub().connect().content.sessionManager.currentSession.key != found
    again = Simulator.from_lab(twin.folder / "lab.yml")
    assert (again.salt, sim.sessions._mint("x")[:2]) == (sim.salt, found[:2])


def test_controllers_have_the_account_of_the_lab(twin: Twin) -> None:
    path = "/bmc/esx-01.lab/redfish/v1/Systems"
    known = ({"name": name, "password": "VMware1!"} for name in ("admin", "viewer"))
    assert [twin.get(path, account) for account in known] == [401, 401]
    assert twin.get(path, ACCOUNT) == 200


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "vc-01.example.com", "10.0.0.7"])
def test_its_certificate_is_valid_for_the_names(twin: Twin, name: str) -> None:
    context = ssl.create_default_context(cafile=str(twin.folder / "ca.pem"))
    with (
        socket.create_connection(("127.0.0.1", twin.port), timeout=PATIENCE) as raw,
        context.wrap_socket(raw, server_hostname=name),
    ):
        pass
    with (
        socket.create_connection(("127.0.0.1", twin.port), timeout=PATIENCE) as raw,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(raw, server_hostname="vc-02.example.com")


def test_it_ends_with_the_process_that_started_it(folder: Path) -> None:
    code = (
        f"import subprocess, sys, time\nprint(subprocess.Popen({command(folder)!r}).pid, flush=True)\ntime.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    number = int(parent.stdout.readline())
    assert until(lambda: (folder / "ready").exists())
    parent.kill()
    parent.communicate()
    gone = until(lambda: not _runs(number))
    with suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)
    assert gone
    assert not (folder / "clock").exists()


def _runs(number: int) -> bool:
    """A process that ended and was not collected by its new parent does not run."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(("options", "message"), [(("--speed", "2"), "cannot be combined"), (("--control-port", "0"), "cannot be combined"),
                                                  (("--name", "a b\udc80"), "python -m simulator: ")])  # fmt: skip
def test_options_that_make_no_sense(folder: Path, options: tuple[str, ...], message: str) -> None:
    done = subprocess.run(
        command(folder, *options), cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
