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
from ...planning.plan import Blocker
from ..kinds.virtual_functions import function_obstacle, functions_of
from ..observed_vms import ObservedVms
from ..pairing import pair_up
from .holders import DeviceHolders
from .matching import Need, is_meant


@dataclass(frozen=True, kw_only=True, slots=True)
class AllocatedDevice:
    """One device allocated to a VM: for an entry, or (``entry`` None) because it shares a reset with ``along_with`` (address)."""

    device: HostDevice
    entry: DesiredDevice | None = None
    along_with: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Allocation:
    """The allocated devices in the order of their addresses, with blockers and warnings."""

    devices: tuple[AllocatedDevice, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(kw_only=True, slots=True)
class AllocationState:
    """The state while devices of ``host`` are allocated to one VM."""

    observed: ObservedVms
    vm: Vm
    host: Host
    holders: DeviceHolders
    reserved: Mapping[str, str]
    """Address → id of the VM that has an entry with this address in this run."""
    on_vm: frozenset[str]
    """Addresses of devices that the VM has and keeps."""
    given: dict[str, AllocatedDevice] = field(default_factory=dict)

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
        holders = self.holders.others(self.host.moid, device.address, self.vm)
        if holders:
            return holders[0].sentence()
        uncertain = function_obstacle(self.observed, self.host, device, self.vm)
        if uncertain:
            return uncertain
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
    offered = functions_of(host) if entry.virtual_function else host.candidates()
    found = [device for device in offered if is_meant(entry, device)]
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


def allocate(state: AllocationState, needs: Sequence[Need], kept: Sequence[HostDevice]) -> Allocation:
    """Allocate devices for the fixed ``needs`` of one VM, with the reset groups of these devices and of the ``kept`` ones."""
    warnings = _complete_groups(state, kept)
    amounts = Counter(need.entry for need in needs)
    entries = sorted(
        amounts,
        key=lambda entry: (
            entry.selector.address is None,
            len(state.free(entry)),
            entry.selector.text,
            entry.label or "",
        ),
    )
    node = _preferred_node(state, amounts, kept)
    blockers: list[Blocker] = []
    for entry in entries:
        short = _fill(state, entry, amounts[entry], node)
        if short:
            blockers.append(_shortage(state, entry, amounts[entry], short))
    blockers += _identity_blockers(state, needs)
    _release_unneeded(state, needs)
    devices = tuple(state.given[address] for address in sorted(state.given))
    return Allocation(devices=devices, blockers=tuple(blockers), warnings=tuple(warnings))


def _complete_groups(state: AllocationState, kept: Sequence[HostDevice]) -> list[str]:
    """Complete the reset groups of devices that the VM already has. Returns a warning for each function that is not available."""
    warnings = []
    for device in sorted(kept, key=lambda device: device.address):
        for member in state.reset_group(device):
            if member.address in state.on_vm or member.address in state.given:
                continue
            reason = state.obstacle(member)
            if reason:
                warnings.append(
                    f"{state.vm.name} has {device.address} but not {member.address} of {state.host.name}, which shares a reset "
                    f"with it and is {reason}; both must be in the same VM"
                )
            else:
                state.given[member.address] = AllocatedDevice(device=member, along_with=device.address)
    return warnings


def _preferred_node(
    state: AllocationState, amounts: Mapping[DesiredDevice, int], kept: Sequence[HostDevice]
) -> int | None:
    """The NUMA node to prefer when a VM has several devices: the node of its other devices, else the node with most of the needed ones."""
    nodes = Counter(device.numa_node for device in kept if device.numa_node is not None)
    if not nodes:
        if sum(amounts.values()) < 2:
            return None
        for entry, amount in amounts.items():
            local = Counter(device.numa_node for device in state.free(entry) if device.numa_node is not None)
            for number, available in local.items():
                nodes[number] += min(amount, available)
    return min(nodes, key=lambda number: (-nodes[number], number)) if nodes else None


def _fill(state: AllocationState, entry: DesiredDevice, amount: int, node: int | None) -> int:
    """Allocate devices for one entry. Returns the number of missing devices."""
    for address in sorted(state.given):
        allocated = state.given[address]
        if amount and allocated.entry is None and is_meant(entry, allocated.device):
            state.given[address] = AllocatedDevice(
                device=allocated.device, entry=entry, along_with=allocated.along_with
            )
            amount -= 1
    while amount:
        free = state.free(entry)
        if not free:
            break
        best = min(
            free,
            key=lambda device: (
                not state.is_given(device, state.vm.moid),
                node is not None and device.numa_node != node,
                device.address,
            ),
        )
        state.given[best.address] = AllocatedDevice(device=best, entry=entry)
        amount -= 1
        for member in state.reset_group(best):
            if member.address in state.on_vm or member.address in state.given:
                continue
            wanted = amount > 0 and is_meant(entry, member)
            state.given[member.address] = AllocatedDevice(
                device=member, entry=entry if wanted else None, along_with=best.address
            )
            amount -= wanted
    return amount


def _release_unneeded(state: AllocationState, needs: Sequence[Need]) -> None:
    """Release devices that are not needed, because a function from the reset group of another device also meets the need.

    Otherwise the next run would find too many devices."""
    together = {
        frozenset({address, *(m.address for m in state.reset_group(g.device))}) for address, g in state.given.items()
    }
    met = _met(needs, state.given)
    for group in sorted(together, key=lambda group: (len(group), sorted(group)), reverse=True):
        rest = {address: allocated for address, allocated in state.given.items() if address not in group}
        if not group & state.on_vm and _met(needs, rest) == met:
            for address in group & set(state.given):
                del state.given[address]
            wanted = assign([need.entry for need in needs], list(state.given.values()))
            for (address, allocated), entry in zip(list(state.given.items()), wanted, strict=True):
                state.given[address] = replace(allocated, entry=entry)


def _met(needs: Sequence[Need], given: Mapping[str, AllocatedDevice]) -> int:
    return sum(entry is not None for entry in assign([need.entry for need in needs], list(given.values())))


def assign(entries: Sequence[DesiredDevice], devices: Sequence[AllocatedDevice]) -> list[DesiredDevice | None]:
    """The entry that each allocated device meets. As many entries as possible are met, earlier ones first."""
    edges = {
        left: [right for right, allocated in enumerate(devices) if is_meant(entry, allocated.device)]
        for left, entry in enumerate(entries)
    }
    wanted = {right: entries[left] for left, right in pair_up(entries, devices, edges).items()}
    return [wanted.get(number) for number in range(len(devices))]


def _shortage(state: AllocationState, entry: DesiredDevice, wanted: int, short: int) -> Blocker:
    vm, host = state.vm, state.host
    meant = [
        device
        for device in meant_on(host, entry)
        if device.address not in state.on_vm and (device.address not in state.given)
    ]
    reasons = {device.address: state.obstacle(device) for device in meant}
    listed = tuple(f"{device.describe()}: {reasons[device.address]}" for device in meant if reasons[device.address])
    asked = f"{vm.name} needs {wanted} more {entry.selector.text}" + (f" labeled {entry.label}" if entry.label else "")
    waiting = [device for device in meant if _waits_for_reboot(state, device)]
    if len(waiting) >= short:
        return Blocker(
            code="not_active",
            message=f"{asked}, but on {host.name} {', '.join(device.address for device in waiting)} "
            f"{'is' if len(waiting) == 1 else 'are'} enabled but not active",
            cure=f"Reboot {host.name}, which has a pending reboot, then run this again",
            candidates=listed,
        )
    if not meant_on(host, entry):
        return _absent(state, entry, asked)
    return Blocker(
        code="no_free_device",
        message=f"{asked}, but its host {host.name} has only {wanted - short} free and active",
        cure="Enable more devices on this host, detach devices from other VMs, migrate the VM to a host with free devices, "
        "or reduce the count",
        candidates=listed,
    )


def _waits_for_reboot(state: AllocationState, device: HostDevice) -> bool:
    group = (device, *state.reset_group(device))
    is_held = any(state.holders.others(state.host.moid, member.address, state.vm) for member in group)
    return not is_held and _only_waits(group)


def _only_waits(group: Sequence[HostDevice]) -> bool:
    states = {member.state for member in group}
    return "pending_enable" in states and states <= {"active", "pending_enable"}


def _absent(state: AllocationState, entry: DesiredDevice, asked: str) -> Blocker:
    """The blocker when the host has no device for the entry. It names the device at the address, and other hosts that have one."""
    host, selector = state.host, entry.selector
    here = host.device(selector.address) if selector.address is not None else None
    if here is not None and selector.names_kind and here.kind != (selector.vendor_id, selector.device_id):
        return _identity_changed(
            f"{asked}, but {selector.address} on {host.name} is {here.ids} {here.name}".rstrip(),
            "Check the address: addresses change when cards are added or removed",
        )
    elsewhere = [
        other for other in state.observed.candidates(state.vm) if other.moid != host.moid and meant_on(other, entry)
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


def _identity_blockers(state: AllocationState, needs: Sequence[Need]) -> list[Blocker]:
    """Blockers for entries with only an address when the device there is now of another model than the VM's old device."""
    blockers = []
    for need in needs:
        selector = need.entry.selector
        if selector.address is None or selector.names_kind or need.replaces is None:
            continue
        backing, here = need.replaces.device.backing, state.host.device(selector.address)
        if here is None or not isinstance(backing, FixedBacking):
            continue
        if (backing.vendor_id, backing.device_id) != here.kind:
            blockers.append(
                _identity_changed(
                    f"{state.vm.name} has {backing.vendor_id}:{backing.device_id} at {selector.address}, "
                    f"but on {state.host.name} that is {here.ids} {here.name}".rstrip(),
                    "Add vendor_id and device_id to the address to select the model",
                )
            )
    return blockers


def _identity_changed(message: str, cure: str) -> Blocker:
    return Blocker(code="identity_changed", message=message, cure=cure)
