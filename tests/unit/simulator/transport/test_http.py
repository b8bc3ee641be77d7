# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint as a client on the network sees it."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pyVim.connect import SmartConnect
from pyVmomi import vim, vmodl

from simulator import Simulator
from simulator.api.takes import takes
from simulator.api.versions import for_product
from simulator.transport import soap
from simulator.transport.http import Server
from tests.unit.simulator.inventory import build
from tests.unit.simulator.specs import container, host, objects, view_spec, vm

ENVELOPE = (
    '<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>{}</soapenv:Body></soapenv:Envelope>'
)
CONTENT = '<RetrieveServiceContent xmlns="urn:vim25"><_this type="ServiceInstance">ServiceInstance</_this></RetrieveServiceContent>'


@pytest.fixture
def connection(server: Server) -> Iterator[http.client.HTTPSConnection]:
    context = ssl.create_default_context(cafile=str(server.ca_file))
    made = http.client.HTTPSConnection("localhost", server.port, context=context, timeout=60)
    yield made
    made.close()


def post(
    connection: http.client.HTTPSConnection, body: Any, headers: dict[str, str] | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    connection.request("POST", "/sdk", body, {"SOAPAction": '"urn:vim25/8.0.3.0"', **(headers or {})})
    response = connection.getresponse()
    return response, response.read()


def test_smart_connect_with_verification_on(server: Server, smart_connect: Callable[..., Any]) -> None:
    si = smart_connect(server)
    assert si._stub.version == "vim.version.v8_0_3_0"
    assert si.content.sessionManager.currentSession.userName == "administrator@vsphere.local"


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_the_certificate_is_good_for_every_name_of_the_loopback(server: Server, name: str) -> None:
    context = ssl.create_default_context(cafile=str(server.ca_file))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        wrapped = context.wrap_socket(raw, server_hostname=name)
        assert wrapped.version() in ("TLSv1.2", "TLSv1.3")
        wrapped.close()


def test_a_client_that_does_not_trust_the_ca_fails(server: Server) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with socket.create_connection(("127.0.0.1", server.port)) as raw, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(raw, server_hostname="localhost")


def test_the_server_listens_on_the_loopback_only(server: Server) -> None:
    assert [listener.server_address[0] for listener in server._listeners] == ["127.0.0.1"]


@pytest.mark.parametrize("release", ["5.5", "6.7", "7.0.3", "8.0", "8.0.3"])
def test_a_client_negotiates_the_endpoints_version(release: str, smart_connect: Callable[..., Any]) -> None:
    with build({"version": release}).serve() as server:
        si = smart_connect(server)
        assert si._stub.version == for_product(release)
        assert [item.name for item in objects(si, vim.HostSystem)] == ["esx-01", "esx-02", "esx-03"]


def test_several_requests_on_one_connection(connection: http.client.HTTPSConnection, sim: Simulator) -> None:
    for _unused in range(3):
        response, body = post(connection, ENVELOPE.format(CONTENT))
        assert response.status == 200
        assert b"<RetrieveServiceContentResponse" in body
    assert sim.journal.counters.http_connections == 1
    assert sim.journal.counters.http_requests == 3


def test_gzip_only_when_asked(connection: http.client.HTTPSConnection) -> None:
    plain, body = post(connection, ENVELOPE.format(CONTENT))
    assert plain.getheader("Content-Encoding") is None
    zipped, packed = post(connection, ENVELOPE.format(CONTENT), {"Accept-Encoding": "gzip, deflate"})
    assert zipped.getheader("Content-Encoding") == "gzip"
    assert len(packed) < len(body)
    assert gzip.decompress(packed) == body


def test_chunked_requests(connection: http.client.HTTPSConnection) -> None:
    text = ENVELOPE.format(CONTENT).encode()
    connection.request("POST", "/sdk", iter([text[:100], text[100:]]), {}, encode_chunked=True)
    assert connection.getresponse().status == 200


def test_a_login_sets_the_cookie_and_the_cookie_is_the_session(
    connection: http.client.HTTPSConnection, sim: Simulator
) -> None:
    login = (
        '<Login xmlns="urn:vim25"><_this type="SessionManager">SessionManager</_this>'
        "<userName>administrator@vsphere.local</userName><password>VMware1!</password></Login>"
    )
    response, _unused = post(connection, ENVELOPE.format(login))
    cookie = response.getheader("Set-Cookie") or ""
    assert re.fullmatch(r'vmware_soap_session="[0-9a-f-]+"; Path=/; HttpOnly; Secure;', cookie)
    now = '<CurrentTime xmlns="urn:vim25"><_this type="ServiceInstance">ServiceInstance</_this></CurrentTime>'
    good, _unused = post(connection, ENVELOPE.format(now), {"Cookie": cookie})
    bad, fault = post(connection, ENVELOPE.format(now), {"Cookie": "vmware_soap_session=guess"})
    assert (good.status, bad.status) == (200, 500)
    assert b'<NotAuthenticatedFault xmlns="urn:vim25" xsi:type="NotAuthenticated">' in fault
    assert good.getheader("Set-Cookie") is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("not xml", "not well-formed"),
        ("<a/>", "no method"),
        (ENVELOPE.format(""), "no method"),
        (ENVELOPE.format(CONTENT.replace("_this", "that")), "no parameter that"),
        (
            ENVELOPE.format(
                '<Login xmlns="urn:vim25"><_this type="NoSuchType">x</_this><userName>a</userName></Login>'
            ),
            "cannot understand",
        ),
    ],
)
def test_a_request_that_makes_no_sense_is_invalid(
    connection: http.client.HTTPSConnection, body: str, message: str
) -> None:
    response, text = post(connection, body)
    assert response.status == 500
    assert b"InvalidRequest" in text
    assert message.encode() in text


