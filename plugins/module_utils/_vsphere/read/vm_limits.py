# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data of the environment browser: device limits, and the ids for fixed backings. PRIVATE to the collection.

Each read is a round trip to a host, so it is done only for VMs and hosts with changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._domain.observed.hosts import Host
from ..._domain.observed.vms import Vm
from ..property_collector.mixed_types import collect_named
from ..sdk import vim, vmodl
from ..session.answer_checks import reader
from ..session.connect import Session


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """``limits``: VM id → maximum of passthrough devices for its hardware version on its host (None: unknown).

    ``system_ids``: host id → the id that fixed backings on this host must have. ``offered``: host id → addresses of the devices that the
    host offers to VMs, with its virtual functions (None: not read or unknown).
    """

    limits: Mapping[str, int | None]
    system_ids: Mapping[str, str | None]
    offered: Mapping[str, frozenset[str] | None]


NOTHING = Options(limits={}, system_ids={}, offered={})


@reader
def read_options(session: Session, vms: Sequence[Vm], hosts: Sequence[Host], have: Options = NOTHING) -> Options:
    """Read the limits of the VMs, and the config targets of their hosts: at most two calls per host and hardware version.

    ``have``: what was read before and still holds. It is in the result, and is not read again.
    """
    by_id = {host.moid: host for host in hosts}
    browsers = _browsers(session, hosts)
    limits, system_ids, offered = dict(have.limits), dict(have.system_ids), dict(have.offered)
    known: dict[tuple[str, int], int | None] = {}
    for vm in vms:
        host = by_id.get(vm.host_moid or "")
        browser = browsers.get(host.compute_moid) if host else None
        if host is None or browser is None or not host.is_reachable:
            limits[vm.moid] = None
            continue
        key = (host.moid, vm.hardware_version)
        if vm.moid not in limits:
            if key not in known:
                known[key] = _limit(session, browser, host, vm.hardware_version)
            limits[vm.moid] = known[key]
        if host.moid not in system_ids or host.moid not in offered:
            system_ids[host.moid], offered[host.moid] = _config_target(session, browser, host)
    return Options(limits=limits, system_ids=system_ids, offered=offered)


def _browsers(session: Session, hosts: Sequence[Host]) -> dict[str, Any]:
    """Compute resource id → its environment browser. Clusters and others are read by their own types, as the server requires. A compute
    resource always keeps its browser, so it is read once in a session."""
    alone, clusters = vim.ComputeResource, vim.ClusterComputeResource
    unknown = [host for host in hosts if host.compute_moid and host.compute_moid not in session.browsers]
    named = {
        clusters: {host.compute_moid for host in unknown if host.cluster is not None},
        alone: {host.compute_moid for host in unknown if host.cluster is None},
    }
    if unknown:
        rows = collect_named(session, named, dict.fromkeys(named, ("environmentBrowser",)))
        for row in (row for kind in named for row in rows[kind]):
            browser = row.get("environmentBrowser")
            if browser is not None:
                session.browsers[row.moid] = browser._moId
    return {moid: session.reference(vim.EnvironmentBrowser, browser) for moid, browser in session.browsers.items()}


def _limit(session: Session, browser: Any, host: Host, version: int) -> int | None:
    """numPCIPassthroughDevices.max of the hardware version on this host. Only this source is right for every build of ESXi."""
    key = f"vmx-{version:02d}"
    reference = session.reference(vim.HostSystem, host.moid)
    try:
        if session.knows_method(vim.EnvironmentBrowser, "QueryConfigOptionEx"):
            spec = vim.EnvironmentBrowser.ConfigOptionQuerySpec(key=key, host=reference)
            option = browser.QueryConfigOptionEx(spec)
        else:
            option = browser.QueryConfigOption(key, reference)
    except (
        vmodl.fault.InvalidArgument,
        vmodl.fault.NotSupported,
        vmodl.fault.HostNotConnected,
        vmodl.fault.HostNotReachable,
    ):
        return None
    devices = option.hardwareOptions.virtualDeviceOption if option is not None else ()
    for device in devices or ():
        if isinstance(device, vim.vm.device.VirtualPCIControllerOption):
            return getattr(device.numPCIPassthroughDevices, "max", None)
    return None


def _config_target(session: Session, browser: Any, host: Host) -> tuple[str | None, frozenset[str] | None]:
    try:
        target = browser.QueryConfigTarget(session.reference(vim.HostSystem, host.moid))
    except (vmodl.fault.NotSupported, vmodl.fault.HostNotConnected, vmodl.fault.HostNotReachable):
        return None, None
    if target is None:
        return None, None
    fixed = list(target.pciPassthrough or ())
    shared = list(getattr(target, "sriov", None) or ())
    # All devices of a host have the same id, so the SR-IOV capable ones are a source for it too.
    system_id = next((entry.systemId for entry in [*fixed, *shared] if entry.systemId), None)
    return system_id, frozenset(entry.pciDevice.id.lower() for entry in [*fixed, *shared])
