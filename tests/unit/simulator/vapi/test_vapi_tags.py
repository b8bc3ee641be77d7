# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Categories, tags and what they are on, as any HTTP client meets them: no plugin is used here."""

from __future__ import annotations

from typing import Any

import pytest

from simulator import Simulator
from simulator.vapi.tags import Refusal
from tests.unit.simulator.vapi.vapi_client import CATEGORY, Client, lab, vm

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
