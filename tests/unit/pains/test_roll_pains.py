# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people suffer when whole clusters are rebooted, each as a test of host_rolling_reboot. docs/pains.md lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simulator.core.tasks import Task
from tests.unit.modules.host_rolling_reboot.lab import Roll, fleet

pytestmark = pytest.mark.slow


class Killed(BaseException):
    """The process ends here."""


def kill_after(roll: Roll, method: str, **options: Any) -> None:
    """The process dies once a call took effect, without having seen its answer."""

    def die(write: Any) -> None:
        raise Killed

    roll.lab.sim.on_write(1, die, when="after", method=method)
    with pytest.raises(Killed):
        roll.run(**options)


def host(roll: Roll, name: str) -> Any:
    return roll.lab.sim.find("HostSystem", f"{name}.lab")


def shown(result: dict[str, Any], name: str) -> dict[str, Any]:
    """What a result says of one host."""
    (found,) = [item for item in result["hosts"] if item["name"].split(".")[0] == name]
    return found


def test_m1_vms_that_cannot_move_are_named_before_anything_moves() -> None:
    roll = Roll.pinned(hosts=["esx-01", "esx-02", "esx-03"])
    roll.options.pop("cluster")
    planned = roll.lab.run("host_rolling_reboot", check=True, fails=True, **roll.options)
    assert "train-01" in str(shown(planned, "esx-01")["blockers"])
    result = roll.fail()
    assert result["error_code"] == "pinned_vms"
    assert "train-01" in result["msg"]
    assert "train-02" in result["msg"]
    touched = {call.name for call in roll.lab.sim.journal.writes() if call.method == "EnterMaintenanceMode_Task"}
    assert touched == {"esx-03.lab"}


def test_m2_the_plan_says_who_will_be_stopped() -> None:
    roll = Roll.pinned(pinned_vms="shutdown")
    planned = roll.run(check=True)
    stopped = {vm["name"]: vm["reason"] for item in planned["schedule"]["hosts"] for vm in item["stops"]}
    assert set(stopped) == {"train-01", "train-02"}
    assert all("PCI" in reason or "device" in reason for reason in stopped.values())
    assert roll.lab.writes() == []


def test_m3_a_stopped_vm_is_started_again_whoever_comes_next() -> None:
    roll = Roll.pinned(pinned_vms="shutdown")
    kill_after(roll, "ShutdownGuest")
    roll.lab.sim.clock.sleep(600)
    off = {vm["name"] for vm in roll.vms() if vm["power"] == "poweredOff"}
    assert off & {"train-01", "train-02"}
    roll.run(take_lock="force")
    roll.assert_over()


def entering_tasks(roll: Roll) -> list[Any]:
    """TaskInfo of everything that was to put a host into maintenance mode."""
    tasks = roll.lab.sim.registry.all(Task)
    return [task.info for task in tasks if task.info.descriptionId == "HostSystem.enterMaintenanceMode"]


def assert_nothing_is_entering(roll: Roll) -> None:
    """The tasks were ended by us, and not by a timeout that the server keeps: it would have let them go on."""
    tasks = entering_tasks(roll)
    assert tasks
    assert {(str(info.state), info.cancelled) for info in tasks} == {("error", True)}
    assert not any(host["entering"] for host in roll.hosts())
    roll.lab.sim.clock.sleep(86400)
    assert not any(host["maintenance"] for host in roll.hosts())


def test_m4_no_task_is_left_behind() -> None:
    """Neither at the deadline, where the server forgot the one it was given, nor where we give up long before it."""
    late = Roll.of(hosts=["esx-01"], drain_timeout=120)
    busy = host(late, "esx-01")
    busy.knobs["maintenance_seconds"] = 7200

    def forget() -> None:
        if busy.entering is not None and busy.entering.deadline is not None:
            busy.entering.deadline.cancel()
        late.at(10, forget)

    forget()
    assert shown(late.fail(), "esx-01")["phase"] == "blocked"
    assert_nothing_is_entering(late)

    early = Roll.pinned(pinned_vms="shutdown", stop_timeout=60, drain_timeout=7200, hosts=["esx-01"])
    early.options.pop("cluster")
    early.lab.sim.knobs.set("shutdown_guest_result", "ignored")
    begun = early.lab.sim.clock.now()
    assert early.fail()["error_code"] == "vm_not_stopped"
    assert (early.lab.sim.clock.now() - begun).total_seconds() < 7200
    assert_nothing_is_entering(early)


