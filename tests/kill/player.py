# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rolling reboot, or host_maintenance, without Ansible's controller: this process owns the run, and each slice is a process below it.

The loop is that of the action plugin, the slice is the module's own main() with its arguments on standard input. Both are forked from
processes that have imported everything: what a start costs is seconds of imports, and a fork is killed like any other process.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from tools.collection_path import install

install()

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine import run as run_module  # noqa: E402
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import open_session  # noqa: E402
from ansible_collections.directpath.vsphere.plugins.modules import host_maintenance, host_rolling_reboot  # noqa: E402
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.slices import slices  # noqa: E402
from tests.kill.clock import ClientClock  # noqa: E402

MODULES = {"host_maintenance": host_maintenance, "host_rolling_reboot": host_rolling_reboot}
IMPORTED_BY = os.getpid()
"""The process that all others are forked from."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """One run: the module, the task's arguments, seconds of a slice, environment variables, and the folder in which it lives."""

    module: str = "host_rolling_reboot"
    args: Mapping[str, Any]
    slice: float
    environ: Mapping[str, str]
    home: Path
    clock: Path
    control_port: int


def play(order: Order) -> NoReturn:
    """Run it to its end; the exit code is that of ansible-playbook, the result is in the folder."""
    assert os.getpid() != IMPORTED_BY, "a process that imports all this for itself costs a second"
    os.setsid()
    os.chdir(order.home)
    os.environ.clear()
    os.environ.update(order.environ, HOME=str(order.home), TMPDIR=str(order.home))
    tempfile.tempdir = None
    if order.module == "host_maintenance":
        joined = _slice(order, dict(order.args), True)
    else:
        args = {**order.args, "progress_file": str(order.home / "progress.jsonl")}
        *_earlier, (_part, joined) = slices(args, order.slice, partial(_slice, order))
    (order.home / "result.json").write_text(json.dumps(joined), encoding="utf-8")
    os._exit(2 if joined.get("failed") else 0)


def _slice(order: Order, asked: dict[str, Any], is_first: bool) -> dict[str, Any]:
    """The module as a process of its own, and its result."""
    given, told = order.home / "arguments.json", order.home / "output.txt"
    given.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": asked}), encoding="utf-8")
    pid = os.fork()
    if pid == 0:
        _module(order, given, told)
    _unused, status = os.waitpid(pid, 0)
    printed = told.read_text(encoding="utf-8")
    try:
        result: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return {"failed": True, "msg": f"MODULE FAILURE ({status}): {printed}"}
    return result


def _module(order: Order, given: Path, told: Path) -> NoReturn:
    code: Any = 1
    try:
        os.dup2(os.open(given, os.O_RDONLY), 0)
        os.dup2(os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
        os.dup2(1, 2)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
        sys.argv = [order.module]
        clock = ClientClock(order.clock, order.control_port)
        # The one thing that is not as users run it: time.
        run_module.open_session = partial(open_session, clock=clock.seconds, sleep=clock.sleep)
        MODULES[order.module].main()
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code if isinstance(code, int) else 0)
