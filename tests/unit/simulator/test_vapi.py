# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Automation API of the simulator, as any HTTP client meets it: no plugin is used here."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyVmomi import vim

from simulator import Simulator
from simulator.faults import Dropped
from simulator.journal import READS
from simulator.vapi.associations import ASSOCIATIONS
from simulator.vapi.operations import OPERATIONS
from simulator.vapi.service import answer
from simulator.vapi.tags import Refusal
from simulator.web import Answer, Request

KNOWS_9 = hasattr(vim.host.PciPassthruInfo(), "directPathState")
LAB = Path(__file__).parents[3] / "simulator" / "labs" / "three_hosts.yml"
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


@pytest.fixture
def sim() -> Iterator[Simulator]:
    made = Simulator.from_lab(lab())
    yield made
    assert made.internal_errors == []


@pytest.fixture(params=["rest", "api"])
def client(sim: Simulator, request: pytest.FixtureRequest) -> Client:
    return Client(sim, request.param)


def vm(sim: Simulator, name: str = "train-01") -> dict[str, str]:
    return {"id": sim.find("VirtualMachine", name).moid, "type": "VirtualMachine"}


CATEGORY = {"name": "Policy", "description": "", "cardinality": "SINGLE", "associable_types": []}


# -- categories and tags --------------------------------------------------------------------------------------------


def test_a_tag_is_made_attached_read_and_removed(client: Client, sim: Simulator) -> None:
    category = client.made("category", **CATEGORY)
    tag = client.made("tag", name="never-stop", description="x", category_id=category)
    assert category.startswith("urn:vmomi:InventoryServiceCategory:")
    assert tag.startswith("urn:vmomi:InventoryServiceTag:")
    assert tag.endswith(":GLOBAL")
    assert client.get("category") == [category]
    assert client.get("category", category) == {**CATEGORY, "id": category, "used_by": []}
    assert client.get("tag") == [tag]
    described = {"id": tag, "name": "never-stop", "description": "x", "category_id": category, "used_by": []}
    assert client.get("tag", tag) == described
    assert client.post("tag", {"category_id": category}, action="list-tags-for-category") == [tag]
    assert client.post("tag-association", {"object_id": vm(sim)}, key=tag, action="attach") is None
    assert sim.tags.of("train-01") == ["Policy/never-stop"]
    assert client.post("tag-association", {"object_id": vm(sim)}, action="list-attached-tags") == [tag]
    assert client.post("tag-association", key=tag, action="list-attached-objects") == [vm(sim)]
    bulk = {"object_ids": [vm(sim), vm(sim, "web-01")]}
    assert client.post("tag-association", bulk, action="list-attached-tags-on-objects") == [
        {"object_id": vm(sim), "tag_ids": [tag]}
    ]
    assert client.post("tag-association", {"tag_ids": [tag]}, action="list-attached-objects-on-tags") == [
        {"tag_id": tag, "object_ids": [vm(sim)]}
    ]
    client.post("tag-association", {"object_id": vm(sim)}, key=tag, action="detach")
    assert sim.tags.of("train-01") == []
    client.ask("DELETE", "tag", key=tag)
    assert client.ask("GET", "tag", key=tag).status == 404
    client.ask("DELETE", "category", key=category)
    assert client.get("category") == []


def test_the_older_dialect_takes_the_category_from_the_path(sim: Simulator) -> None:
    tag = sim.tags.attach("Policy/never-stop", "train-01")
    client = Client(sim)
    assert client.post("tag", key=tag.category.id, action="list-tags-for-category") == [tag.id]
    assert Client(sim, "api").ask("POST", "tag", key=tag.category.id, action="list-tags-for-category").status == 404


