# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of a controller as its configuration needs: objects, references, surveys, workflows. It refuses what does not fit.

It is written from the documentation of the API and shares no code with the client that is tested.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from simulator.transport.tls import make_certificates
from tests.conformance.awx.fields import ASSOCIATIONS, FIELDS, FILTERS, QUESTION, STARTED, UNIFIED

TOKEN = "token-of-the-test"
API = "/api/v2/"
Body = dict[str, Any]


class RefusedError(Exception):
    """An answer with another status than success."""

    def __init__(self, status: int, **fields: Any) -> None:
        super().__init__(json.dumps(fields))
        self.status, self.fields = status, fields


@dataclass(kw_only=True)
class Controller:
    """``playbooks``: the files of every project. ``objects``: collection → id → object. ``lists``: (collection, id, list) → ids."""

    playbooks: tuple[str, ...]
    objects: dict[str, dict[int, Body]] = field(default_factory=lambda: {name: {} for name in FIELDS})
    lists: dict[tuple[str, int, str], list[int]] = field(default_factory=dict)
    surveys: dict[int, Body] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    """Those that write, with the reason of a refusal."""
    next_id: int = 1

    def __post_init__(self) -> None:
        self.create("organizations", {"name": "Default"})

    # -- reading -------------------------------------------------------------------------------------------------------

    def of(self, collection: str) -> dict[int, Body]:
        """The objects of a collection, by id."""
        if collection == UNIFIED:
            return {number: item for name in STARTED for number, item in self.objects[name].items()}
        if collection not in self.objects:
            raise RefusedError(404, detail="Not found.")
        return self.objects[collection]

    def named(self, collection: str, name: str) -> Body:
        """One object; for tests."""
        (found,) = (item for item in self.of(collection).values() if name in (item.get("name"), item.get("identifier")))
        return found

    def search(self, collection: str, query: Mapping[str, str]) -> Body:
        allowed = {*FILTERS, *(name for name, kind in FIELDS.get(collection, {}).items() if kind.of)}
        allowed |= {"organization"} if collection == UNIFIED else set()
        for name in query.keys() - allowed:
            raise RefusedError(400, detail=f"{collection} has no field named '{name}'")
        ways = {name: text for name, text in query.items() if name.startswith("or__")}
        sure = {name: text for name, text in query.items() if name not in ways and name != "page_size"}
        found = [
            item
            for item in self.of(collection).values()
            if all(str(item.get(name)) == text for name, text in sure.items())
            and (not ways or any(str(item.get(name.removeprefix("or__"))) == text for name, text in ways.items()))
        ]
        return {"count": len(found), "next": None, "previous": None, "results": [self.shown(item) for item in found]}

    def shown(self, item: Body) -> Body:
        """An object without secrets, as an answer has it."""
        if item["type"] != "credential":
            return item
        fields = self.objects["credential_types"][item["credential_type"]]["inputs"]["fields"]
        secret = {entry["id"] for entry in fields if entry.get("secret")}
        inputs = {name: "$encrypted$" if name in secret else text for name, text in item["inputs"].items()}
        return {**item, "inputs": inputs}

    # -- writing -------------------------------------------------------------------------------------------------------

    def create(self, collection: str, body: Body) -> Body:
        self._check(collection, body, {})
        number, self.next_id = self.next_id, self.next_id + 1
        url = f"{API}{collection}/{number}/"
        kind = collection.removesuffix("s").replace("inventorie", "inventory")
        related = {"survey_spec": f"{url}survey_spec/"} if collection.endswith("job_templates") else {}
        if body.get(UNIFIED.removesuffix("s")):
            related[UNIFIED.removesuffix("s")] = f"{API}{UNIFIED}/{body[UNIFIED.removesuffix('s')]}/"
        defaults = {name: kind.empty for name, kind in FIELDS[collection].items()}
        made = {"id": number, "type": kind, "url": url, "related": related, "summary_fields": {}, "scm_revision": ""}
        self.objects[collection][number] = made | defaults | {n: v for n, v in body.items() if v is not None}
        return self.objects[collection][number]

    def change(self, collection: str, number: int, body: Body) -> Body:
        item = self.item(collection, number)
        if collection == "workflow_approval_templates":
            body = self._of_approval(body)
        self._check(collection, body, item)
        rules = FIELDS[collection]
        item |= {name: rules[name].empty if value is None else value for name, value in body.items()}
        return item

    def approve(self, number: int, body: Body) -> Body:
        """Make a node an approval."""
        node = self.item("workflow_job_template_nodes", number)
        made = self.create("workflow_approval_templates", self._of_approval(body))
        node[UNIFIED.removesuffix("s")] = made["id"]
        node["related"][UNIFIED.removesuffix("s")] = made["url"]
        return made

    @staticmethod
    def _of_approval(body: Body) -> Body:
        """The client sends the fields of the node, too."""
        of_node = FIELDS["workflow_job_template_nodes"]
        return {name: value for name, value in body.items() if name not in of_node or name == "timeout"}

    def associate(self, collection: str, number: int, name: str, body: Body) -> None:
        members = self.lists.setdefault((collection, number, name), [])
        wrong = body.keys() - {"id", "disassociate"}
        if wrong or type(body.get("id")) is not int:
            raise RefusedError(400, detail=f"{name}: an id is required, and nothing else")
        self.item(ASSOCIATIONS[collection][name], body["id"])
        if body.get("disassociate"):
            members.remove(body["id"])
        elif body["id"] not in members:
            members.append(body["id"])

    def item(self, collection: str, number: int) -> Body:
        """One object. Raises RefusedError."""
        if number not in self.of(collection):
            raise RefusedError(404, detail="Not found.")
        return self.of(collection)[number]

    def _check(self, collection: str, body: Body, before: Body) -> None:
        """Unknown fields, types, missing references; then what only some collections have."""
        known = FIELDS[collection]
        problems = {name: ["Unknown field."] for name in body.keys() - known.keys()}
        after = {**before, **body}
        for name, rule in known.items():
            if name in body or (rule.required and not before):
                why = rule.problem(body.get(name))
                if not why and rule.of and body.get(name) and body[name] not in self.of(rule.of):
                    why = f'Invalid pk "{body[name]}" - object does not exist.'
                problems |= {name: [why]} if why else {}
        if problems:
            raise RefusedError(400, **problems)
        special = getattr(self, f"_check_{collection}", None)
        if special is not None:
            special(after)
        twins = (item for item in self.objects[collection].values() if item.get("id") != before.get("id"))
        keys = ("name", "organization", "credential_type", "inventory", "workflow_job_template", "identifier")
        if collection != "workflow_approval_templates" and any(
            all(twin.get(key) == after.get(key) for key in keys if key in known) for twin in twins
        ):
            raise RefusedError(400, __all__=["An object with this name exists already."])

    def _check_credential_types(self, body: Body) -> None:
        inputs, injectors = body.get("inputs") or {}, body.get("injectors") or {}
        fields = [entry.get("id") for entry in inputs.get("fields", [])]
        for entry in inputs.get("fields", []):
            wrong = entry.keys() - set(
                "id label type secret multiline help_text default choices format ask_at_runtime".split()
            )
            if wrong or not {"id", "label"} <= entry.keys() or entry.get("type", "string") not in ("string", "boolean"):
                raise RefusedError(400, inputs=[f"The field {entry} is not valid."])
        if set(inputs.get("required", [])) - set(fields) or inputs.keys() - {"fields", "required", "dependencies"}:
            raise RefusedError(400, inputs=["A required field is not defined."])
        if injectors.keys() - {"file", "env", "extra_vars"}:
            raise RefusedError(400, injectors=["Unknown injector."])
        files = {name.partition(".")[2] or "" for name in injectors.get("file", {})}
        known = {*fields, *(f"tower.filename.{name}" if name else "tower.filename" for name in files)}
        for name, text in [pair for part in injectors.values() for pair in part.items()]:
            if type(text) is not str:
                raise RefusedError(400, injectors=[f"{name}: not a valid string."])
            for used in re.findall(r"{{\s*([\w.]+)\s*}}", text):
                if used not in known:
                    raise RefusedError(400, injectors=[f"{name} uses an undefined field ({used})."])

    def _check_credentials(self, body: Body) -> None:
        kind = self.item("credential_types", body["credential_type"])["inputs"]
        secret = {entry["id"] for entry in kind["fields"]}
        if body.get("inputs", {}).keys() - secret or any(type(text) is not str for text in body["inputs"].values()):
            raise RefusedError(400, inputs=["Additional properties are not allowed, and values are text."])

    def _check_inventory_sources(self, body: Body) -> None:
        if body["source"] == "scm" and not (body.get("source_project") and body.get("source_path")):
            raise RefusedError(400, source_project=["Project and path are required for this source."])

    def _check_job_templates(self, body: Body) -> None:
        if body["playbook"] not in self.playbooks:
            raise RefusedError(400, playbook=["Playbook not found for project."])
        if not body.get("inventory") and not body.get("ask_inventory_on_launch"):
            raise RefusedError(400, inventory=["Job Template must provide 'inventory' or allow prompting for it."])

    def _check_workflow_job_template_nodes(self, body: Body) -> None:
        self._check_prompts(body)

    def _check_schedules(self, body: Body) -> None:
        self._check_prompts(body)
        if not re.fullmatch(
            r"DTSTART(;TZID=[\w/+-]+)?:\d{8}T\d{6}Z? RRULE:(?=.*INTERVAL=\d)FREQ=(DAILY|WEEKLY|HOURLY|MONTHLY);[A-Z0-9=;,]+",
            body["rrule"],
        ):
            raise RefusedError(400, rrule=["The rule is not valid."])

    def _check_prompts(self, body: Body) -> None:
        """Only what a template asks for at its launch may be given."""
        started = body.get(UNIFIED.removesuffix("s"))
        data = body.get("extra_data") or {}
        if not started or not data:
            return
        target = self.item(UNIFIED, started)
        asked = {question["variable"]: question for question in self.surveys.get(started, {}).get("spec", [])}
        if not target.get("survey_enabled"):
            asked = {}
        for name, value in data.items():
            if name not in asked and not target.get("ask_variables_on_launch"):
                raise RefusedError(400, extra_data=[f"Variables {name} are not allowed on launch."])
            choices = asked.get(name, {}).get("choices")
            if choices and value not in choices:
                raise RefusedError(400, extra_data=[f"Value {value} for '{name}' expected to be one of {choices}."])

    def ask(self, collection: str, number: int, spec: Body) -> None:
        """Set the survey of a template."""
        self.item(collection, number)
        for key, kind in (("name", str), ("description", str), ("spec", list)):
            if type(spec.get(key)) is not kind:
                raise RefusedError(400, error=f"Field '{key}' is missing from survey spec, or has the wrong type.")
        if spec.keys() - {"name", "description", "spec"} or not spec["spec"]:
            raise RefusedError(400, error="The survey spec has unknown fields, or no question.")
        seen: set[str] = set()
        for index, question in enumerate(spec["spec"]):
            why = _question_problem(question)
            if not why and question["variable"] in seen:
                why = f"'variable' '{question['variable']}' is duplicated"
            if why:
                raise RefusedError(400, error=f"Survey question {index}: {why}")
            seen.add(question["variable"])
        self.surveys[number] = spec


