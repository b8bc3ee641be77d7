# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the command at the end of a failure message, as a person would paste it."""

from __future__ import annotations

import json
import shlex
from typing import Any

from tests.unit.modules.harness import Lab

RESTORE = "ansible-playbook directpath.vsphere.restore"


def run_command_at_the_end(lab: Lab, message: str, left: str) -> dict[str, Any]:
    """``left``: what the message must name right before the command."""
    text, found, todo = message.rpartition("To bring this back: ")
    command = todo.rpartition("then: ")[2]  # behind what a person must repair first
    assert found, message
    assert text.rstrip().endswith(left), message
    if command == RESTORE:
        return lab.run("rolling_reboot_restore")
    program, localhost, _m, module, _a, options = shlex.split(command)
    assert (program, localhost) == ("ansible", "localhost")
    return lab.run(module.rpartition(".")[2], **json.loads(options))
