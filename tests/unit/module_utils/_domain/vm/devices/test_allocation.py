# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cards a VM gets: fixed allocation, groups, NUMA, and capacity for dynamic devices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import (
    DeviceUser,
    HostCapabilities,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import SriovBacking, VmDevice
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.plan import Plan
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.devices.plan import (
    needs_details,
    plan_vm_devices,
)
from tests.unit.module_utils._domain.vm.builders import (
    A100,
    NIC,
    T4,
    WINDOW,
    card,
    codes,
    desired,
    dynamic,
    esx,
    fixed,
    guest,
    kinds,
    locked,
    observed,
    plan_one,
    subjects,
)


def fixed_plan(host: Any, *desired_vms: Any, vm: Any = None, **fields: Any) -> Any:
    return plan_one(vm or guest(memory=locked()), [host], *desired_vms, backing="fixed", **fields)


TWO = {"match": A100, "count": 2}
PAIR = esx("esx-01", card("3b:00.0"), card("5e:00.0"))
CLOSED, AWAY = {"in_maintenance_mode": True}, {"connection_state": "notResponding"}


@pytest.mark.parametrize(
    ("holder", "reason"),
    [
        (guest("other", fixed("3b:00.0")), "held by other (powered off)"),
        (guest("other", fixed("3b:00.0"), power_state="poweredOn"), "held by other (running)"),
        (guest("other", dynamic(at="3b:00.0"), power_state="poweredOn"), "held by other (running)"),
        (
            guest("other", VmDevice(key=1, label="", backing=SriovBacking(physical_function=None, virtual_function="0000:3b:00.0"))),
            "held by other (powered off)",
        ),
    ],
)  # fmt: skip
def test_what_another_vm_holds_is_not_free(holder: Any, reason: str) -> None:
    assert subjects(fixed_plan(PAIR, A100, others=[holder])) == ["0000:5e:00.0"]
    (blocker,) = fixed_plan(PAIR, TWO, others=[holder]).blockers
    assert blocker.code == "no_free_device"
    assert blocker.candidates == (f"0000:3b:00.0 10de:20f1 A100-PCIE-40GB: {reason}",)
    assert "its host esx-01 has only 1 free and active" in blocker.message


def test_users_the_host_reports_count_for_vms_that_were_not_read() -> None:
    def seen(**fields: Any) -> Any:
        user = DeviceUser(vm="hidden", moid="vm-hidden", **fields)
        return esx("esx-01", card("3b:00.0"), card("5e:00.0"), users={"0000:3b:00.0": (user,)})

    assert subjects(fixed_plan(seen(powered_on=False, fixed=True), A100)) == ["0000:5e:00.0"]
    assert subjects(fixed_plan(seen(powered_on=True, fixed=False), A100)) == ["0000:5e:00.0"]
    assert subjects(fixed_plan(seen(powered_on=False, fixed=False), A100)) == ["0000:3b:00.0"]


def test_a_dynamic_device_of_a_vm_that_is_off_holds_nothing() -> None:
    assert subjects(fixed_plan(PAIR, A100, others=[guest("other", dynamic(at="3b:00.0"))])) == ["0000:3b:00.0"]


@pytest.mark.parametrize(
    ("device", "code", "words"),
    [
        (card("3b:00.0", active=False), "not_active", "0000:3b:00.0 is enabled but not active"),
        (card("3b:00.0", enabled=False), "no_free_device", "being disabled at the next reboot"),
        (card("3b:00.0", enabled=False, active=False), "no_free_device", "not enabled for passthrough"),
        (card("3b:00.0", enabled=False, active=False, capable=False), "no_free_device", "not capable"),
        (card("3b:00.0", active=False, capable=False), "no_free_device", "no longer capable"),
        (card("3b:00.0", T4), "no_such_device", "its host esx-01 has no such device"),
    ],
)
def test_cards_that_cannot_be_had(device: Any, code: str, words: str) -> None:
    (blocker,) = fixed_plan(esx("esx-01", device), A100).blockers
    assert blocker.code == code
    assert words in blocker.sentence()
    assert blocker.cure
    assert blocker.skippable is (code == "no_such_device")
    if code == "not_active":
        assert "Reboot esx-01" in blocker.cure


