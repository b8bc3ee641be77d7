# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices of a VM: keys, units, checks, hot plug."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from simulator.rules.knobs import Knobs
from simulator.rules.vm import devices
from simulator.rules.vm.devices import Setting

PASSTHROUGH = vim.vm.device.VirtualPCIPassthrough
OFF = Setting(version=20, powered_on=False, maximum=128)


def fixed(key: int = -1, **values: Any) -> Any:
    place = f"0000:{0x3A + min(abs(key), 0x80):02x}:00.0"  # each key its own card
    usual = {"deviceName": "", "id": place, "deviceId": "20f1", "systemId": "x", "vendorId": 4318}
    return PASSTHROUGH(key=key, backing=PASSTHROUGH.DeviceBackingInfo(**{**usual, **values}))


def dynamic(key: int = -1, *allowed: Any, **values: Any) -> Any:
    listed = list(allowed) or [PASSTHROUGH.AllowedDevice(vendorId=0x10DE, deviceId=0x20F1)]
    return PASSTHROUGH(key=key, backing=PASSTHROUGH.DynamicBackingInfo(deviceName="", allowedDevice=listed, **values))


def sriov(key: int = -1) -> Any:
    return vim.vm.device.VirtualSriovEthernetCard(key=key)


def nic(key: int = -1, unit: int | None = None) -> Any:
    return vim.vm.device.VirtualVmxnet3(key=key, unitNumber=unit)


def add(device: Any) -> Any:
    return vim.vm.device.VirtualDeviceSpec(operation="add", device=device)


def edit(device: Any) -> Any:
    return vim.vm.device.VirtualDeviceSpec(operation="edit", device=device)


def remove(device: Any, **values: Any) -> Any:
    return vim.vm.device.VirtualDeviceSpec(operation="remove", device=device, **values)


def apply(now: list[Any], *changes: Any, setting: Setting = OFF, **knobs: Any) -> list[Any]:
    return devices.changed(now, changes, setting, Knobs(**knobs))


def places(found: list[Any]) -> list[tuple[int, int]]:
    return [(item.key, item.unitNumber) for item in found]


def test_keys_go_up_from_13000_and_units_have_a_gap() -> None:
    found = apply([], *(add(fixed(key)) for key in range(-1, -7, -1)))
    assert places(found) == [(13000, 18), (13001, 19), (13002, 20), (13003, 21), (13004, 38), (13005, 39)]
    assert all(item.controllerKey == 100 for item in found)
    assert devices.unit(127) == 161


def test_sriov_cards_come_down_from_13031() -> None:
    assert places(apply([], add(sriov(-1)), add(sriov(-2)))) == [(13030, 64), (13031, 65)]


def test_requested_keys_and_units_are_ignored() -> None:
    wanted = sriov(13010)
    wanted.unitNumber = 44
    assert places(apply([], add(wanted))) == [(13031, 65)]


def test_a_freed_slot_is_used_again() -> None:
    found = apply([], add(fixed(-1)), add(fixed(-2)), add(fixed(-3)))
    found = apply(found, remove(PASSTHROUGH(key=13001)), add(dynamic(-1)))
    assert [(item.key, devices.kind(item)) for item in found] == [
        (13000, "fixed"),
        (13001, "dynamic"),
        (13002, "fixed"),
    ]


def test_equal_temporary_keys_are_refused() -> None:
    with pytest.raises(vim.fault.GenericVmConfigFault, match="Cannot add multiple devices using the same device key"):
        apply([], add(fixed(0)), add(fixed(0)))


def test_no_device_id_is_checked_now() -> None:
    assert apply([], add(fixed(deviceId="8433", systemId="wrong", id="0000:ff:1f.7")))


@pytest.mark.parametrize("vendor", [40000, 0x8086, -40000])
def test_a_vendor_id_outside_of_a_short_is_no_request(vendor: int) -> None:
    device = fixed()
    device.backing.vendorId = vendor
    with pytest.raises(vmodl.fault.InvalidRequest):
        apply([], add(device))


