# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API version that each kind of write needs, and what to do where the server or pyVmomi is older. PRIVATE to the collection.

A session speaks the newest API version that both the server and pyVmomi know. pyVmomi leaves out of a call what that version lacks, and
reports nothing: a dynamic device would be sent as a device without a backing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, assert_never

from ..errors import DirectPathError
from ..planning.details import (
    Detach,
    DetachGroup,
    Detail,
    DvxSpec,
    DynamicSpec,
    ExtraConfig,
    FixedSpec,
    GraphicsWrite,
    GroupSpec,
    HotAdd,
    Latency,
    MaintenanceStep,
    MemoryWrite,
    ModeWrite,
    NumaEdit,
    PassthroughWrite,
    PinToHost,
    PowerOff,
    PowerOn,
    SriovEdit,
    SriovSpec,
    SriovWrite,
    UpgradeHardware,
    VgpuSpec,
    XorgRestart,
)
from ..planning.plan import Blocker, Plan, TargetPlan

Version: TypeAlias = tuple[int, ...]
"""Four numbers, such as (8, 0, 0, 1)."""

KindName: TypeAlias = Literal[
    "sriov",
    "sriov_network",
    "sriov_pool",
    "vgpu",
    "host_graphics",
    "dynamic",
    "hardware_label",
    "dvx",
    "device_group",
    "fixed_hot_plug",
    "vgpu_mode",
    "directpath_profile",
    "latency_sensitivity",
    "numa_node",
    "device_mode",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class NewerKind:
    """``words``: for messages. ``since``: the first API version. ``names``: its types, methods and properties in the API reference."""

    words: str
    since: str
    names: tuple[str, ...]
    instead: str = ""
    """What to do without it, as a clause."""


KINDS: Mapping[KindName, NewerKind] = {
    "latency_sensitivity": NewerKind(
        words="a level of latency sensitivity",
        since="5.1",
        names=("LatencySensitivity", "VirtualMachineConfigSpec.latencySensitivity"),
    ),
    "sriov": NewerKind(
        words="SR-IOV virtual functions",
        since="5.5",
        names=("HostSriovConfig", "HostSriovInfo"),
        instead="set them on the host (esxcli network sriovnic, or the parameter max_vfs of the driver)",
    ),
    "sriov_network": NewerKind(
        words="an SR-IOV network adapter",
        since="5.5",
        names=("VirtualSriovEthernetCard", "VirtualSriovEthernetCardSriovBackingInfo"),
        instead="attach the virtual function as a fixed device (virtual_function: true)",
    ),
    "sriov_pool": NewerKind(
        words="an SR-IOV network adapter whose physical function changes to auto",
        since="6.5",
        names=("HostSriovNetworkDevicePoolInfo",),
        instead="remove the adapter and add it again",
    ),
    "vgpu": NewerKind(words="a vGPU", since="6.0", names=("VirtualPCIPassthroughVmiopBackingInfo",)),
    "host_graphics": NewerKind(
        words="a graphics configuration", since="6.5", names=("HostGraphicsConfig", "UpdateGraphicsConfig")
    ),
    "dynamic": NewerKind(
        words="a dynamic passthrough device",
        since="7.0",
        names=("VirtualPCIPassthroughDynamicBackingInfo", "VirtualPCIPassthroughAllowedDevice"),
        instead="use backing: fixed, which ties the VM to its host",
    ),
    "hardware_label": NewerKind(
        words="a hardware label", since="7.0.2", names=("HostPciPassthruConfig.hardwareLabel",)
    ),
    "dvx": NewerKind(words="a DVX device", since="8.0.0.1", names=("VirtualPCIPassthroughDvxBackingInfo",)),
    "device_group": NewerKind(
        words="a vendor device group",
        since="8.0.0.1",
        names=("VirtualMachineConfigSpec.deviceGroups", "VirtualDevice.deviceGroupInfo"),
    ),
    "numa_node": NewerKind(
        words="a virtual NUMA node of a device",
        since="8.0.0.1",
        names=("VirtualDevice.numaNode",),
        instead="leave numa_node out",
    ),
    "fixed_hot_plug": NewerKind(
        words="hot-plug of fixed devices",
        since="8.0.1",
        names=("VirtualMachineConfigSpec.fixedPassthruHotPlugEnabled",),
    ),
    "vgpu_mode": NewerKind(
        words="the vGPU mode of a GPU", since="8.0.3", names=("HostGraphicsConfigDeviceType.vgpuMode",)
    ),
    "directpath_profile": NewerKind(
        words="a DirectPath profile",
        since="9.0",
        names=("DirectPathProfileManagerCreate", "DirectPathProfileManagerQueryCapacity"),
    ),
    "device_mode": NewerKind(words="a device mode", since="9.1", names=("HostPciPassthruInfo.directPathState",)),
}
"""Source: the API reference ("Since" of each type, method and property). A test holds it against each supported pyVmomi."""

_WORDS = {name: kind.words for kind in KINDS.values() for name in kind.names}


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiVersions:
    """The API versions of a session. ``spoken``: the newest one that the server (``server``) and pyVmomi (``library``) both know.

    ``product``: vCenter or ESXi.
    """

    spoken: Version
    server: Version
    library: Version
    product: str = "vCenter"

    def lacks(self, since: Version) -> bool:
        return self.spoken < since


def parse_version(text: str) -> Version:
    """``8.0.3`` → (8, 0, 3, 0). Text after the numbers is ignored; without a number it is (0, 0, 0, 0), older than everything."""
    found = re.match(r"\d+(\.\d+)*", text)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    return tuple([*numbers, 0, 0, 0, 0][:4])


def show_version(version: Version) -> str:
    """(8, 0, 3, 0) → ``8.0.3``."""
    shown = list(version)
    while len(shown) > 2 and shown[-1] == 0:
        shown.pop()
    return ".".join(map(str, shown))


def words_of(name: str) -> str:
    """What a type, method or property of the API is for people: ``a vGPU (VirtualPCIPassthroughVmiopBackingInfo)``."""
    return f"{_WORDS[name]} ({name})" if name in _WORDS else name


def kinds_of(detail: Detail) -> tuple[KindName, ...]:
    """The kinds in the table that a write needs."""
    match detail:
        case FixedSpec(numa_node=node):
            return _with_node((), node)
        case DynamicSpec(numa_node=node):
            return _with_node(("dynamic",), node)
        case VgpuSpec(numa_node=node):
            return _with_node(("vgpu",), node)
        case DvxSpec(numa_node=node):
            # Also with an empty list of parameters, which pyVmomi does not send, so the guard of the transport does not see it.
            return _with_node(("dvx",), node)
        case NumaEdit():
            return ("numa_node",)
        case GroupSpec() | DetachGroup():
            # Also when no group is left: then deviceGroups is an empty list, which the guard of the transport does not see.
            return ("device_group",)
        case PassthroughWrite(label=label):
            return () if label is None else ("hardware_label",)
        case SriovSpec():
            return ("sriov_network",)
        case SriovEdit(becomes_automatic=changes):
            return ("sriov_network", "sriov_pool") if changes else ("sriov_network",)
        case SriovWrite():
            return ("sriov",)
        case ModeWrite():
            return ("device_mode",)
        case Detach() | MemoryWrite() | ExtraConfig() | HotAdd() | PowerOff() | PowerOn():
            return ()
        case Latency(level=level):
            return () if level is None else ("latency_sensitivity",)
        case GraphicsWrite(with_modes=with_modes):
            return ("host_graphics", "vgpu_mode") if with_modes else ("host_graphics",)
        case MaintenanceStep() | XorgRestart() | UpgradeHardware() | PinToHost():
            return ()
        case other:
            assert_never(other)


def _with_node(kinds: tuple[KindName, ...], node: int | None) -> tuple[KindName, ...]:
    return kinds if node is None else (*kinds, "numa_node")


_FOLLOWS: Mapping[KindName, tuple[str, ...]] = {
    "vgpu": ("unknown_profile", "hardware_version", "offer_unknown"),
    "device_group": ("unknown_group", "hardware_version", "offer_unknown"),
    "dvx": ("unknown_dvx_class", "hardware_version", "offer_unknown"),
}
"""Kind → codes of blockers that only follow from the old API, through which a host offers nothing of this kind. Their advice would
mislead."""


def refuse_too_new(plan: Plan, api: ApiVersions | None) -> Plan:
    """The plan with a blocker for each change that the session cannot express: it is refused before anything is stopped or written, and
    in check mode too. ``api``: None without a session."""
    return plan if api is None else replace(plan, targets=tuple(_refused(target, api) for target in plan.targets))


def _refused(target: TargetPlan, api: ApiVersions) -> TargetPlan:
    kinds = dict.fromkeys(kind for change in target.changes for kind in kinds_of(change.detail))
    blockers = tuple(blocker for kind in kinds if (blocker := kind_blocker(kind, api, target.target)) is not None)
    if any(isinstance(change.detail, Detach) and change.detail.of_kind == "vgpu" for change in target.changes):
        blockers += _hidden_groups(api, target.target)
    follows = {code for kind in kinds if kind_blocker(kind, api, target.target) for code in _FOLLOWS.get(kind, ())}
    others = tuple(blocker for blocker in target.blockers if blocker.code not in follows)
    return replace(target, blockers=(*blockers, *others)) if blockers else target


def _hidden_groups(api: ApiVersions, target: str) -> tuple[Blocker, ...]:
    """A blocker for detaching a vGPU when the server knows device groups and the session does not: the vGPU may be a part of a group, which
    is detached whole or not at all."""
    since = parse_version(KINDS["device_group"].since)
    if api.server < since or not api.lacks(since):
        return ()
    error = too_old(f"Whether the vGPUs of {target} belong to a vendor device group is unknown", since, api)
    return (Blocker(code=error.code, message=error.message, cure=error.cure),)


def kind_blocker(kind: KindName, api: ApiVersions, target: str) -> Blocker | None:
    """A blocker when the session cannot express this kind of device or setting of ``target``."""
    known = KINDS[kind]
    if not api.lacks(parse_version(known.since)):
        return None
    error = too_old(f"{target} cannot have {known.words}", parse_version(known.since), api, instead=known.instead)
    return Blocker(code=error.code, message=error.message, cure=error.cure)


def no_device_modes(api: ApiVersions | None) -> Callable[[str], Blocker | None]:
    """Host name → the blocker when the session cannot express device modes."""
    return lambda host: None if api is None else kind_blocker("device_mode", api, host)


def too_old(what: str, since: Version, api: ApiVersions, *, instead: str = "") -> DirectPathError:
    """The error for something that needs the API version ``since``. ``what``: the clause that says what is not possible."""
    alternative = f", or {instead}" if instead else ""
    wanted = show_version(since)
    if api.server >= since:
        return DirectPathError(
            message=f"{what}: this needs API version {wanted}. {api.product} has it, but the installed pyVmomi knows the API only up to "
            f"{show_version(api.library)}",
            code="library_too_old",
            cure=f"Install pyvmomi {wanted} or later for the Python that runs the module{alternative}",
        )
    return DirectPathError(
        message=f"{what}: this needs API version {wanted}, but {api.product} offers {show_version(api.server)}",
        code="api_too_old",
        cure=f"Upgrade {api.product} to {wanted} or later{alternative}",
    )
