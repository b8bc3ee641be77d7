# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A served endpoint whose time moves only while its clients wait: on the socket of the clock, and in calls."""

from __future__ import annotations

import http.client
import ssl
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyVmomi import vmodl

from simulator import Simulator
from simulator.core.waiting_clock import WaitingClock
from simulator.transport.clock_socket import LONGEST_LINE, ClockSocket
from simulator.transport.handler import CLIENT
from simulator.transport.http import Server
from tests.unit.patience import PATIENCE, until
from tests.unit.simulator.clock_client import ClockClient
from tests.unit.simulator.specs import PC, host, object_spec
from tests.unit.simulator.world import LABS

Connect = Callable[..., Any]


@dataclass
class Served:
    sim: Simulator
    clock: WaitingClock
    server: Server
    path: Path

    def client(self) -> ClockClient:
        return ClockClient(self.path)


@contextmanager
def served(folder: Path, lab: dict[str, Any] | None = None, limit: float = 0.2) -> Iterator[Served]:
    clock = WaitingClock(limit=limit)
    source = yaml.safe_load((LABS / "three_hosts.yml").read_text(encoding="utf-8"))
    sim = Simulator.from_lab({**source, **(lab or {})}, clock)
    path = folder / "clock"
    socket = ClockSocket(clock, path)
    with sim.serve(control=False) as server:
        yield Served(sim, clock, server, path)
    socket.close()
    sim.close()
    assert not path.exists()
    assert sim.internal_errors == []


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as made:
        yield made


def test_requests_and_answers(twin: Served) -> None:
    assert stat.S_IMODE(twin.path.stat().st_mode) == 0o600
    with twin.client() as client, twin.client() as other:
        assert (client.ask("now"), client.ask("sleep 1.5"), client.ask("now")) == ("0.0", "1.5", "1.5")
        assert (client.ask("sleep 0"), client.ask("sleep -3"), client.ask("watch")) == ("1.5", "1.5", "1.5")
        assert {client.ask("id"), other.ask("id")} == {"1", "2"}
        for wrong in ("", "sleep", "sleep soon", "sleep nan", "sleep inf", "tick", "now 1", "\x00\xff"):
            assert client.ask(wrong).startswith("error: ")
        assert client.ask("now") == "1.5"


def test_one_request_at_a_time(tmp_path: Path) -> None:
    with served(tmp_path, limit=PATIENCE) as twin, twin.client() as client:
        with twin.client() as other:
            assert other.ask("now") == "0.0"  # it does not wait, so the time stands still
            client.send("sleep 10\nnow")
            assert client._answers.readline() == "error: one request at a time\n"
        assert client._answers.readline() == "10.0\n"


def test_a_line_without_end_closes_the_connection(twin: Served) -> None:
    with twin.client() as client:
        client._socket.sendall(b"x" * (LONGEST_LINE + 1))
        assert client._answers.readline() == ""


def test_a_path_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    clock = WaitingClock()
    for path in (tmp_path / "no" / "folder", tmp_path / ("x" * 120)):
        with pytest.raises(OSError, match="the socket of the clock cannot be made"):
            ClockSocket(clock, path)
    clock.close()


def reboot(clock: ClockClient, si: Any, pause: float) -> list[tuple[float, str]]:
    """Reboot a host as a client does that waits for news, sleeps, and computes ``pause`` real seconds between its calls."""
    found = []
    target = host(si)
    collector = si.content.propertyCollector
    collector.CreateFilter(object_spec(target, "runtime.connectionState", "runtime.bootTime"), True)
    version = collector.WaitForUpdatesEx("", None).version
    clock.sleep(3.25)
    target.RebootHost_Task(True)
    while len(found) < 10:
        time.sleep(pause)
        answer = collector.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=60))
        version = answer.version if answer is not None else version
        time.sleep(pause)
        found.append((clock.seconds(), str(target.runtime.connectionState)))
        clock.sleep(0.5)
    return found


def test_how_slow_a_client_is_does_not_change_what_it_measures(tmp_path: Path, smart_connect: Connect) -> None:
    """Also beside a client that does nothing but sleep."""
    seen = []
    for pause, busy in ((0.0, False), (0.02, False), (0.01, True)):
        with served(tmp_path, limit=60.0) as twin:
            stop = threading.Event()

            def sleeper(twin: Served = twin, stop: threading.Event = stop) -> None:
                with twin.client() as client:
                    while not stop.is_set():
                        client.sleep(7.0)

            other = threading.Thread(target=sleeper, daemon=True)
            with twin.client() as clock:
                if busy:
                    other.start()
                seen.append(reboot(clock, smart_connect(twin.server), pause))
                stop.set()
            if busy:
                other.join(60)
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][0] == (23.25, "notResponding")
    assert (323.25, "connected") in [(moment, state) for moment, state in seen[0] if state == "connected"]


def test_a_day_of_reboots_takes_no_time(twin: Served, smart_connect: Connect) -> None:
    si = smart_connect(twin.server)
    began = time.monotonic()
    with twin.client() as clock:
        target = host(si)
        for _unused in range(50):
            clock.sleep(1600.0)
            target.RebootHost_Task(True)
        assert clock.seconds() == 80000.0
    assert time.monotonic() - began < 60


