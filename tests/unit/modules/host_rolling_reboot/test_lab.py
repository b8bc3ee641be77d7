# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The labs that the tests of rolling reboots begin with are what the modules make of the same hosts and VMs."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from simulator.objects.vm.vm import VirtualMachine
from tests.unit.modules.host_rolling_reboot.lab import Roll


def state(roll: Roll) -> dict[str, Any]:
    """Everything that is described, and what a rolling reboot reads of the VMs."""
    sim = roll.lab.sim
    vms = sim.registry.all(VirtualMachine)
    return {
        **sim.describe(sim),
        "mmio": {vm.name: [(item.key, item.value) for item in vm.props["config"].extraConfig][:2] for vm in vms},
        "cards": {
            vm.name: [
                (device.key, device.backing.id, device.backing.systemId, device.backing.vendorId)
                for device in vm.props["config"].hardware.device
                if isinstance(device, vim.vm.device.VirtualPCIPassthrough)
            ]
            for vm in vms
        },
        "memory": {
            vm.name: (str(vm.props["config"].memoryAllocation), vm.props["config"].memoryReservationLockedToMax)
            for vm in vms
        },
    }


@pytest.mark.parametrize("where", [{"cluster": ["compute"]}, {"hosts": ["esx-03"]}])
def test_hosts_that_owe_a_reboot(where: dict[str, Any]) -> None:
    short, long = state(Roll.of(**where)), state(Roll.made_by_modules(**where))
    assert short == long
    assert any(device["enabled"] and not device["active"] for host in short["hosts"] for device in host["devices"])


def test_vms_with_devices_on_hosts_that_owe_a_reboot() -> None:
    short, long = state(Roll.pinned()), state(Roll.pinned_by_modules())
    assert short == long
    assert sum(vm["power"] == "poweredOn" for vm in short["vms"]) == 4
