# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator loads a capture as a lab: written by hand from the published format, so that it is not read by its own writer alone."""

from __future__ import annotations

import copy
import dataclasses
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from pyVmomi import vim

from simulator import Simulator
from simulator.lab.hardware.cards import LabError
from simulator.rules.boots import OTHER_TIMES

ABOUT = {
    "_t": "AboutInfo", "name": "VMware vCenter Server", "fullName": "x", "vendor": "VMware, Inc.", "version": "8.0.3", "build": "1",
    "osType": "linux-x64", "productLineId": "vpx", "apiType": "VirtualCenter", "apiVersion": "8.0.3.0",
}  # fmt: skip
CARD = {
    "_t": "HostPciDevice", "id": "0000:3b:00.0", "classId": 770, "bus": 59, "slot": 0, "function": 0, "vendorId": 4318, "deviceId": 8433,
    "subVendorId": 4318, "subDeviceId": 5215, "vendorName": "NVIDIA Corporation", "deviceName": "GA100 [A100 PCIe 40GB]",
}  # fmt: skip
STATE = {"_t": "HostPciPassthruInfo", "id": "0000:3b:00.0", "dependentDevice": "0000:3b:00.0", "passthruEnabled": True,
         "passthruCapable": True, "passthruActive": False}  # fmt: skip
HOST: dict[str, Any] = {
    "name": "esx-01.lab",
    "parent": {"_r": "ClusterComputeResource:domain-c-8"},
    "runtime.connectionState": "connected",
    "runtime.powerState": "poweredOn",
    "runtime.bootTime": "2026-02-03T04:05:06Z",
    "summary.quickStats.overallCpuUsage": 77,
    "config.product": {**ABOUT, "name": "VMware ESXi", "build": "24022510"},
    "config.pciPassthruInfo": [STATE],
    "config.network.vswitch": [
        {
            "_t": "HostVirtualSwitch",
            "name": "vSwitch0",
            "key": "key-vim.host.VirtualSwitch-vSwitch0",
            "numPorts": 1234,
            "numPortsAvailable": 5,
            "spec": {"_t": "HostVirtualSwitchSpec", "numPorts": 128},
        }
    ],
    "hardware.pciDevice": [{"$": 0}],
    "hardware.memorySize": 549755813888,
}
CAPTURE: dict[str, Any] = {
    "format": "directpath.vsphere.capture",
    "version": 1,
    "anonymized": False,
    "server": {"kind": "vcenter", "api": "8.0.3.0", "time": "2026-02-23T04:05:06Z", "root": "group-d1", "about": ABOUT, "settings": {}},
    "computed": [],
    "notes": [],
    "paths": {"HostSystem": [*HOST, "config.network.pnic", "runtime.standbyMode"], "Folder": ["name", "parent"]},
    "reboots": {"host-12": [100, 400, 130]},
    "tags": None,
    "shared": [CARD],
    "targets": {},
    "partitions": {"host-12": None},
    "objects": [
        {"type": "Datacenter", "id": "datacenter-2", "values": {"name": "DC", "parent": {"_r": "Folder:group-d1"},
         "hostFolder": {"_r": "Folder:group-h3"}, "vmFolder": {"_r": "Folder:group-v4"}}},
        {"type": "Folder", "id": "group-h3", "values": {"name": "host", "parent": {"_r": "Datacenter:datacenter-2"}}},
        {"type": "Folder", "id": "group-v4", "values": {"name": "vm", "parent": {"_r": "Datacenter:datacenter-2"}}},
        {"type": "ClusterComputeResource", "id": "domain-c-8", "values": {"name": "c%2f1", "parent": {"_r": "Folder:group-h3"}}},
        {"type": "HostSystem", "id": "host-12", "values": HOST, "missing": {"summary.rebootRequired": "NoPermission"}},
    ],
}  # fmt: skip


def write(folder: Path, raw: Any = CAPTURE, name: str = "capture.json") -> Path:
    path = folder / name
    text = raw if isinstance(raw, str) else json.dumps(raw)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def load(folder: Path, **more: Any) -> Any:
    write(folder)
    return Simulator.from_lab({"capture": str(folder / "capture.json"), **more})


@pytest.mark.parametrize("name", ["capture.json", "capture.json.gz"])
def test_file_loads_in_the_place_of_a_lab(name: str, tmp_path: Path) -> None:
    sim = Simulator.from_lab(write(tmp_path, name=name))
    host = sim.obj("host-12")
    assert (host.name, host.up.name, host.up.moid) == ("esx-01.lab", "c%2f1", "domain-c-8")
    assert sim.clock.now().isoformat() == "2026-02-23T04:05:06+00:00"
    assert host.boot_time.isoformat() == "2026-02-03T04:05:06+00:00"
    assert host.settings.boot_seconds == 130.0
    assert (host.spec.memory_gb, host.spec.build) == (512, "24022510")


def test_values_are_shown_and_the_model_lives(tmp_path: Path) -> None:
    """A value without a model stays; a reboot still changes the devices."""
    sim = load(tmp_path)
    host = sim.obj("host-12")
    assert host.get("summary.quickStats").overallCpuUsage == 77
    assert [info.passthruActive for info in host.get("config.pciPassthruInfo")] == [False]
    connected = sim.stub().connect()
    found = vim.HostSystem("host-12", connected._stub)
    assert found.hardware.pciDevice[0].deviceName == "GA100 [A100 PCIe 40GB]"
    found.EnterMaintenanceMode_Task(0)
    sim.clock.sleep(60)
    found.RebootHost_Task(False)
    sim.clock.sleep(600)
    assert host.connection == "connected"
    assert [info.passthruActive for info in host.get("config.pciPassthruInfo")] == [True]
    assert host.get("runtime.bootTime").isoformat() > "2026-02-23"
    assert [switch.numPorts for switch in host.get("config.network.vswitch")] == [1234], (
        "the reboot changed nothing here"
    )


