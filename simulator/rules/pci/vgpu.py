# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which physical GPUs of a host can take the vGPU profiles of a VM.

Sources: vSphere resource management guide (initial placement and vMotion of a VM with vGPUs only to a host with the profile to spare),
API reference (InsufficientGraphicsResourcesFault), vendor's vGPU user guide (a GPU in time-sliced equal-size mode serves one profile at a
time). The device belongs to the host on which the VM runs, so a move books it there and frees it on the source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyVmomi import vim

Gpus = Mapping[str, Mapping[str, int]]
"""Address of a GPU -> profile -> how many more VM devices it can serve now."""


def fit(profiles: Sequence[str], gpus: Gpus) -> tuple[str, ...] | None:
    """The GPU of each profile, by address the first that has it to spare; None when one finds none."""
    chosen: list[str] = []
    for profile in profiles:
        address = next((item for item in sorted(gpus) if gpus[item].get(profile, 0) > 0), None)
        if address is None:
            return None
        gpus = left(gpus, address, profile)
        chosen.append(address)
    return tuple(chosen)


def left(gpus: Gpus, address: str, profile: str) -> Gpus:
    """What is left when a GPU serves one more of a profile: no other profile, until it is free again."""
    return {**gpus, address: {profile: gpus[address][profile] - 1}}


def after(profiles: Sequence[str], gpus: Gpus) -> Gpus:
    """What is left once these profiles are served. They must fit."""
    for profile, address in zip(profiles, fit(profiles, gpus) or (), strict=True):
        gpus = left(gpus, address, profile)
    return gpus


def insufficient() -> vim.fault.InsufficientGraphicsResourcesFault:
    """No GPU has the profile to spare."""
    return vim.fault.InsufficientGraphicsResourcesFault(
        msg="The amount of graphics resource available in the parent resource pool is insufficient for the operation."
    )
