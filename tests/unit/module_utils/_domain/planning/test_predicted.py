# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What check mode remembers of earlier tasks."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.graphics import (
    GpuEntry,
    GraphicsConfig,
    GraphicsDevice,
    HostGraphics,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import (
    DeviceUser,
    Host,
    HostDevice,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import (
    AllowedDevice,
    Backing,
    DvxBacking,
    DynamicBacking,
    FixedBacking,
    MemoryState,
    PoolState,
    SriovBacking,
    UnknownBacking,
    VgpuBacking,
    Vm,
    VmDevice,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.details import (
    Detach,
    DynamicSpec,
    ExtraConfig,
    FixedSpec,
    HotAdd,
    MemoryWrite,
    PassthroughWrite,
    PowerOff,
    PowerOn,
    SettingDetail,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.plan import (
    Change,
    HostFacts,
    Plan,
    TargetPlan,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.predicted import (
    NOTHING_PREDICTED,
    Predicted,
    PredictedGraphics,
    predict_hosts,
    predict_vms,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.predicted_record import (
    from_record,
    to_record,
)

CARD = HostDevice(address="0000:3b:00.0", vendor_id="10de", device_id="20f1", capable=True)
OTHER = replace(CARD, address="0000:5e:00.0", enabled=True)
HOST = Host(moid="host-1", name="esx-01", devices=(CARD, OTHER))
HELD = FixedBacking(address=CARD.address, vendor_id="10de", device_id="20f1", system_id="s", text=CARD.address)
BACKINGS: tuple[Backing, ...] = (
    HELD,
    replace(HELD, address=None, readings=("0000:13:00.0", "0000:0d:00.0"), text="13:00.0"),
    DynamicBacking(allowed=(AllowedDevice(vendor_id="10de", device_id="20f1"),), custom_label="pool"),
    VgpuBacking(profile="grid_a100-10c"),
    DvxBacking(device_class="dvx"),
    SriovBacking(physical_function=None, virtual_function="0000:5e:02.1"),
    UnknownBacking(type_name="Later"),
)
VM = Vm(
    moid="vm-1",
    name="train-01",
    host_moid="host-1",
    power_state="poweredOn",
    memory=MemoryState(size_mb=4096, reservation_mb=1024, limit_mb=2048, hot_add=True),
    cpu_hot_add=True,
    devices=tuple(VmDevice(key=13000 + number, label="", backing=backing) for number, backing in enumerate(BACKINGS)),
    extra_config={"pciPassthru.use64bitMMIO": "FALSE"},
    pool=PoolState(name="Resources", unreserved_for_vm_mb=8192),
)


def planned(target: str, *details: SettingDetail | PowerOff | PowerOn) -> Plan:
    changes = tuple(Change(subject="", before=None, after=None, detail=detail) for detail in details)
    return Plan(targets=(TargetPlan(target=target, moid=target, host_moid="host-1", changes=changes),))


def passthrough(*writes: PassthroughWrite, pending: tuple[str, ...] = ()) -> Plan:
    changes = tuple(Change(subject="", before=None, after=None, detail=write) for write in writes)
    facts = HostFacts(pending_after=pending)
    return Plan(targets=(TargetPlan(target="esx-01", moid="host-1", changes=changes, host_facts=facts),))


def kept(found: Predicted) -> Predicted:
    """As another task reads it."""
    return from_record(json.loads(json.dumps(to_record(found))))


def test_every_kind_of_device_survives_the_file() -> None:
    found = predict_vms([VM], planned("vm-1", PowerOff(timeout_seconds=1, allow_power_off=False)))
    assert kept(found) == found
    assert kept(found).of_vms([VM]) == (
        replace(VM, power_state="poweredOff", pool=replace(VM.pool or PoolState(), unreserved_for_vm_mb=9216)),
    )


def test_graphics_settings_survive_the_file_and_take_effect_with_a_reboot() -> None:
    gpu = GraphicsDevice(address="0000:3b:00.0", type="shared")
    host = Host(moid="host-1", name="esx-01", graphics=HostGraphics(config=GraphicsConfig(), gpus=(gpu,)))
    entry = GpuEntry(device_id="gpu", address=gpu.address, type="shared_direct", mode="mixed_size")
    later = Predicted(graphics={"host-1": PredictedGraphics(config=GraphicsConfig(entries=(entry,)))})
    at_once = Predicted(graphics={"host-1": replace(later.graphics["host-1"], in_effect=frozenset({gpu.address}))})
    booted = later.then(Predicted(rebooted=frozenset({"host-1"})))
    for found, shown in (
        (later, ("shared", "none")),
        *((one, ("shared_direct", "mixed_size")) for one in (at_once, booted)),
    ):
        assert kept(found) == found
        (seen,) = kept(found).of_hosts([host])
        assert seen.graphics is not None
        assert seen.graphics.config == GraphicsConfig(entries=(entry,))
        assert [(each.type, each.mode) for each in seen.graphics.gpus] == [shown]


def test_all_settings_of_a_reconfiguration_are_predicted() -> None:
    allowed = (AllowedDevice(vendor_id="10de", device_id="1eb8"),)
    plan = planned(
        "vm-1",
        *(Detach(key=device.key) for device in VM.devices[1:]),
        FixedSpec(address=OTHER.address, vendor_id="10de", device_id="20f1", system_id=None, name=""),
        DynamicSpec(allowed=allowed, custom_label=None, name=""),
        MemoryWrite(locked=True, reservation_mb=4096, unlimited=True),
        ExtraConfig(key="pciPassthru.use64bitMMIO", value="TRUE"),
        ExtraConfig(key="pciPassthru.64bitMMIOSizeGB", value="256"),
        HotAdd(memory=False, cpu=False),
    )
    (vm,) = predict_vms([VM], plan).of_vms([VM])
    assert [device.backing for device in vm.devices] == [
        HELD,
        replace(HELD, address=OTHER.address, text=OTHER.address, system_id=None),
        DynamicBacking(allowed=allowed),
    ]
    assert len({device.key for device in vm.devices}) == 3
    assert vm.memory == replace(VM.memory, reservation_mb=4096, locked_to_max=True, limit_mb=None, hot_add=False)
    assert (vm.cpu_hot_add, vm.extra_config) == (
        False,
        {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "256"},
    )
    assert vm.pool is not None
    assert vm.pool.unreserved_for_vm_mb == 8192 - 3072


def test_an_empty_value_removes_a_setting() -> None:
    (vm,) = predict_vms([VM], planned("vm-1", ExtraConfig(key="PCIPASSTHRU.use64bitmmio", value=""))).of_vms([VM])
    assert vm.extra_config == {}


@pytest.mark.parametrize(("pending", "active"), [((), True), ((CARD.address,), False)])
def test_a_device_is_active_at_once_unless_the_plan_expects_a_reboot(pending: tuple[str, ...], active: bool) -> None:
    found = predict_hosts(
        [HOST], passthrough(PassthroughWrite(device=CARD, enabled=True, label="pool"), pending=pending)
    )
    (host,) = kept(found).of_hosts([HOST])
    assert host.devices == (replace(CARD, enabled=True, active=active, label="pool"), OTHER)


def test_a_reboot_puts_in_effect_what_is_pending_then_and_nothing_later() -> None:
    pending = predict_hosts([HOST], passthrough(PassthroughWrite(device=CARD, enabled=True), pending=(CARD.address,)))
    rebooted = pending.then(Predicted(rebooted=frozenset({"host-1"})))
    (host,) = kept(rebooted).of_hosts([HOST])
    assert [(device.enabled, device.active) for device in host.devices] == [(True, True), (True, True)]
    off = predict_hosts([host], passthrough(PassthroughWrite(device=OTHER, enabled=False), pending=(OTHER.address,)))
    (host,) = kept(rebooted.then(off)).of_hosts([HOST])
    assert [(device.enabled, device.active) for device in host.devices] == [(True, True), (False, True)]


def test_users_of_devices_follow_the_vms() -> None:
    before = replace(HOST, users={CARD.address: (DeviceUser(vm="train-01", moid="vm-1", powered_on=True, fixed=True),)})
    vm = replace(VM, devices=VM.devices[:1])
    moved = planned(
        "vm-1",
        Detach(key=13000),
        FixedSpec(address=OTHER.address, vendor_id="10de", device_id="20f1", system_id=None, name=""),
    )
    found = predict_vms([vm], moved)
    (host,) = found.of_hosts([before])
    assert host.users == {OTHER.address: (DeviceUser(vm="train-01", moid="vm-1", powered_on=True, fixed=True),)}
    assert found.freed([vm]) == {"host-1": frozenset({CARD.address})}


def test_a_dynamic_device_that_was_not_assigned_yet_may_use_each_of_its_models() -> None:
    active = replace(CARD, enabled=True, active=True)
    host = replace(HOST, devices=(active, OTHER, replace(active, address="0000:86:00.0", device_id="1eb8")))
    off = replace(VM, power_state="poweredOff", devices=())
    allowed = (AllowedDevice(vendor_id="10de", device_id="20f1"),)
    given = DynamicSpec(allowed=allowed, custom_label=None, name="")
    (unused,) = predict_vms([off], planned("vm-1", given)).of_hosts([host])
    assert unused.users == {}
    (used,) = predict_vms([off], planned("vm-1", given, PowerOn())).of_hosts([host])
    assert list(used.users) == [CARD.address]


def test_a_lock_reserves_the_size() -> None:
    (vm,) = predict_vms([VM], planned("vm-1", MemoryWrite(locked=True))).of_vms([VM])
    assert (vm.memory.locked_to_max, vm.memory.reservation_mb) == (True, 4096)


def test_what_is_blocked_or_unchanged_is_not_predicted() -> None:
    assert not predict_vms([VM], planned("vm-1"))
    assert not NOTHING_PREDICTED
    assert NOTHING_PREDICTED.of_vms([VM]) == (VM,)


@pytest.mark.parametrize("record", [{}, {"format": 0}, {"format": 1, "hosts": [], "vms": {}, "rebooted": []}])
def test_a_record_of_another_release_is_an_error(record: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError, AttributeError)):
        from_record(record)
