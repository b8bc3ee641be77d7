# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""present, absent, exactly: what is attached and what is detached."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.facts import Gap, Unknown
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import HostCapabilities
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import (
    AllowedDevice,
    DvxBacking,
    SriovBacking,
    UnknownBacking,
    VgpuBacking,
    VmDevice,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.details import DynamicSpec, FixedSpec
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.devices.plan import plan_vm_devices
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

HOST = esx("esx-01", card("3b:00.0"), card("5e:00.0"), card("86:00.0", T4), card("af:00.0", A100))
LABELLED = esx("esx-01", card("3b:00.0", label="a100"), card("5e:00.0", label="spare"))


def changes(*devices: VmDevice, desired_vms: list[Any], host: Any = HOST, **fields: Any) -> tuple[list[str], list[str]]:
    target = plan_one(guest("train-01", *devices, memory=locked()), [host], *desired_vms, **fields)
    assert codes(target) == []
    return subjects(target, "detach"), subjects(target, "attach")


TWO = {"match": A100, "count": 2}


@pytest.mark.parametrize(
    ("devices", "desired_vms", "fields", "detached", "attached"),
    [
        pytest.param([], [A100], {}, [], ["10de:20f1 #1"], id="one by default, dynamic"),
        pytest.param([], [TWO], {}, [], ["10de:20f1 #1", "10de:20f1 #2"], id="a count"),
        pytest.param([dynamic()], [TWO], {}, [], ["10de:20f1 #2"], id="only what is missing"),
        pytest.param([dynamic()], [A100], {}, [], [], id="there already"),
        pytest.param([dynamic(), dynamic(key=13001)], [A100], {}, [], [], id="present: more is fine"),
        pytest.param([dynamic(), dynamic(key=13001)], [A100], {"state": "exactly"}, ["10de:20f1 #2"], [], id="exactly"),
        pytest.param([dynamic(), dynamic(T4, key=13001)], [A100], {"state": "exactly"}, ["10de:1eb8 #1"], [], id="other"),
        pytest.param([dynamic(), dynamic(T4, key=13001)], [], {"state": "exactly"}, ["10de:20f1 #1", "10de:1eb8 #1"], [], id="none"),
        pytest.param([dynamic(), dynamic(T4, key=13001)], [A100], {"state": "absent"}, ["10de:20f1 #1"], [], id="absent"),
        pytest.param([dynamic(T4)], [A100], {"state": "absent"}, [], [], id="absent already"),
        pytest.param(
            [dynamic(), dynamic(key=13001)], [{"match": A100, "count": 1}], {"state": "absent"},
            ["10de:20f1 #1", "10de:20f1 #2"], [], id="absent: the list that attached them serves to detach",
        ),
        pytest.param([dynamic(A100, T4)], [A100], {"state": "absent"}, ["10de:20f1/10de:1eb8 #1"], [], id="absent: might be one"),
        pytest.param([dynamic(A100, T4)], [A100], {}, [], ["10de:20f1 #1"], id="present: might be another"),
        pytest.param([fixed("3b:00.0")], [A100], {}, [], [], id="auto accepts a fixed one"),
        pytest.param([fixed("3b:00.0")], [TWO], {}, [], ["10de:20f1 #1"], id="auto adds to a fixed one"),
        pytest.param([fixed("3b:00.0")], [A100], {"backing": "dynamic"}, ["0000:3b:00.0"], ["10de:20f1 #1"], id="re-back to dynamic"),
        pytest.param([dynamic()], [A100], {"backing": "fixed"}, ["10de:20f1 #1"], ["0000:3b:00.0"], id="re-back to fixed"),
        pytest.param(
            [fixed("3b:00.0"), dynamic(key=13001)], [A100], {"state": "absent", "backing": "fixed"}, ["0000:3b:00.0"], [],
            id="absent of one backing",
        ),
        pytest.param([], ["0000:5e:00.0"], {}, [], ["0000:5e:00.0"], id="an address is fixed"),
        pytest.param([fixed("5e:00.0")], ["0000:5e:00.0"], {}, [], [], id="an address, there already"),
        pytest.param([fixed("3b:00.0")], ["0000:5e:00.0"], {}, [], ["0000:5e:00.0"], id="an address is no other card"),
        pytest.param(
            [fixed("3b:00.0")], ["0000:5e:00.0"], {"state": "exactly"}, ["0000:3b:00.0"], ["0000:5e:00.0"], id="exactly another"
        ),
        pytest.param([dynamic(at="5e:00.0")], ["0000:5e:00.0"], {"state": "absent"}, [], [], id="an assignment is not an address"),
        pytest.param([], [{"match": A100, "count": "all"}], {}, [], ["0000:3b:00.0", "0000:5e:00.0", "0000:af:00.0"], id="all"),
        pytest.param([fixed("5e:00.0")], [{"match": A100, "count": "all"}], {}, [], ["0000:3b:00.0", "0000:af:00.0"], id="all the rest"),
        pytest.param([], [{"match": {"name": "*a100*"}}], {}, [], ["10de:20f1 #1"], id="a name of one model"),
        pytest.param([], [A100, T4], {"backing": "fixed"}, [], ["0000:3b:00.0", "0000:86:00.0"], id="two models"),
        pytest.param([dynamic(T4)], [{"match": {"class_id": "03"}}, A100], {}, [], ["10de:20f1 #1"], id="wide takes what narrow leaves"),
        pytest.param(
            [dynamic(A100)], [{"match": {"class_id": "03"}}, A100], {"backing": "fixed"}, ["10de:20f1 #1"],
            ["0000:3b:00.0", "0000:5e:00.0"], id="narrow first",
        ),
        pytest.param([fixed("3b:00.0", key=13007), dynamic(key=13002)], [A100, "0000:3b:00.0"], {}, [], [], id="matching is not greedy"),
    ],
)  # fmt: skip
def test_difference(
    devices: list[VmDevice], desired_vms: list[Any], fields: dict[str, Any], detached: list[str], attached: list[str]
) -> None:
    assert changes(*devices, desired_vms=desired_vms, **fields) == (detached, attached)


@pytest.mark.parametrize(
    ("devices", "desired_vms", "fields", "detached", "attached"),
    [
        ([], [{"match": A100, "label": "a100"}], {}, [], ["10de:20f1 #1"]),
        ([dynamic(label="a100")], [{"match": A100, "label": "a100"}], {}, [], []),
        ([dynamic(label="a100")], [A100], {}, [], []),
        ([dynamic()], [{"match": A100, "label": "a100"}], {}, [], ["10de:20f1 #2"]),
        ([dynamic()], [{"match": A100, "label": "a100"}], {"state": "exactly"}, ["10de:20f1 #1"], ["10de:20f1 #1"]),
        ([], [{"match": A100, "label": "spare"}], {"backing": "fixed"}, [], ["0000:5e:00.0"]),
        ([fixed("3b:00.0")], [{"match": A100, "label": "a100"}], {}, [], []),
        ([], [{"match": {"label": "spare"}}], {}, [], ["10de:20f1 #1"]),
    ],
)
def test_labels(
    devices: list[VmDevice], desired_vms: list[Any], fields: dict[str, Any], detached: list[str], attached: list[str]
) -> None:
    assert changes(*devices, desired_vms=desired_vms, host=LABELLED, **fields) == (detached, attached)


def test_what_the_writer_gets() -> None:
    target = plan_one(guest(memory=locked()), [LABELLED], {"match": A100, "label": "spare"}, {"match": "0000:3b:00.0"})
    assert [change.detail for change in target.changes if change.kind == "attach"] == [
        FixedSpec(
            address="0000:3b:00.0",
            vendor_id="10de",
            device_id="20f1",
            system_id="sys-esx-01",
            name="A100-PCIE-40GB",
        ),
        DynamicSpec(
            allowed=(AllowedDevice(vendor_id="10de", device_id="20f1"),),
            custom_label="spare",
            name="A100-PCIE-40GB",
        ),
    ]
    assert [change.after for change in target.changes if change.kind == "attach"] == [
        {"backing": "fixed", "device": "10de:20f1 A100-PCIE-40GB"},
        {"backing": "dynamic", "device": "10de:20f1 A100-PCIE-40GB", "label": "spare"},
    ]


def test_subsystem_ids_go_into_the_backing_and_are_found_again() -> None:
    host = esx("esx-01", card("3b:00.0", subvendor_id="10de", subdevice_id="145f"))
    selector = {"match": {"vendor_id": "10de", "device_id": "20f1", "subvendor_id": "10de", "subdevice_id": "145f"}}
    target = plan_one(guest(memory=locked()), [host], selector)
    (change,) = [change for change in target.changes if change.kind == "attach"]
    assert change.detail.allowed == (
        AllowedDevice(vendor_id="10de", device_id="20f1", subvendor_id="10de", subdevice_id="145f"),
    )
    unspecific = plan_one(guest("train-01", dynamic(), memory=locked()), [host], selector)
    assert subjects(unspecific) == ["10de:20f1 #2"]


@pytest.mark.parametrize(
    ("version", "assignable", "desired_state", "kind"),
    [
        (17, True, "auto", "10de:20f1 #1"),
        (16, True, "auto", "0000:3b:00.0"),
        (19, None, "auto", "0000:3b:00.0"),
        (19, False, "auto", "0000:3b:00.0"),
        (19, True, "fixed", "0000:3b:00.0"),
    ],
)
def test_backing_of_new_devices(version: int, assignable: bool | None, desired_state: Any, kind: str) -> None:
    host = esx("esx-01", card("3b:00.0"), capabilities=HostCapabilities(assignable_hardware=assignable))
    target = plan_one(guest(hardware_version=version, memory=locked()), [host], A100, backing=desired_state)
    assert (codes(target), subjects(target)) == ([], [kind])


OTHERS = [
    VmDevice(key=13050, label="vGPU", backing=VgpuBacking(profile="grid_a100-40c")),
    VmDevice(key=13051, label="DVX", backing=DvxBacking(device_class="x")),
    VmDevice(key=13031, label="NIC", backing=SriovBacking(physical_function="0000:05:00.0")),
    VmDevice(key=13052, label="New thing", backing=UnknownBacking(type_name="Later")),
]


def test_backings_we_do_not_write_are_reported_and_never_removed() -> None:
    target = plan_one(guest("train-01", *OTHERS, memory=locked()), [HOST], state="exactly")
    assert target.changes == ()
    assert "also has NIC (sriov), vGPU (vgpu), DVX (dvx), of kinds that devices does not name" in target.warnings[0]
    assert "also has New thing (unknown), which this module does not change" in target.warnings[1]


def test_facts_tell_why_a_device_is_detached() -> None:
    vm = guest("train-01", fixed("3b:00.0"), dynamic(T4, key=13001), memory=locked())
    target = plan_one(vm, [HOST], {"match": A100, "count": 2}, backing="fixed", state="exactly")
    assert {subject: leaving.why for subject, leaving in target.vm_facts.leaving.items()} == {f"{T4} #1": "unwanted"}


# --- fixed devices whose host changed ---------------------------------------------------------------------------------

MOVED = esx("esx-02", card("3b:00.0"), card("5e:00.0"))


@pytest.mark.parametrize(
    ("host", "device", "desired_state", "attached", "reason"),
    [
        pytest.param(
            esx("esx-02", card("5e:00.0")), fixed("3b:00.0"), A100, ["0000:5e:00.0"],
            "esx-02 has no device 0000:3b:00.0", id="address absent"
        ),
        pytest.param(
            esx("esx-02", card("3b:00.0", NIC), card("5e:00.0")), fixed("3b:00.0"), A100, ["0000:5e:00.0"],
            "0000:3b:00.0 on esx-02 is 8086:1572 Ethernet Controller X710, not 10de:20f1", id="identity changed",
        ),
        pytest.param(
            MOVED, fixed("3b:00.0", system_id="sys-esx-01"), A100, ["0000:3b:00.0"],
            "attached on another host than esx-02 (system id sys-esx-01, not sys-esx-02)", id="system id of another host",
        ),
        pytest.param(MOVED, fixed(None), A100, ["0000:3b:00.0"], "has no address", id="no address"),
        pytest.param(
            MOVED, fixed("3b:00.0", system_id="sys-esx-01"), "0000:3b:00.0", ["0000:3b:00.0"], "another host", id="by address"
        ),
    ],
)  # fmt: skip
def test_stale_fixed_device_is_attached_anew(
    host: Any, device: VmDevice, desired_state: str, attached: list[str], reason: str
) -> None:
    vm = guest("train-01", device, host="esx-02", memory=locked())
    target = plan_one(vm, [host], desired_state, backing="fixed")
    assert codes(target) == []
    assert (len(subjects(target, "detach")), subjects(target)) == (1, attached)
    assert any("is detached and attached again" in warning and reason in warning for warning in target.warnings)


@pytest.mark.parametrize("system_id", ["SYS-esx-02", None])
def test_a_good_fixed_device_stays(system_id: str | None) -> None:
    vm = guest("train-01", fixed("3b:00.0", system_id=system_id), host="esx-02", memory=locked())
    assert plan_one(vm, [MOVED], A100, backing="fixed").changes == ()


def test_a_stale_device_nobody_names_is_warned_of_and_removed_by_exactly() -> None:
    vm = guest("train-01", fixed("3b:00.0", NIC), host="esx-02", memory=locked())
    present = plan_one(vm, [MOVED], A100)
    assert subjects(present, "detach") == []
    assert any("does not work: 0000:3b:00.0 on esx-02 is 10de:20f1" in warning for warning in present.warnings)
    assert subjects(plan_one(vm, [MOVED], A100, state="exactly"), "detach") == ["0000:3b:00.0"]
    assert codes(plan_one(vm, [MOVED], power="on")) == ["stale_device"]


def test_an_address_alone_does_not_welcome_another_model() -> None:
    vm = guest("train-01", fixed("3b:00.0", NIC), host="esx-02", memory=locked())
    target = plan_one(vm, [MOVED], "0000:3b:00.0")
    assert codes(target) == ["identity_changed"]
    assert "has 8086:1572 at 0000:3b:00.0, but on esx-02 that is 10de:20f1" in target.blockers[0].message
    exact = {"match": {"address": "0000:3b:00.0", "vendor_id": "10de", "device_id": "20f1"}}
    assert codes(plan_one(vm, [MOVED], exact, state="exactly")) == []
    wrong = {"match": {"address": "0000:3b:00.0", "vendor_id": "8086", "device_id": "1572"}}
    assert codes(plan_one(guest("a", host="esx-02", memory=locked()), [MOVED], wrong)) == ["identity_changed"]


# --- wishes that are wrong in themselves ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("desired_vms", "fields", "code"),
    [
        ([], {"state": "absent"}, "nothing_named"),
        (["0000:3b:00.0"], {"backing": "dynamic"}, "dynamic_by_place"),
        ([{"match": {"slot": "6"}}], {"backing": "dynamic"}, "dynamic_by_place"),
        ([{"match": A100, "count": "all"}], {"backing": "dynamic"}, "dynamic_by_place"),
    ],
)
def test_wrong_wishes(desired_vms: list[Any], fields: dict[str, Any], code: str) -> None:
    with pytest.raises(InputError) as caught:
        plan_one(guest(memory=locked()), [HOST], *desired_vms, **fields)
    assert caught.value.code == code
    assert caught.value.cure


