# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module, prints the status as a table, and decides how the task ends."""

from __future__ import annotations

import time
from typing import Any

from ansible import constants as C
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.text import visible
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.files import local_zone
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.status_lines import judge_status, status_lines

COLORS = {"ok": C.COLOR_OK, "bad": C.COLOR_ERROR, "warn": C.COLOR_WARN, "info": C.COLOR_VERBOSE}

display = Display()


class ActionModule(ActionBase):  # type: ignore[misc]
    """Runs one task."""

    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        result.update(self._execute_module(task_vars=task_vars))
        ending = {name: self._task.args.get(name, "report") for name in ("on_attention", "on_unknown")}
        if "runs" not in result:
            # Nothing is known. As with drift, another exit status than that of a failure.
            if result.get("failed") and ending["on_unknown"] == "fail" and result.get("error_code"):
                result.pop("failed")
                result["unreachable"] = True
            return result
        lines = status_lines(result, local_zone().info, time.time())
        silent = self._task.no_log or self._play_context.no_log
        is_idle = result["status"] == "idle" and not result["pauses"]
        if not silent and (boolean(self._task.args.get("show_idle", True)) or not is_idle):
            for line in lines:
                display.display(visible(line.text), color=COLORS.get(line.tone))
        result["lines"] = [line.text for line in lines]
        return {**result, **judge_status(result, ending["on_attention"])}
