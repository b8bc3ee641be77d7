# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of the fabric of a host that are unknown or contradictory. PRIVATE to the collection.

A property is unknown when the server did not return it (``missingSet``), when it returned nothing of the object that has it, or when
another property contradicts its absence. Otherwise an unset optional property means "none": a host without a distributed switch, NVMe
or vSAN, or an older release.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..._domain.facts import Gap
from ..property_collector.retrieve import Row
from .disk_paths import TOPOLOGIES

_NETWORK = (
    "config.network.pnic",
    "config.network.vswitch",
    "config.network.proxySwitch",
    "config.network.opaqueSwitch",
    "config.network.portgroup",
    "config.network.vnic",
)
_STORAGE = (
    "config.storageDevice.hostBusAdapter",
    "config.storageDevice.scsiLun",
    *TOPOLOGIES,
)
_VOLUMES = ("config.fileSystemVolume.mountInfo", "config.fileSystemVolume.volumeTypeList")

FACT_PATHS: Mapping[str, tuple[str, ...]] = {
    "nics": ("config.network.pnic",),
    "switches": (*_NETWORK[1:], "config.virtualNicManagerInfo.netConfig"),
    "adapters": ("config.storageDevice.hostBusAdapter", *TOPOLOGIES),
    "disks": (
        "config.storageDevice.scsiLun",
        *_VOLUMES,
        "config.activeDiagnosticPartition",
        "config.vsanHostConfig",
    ),
    "vsan_esa": ("config.vsanHostConfig",),
    "graphics": ("config.graphicsInfo",),
}
"""Fact of the fabric → the properties that it is read from. All properties that a guard uses are here."""

_PARENTS: Mapping[str, tuple[str, ...]] = {
    "config.network": _NETWORK,
    "config.storageDevice": _STORAGE,
    "config.fileSystemVolume": _VOLUMES,
}
"""Object → those of its properties that are read. A host that answers always has one of them."""


def gaps_by_fact(row: Row) -> dict[str, tuple[Gap, ...]]:
    """Fact → why it is unknown or incomplete; empty if it is known."""
    found = {gap.path: gap for gap in (*_contradictions(row), *_absent_parents(row), *_refused(row))}
    return {fact: tuple(found[path] for path in paths if path in found) for fact, paths in FACT_PATHS.items()}


def _refused(row: Row) -> Iterator[Gap]:
    for path in row.missing:
        yield Gap(path=path)


def _absent_parents(row: Row) -> Iterator[Gap]:
    for parent, paths in _PARENTS.items():
        if all(row.get(path) is None for path in paths):
            for path in paths:
                yield Gap(path=path, why=f"is unknown, because the host returned nothing of {parent}")


def _contradictions(row: Row) -> Iterator[Gap]:
    for path, contradiction in _CONTRADICTIONS.items():
        why = contradiction(row)
        if why:
            yield Gap(path=path, why=why)


def _pnic(row: Row) -> str:
    known = {nic.key for nic in row.get("config.network.pnic", ())}
    named = {key for switch in _switches(row) for key in switch.pnic or ()}
    return _incomplete("a virtual switch has the uplink", named - known)


def _vswitch(row: Row) -> str:
    known = {switch.name for switch in row.get("config.network.vswitch", ())}
    return _incomplete("a port group is on the virtual switch", {g.spec.vswitchName for g in _port_groups(row)} - known)


def _proxy_switch(row: Row) -> str:
    known = {switch.dvsUuid for switch in row.get("config.network.proxySwitch", ())}
    ports = [nic.spec.distributedVirtualPort for nic in row.get("config.network.vnic", ())]
    return _incomplete("a vmkernel adapter is on the distributed switch", {p.switchUuid for p in ports if p} - known)


def _opaque_switch(row: Row) -> str:
    proxies = row.get("config.network.proxySwitch", ())
    if row.get("config.network.opaqueSwitch") or any(getattr(switch, "nsxtEnabled", False) for switch in proxies):
        return ""
    on_opaque = {nic.device for nic in row.get("config.network.vnic", ()) if getattr(nic.spec, "opaqueNetwork", None)}
    return _incomplete("an opaque network carries", on_opaque)


