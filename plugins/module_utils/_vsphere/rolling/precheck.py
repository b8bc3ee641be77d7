# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The precheck: reads right before a host is started, expensive and only valid for a short time. PRIVATE to the collection."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._domain.host.pending_reboot import taken_devices
from ..._domain.observed.hosts import Host, UnreadVm
from ..._domain.observed.uncertain_holders import unread_vms
from ..._domain.observed.vms import FixedBacking, Vm
from ..._domain.planning.plan import Blocker
from ..._domain.rolling.state.observed import ClusterView, Precheck, VmView
from ..._domain.rolling.state.pinned import pinned_vms
from ..property_collector.retrieve import collect_objects
from ..read.fabric import read_fabric
from ..read.hosts import read_names, reread_hosts
from ..read.vms import read_residents
from ..sdk import vim, vmodl
from ..session.answer_checks import reader
from ..session.connect import Session
from ..session.faults import SESSION_LOST, words
from ..session.privileges import lacking
from .from_rows import Rules

POWER = ("VirtualMachine.Interact.PowerOff", "VirtualMachine.Interact.PowerOn")
"""Privileges to stop and start a VM. The first one also covers the shutdown of the guest."""
_MIB = 2**20
_INTERNAL = "configManager.vsanInternalSystem"
_AVAILABLE, _QUORUM, _INCOMPLETE = 1, 2, 8
"""Bits of the state of a vSAN object in CONFIG_STATUS, as vsan.check_state of RVC reads them. A healthy object has 7."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PrecheckSubject:
    """A host to precheck, and the settings of its cluster. ``stops``: ids of the VMs that would be stopped for it."""

    host: Host
    compute: str
    rules: Rules
    stops: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Evacuees:
    """VMs that would lose devices on another host: ``lost`` are names, ``uncertain`` those whose devices or host are unknown."""

    lost: tuple[str, ...] = ()
    uncertain: tuple[UnreadVm, ...] = ()


def read_evacuees(session: Session, hosts: Collection[str]) -> dict[str, Evacuees]:
    """Host id → its VMs that would lose devices. A VM is on a host if the host or the VM shows it, also a template."""
    inventory = read_names(session)
    chosen = reread_hosts(session, [host for host in inventory.hosts if host.moid in hosts], vms=True)
    residents = read_residents(session, chosen, inventory.vms)
    return {
        host.moid: Evacuees(
            lost=tuple(sorted(vm.name for vm in residents[host.moid] if _has_fixed_device(vm))),
            uncertain=unread_vms(host, residents[host.moid]),
        )
        for host in chosen
    }


def _has_fixed_device(vm: Vm) -> bool:
    return any(isinstance(device.backing, FixedBacking) for device in vm.devices)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Evacuation:
    faults: Mapping[str, str] | None = None
    refused: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Vsan:
    resync_mb: int | None = None
    incomplete: int | None = None


def to_stop(
    places: Mapping[str, str], vms: Iterable[VmView], clusters: Iterable[ClusterView]
) -> Mapping[str, tuple[str, ...]]:
    """Host id → ids of its pinned VMs. ``places``: host id → its compute resource."""
    known = {cluster.moid: cluster for cluster in clusters}
    residents: dict[str, list[VmView]] = {moid: [] for moid in places}
    for vm in vms:
        if vm.host_moid in residents:
            residents[vm.host_moid].append(vm)
    return {
        moid: tuple(vm.moid for vm in pinned_vms(found, known.get(places[moid]))) for moid, found in residents.items()
    }


def run_prechecks(
    session: Session,
    subjects: Sequence[PrecheckSubject],
    *,
    vsan_hosts: Sequence[Host],
    allow_protected: tuple[str, ...],
    tags_problem: str = "",
    evacuees: Mapping[str, Evacuees] | None = None,
    clock: Callable[[], float],
) -> dict[str, Precheck]:
    """Host id → result. ``vsan_hosts``: hosts in service; one of each cluster is asked about vSAN. ``clock``: time of the server.

    One call for each host that DRS would evacuate, three for each vSAN cluster. What a host depends on is read only where a reboot takes
    devices from it; privileges are read for all hosts together, and only where VMs would be stopped.
    """
    vsan = {
        compute: _vsan(session, [host for host in vsan_hosts if host.compute_moid == compute])
        for compute in sorted({subject.compute for subject in subjects if subject.rules.vsan})
    }
    protected = _protected(session, [subject.host for subject in subjects], allow_protected)
    stops = [session.reference(vim.VirtualMachine, moid) for subject in subjects for moid in subject.stops]
    denied = lacking(session, stops, POWER)
    prechecks = {}
    for subject in subjects:
        evacuation = _evacuation(session, subject)
        state = vsan.get(subject.compute, _Vsan())
        prechecks[subject.host.moid] = Precheck(
            at=clock(),
            evacuation_faults=evacuation.faults,
            evacuation_refused=evacuation.refused,
            vsan_resync_mb=state.resync_mb,
            vsan_inaccessible=state.incomplete,
            protected=protected.get(subject.host.moid, ()),
            denied={moid: denied[moid] for moid in subject.stops if moid in denied},
            tags_problem=tags_problem if subject.stops else "",
            lost=(evacuees or {}).get(subject.host.moid, Evacuees()).lost,
            uncertain=(evacuees or {}).get(subject.host.moid, Evacuees()).uncertain,
        )
    return prechecks


# -- DRS ------------------------------------------------------------------------------------------------------------


def _evacuation(session: Session, subject: PrecheckSubject) -> _Evacuation:
    """The dry run of DRS. It changes nothing: by the API reference, its recommendations cannot even be applied."""
    if not subject.rules.drs_enabled or subject.host.in_maintenance_mode:
        return _Evacuation()
    cluster = session.reference(vim.ClusterComputeResource, subject.compute)
    try:
        result = cluster.EnterMaintenanceMode([session.reference(vim.HostSystem, subject.host.moid)])
    except SESSION_LOST:
        raise
    except (vim.fault.NoPermission, vmodl.fault.NotSupported):
        return _Evacuation()
    except vmodl.MethodFault as fault:
        return _Evacuation(faults={}, refused=words(fault))
    faults, refused = evacuation_faults(result)
    return _Evacuation(faults=faults, refused=refused)


@reader
def evacuation_faults(result: Any) -> tuple[dict[str, str], str]:
    """From the result of the dry run: VM id → why it cannot be migrated, and the reason that does not concern one VM."""
    faults: dict[str, str] = {}
    refused: list[str] = []
    for entry in getattr(getattr(result, "fault", None), "faultsByVm", None) or ():
        why = "; ".join(dict.fromkeys(words(fault) for fault in entry.fault or ())) or "DRS gives no reason"
        if entry.vm is None:
            refused.append(why)
        else:
            faults[entry.vm._moId] = why
    return faults, "; ".join(dict.fromkeys(refused))


# -- vSAN -----------------------------------------------------------------------------------------------------------


def _vsan(session: Session, vsan_hosts: Sequence[Host]) -> _Vsan:
    """The state of all objects, as one host in service reports it. What cannot be read is unknown (None)."""
    moids = sorted(host.moid for host in vsan_hosts)
    for row in collect_objects(session, vim.HostSystem, moids[:3], (_INTERNAL,)):
        system = row.get(_INTERNAL)
        if system is None:
            continue
        internal = session.reference(vim.host.VsanInternalSystem, system._moId)
        query = vim.host.VsanInternalSystem.CmmdsQuery(type="CONFIG_STATUS")
        try:
            found = _Vsan(
                resync_mb=resync_mb(internal.QuerySyncingVsanObjects(None)),
                incomplete=incomplete_objects(internal.QueryCmmds([query])),
            )
        except SESSION_LOST:
            raise
        except vmodl.MethodFault:
            continue
        return found
    return _Vsan()


def resync_mb(text: str | None) -> int | None:
    """MB to resynchronize, from the result of QuerySyncingVsanObjects; None if the result is not readable (``BAD``)."""
    parsed = _parsed(text)
    if parsed is None:
        return None
    objects = parsed.get("dom_objects") or {}
    total = sum(
        int((component.get("attributes") or {}).get("bytesToSync") or 0)
        for entry in objects.values()
        for component in _components((entry.get("config") or {}).get("content") or {})
    )
    return -(-total // _MIB)


def incomplete_objects(text: str | None) -> int | None:
    """The number of objects that are not available, or lack copies, from CONFIG_STATUS entries; None if they are not readable."""
    parsed = _parsed(text)
    if parsed is None:
        return None
    states = [int((entry.get("content") or {}).get("state", 0)) for entry in parsed.get("result") or ()]
    return sum(not (state & _AVAILABLE and state & _QUORUM) or bool(state & _INCOMPLETE) for state in states)


def _parsed(text: str | None) -> dict[str, Any] | None:
    try:
        parsed = json.loads(text or "")
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _components(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The leaves of an object's layout. Mirrors and stripes are inner nodes with ``child-1`` and so on."""
    if node.get("type") == "Component":
        yield node
    for name, child in node.items():
        if name.startswith("child-") and isinstance(child, Mapping):
            yield from _components(child)


# -- devices --------------------------------------------------------------------------------------------------------


def _protected(session: Session, hosts: Sequence[Host], allowed: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Host id → sentences. What a host depends on is read only where a reboot makes passthrough of a device take effect."""
    taking = [host for host in hosts if any(device.enabled for device in host.pending)]
    if not taking:
        return {}
    deep = read_fabric(session, taking, disks_of=[host.moid for host in taking])
    return {host.moid: tuple(_taken(found) for found in taken_devices(host, allowed)) for host in deep}


def _taken(found: Blocker) -> str:
    """The sentence, with the override that would accept the loss, if there is one."""
    return found.message + "".join(f' (its override is "{form}")' for form in found.subjects)
