# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run files of labs, recorded without Ansible: the modules of a play in process, and what their tasks would hand to the callback plugin."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import RECORDS_ANSWERS
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.slices import slices
from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs.options import REPLAYED, arguments_of
from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs.recorder import Recorder, TaskEnd
from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs.write import write_run
from tests.unit.modules.harness import Lab

BEGAN = 1_767_600_000.0


@dataclass(frozen=True, kw_only=True)
class Step:
    """One task: a module, its options, and whether it is called in check mode. ``before``: called right before it."""

    module: str
    options: dict[str, Any] = field(default_factory=dict)
    check: bool = False
    before: Callable[[], object] = lambda: None


def record(lab: Lab, steps: Iterable[Step], folder: Path, *, anonymize: bool = True) -> Path:
    """Play the steps after a capture, and write their run file."""
    recorder = Recorder(BEGAN)
    capture = {"path": str(folder / "capture-1.json.gz"), "anonymize": anonymize}
    for step in (Step(module="capture", options=capture), *steps):
        recorder.add(event(lab, step, folder))
    path = folder / "run.json.gz"
    write_run(path, recorder.file())
    return path


def event(lab: Lab, step: Step, folder: Path) -> TaskEnd:
    """The end of a task."""
    arguments = {**lab.credentials(), **step.options}
    given = {**arguments, "_ansible_check_mode": step.check, "_ansible_diff": True}
    step.before()
    began = BEGAN + lab.sim.clock.seconds()
    if step.module in REPLAYED and "journal_dir" in arguments_of(step.module):
        given["journal_dir"] = str(folder)
    with mock.patch.dict(os.environ, {RECORDS_ANSWERS: "1"}):
        if step.module == "host_rolling_reboot" and not step.check:
            *_parts, (_part, result) = slices(given, 600.0, partial(_slice, lab))
        else:
            result = lab._main(step.module, given)
    result = json.loads(json.dumps(result))
    return TaskEnd(
        action=f"directpath.vsphere.{step.module}",
        hostname="vcenter.test",
        arguments=arguments,
        result=result,
        check=step.check,
        only_asks=step.check,
        began=began,
        ended=BEGAN + lab.sim.clock.seconds(),
    )


def _slice(lab: Lab, arguments: dict[str, Any], _is_first: bool) -> dict[str, Any]:
    return lab._main("host_rolling_reboot", arguments)
