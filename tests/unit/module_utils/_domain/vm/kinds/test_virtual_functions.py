# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual function is free only when no SR-IOV network adapter of a running VM can have it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import HostDevice, Sriov
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import SriovBacking, VmDevice
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.kinds.virtual_functions import (
    function_obstacle,
    functions_of,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.observed_vms import ObservedVms
from tests.unit.module_utils._domain.vm.builders import esx, guest

COUNT = 4


def function(address: str, *, card: bool = False) -> HostDevice:
    sriov = Sriov(capable=True, enabled=True, active=True, requested=COUNT, current=COUNT, maximum=64)
    device = HostDevice(address=f"0000:3b:{address}", vendor_id="8086", device_id="154c", class_id="0200", capable=True)
    return replace(device, device_id="1572", sriov=sriov) if card else device


PORTS = (function("00.0", card=True), function("00.1", card=True))
FUNCTIONS = tuple(function(f"02.{number}") for number in range(2 * COUNT))
HOST = replace(esx("esx-01"), devices=(*PORTS, *FUNCTIONS))


def obstacles(physical: str | None, power: str = "poweredOn") -> list[bool]:
    backing = SriovBacking(physical_function=physical, automatic=physical is None)
    other = replace(guest("fw-01", VmDevice(key=13031, label="NIC", backing=backing)), power_state=power)
    asking = guest("dpi-01")
    observed = ObservedVms(vms=(asking,), others=(other,), hosts=(HOST,))
    return [bool(function_obstacle(observed, HOST, device, asking)) for device in functions_of(HOST)]


@pytest.mark.parametrize("physical", [PORTS[0].address, PORTS[1].address, None], ids=["first", "second", "automatic"])
def test_no_function_of_a_card_with_two_ports_is_free_while_an_adapter_of_either_runs(physical: str | None) -> None:
    assert obstacles(physical) == [True] * (2 * COUNT)


def test_adapters_of_other_cards_and_of_vms_that_are_off_do_not_count() -> None:
    assert not any(obstacles("0000:5e:00.0"))
    assert not any(obstacles(PORTS[0].address, "poweredOff"))