def test_latency_is_simulated_time(twin: Served, smart_connect: Connect) -> None:
    si = smart_connect(twin.server)
    twin.sim.faults.add(method="CurrentTime", latency=90.0)
    with twin.client() as clock:
        began, real = clock.seconds(), time.monotonic()
        si.CurrentTime()
        assert clock.seconds() == began + 90
    assert time.monotonic() - real < 60


def waits(si: Any, seconds: int | None) -> None:
    collector = si.content.propertyCollector
    collector.CreateFilter(object_spec(host(si), "runtime.connectionState"), True)
    version = collector.WaitForUpdatesEx("", None).version
    options = PC.WaitOptions(maxWaitSeconds=seconds)
    with suppress(vmodl.MethodFault, OSError, http.client.HTTPException):
        collector.WaitForUpdatesEx(version, options)


def test_a_client_that_dies_in_a_call_leaves_the_others_alone(twin: Served, smart_connect: Connect) -> None:
    si = smart_connect(twin.server)
    with twin.client() as dead:
        si._stub._customHeaders = {CLIENT: dead.ask("id")}
        thread = threading.Thread(target=waits, args=(si, None), daemon=True)
        thread.start()
        assert until(lambda: len(twin.clock._waits) == 1)
        assert twin.clock._waits[0].client is not None
    assert until(lambda: twin.clock._waits == [])
    with twin.client() as other:
        other.sleep(1000.0)
        assert other.seconds() == 1000.0


CLIENT_PROGRAM = """
import ssl, sys
from pyVim.connect import SmartConnect
context = ssl.create_default_context(cafile=sys.argv[2])
si = SmartConnect(host="localhost", port=int(sys.argv[1]), user="administrator@vsphere.local", pwd="VMware1!", sslContext=context)
print("in", flush=True)
si.content.propertyCollector.WaitForUpdatesEx("", None)
"""


def test_a_client_that_is_killed_in_a_call_that_does_not_name_it(twin: Served) -> None:
    """Its wait would never end, and would count as that of another client."""
    arguments = [sys.executable, "-c", CLIENT_PROGRAM, str(twin.server.port), str(twin.server.ca_file)]
    program = subprocess.Popen(arguments, stdout=subprocess.PIPE)
    assert program.stdout is not None
    assert program.stdout.readline() == b"in\n"
    assert until(lambda: len(twin.clock._waits) == 1)
    with twin.client() as other:
        other.sleep(5.0)
        assert len(twin.clock._waits) == 1
        program.kill()
        program.communicate()

        def ended() -> bool:
            other.sleep(5.0)
            return twin.clock._waits == []

        assert until(ended)


def test_a_call_that_names_its_client_holds_nothing_while_it_waits(tmp_path: Path, smart_connect: Connect) -> None:
    """The other client is at work: time moves as soon as it waits, and not before."""
    with served(tmp_path, limit=60.0) as twin:
        si = smart_connect(twin.server)
        with twin.client() as waiter, twin.client() as worker:
            si._stub._customHeaders = {CLIENT: waiter.ask("id")}
            collector = si.content.propertyCollector
            collector.CreateFilter(object_spec(host(si), "runtime.connectionState"), True)
            version = collector.WaitForUpdatesEx("", None).version
            over: list[float] = []

            def wait() -> None:
                collector.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=100))
                over.append(twin.clock.seconds())
                waiter.close()

            thread = threading.Thread(target=wait)
            thread.start()
            assert until(lambda: len(twin.clock._waits) == 1)
            assert (worker.seconds(), over) == (0.0, [])
            worker.sleep(30.0)
            assert (worker.seconds(), over) == (30.0, [])
            worker.sleep(300.0)
            thread.join(60)
            assert over == [100.0]


def test_there_is_no_control_page(twin: Served) -> None:
    context = ssl.create_default_context(cafile=str(twin.server.ca_file))
    for verb, path in (
        ("GET", "/control"),
        ("GET", "/control/state"),
        ("POST", "/control/clock"),
        ("GET", "/"),
        ("DELETE", "/control/journal"),
    ):
        connection = http.client.HTTPSConnection("localhost", twin.server.port, context=context, timeout=60)
        connection.request(verb, path, b"{}" if verb == "POST" else None, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert (answer.status, b"control" in answer.read()) == (404, False)
        connection.close()


def test_vcenter_restarts_while_clients_wait(tmp_path: Path, smart_connect: Connect) -> None:
    lab = {"what_if": [{"kind": "vcenter_restarts", "at": 50, "seconds": 100}]}
    with served(tmp_path, lab) as twin:
        si = smart_connect(twin.server)
        collector = si.content.propertyCollector
        collector.CreateFilter(object_spec(host(si), "runtime.connectionState"), True)
        version = collector.WaitForUpdatesEx("", None).version
        with twin.client(), pytest.raises((OSError, http.client.HTTPException)):
            collector.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=600))
        with twin.client() as clock:
            assert clock.seconds() == 50.0
            clock.sleep(101.0)
        assert smart_connect(twin.server).content.about.apiType == "VirtualCenter"