def test_a_method_the_api_has_not_is_method_not_found(server: Server, smart_connect: Callable[..., Any]) -> None:
    si = smart_connect(server)
    connection = si._stub.GetConnection()
    body = '<MakeCoffee xmlns="urn:vim25"><_this type="HostSystem">host-1</_this><sugar>2</sugar></MakeCoffee>'
    response, text = post(connection, ENVELOPE.format(body), {"Cookie": si._stub.cookie})
    assert response.status == 500
    assert b'<MethodNotFoundFault xmlns="urn:vim25" xsi:type="MethodNotFound">' in text
    assert b"<method>MakeCoffee</method>" in text


def test_fault_details_arrive_whole(server: Server, smart_connect: Callable[..., Any], sim: Simulator) -> None:
    target = vm(smart_connect(server))
    cause = vim.fault.GenericVmConfigFault(msg="inner <text>", reason="r")
    cause.faultMessage = [vmodl.LocalizableMessage(key="msg.x", message="said & done")]
    fault = vim.fault.GenericVmConfigFault(msg="outer", reason="why", faultCause=cause)
    fault.faultMessage = [vmodl.LocalizableMessage(key="a", message="b"), vmodl.LocalizableMessage(key="c")]

    @takes("spec")
    def refuse(*_: Any) -> None:
        raise fault

    sim.find("VirtualMachine", "vm-01").ReconfigVM_Task = refuse
    with pytest.raises(vim.fault.GenericVmConfigFault) as caught:
        target.ReconfigVM_Task(vim.vm.ConfigSpec())
    got = caught.value
    assert (got.msg, got.reason) == ("outer", "why")
    assert [(item.key, item.message) for item in got.faultMessage] == [("a", "b"), ("c", None)]
    assert isinstance(got.faultCause, vim.fault.GenericVmConfigFault)
    assert got.faultCause.msg == "inner <text>"


def test_a_fault_newer_than_the_client_arrives_as_its_ancestor() -> None:
    fault = vim.fault.InsufficientGraphicsResourcesFault()
    assert "<InsufficientGraphicsResourcesFaultFault" in soap.encode_fault(fault, for_product("8.0.3"))
    assert "<InsufficientResourcesFaultFault" in soap.encode_fault(fault, for_product("5.5"))


