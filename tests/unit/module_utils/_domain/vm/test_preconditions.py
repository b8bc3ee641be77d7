# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold of a VM, what goes along with devices, and its power around the change."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.details import (
    ExtraConfig,
    HotAdd,
    MemoryWrite,
    PowerOff,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.desired.mmio import DesiredMmio
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.memory import merge_writes
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.mmio import SIZE_KEY, USE_KEY
from tests.unit.module_utils._domain.vm.builders import (
    A100,
    T4,
    WINDOW,
    card,
    codes,
    dynamic,
    esx,
    fixed,
    guest,
    kinds,
    locked,
    plan_one,
    pool,
    subjects,
)

HOST = esx("esx-01", card("3b:00.0"), card("5e:00.0"), card("86:00.0", T4))
ON: dict[str, Any] = {"power_state": "poweredOn"}


@pytest.mark.parametrize(
    ("state", "fields", "code", "words"),
    [
        pytest.param({"has_snapshots": True}, {}, "snapshots", "has snapshots", id="snapshots"),
        pytest.param({"fault_tolerance": True}, {}, "fault_tolerance", "Fault Tolerance", id="FT"),
        pytest.param({"nested_virtualisation": True}, {}, "nested_virtualisation", "hardware-assisted", id="nested"),
        pytest.param({"is_template": True}, {}, "template", "is a template", id="template"),
        pytest.param({"connection_state": "disconnected"}, {}, "vm_not_connected", "is disconnected", id="away"),
        pytest.param({"unreadable": ("config.hardware",)}, {}, "vm_unreadable", "config.hardware", id="unreadable"),
        pytest.param({"hardware_version": 13}, {"backing": "dynamic"}, "hardware_version", "needs 17", id="dynamic"),
        pytest.param({"hardware_version": 4}, {"backing": "fixed"}, "hardware_version", "needs 7", id="fixed"),
        pytest.param({"firmware": "bios"}, {"mmio": DesiredMmio()}, "firmware_not_efi", "needs EFI", id="firmware"),
        pytest.param({}, {"limits": {"vm-train-01": 0}}, "too_many_devices", "would have 1", id="limit"),
        pytest.param(
            {"fixed_hot_plug": True, "virtual_iommu": True},
            {"backing": "fixed"},
            "hot_plug_conflict",
            "excludes a virtual IOMMU",
            id="virtual IOMMU and hot-plug",
        ),
        pytest.param(
            {"fixed_hot_plug": True, "cpu_hot_add": True},
            {"backing": "fixed"},
            "hot_plug_conflict",
            "CPU or memory hot-add",
            id="hot-add and hot-plug",
        ),
        pytest.param({"fixed_hot_plug": True}, {}, "hot_plug_conflict", "dynamic", id="dynamic and hot-plug"),
        pytest.param({**ON}, {}, "powered_on", "is running", id="running"),
        pytest.param({"power_state": "suspended"}, {"power": "cycle"}, "suspended", "is suspended", id="suspended"),
        pytest.param(
            {**ON, "tools_running": False, "extra_config": WINDOW},
            {"power": "cycle"},
            "tools_not_running",
            "VMware Tools is not running",
            id="tools",
        ),
        pytest.param(
            {"memory": {"lock_supported": False}}, {}, "memory_lock_unsupported", "cannot be locked", id="no lock"
        ),
        pytest.param({"memory": {}, "pool": pool(1000)}, {}, "pool_memory", "has 1000 MB left", id="pool"),
    ],
)
def test_each_violation(state: dict[str, Any], fields: dict[str, Any], code: str, words: str) -> None:
    vm = guest("train-01", **{"memory": locked(), **state})
    target = plan_one(vm, [HOST], A100, **fields)
    assert codes(target) == [code]
    assert words in target.blockers[0].message
    assert target.blockers[0].cure
    assert target.effective == ()


