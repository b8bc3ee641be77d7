# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input to vm_pci_device for vGPUs, vendor device groups, DVX devices, NUMA nodes, and the settings that go with devices."""

from __future__ import annotations

from typing import Any

from tests.unit.modules.bad_input.cases import Case
from tests.unit.modules.bad_input.vm_cases import TWO, attach
from tests.unit.modules.harness import Lab
from tests.unit.modules.vm_pci_device.unit_labs import DVX, DVX_CLASSES, GROUP, MIXED_GROUP, QUARTER, WHOLE
from tests.unit.pains.labs import A100, GPUS, host, lab, vm

SHARED: dict[str, Any] = {
    "cards": GPUS,
    "shared_gpus": {"a100": {"disk_snapshot": True}},
    "device_groups": [
        {"name": GROUP, "parts": [{"vgpu": WHOLE}, {"vgpu": WHOLE}]},
        {"name": MIXED_GROUP, "parts": [{"vgpu": WHOLE}, {"nic": "com.example.dvx.nic"}]},
    ],
    "dvx_classes": DVX_CLASSES,
}


def shared(release: str = "8.0.3", **more: Any) -> Lab:
    """A host that offers vGPUs, groups and DVX classes, and ``train-01``."""
    return lab([host(version=release, **SHARED)], [vm(**{"version": 20, **more})], version=release)


def wants(title: str, code: str, says: tuple[str, ...], *entries: Any, **more: Any) -> Case:
    options = {"devices": list(entries), **more.pop("options", {})}
    return attach(title, code, says, options=options, lab=more.pop("lab", shared), **more)


VGPUS = [
    wants("a vGPU profile that no host offers", "unknown_profile", (QUARTER, "is meant"), {"vgpu": "grid_a100-10"}),
    wants(
        "a vGPU on hosts without vGPUs",
        "unknown_profile",
        ("train-01", "no host of cluster gpu offers vGPUs", "sharedDirect"),
        {"vgpu": QUARTER},
        lab=lambda: lab([host(cards=TWO)], [vm(version=20)]),
    ),
    wants("a vGPU profile as a number", "bad_devices", ("vgpu 40", "not a name"), {"vgpu": 40}),
    wants("two kinds in one entry", "bad_devices", ("vgpu and group",), {"vgpu": QUARTER, "group": GROUP}),
    wants("a vGPU that is selected too", "bad_devices", ("match and vgpu",), {"vgpu": QUARTER, "match": A100}),
    wants("a misspelled key of a vGPU", "bad_devices", ("cuont", "count is meant"), {"vgpu": QUARTER, "cuont": 2}),
    wants("no vGPU", "bad_count", ("count 0", "remove the entry"), {"vgpu": QUARTER, "count": 0}),
    wants("all vGPUs", "bad_count", ("'all'", "whole number"), {"vgpu": QUARTER, "count": "all"}),
    wants("one profile twice", "duplicate_wish", (QUARTER, "count"), {"vgpu": QUARTER}, {"vgpu": QUARTER, "count": 2}),
    wants(
        "a setting of a vGPU with its whole key",
        "bad_devices",
        ("pciPassthru0.cfg.enable_uvm", "only what follows"),
        {"vgpu": QUARTER, "advanced": {"pciPassthru0.cfg.enable_uvm": "1"}},
    ),
    wants(
        "a setting of a vGPU that is a boolean",
        "bad_devices",
        ("advanced.enable_uvm True", "whole number"),
        {"vgpu": QUARTER, "advanced": {"enable_uvm": True}},
    ),
    wants(
        "different settings for vGPUs of one profile",
        "contradicting_wishes",
        (QUARTER, "same advanced settings"),
        {"vgpu": QUARTER, "numa_node": 0, "advanced": {"enable_uvm": "1"}},
        {"vgpu": QUARTER, "numa_node": 1},
    ),
    wants(
        "more vGPUs than the hardware version allows",
        "too_many_devices",
        ("train-01", "9", "8"),
        {"vgpu": QUARTER, "count": 9},
    ),
    wants(
        "a vGPU in a session that does not know it",
        "api_too_old",
        ("train-01 cannot have a vGPU", "6.0"),
        {"vgpu": QUARTER},
        lab=lambda: lab([host(cards=[], version="5.5.0")], [vm(version=10, extra={})], version="5.5.0"),
    ),
]

GROUPS = [
    wants("a group that no host offers", "unknown_group", ("train-01", GROUP), {"group": "Nvidia:2@grid_a100-40c"}),
    wants("a group with a network adapter", "group_unsupported", (MIXED_GROUP, "whole"), {"group": MIXED_GROUP}),
    wants("a group without a name", "bad_devices", ("group ''", "not a name"), {"group": ""}),
    wants("a part of a group", "bad_count", ("count 0.5",), {"group": GROUP, "count": 0.5}),
    wants("settings of a group", "bad_devices", ("unknown key advanced",), {"group": GROUP, "advanced": {"a": "1"}}),
    wants("a NUMA node of a group", "bad_devices", ("unknown key numa_node",), {"group": GROUP, "numa_node": 0}),
    wants(
        "a group in a session that does not know it",
        "api_too_old",
        ("train-01 cannot have a vendor device group", "8.0.0.1", "7.0.3"),
        {"group": GROUP},
        lab=lambda: lab([host(cards=TWO, version="7.0.3")], [vm(version=19)], version="7.0.3"),
    ),
]

