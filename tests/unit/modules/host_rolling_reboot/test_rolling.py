# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rolling reboots from beginning to end: what becomes of hosts, VMs and journal, seen in the simulator and not in the result."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.unit.modules.host_rolling_reboot.lab import Roll, fleet

PHASES = ["waiting", "draining", "rebooting", "booting", "verifying", "leaving", "done"]


def test_a_roll_from_beginning_to_end() -> None:
    roll = Roll.of(cluster=["compute"])
    result = roll.run()
    roll.assert_over()
    assert result["state"] == "finished"
    assert result["rebooted"] == ["esx-01.lab", "esx-02.lab", "esx-03.lab"]
    assert result["counts"]["done"] == result["counts"]["total"] == 3
    for host in ("esx-01.lab", "esx-02.lab", "esx-03.lab"):
        assert [row["after"] for row in result["transitions"] if row["host"] == host] == PHASES
    assert result["hosts"][0]["boot_time_before"] < result["hosts"][0]["boot_time_after"]
    assert result["journal"]["kind"] == "vcenter"


def test_the_same_again_changes_nothing() -> None:
    roll = Roll.of(cluster=["compute"])
    roll.run()
    roll.lab.sim.journal.clear()
    again = roll.run()
    assert again["changed"] is False
    assert again["state"] == "finished"
    assert roll.lab.writes() == []
    assert again["calls"] <= 20


def test_check_mode_gives_the_schedule_and_writes_nothing() -> None:
    roll = Roll.of(cluster=["compute"])
    planned = roll.lab.run("host_rolling_reboot", check=True, **roll.options)
    assert roll.lab.writes() == []
    assert planned["changed"]
    assert planned["state"] == "planned"
    assert planned["schedule"]["waves"] == 3
    assert [host["name"] for host in planned["schedule"]["hosts"]] == ["esx-01.lab", "esx-02.lab", "esx-03.lab"]
    assert roll.run()["changes"] == planned["changes"]


@pytest.mark.slow
def test_never_more_hosts_down_than_the_budget_and_clusters_side_by_side() -> None:
    roll = Roll.of(fleet(hosts=6, clusters=2), cluster=["c1", "c2"], max_unavailable="2", canary=False)
    most: dict[str, int] = {}

    def count() -> None:
        for cluster in ("c1", "c2"):
            down = [
                host
                for host in roll.hosts()
                if host["cluster"] == cluster
                and (host["maintenance"] or host["entering"] or host["connection"] != "connected")
            ]
            most[cluster] = max(most.get(cluster, 0), len(down))
        roll.at(1, count)

    count()
    result = roll.run()
    roll.assert_over()
    assert most == {"c1": 2, "c2": 2}
    hours = result["server_time"] - result["transitions"][0]["at"]
    assert hours < 3 * 400, "twelve hosts, four at a time"


def test_the_canary_goes_first_and_soaks() -> None:
    roll = Roll.of(fleet(hosts=4, vms=1), cluster=["c1"], max_unavailable="3", canary_soak=600)
    result = roll.run()
    roll.assert_over()
    began = {row["host"]: row["at"] for row in result["transitions"] if row["after"] == "draining"}
    done = {row["host"]: row["at"] for row in result["transitions"] if row["after"] == "done"}
    first, *others = sorted(began, key=lambda name: began[name])
    assert all(began[other] >= done[first] + 600 for other in others)
    assert len({began[other] for other in others}) == 1, "then all that may go, go"


@pytest.mark.slow
def test_windows_are_kept() -> None:
    roll = Roll.of(cluster=["compute"], windows=[{"start": "08:30", "end": "09:15", "zone": "UTC"}])
    result = roll.run()
    roll.assert_over()
    starts = sorted(row["at"] % 86400 for row in result["transitions"] if row["after"] == "draining")
    assert starts[0] == pytest.approx(8.5 * 3600, abs=1)
    assert starts[-1] + 1320 <= 9.25 * 3600, "no host is started that would not be done in time"


def test_progress_goes_into_a_file_for_nobody_else_to_read(tmp_path: Path) -> None:
    roll = Roll.of(cluster=["compute"])
    path = tmp_path / "progress"
    result = roll.run(progress_file=str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row for row in rows if row["kind"] == "transition"] == result["transitions"]
    assert rows[-1]["counts"] == result["counts"]


def slices(roll: Roll, seconds: float, **more: Any) -> list[dict[str, Any]]:
    results = []
    while not results or not results[-1]["ended"]:
        results.append(roll.run(slice=seconds, run_id="ops@ctl:4711:1f:ab-cd", **more))
        assert len(results) < 200
    return results


@pytest.mark.slow
def test_slices_join() -> None:
    roll = Roll.of(cluster=["compute"])
    results = slices(roll, 100)
    roll.assert_over()
    assert len(results) > 5
    assert results[-1]["state"] == "finished"
    assert {name for result in results for name in result["rebooted"]} == {"esx-01.lab", "esx-02.lab", "esx-03.lab"}
    assert results[-1]["counts"]["done"] == 3


