# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles make of a result, as a replay compares it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs import roles
from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs.names import RunNames
from tests.unit.modules.harness import Lab


def plan_of(lab: str, **more: Any) -> dict[str, Any]:
    found = Lab.load(lab)
    options = {"cluster": ["gpu-a"], "pinned_vms": "shutdown", **more}
    return found.run("host_rolling_reboot", check=True, **options)


def test_what_follows_each_answer_of_the_user_is_kept() -> None:
    found = roles.role_decisions(plan_of("roll_12"), RunNames(None), check=True)
    assert found["reboots"]
    assert found["asks"] == {"none": "stops", "yes": "reboots", "no": "goes on"}


def test_without_a_host_to_reboot_the_role_does_not_ask() -> None:
    found = roles.role_decisions(plan_of("demo", cluster=["gpu-a"]), RunNames(None), check=True)
    assert found["reboots"] == []
    assert found["asks"] == dict.fromkeys(("none", "yes", "no"), "goes on")


def test_a_role_that_reboots_without_consent_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, before = plan_of("roll_12"), roles.reboot_decision
    monkeypatch.setattr(
        roles, "reboot_decision", lambda plan, consent, *more: before(plan, None if consent is None else True, *more)
    )
    assert roles.role_decisions(plan, RunNames(None), check=True)["asks"]["no"] == "reboots"
