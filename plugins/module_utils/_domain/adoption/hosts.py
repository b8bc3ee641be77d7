# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entries of an intent for what one host is configured to now. PRIVATE to the collection.

Devices are selected by their model wherever that selects exactly them, because an address changes when a card is added. Only what is
configured **and** in effect gets an entry: a pending card is not adopted, because it is unknown whether its reboot is intended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ..drift.kinds import Difference
from ..errors import InputError
from ..graphics.configured import ConfiguredSetting, configured_graphics
from ..graphics.desired import DesiredGpu, DesiredGraphics
from ..graphics.plan import DEFAULT, POLICY
from ..host.desired import DesiredPassthrough
from ..host.passthrough import plan_passthrough
from ..host.selector import DesiredDevice, Selector, refuse_contradictions
from ..host.virtual_functions import pending_functions
from ..host_entries.kinds import parse_host_entries
from ..observed.direct_path import is_chosen_mode
from ..observed.hosts import Host, HostDevice, dependency_groups
from .entries import AdoptedHost, Noted


def adopt_host(host: Host, name: str) -> AdoptedHost | None:
    """What the host is configured to; None when it is not reachable or has nothing that an intent could name."""
    if not host.is_reachable:
        return None
    devices = tuple(sorted(host.candidates(), key=lambda device: device.address))
    with_mode = [device for device in devices if _has_mode(device)]
    passed = [device for device in devices if _is_passed(device) and device not in with_mode]
    by_place = False
    while True:
        noted = (
            *_without_reset_groups(host, _passthrough(devices, passed, by_place=by_place)),
            *_functions(devices),
            *_modes(devices, with_mode),
        )
        if by_place or _is_valid(noted):
            break
        by_place = True
    graphics = _graphics(host)
    if not noted and graphics is None:
        return None
    return AdoptedHost(moid=host.moid, name=name, devices=noted, graphics=graphics, cluster=host.cluster)


def pending_devices(host: Host) -> Iterator[Difference]:
    """The devices of a host that are not adopted because a reboot would change them, or because the host no longer offers them."""
    if not host.is_reachable:
        return
    for device in host.candidates():
        if device.has_pending_passthrough or device.is_lost_at_reboot:
            state = "enabled" if device.enabled else "disabled"
            cause = f"{device.address} is {state} for passthrough, which is not in effect, and it is unknown whether the reboot is intended"
            if device.is_lost_at_reboot:
                cause = (
                    f"{device.address} is in effect, but the host no longer offers it: it is lost at the next reboot"
                )
            cure = f"Reboot {host.name}, or set passthrough of the device back, and adopt again"
            if device.is_lost_at_reboot or not (device.capable or device.active):
                cure = f"Check the IOMMU and the slot in the firmware of {host.name}, or disable the device, and adopt again"
        elif device.has_pending_functions:
            cause = f"{device.address} has {pending_functions(device)}"
            cure = f"Reboot {host.name}, or set the number that is in effect, and adopt again"
        else:
            continue
        yield Difference(
            kind="pending_reboot",
            type="host",
            object=host.name,
            moid=host.moid,
            cluster=host.cluster,
            subject=device.address,
            device=f"{device.ids} {device.name}".rstrip(),
            found=device.state,
            cause=cause,
            cure=cure,
            planned=False,
        )


def _is_passed(device: HostDevice) -> bool:
    return device.enabled and device.active and device.capable


def _has_mode(device: HostDevice) -> bool:
    return device.direct_path is not None and is_chosen_mode(device.direct_path.mode) and not device.is_pending


def _is_valid(noted: Sequence[Noted]) -> bool:
    """Whether the entries can be in one list: a model may be passed through on one port and have virtual functions on the other."""
    entries = [noted.entry for noted in noted if isinstance(noted.entry, DesiredDevice)]
    try:
        parse_host_entries([entry.option() for entry in entries])
        refuse_contradictions([entry for entry in entries if entry.is_passthrough], "devices", default_is_all=True)
    except InputError:
        return False
    return True


def _passthrough(devices: Sequence[HostDevice], passed: Sequence[HostDevice], *, by_place: bool) -> list[Noted]:
    found: list[Noted] = []
    for kind, chosen in _by_kind(passed).items():
        everything = [device for device in devices if device.kind == kind]
        labels = dict.fromkeys(device.label or None for device in chosen)
        if by_place:
            found += [
                _at_its_place(device, "selected by address: the host uses this model in two ways") for device in chosen
            ]
            continue
        for label in labels:
            same = [device for device in chosen if (device.label or None) == label]
            if label is None and len(labels) > 1:
                found += [
                    _at_its_place(device, "selected by address: other cards of this model have a label")
                    for device in same
                ]
            elif len(same) == len(everything):
                found.append(_of_kind(same, label=label))
            else:
                note = f"{same[0].name}: {len(same)} of {len(everything)}, those that are passed through now"
                found.append(replace(_of_kind(same, label=label, count=len(same)), note=note))
    return found


def _of_kind(devices: Sequence[HostDevice], **more: object) -> Noted:
    first = devices[0]
    entry = DesiredDevice(selector=Selector(vendor_id=first.vendor_id, device_id=first.device_id))
    return Noted(entry=replace(entry, **more), note=first.name)  # type: ignore[arg-type]  # fields of DesiredDevice


