# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""State and wish of hosts → the plan, with every message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.facts import Listing
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.passthrough import (
    DesiredPassthrough,
    check_identity,
    needs_fabric,
    plan_passthrough,
    project,
    remaining,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import (
    DeviceUser,
    Disk,
    Host,
    HostCapabilities,
    HostDevice,
    StorageAdapter,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.details import PassthroughWrite
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.plan import TargetPlan
from tests.unit.module_utils._domain.strategies import (
    A40,
    A100,
    ACTIVE,
    ASPEED,
    AUDIO,
    BRIDGE,
    EMPTY_FABRIC,
    FPGA,
    NVME,
    OFF,
    PENDING_DISABLE,
    PENDING_ENABLE,
    REBINDS,
    STALE,
    UNAVAILABLE,
    desired,
    device,
    host,
)

P, P1, Q, R = "0000:3b:00.0", "0000:3b:00.1", "0000:5e:00.0", "0000:86:00.0"
GPU = "10de:20f1"
OLD = HostCapabilities()
LABELS_ONLY = HostCapabilities(hardware_labels=True)


def plan_one(esx: Host, *raw: Any, **more: Any) -> TargetPlan:
    (target,) = plan_passthrough([esx], desired(esx, devices=list(raw), **more)).targets
    return target


def moves(target: TargetPlan) -> dict[str, bool]:
    """Address → enabled or disabled by the plan."""
    return {c.subject: c.after["enabled"] for c in target.effective if c.after["enabled"] != c.before["enabled"]}


def codes(target: TargetPlan) -> list[str]:
    return [blocker.code for blocker in target.blockers]


# --- one device in each state -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "wanted", "moved", "pending", "reboot", "blocked"),
    [
        (OFF, "enabled", True, [], True, []),
        (PENDING_ENABLE, "enabled", False, [P], True, []),
        (ACTIVE, "enabled", False, [], False, []),
        (PENDING_DISABLE, "enabled", True, [], False, []),
        (UNAVAILABLE, "enabled", False, [], False, ["iommu_off"]),
        (STALE, "enabled", False, [], False, ["iommu_off"]),
        (OFF, "disabled", False, [], False, []),
        (PENDING_ENABLE, "disabled", True, [], False, []),
        (ACTIVE, "disabled", True, [], True, []),
        (PENDING_DISABLE, "disabled", False, [P], True, []),
        (UNAVAILABLE, "disabled", False, [], False, []),
        (STALE, "disabled", True, [], False, []),
    ],
)
def test_every_state_of_a_device_on_a_host_that_must_reboot(
    state: dict[str, bool], wanted: Any, moved: bool, pending: list[str], reboot: bool, blocked: list[str]
) -> None:
    target = plan_one(host(device(P, state=state), capabilities=OLD), GPU, state=wanted)
    assert codes(target) == blocked
    assert moves(target) == ({P: wanted == "enabled"} if moved else {})
    assert list(target.pending) == pending
    assert target.host_facts.reboot_expected is reboot


@pytest.mark.parametrize(
    ("rebind", "apply", "apply_now", "reboot", "blocked"),
    [
        (True, "auto", None, False, []),
        (True, "now", True, False, []),
        (True, "reboot", False, True, []),
        (False, "auto", None, True, []),
        (None, "auto", None, True, []),
        (None, "reboot", False, True, []),
        (False, "now", True, True, ["rebind_unsupported"]),
        (None, "now", True, True, ["rebind_unsupported"]),
    ],
)
@pytest.mark.parametrize(("state", "wanted"), [(OFF, "enabled"), (ACTIVE, "disabled")])
def test_when_it_comes_into_force(
    rebind: bool | None,
    apply: Any,
    apply_now: bool | None,
    reboot: bool,
    blocked: list[str],
    state: dict[str, bool],
    wanted: Any,
) -> None:
    esx = host(device(P, state=state), capabilities=HostCapabilities(rebind_without_reboot=rebind))
    target = plan_one(esx, GPU, apply=apply, state=wanted)
    assert codes(target) == blocked
    assert [change.detail.apply_now for change in target.changes] == [apply_now]
    assert target.host_facts.reboot_expected is reboot


def test_apply_now_asks_nothing_of_a_host_that_is_as_wished() -> None:
    target = plan_one(host(device(P, state=ACTIVE), capabilities=OLD), GPU, apply="now")
    assert (target.changes, target.blockers) == ((), ())


def test_a_pending_device_elsewhere_on_the_host_is_counted() -> None:
    esx = host(device(P, state=OFF), device(Q, A40, PENDING_DISABLE))
    assert plan_one(esx, GPU).host_facts.reboot_expected is True
    assert plan_one(host(device(P, state=OFF), device(Q, A40, STALE)), GPU).host_facts.reboot_expected is False


def test_the_change_as_it_is_shown_and_written() -> None:
    esx = host(device(P, label="old"))
    (change,) = plan_one(esx, {"match": GPU, "label": "a100"}).effective
    assert (change.kind, change.subject) == ("passthrough", P)
    assert change.before == {"enabled": False, "label": "old", "device": "10de:20f1 NVIDIA A100-PCIE-40GB"}
    assert change.after == {"enabled": True, "label": "a100", "device": "10de:20f1 NVIDIA A100-PCIE-40GB"}
    assert change.detail == PassthroughWrite(device=esx.devices[0], enabled=True, apply_now=None, label="a100")


# --- labels -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("current", "wanted", "written", "shown"),
    [
        (None, "a100", "a100", "a100"),
        ("old", "a100", "a100", "a100"),
        ("old", "", "", None),
        ("a100", "a100", None, None),
        (None, "", None, None),
        ("old", None, None, None),
    ],
)
def test_labels_of_an_active_device(current: str | None, wanted: str | None, written: Any, shown: Any) -> None:
    esx = host(device(P, state=ACTIVE, label=current), capabilities=LABELS_ONLY)
    target = plan_one(esx, {"match": GPU, "label": wanted})
    assert [c.detail.label for c in target.effective] == ([written] if written is not None else [])
    assert [(c.after["label"], c.after["enabled"], c.detail.apply_now) for c in target.effective] == (
        [(shown, True, None)] if written is not None else []
    )
    assert project([esx], plan_passthrough([esx], desired(esx, devices=[{"match": GPU, "label": wanted}])))[0].devices[
        0
    ].label == (current if wanted is None else wanted or None)


