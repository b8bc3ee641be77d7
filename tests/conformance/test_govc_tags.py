# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""govc's tag commands, a client of the Automation API in another language, against our simulator over TLS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import Simulator
from tests.conformance.test_govc import Govc, runner

VM = "/DC1/vm/train-01"


@pytest.fixture
def govc(demo: Simulator, tools: Path) -> Iterator[Govc]:
    """Run govc; returns what it printed, fails when govc does."""
    with demo.serve() as server:
        yield runner(server, tools)
    assert demo.internal_errors == []
    assert demo.vapi_sessions.by_id == {}, "govc logs out"


def test_a_category_a_tag_and_what_it_is_on(govc: Govc, demo: Simulator) -> None:
    category = govc("tags.category.create", "-d", "What to do", "-t", "VirtualMachine", "Policy").strip()
    tag = govc("tags.create", "-d", "Leave it alone", "-c", "Policy", "never-stop").strip()
    assert (list(demo.tags.categories), list(demo.tags.tags)) == ([category], [tag])
    govc("tags.attach", "-c", "Policy", "never-stop", VM)
    assert demo.tags.of("train-01") == ["Policy/never-stop"]
    moid = demo.find("VirtualMachine", "train-01").moid
    assert govc("tags.ls").split() == ["never-stop", "Policy"]
    assert govc("tags.ls", "-c", "Policy").split() == ["never-stop", "Policy"]
    assert govc("tags.attached.ls", "never-stop").strip() == f"VirtualMachine:{moid}"
    assert govc("tags.attached.ls", "-r", VM).strip() == "never-stop"
    assert govc("tags.attached.ls", "-l", "-r", VM).split() == [f"VirtualMachine:{moid}:", "never-stop"]
    (info,) = json.loads(govc("tags.info", "-json", "never-stop"))
    assert (info["id"], info["description"], info["category_id"]) == (tag, "Leave it alone", "Policy")
    (kind,) = json.loads(govc("tags.category.info", "-json", "Policy"))
    assert (kind["cardinality"], kind["associable_types"]) == ("SINGLE", ["VirtualMachine"])
    written = [(entry.method, entry.outcome) for entry in demo.journal.writes()]
    assert written == [("Tagging.CreateCategory", "ok"), ("Tagging.CreateTag", "ok"), ("Tagging.Attach", "ok")]


def test_changes_and_removal(govc: Govc, demo: Simulator) -> None:
    demo.tags.attach("Policy/never-stop", "train-01")
    govc("tags.update", "-n", "ask-first", "never-stop")
    assert demo.tags.of("train-01") == ["Policy/ask-first"]
    govc("tags.category.update", "-n", "Rules", "Policy")
    assert govc("tags.category.ls").split() == ["Rules"]
    govc("tags.detach", "ask-first", VM)
    assert demo.tags.of("train-01") == []
    govc("tags.rm", "ask-first")
    govc("tags.category.rm", "Rules")
    assert (demo.tags.categories, demo.tags.tags) == ({}, {})


def test_a_second_tag_of_a_single_category_is_refused(govc: Govc, demo: Simulator) -> None:
    demo.tags.category("Policy", "single")
    demo.tags.attach("Policy/never-stop", "train-01")
    demo.tags.attach("Policy/ask-first", "train-02")
    with pytest.raises(AssertionError, match=r"400 Bad Request.*allows one tag an object"):
        govc("tags.attach", "ask-first", VM)
    assert demo.tags.of("train-01") == ["Policy/never-stop"]
