# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a capture: what is in it comes out again, equal objects are stored once, and the same capture gives the same text."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.capture.document import (
    Capture,
    CapturedObject,
    natural,
    to_text,
    without_time,
)
from tests.unit.modules.capture.twins import capture
from tests.unit.modules.harness import Lab
from tests.unit.searching import search
from tools.envs import ROOT

SCHEMA = jsonschema.Draft7Validator(json.loads((ROOT / "docs" / "capture.schema.json").read_text(encoding="utf-8")))
LEAVES = st.none() | st.booleans() | st.integers(-5, 2**40) | st.text(max_size=5)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.builds(lambda rest: {"_t": "Kind", **rest}, st.dictionaries(st.sampled_from("abcdef"), inner, max_size=4))
    ),
    max_leaves=25,
)


def document(values: dict[str, Any]) -> Capture:
    thing = CapturedObject(kind="HostSystem", moid="host-1", values=values)
    return Capture(kind="vcenter", time="2026-01-05T08:00:00Z", api="8.0.3.0", about={"_t": "AboutInfo"}, root="group-d1",
                   paths={"HostSystem": ("a", "b")}, objects=(thing,))  # fmt: skip


def expanded(tree: Any, shared: list[Any]) -> Any:
    if isinstance(tree, list):
        return [expanded(item, shared) for item in tree]
    if isinstance(tree, dict):
        return (
            expanded(shared[tree["$"]], shared)
            if "$" in tree
            else {key: expanded(item, shared) for key, item in tree.items()}
        )
    return tree


@search()
@given(a=TREES, b=TREES)
def test_what_is_written_comes_out_again(a: Any, b: Any) -> None:
    text = to_text(document({"a": a, "b": [a, b]}))
    raw = json.loads(text)
    SCHEMA.validate(raw)
    assert expanded(raw["objects"][0]["values"], raw["shared"]) == {"a": a, "b": [a, b]}
    assert to_text(document({"b": [a, b], "a": a})) == text


def test_equal_objects_are_stored_once() -> None:
    card = {"_t": "HostPciDevice", "vendorName": "NVIDIA Corporation", "deviceName": "GA100 [A100 PCIe 40GB]"}
    raw = json.loads(to_text(document({"a": [card, dict(card)], "b": dict(card)})))
    assert raw["shared"] == [card]
    assert raw["objects"][0]["values"] == {"a": [{"$": 0}, {"$": 0}], "b": {"$": 0}}


@pytest.mark.slow
def test_captures_of_labs_have_the_published_format() -> None:
    for name in ("mixed", "standalone_67", "nvlink"):
        for anonymize in (False, True):
            SCHEMA.validate(capture(Lab.load(name), anonymize=anonymize).raw)


def test_ids_are_sorted_as_people_sort_them() -> None:
    assert sorted(["host-10", "host-9", "ha-host", "host-1"], key=natural) == ["ha-host", "host-1", "host-9", "host-10"]


def test_only_the_time_of_the_server_is_left_out() -> None:
    text = to_text(document({"a": {"_t": "Kind", "time": "2026-01-05T08:00:00Z"}}))
    assert without_time(text).count("2026") == 1
