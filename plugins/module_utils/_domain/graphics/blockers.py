# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the graphics settings of a host are not changed. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..facts import Gap
from ..observed.graphics import BASIC, DIRECT, TYPES, GraphicsDevice
from ..observed.hosts import Host, HostDevice
from ..planning.plan import Blocker

MODES_SINCE = (8, 0, 3)
"""Release of ESXi (API reference, HostGraphicsConfigDeviceType.vgpuMode)."""


def release(host: Host) -> tuple[int, ...]:
    """The release of ESXi as numbers; (0, 0, 0) when it is unknown."""
    numbers = [int(part) for part in re.findall(r"\d+", host.version)]
    return tuple([*numbers, 0, 0, 0][:3])


def unreadable(host: Host, gaps: Sequence[Gap]) -> Blocker:
    return Blocker(
        code="graphics_unreadable",
        message=f"The graphics settings of {host.name} are unknown: {'; '.join(map(str, gaps))}",
        cure="Check that the account can read this host (System.Read), and that its management agents respond",
    )


def unsupported(host: Host) -> Blocker:
    return Blocker(
        code="graphics_unsupported",
        message=f"{host.name} ({host.version or 'unknown release'}) has no graphics configuration",
        cure="Upgrade the host to ESXi 6.5 or later, or leave it out of this task",
    )


def no_gpu(host: Host, devices: Sequence[HostDevice]) -> Blocker:
    listed = host.graphics.gpus if host.graphics is not None else ()
    return Blocker(
        code="not_a_gpu",
        message=f"{'; '.join(device.describe() for device in devices)} on {host.name} is no graphics device",
        cure="Correct the match",
        candidates=tuple(f"{gpu.address} {gpu.name}".rstrip() for gpu in listed),
        subjects=tuple(device.address for device in devices),
    )


def cannot_be_set(host: Host, device: HostDevice, gpu: GraphicsDevice | None) -> Blocker | None:
    """A blocker for a GPU that follows no graphics setting; None for one that does."""
    what = f"{device.describe()} on {host.name}"
    if device.enabled or device.active or (gpu is not None and gpu.type == DIRECT):
        return Blocker(
            code="graphics_direct",
            message=f"{what} {'is' if device.active else 'is configured to be'} passed through, so it cannot be shared",
            cure="Disable passthrough of the device first (host_passthrough with state: disabled), or take it out of the graphics "
            "settings",
            subjects=(device.address,),
        )
    if gpu is None or gpu.type == BASIC:
        return Blocker(
            code="no_graphics_driver",
            message=f"{what} has no graphics driver, so no graphics type can take effect"
            if gpu is not None
            else f"{host.name} does not list {device.describe()} among its graphics devices",
            cure="Install the host driver of the GPU's vendor on the host, and reboot it",
            subjects=(device.address,),
        )
    if gpu.type not in TYPES:
        return Blocker(
            code="unknown_graphics_type",
            message=f"{what} has the graphics type {gpu.type}, which this collection does not know",
            cure="Take the device out of the graphics settings",
            subjects=(device.address,),
        )
    return None


def contradicting(host: Host, device: HostDevice) -> Blocker:
    return Blocker(
        code="contradicting_graphics",
        message=f"{device.describe()} on {host.name} matches entries with different types or vGPU modes",
        cure="Make the entries narrower, so that each GPU has one type and one vGPU mode",
        subjects=(device.address,),
    )


def modes_unsupported(host: Host, device: HostDevice) -> Blocker:
    return Blocker(
        code="vgpu_mode_unsupported",
        message=f"{host.name} runs ESXi {host.version or 'of an unknown release'}, which has no vGPU modes, so the mode of "
        f"{device.describe()} cannot be set",
        cure="Upgrade the host to 8.0.3 or later, or take vgpu_mode out",
        subjects=(device.address,),
    )


def in_mig_mode(host: Host, device: HostDevice) -> Blocker:
    return Blocker(
        code="gpu_in_mig_mode",
        message=f"{device.describe()} on {host.name} is in MIG mode, in which it has no vGPU mode",
        cure="Take vgpu_mode out, or switch MIG mode off on the host with nvidia-smi: vSphere cannot",
        subjects=(device.address,),
    )


def mode_without_vgpu(host: Host, device: HostDevice, kind: str) -> Blocker:
    return Blocker(
        code="vgpu_mode_needs_shared_direct",
        message=f"{device.describe()} on {host.name} has the graphics type {kind}, in which it has no vGPU mode",
        cure="Add type: shared_direct to the entry, or take vgpu_mode out",
        subjects=(device.address,),
    )


def in_use(host: Host, gpus: Sequence[GraphicsDevice]) -> Iterator[Blocker]:
    """GPUs whose type or mode would change while VMs use them. The documentation requires that these are powered off."""
    for gpu in gpus:
        yield Blocker(
            code="graphics_in_use",
            message=f"The graphics settings of {gpu.address} {gpu.name} on {host.name} cannot be changed: it is used by "
            f"{', '.join(gpu.vms)}",
            cure="Power off these VMs, or migrate them to other hosts, first",
            subjects=(gpu.address,),
        )


def xorg_in_use(host: Host) -> Iterator[Blocker]:
    """Reasons not to restart Xorg. None before the users were read: the plan is provisional then."""
    graphics = host.graphics
    if graphics is None or graphics.users is None:
        return
    instead = "Or set restart_xorg: false: the settings then take effect at the next reboot of the host"
    if graphics.users.read:
        listed = ", ".join(f"{user.vm} ({user.why})" for user in graphics.users.read)
        yield Blocker(
            code="xorg_in_use",
            message=f"Xorg of {host.name} cannot be restarted: running VMs use graphics of the host: {listed}",
            cure=f"Power off these VMs, or migrate them to other hosts, first. {instead}",
        )
    if graphics.users.gaps:
        yield Blocker(
            code="xorg_users_unknown",
            message=f"Xorg of {host.name} cannot be restarted: it is unknown which VMs use graphics of the host: "
            f"{'; '.join(map(str, graphics.users.gaps))}",
            cure=f"Repair or unregister these VMs, or give the account System.Read on them. {instead}",
        )
