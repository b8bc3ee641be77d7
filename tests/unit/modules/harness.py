# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module's own main() against a simulator in the same process: no socket, and time that passes when something waits for it."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

from ansible.module_utils import basic
from ansible.module_utils.common import warnings

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.guest import download
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rest import http
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rolling import probes
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session import connect as session_module
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import Guard
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.endpoint import Endpoint
from simulator.core.clock import ManualClock
from simulator.core.faults import Dropped
from simulator.services.guest import transfers
from simulator.simulator import Simulator
from simulator.transport.inprocess import InProcessStub
from simulator.vapi.service import answer
from simulator.web import Request
from tests.unit.patience import PATIENCE

LABS = Path(__file__).resolve().parents[3] / "simulator" / "labs"
MODULES = "ansible_collections.directpath.vsphere.plugins.modules"


class GuardedInProcess(Guard, InProcessStub):  # type: ignore[misc]
    """The in-process transport behind the same guard as the one over TLS."""

    def use_cookie(self, cookie: str) -> None:
        self.cookie = cookie
        self.peer.session_key = cookie.partition("=")[2].strip('"')


@dataclass
class RestInProcess:
    """The Automation API of a simulator behind the same door as over TLS. ``asked``: verbs and paths, as they came."""

    sim: Simulator
    asked: list[str] = field(default_factory=list)
    is_open: bool = True

    def send(self, request: http.RestRequest, headers: Mapping[str, str]) -> http.RestReply:
        self.asked.append(f"{request.verb} {request.path}")
        lower = {name.lower(): text for name, text in headers.items()}
        body = b"" if request.body is None else json.dumps(request.body).encode()
        try:
            found = answer(self.sim, Request(verb=request.verb, path=request.path, headers=lower, body=body))
        except Dropped:
            raise ConnectionResetError(104, "Connection reset by peer") from None
        return http.RestReply(status=found.status, body=found.body)

    def close(self) -> None:
        self.is_open = False


@dataclass
class FilesInProcess:
    """Files of guests behind the same door as over TLS. ``asked``: hosts and ports, as they came."""

    sim: Simulator
    asked: list[tuple[str, int]] = field(default_factory=list)

    def get(self, endpoint: Endpoint, host: str, port: int, path: str) -> tuple[int, bytes]:
        self.asked.append((host, port))
        found = transfers.answer(self.sim, Request(verb="GET", path=path, headers={"host": host}))
        return found.status, found.content()


class Failed(AssertionError):
    """The module failed; ``result`` is what a playbook would have got."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__(result.get("msg", ""))
        self.result = result


@dataclass
class Lab:
    """A simulator, and modules to run against it."""

    sim: Simulator
    user: str | None = None
    password: str | None = None
    api_version: str | None = None
    passed: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def load(cls, lab: str | dict[str, Any], **options: Any) -> Lab:
        source: Any = str(LABS / f"{lab}.yml") if isinstance(lab, str) else lab
        return cls(sim=Simulator.from_lab(source, clock=ManualClock()), **options)

    def run(self, module: str, *, check: bool = False, fails: bool = False, **options: Any) -> dict[str, Any]:
        """The module's result. Raises Failed when it fails, unless ``fails`` says that it has to."""
        result = self._main(
            module, {**self.credentials(), **options, "_ansible_check_mode": check, "_ansible_diff": True}
        )
        self.passed.append(result)
        if fails:
            assert result.get("failed"), f"{module} should have failed: {result}"
            return result
        if result.get("failed"):
            raise Failed(result)
        return result

    def credentials(self) -> dict[str, Any]:
        accounts = self.sim.authz.users
        account = accounts[self.user.lower()] if self.user else next(iter(accounts.values()))
        return {"hostname": "vcenter.test", "username": account.name, "password": self.password or account.password}

    def writes(self) -> list[str]:
        """Methods with an effect that were called since the journal was cleared."""
        return [entry.method for entry in self.sim.journal.writes()]

    def calls(self) -> int:
        return len(self.sim.journal.calls)

    def _transport(self, endpoint: Endpoint) -> Guard:
        return GuardedInProcess(self.sim, self.api_version or self.sim.api_version)

    def _main(self, module: str, arguments: dict[str, Any]) -> dict[str, Any]:
        code = importlib.import_module(f"{MODULES}.{module}")
        clock = self.sim.clock
        run_module = importlib.import_module(code.run.__module__)

        def open_session(endpoint: Endpoint, **chosen: Any) -> Any:
            return session_module.open_session(endpoint, clock=clock.seconds, sleep=clock.sleep, **chosen)

        printed = StringIO()
        warnings._global_warnings.clear()  # Ansible keeps them as long as the process lives
        with (
            _arguments(arguments),
            mock.patch.object(session_module, "open_transport", self._transport),
            mock.patch.object(http, "open_http", return_value=RestInProcess(self.sim)),
            mock.patch.object(download, "get", FilesInProcess(self.sim).get),
            mock.patch.object(run_module, "open_session", open_session, create=True),
            mock.patch.object(probes, "GRACE", PATIENCE),  # simulated time must not pass a busy machine by
            redirect_stdout(printed),
            suppress(SystemExit),
        ):
            code.main()
        result: dict[str, Any] = json.loads(printed.getvalue().strip().splitlines()[-1])
        return result


@contextmanager
def _arguments(arguments: dict[str, Any]) -> Any:
    """Hand parameters to AnsibleModule as the controller would; 2.19 wants to know how they are serialised."""
    payload = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
    with mock.patch.object(basic, "_ANSIBLE_ARGS", payload), ExitStack() as stack:
        if hasattr(basic, "_ANSIBLE_PROFILE"):
            stack.enter_context(mock.patch.object(basic, "_ANSIBLE_PROFILE", "legacy"))
        internal = sys.modules.get("ansible.module_utils._internal")  # since 2.19
        if internal is not None:
            # Another test in this process may have imported Ansible's controller: warnings would go to its display.
            stack.enter_context(mock.patch.object(internal, "is_controller", False))
        yield
