# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every failure message that leaves a VM off or a host out of service ends with what that is and the command that brings it back."""

from __future__ import annotations

import ast
import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.left_behind import (
    end_maintenance_command,
    ending,
    power_on_command,
    with_ending,
    without_ending,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.phases import HostStatus, Outlook
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.timeline import Timeline
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.context import RollingRun
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.result import build_run_result
from tests.unit.module_utils._domain.rolling.builders import NOW, entry, host, observed, pinned, vm_entry
from tests.unit.modules.host_rolling_reboot.lab import Roll, interrupted
from tests.unit.modules.way_back import run_command_at_the_end
from tools.envs import ROOT

SOURCES = ROOT / "plugins" / "module_utils"
STEPS = SOURCES / "_domain" / "rolling" / "steps"
LEFT = "Off now: gpu-vm. In maintenance mode or not connected now: esx-1."


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def failures() -> Iterator[str]:
    """The codes with which a step gives up a host for good: the fourth argument of ``fail``."""
    for path in sorted(STEPS.glob("*.py")):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "fail":
                code = node.args[3]
                # A code that is computed is that of the verification, or of the step before.
                yield str(code.value) if isinstance(code, ast.Constant) else "passthrough_lost"


CODES = sorted(set(failures()))


def test_the_codes_are_found() -> None:
    assert {"lost_contact", "not_released", "vm_not_started", "passthrough_lost"} <= set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_every_way_in_which_a_host_can_fail_ends_with_the_way_back(code: str) -> None:
    failed = entry("failed", code=code, text=f"esx-1 failed: {code}", asked=NOW - 90)
    view = host(in_maintenance_mode=True, entry=failed)
    vm = pinned(entry=vm_entry(), power_state="poweredOff")
    status = HostStatus(moid="esx-1", name="esx-1", cluster="gpu", phase="failed", reason=failed.text)
    run = RollingRun(
        observed=observed(view, vms=[vm]),
        outlook=Outlook(state="stalled", reasons=("1 host needs an administrator",)),
        ended=True,
        timeline=Timeline(statuses={"esx-1": status}),
        entries={"esx-1": (view, failed)},
    )
    result = build_run_result(run)
    assert result["error_code"] == code
    assert result["msg"].endswith(
        f"{LEFT} To bring this back: resolve why esx-1 failed, then: ansible-playbook directpath.vsphere.restore"
    )


FAILING = {
    "_shell/engine/result.py:conclude",
    "_shell/rolling/result.py:build_run_result",
    "_shell/rolling/result.py:_failure",  # as the next one
    "_shell/rolling/result.py:_describe_failure",  # build_run_result adds the end; a plan leaves nothing behind
    "_shell/rolling_reboot_restore.py:_explain_left",
}
"""The functions that make a failure of a module that writes. Each must end its message by ``left_behind``."""


def test_no_other_function_makes_a_failure_without_this_end() -> None:
    found = set()
    for path in sorted((SOURCES / "_shell").rglob("*.py")):
        tree = parsed(path)
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for node in ast.walk(function):
                pairs = zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ()
                names = [key.value for key, value in pairs if isinstance(key, ast.Constant) and _is_true(value)]
                names += (
                    [word.arg for word in node.keywords if _is_true(word.value)] if isinstance(node, ast.Call) else []
                )
                if "failed" in names:
                    found.add(f"{path.relative_to(SOURCES)}:{function.name}")
    assert found == FAILING


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


@pytest.mark.parametrize("name", ["train-01", "a {b}", "{{ lookup('pipe', 'id') }}", "{% raw %}", "{#x"])
def test_a_name_in_a_command_is_never_a_template(name: str) -> None:
    arguments = json.loads(shlex.split(power_on_command([name]))[-1])
    assert jinja2.Template(arguments["vm"][0]).render() == name


def test_an_end_replaces_an_earlier_one() -> None:
    once = with_ending("It failed.", ["b", "a"], ["esx-1"], "x")
    assert once == "It failed. Off now: a, b. In maintenance mode or not connected now: esx-1. To bring this back: x"
    assert with_ending(once, ["a"], (), "y") == "It failed. Off now: a. To bring this back: y"
    assert without_ending(once) == "It failed."
    assert ending((), (), "x") == ""
    assert with_ending("It failed.", (), (), "x") == "It failed."
    assert end_maintenance_command(["esx-1"]).endswith("""'{"hosts": ["esx-1"], "state": "absent"}'""")


@pytest.mark.slow
def test_the_command_of_a_rolling_reboot_works_once_the_reason_is_gone() -> None:
    roll = interrupted(15)
    roll.lab.sim.clock.sleep(400)
    roll.lab.sim.events["set_datastore"](host="esx-01.lab", datastore="esx-01-nvme-data-5", state="missing")
    failed = roll.fail(verify_timeout=60)
    roll.lab.sim.events["set_datastore"](host="esx-01.lab", datastore="esx-01-nvme-data-5", state="ok")
    roll.lab.sim.clock.sleep(400)
    left = "Off now: train-01. In maintenance mode or not connected now: esx-01.lab."
    result = run_command_at_the_end(roll.lab, failed["msg"], left)
    assert result["vms_started"] == ["train-01"]


@pytest.mark.slow
def test_the_command_of_a_maintenance_works_once_the_reason_is_gone() -> None:
    roll = Roll.pinned(pinned_vms="shutdown")
    roll.lab.run("host_maintenance", hosts=["esx-01"], pinned_vms="shutdown")
    roll.lab.sim.faults.add(method="ExitMaintenanceMode_Task", fault="NoPermission")
    failed = roll.lab.run("host_maintenance", hosts=["esx-01"], state="absent", fails=True)
    roll.lab.sim.faults.clear()
    left = "Off now: train-01. In maintenance mode or not connected now: esx-01.lab."
    run_command_at_the_end(roll.lab, failed["msg"], left)
    assert roll.vm("train-01")["power"] == "poweredOn"
    assert not roll.host("esx-01")["maintenance"]