def test_a_property_that_the_server_refused_is_refused(tmp_path: Path) -> None:
    host = load(tmp_path).obj("host-12")
    assert isinstance(host.missing("summary.rebootRequired"), vim.fault.NoPermission)
    assert host.missing("name") is None


def test_live_value_is_the_captured_one_until_the_model_comes_to_another(tmp_path: Path) -> None:
    host = load(tmp_path).obj("host-12")
    stats = host.get("summary.quickStats")
    assert (stats.overallCpuUsage, stats.overallMemoryUsage) == (77, 8192), "what was not captured is that of the model"
    assert host.get("summary.quickStats").overallCpuUsage == 77, "at the second read, too"
    host.spec = dataclasses.replace(host.spec, cores=host.spec.cores + 90, memory_gb=4)
    assert host.get("summary.quickStats").overallMemoryUsage == 4096


def test_lab_can_add_accounts_and_knobs(tmp_path: Path) -> None:
    sim = load(
        tmp_path, knobs={"boot_result": "never_returns"}, users=[{"name": "me@site", "password": "x", "role": "Admin"}]
    )
    assert sim.obj("host-12").settings.boot_result == "never_returns"
    assert list(sim.authz.users) == ["me@site"]


def test_lab_cannot_say_what_the_capture_says(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="datacenters cannot be given with capture"):
        load(tmp_path, datacenters=[{"name": "DC2"}])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": "other"}, "format is not directpath.vsphere.capture"),
        ({"version": 2}, "reads version 1"),
        ({"shared": []}, "IndexError"),
        ({"objects": [{"type": "NoSuchType", "id": "x", "values": {}}]}, "NoSuchType"),
        ({"objects": [{"type": "HostSystem", "id": "x", "values": {"no.such": 1}}]}, "no"),
        ({"objects": [{"type": "HostSystem", "id": "host-1", "values": {"name": "alone"}}]}, "no compute resource"),
        ({"server": {}}, "time"),
    ],
)
def test_what_is_no_capture_is_refused(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    path = write(tmp_path, {**copy.deepcopy(CAPTURE), **change})
    with pytest.raises(LabError, match=says):
        Simulator.from_lab(path)


@pytest.mark.parametrize(("name", "text"), [("a.json", "no json"), ("a.json", "[]"), ("b.json.gz", "")])
def test_what_cannot_be_read_is_refused(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(LabError, match="is no capture"):
        Simulator.from_lab(path)
    with pytest.raises(LabError, match="is no capture"):
        Simulator.from_lab(tmp_path / "none.json")


@pytest.mark.parametrize("place", [*range(0, 60, 7), -9, -5, -1])
def test_damaged_file_is_refused(place: int, tmp_path: Path) -> None:
    """Each damage gives the error of a capture, or one of a value, and never a traceback."""
    path = write(tmp_path, name="a.json.gz")
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    if place in (7, -1):  # time of compression, or a byte of the length
        content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(LabError, match=r"a\.json\.gz"):
        Simulator.from_lab(path)


def test_endless_nesting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="is no capture"):
        Simulator.from_lab(write(tmp_path, "[" * 100_000))


def test_a_host_without_past_boots_takes_those_of_its_model_or_else_of_all(tmp_path: Path) -> None:
    raw = copy.deepcopy(CAPTURE)
    (host,) = [item for item in raw["objects"] if item["type"] == "HostSystem"]
    raw["paths"]["HostSystem"].append("hardware.systemInfo")
    past = {
        "host-12": ("a", [100, 400, 130]),
        "host-13": ("a", [140]),
        "host-14": ("b", [1000]),
        "host-15": ("a", None),
        "host-16": ("c", None),
    }
    raw["reboots"] = {moid: seconds for moid, (_model, seconds) in past.items() if seconds}
    raw["objects"].remove(host)
    for moid, (model, _seconds) in past.items():
        system = {"_t": "HostSystemInfo", "vendor": "v", "model": model, "uuid": "00000000-0000-0000-0000-000000000000"}
        values = {**host["values"], "name": f"{moid}.lab", "hardware.systemInfo": system}
        raw["objects"].append({"type": "HostSystem", "id": moid, "values": values})
    sim = Simulator.from_lab(write(tmp_path, raw))
    assert [sim.obj(moid).settings.boot_seconds for moid in past] == [130.0, 140.0, 1000.0, 135.0, 140.0]
    assert [len(sim.obj(moid).spec.past_boots) for moid in past] == [3, 1, 1, 1, 1]
    raw["reboots"] = {}
    assert Simulator.from_lab(write(tmp_path, raw)).obj("host-15").settings.boot_seconds == 300.0


def test_times_that_a_capture_does_not_show_differ_in_each_rehearsal(tmp_path: Path) -> None:
    assert load(tmp_path).knobs.turned == {}
    first, second = (load(tmp_path, boot_spread={"seed": seed}).knobs for seed in (1, 2))
    assert first.turned.keys() == second.turned.keys() == set(OTHER_TIMES)
    assert first.migrate_seconds != second.migrate_seconds
    assert load(tmp_path, boot_spread={"seed": 1, "others": 1}).knobs.turned == {}
