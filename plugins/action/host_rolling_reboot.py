# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module in slices, shows the progress, and merges the results."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.path import unfrackpath

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.text import all_visible, visible
from ansible_collections.directpath.vsphere.plugins.plugin_utils.gantt.page import render_gantt
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.files import local_zone, refusal, write_whole
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.live_display import (
    Screen,
    Tail,
    records_of,
    watching,
)
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.option_names import (
    renamed,
    renamed_record,
    renamed_result,
    role_names,
)
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.progress import Line, Record, Tone, View
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.slices import slices
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.summary_lines import (
    ending_lines,
    schedule_lines,
)

LIVE_SLICE, BLIND_SLICE = 600, 60
"""Seconds of a slice: if its progress file can be followed, and if its lines can only be shown at its end."""

REPORTS = ("timeline_html", "timeline_json")

KEPT = (
    "state reasons ended hosts counts rebooted timeline transitions notes resume measured journal calls logins server_time"
).split()
"""Keys of the result that timeline_json contains."""

PATIENCE = (5, 15, 30, 60, 120)
"""Seconds between attempts when the connection to the machine that runs the module is lost during a run."""


def _columns() -> int:
    """Width of the terminal of ansible-playbook; 0 if there is none. Read at import, before a worker process is detached from it."""
    try:
        if sys.__stdout__ is None or not sys.__stdout__.isatty():
            return 0
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80
    except (OSError, ValueError):
        return 0


COLUMNS = _columns()

display = Display()


class _Tail(Tail):
    """The progress file, with the option names of the role."""

    def __init__(self, path: str, names: Mapping[str, str]) -> None:
        super().__init__(path)
        self._names = names

    def records(self) -> list[Record]:
        return [renamed_record(record, self._names) for record in super().records()]