def test_m5_no_time_is_lost_between_steps() -> None:
    roll = Roll.of(hosts=["esx-03"])
    begun = roll.lab.sim.clock.now()
    roll.run()
    knobs = roll.lab.sim.knobs
    needed = sum(
        knobs.get(name)
        for name in ("maintenance_seconds", "down_after_seconds", "boot_seconds", "exit_maintenance_seconds")
    )
    lost = (roll.lab.sim.clock.now() - begun).total_seconds() - needed
    assert lost < 20, "the lock settles for 3 seconds, devices for 2; a loop that sleeps between looks loses minutes"


def test_m6_the_message_names_the_deed_and_the_host() -> None:
    roll = Roll.of(hosts=["esx-03"])
    roll.lab.sim.faults.add(method="EnterMaintenanceMode_Task", fault="NotEnoughLicenses")
    result = roll.fail()
    assert "maintenance mode" in result["msg"]
    assert "esx-03.lab" in result["msg"]
    assert "exit" not in result["msg"].lower()


def test_m7_the_roll_is_over_when_the_module_returns() -> None:
    roll = Roll.of(cluster=["compute"])
    result = roll.run()
    assert result["state"] == "finished"
    roll.assert_over()


def test_m8_check_mode_reboots_nothing() -> None:
    roll = Roll.of(cluster=["compute"])
    assert roll.run(check=True)["changed"]
    assert roll.lab.writes() == []


def test_m9_the_second_run_reboots_nothing() -> None:
    roll = Roll.of(cluster=["compute"])
    roll.run()
    roll.lab.sim.journal.clear()
    assert not roll.run()["changed"]
    assert roll.lab.writes() == []


def test_m10_a_host_that_never_went_down_is_not_back() -> None:
    roll = Roll.of(hosts=["esx-03"], reboot_timeout=1200)
    host(roll, "esx-03").knobs["boot_result"] = "same_boot_time"
    result = roll.fail()
    assert result["error_code"] == "not_back"
    assert roll.host("esx-03")["maintenance"]


@pytest.mark.parametrize(
    ("silent", "refused", "exits"),
    [(200, 0, 1), (200, 260, 3), (0, 260, 10)],
    ids=["services are late", "services are late and the exit is refused for longer", "only the exit is refused"],
)
def test_m11_maintenance_mode_ends_when_services_answer(silent: int, refused: int, exits: int) -> None:
    """Not before, also where the server would allow it: the host would get VMs while its devices are not there yet."""
    roll = Roll.of(hosts=["esx-03"])
    late = host(roll, "esx-03")
    late.knobs |= {"services_seconds": silent, "exit_refused_seconds": refused}
    asked: list[float] = []
    roll.lab.sim.on_write(
        None, lambda _write: asked.append(late.since_boot), when="before", method="ExitMaintenanceMode_Task"
    )
    roll.run()
    roll.assert_over({"esx-03"})
    assert asked[0] >= silent
    assert asked[-1] >= refused
    assert len(asked) <= exits


def test_m12_a_slow_server_is_waited_for() -> None:
    roll = Roll.of(hosts=["esx-03"])
    host(roll, "esx-03").knobs["boot_seconds"] = 2400
    result = roll.run()
    assert shown(result, "esx-03")["seconds"]["reboot"] > 2400


def test_m13_a_host_that_is_down_for_another_reason_counts() -> None:
    roll = Roll.of(fleet(hosts=4), cluster=["c1"])
    roll.lab.sim.events["disconnect_host"](host="c1-esx-04.lab")
    result = roll.fail()
    assert roll.reboots() == {}
    assert "c1-esx-04.lab" in str(result["reasons"]) + result["msg"]
    roll.lab.sim.events["reconnect_host"](host="c1-esx-04.lab")
    roll.lab.sim.clock.sleep(60)
    roll.run()
    roll.assert_over()


def test_m14_clusters_roll_side_by_side() -> None:
    one, four = (
        Roll.of(fleet(hosts=2), cluster=["c1"]),
        Roll.of(fleet(hosts=2, clusters=4), cluster=["c1", "c2", "c3", "c4"]),
    )
    took = []
    for roll in (one, four):
        begun = roll.lab.sim.clock.now()
        roll.run(canary=False)
        took.append((roll.lab.sim.clock.now() - begun).total_seconds())
        assert set(roll.reboots().values()) == {1}
    assert took[1] < 1.2 * took[0]


