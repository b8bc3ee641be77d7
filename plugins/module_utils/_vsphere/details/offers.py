# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what hosts offer to VMs: vGPU profiles, vendor device groups, DVX classes. PRIVATE to the collection.

Read only for VMs whose entries name such a device: one call for each cluster, and one bulk read for all hosts. A cluster lists the groups
of its hosts together, so each host is asked too for a VM that is powered on with a group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..._domain.observed.hosts import Host
from ..._domain.observed.vms import DvxBacking, DynamicBacking, VgpuBacking
from ..._domain.vm.desired.units import ParameterValue
from ..._domain.vm.offers import (
    DvxClass,
    DvxParameter,
    GroupPart,
    HostOffer,
    Offer,
    OfferedGroup,
    Offers,
    SharingGpu,
    VgpuProfile,
)
from ..property_collector.retrieve import Row, collect_objects
from ..read.vms import backing_from
from ..sdk import vim, vmodl
from ..session.answer_checks import reader
from ..session.connect import Session
from .vm_limits import find_browsers

_HOST_PATHS = {
    "config.sharedPassthruGpuTypes": (vim.host.ConfigInfo, "sharedPassthruGpuTypes"),
    "config.sharedGpuCapabilities": (vim.host.ConfigInfo, "sharedGpuCapabilities"),
    "config.graphicsInfo": (vim.host.ConfigInfo, "graphicsInfo"),
    "hardware.dvxClasses": (vim.host.HardwareInfo, "dvxClasses"),
}


@reader
def read_offers(session: Session, hosts: Sequence[Host], have: Offers) -> Offers:
    """The offers of these hosts and of their compute resources, added to ``have``. What it has is not read again."""
    clusters, offers = dict(have.clusters), dict(have.hosts)
    browsers = find_browsers(session, hosts)
    for compute in sorted({host.compute_moid for host in hosts} - clusters.keys()):
        browser = browsers.get(compute)
        clusters[compute] = _read_cluster(browser) if browser is not None else None
    unread = [host for host in hosts if host.moid not in offers]
    if unread:
        rows = {
            row.moid: row for row in collect_objects(session, vim.HostSystem, [h.moid for h in unread], _paths(session))
        }
        offers |= {h.moid: host_offer(rows[h.moid]) if h.moid in rows and h.is_reachable else None for h in unread}
    return replace(have, clusters=clusters, hosts=offers)


@reader
def read_groups(session: Session, hosts: Sequence[Host], have: Offers) -> Offers:
    """The names of the vendor device groups of these hosts, added to ``have``: a call for each host that was not read yet."""
    found = read_host_offers(session, [host for host in hosts if host.moid not in have.groups])
    groups = {moid: None if offer is None else frozenset(offer.groups) for moid, offer in found.items()}
    return replace(have, groups={**have.groups, **groups})


@reader
def read_host_offers(session: Session, hosts: Sequence[Host]) -> dict[str, Offer | None]:
    """The offer of each host alone, by host id: one call for each host. None for a host that does not answer."""
    browsers = find_browsers(session, hosts)
    found: dict[str, Offer | None] = {}
    for host in hosts:
        browser = browsers.get(host.compute_moid)
        reference = session.reference(vim.HostSystem, host.moid)
        found[host.moid] = _read_cluster(browser, reference) if browser is not None and host.is_reachable else None
    return found


def _paths(session: Session) -> tuple[str, ...]:
    return tuple(path for path, place in _HOST_PATHS.items() if session.knows(*place))


def _read_cluster(browser: Any, host: Any = None) -> Offer | None:
    """The config target of one host, or of all hosts together; None when none of them answers."""
    try:
        target = browser.QueryConfigTarget(host)
    except (vmodl.fault.NotSupported, vmodl.fault.HostNotConnected, vmodl.fault.HostNotReachable):
        return None
    return None if target is None else offer_from(target)


def offer_from(target: Any) -> Offer:
    """Convert a ConfigTarget."""
    cards = {info.deviceVendorId: info for info in getattr(target, "vgpuDeviceInfo", None) or ()}
    profiles = (_profile(info, cards) for info in getattr(target, "vgpuProfileInfo", None) or ())
    groups = (_group(info) for info in getattr(target, "vendorDeviceGroupInfo", None) or ())
    classes = (_dvx_class(info) for info in getattr(target, "dvxClassInfo", None) or ())
    return Offer(
        offered=frozenset(info.vgpu for info in target.sharedGpuPassthroughTypes or () if info.vgpu),
        known={profile.name: profile for profile in profiles},
        groups={group.name: group for group in groups},
        classes={one.name: one for one in classes},
    )


