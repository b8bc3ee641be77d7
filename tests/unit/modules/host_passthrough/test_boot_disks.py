# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk ESXi boots from, told from those that are free."""

from __future__ import annotations

import pytest

from tests.unit.modules.harness import Lab


@pytest.mark.parametrize(
    ("lab", "host"), [("demo", "legacy-01.lab"), ("standalone_67", "esx-67.lab"), ("demo", "gpu-01.lab")]
)
def test_the_boot_disk_is_known_on_old_releases_too(lab: str, host: str) -> None:
    """The API calls ESXi's own partitions "none" on GPT disks; only their GUIDs tell. A free disk is not kept as a possible boot
    disk, and the one that ESXi boots from is named as such."""
    found = Lab.load(lab).run("host_pci_device_info", hosts=[host], gather_partitions=True)["hosts"][0]["devices"]
    disks = [device for device in found if device["class_id"] == "0108"]
    booted = [
        device["address"] for device in disks if any("the disk ESXi boots from" in why for why in device["protected"])
    ]
    assert booted == ["0000:01:00.0"]
    assert [device for device in disks if not device["protected"]]
    assert not any("not known" in why for device in found for why in device["protected"])


@pytest.mark.parametrize("in_scsi", [True, False])
def test_a_disk_keeps_its_controller_whichever_topology_names_it(in_scsi: bool) -> None:
    """NVMe over fabrics and plug-ins of others are not in scsiTopology."""
    lab = Lab.load("demo")
    lab.sim.knobs.set("nvme_in_scsi_topology", in_scsi)
    (host,) = lab.run("host_pci_device_info", hosts=["gpu-01.lab"], gather_partitions=True)["hosts"]
    kept = {
        device["address"]: " ".join(device["protected"]) for device in host["devices"] if device["class_id"] == "0108"
    }
    assert "the disk ESXi boots from" in kept["0000:01:00.0"]
    assert "holds datastore" in kept["0000:af:00.0"]
    assert kept["0000:86:00.0"] == "", "a free disk is free all the same"
    nvme = {"hosts": ["gpu-01.lab"], "devices": [{"match": {"class_id": "0108"}, "count": 1}]}
    assert [change["subject"] for change in lab.run("host_passthrough", **nvme)["changes"]] == ["0000:86:00.0"]


def test_a_controller_with_two_adapters_is_kept_for_the_disk_of_the_second() -> None:
    sata = {"card": "sata-boot", "at": "3b", "adapters": 2}
    host = {"name": "esx-01.lab", "chassis": "bare", "cards": [sata, {"card": "nvme", "at": "5e"}]}
    lab = Lab.load({"kind": "vcenter", "version": "8.0.3", "datacenters": [{"name": "DC", "hosts": [host]}]})
    (found,) = lab.run("host_pci_device_info", hosts=["esx-01"], gather_partitions=True)["hosts"]
    kept = {device["address"]: device["protected"] for device in found["devices"]}
    assert "vmhba64 leads to" in kept["0000:3b:00.0"][0]
    assert "the disk ESXi boots from" in kept["0000:3b:00.0"][0]
    assert kept["0000:5e:00.0"] == []
