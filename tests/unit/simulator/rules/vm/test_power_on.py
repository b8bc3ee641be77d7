# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Power-on: the order of the checks and the exact texts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
from pyVmomi import vim

from simulator.rules.admission import MIB, Pool
from simulator.rules.knobs import Knobs
from simulator.rules.vm.power_on import Card, Host, Machine, Match, Wanted, assigned, window_gb

GPU, OTHER, SOUND = "0000:61:00.0", "0000:c1:00.0", "0000:61:00.1"
SYSTEM = "69c2ad94-7c22-3506-dd02-78ac443ae2ea"
ROOM = (Pool(reservation=1024 * 1024 * MIB, used=0, expandable=False),)
A100 = Match(vendor=0x10DE, device=0x20F1)


def card(address: str = GPU, **values: Any) -> Card:
    usual = {"vendor": 0x10DE, "device": 0x20F1, "dependent": address, "active": True}
    return Card(address=address, **{**usual, **values})


def fixed(address: str = GPU, **values: Any) -> Wanted:
    usual = {"key": 13000, "vendor": 0x10DE, "device": "20f1", "system": SYSTEM}
    return Wanted(kind="fixed", address=address, **{**usual, **values})


def dynamic(key: int = 13000, **values: Any) -> Wanted:
    return Wanted(kind="dynamic", key=key, **{"allowed": (A100,), **values})


def machine(*wanted: Wanted, **values: Any) -> Machine:
    usual: dict[str, Any] = {
        "moid": "vm-1", "name": "vm", "memory_mb": 32768, "reservation_mb": 32768, "vcpus": 4, "firmware": "efi", "nested": False,
        "memory_hot_add": False, "extra": {},
    }  # fmt: skip
    return Machine(wanted=wanted, **{**usual, **values})


def host(*cards: Card, **values: Any) -> Host:
    usual: dict[str, Any] = {"name": "esx", "system": SYSTEM, "free_memory": 512 * 1024 * MIB}
    return Host(cards={item.address: item for item in cards}, **{**usual, **values})


def texts(fault: Any) -> list[str]:
    return [line.message for line in fault.faultMessage]


def refused(vm: Machine, on: Host, pools: Sequence[Pool] = ROOM, **knobs: Any) -> list[str]:
    with pytest.raises(vim.fault.GenericVmConfigFault) as caught:
        assigned(vm, on, pools, Knobs(**knobs))
    assert caught.value.reason == texts(caught.value)[0]
    return texts(caught.value)


MISMATCH = (
    "The systemId does not match the current system or the deviceId, and the vendorId does not match the device "
    "currently at 97:0.0."
)


def test_the_reservation_comes_first() -> None:
    vm = machine(fixed(device="wrong"), reservation_mb=16384)
    assert refused(vm, host(card(active=False))) == [
        "Invalid memory setting: memory reservation (sched.mem.min) should be equal to memsize(32768). "
    ]


def test_a_full_reservation_without_the_lock_is_enough() -> None:
    assert assigned(machine(fixed()), host(card()), ROOM, Knobs()) == {13000: GPU}


@pytest.mark.parametrize(
    "wanted",
    [
        fixed(system="BIOS-UUID"),
        fixed(device="8433"),
        fixed(device="-20f1"),
        fixed(device=""),
        fixed(vendor=0x8086 - 0x10000),
    ],
    ids=["systemId", "decimal deviceId", "signed deviceId", "no deviceId", "vendorId"],
)
def test_wrong_ids_name_the_bus_in_decimal_even_when_the_device_is_not_active(wanted: Wanted) -> None:
    assert refused(machine(wanted), host(card(active=False))) == [MISMATCH]


def test_another_card_or_none_at_the_address() -> None:
    assert refused(machine(fixed()), host(card(device=0x2235))) == [MISMATCH]
    assert refused(machine(fixed()), host(card(OTHER))) == [MISMATCH]


@pytest.mark.parametrize("spelling", ["20f1", "0x20f1", "0x20F1"])
def test_spellings_of_a_right_device_id(spelling: str) -> None:
    assert assigned(machine(fixed(device=spelling)), host(card()), ROOM, Knobs())


def test_vendor_ids_are_compared_without_their_sign() -> None:
    intel = card(vendor=0x8086, device=0xA808)
    wanted = fixed(vendor=-32634, device="a808")
    assert assigned(machine(wanted), host(intel), ROOM, Knobs()) == {13000: GPU}


def test_a_device_that_is_not_active() -> None:
    assert refused(machine(fixed()), host(card(active=False))) == [
        "Module 'DevicePowerOn' power on failed. ",
        "Device 97:0.0 is not a passthrough device. ",
    ]


def test_a_device_that_another_vm_has() -> None:
    lines = refused(machine(fixed()), host(card(holder="other")))
    assert lines == ["Module 'DevicePowerOn' power on failed. ", "Device 97:0.0 is already in use."]
    lines = refused(machine(fixed()), host(card(holder="other")), device_held_text="{bus} busy")
    assert lines[1] == "97:0.0 busy"


def test_functions_that_reset_together_belong_to_one_vm() -> None:
    whole = [card(dependent="0000:60:00.0"), card(SOUND, dependent="0000:60:00.0", holder="other")]
    assert "already in use" in refused(machine(fixed()), host(*whole))[1]


@pytest.mark.parametrize(("gb", "starts"), [(16, True), (31, True), (32, False), (64, False)])
def test_the_default_window(gb: int, starts: bool) -> None:
    if starts:
        assert assigned(machine(fixed()), host(card(bar_gb=gb)), ROOM, Knobs())
    else:
        assert refused(machine(fixed()), host(card(bar_gb=gb))) == ["Module 'DevicePowerOn' power on failed. "]


