# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to hold beside the way things usually go: half a debt, settings that are lost, vSAN that copies, locks that change hands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import encode
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import (
    ENTRY,
    LOCK,
    Entry,
    Lock,
)
from tests.unit.modules.host_rolling_reboot.lab import A100, OPTANE, Roll, fleet

pytestmark = pytest.mark.slow

BOB = "bob@bastion-8:17:1:y"


# -- half a debt ----------------------------------------------------------------------------------------------------


def test_what_a_reboot_left_unsettled_is_no_reason_for_another() -> None:
    """Of three devices one does not come up. The host fails, a person gives it back, and the same command comes again."""
    roll = Roll.of("three_hosts", owing=False, hosts=["esx-03"])
    lab = roll.lab
    lab.run("host_passthrough", hosts=["esx-03"], devices=[A100, OPTANE], apply="reboot")
    first = next(device["address"] for device in roll.host("esx-03")["devices"] if device["pending"])
    lab.sim.find("HostSystem", "esx-03.lab").knobs["never_active"] = [first]
    roll.remember()
    failed = roll.fail()
    assert failed["error_code"] == "not_verified"
    assert "Another reboot will not help" in failed["msg"]
    lab.sim.events["exit_maintenance"](host="esx-03.lab", user="operator@vsphere.local")
    lab.sim.clock.sleep(3600)
    again = roll.fail()
    assert again["error_code"] == "not_verified"
    assert roll.reboots() == {"esx-03.lab": 1}
    lab.run("host_passthrough", hosts=["esx-03"], devices=[A100], state="disabled", apply="reboot")
    lab.sim.clock.sleep(60)
    roll.run()
    assert roll.reboots()["esx-03.lab"] <= 2, "another change is another debt"


# -- settings that are lost -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("reboot_if", ["pending", "always"])
def test_a_host_that_forgot_its_passthrough_is_not_proven(reboot_if: str) -> None:
    """It could not write its boot device: everything it was told since the boot before is gone."""
    roll = Roll.of("three_hosts", owing=False, hosts=["esx-03"], reboot_if=reboot_if)
    lab = roll.lab
    lab.run("host_passthrough", hosts=["esx-03"], devices=[A100], apply="now")
    if reboot_if == "pending":
        lab.run("host_passthrough", hosts=["esx-03"], devices=[OPTANE], apply="reboot")
    lab.sim.clock.sleep(60)
    host = lab.sim.find("HostSystem", "esx-03.lab")

    def forget() -> None:
        host.pci = {address: replace(state, enabled=False) for address, state in host.pci.items()}

    host.at_boot.append(forget)
    roll.remember()
    failed = roll.fail()
    assert failed["error_code"] == "passthrough_lost"
    assert "10de:20f1" in failed["msg"]
    assert roll.host("esx-03")["maintenance"], "nothing is started where its device is missing"


# -- vSAN -----------------------------------------------------------------------------------------------------------


def vsan() -> Roll:
    source = fleet(hosts=4, vms=0)
    disks = [{"card": "nvme", "use": "vsan-cache"}, {"card": "p4510", "use": "vsan-capacity"}]
    source["datacenters"][0]["clusters"][0]["hosts"][0] |= {"vsan": "osa", "cards": ["a100", *disks]}
    return Roll.of(source, cluster=["c1"])


def copies(roll: Roll, seconds: float) -> None:
    """Whenever a host is back in service, vSAN copies for a while what it missed."""
    change = roll.lab.sim.events["set_vsan"]

    def back(_write: Any) -> None:
        roll.at(1, lambda: change(cluster="c1", resync_gb=2.0, objects=4))
        roll.at(1 + seconds, lambda: change(cluster="c1", resync_gb=0.0))

    roll.lab.sim.on_write(None, back, method="ExitMaintenanceMode_Task")


def test_a_vsan_cluster_is_rolled_to_its_end() -> None:
    roll = vsan()
    copies(roll, 180)
    assert roll.run()["state"] == "finished"
    roll.assert_over()


