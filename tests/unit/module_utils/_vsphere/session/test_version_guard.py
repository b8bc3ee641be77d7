# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard finds exactly what pyVmomi would lose of a call, says who is too old, and nothing passes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pyVmomi import VmomiSupport as vs
from pyVmomi import vim

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import (
    AllowedDevice,
    MemoryState,
    Vm,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.details import DynamicSpec, PowerOff
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.plan import Change
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.writing.api_versions import (
    KINDS,
    ApiVersions,
    parse_version,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import Guard, Session
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.endpoint import Endpoint
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.faults import explained
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.version_guard import (
    lost_parts,
    newest_known,
    refuse_lossy,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.write.vms import apply_vm, unchecked
from simulator.api import data, versions
from simulator.core.clock import ManualClock
from simulator.simulator import Simulator
from simulator.transport.inprocess import InProcessStub
from simulator.transport.soap import method_info
from tests.unit.modules.every_module.sent import LABS, Sent

RECONFIGURE = vim.VirtualMachine._GetMethodInfo("Reconfigure")
UPDATE = method_info("UpdateOptions")
"""A method with a place for any value."""
PASSTHROUGH = vim.vm.device.VirtualPCIPassthrough


def at(number: str) -> str:
    """The version of the SDK with this id."""
    return next(version for version in LABS if versions.version_id(version) == number)


def api(spoken: str, *, server: str, library: str) -> ApiVersions:
    return ApiVersions(spoken=parse_version(spoken), server=parse_version(server), library=parse_version(library))


def attaching(backing: Any, **more: Any) -> Sent:
    device = PASSTHROUGH(key=-100, backing=backing, **more.pop("device", {}))
    change = vim.vm.device.VirtualDeviceSpec(operation="add", device=device)
    return Sent(RECONFIGURE, (vim.vm.ConfigSpec(deviceChange=[change], **more),))


GROUPED = vim.vm.device.VirtualDevice.DeviceGroupInfo(groupInstanceKey=-1, sequenceId=0)
GROUP = vim.vm.VirtualDeviceGroups.VendorDeviceGroup(
    groupInstanceKey=-1, deviceGroupName="Nvidia:2@grid_a100-40c%NVLink"
)
ALLOWED = PASSTHROUGH.AllowedDevice(vendorId=0x10DE, deviceId=0x20F1)
GRAPHICS = vim.host.GraphicsConfig(
    hostDefaultGraphicsType="shared",
    sharedPassthruAssignmentPolicy="performance",
    deviceType=[
        vim.host.GraphicsConfig.DeviceType(deviceId="0000:3b:00.0", graphicsType="shared", vgpuMode="sameSize")
    ],
)
SAMPLES: dict[str, Sent] = {
    "vgpu": attaching(PASSTHROUGH.VmiopBackingInfo(vgpu="grid_a100-40c")),
    "dynamic": attaching(PASSTHROUGH.DynamicBackingInfo(deviceName="a100", allowedDevice=[ALLOWED], customLabel="ml")),
    "hardware_label": Sent(
        vim.host.PciPassthruSystem._GetMethodInfo("UpdatePassthruConfig"),
        ([vim.host.PciPassthruConfig(id="0000:3b:00.0", passthruEnabled=True, hardwareLabel="ml")],),
    ),
    "dvx": attaching(PASSTHROUGH.DvxBackingInfo(deviceClass="com.example.dvx")),
    "device_group": attaching(
        PASSTHROUGH.VmiopBackingInfo(vgpu="grid_a100-40c"),
        device={"deviceGroupInfo": GROUPED},
        deviceGroups=vim.vm.VirtualDeviceGroups(deviceGroup=[GROUP]),
    ),
    "fixed_hot_plug": Sent(RECONFIGURE, (vim.vm.ConfigSpec(fixedPassthruHotPlugEnabled=True),)),
    "vgpu_mode": Sent(vim.host.GraphicsManager._GetMethodInfo("UpdateGraphicsConfig"), (GRAPHICS,)),
}
if method_info("DirectPathProfileManagerList") is not None:  # pyVmomi 9
    FILTER = vim.DirectPathProfileManager.FilterSpec()
    SAMPLES["directpath_profile"] = Sent(method_info("DirectPathProfileManagerList"), (FILTER,))


@pytest.mark.parametrize("kind", SAMPLES)
def test_each_kind_arrives_from_its_version_on_and_is_refused_before(kind: Any) -> None:
    call = SAMPLES[kind]
    for version in LABS:
        refused = call.is_refused(version)
        assert call.arrives(version) is not refused
        assert refused is (parse_version(versions.version_id(version)) < parse_version(KINDS[kind].since))


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in KINDS[kind].names])
def test_the_table_says_what_pyvmomi_says(kind: Any, name: str) -> None:
    since = parse_version(KINDS[kind].since)
    type_name, _dot, field = name.partition(".")
    method = method_info(name)
    if since > newest_known():
        assert method is None  # the oldest supported pyVmomi ends before it
    elif method is not None:
        assert parse_version(versions.version_id(method.version)) == since
    else:
        declared: Any = vs.GetWsdlType("urn:vim25", type_name)
        version = declared._GetPropertyInfo(field).version if field else declared._version
        assert parse_version(versions.version_id(version)) == since


# -- everything a spec can hold ---------------------------------------------------------------------------------------


def types_of_vms() -> list[Any]:
    """All data types that the API has for VMs, their devices and backings."""
    return [vs.GetVmodlType(name) for name in sorted(vs._dataDefMap) if name.startswith("vim.vm.")]


def filled(kind: Any) -> Iterator[Any]:
    """Values of a type, each with one optional property set to the smallest value."""
    yield kind()
    for info in kind._GetPropertyList():
        value = smallest(info.type)
        if value is not None:
            made = data.new(kind)
            made.__dict__[info.name] = value
            yield made


def smallest(kind: Any) -> Any:
    if issubclass(kind, list):
        item = smallest(kind.Item)
        return None if item is None else kind([item])
    if issubclass(kind, vs.Enum):
        return kind(kind.values[0])
    if issubclass(kind, vs.DataObject):
        return kind()
    return {bool: True, str: "x"}.get(kind, kind(1) if issubclass(kind, int | float) else None)


@pytest.mark.slow
@pytest.mark.both_ends
@pytest.mark.parametrize("number", ["6.5", "7.0.0.0", "7.0.3.0", "8.0.1.0"])
def test_the_guard_finds_exactly_what_the_serializer_loses(number: str) -> None:
    """Of each type for VMs, and each property of it."""
    version = at(number)
    checked, refused = 0, 0
    for kind in types_of_vms():
        for value in filled(kind):
            call = Sent(UPDATE, ([vim.option.OptionValue(key="x", value=value)],))
            try:
                arrives = call.arrives(version)
            except TypeError:  # a required part that this small value does not have
                continue
            checked += 1
            refused += call.is_refused(version)
            assert arrives is not call.is_refused(version), value
    assert checked > 1000
    assert refused > 10


# -- who is too old ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "code", "says"),
    [
        (
            api("6.7", server="6.7.3", library="8.0.3"),
            "api_too_old",
            [
                "a dynamic passthrough device (VirtualPCIPassthroughDynamicBackingInfo)",
                "version 7.0",
                "vCenter offers 6.7.3",
            ],
        ),
        (
            api("6.7", server="8.0.3", library="6.7"),
            "library_too_old",
            ["version 7.0", "vCenter has it", "pyVmomi knows the API only up to 6.7", "Install pyvmomi 7.0 or later"],
        ),
        (None, "api_too_old", ["the server offers 6.7"]),
    ],
)
def test_the_message_says_who_is_too_old(known: ApiVersions | None, code: str, says: list[str]) -> None:
    call = SAMPLES["dynamic"]
    with pytest.raises(DirectPathError) as raised, explained("reconfigure {}", "train-01"):
        refuse_lossy(call.info, "vm-7", call.arguments, at("6.7"), known)
    assert raised.value.code == code
    text = raised.value.sentence()
    assert text.startswith("Cannot reconfigure train-01. ReconfigVM_Task on vm-7 was not sent")
    assert [part for part in says if part not in text] == []


