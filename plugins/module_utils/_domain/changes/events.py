# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which events follow from a change of a host or of its devices. PRIVATE to the collection.

An event is plain data. Its texts come from the server, and a rulebook may put them into variables of a playbook: so no text in an event
can be evaluated as a template (``inert``), and each list has a bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ..host.boot_evidence import BootEvidence
from ..plain import Plain, Record
from ..text import inert
from .observed import SeenBoot, SeenDevice, WatchedHost

MOST = 64
"""Entries of one list in an event. Further ones are counted in ``..._left_out``."""
_COMPARED = ("enabled", "active", "ids", "label", "holders")
_PUBLISHED = {"holders": "vms"}
"""Name of a compared field in an event, where it is another one."""


def host_events(before: WatchedHost | None, now: WatchedHost | None) -> tuple[Record, ...]:
    """The events of one host. ``before``: None for a new host. ``now``: None for a removed one.

    A host that cannot be read has no events: what vCenter shows of it is old.
    """
    if before is None or now is None:
        host = now or before
        if host is None:
            return ()
        return (_event("host_removed" if now is None else "host_added", host),)
    if not now.known:
        return ()
    found: list[Record] = []
    if before.devices is not None and (devices := _device_changes(before.devices, now.devices or {})):
        found.append(_event("device_changed", now, **bounded("devices", devices)))
    if set(now.pending) - set(before.pending):
        found.append(_event("reboot_pending", now, **bounded("devices", [inert(address) for address in now.pending])))
    if is_other_boot(before.boot, now.boot):
        times: Record = {"boot_time": moment(now.boot.time), "boot_time_before": moment(before.boot.time)}
        found.insert(0, _event("host_rebooted", now, **times))
    return tuple(found)


def is_other_boot(before: SeenBoot, now: SeenBoot) -> bool:
    """Whether ``now`` is a later boot: only then does ``next_boot`` set another ``since``."""
    return now.since != before.since


def next_boot(known: SeenBoot, *, boot_time: float | None, uptime: float | None, now: float) -> SeenBoot | None:
    """The boot that a connected host is in; None while its boot time changed and nothing shows whether it was rebooted.

    ``uptime``: counted by the host. ``now``: by the clock of ``known.since``. A clock that was set changes the boot time, too.
    """
    if known.time is None:
        return replace(known, time=boot_time)
    evidence = BootEvidence(
        boot_before=known.time, boot_now=boot_time, uptime=uptime, since=now - known.since, away=known.away
    )
    if not evidence.boot_differs:
        return replace(known, away=False)
    if evidence.is_rebooted is None:
        return None
    return SeenBoot(time=boot_time, since=now) if evidence.is_rebooted else replace(known, time=boot_time, away=False)


def has_other_boot_time(known: SeenBoot, boot_time: float | None) -> bool:
    """Whether the uptime of the host is needed for ``next_boot``."""
    return bool(BootEvidence(boot_before=known.time, boot_now=boot_time, uptime=None, since=0.0).boot_differs)


def unreadable(before: WatchedHost) -> WatchedHost:
    """The host while it cannot be read: all that was known of it, as of then."""
    return replace(before, known=False, boot=replace(before.boot, away=True))


def _device_changes(before: Mapping[str, SeenDevice], now: Mapping[str, SeenDevice]) -> list[Plain]:
    found: list[Plain] = []
    for address in sorted({*before, *now}):
        old, new = before.get(address), now.get(address)
        if old is None or new is None:
            changed: Record = {"present": old is not None}
        else:
            changed = {
                _PUBLISHED.get(name, name): _value(old, name)
                for name in _COMPARED
                if getattr(old, name) != getattr(new, name)
            }
        if changed:
            found.append({**_device(new or old), "present": new is not None, "before": changed})
    return found


def _value(device: SeenDevice, name: str) -> Plain:
    value: str | bool | None = getattr(device, name)
    if name == "holders":
        return [inert(vm) for vm in device.vms[:MOST]]
    return inert(value) if isinstance(value, str) else value


def _device(device: SeenDevice | None) -> Record:
    if device is None:
        return {}
    return {
        "address": inert(device.address),
        "ids": device.ids,
        "name": inert(device.name),
        "label": None if device.label is None else inert(device.label),
        "enabled": device.enabled,
        "active": device.active,
        "vms": [inert(vm) for vm in device.vms[:MOST]],
    }


# -- all events -----------------------------------------------------------------------------------------------------


def started_event(hosts: Iterable[WatchedHost]) -> Record:
    """The first event: what was watched from now on, and which hosts have a pending reboot."""
    every = sorted(hosts, key=lambda host: (host.name, host.moid))
    return {
        "type": "started",
        "hosts": len(every),
        "hosts_not_readable": sum(not host.known for host in every),
        **bounded("reboot_pending", [inert(host.name) for host in every if host.pending]),
    }


def moment(seconds: float | None) -> str | None:
    """A time as text, in UTC."""
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _event(kind: str, host: WatchedHost, **values: Plain) -> Record:
    cluster = None if host.cluster is None else inert(host.cluster)
    return {"type": kind, "host": inert(host.name), "moid": inert(host.moid), "cluster": cluster, **values}


def bounded(name: str, entries: Sequence[Plain]) -> Record:
    """A list of an event with at most ``MOST`` entries, and how many were left out."""
    return {name: list(entries[:MOST]), f"{name}_left_out": max(0, len(entries) - MOST)}
