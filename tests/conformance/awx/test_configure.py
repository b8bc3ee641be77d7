# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""examples/awx/configure.yml with the real modules of awx.awx, against a controller that refuses what does not fit."""

from __future__ import annotations

import ast
import copy
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conformance.awx.controller import Controller, RefusedError, serving
from tests.conformance.awx.fields import FIELDS
from tools.envs import NoInterpreter, clean_environ, ensure
from tools.generate import READ, argument_specs

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "awx"
RUNNER = ROOT / "tests" / "conformance" / "peer_modules.py"
NO_OPTIONS = ("directpath_intent",)
"""Variables that a playbook reads, and that a user does not set."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """The environment with awx.awx, and the variables with which it finds the controller."""

    venv: Path
    environ: dict[str, str]

    def run(self, command: list[Any], stdin: str = "") -> str:
        done = subprocess.run(
            command,
            cwd=self.venv,
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def modules(self, asked: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
        """The results of modules, all in one process."""
        calls = [(f"awx.awx.{name}", arguments) for name, arguments in asked]
        found: list[dict[str, Any]] = json.loads(self.run([self.venv / "bin" / "python", RUNNER], json.dumps(calls)))
        return found


@dataclass(frozen=True, kw_only=True)
class Configured:
    """After the playbook ran twice, in one start of Ansible."""

    controller: Controller
    client: Client
    output: str
    requests: list[str]
    """Those that write, with the reason of a refusal."""


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Configured]:
    try:
        venv = ensure("awx")
    except (NoInterpreter, subprocess.CalledProcessError) as reason:
        pytest.skip(f"the environment with awx.awx cannot be made: {reason}")
    folder = tmp_path_factory.mktemp("controller")
    ca = folder / "vcenter.pem"
    ca.write_text("the CA of vCenter\n", encoding="utf-8")
    controller = Controller(playbooks=tuple(path.name for path in (EXAMPLE / "project").glob("*.yml")))
    with serving(controller, folder) as found:
        account = {
            "VMWARE_HOST": "vc.example.org",
            "VMWARE_USER": "me",
            "VMWARE_PASSWORD": "p",
            "VMWARE_CA_PATH": str(ca),
        }
        client = Client(venv=venv, environ=clean_environ(venv) | account | found)
        play = EXAMPLE / "configure.yml"
        output = client.run([venv / "bin" / "ansible-playbook", play, play])
        yield Configured(controller=controller, client=client, output=output, requests=[*controller.requests])


def test_a_controller_accepts_it_and_a_second_run_changes_nothing(configured: Configured) -> None:
    """But an approval: the module expects the fields of the node in it, and sends it again."""
    kinds = [re.sub(r"\d+", "N", request) for request in configured.requests]
    posted, sent_again = kinds[:-1], kinds[-1]
    assert all(kind.startswith("POST ") and kind.endswith("/") for kind in posted), posted
    assert posted.count("POST /api/vN/job_templates/N/survey_spec/") == 5
    assert sent_again == "PATCH /api/vN/workflow_approval_templates/N/"
    first, second = configured.output.split("PLAY [Configure")[1:]
    assert first.count("changed: [localhost]") == 14
    (changed,) = [task for task in second.split("TASK [") if "changed: [localhost]" in task]
    assert changed.startswith("Create the workflow]")
    assert "WARNING" not in first


def test_the_workflow_waits_for_an_approval_between_plan_and_change(configured: Configured) -> None:
    controller = configured.controller
    nodes = {node["identifier"]: node for node in controller.of("workflow_job_template_nodes").values()}
    started = {
        name: controller.of("unified_job_templates")[node["unified_job_template"]] for name, node in nodes.items()
    }
    assert {name: (item["type"], item.get("playbook", "")) for name, item in started.items()} == {
        "plan": ("job_template", "plan.yml"),
        "approval": ("workflow_approval_template", ""),
        "site": ("job_template", "site.yml"),
        "drift": ("job_template", "drift.yml"),
        "status": ("job_template", "status.yml"),
    }
    names = {node["id"]: name for name, node in nodes.items()}
    edges = {
        (names[number], ending, names[member])
        for (collection, number, ending), members in controller.lists.items()
        for member in members
        if collection == "workflow_job_template_nodes"
    }
    assert edges == {
        ("plan", "success_nodes", "approval"),
        ("approval", "success_nodes", "site"),
        ("site", "success_nodes", "drift"),
        ("site", "failure_nodes", "status"),
    }


def test_every_job_template_has_the_credential_the_inventory_and_the_present_ca_file(configured: Configured) -> None:
    controller = configured.controller
    credential, inventory = controller.named("credentials", "vCenter"), controller.named("inventories", "ESXi hosts")
    templates = controller.of("job_templates")
    assert {item["playbook"] for item in templates.values()} == set(controller.playbooks)
    for number, item in templates.items():
        assert controller.lists["job_templates", number, "credentials"] == [credential["id"]]
        assert (item["inventory"], item["job_slice_count"]) == (inventory["id"], 1)
        assert json.loads(item["extra_vars"]) == {
            "vcenter_ca_path": "{{ lookup('ansible.builtin.env', 'VMWARE_CA_PATH') }}"
        }
    source = controller.named("inventory_sources", "pci_hosts")
    assert (EXAMPLE / "project" / source["source_path"]).is_file()
    schedule = controller.named("schedules", "Passthrough drift every night")
    assert schedule["unified_job_template"] == controller.named("job_templates", "Passthrough drift")["id"]


# ------------------------------------------------------------------------------------------------- playbooks and surveys


def problems(controller: Controller, project: Path = EXAMPLE / "project") -> list[str]:
    """What a controller does not know: playbooks that the collection does not have, and answers that nothing reads."""
    found = []
    for number, item in controller.of("job_templates").items():
        (play,) = yaml.safe_load((project / item["playbook"]).read_text(encoding="utf-8"))
        name = play["ansible.builtin.import_playbook"].removeprefix("directpath.vsphere.")
        playbook = ROOT / "playbooks" / f"{name}.yml"
        if not playbook.is_file():
            found.append(f"{item['name']}: the collection has no playbook {name}")
            continue
        read = options_of(playbook)
        variables = [question["variable"] for question in controller.surveys.get(number, {}).get("spec", [])]
        found += [f"{item['name']}: nothing reads {variable}" for variable in variables if variable not in read]
    return found


def options_of(playbook: Path) -> set[str]:
    """The options of the roles that a playbook runs, and the variables that it reads itself."""
    text = playbook.read_text(encoding="utf-8")
    roles = set(re.findall(r"(?:role|name): directpath\.vsphere\.(\w+)", text))
    specs = [argument_specs(ROOT / "roles" / role)["main"] for role in roles]
    options = {option for spec in specs for option in spec.get("options") or {}}
    return (options | set(READ.findall(text))) - set(NO_OPTIONS)


def test_playbooks_exist_and_surveys_ask_for_their_options(configured: Configured) -> None:
    assert len(configured.controller.surveys) == 5
    assert problems(configured.controller) == []


def test_a_question_that_nothing_reads_is_noticed(configured: Configured) -> None:
    planted = copy.deepcopy(configured.controller)
    site = planted.named("job_templates", "Passthrough site")["id"]
    planted.surveys[site]["spec"][0]["variable"] = "rolling_reboot_consnt"
    drift = planted.named("job_templates", "Passthrough drift")["id"]
    planted.surveys[drift]["spec"][0]["variable"] = "rolling_reboot_consent"  # of another role
    assert problems(planted) == [
        "Passthrough drift: nothing reads rolling_reboot_consent",
        "Passthrough site: nothing reads rolling_reboot_consnt",
    ]


def test_a_playbook_that_the_collection_does_not_have_is_noticed(configured: Configured, tmp_path: Path) -> None:
    for path in (EXAMPLE / "project").glob("*.yml"):
        text = path.read_text(encoding="utf-8").replace("directpath.vsphere.site", "directpath.vsphere.sites")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    assert problems(configured.controller, tmp_path) == ["Passthrough site: the collection has no playbook sites"]


# ------------------------------------------------------------------------------------------------------ planted mistakes


def template(**more: Any) -> tuple[str, dict[str, Any]]:
    """The task for a job template, with a mistake."""
    given = {
        "name": "Passthrough site",
        "organization": "Default",
        "job_type": "run",
        "inventory": "ESXi hosts",
        "project": "PCI passthrough",
        "playbook": "site.yml",
        **more,
    }
    return "job_template", given


def survey(**more: Any) -> tuple[str, dict[str, Any]]:
    question = {
        "question_name": "Reboot hosts",
        "variable": "rolling_reboot_consent",
        "type": "multiplechoice",
        "choices": ["true", "false"],
        "required": True,
        **more,
    }
    return template(survey_enabled=True, survey_spec={"name": "", "description": "", "spec": [question]})


def node(**more: Any) -> tuple[str, dict[str, Any]]:
    given = {
        "identifier": "again",
        "unified_job_template": {"name": "Passthrough site", "type": "job_template"},
        **more,
    }
    return "workflow_job_template", {"name": "Passthrough change", "organization": "Default", "workflow_nodes": [given]}


MISTAKES: dict[str, tuple[tuple[str, dict[str, Any]], str]] = {
    "an option that no module has": (template(survey={}), "survey"),
    "a playbook that the project does not have": (template(playbook="sites.yml"), "Playbook not found"),
    "a credential that is missing": (template(credentials=["vcenter"]), "returned 0 items"),
    "a project that is missing": (template(project="Passthrough"), "was not found"),
    "an unknown type of question": (survey(type="choice"), "not a valid choice"),
    "a default that is no choice": (survey(default="yes"), "is no choice"),
    "a word where a flag is expected": (survey(required="yes"), "Not a valid bool"),
    "an unknown key of a question": (survey(help="x"), "unknown field help"),
    "a node of a missing template": (
        node(unified_job_template={"name": "Passthrough sites", "type": "job_template"}),
        "Unable to Find unified_job_template",
    ),
    "a node with a variable that no survey asks for": (
        node(extra_data={"rolling_reboot_consnt": "true"}),
        "not allowed on launch",
    ),
    "a node with an answer that is no choice": (node(extra_data={"rolling_reboot_consent": "yes"}), "to be one of"),
    "an edge to a missing node": (
        node(related={"success_nodes": [{"identifier": "drfit"}]}),
        "Could not find success_nodes entry",
    ),
    "a schedule without an interval": (
        ("schedule", {"name": "x", "unified_job_template": "Passthrough drift", "rrule": "DTSTART:20260101T020000Z RRULE:FREQ=DAILY"}),
        "The rule is not valid",
    ),
    "an injector with a misspelled field": (
        ("credential_type", {"name": "vCenter with CA", "injectors": {"env": {"VMWARE_HOST": "{{ hots }}"}}}),
        "see response",
    ),
    "a credential with a field that its type does not have": (
        ("credential", {"name": "x", "organization": "Default", "credential_type": "vCenter with CA", "inputs": {"cert": "x"}}),
        "Additional properties are not allowed",
    ),
    "an inventory source without a project": (
        ("inventory_source", {"name": "x", "inventory": "ESXi hosts", "source": "scm", "source_path": "pci_hosts.yml"}),
        "Project and path are required",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def planted(configured: Configured) -> dict[str, dict[str, Any]]:
    """Mistake → the result of the module. In one process."""
    results = configured.client.modules([asked for asked, _says in MISTAKES.values()])
    return dict(zip(MISTAKES, results, strict=True))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_refused(planted: dict[str, dict[str, Any]], mistake: str) -> None:
    result = planted[mistake]
    assert (result["failed"], "crashed" in result) == (True, False), result
    assert MISTAKES[mistake][1] in json.dumps(result)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"credentails": [1]}, {"credentails": ["Unknown field."]}),
        ({"job_slice_count": "1"}, {"job_slice_count": ["Not a valid int."]}),
        ({"survey_enabled": "true"}, {"survey_enabled": ["Not a valid bool."]}),
        ({"extra_vars": {}}, {"extra_vars": ["Not a valid str."]}),
        ({"verbosity": 9}, {"verbosity": ['"9" is not a valid choice.']}),
        ({"inventory": 4711}, {"inventory": ['Invalid pk "4711" - object does not exist.']}),
        ({"name": None}, {"name": ["This field is required."]}),
    ],
)
def test_the_controller_refuses_what_the_modules_would_not_send(
    configured: Configured, body: dict[str, Any], problem: dict[str, Any]
) -> None:
    controller = copy.deepcopy(configured.controller)
    number = controller.named("job_templates", "Passthrough site")["id"]
    with pytest.raises(RefusedError) as caught:
        controller.change("job_templates", number, body)
    assert caught.value.fields == problem


# ------------------------------------------------------------------------------------------------------- lists of fields

PAGES = {
    **{name: name for name in FIELDS},
    "credential_types": "credentials",
    "inventories": "inventory",
    "inventory_sources": "inventory",
}
"""Collection of objects → the file of awxkit about it."""
UNNAMED = {
    "execution_environments": {"description"},
    "projects": {"timeout"},
    "inventory_sources": {"enabled_value", "enabled_var", "execution_environment", "limit"},
    "workflow_job_templates": {"job_tags", "skip_tags"},
    "schedules": FIELDS["schedules"].keys() - {"name", "rrule", "enabled", "unified_job_template"},
}
"""Fields that awxkit passes on without naming them."""


@pytest.mark.parametrize("collection", sorted(FIELDS.keys() - {"workflow_approval_templates"}))
def test_the_fields_are_those_of_the_client_of_the_api(configured: Configured, collection: str) -> None:
    (pages,) = configured.client.venv.glob("lib/python3*/site-packages/awxkit/api/pages")
    tree = ast.parse((pages / f"{PAGES[collection]}.py").read_text(encoding="utf-8"))
    words: set[str] = set()
    for part in ast.walk(tree):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            words.add(part.value)
        elif isinstance(part, ast.Attribute):
            words.add(part.attr)
        elif isinstance(part, ast.arg):
            words.add(part.arg)
        elif isinstance(part, ast.keyword):
            words.add(part.arg or "")
    assert FIELDS[collection].keys() - words == UNNAMED.get(collection, set())
