# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of drift_report in process."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.connection.local import Connection
from ansible.template import Templar
from ansible.utils.display import Display

from ansible_collections.directpath.vsphere.plugins.action.drift_report import ActionModule

DRIFT = {"status": "drift", "summary": "1 host differs", "differences": ["esx-01: disabled"], "vcenters": {}}


def run(**options: Any) -> tuple[dict[str, Any], list[str]]:
    """The result of the task, and its deprecations."""
    task, context = Task(), PlayContext()
    task.args = options
    loader = DataLoader()
    action = ActionModule(task, Connection(context, None), context, loader, Templar(loader=loader), None)
    deprecations: list[str] = []
    with mock.patch.object(Display, "deprecated", lambda _self, msg, **_more: deprecations.append(msg)):
        return action.run(task_vars={}), deprecations


@pytest.mark.parametrize(("option", "deprecated"), [("evaluate", 0), ("judge", 1)])
def test_an_earlier_result_is_evaluated_by_the_new_and_by_the_old_name(option: str, deprecated: int) -> None:
    result, deprecations = run(**{option: DRIFT}, on_drift="fail")
    assert (result["failed"], result["error_code"]) == (True, "drift")
    assert len(deprecations) == deprecated
    assert all("Use evaluate" in text for text in deprecations)