def test_all_violations_are_told_at_once() -> None:
    vm = guest(
        "train-01",
        has_snapshots=True,
        fault_tolerance=True,
        nested_virtualisation=True,
        firmware="bios",
        hardware_version=13,
        memory={},
        pool=pool(0),
        **ON,
    )
    target = plan_one(
        vm, [HOST], {"match": A100, "count": 9}, backing="dynamic", mmio=DesiredMmio(), limits={"vm-train-01": 4}
    )
    assert sorted(codes(target)) == sorted(
        [
            "powered_on",
            "snapshots",
            "fault_tolerance",
            "nested_virtualisation",
            "hardware_version",
            "too_many_devices",
            "pool_memory",
            "firmware_not_efi",
            "no_free_device",
        ]
    )


def test_nothing_is_demanded_of_a_vm_that_needs_no_change() -> None:
    vm = guest("train-01", dynamic(), has_snapshots=True, fault_tolerance=True, is_template=True, memory=locked(), **ON)
    target = plan_one(vm, [HOST], A100, power="on")
    assert (target.changes, target.blockers) == ((), ())


def test_with_nested_virtualization_a_vm_is_not_started_with_the_devices_that_it_has() -> None:
    """Only what is passed through is refused by the server, and only at a power-on."""
    for devices, power, code in (
        ([dynamic()], "on", ["nested_virtualisation"]),
        ([fixed("3b:00.0")], "on", ["nested_virtualisation"]),
        ([dynamic()], "keep", []),
        ([], "on", []),
    ):
        vm = guest("train-01", *devices, nested_virtualisation=True, memory=locked(), extra_config=WINDOW)
        wanted = [A100] if devices else []
        assert codes(plan_one(vm, [HOST], *wanted, state="exactly", power=power)) == code
    leaving = guest("train-01", dynamic(), nested_virtualisation=True, memory=locked())
    assert codes(plan_one(leaving, [HOST], state="exactly", power="on")) == []


def test_snapshots_do_not_keep_a_device_from_being_detached() -> None:
    target = plan_one(guest("train-01", dynamic(), has_snapshots=True, memory=locked()), [HOST], A100, state="absent")
    assert (codes(target), kinds(target)) == ([], ["detach"])


def test_the_limit_counts_what_stays_and_what_goes_along() -> None:
    vm = guest("train-01", dynamic(T4), memory=locked())
    assert codes(plan_one(vm, [HOST], A100, limits={"vm-train-01": 1})) == ["too_many_devices"]
    assert codes(plan_one(vm, [HOST], A100, limits={"vm-train-01": 2})) == []
    assert codes(plan_one(vm, [HOST], A100, state="exactly", limits={"vm-train-01": 1})) == []
    paired = esx(
        "esx-01",
        card("3b:00.0", dependent_device="0000:3a:00.0"),
        card("3b:00.1", T4, dependent_device="0000:3a:00.0"),
    )
    target = plan_one(guest(memory=locked()), [paired], A100, backing="fixed", limits={"vm-train-01": 1})
    assert "would have 2 passthrough devices" in target.blockers[0].message


def test_a_vendor_device_group_goes_as_a_whole_or_not_at_all() -> None:
    vm = guest(
        "train-01",
        dynamic(key=13000, group_instance=7),
        dynamic(T4, key=13001, group_instance=7),
        memory=locked(),
    )
    target = plan_one(vm, [HOST], A100, state="absent")
    assert codes(target) == ["device_group"]
    assert "It would keep PCI device 1 (dynamic)" in target.blockers[0].message
    assert codes(plan_one(vm, [HOST], A100, T4, state="absent")) == []


