# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate of a rehearsal: each door passes in a normal run, refuses with a broken gate, and leads to the twin with a good one."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.health_gate import Check
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.capture import CaptureRequest, write_private
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.progress_file import ProgressWriter
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.state_file import StateWriter
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.attributes.values import journal_path
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.health_gate.checks import (
    CheckPlace,
    check_command,
    check_http,
    check_tcp,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.http.connections import Bounds, dial
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.http.rehearsal import (
    VARIABLE,
    current,
    is_left_out,
    place_of,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.redfish.client import Bmc, BmcAccess
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import (
    end_session,
    open_session,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.endpoint import Endpoint
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.file import SessionFile
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.upload.send import Destination, upload
from ansible_collections.directpath.vsphere.plugins.plugin_utils.drift.files import write_reports
from ansible_collections.directpath.vsphere.plugins.plugin_utils.inventory.read import may_cache
from ansible_collections.directpath.vsphere.plugins.plugin_utils.outlets.metrics import MetricsFile
from ansible_collections.directpath.vsphere.plugins.plugin_utils.outlets.opening import parse_outlets
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.files import write_whole
from simulator.simulator import Simulator
from tools.envs import ROOT

REAL = Endpoint(hostname="vc-01.lab", username="admin@real", password="the real password", validate_certs=False)
SHARED = Endpoint(hostname="vc-01.lab", username="admin@real", password="the real password", shared=True)
NOWHERE = CheckPlace(values={"host": "esx-01.lab"})
TCP = Check(kind="tcp", address="127.0.0.1", port=9, timeout=1.0)
HTTP = Check(kind="http", url="https://app.lab/health?token=secret", timeout=1.0)
COMMAND = Check(kind="command", argv=(sys.executable, "-c", "open('ran', 'w')"), timeout=5.0)
NOTIFY = {"notify": [{"url": "https://hooks.lab/secret-path"}], "traces": True}


def connect(host: str, port: int) -> socket.socket:
    bounds = Bounds(connect=5.0)
    return dial(host, port, bounds.end_in(5.0), bounds)


def send_report() -> None:
    upload(b"text", "text/html", Destination.of("https://store.lab/secret-path", option="url"))


def open_and_close(place: Endpoint) -> None:
    with open_session(place, read_only=True):
        pass


DOORS: dict[str, Callable[[], object]] = {
    "a connection": lambda: connect("127.0.0.1", 9),
    "a session": lambda: open_and_close(REAL),
    "the end of a shared session": lambda: end_session(SHARED, pretend=False),
    "a session file": lambda: SessionFile(SHARED.key()),
    "a management controller": lambda: Bmc(BmcAccess(address="10.0.0.7", username="root", password="x")),
    "a TCP check": lambda: check_tcp(TCP, NOWHERE),
    "an HTTP check": lambda: check_http(HTTP, NOWHERE),
    "a command": lambda: check_command(COMMAND, NOWHERE),
    "an upload": send_report,
    "notify and traces": lambda: parse_outlets(NOTIFY),
    "a metrics file": lambda: MetricsFile("/var/lib/a.prom", "x"),
    "a report": lambda: write_whole("/nowhere/timeline.html", "text"),
    "a drift report": lambda: write_reports({"json": lambda: "text"}, {"json": "/nowhere/drift.json"}),
    "a journal": lambda: journal_path(REAL, "~/.directpath"),
    "a progress file": lambda: ProgressWriter("/nowhere/progress.jsonl"),
    "a state file": lambda: StateWriter("/nowhere"),
    "the cache of the inventory": may_cache,
}

BROKEN = {
    "empty": "",
    "missing": "/nowhere/gate.json",
    "no JSON": "{",
    "no list of twins": '{"folder": "/tmp"}',
    "no folder": '{"folder": "/nowhere/at/all", "twins": []}',
    "a relative folder": '{"folder": ".", "twins": []}',
    "an unknown key": '{"folder": "/tmp", "twins": [{"hostname": "a", "port": 1, "url": "x"}]}',
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("door", DOORS)
def test_a_gate_that_cannot_be_used_refuses_everything(
    door: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = BROKEN[how]
    if given.startswith("{"):
        (tmp_path / "gate.json").write_text(given, encoding="utf-8")
        given = str(tmp_path / "gate.json")
    monkeypatch.setenv(VARIABLE, given)
    with pytest.raises(DirectPathError) as caught:
        DOORS[door]()
    assert caught.value.code == "rehearsal_unreadable"
    assert VARIABLE in caught.value.message
    assert not (tmp_path / "ran").exists()


class Gate:
    """A good gate: a twin in this process, in the place of vc-01.lab."""

    def __init__(self, sim: Simulator, port: int, ca_file: Path, folder: Path) -> None:
        self.sim, self.folder = sim, folder
        self.file = folder.parent / "gate.json"
        twin = {
            "hostname": "VC-01.lab",
            "port": 443,
            "twin_port": port,
            "ca_file": str(ca_file),
            "username": "rehearsal",
            "password": "of the twin",
            "controllers": {"10.0.0.7": "/bmc/gpu-01.lab"},
        }
        self.file.write_text(json.dumps({"folder": str(folder), "twins": [twin]}), encoding="utf-8")

    def left_out(self) -> list[tuple[str, str]]:
        path = self.folder / "left_out.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [(record["kind"], record["about"]) for record in map(json.loads, lines)]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Simulator, Any]]:
    lab = yaml.safe_load((ROOT / "simulator/labs/demo.yml").read_text(encoding="utf-8"))
    sim = Simulator.from_lab({**lab, "users": [{"name": "rehearsal", "password": "of the twin", "role": "Admin"}]})
    with sim.serve() as server:
        yield sim, server


@pytest.fixture
def gate(served: tuple[Simulator, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
    folder = tmp_path / "run"
    folder.mkdir()
    sim, server = served
    made = Gate(sim, server.port, server.ca_file, folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, str(made.file))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    return made


@pytest.mark.parametrize(
    ("host", "port"), [("vc-02.lab", 443), ("vc-01.lab", 8443), ("127.0.0.1", 9), ("localhost", 443)]
)
def test_only_the_twin_can_be_reached(gate: Gate, host: str, port: int) -> None:
    with pytest.raises(DirectPathError) as caught:
        connect(host, port)
    assert caught.value.code == "not_rehearsed"
    assert f"{host}:{port} was not contacted" in caught.value.message


def test_the_address_of_the_real_server_leads_to_the_twin(gate: Gate) -> None:
    with connect("vc-01.LAB.", 443) as found:
        assert found.getpeername()[0] == "127.0.0.1"


@pytest.mark.parametrize(
    "more",
    [{}, {"validate_certs": True, "ca_path": "/nowhere/ca.pem"}, {"proxy_host": "proxy.lab", "proxy_port": 3128}],
    ids=["unverified", "another CA", "proxy"],
)
def test_a_session_is_one_of_the_twin(gate: Gate, more: dict[str, Any]) -> None:
    place = Endpoint(**{"hostname": "vc-01.lab", "username": "admin@real", "password": "the real password", **more})
    with open_session(place, read_only=True) as session:
        assert session.endpoint.username == "rehearsal"
        assert session.content.sessionManager.currentSession.userName == "rehearsal"
        assert session.content.about.instanceUuid == gate.sim.instance_uuid


def test_a_shared_session_is_in_the_folder(gate: Gate, tmp_path: Path) -> None:
    with open_session(SHARED, read_only=True) as session:
        assert session.file is not None
        assert session.file.path.is_relative_to(gate.folder)
        assert session.file.path.exists()
    assert not (tmp_path / "runtime").exists()
    assert end_session(SHARED, pretend=False)


def test_a_management_controller_is_that_of_the_twin(gate: Gate) -> None:
    access = BmcAccess(address="10.0.0.7", username="rehearsal", password="x", proxy="http://proxy.lab:1", system="437")
    controller = Bmc(access)
    assert repr(controller) == "Bmc(VC-01.lab:443/bmc/gpu-01.lab)"
    with pytest.raises(DirectPathError, match="A management controller was not contacted"):
        Bmc(BmcAccess(address="10.0.0.8", username="root", password="x"))


def test_what_leaves_the_machine_is_left_out_and_listed(gate: Gate, tmp_path: Path) -> None:
    for check, kind in ((check_tcp, TCP), (check_http, HTTP), (check_command, COMMAND)):
        assert check(kind, NOWHERE) == (True, "not rehearsed")  # type: ignore[operator]
    send_report()
    request = parse_outlets({**NOTIFY, "metrics_file": str(tmp_path / "a.prom")})
    assert (request.notify, request.traces) == ((), False)
    assert request.metrics_file == str(tmp_path / "a.prom")
    assert gate.left_out() == [
        ("health gate", "TCP 127.0.0.1:9"),
        ("health gate", "HTTP https://app.lab/health"),
        ("health gate", f"command {sys.executable}"),
        ("upload", "a report to store.lab"),
        ("notify", "https://hooks.lab"),
        ("traces", "OpenTelemetry"),
    ]
    assert "secret" not in (gate.folder / "left_out.jsonl").read_text(encoding="utf-8")
    assert not (tmp_path / "ran").exists()
    assert not may_cache()


def test_files_are_in_the_folder(gate: Gate, tmp_path: Path) -> None:
    outside = tmp_path / "site"
    outside.mkdir()
    (outside / "vc-01.lab_443.json").write_text("a journal", encoding="utf-8")
    before = sorted(outside.iterdir())
    write_whole(str(outside / "timeline.html"), "text")
    (written,) = write_reports({"json": lambda: "text"}, {"json": str(outside / "new" / "drift.json")})
    ProgressWriter(str(outside / "progress.jsonl"))
    write_private([(outside / "run.json.gz", "text")])
    journal = journal_path(REAL, str(outside))
    assert sorted(outside.iterdir()) == before
    made = [place_of(outside / name) for name in ("timeline.html", "progress.jsonl", "run.json.gz")]
    for path in (Path(written), journal, *made):
        assert path.is_relative_to(gate.folder)
        assert path.exists()
    assert journal.read_text(encoding="utf-8") == "a journal"


def test_each_file_of_a_capture_is_in_the_folder(gate: Gate, tmp_path: Path) -> None:
    given = {"path": "c.json.gz", "key_path": "c.key.json", "answers_path": "answers.json"}
    params = {name: str(tmp_path / file) for name, file in given.items()}
    request = CaptureRequest.of({**params, "anonymize": True, "events": False, "tags": False, "answers_host": None})
    for path in (request.path, request.key, request.answers):
        assert path is not None
        assert path.is_relative_to(gate.folder)


@pytest.mark.parametrize("path", ["report.html", "~/report.html", "/etc/report.html", "{folder}/../report.html"])
def test_a_place_is_below_the_folder_and_stays_what_it_is(gate: Gate, path: str) -> None:
    place = place_of(path.format(folder=gate.folder))
    assert place.is_relative_to(gate.folder)
    assert ".." not in place.parts
    assert place_of(place) == place


def test_a_normal_run_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert current() is None
    assert place_of("a/b") == Path("a/b")
    assert not is_left_out("notify", "x")
    assert may_cache()
    assert parse_outlets({"notify": NOTIFY["notify"]}).notify