def test_an_old_host_has_no_labels_but_does_the_rest() -> None:
    target = plan_one(host(device(P), capabilities=OLD), {"match": GPU, "label": "a100"})
    assert moves(target) == {P: True}
    assert target.changes[0].detail.label is None
    assert target.warnings == ("esx-01 does not support hardware labels (they need ESXi 7.0.2), so a100 is not set",)


def test_a_label_may_be_changed_on_a_host_that_cannot_rebind() -> None:
    esx = host(device(P, state=ACTIVE), capabilities=LABELS_ONLY)
    assert plan_one(esx, {"match": GPU, "label": "a"}, apply="now").blockers == ()


def test_two_labels_for_one_device() -> None:
    raw = [{"match": {"slot": "6"}, "label": "a"}, {"match": GPU, "label": "b"}]
    target = plan_one(host(device(P, slot="6"), device(Q, slot="7")), *raw)
    assert codes(target) == ["contradicting_labels"]
    assert target.blockers[0].message == (
        f"{P} 10de:20f1 NVIDIA A100-PCIE-40GB on esx-01 matches entries with different labels: a, b"
    )


def test_disabling_leaves_labels_alone() -> None:
    esx = host(device(P, state=ACTIVE, label="a"))
    (change,) = plan_one(esx, {"match": GPU, "label": "b"}, state="disabled").effective
    assert (change.after["label"], change.detail.label) == ("a", None)


# --- groups -----------------------------------------------------------------------------------------------------------

PAIR = (device(P, dependent_device=P), device(P1, AUDIO, dependent_device=P))


