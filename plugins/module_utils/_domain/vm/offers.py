# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts offer to VMs beside PCI functions: vGPU profiles, vendor device groups, DVX classes. PRIVATE to the collection.

Sources: API reference of ConfigTarget, VgpuProfileInfo, VendorDeviceGroupInfo, DvxClassInfo and HostGraphicsInfo.
``sharedPassthruGpuTypes`` and ``sharedGpuPassthroughTypes`` list only what the present mode of the GPUs offers;
``vgpuProfileInfo`` lists every profile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..observed.vms import Backing
from .desired.units import ParameterValue


@dataclass(frozen=True, kw_only=True, slots=True)
class VgpuProfile:
    """``sharing``: ``timeSliced`` or ``mig``. ``memory_gb``: its frame buffer; ``card_gb``: that of the whole GPU. ``model``: vendor:device
    of the GPU. None and empty: the server does not say."""

    name: str
    sharing: str = ""
    memory_gb: int | None = None
    card_gb: int | None = None
    model: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupPart:
    """The template of one device of a group. ``backing``: None for a device that this collection cannot create, such as a network adapter.

    ``sequence_id``: as in the template, which may have none.
    """

    type: str
    name: str = ""
    backing: Backing | None = None
    sequence_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OfferedGroup:
    name: str
    description: str = ""
    parts: tuple[GroupPart, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class DvxParameter:
    """One parameter of a DVX class. ``type``: ``integer``, ``number``, ``boolean``, ``choice``, ``string``, or the name of another type.

    ``default`` None: the server has none, so the value must be given.
    """

    key: str
    type: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    default: ParameterValue | None = None
    label: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class DvxClass:
    """``for_nic``: it is a class of network adapters, not of a device that stands alone."""

    name: str
    label: str = ""
    vendor: str = ""
    for_nic: bool = False
    parameters: tuple[DvxParameter, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """What the hosts of one compute resource offer together. ``offered``: names of profiles in the present mode of the GPUs.

    ``known``: every profile of their GPUs, by name, also those of another mode.
    """

    offered: frozenset[str] = frozenset()
    known: Mapping[str, VgpuProfile] = field(default_factory=dict)
    groups: Mapping[str, OfferedGroup] = field(default_factory=dict)
    classes: Mapping[str, DvxClass] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class SharingGpu:
    """A GPU that provides vGPUs now. ``mixed``: it provides profiles of different sizes at a time."""

    address: str
    mixed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class HostOffer:
    """What one host offers now. ``migratable`` and ``with_snapshots``: profiles with which a VM can be migrated live, and can have disk
    snapshots. None: the host does not say (before 6.7)."""

    profiles: frozenset[str] = frozenset()
    migratable: frozenset[str] | None = None
    with_snapshots: frozenset[str] | None = None
    gpus: tuple[SharingGpu, ...] = ()
    classes: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class KindLimits:
    """What the hardware version of a VM allows on its host. None: the server does not say."""

    vgpus: int | None = None
    groups: int | None = None
    backings: frozenset[str] = frozenset()
    """``vgpu`` and ``dvx``, if the hardware version has them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Offers:
    """``clusters``: compute resource id → offer. ``hosts``: host id → offer. ``limits``: VM id → limits. ``groups``: host id → the names of
    its vendor device groups, which are read only for VMs that are powered on with a group: this costs a call for each host.

    An id that is missing was not read. None: it could not be read.
    """

    clusters: Mapping[str, Offer | None] = field(default_factory=dict)
    hosts: Mapping[str, HostOffer | None] = field(default_factory=dict)
    limits: Mapping[str, KindLimits | None] = field(default_factory=dict)
    groups: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