def _profile(info: Any, cards: Mapping[int, Any]) -> VgpuProfile:
    card = cards.get(info.deviceVendorId)
    number = info.deviceVendorId or 0
    return VgpuProfile(
        name=info.profileName,
        sharing=info.profileSharing or "",
        memory_gb=info.fbSizeInGib,
        card_gb=getattr(card, "maxFbSizeInGib", None),
        model=f"{number & 0xFFFF:04x}:{number >> 16 & 0xFFFF:04x}",
    )


def _group(info: Any) -> OfferedGroup:
    return OfferedGroup(
        name=info.deviceGroupName,
        description=info.deviceGroupDescription or "",
        parts=tuple(_part(component) for component in info.componentDeviceInfo or ()),
    )


def _part(component: Any) -> GroupPart:
    """A device of a group. Only a passthrough device with a backing that needs nothing else can be created from its template."""
    device = component.device
    backing = None
    if isinstance(device, vim.vm.device.VirtualPCIPassthrough) and not component.isConfigurable:
        found = backing_from(device.backing)
        backing = found if isinstance(found, VgpuBacking | DvxBacking | DynamicBacking) else None
    info = getattr(device, "deviceGroupInfo", None)
    return GroupPart(
        type=component.type,
        name=component.deviceName or "",
        backing=backing,
        sequence_id=getattr(info, "sequenceId", None),
    )


def _dvx_class(info: Any) -> DvxClass:
    return DvxClass(
        name=info.deviceClass.key,
        label=info.deviceClass.label or "",
        vendor=info.vendorName or "",
        for_nic=bool(info.sriovNic),
        parameters=tuple(_parameter(option) for option in info.configParams or ()),
    )


def _parameter(option: Any) -> DvxParameter:
    """One OptionDef. A type of a later release keeps its name, and its values are not checked."""
    kind, types = option.optionType, vim.option
    whole = (types.IntOption, types.LongOption)
    names = {
        types.FloatOption: "number",
        types.BoolOption: "boolean",
        types.ChoiceOption: "choice",
        types.StringOption: "string",
    }
    name = (
        "integer"
        if isinstance(kind, whole)
        else next((n for t, n in names.items() if isinstance(kind, t)), type(kind).__name__)
    )
    return DvxParameter(
        key=option.key,
        label=option.label or "",
        type=name,
        minimum=getattr(kind, "min", None),
        maximum=getattr(kind, "max", None),
        choices=tuple(choice.key for choice in getattr(kind, "choiceInfo", None) or ()),
        default=_default(kind),
    )


def _default(kind: Any) -> ParameterValue | None:
    """The default of an option; None when the value must be given. An empty text is no default."""
    if isinstance(kind, vim.option.ChoiceOption):
        index = kind.defaultIndex
        choices = kind.choiceInfo or ()
        return str(choices[index].key) if index is not None and index < len(choices) else None
    value = getattr(kind, "defaultValue", None)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    return value if isinstance(value, float) else str(value) or None


def host_offer(row: Row) -> HostOffer | None:
    """One row of a bulk read; None when a property was refused: what it says is unknown, not empty."""
    if any(path in row.missing for path in _HOST_PATHS):
        return None
    able = row.get("config.sharedGpuCapabilities")
    return HostOffer(
        profiles=frozenset(row.get("config.sharedPassthruGpuTypes") or ()),
        migratable=_able(able, "migrateSupported"),
        with_snapshots=_able(able, "diskSnapshotSupported"),
        gpus=tuple(_gpus(row.get("config.graphicsInfo") or ())),
        classes=frozenset(found.deviceClass for found in row.get("hardware.dvxClasses") or () if not found.sriovNic),
    )


def _able(capabilities: Iterable[Any] | None, name: str) -> frozenset[str] | None:
    if capabilities is None:
        return None
    return frozenset(found.vgpu for found in capabilities if getattr(found, name))


def _gpus(infos: Iterable[Any]) -> Iterable[SharingGpu]:
    """The GPUs that provide vGPUs now: ``graphicsInfo`` is the state in effect, ``graphicsConfig`` the desired one."""
    for info in infos:
        if str(info.graphicsType) == "sharedDirect" and info.pciId:
            yield SharingGpu(address=info.pciId.lower(), mixed=str(getattr(info, "vgpuMode", "")) == "mixedSize")