def _question_problem(question: Body) -> str:
    for name in question.keys() - QUESTION.keys() - {"choices", "default"}:
        return f"unknown field {name}"
    for name, rule in QUESTION.items():
        if why := rule.problem(question.get(name)):
            return f"{name}: {why}"
    choices, default = question.get("choices"), question.get("default")
    if question["type"].startswith("multi"):
        if not choices or any(type(choice) is not str for choice in choices):
            return "choices are required, and are text"
        if default and default not in choices:
            return f"the default {default} is no choice"
    elif default is not None and type(default) is not {"integer": int, "float": float}.get(question["type"], str):
        return "the default has the wrong type"
    return ""


def answer(controller: Controller, method: str, target: str, body: Body) -> tuple[int, Any]:
    """Status and content for one request."""
    parts = urlsplit(target)
    if not parts.path.startswith(API):
        raise RefusedError(404, detail="Not found.")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    collection, *rest = parts.path.removeprefix(API).strip("/").split("/")
    if not rest:
        if method == "GET":
            return 200, controller.search(collection, query)
        if method == "POST" and collection in FIELDS and collection != "organizations":
            return 201, controller.shown(controller.create(collection, body))
        raise RefusedError(405, detail=f'Method "{method}" not allowed.')
    number = int(rest[0])
    if len(rest) == 1:
        if method == "GET":
            return 200, controller.shown(controller.item(collection, number))
        if method == "PATCH":
            return 200, controller.shown(controller.change(collection, number, body))
        raise RefusedError(405, detail=f'Method "{method}" not allowed.')
    name = rest[1]
    if name == "survey_spec" and method == "POST":
        controller.ask(collection, number, body)
        return 200, {}
    if name == "survey_spec":
        return 200, controller.surveys.get(number, {})
    if name == "create_approval_template" and method == "POST":
        return 201, controller.approve(number, body)
    if name not in ASSOCIATIONS.get(collection, {}):
        raise RefusedError(404, detail="Not found.")
    if method == "POST":
        controller.associate(collection, number, name, body)
        return 204, None
    members = [
        controller.item(ASSOCIATIONS[collection][name], one)
        for one in controller.lists.get((collection, number, name), [])
    ]
    return 200, {"count": len(members), "next": None, "results": members}


@contextmanager
def serving(controller: Controller, folder: Path) -> Iterator[dict[str, str]]:
    """The variables with which a client finds the controller, over TLS on the loopback interface."""
    certificates = make_certificates()
    ca = folder / "controller.pem"
    ca.write_bytes(certificates.ca)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    raise RefusedError(401, detail="Authentication credentials were not provided.")
                with lock:
                    status, found = answer(controller, self.command, self.path, json.loads(content or b"{}"))
            except RefusedError as refused:
                status, found = refused.status, refused.fields
            if self.command != "GET":
                controller.requests.append(
                    f"{self.command} {self.path} {json.dumps(found) if status >= 400 else ''}".rstrip()
                )
            text = b"" if found is None else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = handle_one

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = certificates.context().wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield {
            "CONTROLLER_HOST": f"https://localhost:{server.server_port}",
            "CONTROLLER_OAUTH_TOKEN": TOKEN,
            "CONTROLLER_VERIFY_SSL": "true",
            "SSL_CERT_FILE": str(ca),
        }
    finally:
        server.shutdown()
        server.server_close()
