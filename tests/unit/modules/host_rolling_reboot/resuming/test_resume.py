# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that die: whoever gives the same command again finishes them, and reboots nobody twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest import mock

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import decode_lock, encode
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import LOCK, Lock
from ansible_collections.directpath.vsphere.plugins.module_utils._shell import host_rolling_reboot
from tests.unit.modules.host_rolling_reboot.lab import Killed, Roll, die, fleet
from tests.unit.pains.labs import FIRST, host, lab, on, vm

pytestmark = pytest.mark.slow


@contextmanager
def another_process() -> Iterator[None]:
    """All others are known to have ended."""
    with mock.patch.object(host_rolling_reboot, "is_gone", return_value=True):
        yield


def kill(roll: Roll, number: int, when: str) -> bool:
    """Run until the n-th write; False when there are not so many."""
    roll.lab.sim.on_write(number, die, when=when)
    try:
        roll.run()
    except Killed:
        return True
    return False


def busy() -> Roll:
    """A host with a VM that is to be stopped, and one with a VM that moves."""
    roll = Roll.pinned(pinned_vms="shutdown")
    roll.options.pop("cluster")
    roll.options["hosts"] = ["esx-01", "esx-03"]
    return roll


def test_a_run_that_is_killed_before_a_write_is_gone_on_with() -> None:
    """Its call never arrived. That it had arrived is tried at every write, and on real processes, in tests/kill."""
    killed, number = 0, 2
    while True:
        roll = busy()
        if not kill(roll, number, "before"):
            break
        killed += 1
        with another_process():
            result = roll.run()
        assert result["state"] == "finished", (number, result["reasons"])
        roll.assert_over({"esx-01", "esx-03"})
        number += 8
    assert killed >= 4


def test_a_firmware_roll_that_is_killed_does_not_reboot_again_what_had_its_turn() -> None:
    for number in range(5, 40, 5):
        roll = Roll.of(fleet(hosts=3, vms=1), owing=False, hosts=["c1-esx-01", "c1-esx-02"], reboot_if="always")
        assert kill(roll, number, "after"), number
        with another_process():
            assert roll.run()["state"] == "finished"
        roll.assert_over({"c1-esx-01", "c1-esx-02"})


def test_another_user_from_elsewhere_goes_on_with_it_once_the_lock_is_stale() -> None:
    roll = busy()
    assert kill(roll, 20, "after")
    early = roll.fail(take_lock="never")
    assert early["error_code"] == "locked"
    roll.lab.sim.clock.sleep(400)
    result = roll.run()
    assert result["state"] == "finished"
    assert any("resumes" in note for note in result["notes"])
    roll.assert_over({"esx-01", "esx-03"})


def test_a_lock_that_is_taken_away_ends_the_run_at_once() -> None:
    roll = Roll.of(cluster=["compute"])
    sim = roll.lab.sim

    def steal() -> None:
        cluster = sim.find("ClusterComputeResource", "compute")
        key = next(item.key for item in sim.services.custom_fields.props["field"] if item.name == LOCK)
        lock = decode_lock({LOCK: cluster.custom[key]})
        assert isinstance(lock, Lock)
        sim.services.custom_fields.store(cluster, key, encode(replace(lock, owner="eve@elsewhere"))[LOCK])

    roll.at(100, steal)
    result = roll.fail()
    assert result["error_code"] == "locked"
    assert "eve@elsewhere" in result["msg"]
    assert roll.host("esx-01")["maintenance"], "it is left to whoever has the lock"
    assert roll.reboots() == {"esx-01.lab": 1}


def test_a_host_that_never_returns_stops_the_roll_and_is_never_rebooted_again() -> None:
    roll = Roll.of(cluster=["compute"], reboot_timeout=900)
    roll.lab.sim.find("HostSystem", "esx-01.lab").knobs["boot_result"] = "never_returns"
    result = roll.fail()
    assert result["error_code"] == "not_back"
    assert result["state"] == "halted"
    assert result["counts"]["failed"] == 1
    assert any("esx-01.lab" in hint for hint in result["resume"])
    again = roll.fail()
    assert again["state"] in ("halted", "stalled")
    assert roll.reboots()["esx-01.lab"] == 1


def test_a_device_that_stays_pending_leaves_its_host_in_maintenance_mode_and_can_be_proven_later() -> None:
    roll = Roll.of(cluster=["compute"], max_failures="3", verify_timeout=60, canary=False, max_unavailable="2")
    host = roll.lab.sim.find("HostSystem", "esx-01.lab")
    host.knobs["never_active"] = ["0000:3b:00.0"]
    result = roll.fail()
    assert result["error_code"] == "not_verified"
    assert result["rebooted"] == ["esx-02.lab", "esx-03.lab"]
    assert roll.host("esx-01")["maintenance"]
    again = roll.fail()
    assert again["rebooted"] == []
    assert roll.host("esx-01")["maintenance"]
    # Somebody repairs it and reboots it by hand.
    host.knobs["never_active"] = []
    stub = roll.lab.sim.stub().connect().content
    stub.searchIndex.FindByDnsName(None, "esx-01.lab", False).RebootHost_Task(False)
    roll.lab.sim.clock.sleep(600)
    roll.lab.sim.journal.clear()
    last = roll.run(failed_hosts="verify")
    assert last["state"] == "finished"
    assert roll.reboots() == {}
    assert not roll.host("esx-01")["maintenance"]
    assert roll.attributes() == []


@pytest.mark.parametrize("action", ["shutdown", "shutdown_then_power_off"])
@pytest.mark.parametrize("cancels", [True, False])
def test_a_drain_gone_on_with_by_an_account_that_could_not_start_its_vms_again(action: str, cancels: bool) -> None:
    """Whoever began it had the privileges. The one who goes on with it stops nothing, and gives the host back where it may."""
    may = ["Global.SetCustomField", "Global.ManageCustomFields", "Host.Config.Maintenance"]
    may += ["VirtualMachine.Interact.PowerOff", *(["Global.CancelTask"] if cancels else [])]
    made = lab(
        [host(cards=[on(), on()]), host("esx-02")],
        [vm("stuck-01", power="on", devices=[{"fixed": FIRST}])],
        users=[{"name": "admin"}, {"name": "worker", "role": "Worker"}],
        roles={"Worker": may},
    )
    roll = Roll(lab=made, options={"hosts": ["esx-01"], "reboot_if": "always", "pinned_vms": action})
    roll.remember()
    made.sim.on_write(None, die, method="EnterMaintenanceMode_Task")
    with pytest.raises(Killed):
        roll.run()
    made.user = "worker"
    with another_process():
        failed = roll.fail()
    assert "stuck-01" in failed["msg"]
    assert "missing privilege VirtualMachine.Interact.PowerOn" in failed["msg"]
    assert ("could not be returned to service (missing privilege Global.CancelTask)" in failed["msg"]) == (not cancels)
    assert roll.vm("stuck-01")["power"] == "poweredOn"
    assert not {"ShutdownGuest", "PowerOffVM_Task"} & set(made.writes())
    state = roll.host("esx-01")
    assert (state["maintenance"], state["entering"]) == (False, not cancels)
    assert not roll.reboots()
