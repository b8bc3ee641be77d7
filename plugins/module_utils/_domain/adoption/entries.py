# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is adopted of hosts and VMs: entries of an intent, each with a comment for the person who reads it. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from ..drift.kinds import Difference
from ..graphics.desired import DesiredGpu, DesiredGraphics
from ..host.selector import DesiredDevice
from ..plain import Record
from ..vm.desired.sriov_networks import DesiredSriovNetwork
from ..vm.desired.units import DesiredDvx, DesiredGroup, DesiredUnit, DesiredVgpu
from ..vm.desired.vm import DesiredVm

Entry: TypeAlias = DesiredDevice | DesiredUnit | DesiredSriovNetwork


@dataclass(frozen=True, kw_only=True, slots=True)
class Noted:
    """One entry. ``note``: what it stands for, and why it has this form where there was a choice."""

    entry: Entry
    note: str = ""

    def record(self) -> Record:
        entry = self.entry.option()
        if isinstance(self.entry, DesiredVgpu | DesiredGroup | DesiredDvx) and self.entry.count == 1:
            del entry["count"]
        return {"entry": entry, "note": self.note}


@dataclass(frozen=True, kw_only=True, slots=True)
class AdoptedHost:
    """One host. ``name``: how an intent names it. ``devices``: entries for passthrough, with virtual functions, or with a device mode."""

    moid: str
    name: str
    devices: tuple[Noted, ...] = ()
    graphics: DesiredGraphics | None = None
    cluster: str | None = None

    @property
    def desired(self) -> tuple[DesiredDevice, ...]:
        return tuple(noted.entry for noted in self.devices if isinstance(noted.entry, DesiredDevice))

    def record(self) -> Record:
        graphics = graphics_option(self.graphics) if self.graphics is not None else None
        return {
            "name": self.name,
            "moid": self.moid,
            "cluster": self.cluster,
            "devices": [noted.record() for noted in self.devices],
            "graphics": graphics,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class AdoptedVm:
    """One VM. ``desired``: its whole entry, parsed. ``names``: its name or its id as an intent has it."""

    desired: DesiredVm
    names: Record
    devices: tuple[Noted, ...] = ()
    adapters: tuple[Noted, ...] = ()
    host: str | None = None
    cluster: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def moid(self) -> str:
        return self.desired.moid

    def record(self) -> Record:
        desired = self.desired
        mmio = desired.mmio
        options: Record = {
            **({} if desired.backing == "auto" else {"backing": desired.backing}),
            **({} if mmio is None else {"mmio": {} if mmio.size_gb is None else {"size_gb": mmio.size_gb}}),
            **({} if desired.latency_sensitivity is None else {"latency_sensitivity": desired.latency_sensitivity}),
            **({} if desired.pin_to_host is None else {"pin_to_host": desired.pin_to_host}),
        }
        return {
            "names": self.names,
            "moid": self.moid,
            "host": self.host,
            "cluster": self.cluster,
            "devices": [noted.record() for noted in self.devices],
            "sriov_networks": [noted.record() for noted in self.adapters],
            "options": options,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class AdoptedIntent:
    """What is adopted of one vCenter, and ``left``: what is not, with the reason and what a person can do."""

    hosts: tuple[AdoptedHost, ...] = ()
    vms: tuple[AdoptedVm, ...] = ()
    left: tuple[Difference, ...] = field(default_factory=tuple)


def graphics_option(graphics: DesiredGraphics) -> Record:
    """The settings as in the option ``graphics``. Consent to restart Xorg is never adopted."""
    return {
        **({} if graphics.default_type is None else {"default_type": graphics.default_type}),
        **({} if graphics.assignment_policy is None else {"assignment_policy": graphics.assignment_policy}),
        **({"devices": [_gpu_option(gpu) for gpu in graphics.gpus]} if graphics.gpus else {}),
    }


def _gpu_option(gpu: DesiredGpu) -> Record:
    match = DesiredDevice(selector=gpu.selector).option()["match"]
    return {
        "match": match,
        **({} if gpu.type is None else {"type": gpu.type}),
        **({} if gpu.mode is None else {"vgpu_mode": gpu.mode}),
    }


def named_once(texts: Iterable[str]) -> str:
    """The different texts, in order, for a comment."""
    return ", ".join(dict.fromkeys(text for text in texts if text))
