# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes and the facts for a draft of a VM's devices. PRIVATE to the collection."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from ...host.selector import DesiredDevice
from ...observed.vms import DynamicBacking, FixedBacking
from ...planning.details import Detach, DynamicSpec, FixedSpec
from ...planning.plan import Change, Leaving
from ..numa import moving_change, new_node_words
from .draft import NOT_WANTED, RESET_GROUP, Draft, PlannedDynamicDevice
from .matching import Held


def detach_changes(draft: Draft) -> tuple[Change, ...]:
    """The detach changes, sorted by device key."""
    names = _names(draft)
    return tuple(
        Change(subject=names[held.key], before=_held_words(held), after=None, detail=Detach(key=held.key))
        for held in sorted(draft.held, key=lambda held: held.key)
        if held.key in draft.detached
    )


def attach_changes(draft: Draft, system_id: str | None) -> tuple[Change, ...]:
    """The attach changes: fixed devices by address, then dynamic devices in the order of the entries."""
    changes = []
    nodes = _nodes(draft, "fixed")
    for allocated in draft.fixed:
        device = allocated.device
        node = next(nodes[allocated.entry], None)
        spec = FixedSpec(
            address=device.address,
            vendor_id=device.vendor_id,
            device_id=device.device_id,
            system_id=system_id,
            name=device.name,
            numa_node=node,
        )
        words = {"backing": "fixed", "device": f"{device.ids} {device.name}".rstrip()}
        if allocated.along_with:
            words["along_with"] = allocated.along_with
        words |= new_node_words(node)
        changes.append(Change(subject=device.address, before=None, after=words, detail=spec))
    numbers = Counter(_models(held) for held in draft.staying if held.kind == "dynamic")
    nodes = _nodes(draft, "dynamic")
    for dynamic in draft.dynamic:
        ids = _ids(dynamic)
        numbers[ids] += 1
        item = dynamic.item
        node = next(nodes[dynamic.entry], None)
        dynamic_spec = DynamicSpec(allowed=item.allowed, custom_label=item.label, name=dynamic.name, numa_node=node)
        after = {**_dynamic_words(ids, dynamic.name, item.label), **new_node_words(node)}
        changes.append(Change(subject=f"{ids} #{numbers[ids]}", before=None, after=after, detail=dynamic_spec))
    return tuple(changes)


def _nodes(draft: Draft, kind: str) -> defaultdict[DesiredDevice | None, Iterator[int | None]]:
    """Entry → the NUMA nodes of its new devices. A function that only shares a reset with another device has none."""
    found: dict[DesiredDevice, list[int | None]] = {}
    for need in draft.needs:
        if need.kind == kind:
            found.setdefault(need.entry, []).append(need.numa_node)
    return defaultdict(lambda: iter(()), {entry: iter(nodes) for entry, nodes in found.items()})


def moving_changes(draft: Draft) -> tuple[Change, ...]:
    """The changes of the NUMA node of devices that stay, sorted by device key."""
    names = _names(draft)
    return tuple(
        moving_change(names[held.key], held.device, draft.moved[held.key], _held_words(held), held.name)
        for held in sorted(draft.held, key=lambda held: held.key)
        if held.key in draft.moved
    )


def leaving(draft: Draft) -> dict[str, Leaving]:
    """Subject of each device that is detached → why."""
    names = _names(draft)
    return {names[held.key]: _why_it_leaves(draft, held) for held in draft.held if held.key in draft.detached}


def _why_it_leaves(draft: Draft, held: Held) -> Leaving:
    reason = draft.detached[held.key]
    if reason.startswith(RESET_GROUP):
        return Leaving(why="companion", reason=reason)
    if reason == NOT_WANTED:
        return Leaving(why="unwanted", reason=reason)
    return Leaving(why="stale" if held.problem else "replaced", reason=reason)


def _names(draft: Draft) -> dict[int, str]:
    """Device key → subject: the address of a fixed device, ``10de:20f1 #1`` for the first dynamic device of a model."""
    names, numbers = {}, Counter[str]()
    for held in sorted(draft.held, key=lambda held: (held.key in draft.detached, held.key)):
        backing = held.device.backing
        if isinstance(backing, FixedBacking):
            names[held.key] = backing.address or f"device {held.key}"
        else:
            models = _models(held)
            numbers[models] += 1
            names[held.key] = f"{models} #{numbers[models]}"
    return names


def _models(held: Held) -> str:
    """The models of a device, such as ``10de:20f1``; several are joined by a slash."""
    return "/".join(device.ids for device in held.stands_for) or "any model"


def _held_words(held: Held) -> dict[str, str]:
    backing = held.device.backing
    if isinstance(backing, DynamicBacking):
        return _dynamic_words(_models(held), held.name, backing.custom_label or None)
    return {"backing": held.kind, "device": f"{held.ids} {held.name}".rstrip()}


def _dynamic_words(ids: str, name: str, label: str | None) -> dict[str, str]:
    words = {"backing": "dynamic", "device": f"{ids} {name}".rstrip()}
    if label:
        words["label"] = label
    return words


def _ids(planned: PlannedDynamicDevice) -> str:
    model = planned.item.allowed[0]
    return f"{model.vendor_id}:{model.device_id}"
