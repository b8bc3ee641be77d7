# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module slice by slice, shows what happens while it happens, and tells the slices as one."""

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
"""Seconds of a slice: where its progress file can be followed, and where lines come only when it is over."""

REPORTS = ("timeline_html", "timeline_json")

KEPT = (
    "state reasons ended hosts counts rebooted timeline transitions notes resume measured journal calls logins server_time"
).split()
"""Of the result, in timeline_json."""

PATIENCE = (5, 15, 30, 60, 120)
"""Seconds between attempts when the machine the module runs on is lost in the middle of a run."""


def _columns() -> int:
    """Of the terminal that ansible-playbook writes to; 0 when it is none. Asked before a worker process is detached from it."""
    try:
        if sys.__stdout__ is None or not sys.__stdout__.isatty():
            return 0
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80
    except (OSError, ValueError):
        return 0


COLUMNS = _columns()

display = Display()


class _Tail(Tail):
    """What the module tells while it works, with its options by their other names."""

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
    """Option → what it is called by who reads the messages; empty where that is its own name."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        if self._task.async_val:
            # Nobody is there to show anything to, and the process that would own the run ends at once.
            return {**result, **self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val)}
        args = dict(self._task.args)
        self._names = role_names(str(args.get("option_prefix") or ""), args.get("option_names") or {})
        # Not from the playbook's folder, as Ansible's own paths are: that of a playbook of this collection is where it is installed.
        paths = {name: unfrackpath(str(args[name]), follow=False) for name in REPORTS if args.get(name)}
        refused = refusal(paths)
        if refused is not None:
            msg = renamed(refused.sentence(), self._names)
            told = {"msg": msg, "error_code": refused.code, "parameter": refused.parameter}
            return {**result, "failed": True, **told}
        return {**result, **self._run_rolling(args, paths, task_vars or {})}

    def _run_rolling(self, args: dict[str, Any], paths: Mapping[str, str], task_vars: dict[str, Any]) -> dict[str, Any]:
        zone = local_zone()
        redraws = self._redraws(args, task_vars)
        view = View(zone=zone.info, reasons=display.verbosity > 0, redraws=redraws)
        screen = Screen(self._say if self._speaks(args) else _hush, view, COLUMNS if redraws else 0)
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
        screen.tell(_last_words(joined, view, named, is_check=is_check))
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
                text = f"the machine the module runs on is lost; trying again in {pause} s"
                screen.tell([Line(text=text, tone="warn")])
                time.sleep(pause)

    @contextmanager
    def _progress_file(self, args: dict[str, Any]) -> Iterator[Tail | None]:
        """A file that module and plugin both see; None where the module runs elsewhere or as somebody else."""
        if self._connection.transport != "local" or self._connection.become or self._task.check_mode:
            yield None
        elif args.get("progress_file"):
            yield _Tail(os.path.expanduser(str(args["progress_file"])), self._names)
        else:
            # A folder of its own, so that nothing can come back once it is gone: the module opens the file anew for every line.
            self._own_folder = tempfile.mkdtemp(prefix="progress-", dir=C.DEFAULT_LOCAL_TMP)
            args["progress_file"] = path = os.path.join(self._own_folder, "lines.jsonl")
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            try:
                yield _Tail(path, self._names)
            finally:
                self._forget()

    def _forget(self) -> None:
        if self._own_folder:
            shutil.rmtree(self._own_folder, ignore_errors=True)

    def _orphaned(self) -> None:
        """ansible-playbook is gone. The module stops once the owner of its run, this process, is gone as well."""
        self._forget()
        os._exit(1)

    def _speaks(self, args: Mapping[str, Any]) -> bool:
        return not (self._task.no_log or self._play_context.no_log or args.get("progress") == "none")

    def _redraws(self, args: Mapping[str, Any], task_vars: Mapping[str, Any]) -> bool:
        """Whether a bar may be redrawn: a terminal, Ansible's own output on it, and nobody else who writes to it meanwhile."""
        return (
            COLUMNS > 0
            and os.environ.get("TERM", "dumb") != "dumb"
            and C.DEFAULT_STDOUT_CALLBACK in ("default", "ansible.builtin.default")
            and args.get("progress", "auto") == "auto"
            and display.verbosity < 3
            and len(task_vars.get("ansible_play_batch") or [None]) == 1
        )

    def _say(self, text: str, tone: Tone = "", *, raw: bool = False) -> None:
        """In a worker process, the display hands this over to ansible-playbook itself."""
        if raw:
            display.display(text, newline=False, screen_only=True)
            return
        colours = {"ok": C.COLOR_OK, "bad": C.COLOR_ERROR, "warn": C.COLOR_WARN, "info": C.COLOR_VERBOSE}
        display.display(visible(text), color=colours.get(tone))

    def _report(self, joined: dict[str, Any], paths: Mapping[str, str], zone: Any, args: Mapping[str, Any]) -> None:
        """After every slice, so that the page can be looked at while the roll goes on."""
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
    told = renamed_result(part, names)
    if told.get("msg") != part.get("msg"):
        told.pop("exception", None)  # newer releases keep the message there once more, and show that one
    return told


def _hush(text: str, tone: Tone = "", *, raw: bool = False) -> None:
    """For tasks that are not to show anything."""


def _last_words(joined: dict[str, Any], view: View, paths: Mapping[str, str], *, is_check: bool) -> list[Line]:
    if is_check:
        return list(schedule_lines(joined["schedule"], view)) if joined.get("schedule") else []
    if "state" not in joined:
        return []
    return [*ending_lines(joined, view), *(Line(text=f"{name}: {path}") for name, path in paths.items())]


def _as_json(joined: Mapping[str, Any], zone: str) -> str:
    told = all_visible({"format": 1, "zone": zone, **{name: joined[name] for name in KEPT if name in joined}})
    return json.dumps(told, indent=1, sort_keys=True, default=str) + "\n"
