# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a host before its reboot, and whether the host has all of it again. PRIVATE to the collection.

The state must fit into the journal, so names and identities are stored as short digests. Messages take names from the present state.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from ...host.boot_evidence import BootEvidence
from ...host.reboot_verification import verify_after
from ...observed.hosts import HostDevice, virtual_functions
from .codec import digest, fits
from .journal import Before, Entry
from .observed import HostView
from .policy import Policy

_MOST_DEVICES, _MOST_DATASTORES, _MOST_UPLINKS = 16, 24, 12
_ENABLED = "+"

_LOST = (
    "Enable it again (host_passthrough). If the setting is lost again, check whether the host can write its configuration "
    "(its boot device), and what else configures the host (a host profile, a lifecycle manager)"
)


def before_reboot(view: HostView) -> Before:
    """The devices passed through, the accessible datastores and the uplinks with a link, as far as the journal has room for them."""
    devices = _marks(view)
    if len(devices) > _MOST_DEVICES or not fits(Before(devices=devices)):
        devices = _summary(devices)
    datastores = _limited([digest(name)[:4] for name in _good(view.datastores)], _MOST_DATASTORES)
    uplinks = _limited(_good(view.uplinks), _MOST_UPLINKS)
    before = Before(devices=devices, datastores=datastores, uplinks=uplinks, build=view.build)
    return before if fits(before) else replace(before, uplinks=_limited(_good(view.uplinks), 0))


def _marks(view: HostView) -> tuple[tuple[str, str], ...]:
    """(address, digest of its identity) of each device that is passed through; with a ``+`` if it is enabled and so must be in effect
    after the reboot. Virtual functions are left out: a reboot changes their number and their addresses."""
    virtual = virtual_functions(view.host.devices)
    chosen = (d for d in view.host.devices if (d.enabled or d.active) and d.address not in virtual)
    passed = sorted(chosen, key=lambda device: device.address)
    return tuple((device.address, identity_mark(device) + _ENABLED * device.enabled) for device in passed)


