# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: run_file
type: notification
short_description: Write what a run did into a file that can be replayed without the servers
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Writes a run file. It has a capture of each vCenter at the begin of the run, the options of the modules of this collection without
    secrets, what they decided and did, with reasons, and what the servers did not answer as usual, with the time. Of each change that
    was sent to a server, it has the method, its arguments without texts, and the ids of the objects, which the capture has, too.
  - The playbook C(directpath.vsphere.capture), or a task with M(directpath.vsphere.capture), must be the first of the run. Names are
    replaced in the run file if the capture is anonymized, which is the default.
  - It adds no API calls of its own. The file is written again after each call of a module, so it also exists if the run is stopped.
options:
  path:
    description:
      - The file. Its name must end with C(.json.gz). Relative to the current directory. An existing file is replaced.
      - The key, which maps aliases to names, is written beside it, with C(.key.json) in place of C(.json.gz). Keep it at the site. Both
        files can be read by their owner only.
    type: path
    default: run.json.gz
    env:
      - name: DIRECTPATH_RUN_FILE
    ini:
      - section: directpath_vsphere
        key: run_file
requirements:
  - enabled in the configuration of Ansible, with callbacks_enabled
"""

EXAMPLES = r"""
# One run with a run file:
#   ANSIBLE_CALLBACKS_ENABLED=directpath.vsphere.run_file \
#     ansible-playbook directpath.vsphere.capture directpath.vsphere.site -i inventory.yml
#
# Each run with a run file, in ansible.cfg:
#   [defaults]
#   callbacks_enabled = directpath.vsphere.run_file
#   [directpath_vsphere]
#   run_file = run.json.gz
"""

import os
import time
from pathlib import Path
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase

from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs.recorder import Recorder
from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs.tasks import RECORDS_ANSWERS, event_of
from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs.write import (
    key_path,
    trouble_with_path,
    write_run,
)


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Hands each end of a task to the recorder, and writes its file. An error here must not end a run."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "directpath.vsphere.run_file"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._recorder = Recorder(time.time(), check=bool(context.CLIARGS.get("check")))
        self._began: dict[tuple[str, str], float] = {}
        self._path = Path("run.json.gz")
        self._problem = ""
        os.environ[RECORDS_ANSWERS] = "1"  # modules on this machine inherit it

    def set_options(self, *args: Any, **options: Any) -> None:
        """Read the options, before the first task."""
        super().set_options(*args, **options)
        self._path = Path(os.path.abspath(os.path.expanduser(str(self.get_option("path")))))
        self._warn(trouble_with_path(self._path))

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        """A task begins on a host."""
        self._began[host.get_name(), task._uuid] = time.time()

    def v2_runner_on_ok(self, result: Any) -> None:
        """A task ended."""
        self._add(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """A task failed."""
        self._add(result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """An item of a loop ended."""
        self._add(result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """An item of a loop failed."""
        self._add(result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """A playbook ended."""
        run = self._recorder.file()
        if self._problem:
            return
        if not run.calls:
            if run.servers:
                text = f"Run file: {self._path} has no call, as the run ended before one. Report what it printed, too"
                self._display.display(text)
            return
        keeps = f". Keep the key of its names at the site: {key_path(self._path)}" if run.key else ""
        self._display.display(f"Run file: {self._path}{keeps}")
        if missing := self._recorder.missing():
            self._display.warning(
                f"{self._path} cannot be replayed: it has no capture of {missing} of the servers. Run the playbook "
                "directpath.vsphere.capture first, in the same command"
            )

    def _add(self, result: Any) -> None:
        if self._problem:
            return
        try:
            event = event_of(result, self._began, time.time())
            if event is not None and self._recorder.add(event):
                write_run(self._path, self._recorder.file())
        except Exception as error:
            self._warn(f"{type(error).__name__}: {error}")

    def _warn(self, problem: str) -> None:
        if problem:
            self._problem = problem
            self._display.warning(f"The run file {self._path} is not written: {problem}")
