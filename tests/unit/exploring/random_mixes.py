# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs with every kind of PCI device, and intents that mix all kinds, made up from a number: the same number gives the same ones.

Hosts have NICs with virtual functions, GPUs that are shared and GPUs that are not, vendor device groups and DVX classes, and sometimes
device modes. VMs have devices of all kinds, and run or not. ``random_labs`` has the odd sites around cards that are passed through.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from tests.unit.modules.contracts import KNOWS_9

X710, VF, A100, T4, NVME = "8086:1572", "8086:154c", "10de:20f1", "10de:1eb8", "144d:a808"
WHOLE, QUARTER = "grid_a100-40c", "grid_a100-10c"
GROUP, NIC_GROUP = "Nvidia:2@grid_a100-40c%NVLink", "Example:1@grid_a100-40c+nic"
DVX, NIC_DVX = "com.example.dvx", "com.example.dvx.nic"
PORTS = ("0000:3b:00.0", "0000:3b:00.1")
SHARED = ("0000:5e:00.0", "0000:86:00.0")
CARDS = ("0000:af:00.0", "0000:b1:00.0", "0000:d8:00.0")
"""Two T4 and an NVMe disk."""
NETWORKS = ("data", "control")
WRONG = "wrong"
"""In names that nothing has."""

_CLASSES = [
    {"name": DVX, "parameters": {"size": {"low": 1, "high": 100, "default": 10}, "mode": {"choices": ["1", "2", "8"]}}},
    {"name": NIC_DVX, "nic": True, "parameters": {"size": {}}},
]
_GROUPS = [
    {"name": GROUP, "parts": [{"vgpu": WHOLE}, {"vgpu": WHOLE}]},
    {"name": NIC_GROUP, "parts": [{"vgpu": WHOLE}, {"nic": NIC_DVX}]},
]
_KNOBS: dict[str, tuple[Any, ...]] = {
    "device_groups_list": ("with_devices", "replaces", "keeps_empty"),
    "sriov_at_once": (False, True),
    "sriov_pools_shown": (True, False),
    "sriov_counts_in_limit": (False, True),
    "added_adapters_order": ("as_listed", "reversed"),
    "automatic_adapter_off": ("zero_address", "unset"),
    "graphics_type_in_effect": ("xorg", "reboot", "at_once"),
    "vgpu_mode_in_effect": ("xorg", "reboot", "at_once"),
    "device_mode_pending": ("passthrough_flags", "reboot_flag", "nowhere"),
    "device_mode_impact": ("none", "reboot"),
}


@dataclass(frozen=True, kw_only=True)
class Mix:
    """A lab, and what is desired of it, as the roles hand it over. ``before``: numbers of virtual functions that somebody set before, and
    that wait for a reboot."""

    number: str
    lab: dict[str, Any]
    targets: list[dict[str, Any]]
    graphics: list[dict[str, Any]]
    vms: list[dict[str, Any]]
    on_missing: str
    before: list[dict[str, Any]] = field(default_factory=list)

    @property
    def told(self) -> str:
        return f"mix {self.number}: {self}"


def mix(seed: str, number: int) -> Mix:
    return _Draw(random.Random(f"mix/{seed}/{number}"), f"{seed}/{number}").mix()


