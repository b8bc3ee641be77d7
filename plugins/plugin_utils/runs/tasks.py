# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible says at the end of a task, as an event of the recorder. PRIVATE to the collection."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ...module_utils._shell.engine.earlier_tasks import ONLY_ASKS
from ...module_utils._shell.engine.run import RECORDS_ANSWERS
from .recorder import COLLECTION, TaskEnd

__all__ = ["RECORDS_ANSWERS", "event_of"]

_FACTS = ("ansible.builtin.set_fact", "ansible.legacy.set_fact", "set_fact")


def event_of(ended: Any, began: Mapping[tuple[str, str], float], now: float) -> TaskEnd | None:
    """``ended``: the result of a task, as Ansible passes it to callbacks. ``began``: host and task → time. None if the recorder needs none:
    a task of another collection, or the sum of a loop."""
    task = ended._task
    action = str(task.resolved_action or task.action)
    result = ended._result
    if not (action.startswith(COLLECTION) or action in _FACTS) or (task.loop is not None and "results" in result):
        return None
    fields = ended._task_fields
    given = fields.get("args") or {}
    arguments = {str(name): value for name, value in given.items() if not str(name).startswith("_")}
    hostname = arguments.get("hostname") or os.environ.get("VMWARE_HOST") or ""
    return TaskEnd(
        action=action,
        hostname=str(hostname),
        arguments=arguments,
        result=result,
        check=bool(fields.get("check_mode")),
        only_asks=_only_asks(fields.get("environment")),
        began=began.get((ended._host.get_name(), task._uuid), now),
        ended=now,
    )


def _only_asks(environment: Any) -> bool:
    found = environment if isinstance(environment, list) else [environment]
    return any(isinstance(one, Mapping) and ONLY_ASKS in one for one in found)
