# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures tell two results apart, and have no name."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs.figures import figures_of
from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs.names import RunNames

KEY = {"host-00001.example": "esx-mrk.site", "text-00001": "active"}


def result(**more: Any) -> dict[str, Any]:
    return {
        "changed": False,
        "calls": 7,
        "server_time": 1.5,
        "hosts": [{"name": "esx-mrk.site", "state": "off", "devices": [{"enabled": True, "numa_node": 1}], **more}],
    }


def test_they_have_no_names_and_nothing_of_the_clock() -> None:
    found = figures_of(result(label="active", extra={"esx-mrk.site": "secret-mrk"}), RunNames(KEY))
    assert found == {
        "hosts[]": 1,
        "hosts[].devices[]": 1,
        "hosts[].devices[].enabled": 1,
        "hosts[].devices[].numa_node": 1,
        "hosts[].extra.*": [1, 1, 0],
        "hosts[].label": [1, 1, 0],
        "hosts[].name": [1, 1, 0],
        "hosts[].state": [1, 1, 0],
        "hosts[].state=off": 1,
    }


@pytest.mark.parametrize(
    "more", [{"state": "active"}, {"devices": []}, {"devices": [{"enabled": False, "numa_node": 1}]}]
)
def test_they_differ_if_a_result_differs(more: dict[str, Any]) -> None:
    assert figures_of(result(**more), RunNames(None)) != figures_of(result(), RunNames(None))


def test_what_ansible_and_action_plugins_add_is_no_part_of_them() -> None:
    """A replay calls the module alone."""
    added = {
        "_ansible_no_log": False,
        "failed_when_result": False,
        "attempts": 2,
        "warnings": ["x"],
        "lines": ["train: off"],
    }
    assert figures_of({**result(), **added}, RunNames(KEY)) == figures_of(result(), RunNames(KEY))