@pytest.mark.parametrize(("version", "works"), [(16, False), (17, True)])
def test_dynamic_backings_need_version_17(version: int, works: bool) -> None:
    setting = Setting(version=version, powered_on=False, maximum=16)
    if works:
        assert apply([], add(dynamic()), setting=setting)
        return
    with pytest.raises(vim.fault.DeviceUnsupportedForVmVersion) as caught:
        apply([], add(dynamic()), setting=setting)
    assert (caught.value.currentVersion, caught.value.expectedVersion) == ("vmx-16", "vmx-17")


def test_allowed_devices_have_unsigned_ids() -> None:
    with pytest.raises(vmodl.fault.InvalidArgument):
        apply([], add(dynamic(-1, PASSTHROUGH.AllowedDevice(vendorId=-32634, deviceId=1))))
    empty = dynamic()
    empty.backing.allowedDevice = []
    with pytest.raises(vmodl.fault.InvalidArgument):
        apply([], add(empty))


def test_assigned_id_is_read_only() -> None:
    assert apply([], add(dynamic(assignedId="0000:3b:00.0")))[0].backing.assignedId is None


@pytest.mark.parametrize(("count", "fits"), [(16, True), (17, False)])
def test_the_maximum(count: int, fits: bool) -> None:
    setting = Setting(version=19, powered_on=False, maximum=16)
    changes = [add(fixed(-1 - number)) for number in range(count)]
    if fits:
        assert len(apply([], *changes, setting=setting)) == 16
        return
    with pytest.raises(vim.fault.TooManyDevices):
        apply([], *changes, setting=setting)


def test_whether_sriov_counts_is_a_knob() -> None:
    setting = Setting(version=19, powered_on=False, maximum=1)
    changes = [add(fixed(-1)), add(sriov(-2))]
    assert len(apply([], *changes, setting=setting)) == 2
    with pytest.raises(vim.fault.TooManyDevices):
        apply([], add(fixed(-1)), add(sriov(-2)), setting=setting, sriov_counts_in_limit=True)


ON = Setting(version=20, powered_on=True, maximum=128)


def test_hot_add_gives_the_five_logged_keys() -> None:
    with pytest.raises(vim.fault.GenericVmConfigFault) as caught:
        apply([], add(fixed()), setting=ON)
    assert [line.key for line in caught.value.faultMessage] == [
        "msg.devices.hotplug.failed",
        "msg.devices.hotadd.failed",
        "msg.migrate.save.error",
        "msg.pciPassthru.noSuspend.postedInterrupts",
        "msg.pciPassthru.noMigration",
    ]


