# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which devices of one VM are detached and which are attached. PRIVATE to the collection.

Only the devices: ``plan`` adds memory, power and preconditions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ...host.blockers import holders_unknown
from ...host.selector import DesiredDevice
from ...observed.hosts import Host, HostDevice, dependency_group
from ...observed.vms import Vm, VmDevice
from ...planning.plan import Blocker
from ..desired.vm import BackingKind, DesiredVm
from ..memory import describe_device
from ..numa import is_on_node
from ..observed_vms import ObservedVms
from .allocation import AllocatedDevice, Allocation, AllocationState, allocate, assign, meant_on
from .capacity import resolve
from .holders import DeviceHolders, DynamicItem
from .matching import Held, Matching, Need, could_become, is_meant, match_devices, survey

NOT_WANTED = "not wanted"
RESET_GROUP = "it is reset together with"
"""Start of the reason for a device that is detached only because of its reset group."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedDynamicDevice:
    """One dynamic device to attach."""

    entry: DesiredDevice
    item: DynamicItem
    name: str
    class_id: str = ""
    """Empty when no known host has the model."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """The devices of one VM. ``detached``: key → reason. ``fixed`` and ``dynamic``: devices to attach. ``held``: its current devices.

    ``left_alone``: devices of other types, which the collection never changes. ``needs``: devices that are to be attached, even when they
    are not available. ``moved``: key → desired NUMA node of devices that stay.
    """

    vm: Vm
    desired: DesiredVm
    host: Host | None
    held: tuple[Held, ...] = ()
    left_alone: tuple[VmDevice, ...] = ()
    detached: Mapping[int, str] = field(default_factory=dict)
    fixed: tuple[AllocatedDevice, ...] = ()
    dynamic: tuple[PlannedDynamicDevice, ...] = ()
    needs: tuple[Need, ...] = ()
    moved: Mapping[int, int] = field(default_factory=dict)
    blockers: tuple[Blocker, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def attaching(self) -> bool:
        """True when devices are to be attached, even when they are not available."""
        return bool(self.needs or self.fixed)

    @property
    def kinds(self) -> frozenset[BackingKind]:
        kinds: set[BackingKind] = {need.kind for need in self.needs}
        return frozenset(kinds | {"fixed"} if self.fixed else kinds)

    @property
    def staying(self) -> tuple[Held, ...]:
        return tuple(held for held in self.held if held.key not in self.detached)

    @property
    def fixed_after(self) -> tuple[str, ...]:
        """Addresses of the host devices that the VM will have as fixed devices, sorted."""
        kept = [held.hardware.address for held in self.staying if held.hardware is not None and not held.problem]
        return tuple(sorted([*kept, *(allocated.device.address for allocated in self.fixed)]))

    @property
    def is_tied(self) -> bool:
        return bool(self.fixed) or any(held.kind == "fixed" for held in self.staying)


def draft_devices(
    observed: ObservedVms,
    desired: DesiredVm,
    holders: DeviceHolders,
    reserved: Mapping[str, str],
    models: Mapping[str, HostDevice],
) -> Draft:
    """The devices of one VM to detach and to attach.

    ``reserved``: address on the VM's host → id of the VM that has an entry with this address in this run. ``models``: see
    ``ObservedVms.models``.
    """
    vm = observed.vm(desired.moid)
    host = observed.host_of(vm)
    held, left_alone = survey(observed, vm, models)
    base = Draft(vm=vm, desired=desired, host=host, held=held, left_alone=left_alone)
    if desired.state == "absent":
        return _absent(base)
    state = None
    if host is not None and host.is_reachable:
        on_vm = frozenset(device.hardware.address for device in held if device.hardware and not device.problem)
        state = AllocationState(observed=observed, vm=vm, host=host, holders=holders, reserved=reserved, on_vm=on_vm)
    warnings: list[str] = []
    amounts = {entry: _amount(entry, held, state, warnings) for entry in desired.devices}
    matching = match_devices(observed, vm, desired, held, amounts)
    return _present(observed, base, matching, state, warnings)


def _amount(entry: DesiredDevice, held: Iterable[Held], state: AllocationState | None, warnings: list[str]) -> int:
    """The number of devices of an entry. ``all``: every device that the VM has or can get now, at least one."""
    if entry.count != "all":
        return 1 if entry.count is None else entry.count
    if state is None:
        return 1
    waiting = [device.address for device in meant_on(state.host, entry) if device.state == "pending_enable"]
    if waiting:
        warnings.append(
            f"{', '.join(waiting)} on {state.host.name} {'is' if len(waiting) == 1 else 'are'} enabled but not active. Until "
            f"{state.host.name} is rebooted, count: all of {entry.selector.text} for {state.vm.name} does not include "
            f"{'it' if len(waiting) == 1 else 'them'}"
        )
    current = sum(1 for device in held if could_become(entry, device))
    return max(1, current + len(state.free(entry)))


def _absent(draft: Draft) -> Draft:
    """For ``state: absent``: detach every device that matches, or may match, an entry, with its reset group."""
    desired = draft.desired
    to_detach = {
        held.key: NOT_WANTED
        for held in draft.held
        if desired.backing in ("auto", held.kind)
        and any(is_meant(entry, device) for entry in desired.devices for device in held.stands_for)
    }
    detached = _with_groups(draft, to_detach)
    warnings = [
        f"{held.hardware.address} is also detached from {draft.vm.name}: {reason}"
        for held in draft.held
        if held.hardware is not None and (reason := detached.get(held.key, "")) and held.key not in to_detach
    ]
    return replace(draft, detached=detached, warnings=tuple(warnings))


def _present(
    observed: ObservedVms, draft: Draft, matching: Matching, state: AllocationState | None, warnings: list[str]
) -> Draft:
    vm, desired = draft.vm, draft.desired
    replaced = {need.replaces.key: need.replaces for need in matching.needs if need.replaces is not None}
    kept = tuple(held.hardware for _unused, held in matching.kept if held.hardware is not None)
    allocation, blockers = _fixed(observed, vm, matching.needs, kept, state)
    needs, allocation = _met_by_reset_group(desired, matching.needs, allocation)
    dynamic_devices, more = _dynamic(observed, vm, needs)
    blockers = (*blockers, *more)
    together = _groups_of(draft.host, [*kept, *(allocated.device for allocated in allocation.devices)])
    to_detach = {held.key: _why_replaced(held) for held in replaced.values()}
    if desired.state == "exactly" and desired.names_passthrough:
        for held in matching.surplus:
            if held.problem or held.hardware is None or held.hardware.address not in together:
                to_detach[held.key] = NOT_WANTED
    detached = _with_groups(draft, to_detach)
    for held in sorted(replaced.values(), key=lambda held: held.key):
        warnings.append(
            f"{describe_device(held.device)} of {vm.name} is detached and attached again: {_why_replaced(held)}"
        )
    moved = {
        held.key: entry.numa_node
        for entry, held in matching.kept
        if entry.numa_node is not None and not is_on_node(entry.numa_node, held.device) and held.key not in detached
    }
    return replace(
        draft,
        detached=detached,
        moved=moved,
        fixed=allocation.devices,
        dynamic=dynamic_devices,
        needs=needs,
        blockers=blockers,
        warnings=(*warnings, *allocation.warnings),
    )


def _fixed(
    observed: ObservedVms,
    vm: Vm,
    all_needs: tuple[Need, ...],
    kept: tuple[HostDevice, ...],
    state: AllocationState | None,
) -> tuple[Allocation, tuple[Blocker, ...]]:
    needs = [need for need in all_needs if need.kind == "fixed"]
    if state is None:
        return Allocation(), (_no_host(observed, vm),) if needs else ()
    allocation = allocate(state, needs, kept)
    unread = observed.unread_on(state.host) if needs else ()
    unknown = (
        (holders_unknown(state.host.name, unread, f"No fixed device can be attached to {vm.name}"),) if unread else ()
    )
    return allocation, (*unknown, *allocation.blockers)


def _met_by_reset_group(
    desired: DesiredVm, needs: tuple[Need, ...], allocation: Allocation
) -> tuple[tuple[Need, ...], Allocation]:
    """Remove the dynamic needs that a function from the reset group of a fixed device already meets.

    Otherwise the next run would find that the function meets the entry, and that the VM has one dynamic device too many."""
    dynamic = [need for need in needs if need.kind == "dynamic" and need.replaces is None]
    if desired.backing != "auto" or not dynamic or not allocation.devices:
        return needs, allocation
    fixed = [need for need in needs if need.kind == "fixed"]
    met = assign([need.entry for need in (*fixed, *dynamic)], allocation.devices)
    left = Counter(met)
    left.subtract(need.entry for need in fixed)
    rest = []
    for need in needs:
        if need in dynamic and left[need.entry] > 0:
            left[need.entry] -= 1
        else:
            rest.append(need)
    devices = tuple(replace(allocated, entry=entry) for allocated, entry in zip(allocation.devices, met, strict=True))
    return tuple(rest), replace(allocation, devices=devices)


def _no_host(observed: ObservedVms, vm: Vm) -> Blocker:
    host = observed.host_of(vm)
    if host is None:
        return Blocker(
            code="host_unknown",
            message=f"The host of {vm.name} ({vm.host_name or 'none'}) was not read, so its devices are unknown",
            cure="Check that the account can see the host",
        )
    return Blocker(
        code="host_unreachable",
        message=f"{host.name}, the host of {vm.name}, is {host.connection_state}, so its devices are unknown",
        cure="Reconnect the host, then run this again",
    )


def _dynamic(
    observed: ObservedVms, vm: Vm, needs: tuple[Need, ...]
) -> tuple[tuple[PlannedDynamicDevice, ...], tuple[Blocker, ...]]:
    """Dynamic devices for the dynamic needs. An entry without a single model gets one blocker, whatever its count."""
    wanted = [need.entry for need in needs if need.kind == "dynamic"]
    if not wanted:
        return (), ()
    hosts = observed.candidates(vm)
    if not hosts:
        return (), (_no_host(observed, vm),)
    blockers = []
    if not any(host.capabilities.assignable_hardware for host in hosts):
        blockers.append(
            Blocker(
                code="dynamic_unsupported",
                message=f"No host where {vm.name} may run supports Dynamic DirectPath I/O (assignable hardware)",
                cure="Use backing: fixed, or hosts with ESXi 7.0 or later",
            )
        )
    resolved = {entry: resolve(observed, vm, entry) for entry in wanted}
    blockers += [entry.blocker for entry in resolved.values() if entry.blocker is not None]
    dynamic_devices = [
        PlannedDynamicDevice(entry=entry, item=item, name=resolved[entry].name, class_id=resolved[entry].class_id)
        for entry in wanted
        if (item := resolved[entry].item) is not None
    ]
    return tuple(dynamic_devices), tuple(blockers)


def _why_replaced(held: Held) -> str:
    return held.problem or f"its backing is {held.kind}, but another one is desired"


def _groups_of(host: Host | None, devices: Iterable[HostDevice]) -> frozenset[str]:
    if host is None:
        return frozenset()
    return frozenset(member.address for device in devices for member in dependency_group(host.devices, device.address))


def _with_groups(draft: Draft, to_detach: Mapping[int, str]) -> dict[int, str]:
    """Add the reset groups of detached devices: a reset group must not be split."""
    detached_addresses = {
        held.hardware.address for held in draft.held if held.hardware and held.key in to_detach and not held.problem
    }
    result = dict(to_detach)
    for address in sorted(detached_addresses):
        group = _groups_of(
            draft.host,
            [held.hardware for held in draft.held if held.hardware is not None and held.hardware.address == address],
        )
        for held in draft.held:
            if held.hardware is None or held.problem or held.key in result:
                continue
            if held.hardware.address in group:
                result[held.key] = f"{RESET_GROUP} {address}"
    return result
