# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many PCI functions of each model there are, and what each of them is doing. PRIVATE to the collection.

Every function that counts is in exactly one state, so the numbers of a row add up to its total. A function whose state cannot be decided is
``unknown``, never free.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

from ..observed.graphics import SHARED_DIRECT
from ..observed.hosts import Host, HostDevice, cards_of_functions
from ..pci import DISPLAY_CLASS
from ..plain import Record
from ..vm.devices.holders import DeviceHolder, DeviceHolders, read_holders
from ..vm.observed_vms import ObservedVms
from ..vm.pairing import pair_up

FunctionState: TypeAlias = Literal[
    "free", "used", "held", "pending", "leaving", "off", "shared", "out_of_service", "unknown"
]
STATES: Final[tuple[FunctionState, ...]] = get_args(FunctionState)
FunctionKind: TypeAlias = Literal["card", "virtual_function"]
OWNED: Final = frozenset({"free", "used", "held", "pending", "leaving", "shared"})
"""States of functions that were set up for VMs. A model with none of them is not shown unless it is asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """One PCI function that a VM can have, or could have. ``vms``: the names of its users."""

    host: Host
    device: HostDevice
    kind: FunctionKind
    state: FunctionState
    vms: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class StockRow:
    """The functions of one model and label on one NUMA node of one host. ``numa_node``: None when the host does not report it."""

    host: Host
    model: str
    name: str
    label: str | None
    kind: FunctionKind
    numa_node: int | None
    counts: Mapping[str, int] = field(default_factory=dict)

    def record(self) -> Record:
        return {
            "host": self.host.name,
            "moid": self.host.moid,
            "cluster": self.host.cluster,
            "model": self.model,
            "name": self.name,
            "label": self.label,
            "kind": self.kind,
            "numa_node": self.numa_node,
            "total": sum(self.counts.values()),
            **{state: self.counts.get(state, 0) for state in STATES},
        }


def count_functions(observed: ObservedVms) -> tuple[Function, ...]:
    """Every function of the hosts that a VM can have, with its state; sorted by host and address."""
    holders = read_holders(observed)
    running = frozenset(vm.moid for vm in observed.everyone() if vm.may_run)
    found: list[Function] = []
    for host in sorted(observed.hosts, key=lambda host: (host.name, host.moid)):
        found += _of_host(observed, host, holders, running)
    return tuple(found)


def stock_rows(functions: Iterable[Function], *, everything: bool) -> tuple[StockRow, ...]:
    """One row for each host, model, label and NUMA node. ``everything``: also models that no host has set up for VMs."""
    known = tuple(functions)
    owned = {(one.device.kind, one.kind) for one in known if one.state in OWNED or one.device.enabled}
    groups: dict[tuple[object, ...], list[Function]] = {}
    for one in known:
        if everything or (one.device.kind, one.kind) in owned:
            place = (one.host.moid, one.device.kind, one.device.label, one.kind, one.device.numa_node)
            groups.setdefault(place, []).append(one)
    return tuple(
        StockRow(
            host=group[0].host,
            model=group[0].device.ids,
            name=group[0].device.name,
            label=group[0].device.label,
            kind=group[0].kind,
            numa_node=group[0].device.numa_node,
            counts=Counter(one.state for one in group),
        )
        for group in groups.values()
    )


def _of_host(observed: ObservedVms, host: Host, holders: DeviceHolders, running: Collection[str]) -> Iterator[Function]:
    virtual = cards_of_functions(host.devices)
    doubtful = not host.is_reachable or bool(observed.unread_on(host))
    shared = _shared_gpus(host)
    states: dict[str, FunctionState] = {}
    devices = [device for device in host.devices if _counts(device, device.address in virtual)]
    for device in devices:
        held = holders.table.get(host.moid, {}).get(device.address, ())
        states[device.address] = _state(host, device, held, virtual=device.address in virtual, shared=shared)
    _take_unplaced(host, devices, states, holders)
    _take_functions(host, states, running)
    for device in sorted(devices, key=lambda device: device.address):
        state = states[device.address]
        held = holders.table.get(host.moid, {}).get(device.address, ())
        yield Function(
            host=host,
            device=device,
            kind="virtual_function" if device.address in virtual else "card",
            # Only what may still be given away is in doubt. What is known to be in use stays so.
            state="unknown" if not host.is_reachable or (doubtful and state == "free") else state,
            vms=tuple(sorted({holder.vm for holder in held})),
        )


def _counts(device: HostDevice, is_virtual: bool) -> bool:
    return not device.is_bridge and (is_virtual or device.capable or device.enabled or device.active)


def _shared_gpus(host: Host) -> Mapping[str, bool | None]:
    """Address → whether vGPUs share the GPU; None when that cannot be read."""
    graphics = host.graphics
    if graphics is None:
        return {}
    if graphics.gaps:
        return {device.address: None for device in host.devices if device.class_id.startswith(DISPLAY_CLASS)}
    return {gpu.address: gpu.type == SHARED_DIRECT for gpu in graphics.gpus}


def _state(
    host: Host, device: HostDevice, held: Sequence[DeviceHolder], *, virtual: bool, shared: Mapping[str, bool | None]
) -> FunctionState:
    if any(holder.powered_on or not holder.fixed for holder in held):  # only VMs that may run hold dynamic devices
        return "used"
    if any(holder.doubt for holder in held):
        return "unknown"
    if any(holder.fixed for holder in held):
        return "held"
    if virtual:
        return "out_of_service" if host.in_maintenance_mode else "free"
    if device.enabled and device.active:
        return "out_of_service" if host.in_maintenance_mode or not device.capable else "free"
    if device.enabled:
        return "pending" if device.capable else "out_of_service"
    if device.active:
        return "leaving"
    is_shared = shared.get(device.address, False)
    return "unknown" if is_shared is None else "shared" if is_shared else "off"


def _take_unplaced(
    host: Host, devices: Sequence[HostDevice], states: dict[str, FunctionState], holders: DeviceHolders
) -> None:
    """Running VMs use dynamic devices whose address is unknown: as many free functions that fit are in use."""
    items = [item for _vm, item in holders.unplaced.get(host.moid, ())]
    free = [device for device in devices if states[device.address] == "free"]
    edges = {
        left: [right for right, device in enumerate(free) if item.accepts(device)] for left, item in enumerate(items)
    }
    for right in pair_up(items, free, edges).values():
        states[free[right].address] = "used"


def _take_functions(host: Host, states: dict[str, FunctionState], running: Collection[str]) -> None:
    """SR-IOV network adapters use virtual functions, one each. Where the server does not show which, any free one of the physical function
    counts as in use; where these are not all of one model and NUMA node, they are unknown. ``running``: VMs that run, or may run."""
    cards = cards_of_functions(host.devices)
    for user in host.function_users:
        if not user.powered_on and user.moid not in running:
            continue
        if user.virtual_function is not None:
            if user.virtual_function in states:
                states[user.virtual_function] = "used"
            continue
        possible = [
            address
            for address, physical in cards.items()
            if states.get(address) in ("free", "unknown") and user.physical_function in (None, *physical)
        ]
        devices = [device for device in host.devices if device.address in possible]
        if len({(device.kind, device.label, device.numa_node) for device in devices}) == 1:
            states[min(possible)] = "used"
        else:
            states.update(dict.fromkeys(possible, "unknown"))
