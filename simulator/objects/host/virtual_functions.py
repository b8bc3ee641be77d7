# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual functions of SR-IOV cards: PCI functions that are there as long as a count of them is in effect.

Sources: vSphere networking guide (virtual functions appear in the list of the host's PCI devices), API reference (ConfigTarget.sriov:
`virtualFunction`), PCI Express SR-IOV specification (a virtual function has the vendor and class of its card, a device id of its
own, and an address at an offset from it). Whether vSphere shows them as enabled and active is a knob.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pyVmomi import vim

from ...api import data
from ...rules.knobs import Knobs
from ...rules.pci import encoding
from ...rules.pci.passthrough import Passthrough
from ..pci import Function, Layout, delivered
from .network import dvs_uuid, network_info
from .state import HostState

FIRST_OFFSET = 16
"""Routing id of the first virtual function of a card's first port, from that port's own."""


def hardware(functions: Iterable[Function]) -> list[Function]:
    """Those that are there whatever is configured."""
    return [item for item in functions if not item.physical]


def refit(host: HostState) -> bool:
    """Let virtual functions come and go with the counts in effect; whether any did."""
    layout = host.spec.layout
    real = hardware(layout.functions.values())
    made = list(_made(real, host.pci))
    if {item.address for item in made} == {item.address for item in layout.functions.values() if item.physical}:
        return False
    host.spec = dataclasses.replace(host.spec, layout=Layout([*real, *made]))
    shown = {item.address: _state(item, host.settings) for item in made}
    host.pci = {address: shown.get(address) or host.pci[address] for address in host.spec.layout.functions}
    return True


def functions_of(host: HostState, address: str) -> int | None:
    """What the parameter `max_vfs` (a number for each port, in the order of the ports: vSphere networking guide) of its
    driver says for a port; None when it says nothing."""
    driver = next((nic.driver for nic in host.spec.nics if nic.address == address), "")
    ports = sorted(nic.address for nic in host.spec.nics if nic.driver == driver)
    for word in host.module_options.get(driver, "").split():
        name, _equals, told = word.partition("=")
        numbers = told.split(",")
        if name == "max_vfs" and ports.index(address) < len(numbers):
            return int(numbers[ports.index(address)])
    return None


def _made(real: list[Function], states: Mapping[str, Passthrough]) -> Iterator[Function]:
    taken = {item.address for item in real}
    for item in real:
        sriov = states[item.address].sriov
        if sriov is None or not sriov.active:
            continue
        places = _places(item)
        for _number in range(sriov.present):
            address = next((place for place in places if place not in taken), None)
            if address is None:  # a segment has room for far more functions than any card has
                raise ValueError(f"no address is left for a virtual function of {item.address}")
            taken.add(address)
            yield dataclasses.replace(
                item,
                address=address,
                device=item.vf_device or item.device,
                device_name=f"{item.device_name} Virtual Function",
                dependent=address,
                role="vf",
                card="",
                capable=True,
                max_vfs=0,
                modes=(),
                physical=item.address,
            )


def _places(card: Function) -> Iterator[str]:
    """Addresses from the offset of a port on, over the end of its bus."""
    where = encoding.place(card.address)
    number = where.bus << 8 | where.slot << 3 | where.function
    number += FIRST_OFFSET + where.function * max(card.max_vfs - 1, 0)
    while True:
        bus, rest = number >> 8, number & 0xFF
        yield encoding.address(where._replace(bus=bus, slot=rest >> 3, function=rest & 7))
        number += 1


def _state(item: Function, knobs: Knobs) -> Passthrough:
    """How a virtual function looks in pciPassthruInfo: U, hence a knob."""
    active = knobs.virtual_function_state == "active"
    capable = knobs.virtual_function_state != "not_capable"
    return dataclasses.replace(delivered(item), capable=capable, enabled=active, active=active)


# -- pools ---------------------------------------------------------------------------------------------------------
# Source: API reference, HostSriovNetworkDevicePoolInfo (6.5): the physical NICs of a switch whose virtual functions serve the adapters in
# its networks. That a pool has the uplinks with virtual functions in effect is inferred. Whether a host reports pools is a knob.


def pools(host: HostState) -> Any:
    """`sriovDevicePoolInfo`; None where the host reports none."""
    cls = getattr(vim.host, "SriovNetworkDevicePoolInfo", None)
    if cls is None or host.release < (6, 5) or not host.settings.sriov_pools_shown:
        return None
    pnics = {pnic.device: pnic for pnic in network_info(host.spec, host.taken, down=host.links_down).pnic}
    found = []
    for switch in host.spec.switches:
        served = [pnics[nic.device] for nic in _serving(host, switch.name) if nic.device in pnics]
        if served:
            own = (
                {"switchUuid": dvs_uuid(switch.name)}
                if switch.kind == "distributed"
                else {"switchKey": f"key-vim.host.VirtualSwitch-{switch.name}"}
            )
            found.append(data.new(cls, key=f"sriov-pool-{switch.name}", pnic=served, **own))
    return found or None


def _serving(host: HostState, switch: str) -> list[Any]:
    return [nic for nic in host.spec.nics if nic.switch == switch and _has_functions(host, nic.address)]


def _has_functions(host: HostState, address: str) -> bool:
    state = host.pci.get(address)
    return state is not None and state.sriov is not None and state.sriov.active and state.sriov.present > 0


def behind(host: HostState) -> dict[str, tuple[str, ...]]:
    """Network of the host (managed object id, key and name) -> addresses of the physical functions behind it."""
    found: dict[str, tuple[str, ...]] = {}
    for ref in host.props["network"]:
        network = host.sim.obj(ref)
        for switch in host.spec.switches:
            if any(network.is_named(name) for name in switch.portgroups):
                served = tuple(nic.address for nic in _serving(host, switch.name))
                found |= dict.fromkeys(
                    (network.moid, str(network.props.get("key", network.moid)), network.name), served
                )
    return found
