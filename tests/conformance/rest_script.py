# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""REST requests whose answers any vCenter can be compared by: statuses, the form of bodies, and what they lead to.

As in ``script``, no step depends on names or ids, and each leaves things as it found them. Only the older dialect is
spoken: vcsim does not know the tagging addresses below ``/api``.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

SESSION = "/rest/com/vmware/cis/session"
TAGGING = "/rest/com/vmware/cis/tagging/"
HEADER = "vmware-api-session-id"
Reply = tuple[int, Any]
"""Status, and the JSON of the body; None when there is none."""


class Rest:
    """A client of one endpoint; ``vm`` and ``host`` are objects of it."""

    def __init__(self, port: int, context: ssl.SSLContext, user: str, password: str, vm: str, host: str) -> None:
        self.connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=60)
        self.user, self.password = user, password
        self.vm = {"id": vm, "type": "VirtualMachine"}
        self.host = {"id": host, "type": "HostSystem"}
        self.headers: dict[str, str] = {}

    def send(self, verb: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
        text = None if body is None else json.dumps(body)
        self.connection.request(verb, path, text, self.headers if headers is None else headers)
        response = self.connection.getresponse()
        content = response.read()
        try:
            return response.status, json.loads(content) if content else None
        except ValueError:
            return response.status, "no JSON"

    def login(self, password: str | None = None) -> Reply:
        secret = self.password if password is None else password
        basic = base64.b64encode(f"{self.user}:{secret}".encode()).decode()
        return self.send("POST", SESSION, headers={"Authorization": f"Basic {basic}"})

    def make(self, what: str, **spec: Any) -> Reply:
        return self.send("POST", f"{TAGGING}{what}", {"create_spec": spec})

    def ask(self, what: str, key: str = "", verb: str = "GET", action: str = "", body: Any = None) -> Reply:
        path = f"{TAGGING}{what}{f'/id:{key}' if key else ''}{f'?~action={action}' if action else ''}"
        return self.send(verb, path, body)

    def act(self, action: str, body: Any, key: str = "") -> Reply:
        return self.ask("tag-association", key, "POST", action, body)

    @contextmanager
    def category(self, cardinality: str = "MULTIPLE", types: tuple[str, ...] = ()) -> Iterator[str]:
        """The id of a category that goes with its tags at the end."""
        spec = {"name": "conformance", "description": "", "cardinality": cardinality, "associable_types": list(types)}
        key = self.make("category", **spec)[1]["value"]
        try:
            yield key
        finally:
            self.ask("category", key, "DELETE")

    def tag(self, category: str, name: str = "one") -> str:
        return str(self.make("tag", name=name, description="", category_id=category)[1]["value"])


Step = Callable[[Rest], Any]


def run(rest: Rest) -> dict[str, Any]:
    """The answer of every step."""
    rest.headers = {HEADER: rest.login()[1]["value"]}
    found = {name: step(rest) for name, step in STEPS.items()}
    rest.send("DELETE", SESSION)
    return found


def form(value: Any) -> Any:
    """What a value is made of: names of keys and kinds of values, not the values."""
    if isinstance(value, dict):
        return {key: form(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [form(item) for item in value[:1]]
    return type(value).__name__


def kind(reply: Reply) -> Any:
    """Status and kind of an error."""
    return [reply[0], reply[1].get("type") if isinstance(reply[1], dict) else reply[1]]


# -- sessions -----------------------------------------------------------------------------------------------------


def login(rest: Rest) -> Any:
    status, body = rest.login()
    return [status, form(body)]


def wrong_password(rest: Rest) -> Any:
    return rest.login("wrong")[0]


def wrong_password_body(rest: Rest) -> Any:
    return kind(rest.login("wrong"))[1]


def no_session(rest: Rest) -> Any:
    return rest.send("GET", f"{TAGGING}tag", headers={})[0]


def wrong_session(rest: Rest) -> Any:
    return rest.send("GET", f"{TAGGING}tag", headers={HEADER: "wrong"})[0]


def session_in_a_cookie(rest: Rest) -> Any:
    return rest.send("GET", f"{TAGGING}category", headers={"Cookie": f"{HEADER}={rest.headers[HEADER]}"})[0]


def session_info(rest: Rest) -> Any:
    plain, by_action = rest.send("GET", SESSION), rest.send("POST", f"{SESSION}?~action=get")
    return [plain[0], form(plain[1]), by_action[0], form(by_action[1]) == form(plain[1])]


def logout(rest: Rest) -> Any:
    headers = {HEADER: rest.login()[1]["value"]}
    ended = rest.send("DELETE", SESSION, headers=headers)
    return [list(ended), rest.send("GET", SESSION, headers=headers)[0]]


# -- categories and tags ------------------------------------------------------------------------------------------


def category(rest: Rest) -> Any:
    with rest.category("SINGLE", ("VirtualMachine",)) as key:
        status, body = rest.ask("category", key)
        listed = rest.ask("category")
        value = body["value"]
        shown = [value[name] for name in ("name", "cardinality", "associable_types")]
        return [status, shown, value["id"] == key, listed == (200, {"value": [key]}), key[:35], key[-7:]]


def category_form(rest: Rest) -> Any:
    with rest.category() as key:
        return form(rest.ask("category", key)[1])


def category_twice(rest: Rest) -> Any:
    with rest.category():
        again = {"name": "conformance", "description": "", "cardinality": "SINGLE", "associable_types": []}
        return kind(rest.make("category", **again))


def category_without_all_fields(rest: Rest) -> Any:
    status, body = rest.make("category", name="half")
    if status == 200:
        rest.ask("category", body["value"], "DELETE")
    return status


def category_removed(rest: Rest) -> Any:
    with rest.category() as key:
        tag = rest.tag(key)
    return [rest.ask("category", key)[0], rest.ask("tag", tag)[0]]


def category_changed(rest: Rest) -> Any:
    with rest.category() as key:
        status, body = rest.ask("category", key, "PATCH", body={"update_spec": {"description": "new"}})
        return [status, body, rest.ask("category", key)[1]["value"]["description"]]


def unknown_category(rest: Rest) -> Any:
    return rest.ask("category", "urn:vmomi:InventoryServiceCategory:gone:GLOBAL")[0]


def tag(rest: Rest) -> Any:
    with rest.category() as key:
        made = rest.tag(key)
        status, body = rest.ask("tag", made)
        value = body["value"]
        listed = rest.ask("tag")
        return [status, value["name"], value["category_id"] == key, listed == (200, {"value": [made]}), made[:30]]


def tag_twice(rest: Rest) -> Any:
    with rest.category() as key:
        rest.tag(key)
        return kind(rest.make("tag", name="one", description="", category_id=key))


def tag_with_an_id_of_its_own(rest: Rest) -> Any:
    own = "urn:vmomi:InventoryServiceTag:0f0f0f0f-0000-4000-8000-000000000001:GLOBAL"
    with rest.category() as key:
        made = rest.make("tag", name="one", description="", category_id=key, tag_id=own)
        return [
            made == (200, {"value": own}),
            kind(rest.make("tag", name="b", description="", category_id=key, tag_id="x")),
        ]


def tag_of_an_unknown_category(rest: Rest) -> Any:
    status, body = rest.make("tag", name="one", description="", category_id="urn:gone")
    if status == 200:
        rest.ask("tag", body["value"], "DELETE")
    return status


def tag_removed(rest: Rest) -> Any:
    with rest.category() as key:
        made = rest.tag(key)
        return [list(rest.ask("tag", made, "DELETE")), rest.ask("tag", made)[0]]


def tags_of_a_category(rest: Rest) -> Any:
    with rest.category() as key:
        made = {rest.tag(key, "one"), rest.tag(key, "two")}
        status, body = rest.ask("tag", key, "POST", "list-tags-for-category", {"category_id": key})
        return [status, set(body["value"]) == made]


def no_tags(rest: Rest) -> Any:
    return list(rest.ask("tag"))


# -- what tags are on ---------------------------------------------------------------------------------------------


def attach_and_detach(rest: Rest) -> Any:
    with rest.category() as key:
        made, target = rest.tag(key), {"object_id": rest.vm}
        shown = [list(rest.act("attach", target, made)), list(rest.act("attach", target, made))]
        shown.append([rest.act("list-attached-tags", target) == (200, {"value": [made]})])
        shown.append([rest.act("list-attached-objects", {}, made) == (200, {"value": [rest.vm]})])
        return [*shown, list(rest.act("detach", target, made)), list(rest.act("detach", target, made))]


def on_objects(rest: Rest) -> Any:
    with rest.category() as key:
        made = rest.tag(key)
        rest.act("attach", {"object_id": rest.vm}, made)
        found = rest.act("list-attached-tags-on-objects", {"object_ids": [rest.vm]})
        return found == (200, {"value": [{"object_id": rest.vm, "tag_ids": [made]}]})


def objects_on(rest: Rest) -> Any:
    with rest.category() as key:
        made = rest.tag(key)
        rest.act("attach", {"object_id": rest.vm}, made)
        found = rest.act("list-attached-objects-on-tags", {"tag_ids": [made]})
        return found == (200, {"value": [{"tag_id": made, "object_ids": [rest.vm]}]})


def an_object_without_tags(rest: Rest) -> Any:
    status, body = rest.act("list-attached-tags-on-objects", {"object_ids": [rest.host]})
    return [status, len(body["value"])]


def many_tags(rest: Rest) -> Any:
    with rest.category() as key:
        made = [rest.tag(key, "one"), rest.tag(key, "two")]
        good = rest.act("attach-multiple-tags-to-object", {"object_id": rest.vm, "tag_ids": made})
        bad = rest.act("attach-multiple-tags-to-object", {"object_id": rest.vm, "tag_ids": ["urn:gone"]})
        said = bad[1]["value"]["error_messages"][0]
        on_it = set(rest.act("list-attached-tags", {"object_id": rest.vm})[1]["value"]) == set(made)
        return [good[0], good[1]["value"]["success"], on_it, bad[0], bad[1]["value"]["success"], said["id"],
                said["default_message"]]  # fmt: skip


def many_objects(rest: Rest) -> Any:
    with rest.category() as key:
        made, targets = rest.tag(key), [rest.vm, rest.host]
        status, _body = rest.act("attach-tag-to-multiple-objects", {"object_ids": targets}, made)
        found = rest.act("list-attached-objects", {}, made)[1]["value"]
        return [status, sorted(item["type"] for item in found)]


def many_objects_body(rest: Rest) -> Any:
    with rest.category() as key:
        return rest.act("attach-tag-to-multiple-objects", {"object_ids": [rest.vm]}, rest.tag(key))[1]


def one_tag_an_object(rest: Rest) -> Any:
    with rest.category("SINGLE") as key:
        one, two = rest.tag(key, "one"), rest.tag(key, "two")
        return [rest.act("attach", {"object_id": rest.vm}, made)[0] for made in (one, two)]


def type_that_does_not_fit(rest: Rest) -> Any:
    with rest.category(types=("HostSystem",)) as key:
        made = rest.tag(key)
        return [rest.act("attach", {"object_id": target}, made)[0] for target in (rest.host, rest.vm)]


def object_that_is_not_there(rest: Rest) -> Any:
    with rest.category() as key:
        return rest.act("attach", {"object_id": {"id": "vm-987654", "type": "VirtualMachine"}}, rest.tag(key))[0]


def unknown_tag(rest: Rest) -> Any:
    return rest.act("attach", {"object_id": rest.vm}, "urn:vmomi:InventoryServiceTag:gone:GLOBAL")[0]


def no_json(rest: Rest) -> Any:
    rest.connection.request("POST", f"{TAGGING}tag", "{", rest.headers)
    response = rest.connection.getresponse()
    response.read()
    return response.status


def unknown_address(rest: Rest) -> Any:
    return rest.send("GET", "/rest/com/vmware/cis/nothing")[0]


STEPS: dict[str, Step] = {
    step.__name__: step
    for step in (
        login, wrong_password, wrong_password_body, no_session, wrong_session, session_in_a_cookie, session_info, logout,
        category, category_form, category_twice, category_without_all_fields, category_removed, category_changed,
        unknown_category,
        tag, tag_twice, tag_with_an_id_of_its_own, tag_of_an_unknown_category, tag_removed, tags_of_a_category, no_tags,
        attach_and_detach, on_objects, objects_on, an_object_without_tags, many_tags, many_objects, many_objects_body,
        one_tag_an_object, type_that_does_not_fit, object_that_is_not_there, unknown_tag,
        no_json, unknown_address,
    )
}  # fmt: skip
