# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schema and the loader say the same, and the loader answers anything at all with a place."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, event, given

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.entries import RELATIONS
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.load import load_intent
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.source_location import (
    Place,
    PlacedError,
    plain,
    route,
)
from tests.unit.plugin_utils.intent import documents
from tests.unit.searching import search
from tools.envs import ROOT
from tools.intent_schema import schema, text

FILE = ROOT / "docs" / "intent.schema.json"
HOST = "inv-1"
VALIDATOR = jsonschema.Draft7Validator(schema())


def refusal(variables: Any) -> InputError | None:
    """What the loader says, as the filter calls it: plain values first."""
    try:
        given = {key: plain(Place(HOST, str(key)), value) for key, value in variables.items()}
        load_intent({HOST: given}, default_vcenter="vc")
    except InputError as error:
        return error
    return None


def faults(variables: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(variables)]


def test_the_schema_is_a_schema_and_the_file_holds_it() -> None:
    jsonschema.Draft7Validator.check_schema(schema())
    assert FILE.read_text(encoding="utf-8") == text(), "run: make generate"


@search(2, suppress_health_check=[HealthCheck.too_slow])
@given(documents.documents() | documents.mistaken())
def test_schema_and_loader_agree(variables: dict[str, Any]) -> None:
    wrong, refused = faults(variables), refusal(variables)
    event("well formed" if not wrong else "malformed")
    if not wrong:
        assert refused is None or refused.code in RELATIONS, f"only the loader refuses it: {refused}"
    else:
        assert refused is not None, f"only the schema refuses it: {wrong}"


@pytest.mark.parametrize(
    ("entry", "fits"),
    [
        ({"vgpu": "grid_a100-40c", "count": 2, "advanced": {"enable_uvm": "1"}}, True),
        ({"vgpu": "grid_a100-40c", "count": "2", "advanced": {"enable_uvm": 1.0}}, True),
        ({"vgpu": "grid_a100-40c", "count": None, "advanced": None}, True),
        ({"vgpu": " "}, False),
        ({"vgpu": None}, False),
        ({"vgpu": "p", "count": "all"}, False),
        ({"vgpu": "p", "advanced": {"enable_uvm": True}}, False),
        ({"vgpu": "p", "advanced": {"a.b": "1"}}, False),
        ({"vgpu": "p", "match": "10de:20f1"}, False),
        ({"vgpu": "p", "label": "x"}, False),
        ({"group": "Nvidia:2@grid_a100-40c%NVLink"}, True),
        ({"group": 2}, False),
        ({"group": "g", "vgpu": "p"}, False),
        ({"dvx": {"class": "c"}}, True),
        ({"dvx": {"class": "c", "parameters": {"a": 1, "b": "x", "c": True, "d": 0.5}}}, True),
        ({"dvx": {"class": "c", "parameters": None}}, True),
        ({"dvx": {"class": "c", "parameters": {"a": None}}}, False),
        ({"dvx": {"parameters": {}}}, False),
        ({"dvx": {"class": "c", "size": 1}}, False),
        ({"dvx": "c"}, False),
    ],
)
def test_schema_and_loader_agree_about_other_kinds_of_devices(entry: dict[str, Any], fits: bool) -> None:
    of_vm = {
        "passthrough_vms": [{"name": "train-01", "devices": ["10de:1eb8", entry], "state": "exactly", "kinds": "all"}]
    }
    assert (faults(of_vm) == [], refusal(of_vm) is None) == (fits, fits)
    of_host = {"passthrough_devices": [entry]}
    assert faults(of_host) != []
    assert refusal(of_host) is not None


@pytest.mark.parametrize(
    ("memory", "fits"), [(1, True), (65536, True), ("65536", True), (65537, False), ("65537", False)]
)
def test_schema_and_loader_agree_about_the_memory_of_a_card(memory: int | str, fits: bool) -> None:
    of_vm = {"passthrough_vms": [{"name": "train-01", "devices": [], "mmio": {"device_gb": {"10de:20f1": memory}}}]}
    assert (faults(of_vm) == [], refusal(of_vm) is None) == (fits, fits)


@search(suppress_health_check=[HealthCheck.too_slow])
@given(documents.documents())
def test_made_up_documents_are_well_formed(variables: dict[str, Any]) -> None:
    """Else the test above would compare refusals with refusals."""
    assert faults(variables) == []


@search(3, suppress_health_check=[HealthCheck.too_slow])
@given(documents.mistaken(), documents.anything, documents.anything)
def test_anything_at_all_gets_a_place(variables: dict[str, Any], first: Any, second: Any) -> None:
    """No traceback: whatever stands in the inventory, the answer names inventory host and path."""
    for given_variables in (
        variables,
        {**variables, "passthrough_vms": first},
        {"passthrough_hosts": first, "passthrough_vms": [{"name": "a", "devices": second}]},
        {"passthrough_hosts": [{"cluster": second, "devices": first}]},
        {"passthrough_devices": first, "vcenter_hostname": second},
        {"passthrough_devices": [{"match": first, "count": second}], "vcenter_port": second},
        {"passthrough_vms": [{"name": "a", "devices": [], "mmio": first, "power": second}]},
        {"passthrough_vms": [{"name": "a", "devices": [], "mmio": {"size_gb": first, "device_gb": second}}]},
        {"passthrough_devices": [], "passthrough_host_name": first},
        {"passthrough_graphics": first},
        {"passthrough_graphics": {"devices": first, "default_type": second}},
        {"passthrough_graphics": {"devices": [{"match": first, "type": second}]}},
    ):
        error = refusal(given_variables)
        if error is None or error.code == "no_intent":
            continue
        assert isinstance(error, PlacedError)
        assert error.host == HOST
        assert f"Inventory host {HOST}: " in error.sentence()
        assert route(error.parameter)[0] in given_variables, "the place begins with a variable of that host"
        assert len(error.message) < 2000


def test_a_list_that_holds_itself_is_a_mistake_like_any_other() -> None:
    endless: list[Any] = []
    endless.append(endless)
    error = refusal({"passthrough_vms": endless})
    assert error is not None
    assert error.code == "wrong_type"
    assert "anchor" in error.sentence()


EXAMPLES = sorted((ROOT / "examples").glob("*/inventory.yml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_examples_satisfy_the_schema(path: Any) -> None:
    inventory = yaml.safe_load(path.read_text(encoding="utf-8"))
    found = list(_variables(inventory))
    assert any("passthrough_vms" in variables for variables in found)
    assert [faults(variables) for variables in found if faults(variables)] == []


def _variables(value: Any) -> Any:
    """Every mapping of a YAML inventory that stands where variables do."""
    for name, group in (value or {}).items():
        if name == "hosts":
            yield from (variables for variables in (group or {}).values() if variables)
        elif name == "vars":
            yield group
        elif isinstance(group, dict):
            yield from _variables(group)


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("a", ("a",)),
        ("a[0]", ("a", 0)),
        ("a[0].b[12].c", ("a", 0, "b", 12, "c")),
        ("passthrough_vms[1].mmio.device_gb.10de:20f1", ("passthrough_vms", 1, "mmio", "device_gb", "10de:20f1")),
    ],
)
def test_a_path_leads_to_its_steps(path: str, steps: tuple[Any, ...]) -> None:
    assert route(path) == steps


def test_the_schema_is_plain_json() -> None:
    assert json.loads(FILE.read_text(encoding="utf-8"))["$schema"] == "http://json-schema.org/draft-07/schema#"
