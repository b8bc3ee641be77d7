# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The graphics settings of a host: how its GPUs are configured to be shared, and how they are shared now. PRIVATE to the collection.

``graphicsConfig`` is what is configured, ``graphicsInfo`` what is in effect. A type or a mode that this collection does not know keeps the
word of the API, so that a write of the whole configuration changes nothing that it was not asked to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ..facts import Gap, Listing
from ..plain import Record

SHARED: Final = "shared"
SHARED_DIRECT: Final = "shared_direct"
BASIC: Final = "basic"
"""The GPU has no driver of its vendor."""
DIRECT: Final = "direct"
"""The GPU is passed through."""
NO_MODE: Final = "none"
"""A vGPU mode does not apply. A mode that is not set means the same (API reference, HostGraphicsInfo)."""
MIG: Final = "multi_instance_gpu"
TYPES: Final = (SHARED, SHARED_DIRECT)
POLICIES: Final = ("performance", "consolidation")
MODES: Final = ("same_size", "mixed_size")


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuEntry:
    """One entry of the configuration. ``device_id``: as the host wrote it. ``mode``: None when it is not set."""

    device_id: str
    address: str
    type: str
    mode: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphicsDevice:
    """One graphics device as it is now. ``vms``: names of the running VMs that use it; ids where the names were not read."""

    address: str
    name: str = ""
    type: str = BASIC
    mode: str = NO_MODE
    vms: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphicsConfig:
    """What is configured. ``default_type`` holds for each GPU without an entry."""

    default_type: str = SHARED
    assignment_policy: str = "performance"
    entries: tuple[GpuEntry, ...] = ()

    def entry(self, address: str) -> GpuEntry | None:
        return next((entry for entry in self.entries if entry.address == address), None)

    def type_of(self, address: str) -> str:
        """The type that is configured for a GPU."""
        entry = self.entry(address)
        return self.default_type if entry is None else entry.type

    def mode_of(self, address: str) -> str | None:
        """The vGPU mode that is configured for a GPU; None when none is."""
        entry = self.entry(address)
        return None if entry is None else entry.mode

    def with_entry(self, new: GpuEntry) -> GraphicsConfig:
        """The configuration with this entry in place of the one for the same GPU. The order of the others stays."""
        if self.entry(new.address) is None:
            return replace(self, entries=(*self.entries, new))
        return replace(self, entries=tuple(new if entry.address == new.address else entry for entry in self.entries))


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphicsUser:
    """A running VM that a restart of Xorg may disturb. ``why``: a clause, such as "has 3D graphics"."""

    vm: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HostGraphics:
    """The graphics of one host. ``config``: None when the host has no such configuration (before 6.5). ``profiles``: the vGPU profiles that
    it offers in its present modes. ``gaps``: what the server did not return. ``users``: None when they were not read."""

    config: GraphicsConfig | None = None
    gpus: tuple[GraphicsDevice, ...] = ()
    profiles: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    manager_moid: str = ""
    service_moid: str = ""
    users: Listing[GraphicsUser] | None = None

    def gpu(self, address: str) -> GraphicsDevice | None:
        return next((gpu for gpu in self.gpus if gpu.address == address), None)

    def named(self, names: Mapping[str, str]) -> HostGraphics:
        """With the names of VMs in place of their ids."""
        gpus = (replace(gpu, vms=tuple(sorted(names.get(vm, vm) for vm in gpu.vms))) for gpu in self.gpus)
        return replace(self, gpus=tuple(gpus))

    def taking_effect(self, addresses: Collection[str] | None = None) -> HostGraphics:
        """With what is configured for these GPUs in effect; None for all, as after a reboot. A GPU without a driver of its vendor follows
        no setting, and neither does one that is passed through."""
        config = self.config
        if config is None:
            return self
        chosen = [gpu.address for gpu in self.gpus] if addresses is None else addresses
        gpus = (_in_effect(gpu, config) if gpu.address in chosen and gpu.type in TYPES else gpu for gpu in self.gpus)
        return replace(self, gpus=tuple(gpus))

    def record(self, addresses: Iterable[str] | None = None) -> Record:
        """The values for results. ``addresses``: only these GPUs; None for all."""
        chosen = None if addresses is None else frozenset(addresses)
        config = self.config
        return {
            "default_type": None if config is None else config.default_type,
            "assignment_policy": None if config is None else config.assignment_policy,
            "profiles": list(self.profiles),
            "gpus": [_gpu_record(gpu, config) for gpu in self.gpus if chosen is None or gpu.address in chosen],
        }


def _in_effect(gpu: GraphicsDevice, config: GraphicsConfig) -> GraphicsDevice:
    kind, mode = config.type_of(gpu.address), config.mode_of(gpu.address)
    if kind != SHARED_DIRECT:
        return replace(gpu, type=kind, mode=NO_MODE)
    return replace(gpu, type=kind, mode=gpu.mode if mode is None or gpu.mode == MIG else mode)


def _gpu_record(gpu: GraphicsDevice, config: GraphicsConfig | None) -> Record:
    return {
        "address": gpu.address,
        "name": gpu.name,
        "configured_type": None if config is None else config.type_of(gpu.address),
        "type": gpu.type,
        "configured_vgpu_mode": None if config is None else config.mode_of(gpu.address),
        "vgpu_mode": gpu.mode,
        "vms": list(gpu.vms),
    }