def test_what_pyvmomi_does_not_have_at_all_is_said_with_its_name() -> None:
    with pytest.raises(DirectPathError) as raised, explained("reconfigure {}", "train-01"):
        vim.vm.ConfigSpec(quantumDevices=[])
    assert raised.value.code == "library_too_old"
    assert "Cannot reconfigure train-01. Nothing was sent" in raised.value.message
    assert "quantumDevices" in raised.value.message
    with pytest.raises(DirectPathError, match="QuantumManager"), explained("read {}", "it"):
        vim.QuantumManager("q")
    with (
        pytest.raises(AttributeError),
        explained("reconfigure {}", "train-01"),
    ):  # a fault of our own is none of pyVmomi
        _missing = object().missing  # type: ignore[attr-defined]


# -- the door ---------------------------------------------------------------------------------------------------------


class InProcess(Guard, InProcessStub):  # type: ignore[misc]
    """The guard over the simulator, without a socket."""


def opened(lab: str, number: str) -> tuple[Simulator, Session]:
    sim = Simulator.from_lab(f"simulator/labs/{lab}.yml", clock=ManualClock())
    stub = InProcess(sim, at(number))
    content = stub.connect().content
    endpoint = Endpoint(hostname="vcenter.test", username="u", password="p")
    return sim, Session(endpoint=endpoint, stub=stub, content=content)


