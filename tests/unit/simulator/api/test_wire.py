# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The writer against pyVmomi's own serialiser, and what older clients get to see."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from pyVmomi import SoapAdapter, vim, vmodl
from pyVmomi import VmomiSupport as vs

from simulator.api import data, wire
from simulator.api.versions import for_product
from tests.unit.simulator.inventory import build

NEW = for_product("8.0.3")
NSMAP = {**SoapAdapter.SOAP_NSMAP, "urn:vim25": ""}
WRAP = (
    '<r xmlns="urn:vim25" xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{}</r>'
)


def theirs(value: Any, static: type[Any], version: str) -> str:
    info = vs.Object(name="v", type=static, version=vim.HostSystem._version, flags=vs.F_OPTIONAL)
    return SoapAdapter.SerializeToStr(value, info, version, NSMAP)


def ours(value: Any, static: type[Any], version: str) -> str:
    out: list[str] = []
    wire.write(out, "v", value, static, version)
    return "".join(out)


def tree(text: str) -> Any:
    """An XML text as nested tuples; the version note that only pyVmomi's outermost element carries is left out."""

    def node(element: ElementTree.Element) -> Any:
        attributes = {name: value for name, value in element.attrib.items() if name != "versionId"}
        return (element.tag, attributes, (element.text or "").strip(), [node(child) for child in element])

    return node(ElementTree.fromstring(WRAP.format(text)))


@pytest.mark.parametrize("forbidden", ["\0", "\x1b", "\x0b", "\ud800", "\ufffe", "\uffff"])
def test_a_character_that_xml_forbids_does_not_go_out(forbidden: str) -> None:
    text = f"a{forbidden}<b>\t\n\u00e9\U0001f600"
    sent = ours(vim.vm.ConfigSpec(annotation=text), vim.vm.ConfigSpec, NEW).encode()
    (element,) = ElementTree.fromstring(WRAP.format(sent.decode()))[0]
    assert element.text == "a\ufffd<b>\t\n\u00e9\U0001f600"


def device_change() -> Any:
    backing = vim.vm.device.VirtualPCIPassthrough.DynamicBackingInfo(
        deviceName="",
        customLabel="a<b&c>",
        allowedDevice=[vim.vm.device.VirtualPCIPassthrough.AllowedDevice(vendorId=0x10DE, deviceId=0x20F1)],
    )
    device = vim.vm.device.VirtualPCIPassthrough(key=-1, backing=backing)
    return vim.vm.device.VirtualDeviceSpec(operation="add", device=device)


VALUES: list[Any] = [
    vim.vm.ConfigSpec(memoryMB=4096, deviceChange=[device_change()], memoryReservationLockedToMax=True),
    vim.host.PciDevice(
        id="0000:8a:00.0", classId=0x302, bus=-118, slot=0, function=0, vendorId=4318, subVendorId=4318,
        vendorName="NVIDIA", deviceId=8433, subDeviceId=5215, deviceName="A100",
    ),
    vim.host.SriovConfig(id="0000:01:00.0", sriovEnabled=True, numVirtualFunction=4),
    vim.TaskInfo(
        key="task-1", task=vim.Task("task-1"), descriptionId="x", entity=vim.HostSystem("host-1"), state="error",
        cancelled=False, cancelable=True, reason=vim.TaskReasonUser(userName="me"), eventChainId=1,
        queueTime=datetime(2026, 1, 5, 8, 0, tzinfo=UTC),
        error=vim.fault.InvalidPowerState(msg="no", requestedState="poweredOn", existingState="poweredOff"),
    ),
    vim.option.OptionValue(key="k", value=vs.long(5)),
    vim.option.OptionValue(key="k", value="text"),
    vim.option.OptionValue(key="k", value=True),
    vim.PerformanceManager.MetricId(counterId=1, instance=""),
    vim.CustomFieldsManager.FieldDef(key=1, name="a", type=str, managedObjectType=vim.HostSystem),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: str(value._wsdlName))
