# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs of vSphere Cluster Services and other agents: vCenter's own business, also where they could not be moved."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.rules import maintenance
from tests.unit.modules.host_rolling_reboot.lab import Roll, fleet
from tests.unit.pains.labs import FIRST, on, vm

AGENT = "vCLS-0001"
DISK = {"card": "nvme", "datastore": "local-disk"}
LOCAL = "local-disk"


def with_agent(*, pinned: bool = False, owner: str = "com.vmware.vim.eam", **options: Any) -> Roll:
    """One lies on the disk of its host, as it does in clusters without shared storage."""
    source = fleet(hosts=2, vms=1)
    cluster = source["datacenters"][0]["clusters"][0]
    cards = [on() if pinned else "a100", "a100"]
    cluster["hosts"] = [
        {"name": "c1-esx-01.lab", "cards": [*cards, DISK, "x710"]},
        {"name": "c1-esx-02.lab", "cards": [*cards, "nvme", "x710"]},
    ]
    cluster["vms"].append(vm(AGENT, host="c1-esx-01", managed_by=owner, datastore=LOCAL, power="on"))
    if pinned:
        cluster["vms"].append(vm("stuck-01", host="c1-esx-01", power="on", devices=[{"fixed": FIRST}]))
    roll = Roll.of(source, cluster=["c1"], **options)
    assert roll.lab.sim.find("VirtualMachine", AGENT).datastore.name == LOCAL
    return roll


@pytest.mark.parametrize("policy", ["fail", "shutdown", "shutdown_then_power_off"])
def test_they_neither_block_a_host_nor_are_they_stopped(policy: str) -> None:
    roll = with_agent(pinned_vms=policy)
    planned = roll.lab.run("host_rolling_reboot", check=True, **roll.options)
    assert [stop for host in planned["schedule"]["hosts"] for stop in host["stops"]] == []
    assert roll.run()["state"] == "finished"
    assert not {"ShutdownGuest", "PowerOffVM_Task", "PowerOnVM_Task"} & set(roll.lab.writes())
    roll.lab.sim.clock.sleep(60)
    roll.assert_over()


def test_any_other_vm_in_its_place_blocks_the_host() -> None:
    roll = with_agent(owner="")
    assert roll.fail()["error_code"] == "pinned_vms"


def test_others_are_stopped_without_waiting_for_them() -> None:
    roll = with_agent(pinned=True, pinned_vms="shutdown")
    assert roll.run()["state"] == "finished"
    assert [call.name for call in roll.lab.sim.journal.writes() if call.method == "ShutdownGuest"] == ["stuck-01"]
    roll.lab.sim.clock.sleep(60)
    roll.assert_over()


def test_one_that_does_not_leave_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "AGENT_SECONDS", 10**6)
    roll = with_agent(drain_timeout=120)
    failed = roll.fail()
    assert failed["error_code"] == "drain_deadline"
    assert AGENT in failed["msg"]
