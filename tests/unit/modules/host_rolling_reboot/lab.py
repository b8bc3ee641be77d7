# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab for rolling reboots, and what is true in it whatever the module says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import pytest
import yaml

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling import loop
from simulator.core.base import Entity
from tests.unit.modules.harness import LABS, Lab

A100 = {"match": "10de:20f1"}
OPTANE = {"match": {"name": "*P5800X*"}}
GPUS = ("0000:3b:00.0", "0000:5e:00.0")
"""The A100s of a host of the lab three_hosts."""
MMIO = {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "128"}
"""What vm_pci_device sets for one of them."""
MODULE = "host_rolling_reboot"
ACCOUNT = {"name": "administrator@vsphere.local", "password": "VMware1!", "role": "Admin"}


def fleet(hosts: int = 3, clusters: int = 1, vms: int = 2, esx: str = "esx-{:02d}.lab", **more: Any) -> dict[str, Any]:
    """Clusters ``c1``, ``c2``... of equal hosts with A100s, each with running VMs that can be moved."""
    return {
        "kind": "vcenter",
        "version": "8.0.3",
        "users": [ACCOUNT],
        "datacenters": [
            {
                "name": "DC1",
                "clusters": [
                    {
                        "name": f"c{number}",
                        "drs": "fullyAutomated",
                        "hosts": [
                            {"name": f"c{number}-{esx}", "count": hosts, "cards": ["a100", "a100", "nvme", "x710"]}
                        ],
                        "vms": [
                            {"name": f"c{number}-web-{index}", "host": f"c{number}-{esx.format(index)}", "power": "on"}
                            for index in range(1, vms + 1)
                        ],
                    }
                    for number in range(1, clusters + 1)
                ],
            }
        ],
        **more,
    }


def three_hosts(owing: Collection[str] = (), *, pinned: bool = False) -> dict[str, Any]:
    """The lab ``three_hosts`` as host_passthrough and vm_pci_device leave it (``made_by_modules``, and a test that compares both): running
    them before each test costs more than the test.

    ``owing``: the hosts whose A100s are enabled and wait for a reboot. ``pinned``: see ``Roll.pinned``.
    """
    lab: dict[str, Any] = yaml.safe_load((LABS / "three_hosts.yml").read_text(encoding="utf-8"))
    cluster = lab["datacenters"][0]["clusters"][0]
    wait = {"enabled": True, "active": False}
    cards = lab["hardware"]["gpu-node"]["cards"]
    if pinned:
        states = {"a100": {"enabled": True}, "p5800x": wait}
        lab["hardware"]["gpu-node"]["cards"] = [{"card": card, **states.get(card, {})} for card in cards]
        for vm in cluster["vms"][:2]:
            vm |= {"devices": [{"fixed": GPUS[0]}], "power": "on", "extra": dict(MMIO)}
    else:
        cluster["hosts"] = [
            {"name": f"{name}.lab", "hardware": "gpu-node"}
            | ({"states": dict.fromkeys(GPUS, wait)} if name in owing else {})
            for name in ("esx-01", "esx-02", "esx-03")
        ]
    return lab


