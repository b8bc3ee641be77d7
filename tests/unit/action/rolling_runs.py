# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin as it is, in this process, and in the place of its module a script: what is called, what is shown, what is left.

Ansible's own objects are handed to it. Only that no module is started, and that the display notes what it is to show, is ours.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from ansible.errors import AnsibleConnectionFailure
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.connection.local import Connection

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling import stop_request
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling import live_display
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.stop_lines import PAUSE
from ansible_collections.directpath.vsphere.plugins.plugin_utils.tasks import in_slices as plugin
from ansible_collections.directpath.vsphere.plugins.plugin_utils.tasks import signals, timelines
from tests.unit.patience import until

PASSWORD = "s3cr3t-w0rd"
ELSEWHERE = "directpath.vsphere.elsewhere"

Part = Mapping[str, Any]
"""One call of the module: ``progress`` (records), ``then`` (called before it ends), and ``result``, or ``lost``."""


class Elsewhere(Connection):  # type: ignore[misc]
    """To a machine that is not the controller, as far as the plugin may know."""

    transport = ELSEWHERE


@dataclass
class Screen:
    """In the place of Ansible's display."""

    verbosity: int = 0
    lines: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)

    def display(self, msg: str, color: str | None = None, *, screen_only: bool = False, newline: bool = True) -> None:
        if newline:
            assert not screen_only, "lines are for the log as well"
            self.lines.append(msg)
        else:
            assert screen_only, "a bar is not for the log"
            self.raw.append(msg)


@dataclass(frozen=True)
class Call:
    """What the module was called with, and the mode of its progress file."""

    params: dict[str, Any]
    mode: str | None
    asynchronous: bool


@dataclass
class Roll:
    """One task of a playbook, run in ``folder``. ``columns``: of its terminal, 0 for a log."""

    folder: Path
    options: dict[str, Any] = field(default_factory=dict)
    connection: type[Connection] = Connection
    become: bool = False
    check: bool = False
    background: int = 0
    no_log: bool = False
    columns: int = 0
    callback: str = "default"
    task_vars: dict[str, Any] = field(default_factory=lambda: {"ansible_play_batch": ["here"]})
    screen: Screen = field(default_factory=Screen)
    calls: list[Call] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    looks: int = 0
    """How often the plugin drew what there is to draw, if there was."""

    direct: list[str] = field(default_factory=list)
    """What was written to the terminal itself, without the display."""
    is_hung_up: bool = False

    @property
    def lines(self) -> list[str]:
        """Without the first line of a run, which says where its page is and how to pause it."""
        return [line for line in self.screen.lines if PAUSE not in line]

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    def until(self, seen: Callable[[], bool]) -> Callable[[], None]:
        """For ``then``: the module works on until something is to be seen; after a while it ends anyway, and the test fails."""

        def wait() -> None:
            assert until(seen)

        return wait

    def watched(self) -> None:
        """For ``then``: the module works on until the plugin had time to show all there is."""
        before = self.looks
        self.until(lambda: self.looks > before + 1)()

    def run(self, *parts: Part) -> dict[str, Any]:
        """The task's result. Every part has to be used."""
        self.temporary.mkdir(exist_ok=True)
        script = iter(parts)
        draw = live_display.Screen.draw

        def look(screen: live_display.Screen) -> None:
            draw(screen)
            self.looks += 1

        def module(
            action: Any, module_args: dict[str, Any] | None = None, wrap_async: int = 0, **_others: Any
        ) -> dict[str, Any]:
            return self._play(next(script), dict(module_args or action._task.args), bool(wrap_async))

        constants = {"DEFAULT_LOCAL_TMP": str(self.temporary), "DEFAULT_STDOUT_CALLBACK": self.callback}
        with ExitStack() as stack:
            for name, value in constants.items():
                stack.enter_context(mock.patch.object(plugin.C, name, value))
            stack.enter_context(mock.patch.multiple(live_display, LOOKS=0.01, REDRAW=0.01))
            stack.enter_context(mock.patch.multiple(timelines, AT_MOST_EVERY=0.05, SHARE=1.0))
            stack.enter_context(mock.patch.object(live_display.Screen, "draw", look))
            stack.enter_context(mock.patch.object(plugin, "display", self.screen))
            stack.enter_context(mock.patch.object(plugin, "COLUMNS", self.columns))
            stack.enter_context(mock.patch.object(plugin.terminal, "write", self.direct.append))
            stack.enter_context(mock.patch.multiple(signals, GRACE=0.01, is_hung_up=lambda: self.is_hung_up))
            stack.enter_context(mock.patch.multiple(stop_request, ONE_REQUEST=0.0, PASSED_ON=0.0))
            stack.enter_context(mock.patch.object(plugin, "time", SimpleNamespace(sleep=self.pauses.append)))
            stack.enter_context(
                mock.patch.object(plugin.TaskInSlices, "_execute_module", autospec=True, side_effect=module)
            )
            result: dict[str, Any] = self._action().run(task_vars=dict(self.task_vars))
        assert list(script) == [], "the module was to be called more often"
        return result

    def _action(self) -> Any:
        task, context = Task(), PlayContext()
        task.action = "directpath.vsphere.host_rolling_reboot"
        task.args = {"cluster": ["gpu-a"], "password": PASSWORD, **self.options}
        task.async_val, task.check_mode, task.no_log = self.background, self.check, self.no_log
        connection = self.connection(context, StringIO())
        if self.become:
            connection.set_become_plugin(SimpleNamespace(name="sudo"))
        return plugin.TaskInSlices(
            task=task,
            connection=connection,
            play_context=context,
            loader=DataLoader(),
            templar=None,
            shared_loader_obj=None,
        )

    def _play(self, part: Part, params: dict[str, Any], asynchronous: bool) -> dict[str, Any]:
        if part.get("lost"):
            raise AnsibleConnectionFailure("cable cut")
        file = params.get("progress_file")
        mode = oct(stat.S_IMODE(os.stat(file).st_mode)) if file else None
        self.calls.append(Call(params=params, mode=mode, asynchronous=asynchronous))
        if file:
            # In one write, so that the display sees all records or none.
            with open(file, "a", encoding="utf-8") as progress:
                progress.write("".join(json.dumps(record) + "\n" for record in part.get("progress", ())))
        then: Callable[[], object] = part.get("then", lambda: None)
        then()
        result: dict[str, Any] = json.loads(json.dumps(part["result"]))
        return result