def test_a_simulator_bug_is_a_system_error_and_remembered(
    server: Server, smart_connect: Callable[..., Any], sim: Simulator
) -> None:
    target = vm(smart_connect(server))
    sim.find("VirtualMachine", "vm-01").props["runtime"] = vim.vm.RuntimeInfo()
    with pytest.raises(vmodl.fault.SystemError, match="required field"):
        _unused = target.runtime
    assert len(sim.internal_errors) == 1


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/sdk/vimServiceVersions.xml", 200),
        ("GET", "/sdk/vimService.wsdl", 404),
        ("GET", "/api/vcenter/host", 404),
        ("POST", "/rest/com/vmware/cis/session", 401),
        ("PATCH", "/sdk", 404),
        ("DELETE", "/sdk", 404),
    ],
)
def test_other_addresses(connection: http.client.HTTPSConnection, verb: str, path: str, status: int) -> None:
    connection.request(verb, path, b"" if verb == "POST" else None)
    assert connection.getresponse().status == status


def test_many_clients_at_once(server: Server, sim: Simulator) -> None:
    """Each reads all it needs; nobody sees another's session, nothing is lost."""
    errors: list[Exception] = []
    names: list[list[str]] = []

    def work() -> None:
        try:
            context = ssl.create_default_context(cafile=str(server.ca_file))
            si = SmartConnect(
                host="localhost",
                port=server.port,
                user="administrator@vsphere.local",
                pwd="VMware1!",
                sslContext=context,
            )
            view = container(si, vim.HostSystem)
            for _unused in range(5):
                spec = view_spec(view, vim.HostSystem, "name")
                found = si.content.propertyCollector.RetrieveProperties([spec])
                names.append([item.propSet[0].val for item in found])
            si.content.sessionManager.Logout()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _unused in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert names == [["esx-01", "esx-02", "esx-03"]] * 40
    assert sim.sessions.by_key == {}
    assert sim.journal.counters.logins == 8


def test_an_endpoint_that_goes_offline_drops_connections_and_comes_back(
    server: Server,
    smart_connect: Callable[..., Any],
    sim: Simulator,
    connection: http.client.HTTPSConnection,
) -> None:
    si = smart_connect(server)
    sim.go_offline()
    with pytest.raises((OSError, http.client.HTTPException)):
        si.CurrentTime()
    with pytest.raises(http.client.RemoteDisconnected):
        post(connection, ENVELOPE.format(CONTENT))
    sim.go_online()
    with pytest.raises(vim.fault.NotAuthenticated):
        si.CurrentTime()
    assert smart_connect(server).content.about.apiType == "VirtualCenter"


def test_stopping_ends_sessions_and_frees_the_port(sim: Simulator) -> None:
    with sim.serve() as server:
        port, ca_file = server.port, server.ca_file
        context = ssl.create_default_context(cafile=str(ca_file))
        si = SmartConnect(
            host="localhost", port=port, user="administrator@vsphere.local", pwd="VMware1!", sslContext=context
        )
        assert host(si).name == "esx-01"
    assert sim.sessions.by_key == {}
    assert not ca_file.exists()
    with sim.serve(port=port) as again:
        assert again.port == port


# -- control page -------------------------------------------------------------------------------------------------


def control(
    connection: http.client.HTTPSConnection, verb: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any]:
    sent = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    connection.request(verb, f"/control{path}", None if body is None else json.dumps(body), sent)
    response = connection.getresponse()
    text = response.read()
    is_json = response.getheader("Content-Type") == "application/json"
    return response.status, json.loads(text) if is_json else text.decode()


def test_the_control_page_is_html_a_person_can_read(connection: http.client.HTTPSConnection, sim: Simulator) -> None:
    sim.describe = lambda _: {"hosts": [{"name": "esx<01>", "devices": [{"address": "0000:3b:00.0"}]}]}
    status, page = control(connection, "GET", "")
    assert status == 200
    assert "<h2>Hosts</h2>" in page
    assert "esx&lt;01&gt;" in page
    assert "0000:3b:00.0" in page
    assert "page_size" in page


def test_control_injects_and_clears_faults(connection: http.client.HTTPSConnection, sim: Simulator) -> None:
    rule = {"method": "CurrentTime", "fault": "HostNotReachable", "times": 1}
    assert control(connection, "POST", "/faults", rule)[0] == 200
    with pytest.raises(vmodl.fault.HostNotReachable):
        sim.stub().connect().CurrentTime()
    status, listed = control(connection, "GET", "/faults")
    assert (status, listed[0]["hits"]) == (200, 1)
    control(connection, "DELETE", "/faults")
    assert sim.faults.rules == []


