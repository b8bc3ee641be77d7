# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that share a session: what they tell of it, and what they never tell."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.unit.modules.harness import Lab

A100 = {"match": "10de:20f1"}
SHARED = {"session": "shared"}
STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("host_pci_device_info", {}),
    ("host_passthrough", {"cluster": ["compute"], "devices": [A100]}),
    ("vm_pci_device", {"vm": ["train-01"], "devices": [A100], "mmio": {}}),
    ("vm_pci_device_info", {}),
)


def test_a_whole_run_is_one_login_and_one_logout() -> None:
    alone, lab = Lab.load("three_hosts"), Lab.load("three_hosts")
    apart = [alone.run(module, **options) for module, options in STEPS]
    together = [lab.run(module, **SHARED, **options) for module, options in STEPS]
    assert [result["logins"] for result in apart] == [1, 1, 1, 1]
    assert [result["logins"] for result in together] == [1, 0, 0, 0]
    assert [result["changed"] for result in together] == [result["changed"] for result in apart]
    assert lab.run("end_session", check=True)["ended"] is True
    assert lab.run("end_session") == lab.run("end_session", check=True) | {"ended": True}
    assert lab.run("end_session")["ended"] is False
    methods = [entry.method for entry in lab.sim.journal.calls]
    assert (methods.count("Login"), methods.count("Logout"), methods[-1]) == (1, 1, "Logout")
    assert len(lab.sim.sessions.by_key) == 0


def test_no_result_and_no_message_holds_the_cookie() -> None:
    lab = Lab.load("three_hosts")
    results = [lab.run(module, **SHARED, **options) for module, options in STEPS]
    (cookie,) = lab.sim.sessions.by_key
    lab.sim.faults.add(method="RetrievePropertiesEx", fault="NoPermission")
    results.append(lab.run("host_pci_device_info", fails=True, **SHARED))
    results.append(lab.run("end_session"))
    assert cookie not in json.dumps(results)
    assert lab.credentials()["password"] not in json.dumps(results)


def test_a_run_that_failed_leaves_its_session_to_the_next() -> None:
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", fails=True, cluster=["nowhere"], devices=[A100], **SHARED)
    assert len(lab.sim.sessions.by_key) == 1
    assert lab.run("host_pci_device_info", **SHARED)["logins"] == 0


def test_an_idle_session_costs_one_more_login() -> None:
    lab = Lab.load("three_hosts")
    lab.run("host_pci_device_info", **SHARED)
    lab.sim.clock.sleep(float(lab.sim.knobs.session_idle_seconds) + 60)
    result = lab.run("host_passthrough", cluster=["compute"], devices=[A100], **SHARED)
    assert result["logins"] == 1
    assert result["changed"] is True


def test_a_place_others_can_reach_is_refused() -> None:
    lab = Lab.load("three_hosts")
    folder = Path(os.environ["XDG_RUNTIME_DIR"]) / "directpath.vsphere"
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    for module in ("host_pci_device_info", "end_session"):
        result = lab.run(module, fails=True, **SHARED)
        assert result["error_code"] == "unsafe_session_file"
        assert str(folder) in result["msg"]
        assert result["parameter"] == "session"
    assert lab.sim.journal.counters.logins == 0


def test_it_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIRECTPATH_SESSION", "shared")
    lab = Lab.load("three_hosts")
    assert [lab.run("vm_pci_device_info")["logins"] for _unused in range(2)] == [1, 0]
