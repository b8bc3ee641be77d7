# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network and the physical function of a desired SR-IOV network adapter, on the host of its VM. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...names import near
from ...observed.hosts import Host, HostDevice
from ...observed.networks import HostNetworks, Network
from ...observed.vms import SriovBacking, Vm
from ...planning.plan import Blocker
from ..desired.sriov_networks import DesiredSriovNetwork

ENABLE = "Set the number of virtual functions with host_sriov, reboot the host if that is pending, then run this again"


@dataclass(frozen=True, kw_only=True, slots=True)
class SriovPlace:
    """Where an adapter is to be. ``address``: of its physical function; None when it is automatic, or not found. ``blocker``: why it cannot
    be there."""

    entry: DesiredSriovNetwork
    network: Network | None = None
    address: str | None = None
    blocker: Blocker | None = None


def find_place(vm: Vm, host: Host, networks: HostNetworks, entry: DesiredSriovNetwork) -> SriovPlace:
    """The network by name or managed object id, and the physical function by vmnic or address, on the VM's host."""
    found = [network for network in networks.networks if entry.network in (network.name, network.moid)]
    if len(found) != 1:
        return SriovPlace(entry=entry, blocker=_no_single_network(vm, host, networks, entry, found))
    network = found[0]
    if network.kind == "opaque":
        return SriovPlace(entry=entry, network=network, blocker=_opaque(vm, network))
    if entry.is_automatic:
        return SriovPlace(entry=entry, network=network)
    address = networks.nics.get(entry.physical_function, entry.physical_function)
    if host.device(address) is None:
        return SriovPlace(entry=entry, network=network, blocker=_no_such_function(vm, host, networks, entry))
    return SriovPlace(entry=entry, network=network, address=address)


def _no_single_network(
    vm: Vm, host: Host, networks: HostNetworks, entry: DesiredSriovNetwork, found: list[Network]
) -> Blocker:
    if found:
        return Blocker(
            code="ambiguous_network",
            message=f"{host.name}, the host of {vm.name}, has {len(found)} networks that {entry.network} may mean",
            cure="Give the managed object id of the network in place of its name",
            candidates=tuple(f"{one.moid} ({one.name}, {one.kind})" for one in found),
        )
    if networks.unread:
        return Blocker(
            code="networks_unknown",
            message=f"{host.name}, the host of {vm.name}, shows no network {entry.network}, but vCenter did not return the names of "
            f"{', '.join(networks.unread)}",
            cure="Check that the account has System.Read on these networks, or correct the name",
        )
    names = sorted({network.name for network in networks.networks if network.kind != "opaque"})
    return Blocker(
        code="no_such_network",
        message=f"{host.name}, the host of {vm.name}, has no network {entry.network}",
        cure="Correct the name, or add the port group to this host",
        candidates=tuple(near(entry.network, names) or names[:8]),
    )


def _opaque(vm: Vm, network: Network) -> Blocker:
    return Blocker(
        code="network_unsupported",
        message=f"{vm.name} cannot have an SR-IOV network adapter in {network.name}, which is an opaque network of NSX",
        cure="Use a port group of a standard or a distributed switch",
    )


def _no_such_function(vm: Vm, host: Host, networks: HostNetworks, entry: DesiredSriovNetwork) -> Blocker:
    known = sorted(
        (vmnic, device)
        for vmnic, address in networks.nics.items()
        if (device := host.device(address)) is not None and device.sriov is not None
    )
    return Blocker(
        code="no_such_physical_function",
        message=f"{host.name}, the host of {vm.name}, has no physical function {entry.physical_function}",
        cure="Correct physical_function, or use auto",
        candidates=tuple(f"{vmnic} {device.describe()}" for vmnic, device in known),
    )


def functions_in_effect(device: HostDevice | None) -> int:
    """The number of virtual functions that a physical function provides now."""
    sriov = device.sriov if device is not None else None
    return sriov.current if sriov is not None and sriov.active else 0


def serving(host: Host, networks: HostNetworks, network: Network) -> tuple[str, ...]:
    """Addresses of the physical functions with virtual functions in effect that can serve an automatic adapter in this network."""
    addresses = (networks.nics.get(vmnic, "") for vmnic in networks.behind(network))
    return tuple(sorted(address for address in addresses if functions_in_effect(host.device(address))))


def possible_functions(host: Host, networks: HostNetworks, backing: SriovBacking) -> tuple[str, ...]:
    """Addresses of the physical functions that an adapter uses, or may use, when its VM runs on this host. While the VM runs, an automatic
    adapter shows the one that vSphere chose."""
    if backing.physical_function is not None:
        return (backing.physical_function,)
    network = networks.by_key(backing.network)
    if network is None:  # an unknown network: any function may serve it
        return tuple(device.address for device in host.devices if functions_in_effect(device))
    return serving(host, networks, network)


def find_function_problem(vm: Vm, host: Host, networks: HostNetworks, place: SriovPlace) -> Blocker | None:
    """A blocker when no physical function with virtual functions in effect can serve the adapter."""
    network = place.network
    if network is None:
        return None
    if place.address is not None:
        device = host.device(place.address)
        if functions_in_effect(device):
            return None
        label = networks.vmnic_of(place.address) or place.address
        return Blocker(
            code="sriov_not_active",
            message=f"{vm.name} needs a virtual function of {label} on {host.name}, which {_state(device)}",
            cure=ENABLE,
        )
    if serving(host, networks, network):
        return None
    switch = networks.switch_names.get(network.switch, network.switch)
    behind = networks.behind(network)
    why = "that switch has no uplink" if not behind else f"of its uplinks, {_states(host, networks, behind)}"
    return Blocker(
        code="sriov_not_active",
        message=f"{vm.name} needs a virtual function behind {network.name}, a network of {switch} on {host.name}, but {why}",
        cure=f"{ENABLE}. To use a NIC that is no uplink of the switch, name it as physical_function",
    )


def _states(host: Host, networks: HostNetworks, vmnics: Iterable[str]) -> str:
    return ", ".join(f"{vmnic} {_state(host.device(networks.nics.get(vmnic, '')))}" for vmnic in vmnics)


def _state(device: HostDevice | None) -> str:
    sriov = device.sriov if device is not None else None
    if sriov is None or not (sriov.capable or sriov.enabled or sriov.active):
        return "does not support SR-IOV"
    if sriov.enabled and sriov.requested and not sriov.active:
        return f"has {sriov.requested} virtual functions only after a reboot"
    return "has no virtual functions"
