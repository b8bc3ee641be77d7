# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many more devices hosts and clusters can give to VMs: from vCenter where it says so, counted otherwise. PRIVATE to the collection.

What is unknown is None, never 0, and says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ..observed.hosts import Host, HostDevice, virtual_functions
from ..plain import Record

ProfileKind: TypeAlias = Literal["dynamic", "vgpu", "dvx", "group", "unknown"]
Model: TypeAlias = tuple[str, str]
"""Vendor and device id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectPathProfile:
    """A profile of a vCenter 9.0 or later. ``value``: the vGPU profile, the DVX class, the group, or the models as text.

    ``models`` and ``label``: of a dynamic device.
    """

    id: str
    name: str
    description: str = ""
    vendor: str = ""
    kind: ProfileKind
    value: str
    models: tuple[Model, ...] = ()
    label: str | None = None

    def record(self) -> Record:
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "vendor": self.vendor,
            "kind": self.kind,
            "value": self.value,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbers:
    """``consumed``: by VMs that are powered on. ``maximum``: what the target has while no VM runs."""

    consumed: int
    remaining: int
    maximum: int
    unused_reservation: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class CapacityPlace:
    """A host, or the hosts of a cluster."""

    type: Literal["host", "cluster"]
    name: str
    moid: str
    hosts: tuple[Host, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Capacity:
    """The capacity of one kind of device at one place. ``numbers`` None: unknown. ``source`` unknown: it cannot be counted either.

    ``reason``: why it was counted, or why it is unknown.
    """

    place: CapacityPlace
    kind: ProfileKind
    value: str
    profile: str | None = None
    numbers: Numbers | None = None
    source: Literal["vcenter", "counted", "unknown"] = "unknown"
    reason: str = ""

    def record(self) -> Record:
        found = self.numbers
        return {
            "type": self.place.type,
            "target": self.place.name,
            "moid": self.place.moid,
            "profile": self.profile,
            "kind": self.kind,
            "value": self.value,
            "consumed": None if found is None else found.consumed,
            "remaining": None if found is None else found.remaining,
            "max": None if found is None else found.maximum,
            "unused_reservation": found.unused_reservation if found is not None and self.source == "vcenter" else None,
            "source": self.source,
            "reason": self.reason or None,
        }


def describe_models(models: Iterable[Model], label: str | None) -> str:
    """``10de:20f1`` or ``10de:20f1 labeled a100``."""
    text = "/".join(f"{vendor}:{device}" for vendor, device in sorted(models))
    return f"{text} labeled {label}" if label else text


def capacities(
    place: CapacityPlace, profiles: Sequence[DirectPathProfile], answers: Mapping[str, Numbers | str], why_counted: str
) -> tuple[Capacity, ...]:
    """The capacity of every profile, then of every model of active devices, which no profile is for.

    ``answers``: profile id → what vCenter says, or why it does not know. ``why_counted``: the reason where there are no answers at all.
    """
    found = [_of_profile(place, profile, answers.get(profile.id, why_counted)) for profile in profiles]
    known = {(profile.models, profile.label) for profile in profiles if profile.kind == "dynamic"}
    for model, label in _models(place.hosts):
        if ((model,), label) not in known:
            reason = why_counted if not profiles else "no DirectPath profile is for this model and label"
            found.append(_counted(place, (model,), label, reason))
    return tuple(found)


def _of_profile(place: CapacityPlace, profile: DirectPathProfile, answer: Numbers | str) -> Capacity:
    blank = Capacity(place=place, kind=profile.kind, value=profile.value, profile=profile.name)
    if isinstance(answer, Numbers):
        return replace(blank, numbers=answer, source="vcenter")
    if profile.kind == "dynamic":
        counted = _counted(place, profile.models, profile.label, answer)
        return replace(counted, value=profile.value, profile=profile.name)
    return replace(
        blank, reason=f"{answer}; devices of the kind {profile.kind} cannot be counted from the state of hosts"
    )


def _models(hosts: Iterable[Host]) -> list[tuple[Model, str | None]]:
    """Each model of active devices, alone, and with each of its labels."""
    found: set[tuple[Model, str | None]] = set()
    for host in hosts:
        for device in _offered(host):
            found.add((device.kind, None))
            if device.label:
                found.add((device.kind, device.label))
    return sorted(found, key=lambda item: (item[0], item[1] or ""))


def _offered(host: Host) -> Iterator[HostDevice]:
    virtual = virtual_functions(host.devices)
    return (d for d in host.devices if d.active and not d.is_bridge and d.address not in virtual)


def _counted(place: CapacityPlace, models: tuple[Model, ...], label: str | None, reason: str) -> Capacity:
    blank = Capacity(place=place, kind="dynamic", value=describe_models(models, label), reason=reason)
    doubts = _doubts(place)
    if doubts:
        return replace(blank, reason=f"{reason}; the count is uncertain: {'; '.join(doubts)}")
    consumed = maximum = 0
    for host in place.hosts:
        if host.in_maintenance_mode:
            continue
        fitting = [d for d in _offered(host) if d.kind in models and label in (None, d.label)]
        used = sum(1 for device in fitting if _is_used(host, device))
        waiting = _unplaced(host, models, label)
        maximum += len(fitting)
        consumed += min(used + waiting, len(fitting))
    numbers = Numbers(consumed=consumed, remaining=maximum - consumed, maximum=maximum)
    return replace(blank, numbers=numbers, source="counted")


def _doubts(place: CapacityPlace) -> list[str]:
    """Why a count would be wrong: hosts whose devices, or VMs whose devices, are unknown."""
    away = sorted(host.name for host in place.hosts if not host.is_reachable)
    unread = sorted({vm.vm for host in place.hosts for vm in host.unread_vms})
    found = [f"the devices of {', '.join(away)} are unknown"] if away else []
    return [*found, f"it is unknown which devices {', '.join(unread)} use"] if unread else found


def _is_used(host: Host, device: HostDevice) -> bool:
    """A running VM has it. A VM that is off does not consume it, as in the numbers of vCenter."""
    return any(user.powered_on for user in host.users.get(device.address, ()))


def _unplaced(host: Host, models: tuple[Model, ...], label: str | None) -> int:
    """Dynamic devices of running VMs of this host for which no address is known, and that may be such devices."""
    bound = Counter(user.moid for users in host.users.values() for user in users if user.powered_on and not user.fixed)
    waiting = 0
    for vm, wanted, wanted_label in host.unplaced:
        if bound[vm] > 0:
            bound[vm] -= 1
        elif set(wanted) & set(models) and (None in (label, wanted_label) or wanted_label == label):
            waiting += 1
    return waiting