@pytest.mark.parametrize(
    ("firmware", "extra", "window"),
    [
        ("efi", {}, 32),
        ("efi", {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "256"}, 256),
        ("efi", {"pciPassthru.use64bitMMIO": "true", "pciPassthru.64bitMMIOSizeGB": "256"}, 256),
        ("efi", {"pciPassthru.64bitMMIOSizeGB": "256"}, 32),
        ("efi", {"pciPassthru.use64bitMMIO": "FALSE", "pciPassthru.64bitMMIOSizeGB": "256"}, 32),
        ("bios", {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "256"}, 32),
    ],
)
def test_the_window_of_a_vm(firmware: str, extra: dict[str, str], window: float) -> None:
    assert window_gb(machine(firmware=firmware, extra=extra), Knobs()) == window


def test_two_cards_of_64_gb_need_more_than_128() -> None:
    on = host(card(bar_gb=64), card(OTHER, bar_gb=64))

    def extra(size: str) -> dict[str, str]:
        return {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": size}

    wanted = (dynamic(13000), dynamic(13001))
    assert refused(machine(*wanted, extra=extra("128")), on) == ["Module 'DevicePowerOn' power on failed. "]
    assert assigned(machine(*wanted, extra=extra("256")), on, ROOM, Knobs()) == {13000: GPU, 13001: OTHER}


def test_memory_is_the_last_check() -> None:
    tight = [Pool(reservation=16 * 1024 * MIB, used=0, expandable=False)]
    assert "not a passthrough device" in refused(machine(fixed()), host(card(active=False)), tight)[1]
    with pytest.raises(vim.fault.InsufficientMemoryResourcesFault) as caught:
        assigned(machine(fixed()), host(card()), tight, Knobs())
    assert caught.value.requested > 32 * 1024 * MIB
    with pytest.raises(vim.fault.InsufficientMemoryResourcesFault):
        assigned(machine(fixed()), host(card(), free_memory=1024), ROOM, Knobs())


def test_a_vm_without_devices_needs_no_reservation() -> None:
    assert assigned(machine(reservation_mb=0), host(), ROOM, Knobs()) == {}


def test_nested_virtualisation_excludes_whole_devices() -> None:
    text = "Virtualization is not supported on a virtual machine with a PCI passthrough device."
    assert refused(machine(fixed(), nested=True), host(card())) == [text]


def test_memory_hot_add_is_refused_when_the_knob_says_so() -> None:
    vm = machine(fixed(), memory_hot_add=True)
    assert assigned(vm, host(card()), ROOM, Knobs())
    assert refused(vm, host(card()), memory_hot_add_with_passthrough="power_on_refused")


@pytest.mark.parametrize(
    ("wanted", "cards", "expected"),
    [
        (dynamic(), [card()], GPU),
        (dynamic(), [card(holder="other"), card(OTHER)], OTHER),
        (dynamic(), [card(active=False), card(OTHER)], OTHER),
        (dynamic(label="big"), [card(), card(OTHER, label="big")], OTHER),
        (dynamic(), [card(label="big")], GPU),
        (
            dynamic(allowed=(Match(vendor=0x10DE, device=0x20F1, subdevice=5),)),
            [card(), card(OTHER, subdevice=5)],
            OTHER,
        ),
        (dynamic(allowed=(Match(vendor=1, device=2), A100)), [card()], GPU),
        (dynamic(), [], None),
        (dynamic(), [card(device=1)], None),
        (dynamic(), [card(holder="other")], None),
        (dynamic(label="big"), [card()], None),
    ],
)
def test_a_dynamic_backing_takes_a_free_match(wanted: Wanted, cards: list[Card], expected: str | None) -> None:
    if expected is None:
        assert refused(machine(wanted), host(*cards)) == [
            "Insufficient resources. One or more devices (pciPassthru0) required by VM vm are not available on host esx."
        ]
    else:
        assert assigned(machine(wanted), host(*cards), ROOM, Knobs()) == {13000: expected}


def test_a_dynamic_backing_never_takes_the_fixed_one() -> None:
    both = machine(dynamic(13000), fixed(key=13001))
    assert assigned(both, host(card(), card(OTHER)), ROOM, Knobs()) == {13001: GPU, 13000: OTHER}


def test_virtual_functions_and_profiles_run_out() -> None:
    nic = card(free_functions=1, active=False)
    one, two = Wanted(kind="sriov", key=13031), Wanted(kind="sriov", key=13030, address="0000:00:00.0")
    assert assigned(machine(one), host(nic), ROOM, Knobs()) == {13031: GPU}
    assert refused(machine(one, two), host(nic)) == [
        "No SR-IOV virtual function (VF) is available for given physical function (PF)."
    ]
    slices = dataclasses.replace(card(), free_profiles={"grid_a100-10c": 1})
    vgpu = Wanted(kind="vgpu", key=13000, profile="grid_a100-10c")
    assert assigned(machine(vgpu), host(slices), ROOM, Knobs()) == {13000: GPU}
    with pytest.raises(vim.fault.InsufficientGraphicsResourcesFault):
        assigned(machine(vgpu, dataclasses.replace(vgpu, key=13001)), host(slices), ROOM, Knobs())


def test_a_host_lends_no_more_devices_than_its_maximum() -> None:
    assert assigned(machine(fixed()), host(card(), lent=8), ROOM, Knobs())
    assert assigned(machine(fixed()), host(card(), lent=7, device_max=8), ROOM, Knobs())
    assert "maximum of 8" in refused(machine(fixed()), host(card(), lent=8, device_max=8))[1]
    assert assigned(machine(), host(lent=9, device_max=8), ROOM, Knobs()) == {}
