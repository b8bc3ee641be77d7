# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls a module once for each slice, shows the progress, and combines the results of the slices into one. PRIVATE to the collection."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils import display as ansible_display
from ansible.utils.color import stringc
from ansible.utils.display import Display
from ansible.utils.path import unfrackpath

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError, InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.text import visible
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.outlets.arguments import OF_RUNS
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.http.rehearsal import current, place_of
from ansible_collections.directpath.vsphere.plugins.plugin_utils.kept_results import keep_result, place_in
from ansible_collections.directpath.vsphere.plugins.plugin_utils.outlets.opening import (
    failure_of,
    open_publisher,
    parse_outlets,
    warnings_of,
)
from ansible_collections.directpath.vsphere.plugins.plugin_utils.outlets.publisher import Publisher
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.files import local_zone, refusal
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
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.own_clock import OwnClock, describe_difference
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.progress import Line, Record, Tone, View
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.slices import slices
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.stop_lines import opening_line
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.summary_lines import (
    ending_lines,
    schedule_lines,
)
from ansible_collections.directpath.vsphere.plugins.plugin_utils.tasks import terminal
from ansible_collections.directpath.vsphere.plugins.plugin_utils.tasks.live_run import LiveRun
from ansible_collections.directpath.vsphere.plugins.plugin_utils.tasks.timelines import REPORTS, Timelines

LIVE_SLICE, BLIND_SLICE = 600, 60
"""Seconds of a slice: if its progress file can be read while it runs, and if its lines are available only at its end."""

REHEARSED_SLICE = 12 * 3600
"""Seconds of a slice in a rehearsal. They pass in seconds, and each slice starts the module again."""

RETRY_DELAYS = (5, 15, 30, 60, 120)
"""Seconds between attempts after the connection to the machine where the module runs is lost during a run."""

TO_RETURN = 20.0
"""Seconds in which a stopped task may return its result. ansible-playbook may not read it any more, and waits for this process."""

COLUMNS = terminal.COLUMNS

display = Display()

COLORS = {"ok": C.COLOR_OK, "bad": C.COLOR_ERROR, "warn": C.COLOR_WARN, "info": C.COLOR_VERBOSE}


class _Tail(Tail):
    """Records of the progress file, with the options by their names in the role. They are published, too."""

    def __init__(
        self, path: str, learn: Callable[[float], None], names: Mapping[str, str], publisher: Publisher
    ) -> None:
        super().__init__(path, learn)
        self._names, self._publisher = names, publisher

    def records(self) -> list[Record]:
        found: list[Record] = [renamed_record(record, self._names) for record in super().records()]
        with suppress(Exception):  # an error in an outlet must not end the display
            self._publisher.feed(found)
        return found


def _slice_seconds(tail: Tail | None) -> int:
    if current() is not None:
        return REHEARSED_SLICE
    return BLIND_SLICE if tail is None else LIVE_SLICE


