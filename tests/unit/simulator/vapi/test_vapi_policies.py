# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute policies over the Automation API of the simulator, and what they do with a VM whose host is evacuated."""

from __future__ import annotations

from typing import Any

import pytest

from simulator import Simulator
from simulator.lab.hardware.cards import LabError
from tests.unit.simulator.vapi.vapi_client import HEADER, Client, lab

RESTART = "com.vmware.vcenter.compute.policies.capabilities.vm.evacuation.best_effort_restart"
POLICY = {"name": "Restart it", "capability": "vm.evacuation.best_effort_restart", "tag": "Policy/restart"}


def asked(sim: Simulator, rest: str = "", *, verb: str = "GET", dialect: str = "api") -> Any:
    client = Client(sim, dialect)
    found = client.send(verb, f"/{dialect}/vcenter/compute/policies{rest}", None, {HEADER: client.key})
    return client.value(found) if found.status == 200 else found.status


@pytest.mark.parametrize("dialect", ["rest", "api"])
def test_list_get_and_the_tags_in_use(dialect: str) -> None:
    sim = Simulator.from_lab(lab(compute_policies=[POLICY]))
    tag = sim.tags.named("Policy/restart")
    (row,) = asked(sim, dialect=dialect)
    assert row == {"policy": row["policy"], "name": "Restart it", "description": "", "capability": RESTART}
    one = asked(sim, f"/{row['policy']}", dialect=dialect)
    assert one == {"name": "Restart it", "description": "", "capability": RESTART, "vm_tag": tag.id}
    (used,) = asked(sim, "/tag-usage", dialect=dialect)
    assert (used["policy"], used["tag"], used["tag_name"], used["category_name"]) == (
        row["policy"], tag.id, "restart", "Policy",
    )  # fmt: skip
    assert sim.evacuation_policy(sim.find("VirtualMachine", "train-01").moid) == ""
    sim.tags.attach("Policy/restart", sim.find("VirtualMachine", "train-01"))
    assert sim.evacuation_policy(sim.find("VirtualMachine", "train-01").moid) == "restart"


def test_what_is_not_modeled_is_refused() -> None:
    sim = Simulator.from_lab(lab(compute_policies=[POLICY]))
    for rest, verb in (("/capabilities", "GET"), ("/tag-usage?policies=a", "GET"), ("/x/y", "GET"), ("", "POST")):
        assert asked(sim, rest, verb=verb) == 404, rest
    assert asked(sim, "/nobody") == 404


@pytest.mark.parametrize(("mode", "status"), [("not_found", 404), ("unauthorized", 403)])
def test_whether_they_can_be_read_is_a_knob(mode: str, status: int) -> None:
    sim = Simulator.from_lab(lab(compute_policies=[POLICY], knobs={"compute_policies": mode}))
    assert asked(sim) == asked(sim, "/tag-usage") == status


def test_before_7_0_3_there_are_none() -> None:
    assert asked(Simulator.from_lab(lab(version="7.0.2"))) == 404


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"compute_policies": [{**POLICY, "effect": "restart"}]}, "is published"),
        ({"compute_policies": [{**POLICY, "capability": "vm.evacuation.power_off"}]}, "is not published"),
        ({"compute_policies": [POLICY, POLICY]}, "already"),
        ({"compute_policies": [{**POLICY, "tag": "restart"}]}, "Category/name"),
        ({"compute_policies": [{**POLICY, "colour": "red"}]}, "unknown key 'colour'"),
        ({"compute_policies": [POLICY], "version": "8.0.2"}, "does not have"),
        ({"compute_policies": [POLICY], "version": "7.0.2"}, "7.0.3 or later"),
    ],
)
def test_mistakes_in_a_lab(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(LabError, match=words):
        Simulator.from_lab(lab(**changes))
