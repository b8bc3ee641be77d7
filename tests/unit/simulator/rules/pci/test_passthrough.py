# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""UpdatePassthruConfig: what is refused, what changes now, what waits for a boot."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from simulator.rules.knobs import Knobs
from simulator.rules.pci.passthrough import (
    HostAbility,
    Passthrough,
    Request,
    Sriov,
    at_boot,
    configured,
    group_of,
    is_pending,
    reboot_required,
)

GPU, SOUND, NIC, DISK, BRIDGE = "0000:3b:00.0", "0000:3b:00.1", "0000:65:00.0", "0000:af:00.0", "0000:3a:00.0"
REBINDS = HostAbility(rebind=True, labels=True)
OLD = HostAbility()


def device(address: str = GPU, **values: Any) -> Passthrough:
    return Passthrough(**{"address": address, "identity": "10de:20f1", "dependent": address, "capable": True, **values})


def apply(
    devices: list[Passthrough], *requests: Request, ability: HostAbility = REBINDS, **knobs: Any
) -> dict[str, Passthrough]:
    return configured({item.address: item for item in devices}, list(requests), ability, Knobs(**knobs))


def on(address: str = GPU, **values: Any) -> Request:
    return Request(address=address, enabled=True, **values)


def off(address: str = GPU, **values: Any) -> Request:
    return Request(address=address, enabled=False, **values)


@pytest.mark.parametrize(
    ("ability", "apply_now", "active"),
    [
        (REBINDS, None, True),
        (REBINDS, True, True),
        (REBINDS, False, False),
        (OLD, None, False),
        (OLD, True, False),
        (OLD, False, False),
    ],
)
def test_when_an_enabled_device_is_active(ability: HostAbility, apply_now: bool | None, active: bool) -> None:
    after = apply([device()], on(apply_now=apply_now), ability=ability)[GPU]
    assert (after.enabled, after.active) == (True, active)
    assert is_pending(after) is not active


@pytest.mark.parametrize("why", ["not resettable", "mounted storage", "held by a VM"])
def test_a_busy_device_waits_for_the_boot_whatever_the_host_can_do(why: str) -> None:
    busy = HostAbility(
        rebind=True, busy_storage={GPU} if why == "mounted storage" else (), held={GPU} if "VM" in why else ()
    )
    after = apply([device(resettable=why != "not resettable")], on(), ability=busy)[GPU]
    assert (after.enabled, after.active) == (True, False)


def test_disabling_without_rebind_stays_with_passthrough_until_the_boot() -> None:
    after = apply([device(enabled=True, active=True)], off(), ability=OLD)[GPU]
    assert (after.enabled, after.active) == (False, True)
    assert at_boot(after, Knobs()).active is False


def test_taking_back_a_pending_change_owes_nothing() -> None:
    after = apply([device(enabled=True)], off(), ability=OLD)[GPU]
    assert not is_pending(after)


