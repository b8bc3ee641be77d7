# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our readers understand what real servers answered: as pyVmomi does, and with the right meaning."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from pyVmomi import SoapAdapter, vim, vmodl

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.protection import protections
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import Host
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import MemoryState, Vm
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.details import vm_limits
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector.retrieve import Row
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector.values import (
    RowReader,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.read import fabric as read_fabric
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.read.disk_paths import (
    TOPOLOGIES,
    disks_by_adapter,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.read.hosts import host_from_row
from tests.unit.module_utils._vsphere.alike import differences, row_differences
from tests.unit.recorded import labs, recordings
from tests.unit.recorded.shapes import sent

KNOWS_9 = hasattr(vim.host.PciDevice(), "physicalSlot")
BOOT, VSAN, UPLINK = "0000:03:00.0", "0000:0c:00.0", "0000:0b:00.0"


class Everything:
    """A session with a server that knows every field and method; ``browser`` is its only environment browser."""

    def __init__(self, browser: Any = None) -> None:
        self.browser = browser
        self.browsers: dict[str, str] = {}

    def knows(self, kind: Any, name: str) -> bool:
        return True

    def knows_method(self, kind: Any, name: str) -> bool:
        return True

    def reference(self, kind: Any, moid: str) -> Any:
        return self.browser if kind is vim.EnvironmentBrowser else kind(moid)


class Paths(dict[str, Any]):
    """The values of a host by any dotted path below them."""

    def get(self, path: str, default: Any = None) -> Any:
        name, *rest = path.split(".")
        value = super().get(name)
        for part in rest:
            value = getattr(value, part, None)
        return default if value is None else value


def host_of(values: dict[str, Any]) -> Host:
    """A host with its fabric, read by the readers of the modules."""
    row = Row(kind=vim.HostSystem, moid="host-14", values=Paths(values))
    host = host_from_row(row, {})
    with mock.patch.object(read_fabric, "collect_objects", return_value=[row]):
        (deep,) = read_fabric.read_fabric(Everything(), [host])  # type: ignore[arg-type]
    return deep


def test_a_bulk_read_gives_the_same_of_the_recorded_host_as_pyvmomi() -> None:
    element = recordings.host_element()
    kind = vmodl.query.PropertyCollector.ObjectContent
    slow = SoapAdapter.Deserialize(recordings.text_of(element).encode(), kind)
    fast = Row(**RowReader(None).row(element))
    reference = Row(kind=vim.HostSystem, moid="host-14", values={item.name: item.val for item in slow.propSet})
    assert list(row_differences(fast, reference)) == []
    assert [info.dependentDevice for info in fast.values["config"].pciPassthruInfo] == [""] * 48


@pytest.mark.skipif(not KNOWS_9, reason="this pyVmomi is older than the recorded hosts")
@pytest.mark.parametrize("name", recordings.CONFIG_TARGETS)
def test_and_of_the_recorded_config_targets(name: str) -> None:
    element = recordings.config_target_element(name)
    slow = SoapAdapter.Deserialize(recordings.text_of(element).encode(), vim.vm.ConfigTarget)
    element.set(f"{{{recordings.XSI}}}type", "ConfigTarget")
    assert list(differences(RowReader(None).any(element), slow)) == []


@pytest.mark.parametrize("way", ["record", "lab"])
def test_what_the_recorded_host_lives_on(way: str) -> None:
    """The same of the record itself, and of the host that a lab makes of it."""
    host = host_of(recordings.host_values() if way == "record" else of_the_lab())
    bridges = {device.address for device in host.devices if device.is_bridge}
    kept = {address: reasons for address, reasons in protections(host).items() if address not in bridges}
    assert {address: {reason.code for reason in reasons} for address, reasons in kept.items()} == {
        BOOT: {"boot_disk", "disk_in_use", "disk_partitioned"},
        UPLINK: {"last_management_uplink", "uplink_in_service"},
        VSAN: {"disk_in_use", "disk_partitioned"},
    }


def of_the_lab() -> dict[str, Any]:
    _sim, (host,) = labs.hosts_of(labs.recorded_host())
    return {name: sent(host.get(name), recordings.HOST_API) for name in recordings.host_values()}


def test_a_lab_makes_the_same_host_of_the_record() -> None:
    record, lab = host_of(recordings.host_values()), host_of(of_the_lab())
    assert len(record.devices) == 48
    assert lab.devices == record.devices
    assert lab.fabric == record.fabric
    assert lab.capabilities == record.capabilities
    assert (lab.version, lab.connection_state) == (record.version, record.connection_state) == ("8.0.3", "connected")


@pytest.mark.parametrize("said", [*([path] for path in TOPOLOGIES), list(TOPOLOGIES)], ids=str)
def test_each_topology_alone_leads_from_a_disk_to_its_adapter(said: list[str]) -> None:
    storage = recordings.host_values()["config"].storageDevice
    values = {path: getattr(storage, path.rpartition(".")[2]) for path in said}
    row = Row(kind=vim.HostSystem, moid="h", values={**values, "config.storageDevice.scsiLun": storage.scsiLun})
    nvme = {"eui.bf39aeebe2d354a3000c29631c7fc125", "eui.9edd90219f5e2bb1000c2960fb5c7fe7"}
    found = disks_by_adapter(row)
    assert found["key-vim.host.PcieHba-vmhba1"] == nvme
    if said != ["config.storageDevice.nvmeTopology"]:
        assert found["key-vim.host.ParallelScsiHba-vmhba0"] == {f"mpx.vmhba0:C0:T{n}:L0" for n in range(4)}


class Browser:
    """An environment browser that says what the recorded one did."""

    def QueryConfigOptionEx(self, spec: Any) -> Any:
        return recordings.config_option(spec.key)

    def QueryConfigTarget(self, host: Any) -> Any:
        return recordings.config_target("esxi-9-vgpu-config-target")


@pytest.mark.skipif(not KNOWS_9, reason="this pyVmomi is older than the recorded hosts")
def test_limits_and_the_system_id_of_the_recorded_host() -> None:
    host = Host(moid="host-1", name="esx", compute_moid="domain-1")
    vms = [
        Vm(
            moid=f"vm-{version}",
            name=f"vm-{version}",
            host_moid="host-1",
            hardware_version=version,
            memory=MemoryState(size_mb=4),
        )
        for version in (13, 19, 20, 22)
    ]
    browser = Row(kind=vim.ComputeResource, moid="domain-1", values={"environmentBrowser": vim.EnvironmentBrowser("e")})
    rows = {vim.ComputeResource: [browser], vim.ClusterComputeResource: []}
    with mock.patch.object(vm_limits, "collect_named", return_value=rows):
        options = vm_limits.read_options(Everything(Browser()), vms, [host])  # type: ignore[arg-type]
    assert options.limits == {"vm-13": 16, "vm-19": 16, "vm-20": 128, "vm-22": 128}
    assert options.system_ids == {"host-1": "69c2ad94-7c22-3506-dd02-78ac443ae2ea"}
    assert "0000:05:00.1" in (options.offered["host-1"] or ())
