# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the Automation API without a socket, and a lab for it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pyVmomi import vim

from simulator import Simulator
from simulator.vapi.service import answer
from simulator.web import Answer, Request

KNOWS_9 = hasattr(vim.host.PciPassthruInfo(), "directPathState")
LAB = Path(__file__).parents[4] / "simulator" / "labs" / "three_hosts.yml"
ADMIN = "administrator@vsphere.local"
HEADER = "vmware-api-session-id"
BASES = {"rest": "/rest/com/vmware/cis/tagging/", "api": "/api/cis/tagging/"}
LOGINS = {"rest": "/rest/com/vmware/cis/session", "api": "/api/session"}


def lab(**changes: Any) -> dict[str, Any]:
    return {**yaml.safe_load(LAB.read_text()), **changes}


class Client:
    """One of the dialects, without a socket."""

    def __init__(self, sim: Simulator, dialect: str = "rest", user: str = ADMIN) -> None:
        self.sim, self.dialect = sim, dialect
        found = self.login(user)
        assert found.status == (200 if dialect == "rest" else 201), found
        self.key = str(self.value(found))

    def send(self, verb: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        text = b"" if body is None else json.dumps(body).encode()
        return answer(self.sim, Request(verb=verb, path=path, headers=headers or {}, body=text))

    def login(self, user: str = ADMIN, password: str = "VMware1!", **headers: str) -> Answer:
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        return self.send("POST", LOGINS[self.dialect], None, {"authorization": f"Basic {basic}", **headers})

    def ask(self, verb: str, what: str, body: Any = None, *, key: str = "", action: str = "") -> Answer:
        """An operation on tags."""
        mark, name = ("id:", "~action") if self.dialect == "rest" else ("", "action")
        path = BASES[self.dialect] + what + (f"/{mark}{key}" if key else "") + (f"?{name}={action}" if action else "")
        return self.send(verb, path, body, {HEADER: self.key})

    def value(self, found: Answer) -> Any:
        return found.body["value"] if self.dialect == "rest" else found.body

    def get(self, what: str, key: str = "") -> Any:
        found = self.ask("GET", what, key=key)
        assert found.status == 200, found
        return self.value(found)

    def post(self, what: str, body: Any = None, *, key: str = "", action: str = "") -> Any:
        found = self.ask("POST", what, body, key=key, action=action)
        assert found.status < 300, found
        return None if found.body is None else self.value(found)

    def create(self, what: str, **spec: Any) -> Any:
        return self.ask("POST", what, {"create_spec": spec} if self.dialect == "rest" else spec)

    def made(self, what: str, **spec: Any) -> str:
        return str(self.value(self.create(what, **spec)))

    def error(self, found: Answer) -> str:
        """The kind of an error, as both dialects name it."""
        if self.dialect == "rest":
            assert found.body["value"]["messages"][0]["default_message"]
            return str(found.body["type"]).removeprefix("com.vmware.vapi.std.errors.")
        assert found.body["messages"][0]["default_message"]
        return str(found.body["error_type"]).lower()


def vm(sim: Simulator, name: str = "train-01") -> dict[str, str]:
    return {"id": sim.find("VirtualMachine", name).moid, "type": "VirtualMachine"}


CATEGORY = {"name": "Policy", "description": "", "cardinality": "SINGLE", "associable_types": []}
