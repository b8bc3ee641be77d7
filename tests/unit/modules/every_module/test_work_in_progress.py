# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that a rolling reboot has taken is no host to repair: the refusal says who works on it, and to wait."""

from __future__ import annotations

from typing import Any

from tests.unit.modules.host_rolling_reboot.lab import A100, Roll, interrupted

DRAINING = 12
"""The write after which esx-01 is being evacuated."""


def refused(roll: Roll) -> dict[str, Any]:
    return roll.lab.run("host_passthrough", hosts=["esx-01.lab"], devices=[A100], check=True, fails=True)


def away() -> Roll:
    roll = interrupted(DRAINING)
    roll.lab.sim.events["lose_contact"](host="esx-01.lab")
    roll.lab.sim.clock.sleep(60)
    return roll


def test_while_the_run_is_alive_the_advice_is_to_wait() -> None:
    result = refused(away())
    assert result["error_code"] == "host_unreachable"
    assert "The host is being evacuated (by " in result["msg"]
    assert "Wait until this has ended, then run the same again. To see it: ansible-playbook" in result["msg"]
    assert "Check its power" not in result["msg"]


def test_when_the_run_has_died_the_host_has_to_be_looked_at() -> None:
    roll = away()
    roll.lab.sim.clock.sleep(900)
    result = refused(roll)
    assert "Check its power and network" in result["msg"]
    assert "Wait until" not in result["msg"]


def test_a_vm_on_a_host_that_is_away_waits_for_the_run_too() -> None:
    roll = away()
    result = roll.lab.run("vm_pci_device", vm=["train-01"], devices=[A100], check=True, fails=True)
    assert "The host is being evacuated (by " in result["msg"]
    assert "Wait until this has ended, then run the same again" in result["msg"]
    assert "egister" not in result["msg"]


def test_a_name_of_another_vcenter_makes_one_look_at_the_server() -> None:
    roll = Roll.of(cluster=["compute"])
    result = roll.lab.run("host_passthrough", hosts=["gpu-91.lab"], devices=[A100], check=True, fails=True)
    assert "There is no ESXi host 'gpu-91.lab'" in result["msg"]
    assert f"and that {roll.lab.credentials()['hostname']} is the right server" in result["msg"]
