# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a server showed of a host to its specification."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

from pyVmomi import vim

from ...api import data
from ...api.names import shown
from ...objects.pci import Function, Layout
from ...objects.specs import HostSpec, Switch
from ..hardware import recorded
from ..hardware.cards import LabError, token
from ..hardware.catalogue import CARDS, Part
from . import offers
from .file import Captured, Thing

_PARTS: Mapping[tuple[int, int], Part] = {
    (part.vendor, part.device): part for card in CARDS.values() for part in card.parts
}
_VF = "Virtual Function"


def spec(
    thing: Thing,
    captured: Captured,
    port_groups: Mapping[str, list[str]],
    layouts: dict[Any, Layout],
    boot: tuple[float, ...],
) -> HostSpec:
    """One host. ``port_groups``: uuid of a distributed switch -> names of its port groups. ``boot``: its past boots. Raises LabError."""
    name = shown(str(thing.get("name", thing.moid)))
    config, hardware, capability = _whole(thing)
    connection = str(thing.get("runtime.connectionState", "connected"))
    if not thing.get("hardware.pciDevice") or config.product is None:
        return _unknown(thing, captured, name, connection)
    try:
        found = recorded.fields(config, hardware, capability, strict=False)
    except LabError as error:
        raise LabError(f"host {name}: {error}") from None
    graphics = {info.pciId: info for info in config.graphicsInfo or ()}
    found["layout"] = _layout(found["layout"], found["states"], layouts)
    found["switches"] = tuple(_switch(item, config, port_groups) for item in found["switches"])
    shared = {address: str(info.graphicsType) for address, info in graphics.items() if _shares(info)}
    return HostSpec(
        name=name,
        **found,
        system_id=_uuid(name),
        shared_gpus=shared,
        vgpu_modes={
            address: mode
            for address in shared
            if (mode := str(getattr(graphics[address], "vgpuMode", None) or "sameSize")) not in ("sameSize", "none")
        },
        vgpu_abilities=dict.fromkeys(shared, _abilities(config)),
        **offers.of_host(thing, captured),
        knobs={} if not boot else {"boot_seconds": float(median(boot))},
        past_boots=boot,
        **_condition(thing, captured, connection),
    )


def _whole(thing: Thing) -> tuple[Any, Any, Any]:
    """Config, hardware and capability with what was captured of them."""
    found = [data.new(kind) for kind in (vim.host.ConfigInfo, vim.host.HardwareInfo, vim.host.Capability)]
    config, hardware, _capability = found
    config.network, config.storageDevice = data.new(vim.host.NetworkInfo), data.new(vim.host.StorageDeviceInfo)
    config.fileSystemVolume = data.new(vim.host.FileSystemVolumeInfo)
    config.virtualNicManagerInfo = data.new(vim.host.VirtualNicManagerInfo)
    config.storageDevice.scsiTopology = data.new(vim.host.ScsiTopology)
    hardware.numaInfo = data.new(vim.host.NumaInfo, numNodes=1)
    for path, value in thing.values.items():
        names = path.split(".")
        holder: Any = {"config": found[0], "hardware": found[1], "capability": found[2]}.get(names[0])
        if holder is None or len(names) == 1 or value is None:
            continue
        for name in names[1:-1]:
            holder = getattr(holder, name)
        setattr(holder, names[-1], value)
    cpu = "amd" if "AMD" in str(getattr(thing.get("summary.hardware"), "cpuModel", "")) else "intel"
    hardware.cpuPkg = vim.host.CpuPackage.Array([data.new(vim.host.CpuPackage, vendor=cpu)])
    if hardware.systemInfo is None:
        hardware.systemInfo = data.new(vim.host.SystemInfo, vendor="", model="", uuid=_uuid(thing.moid))
    if hardware.cpuInfo is None:
        hardware.cpuInfo = data.new(vim.host.CpuInfo, numCpuPackages=1, numCpuCores=1, numCpuThreads=1, hz=0)
    return config, hardware, found[2]


