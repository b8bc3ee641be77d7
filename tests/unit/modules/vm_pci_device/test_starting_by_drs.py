# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""vm_pci_device starts a VM whatever DRS says to it: in each automation level, whether or not vCenter names the task."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab

T4 = "10de:1eb8"


def lab(**cluster: Any) -> Lab:
    hosts = [{"name": f"esx-{number}", "memory_gb": 128, "cards": ["t4"]} for number in (1, 2)]
    hosts[1]["cards"] = [{"card": "t4", "enabled": True}]
    vms = [{"name": name, "host": "esx-1", "memory_gb": 8, "datastore": "shared-c"} for name in ("a", "b")]
    description = {"datacenters": [{"name": "D", "clusters": [{"name": "c", "hosts": hosts, "vms": vms, **cluster}]}]}
    return Lab.load({"kind": "vcenter", "version": "8.0.3", **description})


def start(made: Lab, **more: Any) -> dict[str, Any]:
    return made.run("vm_pci_device", vm=["a"], devices=[{"match": T4}], backing="dynamic", power="on", **more)


@pytest.mark.parametrize("task", ["unmanaged", "always"])
@pytest.mark.parametrize("drs", ["fullyAutomated", "partiallyAutomated", "manual"])
def test_it_runs_where_its_device_is(drs: str, task: str) -> None:
    made = lab(drs=drs)
    made.sim.knobs.set("attempted_task", task)
    result = start(made)
    assert result["vms"][0]["power_state"] == "poweredOn"
    assert made.sim.find("VirtualMachine", "a").host.name == "esx-2"
    assert made.sim.find("ClusterComputeResource", "c").props["recommendation"] == []
    assert ("PowerOnVM_Task" in made.writes()) is (drs == "manual")


@pytest.mark.parametrize("task", ["unmanaged", "always"])
def test_a_start_that_fails_says_why(task: str) -> None:
    """The device is taken while the start is under way, so that DRS itself has no objection."""
    made = lab()
    made.sim.knobs.set("attempted_task", task)
    vm, other = (made.sim.find("VirtualMachine", name) for name in ("a", "b"))
    host = made.sim.find("HostSystem", "esx-2")
    address = next(item for item, state in host.pci.items() if state.active)

    def take(_write: Any) -> None:
        made.sim.clock.call_later(2.0, lambda: host.holders.update({address: other.moid}))

    made.sim.on_write(1, take, method="PowerOnMultiVM_Task")
    result = made.run("vm_pci_device", fails=True, vm=["a"], devices=[{"match": T4}], backing="dynamic", power="on")
    assert "not available on host esx-2" in result["msg"]
    assert not vm.is_on
