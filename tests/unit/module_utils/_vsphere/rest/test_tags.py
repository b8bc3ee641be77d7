# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags, as they are read from a vCenter: over TLS, and from servers that answer nonsense."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rest import http as automation_http
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rest.http import RestReply, RestRequest
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rest.tags import TOKEN, Automation
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import (
    ATTEMPTS,
    Guard,
    Session,
    open_session,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.endpoint import Endpoint
from simulator import Simulator
from simulator.transport.http import Server

PASSWORD = "VMware1!"
LAB: dict[str, Any] = {
    "kind": "vcenter",
    "version": "8.0.3",
    "datacenters": [
        {
            "name": "DC",
            "clusters": [
                {
                    "name": "c",
                    "hosts": [{"name": "esx-01", "cards": ["x710"]}],
                    "vms": [
                        {"name": "web", "host": "esx-01", "tags": ["Tier/web", "Größe/klein & fein"]},
                        {"name": "db", "host": "esx-01", "tags": ["Tier/db", "Größe/klein & fein"]},
                        {"name": "bare", "host": "esx-01"},
                    ],
                }
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Simulator.from_lab(LAB).serve() as running:
        yield running


def endpoint(server: Server, **options: Any) -> Endpoint:
    values = {"port": server.port, "ca_path": str(server.ca_file), **options}
    return Endpoint(
        **{"hostname": "localhost", "username": "administrator@vsphere.local", "password": PASSWORD, **values}
    )


@contextmanager
def connected(server: Server) -> Iterator[Session]:
    with open_session(endpoint(server), read_only=True) as session:
        yield session


@pytest.mark.parametrize("vapi", ["both", "rest_only", "api_only"])
def test_over_tls(server: Server, vapi: str) -> None:
    sim = server.sim
    sim.knobs.set("vapi", vapi)
    moids = {name: sim.find("VirtualMachine", name).moid for name in ("web", "db")}
    with connected(server) as session:
        sim.journal.clear()
        before = session.calls
        tags = Automation(session=session)
        categories = {name: key for key, name in tags.categories().items()}
        assert set(categories) == {"Tier", "Größe"}
        sizes, tiers = tags.tags_of(categories["Größe"]), tags.tags_of(categories["Tier"])
        assert sorted(sizes.values()) == ["klein & fein"]
        assert sorted(tiers.values()) == ["db", "web"]
        found = tags.tagged_vms({*sizes, *tiers})
        assert {(sizes | tiers)[key]: on for key, on in found.items()} == {
            "klein & fein": frozenset(moids.values()),
            "web": frozenset({moids["web"]}),
            "db": frozenset({moids["db"]}),
        }
        tags.close()
        assert sim.journal.writes() == []
        # One more where the dialect that is tried first is not there.
        assert session.calls - before == len(sim.journal.calls) == (12 if vapi == "rest_only" else 11)
        assert [sim.journal.calls[-1].method, sim.journal.calls[-1].outcome] == ["Rest.Logout", "ok"]


def test_a_wrong_password_is_told_once_and_without_it(server: Server) -> None:
    with connected(server) as session:
        session.endpoint = endpoint(server, password="Wrong-Secret")
        server.sim.journal.clear()
        with pytest.raises(DirectPathError, match=r"rejects the login of administrator@vsphere\.local") as caught:
            Automation(session=session).categories()
        assert caught.value.code == "tags_unreadable"
        assert "Wrong-Secret" not in caught.value.sentence()
        assert len(server.sim.journal.calls) == 1, "accounts are locked after a few"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ca_path": None}, "TLS certificate is not trusted"),
        ({"port": 9}, "nothing listens there"),
        ({"hostname": "no-such-name.invalid"}, "the name cannot be resolved"),
        ({"proxy_host": "localhost", "proxy_port": 9}, "Cannot read tags on"),
    ],
)
def test_why_there_is_no_answer(server: Server, options: dict[str, Any], words: str) -> None:
    with connected(server) as session:
        session.endpoint = endpoint(server, **options)
        session.stub.sleep = lambda _seconds: None
        with pytest.raises(DirectPathError, match=words) as caught:
            Automation(session=session).categories()
        assert caught.value.code == "tags_unreadable"


# -- answers no honest server gives ---------------------------------------------------------------------------------


class Says:
    """Answers a login, and then what a test says: replies, or what is raised instead of one."""

    def __init__(self, *answers: RestReply | OSError, login: RestReply | None = None) -> None:
        self.answers = list(answers)
        self.login = login or RestReply(status=201, body="token")
        self.asked: list[tuple[RestRequest, Mapping[str, str]]] = []

    def send(self, request: RestRequest, headers: Mapping[str, str]) -> RestReply:
        self.asked.append((request, headers))
        if "Authorization" in headers:
            return self.login
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, OSError):
            raise found
        return found

    def close(self) -> None:
        """Nothing is open."""


def asks(monkeypatch: pytest.MonkeyPatch, says: Says, version: str = "8.0.3.0") -> Automation:
    monkeypatch.setattr(automation_http, "open_http", lambda _endpoint: says)
    session = SimpleNamespace(
        endpoint=Endpoint(hostname="vc.test", username="me", password="Secret-Word"),
        content=SimpleNamespace(about=SimpleNamespace(apiVersion=version)),
        stub=Guard(),
    )
    session.stub.sleep = lambda _seconds: None
    made: Any = session
    return Automation(session=made)


@pytest.mark.parametrize(
    "body", [None, 5, "text", {"value": []}, [1], [{}], [{"tag_id": "x"}], [{"tag_id": "x", "object_ids": [3]}]]
)
def test_an_answer_of_another_form_is_no_answer(monkeypatch: pytest.MonkeyPatch, body: Any) -> None:
    tags = asks(monkeypatch, Says(RestReply(status=200, body=body)))
    if body is None:
        assert tags.tagged_vms({"x"}) == {}
        return
    with pytest.raises(DirectPathError, match="an unexpected format") as caught:
        tags.tagged_vms({"x"})
    assert caught.value.code == "tags_unreadable"


@pytest.mark.parametrize(
    "login",
    [
        RestReply(status=200),
        RestReply(status=201, body={}),
        RestReply(status=201, body=["t"]),
        RestReply(status=201, body=""),
    ],
)
def test_a_login_without_a_token_is_none(monkeypatch: pytest.MonkeyPatch, login: RestReply) -> None:
    with pytest.raises(DirectPathError, match="an unexpected format"):
        asks(monkeypatch, Says(RestReply(status=200, body=[]), login=login)).categories()


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (RestReply(status=403, body={"error_type": "UNAUTHORIZED", "messages": []}), r"HTTP 403 \(UNAUTHORIZED\)"),
        (
            RestReply(status=500, body={"type": "x", "value": {"messages": [{"default_message": "Broken."}]}}),
            r"HTTP 500 \(Broken\)",
        ),
        (RestReply(status=302), "HTTP 302"),
        (RestReply(status=503), "HTTP 503"),
    ],
)
def test_the_servers_own_words_are_told(monkeypatch: pytest.MonkeyPatch, reply: RestReply, words: str) -> None:
    with pytest.raises(DirectPathError, match=words):
        asks(monkeypatch, Says(reply)).categories()


