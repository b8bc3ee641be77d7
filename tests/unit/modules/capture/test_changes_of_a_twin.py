# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change of a twin has the result that it has on the server: what no property of a host shows is taken from what does show it."""

from __future__ import annotations

import pytest
from pyVmomi import vim

from tests.unit.modules.capture.twins import Captured, capture
from tests.unit.modules.contracts import KNOWS_9
from tests.unit.modules.harness import Lab


def twin_of(lab: Lab, *, anonymize: bool) -> tuple[Captured, Lab]:
    found = capture(lab, anonymize=anonymize)
    return found, found.twin()


@pytest.mark.parametrize("anonymize", [True, False])
def test_a_vm_with_a_fixed_device_is_powered_off_and_on(anonymize: bool) -> None:
    """Only the fixed devices of VMs have the system id of their host."""
    lab = Lab.load("three_hosts")
    targets = [{"hosts": ["esx-01.lab"], "devices": [{"match": "10de:20f1"}]}]
    lab.run("host_passthrough", targets=targets)
    lab.run("vm_pci_device", vm=["train-01"], devices=["10de:20f1"], backing="fixed", mmio={}, power="on")
    found, twin = twin_of(lab, anonymize=anonymize)
    name = found.anonymous("train-01") if anonymize else "train-01"
    stub = twin.sim.stub()
    stub.connect()
    machine = vim.VirtualMachine(twin.sim.find_entity(name).moid, stub)
    for task in (machine.PowerOff, machine.PowerOn):
        started = task()
        twin.sim.clock.sleep(60)
        assert started.info.state == "success", started.info.error
    assert machine.runtime.powerState == "poweredOn"


@pytest.mark.skipif(not KNOWS_9, reason="this pyVmomi knows no 9.1")
@pytest.mark.parametrize("anonymize", [True, False])
def test_a_device_mode_is_set(anonymize: bool) -> None:
    lab = Lab.load("v9")
    host = next(host for host in lab.sim.describe(lab.sim)["hosts"])["name"]
    devices = [{"match": "10de:20f1", "mode": "directpath"}]
    found, twin = twin_of(lab, anonymize=anonymize)
    name = found.anonymous(host) if anonymize else host
    results = [each.run("host_device_mode", hosts=[own], devices=devices) for each, own in ((lab, host), (twin, name))]
    assert results[0]["changes"]
    assert [len(result["changes"]) for result in results] == [len(results[0]["changes"])] * 2
    assert [row["status"] for row in results[0]["hosts"]] == [row["status"] for row in results[1]["hosts"]]
    assert twin.run("host_device_mode", hosts=[name], devices=devices)["changed"] is False
