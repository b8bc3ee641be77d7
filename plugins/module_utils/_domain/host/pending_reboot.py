# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a host requires a reboot, and which devices the host would lose by it. PRIVATE to the collection.

``reboot_verification`` checks that the reboot was done; ``rolling`` decides when it is done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ..observed.hosts import Host, HostDevice
from ..planning.plan import Blocker
from .overrides import Applied, apply_overrides, full_form, parse_overrides
from .protection import Protection, protections
from .selector import DesiredDevice
from .virtual_functions import is_unsettled, pending_functions, select_functions


def pending_reason(host: Host, desired_devices: Sequence[DesiredDevice] = ()) -> str | None:
    """What a reboot puts in effect, as a clause; None when no device requires a reboot.

    Only devices count. ``summary.rebootRequired`` can have any cause, and a reboot does not clear a stale setting.
    """
    waiting = pending_devices(host, desired_devices)
    if not waiting:
        return None
    return "it puts in effect " + ", ".join(f"{device.address} ({_wait(device)})" for device in waiting)


def pending_devices(host: Host, desired_devices: Sequence[DesiredDevice] = ()) -> tuple[HostDevice, ...]:
    """The devices for which a host is rebooted, sorted by address: those with a pending reboot.

    A function that has some of its virtual functions, but fewer than configured, counts only when an entry of ``desired_devices`` selects
    it: see ``is_unsettled``. Otherwise a host that never creates all of them would be rebooted by each run.
    """
    selected = {one.device.address for one in select_functions(host, desired_devices).functions}
    return waiting_devices(host.devices, selected)


def waiting_devices(devices: Iterable[HostDevice], selected: Collection[str]) -> tuple[HostDevice, ...]:
    """``pending_devices`` of a host with these devices. ``selected``: addresses of functions for which a number is desired."""
    return tuple(device for device in _sorted(devices) if device.requires_reboot and is_unsettled(device, selected))


def _wait(device: HostDevice) -> str:
    if not device.has_pending_passthrough:
        return pending_functions(device)
    return "enabled, not yet active" if device.enabled else "disabled, still active"


def taken_devices(host: Host, allow_protected: Sequence[str]) -> tuple[Blocker, ...]:
    """Blockers for protected devices that the host would lose at the reboot, for example a boot disk after cards were moved.

    ``allow_protected``: overrides. Empty when the host was read without its fabric.
    """
    if host.fabric is None:
        return ()
    reasons = protections(host)
    applied = apply_overrides(host, parse_overrides(allow_protected, (host,))[host.moid], reasons)
    return tuple(
        Blocker(
            code="reboot_takes_protected",
            message=f"{host.name} would lose {device.describe()} to passthrough at the reboot, although "
            f"{'; '.join(reason.reason for reason in reasons[device.address])}{_refused(applied, device)}",
            cure="Disable passthrough of this device first (host_passthrough with state: disabled)"
            + ("" if _is_hard(reasons[device.address]) else f". {_name_it(host, device)}"),
            subjects=() if _is_hard(reasons[device.address]) else (full_form(host, device.address),),
        )
        for device in _sorted(host.pending)
        if device.has_pending_passthrough
        and device.enabled
        and device.address in reasons
        and device.address not in applied.named
    )


def _refused(applied: Applied, device: HostDevice) -> str:
    why = applied.refused.get(device.address)
    return f"; {why}" if why else ""


def _is_hard(reasons: Iterable[Protection]) -> bool:
    return any(reason.hard for reason in reasons)


def _name_it(host: Host, device: HostDevice) -> str:
    form = full_form(host, device.address)
    return f'If you are sure that the host does not need it, set allow_protected: ["{form}"]'


def _sorted(devices: Iterable[HostDevice]) -> list[HostDevice]:
    return sorted(devices, key=lambda device: device.address)