def test_nothing_leaves_that_would_not_arrive() -> None:
    sim, session = opened("three_hosts", "6.7")
    sim.journal.clear()
    vm = session.reference(vim.VirtualMachine, sim.find("VirtualMachine", "train-01").moid)
    with pytest.raises(DirectPathError, match="vCenter has it") as raised:
        vm.ReconfigVM_Task(SAMPLES["dynamic"].arguments[0])
    assert raised.value.code == "library_too_old"
    assert list(sim.journal.calls) == []
    assert session.stub.writes == 0


def test_a_write_has_no_other_way_out() -> None:
    _sim, session = opened("three_hosts", "6.7")
    with pytest.raises(ValueError, match="ReconfigVM_Task is not a read"):
        session.stub.guarded("ReconfigVM_Task", "vm-7", lambda: None)


def test_a_method_that_the_version_lacks_is_refused_too() -> None:
    browser = vim.EnvironmentBrowser._GetMethodInfo("QueryConfigOptionEx")
    assert [lost.name for lost in lost_parts(browser, (None,), at("5.5"))] == ["QueryConfigOptionEx"]
    enter = vim.HostSystem._GetMethodInfo("EnterMaintenanceMode")
    spec = vim.host.MaintenanceSpec()
    assert [lost.name for lost in lost_parts(enter, (0, True, spec), "vim.version.version8")] == [
        "EnterMaintenanceMode_Task.maintenanceSpec"
    ]


def test_a_vm_is_not_stopped_for_a_change_that_cannot_be_sent() -> None:
    """Also for a kind of device that no plan refuses yet."""
    sim, session = opened("three_hosts", "6.7")
    sim.journal.clear()
    vm = Vm(moid="vm-1", name="train-01", power_state="poweredOn", memory=MemoryState(size_mb=1024))
    stop = PowerOff(timeout_seconds=60, allow_power_off=True)
    device = DynamicSpec(allowed=(AllowedDevice(vendor_id="10de", device_id="20f1"),), custom_label=None, name="a100")
    changes = [Change(subject="x", before=None, after=None, detail=detail) for detail in (stop, device)]
    with pytest.raises(
        DirectPathError, match=r"Cannot reconfigure train-01\. ReconfigVM_Task on vm-1 was not sent"
    ) as raised:
        apply_vm(session, vm, changes, unchecked(vm))
    assert raised.value.code == "library_too_old"
    assert sim.journal.writes() == []