def test_a_vsan_cluster_that_never_has_copied_is_not_waited_for_for_ever() -> None:
    roll = vsan()
    copies(roll, 10**6)
    began = roll.lab.sim.clock.seconds()
    failed = roll.fail()
    assert failed["error_code"] == "vsan_resync"
    assert failed["rebooted"] == ["c1-esx-01.lab"]
    assert 3600 < roll.lab.sim.clock.seconds() - began < 3 * 3600


# -- locks that change hands ----------------------------------------------------------------------------------------


def lock_of(roll: Roll, ttl: float = 300) -> str:
    now = roll.lab.sim.clock.now().timestamp()
    return encode(Lock(owner=BOB, run_id="bbbbbbbb", scope="x", since=now, beat=now, ttl=ttl))[LOCK]


def test_a_process_that_stood_still_does_nothing_under_a_lock_it_lost() -> None:
    """Its machine was suspended in the middle of a batch for longer than the lock lives, and somebody else took that."""
    roll = Roll.of(fleet(hosts=6, vms=0), cluster=["c1"], max_unavailable="3", canary=False, slice=60)
    sim = roll.lab.sim
    before: list[int] = []

    def stand_still(_write: Any) -> None:
        if not before:
            sim.clock.sleep(600)
            sim.events["set_custom_value"](on="c1", attribute=LOCK, value=lock_of(roll))
            before.append(len(roll.lab.writes()))

    sim.on_write(None, stand_still, method="EnterMaintenanceMode_Task", when="answered")
    assert roll.run()["ended"] is False
    assert before, "it was stopped"
    assert roll.lab.writes()[before[0] :] == []
    assert {name for name, texts in roll.texts().items() if ENTRY in texts} == {"c1-esx-01.lab"}


def test_the_roll_of_a_colleague_is_not_taken_for_ones_own() -> None:
    """Bob rolls one cluster, and is clearing up. That neither ends our roll of the other one, nor becomes a part of it."""
    roll = Roll.of(fleet(hosts=2, clusters=2, vms=0), cluster=["c1", "c2"])
    sim = roll.lab.sim
    now = sim.clock.now().timestamp()
    by_operator = Entry(run_id="bbbbbbbb", step="draining", at=now, started=now, calls=1, called=now)
    for attribute, target, text in (
        (LOCK, "c1", lock_of(roll, ttl=10**5)),
        (ENTRY, "c1-esx-01.lab", encode(by_operator)[ENTRY]),
    ):
        sim.events["set_custom_value"](on=target, attribute=attribute, value=text)
    failed = roll.fail()
    assert failed["error_code"] == "locked"
    assert BOB in failed["msg"]
    assert failed["rebooted"] == ["c2-esx-01.lab", "c2-esx-02.lab"]
    assert not any("resumes" in note for note in failed["notes"])
    assert roll.reboots().keys() == {"c2-esx-01.lab", "c2-esx-02.lab"}


def test_what_a_dead_colleague_began_is_gone_on_with() -> None:
    roll = Roll.of(fleet(hosts=2, clusters=2, vms=0), cluster=["c1", "c2"])
    sim = roll.lab.sim
    sim.events["set_custom_value"](on="c1", attribute=LOCK, value=lock_of(roll))
    sim.clock.sleep(301)
    assert roll.run()["state"] == "finished"
    roll.assert_over()


# -- memory ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("drs", ["fullyAutomated", "manual"])
def test_drs_knows_better_than_our_arithmetic(drs: str) -> None:
    """More memory is in use than the other hosts have free: DRS shares, where it may. Without it only arithmetic is left."""
    source = fleet(hosts=2, vms=0)
    cluster = source["datacenters"][0]["clusters"][0]
    cluster["hosts"][0]["memory_gb"] = 256
    cluster["vms"] = [
        {
            "name": f"big-{index}",
            "host": f"c1-esx-{1 + index % 2:02d}",
            "power": "on",
            "memory_gb": 100,
            "reservation_mb": 0,
        }
        for index in range(4)
    ]
    if drs == "manual":
        cluster["drs"] = "manual"
    roll = Roll.of(source, cluster=["c1"])
    if drs == "manual":
        assert roll.fail()["error_code"] in ("no_capacity", "vms_stay")
    else:
        assert roll.run()["state"] == "finished"