def test_a_vm_named_twice() -> None:
    vm = guest(memory=locked())
    with pytest.raises(InputError) as caught:
        plan_vm_devices(observed([vm], [HOST]), [desired(vm, A100), desired(vm, T4)])
    assert caught.value.code == "vm_twice"


def test_an_address_for_vms_of_two_hosts_needs_ids() -> None:
    vms = [guest("a", host="esx-01", memory=locked()), guest("b", host="esx-02", memory=locked())]
    there = observed(vms, [HOST, MOVED])
    with pytest.raises(InputError) as caught:
        plan_vm_devices(there, [desired(vm, "0000:3b:00.0") for vm in vms])
    assert caught.value.code == "address_needs_identity"
    full = {"match": {"address": "0000:3b:00.0", "vendor_id": "10de", "device_id": "20f1"}}
    plan = plan_vm_devices(there, [desired(vm, full) for vm in vms])
    assert [subjects(target) for target in plan.targets] == [["0000:3b:00.0"], ["0000:3b:00.0"]]


def test_a_vm_that_was_not_read_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="vm-ghost"):
        plan_vm_devices(observed([], [HOST]), [desired(guest("ghost"), A100)])


def test_order_of_changes() -> None:
    memory = {"hot_add": True, "limit_mb": 100}
    vm = guest("train-01", dynamic(T4), power_state="poweredOn", memory=memory, extra_config=WINDOW)
    target = plan_one(vm, [HOST], A100, state="exactly", power="cycle", disable_hot_add=True, mmio=None)
    assert codes(target) == []
    assert kinds(target) == ["shutdown", "detach", "attach", "memory", "memory", "hot_add", "power_on"]


