# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Selecting physical functions for desired numbers of virtual functions (VFs), and comparing the numbers. PRIVATE to the collection.

A list of desired devices can have entries of all kinds (``host_entries.kinds``). Those with ``virtual_functions`` are for ``host_sriov``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from ..observed.hosts import Host, HostDevice
from ..planning.plan import Blocker
from .desired import function_entries
from .matching import select
from .selector import DesiredDevice

NOT_CREATED = (
    "Another reboot will not help. The driver of the NIC may create fewer virtual functions than configured: check that SR-IOV and "
    "ARI are enabled in the firmware, that the host has enough interrupt vectors, and that no driver parameter (max_vfs) has another "
    "number"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Selected:
    """A physical function, and the number of virtual functions that it is to have."""

    device: HostDevice
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SelectedFunctions:
    """The physical functions of one host that the entries select, sorted by address.

    ``missing``: blockers of entries that select nothing. ``nothing_off``: those among them that were to turn SR-IOV off, so that nothing
    is to be done. ``blockers``: entries that conflict.
    """

    functions: tuple[Selected, ...] = ()
    missing: tuple[Blocker, ...] = ()
    nothing_off: tuple[Blocker, ...] = ()
    blockers: tuple[Blocker, ...] = ()


def select_functions(host: Host, desired_devices: Sequence[DesiredDevice]) -> SelectedFunctions:
    """The physical functions of a host that the entries with virtual functions select.

    An entry selects every function that matches. They must all be of one model, because the number is for a model.
    """
    entries = function_entries(desired_devices)
    if not entries:
        return SelectedFunctions()
    numbers: dict[str, set[int]] = {}
    missing: list[Blocker] = []
    nothing_off: list[Blocker] = []
    blockers: list[Blocker] = []
    for entry in entries:
        number = entry.virtual_functions or 0
        selection = select(host, replace(entry, virtual_functions=None))
        if selection.blocker is None:
            for device in selection.devices:
                numbers.setdefault(device.address, set()).add(number)
        elif selection.blocker.code == "ambiguous":
            blockers.append(replace(selection.blocker, cure="Write one entry for each model"))
        elif selection.blocker.skippable:
            (missing if number else nothing_off).append(_missing(host, entry, selection.blocker))
        else:
            blockers.append(selection.blocker)
    functions = []
    for device in host.devices:
        found = numbers.get(device.address, set())
        if len(found) > 1:
            blockers.append(_contradicting(host, device, found))
        elif found:
            functions.append(Selected(device=device, number=min(found)))
    return SelectedFunctions(
        functions=tuple(sorted(functions, key=lambda one: one.device.address)),
        missing=tuple(missing),
        nothing_off=tuple(nothing_off),
        blockers=tuple(blockers),
    )


def _missing(host: Host, entry: DesiredDevice, blocker: Blocker) -> Blocker:
    """For a vmnic: the NICs of the host are better candidates than all its devices."""
    if entry.selector.vmnic is None:
        return blocker
    nics = sorted(f"{device.vmnic} = {device.describe()}" for device in host.candidates() if device.vmnic)
    cure = "Correct the name, or set on_missing: skip. A NIC that is passed through has no vmnic name"
    message = f"{host.name} has no physical NIC {entry.selector.vmnic}"
    return replace(blocker, message=message, cure=cure, candidates=tuple(nics))


def _contradicting(host: Host, device: HostDevice, numbers: Iterable[int]) -> Blocker:
    return Blocker(
        code="contradicting_numbers",
        message=f"{device.describe()} on {host.name} matches entries with different numbers of virtual functions: "
        f"{', '.join(map(str, sorted(numbers)))}",
        cure="Make the entries narrower, so that each function matches one entry",
        subjects=(device.address,),
    )


def pending_functions(device: HostDevice) -> str:
    """What a pending reboot does to the virtual functions of a device, as a clause."""
    sriov = device.sriov
    return f"{sriov.configured} virtual functions configured, {sriov.in_effect} in effect" if sriov is not None else ""


def describe_pending_functions(device: HostDevice) -> str:
    return f"{device.describe()} has {pending_functions(device)}"


def is_unsettled(device: HostDevice, selected: Collection[str]) -> bool:
    """Whether a reboot left something pending that is a problem.

    Fewer virtual functions than configured are a problem only of a ``selected`` function (addresses): a driver may create fewer for as
    long as the host exists, and the host works.
    """
    if device.has_pending_passthrough:
        return True
    sriov = device.sriov
    if sriov is None or not device.has_pending_functions:
        return False
    return device.address in selected or not 0 < sriov.in_effect < sriov.configured


def other_counts(
    host: Host, desired_devices: Sequence[DesiredDevice], *, skips_missing: bool, known: Collection[str] = ()
) -> tuple[str, ...]:
    """Selected functions with another number of virtual functions in effect than desired, one sentence each.

    ``known``: addresses of devices with a sentence of their own. ``skips_missing``: a missing device is no problem.
    """
    if not function_entries(desired_devices):
        return ()
    selected = select_functions(host, desired_devices)
    found = [blocker.sentence() for blocker in selected.blockers]
    found += [] if skips_missing else [blocker.sentence() for blocker in selected.missing]
    for one in selected.functions:
        has = one.device.sriov.in_effect if one.device.sriov is not None else 0
        if has != one.number and one.device.address not in known:
            found.append(
                f"{one.device.describe()} on {host.name} has {has} virtual functions, and {one.number} are desired. Set them with "
                "host_sriov."
            )
    return tuple(found)
