# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a run that failed as a whole. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ..._domain.errors import DirectPathError
from ..._domain.left_behind import STATUS, power_on_command, with_ending
from ..._domain.text import all_visible


def fail(module: AnsibleModule, result: Mapping[str, Any]) -> NoReturn:
    """End the module as failed. Control characters from a server are made visible, so that they cannot affect a terminal."""
    module.fail_json(**all_visible(result))
    raise AssertionError("fail_json ends the process")


def failure(
    error: DirectPathError, *, wrote: int = 0, off: Collection[str] = (), has_journal: bool = False
) -> dict[str, Any]:
    """The result of a run that ended with an error, without results of targets.

    ``wrote``: number of writes before the error; their effect is unknown, and the message says so. ``off``: names of VMs that this run
    shut down and did not start again. ``has_journal``: a journal shows what the run left off or in maintenance mode.
    """
    result: dict[str, Any] = {"msg": error.sentence(), "error_code": error.code, "changed": wrote > 0}
    if wrote:
        result["msg"] += (
            f" Before that {wrote} write{'' if wrote == 1 else 's'} went out; the result could not be read. "
            "Run the task again: it reads the current state first and makes only the changes that are missing."
        )
    if wrote and has_journal:
        result["msg"] += f" To see what is off or in maintenance mode now: {STATUS}"
    if off:
        result["msg"] = with_ending(result["msg"], off, (), power_on_command(off))
    if error.parameter:
        result["parameter"] = error.parameter
    if error.candidates:
        result["candidates"] = list(error.candidates)
    return result