# --- memory -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("devices", "memory", "desired_state", "fields", "write"),
    [
        pytest.param([], {}, [A100], {}, MemoryWrite(locked=True), id="lock with an attach"),
        pytest.param([], {"reservation_mb": 8192}, [A100], {}, MemoryWrite(locked=True), id="lock a full number too"),
        pytest.param(
            [],
            {"reservation_mb": 8192, "lock_supported": False},
            [A100],
            {},
            MemoryWrite(),
            id="a full number where there is no lock",
        ),
        pytest.param([], {"limit_mb": 99}, [A100], {}, MemoryWrite(locked=True, unlimited=True), id="limit goes"),
        pytest.param([dynamic()], {}, [A100], {}, MemoryWrite(locked=True), id="there already, not reserved"),
        pytest.param(
            [dynamic()], {"reservation_mb": 8192}, [A100], {}, MemoryWrite(locked=True), id="there, lock taken away"
        ),
        pytest.param(
            [dynamic()],
            {"reservation_mb": 8192, "lock_supported": False},
            [A100],
            {},
            MemoryWrite(),
            id="there, no lock",
        ),
        pytest.param([dynamic(T4)], {}, [], {"state": "present"}, MemoryWrite(locked=True), id="some other device"),
        pytest.param([dynamic()], {}, [T4], {"state": "absent"}, MemoryWrite(), id="absent with nothing to do"),
        pytest.param(
            [dynamic(), dynamic(T4, key=13001)],
            {},
            [T4],
            {"state": "absent"},
            MemoryWrite(locked=True),
            id="detached, and one stays",
        ),
        pytest.param([dynamic()], locked(), [A100], {"state": "absent"}, MemoryWrite(), id="last goes, lock stays"),
        pytest.param(
            [dynamic()],
            locked(),
            [A100],
            {"state": "absent", "unlock_memory": True},
            MemoryWrite(locked=False, reservation_mb=0),
            id="last goes, lock too",
        ),
        pytest.param(
            [dynamic(), dynamic(T4, key=13001)],
            locked(),
            [A100],
            {"state": "absent", "unlock_memory": True},
            MemoryWrite(),
            id="unlock waits for the last",
        ),
        pytest.param(
            [], locked(), [A100], {"state": "absent", "unlock_memory": True}, MemoryWrite(), id="unlock needs a detach"
        ),
    ],
)
def test_memory_goes_along(devices: Any, memory: Any, desired_state: Any, fields: Any, write: MemoryWrite) -> None:
    target = plan_one(guest("train-01", *devices, memory=memory), [HOST], *desired_state, **fields)
    assert codes(target) == []
    assert merge_writes(target.changes) == write


def test_memory_alone_does_not_need_the_vm_off() -> None:
    target = plan_one(guest("train-01", dynamic(at="3b:00.0"), memory={}, **ON), [HOST], A100)
    assert (codes(target), kinds(target)) == ([], ["memory"])


# --- MMIO and hot-add -------------------------------------------------------------------------------------------------


def test_mmio_counts_all_the_vm_will_have() -> None:
    vm = guest("train-01", fixed("3b:00.0"), memory=locked())
    target = plan_one(vm, [HOST], {"match": A100, "count": 2}, mmio=DesiredMmio(), state="exactly")
    assert [change.detail for change in target.changes if change.kind == "extra_config"] == [
        ExtraConfig(key=USE_KEY, value="TRUE"),
        ExtraConfig(key=SIZE_KEY, value="256"),
    ]
    assert target.vm_facts.mmio is not None
    assert target.vm_facts.mmio.devices == "2 x 64 (10de:20f1, 40 GB of memory)"


def test_mmio_alone_is_drift_and_needs_the_vm_off() -> None:
    vm = guest("train-01", dynamic(at="3b:00.0"), memory=locked(), **ON)
    assert codes(plan_one(vm, [HOST], A100, mmio=DesiredMmio())) == ["powered_on"]
    assert kinds(plan_one(vm, [HOST], A100, mmio=DesiredMmio(), power="off")) == [
        "shutdown",
        "extra_config",
        "extra_config",
    ]


def test_detaching_does_not_touch_mmio() -> None:
    target = plan_one(guest("train-01", dynamic(), memory=locked()), [HOST], A100, mmio=DesiredMmio(), state="absent")
    assert kinds(target) == ["detach"]


