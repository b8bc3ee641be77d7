# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One attempt of a check: real sockets on the loopback interface, and real programs."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.health_gate import Check
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.health_gate.checks import (
    CheckPlace,
    check_command,
    check_http,
    check_tcp,
    kill_group,
    known_address,
)
from tests.unit.patience import PATIENCE, until

HERE = CheckPlace(values={"vm": "svm-01", "address": "127.0.0.1", "host": "esx-01", "cluster": "hci", "moid": "vm-1"})


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        code = 200 if self.path.startswith("/health") else 302
        self.send_response(code)
        if code == 302:
            self.send_header("Location", "/health")
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def web() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_a_port_that_accepts_and_one_that_does_not(listener: int) -> None:
    check = Check(kind="tcp", port=listener, timeout=PATIENCE)
    assert check_tcp(check, HERE) == (True, "127.0.0.1 accepts connections")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert check_tcp(Check(kind="tcp", port=port, timeout=PATIENCE), HERE) == (False, "127.0.0.1: Connection refused")


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://{{address}}:{server.getsockname()[1]}/"
        begun = time.monotonic()
        ok, text = check_http(Check(kind="http", url=url, timeout=0.2), HERE)
        assert time.monotonic() - begun < PATIENCE
    assert not ok
    assert text.endswith("no answer within 0.2 s")


def test_http_counts_the_status_and_follows_no_redirect(web: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    base = f"http://{{address}}:{web}"
    assert check_http(Check(kind="http", url=f"{base}/health?vm={{vm}}", timeout=PATIENCE), HERE)[0]
    moved = check_http(Check(kind="http", url=f"{base}/moved", timeout=PATIENCE), HERE)
    assert moved == (False, f"http://127.0.0.1:{web}/moved answers 302")
    assert check_http(Check(kind="http", url=f"{base}/moved", status=(302,), timeout=PATIENCE), HERE)[0]


def test_https_needs_a_certificate_that_is_trusted(listener: int) -> None:
    ok, text = check_http(Check(kind="http", url=f"https://{{address}}:{listener}/", timeout=0.2), HERE)
    assert not ok, text


def test_a_name_does_not_lead_to_another_server() -> None:
    place = CheckPlace(values={**HERE.values, "vm": "127.0.0.1:1/x"})
    ok, text = check_http(Check(kind="http", url="http://{vm}.invalid/", timeout=1), place)
    assert not ok
    assert text.startswith("http://127.0.0.1%3A1%2Fx.invalid/")


@pytest.mark.parametrize(
    ("text", "address"), [("10.0.0.5", "10.0.0.5"), ("fe80::1", "fe80::1"), ("-x", None), ("", None), (None, None)]
)
def test_only_an_address_is_an_address(text: str | None, address: str | None) -> None:
    assert known_address(text) == address


def test_an_address_that_is_unknown_is_no_answer() -> None:
    place = CheckPlace(values={"vm": "svm-01"})
    assert place.missing(("{address}",)) == "VMware Tools report no IP address"
    assert not place.missing(("{vm}",))


# ------------------------------------------------------------------------------------------------------------- commands


def python(code: str, *arguments: str, **more: Any) -> Check:
    return Check(kind="command", argv=(sys.executable, "-Sc", code, *arguments), **{"timeout": PATIENCE, **more})


def test_a_command_gets_names_and_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMWARE_PASSWORD", "secret")
    code = "import os,sys; print(sys.argv[1:], os.environ['DIRECTPATH_VM'], os.environ['WHERE'], 'VMWARE_PASSWORD' in os.environ)"
    check = python(code, "{vm}", "; echo x", environment=(("WHERE", "{host}"),))
    assert check_command(check, HERE) == (
        True,
        "it ended with status 0: ['svm-01', '; echo x'] svm-01 esx-01 False",
    )


def test_what_it_says_last_is_shown_when_it_fails() -> None:
    code = "import sys; print('x' * 100000); print('degraded\\x1b[31m'); sys.exit(3)"
    assert check_command(python(code), HERE) == (False, "it ended with status 3: degraded\\x1b[31m")


def test_a_name_is_never_an_option() -> None:
    place = CheckPlace(values={"vm": "--force"})
    assert check_command(python("pass", "{vm}"), place) == (
        False,
        "the name '--force' would be read as an option of the command",
    )


def test_a_program_that_is_not_there() -> None:
    ok, text = check_command(Check(kind="command", argv=("/nowhere/x",)), HERE)
    assert (ok, text) == (False, "it cannot be started (No such file or directory)")


def test_at_its_deadline_the_whole_group_is_killed() -> None:
    """Also a child of the command. A machine that stands still may not get as far as to start it: then the command alone is killed."""
    code = "import os,time\nos.fork()\ntime.sleep(600)"
    groups: list[int] = []
    begun = time.monotonic()
    found = check_command(python(code, timeout=0.5), HERE, groups.append)
    assert found == (False, "it did not end within 0.5 s, and was killed")
    assert time.monotonic() - begun < PATIENCE
    assert groups[0] > 0
    assert groups[-1] == 0
    assert until(lambda: not _running(groups[0]))


def _running(group: int) -> list[str]:
    """The processes of a group that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _parent, number, *_others = path.read_text().rpartition(")")[2].split()
            if int(number) == group and state != "Z":
                found.append(path.parent.name)
    return found


def test_a_child_that_keeps_the_output_open_delays_nothing() -> None:
    code = f"import os,time\nif os.fork() == 0:\n time.sleep({2 * PATIENCE})\n os._exit(0)\nprint('ready', flush=True)"
    begun = time.monotonic()
    groups: list[int] = []
    assert check_command(python(code), HERE, groups.append) == (True, "it ended with status 0: ready")
    assert time.monotonic() - begun < PATIENCE
    kill_group(groups[0])
