# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check that the hosts of a VM have enough devices for its dynamic devices. PRIVATE to the collection.

All devices of a VM must be on ONE host, so the best single host counts, not the sum of the cluster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ...host.selector import DesiredDevice
from ...observed.hosts import Host, HostDevice
from ...observed.vms import AllowedDevice, DynamicBacking, Vm
from ...planning.plan import Blocker
from ..observed_vms import ObservedVms
from .allocation import meant_on
from .holders import DeviceHolders, DynamicItem, free_devices, item_of, satisfiable

_EXPRESSIBLE = frozenset(("vendor_id", "device_id", "subvendor_id", "subdevice_id", "label"))
"""Conditions that a dynamic backing can express itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolvedModels:
    """The dynamic device for an entry, with the name and class of its model, or the blocker when there is none."""

    item: DynamicItem | None = None
    name: str = ""
    class_id: str = ""
    blocker: Blocker | None = None


def resolve(observed: ObservedVms, vm: Vm, entry: DesiredDevice) -> ResolvedModels:
    """The model and label that an entry selects. Without vendor and device id, it must match one model on the hosts of the VM."""
    selector, hosts = entry.selector, observed.candidates(vm)
    by_ids = selector.names_kind and _EXPRESSIBLE.issuperset(selector.given)
    meant = [] if by_ids else [device for host in hosts for device in meant_on(host, entry)]
    label = entry.label or selector.label or None
    kinds = sorted({device.kind for device in meant})
    if selector.vendor_id is not None and selector.device_id is not None:
        kinds = [(selector.vendor_id, selector.device_id)]
    if len(kinds) != 1:
        return ResolvedModels(blocker=_not_one_kind(vm, entry, hosts, meant))
    model = AllowedDevice(
        vendor_id=kinds[0][0],
        device_id=kinds[0][1],
        subvendor_id=selector.subvendor_id,
        subdevice_id=selector.subdevice_id,
    )
    item = DynamicItem(allowed=(model,), label=label)
    wrong = [
        f"{host.name} {device.describe()}"
        for host in (() if by_ids else hosts)
        for device in sorted(host.devices, key=lambda device: device.address)
        if item.accepts(device) and not selector.matches(device)
    ]
    if wrong:
        return ResolvedModels(
            blocker=Blocker(
                code="dynamic_too_wide",
                message=f"A dynamic device of {vm.name} can select only a model and a label, not all conditions of {selector.text}, so "
                "the VM could get other devices",
                cure="Select the devices by ids and a hardware label, or use backing: fixed",
                candidates=tuple(wrong),
            )
        )
    known = meant[0] if meant else observed.models().get(f"{model.vendor_id}:{model.device_id}")
    return ResolvedModels(item=item, name=known.name if known else "", class_id=known.class_id if known else "")


def _not_one_kind(vm: Vm, entry: DesiredDevice, hosts: Sequence[Host], meant: Sequence[HostDevice]) -> Blocker:
    names = {device.ids: device.name for device in reversed(meant)}
    where = ", ".join(host.name for host in hosts) or "no host that was read"
    if not names:
        return Blocker(
            code="no_such_device",
            message=f"{vm.name} needs {entry.selector.text}, but none of its hosts has such a device ({where})",
            cure="Correct the match; host_pci_device_info lists the devices",
            skippable=True,
        )
    return Blocker(
        code="ambiguous",
        message=f"{entry.selector.text} for {vm.name} matches {len(names)} models on its hosts",
        cure="Select one of them by vendor:device",
        candidates=tuple(f"{ids} {names[ids]}".rstrip() for ids in sorted(names)),
    )


def items_after(vm: Vm, detached: frozenset[int], added: Sequence[DynamicItem]) -> tuple[DynamicItem, ...]:
    """All dynamic devices that the VM will have. ``detached``: keys of devices that will be detached."""
    kept = (
        item_of(device.backing)
        for device in sorted(vm.devices, key=lambda device: device.key)
        if isinstance(device.backing, DynamicBacking) and device.key not in detached
    )
    return (*kept, *added)


@dataclass(frozen=True, kw_only=True, slots=True)
class CapacityCheck:
    """The result of the capacity check of one VM. ``host_moid``: the host where it leaves the fewest devices unused."""

    blockers: tuple[Blocker, ...] = ()
    warnings: tuple[str, ...] = ()
    host_moid: str | None = None

    def also(self, other: CapacityCheck) -> CapacityCheck:
        """The results of two checks of one VM."""
        return CapacityCheck(
            blockers=(*self.blockers, *other.blockers),
            warnings=(*self.warnings, *other.warnings),
            host_moid=self.host_moid or other.host_moid,
        )


def check_capacity(
    observed: ObservedVms,
    vm: Vm,
    items: Sequence[DynamicItem],
    holders: DeviceHolders,
    *,
    tied_to: str | None,
    must_run: bool,
    only: frozenset[str] = frozenset(),
) -> CapacityCheck:
    """Check the capacity for all dynamic devices of one VM.

    ``tied_to``: id of the host of its fixed devices, if any. ``must_run``: this run powers on the VM. ``only``: ids of the hosts that
    have all its other devices free, if any.
    """
    hosts = [host for host in observed.candidates(vm) if tied_to in (None, host.moid)]
    usable = [host for host in hosts if host.is_reachable]
    if not any(_fits(host, items, holders, vm, running_count=False) for host in usable):
        return CapacityCheck(blockers=(_no_host(vm, items, usable, hosts, holders),))
    chosen = [host for host in usable if not only or host.moid in only]
    now = (host for host in chosen if not out_of_service(host) and _fits(host, items, holders, vm, running_count=True))
    if must_run:
        best = min(now, key=lambda host: (_spare(host, items, holders, vm), host.name, host.moid), default=None)
    else:
        best = next(now, None)
    if best is not None:
        return CapacityCheck(host_moid=best.moid)
    kept = ", or it is a failover host of HA" if any(host.kept_free_by_ha for host in usable) else ""
    message = f"{_wanted(vm, items)}, but no host has them free now: running VMs use them, or the host is in maintenance mode{kept}"
    listed = free_listing(usable, items, holders, vm)
    if not must_run:
        return CapacityCheck(warnings=(f"{message} ({'; '.join(listed)}). It cannot be powered on now.",))
    return CapacityCheck(
        blockers=(
            Blocker(
                code="no_free_device",
                message=message,
                cure="Power off VMs that use such devices, enable more devices, or use power: off to attach without a power-on",
                candidates=listed,
            ),
        )
    )


def check_start(observed: ObservedVms, vm: Vm, *, tied_to: str | None) -> CapacityCheck:
    """Check that a host can start a VM without passthrough devices: its own host, else another one of its cluster.

    ``tied_to``: id of the only host where it may start, if any.
    """
    hosts = [host for host in observed.candidates(vm) if tied_to in (None, host.moid)]
    in_service = [host.moid for host in hosts if not out_of_service(host)]
    if in_service:
        return CapacityCheck(host_moid=vm.host_moid if vm.host_moid in in_service else in_service[0])
    if not hosts:
        return CapacityCheck()
    return CapacityCheck(
        blockers=(
            Blocker(
                code="host_in_maintenance",
                message=f"{vm.name} cannot be powered on: no host where it may start is in service",
                cure="Return such a host to service (end its maintenance mode, reconnect it), or use power: off to leave the VM off",
                candidates=tuple(f"{host.name}: {out_of_service(host)}" for host in hosts),
            ),
        )
    )


def out_of_service(host: Host) -> str:
    """Why a host powers on no VM, as a clause; empty when it does."""
    if host.connection_state != "connected":
        return host.connection_state
    return _set_aside(host)


def _set_aside(host: Host) -> str:
    if host.in_maintenance_mode:
        return "in maintenance mode"
    return "a failover host of HA" if host.kept_free_by_ha else ""


def without_drs(check: CapacityCheck, host: Host, *, unmanaged: bool = False) -> CapacityCheck:
    """The check of a VM that is powered on where it is, with the reason in its blockers. ``unmanaged``: an override excludes it from
    DRS."""
    why = "DRS is disabled for it by an override" if unmanaged else f"DRS of {host.cluster} is off"
    reason = f"{why}, so the VM starts on {host.name}"
    blockers = (
        replace(
            blocker,
            message=f"{blocker.message}. {reason}",
            cure=f"{blocker.cure.rstrip('.')}, or move the VM to another host, or "
            f"{'remove the override' if unmanaged else 'turn on DRS'}",
        )
        for blocker in check.blockers
    )
    return replace(check, blockers=tuple(blockers))


def _fits(
    host: Host,
    items: Sequence[DynamicItem],
    holders: DeviceHolders,
    vm: Vm,
    *,
    running_count: bool,
    beside: Sequence[DynamicItem] = (),
) -> bool:
    devices = free_devices(host, holders, vm, running_count=running_count)
    waiting = (*holders.others_unplaced(host.moid, vm), *beside) if running_count else ()
    return satisfiable((*waiting, *items), devices) - satisfiable(waiting, devices) >= len(items)


def fits_now(
    host: Host, items: Sequence[DynamicItem], holders: DeviceHolders, vm: Vm, *, beside: Sequence[DynamicItem] = ()
) -> bool:
    """True when the host has the devices free now, beside those of running VMs and of VMs that this plan powers on, and ``beside`` them."""
    return _fits(host, items, holders, vm, running_count=True, beside=beside)


def _spare(host: Host, items: Sequence[DynamicItem], holders: DeviceHolders, vm: Vm) -> int:
    devices = free_devices(host, holders, vm, running_count=True)
    return sum(1 for device in devices if any(item.accepts(device) for item in items))


def _no_host(
    vm: Vm, items: Sequence[DynamicItem], usable: Sequence[Host], hosts: Sequence[Host], holders: DeviceHolders
) -> Blocker:
    pending_hosts = [host for host in usable if _fits_after_reboot(host, items, holders, vm)]
    if pending_hosts:
        pending = [
            f"{host.name} {device.describe()}"
            for host in pending_hosts
            for device in host.pending
            if device.enabled and any(item.accepts(device) for item in items)
        ]
        names = ", ".join(host.name for host in pending_hosts)
        return Blocker(
            code="not_active",
            message=f"{_wanted(vm, items)}, but on {names} they are enabled and not active",
            cure=f"Reboot {names if len(pending_hosts) == 1 else 'one of ' + names}, which "
            f"{'has' if len(pending_hosts) == 1 else 'have'} a pending reboot, then run this again",
            candidates=tuple(sorted(pending)),
        )
    known = any(item.accepts(device) for host in hosts for device in host.candidates() for item in items)
    unreachable = [host.name for host in hosts if not host.is_reachable]
    return Blocker(
        code="no_free_device" if known else "no_such_device",
        message=f"{_wanted(vm, items)} on one host, but no host where it may run has them ({_some(hosts)})"
        + (f"; not reachable: {', '.join(unreachable)}" if unreachable else ""),
        cure="Enable devices with host_passthrough, detach them from VMs with fixed backings, reduce the count, "
        "or migrate the VM to a cluster that has them",
        candidates=free_listing(usable, items, holders, vm),
        skippable=not known,
    )


def _fits_after_reboot(host: Host, items: Sequence[DynamicItem], holders: DeviceHolders, vm: Vm) -> bool:
    devices = [
        device
        for device in host.candidates()
        if device.state in ("active", "pending_enable") and holders.is_open(host, device, vm, running_count=False)
    ]
    return satisfiable(items, devices) >= len(items)


def _wanted(vm: Vm, items: Sequence[DynamicItem]) -> str:
    return f"{vm.name} needs {sum_of_items(items)}"


def sum_of_items(items: Sequence[DynamicItem]) -> str:
    """``2 x 10de:20f1, 1 x 8086:1572``."""
    counts: dict[str, int] = {}
    for item in items:
        counts[item.text] = counts.get(item.text, 0) + 1
    return ", ".join(f"{counts[text]} x {text}" for text in sorted(counts))


def _some(hosts: Iterable[Host], most: int = 6) -> str:
    names = sorted(host.name for host in hosts)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def free_listing(
    hosts: Sequence[Host], items: Sequence[DynamicItem], holders: DeviceHolders, vm: Vm
) -> tuple[str, ...]:
    """A text such as ``esx-01: 4 present, 2 active, 0 free`` for every host that has such a device."""
    lines = []
    for host in hosts:
        present = [device for device in host.candidates() if any(item.accepts(device) for item in items)]
        active = [device for device in present if device.enabled and device.active]
        free = [
            device
            for device in free_devices(host, holders, vm, running_count=True)
            if any(item.accepts(device) for item in items)
        ]
        if present:
            state = f", {aside}" if (aside := _set_aside(host)) else ""
            lines.append(f"{host.name}: {len(present)} present, {len(active)} active, {len(free)} free{state}")
    return tuple(lines)


def commitment_warnings(
    observed: ObservedVms, attached: Mapping[str, Sequence[DynamicItem]], holders: DeviceHolders
) -> tuple[str, ...]:
    """A warning for every model of which the VMs of a cluster have more dynamic devices than its hosts have active devices.

    ``attached``: VM id → all dynamic devices that it will have, for VMs that get new ones.
    """
    if not attached:
        return ()
    promises: dict[str, Counter[DynamicItem]] = {}
    asked: dict[str, tuple[tuple[Host, ...], set[DynamicItem]]] = {}
    for vm in observed.everyone():
        hosts = observed.candidates(vm)
        # All VMs of a cluster may run on the same hosts, so its first host is the key. (A VM outside of clusters has one host.)
        place = hosts[0].moid if hosts else ""
        promises.setdefault(place, Counter()).update(attached.get(vm.moid, _items(vm)))
        if vm.moid in attached:
            asked.setdefault(place, (hosts, set()))[1].update(attached[vm.moid])
    sentences = set()
    for place, (hosts, items) in asked.items():
        active = [(host, device) for host in hosts for device in host.candidates() if device.active]
        for item in items:
            promised = sum(count for other, count in promises[place].items() if overlap(item, other))
            there = sum(1 for host, device in active if item.accepts(device) and holders.is_unbound(host, device))
            if promised > there:
                name = hosts[0].cluster or hosts[0].name
                sentences.add(
                    f"{name}: VMs are configured with {promised} x {item.text}, but only {there} are active, so not all of these VMs "
                    "can run at the same time"
                )
    return tuple(sorted(sentences))


def _items(vm: Vm) -> list[DynamicItem]:
    return [item_of(device.backing) for device in vm.devices if isinstance(device.backing, DynamicBacking)]


def overlap(one: DynamicItem, other: DynamicItem) -> bool:
    """True when one device could be used for both (label None: any)."""
    if one.label is not None and other.label is not None and one.label != other.label:
        return False
    mine = {(model.vendor_id, model.device_id) for model in one.allowed}
    return any((model.vendor_id, model.device_id) in mine for model in other.allowed)
