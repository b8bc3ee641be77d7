# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees of a rolling reboot that was killed, at each of its writes, without knowing what was asked for."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest
from pyVmomi import vim

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import encode
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import LOCK, Lock
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.status_lines import status_lines
from simulator.core.base import Entity
from tests.unit.modules.harness import Lab
from tests.unit.modules.host_rolling_reboot.lab import Roll, interrupted

MODULE, RESTORE = "rolling_reboot_info", "ansible-playbook directpath.vsphere.restore"
DAILY = range(7, 40, 4)
"""Writes after which the run is killed: before, while and after a VM is off."""


def named(roll: Roll, name: str) -> Any:
    return next(obj for obj in roll.lab.sim.registry.all(Entity) if obj.name == name)


def lines_of(result: dict[str, Any]) -> list[str]:
    """The clock of a lab is not the one of this machine."""
    return [line.text for line in status_lines({**result, "clock_difference": 0}, UTC, result["server_time"])]


@pytest.mark.parametrize("write", DAILY)
def test_after_every_kill_it_names_exactly_the_vms_that_are_off(write: int) -> None:
    roll = interrupted(write)
    roll.lab.sim.clock.sleep(400)
    off = {vm["name"] for vm in roll.vms() if vm["power"] != "poweredOn"} & roll.running
    roll.lab.sim.journal.clear()
    result = roll.lab.run(MODULE)
    assert set(result["vms_off"]) == off
    assert roll.lab.writes() == []
    assert result["changed"] is False
    taken = bool(off) or any(host["maintenance"] or host["entering"] for host in roll.hosts())
    (run,) = result["runs"]
    assert run["alive"] == "no"
    assert run["interrupted"] >= taken
    assert run["ended_early"] == (not run["interrupted"])
    assert result["status"] == ("attention" if run["interrupted"] else "idle")
    text = "\n".join(lines_of(result))
    for name in off:
        assert f"OFF     VM {name}: shut down for esx-" in text
    assert ("interrupted" if run["interrupted"] else "ended early") in lines_of(result)[0]
    assert "run the same playbook again" in text
    assert (RESTORE in text) == run["interrupted"]


@pytest.mark.parametrize("write", [7, 15, 31])
def test_a_person_who_does_what_it_says_is_not_asked_to_do_it_again(write: int) -> None:
    roll = interrupted(write)
    roll.lab.sim.clock.sleep(400)
    first = roll.lab.run(MODULE)
    if first["runs"][0]["next"][0]["command"] == RESTORE:
        assert roll.lab.run("rolling_reboot_restore")["changed"]
    again = roll.lab.run(MODULE)
    assert again["status"] == "idle"
    (run,) = again["runs"]
    assert run["ended_early"]
    assert [advice["command"] for advice in run["next"]] == [""]
    assert again["pending"] == sorted(host["name"] for host in roll.hosts() if _is_pending(host))
    head = lines_of(again)[0]
    assert head == "vcenter.test: no VM is off and no host is out of service because of a rolling reboot; 1 ended early"


def _is_pending(host: dict[str, Any]) -> bool:
    return any(device["pending"] for device in host["devices"])


def test_a_lock_that_an_ended_run_left_asks_nothing_of_a_person() -> None:
    """Its hosts have no entry: there is nothing to give back."""
    lab = Lab.load("three_hosts")
    lab.sim.stub().connect().content.customFieldsManager.AddCustomFieldDef(LOCK, None, None, None)
    began = lab.sim.clock.seconds() - 7200
    left = Lock(owner="alice@bastion-7:4711:1:x", run_id="5f0d21c7", scope="1", since=began, beat=began, ttl=300)
    lab.sim.events["set_custom_value"](on="compute", attribute=LOCK, value=encode(left)[LOCK])
    for _turn in range(2):
        result = lab.run(MODULE, on_attention="fail")
        assert (result["status"], result["runs"][0]["owner"]) == ("idle", left.owner)
        assert not any(RESTORE in line for line in lines_of(result))
        assert any("The lock that it left on compute stops nothing" in line for line in lines_of(result))
        assert not lab.run("rolling_reboot_restore")["changed"]


def test_vms_that_are_off_come_first() -> None:
    result = interrupted(14).lab.run(MODULE)
    assert lines_of(result)[0].startswith("vcenter.test: 1 VM off because of a rolling reboot: train-01")


def test_a_run_that_only_has_to_clear_its_journal_is_nothing_to_worry_about() -> None:
    roll = interrupted(45)
    roll.lab.sim.clock.sleep(400)
    result = roll.lab.run(MODULE)
    assert result["status"] == "idle"
    assert [run["interrupted"] for run in result["runs"]] == [False]


def test_clocks_that_differ_are_named() -> None:
    result = Lab.load("three_hosts").run(MODULE)
    shown = {**result, "clock_difference": 90}
    assert any(
        "is 90 s ahead of" in line.text or "is 2 min ahead of" in line.text for line in status_lines(shown, UTC, 0.0)
    )