def test_the_whole_group_is_enabled_and_said() -> None:
    target = plan_one(host(*PAIR, device(Q)), {"match": P})
    assert moves(target) == {P: True, P1: True}
    assert target.host_facts.groups == ((P, P1),)
    assert target.host_facts.selected == (P, P1)
    assert target.warnings == (f"{P1} 10de:10f0 GA100 Audio on esx-01 is changed too: it shares a reset with {P}",)


def test_a_group_that_is_half_enabled_is_completed() -> None:
    esx = host(replace(PAIR[0], enabled=True, active=True), PAIR[1])
    assert moves(plan_one(esx, GPU)) == {P1: True}


def test_only_the_named_function_gets_the_label() -> None:
    target = plan_one(host(*PAIR), {"match": GPU, "label": "a100"})
    assert [change.after["label"] for change in target.effective] == ["a100", None]


def test_the_whole_group_is_disabled() -> None:
    esx = host(*(replace(member, enabled=True, active=True) for member in PAIR))
    assert moves(plan_one(esx, GPU, state="disabled")) == {P: False, P1: False}


def test_a_companion_that_cannot_be_passed_through() -> None:
    target = plan_one(host(PAIR[0], replace(PAIR[1], capable=False), device(Q)), {"match": P})
    assert codes(target) == ["not_capable"]
    assert target.blockers[0].message == (
        f"{P1} 10de:10f0 GA100 Audio on esx-01, which shares a reset with {P}, cannot be passed through: "
        "the host does not offer it"
    )


def test_a_group_behind_a_bridge() -> None:
    bridge = "0000:3a:00.0"
    esx = host(
        device(bridge, BRIDGE, dependent_device=bridge),
        device(P, dependent_device=bridge),
        device(Q, A40, dependent_device=bridge),
    )
    assert moves(plan_one(esx, GPU)) == {P: True, Q: True}


# --- what cannot be done ----------------------------------------------------------------------------------------------


def test_a_device_that_is_not_capable_among_others_that_are() -> None:
    target = plan_one(host(device(P, state=UNAVAILABLE), device(Q, A40)), GPU)
    assert codes(target) == ["not_capable"]
    assert target.blockers[0].candidates == (f"{Q} 10de:2235 NVIDIA A40",)
    assert "ACS" in target.blockers[0].cure


def test_what_is_suggested_instead_is_free_and_alike() -> None:
    bad, good = device(Q, NVME, UNAVAILABLE), device(R, NVME)
    esx = host(device(P, NVME), bad, good, device("0000:af:00.0"), fabric=BOOT)
    (blocker,) = plan_one(esx, {"match": Q}).blockers
    assert (blocker.code, blocker.candidates) == ("not_capable", (good.describe(),))
    (blocker,) = plan_one(replace(esx, fabric=None), {"match": Q}).blockers
    assert [candidate.split()[0] for candidate in blocker.candidates] == [P, R]


def test_what_is_not_there_is_not_replaced_by_a_protected_device() -> None:
    esx = host(device(P, NVME), device(R, NVME), fabric=BOOT)
    (blocker,) = plan_one(esx, {"match": {"name": "Tesla"}}).blockers
    assert (blocker.code, [candidate.split()[0] for candidate in blocker.candidates]) == ("no_match", [R])


def test_a_stale_setting_among_others_that_work() -> None:
    target = plan_one(host(device(P, state=STALE), device(Q, A40)), GPU)
    assert codes(target) == ["not_capable"]
    assert "is configured for passthrough, but the host no longer offers it" in target.blockers[0].message
    assert "To clear the setting, disable the device" in target.blockers[0].cure


@pytest.mark.parametrize("raw", [GPU, {"match": GPU, "count": 1}, {"match": GPU, "count": "all"}])
@pytest.mark.parametrize("on_missing", ["fail", "skip"])
def test_nothing_is_capable_so_the_iommu_is_off(raw: Any, on_missing: Any) -> None:
    target = plan_one(host(device(P, state=UNAVAILABLE), device(Q, NVME, UNAVAILABLE)), raw, on_missing=on_missing)
    assert codes(target) == ["iommu_off"]
    assert not target.skipped
    assert target.blockers[0].message == (
        "esx-01 offers none of its devices for passthrough (2 devices in all; desired: "
        f"{P} 10de:20f1 NVIDIA A100-PCIE-40GB), so the IOMMU is probably off in its firmware"
    )
    assert "VT-d" in target.blockers[0].cure
    assert "AMD-Vi" in target.blockers[0].cure


