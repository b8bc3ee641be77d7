# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is waited for, or read, without end: not before a login, not behind a proxy, not by any of the protocols."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyVmomi import vim

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError, InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.http.certificates import validity_of
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.http.connections import Bounds
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.http.name_lookup import look_up
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.redfish.client import Bmc, BmcAccess
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rest import http as automation_http
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session import transport
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import (
    GuardedSoapStub,
    connect_session,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.endpoint import Endpoint
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.faults import explain_connection
from simulator import Simulator
from simulator.transport.tls import Certificates, make_certificates
from tests.unit.module_utils._vsphere import rude

BRIEF = Bounds(connect=0.15, silence=0.2, answer=0.2, most=200_000)
"""For servers that never complete an answer. On a busy machine even a connection may take longer than this: then ``no_answer`` is right."""
LONGEST = rude.LONGEST / 3
"""Seconds after which a test has waited for something that has no bound: many times what ``BRIEF`` allows."""
PATIENT = Bounds(connect=LONGEST, silence=LONGEST, answer=LONGEST, most=BRIEF.most)
"""For servers that answer: no pause of the machine is as long."""


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return make_certificates()


def endpoint(port: int, bounds: Bounds = BRIEF, **options: Any) -> Endpoint:
    """By address: only the tests of name servers look up a name."""
    values = {"hostname": "127.0.0.1", "username": "me", "password": "Secret-Word", "validate_certs": False, **options}
    return Endpoint(port=port, connect_timeout=bounds.connect, **values)


def stub_for(port: int, bounds: Bounds, host: str = "127.0.0.1") -> GuardedSoapStub:
    return GuardedSoapStub(
        bounds=bounds, host=host, port=port, version="vim.version.v8_0_2_0", sslContext=rude.unverified()
    )


def first_contact(port: int, bounds: Bounds = BRIEF, host: str = "127.0.0.1") -> None:
    """Who answers may be anybody: nobody has logged in."""
    with bounds.within(most=bounds.most):
        connect_session(endpoint(port, bounds, hostname=host), read_only=True, sleep=lambda _seconds: None)


def call(port: int, bounds: Bounds = BRIEF, host: str = "127.0.0.1") -> None:
    """A read, which is tried again after some errors."""
    stub = stub_for(port, bounds, host)
    stub.sleep = lambda _seconds: None  # type: ignore[method-assign]
    try:
        vim.ServiceInstance("ServiceInstance", stub).CurrentTime()
    except Exception as error:
        raise explain_connection(error, doing="read", on="vc") from error


def tags(port: int, bounds: Bounds = BRIEF, host: str = "127.0.0.1") -> None:
    http = automation_http.open_http(endpoint(port, bounds, hostname=host))
    try:
        with bounds.within(most=bounds.most):
            http.send(automation_http.RestRequest(verb="GET", path="/api"), {})
    except Exception as error:
        raise explain_connection(error, doing="read tags from", on="vc") from error


def controller(port: int, bounds: Bounds = BRIEF, host: str = "127.0.0.1") -> None:
    access = BmcAccess(
        address=f"{host}:{port}", username="a", password="b", validate_certs=False, auth="basic", timeout=bounds.connect
    )
    with bounds.within(most=bounds.most):
        Bmc(access, sleep=lambda _seconds: None).power_state()


Way = Callable[..., None]
"""Takes a port and optionally the bounds, and the name or address of the server."""
WAYS: tuple[Way, ...] = (first_contact, call, tags, controller)
CODES = {"no_answer", "unreadable_answer", "connection_lost"}


@contextmanager
def soon() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < LONGEST


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("script", rude.RUDE, ids=lambda script: script.__name__)
def test_no_server_is_waited_for_or_listened_to_without_end(
    way: Way, script: rude.Script, certificates: Certificates
) -> None:
    with rude.serving(script, certificates) as port, soon():
        with pytest.raises(DirectPathError) as caught:
            way(port)
        assert caught.value.code in CODES, caught.value.sentence()
        assert "bug in the collection" not in caught.value.sentence()
        assert "write" not in caught.value.sentence()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_port_that_accepts_and_says_nothing_not_even_tls(way: Way) -> None:
    with rude.serving(rude.silent) as port, soon():
        with pytest.raises(DirectPathError) as caught:
            way(port)
        assert caught.value.code == "no_answer"


def test_an_answer_that_is_too_long_is_not_asked_for_again(certificates: Certificates) -> None:
    asked: list[int] = []

    def script(sock: socket.socket) -> None:
        asked.append(1)
        rude.huge_length(sock)

    with rude.serving(script, certificates) as port, pytest.raises(DirectPathError) as caught:
        call(port, PATIENT)
    assert caught.value.code == "unreadable_answer"
    assert "the answer to CurrentTime cannot be read: an answer of more than" in caught.value.message
    assert len(asked) == 1


def test_the_largest_known_honest_answer_passes_and_within_the_documented_time() -> None:
    usual = Bounds()
    assert usual.most > 5 * 44_000_000
    assert usual.answer > 8 * 44_000_000 * 8 / 10e6
    assert usual.silence > 60


def test_retries_share_one_deadline(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each attempt alone would be within bounds."""
    monkeypatch.setattr(transport, "FIRST_PAUSE", 3 * LONGEST)
    with rude.serving(rude.says(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), certificates) as port, soon():
        stub = stub_for(port, PATIENT)
        slept: list[float] = []
        stub.sleep = slept.append  # type: ignore[method-assign]
        with pytest.raises(Exception, match="503"):
            vim.ServiceInstance("ServiceInstance", stub).CurrentTime()
        assert slept == [], "the first pause alone is longer than what is left"


# -- proxies ----------------------------------------------------------------------------------------------------------

PROXIES: dict[str, tuple[rude.Script | None, str]] = {
    "not there": (None, "refused the connection"),
    "silent": (rude.silent, "did not answer in time"),
    "drips": (rude.drips_headers, "did not answer in time"),
    "no HTTP": (rude.says(b"220 mail.lab ESMTP\r\n"), "something that is not HTTP"),
    "closes": (rude.says(b""), "something that is not HTTP"),
    "wants a login": (rude.says(b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n"), "answered HTTP 407"),
    "refuses": (rude.says(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"), "answered HTTP 403"),
    "does not reach it": (rude.says(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), "answered HTTP 503"),
    "endless": (rude.endless_headers, "not HTTP"),
}


NEVER = ("silent", "drips")
"""The proxies that never complete an answer."""


def through_to_vcenter(port: int, bounds: Bounds = PATIENT) -> None:
    place = endpoint(443, bounds, hostname="vc.test", proxy_host="127.0.0.1", proxy_port=port)
    connect_session(place, read_only=True, sleep=lambda _seconds: None)


def through_to_tags(port: int, bounds: Bounds = PATIENT) -> None:
    place = endpoint(443, bounds, hostname="vc.test", proxy_host="127.0.0.1", proxy_port=port)
    try:
        automation_http.open_http(place).send(automation_http.RestRequest(verb="GET", path="/api"), {})
    except OSError as error:
        raise explain_connection(error, doing="read tags from", on="vc.test:443") from error


def through_to_controller(port: int, bounds: Bounds = PATIENT) -> None:
    where = f"http://user:Proxy-Secret@127.0.0.1:{port}"
    access = BmcAccess(address="bmc.test", username="a", password="b", proxy=where, timeout=bounds.connect)
    Bmc(access, sleep=lambda _seconds: None).power_state()


THROUGH: tuple[Way, ...] = (through_to_vcenter, through_to_tags, through_to_controller)


@contextmanager
def proxy(script: rude.Script | None) -> Iterator[int]:
    if script is None:
        yield 9
        return
    with rude.serving(script) as port:
        yield port


@pytest.mark.parametrize("kind", PROXIES)
@pytest.mark.parametrize("way", THROUGH, ids=lambda way: way.__name__)
def test_a_proxy_that_is_why_is_named_as_why(kind: str, way: Way) -> None:
    script, words = PROXIES[kind]
    with proxy(script) as port, soon(), pytest.raises(DirectPathError) as caught:
        way(port, BRIEF if kind in NEVER else PATIENT)
    told = caught.value
    assert told.code == "proxy_failed", told.sentence()
    assert f"the proxy 127.0.0.1:{port} " in told.message
    assert words in told.message
    assert "write" not in told.sentence()
    assert "hostname and port" not in told.cure or kind == "does not reach it"
    assert "Secret" not in told.sentence()


@pytest.mark.parametrize("way", THROUGH, ids=lambda way: way.__name__)
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Log in to this network</html>",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
    ids=["a login page", "the end"],
)
def test_a_proxy_that_agrees_and_then_answers_itself_is_named(way: Way, answer: bytes) -> None:
    with rude.serving(rude.says(answer)) as port, soon(), pytest.raises(DirectPathError) as caught:
        way(port)
    told = caught.value
    assert f"through the proxy 127.0.0.1:{port}" in told.message, told.sentence()
    assert "proxy" in told.cure
    assert "write" not in told.sentence()


def test_a_proxy_that_no_name_server_knows_is_named() -> None:
    place = endpoint(443, hostname="vc.test", proxy_host="no-such-proxy.invalid", proxy_port=3128)
    with pytest.raises(
        DirectPathError, match=r"the proxy no-such-proxy\.invalid:3128 has a name that cannot be resolved"
    ):
        connect_session(place, read_only=True, sleep=lambda _seconds: None)


BRIEF_LOOK_UP = replace(PATIENT, connect=BRIEF.connect)
"""Only the look-up of the name can take too long, on the slowest machine too."""


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_name_servers_that_say_nothing_are_not_waited_for(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver of the system asks again and again, for minutes, and knows no time limit of its caller."""
    with silent_resolver(monkeypatch), soon(), pytest.raises(DirectPathError) as caught:
        way(443, BRIEF_LOOK_UP, "vc.test")
    assert caught.value.code == "unknown_name", caught.value.sentence()
    assert "no name server" in caught.value.message
    assert "DNS" in caught.value.cure


def test_a_proxy_whose_name_no_name_server_resolves_in_time_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    place = endpoint(443, hostname="vc.test", proxy_host="proxy.test", proxy_port=3128)
    with silent_resolver(monkeypatch), soon(), pytest.raises(DirectPathError) as caught:
        connect_session(place, read_only=True, sleep=lambda _seconds: None)
    assert (
        "the proxy proxy.test:3128 has a name that cannot be resolved: no name server answered" in caught.value.message
    )


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_no_time_limit_is_too_short_for_an_address(address: str) -> None:
    """A message about name servers would be wrong for it, even if no time is left."""
    assert {item[4][0] for item in look_up(address, 443, 0.0)} == {address}


@contextmanager
def silent_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    over = threading.Event()

    def resolve(*_arguments: Any, **_options: Any) -> Any:
        over.wait(3 * LONGEST)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    try:
        yield
    finally:
        over.set()


def test_a_proxy_that_lets_through_is_gone_through() -> None:
    """The whole way: version look-up, SOAP, and the certificate of the server behind it."""
    sim = Simulator.from_lab(str(Path(__file__).resolve().parents[5] / "simulator" / "labs" / "home.yml"))
    account = next(iter(sim.authz.users.values()))
    asked: list[bytes] = []
    with sim.serve() as server:

        def tunnel(sock: socket.socket) -> None:
            asked.append(sock.recv(65536).split(b"\r\n")[0])
            with socket.create_connection(("127.0.0.1", server.port)) as behind:
                sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _pass_on(sock, behind)

        with rude.serving(tunnel) as port:
            place = Endpoint(
                hostname="localhost",
                port=server.port,
                username=account.name,
                password=account.password,
                ca_path=str(server.ca_file),
                proxy_host="127.0.0.1",
                proxy_port=port,
            )
            session = connect_session(place, read_only=True)
            assert session.is_vcenter is False
            session.close()
    assert asked
    assert set(asked) == {f"CONNECT localhost:{server.port} HTTP/1.1".encode()}


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    while True:
        for ready in select.select([one, other], [], [], 5)[0]:
            data = ready.recv(65536)
            if not data:
                return
            (other if ready is one else one).sendall(data)


@pytest.mark.parametrize("proxy", ["https://proxy.test:1", "socks5://proxy.test", "http://", "http://proxy.test?x=1"])
def test_a_proxy_of_a_controller_that_cannot_be_used_is_refused_before_anything_is_connected(proxy: str) -> None:
    with pytest.raises(InputError, match="proxy"):
        BmcAccess(address="bmc.test", username="a", password="b", proxy=proxy)


# -- what is said ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer", [b"", b"220 mail.lab ESMTP ready\r\n", b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"], ids=repr
)
def test_nothing_is_said_of_writes_before_a_login(answer: bytes, certificates: Certificates) -> None:
    with rude.serving(rude.says(answer), certificates) as port, pytest.raises(DirectPathError) as caught:
        first_contact(port, PATIENT)
    assert "write" not in caught.value.sentence()
    assert "log in on 127.0.0.1" in caught.value.message


@pytest.mark.parametrize(
    "status", [b"302 Found", b"401 Unauthorized", b"404 Not Found"], ids=lambda status: status.decode()
)
def test_a_web_server_that_sends_elsewhere_is_no_broken_connection(status: bytes, certificates: Certificates) -> None:
    answer = b"HTTP/1.1 " + status + b"\r\nLocation: https://vc.test/ui\r\nContent-Length: 0\r\n\r\n"
    with rude.serving(rude.says(answer), certificates) as port, pytest.raises(DirectPathError) as caught:
        first_contact(port, PATIENT)
    assert caught.value.code == "not_vsphere"
    assert "hostname and port" in caught.value.cure


def trusting_vcenter(port: int, trusted: str) -> None:
    place = Endpoint(hostname="localhost", port=port, username="a", password="b", ca_path=trusted)
    connect_session(place, read_only=True, sleep=lambda _seconds: None)


def trusting_controller(port: int, trusted: str) -> None:
    access = BmcAccess(address=f"localhost:{port}", username="a", password="b", ca_path=trusted)
    Bmc(access, sleep=lambda _seconds: None).power_state()


@pytest.mark.parametrize("early", [True, False], ids=["not yet valid", "expired"])
@pytest.mark.parametrize("way", [trusting_vcenter, trusting_controller], ids=lambda way: way.__name__)
def test_a_certificate_outside_its_dates_points_at_the_clocks_with_both_times(
    early: bool, way: Callable[[int, str], None], tmp_path: Path
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    days = (3, 9) if early else (-9, -3)
    dates = (now + timedelta(days=days[0]), now + timedelta(days=days[1]))
    made = rude.dated(*dates)
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(made.ca)
    date = b"Fri, 04 Dec 2026 10:00:00 GMT"
    script = rude.says(b"HTTP/1.1 404 No\r\nDate: " + date + b"\r\nContent-Length: 0\r\n\r\n")
    with rude.serving(script, made) as port, pytest.raises(DirectPathError) as caught:
        way(port, str(trusted))
    told = caught.value
    assert told.code == ("certificate_not_yet_valid" if early else "certificate_expired")
    assert dates[0 if early else 1].strftime("%Y-%m-%dT%H:%M:%SZ") in told.message
    between = (now, datetime.now(UTC))
    assert any(moment.strftime("%Y-%m-%dT%H:") in told.message for moment in between)
    assert "2026-12-04T10:00:00Z by the clock of the server" in told.message
    assert "clock" in told.cure
    assert "NTP" in told.cure


@pytest.mark.parametrize("year", [1999, 2049, 2051], ids=str)
def test_dates_of_a_certificate_are_read_in_both_forms(year: int) -> None:
    begin, end = datetime(year, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(year + 1, 1, 2, tzinfo=UTC)
    found = validity_of(ssl.PEM_cert_to_DER_cert(rude.dated(begin, end).server.decode()))
    assert (found.begin, found.end) == (begin, end)


@pytest.mark.parametrize("text", [b"", b"0", b"0\x82", b"\x30\x03\x02\x01\x01", b"\xff" * 100], ids=repr)
def test_what_is_no_certificate_has_no_dates(text: bytes) -> None:
    with pytest.raises(ValueError, match="not a certificate"):
        validity_of(text)
