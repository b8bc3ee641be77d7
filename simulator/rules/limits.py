# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hardware versions and what they allow.

A capture of QueryConfigOptionEx on a 9.x host shows 16 passthrough devices for vmx-10 to vmx-19 and 128 from vmx-20
on; KB 309986 lists 16 for 7.x, 32 for 8.0, 64 for 8.0 U1, 128 for 8.0 U2. The configuration tables of 6.5 give 6 for
vmx-7 to vmx-10 on older hosts. `Knobs.limit_table` chooses.
"""

from __future__ import annotations

from .knobs import Knobs

DYNAMIC_FROM = 17
"""First hardware version with Dynamic DirectPath backings (vSphere 7.0 release documentation)."""

DEVICE_GROUPS_FROM = 20
"""First hardware version with vendor device groups and DVX (vSphere 8.0 API)."""

LOCK_FROM = 8
"""First hardware version whose memory reservation can be locked to its size (vSphere 5.0 API)."""

FIRST_KEY, KEY_COUNT = 13000, 128
"""Device keys of passthrough devices: 13000 to 13127 (seen on 8.0.3)."""

OLD_HOST_MAX = 8
"""Passthrough devices that run at the same time on one host of ESX(i) 4.x or 5.x."""

NEWEST = (
    ((5, 0), 8),
    ((5, 1), 9),
    ((5, 5), 10),
    ((6, 0), 11),
    ((6, 5), 13),
    ((6, 7), 14),
    ((7, 0), 17),
    ((7, 0, 1), 18),
    ((7, 0, 2), 19),
    ((8, 0), 20),
    ((8, 0, 2), 21),
    ((9, 0), 22),
)
"""ESXi release and the newest hardware version it runs (KB 315655, formerly 2007240)."""


def release(text: str) -> tuple[int, ...]:
    """`8.0.3` as numbers."""
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def hardware_version(name: str) -> int:
    """`vmx-20` as a number; ValueError when it is none."""
    prefix, _dash, number = name.partition("-")
    if prefix != "vmx" or not number.isdigit():
        raise ValueError(f"{name!r} is not a hardware version like vmx-20")
    return int(number)


def vmx(number: int) -> str:
    """A hardware version as the API writes it."""
    return f"vmx-{number:02d}"


def newest_version(host_release: str) -> int:
    """The newest hardware version a host of this release runs."""
    mine = release(host_release)
    return max((version for since, version in NEWEST if since <= mine), default=7)


def known_versions(host_release: str) -> list[int]:
    """Every hardware version a host of this release runs, ascending."""
    newest = newest_version(host_release)
    return [number for number in (4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22) if number <= newest]


def passthrough_max(version: int, host_release: str, knobs: Knobs) -> int:
    """`numPCIPassthroughDevices.max` for a hardware version on a host."""
    if version < 7:
        return 0
    mine = release(host_release)
    if version < 10 or (version == 10 and mine < (6, 0)):
        return 16 if mine >= (5, 5) and version == 10 else 6
    if version < 20:
        return 16
    if knobs.limit_table == "kb309986" and mine < (8, 0, 2):
        return 64 if mine >= (8, 0, 1) else 32
    return 128


def host_device_max(host_release: str, knobs: Knobs) -> int:
    """The most passthrough devices that running VMs have on one host; 0 where nothing limits them.

    Eight on ESX(i) 4.x and 5.x by the how-to of these releases (KB 1010789, now KB 309986). Nothing confirms it for any
    release, no later document has such a number, and the API says nothing of it: only the power-on fails.
    """
    if knobs.host_device_max >= 0:
        return knobs.host_device_max
    return OLD_HOST_MAX if (4,) <= release(host_release) < (6,) else 0


def vgpu_max(version: int) -> int:
    """`maxInstances` of the vGPU backing: the most vGPUs of one VM (recorded from 9.x)."""
    return next(most for since, most in ((21, 16), (20, 8), (15, 4), (0, 1)) if version >= since)


def allows_dynamic(version: int) -> bool:
    """Whether a VM of this hardware version may hold a Dynamic DirectPath device."""
    return version >= DYNAMIC_FROM
