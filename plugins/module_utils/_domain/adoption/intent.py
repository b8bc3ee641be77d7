# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the observed state of a vCenter to the intent for it. PRIVATE to the collection.

What is proposed is judged by the comparison that the module drift_info uses: an object that would be drift, or that could not be read, is
taken out and listed, until what remains is in sync. So an adopted intent never asks for a change, whatever this code forgets.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from ..drift.commands import Commands
from ..drift.compare import ObservedEndpoint
from ..drift.kinds import Difference
from ..graphics.desired import DesiredHostGraphics
from ..host.desired import function_entries, passthrough_entries
from ..host.passthrough import DesiredPassthrough
from ..host_entries.device_modes import with_modes
from ..observed.hosts import Host
from ..observed.vms import Vm
from ..plain import Record
from ..sriov.desired import DesiredSriov
from ..text import counted
from ..vm.observed_vms import ObservedVms
from .entries import AdoptedHost, AdoptedIntent, AdoptedVm
from .hosts import adopt_host, pending_devices
from .vms import adopt_vm

_STAYS = frozenset(
    {
        "extra",
        "pending_reboot",
        "protected_conflict",
        "stale_address",
        "roll_unfinished",
        "unchecked",
        "stopped_for_host",
    }
)
"""Kinds of differences of a host that are about what is not adopted of it, and those that say nothing about an entry."""
_OF_GRAPHICS = frozenset({"graphics_differ", "graphics_pending"})
_NO_FAULT_OF_A_VM = frozenset({"unchecked", "stopped_for_host"})


def propose(
    observed: ObservedEndpoint, host_name: Callable[[Host], str], vm_names: Callable[[Vm], Record]
) -> AdoptedIntent:
    """An entry for each host and each VM with something that an intent can name. ``host_name`` and ``vm_names``: how it names them."""
    hosts = [found for host in observed.vms.hosts if (found := adopt_host(host, host_name(host))) is not None]
    left = [one for host in observed.vms.hosts for one in pending_devices(host)]
    models = observed.vms.models()
    near = _by_host(observed.vms)
    vms: list[AdoptedVm] = []
    for vm in observed.vms.everyone():
        if not vm.devices and not vm.unread_devices:
            continue
        proposal = adopt_vm(near.get(vm.host_moid or "", observed.vms), vm, vm_names(vm), models)
        vms += [proposal.vm] if proposal.vm is not None else []
        left += proposal.left
    return AdoptedIntent(hosts=tuple(sorted(hosts, key=_by_name)), vms=tuple(vms), left=tuple(left))


def _by_name(host: AdoptedHost) -> tuple[str, str]:
    return (host.name, host.moid)


def _by_host(observed: ObservedVms) -> Mapping[str, ObservedVms]:
    """Host id → the host and the VMs on it: a plan for one VM costs the same in a fleet of any size."""
    vms: dict[str, list[Vm]] = {}
    for vm in observed.vms:
        vms.setdefault(vm.host_moid or "", []).append(vm)
    return {
        host.moid: replace(observed, vms=tuple(vms.get(host.moid, ())), others=(), hosts=(host,))
        for host in observed.hosts
    }


def with_adoption(observed: ObservedEndpoint, adoption: AdoptedIntent) -> ObservedEndpoint:
    """The observed state with what is adopted as the desired state."""
    devices = {host.moid: host.desired for host in adoption.hosts if host.devices}
    graphics = {host.moid: host.graphics for host in adoption.hosts if host.graphics is not None}
    return replace(
        observed,
        hosts=DesiredPassthrough(devices={moid: passthrough_entries(found) for moid, found in devices.items()}),
        functions=DesiredSriov(
            devices={moid: entries for moid, found in devices.items() if (entries := function_entries(found))}
        ),
        modes={moid: entries for moid, found in devices.items() if (entries := with_modes(found))},
        graphics=DesiredHostGraphics(hosts=graphics) if graphics else None,
        desired_vms=tuple(vm.desired for vm in adoption.vms),
    )


