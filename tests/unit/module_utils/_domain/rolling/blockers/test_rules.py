# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a host from being started: named, with what to do, before anything is moved, and without holding a place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.selector import parse_desired_devices
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import HostCapabilities
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import Garbage, Lock
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import (
    Admission,
    Precheck,
    Refusal,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import (
    LockRule,
    Pinned,
    Policy,
)
from tests.unit.module_utils._domain.rolling.builders import (
    ACTIVE,
    CARD,
    FRESH,
    LOCK,
    NOW,
    ask,
    cluster,
    codes,
    deeds,
    entry,
    host,
    pinned,
    standing,
    vm,
)

A40 = replace(CARD, address="0000:5e:00.0", device_id="2235", name="A40", enabled=False)
JUNK = Garbage(attribute="directpath.roll", text="hello")
OK2 = host("esx-2", devices=(), memory_free_mb=100_000)
STOP = Pinned(action="shutdown")
BY_ARITHMETIC = Precheck(at=NOW - 5)
"""There is no dry run: DRS was not asked."""

# name → (what is different, the blocker it makes); {} of host, vms, clusters, policy
TABLE: dict[str, tuple[dict[str, Any], str]] = {
    "not connected": ({"host": host(connection_state="notResponding")}, "host_unreachable"),
    "disconnected by a person": ({"host": host(connection_state="disconnected")}, "host_unreachable"),
    "unreadable": ({"host": host(unreadable=("config.pciPassthruInfo",))}, "host_unreachable"),
    "its journal was tampered with": ({"host": host(garbage=(JUNK,))}, "journal_unreadable"),
    "the journal of a VM was": ({"vms": [vm(garbage=(JUNK,))]}, "journal_unreadable"),
    "in maintenance mode by others": ({"host": host(in_maintenance_mode=True)}, "maintenance_by_other"),
    "entering it by others": ({"host": host(entering=True)}, "maintenance_by_other"),
    "entering it by others, to be used": (
        {"host": host(entering=True), "policy": Policy(operator_maintenance="use")},
        "maintenance_by_other",
    ),
    "cannot be rebooted": ({"host": host(capabilities=HostCapabilities(reboot=False))}, "reboot_unsupported"),
    "cannot enter maintenance mode": (
        {"host": host(capabilities=HostCapabilities(maintenance_mode=False))},
        "reboot_unsupported",
    ),
    "the wrong management controller": (
        {"host": host(bmc_power="on", bmc_problem="It is another server's."), "policy": Policy(method="power_cycle")},
        "no_bmc",
    ),
    "no management controller": ({"policy": Policy(method="power_cycle")}, "no_bmc"),
    "its journal may not be written": (
        {"host": host(refusal=Refusal(kind="enter_maintenance", code="no_permission", text="no", at=NOW, permanent=True))},
        "journal_refused",
    ),
    "a task runs": ({"host": host(tasks=("Install patch",))}, "task_running"),
    "somebody reboots it": ({"host": host(rebooting=True)}, "task_running"),
    "remediation": ({"clusters": [cluster(remediation="Remediate cluster")]}, "remediation_running"),
    "red alarm on the host": ({"host": host(red_alarms=("Host hardware",))}, "red_alarms"),
    "red alarm on the cluster": ({"clusters": [cluster(red_alarms=("vSAN health",))]}, "red_alarms"),
    "quick boot": ({"host": host(quick_boot=True), "policy": Policy(full_post=True)}, "quick_boot"),
    "a stale setting": ({"host": host(devices=(CARD, replace(CARD, address="0000:5e:00.0", capable=False)))}, "stale_setting"),
    "a device that it would lose": (
        {"host": host(devices=(CARD, replace(ACTIVE, address="0000:5e:00.0", capable=False)))}, "stale_setting"
    ),
    "a desired device that is not enabled": (
        {"host": host(devices=(CARD, A40), desired_devices=parse_desired_devices(["10de:20f1", "10de:2235"]))}, "not_as_desired"
    ),
    "a desired device that somebody has disabled": (
        {"host": host(devices=(replace(ACTIVE, enabled=False),), desired_devices=parse_desired_devices(["10de:20f1"]))},
        "not_as_desired",
    ),
    "an entry that matches two models": (
        {"host": host(devices=(CARD, A40), desired_devices=parse_desired_devices([{"match": {"vendor_id": "10de"}}]))},
        "not_as_desired",
    ),
    "pinned, not to be stopped": ({"vms": [pinned()]}, "pinned_vms"),
    "on a local datastore": ({"vms": [vm(local_datastores=("local-1",))]}, "pinned_vms"),
    "a CD of the host": ({"vms": [vm(host_media=("CD/DVD drive 1",))]}, "pinned_vms"),
    "on a host of its own": ({"vms": [vm()], "clusters": [cluster(is_cluster=False)]}, "pinned_vms"),
    "never stop": ({"vms": [pinned(never_stop=True)], "policy": Policy(pinned=STOP)}, "never_stop"),
    "no tools to ask": ({"vms": [pinned(tools_running=False)], "policy": Policy(pinned=STOP)}, "tools_not_running"),
    "a VM that is off would be parted from its device": (
        {"vms": [pinned(power_state="poweredOff")], "policy": Policy(evacuate_powered_off=True)}, "evacuation_loses_devices"
    ),
    "a VM that is stopped for it would be": (
        {"vms": [pinned()], "policy": Policy(evacuate_powered_off=True, pinned=STOP)}, "evacuation_loses_devices"
    ),
    "DRS is not automatic": ({"vms": [vm()], "clusters": [cluster(drs_moves_vms=False)]}, "vms_stay"),
    "DRS leaves this VM alone": ({"vms": [vm(drs_moves=False)]}, "vms_stay"),
    "DRS leaves vGPUs alone": ({"vms": [vm(vgpu=True)], "clusters": [cluster(vgpu_moves=False)]}, "vms_stay"),
    "no memory elsewhere": ({"host": host(precheck=BY_ARITHMETIC), "vms": [vm(memory_mb=200_000)]}, "no_capacity"),
    "no host with that much": ({"host": host(precheck=BY_ARITHMETIC), "vms": [vm(memory_mb=1, reserved_mb=200_000)]}, "no_capacity"),
    "admission control counts hosts": (
        {"host": host(precheck=BY_ARITHMETIC), "clusters": [cluster(admission=Admission(unit="hosts", wanted=1, current=1))]},
        "ha_admission",
    ),
    "admission control counts percent": (
        {"host": host(precheck=BY_ARITHMETIC), "clusters": [cluster(admission=Admission(unit="percent", wanted=30, current=79))]},
        "ha_admission",
    ),
    "what would be stopped may not be started again": (
        {
            "host": host(precheck=replace(FRESH, denied={"gpu-vm": ("VirtualMachine.Interact.PowerOn",)})),
            "vms": [pinned()],
            "policy": Policy(pinned=STOP),
        },
        "no_permission",
    ),
    "DRS would not move it": (
        {"host": host(precheck=replace(FRESH, evacuation_faults={"vm-1": "no compatible host"})), "vms": [vm()]},
        "evacuation_refused",
    ),
    "DRS would not at all": (
        {"host": host(precheck=replace(FRESH, evacuation_refused="too few hosts")), "vms": [vm()]},
        "evacuation_refused",
    ),
    "vSAN copies": (
        {"host": host(precheck=replace(FRESH, vsan_resync_mb=5)), "clusters": [cluster(vsan=True)]},
        "vsan_resync",
    ),
    "vSAN misses objects": (
        {"host": host(precheck=replace(FRESH, vsan_inaccessible=1)), "clusters": [cluster(vsan=True)]},
        "vsan_objects",
    ),
    "it would lose a protected device": (
        {"host": host(precheck=replace(FRESH, protected=("The reboot would take the boot disk of esx-1.",)))},
        "reboot_takes_protected",
    ),
    "locked by another run": ({"clusters": [cluster(lock=replace(LOCK, owner="bob"))]}, "locked"),
    "locked by a dead one, not to be taken": (
        {"clusters": [cluster(lock=replace(LOCK, owner="bob", beat=NOW - 999))], "policy": Policy(lock=LockRule(take="never"))},
        "locked",
    ),
    "a lock nobody can read": ({"clusters": [cluster(lock=JUNK)]}, "lock_unreadable"),
}  # fmt: skip


def decision_of(case: dict[str, Any]) -> Any:
    return ask(
        case.get("host", host()),
        OK2,
        vms=case.get("vms", ()),
        clusters=case.get("clusters", [cluster()]),
        policy=case.get("policy"),
    )


@pytest.mark.parametrize("name", TABLE)
def test_a_blocked_host_is_named_and_left_alone(name: str) -> None:
    case, code = TABLE[name]
    answer = decision_of(case)
    assert codes(answer) == [code]
    status = standing(answer)
    assert status.phase == "blocked"
    (blocker,) = status.blockers
    assert blocker.cure
    assert status.reason == blocker.message
    assert "esx-1" in blocker.message or "gpu" in blocker.message
    assert "enter_maintenance" not in [kind for kind, _unused in deeds(answer)]
    assert "reboot_host" not in [kind for kind, _unused in deeds(answer)]


def test_nothing_of_that_sort_and_it_is_started() -> None:
    assert deeds(decision_of({})) == [("enter_maintenance", "esx-1")]


HARMLESS: dict[str, dict[str, Any]] = {
    "an alarm that is to be ignored": {"host": host(red_alarms=("Host fan 3",)), "policy": Policy(ignore_alarms=("Host fan*",))},
    "quick boot where it does not matter": {"host": host(quick_boot=True)},
    "quick boot before a power cycle": {
        "host": host(quick_boot=True, bmc_power="on"),
        "policy": Policy(full_post=True, method="power_cycle"),
    },
    "a desired device that waits for the reboot": {"host": host(desired_devices=parse_desired_devices(["10de:20f1"]))},
    "a desired device that is missing, and may be back after it": {
        "host": host(desired_devices=parse_desired_devices(["10de:20f1", "10de:2235"]))
    },
    "a desired device that a planned change enables": {
        "host": host(
            devices=(CARD, A40), desired_devices=parse_desired_devices(["10de:2235"]), expected_reboot="it will require one"
        )
    },
    "pinned VMs that may be stopped": {"vms": [pinned()], "policy": Policy(pinned=STOP)},
    "pinned VMs that are off": {"vms": [pinned(power_state="poweredOff")]},
    "VMs that are off, none with a device of the host": {
        "vms": [vm(power_state="poweredOff"), pinned(power_state="poweredOff", fixed=False)],
        "policy": Policy(evacuate_powered_off=True),
    },
    "no tools, but it may be powered off": {
        "vms": [pinned(tools_running=False)],
        "policy": Policy(pinned=Pinned(action="shutdown_then_power_off")),
    },
    "DRS is not automatic, but for this VM": {
        "vms": [vm(drs_moves=True)],
        "clusters": [cluster(drs_moves_vms=False)],
    },
    "DRS is not automatic, and nothing runs": {"clusters": [cluster(drs_moves_vms=False)]},
    "vSAN figures where there is no vSAN": {"host": host(precheck=replace(FRESH, vsan_resync_mb=5))},
    "admission control with room": {
        "host": host(precheck=BY_ARITHMETIC),
        "clusters": [cluster(admission=Admission(unit="hosts", wanted=1, current=2))],
    },
    "admission control, but DRS says that it can": {
        "clusters": [cluster(admission=Admission(unit="hosts", wanted=1, current=1))]
    },
    "DRS faults of a VM that is stopped anyway": {
        "host": host(precheck=replace(FRESH, evacuation_faults={"gpu-vm": "device"})),
        "vms": [pinned()],
        "policy": Policy(pinned=STOP),
    },
    "a VM that just fits": {"vms": [vm(memory_mb=100_000, reserved_mb=100_000)]},
    "a lock of a dead run": {"clusters": [cluster(lock=replace(LOCK, owner="bob", beat=NOW - 999))]},
}  # fmt: skip


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_not_matter_blocks_nothing(name: str) -> None:
    answer = decision_of(HARMLESS[name])
    assert codes(answer) == []
    assert {kind for kind, _unused in deeds(answer)} & {"enter_maintenance", "take_lock"}


def test_a_host_that_is_already_empty_is_not_asked_about_its_vms() -> None:
    parked = host(in_maintenance_mode=True, precheck=replace(FRESH, evacuation_refused="no"))
    answer = ask(parked, policy=Policy(operator_maintenance="use"), clusters=[cluster(drs_moves_vms=False)])
    assert deeds(answer) == [("reboot_host", "esx-1")]


def test_all_that_is_in_the_way_is_said_at_once() -> None:
    answer = ask(host(tasks=("Patch",), red_alarms=("Fan",)), vms=[pinned()])
    assert codes(answer) == ["task_running", "red_alarms", "pinned_vms"]


def test_a_blocked_host_holds_no_place() -> None:
    answer = ask(host(red_alarms=("Fan",)), host("esx-2"))
    assert deeds(answer) == [("enter_maintenance", "esx-2")]


def test_a_host_is_examined_before_it_is_started_and_not_on_old_news() -> None:
    for precheck in (None, Precheck(at=NOW - 121)):
        assert deeds(ask(host(precheck=precheck))) == [("precheck", "esx-1")]


def test_only_as_many_are_examined_as_may_be_started() -> None:
    answer = ask(*(host(f"esx-{n}", precheck=None) for n in range(9)), policy=Policy(max_unavailable=2, canary=False))
    assert deeds(answer) == [("precheck", "esx-0"), ("precheck", "esx-1")]


def test_what_an_examination_found_is_looked_at_again_after_a_while() -> None:
    bad = Precheck(at=NOW - 5, vsan_resync_mb=5)
    early = ask(
        host(precheck=bad),
        clusters=[cluster(vsan=True, lock=replace(LOCK, since=NOW - 60))],
        policy=Policy(patience=3600),
    )
    assert deeds(early) == []
    assert early.outlook.state == "waiting"
    assert early.outlook.wake_at is not None
    assert early.outlook.wake_at <= bad.at + 300
    later = ask(host(precheck=replace(bad, at=NOW - 301)), clusters=[cluster(vsan=True)])
    assert deeds(later) == [("precheck", "esx-1")]


def test_without_patience_a_roll_of_blocked_hosts_ends() -> None:
    answer = ask(host(red_alarms=("Fan",)))
    assert answer.outlook.state == "stalled"
    assert answer.outlook.reasons == ("1 host is blocked",)
    assert deeds(answer) == [("release_lock", "gpu")]


COPIES = Precheck(at=NOW - 5, vsan_resync_mb=5)


def test_what_passes_by_itself_is_waited_for_an_hour() -> None:
    """Every vSAN host that was away leaves something to copy: without waiting a roll would end after its first host."""
    done = host(devices=(ACTIVE,), entry=entry("done", at=NOW - 3590, asked=NOW - 4000))
    held = cluster(vsan=True, lock=replace(LOCK, since=NOW - 5000))
    waits = ask(done, host("esx-2", precheck=COPIES), clusters=[held])
    assert (waits.outlook.state, waits.outlook.ended) == ("waiting", False)
    assert waits.outlook.reasons == ("vSAN of gpu still has 5 MB to resynchronize",)
    late = ask(
        replace(done, entry=entry("done", at=NOW - 3601, asked=NOW - 4000)),
        host("esx-2", precheck=COPIES),
        clusters=[held],
    )
    assert deeds(late) == [("finish_lock", "gpu")], "it is over"
    at_once = ask(done, host("esx-2", precheck=COPIES), clusters=[held], policy=Policy(patience=0))
    assert deeds(at_once) == [("finish_lock", "gpu")]


def test_a_host_examined_before_another_was_done_is_examined_once_more() -> None:
    refused = Precheck(at=NOW - 60, evacuation_faults={"vm-1": "no compatible host"})
    stuck = host("esx-2", precheck=refused)
    done = host(devices=(ACTIVE,), entry=entry("done", at=NOW - 50, asked=NOW - 900))
    held = cluster(lock=replace(LOCK, since=NOW - 5000, beat=NOW + 200))
    waits = ask(done, stuck, vms=[vm(on="esx-2")], clusters=[held])
    assert waits.outlook.state == "waiting"
    assert waits.outlook.wake_at is not None
    again = ask(done, stuck, vms=[vm(on="esx-2")], clusters=[held], now=NOW + 240)
    assert deeds(again) == [("precheck", "esx-2")]
    anew = host("esx-2", precheck=replace(refused, at=NOW + 240))
    ended = ask(done, anew, vms=[vm(on="esx-2")], clusters=[held], now=NOW + 241)
    assert deeds(ended) == [("finish_lock", "gpu")]


def test_where_nobody_began_anything_nothing_is_waited_for() -> None:
    busy = host(tasks=("Install",))
    bob = Lock(owner="bob@ctl-2", run_id="x", scope="s", since=NOW - 600, beat=NOW - 20, ttl=300)
    assert ask(busy, clusters=[cluster(lock=None)]).outlook.state == "working", "the lock is taken first"
    assert ask(busy, clusters=[cluster(lock=bob)]).outlook.state == "stalled"


def test_a_lock_that_lives_is_explained() -> None:
    bob = Lock(owner="bob@ctl-2", run_id="x", scope="s", since=NOW - 600, beat=NOW - 20, ttl=300)
    answer = ask(host(), clusters=[cluster(lock=bob)])
    assert (
        standing(answer).reason
        == "gpu is locked by bob@ctl-2, which has been working for 10 min, last heartbeat 20 s ago"
    )
    assert "in 5 min" in standing(answer).blockers[0].cure


def test_a_start_whose_journal_could_not_be_written_is_tried_again_after_a_while() -> None:
    late = Refusal(kind="enter_maintenance", code="vsphere_fault", text="the database is full", at=NOW + 0.4)
    held = host(refusal=late)
    soon = ask(held, OK2, now=NOW + 1)
    assert deeds(soon) == []
    assert standing(soon).phase == "waiting"
    assert standing(soon).reason == "the database is full"
    assert soon.outlook.wake_at == NOW + Policy().deadlines.retry
    assert deeds(ask(held, OK2, now=NOW + 60)) == [("enter_maintenance", "esx-1")]