def test_statuses_of_the_dialects(sim: Simulator) -> None:
    rest, api = Client(sim), Client(sim, "api")
    tag = sim.tags.attach("Policy/never-stop", "web-01")
    answers = [
        [
            client.create("category", **{**CATEGORY, "name": client.dialect}),
            client.ask("POST", "tag-association", {"object_id": vm(sim)}, key=tag.id, action="attach"),
            client.ask("GET", "tag"),
        ]
        for client in (rest, api)
    ]
    assert [[found.status for found in row] for row in answers] == [[200, 200, 200], [201, 204, 200]]
    assert answers[0][1].content() == b""
    assert answers[0][2].body == {"value": [tag.id]}
    assert answers[1][2].body == [tag.id]


def test_changes_to_a_category_and_a_tag(client: Client, sim: Simulator) -> None:
    tag = sim.tags.attach("Policy/never-stop", "train-01")
    sim.tags.attach("Policy/other", "train-01")

    def change(what: str, key: str, **spec: Any) -> int:
        return client.ask("PATCH", what, {"update_spec": spec} if client.dialect == "rest" else spec, key=key).status

    assert change("tag", tag.id, name="ask-first") in (200, 204)
    assert sim.tags.of("train-01") == ["Policy/ask-first", "Policy/other"]
    assert change("tag", tag.id, name="other") == 400
    assert change("category", tag.category.id, name="Rules", description="new") in (200, 204)
    assert sim.tags.of("train-01") == ["Rules/ask-first", "Rules/other"]
    assert change("category", tag.category.id, cardinality="SINGLE") == 400
    assert change("category", tag.category.id, associable_types=["VirtualMachine"]) == 400


@pytest.mark.parametrize(
    ("what", "spec", "error"),
    [
        ("category", CATEGORY, "already_exists"),
        ("category", {**CATEGORY, "name": "b", "cardinality": "SOME"}, "invalid_argument"),
        ("category", {"name": "b", "cardinality": "SINGLE", "associable_types": []}, "invalid_argument"),
        ("category", {**CATEGORY, "name": "b", "associable_types": "VirtualMachine"}, "invalid_argument"),
        ("category", {**CATEGORY, "name": "b", "category_id": "urn:x"}, "invalid_argument"),
        ("tag", {"name": "never-stop", "description": "", "category_id": "POLICY"}, "already_exists"),
        ("tag", {"name": "b", "category_id": "POLICY"}, "invalid_argument"),
        ("tag", {"name": "b", "description": "", "category_id": "urn:gone"}, "not_found"),
    ],
)
def test_what_cannot_be_made(client: Client, sim: Simulator, what: str, spec: dict[str, Any], error: str) -> None:
    tag = sim.tags.attach("Policy/never-stop", "train-01")
    given = {name: tag.category.id if value == "POLICY" else value for name, value in spec.items()}
    assert client.error(client.create(what, **given)) == error
    assert (list(sim.tags.categories), list(sim.tags.tags)) == ([tag.category.id], [tag.id])


def test_a_specification_is_spelt_as_the_dialect_has_it(sim: Simulator) -> None:
    rest, api = Client(sim), Client(sim, "api")
    assert rest.error(rest.ask("POST", "category", CATEGORY)) == "invalid_argument"
    assert api.error(api.ask("POST", "category", {"create_spec": CATEGORY})) == "invalid_argument"


def test_names_are_unique_in_a_category_only(sim: Simulator) -> None:
    sim.tags.attach("Policy/a", "train-01")
    sim.tags.attach("Stop order/a", "train-01")
    assert sim.tags.of("train-01") == ["Policy/a", "Stop order/a"]
    assert len({tag.id for tag in sim.tags.tags.values()}) == 2


def test_ids_are_the_same_in_every_run() -> None:
    ids = [list(Simulator.from_lab(lab(vm_defaults={"tags": ["A/b", "A/c"]})).tags.tags) for _unused in range(2)]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 2


# -- what tags are on -----------------------------------------------------------------------------------------------


def test_one_tag_an_object_where_the_category_says_so(client: Client, sim: Simulator) -> None:
    sim.tags.category("Policy", "single")
    sim.tags.attach("Policy/never-stop", "train-01")
    other = sim.tags.attach("Policy/ask-first", "train-02")
    body = {"object_id": vm(sim)}
    assert client.error(client.ask("POST", "tag-association", body, key=other.id, action="attach")) == (
        "invalid_argument"
    )
    batch = {**body, "tag_ids": [other.id]}
    found = client.post("tag-association", batch, action="attach-multiple-tags-to-object")
    assert found["success"] is False
    assert "allows one tag an object" in found["error_messages"][0]["default_message"]
    assert sim.tags.of("train-01") == ["Policy/never-stop"]


