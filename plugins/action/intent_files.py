# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes adopted intents to an inventory on the control node. Documented in plugins/modules/intent_files.py."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils._domain.errors import DirectPathError
from ..plugin_utils.adoption.layout import SHAPES
from ..plugin_utils.adoption.results import adopt_results

ARGUMENTS = {
    "results": {"type": "list", "elements": "dict", "required": True},
    "vcenters": {"type": "list", "elements": "str", "required": True},
    "connections": {"type": "list", "elements": "dict", "default": []},
    "dest": {"type": "str", "required": True},
    "shape": {"type": "str", "choices": list(SHAPES), "default": SHAPES[0]},
}


class ActionModule(ActionBase):
    """Runs on the control node only, without a connection, and copies no files."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Write the inventory. In check mode nothing is written, and the result is the same."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _unused, given = self.validate_argument_spec(argument_spec=ARGUMENTS)
        try:
            return {**result, **adopt_results(**given, write=not self._task.check_mode)}
        except DirectPathError as error:
            return {**result, "failed": True, "msg": error.sentence(), "error_code": error.code}
