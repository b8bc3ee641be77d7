# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback plugin: the ends of tasks become a file, and no error of it ends a run."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.callback import run_file
from tests.tools.recorded_runs import Step, event
from tests.unit.modules.harness import Lab


class Plugin(run_file.CallbackModule):  # type: ignore[misc]
    """With its options, and a display that keeps what it would show."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.shown: list[str] = []
        self.printed: list[str] = []
        self._display = SimpleNamespace(warning=self.shown.append, display=self.printed.append)
        self._plugin_options = {"path": str(path)}
        self.set_options()

    def get_option(self, name: str, *_more: Any, **_options: Any) -> Any:
        return self._plugin_options[name]


@pytest.fixture(autouse=True)
def options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_file.context, "CLIARGS", {"check": False})
    monkeypatch.setenv(run_file.RECORDS_ANSWERS, "")  # it sets it
    monkeypatch.setattr(run_file.CallbackBase, "set_options", lambda self, *args, **options: None)


def ended(lab: Lab, step: Step, folder: Path, **more: Any) -> Any:
    """What Ansible passes to callbacks."""
    made = event(lab, step, folder)
    task = SimpleNamespace(action=made.action, resolved_action=made.action, loop=None, _uuid="1")
    fields = {
        "args": {**made.arguments, "_ansible_tmpdir": "/x"},
        "check_mode": step.check,
        "environment": [{}],
        **more,
    }
    host = SimpleNamespace(get_name=lambda: "vc")
    return SimpleNamespace(_task=task, _host=host, _result=made.result, _task_fields=fields)


def test_it_writes_after_each_call(tmp_path: Path) -> None:
    lab, plugin = Lab.load("three_hosts"), Plugin(tmp_path / "run.json.gz")
    capture = ended(lab, Step(module="capture", options={"path": str(tmp_path / "c.json.gz")}), tmp_path)
    plugin.v2_runner_on_start(capture._host, capture._task)
    plugin.v2_runner_on_ok(capture)
    asks = {"environment": [{"DIRECTPATH_ONLY_ASKS": "1"}]}
    plugin.v2_runner_on_ok(ended(lab, Step(module="host_pci_device_info"), tmp_path, **asks))
    plugin.v2_playbook_on_stats(None)
    raw = json.loads(gzip.decompress((tmp_path / "run.json.gz").read_bytes()))
    assert [(call["module"], call["only_asks"]) for call in raw["calls"]] == [("host_pci_device_info", True)]
    assert plugin.shown == []
    assert plugin.printed == [
        f"Run file: {tmp_path}/run.json.gz. Keep the key of its names at the site: {tmp_path}/run.key.json"
    ]


def test_a_run_without_a_capture_is_said(tmp_path: Path) -> None:
    plugin = Plugin(tmp_path / "run.json.gz")
    plugin.v2_runner_on_failed(ended(Lab.load("three_hosts"), Step(module="host_pci_device_info"), tmp_path))
    plugin.v2_playbook_on_stats(None)
    assert "it has no capture of 1 of the servers" in plugin.shown[0]


@pytest.mark.parametrize("name", ["run.yml", "missing/run.json.gz"])
def test_a_bad_path_is_said_once_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    plugin = Plugin(tmp_path / name)
    plugin.v2_runner_on_ok(ended(Lab.load("three_hosts"), Step(module="host_pci_device_info"), tmp_path))
    plugin.v2_playbook_on_stats(None)
    assert len(plugin.shown) == 1
    assert "is not written: " in plugin.shown[0]
    assert list(tmp_path.iterdir()) == []


def test_an_error_in_it_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any) -> None:
        raise RuntimeError("surprise")

    monkeypatch.setattr(run_file, "write_run", fail)
    plugin = Plugin(tmp_path / "run.json.gz")
    for _time in range(2):
        plugin.v2_runner_on_ok(ended(Lab.load("three_hosts"), Step(module="host_pci_device_info"), tmp_path))
    assert plugin.shown == [f"The run file {tmp_path}/run.json.gz is not written: RuntimeError: surprise"]


def test_the_sum_of_a_loop_is_no_call(tmp_path: Path) -> None:
    plugin = Plugin(tmp_path / "run.json.gz")
    whole = ended(Lab.load("three_hosts"), Step(module="host_pci_device_info"), tmp_path)
    whole._task.loop, whole._result = ["a"], {"results": []}
    plugin.v2_runner_on_ok(whole)
    assert list(tmp_path.iterdir()) == []
