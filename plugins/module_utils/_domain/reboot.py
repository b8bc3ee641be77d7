# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host owes a reboot for, and what the reboot would take from it. PRIVATE to the collection.

What proves that it happened and worked is in ``reboot_proof``, when it is made in ``rollout``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .hosts import Host, HostDevice
from .overrides import parse_overrides
from .plan import Blocker
from .protection import protections


def pending_reason(host: Host) -> str | None:
    """What a reboot settles, as a clause; None when it settles nothing.

    Only devices decide: the host's own "reboot required" mark may stand for anything, and a stale setting is not settled by
    a reboot.
    """
    if not host.pending:
        return None
    return "it settles " + ", ".join(f"{device.address} ({_wait(device)})" for device in _sorted(host.pending))


def _wait(device: HostDevice) -> str:
    return "enabled, not yet in force" if device.enabled else "disabled, still in force"


def taken_devices(host: Host, allow_protected: Sequence[str]) -> tuple[Blocker, ...]:
    """Protected devices that the reboot would take from the host: what a moved card does to a boot disk. None without its fabric.

    ``allow_protected`` names those that may be taken.
    """
    if host.fabric is None:
        return ()
    reasons = protections(host)
    allowed = parse_overrides(allow_protected, (host,))[host.moid]
    return tuple(
        Blocker(
            code="reboot_takes_protected",
            message=f"The reboot would take {device.describe()} from {host.name}, although "
            f"{'; '.join(reason.reason for reason in reasons[device.address])}",
            cure="Disable passthrough of this device first (host_passthrough with state: disabled). If the host can really "
            f'do without it, name it: allow_protected: ["{host.name}/{device.address}"]',
        )
        for device in _sorted(host.pending)
        if device.enabled and device.address in reasons and device.address not in allowed
    )


def _sorted(devices: Iterable[HostDevice]) -> list[HostDevice]:
    return sorted(devices, key=lambda device: device.address)
