# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning the SR-IOV network adapters of a VM. PRIVATE to the collection.

Adapters are matched by MAC address, network and physical function, never by key: the server chooses the keys, and adapters that are added
together can get them in the reverse order of the request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...host.blockers import holders_unknown
from ...observed.hosts import Host
from ...observed.networks import HostNetworks, Network
from ...observed.vms import SriovBacking, Vm, VmDevice
from ...planning.details import Detach, SriovEdit, SriovSpec
from ...planning.plan import Blocker, Change, Leaving
from ..desired.sriov_networks import is_assigned_by_server
from ..desired.vm import DesiredVm
from ..observed_vms import ObservedVms
from ..pairing import pair_up
from .kind_plan import KindPlan
from .sriov_places import SriovPlace, find_function_problem, find_place

LOST = "no vMotion, no snapshots, no suspend, no Fault Tolerance, no hot-add, and DRS and HA do not move it"
"""What a VM with an SR-IOV network adapter cannot have (vSphere networking guide, SR-IOV support)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Adapter:
    """An adapter that the VM has."""

    device: VmDevice
    backing: SriovBacking

    @property
    def key(self) -> int:
        return self.device.key


@dataclass(frozen=True, kw_only=True, slots=True)
class _Context:
    vm: Vm
    host: Host
    networks: HostNetworks


def plan_sriov_networks(observed: ObservedVms, desired: DesiredVm) -> KindPlan:
    """The adapters of one VM. ``absent``: each adapter in a listed network with, if given, this MAC address and physical function."""
    entries = desired.sriov_networks
    if entries is None and not (desired.all_kinds and desired.state == "exactly"):
        return KindPlan()
    vm = observed.vm(desired.moid)
    adapters = _adapters(vm)
    named = frozenset(adapter.key for adapter in adapters)
    if not entries:
        return _removal(adapters if desired.state == "exactly" else (), adapters, None, named)
    host, networks = observed.host_of(vm), observed.networks.get(vm.host_moid or "")
    unknown = _unknown(vm, host, networks)
    if unknown is not None or host is None or networks is None:
        return KindPlan(blockers=(unknown,) if unknown is not None else (), named=named)
    context = _Context(vm=vm, host=host, networks=networks)
    places = [find_place(vm, host, networks, entry) for entry in entries]
    blockers = tuple(dict.fromkeys(place.blocker for place in places if place.blocker is not None))
    if desired.state == "absent":
        # A network that the host no longer has cannot be the network of an adapter that works there.
        found = [adapter for adapter in adapters if any(_is_listed(context, place, adapter) for place in places)]
        return _removal(found, adapters, networks, named, blockers=blockers)
    if blockers:
        return KindPlan(blockers=blockers, named=named)
    return _present(observed, context, desired, places, adapters)


def _adapters(vm: Vm) -> list[_Adapter]:
    return [
        _Adapter(device=device, backing=device.backing)
        for device in sorted(vm.devices, key=lambda device: -device.key)
        if isinstance(device.backing, SriovBacking) and not device.backing.dvx_class and device.group_instance is None
    ]


def _unknown(vm: Vm, host: Host | None, networks: HostNetworks | None) -> Blocker | None:
    """The blocker when the networks of the VM's host are not known."""
    if host is None:
        return Blocker(
            code="host_unknown",
            message=f"The host of {vm.name} ({vm.host_name or 'none'}) was not read, so its networks are unknown",
            cure="Check that the account can see the host",
        )
    if not host.is_reachable:
        return Blocker(
            code="host_unreachable",
            message=f"{host.name}, the host of {vm.name}, is {host.connection_state}, so its networks are unknown",
            cure="Reconnect the host, then run this again",
        )
    if networks is None or networks.unreadable:
        paths = ", ".join(networks.unreadable) if networks is not None else "network"
        return Blocker(
            code="networks_unknown",
            message=f"The networks of {host.name}, the host of {vm.name}, are unknown: vCenter did not return {paths}",
            cure="Check that the account has System.Read on the host and its networks",
        )
    return None


# -- removing -------------------------------------------------------------------------------------------------------


def _is_listed(context: _Context, place: SriovPlace, adapter: _Adapter) -> bool:
    """For ``absent``. An entry with an automatic physical function lists the adapters in its network whatever function they have."""
    entry = place.entry
    return (
        _is_in(place.network, adapter.backing)
        and (entry.mac is None or entry.mac == adapter.backing.mac)
        and (entry.is_automatic or _has_function(place, adapter.backing))
    )


