# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health gate before the next host: heartbeat, VMware Tools, TCP and a command, against the simulator."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.modules.host_rolling_reboot.lab import Killed, Roll, die

TOOLS = {"check": "tools"}


def storage(**vm: Any) -> dict[str, Any]:
    """Two hosts, each with a VM that holds a card of it and must not be away at the same time as the other one."""
    hosts = [{"name": f"esx-{number:02d}.lab", "cards": ["a100", "nvme", "x710"]} for number in (1, 2)]
    vms = [
        {
            "name": f"svm-{number:02d}",
            "host": f"esx-{number:02d}.lab",
            "power": "on",
            "ip": "127.0.0.1",
            **vm,
        }
        for number in (1, 2)
    ]
    return {
        "kind": "vcenter",
        "version": "8.0.3",
        "users": [{"name": "administrator@vsphere.local", "password": "VMware1!", "role": "Admin"}],
        "datacenters": [
            {"name": "DC1", "clusters": [{"name": "hci", "drs": "fullyAutomated", "hosts": hosts, "vms": vms}]}
        ],
    }


EVACUATED = {"extra": {"maintenance.vm.evacuation.poweroff": "TRUE"}}


def roll(*checks: dict[str, Any], vm: dict[str, Any] | None = None, **options: Any) -> Roll:
    """VMs that the run shuts down: vCenter would power them off."""
    made = Roll.of(
        storage(**{**EVACUATED, **(vm or {})}),
        cluster=["hci"],
        pinned_vms="shutdown",
        ready_when=list(checks),
        **options,
    )
    made.lab.sim.clock.sleep(60)
    made.remember()
    return made


def when(result: dict[str, Any], host: str, phase: str) -> float:
    (at,) = [row["at"] for row in result["transitions"] if row["host"] == f"{host}.lab" and row["after"] == phase]
    return float(at)


def order(result: dict[str, Any]) -> tuple[str, str]:
    first = min(("esx-01", "esx-02"), key=lambda name: when(result, name, "draining"))
    return first, "esx-02" if first == "esx-01" else "esx-01"


@pytest.mark.slow
def test_the_next_host_waits_for_the_heartbeat_and_the_soak_time() -> None:
    made = roll({"check": "heartbeat"}, vm={"knobs": {"heartbeat_seconds": 90.0}}, soak=300, wait_for_tools=False)
    result = made.run()
    made.assert_over()
    first, second = order(result)
    assert when(result, first, "done") >= when(result, first, "checking") + 90 + 300
    assert when(result, second, "draining") >= when(result, first, "done")
    assert any(
        f"health gate: {first}.lab waits for a green guest heartbeat of svm-" in note for note in result["notes"]
    )
    assert any(f"health gate: {first}.lab soaks, until " in note for note in result["notes"])
    settle = result["measured"][f"{first}.lab"]["settle"]
    assert settle < 300, "the soak time is not part of what is measured"


@pytest.mark.slow
def test_a_gate_that_fails_starts_no_further_host_and_the_next_run_checks_it_again() -> None:
    made = roll(TOOLS, vm={"knobs": {"guest_boot_seconds": 5000.0}}, wait_for_tools=False, max_failures="5")
    failed = made.fail(ready_timeout=300)
    assert (failed["error_code"], failed["state"]) == ("gate_failed", "halted")
    assert "running VMware Tools of svm-" in failed["msg"]
    assert "guestToolsNotRunning" in failed["msg"]
    assert "No VM is off because of this run" in failed["msg"]
    assert len(made.reboots()) == 1
    assert not [host for host in made.hosts() if host["maintenance"]]
    assert made.fail(ready_timeout=300)["error_code"] == "gate_failed"
    assert len(made.reboots()) == 1, "the second run checks the first host again"
    made.lab.sim.clock.sleep(5000)
    made.run(ready_timeout=6000)
    made.assert_over()


@pytest.mark.slow
def test_a_run_that_is_killed_in_the_gate_is_resumed_in_the_gate() -> None:
    made = roll(TOOLS, vm={"knobs": {"guest_boot_seconds": 400.0}}, wait_for_tools=False)
    kill_when(made, lambda: is_checked(made))
    with pytest.raises(Killed):
        made.run()
    (entry,) = [texts["directpath.roll"] for texts in made.texts().values() if "directpath.roll" in texts]
    assert entry.split()[1] == "checking"
    status = made.lab.run("rolling_reboot_info")
    assert status["vms_off"] == []
    assert [host["step"] for run in status["runs"] for host in run["hosts"]] == ["checking"]
    restored = made.lab.run("rolling_reboot_restore")
    assert not restored["changed"]
    result = made.run(take_lock="force")
    made.assert_over()
    first, second = order_of_reboots(made)
    assert when(result, second, "draining") >= when(result, first, "done")
    assert when(result, first, "done") >= 300


def kill_when(made: Roll, happened: Callable[[], bool]) -> None:
    """The run ends with the first write after something happened."""

    def look() -> None:
        if happened():
            made.lab.sim.on_write(1, die, when="before")
        else:
            made.at(1, look)

    made.at(1, look)