def test_m15_a_lock_of_the_dead_is_explained_and_taken() -> None:
    roll = Roll.of(cluster=["compute"], run_id="alice@bastion-7:41:1:x")
    kill_after(roll, "RebootHost_Task")
    roll.options["run_id"] = "bob@bastion-8:17:1:y"
    early = roll.fail(blocked_timeout=0)
    assert early["error_code"] == "locked"
    assert "alice@bastion-7" in early["msg"]
    roll.lab.sim.clock.sleep(400)
    result = roll.run()
    assert "alice@bastion-7" in str(result["notes"])
    roll.assert_over()


def test_m16_a_blocked_host_keeps_no_one_waiting() -> None:
    roll = Roll.of(cluster=["compute"])
    roll.lab.sim.events["set_alarm"](on="esx-01.lab", alarm="Host hardware fan status", status="red")
    result = roll.fail()
    assert sorted(result["rebooted"]) == ["esx-02.lab", "esx-03.lab"]
    assert "Host hardware fan status" in str(shown(result, "esx-01")["blockers"])


def test_m17_a_host_that_never_returns_is_reported_and_halts_the_roll() -> None:
    roll = Roll.of(cluster=["compute"])
    for name in ("esx-01", "esx-02", "esx-03"):
        host(roll, name).knobs["boot_result"] = "never_returns"
    result = roll.fail()
    assert result["state"] == "halted"
    assert len(roll.reboots()) == 1
    (lost,) = roll.reboots()
    assert lost in result["msg"]
    assert result["resume"]


def narrow(hosts: int, memory_gb: int, vm_gb: int, *, reserved: bool = True, **rules: Any) -> Roll:
    """Hosts of so much memory, each with a running VM of so much."""
    lab = fleet(hosts=hosts, vms=hosts)
    cluster = lab["datacenters"][0]["clusters"][0]
    cluster |= rules
    cluster["hosts"][0]["memory_gb"] = memory_gb
    for vm in cluster["vms"]:
        vm |= {"memory_gb": vm_gb, "reservation_mb": vm_gb * 1024 if reserved else 0}
    return Roll.of(lab, cluster=["c1"])


@pytest.mark.parametrize(
    ("told", "code", "roll"),
    [
        ("by_vm", "evacuation_refused", lambda: narrow(2, 64, 40, ha={"failover_hosts": 1})),
        ("once", "evacuation_refused", lambda: narrow(2, 64, 40, ha={"failover_hosts": 1})),
        ("", "no_capacity", lambda: narrow(2, 64, 40, reserved=False)),
        ("", "no_capacity", lambda: narrow(3, 64, 30)),
        ("", "ha_admission", lambda: narrow(2, 256, 4, ha={"failover_hosts": 1})),
        ("", "ha_admission", lambda: narrow(2, 256, 4, ha={"percent": 60})),
    ],
    ids=[
        "the dry run says so of each vm",
        "the dry run says so of the host",
        "no room",
        "room in pieces",
        "a host is set aside",
        "a share is set aside",
    ],
)
def test_m18_a_budget_that_leaves_no_move_is_said_and_not_waited_for(
    told: str, code: str, roll: Callable[[], Roll]
) -> None:
    """Before anything is moved, also where DRS has no dry run to tell it."""
    stuck = roll()
    if told:
        stuck.lab.sim.knobs.set("dry_run_failover", told)
    else:
        stuck.lab.sim.faults.add(method="ClusterEnterMaintenanceMode", fault="NotSupported")
        stuck.lab.sim.knobs.set("load_follows_vms", True)
    result = stuck.fail()
    assert result["state"] == "stalled"
    assert {item["name"]: [blocker["code"] for blocker in item["blockers"]] for item in result["hosts"]} == {
        item["name"]: [code] for item in stuck.hosts()
    }
    assert "EnterMaintenanceMode_Task" not in stuck.lab.writes()
    assert stuck.reboots() == {}


def test_m19_a_cluster_that_would_not_evacuate_is_named_with_its_setting() -> None:
    lab = fleet(hosts=3)
    lab["datacenters"][0]["clusters"][0]["drs"] = "manual"
    roll = Roll.of(lab, cluster=["c1"])
    result = roll.fail()
    assert "DRS" in str(shown(result, "c1-esx-01")["blockers"])
    assert result["rebooted"] == ["c1-esx-03.lab"], "nothing runs there that would have to move"


def test_m20_vgpu_vms_come_with_the_advice() -> None:
    roll = Roll.of("v80", owing=False, hosts=["vgpu-01.lab"], reboot_if="always")
    result = roll.fail()
    assert "vgpu-vm-01" in result["msg"]
    assert "VgpuMMAutomationTimeoutSecs" in result["msg"]
    assert roll.reboots() == {}
