# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's tables and what it reads out of ansible-playbook's output."""

from __future__ import annotations

from typing import Any

import pytest

from tools.demo_view import (
    Cell,
    Paint,
    card_name,
    device_rows,
    device_word,
    recap,
    role_lines,
    table,
    vm_rows,
    writes_line,
)


def device(address: str, *, enabled: bool = False, active: bool = False, vm: str | None = None) -> dict[str, Any]:
    return {"address": address, "name": "GA100 [A100 PCIe 40GB]", "enabled": enabled, "active": active, "vm": vm}


def vm(name: str, **more: Any) -> dict[str, Any]:
    state = {"name": name, "host": "a", "power": "poweredOff", "memory_mb": 65536, "reserved_mb": 0, "locked": False}
    return {**state, "devices": [], **more}


@pytest.mark.parametrize(
    ("enabled", "active", "word"),
    [
        (False, False, "off"),
        (True, False, "waits for reboot"),
        (True, True, "active"),
        (False, True, "active, off after reboot"),
    ],
)
def test_every_state_of_a_device_has_a_word(enabled: bool, active: bool, word: str) -> None:
    assert device_word(device("x", enabled=enabled, active=active)).text == word


def test_only_devices_that_are_or_were_in_use_are_shown_and_the_host_once() -> None:
    before = {"hosts": [{"name": "a", "devices": [device("1"), device("2"), device("3", enabled=True, active=True)]}]}
    after = {
        "hosts": [{"name": "a", "devices": [device("1", enabled=True, active=True, vm="v"), device("2"), device("3")]}]
    }
    texts = [[cell.text for cell in row] for row in device_rows(before, after)]
    assert texts == [
        ["a", "1  A100 PCIe 40GB", "off", "→", "active", "← v"],
        ["", "3  A100 PCIe 40GB", "active", "→", "off", ""],
    ]


def test_vms_that_changed_or_hold_devices_are_shown() -> None:
    before = {"vms": [vm("new"), vm("idle"), vm("kept", devices=["x"], locked=True, power="poweredOn")]}
    new = vm("new", host="b", power="poweredOn", devices=["x", "y"], locked=True)
    after = {"vms": [new, vm("idle"), before["vms"][2]]}
    texts = [[cell.text for cell in row] for row in vm_rows(before, after)]
    assert texts == [
        ["new", "a → b", "off → on", "0 → 2", "0 of 64 GB reserved → all 64 GB reserved"],
        ["kept", "a", "on", "1", "all 64 GB reserved"],
    ]


def test_colour_does_not_count_for_the_width() -> None:
    rows = [[Cell("aa", ("green",)), Cell("x")], [Cell("a"), Cell("y")]]
    plain, coloured = table(("h", "i"), rows, Paint(False)), table(("h", "i"), rows, Paint(True))
    assert plain.splitlines()[2:] == ["  aa  x", "  a   y"]
    assert "\033[32maa\033[0m  x" in coloured
    assert "\033" not in plain


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("GA100 [A100 PCIe 40GB]", "A100 PCIe 40GB"),
        ("C620 SATA Controller [AHCI mode]", "C620 SATA Controller [AHCI mode]"),
        ("N" * 40, "N" * 33 + "…"),
    ],
)
def test_card_names(name: str, short: str) -> None:
    assert card_name(name) == short


def test_writes_are_counted_by_method() -> None:
    assert writes_line([]) == "no write"
    writes = [{"method": "UpdatePassthruConfig"}] * 2 + [{"method": "RebootHost_Task"}]
    assert writes_line(writes) == "3 writes: UpdatePassthruConfig ×2, RebootHost"


OUTPUT = """
TASK [directpath.vsphere.enable_devices : Store the result] *********************
ok: [vc] => {
    "msg": ["not this"]
}

TASK [directpath.vsphere.enable_devices : Show the result] ******************
ok: [vc] => {
    "msg": [
        "a: changed",
        "  x off → on"
    ]
}
ok: [vc-2] => {
    "msg": "b: in sync"
}

TASK [directpath.vsphere.verify : Show that nothing is left to do] *************
ok: [vc-3] => {
    "msg": [
        "nothing is left to do"
    ]
}

PLAY RECAP *********************************************************************
vc                         : ok=6    changed=3    unreachable=0    failed=0    skipped=1    rescued=0    ignored=0
vc-2                       : ok=6    changed=0    unreachable=0    failed=1    skipped=1    rescued=0    ignored=0
"""


def test_what_the_roles_told_and_the_recap_are_found() -> None:
    assert role_lines(OUTPUT) == ["a: changed", "  x off → on", "b: in sync", "nothing is left to do"]
    assert recap(OUTPUT) == {"vc": (3, 0), "vc-2": (0, 1)}
