# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison that replaces the phases of site when nothing is left to do."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.first_comparison import (
    compares_first,
    first_result,
)
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.hostvars import FIRST_COMPARISON, lines_of_run

SHARE = {"targets": [{"hosts": ["esx-1"]}], "vms": []}
HOSTS = [{"name": "esx-1", "devices": [{"address": "0000:3b:00.0", "name": "A100", "setting": "active"}]}]
SETTLED = {"settled": True, "summary": "1 host, 0 VMs: in sync", "report": {"hosts": HOSTS, "vms": []}}
FAILED = {"failed": True, "msg": "The password is wrong", "error_code": "invalid_login", "settled": True}
USUAL: dict[str, Any] = {"devices": "enabled", "vms": "present", "reboot_if": "pending", "fixed_targets": False}


def test_a_site_as_usual_compares_first() -> None:
    assert compares_first(SHARE, **USUAL)
    assert compares_first({"targets": [], "vms": [{"name": "a"}]}, **{**USUAL, "vms": "exactly"})


@pytest.mark.parametrize(
    ("share", "changed"),
    [
        ({"targets": [], "vms": []}, {}),
        (SHARE, {"devices": "disabled"}),
        (SHARE, {"vms": "absent"}),
        (SHARE, {"reboot_if": "always"}),
        (SHARE, {"fixed_targets": True}),
    ],
)
def test_roles_that_remove_or_reboot_are_not_replaced(share: dict[str, Any], changed: dict[str, Any]) -> None:
    assert not compares_first(share, **{**USUAL, **changed})


def test_the_result_is_stored_if_nothing_is_left_to_do() -> None:
    assert first_result(SETTLED) == {"differences": [], "hosts": HOSTS, "vms": []}


@pytest.mark.parametrize("comparison", [{"skipped": True}, {**SETTLED, "settled": False}, {}])
def test_something_left_to_do_is_no_result(comparison: dict[str, Any]) -> None:
    assert first_result(comparison) is None


def test_a_comparison_that_failed_is_not_in_sync() -> None:
    found = first_result(FAILED)
    assert found is not None
    assert (found["trouble"], found["msg"]) == ("failed", "The password is wrong")


@pytest.mark.parametrize(
    ("comparison", "alive", "line"),
    [
        (
            FAILED,
            [],
            "vc: STOPPED comparing with the desired state: The password is wrong. Before that: nothing changed.",
        ),
        ({"skipped": True}, ["vc"], "vc: nothing changed"),
    ],
)
def test_a_comparison_that_failed_is_in_the_line_of_its_vcenter(
    comparison: dict[str, Any], alive: list[str], line: str
) -> None:
    found = lines_of_run({"vc": {"vcenter": "vc", "port": 443}}, {"vc": {FIRST_COMPARISON: comparison}}, alive)
    assert found == [line]
