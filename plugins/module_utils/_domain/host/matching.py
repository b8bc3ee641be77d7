# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Selecting the devices of a host for a list of desired devices. PRIVATE to the collection.

The result depends on the hardware and its configuration, never on the order in which the server lists it. On a host that is in sync,
exactly the devices that are already configured are selected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..observed.hosts import Host, HostDevice, dependency_groups
from ..planning.plan import Blocker
from .selector import DesiredDevice, Selector

_SHOWN = 8
"""The largest number of candidates in one message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """The devices of one host that one entry selects, sorted by address, or the blocker when it cannot be satisfied."""

    desired: DesiredDevice
    devices: tuple[HostDevice, ...] = ()
    blocker: Blocker | None = None


def select(
    host: Host, desired: DesiredDevice, *, enabled: bool = True, avoid: Collection[str] = frozenset()
) -> Selection:
    """The devices of ``host`` that one entry selects. See ``select_all``."""
    return select_all(host, (desired,), enabled=enabled, avoid=avoid)[0]


def select_all(
    host: Host, desired_devices: Sequence[DesiredDevice], *, enabled: bool = True, avoid: Collection[str] = frozenset()
) -> tuple[Selection, ...]:
    """The devices that each entry selects, in the order of the entries.

    Without a count, an entry selects every device that matches; they must all be of one model. ``count: all`` allows several models.
    With a number, devices that are already as desired come first (``enabled``, the label, the whole reset group), then devices that
    partly are, then devices outside ``avoid`` (addresses: protected, or in use), then the lowest address. No device is selected by two
    entries when one of them has a number. An entry that cannot be satisfied gets a blocker and no device; the others are not affected.
    """
    devices = tuple(sorted(host.candidates(), key=lambda device: device.address))
    chosen = [
        _select_all_matching(host, devices, desired, avoid) if not isinstance(desired.count, int) else None
        for desired in desired_devices
    ]
    if None not in chosen:
        return tuple(selection for selection in chosen if selection is not None)
    taken = frozenset(device.address for selection in chosen if selection for device in selection.devices)
    groups = dependency_groups(devices)
    whole = frozenset(address for address, group in groups.items() if all(m.enabled == enabled for m in group))
    preference = _Preference(enabled=enabled, avoid=frozenset(avoid), whole=whole)
    free = tuple(device for device in devices if device.address not in taken)
    assigned = _assign_devices(
        preference, free, {number: desired_devices[number] for number, choice in enumerate(chosen) if choice is None}
    )
    return tuple(
        choice
        if choice is not None
        else _select_by_count(host, desired_devices[number], assigned[number], preference, taken)
        for number, choice in enumerate(chosen)
    )


def near_misses(devices: Iterable[HostDevice], selector: Selector) -> tuple[str, ...]:
    """Devices that meet some of the conditions, best match first, each with its differences. They help to find a typing error."""
    rows = []
    for device in devices:
        misses = selector.misses(device)
        met = len(selector.given) - len(misses)
        if met and misses and not device.is_bridge:
            rows.append((-met, device.address, f"{device.describe()} ({_differences(device, misses)})"))
    return _shortened([text for _rank, _unused, text in sorted(rows)])


def _differences(device: HostDevice, keys: Iterable[str]) -> str:
    return ", ".join(f"{key} {getattr(device, key) or 'not reported'}" for key in keys)


def _shortened(rows: Sequence[str]) -> tuple[str, ...]:
    more = len(rows) - _SHOWN
    return (*rows[:_SHOWN], f"and {more} more") if more > 0 else tuple(rows)


def _select_all_matching(
    host: Host, devices: Sequence[HostDevice], desired: DesiredDevice, avoid: Collection[str]
) -> Selection:
    """Every device that matches, or a blocker when there is none or when several models match without ``count: all``."""
    found = tuple(device for device in devices if desired.selector.matches(device))
    if not found:
        return Selection(desired=desired, blocker=_no_match_blocker(host, desired.selector, avoid))
    kinds = sorted({device.ids for device in found})
    if desired.count is None and len(kinds) > 1:
        blocker = Blocker(
            code="ambiguous",
            message=f"{desired.selector.text} matches devices of {len(kinds)} models on {host.name}: {', '.join(kinds)}",
            cure="Select one of them by vendor and device id, or set count: all to select all of them",
            candidates=_shortened([device.describe() for device in found]),
        )
        return Selection(desired=desired, blocker=blocker)
    return Selection(desired=desired, devices=found)


def _no_match_blocker(host: Host, selector: Selector, avoid: Collection[str]) -> Blocker:
    """The blocker when no device matches. Devices in ``avoid`` are not suggested as candidates."""
    here = host.device(selector.address) if selector.address else None
    if here is not None and here.is_bridge:
        return Blocker(
            code="bridge",
            message=f"{here.describe()} on {host.name} is a PCI bridge, which cannot be passed through",
            cure="Give the address of the device behind the bridge",
            subjects=(here.address,),
        )
    if here is not None:
        expected = replace(selector, address=None)
        elsewhere = [device.describe() for device in host.candidates() if expected.matches(device)]
        differences = _differences(here, selector.misses(here))
        return Blocker(
            code="identity_changed",
            message=f"{here.address} on {host.name} is not {expected.text}: it is {here.describe()} ({differences})",
            cure="Addresses change when cards are added or removed. Correct the address, or select the device by its ids "
            "and slot",
            candidates=_shortened(sorted(elsewhere)),
            skippable=True,
            subjects=(here.address,),
        )
    near = near_misses(host.candidates(), selector)
    others = sorted(d.describe() for d in host.candidates() if d.capable and d.address not in avoid)
    return Blocker(
        code="no_match",
        message=f"No device of {host.name} matches {selector.text}" + _unreported_note(host, selector),
        cure="Correct the match, or set on_missing: skip to skip hosts without such a device",
        candidates=near or _shortened(others),
        skippable=True,
    )


def _unreported_note(host: Host, selector: Selector) -> str:
    """A note when the host does not report the property. Slots are reported from vSphere 9.0 on, labels from 7.0.2 on."""
    if selector.slot is not None and all(device.slot is None for device in host.devices):
        return " (this host reports no slots, as is usual before vSphere 9.0)"
    if selector.label is not None and all(device.label is None for device in host.devices):
        return " (no device of this host has a hardware label)"
    return ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Preference:
    """The order in which devices are selected. ``whole``: addresses of devices whose whole reset group is as desired."""

    enabled: bool
    avoid: frozenset[str]
    whole: frozenset[str]

    def is_as_desired(self, device: HostDevice, desired: DesiredDevice) -> bool:
        labelled = not self.enabled or desired.label is None or (device.label or "") == desired.label
        return labelled and device.address in self.whole

    def eligible(self, devices: Iterable[HostDevice], desired: DesiredDevice) -> list[HostDevice]:
        """Devices that can be selected for the entry, best first."""

        def rank(device: HostDevice) -> tuple[bool | str, ...]:
            return (
                not self.is_as_desired(device, desired),
                device.enabled != self.enabled,
                device.active != self.enabled,
                device.address in self.avoid,
                device.address,
            )

        usable = (d for d in devices if desired.selector.matches(d) and (not self.enabled or _can_be_selected(d)))
        return sorted(usable, key=rank)


def _can_be_selected(device: HostDevice) -> bool:
    return device.capable or (device.enabled and device.active)


def _assign_devices(
    preference: _Preference, devices: Sequence[HostDevice], desired_devices: Mapping[int, DesiredDevice]
) -> Mapping[int, list[HostDevice]]:
    """Devices for each entry, by its number in the list: as many as its count, none twice, with as few changes as possible.

    The first pass uses devices that are already as desired, the second pass all others. Both use augmenting paths (bipartite matching), so
    a complete solution is found when one exists, and a host that is in sync gets no change.
    """
    eligible = {number: preference.eligible(devices, desired) for number, desired in desired_devices.items()}
    wanted_slots = [
        number
        for number in sorted(desired_devices)
        for _unused in range(min(_amount(desired_devices[number]), len(devices)))
    ]
    holder: dict[str, int] = {}
    filled: set[int] = set()
    for only_as_desired in (True, False):
        options = [
            [
                d.address
                for d in eligible[number]
                if not only_as_desired or preference.is_as_desired(d, desired_devices[number])
            ]
            for number in wanted_slots
        ]
        for wanted_slot in range(len(wanted_slots)):
            if wanted_slot not in filled and _augment(wanted_slot, options, holder, set()):
                filled.add(wanted_slot)
    assigned: dict[int, list[HostDevice]] = {number: [] for number in desired_devices}
    for device in devices:
        if device.address in holder:
            assigned[wanted_slots[holder[device.address]]].append(device)
    return assigned


def _amount(desired: DesiredDevice) -> int:
    return desired.count if isinstance(desired.count, int) else 1


def _augment(wanted_slot: int, options: Sequence[Sequence[str]], holder: dict[str, int], seen: set[str]) -> bool:
    """Find a device for ``wanted_slot``: a free one, else one whose holder can move to another (Kuhn's algorithm)."""
    open_addresses = [address for address in options[wanted_slot] if address not in seen]
    for address in open_addresses:
        if address not in holder:
            holder[address] = wanted_slot
            return True
    for address in open_addresses:
        if address in seen:
            continue
        seen.add(address)
        if _augment(holder[address], options, holder, seen):
            holder[address] = wanted_slot
            return True
    return False


def _select_by_count(
    host: Host, desired: DesiredDevice, assigned: Sequence[HostDevice], preference: _Preference, taken: Collection[str]
) -> Selection:
    """The selected devices, or a blocker when there are too few. For ``state: disabled`` fewer than the count are enough."""
    wanted = _amount(desired)
    if len(assigned) >= wanted or (assigned and not preference.enabled):
        return Selection(desired=desired, devices=tuple(assigned))
    matching = [device for device in host.candidates() if desired.selector.matches(device)]
    if not matching:
        return Selection(desired=desired, blocker=_no_match_blocker(host, desired.selector, preference.avoid))
    rows = [
        f"{device.describe()} ({_condition(device, assigned, taken)})" for device in sorted(matching, key=_by_address)
    ]
    blocker = Blocker(
        code="too_few",
        message=f"{host.name} has {len(assigned)} of the {wanted} desired devices {desired.selector.text}",
        cure=f"Lower the count to {len(assigned)}, make more devices available, or set on_missing: skip"
        if assigned
        else "Make more devices available, or set on_missing: skip to skip such hosts",
        candidates=(*_shortened(rows), *near_misses(host.candidates(), desired.selector)),
        skippable=True,
    )
    return Selection(desired=desired, blocker=blocker)


def _by_address(device: HostDevice) -> str:
    return device.address


def _condition(device: HostDevice, assigned: Collection[HostDevice], taken: Collection[str]) -> str:
    if device in assigned:
        return "available"
    if device.address in taken:
        return "selected by another entry of the list"
    if device.enabled and not device.capable:
        return "configured, but the host no longer offers it for passthrough"
    return "selected by another entry of the list" if _can_be_selected(device) else "not capable of passthrough"