def test_no_such_device_tells_where_one_is() -> None:
    (blocker,) = plan_one(
        guest(memory=locked()),
        [esx("esx-01", card("3b:00.0", T4)), esx("esx-02", card("3b:00.0"))],
        A100,
        backing="fixed",
    ).blockers
    assert blocker.code == "no_such_device"
    assert "(esx-02 has)" in blocker.message
    assert blocker.candidates == ("0000:3b:00.0 10de:1eb8 Tesla T4",)


def test_listed_is_not_free_but_unlisted_is_not_to_be_had() -> None:
    (blocker,) = fixed_plan(PAIR, TWO, offered={"host-esx-01": frozenset({"0000:5e:00.0"})}).blockers
    assert blocker.candidates == ("0000:3b:00.0 10de:20f1 A100-PCIE-40GB: not offered by vCenter for passthrough",)
    assert subjects(fixed_plan(PAIR, TWO, offered={"host-esx-01": None})) == ["0000:3b:00.0", "0000:5e:00.0"]


def test_no_system_id_no_fixed_device() -> None:
    target = fixed_plan(PAIR, A100, system_ids={"host-esx-01": None})
    assert codes(target) == ["no_system_id"]


@pytest.mark.parametrize(
    ("vm", "hosts", "code"),
    [
        (guest(memory=locked(), host=None, cluster=None), [PAIR], "host_unknown"),
        (guest(memory=locked(), host="esx-09"), [PAIR], "host_unknown"),
        (
            guest(memory=locked()),
            [esx("esx-01", card("3b:00.0"), connection_state="notResponding")],
            "host_unreachable",
        ),
    ],
)
def test_host_of_the_vm_must_be_known(vm: Any, hosts: Any, code: str) -> None:
    assert codes(plan_one(vm, hosts, A100, backing="fixed")) == [code]


def many(*names: str, count: int = 1, host: Any = PAIR, match: Any = A100, **fields: Any) -> Plan:
    vms = [guest(name, memory=locked()) for name in names]
    there = observed(vms, [host], **fields)
    return plan_vm_devices(there, [desired(vm, {"match": match, "count": count}, backing="fixed") for vm in vms])


def test_vms_of_one_run_get_different_cards_in_order_of_name() -> None:
    assert [subjects(target) for target in many("b", "a").targets] == [["0000:3b:00.0"], ["0000:5e:00.0"]]
    plan = many("a", "b", "c")
    assert [codes(target) for target in plan.targets] == [[], [], ["no_free_device"]]
    assert "0000:3b:00.0 10de:20f1 A100-PCIE-40GB: given to a in this run" in plan.targets[2].blockers[0].candidates


def test_a_blocked_vm_takes_nothing_from_the_others() -> None:
    vms = [guest("a", memory=locked(), has_snapshots=True), guest("b", memory=locked())]
    plan = plan_vm_devices(
        observed(vms, [esx("esx-01", card("3b:00.0"))]), [desired(vm, A100, backing="fixed") for vm in vms]
    )
    assert [codes(target) for target in plan.targets] == [["snapshots"], []]
    assert subjects(plan.targets[1]) == ["0000:3b:00.0"]


def test_a_card_named_by_address_is_kept_for_the_vm_that_names_it() -> None:
    vms = [guest("a", memory=locked()), guest("b", memory=locked())]
    plan = plan_vm_devices(
        observed(vms, [PAIR]), [desired(vms[0], A100, backing="fixed"), desired(vms[1], "0000:3b:00.0")]
    )
    assert [subjects(target) for target in plan.targets] == [["0000:5e:00.0"], ["0000:3b:00.0"]]
    contested = plan_vm_devices(observed(vms, [PAIR]), [desired(vm, "0000:3b:00.0") for vm in vms])
    assert [codes(target) for target in contested.targets] == [[], ["no_free_device"]]


NUMA = esx(
    "esx-01",
    card("3b:00.0", numa_node=0),
    card("5e:00.0", numa_node=1),
    card("86:00.0", numa_node=1),
    card("af:00.0", numa_node=None),
)


