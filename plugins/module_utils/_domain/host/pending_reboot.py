# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host owes a reboot for, and what the reboot would take from it. PRIVATE to the collection.

What proves that it happened and worked is in ``reboot_proof``, when it is made in ``rollout``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..observed.hosts import Host, HostDevice
from ..plan import Blocker
from .overrides import Applied, apply_overrides, full_form, parse_overrides
from .protection import Protection, protections


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
    applied = apply_overrides(host, parse_overrides(allow_protected, (host,))[host.moid], reasons)
    return tuple(
        Blocker(
            code="reboot_takes_protected",
            message=f"The reboot would take {device.describe()} from {host.name}, although "
            f"{'; '.join(reason.reason for reason in reasons[device.address])}{_refused(applied, device)}",
            cure="Disable passthrough of this device first (host_passthrough with state: disabled)"
            + ("" if _is_hard(reasons[device.address]) else f". {_name_it(host, device)}"),
            subjects=() if _is_hard(reasons[device.address]) else (full_form(host, device.address),),
        )
        for device in _sorted(host.pending)
        if device.enabled and device.address in reasons and device.address not in applied.named
    )


def _refused(applied: Applied, device: HostDevice) -> str:
    why = applied.refused.get(device.address)
    return f"; {why}" if why else ""


def _is_hard(reasons: Iterable[Protection]) -> bool:
    return any(reason.hard for reason in reasons)


def _name_it(host: Host, device: HostDevice) -> str:
    form = full_form(host, device.address)
    return f'If the host can really do without it, name it: allow_protected: ["{form}"]'


def _sorted(devices: Iterable[HostDevice]) -> list[HostDevice]:
    return sorted(devices, key=lambda device: device.address)