def _removal(
    found: Sequence[_Adapter],
    adapters: Sequence[_Adapter],
    networks: HostNetworks | None,
    named: frozenset[int],
    blockers: tuple[Blocker, ...] = (),
) -> KindPlan:
    changes, leaving = _detached(found, networks)
    return KindPlan(
        detaching=changes,
        detached=frozenset(adapter.key for adapter in found),
        leaving=leaving,
        named=named,
        blockers=blockers,
    )


def _detached(
    found: Sequence[_Adapter], networks: HostNetworks | None
) -> tuple[tuple[Change, ...], Mapping[str, Leaving]]:
    changes = tuple(
        Change(
            subject=_label(adapter.device),
            before=_words(adapter.backing, networks),
            after=None,
            detail=Detach(key=adapter.key),
        )
        for adapter in sorted(found, key=lambda adapter: adapter.key)
    )
    return changes, {change.subject: Leaving(why="unwanted", reason="not desired") for change in changes}


# -- adding and editing ---------------------------------------------------------------------------------------------


def _present(
    observed: ObservedVms,
    context: _Context,
    desired: DesiredVm,
    places: Sequence[SriovPlace],
    adapters: Sequence[_Adapter],
) -> KindPlan:
    pairs = _match(places, adapters)
    kept = {adapters[right].key for right in pairs.values()}
    surplus = [adapter for adapter in adapters if adapter.key not in kept] if desired.state == "exactly" else []
    edits = [
        change
        for left, right in sorted(pairs.items())
        if (change := _edit(places[left], adapters[right], context.networks)) is not None
    ]
    numbers = Counter(_network_name(adapters[right].backing, context.networks) for right in pairs.values())
    added = []
    for left, place in enumerate(places):
        if left not in pairs and place.network is not None:
            numbers[place.network.name] += 1
            added.append(_addition(place, place.network, numbers[place.network.name], context.networks))
    changing = [
        left for left, place in enumerate(places) if left not in pairs or _needs_function(pairs, left, place, adapters)
    ]
    blockers = _function_blockers(observed, context, [places[left] for left in changing])
    removal, leaving = _detached(surplus, context.networks)
    return KindPlan(
        detaching=removal,
        detached=frozenset(adapter.key for adapter in surplus),
        attaching=(*edits, *added),
        blockers=blockers,
        warnings=_warnings(observed, context, places) if edits or added else (),
        leaving=leaving,
        named=frozenset(adapter.key for adapter in adapters),
    )


def _match(places: Sequence[SriovPlace], adapters: Sequence[_Adapter]) -> dict[int, int]:
    """Index of an entry → index of its adapter. Adapters that need no change come first, then those with the MAC address of an entry, then
    those in its network. An adapter with a MAC address that a person chose is not given to an entry with another one."""
    pairs: dict[int, int] = {}
    for fits in (_is_as_desired, _has_mac, _could_become):
        lefts = [left for left in range(len(places)) if left not in pairs]
        rights = [right for right in range(len(adapters)) if right not in pairs.values()]
        edges = {
            number: [place for place, right in enumerate(rights) if fits(places[left], adapters[right].backing)]
            for number, left in enumerate(lefts)
        }
        found = pair_up(lefts, rights, edges)
        pairs |= {lefts[number]: rights[place] for number, place in found.items()}
    return pairs


def _is_in(network: Network | None, backing: SriovBacking) -> bool:
    if network is None or network.kind == "opaque":
        return False
    if backing.network:
        return backing.network == network.key
    return network.kind == "standard" and backing.network_name == network.name


def _has_function(place: SriovPlace, backing: SriovBacking) -> bool:
    if place.entry.is_automatic:
        return backing.is_automatic
    return not backing.is_automatic and backing.physical_function == place.address


def _is_as_desired(place: SriovPlace, backing: SriovBacking) -> bool:
    entry = place.entry
    return (
        _is_in(place.network, backing)
        and _has_function(place, backing)
        and entry.mac in (None, backing.mac)
        and entry.allow_guest_mtu_change in (None, backing.allow_guest_mtu_change)
    )


def _has_mac(place: SriovPlace, backing: SriovBacking) -> bool:
    return place.entry.mac is not None and place.entry.mac == backing.mac


def _could_become(place: SriovPlace, backing: SriovBacking) -> bool:
    return _is_in(place.network, backing) and (place.entry.mac is None or backing.address_type != "manual")


def _edit(place: SriovPlace, adapter: _Adapter, networks: HostNetworks) -> Change | None:
    entry, backing = place.entry, adapter.backing
    if place.network is None or _is_as_desired(place, backing):
        return None
    mac = entry.mac or backing.mac
    allowed = backing.allow_guest_mtu_change if entry.allow_guest_mtu_change is None else entry.allow_guest_mtu_change
    moves = not _is_in(place.network, backing)
    edit = SriovEdit(
        key=adapter.key,
        network=place.network if moves else None,
        physical_function=place.address,
        automatic=entry.is_automatic,
        mac=mac,
        address_type="manual" if mac != backing.mac else backing.address_type,
        allow_guest_mtu_change=allowed,
        becomes_automatic=entry.is_automatic and not backing.is_automatic,
    )
    after = _shown(place.network.name, _function_words(place.address, networks), mac, allowed)
    return Change(subject=_label(adapter.device), before=_words(backing, networks), after=after, detail=edit)