@pytest.mark.parametrize(
    ("devices", "count", "attached"),
    [
        ([], 1, ["0000:3b:00.0"]),
        ([], 2, ["0000:5e:00.0", "0000:86:00.0"]),
        ([], 3, ["0000:3b:00.0", "0000:5e:00.0", "0000:86:00.0"]),
        ([fixed("86:00.0")], 2, ["0000:5e:00.0"]),
        ([fixed("3b:00.0")], 2, ["0000:5e:00.0"]),
        ([], 4, ["0000:3b:00.0", "0000:5e:00.0", "0000:86:00.0", "0000:af:00.0"]),
    ],
)
def test_cards_of_one_node_go_together(devices: Any, count: int, attached: list[str]) -> None:
    target = fixed_plan(NUMA, {"match": A100, "count": count}, vm=guest("train-01", *devices, memory=locked()))
    assert subjects(target) == attached


# --- functions that are reset together --------------------------------------------------------------------------------

AUDIO = "10de:10fa"


def group(**second: Any) -> Any:
    bridge = "0000:3a:00.0"
    return esx(
        "esx-01",
        card("3b:00.0", dependent_device=bridge),
        card("3b:00.1", AUDIO, dependent_device=bridge, **second),
        card("5e:00.0", dependent_device="0000:5e:00.0"),
    )


def test_a_group_is_attached_whole_and_shown() -> None:
    target = fixed_plan(group(), A100)
    assert subjects(target) == ["0000:3b:00.0", "0000:3b:00.1"]
    assert target.changes[1].after["along_with"] == "0000:3b:00.0"


def test_a_group_another_vm_has_a_part_of_is_passed_over() -> None:
    holder = guest("other", fixed("3b:00.1", AUDIO))
    assert subjects(fixed_plan(group(), A100, others=[holder])) == ["0000:5e:00.0"]
    (blocker,) = fixed_plan(group(), TWO, others=[holder]).blockers
    assert blocker.candidates == (
        "0000:3b:00.0 10de:20f1 A100-PCIE-40GB: 0000:3b:00.1, which shares a reset with it, is held by other (powered off)",
    )


def test_a_group_of_which_a_part_waits_for_a_reboot() -> None:
    (blocker,) = fixed_plan(group(active=False), TWO).blockers
    assert blocker.code == "not_active"


def test_a_function_that_cannot_be_passed_through_stays_out_of_its_group() -> None:
    assert subjects(fixed_plan(group(capable=False, enabled=False, active=False), A100)) == ["0000:3b:00.0"]


def test_a_group_half_attached_is_completed() -> None:
    vm = guest("train-01", fixed("3b:00.0"), memory=locked())
    assert subjects(fixed_plan(group(), A100, vm=vm)) == ["0000:3b:00.1"]
    split = fixed_plan(group(), A100, vm=vm, others=[guest("other", fixed("3b:00.1", AUDIO))])
    assert split.changes == ()
    assert "both must be in the same VM" in split.warnings[0]


def test_exactly_keeps_the_group_and_absent_takes_it_all() -> None:
    vm = guest("train-01", fixed("3b:00.0"), fixed("3b:00.1", AUDIO, key=13001), memory=locked())
    assert fixed_plan(group(), A100, vm=vm, state="exactly").changes == ()
    gone = fixed_plan(group(), A100, vm=vm, state="absent")
    assert subjects(gone, "detach") == ["0000:3b:00.0", "0000:3b:00.1"]
    assert any("0000:3b:00.1 is also detached from train-01" in warning for warning in gone.warnings)
    reback = plan_one(vm, [group()], A100, backing="dynamic")
    assert (subjects(reback, "detach"), subjects(reback)) == (["0000:3b:00.0", "0000:3b:00.1"], ["10de:20f1 #1"])


def test_functions_of_a_group_count_when_they_are_meant_themselves() -> None:
    ports = [card(f"18:00.{number}", NIC, dependent_device="0000:17:00.0") for number in range(2)]
    host = esx("esx-01", *ports, card("19:00.0", NIC))
    assert subjects(fixed_plan(host, {"match": NIC, "count": 2})) == ["0000:18:00.0", "0000:18:00.1"]
    one = fixed_plan(host, NIC, state="exactly")
    assert subjects(one) == ["0000:18:00.0", "0000:18:00.1"]


def test_a_function_that_must_go_along_meets_a_wish_of_its_own() -> None:
    named = {"match": {"address": "3b:00.0", "vendor_id": "10de", "device_id": "20f1"}}
    target = plan_one(guest(memory=locked()), [group()], named, AUDIO, state="exactly")
    assert subjects(target) == ["0000:3b:00.0", "0000:3b:00.1"]
    assert kinds(target).count("attach") == 2, "no dynamic device beside the function that is there anyway"


