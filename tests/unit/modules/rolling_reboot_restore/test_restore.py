# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rolling reboot is killed at each of its writes. A restore gives everything back, reboots nothing, and the run can be resumed."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.restore import WHAT_IT_DOES
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import encode
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import LOCK, Lock, Step
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.lock import RESTORES
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.slices import slices
from tests.unit.modules.host_rolling_reboot.lab import Killed, Roll, die, interrupted
from tools.envs import ROOT

MODULE, STATUS = "rolling_reboot_restore", "rolling_reboot_info"
LAST = 43
"""The write after which nothing is left but the journal."""


def left_by(write: int, **options: Any) -> Roll:
    """What a run that was killed after this write left, with nothing in the list of calls."""
    roll = interrupted(write, **options)
    roll.lab.sim.journal.clear()
    return roll


def assert_given_back(roll: Roll) -> None:
    on = {vm["name"] for vm in roll.vms() if vm["power"] == "poweredOn"}
    assert on >= roll.running
    for host in roll.hosts():
        assert not host["maintenance"], host["name"]
        assert not host["entering"], host["name"]


def assert_restored(write: int) -> None:
    roll = left_by(write)
    roll.lab.sim.clock.sleep(400)
    off = roll.running - {vm["name"] for vm in roll.vms() if vm["power"] == "poweredOn"}
    roll.lab.sim.journal.clear()
    predicted = roll.lab.run(MODULE, check=True)
    assert roll.lab.writes() == []
    roll.lab.sim.journal.clear()
    result = roll.lab.run(MODULE)
    assert roll.reboots() == {}, "a restore never reboots"
    assert_given_back(roll)
    assert set(result["vms_started"]) == off
    assert not any("blockers" in hint for hint in result.get("resume", ())), (
        "nothing blocks a host that a person wanted back"
    )
    assert result["vms_off"] == result["hosts_left"] == []
    assert result["changes"] == predicted["changes"]
    assert result["changed"] == predicted["changed"]
    assert roll.lab.run(STATUS)["vms_off"] == []
    roll.lab.sim.journal.clear()
    again = roll.lab.run(MODULE)
    assert not again["changed"]
    assert roll.lab.writes() == []
    roll.lab.sim.clock.sleep(400)
    assert roll.run()["state"] == "finished"
    assert_given_back(roll)


@pytest.mark.parametrize("write", [8, 14, 20, 26])
def test_everything_is_given_back_and_the_run_can_be_resumed(write: int) -> None:
    assert_restored(write)


@pytest.mark.slow
@pytest.mark.parametrize("write", [write for write in range(2, LAST) if write not in (8, 14, 20, 26)])
def test_the_same_after_every_other_write(write: int) -> None:
    assert_restored(write)


def test_a_live_run_is_refused_and_named() -> None:
    roll = left_by(14)
    failed = roll.lab.run(MODULE, fails=True)
    assert failed["error_code"] == "locked"
    owner = roll.lab.run(STATUS)["runs"][0]["owner"]
    assert owner in failed["msg"]
    assert roll.lab.writes() == []
    wrong = roll.lab.run(MODULE, fails=True, take_lock="someone@else:1:1:1-1")
    assert wrong["error_code"] == "locked"
    assert "someone@else:1:1:1-1 is not its owner" in wrong["msg"]
    assert "Wait: this run powers on train-01 itself" in wrong["msg"]
    assert wrong["msg"].endswith(f"ansible-playbook directpath.vsphere.restore -e restore_take_lock={owner}")
    result = roll.lab.run(MODULE, take_lock=owner)
    assert result["vms_started"] == ["train-01"]
    assert_given_back(roll)


def test_only_the_named_hosts_are_restored() -> None:
    roll = left_by(14)
    roll.lab.sim.clock.sleep(400)
    result = roll.lab.run(MODULE, hosts=["esx-03"])
    assert not result["changed"]
    assert roll.lab.writes() == []
    assert roll.lab.run(MODULE, hosts=["esx-01"])["vms_started"] == ["train-01"]
    unknown = roll.lab.run(MODULE, hosts=["esx-99"], fails=True)
    assert unknown["error_code"] == "unknown_host"


def test_a_vm_that_a_person_started_is_left_alone() -> None:
    roll = left_by(24)
    roll.lab.sim.clock.sleep(400)
    roll.lab.sim.events["power_vm"](vm="train-01", on=True)
    roll.lab.sim.journal.clear()
    result = roll.lab.run(MODULE)
    assert result["vms_started"] == []
    assert "PowerOnVM_Task" not in roll.lab.writes()
    assert_given_back(roll)