def _condition(thing: Thing, captured: Captured, connection: str) -> dict[str, Any]:
    boot = thing.get("runtime.bootTime")
    return {
        "connection": connection,
        "maintenance": bool(thing.get("runtime.inMaintenanceMode", False)),
        "standby": str(thing.get("runtime.powerState")) == "standBy",
        "quarantine": bool(thing.get("runtime.inQuarantineMode", False)),
        "quick_boot": bool(thing.get("capability.quickBootSupported", False)),
        "up_days": 0.0 if boot is None else (captured.time - boot).total_seconds() / 86400,
    }


def _unknown(thing: Thing, captured: Captured, name: str, connection: str) -> HostSpec:
    """A host of which the server showed no hardware."""
    product = thing.get("config.product")
    release = str(getattr(product, "version", "") or captured.server["about"]["version"])
    return HostSpec(
        name=name, release=release, build=str(getattr(product, "build", "") or ""), api=release, vendor="", model="",
        cpu="intel", memory_gb=0, packages=1, cores=1, numa_nodes=1, uuid=_uuid(name), system_id=_uuid(name),
        layout=Layout([]), nics=(), switches=(), vmkernels=(), adapters=(), known=product is not None,
        **_condition(thing, captured, connection),
    )  # fmt: skip


def _uuid(name: str) -> str:
    raw = token("esxi", name, size=32)
    return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"


# -- devices ----------------------------------------------------------------------------------------------------------


def _layout(found: Layout, states: Mapping[str, Mapping[str, Any]], layouts: dict[Any, Layout]) -> Layout:
    """With what the model knows of cards like these; hosts that are built alike share one."""
    functions = [_enriched(item) for item in _with_physical(found.functions.values(), states)]
    key = tuple(functions)
    return layouts.setdefault(key, Layout(functions))


def _enriched(item: Function) -> Function:
    part = _PARTS.get((item.vendor, item.device))
    if part is None:
        return item
    modes = part.modes if item.modes else ()
    return dataclasses.replace(
        item,
        resettable=part.resettable,
        bar_gb=part.bar_gb,
        vf_device=part.vf_device,
        profiles=part.profiles,
        mig_profiles=part.mig_profiles,
        sriov_vgpu=part.sriov_vgpu,
        modes=modes,
    )


def _with_physical(functions: Iterable[Function], states: Mapping[str, Mapping[str, Any]]) -> list[Function]:
    """Virtual functions with their cards: the list names none, so they are given out in the order of the addresses."""
    found = list(functions)
    owners = [
        item.address
        for item in found
        if (sriov := states.get(item.address, {}).get("sriov")) is not None and sriov.active
        for _number in range(sriov.present)
    ]
    by_address = {item.address: item for item in found}
    made: dict[str, Function] = {}
    for item in found:
        if _VF not in item.device_name:
            continue
        owner = next((each for each in owners if by_address[each].vendor == item.vendor), None)
        if owner is not None:
            owners.remove(owner)
            made[item.address] = dataclasses.replace(item, physical=owner, role="vf", card="", max_vfs=0, modes=())
    return [made.get(item.address, item) for item in found]


def _shares(info: Any) -> bool:
    return str(info.graphicsType) in ("shared", "sharedDirect")


def _abilities(config: Any) -> frozenset[str]:
    names = ("diskSnapshotSupported", "memorySnapshotSupported", "suspendSupported", "migrateSupported")
    able = config.sharedGpuCapabilities or ()
    return frozenset(name for name in names if able and all(getattr(item, name, False) for item in able))


def _switch(item: Switch, config: Any, port_groups: Mapping[str, list[str]]) -> Switch:
    if item.kind != "distributed":
        return item
    uuid = next((switch.dvsUuid for switch in config.network.proxySwitch if switch.dvsName == item.name), "")
    return dataclasses.replace(item, portgroups=tuple(port_groups.get(uuid, ())))