# --- the last device leaves, and the memory is to be unlocked ---------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"latency_sensitivity": "high"}, "its latency sensitivity is high"),
        ({"latency_sensitivity": Unknown(gap=Gap(path="config.latencySensitivity"))}, "may be high"),
        ({"fault_tolerance": True}, "protected by Fault Tolerance"),
    ],
)
def test_memory_is_not_unlocked_while_a_feature_needs_it(more: dict[str, Any], says: str) -> None:
    vm = replace(guest("train-01", fixed("3b:00.0"), memory=locked()), **more)
    target = plan_one(vm, [HOST], {"match": A100}, state="absent", unlock_memory=True)
    assert [blocker.code for blocker in target.blockers] == ["feature_needs_reservation"]
    assert says in target.blockers[0].message
    assert plan_one(vm, [HOST], {"match": A100}, state="absent").effective


def test_memory_is_not_unlocked_while_an_unknown_device_stays() -> None:
    vm = guest("train-01", fixed("3b:00.0"), OTHERS[-1], memory=locked())
    target = plan_one(vm, [HOST], {"match": A100}, state="absent", unlock_memory=True)
    assert "it keeps New thing" in target.blockers[0].message


def test_memory_is_unlocked_with_the_level_that_needed_it() -> None:
    vm = replace(guest("train-01", fixed("3b:00.0"), memory=locked()), latency_sensitivity="high")
    target = plan_one(vm, [HOST], state="exactly", unlock_memory=True, latency_sensitivity="normal")
    assert target.effective