@pytest.mark.parametrize(
    ("knob", "fault"),
    [
        ("hot_plug_not_supported", vim.fault.DeviceHotPlugNotSupported),
        ("invalid_power_state", vim.fault.InvalidPowerState),
    ],
)
def test_other_answers_to_hot_add(knob: str, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        apply([], add(fixed()), setting=ON, hot_add_fault=knob)


def test_removing_while_on_is_refused_too_and_hot_plug_lets_fixed_ones_through() -> None:
    found = apply([], add(fixed()))
    with pytest.raises(vim.fault.GenericVmConfigFault) as caught:
        apply(found, remove(found[0]), setting=ON)
    assert [line.message for line in caught.value.faultMessage][1] == "Hot-remove of pciPassthru0 failed."
    assert "hotadd" not in str(caught.value.faultMessage)
    hot = Setting(version=20, powered_on=True, maximum=128, hot_plug=frozenset({"0000:3b:00.0"}))
    assert apply(found, remove(PASSTHROUGH(key=13000, backing=found[0].backing)), setting=hot) == []
    elsewhere = Setting(version=20, powered_on=True, maximum=128, hot_plug=frozenset({"0000:5e:00.0"}))
    with pytest.raises(vim.fault.GenericVmConfigFault):
        apply(found, remove(found[0]), setting=elsewhere)


def test_editing_keeps_the_place_and_replaces_the_backing() -> None:
    found = apply([], add(fixed()))
    changed = apply(found, edit(dynamic(13000)))
    assert [(item.key, item.unitNumber, devices.kind(item)) for item in changed] == [(13000, 18, "dynamic")]


@pytest.mark.parametrize("operation", [edit, remove])
def test_a_device_that_is_not_there(operation: Any) -> None:
    with pytest.raises(vim.fault.DeviceNotFound):
        apply([], operation(fixed(13007)))


def test_remove_has_no_file_operation_and_every_change_has_an_operation() -> None:
    found = apply([], add(fixed()))
    with pytest.raises(vim.fault.InvalidDeviceSpec):
        apply(found, remove(found[0], fileOperation="destroy"))
    with pytest.raises(vmodl.fault.InvalidArgument):
        apply(found, vim.vm.device.VirtualDeviceSpec(device=fixed()))


def test_a_network_card_on_a_taken_unit() -> None:
    found = apply([], add(fixed()), add(nic(-2)))
    assert places(found)[0] == (4000, 7)
    with pytest.raises(vmodl.fault.InvalidArgument) as caught:
        apply(found, add(nic(-1, unit=18)))
    assert caught.value.msg == "A specified parameter was not correct: unitNumber"


def test_devices_that_are_not_modelled_are_refused() -> None:
    with pytest.raises(
        vmodl.fault.NotSupported, match=r"adding a VirtualSerialPort \(deviceChange\[0\]\) is not modelled"
    ):
        apply([], add(vim.vm.device.VirtualSerialPort(key=-1)))
    with pytest.raises(vim.fault.InvalidDeviceBacking):
        apply([], add(PASSTHROUGH(key=-1)))


GENERIC, ARGUMENT = vim.fault.GenericVmConfigFault, vmodl.fault.InvalidArgument


@pytest.mark.parametrize(("answer", "fault"), [("generic", GENERIC), ("invalid_argument", ARGUMENT)])
def test_the_same_card_twice_in_one_vm_is_refused(answer: str, fault: type[Exception]) -> None:
    card = {"id": "0000:3b:00.0"}
    with pytest.raises(fault):
        apply([], add(fixed(-1, **card)), add(fixed(-2, id="0000:3B:00.0")), same_card_twice=answer)
    there = apply([], add(fixed(-1, **card)), add(fixed(-2)))
    with pytest.raises(fault):
        apply(there, add(fixed(-3, **card)), same_card_twice=answer)
    with pytest.raises(fault):
        apply(there, edit(fixed(13001, **card)), same_card_twice=answer)
    assert len(apply(there, remove(fixed(13000)), add(fixed(-3, **card)), same_card_twice=answer)) == 2
    assert len(apply(there, edit(fixed(13000, **card)), same_card_twice=answer)) == 2


def test_or_only_when_the_vm_is_to_start() -> None:
    twice = [add(fixed(key, id="0000:3b:00.0")) for key in (-1, -2)]
    assert len(apply([], *twice, same_card_twice="power_on")) == 2


@pytest.mark.parametrize(("version", "most"), [(14, 1), (15, 4), (19, 4), (20, 8), (21, 16)])
def test_the_most_vgpus_of_a_hardware_version(version: int, most: int) -> None:
    setting = Setting(version=version, powered_on=False, maximum=128)
    cards = [PASSTHROUGH(key=-1 - n, backing=PASSTHROUGH.VmiopBackingInfo(vgpu="p")) for n in range(most + 1)]
    assert len(apply([], *map(add, cards[:most]), setting=setting)) == most
    with pytest.raises(vim.fault.TooManyDevices, match=f"maximum of {most}"):
        apply([], *map(add, cards), setting=setting)
