# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the status shows stands in the plan, in drift, and first when a run is resumed."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.progress import View
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.summary_lines import schedule_lines
from tests.unit.modules.host_rolling_reboot.lab import OPTANE, Roll, interrupted

OFF = "train-01 is off: shut down for esx-01.lab by a rolling reboot ("
RESTORE = "Power on train-01 and return the hosts to service (this reboots no host): ansible-playbook directpath.vsphere.restore"


def stale(write: int) -> Roll:
    """Killed after this write, and its lock is no longer valid."""
    roll = interrupted(write)
    roll.lab.sim.clock.sleep(400)
    return roll


def test_a_plan_names_the_vm_that_is_off_before_anything_else() -> None:
    planned = stale(14).run(check=True)["schedule"]
    assert planned["vms_off"] == ["train-01"]
    lines = [line.text for line in schedule_lines(planned, View(zone=UTC))]
    assert lines[0].startswith(OFF)
    assert "esx-01.lab is rebooting (by " in lines[1]
    assert lines[2].startswith(RESTORE)
    assert not any("no VM would be stopped" in line for line in lines)


def test_a_plan_without_a_journal_says_nothing_more() -> None:
    planned = Roll.of("three_hosts", cluster=["compute"]).run(check=True)["schedule"]
    assert (planned["vms_off"], planned["in_progress"]) == ([], [])
    head = schedule_lines(planned, View(zone=UTC))[0].text
    assert head.endswith("; no VM would be stopped")


def test_a_resumed_run_begins_with_what_it_found() -> None:
    notes = stale(14).run()["notes"]
    found = [note for note in notes if note.startswith("found: ")]
    assert found[0].startswith(f"found: {OFF}")
    assert "is rebooting" in found[1]
    assert not any("restore" in note for note in found), "this run continues"


def drift(roll: Roll, **more: Any) -> dict[str, Any]:
    return roll.lab.run("drift_info", targets=[{"cluster": ["compute"], "devices": [OPTANE]}], **more)


def of_kind(result: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = [one for one in result["report"]["differences"] if one["kind"] == kind]
    return found  # type: ignore[no-any-return]


def test_drift_does_not_advise_to_check_a_host_that_is_rebooting() -> None:
    roll = interrupted(15)
    roll.lab.sim.clock.sleep(40)
    assert roll.host("esx-01")["connection"] != "connected"
    result = drift(roll)
    away = of_kind(result, "unreachable")
    assert "esx-01.lab is rebooting (by " in away["cause"]
    assert "power and network" not in away["cure"]
    assert away["cure"].startswith("Wait: this run powers on train-01 itself")
    assert of_kind(result, "stopped_for_host")["cause"].startswith(OFF)
    assert not result["settled"]


def test_drift_after_an_interruption_shows_how_to_get_the_vm_back() -> None:
    result = drift(stale(14))
    off = of_kind(result, "stopped_for_host")
    assert off["cure"].startswith(RESTORE)
    assert off["command"].startswith("ansible-playbook directpath.vsphere.restore")
    assert "is rebooting (by " in of_kind(result, "roll_unfinished")["cause"]
    assert result["in_progress"][0].startswith(OFF)


@pytest.mark.parametrize("after_a_run", [False, True])
def test_without_a_journal_drift_costs_as_many_calls_as_ever(after_a_run: bool) -> None:
    roll = Roll.of("three_hosts", owing=False)
    if after_a_run:
        roll.lab.sim.stub().connect().content.customFieldsManager.AddCustomFieldDef("directpath.roll", None, None, None)
    roll.lab.sim.journal.clear()
    drift(roll)
    called = [call.method for call in roll.lab.sim.journal.calls]
    assert called.count("RetrievePropertiesEx") == 3
    assert "CurrentTime" not in called


def test_hardware_maintenance_is_no_drift_of_the_vm_that_it_stopped() -> None:
    roll = Roll.pinned(pinned_vms="shutdown")
    roll.lab.run("host_maintenance", hosts=["esx-01"], pinned_vms="shutdown")
    off = of_kind(drift(roll), "stopped_for_host")
    assert "by maintenance (administrator@vsphere.local)" in off["cause"]
    assert not off["planned"]