def is_checked(made: Roll) -> bool:
    return any(texts.get("directpath.roll", "").startswith("dp1 checking ") for texts in made.texts().values())


def is_off(made: Roll) -> bool:
    return any(vm["power"] == "poweredOff" for vm in made.vms())


def order_of_reboots(made: Roll) -> tuple[str, str]:
    calls = [call.name.split(".")[0] for call in made.lab.sim.journal.calls if call.method == "RebootHost_Task"]
    return calls[0], calls[1]


@pytest.mark.slow
def test_tcp_and_command_are_real() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        tcp = {"check": "tcp", "port": server.getsockname()[1], "names": ["svm-*"]}
        command = {
            "check": "command",
            "vms": "none",
            "argv": [sys.executable, "-Sc", "import sys; sys.exit(sys.argv[1] != 'hci')", "{cluster}"],
            "timeout": 30,
        }
        made = roll(tcp, command)
        result = made.run()
    made.assert_over()
    assert [row["after"] for row in result["transitions"] if row["after"] == "checking"] == ["checking"] * 2


@pytest.mark.slow
def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    program = tmp_path / "storage"
    program.write_text("#!/bin/sh\necho resync of 12 GB left\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    made = roll({"check": "command", "vms": "none", "argv": [str(program)]})
    failed = made.fail(ready_timeout=60)
    assert f"the command {program}: it ended with status 1: resync of 12 GB left" in failed["msg"]


def test_check_mode_lists_the_gate() -> None:
    made = roll({"check": "tcp", "port": 3260}, soak=60)
    planned = made.lab.run("host_rolling_reboot", check=True, **made.options)
    assert [host["gate"] for host in planned["schedule"]["hosts"]] == [
        ["TCP 3260 of each VM that was stopped", "soak 60 s"]
    ] * 2
    assert planned["schedule"]["stops"] == ["svm-01", "svm-02"]
    assert "maintenance.vm.evacuation.poweroff" in planned["schedule"]["hosts"][0]["stops"][0]["reason"]
    assert made.lab.writes() == []


@pytest.mark.slow
def test_without_a_gate_no_call_more_is_made() -> None:
    plain = Roll.of("three_hosts", cluster=["compute"])
    calls = plain.run()["calls"]
    assert not [entry for entry in plain.lab.sim.journal.calls if entry.method == "QueryEvents"]
    assert calls < 420


# ------------------------------------------------------------------- VMs that vCenter powers off when a host is evacuated


def off_events(made: Roll) -> list[str]:
    """Users of power-offs that no call of this run made."""
    events = made.lab.sim.services.events.records
    return [item.event.userName for item in events if type(item.event).__name__.endswith("VmPoweredOffEvent")]


@pytest.mark.slow
@pytest.mark.parametrize("user", ["", "vpxd-extension-7d1f@vsphere.local"])
def test_what_a_compute_policy_powered_off_runs_again(user: str) -> None:
    """It is not in the plan: the policies are not read."""
    made = roll(vm={"extra": {}, "evacuation": "power_off", "knobs": {"evacuation_user": user}})
    result = made.run()
    made.assert_over()
    assert off_events(made) == [user, user]
    assert len([note for note in result["notes"] if "vCenter powered off svm-" in note]) == 2
    queries = [entry for entry in made.lab.sim.journal.calls if entry.method == "QueryEvents"]
    assert len(queries) == 2, "one for each VM, not one in each round"


@pytest.mark.slow
def test_what_a_person_powered_off_stays_off() -> None:
    made = roll(vm={"extra": {}, "evacuation": "power_off", "knobs": {"evacuation_user": "LAB\\carol"}})
    result = made.run()
    assert result["state"] == "finished"
    assert {vm["name"] for vm in made.vms() if vm["power"] == "poweredOff"} == {"svm-01", "svm-02"}
    assert len([note for note in result["notes"] if "LAB\\carol powered off svm-" in note]) == 2
    assert made.texts() == {}


@pytest.mark.slow
def test_with_the_account_of_this_run_it_is_unclear() -> None:
    made = roll(
        vm={"extra": {}, "evacuation": "power_off", "knobs": {"evacuation_user": "VSPHERE.LOCAL\\Administrator"}}
    )
    result = made.run()
    assert len([note for note in result["notes"] if "the events do not show who powered it off" in note]) == 2
    assert {vm["name"] for vm in made.vms() if vm["power"] == "poweredOff"} == {"svm-01", "svm-02"}


@pytest.mark.slow
@pytest.mark.parametrize("vm", [{}, {"extra": {}, "evacuation": "power_off"}])
def test_they_run_again_also_after_a_kill_while_they_are_off(vm: dict[str, Any]) -> None:
    made = roll(vm=vm)

    kill_when(made, lambda: is_off(made))
    with pytest.raises(Killed):
        made.run()
    assert is_off(made)
    made.run(take_lock="force")
    made.assert_over()