class TaskInSlices(ActionBase):  # type: ignore[misc]
    """Runs one task: calls the module until its run is over, and prints its progress."""

    _supports_check_mode = True
    _supports_async = True
    _starts_hosts = True
    """Whether the module starts hosts, so that it can be paused."""
    _own_folder = ""
    _names: Mapping[str, str] = MappingProxyType({})
    """Option → its name in messages. Empty if messages use the names of the module."""
    _live: LiveRun | None = None
    _publisher: Publisher

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        args = dict(self._task.args)
        try:
            self._publisher = self._take_outlets(args)
        except DirectPathError as error:
            return {**result, **failure_of(error, str(args.get("option_prefix") or ""))}
        if self._task.async_val:
            # An async task prints nothing, and the process of this plugin, which would own the run, ends at once.
            return {
                **result,
                **self._execute_module(module_args=args, task_vars=task_vars, wrap_async=self._task.async_val),
            }
        self._names = role_names(str(args.get("option_prefix") or ""), args.get("option_names") or {})
        # Relative to the current directory, not to the playbook: a playbook of this collection is in the installed collection.
        paths = {name: unfrackpath(str(args[name]), follow=False) for name in REPORTS if args.get(name)}
        refused = refusal(paths)
        if refused is not None:
            msg = renamed(refused.sentence(), self._names)
            failure = {"msg": msg, "error_code": refused.code, "parameter": refused.parameter}
            return {**result, "failed": True, **failure}
        found = self._run_rolling(args, paths, task_vars or {})
        keep_result(
            "rolling", {"vcenter": place_in(args, os.environ), "planned": self._task.check_mode, "result": found}
        )
        return {**result, **found}

    def _take_outlets(self, args: dict[str, Any]) -> Publisher:
        """The outlets of the run. Their options are removed from ``args``: URLs and secrets stay in this process. Raises
        DirectPathError."""
        request = parse_outlets(args)
        for name in OF_RUNS:
            args.pop(name, None)
        if request and self._task.async_val:
            raise InputError(
                message="notify, metrics_file and traces have no effect with async: no process watches the run",
                code="outlets_with_async",
                parameter="async",
                cure="Leave out async and poll, or the options of outlets",
            )
        return open_publisher(request, str(args.get("hostname") or os.environ.get("VMWARE_HOST") or ""))

    def _run_rolling(self, args: dict[str, Any], paths: Mapping[str, str], task_vars: dict[str, Any]) -> dict[str, Any]:
        local = local_zone()
        clock = OwnClock(local.info)
        zone = replace(local, info=clock, here=local.info)
        redraws = self._redraws(args, task_vars)
        view = View(zone=clock, here=local.info, reasons=display.verbosity > 0, redraws=redraws)
        say = self._print if self._shows_progress(args) else _print_nothing
        screen = Screen(say, view, COLUMNS if redraws else 0)
        named = {self._names.get(name, name): path for name, path in paths.items()}
        subject = str(args.get("hostname") or os.environ.get("VMWARE_HOST") or "")
        learn = partial(self._learn, clock, screen, subject)
        with self._shared_folder(args, learn) as tail:
            if self._task.check_mode:
                *_earlier, (_part, joined) = slices(
                    args, BLIND_SLICE, partial(self._run_slice, task_vars, screen, tail)
                )
                if joined.get("schedule"):
                    learn(float(joined.get("server_time") or 0.0))
                    screen.tell(schedule_lines(joined["schedule"], view))
                return joined
            live = self._live = LiveRun(
                publisher=self._publisher,
                folder=args.get("shared_dir"),
                slice_seconds=float(args.get("slice") or BLIND_SLICE),
                say=say,
                view=view,
                names=self._names,
                timelines=Timelines(paths, zone, subject),
                learn=learn,
                last_records=tail.last_records if tail is not None else None,
                clean_up=self._remove_shared_folder,
            )
            if self._starts_hosts:
                screen.tell([opening_line(named)])
            with live.signals.handled():
                joined = self._run_slices(args, task_vars, screen, tail, live)
            if "state" in joined:
                screen.tell(
                    [*ending_lines(joined, view), *(Line(text=f"{name}: {path}") for name, path in named.items())]
                )
            return joined if not live.stop_reason else _brief(joined)

    def _learn(self, clock: OwnClock, screen: Screen, subject: str, server: float) -> None:
        """``server``: its time now; 0 if it is not known."""
        apart = clock.learn(server, datetime.now().timestamp()) if server > 0 else 0.0
        self._publisher.learn(server)
        if apart:
            screen.tell([Line(text=describe_difference(subject, apart), tone="warn")])

    def _run_slices(
        self, args: dict[str, Any], task_vars: dict[str, Any], screen: Screen, tail: Tail | None, live: LiveRun
    ) -> dict[str, Any]:
        live.begin()
        self._publisher.begin()
        joined: dict[str, Any] = {}
        call = partial(self._run_slice, task_vars, screen, tail)
        try:
            for part, joined in slices(args, _slice_seconds(tail), call):
                told = live.end_slice(part, joined)  # before the lines: it learns what the clock of the server shows
                if tail is None:
                    records = records_of(part)
                    self._publisher.feed(records)
                    screen.feed(records)
                screen.tell(told)
        except Exception as error:
            live.timelines.write(live.result(), ended_by=str(error))
            self._publisher.end({**live.result(), "state": "failed", "failed": True, "msg": str(error)})
            raise
        if live.stop_reason and multiprocessing.parent_process() is not None:
            # ansible-playbook waits for this process, but may not read its result any more.
            last = threading.Timer(TO_RETURN, os._exit, (1,))
            last.daemon = True
            last.start()
        ends = [report.record() for report in self._publisher.end(joined)]
        outlets = [*(joined.get("outlets") or []), *ends]
        problems = [*live.timelines.problems.values(), *warnings_of(outlets)]
        if problems:
            joined["warnings"] = [*(joined.get("warnings") or []), *problems]
        return {**joined, "outlets": outlets} if outlets else joined

    def _run_slice(
        self, task_vars: dict[str, Any], screen: Screen, tail: Tail | None, args: dict[str, Any], is_first: bool
    ) -> dict[str, Any]:
        pauses, live = iter(() if is_first else RETRY_DELAYS), self._live
        while True:
            if live is not None and live.stop_reason:
                args = {**args, "stop_reason": live.stop_reason}
                os.makedirs(
                    C.DEFAULT_LOCAL_TMP, mode=0o700, exist_ok=True
                )  # ansible-playbook has removed it at its end
            try:
                with watching(screen, tail, live.tick if live else None, self._end_orphaned):
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
    def _shared_folder(self, args: dict[str, Any], learn: Callable[[float], None]) -> Iterator[Tail | None]:
        """A folder that both module and plugin can access. None if the module runs on another machine or as another user."""
        if self._connection.transport != "local" or self._connection.become or self._task.check_mode:
            yield None
            return
        # A folder of its own: the module opens its files again and again, and must not create them again after they were removed.
        place = place_of(C.DEFAULT_LOCAL_TMP)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._own_folder = args["shared_dir"] = tempfile.mkdtemp(prefix="progress-", dir=place)
        try:
            if args.get("progress_file"):
                yield _Tail(
                    str(place_of(os.path.expanduser(str(args["progress_file"])))), learn, self._names, self._publisher
                )
            else:
                args["progress_file"] = path = os.path.join(self._own_folder, "lines.jsonl")
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                yield _Tail(path, learn, self._names, self._publisher)
        finally:
            self._remove_shared_folder()

    def _remove_shared_folder(self) -> None:
        if self._own_folder:
            shutil.rmtree(self._own_folder, ignore_errors=True)

    def _end_orphaned(self) -> None:
        """ansible-playbook has ended. The module stops when this process, the owner of its run, has ended, too."""
        if self._live is not None:
            self._live.signals.orphaned()
        else:
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
        """Prints through the display. In a worker process, it passes the text to ansible-playbook, which no longer reads it after a
        signal, or at its end."""
        signals = self._live.signals if self._live is not None else None
        if signals is not None and (signals.first is not None or signals.is_orphaned):
            if not raw or (signals.first == signal.SIGINT and not signals.is_orphaned):
                _print_directly(text, tone, raw=raw)
        elif raw:
            display.display(text, newline=False, screen_only=True)
        else:
            display.display(visible(text), color=COLORS.get(tone))


def _print_directly(text: str, tone: Tone, *, raw: bool) -> None:
    if raw:
        terminal.write(text)
        return
    shown, color = visible(text), COLORS.get(tone)
    terminal.write(("\r\x1b[K" if COLUMNS else "") + (stringc(shown, color) if color else shown) + "\n")
    if ansible_display.logger:
        ansible_display.logger.info(shown)


def _renamed(part: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The result of a slice with the options by their names in the role."""
    result = renamed_result(part, names)
    if result.get("msg") != part.get("msg"):
        result.pop("exception", None)  # newer releases of Ansible have the message here, too, and show this one
    return result


def _brief(joined: Mapping[str, Any]) -> dict[str, Any]:
    """The result of a stopped run. ansible-playbook may not read it: what exceeds the buffer of a pipe would never be written."""
    return {name: joined[name] for name in ("changed", "failed", "msg", "error_code", "state") if name in joined}


def _print_nothing(text: str, tone: Tone = "", *, raw: bool = False) -> None:
    """For tasks that must not print anything."""
