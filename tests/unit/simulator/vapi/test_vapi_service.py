# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions, releases, rights and the journal of the Automation API, as any HTTP client meets it: no plugin is used here."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from typing import Any

import pytest

from simulator import Simulator
from simulator.core.faults import Dropped
from simulator.core.journal import READS
from simulator.vapi.associations import ASSOCIATIONS
from simulator.vapi.operations import OPERATIONS
from simulator.vapi.service import answer
from simulator.web import Request
from tests.unit.simulator.vapi.vapi_client import ADMIN, BASES, CATEGORY, HEADER, KNOWS_9, LOGINS, Client, lab, vm

# -- sessions -------------------------------------------------------------------------------------------------------


def test_a_wrong_password_and_no_session_are_refused(client: Client) -> None:
    for found in (
        client.login(password="wrong"),
        client.login(user="nobody@vsphere.local"),
        client.send("POST", LOGINS[client.dialect]),
        client.send("GET", BASES[client.dialect] + "tag"),
        client.send("GET", BASES[client.dialect] + "tag", headers={HEADER: "wrong"}),
    ):
        assert (found.status, client.error(found)) == (401, "unauthenticated")
        assert "Authentication required." in str(found.body)


def test_session_information_and_logout(client: Client, sim: Simulator) -> None:
    sim.clock.advance(100)
    mine = {HEADER: client.key}
    info = client.value(client.send("GET", LOGINS[client.dialect], headers=mine))
    assert info["user"] == ADMIN
    assert info["created_time"] < info["last_accessed_time"]
    if client.dialect == "rest":
        assert client.send("POST", f"{LOGINS['rest']}?~action=get", headers=mine).body == {"value": info}
    assert client.send("DELETE", LOGINS[client.dialect], headers=mine).status == (
        200 if client.dialect == "rest" else 204
    )
    assert client.ask("GET", "tag").status == 401


def test_a_session_is_good_for_both_dialects(sim: Simulator) -> None:
    rest = Client(sim)
    assert rest.send("GET", "/api/cis/tagging/tag", headers={HEADER: rest.key}).status == 200


def test_the_cookie_is_good_for_the_older_dialect_only(sim: Simulator) -> None:
    rest = Client(sim)
    cookie = rest.login().headers["Set-Cookie"].partition(";")[0]
    assert rest.send("GET", f"{BASES['rest']}tag", headers={"cookie": cookie}).status == 200
    assert rest.send("GET", f"{BASES['api']}tag", headers={"cookie": cookie}).status == 401
    bare = rest.login(**{"vmware-use-header-authn": "true"})
    assert "Set-Cookie" not in bare.headers


def test_sessions_end_when_idle(client: Client, sim: Simulator) -> None:
    for _unused in range(3):
        sim.clock.advance(290)
        assert client.ask("GET", "tag").status == 200
    sim.clock.advance(310)
    assert client.ask("GET", "tag").status == 401
    sim.knobs.vapi_session_idle_seconds = 10.0
    again = Client(sim, client.dialect)
    sim.clock.advance(11)
    assert again.ask("GET", "tag").status == 401


@pytest.mark.parametrize("event", ["end_sessions", "restart_vcenter"])
def test_sessions_end_with_those_of_the_sdk_and_tags_stay(client: Client, sim: Simulator, event: str) -> None:
    tag = sim.tags.attach("A/one", "web-01")
    sim.events[event]()
    sim.clock.advance(130)
    assert client.ask("GET", "tag").status == 401
    assert Client(sim, client.dialect).get("tag") == [tag.id]


def test_it_is_away_with_the_endpoint(client: Client, sim: Simulator) -> None:
    sim.go_offline("drop")
    with pytest.raises(Dropped):
        client.login()
    sim.go_offline("503")
    found = client.login()
    assert (found.status, found.body, found.content_type) == (503, None, "text/plain; charset=utf-8")
    sim.go_online()
    assert client.login().status < 300


# -- releases and the knob ------------------------------------------------------------------------------------------


def status(sim: Simulator, dialect: str) -> int:
    basic = base64.b64encode(f"{ADMIN}:VMware1!".encode()).decode()
    login = Request(verb="POST", path=LOGINS[dialect], headers={"authorization": f"Basic {basic}"})
    return answer(sim, login).status


@pytest.mark.parametrize(
    ("release", "rest", "api"),
    [
        ("6.0", 404, 404),
        ("6.5", 200, 404),
        ("6.7", 200, 404),
        ("7.0", 200, 404),
        ("7.0.3", 200, 201),
        pytest.param("9.0", 200, 201, marks=pytest.mark.skipif(not KNOWS_9, reason="this pyVmomi is older than 9.1")),
    ],
)
def test_releases(release: str, rest: int, api: int) -> None:
    sim = Simulator.from_lab(lab(version=release))
    assert (status(sim, "rest"), status(sim, "api")) == (rest, api)


