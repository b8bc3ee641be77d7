# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual functions as fixed passthrough devices. PRIVATE to the collection.

A virtual function that is active for passthrough can be a fixed device of a VM (seen on vCenter 8.0.3). The adapters of running VMs use
virtual functions too, and the server does not show which ones.
"""

from __future__ import annotations

from ...observed.hosts import Host, HostDevice, cards_of_functions, virtual_functions
from ...observed.vms import SriovBacking, Vm
from ..observed_vms import ObservedVms


def functions_of(host: Host) -> tuple[HostDevice, ...]:
    """The virtual functions of a host, sorted by address."""
    addresses = virtual_functions(host.devices)
    return tuple(sorted((d for d in host.devices if d.address in addresses), key=lambda device: device.address))


def function_obstacle(observed: ObservedVms, host: Host, device: HostDevice, vm: Vm) -> str:
    """Why it is uncertain that a virtual function is free, as a clause; empty when no SR-IOV network adapter can have it.

    An adapter of a running VM has one of the functions of its card, and the server does not show which.
    """
    cards = cards_of_functions(host.devices).get(device.address, ())
    if not cards:
        return ""
    for other in observed.everyone():
        if other.host_moid != host.moid or not other.may_run or other.moid == vm.moid:
            continue
        for held in other.devices:
            backing = held.backing
            if not isinstance(backing, SriovBacking) or backing.dvx_class or backing.virtual_function is not None:
                continue
            if backing.physical_function is None or backing.physical_function in cards:
                return (
                    f"perhaps in use by an SR-IOV network adapter of {other.name}: the server does not show which virtual function "
                    "an adapter has"
                )
    return ""