def test_what_was_wanted_is_listed_in_order() -> None:
    esx = host(device(Q, state=UNAVAILABLE), device(P, state=UNAVAILABLE))
    message = plan_one(esx, {"match": GPU, "count": 1}).blockers[0].message
    assert f"desired: {P} 10de:20f1 NVIDIA A100-PCIE-40GB; {Q} 10de:20f1" in message


def test_a_host_without_a_passthrough_system() -> None:
    target = plan_one(host(device(P, state=UNAVAILABLE, reported=False), passthrough_supported=False), GPU)
    assert codes(target) == ["iommu_off"]
    assert "does not support passthrough" in target.blockers[0].message


def test_the_iommu_is_not_blamed_for_a_device_that_is_not_there() -> None:
    assert codes(plan_one(host(device(P, A40, UNAVAILABLE)), GPU)) == ["no_match"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"connection_state": "notResponding"}, "esx-01 is notResponding, so the data in vCenter is out of date"),
        ({"connection_state": "disconnected"}, "esx-01 is disconnected"),
        ({"unreadable": ("hardware.pciDevice",)}, "esx-01 did not return hardware.pciDevice"),
    ],
)
@pytest.mark.parametrize("state", ["enabled", "disabled"])
def test_a_host_that_cannot_be_reached_is_never_passed_over(more: dict[str, Any], said: str, state: Any) -> None:
    target = plan_one(host(device(P), **more), GPU, state=state, on_missing="skip")
    assert codes(target) == ["host_unreachable"]
    assert said in target.blockers[0].message
    assert not target.skipped


# --- missing devices --------------------------------------------------------------------------------------------------


def test_a_miss_on_one_host_does_not_stop_another() -> None:
    one, two = host(device(P), name="a"), host(device(P, A40), name="b")
    plan = plan_passthrough([two, one], desired(one, two, devices=[GPU]))
    assert [(t.target, codes(t), moves(t)) for t in plan.targets] == [("a", [], {P: True}), ("b", ["no_match"], {})]
    assert plan.changed


def test_a_host_without_any_of_the_devices_is_passed_over_when_asked() -> None:
    target = plan_one(host(device(P, A40)), GPU, on_missing="skip")
    assert (target.skipped, target.blockers, target.effective) == (True, (), ())
    assert target.warnings == (
        f"Skipped: No device of esx-01 matches 10de:20f1. Candidates: {P} 10de:2235 NVIDIA A40 (device_id 2235).",
    )


def test_the_entries_a_host_can_grant_are_granted() -> None:
    target = plan_one(host(device(P)), GPU, {"match": "144d:a808", "count": 2}, on_missing="skip")
    assert (target.skipped, moves(target)) == (False, {P: True})
    assert len(target.warnings) == 1


def test_too_few_is_all_or_nothing() -> None:
    assert moves(plan_one(host(device(P)), {"match": GPU, "count": 2}, on_missing="skip")) == {}
    assert codes(plan_one(host(device(P)), {"match": GPU, "count": 2})) == ["too_few"]


def test_what_is_unclear_is_not_missing() -> None:
    esx = host(device(P), device(Q, A40))
    assert codes(plan_one(esx, {"match": {"class_id": "0302"}}, on_missing="skip")) == ["ambiguous"]


def test_disabling_what_is_not_there_is_done_already() -> None:
    target = plan_one(host(device(P, A40)), GPU, {"match": "144d:a808", "count": 2}, state="disabled")
    assert (target.blockers, target.changes, target.skipped) == ((), (), False)
    assert target.warnings[0] == "No device of esx-01 matches 10de:20f1: there is nothing to disable"


