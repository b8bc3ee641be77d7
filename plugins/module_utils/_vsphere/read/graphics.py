# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the graphics settings of hosts, and the VMs that use graphics of a host. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..._domain.facts import Gap, Listing
from ..._domain.observed.graphics import (
    NO_MODE,
    GpuEntry,
    GraphicsConfig,
    GraphicsDevice,
    GraphicsUser,
    HostGraphics,
)
from ..._domain.observed.hosts import Host
from ..._domain.text import visible_name
from ..property_collector.parser import PageStart
from ..property_collector.retrieve import DEVICES_PAGE, NAMES_PAGE, Row, collect_around, collect_objects
from ..sdk import vim
from ..session.answer_checks import reader
from ..session.connect import Session
from .vms import USER_PATHS

WORDS: Mapping[str, str] = {
    "sharedDirect": "shared_direct",
    "sameSize": "same_size",
    "mixedSize": "mixed_size",
    "multiInstanceGpu": "multi_instance_gpu",
}
"""Words of the API that this collection writes otherwise. All other words stay, also those of later releases."""
_CONFIG, _INFO, _PROFILES = "config.graphicsConfig", "config.graphicsInfo", "config.sharedPassthruGpuTypes"
_MANAGER, _SERVICES = "configManager.graphicsManager", "configManager.serviceSystem"
_SINCE: Mapping[str, tuple[Any, str]] = {
    _CONFIG: (vim.host.ConfigInfo, "graphicsConfig"),
    _INFO: (vim.host.ConfigInfo, "graphicsInfo"),
    _PROFILES: (vim.host.ConfigInfo, "sharedPassthruGpuTypes"),
    _MANAGER: (vim.host.ConfigManager, "graphicsManager"),
    _SERVICES: (vim.host.ConfigManager, "serviceSystem"),
}


def graphics_paths(session: Session) -> tuple[str, ...]:
    """Property paths for ``with_graphics``."""
    return tuple(path for path, since in _SINCE.items() if session.knows(*since))


def with_graphics(host: Host, row: Row) -> Host:
    """The host with its graphics, from a row with ``graphics_paths``."""
    manager, services = row.get(_MANAGER), row.get(_SERVICES)
    config = row.get(_CONFIG)
    graphics = HostGraphics(
        config=None if config is None else _config(config),
        gpus=tuple(sorted(map(_gpu, row.get(_INFO, ())), key=lambda gpu: gpu.address)),
        profiles=tuple(sorted(map(str, row.get(_PROFILES, ())))),
        gaps=tuple(Gap(path=path) for path in (_CONFIG, _INFO) if path in row.missing),
        manager_moid=manager._moId if manager is not None else "",
        service_moid=services._moId if services is not None else "",
    )
    return replace(host, graphics=graphics)


def _config(config: Any) -> GraphicsConfig:
    return GraphicsConfig(
        default_type=_word(config.hostDefaultGraphicsType),
        assignment_policy=_word(config.sharedPassthruAssignmentPolicy),
        entries=tuple(
            GpuEntry(
                device_id=entry.deviceId,
                address=_address(entry.deviceId),
                type=_word(entry.graphicsType),
                mode=_word(mode) if (mode := getattr(entry, "vgpuMode", None)) else None,
            )
            for entry in config.deviceType or ()
        ),
    )


def _gpu(info: Any) -> GraphicsDevice:
    return GraphicsDevice(
        address=_address(info.pciId),
        name=visible_name(info.deviceName or ""),
        type=_word(info.graphicsType),
        mode=_word(getattr(info, "vgpuMode", None) or NO_MODE),
        vms=tuple(sorted(vm._moId for vm in info.vm or ())),
    )


def _word(word: Any) -> str:
    return WORDS.get(str(word), str(word))


def _address(text: str) -> str:
    """The reference calls it ``bus:slot.function``; hosts write the domain, too."""
    return text.lower() if text.count(":") > 1 else f"0000:{text.lower()}"


