# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the virtual functions of a host are enough for the SR-IOV network adapters of a plan. PRIVATE to the collection.

Running VMs hold virtual functions. The server does not show which ones, so they are counted for each physical function.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ...observed.hosts import Host, cards_of_functions
from ...observed.networks import HostNetworks
from ...observed.vms import FixedBacking, SriovBacking, Vm
from ...planning.plan import Blocker, Change
from ...planning.predicted import after
from ..observed_vms import ObservedVms
from ..pairing import pair_up
from .kind_plan import Supply
from .sriov_places import functions_in_effect, possible_functions

MOST_ADAPTERS_AND_DEVICES = 128
"""Passthrough devices and SR-IOV network adapters of a VM have the keys 13000 to 13127 together (seen on vCenter 8.0.3)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """A VM whose plan may need virtual functions. ``runs``: it will run after the plan."""

    vm: Vm
    changes: tuple[Change, ...]
    runs: bool
    host_moid: str | None = None
    """Where it will run, if that is not its own host."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Use:
    """One virtual function that a VM uses: of one of these physical functions."""

    vm: str
    functions: tuple[str, ...]
    address: str = ""
    """Of a virtual function that is passed through. An adapter has none."""


def check_supply(observed: ObservedVms, asking: Sequence[Asking]) -> Supply:
    """A blocker for each VM of a plan whose host has too few virtual functions left, or that would have too many devices. Warnings for a VM
    that will run, if its functions may not be free.

    In the order of the plan: what an earlier VM of the plan takes is not free for a later one. VMs are powered on at the same time, so the
    warnings look at all of them."""
    found: dict[str, Blocker] = {}
    granted: dict[str, Vm] = {}
    for one in asking:
        vm = running_after(one.vm, one.changes)
        if one.host_moid is not None:
            vm = replace(vm, host_moid=one.host_moid)
        host = observed.host_of(vm)
        has_adapters = any(isinstance(d.backing, SriovBacking) and not d.backing.dvx_class for d in vm.devices)
        blocker = _too_many(vm) if has_adapters else None
        networks = observed.networks.get(vm.host_moid or "")
        if has_adapters and blocker is None and host is not None and networks is not None:
            blocker = _shortage(host, networks, vm, _others(observed, granted, host, vm))
        if blocker is not None:
            found[one.vm.moid] = blocker
        elif one.runs:
            granted[one.vm.moid] = vm
    warnings = {}
    for vm in granted.values():
        host, networks = observed.host_of(vm), observed.networks.get(vm.host_moid or "")
        if host is not None and networks is not None:
            warnings[vm.moid] = _doubts(host, networks, vm, _others(observed, granted, host, vm))
    return Supply(blockers=found, warnings=warnings)


def running_after(vm: Vm, changes: Iterable[Change]) -> Vm:
    """A VM as it will run after its changes: which physical functions its automatic adapters get is open."""
    return _unsettled(after(vm, changes))


def lacks_functions(
    observed: ObservedVms, host: Host, vm: Vm, changes: Iterable[Change], granted: Mapping[str, Vm]
) -> bool:
    """Whether a host certainly has too few virtual functions for the adapters of a VM. ``granted``: VM id → VM that this run powers on.
    False also when its networks were not read."""
    networks = observed.networks.get(host.moid)
    if networks is None:
        return False
    vm = running_after(vm, changes)
    if not (networks.unread or networks.unreadable) and _without_network(networks, vm):
        return True
    return _shortage(host, networks, vm, _others(observed, granted, host, vm)) is not None


def _without_network(networks: HostNetworks, vm: Vm) -> bool:
    """Whether an adapter of the VM is in a network that the host does not have."""
    backings = [device.backing for device in vm.devices]
    return any(
        backing.network and networks.by_key(backing.network) is None
        for backing in backings
        if isinstance(backing, SriovBacking) and not backing.dvx_class
    )


def _others(observed: ObservedVms, granted: Mapping[str, Vm], host: Host, vm: Vm) -> list[Vm]:
    """The other VMs of the host, those of the plan as they will be."""
    others = (granted.get(other.moid, other) for other in observed.everyone() if other.moid != vm.moid)
    return [other for other in others if other.host_moid == host.moid]


def _unsettled(vm: Vm) -> Vm:
    """The VM, whose automatic adapters get a physical function at its next power-on, whatever they have now."""
    devices = tuple(
        replace(device, backing=replace(device.backing, physical_function=None))
        if isinstance(device.backing, SriovBacking) and device.backing.automatic
        else device
        for device in vm.devices
    )
    return replace(vm, devices=devices)