def test_pinned_vms_block_their_hosts_and_no_others() -> None:
    roll = Roll.pinned()
    result = roll.fail()
    assert result["error_code"] == "pinned_vms"
    assert result["state"] == "stalled"
    assert "train-01" in result["msg"]
    assert result["rebooted"] == ["esx-03.lab"]
    assert roll.vm("train-01")["power"] == "poweredOn"
    assert roll.host("esx-01")["boot_time"] == roll.boots["esx-01.lab"]


def test_pinned_vms_are_stopped_and_started_again() -> None:
    roll = Roll.pinned(pinned_vms="shutdown")
    planned = roll.lab.run("host_rolling_reboot", check=True, **roll.options)
    assert planned["schedule"]["stops"] == ["train-01", "train-02"]
    made = roll.run()
    assert made["changes"] == planned["changes"]
    assert made["diff"] == planned["diff"]
    assert ("esx-01.lab", "train-01") in {(change["target"], change["subject"]) for change in made["changes"]}
    assert made["summary"] == "3 checked, 3 rebooted"
    roll.assert_over()
    assert "ShutdownGuest" in roll.lab.writes()
    assert "PowerOffVM_Task" not in roll.lab.writes()
    assert roll.vm("train-01")["host"].startswith("esx-01")


def test_a_guest_that_does_not_shut_down_is_powered_off_where_that_is_allowed() -> None:
    roll = Roll.pinned(pinned_vms="shutdown_then_power_off", stop_timeout=60)
    roll.lab.sim.knobs.set("shutdown_guest_result", "ignored")
    roll.run()
    roll.assert_over()
    assert roll.lab.writes().count("PowerOffVM_Task") == 2


def test_a_guest_that_does_not_shut_down_gives_its_host_back() -> None:
    roll = Roll.pinned(pinned_vms="shutdown", stop_timeout=60)
    roll.lab.sim.knobs.set("shutdown_guest_result", "ignored")
    result = roll.fail()
    assert result["error_code"] == "vm_not_stopped"
    assert {vm["name"] for vm in roll.vms() if vm["power"] == "poweredOn"} == roll.running
    for name in ("esx-01", "esx-02"):
        host = roll.host(name)
        assert (host["maintenance"], host["entering"], host["boot_time"]) == (False, False, roll.boots[f"{name}.lab"])


def test_what_must_never_be_stopped_is_not() -> None:
    roll = Roll.pinned(pinned_vms="shutdown_then_power_off", never_stop=["train-02"])
    result = roll.fail()
    assert result["error_code"] == "never_stop"
    assert result["rebooted"] == ["esx-01.lab", "esx-03.lab"]
    assert roll.vm("train-02")["power"] == "poweredOn"


def test_a_vm_that_is_gone_before_a_later_slice_does_not_end_the_run() -> None:
    roll = Roll.pinned(pinned_vms="shutdown_then_power_off", never_stop=["train-99"])
    assert roll.fail()["error_code"] == "unknown_vm"
    result = roll.run(continue_run=True)
    assert "never_stop contains train-99" in str(result["warnings"])


def test_the_order_of_a_custom_attribute_counts() -> None:
    roll = Roll.pinned(pinned_vms="shutdown", hosts=["esx-01"])
    roll.options.pop("cluster")
    sim = roll.lab.sim
    planned = roll.lab.run("host_rolling_reboot", check=True, **roll.options, vm_order={"train-01": 7})
    assert planned["schedule"]["hosts"][0]["stops"][0]["order"] == 7
    manager = sim.stub().connect().content.customFieldsManager
    made = manager.AddCustomFieldDef("directpath.stop_order")
    entity = sim.find("VirtualMachine", "train-01").ref
    manager.SetField(entity, made.key, "3")
    planned = roll.lab.run("host_rolling_reboot", check=True, **roll.options)
    assert planned["schedule"]["hosts"][0]["stops"][0]["order"] == 3


@pytest.mark.slow
def test_calls_a_host_do_not_grow_with_the_fleet() -> None:
    costs = {}
    for hosts in (4, 8, 20):
        roll = Roll.of(fleet(hosts=hosts, clusters=2), cluster=["c1", "c2"], max_unavailable="25%", canary=False)
        result = roll.run()
        assert result["state"] == "finished"
        costs[hosts] = result["calls"] / (2 * hosts)
        assert len(roll.lab.writes()) <= 2 * hosts * 15 + 60
    assert costs[20] <= costs[8] <= costs[4] <= 70, costs


def test_hosts_on_their_own_keep_their_lock_themselves() -> None:
    lab = fleet(hosts=2, vms=1)
    stuck = {"name": "stuck-01", "host": "alone-01", "power": "on"}
    lab["datacenters"][0]["hosts"] = [{"name": "alone-01.lab", "cards": ["a100", "nvme", "x710"], "vms": [stuck]}]
    roll = Roll.of(lab, hosts=["alone-01", "c1-esx-01"], pinned_vms="shutdown")
    locks: list[set[str]] = []

    def look() -> None:
        locks.append({name for name, texts in roll.texts().items() if "directpath.roll.lock" in texts})

    roll.at(60, look)
    result = roll.run()
    assert result["state"] == "finished"
    assert locks == [{"alone-01.lab", "c1"}]
    assert "ShutdownGuest" in roll.lab.writes(), "nothing could take its VM over"
    roll.assert_over({"alone-01", "c1-esx-01"})
