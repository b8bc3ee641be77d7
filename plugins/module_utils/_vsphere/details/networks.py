# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the networks of hosts, and the physical NICs behind them. PRIVATE to the collection.

Read only where SR-IOV network adapters are desired: one bulk read for any number of hosts, and one for their distributed switches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..._domain.observed.networks import HostNetworks, Network
from ..property_collector.mixed_types import collect_named
from ..property_collector.parser import PageStart
from ..property_collector.retrieve import Row, collect_around, collect_objects
from ..sdk import vim
from ..session.answer_checks import reader
from ..session.connect import Session

_HOST_PATHS = {
    "network": None,
    "config.network.pnic": None,
    "config.network.vswitch": None,
    "config.network.proxySwitch": None,
    "config.network.portgroup": None,
    "config.sriovDevicePool": (vim.host.ConfigInfo, "sriovDevicePool"),
}
_NEEDED = ("network", "config.network.pnic", "config.network.vswitch", "config.network.portgroup")
_PORT_GROUP_PATHS = ("name", "key", "config.distributedVirtualSwitch")


@reader
def read_networks(session: Session, hosts: Iterable[str]) -> dict[str, HostNetworks]:
    """Host id → its networks, for these host ids. Raises faults of the server and BrokenAnswer."""
    moids = sorted(set(hosts))
    if not moids:
        return {}
    paths = [path for path, since in _HOST_PATHS.items() if since is None or session.knows(*since)]
    start = PageStart(kind=vim.HostSystem, moids=moids, link="network", both=True)
    port_groups = vim.dvs.DistributedVirtualPortgroup
    found = collect_around(
        session,
        [start],
        {vim.HostSystem: paths, port_groups: _PORT_GROUP_PATHS, vim.OpaqueNetwork: ("name",), vim.Network: ("name",)},
    )
    switches = _read_switches(session, found[port_groups])
    networks = {
        **{row.moid: _port_group(row, switches) for row in found[port_groups]},
        **{row.moid: _network(row, "opaque") for row in found[vim.OpaqueNetwork]},
        **{row.moid: _network(row, "standard") for row in found[vim.Network]},
    }
    named = {moid: network for moid, network in networks.items() if network.name}
    return {row.moid: _host_networks(row, named) for row in found[vim.HostSystem]}


@reader
def read_port_group_names(session: Session, keys: Iterable[str]) -> dict[str, str]:
    """Key → name of distributed port groups, in one call; no call without keys. The key of a port group is its managed object id."""
    rows = collect_objects(session, vim.dvs.DistributedVirtualPortgroup, sorted(keys), ("name",))
    return {row.moid: row.get("name", "") for row in rows}


def _read_switches(session: Session, port_groups: Iterable[Row]) -> dict[str, str]:
    """Id of each distributed switch of these port groups → its UUID. Switches are read by their own types, as the server requires."""
    named: dict[type, set[str]] = {}
    for row in port_groups:
        switch = row.get("config.distributedVirtualSwitch")
        if switch is not None:
            named.setdefault(type(switch), set()).add(switch._moId)
    rows = collect_named(session, named, dict.fromkeys(named, ("uuid",)))
    return {row.moid: row.get("uuid", "") for found in rows.values() for row in found}


def _port_group(row: Row, switches: Mapping[str, str]) -> Network:
    switch = row.get("config.distributedVirtualSwitch")
    return Network(
        moid=row.moid,
        name=row.get("name", ""),
        kind="distributed",
        key=row.get("key", row.moid),
        switch=switches.get(switch._moId, "") if switch is not None else "",
    )


def _network(row: Row, kind: Any) -> Network:
    return Network(moid=row.moid, name=row.get("name", ""), kind=kind, key=row.moid)


def _host_networks(row: Row, networks: Mapping[str, Network]) -> HostNetworks:
    devices = {pnic.key: pnic.device for pnic in row.get("config.network.pnic", ())}
    groups = {group.spec.name: group.spec.vswitchName for group in row.get("config.network.portgroup", ())}
    uplinks, names = {}, {}
    for switch in row.get("config.network.vswitch", ()):
        uplinks[switch.name] = _names(switch.pnic, devices)
        names[switch.name] = switch.name
    for switch in row.get("config.network.proxySwitch", ()):
        lags = [port.pnicKey for lag in switch.hostLag or () for port in lag.lagPort or () if port.pnicKey]
        uplinks[switch.dvsUuid] = _names([*(switch.pnic or ()), *lags], devices)
        names[switch.dvsUuid] = switch.dvsName or switch.dvsUuid
    own = [networks[reference._moId] for reference in row.get("network", ()) if reference._moId in networks]
    unread = [reference._moId for reference in row.get("network", ()) if reference._moId not in networks]
    return HostNetworks(
        networks=tuple(_on_host(network, groups) for network in sorted(own, key=lambda one: (one.name, one.moid))),
        nics={pnic.device: pnic.pci.lower() for pnic in row.get("config.network.pnic", ()) if pnic.pci},
        uplinks=uplinks,
        switch_names=names,
        pools=_pools(row.get("config.sriovDevicePool", ()), row),
        unreadable=tuple(path for path in sorted(_NEEDED) if path in row.missing),
        unread=tuple(sorted(unread)),
    )


def _names(keys: Iterable[str] | None, devices: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted({devices.get(key, key.rpartition("-")[2]) for key in keys or ()}))


def _on_host(network: Network, groups: Mapping[str, str]) -> Network:
    """A standard network with its switch on this host: the networks of several hosts with one name are one object in vCenter."""
    if network.kind != "standard":
        return network
    return Network(
        moid=network.moid, name=network.name, key=network.key, kind="standard", switch=groups.get(network.name, "")
    )


def _pools(pools: Iterable[Any], row: Row) -> dict[str, tuple[str, ...]]:
    """Switch → vmnics of the pool of virtual functions behind it. A standard switch is given by its key."""
    by_key = {switch.key: switch.name for switch in row.get("config.network.vswitch", ())}
    found: dict[str, tuple[str, ...]] = {}
    for pool in pools:
        if isinstance(pool, vim.host.SriovNetworkDevicePoolInfo):
            switch = pool.switchUuid or by_key.get(pool.switchKey or "", pool.switchKey or "")
            found[switch] = tuple(sorted(pnic.device for pnic in pool.pnic or ()))
    return found
