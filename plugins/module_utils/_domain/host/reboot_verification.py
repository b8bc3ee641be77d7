# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifying after a reboot that the devices of a host are as desired. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..observed.hosts import Host, HostDevice
from .blockers import unreachable
from .desired import passthrough_entries
from .matching import select_all
from .selector import DesiredDevice
from .virtual_functions import (
    NOT_CREATED,
    describe_pending_functions,
    is_unsettled,
    other_counts,
    select_functions,
)

ENABLE = "Enable it with host_passthrough"

_NOT_SETTLED = (
    "Another reboot will not help. Check for a failed ACS check (KB 391460, KB 1036811), for the known problem that GPUs are "
    "pending again after each boot (disable and enable them; this helps until the next boot), and for a stale pci_devices "
    "record in the host's configuration store, left by a card that moved"
)


def verify_after(
    now: Host, desired_devices: Sequence[DesiredDevice] = (), *, skips_missing: bool = False
) -> tuple[str, ...]:
    """The problems of a host after a reboot, one sentence each; empty when the host can return to service.

    No device may still be pending, the desired devices must be active, and the desired virtual functions must exist. The caller checks
    that the hardware is the same as before the reboot. ``skips_missing``: a missing device is no problem.
    """
    if not now.is_reachable:
        return (unreachable(now).sentence(),)
    selected = {one.device.address for one in select_functions(now, desired_devices).functions}
    unsettled = sorted((d for d in now.devices if is_unsettled(d, selected)), key=lambda device: device.address)
    problems = [_unsettled(now, device) for device in unsettled]
    known = {device.address for device in unsettled}
    problems += other_counts(now, desired_devices, skips_missing=skips_missing, known=known)
    for selection in select_all(now, passthrough_entries(desired_devices)):
        if selection.blocker is not None and not (skips_missing and selection.blocker.skippable):
            problems.append(selection.blocker.sentence())
        problems += [
            f"{_not_enabled(now, device)}. {ENABLE}."
            for device in selection.devices
            if not device.active and device.address not in known
        ]
    return tuple(problems)


@dataclass(frozen=True, kw_only=True, slots=True)
class Foreseen:
    """What the verification after a reboot would find, known before it. Sentences.

    ``certain``: no reboot changes it. ``missing``: devices that the host does not show. A reboot may bring them back.
    """

    certain: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def foresee(before: Host, desired_devices: Sequence[DesiredDevice], *, skips_missing: bool = False) -> Foreseen:
    """What ``verify_after`` would find if the reboot put all pending settings in effect. Without the devices that the host does not offer,
    although passthrough is configured: the rule ``stale_setting`` reports these, desired or not."""
    if not desired_devices:
        return Foreseen()
    after = replace(before, devices=tuple(device.rebooted() for device in before.devices))
    functions = select_functions(after, desired_devices)
    selected = {one.device.address for one in functions.functions}
    stuck = [d for d in after.devices if not d.has_pending_passthrough and is_unsettled(d, selected)]
    certain = [_unsettled(before, device) for device in stuck]
    known = {device.address for device in stuck}
    certain += other_counts(after, desired_devices, skips_missing=True, known=known)
    missing = [] if skips_missing else [blocker.sentence() for blocker in functions.missing]
    for selection in select_all(after, passthrough_entries(desired_devices)):
        if selection.blocker is not None and not selection.blocker.skippable:
            certain.append(selection.blocker.sentence())
        elif selection.blocker is not None and not skips_missing:
            missing.append(selection.blocker.sentence())
        certain += [
            f"{_not_enabled(before, device)}."
            for device in selection.devices
            if not device.enabled and device.address not in known
        ]
    return Foreseen(certain=tuple(dict.fromkeys(certain)), missing=tuple(missing))


def _not_enabled(host: Host, device: HostDevice) -> str:
    return f"{device.describe()} on {host.name} is desired but not enabled"


def _unsettled(host: Host, device: HostDevice) -> str:
    if not device.has_pending_passthrough:
        return f"{describe_pending_functions(device)} on {host.name} after the reboot. {NOT_CREATED}."
    states = {
        "pending_enable": "is enabled, but still not active after the reboot",
        "pending_disable": "is disabled, but still active after the reboot",
        "stale": "is configured for passthrough, but the host no longer offers it",
    }
    return f"{device.describe()} on {host.name} {states[device.state]}. {_NOT_SETTLED}."