def test_what_a_group_brings_along_is_not_asked_for_elsewhere_too() -> None:
    ports = [card(f"18:00.{number}", NIC, dependent_device="0000:17:00.0", numa_node=0) for number in range(2)]
    host = esx("esx-01", *ports, card("19:00.0", NIC, numa_node=1), card("86:00.0", numa_node=1))
    vm = guest("train-01", fixed("86:00.0"), memory=locked())
    target = fixed_plan(host, A100, {"match": NIC, "count": 2}, vm=vm, state="exactly")
    assert subjects(target) == ["0000:18:00.0", "0000:18:00.1"], "19:00.0 is nearer, and would be a third"


# --- dynamic devices: capacity ----------------------------------------------------------------------------------------

CLUSTER = [esx("esx-01", card("3b:00.0"), card("5e:00.0")), esx("esx-02", card("3b:00.0"))]


def on(name: str, *devices: Any, host: str = "esx-01") -> Any:
    return guest(name, *devices, host=host, power_state="poweredOn", memory=locked())


def ask(count: int, *others: Any, hosts: Any = None, vm: Any = None, **fields: Any) -> Any:
    there = CLUSTER if hosts is None else hosts
    return plan_one(
        vm or guest(memory=locked(), extra_config=WINDOW),
        there,
        {"match": A100, "count": count},
        others=others,
        **fields,
    )


def test_all_devices_of_a_vm_must_be_on_one_host() -> None:
    assert codes(ask(2)) == []
    (blocker,) = ask(3).blockers
    assert blocker.code == "no_free_device"
    assert blocker.candidates == ("esx-01: 2 present, 2 active, 2 free", "esx-02: 1 present, 1 active, 1 free")
    assert "train-01 needs 3 x 10de:20f1 on one host" in blocker.message


def test_a_vm_outside_a_cluster_has_its_own_host_only() -> None:
    alone = [
        esx("esx-01", card("3b:00.0"), cluster=None),
        esx("esx-02", card("3b:00.0"), card("5e:00.0"), cluster=None),
    ]
    assert codes(ask(2, hosts=alone, vm=guest(cluster=None, memory=locked()))) == ["no_free_device"]


def test_another_cluster_of_the_same_name_does_not_count() -> None:
    hosts = [esx("esx-01", card("3b:00.0", T4)), esx("esx-02", card("3b:00.0"), compute_moid="domain-c2")]
    assert codes(ask(1, hosts=hosts)) == ["no_such_device"]


def test_what_fixed_backings_hold_is_gone_for_good() -> None:
    holder = guest("other", fixed("3b:00.0"))
    assert codes(ask(2, holder)) == ["no_free_device"]
    assert codes(ask(1, holder)) == []


@pytest.mark.parametrize("assigned", [True, False])
def test_running_vms_block_only_what_must_run_now(assigned: bool) -> None:
    def at(address: str) -> Any:
        return dynamic(at=address if assigned else None)

    busy = (on("x", at("3b:00.0")), on("y", at("5e:00.0")), on("z", at("3b:00.0"), host="esx-02"))
    later = ask(1, *busy)
    assert codes(later) == []
    assert any("cannot be powered on now" in warning for warning in later.warnings)
    (blocker,) = ask(1, *busy, power="on").blockers
    assert blocker.code == "no_free_device"
    assert "no host has them free now" in blocker.message
    assert codes(ask(1, *busy[:2], power="on")) == []
    assert codes(ask(2, *busy[:1], power="on")) == ["no_free_device"]


def test_its_own_devices_are_free_for_a_vm_that_is_cycled() -> None:
    vm = replace(on("train-01", dynamic(at="3b:00.0")), extra_config=WINDOW)
    assert codes(ask(2, vm=vm, power="cycle")) == []
    assert codes(ask(2, on("x", dynamic(at="5e:00.0")), vm=vm, power="cycle")) == ["no_free_device"]


