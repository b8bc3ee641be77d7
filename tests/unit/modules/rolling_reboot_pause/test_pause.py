# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pause from elsewhere, while a rolling reboot is in progress or before one begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.pause import make_pause
from simulator.core.base import Entity
from tests.unit.modules.harness import Lab
from tests.unit.modules.host_rolling_reboot.lab import Roll, fleet

MODULE, STATUS = "rolling_reboot_pause", "rolling_reboot_info"
WHY = "the storage array is being moved"
ATTRIBUTE = "directpath.roll.pause"


def set_pause(roll: Roll, text: str, on: str = "") -> None:
    """As another control node writes it, at any moment of a run."""
    root = next(obj for obj in roll.lab.sim.registry.all(Entity) if obj.moid == "group-d1")
    roll.lab.sim.events["set_custom_value"](on=on or root.name, attribute=ATTRIBUTE, value=text)


def pause(roll: Roll, on: str = "") -> None:
    set_pause(roll, make_pause(WHY, "alice@bastion-7", roll.lab.sim.clock.now().timestamp()).text(), on)


def once(roll: Roll, method: str, event: Callable[[], None]) -> None:
    """The event happens right after the first call of this method."""
    seen: list[str] = []

    def first(write: Any) -> None:
        if not seen:
            seen.append(write.method)
            event()

    roll.lab.sim.on_write(None, first, method=method, when="after")


@pytest.mark.slow
def test_a_run_in_progress_names_who_paused_and_starts_no_further_host_until_the_end() -> None:
    roll = Roll.of(fleet(hosts=3, vms=1), cluster=["c1"])
    once(roll, "RebootHost_Task", lambda: pause(roll))
    roll.at(5000, lambda: set_pause(roll, ""))
    result = roll.run()
    roll.assert_over()
    began = result["transitions"][0]["at"]
    draining = [row["at"] - began for row in result["transitions"] if row["after"] == "draining"]
    assert draining[0] < 100
    assert min(draining[1:]) >= 5000
    (told, *_rest) = [note for note in result["notes"] if "paused" in note]
    assert told.startswith(f"held back: paused: {WHY} (by alice@bastion-7, since ")


@pytest.mark.parametrize("on", ["", pytest.param("c1", marks=pytest.mark.slow)])
def test_a_host_for_which_nothing_was_stopped_waits_before_its_reboot(on: str) -> None:
    roll = Roll.of(fleet(hosts=2, vms=1), cluster=["c1"])
    once(roll, "EnterMaintenanceMode_Task", lambda: pause(roll, on))
    roll.at(900, lambda: set_pause(roll, "", on))
    result = roll.run()
    roll.assert_over()
    began = result["transitions"][0]["at"]
    assert min(row["at"] for row in result["transitions"] if row["after"] == "rebooting") >= began + 900
    assert any("c1-esx-01.lab waits, until " in note and "returns to service" in note for note in result["notes"])


@pytest.mark.slow
def test_a_pause_that_outlasts_the_drain_gives_the_host_back_and_it_is_started_again_later() -> None:
    roll = Roll.of(fleet(hosts=2, vms=1), cluster=["c1"], drain_timeout=600)
    once(roll, "EnterMaintenanceMode_Task", lambda: pause(roll))
    seen: list[bool] = []
    roll.at(2000, lambda: seen.append(any(host["maintenance"] or host["entering"] for host in roll.hosts())))
    roll.at(2100, lambda: seen.append(bool(roll.reboots())))
    roll.at(3000, lambda: set_pause(roll, ""))
    assert roll.run()["state"] == "finished"
    assert seen == [False, False], "in service, and not rebooted"
    roll.assert_over()


@pytest.mark.slow
def test_a_host_for_which_a_vm_was_stopped_is_finished_and_its_vm_runs_again() -> None:
    roll = Roll.pinned(pinned_vms="shutdown")
    once(roll, "ShutdownGuest", lambda: pause(roll))
    seen: list[Any] = []

    def look() -> None:
        on = {vm["name"] for vm in roll.vms() if vm["power"] == "poweredOn"}
        seen.extend(
            [on >= roll.running, dict(roll.reboots()), [host["name"] for host in roll.hosts() if host["maintenance"]]]
        )

    roll.at(4000, look)
    roll.at(4100, lambda: set_pause(roll, ""))
    assert roll.run()["state"] == "finished"
    assert seen == [True, {"esx-01.lab": 1}, []]
    roll.assert_over()