def without_troubled(adoption: AdoptedIntent, differences: Iterable[Difference]) -> AdoptedIntent:
    """What can stay of an adoption, given the differences from it. Equal to ``adoption`` when nothing has to go.

    A host first loses its graphics settings: a difference does not always say which entry it comes from.
    """
    troubles = [
        one for one in differences if one.kind not in _STAYS or (one.type == "vm" and one.kind not in _NO_FAULT_OF_A_VM)
    ]
    about: dict[str, list[Difference]] = {}
    for one in troubles:
        about.setdefault(one.moid, []).append(one)
    hosts = [_reduced(host, about.get(host.moid, ())) for host in adoption.hosts]
    vms = tuple(vm for vm in adoption.vms if vm.moid not in about)
    gone = {vm.moid for vm in adoption.vms} - {vm.moid for vm in vms}
    gone |= {old.moid for old, new in zip(adoption.hosts, hosts, strict=True) if new != old}
    return AdoptedIntent(
        hosts=tuple(host for host in hosts if host is not None),
        vms=vms,
        left=(*adoption.left, *(one for one in troubles if one.moid in gone)),
    )


def _reduced(host: AdoptedHost, troubles: Sequence[Difference]) -> AdoptedHost | None:
    if not troubles:
        return host
    if host.graphics is not None and host.devices:
        return replace(host, graphics=None)
    if host.graphics is None and all(one.kind in _OF_GRAPHICS for one in troubles):
        return host
    return None


def left_over(adoption: AdoptedIntent, differences: Sequence[Difference], commands: Commands) -> tuple[Difference, ...]:
    """What is not adopted: the reasons found on the way, and what the comparison still finds, each device once, sorted."""
    explained = {(one.moid, one.subject if one.type == "host" else "") for one in adoption.left}
    graver = [one for one in differences if one.kind not in ("extra", "pending_reboot")]
    rest = [one for one in differences if (one.moid, one.subject if one.type == "host" else "") not in explained]
    found: dict[tuple[str, str, str], Difference] = {}
    for one in (*graver, *adoption.left, *rest):
        found.setdefault((one.type, one.moid or one.object, one.subject), one)
    return tuple(sorted((_advised(one, commands) for one in found.values()), key=lambda one: one.place))


def _advised(difference: Difference, commands: Commands) -> Difference:
    """With a command that needs no intent: the object is in none."""
    command = "" if difference.command.startswith("ansible-playbook") else difference.command
    if difference.kind == "memory_not_reserved":
        command = commands.module("vm_memory_reservation", {"vm": [difference.moid]})
    return replace(difference, command=command, planned=False)


def describe(adoption: AdoptedIntent, hosts: Collection[Host], vms: Collection[Vm]) -> str:
    """The result in one sentence."""
    left = {(one.type, one.moid or one.object) for one in adoption.left}
    adopted = sum(1 for host in adoption.hosts if host.devices or host.graphics is not None)
    read = (
        f"{counted(len(hosts), 'host')} and {counted(len(vms), 'VM')} read: {adopted} and {len(adoption.vms)} adopted"
    )
    return f"{read}; on {counted(len(left), 'object')} something is not adopted" if left else f"{read}; nothing is left"


def with_hosts_of_vms(
    adoption: AdoptedIntent, hosts: Iterable[Host], host_name: Callable[[Host], str]
) -> AdoptedIntent:
    """With the hosts that have nothing of their own, and VMs that are adopted: an inventory of ESXi hosts needs them."""
    named, homes = {host.moid for host in adoption.hosts}, {vm.host for vm in adoption.vms}
    more = [
        AdoptedHost(moid=host.moid, name=host_name(host), cluster=host.cluster)
        for host in hosts
        if host.name in homes and host.moid not in named
    ]
    return replace(adoption, hosts=tuple(sorted((*adoption.hosts, *more), key=_by_name)))