def test_control_shows_and_turns_knobs(connection: http.client.HTTPSConnection, sim: Simulator) -> None:
    assert control(connection, "POST", "/knobs", {"page_size": 3})[0] == 200
    assert sim.knobs.page_size == 3
    assert control(connection, "POST", "/knobs", {"object": "esx-01", "page_size": 4})[0] == 200
    assert sim.find("HostSystem", "esx-01").knob("page_size") == 4
    assert control(connection, "GET", "/knobs")[1]["page_size"]["value"] == 3


def test_control_moves_the_clock_and_runs_events(connection: http.client.HTTPSConnection, sim: Simulator) -> None:
    seen = []

    def pull(address: str) -> str:
        """Pull a card."""
        seen.append(address)
        return "pulled"

    sim.events["pull"] = pull
    assert control(connection, "GET", "/events")[1] == {"pull": "Pull a card."}
    assert control(connection, "POST", "/events/pull", {"address": "a"}) == (200, {"result": "pulled"})
    assert control(connection, "POST", "/events/pull", {"address": "b", "in_seconds": 60}) == (200, {"result": None})
    assert seen == ["a"]
    assert control(connection, "POST", "/clock", {"advance": 60})[0] == 200
    assert sim.clock.seconds() == 60
    assert seen == ["a", "b"]


def test_control_shows_journal_and_counters(connection: http.client.HTTPSConnection, sim: Simulator) -> None:
    si = sim.stub().connect()
    vm(si).PowerOnVM_Task()
    status, writes = control(connection, "GET", "/journal?writes=1")
    assert status == 200
    assert [(entry["method"], entry["outcome"]) for entry in writes] == [("PowerOnVM_Task", "ok")]
    counters = control(connection, "GET", "/counters")[1]
    assert (counters["logins"], counters["writes"], counters["sessions"]) == (1, 1, 1)
    control(connection, "DELETE", "/journal")
    assert control(connection, "GET", "/journal")[1] == []


@pytest.mark.parametrize(
    ("verb", "path", "body", "status", "message"),
    [
        ("POST", "/faults", {"fault": "Nope"}, 400, "no fault named"),
        ("POST", "/faults", {"what": 1}, 400, "what"),
        ("POST", "/knobs", {"nope": 1}, 400, "no knob named"),
        ("POST", "/knobs", {"object": "nobody", "page_size": 1}, 400, "match 'nobody'"),
        ("POST", "/events/nope", {}, 400, "no event 'nope'"),
        ("POST", "/clock", {}, 400, "advance"),
        ("POST", "/clock", [1], 400, "JSON object"),
        ("GET", "/nothing", None, 404, "no GET"),
    ],
)
def test_control_mistakes(
    connection: http.client.HTTPSConnection, verb: str, path: str, body: Any, status: int, message: str
) -> None:
    got, answer = control(connection, verb, path, body)
    assert got == status
    assert message in answer["error"]


def test_control_answers_no_page_of_another_site(connection: http.client.HTTPSConnection, sim: Simulator) -> None:
    """A web page can neither post a form here nor reach it under a name of its own (DNS rebinding)."""
    assert control(connection, "POST", "/clock", {"advance": 5}, Content_Type="text/plain")[0] == 415
    assert control(connection, "GET", "/state", Host="evil.example")[0] == 403
    assert sim.clock.seconds() == 0


def test_the_control_port_speaks_plain_http_and_no_soap(sim: Simulator) -> None:
    with sim.serve(control_port=0) as server:
        port = int(server.control_url.split(":")[2].split("/")[0])
        plain = http.client.HTTPConnection("localhost", port, timeout=60)
        plain.request("GET", "/control/counters")
        assert json.loads(plain.getresponse().read())["calls"] == 0
        plain.request("POST", "/sdk", ENVELOPE.format(CONTENT))
        assert plain.getresponse().status == 404
        plain.close()