def _summary(marks: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """All devices that must be in effect after the reboot, as one item."""
    enabled = [f"{address}{mark}" for address, mark in marks if mark.endswith(_ENABLED)]
    return ((f"*{len(enabled)}", digest(*enabled)),)


def identity_mark(device: HostDevice) -> str:
    """Four hexadecimal digits that identify the hardware of a device."""
    return digest(*device.identity)[:4]


def _good(states: Mapping[str, bool]) -> list[str]:
    return sorted(name for name, good in states.items() if good)


def _limited(items: Iterable[str], most: int) -> tuple[str, ...]:
    kept = tuple(sorted(items))
    return kept if len(kept) <= most else (f"*{len(kept)}",)


def boot_evidence(
    view: HostView, entry: Entry, policy: Policy, now: float, *, begun: float, taken: float
) -> BootEvidence:
    """What shows whether the host was rebooted since ``begun``. ``taken``: when this run took the lock of its cluster. What is older
    than that was measured by another process, with a clock that may have been set since."""
    return BootEvidence(
        boot_before=entry.boot,
        boot_now=view.host.boot_time,
        uptime=view.uptime,
        since=now - begun,
        # Not at the same second: a run whose clock begins with the latest time of the journal takes the lock at that time.
        measured=begun > taken,
        up_before=None if entry.boot is None else begun - entry.boot,
        watched=now - taken,
        away=entry.away,
        margin=policy.boot_margin,
        grace=policy.deadlines.reboot_retry,
    )


def has_other_boot_time(view: HostView, entry: Entry, margin: float) -> bool:
    """Its boot time differs from the one before the reboot, or was unknown then: a reason to read its uptime and to ask its services."""
    boot = view.host.boot_time
    return entry.boot is None or (boot is not None and abs(boot - entry.boot) > margin)


def is_up_since_request(entry: Entry, uptime: float | None, now: float) -> bool:
    """Whether the uptime is shorter than the time since the request: the same."""
    return uptime is not None and entry.asked is not None and uptime < now - entry.asked


def not_back(view: HostView, evidence: BootEvidence) -> str:
    """A clause: why the host does not count as rebooted and back. Empty when it was rebooted and its services answer."""
    if not view.connected:
        return f"it is {view.host.connection_state}"
    if view.host.unreadable:
        return f"it does not return {', '.join(view.host.unreadable)} yet"
    return evidence.why_not or ("" if view.services_answer else "its services do not answer yet")


def problems(view: HostView, builds: Collection[str] = ()) -> tuple[tuple[str, str], ...]:
    """(code, sentence) for everything that must be corrected before the host may return to service. Empty = verified.

    ``builds``: builds that the host may have now although it had another one before.
    """
    if not view.host.is_reachable:
        return (("host_unreachable", f"{view.name} is not reachable."),)
    settled = tuple(
        ("not_verified", sentence)
        for sentence in verify_after(view.host, view.desired_devices, skips_missing=view.skips_missing)
    )
    settled += tuple(
        ("not_verified", f"The graphics settings of {view.name} are still not in effect after the reboot: {each}.")
        for each in view.waiting_graphics
    )
    before = view.before
    if before is None:
        return settled
    return (*_build(view, before, builds), *_devices(view, before), *settled, *_links(view, before))


def _build(view: HostView, before: Before, builds: Collection[str]) -> tuple[tuple[str, str], ...]:
    if not before.build or view.build == before.build:
        return ()
    if not view.build:
        return (("build_changed", f"{view.name} does not show its build; before the reboot it was {before.build}."),)
    if build_number(view.build) in builds:
        return ()
    return (
        (
            "build_changed",
            f"{view.name} came back with ESXi {view.build}, {_direction(before.build, view.build)} than before the reboot "
            f"({before.build}). If this is intended, add {build_number(view.build)} to allow_build_change.",
        ),
    )


def build_number(build: str) -> str:
    """``24022510`` of ``8.0.3-24022510``."""
    return build.rpartition("-")[2]


def _direction(before: str, now: str) -> str:
    """Whether a build is newer, by release and build number."""
    old, new = _parts(before), _parts(now)
    return "a newer build" if new > old else "an older build" if new < old else "another build"


def _parts(build: str) -> tuple[tuple[int, ...], int]:
    release, _unused, number = build.rpartition("-")
    return tuple(int(part) for part in release.split(".") if part.isdecimal()), int(number) if number.isdecimal() else 0


def other_build(view: HostView) -> str:
    """A clause for the text of a host that returned with another build, which was allowed; empty if the build is the same."""
    before = view.before
    if before is None or not before.build or not view.build or before.build == view.build:
        return ""
    return f"; its build changed from {before.build} to {view.build}"


def _devices(view: HostView, before: Before) -> tuple[tuple[str, str], ...]:
    if before.devices and before.devices[0][0].startswith("*"):
        same = _summary(_marks(view)) == before.devices
        what = f"the {before.devices[0][0][1:]} devices that were enabled before are not all enabled now, or the hardware differs"
        return () if same else (("identity_changed", f"On {view.name}, {what}. Check them before a VM uses them."),)
    found = []
    for address, mark in before.devices:
        device = view.host.device(address)
        if device is None:
            found.append(("device_gone", f"The device at {address} on {view.name} is missing after the reboot."))
        elif identity_mark(device) != mark.removesuffix(_ENABLED):
            sentence = (
                f"At {address} on {view.name} there is other hardware than before the reboot: {device.describe()}."
            )
            found.append(
                (
                    "identity_changed",
                    f"{sentence} The passthrough setting belongs to the address and now applies to it.",
                )
            )
        elif mark.endswith(_ENABLED) and not device.enabled:
            sentence = (
                f"{device.describe()} on {view.name} was enabled for passthrough before the reboot, and no longer is"
            )
            found.append(("passthrough_lost", f"{sentence}: the setting was lost in the reboot. {_LOST}."))
    return tuple(found)


def _links(view: HostView, before: Before) -> tuple[tuple[str, str], ...]:
    found = []
    good = {digest(name)[:4] for name in _good(view.datastores)}
    missing = _missing(before.datastores, good)
    if missing:
        dead = sorted(name for name, fine in view.datastores.items() if not fine)
        names = f" Not accessible: {', '.join(dead)}." if dead else ""
        found.append(
            ("datastores_missing", f"{view.name} has no access to {missing} datastore(s) that it had before.{names}")
        )
    gone = _missing(before.uplinks, set(_good(view.uplinks)))
    if gone:
        names = ", ".join(name for name in before.uplinks if not view.uplinks.get(name)) or str(gone)
        found.append(
            ("uplinks_down", f"Uplinks of {view.name} that had a link before the reboot have none now: {names}.")
        )
    return tuple(found)


def _missing(before: tuple[str, ...], now: set[str]) -> int:
    """How many of the items are missing; where only their number was stored, the difference of the numbers."""
    if before and before[0].startswith("*"):
        return max(0, int(before[0][1:]) - len(now))
    return len(set(before) - now)