def test_disabling_what_moved_is_not() -> None:
    target = plan_one(
        host(device(P, NVME, ACTIVE)),
        {"match": {"address": P, "vendor_id": "10de", "device_id": "20f1"}},
        state="disabled",
    )
    assert codes(target) == ["identity_changed"]


# --- devices of VMs ---------------------------------------------------------------------------------------------------


def test_a_device_of_vms_is_not_disabled() -> None:
    users = (
        DeviceUser(vm="train-02", moid="vm-2", powered_on=False, fixed=True),
        DeviceUser(vm="train-01", moid="vm-1", powered_on=True, fixed=False),
    )
    esx = host(device(P, state=ACTIVE), device(Q, state=ACTIVE), users={P: users, Q: ()})
    target = plan_one(esx, GPU, state="disabled")
    assert codes(target) == ["in_use"]
    assert target.blockers[0].message == (
        f"{P} 10de:20f1 NVIDIA A100-PCIE-40GB on esx-01 cannot be disabled: it is attached to train-01 (powered on), "
        "train-02 (configured, powered off)"
    )
    assert target.effective == ()
    assert moves(plan_one(esx, {"match": GPU, "count": 1}, state="disabled")) == {Q: False}


def test_a_companion_of_a_vm_is_not_disabled_either() -> None:
    users = {P1: (DeviceUser(vm="train-01", moid="vm-1", powered_on=True, fixed=True),)}
    esx = host(*(replace(member, enabled=True, active=True) for member in PAIR), users=users)
    assert codes(plan_one(esx, GPU, state="disabled")) == ["in_use"]


def test_enabling_a_device_of_a_vm_is_fine() -> None:
    users = {P: (DeviceUser(vm="train-01", moid="vm-1", powered_on=False, fixed=True),)}
    assert moves(plan_one(host(device(P), users=users), GPU)) == {P: True}


# --- protection -------------------------------------------------------------------------------------------------------

BOOT = replace(
    EMPTY_FABRIC,
    adapters=Listing((StorageAdapter(device="vmhba1", address=P, disks=("naa.1",)),)),
    disks=Listing((Disk(name="naa.1", local=True, is_boot=True),)),
)


def boot_host(state: Mapping[str, bool] = OFF, **more: Any) -> Host:
    return host(device(P, NVME, state), device(Q, NVME), fabric=BOOT, **more)


def test_a_boot_disk_is_refused_and_the_override_named() -> None:
    target = plan_one(boot_host(), "144d:a808")
    assert codes(target) == ["protected"]
    assert target.effective == ()
    assert f'allow_protected: ["esx-01/{P}=naa.1"]' in target.blockers[0].cure


@pytest.mark.parametrize("entry", [f"{P}=naa.1", f"esx-01/{P}=naa.1", "ESX-01/3b:00.0=NAA.1"])
def test_the_override_is_taken(entry: str) -> None:
    target = plan_one(boot_host(), "144d:a808", allow_protected=(entry,))
    assert moves(target) == {P: True, Q: True}
    assert [change.detail.override for change in target.effective] == ["naa.1", ""]
    assert [used.override for used in target.host_facts.overridden] == [f"esx-01/{P}=naa.1"]
    assert target.warnings == ()


def test_the_override_of_another_device_or_host_is_not() -> None:
    for entry in (Q, P, f"esx-01/{P}", f"esx-02/{P}=naa.1", f"esx-01/{P}=naa.2", f"esx-01/{P}=144d:a808"):
        assert codes(plan_one(boot_host(), "144d:a808", allow_protected=(entry,))) == ["protected"]


def test_a_number_of_devices_goes_round_the_protected_one() -> None:
    assert moves(plan_one(boot_host(), {"match": "144d:a808", "count": 1})) == {Q: True}
    assert codes(plan_one(boot_host(), {"match": "144d:a808", "count": 2})) == ["protected"]
    named = plan_one(boot_host(), {"match": "144d:a808", "count": 1}, allow_protected=(f"{P}=naa.1",))
    assert moves(named) == {P: True}


def test_disabling_a_protected_device_is_the_cure() -> None:
    assert moves(plan_one(boot_host(ACTIVE), {"match": P}, state="disabled")) == {P: False}


