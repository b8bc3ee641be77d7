# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs built like the hosts whose answers are recorded."""

from __future__ import annotations

from typing import Any

from simulator import Simulator
from simulator.objects.host.host import HostSystem
from tests.unit.recorded.recordings import HOST

Lab = dict[str, Any]


def recorded_host(**host: Any) -> Lab:
    """A vCenter with the recorded ESXi 8.0.3 as its only host."""
    entry = {"name": "esx-01.lab", "recorded": str(HOST), **host}
    cluster = {"name": "vsan", "hosts": [entry]}
    return {"kind": "vcenter", "version": "8.0.3", "datacenters": [{"name": "DC1", "clusters": [cluster]}]}


A100 = [{"card": "a100", "at": bus, "slot": number} for number, bus in enumerate(("8a", "8c", "c1", "c3"), 6)]
X710 = {"card": "x710", "at": "0000:05:00.0", "uplinks": [0], "slot_name": "NIC2"}
VGPU_HOST: Lab = {
    "kind": "esxi",
    "version": "9.0.0",
    "host": {
        "name": "esx-9.lab",
        "chassis": "bare",
        "cards": [X710, *A100],
        "shared_gpus": ["a100"],
        "states": {"0000:05:00.1": {"enabled": True, "active": True}},
    },
}
"""Four A100 that serve vGPUs, one port of a network card passed through, the other one the uplink."""


def _cluster(cards: list[Any], **host: Any) -> Lab:
    entry = {"name": "esx-{}.lab", "count": 3, "cards": cards, "chassis": "home", "packages": 6, "cores": 1, **host}
    cluster = {"name": "nine", "hosts": [entry]}
    return {"kind": "vcenter", "version": "9.0.0", "datacenters": [{"name": "DC1", "clusters": [cluster]}]}


PLAIN_CLUSTER = _cluster([])
"""Three hosts with nothing to pass through."""
MOCKUP_CLUSTER = _cluster(["t4"], shared_gpus=["t4"])
"""Three hosts that offer vGPUs and nothing else; the recorded ones make theirs up."""


def hosts_of(lab: Lab) -> tuple[Simulator, list[HostSystem]]:
    """A simulator with its hosts."""
    sim = Simulator.from_lab(lab)
    return sim, list(sim.registry.all(HostSystem))