def _addition(place: SriovPlace, network: Network, number: int, networks: HostNetworks) -> Change:
    entry = place.entry
    spec = SriovSpec(
        network=network,
        physical_function=place.address,
        mac=entry.mac or "",
        allow_guest_mtu_change=bool(entry.allow_guest_mtu_change),
    )
    function = _function_words(place.address, networks)
    after = _shown(network.name, function, entry.mac or "generated", spec.allow_guest_mtu_change)
    return Change(subject=f"SR-IOV {network.name} #{number}", before=None, after=after, detail=spec)


def _needs_function(pairs: Mapping[int, int], left: int, place: SriovPlace, adapters: Sequence[_Adapter]) -> bool:
    backing = adapters[pairs[left]].backing
    return not _has_function(place, backing) or not _is_in(place.network, backing)


def _function_blockers(observed: ObservedVms, context: _Context, places: Sequence[SriovPlace]) -> tuple[Blocker, ...]:
    """Why the physical functions cannot serve these adapters."""
    if not places:
        return ()
    problems = [find_function_problem(context.vm, context.host, context.networks, place) for place in places]
    unread = observed.unread_on(context.host)
    what = f"No SR-IOV network adapter can be added to {context.vm.name}"
    unknown = [holders_unknown(context.host.name, unread, what)] if unread else []
    return tuple(dict.fromkeys([*(problem for problem in problems if problem is not None), *unknown]))


def _warnings(observed: ObservedVms, context: _Context, places: Sequence[SriovPlace]) -> tuple[str, ...]:
    vm, host = context.vm, context.host
    tied = ""
    if any(not place.entry.is_automatic for place in places):
        tied = f". It is tied to {host.name}, because a physical function of this host is named: another host may have another card there"
    warnings = [f"With SR-IOV network adapters, {vm.name} has {LOST}{tied}"]
    for place in places:
        network, address = place.network, place.address
        if network is None:
            continue
        uplinks = {context.networks.nics.get(vmnic) for vmnic in context.networks.uplinks.get(network.switch, ())}
        if address is not None and address not in uplinks:
            switch = context.networks.switch_names.get(network.switch, network.switch)
            warnings.append(
                f"{_function_words(address, context.networks)} of {host.name} is no uplink of {switch}, the switch of {network.name}: "
                f"the adapter of {vm.name} uses the VLAN and the policies of {network.name}, and the link of that NIC"
            )
        mac = place.entry.mac
        if mac is not None and is_assigned_by_server(mac):
            warnings.append(
                f"The MAC address {mac} of {vm.name} is in a range that vSphere assigns from, so another VM may get the same"
            )
        if mac is not None:
            warnings += [
                f"{other.name} has an adapter with the MAC address {mac} of {vm.name}"
                for other in observed.everyone()
                if other.moid != vm.moid and any(_has_mac_of(device, mac) for device in other.devices)
            ]
    return tuple(dict.fromkeys(warnings))


def _has_mac_of(device: VmDevice, mac: str) -> bool:
    return isinstance(device.backing, SriovBacking) and device.backing.mac == mac


# -- showing --------------------------------------------------------------------------------------------------------


def _label(device: VmDevice) -> str:
    return device.label or f"SR-IOV network adapter {device.key}"


def _network_name(backing: SriovBacking, networks: HostNetworks | None) -> str:
    known = networks.by_key(backing.network) if networks is not None else None
    return known.name if known is not None else backing.network_name or backing.network


def _function_words(address: str | None, networks: HostNetworks | None) -> str:
    """``vmnic4 (0000:3b:00.0)``, or ``auto``."""
    if address is None:
        return "auto"
    vmnic = networks.vmnic_of(address) if networks is not None else None
    return f"{vmnic} ({address})" if vmnic else address


def _words(backing: SriovBacking, networks: HostNetworks | None) -> Mapping[str, bool | int | str | None]:
    function = _function_words(None if backing.is_automatic else backing.physical_function, networks)
    return _shown(_network_name(backing, networks), function, backing.mac, backing.allow_guest_mtu_change)


def _shown(network: str, function: str, mac: str, allowed: bool) -> Mapping[str, bool | int | str | None]:
    return {
        "backing": "sriov",
        "device": network,
        "physical_function": function,
        "mac": mac,
        "allow_guest_mtu_change": allowed,
    }