def test_a_read_is_asked_again_a_few_times_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    busy, broken = RestReply(status=503), ConnectionResetError(104, "Connection reset by peer")
    says = Says(busy, broken, RestReply(status=200, body=[]))
    assert asks(monkeypatch, says).categories() == {}
    assert len(says.asked) == 1 + 3
    says = Says(broken)
    with pytest.raises(DirectPathError, match="the connection broke"):
        asks(monkeypatch, says).categories()
    assert len(says.asked) == 1 + ATTEMPTS


def test_a_login_that_never_holds_is_not_made_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    says = Says(RestReply(status=200, body=[]), RestReply(status=401))
    tags = asks(monkeypatch, says)
    assert tags.categories() == {}
    with pytest.raises(DirectPathError, match="HTTP 401"):
        tags.categories()
    assert sum("Authorization" in headers for _unused, headers in says.asked) == 2


@pytest.mark.parametrize(
    ("version", "first"), [("8.0.3.0", "/api/session"), ("7.0.1.0", "/rest/"), ("6.5", "/rest/"), ("dev", "/rest/")]
)
def test_the_dialect_that_is_probably_there_is_tried_first(
    monkeypatch: pytest.MonkeyPatch, version: str, first: str
) -> None:
    says = Says(RestReply(status=200, body=[]), login=RestReply(status=404))
    with pytest.raises(DirectPathError, match="HTTP 404"):
        asks(monkeypatch, says, version).categories()
    assert [request.path.startswith(first) for request, _unused in says.asked] == [True, False]


def test_nobody_sees_the_password_or_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    says = Says(RestReply(status=200, body=[]))
    tags = asks(monkeypatch, says)
    tags.categories()
    assert says.asked[-1][1][TOKEN] == "token"
    assert "token" not in repr(tags)
    assert "Secret-Word" not in repr(tags.session.endpoint)