class ActionModule(ActionBase):  # type: ignore[misc]
    """One task of a playbook."""

    _supports_check_mode = True
    _supports_async = True
    _own_folder = ""
    _names: Mapping[str, str] = MappingProxyType({})
    """Option → the name that the user sets; empty if that is the option itself."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        if self._task.async_val:
            # There is no output to show progress on, and the process that would own the run ends at once.
            return {**result, **self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val)}
        args = dict(self._task.args)
        self._names = role_names(str(args.get("option_prefix") or ""), args.get("option_names") or {})
        # Relative to the working directory, not to the playbook: a playbook of this collection is in the installed collection.
        paths = {name: unfrackpath(str(args[name]), follow=False) for name in REPORTS if args.get(name)}
        refused = refusal(paths)
        if refused is not None:
            failure = {
                "msg": renamed(refused.sentence(), self._names),
                "error_code": refused.code,
                "parameter": refused.parameter,
            }
            return {**result, "failed": True, **failure}
        return {**result, **self._run_rolling(args, paths, task_vars or {})}

    def _run_rolling(self, args: dict[str, Any], paths: Mapping[str, str], task_vars: dict[str, Any]) -> dict[str, Any]:
        zone = local_zone()
        redraws = self._redraws(args, task_vars)
        view = View(zone=zone.info, reasons=display.verbosity > 0, redraws=redraws)
        screen = Screen(self._say if self._shows_progress(args) else _show_nothing, view, COLUMNS if redraws else 0)
        is_check = bool(self._task.check_mode)
        joined: dict[str, Any] = {}
        with self._progress_file(args) as tail:

            def call(asked: dict[str, Any], is_first: bool) -> dict[str, Any]:
                return self._slice(asked, task_vars, screen, tail, is_first=is_first)

            for part, joined in slices(args, BLIND_SLICE if tail is None else LIVE_SLICE, call):
                if tail is None and not is_check:
                    screen.feed(records_of(part))
                if not is_check and joined.get("timeline"):
                    self._report(joined, paths, zone, args)
        named = {self._names.get(name, name): path for name, path in paths.items()}
        screen.tell(_final_lines(joined, view, named, is_check=is_check))
        return joined

    def _slice(
        self, args: dict[str, Any], task_vars: dict[str, Any], screen: Screen, tail: Tail | None, *, is_first: bool
    ) -> dict[str, Any]:
        pauses = iter(() if is_first else PATIENCE)
        while True:
            try:
                with watching(screen, tail, self._orphaned):
                    part = self._execute_module(module_args=dict(args), task_vars=task_vars)
                    return _renamed(part, self._names)
            except AnsibleConnectionFailure:
                pause = next(pauses, None)
                if pause is None:
                    raise
                text = f"the connection to the machine that runs the module is lost; retrying in {pause} s"
                screen.tell([Line(text=text, tone="warn")])
                time.sleep(pause)

    @contextmanager
    def _progress_file(self, args: dict[str, Any]) -> Iterator[Tail | None]:
        """A file that module and plugin can both access; None if the module runs on another machine or as another user."""
        if self._connection.transport != "local" or self._connection.become or self._task.check_mode:
            yield None
        elif args.get("progress_file"):
            yield _Tail(os.path.expanduser(str(args["progress_file"])), self._names)
        else:
            # A folder of its own: the module opens the file for every line, but cannot create it again in a removed folder.
            self._own_folder = tempfile.mkdtemp(prefix="progress-", dir=C.DEFAULT_LOCAL_TMP)
            args["progress_file"] = path = os.path.join(self._own_folder, "lines.jsonl")
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            try:
                yield _Tail(path, self._names)
            finally:
                self._remove_folder()

    def _remove_folder(self) -> None:
        if self._own_folder:
            shutil.rmtree(self._own_folder, ignore_errors=True)

    def _orphaned(self) -> None:
        """ansible-playbook has ended. The module stops when the owner of its run, which is this process, has ended, too."""
        self._remove_folder()
        os._exit(1)

    def _shows_progress(self, args: Mapping[str, Any]) -> bool:
        return not (self._task.no_log or self._play_context.no_log or args.get("progress") == "none")

    def _redraws(self, args: Mapping[str, Any], task_vars: Mapping[str, Any]) -> bool:
        """Whether a bar may be redrawn: there is a terminal, Ansible's default output uses it, and no other host writes to it."""
        return (
            COLUMNS > 0
            and os.environ.get("TERM", "dumb") != "dumb"
            and C.DEFAULT_STDOUT_CALLBACK in ("default", "ansible.builtin.default")
            and args.get("progress", "auto") == "auto"
            and display.verbosity < 3
            and len(task_vars.get("ansible_play_batch") or [None]) == 1
        )

    def _say(self, text: str, tone: Tone = "", *, raw: bool = False) -> None:
        """Print a line. In a worker process, the display passes it to ansible-playbook."""
        if raw:
            display.display(text, newline=False, screen_only=True)
            return
        colors = {"ok": C.COLOR_OK, "bad": C.COLOR_ERROR, "warn": C.COLOR_WARN, "info": C.COLOR_VERBOSE}
        display.display(visible(text), color=colors.get(tone))

    def _report(self, joined: dict[str, Any], paths: Mapping[str, str], zone: Any, args: Mapping[str, Any]) -> None:
        """Write the reports after every slice, so that they can be read while the rolling reboot is in progress."""
        made = {
            "timeline_html": lambda: render_gantt(
                joined, zone=zone, subject=str(args.get("hostname") or os.environ.get("VMWARE_HOST") or "")
            ),
            "timeline_json": lambda: _as_json(joined, zone.name),
        }
        for name, path in paths.items():
            try:
                write_whole(path, made[name]())
            except OSError as error:
                warning = f"{name}: {path} could not be written: {error.strerror or error}"
                joined["warnings"] = [*(joined.get("warnings") or []), warning]


def _renamed(part: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    renamed_part = renamed_result(part, names)
    if renamed_part.get("msg") != part.get("msg"):
        renamed_part.pop("exception", None)  # newer releases store the message there again, and show that one
    return renamed_part


def _show_nothing(text: str, tone: Tone = "", *, raw: bool = False) -> None:
    """The output of tasks that must not show anything."""


def _final_lines(joined: dict[str, Any], view: View, paths: Mapping[str, str], *, is_check: bool) -> list[Line]:
    if is_check:
        return list(schedule_lines(joined["schedule"], view)) if joined.get("schedule") else []
    if "state" not in joined:
        return []
    return [*ending_lines(joined, view), *(Line(text=f"{name}: {path}") for name, path in paths.items())]


def _as_json(joined: Mapping[str, Any], zone: str) -> str:
    shown = all_visible({"format": 1, "zone": zone, **{name: joined[name] for name in KEPT if name in joined}})
    return json.dumps(shown, indent=1, sort_keys=True, default=str) + "\n"
