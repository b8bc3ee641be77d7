# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a management controller is reached: its address, its certificate, and nothing taken from the environment."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError, InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.http import json_https
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.redfish.client import Bmc, BmcAccess
from simulator import Simulator
from simulator.transport.http import Server
from simulator.transport.tls import make_certificates
from tests.unit.module_utils._vsphere.redfish.bmc_lab import HOST, LAB, PASSWORD

GOOD = [
    ("esx-01-bmc.lab", "https://esx-01-bmc.lab", "/redfish/v1/"),
    (" esx-01-bmc.lab ", "https://esx-01-bmc.lab", "/redfish/v1/"),
    ("10.0.0.5:8443", "https://10.0.0.5:8443", "/redfish/v1/"),
    ("2001:db8::5", "https://[2001:db8::5]", "/redfish/v1/"),
    ("[2001:db8::5]:8443", "https://[2001:db8::5]:8443", "/redfish/v1/"),
    ("https://bmc.lab/", "https://bmc.lab", "/redfish/v1/"),
    ("https://bmc.lab/redfish/v1/", "https://bmc.lab", "/redfish/v1/"),
    ("bmc.lab/redfish", "https://bmc.lab", "/redfish/v1/"),
    ("gate.lab/rack-1/v1", "https://gate.lab", "/rack-1/v1/redfish/v1/"),
    ("gate.lab:444/bmc/esx-01.lab", "https://gate.lab:444", "/bmc/esx-01.lab/redfish/v1/"),
]
BAD = [
    ("http://bmc.lab", "in the clear"),
    ("ftp://bmc.lab", "only https"),
    ("admin:secret-word@bmc.lab", "holds an account"),
    ("https://admin:secret-word@bmc.lab", "holds an account"),
    ("http://admin:secret-word@bmc.lab:x", "address"),
    ("bmc.lab?x=1", "query"),
    ("bmc.lab#x", "query"),
    ("", "no machine"),
    ("https://", "no machine"),
    ("two words", "no machine"),
    ("bmc.lab:port", "cannot be read"),
    ("bmc.lab:99999", "cannot be read"),
    ("[::1", "cannot be read"),
]


def access(address: str, **options: Any) -> BmcAccess:
    return BmcAccess(**{"address": address, "username": "admin", "password": PASSWORD, **options})


@pytest.mark.parametrize(("address", "origin", "root"), GOOD)
def test_addresses_are_read(address: str, origin: str, root: str) -> None:
    made = access(address)
    assert (made.origin, made.root) == (origin, root)


