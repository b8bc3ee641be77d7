# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same REST requests to our simulator and to vcsim. Every difference is listed here with its reason."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from pyVmomi import vim

from simulator import Simulator
from tests.conformance import rest_script, script
from tests.conformance.rest_script import Rest
from tests.conformance.test_against_vcsim import Difference

MODEL = dict.fromkeys(("cardinality", "description", "id", "name"), "str") | {"associable_types": [], "used_by": []}

DIFFERENCES: dict[str, Difference] = {
    "wrong_password": Difference(401, 200, "vcsim takes any name and password unless it is started with some"),
    "wrong_password_body": Difference("com.vmware.vapi.std.errors.unauthenticated", None, "as wrong_password"),
    "category_form": Difference(
        {"value": MODEL},
        {"value": {"cardinality": "str", "id": "str", "name": "str"}},
        "API reference, CategoryModel: every field is required, also where it is empty",
    ),
    "category_without_all_fields": Difference(
        400, 200, "API reference, Category.CreateSpec: description, cardinality and associable_types are required"
    ),
    "tag_of_an_unknown_category": Difference(
        404, 200, "API reference, Tag.create: NotFound when there is no such category"
    ),
    "no_tags": Difference([200, {"value": []}], [200, {"value": None}], "API reference, Tag.list: a list, never unset"),
    "an_object_without_tags": Difference(
        [200, 0],
        [200, 1],
        "not documented, so a knob: vapi_empty_rows; other clients of real vCenters reckon with no row",
    ),
    "many_objects_body": Difference(
        {"value": {"error_messages": [], "success": True}},
        None,
        "API reference, TagAssociation.attachTagToMultipleObjects: the result is a BatchResult",
    ),
    "one_tag_an_object": Difference(
        [200, 400], [200, 200], "API reference, TagAssociation.attach: the tag has to meet the cardinality"
    ),
    "type_that_does_not_fit": Difference(
        [200, 400], [200, 200], "API reference, TagAssociation.attach: the tag has to meet the associable types"
    ),
    "object_that_is_not_there": Difference(
        403, 200, "API reference, TagAssociation.attach: Unauthorized without the privilege to read the object"
    ),
}


@pytest.fixture(scope="module")
def theirs(vcsim: Any, vcsim_port: int) -> dict[str, Any]:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # vcsim signs its own
    machine, host = (script.all_of(vcsim, kind)[0]._moId for kind in (vim.VirtualMachine, vim.HostSystem))
    return rest_script.run(Rest(vcsim_port, context, "user", "pass", machine, host))


@pytest.fixture
def ours(sim: Simulator) -> Iterator[Rest]:
    """A client of our simulator, over TLS."""
    machine, host = sim.find("VirtualMachine", "vm-a").moid, sim.find("HostSystem", "esx-01.lab").moid
    with sim.serve() as server:
        context = ssl.create_default_context(cafile=str(server.ca_file))
        yield Rest(server.port, context, "administrator@vsphere.local", "VMware1!", machine, host)


def test_both_answer_alike_but_for_what_is_listed(ours: Rest, theirs: dict[str, Any], sim: Simulator) -> None:
    answers = rest_script.run(ours)
    found = {name: (answers[name], theirs[name]) for name in rest_script.STEPS if answers[name] != theirs[name]}
    assert found == {name: (item.ours, item.vcsim) for name, item in DIFFERENCES.items()}
    assert sim.internal_errors == []


def test_enough_answers_are_alike(theirs: dict[str, Any]) -> None:
    """The comparison would prove little if most of it were exceptions."""
    assert len(theirs) - len(DIFFERENCES) >= 20


def test_every_difference_names_a_step_and_a_reason() -> None:
    assert set(DIFFERENCES) <= set(rest_script.STEPS)
    assert all(len(item.reason) > 10 for item in DIFFERENCES.values())


def test_running_twice_gives_the_same_answers(ours: Rest, sim: Simulator) -> None:
    assert rest_script.run(ours) == rest_script.run(ours)
    assert (sim.tags.categories, sim.tags.tags) == ({}, {})