def test_hot_add_is_warned_of_or_switched_off() -> None:
    vm = guest("train-01", memory={"hot_add": True}, cpu_hot_add=True)
    warned = plan_one(vm, [HOST], A100)
    assert any("has memory and CPU hot-add enabled" in warning for warning in warned.warnings)
    assert "hot_add" not in kinds(warned)
    off = plan_one(vm, [HOST], A100, disable_hot_add=True)
    assert [(c.subject, c.before, c.after, c.detail) for c in off.changes if c.kind == "hot_add"] == [
        ("memory hot-add", True, False, HotAdd(memory=False)),
        ("CPU hot-add", True, False, HotAdd(cpu=False)),
    ]
    assert not any("hot-add" in warning for warning in off.warnings)
    assert plan_one(vm, [HOST], disable_hot_add=True).changes == ()


def test_fixed_devices_tie_the_vm_and_that_is_said() -> None:
    target = plan_one(guest(memory=locked()), [HOST], A100, backing="fixed")
    assert any("train-01 is tied to esx-01" in warning and "vMotion" in warning for warning in target.warnings)
    assert not any("tied" in warning for warning in plan_one(guest(memory=locked()), [HOST], A100).warnings)


def test_cards_that_will_not_fit_the_window_are_told_when_nobody_asked_to_make_one() -> None:
    (warning,) = plan_one(guest(memory=locked()), [HOST], A100).warnings
    assert "1 x 64 (10de:20f1, 40 GB of memory) = 64 GB" in warning
    assert "set mmio" in warning
    roomy = {USE_KEY: "TRUE", SIZE_KEY: "128"}
    assert plan_one(guest(memory=locked(), extra_config=roomy), [HOST], A100).warnings == ()
    for size, has in {"64": "of 64 GB", "": "of 32 GB"}.items():
        tight = guest(memory=locked(), extra_config={USE_KEY: "true", SIZE_KEY: size})
        assert f"a 64-bit MMIO window {has}" in plan_one(tight, [HOST], A100).warnings[0]
    for without in ({"firmware": "bios", "extra_config": roomy}, {"extra_config": {SIZE_KEY: "128"}}):
        assert "no 64-bit MMIO window" in plan_one(guest(memory=locked(), **without), [HOST], A100).warnings[0]


# --- power ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changing", [True, False])
@pytest.mark.parametrize("power", ["keep", "off", "cycle", "on"])
def test_detaching_never_powers_on_a_vm_that_was_off(power: Any, changing: bool) -> None:
    devices = [dynamic(at=None)] if changing else []
    vm = guest("train-01", *devices, memory=locked(), power_state="poweredOff", extra_config=WINDOW)
    target = plan_one(vm, [HOST], A100, power=power, state="absent")
    assert "power_on" not in kinds(target)
    assert bool(target.changes) == changing


def test_but_a_vm_that_this_run_shut_down_for_it_is_powered_on_again() -> None:
    """The plan right before the power-on sees a VM that is off."""
    vm = guest("train-01", memory=locked(), power_state="poweredOff", extra_config=WINDOW)
    assert kinds(plan_one(vm, [HOST], A100, power="on", state="absent", start_again=True)) == ["power_on"]


@pytest.mark.parametrize(
    ("running", "power", "changing", "expected"),
    [
        (False, "keep", True, ["attach"]),
        (False, "off", True, ["attach"]),
        (False, "cycle", True, ["attach"]),
        (False, "on", True, ["attach", "power_on"]),
        (True, "off", True, ["shutdown", "attach"]),
        (True, "cycle", True, ["shutdown", "attach", "power_on"]),
        (False, "keep", False, []),
        (False, "off", False, []),
        (False, "cycle", False, []),
        (False, "on", False, ["power_on"]),
        (True, "keep", False, []),
        (True, "off", False, []),
        (True, "cycle", False, []),
        (True, "on", False, []),
    ],
)
def test_power_moves_only_around_a_change(running: bool, power: Any, changing: bool, expected: list[str]) -> None:
    devices = [] if changing else [dynamic(at="3b:00.0" if running else None)]
    state = "poweredOn" if running else "poweredOff"
    vm = guest("train-01", *devices, memory=locked(), power_state=state, extra_config=WINDOW)
    target = plan_one(vm, [HOST], A100, power=power)
    assert (codes(target), kinds(target)) == ([], expected)


