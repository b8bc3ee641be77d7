# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of a lab made of what a real one answered: its devices, network, storage and release.

The file holds the properties `config`, `hardware` and `capability` of one HostSystem as the server sent them: the `propSet`
elements of an answer to RetrieveProperties in an element `HostSystem` of the namespace `urn:vim25`. The answer becomes the same
description that a lab gives in words, so the host then lives as every other one does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

from pyVmomi import SoapAdapter, vim, vmodl

from ...objects.pci import Function, Layout
from ...objects.specs import Adapter, Disk, Nic, Switch, Vmkernel
from ...rules.pci.passthrough import Sriov
from .cards import LabError
from .catalogue import CLASS_NAMES

GIB = 1024**3
_ROOT = re.compile(r"(<\?xml[^>]*\?>|<!--.*?-->|\s)*<HostSystem\b(?P<rest>.*)</HostSystem>\s*", re.DOTALL)
_NEEDED = {"config", "hardware", "capability"}
_ROLES = {0x0108: "nvme", 0x0106: "sata", 0x0300: "vga", 0x0302: "gpu", 0x0403: "audio", 0x0C03: "usb", 0x0C04: "hba"}


def read(path: Path) -> dict[str, Any]:
    """The fields of a HostSpec that a recorded host decides. Raises LabError for a file that is no such answer."""
    try:
        found = _ROOT.fullmatch(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"recorded: {path} cannot be read: {error}") from None
    if found is None:
        raise LabError(f"recorded: {path} holds no element HostSystem")
    try:
        kind = vmodl.query.PropertyCollector.ObjectContent
        content = SoapAdapter.Deserialize(f"<objects {found['rest']}</objects>".encode(), kind)
    except (ExpatError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise LabError(f"recorded: {path} is no answer of a server: {error}") from None
    values = {item.name: item.val for item in content.propSet}
    if missing := sorted(_NEEDED - set(values)):
        raise LabError(f"recorded: {path} lacks {', '.join(missing)}")
    return fields(values["config"], values["hardware"], values["capability"])


def fields(config: Any, hardware: Any, capability: Any, *, strict: bool = True) -> dict[str, Any]:
    """The fields of a HostSpec. ``strict``: refuse storage adapters that are not modelled; else those without a PCI address are left out,
    and other ones are taken for RAID controllers."""
    infos = {info.id: info for info in config.pciPassthruInfo}
    network, storage = config.network, config.storageDevice
    packages = hardware.cpuInfo.numCpuPackages
    adapters = _adapters(storage, _uses(config), strict=strict)
    vsan = config.vsanHostConfig
    volumes = [mount.volume for mount in config.fileSystemVolume.mountInfo]
    return {
        "release": config.product.version,
        "build": config.product.build,
        "api": config.product.version,
        "vendor": hardware.systemInfo.vendor,
        "model": hardware.systemInfo.model,
        "uuid": hardware.systemInfo.uuid,
        "cpu": hardware.cpuPkg[0].vendor,
        "memory_gb": round(hardware.memorySize / GIB),
        "packages": packages,
        "cores": hardware.cpuInfo.numCpuCores // packages,
        "numa_nodes": max(hardware.numaInfo.numNodes, 1),
        "layout": Layout(_functions(hardware, infos, {nic.pci for nic in network.pnic})),
        "nics": _nics(network),
        "switches": _switches(network),
        "vmkernels": _vmkernels(network, config.virtualNicManagerInfo),
        "adapters": adapters,
        "nfs": tuple(volume.name for volume in volumes if isinstance(volume, vim.host.NasVolume)),
        "states": {address: state for address, info in infos.items() if (state := _state(info))},
        "rebind": bool(capability.deviceRebindWithoutRebootSupported),
        "iommu": any(info.passthruCapable for info in infos.values()),
        "boot": _boot(adapters),
        "vsan": "" if vsan is None or not vsan.enabled else "esa" if vsan.vsanEsaEnabled else "osa",
        "vsan_datastore": next((volume.name for volume in volumes if volume.type == "vsan"), ""),
    }


def _boot(adapters: Iterable[Adapter]) -> str:
    kinds = [item.kind for item in adapters if any(disk.use == "boot" for disk in item.disks)]
    return kinds[0] if kinds else "none"


# -- devices ----------------------------------------------------------------------------------------------------------


def _functions(hardware: Any, infos: Mapping[str, Any], nics: set[str]) -> list[Function]:
    nodes = {address: node.typeId for node in hardware.numaInfo.numaNode for address in node.pciId or ()}
    found = []
    for item in hardware.pciDevice:
        class_id = item.classId & 0xFFFF
        info = infos.get(item.id)
        base, role = class_id >> 8, _ROLES.get(class_id, "other")
        role = (
            "nic"
            if item.id in nics
            else "chipset"
            if base == 0x06
            else "hba"
            if base == 0x01 and role == "other"
            else role
        )
        slot = getattr(item, "physicalSlot", None)
        found.append(
            Function(
                address=item.id,
                class_id=class_id,
                vendor=item.vendorId & 0xFFFF,
                device=item.deviceId & 0xFFFF,
                subvendor=item.subVendorId & 0xFFFF,
                subdevice=item.subDeviceId & 0xFFFF,
                vendor_name=item.vendorName,
                device_name=item.deviceName,
                class_name=getattr(item, "deviceClassName", None) or CLASS_NAMES.get(class_id, ""),
                parent=item.parentBridge or "",
                dependent=(info.dependentDevice if info else "") or item.id,
                slot=-1 if slot is None else slot,
                slot_name=getattr(item, "slotDescription", None) or "",
                numa=nodes.get(item.id, -1),
                role=role,
                card="" if role == "chipset" else f"recorded@{item.id[:-2]}",
                capable=bool(info and info.passthruCapable),
                max_vfs=info.maxVirtualFunctionSupported if isinstance(info, vim.host.SriovInfo) else 0,
            )
        )
    return found


def _state(info: Any) -> dict[str, Any]:
    """What differs from a device as delivered."""
    state: dict[str, Any] = {}
    if info.passthruEnabled or info.passthruActive:
        state = {"enabled": info.passthruEnabled, "active": info.passthruActive}
    if label := getattr(info, "hardwareLabel", None):
        state["label"] = label
    if (mode := str(getattr(getattr(info, "directPathState", None), "mode", None) or "")) not in (
        "",
        "host",
        "directPath",
    ):
        state["mode"] = mode
    if isinstance(info, vim.host.SriovInfo) and info.sriovEnabled:
        state["sriov"] = Sriov(
            enabled=True,
            active=info.sriovActive,
            requested=info.numVirtualFunctionRequested,
            present=info.numVirtualFunction,
            maximum=info.maxVirtualFunctionSupported,
        )
    return state


# -- network ----------------------------------------------------------------------------------------------------------


def _nics(network: Any) -> tuple[Nic, ...]:
    switches = {key: switch.name for switch in network.vswitch for key in switch.pnic}
    switches |= {key: switch.dvsName for switch in network.proxySwitch for key in switch.pnic}
    return tuple(
        Nic(
            device=nic.device,
            address=nic.pci,
            driver=nic.driver or "",
            mac=nic.mac,
            speed=nic.linkSpeed.speedMb if nic.linkSpeed else 0,
            switch=switches.get(nic.key, ""),
        )
        for nic in network.pnic
    )


def _switches(network: Any) -> tuple[Switch, ...]:
    groups: dict[str, list[str]] = {}
    for group in network.portgroup:
        groups.setdefault(group.spec.vswitchName, []).append(group.spec.name)
    standard = [Switch(name=item.name, portgroups=tuple(groups.get(item.name, ()))) for item in network.vswitch]
    return (*standard, *(Switch(name=item.dvsName, kind="distributed") for item in network.proxySwitch))


def _vmkernels(network: Any, manager: Any) -> tuple[Vmkernel, ...]:
    services: dict[str, list[str]] = {}
    for config in manager.netConfig:
        for selected in config.selectedVnic or ():
            services.setdefault(selected.partition(".")[2], []).append(config.nicType)
    standard = {group.spec.name: group.spec.vswitchName for group in network.portgroup}
    distributed = {switch.dvsUuid: switch.dvsName for switch in network.proxySwitch}
    found = []
    for nic in network.vnic:
        port = nic.spec.distributedVirtualPort
        found.append(
            Vmkernel(
                device=nic.device,
                portgroup=nic.portgroup if port is None else port.portgroupKey,
                switch=standard.get(nic.portgroup, "") if port is None else distributed.get(port.switchUuid, ""),
                services=tuple(services.get(nic.key, ())),
                ip=nic.spec.ip.ipAddress,
            )
        )
    return tuple(found)


# -- storage ----------------------------------------------------------------------------------------------------------


def _uses(config: Any) -> dict[str, dict[str, Any]]:
    """Disk -> what it is used for: the system, datastores, vSAN, the core dump."""
    uses: dict[str, dict[str, Any]] = {}
    for mount in config.fileSystemVolume.mountInfo:
        volume = mount.volume
        for extent in getattr(volume, "extent", None) or ():
            use = uses.setdefault(extent.diskName, {})
            if volume.type == "OTHER":
                use |= {"use": "boot", "volume_uuid": use.get("volume_uuid", volume.uuid)}
            else:
                use |= {"datastore": volume.name, "volume_uuid": volume.uuid, "use": use.get("use", "datastore")}
    storage = config.vsanHostConfig.storageInfo if config.vsanHostConfig is not None else None
    for group in storage.diskMapping if storage is not None else ():
        for disk, role in [(group.ssd, "vsan-cache"), *((item, "vsan-capacity") for item in group.nonSsd)]:
            vsan = disk.vsanDiskInfo
            uses[disk.canonicalName] = {"use": role, "volume_uuid": vsan.vsanUuid if vsan else ""}
    dump = config.activeDiagnosticPartition
    if dump is not None:
        uses.setdefault(dump.id.diskName, {})["dump"] = True
    return uses


def _adapters(storage: Any, uses: Mapping[str, Mapping[str, Any]], *, strict: bool) -> tuple[Adapter, ...]:
    luns = {lun.key: lun for lun in storage.scsiLun if isinstance(lun, vim.host.ScsiDisk)}
    interfaces = {item.adapter: item for item in storage.scsiTopology.adapter}
    found = []
    for hba in storage.hostBusAdapter:
        if not hba.pci and not strict:
            continue
        if not hba.pci:
            raise LabError(f"recorded: adapter {hba.device} has no PCI address, which is not modelled")
        interface = interfaces.get(hba.key)
        disks = [
            _disk(luns[lun.scsiLun], target.target, lun.lun, uses)
            for target in (interface.target if interface else ())
            for lun in target.lun
            if lun.scsiLun in luns
        ]
        found.append(
            Adapter(
                device=hba.device,
                address=hba.pci,
                driver=hba.driver or "",
                kind=_kind(hba, strict=strict),
                model=hba.model,
                disks=tuple(disks),
            )
        )
    return tuple(found)


def _kind(hba: Any, *, strict: bool) -> str:
    kinds = {"PcieHba": "nvme", "FibreChannelHba": "fc", "ParallelScsiHba": "pscsi"}
    for name, kind in kinds.items():
        if isinstance(hba, getattr(vim.host, name)):
            return kind
    if not isinstance(hba, vim.host.BlockHba) and not strict:
        return "raid"
    if not isinstance(hba, vim.host.BlockHba):
        raise LabError(f"recorded: adapter {hba.device} is a {type(hba).__name__}, which is not modelled")
    driver = (hba.driver or "").lower()
    return "usb" if "usb" in driver else "ahci" if "ahci" in driver else "ide"


def _disk(lun: Any, target: int, number: int, uses: Mapping[str, Mapping[str, Any]]) -> Disk:
    values: dict[str, Any] = {"use": "free", **uses.get(lun.canonicalName, {})}
    return Disk(
        canonical=lun.canonicalName,
        size_gb=lun.capacity.block * lun.capacity.blockSize // GIB,
        ssd=bool(lun.ssd),
        local=lun.localDisk is not False,
        model=lun.model.strip(),
        target=target,
        lun=number,
        **values,
    )
