# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A test can be called, or hold a client up, at exactly the n-th thing the client changes."""

from __future__ import annotations

import http.client
import json
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.client import RemoteDisconnected
from typing import Any

import pytest
from pyVmomi import vim

from simulator import Simulator
from simulator.core.stops import Write
from simulator.transport.http import Server
from tests.unit.patience import until
from tests.unit.simulator.specs import vm


class Killed(BaseException):
    """What kills a client that runs in the same process."""


@pytest.fixture(params=["in process", "over TLS"])
def client(request: pytest.FixtureRequest, sim: Simulator) -> Any:
    if request.param == "in process":
        return sim.stub().connect()
    return request.getfixturevalue("smart_connect")(request.getfixturevalue("server"))


def change(client: Any, memory: int) -> Any:
    return vm(client).ReconfigVM_Task(vim.vm.ConfigSpec(memoryMB=memory))


def test_reads_and_refused_calls_are_not_counted(client: Any, sim: Simulator) -> None:
    seen: list[Write] = []
    sim.on_write(None, seen.append)
    sim.faults.add(method="ReconfigVM_Task", fault="NotSupported", times=1)
    with pytest.raises(Exception, match="not supported"):
        change(client, 1024)
    assert client.CurrentTime()
    change(client, 1024)
    change(client, 2048)
    assert [(item.number, item.method, item.name) for item in seen] == [
        (1, "ReconfigVM_Task", "vm-01"),
        (2, "ReconfigVM_Task", "vm-01"),
    ]


@pytest.mark.parametrize(("when", "made"), [("before", 1), ("after", 2), ("answered", 2)])
def test_the_moment_decides_whether_the_effect_is_there(sim: Simulator, when: str, made: int) -> None:
    client = sim.stub().connect()
    tasks: list[int] = []

    def die(write: Write) -> None:
        tasks.append(len(sim.registry.all(vim.Task)))
        raise Killed

    stop = sim.on_write(2, die, when=when)
    change(client, 1024)
    with pytest.raises(Killed):
        change(client, 2048)
    assert tasks == [made]
    assert stop.hit == Write(number=2, when=when, method="ReconfigVM_Task", moid="vm-1", name="vm-01")
    change(client, 4096)  # a stop strikes once


def test_an_answer_that_is_dropped_on_purpose_counts_as_an_effect(client: Any, sim: Simulator) -> None:
    seen: list[Write] = []
    sim.on_write(1, seen.append)
    sim.faults.add(method="ReconfigVM_Task", drop="after", times=1)
    with pytest.raises((ConnectionError, RemoteDisconnected)):
        change(client, 1024)
    assert len(seen) == 1
    assert sim.journal.writes()[-1].effect


def test_only_one_method_may_be_counted(client: Any, sim: Simulator) -> None:
    seen: list[Write] = []
    sim.on_write(1, seen.append, method="PowerOnVM_Task")
    change(client, 1024)
    assert seen == []
    vm(client).PowerOnVM_Task(None)
    assert [item.method for item in seen] == ["PowerOnVM_Task"]


def test_what_a_callback_raises_drops_the_connection(server: Server, smart_connect: Any, sim: Simulator) -> None:
    client = smart_connect(server)

    def fail(write: Write) -> None:
        raise RuntimeError("stop here")

    sim.on_write(1, fail)
    with pytest.raises((ConnectionError, RemoteDisconnected)):
        change(client, 1024)
    assert sim.journal.writes()[-1].effect
    change(client, 2048)


@pytest.mark.parametrize(("write", "when"), [(0, "after"), (1, "sometime")])
def test_a_stop_that_makes_no_sense_is_refused(sim: Simulator, write: int, when: str) -> None:
    with pytest.raises(ValueError, match=r"counts from 1|one of before, after, answered"):
        sim.on_write(write, print, when=when)


class Control:
    """The control page as another process uses it."""

    def __init__(self, server: Server) -> None:
        context = ssl.create_default_context(cafile=str(server.ca_file))
        self.connection = http.client.HTTPSConnection("localhost", server.port, context=context, timeout=120)

    def __call__(self, verb: str, path: str, **values: Any) -> Any:
        headers = {"Content-Type": "application/json"}
        self.connection.request(verb, f"/control/{path}", json.dumps(values) if values else None, headers)
        return json.loads(self.connection.getresponse().read())


@pytest.fixture
def control(server: Server) -> Iterator[Control]:
    made = Control(server)
    yield made
    made.connection.close()


def test_a_call_is_held_up_until_it_is_let_go(
    server: Server, smart_connect: Any, sim: Simulator, control: Control
) -> None:
    client = smart_connect(server)
    hold = control("POST", "holds", write=1, when="after")
    assert hold["hit"] is None
    thread = threading.Thread(target=change, args=(client, 1024), daemon=True)
    thread.start()
    reached = control("GET", f"holds/{hold['id']}?wait=60")
    assert reached["hit"]["method"] == "ReconfigVM_Task"
    assert thread.is_alive()
    assert sim.journal.writes()[-1].effect
    assert control("DELETE", "holds") == {"ok": True}
    thread.join(60)
    assert not thread.is_alive()
    assert control("GET", "holds") == []


def test_a_forgotten_hold_lets_go_by_itself(server: Server, smart_connect: Any, control: Control) -> None:
    client = smart_connect(server)
    control("POST", "holds", write=1, when="before", seconds=0.1)
    assert change(client, 1024)


def test_a_hold_that_is_not_there_is_an_error(control: Control) -> None:
    assert control("GET", "holds/77") == {"error": "77"}
    assert "when is one of" in control("POST", "holds", write=1, when="later")["error"]


CLIENT = """
import ssl, sys
from pyVim.connect import SmartConnect
from pyVmomi import vim
context = ssl.create_default_context(cafile=sys.argv[2])
si = SmartConnect(host="localhost", port=int(sys.argv[1]), user="administrator@vsphere.local", pwd="VMware1!", sslContext=context)
vm = si.content.viewManager.CreateContainerView(si.content.rootFolder, [vim.VirtualMachine], True).view[0]
for memory in (1024, 2048, 4096):
    vm.ReconfigVM_Task(vim.vm.ConfigSpec(memoryMB=memory))
"""


@pytest.mark.parametrize("when", ["before", "after", "answered"])
def test_a_process_can_be_killed_at_its_second_write(server: Server, sim: Simulator, when: str) -> None:
    """What it has sent is done all the same; only after an answer it may get as far as sending one more."""
    running: list[subprocess.Popen[bytes]] = []

    def kill(write: Write) -> None:
        running[0].kill()
        running[0].wait(60)

    sim.on_write(2, kill, when=when)
    with sim.lock:  # it must not get that far before it is known
        running.append(subprocess.Popen([sys.executable, "-c", CLIENT, str(server.port), str(server.ca_file)]))
    assert running[0].wait(60) == -signal.SIGKILL
    until(lambda: sum(entry.effect for entry in sim.journal.writes()) >= 2)
    effects = [entry.effect for entry in sim.journal.writes()]
    assert effects == [True, True] or (when == "answered" and len(effects) == 3)