@pytest.mark.parametrize("release", ["8.0.3", "7.0", "6.7", "5.5"])
@pytest.mark.parametrize("static", ["own", "any"])
def test_the_writer_agrees_with_pyvmomi(value: Any, release: str, static: str) -> None:
    version = for_product(release)
    declared = type(value) if static == "own" else object
    if not vs.IsChildVersion(version, type(value)._version):
        declared = vmodl.DynamicData
    assert tree(ours(value, declared, version)) == tree(theirs(value, declared, version))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (vim.HostSystem("host-1"), '<v xsi:type="ManagedObjectReference" type="HostSystem">host-1</v>'),
        (2**40, '<v xsi:type="xsd:long">1099511627776</v>'),
        (vs.short(-32634), '<v xsi:type="xsd:short">-32634</v>'),
        (b"\x00\x01", None),
        (1.5, '<v xsi:type="xsd:float">1.5</v>'),
        (vim.HostSystem.PowerState.poweredOn, '<v xsi:type="HostSystemPowerState">poweredOn</v>'),
        (["a", "b"], '<v xsi:type="ArrayOfString"><string>a</string><string>b</string></v>'),
        (
            [vim.VirtualMachine("vm-1")],
            '<v xsi:type="ArrayOfManagedObjectReference">'
            '<ManagedObjectReference type="VirtualMachine">vm-1</ManagedObjectReference></v>',
        ),
    ],
    ids=str,
)
def test_untyped_places_name_their_type(value: Any, text: str | None) -> None:
    if text is None:
        value, text = vs.binary(value), '<v xsi:type="xsd:base64Binary">AAE=</v>'
    assert ours(value, object, NEW) == text


def test_a_property_takes_its_declared_type_not_pythons() -> None:
    out: list[str] = []
    wire.write_any(out, "val", 8, vs.long, NEW)
    wire.write_any(out, "val", "green", vim.ManagedEntity.Status, NEW)
    wire.write_any(out, "val", [], vim.VirtualMachine.Array, NEW)
    assert "".join(out) == (
        '<val xsi:type="xsd:long">8</val><val xsi:type="ManagedEntityStatus">green</val>'
        '<val xsi:type="ArrayOfManagedObjectReference"></val>'
    )


def test_a_required_field_left_unset_is_an_error_not_silence() -> None:
    with pytest.raises(TypeError, match=r"required field vim.TaskInfo.task is unset"):
        ours(vim.TaskInfo(key="x"), vim.TaskInfo, NEW)


def test_older_clients_get_neither_newer_fields_nor_newer_types() -> None:
    info = data.new(vim.host.PciPassthruInfo, id="a", dependentDevice="a", hardwareLabel="gpu")
    assert "hardwareLabel" in ours(info, vim.host.PciPassthruInfo, NEW)
    assert "hardwareLabel" not in ours(info, vim.host.PciPassthruInfo, for_product("7.0"))
    dynamic = device_change()
    old = ours(dynamic, vim.vm.device.VirtualDeviceSpec, for_product("6.7"))
    assert "DynamicBackingInfo" not in old
    copied = wire.localise(dynamic, object, for_product("6.7"), None)
    assert copied.device.backing.__class__ is vim.vm.device.VirtualDevice.DeviceBackingInfo
    assert wire.localise(info, object, for_product("7.0"), None).hardwareLabel is None


def test_a_copy_for_a_client_shares_nothing_and_binds_references() -> None:
    stub = object()
    spec = vim.vm.ConfigSpec(deviceChange=[device_change()])
    copied = wire.localise(spec, object, NEW, stub)
    assert data.same(copied, spec)
    assert copied.deviceChange[0].device is not spec.deviceChange[0].device
    assert wire.localise(vim.HostSystem("host-1"), object, NEW, stub)._stub is stub


def test_fragments_are_kept_until_the_value_changes() -> None:
    sim = build()
    host = sim.find("HostSystem", "esx-01")
    stored = wire.Stored(host, "runtime", host.get("runtime"), vim.host.RuntimeInfo)
    first = wire.fragment(stored, NEW)
    assert wire.fragment(stored, NEW) is first
    host.set("runtime.inMaintenanceMode", True)
    assert "<inMaintenanceMode>true" in wire.fragment(stored, NEW)
    host.set("name", "other")
    assert ("runtime", NEW) in host.fragments
