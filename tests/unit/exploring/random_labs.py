# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small labs and what is desired of them, made up from a number: the same number gives the same ones.

Labs are odd in the ways that sites are: other releases, devices enabled by hand and waiting for a reboot, VMs that hold cards, run
without Tools, have snapshots or hot-add, memory limits, clusters without DRS, hosts of their own, an IOMMU that is off.
"""

from __future__ import annotations

import os
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
RELEASES = ("5.5.0", "6.5.0", "6.7.0", "7.0.0", "7.0.3", "8.0.0", "8.0.3", "9.0.0")
CARDS = {
    "a100": "10de:20f1",
    "a40": "10de:2235",
    "t4": "10de:1eb8",
    "rtx-gpu-with-audio": "10de:2230",
    "radeon-with-audio": "1002:73bf",
    "p5800x": "8086:2700",
    "nvme": "144d:a808",
    "nvme-data": "144d:a80a",
    "x710": "8086:1572",
    "connectx4": "15b3:1015",
}
"""Card → ids of its first function."""
WITH_AUDIO = ("rtx-gpu-with-audio", "radeon-with-audio")
"""Those whose second function goes where the first one goes."""
LARGE = ("a100", "a40", "rtx-gpu-with-audio")
"""Those that no VM can start with unless there is room for them."""
SIZE, WINDOWS = "pciPassthru.64bitMMIOSizeGB", ("256", "256", "256", "64", "32")
BUSES = ("3b", "5e", "86", "af", "d8")


@dataclass(frozen=True, kw_only=True)
class Example:
    """A lab, what is desired (``targets`` and ``vms`` as the roles hand them over), and what the run is allowed."""

    number: str
    lab: dict[str, Any]
    targets: list[dict[str, Any]]
    vms: list[dict[str, Any]]
    on_missing: str
    pinned: str
    evacuate_powered_off: bool = False

    @property
    def told(self) -> str:
        return f"example {self.number}: {self}"


def commit_seed() -> str:
    """DIRECTPATH_SEED, or the commit of this checkout: every commit looks at other examples, and each time at the same ones."""
    given = os.environ.get("DIRECTPATH_SEED")
    if given:
        return given
    command = ["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "0"


def example(seed: str, number: int) -> Example:
    return _Draw(random.Random(f"{seed}/{number}"), f"{seed}/{number}").example()


class _Draw:
    """One example. What is drawn is kept, so that what is desired can mean what is there, and now and then what is not."""

    def __init__(self, rng: random.Random, number: str) -> None:
        self.rng, self.number = rng, number
        self.names: list[str] = []
        self.models: dict[str, list[str]] = {}
        """Host → cards."""
        self.machines: list[tuple[str, str]] = []
        """(VM, host)."""

    def often(self, share: float) -> bool:
        return self.rng.random() < share

    def example(self) -> Example:
        alone = self.often(0.2)
        lab = self.esxi() if alone else self.vcenter()
        return Example(
            number=self.number,
            lab=lab,
            targets=self.targets(lab, alone=alone),
            vms=[vm for name, host in self.machines if (vm := self.desired_vm(name, host)) is not None],
            on_missing="skip" if self.often(0.7) else "fail",
            pinned=self.rng.choice(("fail", "shutdown", "shutdown_then_power_off")),
            evacuate_powered_off=self.often(0.15),
        )

    # -- labs ----------------------------------------------------------------------------------------------------------

    def vcenter(self) -> dict[str, Any]:
        release = self.rng.choice(("8.0.3", "8.0.3", "9.0.0", "7.0.3"))
        older = [text for text in RELEASES if text <= release]
        clusters = [self.cluster(number, older) for number in range(1, self.rng.choice((1, 1, 1, 2)) + 1)]
        return {
            "kind": "vcenter",
            "version": release,
            "name": "vc.lab",
            "datacenters": [{"name": "DC1", "clusters": clusters}],
        }

    def cluster(self, number: int, releases: list[str]) -> dict[str, Any]:
        release = self.rng.choice(releases)
        hosts = [self.host(f"esx-{number}{n}.lab", release) for n in range(1, self.rng.choice((1, 2, 2)) + 1)]
        vms = [self.vm(f"vm-{number}-{n}", self.rng.choice(hosts)) for n in range(self.rng.choice((0, 1, 1, 2)))]
        drs = self.rng.choice(("fullyAutomated", "fullyAutomated", "manual", False))
        return {"name": f"c{number}", "drs": drs, "hosts": hosts, "vms": vms}

    def esxi(self) -> dict[str, Any]:
        release = self.rng.choice(RELEASES[2:])
        host = self.host("esx.lab", release)
        vms = [self.vm(f"vm-{n}", host) for n in range(self.rng.choice((0, 1, 2)))]
        for vm in vms:
            del vm["host"]
        name = host.pop("name")
        return {"kind": "esxi", "version": host.pop("version"), "name": name, "host": host, "vms": vms}

    def host(self, name: str, release: str) -> dict[str, Any]:
        cards = [self.card(bus) for bus in BUSES[: self.rng.choice((1, 2, 2, 3))]]
        self.names.append(name)
        self.models[name] = [card["card"] for card in cards]
        host: dict[str, Any] = {"name": name, "version": release, "memory_gb": 128, "cards": cards}
        if release >= "7" and self.often(0.3):
            host["rebind"] = False
        if self.often(0.05):
            host["iommu"] = False
        if self.often(0.1):
            host["maintenance"] = True
        return host

    def card(self, bus: str) -> dict[str, Any]:
        card: dict[str, Any] = {"card": self.rng.choice((*CARDS, "a100", "t4")), "at": bus}
        if card["card"] != "nvme-data":
            if self.often(0.25):
                card |= {"enabled": True, "active": True}
            elif self.often(0.1):
                card |= {"enabled": True, "active": False}
            elif self.often(0.05):
                card |= {"enabled": False, "active": True}
            elif self.often(0.05):
                card["capable"] = False
        return card

    def vm(self, name: str, host: dict[str, Any]) -> dict[str, Any]:
        self.machines.append((name, host["name"]))
        vm: dict[str, Any] = {"name": name, "host": host["name"], "memory_gb": self.rng.choice((4, 8, 16))}
        held = [card for card in host["cards"] if card.get("active") and card.get("enabled") and self.often(0.5)]
        if held and "iommu" not in host:
            functions = (0, 1) if held[0]["card"] in WITH_AUDIO else (0,)
            vm["devices"] = [{"fixed": f"0000:{held[0]['at']}:00.{number}"} for number in functions]
        for word, share in (
            ("snapshot", 0.05),
            ("memory_hot_add", 0.1),
            ("cpu_hot_add", 0.1),
            ("nested", 0.05),
            ("template", 0.03),
        ):
            if self.often(share):
                vm[word] = True
        if self.often(0.15):
            vm["firmware"] = "bios"
        if "devices" not in vm:
            if self.often(0.1):
                vm["limit_mb"] = 2048
            if self.often(0.15):
                vm["locked"] = True
            if not host.get("maintenance") and not vm.get("template") and self.often(0.5):
                vm["power"] = "on"
        else:
            if self.often(0.75):
                vm["extra"] = {"pciPassthru.use64bitMMIO": "TRUE", SIZE: self.rng.choice(WINDOWS)}
            roomy = held[0]["card"] not in LARGE or (vm.get("extra", {}).get(SIZE) == "256" and "firmware" not in vm)
            barred = host.get("maintenance") or {"snapshot", "nested", "template"} & vm.keys()
            if roomy and not barred and self.often(0.3):
                vm["power"] = "on"
        if self.often(0.1):
            vm["tools"] = False
        return vm

    # -- what is desired -----------------------------------------------------------------------------------------------

    def targets(self, lab: dict[str, Any], *, alone: bool) -> list[dict[str, Any]]:
        found = []
        clusters = [] if alone else [cluster["name"] for cluster in lab["datacenters"][0]["clusters"]]
        for cluster in clusters:
            members = [name for name in self.names if name.startswith(f"esx-{cluster[1:]}")]
            if self.often(0.8):
                found.append({"cluster": [cluster], "devices": self.devices(members)})
        covered = {target["cluster"][0] for target in found}
        for name in [name for name in self.names if alone or f"c{name[4]}" not in covered]:
            if self.often(0.9 if alone else 0.15):
                found.append({"hosts": [name], "devices": self.devices([name])})
        return found or [{"hosts": [self.names[0]], "devices": self.devices(self.names[:1])}]

    def devices(self, hosts: list[str]) -> list[dict[str, Any]]:
        there = [card for host in hosts for card in self.models[host]]
        wanted = []
        drawn = [
            self.rng.choice(there if self.often(0.9) else list(CARDS)) for _one in range(self.rng.choice((1, 1, 2)))
        ]
        for card in dict.fromkeys(drawn):
            entry: dict[str, Any] = {"match": CARDS[card]}
            if self.often(0.3):
                entry["count"] = self.rng.choice((1, 2, "all"))
            if self.often(0.1):
                entry["label"] = "pool"
            wanted.append(entry)
        return sorted(wanted, key=str)

    def desired_vm(self, name: str, host: str) -> dict[str, Any] | None:
        if not self.often(0.7):
            return None
        card = self.rng.choice(self.models[host])
        entry: dict[str, Any] = {"name": name, "devices": [{"match": CARDS[card]}]}
        if self.often(0.2):
            entry["devices"][0]["count"] = self.rng.choice((1, 2, "all"))
        if self.often(0.15):
            entry["devices"] = []
        if not entry["devices"] or self.often(0.25):
            entry["state"] = "exactly"
        if self.often(0.6):
            entry["mmio"] = {}
        entry["power"] = self.rng.choice(("keep", "keep", "cycle", "on", "off"))
        for word, share in (("unlock_memory", 0.2), ("disable_hot_add", 0.3), ("allow_power_off", 0.3)):
            if self.often(share):
                entry[word] = True
        if self.often(0.4):
            by_place = any(device.get("count") == "all" for device in entry["devices"])
            entry["backing"] = "fixed" if by_place else self.rng.choice(("fixed", "dynamic"))
        return entry