DVX_DEVICES = [
    wants("a DVX class that no host offers", "unknown_dvx_class", (f"{DVX} is meant",), {"dvx": {"class": f"{DVX}x"}}),
    wants("a DVX class without its key", "bad_devices", ("dvx 'com.example.dvx'", "not a mapping"), {"dvx": DVX}),
    wants("a DVX device without a class", "bad_devices", ("names no class",), {"dvx": {"parameters": {"size": 1}}}),
    wants("a misspelled key of a DVX device", "bad_devices", ("class is meant",), {"dvx": {"clas": DVX}}),
    wants(
        "a DVX parameter that is a list",
        "bad_devices",
        ("parameters.size", "not a string, a number or a boolean"),
        {"dvx": {"class": DVX, "parameters": {"size": [1]}}},
    ),
    wants(
        "a DVX parameter that is out of its range",
        "dvx_parameter",
        ("size: 101", "greater than 100"),
        {"dvx": {"class": DVX, "parameters": {"mode": "1", "size": 101}}},
    ),
    wants("a DVX parameter that is missing", "dvx_parameter", ("needs the parameter mode",), {"dvx": {"class": DVX}}),
    wants(
        "a DVX device on old hardware",
        "hardware_version",
        ("train-01 has hardware version 19", "20"),
        {"dvx": {"class": DVX, "parameters": {"mode": "1"}}},
        lab=lambda: shared(version=19),
    ),
    wants(
        "a DVX device in a session that does not know it",
        "api_too_old",
        ("train-01 cannot have a DVX device", "8.0.0.1"),
        {"dvx": {"class": DVX}},
        lab=lambda: lab([host(cards=TWO, version="7.0.3")], [vm(version=19)], version="7.0.3"),
    ),
]

NODES = [
    wants(
        "a NUMA node in words",
        "bad_numa_node",
        ("numa_node 'first'",),
        {"match": A100, "numa_node": "first"},
    ),
    wants(
        "a NUMA node that is a boolean",
        "bad_numa_node",
        ("True", "from -1 to 63"),
        {"vgpu": QUARTER, "numa_node": True},
    ),
    wants("a NUMA node that is out of range", "bad_numa_node", ("64", "-1 to 63"), {"match": A100, "numa_node": 64}),
    wants(
        "a NUMA node on old hardware",
        "numa_node_unsupported",
        ("train-01 has hardware version 19", "minimum_hardware_version: 20"),
        {"vgpu": QUARTER, "numa_node": 0},
        lab=lambda: shared(version=19),
    ),
    wants(
        "a NUMA node beyond the CPUs of the VM",
        "no_such_numa_node",
        ("train-01 has 4 virtual CPUs", "no virtual NUMA node 4"),
        {"vgpu": QUARTER, "numa_node": 4},
    ),
]


def _limit_cpu(made: Lab) -> None:
    with made.sim.find("VirtualMachine", "train-01").edit("config") as config:
        config.cpuAllocation.limit = 2000


def _hide_rules(made: Lab) -> None:
    made.sim.find("ClusterComputeResource", "gpu").set("configurationEx", None)


SETTINGS = [
    attach(
        "a latency sensitivity that does not exist",
        None,
        ("latency_sensitivity", "hihg"),
        options={"latency_sensitivity": "hihg"},
    ),
    attach(
        "low latency with a CPU limit",
        "cpu_limit",
        ("train-01 has a CPU limit of 2000 MHz", "Remove the CPU limit"),
        options={"latency_sensitivity": "high"},
        setup=_limit_cpu,
    ),
    attach(
        "low latency on a server that does not know it",
        "api_too_old",
        ("train-01", "latency sensitivity", "5.1"),
        options={"latency_sensitivity": "high", "devices": [], "state": "exactly"},
        lab=lambda: lab([host(cards=[], version="5.0.0")], [vm(version=8, extra={})], version="5.0.0"),
    ),
    attach(
        "a VM-host rule in a cluster whose rules cannot be read",
        "rules_unreadable",
        ("rules", "gpu"),
        options={"pin_to_host": True, "backing": "fixed"},
        setup=_hide_rules,
    ),
    attach("a VM-host rule in words", None, ("pin_to_host", "maybe"), options={"pin_to_host": "maybe"}),
    attach(
        "a hardware version of the next decade",
        "bad_amount",
        ("minimum_hardware_version is 200", "7 to 99"),
        options={"minimum_hardware_version": 200},
    ),
]

CASES = [*VGPUS, *GROUPS, *DVX_DEVICES, *NODES, *SETTINGS]
