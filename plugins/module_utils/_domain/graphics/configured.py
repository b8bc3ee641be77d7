# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The graphics settings of a host that a new host does not have. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..observed.graphics import MODES, POLICIES, SHARED, TYPES, GraphicsConfig
from ..observed.hosts import Host
from .blockers import cannot_be_set
from .desired import DesiredGraphics
from .plan import DEFAULT, POLICY


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfiguredSetting:
    """One setting. ``subject``: as in a plan; the address for a GPU. ``type`` and ``mode``: of a GPU, or the value of the other settings
    in ``type``."""

    subject: str
    type: str
    mode: str | None = None

    @property
    def text(self) -> str:
        return f"{self.type}, vGPU mode {self.mode}" if self.mode else self.type

    def is_covered(self, host: Host, desired: DesiredGraphics | None) -> bool:
        """Whether the desired settings are about this one, whatever value they give it."""
        if desired is None:
            return False
        if self.subject == DEFAULT:
            return desired.default_type is not None
        if self.subject == POLICY:
            return desired.assignment_policy is not None
        device = host.device(self.subject)
        return device is not None and any(gpu.selector.matches(device) for gpu in desired.gpus)


def configured_graphics(host: Host) -> Iterator[ConfiguredSetting]:
    """The settings of a host that an intent can name; none when they could not be read. GPUs that follow no setting are left out."""
    graphics = host.graphics
    if graphics is None or graphics.config is None or graphics.gaps:
        return
    config = graphics.config
    if config.default_type in TYPES and config.default_type != SHARED:
        yield ConfiguredSetting(subject=DEFAULT, type=config.default_type)
    if config.assignment_policy in POLICIES and config.assignment_policy != GraphicsConfig().assignment_policy:
        yield ConfiguredSetting(subject=POLICY, type=config.assignment_policy)
    for entry in config.entries:
        device = host.device(entry.address)
        if device is None or cannot_be_set(host, device, graphics.gpu(entry.address)) is not None:
            continue
        mode = entry.mode if entry.mode in MODES else None
        if entry.type in TYPES and (entry.type != SHARED or mode is not None):
            yield ConfiguredSetting(subject=entry.address, type=entry.type, mode=mode)
