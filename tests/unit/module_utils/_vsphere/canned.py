# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that says what it was told to, over real sockets and without TLS: for answers no honest server gives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

from pyVmomi import vim

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import (
    GuardedSoapStub,
    Session,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.endpoint import Endpoint

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<soapenv:Envelope xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/" '
    'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n<soapenv:Body>\n'
)
TAIL = "\n</soapenv:Body>\n</soapenv:Envelope>"


def page(objects: str, token: str = "") -> str:
    """A whole answer to RetrievePropertiesEx."""
    said = f"<token>{token}</token>" if token else ""
    return (
        f'{HEAD}<RetrievePropertiesExResponse xmlns="urn:vim25"><returnval>{said}{objects}</returnval>'
        f"</RetrievePropertiesExResponse>{TAIL}"
    )


def host(moid: str = "host-1", **values: str) -> str:
    """An ``objects`` element of a host; the values are whole ``val`` elements, their paths with _ for dots."""
    said = "".join(f"<propSet><name>{path.replace('_', '.')}</name>{value}</propSet>" for path, value in values.items())
    return f'<objects><obj type="HostSystem">{moid}</obj>{said}</objects>'


def text(value: str) -> str:
    """A ``val`` with a string."""
    return f'<val xsi:type="xsd:string">{value}</val>'


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One HTTP answer. ``length``: what Content-Length says, if not the truth."""

    body: bytes
    status: int = 200
    length: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


def answer(body: str | bytes, **fields: object) -> Answer:
    """An answer from text."""
    return Answer(body=body.encode() if isinstance(body, str) else body, **fields)  # type: ignore[arg-type]


@contextmanager
def saying(answers: Sequence[Answer | str] | Callable[[bytes], Answer]) -> Iterator[Session]:
    """A session with a server that gives these answers in turn, the last one for ever. Nobody sleeps in it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append(asked)
            if callable(answers):
                said = answers(asked)
            else:
                given = answers[min(len(requests), len(answers)) - 1]
                said = given if isinstance(given, Answer) else answer(given)
            self.send_response(said.status)
            self.send_header("Content-Type", "text/xml; charset=utf-8")
            self.send_header("Content-Length", str(len(said.body) if said.length is None else said.length))
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)
            if said.length is not None:
                self.close_connection = True

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    requests: list[bytes] = []
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    stub = GuardedSoapStub(host="127.0.0.1", port=-server.server_port, version="vim.version.v8_0_2_0")
    stub.sleep = lambda seconds: None  # type: ignore[method-assign]
    content = vim.ServiceInstanceContent(
        about=vim.AboutInfo(apiType="VirtualCenter", apiVersion="8.0.2.0"),
        rootFolder=vim.Folder("group-d1", stub),
        propertyCollector=vim.PropertyCollector("pc", stub),
    )
    session = Session(endpoint=Endpoint(hostname="127.0.0.1", username="u", password="p"), stub=stub, content=content)
    session.asked = requests  # type: ignore[attr-defined]
    try:
        yield session
    finally:
        stub.DropConnections()
        server.shutdown()
        server.server_close()
        thread.join(60)