def test_types_a_category_is_for(client: Client, sim: Simulator) -> None:
    category = sim.tags.category("Rack", types=["HostSystem"])
    tag = sim.tags.add_tag(category, "r1")
    host = sim.find("HostSystem", "esx-01.lab")
    assert client.ask("POST", "tag-association", {"object_id": vm(sim)}, key=tag.id, action="attach").status == 400
    good = {"object_id": {"id": host.moid, "type": "HostSystem"}}
    client.post("tag-association", good, key=tag.id, action="attach")
    assert sim.tags.of(host) == ["Rack/r1"]


def test_several_at_once(client: Client, sim: Simulator) -> None:
    one = sim.tags.attach("A/one", "web-01")
    two = sim.tags.attach("A/two", "web-01")
    many = {"object_id": vm(sim), "tag_ids": [one.id, "urn:gone", two.id]}
    found = client.post("tag-association", many, action="attach-multiple-tags-to-object")
    assert (found["success"], len(found["error_messages"])) == (False, 1)
    assert found["error_messages"][0]["id"] == "cis.tagging.objectNotFound.error"
    assert sim.tags.of("train-01") == ["A/one", "A/two"]
    objects = {"object_ids": [vm(sim, "train-02"), vm(sim, "web-02")]}
    found = client.post("tag-association", objects, key=one.id, action="attach-tag-to-multiple-objects")
    assert found == {"success": True, "error_messages": []}
    assert (sim.tags.of("train-02"), sim.tags.of("web-02")) == (["A/one"], ["A/one"])
    client.post("tag-association", objects, key=one.id, action="detach-tag-from-multiple-objects")
    client.post("tag-association", many, action="detach-multiple-tags-from-object")
    assert [sim.tags.of(name) for name in ("train-01", "train-02", "web-02")] == [[], [], []]


def test_an_object_that_is_gone_is_left_out(client: Client, sim: Simulator) -> None:
    tag = sim.tags.attach("A/one", "web-01")
    sim.tags.attach("A/one", "web-02")
    gone, there = vm(sim, "web-01"), vm(sim, "web-02")
    sim.remove(sim.find("VirtualMachine", "web-01"))
    assert client.post("tag-association", key=tag.id, action="list-attached-objects") == [there]
    bulk = {"object_ids": [gone, there, {"id": there["id"], "type": "HostSystem"}]}
    found = client.post("tag-association", bulk, action="list-attached-tags-on-objects")
    assert [row["object_id"] for row in found] == [there]
    refused = client.ask("POST", "tag-association", {"object_id": gone}, action="list-attached-tags")
    assert (refused.status, client.error(refused)) == (403, "unauthorized")


@pytest.mark.parametrize(("setting", "rows"), [("left_out", 1), ("listed", 2)])
def test_rows_with_nothing_in_them(client: Client, sim: Simulator, setting: str, rows: int) -> None:
    sim.knobs.vapi_empty_rows = setting
    tag = sim.tags.attach("A/one", "web-01")
    empty = sim.tags.add_tag(tag.category, "two")
    bulk = {"object_ids": [vm(sim, "web-01"), vm(sim, "web-02")]}
    assert len(client.post("tag-association", bulk, action="list-attached-tags-on-objects")) == rows
    found = client.post("tag-association", {"tag_ids": [tag.id, empty.id]}, action="list-attached-objects-on-tags")
    assert [len(row["object_ids"]) for row in found] == [1, 0][:rows]


@pytest.mark.parametrize("body", [[], "x", {}, {"object_id": 5}, {"object_id": {"id": "vm-1"}}])
def test_bodies_that_make_no_sense(client: Client, sim: Simulator, body: Any) -> None:
    found = client.ask("POST", "tag-association", body, action="list-attached-tags")
    assert (found.status, client.error(found)) == (400, "invalid_argument")


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