def test_a_vm_that_cannot_start_is_named_last_with_the_command() -> None:
    roll = left_by(24)
    roll.lab.sim.clock.sleep(400)
    roll.lab.sim.events["set_device_state"](host="esx-01.lab", address="0000:3b:00.0", enabled=False, active=False)
    failed = roll.lab.run(MODULE, fails=True)
    assert failed["msg"].endswith(
        "Off now: train-01. To bring this back: resolve why esx-01.lab failed, then: ansible-playbook directpath.vsphere.restore"
    )
    assert failed["vms_off"] == ["train-01"]
    assert roll.lab.run(STATUS)["vms_off"] == ["train-01"]


def test_the_lines_say_that_no_host_is_rebooted_and_which_vm_is_on() -> None:
    roll = left_by(24)
    roll.lab.sim.clock.sleep(400)
    notes = roll.lab.run(MODULE)["notes"]
    assert notes[0] == RESTORES
    assert notes.index("esx-01.lab: powering on train-01") < notes.index("esx-01.lab: train-01 is on")


def test_a_restore_says_when_only_a_host_is_still_waited_for() -> None:
    roll = left_by(33)
    roll.lab.sim.events["lose_contact"](host="esx-03.lab")
    roll.lab.sim.clock.sleep(400)
    notes = roll.lab.run(MODULE, fails=True)["notes"]
    assert "all VMs are on; this run still waits for esx-03.lab" in notes


def test_nothing_to_do_writes_nothing() -> None:
    roll = Roll.of("three_hosts", owing=False)
    roll.lab.sim.journal.clear()
    result = roll.lab.run(MODULE)
    assert not result["changed"]
    assert roll.lab.writes() == []


def test_a_host_that_fails_its_verification_stays_and_is_named() -> None:
    roll = left_by(15)
    roll.lab.sim.events["swap_card"](host="esx-01.lab", address="0000:3b:00.0", card="h100")
    roll.lab.sim.clock.sleep(900)
    failed = roll.lab.run(MODULE, fails=True, verify_timeout=60)
    assert failed["error_code"] == "identity_changed"
    assert failed["msg"].endswith(
        "Off now: train-01. In maintenance mode or not connected now: esx-01.lab. To bring this back: resolve why esx-01.lab failed, then: "
        "ansible-playbook directpath.vsphere.restore"
    )
    assert failed["msg"].count("Off now") == 1
    assert roll.host("esx-01")["maintenance"]
    assert roll.reboots() == {}


def test_a_host_that_failed_is_verified_again_and_returned() -> None:
    roll = left_by(15)
    roll.lab.sim.events["set_datastore"](host="esx-01.lab", datastore="esx-01-nvme-data-5", state="missing")
    roll.lab.sim.clock.sleep(900)
    assert roll.lab.run(MODULE, fails=True, verify_timeout=60)["error_code"] == "datastores_missing"
    assert roll.host("esx-01")["maintenance"]
    roll.lab.sim.events["set_datastore"](host="esx-01.lab", datastore="esx-01-nvme-data-5", state="ok")
    roll.lab.sim.clock.sleep(60)
    again = roll.lab.run(MODULE)
    assert (again["hosts_returned"], again["vms_started"]) == (["esx-01.lab"], ["train-01"])
    assert roll.reboots() == {}
    assert_given_back(roll)


def test_of_two_hosts_in_progress_only_the_named_one_is_restored() -> None:
    roll = Roll.pinned(pinned_vms="shutdown", max_unavailable="2", canary=False)
    stopped: list[str] = []

    def count(write: Any) -> None:
        if write.method == "ShutdownGuest":
            stopped.append(write.name)
            if len(stopped) == 2:
                raise Killed

    roll.lab.sim.on_write(None, count, when="answered")
    with pytest.raises(Killed):
        roll.run()
    roll.lab.sim.clock.sleep(400)
    assert set(roll.lab.run(STATUS)["vms_off"]) == {"train-01", "train-02"}
    roll.lab.sim.journal.clear()
    result = roll.lab.run(MODULE, hosts=["esx-01"])
    assert (result["hosts_returned"], result["vms_started"]) == (["esx-01.lab"], ["train-01"])
    assert roll.lab.run(STATUS)["vms_off"] == ["train-02"]
    assert {call.name for call in roll.lab.sim.journal.writes() if call.method == "PowerOnVM_Task"} <= {"train-01"}


