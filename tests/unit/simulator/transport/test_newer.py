# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request has that its API version lacks is refused on the wire, and does not arrive in process, as with pyVmomi."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import SoapStubAdapter, vim

from simulator.api import versions
from simulator.simulator import Simulator
from simulator.transport.soap import BadRequest, decode

OLD, NEW = versions.for_product("6.7.0"), versions.for_product("8.0.3")
PASSTHROUGH = vim.vm.device.VirtualPCIPassthrough


def attach(backing: Any) -> Any:
    return vim.vm.ConfigSpec(
        deviceChange=[vim.vm.device.VirtualDeviceSpec(device=PASSTHROUGH(key=-1, backing=backing))]
    )


FIXED = attach(PASSTHROUGH.DeviceBackingInfo(id="0000:3b:00.0", deviceId="20f1", systemId="x", vendorId=0x10DE))
DYNAMIC = attach(PASSTHROUGH.DynamicBackingInfo(deviceName="a100"))
HOT_PLUG = vim.vm.ConfigSpec(name="a", fixedPassthruHotPlugEnabled=True)


def request(spec: Any) -> bytes:
    """A reconfigure as a client of the new version writes it."""
    stub = SoapStubAdapter(host="nowhere.test", version=NEW)
    vm = vim.VirtualMachine("vm-1", stub)
    body: bytes = stub.SerializeRequest(vm, vim.VirtualMachine._GetMethodInfo("Reconfigure"), [spec])
    return body


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (DYNAMIC, "VirtualPCIPassthroughDynamicBackingInfo does not exist at version"),
        (HOT_PLUG, "VirtualMachineConfigSpec.fixedPassthruHotPlugEnabled does not exist at version"),
    ],
    ids=["type", "field"],
)
def test_it_is_an_invalid_request(spec: Any, says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        decode(request(spec), OLD)
    assert decode(request(spec), NEW).values["spec"].__class__ is vim.vm.ConfigSpec


def test_what_the_version_has_arrives() -> None:
    (change,) = decode(request(FIXED), OLD).values["spec"].deviceChange
    assert (type(change.device.backing), change.device.backing.id) == (PASSTHROUGH.DeviceBackingInfo, "0000:3b:00.0")


def test_in_process_a_newer_parameter_is_lost_as_well() -> None:
    sim = Simulator.from_lab("simulator/labs/legacy_55.yml")
    stub = sim.stub(version="vim.version.version8")
    stub.connect()
    host = vim.HostSystem(sim.find("HostSystem", sim.describe(sim)["hosts"][0]["name"]).moid, stub)
    spec = vim.host.MaintenanceSpec(vsanMode=vim.vsan.host.DecommissionMode(objectAction="noAction"))
    host.EnterMaintenanceMode_Task(60, False, spec)
    assert "maintenanceSpec" not in sim.journal.calls[-1].args
