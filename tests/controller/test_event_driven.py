# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebooks in ansible-rulebook, from a change by another user to the report, and from a lost lock to the pager."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pyVmomi import vim

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import encode
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import LOCK, Lock
from tests.controller.fleet import Fleet, Programs, fleet
from tests.controller.mesh import wait_for
from tests.unit.inventory.labs import ACCOUNT, PASSWORD, lab
from tools.envs import clean_environ

RULEBOOK = Path(sys.executable).parent / "ansible-rulebook"
JAVA = 17


def why_not() -> str:
    """Why ansible-rulebook cannot run here; empty when it can."""
    if not RULEBOOK.exists():
        return "only the main environment has ansible-rulebook"
    java = shutil.which("java")
    if java is None:
        return "ansible-rulebook needs Java, which is not on PATH"
    shown = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', shown)
    return "" if version and int(version[1]) >= JAVA else f"ansible-rulebook needs Java {JAVA} or later: {shown[:80]!r}"


pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


@dataclass(frozen=True)
class Running:
    """A running rulebook."""

    process: subprocess.Popen[bytes]
    log: Path

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        wait_for(lambda: condition() or self.process.poll() is not None, f"{what}, see {self.log}")
        assert condition(), self.log.read_text(encoding="utf-8")


@contextmanager
def rulebook(made: Fleet, programs: Programs, name: str, *arguments: str, **environ: str) -> Iterator[Running]:
    """Run a rulebook of the collection for the length of the block."""
    log = made.folder / f"{name}.log"
    variables = {
        **clean_environ(Path(sys.prefix)),
        "ANSIBLE_COLLECTIONS_PATH": programs.environ["ANSIBLE_COLLECTIONS_PATH"],
        "ANSIBLE_HOME": str(made.folder / "home"),
        "HOME": str(made.folder),
        "TMPDIR": str(made.folder),
        "VMWARE_HOST": "localhost",
        "VMWARE_PORT": str(made.ports["a"]),
        "VMWARE_CA_PATH": str(made.ca_files["a"]),
        "VMWARE_USER": ACCOUNT,
        "VMWARE_PASSWORD": PASSWORD,
        **environ,
    }
    command = [str(RULEBOOK), "--rulebook", f"directpath.vsphere.{name}", "--print-events", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=made.folder, env=variables, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield Running(process=process, log=log)
            assert process.poll() is None, log.read_text(encoding="utf-8")
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(60)


def test_from_a_change_behind_our_back_to_the_drift_report(
    tmp_path: Path, programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    hosts = {"name": "esx-{}.lab", "count": 2, "memory_gb": 64}
    hosts["cards"] = [{"card": "t4", "at": "3b", "enabled": True}]
    with fleet(tmp_path, programs, a=lab("a", hosts)) as made:
        report = tmp_path / "drift.json"
        host = {
            "vcenter_hostname": "localhost",
            "passthrough_hosts": [{"cluster": "gpu a", "devices": ["10de:1eb8"]}],
            "drift_report_json": str(report),
        }
        source = made.source(json.dumps({"all": {"hosts": {"vc": host}}}), "inventory.json")

        def drift() -> list[str]:
            found = json.loads(report.read_text(encoding="utf-8"))
            return [str(entry) for entry in found["vcenters"][0]["differences"]]

        with rulebook(made, programs, "drift_report", "--inventory", str(source)) as running:
            running.wait_for(report.exists, "the report of the start")
            assert drift() == []
            began = time.monotonic()
            made.sims["a"].events["set_device_state"](host="esx-2.lab", address="0000:3b:00.0", enabled=False)
            running.wait_for(lambda: bool(drift()), "the report of the change")
            seconds = time.monotonic() - began
            assert all("esx-2.lab" in entry and "esx-1.lab" not in entry for entry in drift())
        with capsys.disabled():
            print(f"\nfrom the change to the drift report: {seconds:.1f} s, 5 of them to collect further changes")


class Pager(BaseHTTPRequestHandler):
    """Keeps what it is sent. Refuses the first call."""

    calls: list[dict[str, Any]]

    def do_POST(self) -> None:
        self.calls.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(500 if len(self.calls) == 1 else 204)
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        """Quiet."""


def test_a_lost_lock_calls_the_pager(tmp_path: Path, programs: Programs) -> None:
    calls: list[dict[str, Any]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Kept", (Pager,), {"calls": calls}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with fleet(tmp_path, programs, a=lab("a", {"name": "esx.lab", "cards": ["t4"]})) as made:
        sim = made.sims["a"]
        manager = sim.stub().connect().content.customFieldsManager
        manager.AddCustomFieldDef(name=LOCK, moType=None)
        now = sim.clock.now().timestamp()
        lock = Lock(owner="{{ 6 * 7 }}@node-1", run_id="1f3c9a2e", scope="0", since=now - 900, beat=now - 700, ttl=600)
        sim.set_custom_value(sim.find(vim.ClusterComputeResource, "gpu a"), LOCK, encode(lock)[LOCK])
        url = f"http://127.0.0.1:{server.server_port}/page"
        hosts = made.source("localhost ansible_connection=local\n", "hosts.ini")
        arguments = ("--inventory", str(hosts), "--env-vars", "PAGER_URL")
        with rulebook(made, programs, "page_lost_lock", *arguments, PAGER_URL=url, ANSIBLE_NO_LOG="true") as running:
            running.wait_for(lambda: len(calls) == 2, "the second call, after a refused one")
            running.wait_for(lambda: "the output has been hidden" in running.log.read_text(), "the refused call")
            assert url not in running.log.read_text(encoding="utf-8")
    server.shutdown()
    call, again = calls
    assert call == again
    assert (call["type"], call["place"], call["owner"]) == ("lock_lost", "gpu a", "(( 6 * 7 ))@node-1")
    assert call["silent_seconds"] >= 700