@dataclass
class Roll:
    """A lab whose hosts owe a reboot."""

    lab: Lab
    options: dict[str, Any]
    boots: dict[str, Any] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    forecast_age: float = 3600.0
    """Seconds of simulated time. The 20 s of a real run pass with nearly every look: the forecasts would take a fifth of the test."""

    @classmethod
    def of(cls, source: str | dict[str, Any] = "three_hosts", *, owing: bool = True, **options: Any) -> Roll:
        if source == "three_hosts" and owing:
            hosts = options.get("hosts", ["esx-01", "esx-02", "esx-03"])
            return cls.ready(Lab.load(three_hosts(hosts)), options)
        return cls.made_by_modules(source, owing=owing, **options)

    @classmethod
    def made_by_modules(
        cls, source: str | dict[str, Any] = "three_hosts", *, owing: bool = True, **options: Any
    ) -> Roll:
        lab = Lab.load(source)
        where = {key: options[key] for key in ("cluster", "hosts") if key in options}
        if owing:
            lab.run("host_passthrough", **where, devices=[A100], apply="reboot")
        return cls.ready(lab, options)

    @classmethod
    def ready(cls, lab: Lab, options: dict[str, Any]) -> Roll:
        roll = cls(lab=lab, options=options)
        roll.remember()
        return roll

    @classmethod
    def pinned(cls, **options: Any) -> Roll:
        """Three hosts, of which two have lent an A100 to a running VM, and all of which owe a reboot for another device."""
        lab = Lab.load(three_hosts(pinned=True))
        lab.sim.clock.sleep(60)
        return cls.ready(lab, {"cluster": ["compute"], **options})

    @classmethod
    def pinned_by_modules(cls) -> Roll:
        roll = cls.of("three_hosts", owing=False, cluster=["compute"])
        lab = roll.lab
        lab.run("host_passthrough", cluster=["compute"], devices=[A100])
        for vm in ("train-01", "train-02"):
            lab.run("vm_pci_device", vm=[vm], devices=[A100], backing="fixed", mmio={}, power="on")
        lab.run("host_passthrough", cluster=["compute"], devices=[OPTANE], apply="reboot")
        lab.sim.clock.sleep(60)
        roll.remember()
        return roll

    def remember(self) -> None:
        self.lab.sim.journal.clear()
        self.boots = {host["name"]: host["boot_time"] for host in self.hosts()}
        self.running = {vm["name"] for vm in self.vms() if vm["power"] == "poweredOn"}

    def run(self, **more: Any) -> dict[str, Any]:
        with mock.patch.object(loop, "FORECAST_AGE", self.forecast_age):
            return self.lab.run(MODULE, **{**self.options, **more})

    def fail(self, **more: Any) -> dict[str, Any]:
        with mock.patch.object(loop, "FORECAST_AGE", self.forecast_age):
            return self.lab.run(MODULE, fails=True, **{**self.options, **more})

    # -- what is true ------------------------------------------------------------------------------------------------

    def hosts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.lab.sim.describe(self.lab.sim)["hosts"]
        return found

    def vms(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.lab.sim.describe(self.lab.sim)["vms"]
        return found

    def host(self, name: str) -> dict[str, Any]:
        return next(host for host in self.hosts() if host["name"].split(".")[0] == name)

    def vm(self, name: str) -> dict[str, Any]:
        return next(vm for vm in self.vms() if vm["name"] == name)

    def reboots(self) -> Counter[str]:
        """How often each host was told to reboot, and did."""
        calls = self.lab.sim.journal.calls
        return Counter(call.name for call in calls if call.method == "RebootHost_Task" and call.effect)

    def attributes(self) -> list[str]:
        manager = self.lab.sim.services.custom_fields
        return [item.name for item in manager.props["field"]] if manager is not None else []

    def texts(self) -> dict[str, dict[str, str]]:
        """Object name → attribute → text, of those not empty."""
        manager = self.lab.sim.services.custom_fields
        names = {item.key: item.name for item in manager.props["field"]} if manager is not None else {}
        found: dict[str, dict[str, str]] = {}
        for obj in self.lab.sim.registry.all(Entity):
            texts = {names[key]: text for key, text in obj.custom.items() if text}
            if texts:
                found[obj.name] = texts
        return found

    def assert_over(self, names: set[str] | None = None, *, again: bool = True) -> None:
        """All (or the named) hosts rebooted once, in service, their devices in force; VMs as before; no trace of the journal."""
        for host in self.hosts():
            meant = names is None or host["name"].split(".")[0] in names
            assert host["connection"] == "connected", host
            assert not host["maintenance"], host["name"]
            assert not host["entering"], host["name"]
            assert (host["boot_time"] != self.boots[host["name"]]) == meant, host["name"]
            if meant:
                assert not [device for device in host["devices"] if device["pending"]]
        counted = self.reboots()
        assert set(counted.values()) <= {1}, counted
        assert {vm["name"] for vm in self.vms() if vm["power"] == "poweredOn"} == self.running
        assert self.texts() == {}
        assert self.attributes() == []

    def at(self, seconds: float, event: Callable[[], Any]) -> None:
        """Something happens so many seconds from now."""
        self.lab.sim.clock.call_later(seconds, event)


class Killed(BaseException):
    """The process ends here."""


def die(_write: Any) -> None:
    raise Killed


def interrupted(write: int, **options: Any) -> Roll:
    """esx-01 runs a VM that has to be shut down; the run ends after this write."""
    roll = Roll.pinned(pinned_vms="shutdown", **options)
    roll.options.pop("cluster")
    roll.options["hosts"] = ["esx-01", "esx-03"]
    roll.lab.sim.on_write(write, die, when="after")
    with pytest.raises(Killed):
        roll.run()
    return roll
