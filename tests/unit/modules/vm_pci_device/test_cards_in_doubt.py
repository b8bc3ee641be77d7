# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cards of which it is not certain that nobody holds them are neither given away nor taken from their host."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab

T4 = {"match": "10de:1eb8"}
ACTIVE = {"enabled": True, "active": True}
SLOTS = ("0d", "13", "82", "42")


def esxi(**vms: Any) -> dict[str, Any]:
    """A host with four cards; ``vms``: name → bus of its fixed device."""
    return {
        "kind": "esxi",
        "version": "6.7.0",
        "name": "esx.lab",
        "host": {
            "cards": [{"card": "t4", "at": slot} for slot in SLOTS],
            "states": {f"0000:{slot}:00.0": ACTIVE for slot in SLOTS},
        },
        "vms": [
            *({"name": name, "memory_gb": 4, "devices": [{"fixed": f"0000:{bus}:00.0"}], "version": 13} for name, bus in vms.items()),
            {"name": "newvm", "memory_gb": 4, "version": 13},
        ],
    }  # fmt: skip


def rewrite(lab: Lab, **ids: str) -> None:
    """What old configuration files hold in the place of the address."""
    for name, text in ids.items():
        for device in lab.sim.find_entity(name).get("config").hardware.device:
            if hasattr(device, "backing") and hasattr(device.backing, "systemId"):
                device.backing.id = text


@pytest.fixture
def decimal() -> Lab:
    lab = Lab.load(esxi(switch="0d", sensor="82", k3s="42"))
    rewrite(lab, switch="13:00.0", sensor="130:00.0", k3s="0:66:0.0")
    return lab


def test_a_form_with_two_readings_makes_both_cards_uncertain(decimal: Lab) -> None:
    (host,) = decimal.run("host_pci_device_info", devices=[T4])["hosts"]
    users = {device["address"]: [vm["name"] for vm in device["vms"]] for device in host["devices"]}
    assert users == {
        "0000:0d:00.0": ["switch"],
        "0000:13:00.0": ["switch"],
        "0000:42:00.0": ["k3s"],
        "0000:82:00.0": ["sensor"],
    }
    result = decimal.run("vm_pci_device", fails=True, vm=["newvm"], backing="fixed", devices=[{**T4, "count": 1}])
    assert result["error_code"] == "no_free_device"
    said = " ".join(result["candidates"])
    assert "perhaps held by switch (its PCI address 13:00.0 can mean 0000:0d:00.0 or 0000:13:00.0)" in said
    assert "perhaps held by k3s (its PCI address 0:66:0.0 can mean 0000:42:00.0 or 0000:66:00.0)" in said
    assert "0000:82:00.0" in said
    assert decimal.writes() == []


def test_nor_are_they_taken_from_their_host(decimal: Lab) -> None:
    options: dict[str, Any] = {"hosts": ["esx.lab"], "devices": [{**T4, "count": "all"}], "state": "disabled"}
    result = decimal.run("host_passthrough", fails=True, **options)
    assert result["error_code"] == "in_use"
    for name in ("switch", "sensor", "k3s"):
        assert name in result["msg"]
    assert decimal.writes() == []