def test_a_live_run_is_in_progress_and_not_interrupted() -> None:
    (run,) = interrupted(12).lab.run(MODULE)["runs"]
    assert run["alive"] == "yes"
    assert not run["interrupted"]
    assert run["lock_free_at"] > run["last_heartbeat"]


def test_nothing_is_reported_when_there_is_nothing() -> None:
    lab = Lab.load("three_hosts")
    result = lab.run(MODULE)
    assert (result["status"], result["runs"], result["vms_off"]) == ("idle", [], [])
    assert lines_of(result) == ["vcenter.test: no rolling reboot is in progress, and no VM is off because of one"]
    assert result["calls"] <= 9


def test_after_the_resumed_run_nothing_is_left() -> None:
    roll = interrupted(14)
    roll.lab.sim.clock.sleep(400)
    assert roll.run()["state"] == "finished"
    assert roll.lab.run(MODULE)["status"] == "idle"


def test_a_journal_value_that_was_changed_is_unknown_and_not_nothing() -> None:
    roll = interrupted(14)
    roll.lab.sim.events["set_custom_value"](
        on="train-01", attribute="directpath.roll.vm", value="dp1 stop roll=1 ~0000"
    )
    result = roll.lab.run(MODULE)
    assert result["status"] == "attention"
    assert any("directpath.roll.vm on train-01" in sentence for sentence in result["unreadable"])


def test_a_pause_is_shown_with_its_place() -> None:
    roll = interrupted(12)
    roll.lab.sim.events["set_custom_value"](on="compute", attribute="directpath.roll.pause", value="audit until Monday")
    result = roll.lab.run(MODULE)
    assert result["pauses"] == [{"cluster": "compute", "reason": "audit until Monday", "by": "", "since": None}]
    assert (
        """  paused: compute: audit until Monday. To end the pause: ansible-playbook directpath.vsphere.unpause """
        """-e '{"unpause_clusters": ["compute"]}'"""
    ) in lines_of(result)


def test_a_journal_in_a_file_is_read_where_the_file_is(tmp_path: Any) -> None:
    roll = interrupted(6, journal="file", journal_dir=str(tmp_path))
    roll.lab.sim.clock.sleep(400)
    here = roll.lab.run(MODULE, journal_dir=str(tmp_path))
    assert here["runs"]
    assert here["journal"]["file_exists"]
    elsewhere = roll.lab.run(MODULE, journal_dir=str(tmp_path / "other"))
    assert elsewhere["runs"] == []


def test_an_esxi_host_without_a_file_says_where_to_look(tmp_path: Any) -> None:
    lab = Lab.load("home")
    result = lab.run(MODULE, journal_dir=str(tmp_path))
    assert any("machine where the rolling reboot was started" in line for line in lines_of(result))


def test_custom_attributes_that_cannot_be_read_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    roll = interrupted(14)
    vm = named(roll, "train-01")
    denied = vim.fault.NoPermission(object=vm.ref, privilegeId="System.Read")
    monkeypatch.setattr(vm, "missing", lambda path: denied if path == "customValue" else None)
    result = roll.lab.run(MODULE)
    assert result["status"] == "attention"
    assert any("cannot read the custom attributes of train-01" in sentence for sentence in result["unreadable"])


def test_a_host_that_is_kept_in_maintenance_mode_is_shown_with_its_vms() -> None:
    roll = Roll.pinned(pinned_vms="shutdown")
    roll.lab.run("host_maintenance", hosts=["esx-01"], pinned_vms="shutdown")
    result = roll.lab.run(MODULE)
    assert (result["status"], result["vms_off"]) == ("attention", ["train-01"])
    (run,) = result["runs"]
    assert (run["purpose"], run["interrupted"], run["owner"]) == ("maintenance", False, "administrator@vsphere.local")
    shown = lines_of(result)
    assert shown[0] == "vcenter.test: 1 VM off because of maintenance: train-01; 1 host in maintenance: esx-01.lab"
    assert shown[-2].startswith("      ansible localhost -m directpath.vsphere.host_maintenance")
    roll.lab.sim.journal.clear()
    assert not roll.lab.run("rolling_reboot_restore")["changed"]
    assert roll.lab.writes() == [], "a restore leaves the work on the hardware to those who do it"
    roll.lab.run("host_maintenance", hosts=["esx-01"], state="absent")
    assert roll.lab.run(MODULE)["status"] == "idle"


def test_a_mark_of_an_earlier_release_is_shown() -> None:
    lab = Lab.load("three_hosts")
    lab.sim.events["enter_maintenance"](host="esx-03.lab", user="administrator@vsphere.local")
    lab.sim.clock.sleep(60)
    manager = lab.sim.stub().connect().content.customFieldsManager
    manager.AddCustomFieldDef("directpath.parked", None, None, None)
    lab.sim.events["set_custom_value"](
        on="esx-03.lab", attribute="directpath.parked", value="maintenance mode for work"
    )
    result = lab.run(MODULE)
    assert result["status"] == "in_progress"
    assert any("began at an unknown time" in line for line in lines_of(result))
