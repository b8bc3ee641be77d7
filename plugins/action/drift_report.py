# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Combines drift reports on the controller. Documented in plugins/modules/drift_report.py."""

from __future__ import annotations

import datetime
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._domain.errors import DirectPathError, InputError
from ..module_utils._shell.engine.arguments import renamed_from
from ..module_utils._shell.outlets.arguments import OF_REPORTS
from ..plugin_utils.drift.files import FORMATS, judge, merge_results, rendered, summarize, write_reports
from ..plugin_utils.outlets.drift import DriftOutlets
from ..plugin_utils.outlets.opening import failure_of, parse_outlets, warnings_of
from ..plugin_utils.report.upload import KINDS, SETTINGS, destination, ending, problem_with

CHOICE = {"type": "str", "choices": ["fail", "report"], "default": "report"}
ARGUMENTS = {
    "results": {"type": "list", "elements": "dict"},
    "vcenters": {"type": "list", "elements": "str"},
    "guests": {"type": "list", "elements": "list", "default": []},
    "command_arguments": {"type": "str", "default": ""},
    "evaluate": {"type": "dict", **renamed_from("judge")},
    "vcenter": {"type": "str"},
    **{name: {"type": "path"} for name in FORMATS},
    **{f"{name}_url": {"type": "str", "no_log": True} for name in FORMATS},
    **SETTINGS,
    **OF_REPORTS,
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
        try:
            outlets = DriftOutlets(parse_outlets(self._task.args))
        except DirectPathError as error:
            return {**result, "changed": False, **failure_of(error)}
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
            if given["evaluate"]:
                return {**result, **self._judge(given["evaluate"], given)}
            found, lost, problems = self._report(given, outlets)
            end = self._judge(found, given)
        except DirectPathError as error:
            return {**result, "failed": True, "msg": error.sentence(), "error_code": error.code}
        # Drift is the more important message. Then what was not uploaded is a warning.
        is_over = "failed" in end or "unreachable" in end
        told = {**result, **found, **end, **ending(problems, "warn" if is_over else given["on_upload_failure"])}
        return {**told, "warnings": [*told.get("warnings", ()), *lost]} if lost else told

    @staticmethod
    def _judge(found: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        return judge(found, given["vcenter"], on_drift=given["on_drift"], on_unknown=given["on_unknown"])

    def _report(self, given: dict[str, Any], outlets: DriftOutlets) -> tuple[dict[str, Any], list[str], list[str]]:
        """The result, warnings of outlets, and why reports were not uploaded. In check mode no file is written, and outlets are silent. A
        report is uploaded in check mode, too: it is what the run is for, and changes nothing that it reports."""
        places = {name: destination(f"{name}_url", given) for name in FORMATS}
        report = merge_results(_paired(given), given["guests"], given["command_arguments"])
        renderers = rendered(report, datetime.datetime.now(datetime.UTC))
        paths = {} if self._task.check_mode else {name: given[name] for name in FORMATS}
        files = write_reports(renderers, paths)
        told = [] if self._task.check_mode else [one.record() for one in outlets.publish(report)]
        outcomes = {name: problem_with(renderers[name](), KINDS[name], to) for name, to in places.items() if to}
        uploaded = [name for name, problem in outcomes.items() if not problem]
        found = {**summarize(report, files), "uploaded": uploaded, **({"outlets": told} if told else {})}
        return found, warnings_of(told), [text for text in outcomes.values() if text]


def _paired(given: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Each vCenter and its result. Raises InputError."""
    vcenters, results, guests = (given[name] for name in ("vcenters", "results", "guests"))
    if len(vcenters) != len(results) or len(guests) > len(results):
        raise InputError(
            message=f"vcenters has {len(vcenters)} entries, results {len(results)}, guests {len(guests)}. They belong together, one by one",
            code="bad_report",
            parameter="results",
            cure="Give one result for each vCenter, in the same order. guests may be shorter",
        )
    return list(zip(vcenters, results, strict=True))
