# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest
from pyVmomi import vim

from simulator.api import data


def test_new_equals_the_constructor() -> None:
    quick = data.new(vim.host.PciDevice, id="0000:00:01.0", vendorId=-32634)
    slow = vim.host.PciDevice(id="0000:00:01.0", vendorId=-32634)
    assert data.same(quick, slow)
    assert quick.__dict__.keys() == slow.__dict__.keys()


def test_new_refuses_a_field_that_does_not_exist() -> None:
    with pytest.raises(AttributeError, match=r"vim\.host\.PciDevice has no field vendor"):
        data.new(vim.host.PciDevice, vendor=1)


def test_new_types_lists_and_shares_none() -> None:
    first, second = data.new(vim.host.NumaNode, pciId=["a"]), data.new(vim.host.NumaNode)
    first.cpuID.append(1)
    assert second.cpuID == []
    assert type(first.pciId) is type(vim.host.NumaNode().pciId)


def test_clone_is_deep_and_same_sees_every_level() -> None:
    original = data.new(vim.vm.ConfigSpec, deviceChange=[vim.vm.device.VirtualDeviceSpec(operation="add")])
    copied = data.clone(original)
    assert data.same(original, copied)
    copied.deviceChange[0].operation = "remove"
    assert not data.same(original, copied)
    assert original.deviceChange[0].operation == "add"


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("config", "config", True),
        ("config", "config.hardware", True),
        ("config.hardware.device[4000].key", "config.hardware.device", True),
        ("config", "configManager", False),
        ("a.b", "a.c", False),
    ],
)
def test_overlap(left: str, right: str, expected: bool) -> None:
    assert data.overlap(left, right) is expected
    assert data.overlap(right, left) is expected


def test_changed_paths_are_the_narrowest() -> None:
    old = data.new(vim.host.RuntimeInfo, connectionState="connected", powerState="poweredOn")
    new = data.clone(old)
    new.connectionState, new.inMaintenanceMode = "notResponding", True
    assert sorted(data.changed_paths("runtime", old, new)) == ["runtime.connectionState", "runtime.inMaintenanceMode"]
    assert data.changed_paths("runtime", old, data.clone(old)) == []
    assert data.changed_paths("runtime", old, None) == ["runtime"]


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("name", [("name", None)]),
        (
            "config.hardware.device[4000].backing",
            [("config", None), ("hardware", None), ("device", "4000"), ("backing", None)],
        ),
        ('info["a.b"].x', [("info", '"a.b"'), ("x", None)]),
    ],
)
def test_split(path: str, parts: list[tuple[str, str | None]]) -> None:
    assert data.split(path) == parts


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "a[1", "a[1]b", "[1]"])
def test_split_refuses(path: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(path)}$"):
        data.split(path)
