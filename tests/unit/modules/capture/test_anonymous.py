# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing of a site is in an anonymized capture: labs with marked texts in every place where people write, and none is found."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from pyVmomi import vim

from tests.unit.modules.capture.twins import NAMES, capture
from tests.unit.modules.harness import Lab

MARK = "zqxsecret"
LAB: dict[str, Any] = {
    "kind": "vcenter",
    "version": "8.0.3",
    "name": f"vc-{MARK}1.lab",
    "tag_categories": [{"name": f"Category {MARK}2"}],
    "compute_policies": [
        {"name": f"Policy {MARK}3", "capability": "vm.evacuation.best_effort_restart", "tag": f"Category {MARK}2/Tag {MARK}4"}
    ],
    "datacenters": [
        {
            "name": f"DC {MARK}5",
            "folder": f"folder {MARK}6",
            "clusters": [
                {
                    "name": f"cluster-{MARK}7",
                    "folder": f"hosts {MARK}8",
                    "alarms": [f"Alarm of {MARK}9"],
                    "custom_values": {f"Owner {MARK}10": f"team {MARK}11"},
                    "tags": [f"Category {MARK}2/Tag {MARK}4"],
                    "pools": [{"name": f"pool {MARK}12"}, {"name": f"a%2fb {MARK}42"}],
                    "hosts": [
                        {
                            "name": f"esx-{MARK}13.lab",
                            "vendor": f"Vendor {MARK}14",
                            "model": f"Model {MARK}15",
                            "cards": [
                                {"card": "a100", "label": f"label-{MARK}16", "enabled": True, "active": True},
                                *("nvme", "nvme-data", "hba"),
                            ],
                            "nfs": [f"nfs-{MARK}17"],
                            "switches": {f"switch {MARK}18": [f"port group {MARK}19"], f"dvs-{MARK}20": [f"dvpg {MARK}21"],
                                         "vSwitch0": ["Management Network", "VM Network", f"net {MARK}22"]},
                            "custom_values": {f"Owner {MARK}10": f"host of {MARK}23", "directpath.roll": f"not ours {MARK}24"},
                        }
                    ],
                    "vms": [
                        {
                            "name": f"vm-{MARK}25",
                            "folder": f"vms {MARK}26",
                            "annotation": f"note {MARK}27",
                            "ip": "203.0.113.77",
                            "network": f"net {MARK}22",
                            "datastore": f"nfs-{MARK}17",
                            "snapshot": True,
                            "extra": {
                                f"guestinfo.{MARK}28": f"password {MARK}29",
                                "guestinfo.password": f"{MARK}30",
                                "pciPassthru.64bitMMIOSizeGB": f"{MARK}31",
                                f"pciPassthru0.cfg.{MARK}32": f"{MARK}33",
                                "maintenance.vm.evacuation.poweroff": f"{MARK}34",
                            },
                            "managed_by": f"com.{MARK}35",
                            "tags": [f"Category {MARK}2/Tag {MARK}4"],
                            "custom_values": {f"Owner {MARK}10": f"{MARK}36", "directpath.stop_order": f"{MARK}37",
                                              f"directpath.{MARK}40": f"{MARK}41"},
                            "media": [{"cd": "image", "datastore": f"nfs-{MARK}17"}],
                            "devices": [{"dynamic": "10de:20f1", "label": f"label-{MARK}16"}],
                        }
                    ],
                }
            ],
        }
    ],
}  # fmt: skip
LEAKS = re.compile(MARK, re.IGNORECASE)


def marked() -> Lab:
    lab = Lab.load(LAB)
    lab.sim.post_event(
        vim.event.VmPoweredOffEvent, lab.sim.find_entity(f"vm-{MARK}25"), message=f"event {MARK}38", user=f"{MARK}39"
    )
    return lab


def test_no_marked_text_is_in_an_anonymized_capture() -> None:
    found = capture(marked(), anonymize=True)
    assert LEAKS.findall(found.text) == []
    assert "203.0.113.77" not in found.text
    assert "10.0.0." not in found.text
    names = "\n".join(found.key.values())
    assert LEAKS.search(names), "the key, which stays at the site, has them"


def test_the_same_capture_with_names_has_them_without_secrets() -> None:
    """This shows that the test above looks for texts that the server returns; settings that no module reads are in neither."""
    text = capture(marked()).text
    seen = {int(number) for number in re.findall(rf"{MARK}([0-9]+)", text)}
    assert seen >= {
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        12,
        13,
        14,
        15,
        16,
        17,
        19,
        21,
        22,
        23,
        24,
        25,
        26,
        31,
        34,
        35,
        36,
        37,
        40,
        41,
        42,
    }
    assert seen.isdisjoint({27, 28, 29, 30, 38, 39}), "annotations, other settings and events are not read"


def test_passwords_and_sessions_are_in_neither() -> None:
    lab = marked()
    for found in (capture(lab), capture(lab, anonymize=True)):
        assert lab.credentials()["password"] not in found.text
        assert not any(key in found.text for key in lab.sim.sessions.by_key)
        assert lab.credentials()["username"] not in found.text
        assert lab.credentials()["hostname"] not in found.text


@pytest.mark.parametrize(
    "name", [name if name in ("mixed", "nfv", "vgpu") else pytest.param(name, marks=pytest.mark.long) for name in NAMES]
)
def test_no_name_of_a_lab_is_in_its_anonymized_capture(name: str) -> None:
    """No name, address, MAC, UUID or serial number that the key has is anywhere in the file, but for names of PCI devices."""
    found = capture(Lab.load(name), anonymize=True)
    kept = {
        value for part in ("objects", "shared", "targets") for values in _strings(found.raw[part]) for value in values
    }
    body = "".join(json.dumps(found.raw[part]) for part in ("objects", "shared", "partitions", "targets"))
    left = [value for value in found.key.values() if value not in kept and len(value) > 5 and f'"{value}"' in body]
    assert left == []


PCI_NAMES = frozenset({"deviceName", "vendorName", "deviceClass", "deviceGroupName", "vgpu", "key"})
"""Fields in which names of PCI devices, and of what their drivers offer, stay."""


def _strings(value: Any) -> list[list[str]]:
    if isinstance(value, dict):
        own = [str(item) for key, item in value.items() if key in PCI_NAMES]
        return [own, *(found for item in value.values() for found in _strings(item))]
    return [found for item in value for found in _strings(item)] if isinstance(value, list) else []