@pytest.mark.parametrize(
    ("knob", "fault"),
    [
        ("host_config_fault", vim.fault.HostConfigFault),
        ("platform_config_fault", vim.fault.PlatformConfigFault),
        ("invalid_argument", vmodl.fault.InvalidArgument),
    ],
)
def test_an_unknown_address_is_refused_as_the_knob_says(knob: str, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        apply([device()], on("0000:99:00.0"), unknown_id_fault=knob)


@pytest.mark.parametrize("spelling", ["0000:3B:00.0", "3b:00.0", "00000:059:00.0"])
def test_addresses_are_compared_as_they_are_written(spelling: str) -> None:
    with pytest.raises(vim.fault.HostConfigFault):
        apply([device()], on(spelling))


@pytest.mark.parametrize(
    ("knob", "fault"),
    [
        ("host_config_fault", vim.fault.HostConfigFault),
        ("platform_config_fault", vim.fault.PlatformConfigFault),
        ("invalid_argument", vmodl.fault.InvalidArgument),
        ("not_supported", vmodl.fault.NotSupported),
    ],
)
def test_a_device_that_is_not_capable_is_refused(knob: str, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        apply([device(capable=False)], on(), not_capable_fault=knob)


def test_a_stale_setting_of_an_incapable_device_can_be_taken_off() -> None:
    after = apply([device(capable=False, enabled=True)], off())[GPU]
    assert (after.enabled, after.active) == (False, False)


def test_an_uplink_is_refused_with_the_switch_and_the_nic() -> None:
    ability = HostAbility(rebind=True, uplinks={NIC: ("vSwitch0", "vmnic4")})
    with pytest.raises(vim.fault.HostConfigFault) as caught:
        apply([device(NIC)], on(NIC), ability=ability)
    assert caught.value.msg.endswith("it is used by vswitch vSwitch0 for uplink vmnic4.")
    assert apply([device(NIC)], on(NIC), ability=ability, uplink_fault="accept")[NIC].enabled


def test_storage_in_use_is_not_refused_unless_asked_for() -> None:
    ability = HostAbility(rebind=True, busy_storage={DISK})
    assert apply([device(DISK)], on(DISK), ability=ability)[DISK].enabled
    with pytest.raises(vim.fault.HostConfigFault):
        apply([device(DISK)], on(DISK), ability=ability, storage_refused=True)


def test_the_present_value_is_accepted_unless_the_knob_refuses_it() -> None:
    present = device(enabled=True, active=True)
    assert apply([present], on()) == {}
    with pytest.raises(vim.fault.HostConfigFault, match="already configured to passthru"):
        apply([present], on(), same_value_fault="host_config_fault")


def test_one_refused_element_refuses_all() -> None:
    devices = [device(), device(NIC, capable=False)]
    with pytest.raises(vim.fault.HostConfigFault):
        apply(devices, on(), on(NIC))


@pytest.mark.parametrize(("follows", "reached"), [(False, {GPU}), (True, {GPU, SOUND})])
def test_whether_the_group_follows_one_function(follows: bool, reached: set[str]) -> None:
    devices = [device(dependent=BRIDGE), device(SOUND, dependent=BRIDGE), device(NIC)]
    after = apply(devices, on(), group_follows=follows)
    assert set(after) == reached
    assert group_of({item.address: item for item in devices}, SOUND) == [GPU, SOUND]


def test_labels_need_the_capability() -> None:
    assert apply([device()], on(label="a100"))[GPU].label == "a100"
    assert apply([device()], on(label="a100"), ability=HostAbility(rebind=True))[GPU].label == ""


@pytest.mark.parametrize(
    ("state", "knobs", "active"),
    [
        (device(enabled=True), Knobs(), True),
        (device(active=True), Knobs(), False),
        (device(enabled=True, active=True, capable=False), Knobs(), False),
        (device(enabled=True), Knobs(never_active=(GPU,)), False),
        (device(enabled=True), Knobs(never_active=("10de:20f1",)), False),
        (device(enabled=True), Knobs(pending_again=("all",)), False),
        (device(enabled=True), Knobs(never_active=(NIC,)), True),
    ],
)
def test_the_state_after_a_boot(state: Passthrough, knobs: Knobs, active: bool) -> None:
    after = at_boot(state, knobs)
    assert (after.enabled, after.active) == (state.enabled, active)


def test_never_active_holds_for_rebinding_but_pending_again_is_cured_by_it() -> None:
    assert not apply([device()], on(), never_active=("all",))[GPU].active
    assert apply([device()], on(), pending_again=("all",))[GPU].active


def test_virtual_functions_appear_at_the_boot_or_at_once_where_the_host_can() -> None:
    nic = device(NIC, sriov=Sriov(maximum=64))
    wish = Request(address=NIC, enabled=False, sriov_enabled=True, virtual_functions=8)
    waiting = apply([nic], wish, ability=OLD)[NIC]
    assert waiting.sriov == Sriov(enabled=True, active=False, requested=8, present=0, maximum=64)
    assert is_pending(waiting)
    booted = at_boot(waiting, Knobs())
    assert booted.sriov is not None
    assert booted.sriov.present == 8
    assert not is_pending(booted)
    assert is_pending(apply([nic], wish)[NIC]), "the networking guide says that the host must be restarted"
    now = apply([nic], wish, sriov_at_once=True)[NIC].sriov
    assert now is not None
    assert now.active
    assert now.present == 8


@pytest.mark.parametrize("count", [0, 65, None])
def test_impossible_numbers_of_virtual_functions(count: int | None) -> None:
    wish = Request(address=NIC, enabled=False, sriov_enabled=True, virtual_functions=count)
    with pytest.raises(vmodl.fault.InvalidArgument):
        apply([device(NIC, sriov=Sriov(maximum=64))], wish)


@pytest.mark.parametrize(
    ("flag", "major", "pending", "expected"),
    [
        ("before_7", 6, True, True),
        ("before_7", 8, True, False),
        ("before_7", 6, False, False),
        ("always", 8, True, True),
        ("always", 8, False, False),
        ("never", 6, True, False),
    ],
)
def test_the_reboot_flag_of_the_host(flag: str, major: int, pending: bool, expected: bool) -> None:
    assert reboot_required(pending, major, Knobs(reboot_required_flag=flag)) is expected
