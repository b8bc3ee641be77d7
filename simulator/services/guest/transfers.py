# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The URLs of files in guests: one use, ten minutes, on the ESXi host (API reference, FileTransferInformation.url)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from ...api.names import shown
from ...core.base import Endpoint
from ...objects.vm.vm import VirtualMachine
from ...web import Answer, Request

PATH = "/guestFile"
_ABORTED = Answer(status=500, text="Internal Server Error\n")
"""The VM stopped, or the file is gone: "the transfer operation is aborted" (API reference); the status is not published."""


@dataclass(kw_only=True)
class Transfer:
    """One URL that was handed out. ``size``: bytes that a PUT has to bring. ``host``: name in the URL, or ``*``."""

    vm: str
    path: str
    verb: str
    size: int = 0
    host: str = ""
    until: float = 0.0


class Transfers:
    """The URLs that are valid, by token."""

    def __init__(self, sim: Endpoint) -> None:
        self.sim = sim
        self.by_token: dict[str, Transfer] = {}
        self._made = 0

    def open(self, transfer: Transfer) -> str:
        """The URL of a transfer.

        An ESXi host that is asked itself names ``*``: the server that was called. A vCenter names the host by its name in the inventory
        (govmomi, guest/file_manager.go, TransferURL), which a client may not be able to resolve or to reach.
        """
        machine: VirtualMachine = self.sim.obj(transfer.vm)
        direct = self.sim.kind == "esxi" or machine.settings.guest_file_host == "asterisk"
        self._made += 1
        secret = hashlib.sha256(f"{self.sim.salt}/{self._made}".encode()).hexdigest()
        token = f"52{secret[:6]}-{secret[6:18]}"
        transfer.host = "*" if direct else shown(machine.host.name)
        transfer.until = self.sim.clock.seconds() + machine.settings.guest_url_seconds
        self.by_token[token] = transfer
        return f"https://{transfer.host}:443{PATH}?id={self._made}&token={token}"

    def answer(self, request: Request) -> Answer:
        """Serve one request. 404 for a URL that is not valid, not valid any more, or of another host; what those give is not published."""
        url = urlsplit(request.path)
        token = parse_qs(url.query).get("token", [""])[0]
        found = self.by_token.get(token)
        if url.path != PATH or found is None or not self._is_here(found, request):
            return Answer(status=404, text="Not Found\n")
        if self.sim.clock.seconds() > found.until:
            del self.by_token[token]
            return Answer(status=404, text="Not Found\n")
        if request.verb != found.verb:
            return Answer(status=405, text="Method Not Allowed\n")
        machine = self.sim.registry.find(found.vm)
        if not isinstance(machine, VirtualMachine) or not machine.is_on:
            return _ABORTED
        files = machine.guest_os.files
        if found.verb == "GET":
            if found.path not in files:
                return _ABORTED
            del self.by_token[token]
            return Answer(status=200, raw=files[found.path])
        if len(request.body) != found.size:
            return Answer(status=400, text="Bad Request\n")
        del self.by_token[token]
        files[found.path] = request.body
        return Answer(status=200)

    def _is_here(self, found: Transfer, request: Request) -> bool:
        """Whether the request reached the machine that the URL names; ``*``: any name of this one."""
        name = request.headers.get("host", "").partition(":")[0]
        return found.host in ("*", name)


def answer(sim: Endpoint, request: Request) -> Answer:
    """Serve one request under the simulator lock, and note it in the journal."""
    with sim.lock:
        files = sim.content["guestOperationsManager"].props["fileManager"]
        found: Answer = sim.obj(files).transfers.answer(request)
        entry = sim.journal.open(
            time=sim.clock.now().isoformat(),
            user="",
            session="",
            moid="",
            type="",
            name="",
            method=f"GuestFile.{request.verb}",
            args={},
        )
        entry.outcome = "ok" if found.status < 400 else f"http {found.status}"
        return found