def _too_many(vm: Vm) -> Blocker | None:
    if len(vm.devices) <= MOST_ADAPTERS_AND_DEVICES:
        return None
    return Blocker(
        code="too_many_devices",
        message=f"{vm.name} would have {len(vm.devices)} passthrough devices and SR-IOV network adapters, but a VM can have "
        f"{MOST_ADAPTERS_AND_DEVICES} together",
        cure="Reduce the number of devices or adapters",
    )


def _shortage(host: Host, networks: HostNetworks, vm: Vm, others: Sequence[Vm]) -> Blocker | None:
    """A blocker when the adapters of the VM cannot all have a virtual function while the other VMs run."""
    cards = cards_of_functions(host.devices)
    used = [use for other in others if other.may_run for use in _uses(host, networks, cards, other)]
    needed = _uses(host, networks, cards, vm)
    slots = [device.address for device in host.devices for _unused in range(functions_in_effect(device))]
    taken = [*used, *needed]
    edges = {
        left: [right for right, address in enumerate(slots) if address in use.functions]
        for left, use in enumerate(taken)
    }
    # The VMs that run come first: they keep what they have.
    pairs = pair_up(taken, slots, edges)
    short = [use for left, use in enumerate(taken) if left >= len(used) and left not in pairs]
    if not short:
        return None
    functions = sorted({address for use in needed for address in use.functions})
    total = sum(functions_in_effect(host.device(address)) for address in functions)
    holders = _counted(use.vm for use in used if set(use.functions) & set(functions))
    off = [use for other in others if not other.may_run for use in _uses(host, networks, cards, other)]
    waiting = _counted(use.vm for use in off if set(use.functions) & set(functions))
    labels = ", ".join(f"{networks.vmnic_of(address) or address}" for address in functions)
    return Blocker(
        code="no_free_virtual_function",
        message=f"{vm.name} needs {len(needed)} virtual functions of {labels or 'an SR-IOV card'} on {host.name}, which has {total}"
        + (f", in use by {holders}" if holders else "")
        + (f" (powered off, but configured with them: {waiting})" if waiting else ""),
        cure="Raise the number of virtual functions with host_sriov, power off one of these VMs, or use another physical function",
    )


def _doubts(host: Host, networks: HostNetworks, vm: Vm, others: Sequence[Vm]) -> tuple[str, ...]:
    """Warnings for a power-on that fails in the worst case. The server does not show which port of a card provides a function, and which
    function an adapter has."""
    cards = cards_of_functions(host.devices)
    own = _uses(host, networks, cards, vm)
    theirs = [use for other in others if other.may_run for use in _uses(host, networks, cards, other)]
    return (*_possible_shortage(host, networks, vm, own, theirs), *_possible_holders(vm, own, theirs))


def _possible_shortage(
    host: Host, networks: HostNetworks, vm: Vm, own: Sequence[_Use], theirs: Sequence[_Use]
) -> Iterator[str]:
    running = [*own, *theirs]
    for ports in dict.fromkeys(use.functions for use in own if not use.address):
        adapters = [use for use in running if not use.address and set(use.functions) <= set(ports)]
        plain = sorted(use.address for use in running if use.address and set(use.functions) & set(ports))
        if plain and len(adapters) + len(plain) > sum(functions_in_effect(host.device(address)) for address in ports):
            labels = " or ".join(networks.vmnic_of(address) or address for address in ports)
            yield (
                f"{vm.name} may fail to power on: which port of {host.name} provides {', '.join(plain)} is unknown. VMs have these virtual "
                f"functions as PCI devices. If {labels} provides them, none is left for a network adapter of {vm.name}"
            )


def _possible_holders(vm: Vm, own: Sequence[_Use], theirs: Sequence[_Use]) -> Iterator[str]:
    for plain in own:
        adapters = [use for use in theirs if not use.address and set(use.functions) & set(plain.functions)]
        if plain.address and adapters:
            yield (
                f"{vm.name} may fail to power on: a network adapter of {_counted(use.vm for use in adapters)} may have the virtual "
                f"function {plain.address}. Use the virtual functions of a card only for adapters, or only as PCI devices"
            )


def _counted(names: Iterable[str]) -> str:
    """``fw-01 (2), fw-02 (1)``."""
    listed = list(names)
    return ", ".join(f"{name} ({listed.count(name)})" for name in sorted(set(listed)))


def _uses(host: Host, networks: HostNetworks, cards: Mapping[str, tuple[str, ...]], vm: Vm) -> list[_Use]:
    """The virtual functions that a VM uses while it runs on the host: for its adapters, and as fixed devices."""
    uses = []
    for device in vm.devices:
        match device.backing:
            case SriovBacking() as backing if not backing.dvx_class:
                uses.append(_Use(vm=vm.name, functions=possible_functions(host, networks, backing)))
            case FixedBacking(address=str() as address) if address in cards:
                uses.append(_Use(vm=vm.name, functions=cards[address], address=address))
    return uses