@pytest.mark.parametrize(("address", "why"), BAD)
def test_an_address_that_cannot_be_used_is_refused_at_once(address: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        access(address)
    assert caught.value.code == "bad_bmc_address"
    assert "secret-word" not in caught.value.sentence()


def test_no_repr_shows_a_password() -> None:
    made = access("bmc.lab", proxy="http://me:proxy-secret@proxy.lab:3128")
    for thing in (made, Bmc(made), {"bmc": made}):
        assert PASSWORD not in repr(thing)
        assert "proxy-secret" not in repr(thing)


# -- over the network -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    sim = Simulator.from_lab(str(LAB))
    with sim.serve() as running:
        yield running


def network(server: Server, **options: Any) -> Bmc:
    values = {"ca_path": str(server.ca_file), **options}
    return Bmc(
        access(f"localhost:{server.port}/bmc/{HOST}", **values), uuid=server.sim.find("HostSystem", HOST).spec.uuid
    )


def test_over_tls_it_is_what_it_is_in_process(server: Server) -> None:
    bmc = network(server)
    bmc.check()
    assert bmc.power_state() == "on"
    server.sim.events["host_power_loss"](host=HOST)
    server.sim.clock.advance(10)
    assert bmc.power_state() == "off"
    bmc.power_on()
    server.sim.clock.advance(400)
    assert bmc.power_state() == "on"
    bmc.close()
    assert [sessions.open for sessions in server.sim.bmc_sessions.values()] == [{}]
    assert bmc.power_state() == "on", "closed is not broken"
    bmc.close()


def test_a_certificate_that_nobody_vouches_for_is_refused(server: Server) -> None:
    with pytest.raises(DirectPathError, match="certificate is not trusted") as caught:
        network(server, ca_path=None).power_state()
    assert caught.value.code == "certificate_untrusted"
    assert "ca_path" in caught.value.cure


def test_no_ca_comes_from_anywhere_else(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the library's own bundle nor one that the environment names."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(server.ca_file))
    with pytest.raises(DirectPathError, match="not trusted"):
        network(server, ca_path=None).power_state()


def test_a_name_the_certificate_does_not_hold_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda name, *rest, **more: real("127.0.0.1" if name == "other.test" else name, *rest, **more),
    )
    made = access(f"other.test:{server.port}/bmc/{HOST}", ca_path=str(server.ca_file))
    with pytest.raises(DirectPathError, match="not trusted") as caught:
        Bmc(made).power_state()
    assert caught.value.code == "certificate_untrusted"


def test_the_certificate_of_a_controller_that_signed_itself_may_be_named(server: Server, tmp_path: Path) -> None:
    leaf = tmp_path / "bmc.pem"
    leaf.write_text(ssl.get_server_certificate(("localhost", server.port)), encoding="ascii")
    assert network(server, ca_path=str(leaf)).power_state() == "on"


def test_verification_can_be_switched_off_without_a_word(server: Server, recwarn: pytest.WarningsRecorder) -> None:
    assert network(server, ca_path=None, validate_certs=False).power_state() == "on"
    assert [str(item.message) for item in recwarn if "request" in str(item.message).lower()] == []


def test_a_ca_file_that_cannot_be_read_is_named(server: Server) -> None:
    with pytest.raises(DirectPathError, match=r"no-such\.pem") as caught:
        network(server, ca_path="/no-such.pem").power_state()
    assert caught.value.code == "bad_ca_path"


def test_proxies_and_accounts_of_the_environment_are_not_used(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login viewer password other\n", encoding="ascii")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://localhost:9")
    server.sim.journal.clear()
    assert network(server, auth="basic").power_state() == "on"
    assert {entry.user for entry in server.sim.journal.calls} == {"", "admin"}


def test_a_proxy_that_was_asked_for_is_used(server: Server) -> None:
    with listening(b"HTTP/1.1 502 no\r\nContent-Length: 0\r\n\r\n") as (port, heard):
        with pytest.raises(DirectPathError):
            network(server, proxy=f"http://localhost:{port}").power_state()
        assert heard[0].startswith(f"CONNECT localhost:{server.port} ".encode())
        assert PASSWORD.encode() not in b"".join(heard)


@pytest.mark.parametrize(
    ("address", "code"), [("localhost:9", "refused"), ("no-such-name.invalid", "unknown_name")], ids=["port", "name"]
)
def test_nobody_there(address: str, code: str) -> None:
    with pytest.raises(DirectPathError, match="cannot be reached") as caught:
        Bmc(access(address)).power_state()
    assert caught.value.code == code


def test_a_redirect_to_another_machine_is_not_followed(server: Server, tmp_path: Path) -> None:
    """The library would do so by itself, and take the request along."""
    certificates = make_certificates()
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(certificates.ca)
    with listening(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as (other, heard):
        moved = f"HTTP/1.1 302 Found\r\nLocation: https://localhost:{other}/\r\nContent-Length: 0\r\n\r\n".encode()
        with listening(moved, certificates.context()) as (port, asked):
            with pytest.raises(DirectPathError, match="another machine") as caught:
                Bmc(access(f"localhost:{port}", ca_path=str(trusted))).power_state()
            assert caught.value.code == "not_redfish"
            assert asked[0].startswith(b"GET /redfish/v1/ ")
        assert heard == []


def test_a_controller_that_is_silent_is_not_waited_for_again() -> None:
    with listening(None) as (port, heard):
        with pytest.raises(DirectPathError, match="no answer in time") as caught:
            Bmc(access(f"127.0.0.1:{port}", timeout=0.3)).power_state()
        assert caught.value.code == "no_answer"
        assert len(heard) <= 1


def test_a_port_that_speaks_no_tls_is_said() -> None:
    with (
        listening(b"220 mail.lab ESMTP ready to serve you today\r\n") as (port, _heard),
        pytest.raises(DirectPathError) as caught,
    ):
        Bmc(access(f"localhost:{port}"), sleep=lambda _seconds: None).power_state()
    assert caught.value.code in ("tls_failed", "connection_lost")


def test_without_requests_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(DirectPathError, match="not installed") as caught:
        Bmc(access("bmc.lab")).power_state()
    assert caught.value.code == "missing_library"


def test_requests_is_loaded_by_nobody_who_has_no_controller() -> None:
    source = Path(json_https.__file__).read_text(encoding="utf-8")
    assert [line for line in source.splitlines() if line.startswith(("import requests", "from requests"))] == []


class listening:
    """A socket that answers every connection with fixed bytes, or with nothing; over TLS with a ``context``."""

    def __init__(self, answer: bytes | None, context: ssl.SSLContext | None = None) -> None:
        self.answer, self.context = answer, context
        self.heard: list[bytes] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.open: list[socket.socket] = []

    def __enter__(self) -> tuple[int, list[bytes]]:
        self.thread.start()
        return self.socket.getsockname()[1], self.heard

    def __exit__(self, *_unused: object) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for connection in self.open:
            connection.close()
        self.thread.join(60)

    def _serve(self) -> None:
        while True:
            try:
                connection, _unused = self.socket.accept()
            except OSError:
                return
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            self.open.append(connection)
            self.heard.append(connection.recv(65536))
            if self.answer is not None:
                connection.sendall(self.answer)
                connection.close()