def test_a_host_in_maintenance_mode_starts_nothing() -> None:
    hosts = [esx("esx-01", card("3b:00.0"), in_maintenance_mode=True)]
    assert codes(ask(1, hosts=hosts, power="on")) == ["no_free_device"]
    target = ask(1, hosts=hosts)
    assert codes(target) == []
    assert any("in maintenance mode" in warning for warning in target.warnings)


@pytest.mark.parametrize(
    ("own", "other", "drs", "code", "reads_drs"),
    [
        ({}, AWAY, None, None, False),
        (CLOSED, {}, None, None, True),
        (CLOSED, {}, True, None, False),
        (CLOSED, {}, False, "host_in_maintenance", False),
        (CLOSED, CLOSED, None, "host_in_maintenance", False),
        (CLOSED, AWAY, None, "host_in_maintenance", False),
    ],
)
def test_a_vm_without_devices_starts_where_a_host_is_in_service(
    own: Any, other: Any, drs: bool | None, code: str | None, reads_drs: bool
) -> None:
    hosts = [esx("esx-01", drs_places_vms=drs, **own), esx("esx-02", drs_places_vms=drs, **other)]
    target = plan_one(guest(), hosts, state="exactly", power="on")
    assert codes(target) == ([code] if code else [])
    assert target.vm_facts.starts_elsewhere is reads_drs
    assert codes(plan_one(guest(), hosts, state="exactly")) == []


def test_devices_that_wait_for_a_reboot() -> None:
    hosts = [esx("esx-01", card("3b:00.0", active=False)), esx("esx-02", card("3b:00.0", T4))]
    (blocker,) = ask(1, hosts=hosts).blockers
    assert blocker.code == "not_active"
    assert "on esx-01 they are enabled and not active" in blocker.message
    assert "Reboot esx-01" in blocker.cure
    assert blocker.candidates == ("esx-01 0000:3b:00.0 10de:20f1 A100-PCIE-40GB",)


def test_unknown_models_and_hosts_that_are_away() -> None:
    assert codes(plan_one(guest(memory=locked()), CLUSTER, "abcd:0001")) == ["no_such_device"]
    away = [esx("esx-01", card("3b:00.0"), connection_state="notResponding")]
    (blocker,) = ask(1, hosts=away).blockers
    assert "not reachable: esx-01" in blocker.message


def test_a_fixed_device_ties_the_dynamic_ones_to_its_host() -> None:
    vm = guest("train-01", fixed("3b:00.0"), host="esx-02", memory=locked())
    assert codes(plan_one(vm, CLUSTER, {"match": A100, "count": 2}, others=[])) == ["no_free_device"]


def test_a_card_the_vm_gives_up_can_serve_its_dynamic_device() -> None:
    one, two = [esx("esx-01", card("3b:00.0"))], [esx("esx-01", card("3b:00.0"), card("5e:00.0"))]
    vm = guest("train-01", fixed("3b:00.0"), memory=locked(), extra_config=WINDOW)
    assert codes(plan_one(vm, one, A100, backing="dynamic", power="on")) == []
    assert codes(plan_one(guest("x", memory=locked()), one, A100, others=[vm])) == ["no_free_device"]
    both = [desired(vm, A100, backing="dynamic"), desired(guest("y", memory=locked()), {"match": A100, "count": 2})]
    there = observed([vm, guest("y", memory=locked())], two)
    assert [codes(target) for target in plan_vm_devices(there, both).targets] == [[], ["no_free_device"]]


def test_labels_narrow_the_choice() -> None:
    hosts = [esx("esx-01", card("3b:00.0", label="a100"), card("5e:00.0"))]
    labelled = {"match": A100, "count": 2, "label": "a100"}
    assert codes(plan_one(guest(memory=locked()), hosts, labelled)) == ["no_free_device"]
    assert codes(plan_one(guest(memory=locked()), hosts, {**labelled, "count": 1})) == []


def test_selectors_a_dynamic_backing_cannot_express() -> None:
    hosts = [esx("esx-01", card("3b:00.0"), card("86:00.0", T4))]
    (blocker,) = plan_one(guest(memory=locked()), hosts, {"match": {"class_id": "0302"}}).blockers
    assert (blocker.code, blocker.candidates) == ("ambiguous", ("10de:1eb8 Tesla T4", "10de:20f1 A100-PCIE-40GB"))
    mixed = [esx("esx-01", card("3b:00.0", name="A100 old"), card("5e:00.0", name="A100 new"))]
    (blocker,) = plan_one(guest(memory=locked()), mixed, {"match": {"name": "* new"}}).blockers
    assert (blocker.code, blocker.candidates) == ("dynamic_too_wide", ("esx-01 0000:3b:00.0 10de:20f1 A100 old",))
    (blocker,) = plan_one(guest(memory=locked()), hosts, {"match": {"name": "nothing"}}).blockers
    assert blocker.code == "no_such_device"