@pytest.mark.parametrize(
    ("setting", "rest", "api"),
    [("both", 200, 201), ("rest_only", 200, 404), ("api_only", 404, 201), ("down", 503, 503)],
)
def test_what_answers(sim: Simulator, setting: str, rest: int, api: int) -> None:
    sim.knobs.vapi = setting
    assert (status(sim, "rest"), status(sim, "api")) == (rest, api)
    assert sim.stub().connect().content.about.apiType == "VirtualCenter", "the SDK does not mind"


def test_an_esxi_host_has_none() -> None:
    sim = Simulator.from_lab({"kind": "esxi", "version": "8.0.3", "name": "esx", "host": {}})
    assert (status(sim, "rest"), status(sim, "api")) == (404, 404)
    assert sim.journal.calls == []


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", "/rest/vcenter/vm"),
        ("GET", "/api/vcenter/vm"),
        ("PUT", "/api/content/library"),
        ("GET", "/rest/com/vmware/cis/tagging/tag/urn:no-mark"),
        ("GET", "/rest/com/vmware/cis/tagging/session"),
        ("POST", "/rest/com/vmware/cis/tagging/tag-association?~action=list-attachable-tags"),
        ("POST", "/api/cis/tagging/tag-association?~action=list-attached-tags"),
        ("POST", "/api/session?action=get"),
    ],
)
def test_what_is_not_modelled_says_so(client: Client, verb: str, path: str) -> None:
    found = client.send(verb, path, {}, {HEADER: client.key})
    assert found.status == 404
    assert "not modelled" in str(found.body)


# -- rights ---------------------------------------------------------------------------------------------------------


def rights(*privileges: str, **more: Any) -> Simulator:
    account = {"name": "tagger", "role": "Tagger"}
    admin = {"name": ADMIN, "role": "Admin"}
    named = [f"InventoryService.Tagging.{item}" for item in privileges]
    return Simulator.from_lab(lab(roles={"Tagger": named}, users=[admin, account], **more))


def test_reading_needs_no_more_than_to_read(sim: Simulator) -> None:
    tag = sim.tags.attach("A/one", "web-01")
    reader = Client(sim, user="reader@vsphere.local")
    assert reader.get("tag", tag.id)["name"] == "one"
    assert reader.post("tag-association", key=tag.id, action="list-attached-objects") == [vm(sim, "web-01")]
    for found in (
        reader.create("category", **CATEGORY),
        reader.create("tag", name="b", description="", category_id=tag.category.id),
        reader.ask("DELETE", "tag", key=tag.id),
        reader.ask("DELETE", "category", key=tag.category.id),
        reader.ask("POST", "tag-association", {"object_id": vm(sim)}, key=tag.id, action="attach"),
        reader.ask("POST", "tag-association", {"object_id": vm(sim, "web-01")}, key=tag.id, action="detach"),
    ):
        assert (found.status, reader.error(found)) == (403, "unauthorized")
    assert sim.tags.of("web-01") == ["A/one"]


def test_each_change_has_its_own_privilege() -> None:
    sim = rights("CreateCategory", "AttachTag")
    tag = sim.tags.attach("A/one", "web-01")
    tagger = Client(sim, user="tagger")
    assert tagger.create("category", **CATEGORY).status == 200
    assert tagger.create("tag", name="b", description="", category_id=tag.category.id).status == 403
    tagger.post("tag-association", {"object_id": vm(sim)}, key=tag.id, action="attach")
    assert sim.tags.of("train-01") == ["A/one"]


def test_objects_an_account_may_not_read_are_left_out() -> None:
    hidden = [{"user": "tagger", "role": "NoAccess", "on": "web-01"}]
    sim = rights("AttachTag", permissions=hidden)
    tag = sim.tags.attach("A/one", "web-01")
    sim.tags.attach("A/one", "web-02")
    tagger = Client(sim, user="tagger")
    assert tagger.post("tag-association", key=tag.id, action="list-attached-objects") == [vm(sim, "web-02")]
    bulk = {"object_ids": [vm(sim, "web-01"), vm(sim, "web-02")]}
    found = tagger.post("tag-association", bulk, action="list-attached-tags-on-objects")
    assert [row["object_id"] for row in found] == [vm(sim, "web-02")]
    secret = {"object_id": vm(sim, "web-01")}
    assert tagger.ask("POST", "tag-association", secret, action="list-attached-tags").status == 403
    assert tagger.ask("POST", "tag-association", secret, key=tag.id, action="attach").status == 403


def test_an_account_that_may_read_nothing_sees_no_tags() -> None:
    nobody = [{"name": ADMIN, "role": "Admin"}, {"name": "nobody", "role": "NoAccess"}]
    sim = Simulator.from_lab(lab(users=nobody))
    tag = sim.tags.attach("A/one", "web-01")
    client = Client(sim, user="nobody")
    assert (client.get("tag"), client.get("category")) == ([], [])
    assert client.ask("GET", "tag", key=tag.id).status == 403


# -- journal, faults, stops -----------------------------------------------------------------------------------------


