# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reboot for new firmware that can be asked for as often as one likes: only hosts that have not booted since get it."""

from __future__ import annotations

from datetime import timedelta

from tests.unit.modules.host_rolling_reboot.lab import Roll, fleet


def since(roll: Roll) -> str:
    """Now, by the clock of the lab: the firmware was written."""
    roll.lab.sim.clock.sleep(3600)
    moment = roll.lab.sim.clock.now()
    roll.lab.sim.clock.sleep(600)
    return str(moment.isoformat())


def test_the_same_again_changes_nothing() -> None:
    roll = Roll.of(fleet(hosts=3), owing=False, hosts=["c1-esx-01", "c1-esx-02"], reboot_if="always")
    roll.options["booted_before"] = since(roll)
    planned = roll.lab.run("host_rolling_reboot", check=True, **roll.options)
    assert [host["name"] for host in planned["schedule"]["hosts"]] == ["c1-esx-01.lab", "c1-esx-02.lab"]
    assert planned["changed"]
    assert roll.run()["changed"]
    roll.assert_over({"c1-esx-01", "c1-esx-02"})
    roll.lab.sim.journal.clear()
    for check in (True, False):
        again = roll.lab.run("host_rolling_reboot", check=check, **roll.options)
        assert not again["changed"]
        assert {host["phase"] for host in again["hosts"]} == {"idle"}
    assert roll.lab.writes() == []


def test_a_host_that_somebody_rebooted_since_is_left_alone() -> None:
    roll = Roll.of(fleet(hosts=3, vms=0), owing=False, cluster=["c1"], reboot_if="always")
    moment = since(roll)
    roll.lab.run("host_rolling_reboot", hosts=["c1-esx-02"], reboot_if="always")
    roll.remember()
    assert roll.run(booted_before=moment)["rebooted"] == ["c1-esx-01.lab", "c1-esx-03.lab"]
    roll.assert_over({"c1-esx-01", "c1-esx-03"})


def test_a_run_killed_after_everything_was_done_is_no_reason_to_reboot_again() -> None:
    """The journal is gone by then, and without the moment the same command would be a new roll."""
    roll = Roll.of(fleet(hosts=2), owing=False, hosts=["c1-esx-01"], reboot_if="always")
    moment = since(roll)
    assert roll.run(booted_before=moment)["rebooted"] == ["c1-esx-01.lab"]
    assert roll.attributes() == []
    assert roll.run(booted_before=moment)["rebooted"] == []
    assert roll.run()["rebooted"] == ["c1-esx-01.lab"]


def test_a_moment_that_is_yet_to_come_is_refused() -> None:
    roll = Roll.of(fleet(hosts=2), owing=False, hosts=["c1-esx-01"], reboot_if="always")
    later = (roll.lab.sim.clock.now() + timedelta(hours=1)).isoformat()
    failed = roll.fail(booted_before=later)
    assert (failed["error_code"], failed["parameter"]) == ("bad_moment", "booted_before")
    assert "is in the future" in failed["msg"]
    assert roll.lab.writes() == []
