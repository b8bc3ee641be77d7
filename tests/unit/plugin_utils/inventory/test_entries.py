# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of an inventory and the groups that follow from them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import Host, HostDevice, Sriov
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import (
    AllowedDevice,
    DynamicBacking,
    VmDevice,
)
from ansible_collections.directpath.vsphere.plugins.plugin_utils.inventory.entries import (
    GROUPINGS,
    facts,
    groups,
    host_entry,
    vm_entry,
)
from tests.unit.module_utils._domain import strategies
from tests.unit.module_utils._domain.vm.builders import guest


def card(address: str, **more: bool | str) -> HostDevice:
    given = {"capable": True, "enabled": False, "active": False, **more}
    return replace(strategies.device(address), **given)  # type: ignore[arg-type]


def test_a_host_in_every_group() -> None:
    pending = card("0000:3b:00.0", enabled=True, reported=True, label="x1")
    host = Host(
        moid="host-1", name="esx-01", cluster="gpu a", version="8.0.3", connection_state="disconnected",
        in_maintenance_mode=True, devices=(pending, card("0000:3c:00.0")),
    )  # fmt: skip
    entry = host_entry(host, "vc-a")
    assert groups(entry, GROUPINGS) == [
        "esxi_hosts", "vcenter_vc-a", "cluster_gpu a", "pci_10de:20f1", "label_x1", "pending_reboot", "maintenance_mode",
        "disconnected", "esxi_8.0.3",
    ]  # fmt: skip
    assert entry["models"] == {"10de:20f1": {"capable": 2, "enabled": 1, "active": 0}}
    assert groups(entry, ["device"], "active") == ["esxi_hosts"]
    assert groups(entry, []) == ["esxi_hosts"]


def test_a_host_with_virtual_functions() -> None:
    sriov = Sriov(capable=True, enabled=True, active=True, requested=8, current=4, maximum=64)
    ports = [strategies.device(f"0000:3b:00.{port}", strategies.X710, sriov=sriov) for port in range(2)]
    idle = strategies.device("0000:5e:00.0", {**strategies.X710, "device_id": "1563"}, sriov=Sriov(maximum=63))
    gpu = strategies.device("0000:86:00.0", sriov=replace(sriov, requested=0, enabled=False))
    entry = host_entry(Host(moid="h", name="a", devices=(*ports, idle, gpu)), "vc")
    assert entry["virtual_functions"] == {
        "8086:1563": {"functions": 1, "configured": 0, "present": 0, "maximum": 63},
        "8086:1572": {"functions": 2, "configured": 16, "present": 8, "maximum": 128},
    }
    assert groups(entry, ["sriov"]) == ["esxi_hosts", "sriov"]
    assert groups({**entry, "virtual_functions": {}}, ["sriov"]) == ["esxi_hosts"]
    assert groups({key: value for key, value in entry.items() if key != "virtual_functions"}, ["sriov"]) == [
        "esxi_hosts"
    ], "an entry in the cache of an earlier release has none"


def test_a_host_of_its_own_has_no_cluster_and_a_bare_one_no_models() -> None:
    entry = host_entry(Host(moid="ha-host", name="esx", devices=(card("0000:3b:00.0", capable=False),)), "esx")
    assert groups(entry, GROUPINGS) == ["esxi_hosts", "vcenter_esx"]
    assert entry["models"] == {}


def test_a_vm_is_in_the_group_of_each_model_it_may_get() -> None:
    models = tuple(AllowedDevice(vendor_id="10de", device_id=device) for device in ("20f1", "1eb8"))
    device = VmDevice(key=13000, label="PCI device 0", backing=DynamicBacking(allowed=models, custom_label="night"))
    entry = vm_entry(guest("train-01", device), "vc-a")
    assert entry["models"] == {"10de:1eb8/10de:20f1": 1}
    found = groups(entry, ["device", "label"])
    assert found == ["vms_with_devices", "vms_pci_10de:1eb8", "vms_pci_10de:20f1", "vms_label_night"]


@pytest.mark.parametrize("name", ["name", "vcenter"])
def test_facts_leave_out_what_other_variables_say(name: str) -> None:
    found = facts(host_entry(Host(moid="h", name="a"), "vc"))
    assert f"directpath_{name}" not in found
    assert found["directpath_moid"] == "h"


@given(strategies.hosts())
def test_an_entry_survives_the_cache(host: Host) -> None:
    """What a cache plugin stores as JSON gives the same groups."""
    entry = host_entry(host, "vc")
    kept = json.loads(json.dumps(entry))
    assert kept == entry
    assert groups(kept, GROUPINGS) == groups(entry, GROUPINGS)


def test_a_cluster_whose_name_another_one_has_is_a_group_by_its_path() -> None:
    twin = Host(moid="host-1", name="esx-01", cluster="/Lyon/host/Cluster1", path="Lyon/host/Cluster1/esx-01")
    entry = host_entry(twin, "vc-a")
    assert groups(entry, ["cluster"]) == ["esxi_hosts", "cluster_Lyon/host/Cluster1"]
    assert facts(entry)["directpath_cluster"] == "/Lyon/host/Cluster1"
    assert facts(entry)["directpath_path"] == "Lyon/host/Cluster1/esx-01"