# -- labs and events ------------------------------------------------------------------------------------------------


def with_tags(**top: Any) -> dict[str, Any]:
    made = lab(**top)
    cluster = made["datacenters"][0]["clusters"][0]
    cluster["tags"] = ["Site/north"]
    cluster["vms"][0]["tags"] = ["Stop order/10-web", "Policy/never-stop"]
    made["defaults"] = {**made.get("defaults", {}), "tags": ["Rack/r1"]}
    return made


def test_tags_of_a_lab() -> None:
    declared = [{"name": "Policy", "cardinality": "single", "types": ["VirtualMachine"]}, "Empty"]
    sim = Simulator.from_lab(with_tags(tag_categories=declared))
    name = with_tags()["datacenters"][0]["clusters"][0]["vms"][0]["name"]
    assert sim.tags.of(name) == ["Policy/never-stop", "Stop order/10-web"]
    assert sim.tags.of("esx-02.lab") == ["Rack/r1"]
    assert sim.tags.of("compute") == ["Site/north"]
    kinds = {item.name: (item.cardinality, item.types) for item in sim.tags.categories.values()}
    assert kinds["Policy"] == ("SINGLE", ("VirtualMachine",))
    assert kinds["Stop order"] == ("MULTIPLE", ())
    assert "Empty" in kinds
    assert sim.journal.writes() == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vm_defaults": {"tags": ["Policy"]}}, "named Category/name"),
        ({"vm_defaults": {"tags": "Policy/a"}}, "tags is a list"),
        ({"vm_defaults": {"tag": ["Policy/a"]}}, "unknown key 'tag'"),
        ({"tag_categories": [{"name": "A", "cardinality": "SINGLE"}]}, "single or multiple"),
        ({"tag_categories": [{"name": "A", "colour": "red"}]}, "unknown key 'colour'"),
        ({"tag_categories": ["A", "A"]}, "named A already"),
        (
            {"tag_categories": [{"name": "A", "cardinality": "single"}], "vm_defaults": {"tags": ["A/1", "A/2"]}},
            "allows one tag an object",
        ),
        ({"tag_categories": [{"name": "A", "types": ["HostSystem"]}], "vm_defaults": {"tags": ["A/1"]}}, "of type"),
    ],
)
def test_labs_that_make_no_sense(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Simulator.from_lab(lab(**changes))


def test_an_esxi_lab_has_no_tags() -> None:
    with pytest.raises(ValueError, match="has no tags"):
        Simulator.from_lab({"kind": "esxi", "version": "8.0.3", "name": "esx", "host": {"tags": ["A/b"]}})


def test_somebody_else_sets_a_tag(sim: Simulator) -> None:
    sim.events["set_tag"](on="train-01", tag="A/b")
    assert sim.tags.of("train-01") == ["A/b"]
    sim.events["set_tag"](on="train-01", tag="A/b", attached=False)
    assert sim.tags.of("train-01") == []
    with pytest.raises(ValueError, match="not found"):
        sim.events["set_tag"](on="train-01", tag="A/c", attached=False)
    with pytest.raises(Refusal):
        sim.tags.attach("no-category", "train-01")


# -- over the network -----------------------------------------------------------------------------------------------


def test_over_tls(sim: Simulator) -> None:
    tag = sim.tags.attach("A/one", "web-01")
    basic = {"Authorization": "Basic " + base64.b64encode(f"{ADMIN}:VMware1!".encode()).decode()}
    answered: list[str] = []
    with sim.serve() as server:
        context = ssl.create_default_context(cafile=str(server.ca_file))
        connection = http.client.HTTPSConnection("localhost", server.port, context=context, timeout=10)

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
        connection = http.client.HTTPConnection("localhost", port, timeout=10)
        connection.request("POST", LOGINS["api"], b"")
        assert connection.getresponse().status == 404
        connection.close()
    assert sim.journal.count("Rest.Login") == 0