def test_a_protected_device_about_to_be_taken_is_pointed_out() -> None:
    target = plan_one(boot_host(PENDING_ENABLE), {"match": "144d:a808", "count": 1})
    assert target.changes == ()
    assert target.warnings == (
        f"{P} 144d:a808 NVMe SSD PM983 on esx-01 is configured for passthrough, so the host loses it at its "
        "next boot, although vmhba1 leads to naa.1, which is the disk ESXi boots from. Disable the device before the reboot "
        "unless the host can do without it",
    )


def test_a_console_is_enabled_with_a_word() -> None:
    target = plan_one(host(device(P, ASPEED)), "1a03:2000")
    assert moves(target) == {P: True}
    assert "probably shows the console" in target.warnings[0]


def test_hosts_are_read_deeply_only_where_something_is_to_be_enabled() -> None:
    fleet = [
        host(device(P), name="a", fabric=None),
        host(device(P, state=ACTIVE), name="b", fabric=None),
        host(device(P), name="c"),
        host(device(P, state=PENDING_ENABLE), name="d", fabric=None),
    ]
    plan = plan_passthrough(fleet, desired(*fleet, devices=[GPU]))
    assert needs_fabric(plan) == ("host-a",)
    assert plan.targets[0].host_facts.provisional is True
    assert plan.targets[2].host_facts.provisional is False
    assert needs_fabric(plan_passthrough(fleet, desired(*fleet, devices=[GPU], state="disabled"))) == ()


def test_the_second_look_counts() -> None:
    shallow = replace(boot_host(), fabric=None)
    assert moves(plan_one(shallow, {"match": "144d:a808", "count": 1})) == {P: True}
    assert moves(plan_one(boot_host(), {"match": "144d:a808", "count": 1})) == {Q: True}


# --- wishes that are wrong whatever the hardware ----------------------------------------------------------------------


def test_an_address_alone_is_for_one_host() -> None:
    one, two = host(device(P), name="a"), host(device(P, NVME), name="b")
    assert moves(plan_one(one, P)) == {P: True}
    with pytest.raises(InputError) as caught:
        plan_passthrough([one, two], desired(one, two, devices=[P]))
    assert caught.value.code == "address_needs_identity"
    assert caught.value.message == (f"{P} gives an address but not which device is expected there, for 2 hosts (a, b)")


@pytest.mark.parametrize(("count", "shown"), [(4, "(a, b, c, d)"), (6, "(a, b, c, d, ...)")])
def test_a_long_list_of_hosts_is_cut(count: int, shown: str) -> None:
    fleet = [host(device(P), name=name) for name in "abcdef"[:count]]
    with pytest.raises(InputError) as caught:
        plan_passthrough(fleet, desired(*fleet, devices=[P]))
    assert caught.value.message.endswith(f"for {count} hosts {shown}")


def test_an_address_with_an_identity_is_checked_on_each_host() -> None:
    one, two = host(device(P), name="a"), host(device(P, NVME), device(Q), name="b")
    raw = {"match": {"address": P, "vendor_id": "10de", "device_id": "20f1"}}
    first, second = plan_passthrough([one, two], desired(one, two, devices=[raw])).targets
    assert moves(first) == {P: True}
    assert codes(second) == ["identity_changed"]
    assert f"it is {P} 144d:a808 NVMe SSD PM983" in second.blockers[0].message
    assert second.blockers[0].candidates == (f"{Q} 10de:20f1 NVIDIA A100-PCIE-40GB",)


def test_addresses_of_their_own_for_each_host() -> None:
    one, two = host(device(P), name="a"), host(device(Q), name="b")
    each = DesiredPassthrough(
        devices={**desired(one, devices=[P]).devices, **desired(two, devices=[Q]).devices},
    )
    assert [moves(target) for target in plan_passthrough([one, two], each).targets] == [{P: True}, {Q: True}]


