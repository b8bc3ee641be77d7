# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Combines drift reports on the controller. Documented in plugins/modules/drift_report.py."""

from __future__ import annotations

import datetime
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._domain.errors import DirectPathError
from ..module_utils._shell.engine.arguments import renamed_from
from ..plugin_utils.drift.files import FORMATS, judge, merge_results, summarize, write_reports

CHOICE = {"type": "str", "choices": ["fail", "report"], "default": "report"}
ARGUMENTS = {
    "results": {"type": "list", "elements": "dict"},
    "vcenters": {"type": "list", "elements": "str"},
    "guests": {"type": "list", "elements": "list", "default": []},
    "command_arguments": {"type": "str", "default": ""},
    "evaluate": {"type": "dict", **renamed_from("judge")},
    "vcenter": {"type": "str"},
    **{name: {"type": "path"} for name in FORMATS},
    "on_drift": CHOICE,
    "on_unknown": CHOICE,
}


class ActionModule(ActionBase):
    """Runs on the controller only, without a connection, and copies no files."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Combine the results into a report and write its files, or use an earlier report; then judge it."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _unused, given = self.validate_argument_spec(
            argument_spec=ARGUMENTS,
            required_together=[("results", "vcenters")],
            required_one_of=[("results", "evaluate")],
            mutually_exclusive=[("results", "evaluate")],
        )
        if "judge" in self._task.args:
            # A module does this by itself for its deprecated aliases, an action plugin does not.
            Display().deprecated(
                "Option judge of drift_report is deprecated. Use evaluate",
                version="2.0.0",
                collection_name="directpath.vsphere",
            )
        result["changed"] = False
        try:
            found = given["evaluate"] or self._report(given)
            choices = {name: given[name] for name in ("on_drift", "on_unknown")}
            end = judge(found, given["vcenter"], **choices)
        except DirectPathError as error:
            return {**result, "failed": True, "msg": error.sentence(), "error_code": error.code}
        return {**result, **({} if given["evaluate"] else found), **end}

    def _report(self, given: dict[str, Any]) -> dict[str, Any]:
        results = list(zip(given["vcenters"], given["results"], strict=True))
        report = merge_results(results, given["guests"], given["command_arguments"])
        files = []
        if not self._task.check_mode:
            files = write_reports(report, {name: given[name] for name in FORMATS}, datetime.datetime.now(datetime.UTC))
        return summarize(report, files)