def test_a_run_that_begins_while_it_is_paused_says_so_and_waits_until_its_timeout() -> None:
    roll = Roll.of(fleet(hosts=2, vms=1), cluster=["c1"], blocked_timeout=900)
    roll.lab.run(MODULE, reason=WHY)
    roll.lab.sim.journal.clear()
    began = roll.lab.sim.clock.now()
    result = roll.fail()
    assert 900 <= (roll.lab.sim.clock.now() - began).total_seconds() < 1000
    assert f"paused: {WHY} (by " in result["msg"]
    assert "the pause did not end within 15 min (blocked_timeout)" in result["msg"]
    assert any("this run waits for the end of the pause, until " in note for note in result["notes"])
    assert set(roll.lab.writes()) <= {"AddCustomFieldDef", "SetField", "RemoveCustomFieldDef"}
    roll.lab.run(MODULE, state="absent")
    assert roll.run()["state"] == "finished"
    roll.assert_over()


def test_a_restore_is_not_paused() -> None:
    roll = Roll.pinned(pinned_vms="shutdown")
    roll.lab.run("host_maintenance", hosts=["esx-02"], pinned_vms="shutdown")
    roll.lab.run(MODULE, reason=WHY)
    roll.lab.run("host_maintenance", hosts=["esx-02"], state="absent")
    assert not roll.host("esx-02")["maintenance"]
    assert roll.lab.run(STATUS)["pauses"][0]["reason"] == WHY


def test_pausing_twice_changes_nothing_and_another_reason_of_the_same_user_replaces_it() -> None:
    lab = Lab.load("three_hosts")
    first = lab.run(MODULE, reason=WHY)
    assert first["changed"]
    (found,) = lab.run(STATUS)["pauses"]
    assert (found["cluster"], found["reason"]) == ("", WHY)
    assert "@" in found["by"]
    lab.sim.clock.sleep(3600)
    assert not lab.run(MODULE, reason=f" {WHY}\n")["changed"]
    assert lab.run(MODULE, reason="longer")["changed"]
    (longer,) = lab.run(STATUS)["pauses"]
    assert (longer["reason"], longer["since"]) == ("longer", found["since"])


def test_the_pause_of_another_user_is_never_replaced_and_ended_only_by_an_unpause() -> None:
    roll = Roll.of("three_hosts", owing=False)
    roll.lab.run(MODULE, reason=WHY, clusters=["compute"])
    pause(roll, "compute")
    failed = roll.lab.run(MODULE, fails=True, reason="audit", clusters=["compute"])
    assert failed["error_code"] == "paused_by_other"
    assert "alice@bastion-7" in failed["msg"]
    result = roll.lab.run(MODULE, state="absent", clusters=["compute"])
    assert [(row["by"], row["reason"]) for row in result["ended"]] == [("alice@bastion-7", WHY)]
    assert roll.texts() == {}
    assert roll.attributes() == [], "nothing is left in vCenter"
    assert not roll.lab.run(MODULE, state="absent", clusters=["compute"])["changed"]


def test_the_pause_of_a_cluster_and_of_all_are_independent() -> None:
    lab = Lab.load("three_hosts")
    lab.run(MODULE, reason=WHY)
    lab.run(MODULE, reason="audit", clusters=["compute"])
    lab.run(MODULE, state="absent")
    assert [row["cluster"] for row in lab.run(STATUS)["pauses"]] == ["compute"]


def test_a_pause_of_another_user_at_the_same_moment_is_noticed() -> None:
    roll = Roll.of("three_hosts", owing=False)
    roll.lab.sim.on_write(None, lambda _write: pause(roll), method="SetField", when="after")
    failed = roll.lab.run(MODULE, fails=True, reason="audit")
    assert failed["error_code"] == "changed_meanwhile"
    assert "paused by alice@bastion-7" in failed["msg"]


def test_on_an_esxi_host_the_pause_is_in_the_file_of_this_machine(tmp_path: Any) -> None:
    lab, where = Lab.load("home"), {"journal_dir": str(tmp_path)}
    assert lab.run(MODULE, reason=WHY, **where)["journal"]["kind"] == "file"
    assert lab.run(STATUS, **where)["pauses"][0]["reason"] == WHY
    assert lab.writes() == []
    assert lab.run(MODULE, state="absent", **where)["changed"]
    assert list(tmp_path.iterdir()) == []