@pytest.mark.slow
def test_restores_do_not_count_as_failed_attempts() -> None:
    """A host may be started twice. Here it was given back three times before."""
    roll = left_by(14)
    for attempt in range(3):
        roll.lab.sim.clock.sleep(400)
        assert roll.lab.run(MODULE)["hosts_returned"] == ["esx-01.lab"], attempt
        roll.lab.sim.clock.sleep(400)
        if attempt < 2:
            stop = roll.lab.sim.on_write(None, die, method="EnterMaintenanceMode_Task")
            with pytest.raises(Killed):
                roll.run()
            roll.lab.sim.stops.remove(stop)
    assert roll.run()["state"] == "finished"


def test_it_goes_on_in_slices_and_releases_its_lock() -> None:
    """As the action plugin calls it: one module run for each slice."""
    roll = left_by(15)
    roll.lab.sim.clock.sleep(400)

    def call(options: dict[str, Any], _is_first: bool) -> dict[str, Any]:
        parts.append(roll.lab.run(MODULE, **options))
        return parts[-1]

    parts: list[dict[str, Any]] = []
    joined = [whole for _part, whole in slices({}, 5, call)][-1]
    assert len(parts) > 2
    assert joined["ended"]
    made = sorted((row["kind"], row["subject"]) for row in joined["changes"])
    assert made == [("power_on", "train-01"), ("return_to_service", "host")]
    assert not [text for texts in roll.texts().values() for text in texts.values() if " lock " in text]
    assert_given_back(roll)


def test_a_last_slice_with_nothing_to_do_still_releases_the_lock() -> None:
    roll = left_by(15)
    roll.lab.sim.clock.sleep(400)
    roll.lab.run(MODULE)
    now = roll.lab.sim.clock.seconds()
    mine = Lock(owner="me", run_id="1", scope="1", since=now - 10, beat=now - 10, ttl=300)
    roll.lab.sim.events["set_custom_value"](on="compute", attribute=LOCK, value=encode(mine)[LOCK])
    result = roll.lab.run(MODULE, run_id="me", continue_run=True, resolved={"hosts": {"host-1": [0]}})
    assert (result["ended"], result["changed"]) == (True, False)
    assert LOCK not in roll.texts().get("compute", {})


def test_what_cannot_be_read_is_named_and_the_rest_is_done() -> None:
    roll = left_by(14)
    roll.lab.sim.clock.sleep(400)
    roll.lab.sim.events["set_custom_value"](on="web-01", attribute="directpath.roll.vm", value="dp1 stop roll=1 ~0000")
    for check in (True, False):
        failed = roll.lab.run(MODULE, fails=True, check=check)
        assert failed["error_code"] == "not_restored"
        assert "directpath.roll.vm on web-01 was changed or truncated" in failed["msg"]
    assert failed["vms_started"] == ["train-01"]
    assert_given_back(roll)


def test_a_vm_that_is_removed_while_it_works_is_not_reported_as_started() -> None:
    roll = left_by(24)
    roll.lab.sim.clock.sleep(400)
    gone: list[str] = []

    def remove(_write: Any) -> None:
        if not gone:
            gone.append("train-01")
            roll.lab.sim.events["remove_vm"](vm="train-01")

    roll.lab.sim.on_write(None, remove, when="before")
    failed = roll.lab.run(MODULE, fails=True)
    assert failed["vms_started"] == []
    assert "train-01" in failed["msg"]


def test_every_phase_has_a_line_in_the_table() -> None:
    assert set(WHAT_IT_DOES) == set(get_args(Step))


def test_the_guide_has_the_same_table() -> None:
    page = (ROOT / "docs" / "guides" / "emergency.md").read_text(encoding="utf-8")
    rows = page.split("| phase of the host |")[1].split("\n\n")[0].splitlines()[2:]
    told = {phase for row in rows for phase in re.findall(r"`([a-z_]+)`", row.split("|")[1])}
    assert told == set(WHAT_IT_DOES) - {"maintenance"}, "host_maintenance has a guide of its own"


def test_a_host_that_is_given_back_is_returned_and_not_blocked() -> None:
    """The host was being evacuated: nothing blocks it, and nothing is left to do for it."""
    roll = left_by(12)
    roll.lab.sim.clock.sleep(400)
    result = roll.lab.run(MODULE)
    assert (result["counts"]["returned"], result["counts"]["blocked"]) == (1, 0)
    assert [host["phase"] for host in result["hosts"]] == ["returned"]
    assert result["summary"].endswith("1 returned to service")
    assert [row["after"] for row in result["transitions"]][-1] == "returned"