class _Draw:
    def __init__(self, rng: random.Random, number: str) -> None:
        self.rng, self.number = rng, number
        self.nodes = random.Random(f"nodes/{number}")
        """Apart from the other numbers, so that the mixes of earlier releases stay the same."""

    def often(self, share: float) -> bool:
        return self.rng.random() < share

    def some(self, values: list[Any], most: int) -> list[Any]:
        return self.rng.sample(values, min(len(values), self.rng.randint(0, most)))

    def mix(self) -> Mix:
        self.release = self.rng.choice(("8.0.3", "8.0.3", "9.0.0", *(("9.1.0", "9.1.0") if KNOWS_9 else ())))
        names = [f"esx-{number}.lab" for number in range(1, self.rng.choice((1, 2, 2)) + 1)]
        hosts = [self.host(name) for name in names]
        vms = [self.vm(f"vm-{number}", self.rng.choice(hosts)) for number in range(1, self.rng.randint(1, 3) + 1)]
        knobs = {name: self.rng.choice(values) for name, values in _KNOBS.items() if self.often(0.25)}
        cluster = {"name": "c", "drs": self.rng.choice(("fullyAutomated", "fullyAutomated", "manual", False))}
        clusters = [{**cluster, "hosts": hosts, "vms": vms}]
        before = [
            {"hosts": [name], "devices": [{"vmnic": self.rng.choice(("vmnic2", "vmnic3")), "virtual_functions": 6}]}
            for name in names
            if self.often(0.15)
        ]
        return Mix(
            number=self.number,
            lab={
                "kind": "vcenter",
                "version": self.release,
                "name": "vc.lab",
                "knobs": knobs,
                "datacenters": [{"name": "DC1", "clusters": clusters}],
            },
            targets=self.targets(names),
            graphics=self.graphics(names),
            vms=[self.desired_vm(vm) for vm in vms if self.often(0.8)],
            on_missing=self.rng.choice(("skip", "skip", "fail")),
            before=before,
        )

    # -- labs ----------------------------------------------------------------------------------------------------------

    def host(self, name: str) -> dict[str, Any]:
        nic: dict[str, Any] = {"card": "x710", "at": "3b", "uplinks": {0: "dvs-data", 1: "vSwitch1"}}
        cards: list[Any] = [nic, {"card": "a100", "at": "5e"}, {"card": "a100", "at": "86"}]
        for at, card in (("af", "t4"), ("b1", "t4"), ("d8", "nvme")):
            state: dict[str, Any] = {"enabled": True} if self.often(0.6) else {}
            if state and self.often(0.1):
                state["active"] = False
            cards.append({"card": card, "at": at, **state})
        numbers = {port: self.rng.choice((0, 2, 4, 8)) for port in PORTS}
        made: dict[str, Any] = {
            "name": name,
            "memory_gb": 512,
            "cards": cards,
            "switches": {"dvs-data": [NETWORKS[0]], "vSwitch1": [NETWORKS[1]]},
            "states": {port: {"virtual_functions": number} for port, number in numbers.items() if number},
            "shared_gpus": {
                "a100": {
                    "type": self.rng.choice(("sharedDirect", "sharedDirect", "sharedDirect", "shared")),
                    "mode": self.rng.choice(("sameSize", "sameSize", "mixedSize")),
                }
            },
            "device_groups": _GROUPS if self.often(0.8) else [],
            "dvx_classes": _CLASSES,
        }
        if self.often(0.15):
            made["rebind"] = False
        return made

    def vm(self, name: str, host: dict[str, Any]) -> dict[str, Any]:
        vm: dict[str, Any] = {"name": name, "host": host["name"], "memory_gb": self.rng.choice((4, 8))}
        vm["version"] = self.rng.choice((20, 21, 21, 22) if self.release >= "9" else (20, 21, 21))
        there = [card["at"] for card in host["cards"] if card.get("enabled") and card.get("active", True)]
        numbers = host["states"]
        devices: list[dict[str, Any]] = [{"fixed": f"0000:{at}:00.0"} for at in self.some(there, 2) if self.often(0.4)]
        if self.often(0.15):
            devices.append({"dynamic": [T4]})
        units: list[dict[str, Any]] = [{"vgpu": self.rng.choice((QUARTER, QUARTER, WHOLE))} for _one in range(2)]
        units += [{"group": GROUP}] if host["device_groups"] else []
        units += [{"dvx": DVX, "parameters": {"mode": self.rng.choice("128"), "size": 10}} for _one in range(2)]
        devices += [unit for unit in units if self.often(0.2)]
        for port, network, vmnic in zip(PORTS, NETWORKS, ("vmnic2", "vmnic3"), strict=True):
            if port in numbers and self.often(0.3):
                devices.append({"sriov": self.rng.choice(("auto", vmnic)), "network": network})
                if self.often(0.3):
                    devices[-1]["mac"] = f"00:50:56:00:0{name[-1]}:{vmnic[-1]}0"
        vm["devices"] = [self.there(device) for device in self.rng.sample(devices, len(devices))]
        if devices:
            vm["extra"] = {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "256"}
        if self.often(0.4):
            vm["power"] = "on"
        for word, share in (("snapshot", 0.03), ("memory_hot_add", 0.05), ("nested", 0.03)):
            if self.often(share):
                vm[word] = True
        if self.often(0.1):
            vm["tools"] = False
        if not devices and self.often(0.2):
            vm["locked"] = True
        return vm

    def there(self, device: dict[str, Any]) -> dict[str, Any]:
        placed = self.on_node(device)
        return device if placed.get("numa_node", -1) < 0 else placed

    # -- what is desired -----------------------------------------------------------------------------------------------

    def targets(self, names: list[str]) -> list[dict[str, Any]]:
        if self.often(0.15):
            return []
        if self.often(0.7):
            return [{"cluster": ["c"], "devices": self.host_entries()}]
        return [{"hosts": [name], "devices": self.host_entries()} for name in names if self.often(0.7)]

    def host_entries(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = []
        for model in (T4, NVME):
            if self.often(0.5):
                entries.append({"match": model, **({"count": self.rng.choice((1, "all"))} if self.often(0.3) else {})})
        if self.often(0.4):
            entries.append({"match": X710, "virtual_functions": self.rng.choice((0, 2, 4, 8))})
        else:
            for vmnic in ("vmnic2", "vmnic3"):
                if self.often(0.35):
                    entries.append({"vmnic": vmnic, "virtual_functions": self.rng.choice((0, 2, 4, 8, 8))})
        if self.release >= "9.1" and self.often(0.25):
            entries.append({"match": A100, "mode": self.rng.choice(("host", "vgpu_same_size", "vgpu_mixed_size"))})
        if self.often(0.05):
            entries.append({"match": "8086:2700"})  # no host has one
        if self.often(0.03):
            entries.append({"vmnic": "vmnic9", "virtual_functions": 2})
        return self.rng.sample(entries, len(entries))

    def graphics(self, names: list[str]) -> list[dict[str, Any]]:
        if self.often(0.55):
            return []
        settings: dict[str, Any] = {}
        if self.often(0.4):
            settings["default_type"] = self.rng.choice(("shared", "shared_direct", "shared_direct"))
        if self.often(0.5):
            settings["assignment_policy"] = self.rng.choice(("performance", "consolidation"))
        if self.often(0.5) or not settings:
            gpu: dict[str, Any] = {"match": A100, "type": self.rng.choice(("shared_direct", "shared_direct", "shared"))}
            if gpu["type"] == "shared_direct" and self.often(0.5):
                gpu["vgpu_mode"] = self.rng.choice(("same_size", "mixed_size"))
            settings["devices"] = [gpu]
        if self.often(0.4):
            settings["restart_xorg"] = True
        return [{"cluster": ["c"], **settings} if self.often(0.7) else {"hosts": [self.rng.choice(names)], **settings}]

    def vm_entries(self, host: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = []
        if self.often(0.4):
            entries.append({"match": T4, "count": self.rng.choice((1, 1, 2))})
        if self.often(0.15):
            entries.append({"match": NVME})
        if self.often(0.2):
            entries.append({"match": VF, "virtual_function": True, "count": self.rng.choice((1, 2))})
        if self.often(0.35):
            profile = WRONG if self.often(0.05) else self.rng.choice((QUARTER, QUARTER, WHOLE))
            advanced = {"advanced": {"enable_uvm": "1"}} if self.often(0.3) else {}
            entries.append({"vgpu": profile, "count": self.rng.choice((1, 1, 2)), **advanced})
        if self.often(0.2):
            entries.append({"group": WRONG if self.often(0.1) else self.rng.choice((GROUP, GROUP, NIC_GROUP))})
        if self.often(0.3):
            parameters = {"mode": self.rng.choice("128"), **({"size": 20} if self.often(0.3) else {})}
            name = WRONG if self.often(0.05) else DVX
            entries.append({"dvx": {"class": name, "parameters": parameters}, "count": self.rng.choice((1, 2))})
        return self.rng.sample([self.on_node(entry) for entry in entries], len(entries))

    def on_node(self, entry: dict[str, Any]) -> dict[str, Any]:
        """An entry or a device of a lab, sometimes on a NUMA node. A VM has four CPUs."""
        if "group" in entry or "sriov" in entry or self.nodes.random() < 0.75:
            return entry
        return {**entry, "numa_node": self.nodes.choice((0, 0, 1, 1, -1, 5 if self.nodes.random() < 0.1 else 2))}

    def adapters(self, name: str) -> list[dict[str, Any]]:
        found = []
        for number in range(self.rng.choice((0, 1, 1, 2))):
            side = self.rng.choice((0, 0, 1))
            network = WRONG if self.often(0.04) else NETWORKS[side]
            adapter: dict[str, Any] = {"network": network}
            if self.often(0.4):
                adapter["physical_function"] = self.rng.choice((("vmnic2", PORTS[0]), ("vmnic3", PORTS[1]))[side])
            if self.often(0.3):
                adapter["mac"] = f"00:50:56:00:0{name[-1]}:{number + 2}0"
            if self.often(0.2):
                adapter["allow_guest_mtu_change"] = self.often(0.5)
            found.append(adapter)
        return found

    def desired_vm(self, vm: dict[str, Any]) -> dict[str, Any]:
        entry: dict[str, Any] = {"name": vm["name"]}
        state = self.rng.choice(("present", "present", "present", "exactly", "exactly", "absent"))
        if self.often(0.85):
            entry["devices"] = self.vm_entries(vm["host"])
        if "devices" not in entry or self.often(0.4):
            entry["sriov_networks"] = self.adapters(vm["name"])
        if state != "exactly" and not entry.get("devices") and not entry.get("sriov_networks"):
            state = "exactly"
        entry["state"] = state
        if state == "exactly" and self.often(0.4):
            entry["kinds"] = "all"
        entry["power"] = self.rng.choice(("keep", "cycle", "cycle", "on", "off"))
        if self.often(0.7):
            entry["mmio"] = {}
        for word, share in (
            ("unlock_memory", 0.2),
            ("disable_hot_add", 0.3),
            ("allow_power_off", 0.5),
            ("allow_shutdown", 0.5),
        ):
            if self.often(share):
                entry[word] = True
        if self.often(0.4):
            by_place = any(device.get("virtual_function") for device in entry.get("devices", ()))
            entry["backing"] = "fixed" if by_place else self.rng.choice(("fixed", "dynamic"))
        if self.often(0.15):
            entry["minimum_hardware_version"] = self.rng.choice((20, 21))
        if self.often(0.15):
            entry["pin_to_host"] = self.often(0.7)
        return entry