@pytest.mark.parametrize(
    "raw",
    [
        [{"match": {"label": "a"}, "label": "b"}],
        [{"match": {"label": "a"}}, {"match": GPU, "label": "a"}],
        [{"match": {"label": "a"}, "label": "a"}, {"match": GPU, "label": "c"}],
    ],
)
def test_labels_cannot_choose_what_they_set(raw: list[Any]) -> None:
    esx = host(device(P, label="a"))
    with pytest.raises(InputError, match="selects devices by a label, and this list also sets labels"):
        plan_one(esx, *raw)
    assert plan_one(esx, *raw, state="disabled").blockers == ()


def test_labels_may_choose_and_stay() -> None:
    esx = host(device(P, label="a"), device(Q))
    assert moves(plan_one(esx, {"match": {"label": "a"}, "label": "a"})) == {P: True}


def test_lists_that_contradict_themselves_on_hosts() -> None:
    with pytest.raises(InputError, match="none is left for 1 x"):
        plan_one(host(device(P)), GPU, {"match": {"vendor_id": "10de", "device_id": "20f1", "slot": "6"}, "count": 1})


def test_an_override_must_say_the_host() -> None:
    one, two = host(device(P), name="a"), host(device(P), name="b")
    with pytest.raises(InputError, match="does not name one of the 2 hosts"):
        plan_passthrough([one, two], desired(one, two, devices=[GPU], allow_protected=(P,)))


def test_hosts_without_a_wish_are_left_alone_whatever_their_state() -> None:
    esx = host(device(P), connection_state="notResponding")
    assert plan_passthrough([esx], DesiredPassthrough(devices={})).targets == (
        TargetPlan(target="esx-01", moid="host-esx-01"),
    )


# --- afterwards -------------------------------------------------------------------------------------------------------


def test_pending_is_no_remainder() -> None:
    esx = host(device(P), capabilities=OLD)
    plan = plan_passthrough([esx], desired(esx, devices=[GPU]))
    assert remaining(plan).targets == plan.targets
    written = replace(esx, devices=(replace(esx.devices[0], enabled=True),))
    again = plan_passthrough([written], desired(esx, devices=[GPU]))
    assert remaining(again).targets == ()
    assert again.targets[0].pending == (P,)


def test_a_projection_settles_the_host_and_leaves_others() -> None:
    esx = host(device(P), device(Q, A40, PENDING_DISABLE), device(R, FPGA, STALE), name="a")
    down = host(device(P), name="b", connection_state="notResponding")
    away = host(device(P), name="c")
    plan = plan_passthrough([esx, down], desired(esx, down, devices=[GPU]))
    after, unreached, untouched = project([esx, down, away], plan)
    assert [d.state for d in after.devices] == ["active", "off", "stale"]
    assert (unreached, untouched) == (down, away)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (device(P), None),
        (device(P, A100, ACTIVE, label="x"), None),
        (None, f"{P} 10de:20f1 NVIDIA A100-PCIE-40GB is missing: there is no device at {P} any more"),
        (device(P, NVME), "now is 144d:a808 NVMe SSD PM983 (subsystem 0000:0000, class 0108)"),
        (device(P, subdevice_id="145f"), "(subsystem 0000:145f, class 0302)"),
    ],
)
def test_the_last_look_before_a_write(now: HostDevice | None, said: str | None) -> None:
    reason = check_identity(device(P), now)
    assert (reason is None) if said is None else (reason is not None and said in reason)


def test_targets_come_sorted() -> None:
    fleet = [host(device(P), name=name, moid=moid) for name, moid in (("b", "h-2"), ("a", "h-9"), ("a", "h-1"))]
    plan = plan_passthrough(fleet, desired(*fleet, devices=[GPU]))
    assert [(target.target, target.moid) for target in plan.targets] == [("a", "h-1"), ("a", "h-9"), ("b", "h-2")]


def test_a_converged_host_has_nothing_to_say() -> None:
    esx = host(*(replace(member, enabled=True, active=True) for member in PAIR), fabric=None, capabilities=REBINDS)
    target = plan_one(esx, GPU)
    assert (target.changes, target.blockers, target.warnings, target.pending) == ((), (), (), ())
