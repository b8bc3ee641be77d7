# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host had before its reboot, and whether it has all of that again. PRIVATE to the collection.

What is kept between the two must fit into the journal, so names and identities are kept as short digests; what is missing is
named from what the host shows now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...host.reboot_verification import is_back, is_up_since, verify_after
from ...observed.hosts import Host, HostDevice
from .codec import digest, encode
from .journal import LONGEST, Before, Entry
from .observed import HostView
from .policy import Policy

_MOST_DEVICES, _MOST_DATASTORES, _MOST_UPLINKS = 16, 24, 12
_ENABLED = "+"

_LOST = (
    "Enable it again (host_passthrough). When that is lost again, too, see whether the host can write its configuration "
    "(its boot device), and what else configures it (a host profile, a lifecycle manager)"
)


def before_reboot(view: HostView) -> Before:
    """The devices passed through, the datastores and the uplinks in service now, each as far as the journal has room for it."""
    devices = _marks(view)
    if len(devices) > _MOST_DEVICES or not _fits(Before(devices=devices)):
        devices = _summary(devices)
    datastores = _limited([digest(name)[:4] for name in _good(view.datastores)], _MOST_DATASTORES)
    uplinks = _limited(_good(view.uplinks), _MOST_UPLINKS)
    before = Before(devices=devices, datastores=datastores, uplinks=uplinks)
    return before if _fits(before) else replace(before, uplinks=_limited(_good(view.uplinks), 0))


def _marks(view: HostView) -> tuple[tuple[str, str], ...]:
    """(address, digest of its identity) of each device passed through; with a ``+`` where it is enabled, and so has to be in force after
    the reboot."""
    passed = sorted((d for d in view.host.devices if d.enabled or d.active), key=lambda device: device.address)
    return tuple((device.address, identity_mark(device) + _ENABLED * device.enabled) for device in passed)


def _summary(marks: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Those that have to be in force after the reboot, as one."""
    enabled = [f"{address}{mark}" for address, mark in marks if mark.endswith(_ENABLED)]
    return ((f"*{len(enabled)}", digest(*enabled)),)


def _fits(before: Before) -> bool:
    return all(len(text) <= LONGEST for text in encode(before).values())


def identity_mark(device: HostDevice) -> str:
    return digest(*device.identity)[:4]


def _good(states: Mapping[str, bool]) -> list[str]:
    return sorted(name for name, good in states.items() if good)


def _limited(items: Iterable[str], most: int) -> tuple[str, ...]:
    kept = tuple(sorted(items))
    return kept if len(kept) <= most else (f"*{len(kept)}",)


def not_back(view: HostView, entry: Entry, policy: Policy, now: float) -> str:
    """Why the host does not count as rebooted yet, as a clause; empty when boot time, uptime and services prove it."""
    before = Host(moid=view.moid, name=view.name, boot_time=entry.boot)
    ago = None if entry.asked is None else now - entry.asked
    back, reason = is_back(before, view.host, view.uptime, policy.boot_margin, asked_seconds_ago=ago)
    if not back:
        return reason
    return "" if view.services_answer else "its services do not answer yet"


def has_moved(view: HostView, entry: Entry, margin: float) -> bool:
    """Its boot time is another one than before the reboot, or was never known then. Otherwise only its uptime tells of a reboot."""
    boot = view.host.boot_time
    return entry.boot is None or (boot is not None and boot > entry.boot + margin)


def started_anew(entry: Entry, uptime: float | None, now: float) -> bool:
    """By its uptime at this moment alone: it was told to reboot, and has done so since, whatever boot time it shows."""
    return is_up_since(uptime, None if entry.asked is None else now - entry.asked) is True


def problems(view: HostView) -> tuple[tuple[str, str], ...]:
    """(code, sentence) for everything that is not as it must be before the host may be released; empty = proven."""
    if not view.host.is_reachable:
        return (("host_unreachable", f"{view.name} is not reachable."),)
    settled = tuple(
        ("not_verified", sentence)
        for sentence in verify_after(view.host, view.desired_devices, skips_missing=view.skips_missing)
    )
    before = view.before
    if before is None:
        return settled
    return (*_devices(view, before), *settled, *_links(view, before))


def _devices(view: HostView, before: Before) -> tuple[tuple[str, str], ...]:
    if before.devices and before.devices[0][0].startswith("*"):
        same = _summary(_marks(view)) == before.devices
        what = f"the {before.devices[0][0][1:]} devices enabled before are not all enabled now, or not all the same hardware"
        return (
            () if same else (("identity_changed", f"On {view.name}, {what}. Look at them before anything uses them."),)
        )
    found = []
    for address, mark in before.devices:
        device = view.host.device(address)
        if device is None:
            found.append(("device_gone", f"The device at {address} on {view.name} is gone after the reboot."))
        elif identity_mark(device) != mark.removesuffix(_ENABLED):
            sentence = f"At {address} on {view.name} sits other hardware than before the reboot: {device.describe()}."
            found.append(("identity_changed", f"{sentence} Passthrough is kept by address and now concerns it."))
        elif mark.endswith(_ENABLED) and not device.enabled:
            sentence = (
                f"{device.describe()} on {view.name} was enabled for passthrough before the reboot, and is not any more"
            )
            found.append(("passthrough_lost", f"{sentence}: the setting did not outlive it. {_LOST}."))
    return tuple(found)


def _links(view: HostView, before: Before) -> tuple[tuple[str, str], ...]:
    found = []
    good = {digest(name)[:4] for name in _good(view.datastores)}
    missing = _missing(before.datastores, good)
    if missing:
        dead = sorted(name for name, fine in view.datastores.items() if not fine)
        names = f" Not accessible: {', '.join(dead)}." if dead else ""
        found.append(("datastores_missing", f"{view.name} does not see {missing} datastore(s) it had before.{names}"))
    gone = _missing(before.uplinks, set(_good(view.uplinks)))
    if gone:
        names = ", ".join(name for name in before.uplinks if not view.uplinks.get(name)) or str(gone)
        found.append(("uplinks_down", f"{view.name} has uplinks without a link that had one before: {names}."))
    return tuple(found)


def _missing(before: tuple[str, ...], now: set[str]) -> int:
    """How many of the items are not there any more; where only their number was kept, by how many there are fewer."""
    if before and before[0].startswith("*"):
        return max(0, int(before[0][1:]) - len(now))
    return len(set(before) - now)