def _at_its_place(device: HostDevice, why: str, **more: object) -> Noted:
    selector = Selector(address=device.address, vendor_id=device.vendor_id, device_id=device.device_id)
    entry = DesiredDevice(selector=selector, label=device.label or None)
    return Noted(entry=replace(entry, **more), note=f"{device.name}, {why}")  # type: ignore[arg-type]  # as above


def _by_kind(devices: Iterable[HostDevice]) -> Mapping[tuple[str, str], list[HostDevice]]:
    found: dict[tuple[str, str], list[HostDevice]] = {}
    for device in devices:
        found.setdefault(device.kind, []).append(device)
    return found


def _without_reset_groups(host: Host, noted: Sequence[Noted]) -> tuple[Noted, ...]:
    """Without the entries for functions that come with another one, because they share a reset: the audio function of a GPU."""
    groups = dependency_groups(host.devices)
    if len(noted) < 2 or all(len(groups[device.address]) == 1 for device in host.candidates() if device.enabled):
        return tuple(noted)
    kept = list(noted)
    whole = _selected(host, kept)
    for one in sorted(noted, key=lambda one: _last_function(host, one), reverse=True):
        rest = [other for other in kept if other is not one]
        if rest and _selected(host, rest) == whole:
            kept = rest
    return tuple(kept)


def _last_function(host: Host, noted: Noted) -> str:
    """The function numbers of what the entry matches, to drop an entry for function 1 rather than one for function 0."""
    entry = noted.entry
    if not isinstance(entry, DesiredDevice):
        return ""
    return max(
        (d.address.rpartition(".")[2] for d in host.devices if entry.selector.matches(d) and d.enabled), default=""
    )


def _selected(host: Host, noted: Sequence[Noted]) -> tuple[str, ...] | None:
    """The addresses that the entries select on the host; None when they would change something."""
    entries = tuple(one.entry for one in noted if isinstance(one.entry, DesiredDevice))
    (target,) = plan_passthrough([host], DesiredPassthrough(devices={host.moid: entries})).targets
    return None if target.changes or target.blockers else target.host_facts.selected


def _functions(devices: Sequence[HostDevice]) -> list[Noted]:
    """Entries with numbers of virtual functions. A number that is not in effect is not adopted."""

    def number_of(device: HostDevice) -> int:
        sriov = device.sriov
        settled = sriov is not None and device.is_network_adapter and not device.is_pending
        return sriov.configured if settled and sriov is not None else 0

    def entry(device: HostDevice) -> Noted:
        number = number_of(device)
        if device.vmnic:
            return Noted(
                entry=DesiredDevice(selector=Selector(vmnic=device.vmnic), virtual_functions=number),
                note=f"{device.name}: the ports of this model differ",
            )
        return _at_its_place(device, "the ports of this model differ", label=None, virtual_functions=number)

    def all_alike(alike: Sequence[HostDevice]) -> Noted:
        return _of_kind(alike, virtual_functions=number_of(alike[0]))

    with_functions = [device for device in devices if number_of(device)]
    return _alike_or_each(devices, with_functions, number_of, all_alike, entry)


def _modes(devices: Sequence[HostDevice], chosen: Sequence[HostDevice]) -> list[Noted]:
    def mode_of(device: HostDevice) -> str:
        return device.direct_path.mode if device.direct_path is not None else ""

    return _alike_or_each(
        devices,
        chosen,
        mode_of,
        lambda alike: _of_kind(alike, mode=mode_of(alike[0])),
        lambda device: _at_its_place(device, "the devices of this model differ", label=None, mode=mode_of(device)),
    )


def _alike_or_each(
    devices: Sequence[HostDevice],
    chosen: Sequence[HostDevice],
    value: Callable[[HostDevice], object],
    together: Callable[[Sequence[HostDevice]], Noted],
    alone: Callable[[HostDevice], Noted],
) -> list[Noted]:
    """One entry for a model if all its devices on the host have one value, else one entry for each chosen device."""
    found = []
    for kind, same in _by_kind(chosen).items():
        values = {value(device) for device in devices if device.kind == kind and device not in same}
        values |= {value(device) for device in same}
        if len(values) == 1 and len(same) == sum(device.kind == kind for device in devices):
            found.append(together(same))
        else:
            found += [alone(device) for device in same]
    return found


def _graphics(host: Host) -> DesiredGraphics | None:
    settings = tuple(configured_graphics(host))
    if not settings:
        return None
    values = {setting.subject: setting for setting in settings}
    default, policy = values.pop(DEFAULT, None), values.pop(POLICY, None)
    return DesiredGraphics(
        default_type=default.type if default is not None else None,
        assignment_policy=policy.type if policy is not None else None,
        gpus=_gpus(host, values),
    )


def _gpus(host: Host, values: Mapping[str, ConfiguredSetting]) -> tuple[DesiredGpu, ...]:
    chosen = [device for device in host.devices if device.address in values]
    found: list[DesiredGpu] = []
    for kind, same in _by_kind(chosen).items():
        types = {(values[device.address].type, values[device.address].mode) for device in same}
        selectors = [Selector(vendor_id=kind[0], device_id=kind[1])]
        if len(types) > 1 or len(same) < sum(device.kind == kind for device in host.devices):
            selectors = [Selector(address=d.address, vendor_id=d.vendor_id, device_id=d.device_id) for d in same]
        for selector, device in zip(selectors, same, strict=False):
            setting = values[device.address]
            found.append(DesiredGpu(selector=selector, type=setting.type, mode=setting.mode))
    return tuple(found)