def test_dynamic_needs_hosts_that_know_it() -> None:
    old = [esx("esx-01", card("3b:00.0"), capabilities=HostCapabilities())]
    assert codes(ask(1, hosts=old, backing="dynamic")) == ["dynamic_unsupported"]


def test_vms_of_one_run_that_are_started_share_what_there_is() -> None:
    vms = [guest(name, memory=locked(), extra_config=WINDOW) for name in ("a", "b", "c", "d")]
    there = observed(vms, CLUSTER)

    def outcome(counts: list[int], power: Any) -> list[list[str]]:
        asked = [desired(vm, {"match": A100, "count": n}, power=power) for vm, n in zip(vms, counts, strict=False)]
        return [codes(target) for target in plan_vm_devices(there, asked).targets]

    assert outcome([1, 2], "on") == [[], []]
    assert outcome([1, 1, 1], "on") == [[], [], []]
    assert outcome([1, 1, 1, 1], "on") == [[], [], [], ["no_free_device"]]
    assert outcome([1, 1, 1, 1], "keep") == [[], [], [], []]


def test_promising_more_than_there_is_is_said_once() -> None:
    vms = [guest(name, memory=locked()) for name in ("a", "b")]
    old = guest("old", dynamic(), dynamic(key=13001), memory=locked())
    there = observed(vms, CLUSTER, others=(old,))
    plan = plan_vm_devices(there, [desired(vm, A100) for vm in vms])
    assert plan.warnings == (
        "gpu: VMs are configured with 4 x 10de:20f1, but only 3 are active, so not all of these VMs can run at the same time",
    )
    assert plan_vm_devices(there, [desired(vms[0], A100)]).warnings == ()


# --- two passes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vm", "desired_state", "fields", "needed"),
    [
        pytest.param(guest(memory=locked()), [A100], {}, True, id="attach dynamic"),
        pytest.param(guest(memory=locked()), [A100], {"limits": {"vm-train-01": None}}, False, id="limit read"),
        pytest.param(guest(memory=locked()), ["0000:3b:00.0"], {"limits": {"vm-train-01": None}}, True, id="system id"),
        pytest.param(guest("train-01", dynamic(), memory=locked()), [A100], {}, False, id="converged dynamic"),
        pytest.param(guest("train-01", fixed("3b:00.0"), memory=locked()), [A100], {}, True, id="fixed, off"),
        pytest.param(on("train-01", fixed("3b:00.0")), [A100], {}, False, id="fixed, running: its system id is right"),
        pytest.param(guest(memory=locked(), connection_state="orphaned"), [A100], {}, False, id="not connected"),
    ],
)
def test_details_are_read_only_where_they_could_change_the_plan(
    vm: Any, desired_state: Any, fields: Any, needed: bool
) -> None:
    there = observed([vm], CLUSTER, **{"limits": {}, "system_ids": {}, "offered": {}, **fields})
    assert needs_details(plan_vm_devices(there, [desired(vm, *desired_state)])) == (
        frozenset({vm.moid}) if needed else frozenset()
    )
    assert needs_details(plan_vm_devices(observed([vm], CLUSTER), [desired(vm, *desired_state)])) == frozenset()


def test_all_devices_cannot_be_had_while_another_vm_gives_some_up() -> None:
    taker, giver = guest("a", memory=locked()), guest("b", fixed("5e:00.0"), memory=locked())
    desired_vms = [
        desired(taker, {"match": A100, "count": "all"}, backing="fixed"),
        desired(giver, A100, state="absent"),
    ]
    plan = plan_vm_devices(observed([taker, giver], [PAIR]), desired_vms)
    first, second = plan.targets
    assert codes(first) == ["devices_changing_hands"]
    assert "b gives up 0000:5e:00.0" in first.blockers[0].message
    assert codes(second) == []