def _portgroup(row: Row) -> str:
    known = {group.spec.name for group in _port_groups(row)}
    standard = {nic.portgroup for nic in row.get("config.network.vnic", ()) if _is_on_port_group(nic)}
    return _incomplete("a vmkernel adapter is on the port group", standard - known)


def _is_on_port_group(nic: Any) -> bool:
    elsewhere = nic.spec.distributedVirtualPort or getattr(nic.spec, "opaqueNetwork", None)
    return bool(nic.portgroup) and not elsewhere


def _vnic(row: Row) -> str:
    """A host that answers has a vmkernel adapter."""
    return "" if row.get("config.network.vnic") else "is empty, although the host answers on a vmkernel adapter"


def _net_config(row: Row) -> str:
    """Every release has a management service, even if older ones name it differently."""
    if row.get("config.virtualNicManagerInfo.netConfig"):
        return ""
    return "is empty, so the switch with the management network is unknown"


def _adapters(row: Row) -> str:
    known = {adapter.key for adapter in row.get("config.storageDevice.hostBusAdapter", ())}
    named = {part.adapter for name in ("scsiTopology", "nvmeTopology") for part in _parts(row, name, "adapter")}
    named |= {part.adapter for part in _parts(row, "plugStoreTopology", "adapter")}
    named |= {path.adapter for unit in _parts(row, "multipathInfo", "lun") for path in unit.path or ()}
    if not known and row.get("config.storageDevice.scsiLun"):
        return "is empty, although the host has disks"
    return _incomplete("a topology names", {adapter for adapter in named if adapter} - known)


def _scsi_luns(row: Row) -> str:
    known = {lun.key for lun in row.get("config.storageDevice.scsiLun", ())}
    targets = [t for part in _parts(row, "scsiTopology", "adapter") for t in part.target or ()]
    named = {lun.scsiLun for target in targets for lun in target.lun or ()}
    named |= {unit.lun for unit in _parts(row, "multipathInfo", "lun")}
    named |= {device.lun for device in _parts(row, "plugStoreTopology", "device")}
    return _incomplete("a topology leads to", {lun for lun in named if lun} - known)


def _topologies(row: Row) -> str:
    """At least one topology has all adapters, also those without disks. With none, the disks behind the adapters are unknown."""
    if any(row.get(path) for path in TOPOLOGIES) or not row.get("config.storageDevice.hostBusAdapter"):
        return ""
    return "is empty, as are all other topologies, although the host has storage adapters"


def _incomplete(claim: str, missing: set[str]) -> str:
    return f"is incomplete: {claim} {sorted(missing)[0]}, which is missing there" if missing else ""


def _switches(row: Row) -> list[Any]:
    kinds = ("vswitch", "proxySwitch", "opaqueSwitch")
    return [switch for kind in kinds for switch in row.get(f"config.network.{kind}", ())]


def _port_groups(row: Row) -> Any:
    return row.get("config.network.portgroup", ())


def _parts(row: Row, topology: str, part: str) -> Any:
    return getattr(row.get(f"config.storageDevice.{topology}"), part, None) or ()


_CONTRADICTIONS: Mapping[str, Callable[[Row], str]] = {
    "config.network.pnic": _pnic,
    "config.network.vswitch": _vswitch,
    "config.network.proxySwitch": _proxy_switch,
    "config.network.opaqueSwitch": _opaque_switch,
    "config.network.portgroup": _portgroup,
    "config.network.vnic": _vnic,
    "config.virtualNicManagerInfo.netConfig": _net_config,
    "config.storageDevice.hostBusAdapter": _adapters,
    "config.storageDevice.scsiLun": _scsi_luns,
    "config.storageDevice.scsiTopology": _topologies,
}
"""Property → function that returns the contradiction with other properties; an empty text if there is none."""
