# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk ESXi boots from, told from those that are free."""

from __future__ import annotations

import pytest
from harness import Lab


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