@reader
def name_graphics_users(session: Session, hosts: Sequence[Host]) -> tuple[Host, ...]:
    """The hosts with names in place of the ids of VMs that use their GPUs: one bulk read, and no call if there are none."""
    moids = {vm for host in hosts if host.graphics for gpu in host.graphics.gpus for vm in gpu.vms}
    rows = collect_objects(session, vim.VirtualMachine, moids, ("name",), page=NAMES_PAGE)
    names = {row.moid: row.get("name", row.moid) for row in rows}
    return tuple(replace(host, graphics=host.graphics.named(names)) if host.graphics else host for host in hosts)


@reader
def read_graphics_users(session: Session, hosts: Sequence[Host]) -> tuple[Host, ...]:
    """Read the running VMs of the hosts that a restart of Xorg may disturb: VMs with vGPUs, VMs with 3D graphics that is not rendered in
    software, and those that the host itself lists as users of a GPU. One bulk read."""
    start = PageStart(kind=vim.HostSystem, moids=[host.moid for host in hosts], link="vm", both=True)
    paths: dict[type, Sequence[str]] = {vim.HostSystem: ("vm",), vim.VirtualMachine: USER_PATHS}
    found = collect_around(session, [start], paths, page=DEVICES_PAGE)
    machines = {row.moid: row for row in found[vim.VirtualMachine]}
    listed = {row.moid: row for row in found[vim.HostSystem]}
    return tuple(_with_users(host, listed.get(host.moid), machines) for host in hosts)


def _with_users(host: Host, row: Row | None, machines: Mapping[str, Row]) -> Host:
    graphics = host.graphics
    if graphics is None:
        return host
    if row is None or "vm" in row.missing:
        users: Listing[GraphicsUser] = Listing(gaps=(Gap(path=f"the VMs of {host.name}"),))
        return replace(host, graphics=replace(graphics, users=users))
    here = {vm._moId for vm in row.get("vm", ())} | {vm for gpu in graphics.gpus for vm in gpu.vms if vm in machines}
    read, gaps = [], []
    for moid in sorted(here):
        machine = machines.get(moid)
        name = visible_name(machine.get("name", moid)) if machine is not None else moid
        uses, gap = _use(machine)
        if gap:
            gaps.append(Gap(path=name, why=gap))
        elif uses:
            read.append(GraphicsUser(vm=name, why=uses))
    known = {user.vm for user in read}
    shown = {vm for gpu in graphics.gpus for vm in gpu.vms}
    named = (visible_name(machines[vm].get("name", vm)) if vm in machines else vm for vm in sorted(shown))
    read += [GraphicsUser(vm=vm, why="uses a GPU") for vm in named if vm not in known]
    return replace(host, graphics=replace(graphics, users=Listing(tuple(read), gaps=tuple(gaps))))


def _use(machine: Row | None) -> tuple[str, str]:
    """How a VM uses graphics of its host, and why that is unknown; both empty when it does not."""
    if machine is None:
        return "", "is not shown to this account"
    power, devices = machine.get("runtime.powerState"), machine.get("config.hardware.device")
    if str(power) in ("poweredOff", "suspended"):
        return "", ""
    if power is None or not devices:
        return "", "runs, or may run, and its devices could not be read"
    uses = _uses(devices)
    return (uses, "") if str(power) == "poweredOn" or not uses else ("", f"is {power} and {uses}")


def _uses(devices: Iterable[Any]) -> str:
    device_types = vim.vm.device
    for device in devices:
        backing = getattr(device, "backing", None)
        if isinstance(backing, device_types.VirtualPCIPassthrough.VmiopBackingInfo):
            return f"has the vGPU {backing.vgpu}"
        has_3d = isinstance(device, device_types.VirtualVideoCard) and device.enable3DSupport
        if has_3d and str(getattr(device, "use3dRenderer", None)) != "software":
            return "has 3D graphics"
    return ""
