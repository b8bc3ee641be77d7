# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts with management controllers, reached without a socket; and a controller that answers what a test says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.redfish import http as redfish_http
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.redfish.client import Bmc, BmcAccess
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.redfish.http import (
    RedfishReply,
    explain_silence,
)
from simulator import Simulator
from simulator.bmc.service import Request, answer
from simulator.core.faults import Dropped

LAB = Path(__file__).resolve().parents[5] / "simulator" / "labs" / "three_hosts.yml"
HOST = "esx-01.lab"
PASSWORD = "VMware1!"


class InProcess:
    """The simulator's controllers behind the same door as the network."""

    def __init__(self, sim: Simulator, access: BmcAccess) -> None:
        self.sim, self.access = sim, access

    def send(
        self, verb: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any] | None = None
    ) -> RedfishReply:
        request = Request(
            verb=verb,
            path=path,
            headers={name.lower(): value for name, value in headers.items()},
            body=b"" if body is None else json.dumps(body).encode(),
        )
        try:
            found = answer(self.sim, request)
        except Dropped:
            raise explain_silence(
                ConnectionResetError(104, "Connection reset by peer"), self.access, reads=verb == "GET"
            ) from None
        return RedfishReply(
            status=found.status, body=found.body, headers={name.lower(): value for name, value in found.headers.items()}
        )

    def close(self) -> None:
        """Nothing is open."""


class ObservedFleet:
    """A lab, its clock, and controllers of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sim = Simulator.from_lab(str(LAB))
        self.host = self.sim.find("HostSystem", HOST)
        monkeypatch.setattr(redfish_http, "open_http", lambda access: InProcess(self.sim, access))

    def bmc(self, path: str = f"/bmc/{HOST}", identity: bool = True, **access: Any) -> Bmc:
        """The controller of the first host, or what is at another path."""
        values = {"address": f"bmc.test{path}", "username": "admin", "password": PASSWORD, **access}
        uuid = self.host.spec.uuid if identity else ""
        return Bmc(BmcAccess(**values), uuid=uuid, sleep=self.sim.clock.sleep)

    def turn(self, knob: str, value: Any) -> None:
        """Turn a knob of the host."""
        self.sim.events["set_knob"](name=knob, value=value, host=HOST)

    def power_off(self) -> None:
        """The host loses power, and the controller has noticed."""
        self.sim.events["host_power_loss"](host=HOST)
        self.wait()

    def wait(self, seconds: float = 10.0) -> None:
        self.sim.clock.advance(seconds)

    def calls(self, method: str) -> list[Any]:
        return [entry for entry in self.sim.journal.calls if entry.method == method]

    def resets(self) -> list[tuple[str, str]]:
        """(value, outcome) of every reset that was asked for."""
        return [(entry.args["ResetType"], entry.outcome) for entry in self.calls("Redfish.Reset")]


Script = Callable[[str, str], RedfishReply]


class Scripted:
    """A controller that answers what a function says, and remembers what it was asked."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[tuple[str, str, Mapping[str, str]]] = []
        self.bodies: list[Mapping[str, Any] | None] = []

    def send(
        self, verb: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any] | None = None
    ) -> RedfishReply:
        self.asked.append((verb, path, dict(headers)))
        self.bodies.append(body)
        return self.script(verb, path)

    def close(self) -> None:
        """Nothing is open."""


def scripted(monkeypatch: pytest.MonkeyPatch, script: Script, **access: Any) -> tuple[Bmc, Scripted]:
    """A Bmc that talks to such a controller."""
    http = Scripted(script)
    monkeypatch.setattr(redfish_http, "open_http", lambda _access: http)
    values = {"address": "bmc.test", "username": "admin", "password": PASSWORD, "auth": "basic", **access}
    return Bmc(BmcAccess(**values), sleep=lambda _seconds: None), http
