# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an event source remembers of hosts, to notice the next change. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..host.pending_reboot import pending_devices
from ..observed.hosts import DeviceUser, Host, HostDevice


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenDevice:
    """One PCI function. ``vms``: names of the VMs that have it. ``holders``: their ids, which decide whether the VMs changed."""

    address: str
    ids: str
    name: str
    label: str | None
    enabled: bool
    active: bool
    holders: tuple[str, ...] = ()
    vms: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenBoot:
    """``time``: the boot time by the clock of the host. ``since``: when this boot was first seen, by a clock that does not step. ``away``:
    the host was seen not connected since then."""

    time: float | None
    since: float
    away: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchedHost:
    """One host. ``known``: whether devices and boot are current; else they are those of the last time when the host could be read.
    ``devices``: by address; None when it was never read."""

    moid: str
    name: str
    cluster: str | None
    known: bool
    boot: SeenBoot
    devices: Mapping[str, SeenDevice] | None
    pending: tuple[str, ...] = ()
    """Addresses of devices with a pending reboot."""


def watched_host(host: Host, users: Mapping[str, tuple[DeviceUser, ...]], boot: SeenBoot) -> WatchedHost:
    """The host as it was read. ``users``: address → VMs that have the device. Only devices that passthrough is about are kept."""
    kept = [device for device in host.devices if device.capable or device.enabled or device.active]
    return WatchedHost(
        moid=host.moid,
        name=host.name,
        cluster=host.cluster,
        known=True,
        boot=boot,
        devices={device.address: _seen(device, users.get(device.address, ())) for device in kept},
        pending=tuple(device.address for device in pending_devices(host)),
    )


def _seen(device: HostDevice, users: tuple[DeviceUser, ...]) -> SeenDevice:
    named = sorted({user.moid: user.vm for user in users}.items())
    return SeenDevice(
        address=device.address,
        ids=device.ids,
        name=device.name,
        label=device.label,
        enabled=device.enabled,
        active=device.active,
        holders=tuple(moid for moid, _name in named),
        vms=tuple(name for _moid, name in named),
    )
