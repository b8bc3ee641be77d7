# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest is expected to see, from an intent and from attached devices."""

from __future__ import annotations

from ansible_collections.directpath.vsphere.plugins.plugin_utils.guest.expected import (
    commands_of,
    expectations_from_devices,
    expectations_of,
)


def test_expectations_of_an_intent() -> None:
    entries = [
        {"match": "10de:20f1", "count": 2, "driver": "nvidia", "command": "true"},
        {"match": "8086", "driver": ["nvme"], "works": "nvme"},
        {"match": "15b3", "command": "exit 1"},
    ]
    first, second, third = expectations_of(entries)
    assert (first.ids, first.count, first.drivers, first.command) == (("10de:20f1",), 2, ("nvidia",), 0)
    assert (second.drivers, second.works, second.command, third.command) == (("nvme",), "nvme", None, 1)
    assert commands_of(entries) == ("true", "exit 1")


def test_expectations_from_attached_devices() -> None:
    fixed = {"backing": "fixed", "vendor_id": "10de", "device_id": "20f1"}
    either = [{"vendor_id": "10de", "device_id": "20f1"}, {"vendor_id": "10de", "device_id": "20b0"}]
    dynamic = {"backing": "dynamic", "allowed": either}
    found = expectations_from_devices([fixed, fixed, dynamic, {"backing": "vgpu", "profile": "grid"}])
    assert [(one.ids, one.count) for one in found] == [(("10de:20f1",), 2), (("10de:20b0", "10de:20f1"), 1)]
