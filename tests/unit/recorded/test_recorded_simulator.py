# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator answers as the recorded servers do: types, encodings, what is unset and what is empty. Differences are listed."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pyVmomi import vim

from simulator.objects.config_options import config_option
from simulator.objects.environment import config_target
from tests.unit.recorded import labs, recordings
from tests.unit.recorded.shapes import Shape, differences, sent, shape

LISTED: dict[str, list[dict[str, Any]]] = yaml.safe_load((recordings.RECORDED / "differences.yml").read_text("utf-8"))
TARGETS = {
    "esxi-9-vgpu-config-target": (labs.VGPU_HOST, 1),
    "host-9-config-target": (labs.PLAIN_CLUSTER, 1),
    "cluster-9-config-target": (labs.MOCKUP_CLUSTER, 3),
}
KNOWS_9 = hasattr(vim.host.PciDevice(), "physicalSlot")


def listed(name: str) -> dict[str, str]:
    return {path: forms for group in LISTED[name] for path, forms in group["paths"].items()}


def test_every_entry_has_a_reason_and_every_record_its_entries() -> None:
    assert set(LISTED) == {path.stem for path in recordings.RECORDED.glob("*.xml")}
    for groups in LISTED.values():
        paths = [path for group in groups for path in group["paths"]]
        assert len(paths) == len(set(paths)), "a path is listed once"
        assert all(group["reason"].endswith(".") and group["paths"] for group in groups)


def test_a_recorded_host_loaded_into_a_lab_answers_as_it_did() -> None:
    _sim, (host,) = labs.hosts_of(labs.recorded_host())
    found: dict[str, str] = {}
    for name, value in recordings.host_values().items():
        own = sent(host.get(name), recordings.HOST_API)
        found |= differences(shape(value, name), shape(own, name))
    assert found == listed("esxi-8.0.3-host")


@pytest.mark.skipif(not KNOWS_9, reason="this pyVmomi is older than the recorded hosts")
@pytest.mark.parametrize("name", TARGETS)
def test_a_config_target_of_a_lab_built_alike(name: str) -> None:
    lab, count = TARGETS[name]
    sim, hosts = labs.hosts_of(lab)
    own = sent(config_target(hosts[0], hosts[:count]), sim.api_version)
    assert differences(shape(recordings.config_target(name)), shape(own)) == listed(name)


@pytest.mark.skipif(not KNOWS_9, reason="this pyVmomi is older than the recorded hosts")
@pytest.mark.parametrize("version", recordings.VERSIONS)
def test_config_options_of_every_hardware_version(version: str) -> None:
    sim, (host,) = labs.hosts_of(labs.VGPU_HOST)
    option = config_option(int(version.removeprefix("vmx-")), host.spec.release, host.settings)
    found = differences(shape(recordings.config_option(version)), shape(sent(option, sim.api_version)))
    assert found == listed("esxi-9-vgpu-config-options")


def test_every_recorded_hardware_version_is_compared() -> None:
    assert recordings.config_option_versions() == set(recordings.VERSIONS)


def maxima(option: Any) -> dict[str, Any]:
    """What decides how many devices of which kind a VM may have."""
    devices = {type(item): item for item in option.hardwareOptions.virtualDeviceOption}
    passthrough = devices[vim.vm.device.VirtualPCIPassthroughOption]
    controller = devices[vim.vm.device.VirtualPCIControllerOption]
    return {
        "backings": [str(item.type) for item in passthrough.backingOption],
        "vgpus": [item.maxInstances for item in passthrough.backingOption if hasattr(item, "maxInstances")],
        "devices": controller.numPCIPassthroughDevices.max,
        "slots": controller.devices.max,
        "cards": [str(item.type) for item in devices[vim.vm.device.VirtualSriovEthernetCardOption].backingOption],
        "removed_hot": [passthrough.hotRemoveSupported, controller.hotRemoveSupported],
        "memory": option.hardwareOptions.memoryMB.max,
        "cores": option.hardwareOptions.numCoresPerSocket.max,
    }


