# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks of ESXi hosts, and the physical NICs behind them. PRIVATE to the collection.

Read only for VMs with desired SR-IOV network adapters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from .vms import SriovBacking, Vm, VmDevice


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """A network of a host. ``name``: as the client shows it. ``key``: what a network adapter refers to: the managed object id of a standard
    network, the key of a distributed port group. ``switch``: name of the standard switch, or UUID of the distributed one."""

    moid: str
    name: str
    kind: Literal["standard", "distributed", "opaque"] = "standard"
    key: str = ""
    switch: str = ""


def network_of(backing: SriovBacking) -> Network:
    """The network of an adapter, as its backing names it."""
    return Network(
        moid=backing.network,
        name=backing.network_name,
        kind="distributed" if backing.switch else "standard",
        key=backing.network,
        switch=backing.switch,
    )


def unnamed_port_groups(vms: Iterable[Vm]) -> frozenset[str]:
    """Keys of the port groups of SR-IOV network adapters whose backing does not give their name."""
    backings = (device.backing for vm in vms for device in vm.devices)
    return frozenset(b.network for b in backings if isinstance(b, SriovBacking) and b.network and not b.network_name)


def with_network_names(vms: Iterable[Vm], names: Mapping[str, str]) -> tuple[Vm, ...]:
    """The VMs, with these names (key → name) in SR-IOV network adapters whose backing does not give one."""

    def named(device: VmDevice) -> VmDevice:
        backing = device.backing
        if not isinstance(backing, SriovBacking) or backing.network_name or backing.network not in names:
            return device
        return replace(device, backing=replace(backing, network_name=names[backing.network]))

    return tuple(replace(vm, devices=tuple(map(named, vm.devices))) if vm.devices else vm for vm in vms)


@dataclass(frozen=True, kw_only=True, slots=True)
class HostNetworks:
    """``nics``: vmnic → address of its PCI function. ``uplinks``: switch → vmnics. ``switch_names``: switch → its name for messages.

    ``pools``: switch → vmnics whose virtual functions serve adapters with an automatic physical function; without an entry, it is the
    uplinks (a host before 6.5 reports no pools). ``unreadable``: property paths without a value.
    """

    networks: tuple[Network, ...] = ()
    nics: Mapping[str, str] = field(default_factory=dict)
    uplinks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    switch_names: Mapping[str, str] = field(default_factory=dict)
    pools: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    """Managed object ids of networks whose name is unknown."""

    def behind(self, network: Network) -> tuple[str, ...]:
        """The vmnics whose virtual functions can serve an automatic adapter in this network."""
        return self.pools.get(network.switch) or self.uplinks.get(network.switch, ())

    def vmnic_of(self, address: str) -> str | None:
        return next((vmnic for vmnic, at in self.nics.items() if at == address), None)

    def by_key(self, key: str) -> Network | None:
        """The network that an adapter refers to; None when the host does not have it."""
        return next((network for network in self.networks if key and network.key == key), None)