@pytest.mark.parametrize(
    ("power", "allowed", "expected"),
    [
        ("keep", False, None),
        ("on", False, None),
        ("keep", True, ["shutdown", "power_on"]),
        ("on", True, ["shutdown", "power_on"]),
        ("cycle", False, ["shutdown", "power_on"]),
        ("off", False, ["shutdown"]),
        ("off", True, ["shutdown"]),
    ],
)
@pytest.mark.parametrize("state", ["present", "absent"])
def test_who_may_shut_down_a_running_guest(state: Any, power: Any, allowed: bool, expected: list[str] | None) -> None:
    """To want a VM to be on is no permission to shut it down."""
    devices = [fixed("3b:00.0")] if state == "absent" else []
    vm = guest("train-01", *devices, memory=locked(), extra_config=WINDOW, **ON)
    target = plan_one(vm, [HOST], A100, state=state, power=power, allow_shutdown=allowed)
    if expected is None:
        assert codes(target) == ["powered_on"]
        assert "allow_shutdown: true" in target.blockers[0].cure
    else:
        assert [kind for kind in kinds(target) if kind in ("shutdown", "power_on")] == expected


def test_shutdown_carries_its_deadline() -> None:
    vm = guest("train-01", memory=locked(), tools_running=False, **ON)
    target = plan_one(vm, [HOST], A100, power="cycle", shutdown_timeout=90, allow_power_off=True)
    first, last = target.changes[0], target.changes[-1]
    assert first.detail == PowerOff(timeout_seconds=90, allow_power_off=True)
    assert (first.subject, first.before, first.after) == ("power", "poweredOn", "poweredOff")
    assert (last.subject, last.before, last.after) == ("power", "poweredOff", "poweredOn")
    assert any("hard power-off without a guest shutdown" in warning for warning in target.warnings)


def test_a_suspended_vm_is_resumed_only_when_nothing_else_changes() -> None:
    target = plan_one(guest("train-01", dynamic(), memory=locked(), power_state="suspended"), [HOST], A100, power="on")
    assert [(change.kind, change.before) for change in target.changes] == [("power_on", "suspended")]


@pytest.mark.parametrize(
    ("host", "others", "code"),
    [
        (esx("esx-01", card("3b:00.0"), in_maintenance_mode=True), [], "host_in_maintenance"),
        (esx("esx-01", card("3b:00.0", active=False)), [], "not_active"),
        (esx("esx-01", card("3b:00.0")), [guest("x", fixed("3b:00.0"), **ON)], "device_in_use"),
        (esx("esx-01", card("3b:00.0")), [guest("x", fixed("3b:00.0"))], None),
    ],
)
def test_a_vm_that_could_not_start_is_not_started(host: Any, others: Any, code: str | None) -> None:
    vm = guest("train-01", fixed("3b:00.0"), memory=locked(), extra_config=WINDOW)
    assert codes(plan_one(vm, [host], A100, others=others, power="on")) == ([code] if code else [])
    assert codes(plan_one(vm, [host], A100, others=others)) == []


def test_absent_needs_the_vm_off_too() -> None:
    vm = guest("train-01", fixed("3b:00.0"), memory=locked(), **ON)
    assert codes(plan_one(vm, [HOST], A100, state="absent")) == ["powered_on"]
    target = plan_one(vm, [HOST], A100, state="absent", power="cycle")
    assert (codes(target), kinds(target), subjects(target, "detach")) == (
        [],
        ["shutdown", "detach", "power_on"],
        ["0000:3b:00.0"],
    )
