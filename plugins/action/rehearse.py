# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rehearses a playbook on twins, on the control node. Documented in plugins/modules/rehearse.py."""

from __future__ import annotations

from typing import Any

from ansible import constants as C
from ansible import context
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._domain.errors import DirectPathError
from ..module_utils._domain.text import visible
from ..plugin_utils.rehearsal.child import Invocation
from ..plugin_utils.rehearsal.options import ARGUMENTS, RehearsalRequest
from ..plugin_utils.rehearsal.task import rehearse_task

display = Display()


class ActionModule(ActionBase):
    """Runs on the control node only, without a connection, and copies no files."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Rehearse. In check mode only the options are checked."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _unused, given = self.validate_argument_spec(argument_spec=ARGUMENTS)
        result["changed"] = False
        try:
            request = RehearsalRequest.of(given)
            if self._task.check_mode:
                return result
            invocation = Invocation.of(context.CLIARGS, self._loader)
            return {**result, **rehearse_task(request, invocation, C.COLLECTIONS_PATHS, self._say)}
        except DirectPathError as error:
            return {**result, "failed": True, "msg": error.sentence(), "error_code": error.code}

    @staticmethod
    def _say(text: str) -> None:
        display.display(visible(text))
