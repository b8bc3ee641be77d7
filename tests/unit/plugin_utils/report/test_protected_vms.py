# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VM that must never be stopped has to be in one vCenter of the play, also in one that comes later."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.protected_vms import (
    LOOKED,
    protection_problem,
    still_to_look,
)

PLAY = {"a": {"place": "vc-a"}, "b": {"place": "vc-b:8443"}, "c": {"place": "vc-c"}}
OPTION = "rolling_reboot_never_stop"


def wanted(*names: str, missing: Any = ()) -> dict[str, Any]:
    return {"option": OPTION, "names": list(names), "missing": missing}


def looked(found: str = "", missing: dict[str, list[str]] | None = None, **more: Any) -> dict[str, Any]:
    return {LOOKED: {"found": dict.fromkeys(found.split(), "vm-1"), "missing": missing or {}, **more}}


NEAR = {"trian-01": ["train-01"]}


def test_a_name_that_another_vcenter_has_is_known() -> None:
    hostvars = {"a": looked("x", {"y": []}), "b": looked("y", {"x": []}), "c": looked("", {"x": [], "y": []})}
    asked = wanted("x", "y")
    assert still_to_look(asked, PLAY, hostvars) == {"names": [], "leaders": []}
    assert protection_problem(asked, PLAY, hostvars, "a") == ""


def test_vcenters_that_come_later_are_asked_for_what_is_left() -> None:
    hostvars = {"a": looked("x", {"y": []}), "b": {}, "c": {}}
    left = still_to_look(wanted("x", "y"), PLAY, hostvars)
    assert left == {"names": ["y"], "leaders": ["b", "c"]}
    elsewhere = {"results": [{"item": "b", "found": {}, "missing": {"y": []}}, {"item": "c", "found": {"y": "vm-3"}}]}
    assert protection_problem(wanted("x", "y"), PLAY, hostvars, "a", elsewhere) == ""


def test_an_answer_to_another_question_does_not_count() -> None:
    """A variable that an earlier role registered: it was asked for other names."""
    hostvars = {"a": looked("", {"y": []}), "b": looked("z", {"q": []}), "c": looked("", {"y": []})}
    assert still_to_look(wanted("y"), PLAY, hostvars) == {"names": ["y"], "leaders": ["b"]}


def test_what_no_vcenter_has_is_named_with_what_is_meant() -> None:
    hostvars = {"a": looked("", NEAR), "b": looked("", {"trian-01": ["web-1"]}), "c": looked("", {"trian-01": []})}
    said = protection_problem(wanted("trian-01"), PLAY, hostvars, "a", {"skipped": True})
    assert said == (
        "rolling_reboot_never_stop contains trian-01, but no VM of vc-a, vc-b:8443 and vc-c has this name (train-01 is meant?). "
        "Nothing was done. Correct the name, or list it in rolling_reboot_never_stop_missing if the VM may be gone."
    )


@pytest.mark.parametrize("missing", [["trian-01"], "web, trian-01"])
def test_what_may_be_gone_may_be_missing(missing: Any) -> None:
    hostvars = {"a": looked("", NEAR), "b": {}, "c": {}}
    asked = wanted("trian-01", missing=missing)
    assert still_to_look(asked, PLAY, hostvars) == {"names": [], "leaders": []}
    assert protection_problem(asked, PLAY, hostvars, "a") == ""


def test_a_vcenter_that_does_not_answer_is_not_one_without_the_vm() -> None:
    hostvars = {"a": looked("", {"y": []}), "b": {}, "c": looked("", {"y": []})}
    elsewhere = {"results": [{"item": "b", "failed": True, "msg": "vc-b does not answer."}]}
    said = protection_problem(wanted("y"), PLAY, hostvars, "a", elsewhere)
    assert "no VM of vc-a and vc-c has this name" in said
    assert "vc-b:8443 could not be read: vc-b does not answer." in said


def test_a_name_that_two_vms_have_stops_the_run() -> None:
    failed = {LOOKED: {"failed_when_result": False, "error_code": "ambiguous_vm", "msg": "'db' matches 2 VMs"}}
    said = protection_problem(wanted("db"), PLAY, {"a": failed, "b": {}, "c": {}}, "a")
    assert said == "rolling_reboot_never_stop: 'db' matches 2 VMs"