class TestAVmThatCannotBeRead:
    def lost(self, state: str = "inaccessible") -> Lab:
        lab = Lab.load(esxi(switch="0d"))
        lab.sim.find_entity("switch").set("runtime.connectionState", state)
        return lab

    @pytest.mark.parametrize("state", ["inaccessible", "orphaned", "invalid"])
    def test_may_hold_any_card_of_its_host(self, state: str) -> None:
        lab = self.lost(state)
        result = lab.run("vm_pci_device", fails=True, vm=["newvm"], backing="fixed", devices=[T4])
        assert result["error_code"] == "holders_unknown"
        assert f"switch is {state}" in result["msg"]
        assert 'ignore_unreadable_vms: ["switch"]' in result["msg"]
        options: dict[str, Any] = {"hosts": ["esx.lab"], "devices": [{"match": {**ID, "address": "0000:82:00.0"}}]}
        result = lab.run("host_passthrough", fails=True, state="disabled", **options)
        assert result["error_code"] == "holders_unknown"
        assert lab.writes() == []

    def test_unless_it_is_named(self) -> None:
        lab = self.lost()
        options: dict[str, Any] = {"ignore_unreadable_vms": ["switch"]}
        assert lab.run("vm_pci_device", vm=["newvm"], backing="fixed", devices=[T4], **options)["changed"]
        place = {"match": {**ID, "address": "0000:82:00.0"}}
        assert lab.run("host_passthrough", hosts=["esx.lab"], devices=[place], state="disabled", **options)["changed"]

    @pytest.mark.parametrize("named", ["/ha-datacenter/vm/switch", "ha-datacenter/switch", "SWITCH", "swit"])
    def test_by_path_too_and_by_nothing_like_its_name(self, named: str) -> None:
        lab = self.lost()
        options: dict[str, Any] = {"ignore_unreadable_vms": [named], "devices": [T4], "backing": "fixed"}
        result = lab._main("vm_pci_device", {**lab.credentials(), "vm": ["newvm"], **options})
        assert result.get("changed", False) is named.endswith("/switch")

    def test_is_no_reason_where_nothing_is_given_or_taken(self) -> None:
        lab = self.lost()
        assert not lab.run("host_passthrough", hosts=["esx.lab"], devices=[{**T4, "count": "all"}])["changed"]
        assert not lab.run("vm_pci_device", vm=["newvm"], devices=[T4], state="absent")["changed"]

    def test_also_one_with_a_backing_that_cannot_be_read(self) -> None:
        lab = Lab.load(esxi(switch="0d"))
        rewrite(lab, switch="slot 4")
        result = lab.run("vm_pci_device", fails=True, vm=["newvm"], backing="fixed", devices=[T4])
        assert result["error_code"] == "holders_unknown"
        assert "switch has a PCI device with the address 'slot 4', which is not a PCI address" in result["msg"]


ID = {"vendor_id": "10de", "device_id": "1eb8"}


class TestLimitOfOldHosts:
    """At most 8 passthrough devices powered on at the same time on one ESX(i) 4.x or 5.x host."""

    def crowded(self, version: str = "5.5.0") -> Lab:
        slots = [f"{0x20 + number:02x}" for number in range(10)]
        cards = {f"0000:{slot}:00.0": ACTIVE for slot in slots}
        vm = {"memory_gb": 4, "version": 9, "locked": True, "reservation_mb": 4096}
        fixed = [{"fixed": address} for address in cards]
        machines = [
            {"name": "first", "power": "on", "devices": fixed[:4], **vm},
            {"name": "second", "power": "on", "devices": fixed[4:7], **vm},
            {"name": "third", **vm},
        ]
        host = {"cards": [{"card": "p4510", "at": slot} for slot in slots], "states": cards, "memory_gb": 64}
        return Lab.load({"kind": "esxi", "version": version, "name": "esx.lab", "host": host, "vms": machines})

    def options(self, count: int, **more: Any) -> dict[str, Any]:
        return {
            "vm": ["third"],
            "devices": [{"match": "8086:0a54", "count": count}],
            "backing": "fixed",
            "power": "on",
            **more,
        }

    def test_the_ninth_is_refused_before_anything_is_touched(self) -> None:
        lab = self.crowded()
        result = lab.run("vm_pci_device", fails=True, **self.options(2))
        assert result["error_code"] == "host_device_limit"
        assert "would have 9 passthrough devices on esx.lab (5.5.0), which allows 8" in result["msg"]
        assert "first 4, second 3, third 2" in result["msg"]
        assert lab.writes() == []

    def test_the_simulator_starts_no_ninth_either(self) -> None:
        """Somebody attaches two devices to a VM that is off, and starts it."""
        lab = self.crowded()
        lab.run("vm_pci_device", **{**self.options(2), "power": "keep"})
        started = lab.sim.find_entity("third")
        refused = lab.run("vm_pci_device", fails=True, **self.options(2, host_device_limit=16))
        assert "has reached its maximum of 8 passthrough devices" in refused["msg"]
        assert not started.is_on
        lab.sim.events["set_knob"](name="host_device_max", value=0)
        assert lab.run("vm_pci_device", **self.options(2, host_device_limit=16))["changed"]
        assert started.is_on

    def test_the_eighth_is_not(self) -> None:
        assert self.crowded().run("vm_pci_device", **self.options(1))["changed"]

    def test_another_number_may_be_given(self) -> None:
        result = self.crowded().run("vm_pci_device", fails=True, **self.options(1, host_device_limit=7))
        assert result["error_code"] == "host_device_limit"

    def test_a_vm_that_stays_off_does_not_count(self) -> None:
        assert self.crowded().run("vm_pci_device", **{**self.options(2), "power": "keep"})["changed"]

    def test_later_releases_have_no_such_limit(self) -> None:
        assert self.crowded("6.7.0").run("vm_pci_device", **self.options(2))["changed"]
