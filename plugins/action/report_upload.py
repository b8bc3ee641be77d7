# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Uploads a report from the controller. Documented in plugins/modules/report_upload.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils._domain.errors import DirectPathError
from ..module_utils._vsphere.upload.send import Destination
from ..plugin_utils.report.upload import KINDS, SETTINGS, ending, problem_with, read_report, settings

ARGUMENTS = {
    "content": {"type": "str"},
    "path": {"type": "path"},
    "url": {"type": "str", "required": True, "no_log": True},
    "format": {"type": "str", "choices": sorted(KINDS)},
    **SETTINGS,
}


class ActionModule(ActionBase):
    """Runs on the controller only, without a connection, and copies no files."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Upload a text or a file. In check mode only the options are checked."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _unused, given = self.validate_argument_spec(
            argument_spec=ARGUMENTS,
            required_one_of=[("content", "path")],
            mutually_exclusive=[("content", "path")],
        )
        result["changed"] = False
        try:
            to = Destination.of(given["url"], option="url", **settings(given))
            if self._task.check_mode:
                return {**result, "uploaded": False}
            text = given["content"] if given["path"] is None else read_report(given["path"])
        except DirectPathError as error:
            return {**result, "failed": True, "msg": error.sentence(), "error_code": error.code}
        suffix = Path(given["path"] or "").suffix.lstrip(".").lower()
        kind = KINDS.get(given["format"] or suffix, "application/octet-stream")
        problem = problem_with(text, kind, to)
        end = ending([problem] if problem else [], given["on_upload_failure"])
        return {**result, "uploaded": not problem, **end}