def test_the_journal_knows_reads_from_writes(client: Client, sim: Simulator) -> None:
    tag = sim.tags.attach("A/one", "web-01")
    client.get("tag", tag.id)
    client.post("tag-association", {"object_id": vm(sim)}, action="list-attached-tags")
    client.ask("GET", "tag", key="urn:gone")
    client.login(password="wrong")
    client.send("DELETE", LOGINS[client.dialect], headers={HEADER: client.key})
    assert sim.journal.writes() == []
    assert [(entry.method, entry.outcome) for entry in sim.journal.calls] == [
        ("Rest.Login", "ok"),
        ("Tagging.GetTag", "ok"),
        ("Tagging.ListAttachedTags", "ok"),
        ("Tagging.GetTag", "http 404"),
        ("Rest.Login", "http 401"),
        ("Rest.Logout", "ok"),
    ]
    sim.journal.clear()
    Client(sim, client.dialect).post("tag-association", {"object_id": vm(sim)}, key=tag.id, action="attach")
    (entry,) = sim.journal.writes()
    assert (entry.method, entry.name, entry.moid, entry.user) == (
        "Tagging.Attach", "train-01", vm(sim)["id"], ADMIN,
    )  # fmt: skip
    assert entry.effect
    assert "VMware1!" not in str([entry.as_dict() for entry in sim.journal.calls])


def test_every_operation_is_on_the_right_list() -> None:
    words = {item.method for item in [*OPERATIONS.values(), *ASSOCIATIONS.values()]}
    reads = {word for word in words if word.split(".")[1].startswith(("Get", "List"))}
    assert words & READS == reads
    assert len(words - reads) == 12


def test_fault_rules(client: Client, sim: Simulator) -> None:
    tag = sim.tags.attach("A/one", "web-01")
    sim.faults.add(method="Tagging.GetTag", http=503, times=1)
    assert client.ask("GET", "tag", key=tag.id).status == 503
    sim.faults.add(method="Tagging.GetTag", fault="NotAuthenticated", times=1)
    assert client.error(client.ask("GET", "tag", key=tag.id)) == "unauthenticated"
    sim.faults.add(method="Rest.Login", drop="before", times=1)
    with pytest.raises(Dropped):
        client.login()
    sim.faults.add(method="Tagging.Attach", name="train-01", drop="after", times=1)
    with pytest.raises(Dropped):
        client.ask("POST", "tag-association", {"object_id": vm(sim)}, key=tag.id, action="attach")
    assert sim.tags.of("train-01") == ["A/one"]
    assert [(entry.outcome, entry.effect) for entry in sim.journal.writes()] == [("dropped", True)]
    assert client.get("tag", tag.id)["name"] == "one"


def test_stops_are_called_at_writes_only(client: Client, sim: Simulator) -> None:
    tag = sim.tags.attach("A/one", "web-01")
    seen: list[tuple[str, str, list[str]]] = []
    for when in ("before", "after"):
        sim.on_write(1, lambda write: seen.append((write.when, write.name, sim.tags.of("train-01"))), when=when)
    client.get("tag", tag.id)
    assert seen == []
    client.post("tag-association", {"object_id": vm(sim)}, key=tag.id, action="attach")
    assert seen == [("before", "train-01", []), ("after", "train-01", ["A/one"])]


# -- over the network -----------------------------------------------------------------------------------------------


def test_over_tls(sim: Simulator) -> None:
    tag = sim.tags.attach("A/one", "web-01")
    basic = {"Authorization": "Basic " + base64.b64encode(f"{ADMIN}:VMware1!".encode()).decode()}
    answered: list[str] = []
    with sim.serve() as server:
        context = ssl.create_default_context(cafile=str(server.ca_file))
        connection = http.client.HTTPSConnection("localhost", server.port, context=context, timeout=60)

        def ask(verb: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
            connection.request(verb, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, response.read().decode()

        connection.putrequest("POST", LOGINS["api"])  # without a Content-Length, as curl -X POST sends it
        connection.putheader("Authorization", basic["Authorization"])
        connection.endheaders()
        response = connection.getresponse()
        key = {HEADER: json.loads(response.read())}
        assert response.status == 201
        assert ask("GET", f"{BASES['rest']}tag", **key) == (200, json.dumps({"value": [tag.id]}))
        sim.on_write(1, lambda write: answered.append(write.method), when="answered")
        assert ask("POST", f"{BASES['api']}tag-association/{tag.id}?action=attach", {"object_id": vm(sim)}, **key) == (
            204,
            "",
        )
        assert ask("PATCH", f"{BASES['api']}tag/{tag.id}", {"description": "new"}, **key) == (204, "")
        assert ask("GET", "/api/vcenter/vm")[0] == 404
        sim.knobs.vapi = "down"
        assert ask("GET", f"{BASES['api']}tag", **key)[0] == 503
        connection.close()
    assert answered == ["Tagging.Attach"]
    assert sim.tags.named("A/one").description == "new"
    assert sim.tags.of("train-01") == ["A/one"]


def test_passwords_go_over_tls_only(sim: Simulator) -> None:
    with sim.serve(control_port=0) as server:
        port = int(server.control_url.rsplit(":")[-1].split("/")[0])
        connection = http.client.HTTPConnection("localhost", port, timeout=60)
        connection.request("POST", LOGINS["api"], b"")
        assert connection.getresponse().status == 404
        connection.close()
    assert sim.journal.count("Rest.Login") == 0