@pytest.mark.skipif(not KNOWS_9, reason="this pyVmomi is older than the recorded hosts")
@pytest.mark.parametrize("version", recordings.VERSIONS)
def test_how_many_devices_a_hardware_version_allows(version: str) -> None:
    sim, (host,) = labs.hosts_of(labs.VGPU_HOST)
    own = sent(config_option(int(version.removeprefix("vmx-")), host.spec.release, host.settings), sim.api_version)
    assert maxima(own) == maxima(recordings.config_option(version))


@pytest.mark.skipif(not KNOWS_9, reason="this pyVmomi is older than the recorded hosts")
def test_what_a_host_with_vgpus_offers() -> None:
    """Values, not only forms: the same cards stand in the same lists, ids signed here and unsigned there."""
    sim, (host,) = labs.hosts_of(labs.VGPU_HOST)
    own = sent(config_target(host, [host]), sim.api_version)
    record = recordings.config_target("esxi-9-vgpu-config-target")
    for target in (own, record):
        assert [item.name for item in (*target.pciPassthrough, *target.sriov, *target.dynamicPassthrough)] == [""] * 6
        assert [(item.pciDevice.id, item.pciDevice.vendorId) for item in target.pciPassthrough] == [
            ("0000:05:00.1", -32634)
        ]
        assert [(item.vendorId, item.deviceId) for item in target.dynamicPassthrough] == [(32902, 5490)]
        assert [(item.pciDevice.id, item.pciDevice.bus, item.virtualFunction) for item in target.sriov] == [
            ("0000:8a:00.0", -118, False),
            ("0000:8c:00.0", -116, False),
            ("0000:c1:00.0", -63, False),
            ("0000:c3:00.0", -61, False),
        ]
        assert {item.systemId for item in (*target.pciPassthrough, *target.sriov)} == {target.sriov[0].systemId}
        assert [item.deviceVendorId for item in target.vgpuDeviceInfo] == [0x20F1_10DE]
        assert {item.vgpu for item in target.sharedGpuPassthroughTypes} >= {"grid_a100-10c", "grid_a100-40c"}
        mig = {item.profileName: item.fbSizeInGib for item in target.vgpuProfileInfo if item.profileSharing == "mig"}
        assert mig == {
            "grid_a100-1-5c": 5,
            "grid_a100-2-10c": 10,
            "grid_a100-3-20c": 20,
            "grid_a100-4-20c": 20,
            "grid_a100-7-40c": 40,
            "grid_a100-1-5cme": 5,
            "grid_a100-1-10c": 10,
        }
        assert not set(mig) & {item.vgpu for item in target.sharedGpuPassthroughTypes}


def test_the_target_of_a_cluster_counts_all_its_hosts() -> None:
    sim, hosts = labs.hosts_of(labs.PLAIN_CLUSTER)
    one, all_three = config_target(hosts[0], hosts[:1]), config_target(hosts[0], hosts)
    record_one, record_all = map(recordings.config_target, ("host-9-config-target", "cluster-9-config-target"))
    for small, large in ((one, all_three), (record_one, record_all)):
        for name in ("numCpus", "numCpuCores", "numNumaNodes"):
            assert getattr(large, name) == 3 * getattr(small, name)
        assert large.maxCpusPerHost == small.maxCpusPerHost
    assert sim.internal_errors == []


PLAIN: Shape = {"a": frozenset({"Thing"}), "a.b": frozenset({"a number"}), "a.c": frozenset({"text"})}


@pytest.mark.parametrize(
    ("simulated", "found"),
    [
        ({}, {}),
        ({"a.b": frozenset({"a negative number"})}, {"a.b": "a number | a negative number"}),
        ({"a.c": frozenset({"empty text"})}, {"a.c": "text | empty text"}),
        ({"a.c": frozenset({"text", "unset"})}, {"a.c": "text | text or unset"}),
        ({"a": frozenset({"unset"})}, {"a": "Thing | unset"}),
        ({"a": frozenset({"OtherThing"})}, {"a": "Thing | OtherThing"}),
        ({"a.d": frozenset({"text"})}, {"a.d": "unset | text"}),
    ],
)
def test_what_counts_as_a_difference(simulated: Shape, found: dict[str, str]) -> None:
    assert differences(PLAIN, {**PLAIN, **simulated}) == found
