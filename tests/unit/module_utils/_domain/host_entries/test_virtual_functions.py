# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries with virtual functions beside entries for passthrough."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.selector import parse_desired_devices
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host_entries.kinds import parse_host_entries

X710: dict[str, Any] = {"match": "8086:1572"}
VMNIC: dict[str, Any] = {"vmnic": "vmnic4"}


def test_both_kinds_in_one_list_and_back() -> None:
    raw = [{"match": "10de:20f1", "count": 2}, {**X710, "virtual_functions": 8}, {**VMNIC, "virtual_functions": 0}]
    entries = parse_host_entries(raw)
    assert [entry.virtual_functions for entry in entries] == [None, 8, 0]
    assert [entry.option() for entry in entries] == raw
    assert parse_host_entries([{**X710, "virtual_functions": " 8 "}])[0].virtual_functions == 8, "templates make text"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ([X710, {**X710, "virtual_functions": 8}], "contradicting_wishes"),
        ([{**X710, "count": 1}, {**X710, "virtual_functions": 8}], "contradicting_wishes"),
        (
            ["8086:1572", {"match": {"vendor_id": "8086", "device_id": "1572", "slot": "3"}, "virtual_functions": 8}],
            "contradicting_wishes",
        ),
        ([{**X710, "virtual_functions": 4}, {**X710, "virtual_functions": 8}], "contradicting_wishes"),
        ([{**X710, "virtual_functions": 8}, {**X710, "virtual_functions": 8}], "duplicate_wish"),
        ([{**X710, "virtual_functions": True}], "bad_count"),
        ([{**X710, "virtual_functions": 1.5}], "bad_count"),
        ([{**X710, "virtual_functions": -1}], "bad_count"),
        ([{**X710, "virtual_functions": None}], "bad_devices"),
        ([{**X710, "virtual_functions": 8, "label": "a"}], "bad_devices"),
        ([VMNIC], "bad_devices"),
        ([{**VMNIC, **X710, "virtual_functions": 8}], "bad_devices"),
        ([{"vmnic": " ", "virtual_functions": 8}], "bad_devices"),
        ([{"match": {}, "virtual_functions": 8}], "bad_selector"),
        ({"match": "8086:1572"}, "bad_devices"),
    ],
)
def test_what_is_wrong_on_any_hardware(raw: Any, code: str) -> None:
    with pytest.raises(InputError) as found:
        parse_host_entries(raw)
    assert found.value.code == code


def test_host_passthrough_says_where_such_an_entry_belongs() -> None:
    with pytest.raises(InputError, match="host_sriov"):
        parse_desired_devices([{**X710, "virtual_functions": 8}])
