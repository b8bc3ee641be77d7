# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is special about vGPUs: profiles that hosts offer, and settings of single devices. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ...observed.vms import VgpuBacking, Vm, VmDevice
from ...pci import DISPLAY_CLASS
from ...planning.details import ExtraConfig
from ...planning.plan import Blocker, Change
from ...suggest import suggest_word
from ..desired.units import DesiredVgpu
from ..mmio import MmioDevice
from ..observed_vms import ObservedVms
from ..offers import HostOffer, Offer
from .held_units import FIRST_KEY, HeldUnit

_MEMORY = re.compile(r"-(\d+)[a-z]+$", re.IGNORECASE)
"""The frame buffer in GB in the name of a profile: 40 of ``grid_a100-40c``, 5 of ``grid_a100-1-5cme`` (NVIDIA vGPU user guide)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AbilityProblems:
    blockers: tuple[Blocker, ...] = ()
    warnings: tuple[str, ...] = ()


def where(vm: Vm) -> str:
    """The hosts on which a VM may run, for messages."""
    return f"cluster {vm.cluster}" if vm.cluster else str(vm.host_name or "its host")


def profile_blockers(vm: Vm, entry: DesiredVgpu, offer: Offer) -> list[Blocker]:
    """Why the hosts of a VM cannot give it a profile; empty when they offer it now."""
    if entry.profile in offer.offered:
        return []
    known = offer.known.get(entry.profile)
    if known is not None:
        mode = {"mig": "MIG", "timeSliced": "time-sliced"}.get(known.sharing, known.sharing or "another")
        return [
            Blocker(
                code="profile_in_other_mode",
                message=f"{vm.name} needs the vGPU profile {entry.profile}, which the GPUs of {where(vm)} offer only in {mode} mode. They "
                "are in another mode now",
                cure="Switch a GPU to this mode on the host (with the tool of its vendor), or use a profile of the present mode",
                candidates=tuple(sorted(offer.offered)),
            )
        ]
    if not offer.offered:
        return [
            Blocker(
                code="unknown_profile",
                message=f"{vm.name} needs the vGPU profile {entry.profile}, but no host of {where(vm)} offers vGPUs",
                cure="Install the host driver of the GPU vendor, and set the graphics type of a GPU to sharedDirect",
            )
        ]
    return [
        Blocker(
            code="unknown_profile",
            message=f"{vm.name} needs the vGPU profile {entry.profile}, which no host of {where(vm)} offers"
            + suggest_word(entry.profile, offer.offered),
            cure="Use one of the profiles that are offered",
            candidates=tuple(sorted(offer.offered)),
        )
    ]


def ability_problems(observed: ObservedVms, vm: Vm, entry: DesiredVgpu) -> AbilityProblems:
    """What a VM loses with a profile: live migration (warning), its snapshots (blocker)."""
    offers = [
        found
        for host in observed.candidates(vm)
        if (found := observed.offers.hosts.get(host.moid)) is not None and entry.profile in found.profiles
    ]
    warnings = []
    if offers and not any(_has(found.migratable, entry.profile) for found in offers):
        warnings.append(
            f"{vm.name} cannot be migrated while it runs with the vGPU profile {entry.profile}: it must be powered off to evacuate its host"
        )
    if not vm.has_snapshots or any(_has(found.with_snapshots, entry.profile) for found in offers):
        return AbilityProblems(warnings=tuple(warnings))
    return AbilityProblems(
        blockers=(
            Blocker(
                code="snapshots",
                message=f"{vm.name} has snapshots, which a VM with the vGPU profile {entry.profile} cannot have on its hosts",
                cure="Delete (consolidate) its snapshots first",
            ),
        ),
        warnings=tuple(warnings),
    )


def _has(profiles: frozenset[str] | None, profile: str) -> bool:
    return profiles is not None and profile in profiles


def setting_key(device_key: int, name: str) -> str:
    return f"pciPassthru{device_key - FIRST_KEY}.cfg.{name}"


def settings_of(vm: Vm, unit: HeldUnit) -> dict[str, str]:
    """The settings of a vGPU that the VM has, by name."""
    prefix = setting_key(unit.keys[0], "").lower()
    return {key[len(prefix) :]: value for key, value in vm.extra_config.items() if key.lower().startswith(prefix)}


def settings_changes(vm: Vm, entry: DesiredVgpu, unit: HeldUnit) -> Iterator[Change]:
    """The changes of settings of a vGPU that the VM has already."""
    actual = {key.lower(): value for key, value in vm.extra_config.items()}
    for name, value in entry.advanced:
        key = setting_key(unit.keys[0], name)
        before = actual.get(key.lower())
        if before != value:
            yield Change(subject=key, before=before, after=value, detail=ExtraConfig(key=key, value=value))


def without_settings(vm: Vm, device: VmDevice) -> Iterator[Change]:
    """The changes that remove all settings of a device."""
    prefix = setting_key(device.key, "").lower()
    for key, value in sorted(vm.extra_config.items()):
        if key.lower().startswith(prefix):
            yield Change(subject=key, before=value, after=None, detail=ExtraConfig(key=key, value=""))


def mapped_devices(profiles: tuple[str, ...]) -> list[MmioDevice]:
    """vGPUs for the calculation of the MMIO window. A profile without a size in its name is left out."""
    found = []
    for profile in profiles:
        memory = _MEMORY.search(profile)
        if memory is not None:
            found.append(MmioDevice(ids=profile, class_id=DISPLAY_CLASS, name=f"vGPU {memory[1]} GB"))
    return found


def offers_all(offer: HostOffer, profiles: tuple[str, ...], classes: tuple[str, ...]) -> bool:
    """Whether one host offers all profiles and DVX classes of a VM."""
    return offer.profiles.issuperset(profiles) and offer.classes.issuperset(classes)


def profiles_of(vm: Vm) -> tuple[str, ...]:
    """The profiles of the vGPUs that a VM has."""
    return tuple(device.backing.profile for device in vm.devices if isinstance(device.backing, VgpuBacking))
