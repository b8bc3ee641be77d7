# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data of the environment browser: device limits, and the ids for fixed backings. PRIVATE to the collection.

Each read is a round trip to a host, so it is done only for VMs and hosts with changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..._domain.observed.hosts import Host
from ..._domain.observed.vms import Vm
from ..._domain.vm.observed_vms import ObservedVms
from ..._domain.vm.offers import KindLimits
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
    kind_limits: Mapping[str, KindLimits | None] = field(default_factory=dict)
    """VM id → what its hardware version allows of vGPUs, groups and DVX devices. It comes in the same answer as ``limits``."""


NOTHING = Options(limits={}, system_ids={}, offered={})


@reader
def read_options(session: Session, vms: Sequence[Vm], hosts: Sequence[Host], have: Options = NOTHING) -> Options:
    """Read the limits of the VMs, and the config targets of their hosts: at most two calls per host and hardware version.

    ``have``: what was read before and still holds. It is in the result, and is not read again.
    """
    by_id = {host.moid: host for host in hosts}
    browsers = find_browsers(session, hosts)
    limits, system_ids, offered = dict(have.limits), dict(have.system_ids), dict(have.offered)
    kind_limits = dict(have.kind_limits)
    known: dict[tuple[str, int], tuple[int | None, KindLimits | None]] = {}
    for vm in vms:
        host = by_id.get(vm.host_moid or "")
        browser = browsers.get(host.compute_moid) if host else None
        if host is None or browser is None or not host.is_reachable:
            limits[vm.moid] = kind_limits[vm.moid] = None
            continue
        key = (host.moid, vm.hardware_version)
        if vm.moid not in limits or vm.moid not in kind_limits:
            if key not in known:
                known[key] = _limits(session, browser, host, vm.hardware_version)
            limits[vm.moid], kind_limits[vm.moid] = known[key]
        if host.moid not in system_ids or host.moid not in offered:
            system_ids[host.moid], offered[host.moid] = _config_target(session, browser, host)
    return Options(limits=limits, system_ids=system_ids, offered=offered, kind_limits=kind_limits)


def with_options(observed: ObservedVms, options: Options) -> ObservedVms:
    """The observed state with limits, system ids and offered devices."""
    return replace(
        observed,
        limits=options.limits,
        system_ids=options.system_ids,
        offered=options.offered,
        offers=replace(observed.offers, limits=options.kind_limits),
    )


def find_browsers(session: Session, hosts: Sequence[Host]) -> dict[str, Any]:
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


def _limits(session: Session, browser: Any, host: Host, version: int) -> tuple[int | None, KindLimits | None]:
    """numPCIPassthroughDevices.max of the hardware version on this host, and what it allows of other kinds. Only this source is right for
    every build of ESXi."""
    option = config_option(session, browser, host, version)
    if option is None:
        return None, None
    devices = list(option.hardwareOptions.virtualDeviceOption or ())
    controllers = (one for one in devices if isinstance(one, vim.vm.device.VirtualPCIControllerOption))
    most = next((getattr(one.numPCIPassthroughDevices, "max", None) for one in controllers), None)
    return most, _kind_limits(option.hardwareOptions, devices)


def config_option(session: Session, browser: Any, host: Host, version: int) -> Any:
    """What the host offers to a VM of this hardware version; None when it does not offer the version, or is not reachable."""
    key = f"vmx-{version:02d}"
    reference = session.reference(vim.HostSystem, host.moid)
    try:
        if session.knows_method(vim.EnvironmentBrowser, "QueryConfigOptionEx"):
            spec = vim.EnvironmentBrowser.ConfigOptionQuerySpec(key=key, host=reference)
            return browser.QueryConfigOptionEx(spec)
        return browser.QueryConfigOption(key, reference)
    except (
        vmodl.fault.InvalidArgument,
        vmodl.fault.NotSupported,
        vmodl.fault.HostNotConnected,
        vmodl.fault.HostNotReachable,
    ):
        return None


def _kind_limits(hardware: Any, devices: Sequence[Any]) -> KindLimits | None:
    """None when the answer does not list the backings of passthrough devices."""
    kinds = vim.vm.device.VirtualPCIPassthroughOption
    own = [one for one in devices if one.__class__ is kinds]
    if not own:
        return None
    backings = [backing for one in own for backing in one.backingOption or ()]
    vgpus = [backing for backing in backings if isinstance(backing, kinds.VmiopBackingOption)]
    dvx = [backing for backing in backings if isinstance(backing, kinds.DvxBackingOption)]
    return KindLimits(
        vgpus=next((backing.maxInstances for backing in vgpus if backing.maxInstances is not None), None),
        groups=getattr(getattr(hardware, "numDeviceGroups", None), "max", None),
        backings=frozenset(["vgpu"] * bool(vgpus) + ["dvx"] * bool(dvx)),
    )


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
