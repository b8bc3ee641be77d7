# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls a module once for each slice, shows the progress, and combines the results of the slices into one. PRIVATE to the collection."""

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
"""Seconds of a slice: if its progress file can be read while it runs, and if its lines are available only at its end."""

REPORTS = ("timeline_html", "timeline_json")

KEPT = (
    "state reasons ended hosts counts rebooted timeline transitions notes resume measured journal calls logins server_time"
).split()
"""Keys of the result that timeline_json contains."""

RETRY_DELAYS = (5, 15, 30, 60, 120)
"""Seconds between attempts after the connection to the machine where the module runs is lost during a run."""


def _read_columns() -> int:
    """Width of the terminal that ansible-playbook writes to; 0 without a terminal. Read before a worker process is detached from it."""
    try:
        if sys.__stdout__ is None or not sys.__stdout__.isatty():
            return 0
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80
    except (OSError, ValueError):
        return 0


COLUMNS = _read_columns()

display = Display()


class _Tail(Tail):
    """Records of the progress file, with the options by their names in the role."""

    def __init__(self, path: str, names: Mapping[str, str]) -> None:
        super().__init__(path)
        self._names = names

    def records(self) -> list[Record]:
        return [renamed_record(record, self._names) for record in super().records()]


class TaskInSlices(ActionBase):  # type: ignore[misc]
    """Runs one task: calls the module until its run is over, and prints its progress."""

    _supports_check_mode = True
    _supports_async = True
    _own_folder = ""
    _names: Mapping[str, str] = MappingProxyType({})
    """Option → its name in messages. Empty if messages use the names of the module."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        if self._task.async_val:
            # An async task prints nothing, and the process of this plugin, which would own the run, ends at once.
            return {**result, **self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val)}
        args = dict(self._task.args)
        self._names = role_names(str(args.get("option_prefix") or ""), args.get("option_names") or {})
        # Relative to the current directory, not to the playbook: a playbook of this collection is in the installed collection.
        paths = {name: unfrackpath(str(args[name]), follow=False) for name in REPORTS if args.get(name)}
        refused = refusal(paths)
        if refused is not None:
            msg = renamed(refused.sentence(), self._names)
            failure = {"msg": msg, "error_code": refused.code, "parameter": refused.parameter}
            return {**result, "failed": True, **failure}
        return {**result, **self._run_rolling(args, paths, task_vars or {})}

    def _run_rolling(self, args: dict[str, Any], paths: Mapping[str, str], task_vars: dict[str, Any]) -> dict[str, Any]:
        zone = local_zone()
        redraws = self._redraws(args, task_vars)
        view = View(zone=zone.info, reasons=display.verbosity > 0, redraws=redraws)
        screen = Screen(self._print if self._shows_progress(args) else _print_nothing, view, COLUMNS if redraws else 0)
        is_check = bool(self._task.check_mode)
        joined: dict[str, Any] = {}
        with self._progress_file(args) as tail:

            def call(options: dict[str, Any], is_first: bool) -> dict[str, Any]:
                return self._run_slice(options, task_vars, screen, tail, is_first=is_first)

            for part, joined in slices(args, BLIND_SLICE if tail is None else LIVE_SLICE, call):
                if tail is None and not is_check:
                    screen.feed(records_of(part))
                if not is_check and joined.get("timeline"):
                    self._write_timelines(joined, paths, zone, args)
        named = {self._names.get(name, name): path for name, path in paths.items()}
        screen.tell(_last_lines(joined, view, named, is_check=is_check))
        return joined

    def _run_slice(
        self, args: dict[str, Any], task_vars: dict[str, Any], screen: Screen, tail: Tail | None, *, is_first: bool
    ) -> dict[str, Any]:
        pauses = iter(() if is_first else RETRY_DELAYS)
        while True:
            try:
                with watching(screen, tail, self._exit_orphaned):
                    part = self._execute_module(module_args=dict(args), task_vars=task_vars)
                    return _renamed(part, self._names)
            except AnsibleConnectionFailure:
                pause = next(pauses, None)
                if pause is None:
                    raise
                text = f"connection to the machine where the module runs is lost; retry in {pause} s"
                screen.tell([Line(text=text, tone="warn")])
                time.sleep(pause)

    @contextmanager
    def _progress_file(self, args: dict[str, Any]) -> Iterator[Tail | None]:
        """A file that both module and plugin can access. None if the module runs on another machine or as another user."""
        if self._connection.transport != "local" or self._connection.become or self._task.check_mode:
            yield None
        elif args.get("progress_file"):
            yield _Tail(os.path.expanduser(str(args["progress_file"])), self._names)
        else:
            # In its own directory: the module opens the file for every line, and must not create it again after it was removed.
            self._own_folder = tempfile.mkdtemp(prefix="progress-", dir=C.DEFAULT_LOCAL_TMP)
            args["progress_file"] = path = os.path.join(self._own_folder, "lines.jsonl")
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            try:
                yield _Tail(path, self._names)
            finally:
                self._remove_progress_file()

    def _remove_progress_file(self) -> None:
        if self._own_folder:
            shutil.rmtree(self._own_folder, ignore_errors=True)

    def _exit_orphaned(self) -> None:
        """ansible-playbook has ended. The module stops when this process, the owner of its run, has ended, too."""
        self._remove_progress_file()
        os._exit(1)

    def _shows_progress(self, args: Mapping[str, Any]) -> bool:
        return not (self._task.no_log or self._play_context.no_log or args.get("progress") == "none")

    def _redraws(self, args: Mapping[str, Any], task_vars: Mapping[str, Any]) -> bool:
        """Whether a progress bar can be redrawn: on a terminal, with the default output of Ansible, and in a play with one host."""
        return (
            COLUMNS > 0
            and os.environ.get("TERM", "dumb") != "dumb"
            and C.DEFAULT_STDOUT_CALLBACK in ("default", "ansible.builtin.default")
            and args.get("progress", "auto") == "auto"
            and display.verbosity < 3
            and len(task_vars.get("ansible_play_batch") or [None]) == 1
        )

    def _print(self, text: str, tone: Tone = "", *, raw: bool = False) -> None:
        """Prints through the display. In a worker process, it passes the text to ansible-playbook."""
        if raw:
            display.display(text, newline=False, screen_only=True)
            return
        colors = {"ok": C.COLOR_OK, "bad": C.COLOR_ERROR, "warn": C.COLOR_WARN, "info": C.COLOR_VERBOSE}
        display.display(visible(text), color=colors.get(tone))

    def _write_timelines(
        self, joined: dict[str, Any], paths: Mapping[str, str], zone: Any, args: Mapping[str, Any]
    ) -> None:
        """Writes the timelines after every slice, so that the page can be read during the rolling reboot."""
        makers = {
            "timeline_html": lambda: render_gantt(
                joined, zone=zone, subject=str(args.get("hostname") or os.environ.get("VMWARE_HOST") or "")
            ),
            "timeline_json": lambda: _as_json(joined, zone.name),
        }
        for name, path in paths.items():
            try:
                write_whole(path, makers[name]())
            except OSError as error:
                warning = f"{name}: {path} could not be written: {error.strerror or error}"
                joined["warnings"] = [*(joined.get("warnings") or []), warning]


def _renamed(part: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The result of a slice with the options by their names in the role."""
    result = renamed_result(part, names)
    if result.get("msg") != part.get("msg"):
        result.pop("exception", None)  # newer releases of Ansible have the message here, too, and show this one
    return result


def _print_nothing(text: str, tone: Tone = "", *, raw: bool = False) -> None:
    """For tasks that must not print anything."""


def _last_lines(joined: dict[str, Any], view: View, paths: Mapping[str, str], *, is_check: bool) -> list[Line]:
    if is_check:
        return list(schedule_lines(joined["schedule"], view)) if joined.get("schedule") else []
    if "state" not in joined:
        return []
    return [*ending_lines(joined, view), *(Line(text=f"{name}: {path}") for name, path in paths.items())]


def _as_json(joined: Mapping[str, Any], zone: str) -> str:
    data = all_visible({"format": 1, "zone": zone, **{name: joined[name] for name in KEPT if name in joined}})
    return json.dumps(data, indent=1, sort_keys=True, default=str) + "\n"
