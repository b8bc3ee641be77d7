# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Allocating devices of a host to the fixed backings of a VM. PRIVATE to the collection.

Available are the active devices of the host that no other VM has and that this run gave to no other VM. Functions that share a reset go
to the same VM (KB 312208). If possible, all devices of one VM are on one NUMA node.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...host.selector import DesiredDevice
from ...observed.hosts import Host, HostDevice, dependency_group
from ...observed.vms import FixedBacking, Vm
from ...plan import Blocker
from ..desired import ObservedVms
from .claims import Claims, pair_up
from .matching import Need, is_meant


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """One device allocated to a VM: for an entry, or (``entry`` None) because it shares a reset with ``along_with`` (address)."""

    device: HostDevice
    entry: DesiredDevice | None = None
    along_with: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Allocation:
    """The allocated devices in the order of their addresses, with blockers and warnings."""

    grants: tuple[Grant, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(kw_only=True, slots=True)
class Desk:
    """The state while devices of ``host`` are allocated to one VM."""

    observed: ObservedVms
    vm: Vm
    host: Host
    claims: Claims
    reserved: Mapping[str, str]
    """Address → id of the VM that has an entry with this address in this run."""
    on_vm: frozenset[str]
    """Addresses of devices that the VM has and keeps."""
    given: dict[str, Grant] = field(default_factory=dict)

    def obstacle(self, device: HostDevice) -> str:
        """Why a device with its reset group cannot be allocated; empty when it can."""
        reason = self._own_obstacle(device)
        if reason:
            return reason
        for member in self.reset_group(device):
            reason = "" if member.address in self.on_vm else self._own_obstacle(member)
            if reason:
                return f"{member.address}, which shares a reset with it, is {reason}"
        return ""

    def is_given(self, device: HostDevice, moid: str) -> bool | None:
        """True when the plan in progress gave the device to this VM, False when to another VM, None when to no VM."""
        owner = self.observed.given.get(self.host.moid, {}).get(device.address)
        return None if owner is None else owner == moid

    def reset_group(self, device: HostDevice) -> tuple[HostDevice, ...]:
        """The other functions of the reset group. Functions that cannot be passed through are left out."""
        group = dependency_group(self.host.devices, device.address)
        return tuple(
            member
            for member in group
            if member.address != device.address and (member.capable or member.enabled or member.active)
        )

    def _own_obstacle(self, device: HostDevice) -> str:
        if not device.active or not device.enabled:
            return _state_words(device)
        claims = self.claims.others(self.host.moid, device.address, self.vm)
        if claims:
            return claims[0].sentence()
        requester = self.reserved.get(device.address)
        if requester is not None and requester != self.vm.moid:
            return f"reserved for {self.observed.vm(requester).name}, which has an entry with this address in this run"
        if self.is_given(device, self.vm.moid) is False:
            return "given to another VM in this run"
        offered = self.observed.offered.get(self.host.moid)
        assumed = self.observed.assumed.get(self.host.moid, frozenset())
        if offered is not None and device.address not in offered | assumed:
            return "not offered by vCenter for passthrough"
        return ""

    def free(self, entry: DesiredDevice) -> list[HostDevice]:
        """Devices that can be allocated for an entry now, sorted by address."""
        return [
            device
            for device in meant_on(self.host, entry)
            if device.address not in self.on_vm and device.address not in self.given and not self.obstacle(device)
        ]


def meant_on(host: Host, entry: DesiredDevice) -> list[HostDevice]:
    """The devices of a host that an entry selects, sorted by address."""
    found = [device for device in host.candidates() if is_meant(entry, device)]
    return sorted(found, key=lambda device: device.address)


def _state_words(device: HostDevice) -> str:
    words = {
        "pending_enable": "enabled but not active",
        "pending_disable": "being disabled at the next reboot",
        "stale": "enabled but no longer capable of passthrough",
        "off": "not enabled for passthrough",
        "unavailable": "not capable of passthrough",
    }
    return words.get(device.state, device.state)


def allocate(desk: Desk, needs: Sequence[Need], kept: Sequence[HostDevice]) -> Allocation:
    """Allocate devices for the fixed ``needs`` of one VM, with the reset groups of these devices and of the ``kept`` ones."""
    warnings = _complete_groups(desk, kept)
    amounts = Counter(need.entry for need in needs)
    entries = sorted(
        amounts,
        key=lambda entry: (
            entry.selector.address is None,
            len(desk.free(entry)),
            entry.selector.text,
            entry.label or "",
        ),
    )
    node = _preferred_node(desk, amounts, kept)
    blockers: list[Blocker] = []
    for entry in entries:
        short = _fill(desk, entry, amounts[entry], node)
        if short:
            blockers.append(_shortage(desk, entry, amounts[entry], short))
    blockers += _identity_blockers(desk, needs)
    _give_back(desk, needs)
    grants = tuple(desk.given[address] for address in sorted(desk.given))
    return Allocation(grants=grants, blockers=tuple(blockers), warnings=tuple(warnings))


def _complete_groups(desk: Desk, kept: Sequence[HostDevice]) -> list[str]:
    """Complete the reset groups of devices that the VM already has. Returns a warning for each function that is not available."""
    warnings = []
    for device in sorted(kept, key=lambda device: device.address):
        for member in desk.reset_group(device):
            if member.address in desk.on_vm or member.address in desk.given:
                continue
            reason = desk.obstacle(member)
            if reason:
                warnings.append(
                    f"{desk.vm.name} has {device.address} but not {member.address} of {desk.host.name}, which shares a reset "
                    f"with it and is {reason}; both must be in the same VM"
                )
            else:
                desk.given[member.address] = Grant(device=member, along_with=device.address)
    return warnings


def _preferred_node(desk: Desk, amounts: Mapping[DesiredDevice, int], kept: Sequence[HostDevice]) -> int | None:
    """The NUMA node to prefer when a VM has several devices: the node of its other devices, else the node with most of the needed ones."""
    nodes = Counter(device.numa_node for device in kept if device.numa_node is not None)
    if not nodes:
        if sum(amounts.values()) < 2:
            return None
        for entry, amount in amounts.items():
            local = Counter(device.numa_node for device in desk.free(entry) if device.numa_node is not None)
            for number, available in local.items():
                nodes[number] += min(amount, available)
    return min(nodes, key=lambda number: (-nodes[number], number)) if nodes else None


def _fill(desk: Desk, entry: DesiredDevice, amount: int, node: int | None) -> int:
    """Allocate devices for one entry. Returns the number of missing devices."""
    for address in sorted(desk.given):
        grant = desk.given[address]
        if amount and grant.entry is None and is_meant(entry, grant.device):
            desk.given[address] = Grant(device=grant.device, entry=entry, along_with=grant.along_with)
            amount -= 1
    while amount:
        free = desk.free(entry)
        if not free:
            break
        best = min(
            free,
            key=lambda device: (
                not desk.is_given(device, desk.vm.moid),
                node is not None and device.numa_node != node,
                device.address,
            ),
        )
        desk.given[best.address] = Grant(device=best, entry=entry)
        amount -= 1
        for member in desk.reset_group(best):
            if member.address in desk.on_vm or member.address in desk.given:
                continue
            wanted = amount > 0 and is_meant(entry, member)
            desk.given[member.address] = Grant(device=member, entry=entry if wanted else None, along_with=best.address)
            amount -= wanted
    return amount


def _give_back(desk: Desk, needs: Sequence[Need]) -> None:
    """Release devices that are not needed, because a function from the reset group of another device also meets the need.

    Otherwise the next run would find too many devices."""
    together = {
        frozenset({address, *(m.address for m in desk.reset_group(g.device))}) for address, g in desk.given.items()
    }
    met = _met(needs, desk.given)
    for group in sorted(together, key=lambda group: (len(group), sorted(group)), reverse=True):
        rest = {address: grant for address, grant in desk.given.items() if address not in group}
        if not group & desk.on_vm and _met(needs, rest) == met:
            for address in group & set(desk.given):
                del desk.given[address]
            wanted = assign([need.entry for need in needs], list(desk.given.values()))
            for (address, grant), entry in zip(list(desk.given.items()), wanted, strict=True):
                desk.given[address] = replace(grant, entry=entry)


def _met(needs: Sequence[Need], given: Mapping[str, Grant]) -> int:
    return sum(entry is not None for entry in assign([need.entry for need in needs], list(given.values())))


def assign(entries: Sequence[DesiredDevice], grants: Sequence[Grant]) -> list[DesiredDevice | None]:
    """The entry that each allocated device meets. As many entries as possible are met, earlier ones first."""
    edges = {
        left: [right for right, grant in enumerate(grants) if is_meant(entry, grant.device)]
        for left, entry in enumerate(entries)
    }
    wanted = {right: entries[left] for left, right in pair_up(entries, grants, edges).items()}
    return [wanted.get(number) for number in range(len(grants))]


def _shortage(desk: Desk, entry: DesiredDevice, wanted: int, short: int) -> Blocker:
    vm, host = desk.vm, desk.host
    meant = [
        device
        for device in meant_on(host, entry)
        if device.address not in desk.on_vm and (device.address not in desk.given)
    ]
    reasons = {device.address: desk.obstacle(device) for device in meant}
    listed = tuple(f"{device.describe()}: {reasons[device.address]}" for device in meant if reasons[device.address])
    asked = f"{vm.name} needs {wanted} more {entry.selector.text}" + (f" labeled {entry.label}" if entry.label else "")
    waiting = [device for device in meant if _waits_for_reboot(desk, device)]
    if len(waiting) >= short:
        return Blocker(
            code="not_active",
            message=f"{asked}, but on {host.name} {', '.join(device.address for device in waiting)} "
            f"{'is' if len(waiting) == 1 else 'are'} enabled but not active",
            cure=f"Reboot {host.name}, which has a pending reboot, then run this again",
            candidates=listed,
        )
    if not meant_on(host, entry):
        return _absent(desk, entry, asked)
    return Blocker(
        code="no_free_device",
        message=f"{asked}, but its host {host.name} has only {wanted - short} free and active",
        cure="Enable more devices on this host, detach devices from other VMs, migrate the VM to a host with free devices, "
        "or reduce the count",
        candidates=listed,
    )


def _waits_for_reboot(desk: Desk, device: HostDevice) -> bool:
    group = (device, *desk.reset_group(device))
    claimed = any(desk.claims.others(desk.host.moid, member.address, desk.vm) for member in group)
    return not claimed and _only_waits(group)


def _only_waits(group: Sequence[HostDevice]) -> bool:
    states = {member.state for member in group}
    return "pending_enable" in states and states <= {"active", "pending_enable"}


def _absent(desk: Desk, entry: DesiredDevice, asked: str) -> Blocker:
    """The blocker when the host has no device for the entry. It names the device at the address, and other hosts that have one."""
    host, selector = desk.host, entry.selector
    here = host.device(selector.address) if selector.address is not None else None
    if here is not None and selector.names_kind and here.kind != (selector.vendor_id, selector.device_id):
        return _identity_changed(
            f"{asked}, but {selector.address} on {host.name} is {here.ids} {here.name}".rstrip(),
            "Check the address: addresses change when cards are added or removed",
        )
    elsewhere = [
        other for other in desk.observed.candidates(desk.vm) if other.moid != host.moid and meant_on(other, entry)
    ]
    active = sorted((device for device in host.devices if device.active), key=lambda device: device.address)
    where = f" ({', '.join(other.name for other in elsewhere)} {'has' if len(elsewhere) == 1 else 'have'})"
    return Blocker(
        code="no_such_device",
        message=f"{asked}, but its host {host.name} has no such device{where if elsewhere else ''}",
        cure="Correct the match, or migrate the VM to a host that has the device",
        candidates=tuple(device.describe() for device in active[:8]),
        skippable=True,
    )


def _identity_blockers(desk: Desk, needs: Sequence[Need]) -> list[Blocker]:
    """Blockers for entries with only an address when the device there is now of another model than the VM's old device."""
    blockers = []
    for need in needs:
        selector = need.entry.selector
        if selector.address is None or selector.names_kind or need.replaces is None:
            continue
        backing, here = need.replaces.device.backing, desk.host.device(selector.address)
        if here is None or not isinstance(backing, FixedBacking):
            continue
        if (backing.vendor_id, backing.device_id) != here.kind:
            blockers.append(
                _identity_changed(
                    f"{desk.vm.name} has {backing.vendor_id}:{backing.device_id} at {selector.address}, "
                    f"but on {desk.host.name} that is {here.ids} {here.name}".rstrip(),
                    "Add vendor_id and device_id to the address to select the model",
                )
            )
    return blockers


def _identity_changed(message: str, cure: str) -> Blocker:
    return Blocker(code="identity_changed", message=message, cure=cure)
