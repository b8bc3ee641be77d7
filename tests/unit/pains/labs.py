# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small labs, said in one line where a test needs them."""

from __future__ import annotations

from typing import Any

from tests.unit.modules.harness import Lab

A100 = "10de:20f1"
A40 = "10de:2235"
P5800X = "8086:2700"
GPUS = ["a100", "a100"]
FIRST, SECOND = "0000:3b:00.0", "0000:5e:00.0"
"""Where the first and the second card of a host are."""


def host(name: str = "esx-01", cards: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    """A host with two A100 unless told otherwise."""
    return {"name": name, "cards": GPUS if cards is None else cards, **more}


def on(card: str = "a100", **more: Any) -> dict[str, Any]:
    """A card whose passthrough is in force."""
    return {"card": card, "enabled": True, **more}


ROOMY = {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "1024"}
"""What a VM needs to start with a few large cards."""


def vm(name: str = "train-01", **more: Any) -> dict[str, Any]:
    """A VM of 32 GB on the first host that could start with any cards."""
    return {"name": name, "host": "esx-01", "memory_gb": 32, "extra": ROOMY, **more}


def lab(hosts: list[dict[str, Any]] | None = None, vms: list[dict[str, Any]] | None = None, **more: Any) -> Lab:
    """A vCenter with one cluster, ``gpu``. Keys that are not the lab's are the cluster's."""
    cluster: dict[str, Any] = {key: more.pop(key) for key in ("drs", "pools", "drs_vms") if key in more}
    inside: dict[str, Any] = {"name": "gpu", "drs": "fullyAutomated", "hosts": hosts or [host()], "vms": vms or []}
    inside.update(cluster)
    return Lab.load({"kind": "vcenter", "datacenters": [{"name": "DC", "clusters": [inside]}], **more})


BLIND = "blind@vsphere.local"


def blind() -> Lab:
    """A lab in which the account BLIND may read the root folder, and sees no host: it has no access to their datacenter."""
    return lab(
        users=[{"name": "admin"}, {"name": BLIND, "role": "ReadOnly"}],
        permissions=[{"user": BLIND, "role": "NoAccess", "on": "/DC"}],
    )


def desired(match: Any = A100, **more: Any) -> list[dict[str, Any]]:
    return [{"match": match, **more}]


def entry(result: dict[str, Any], name: str = "esx-01") -> dict[str, Any]:
    """What a result says of one host or VM."""
    found = [item for key in ("hosts", "vms") for item in result.get(key, ()) if item["name"] == name]
    assert len(found) == 1, f"{name} is {len(found)} times in the result"
    return found[0]


def device(result: dict[str, Any], address: str = FIRST, name: str = "esx-01") -> dict[str, Any]:
    """What a result says of one device of a host."""
    return next(item for item in entry(result, name)["devices"] if item["address"] == address)


def written(lab: Lab, method: str) -> list[dict[str, Any]]:
    """The arguments of every call of a method so far."""
    return [call.args for call in lab.sim.journal.calls if call.method == method and call.outcome == "ok"]


def enabled(lab: Lab, name: str = "esx-01") -> list[str]:
    """Addresses that are enabled on a host, as the simulator itself knows it."""
    infos = lab.sim.find("HostSystem", name).get("config.pciPassthruInfo")
    return sorted(info.id for info in infos if info.passthruEnabled)


def active(lab: Lab, name: str = "esx-01") -> list[str]:
    """Addresses that are in force on a host, as the simulator itself knows it."""
    infos = lab.sim.find("HostSystem", name).get("config.pciPassthruInfo")
    return sorted(info.id for info in infos if info.passthruActive)


def power(lab: Lab, name: str = "train-01") -> str:
    """Power state of a VM, as the simulator itself knows it."""
    return str(lab.sim.find("VirtualMachine", name).get("runtime.powerState"))
