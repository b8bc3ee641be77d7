# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which properties a rolling reboot watches, and which it reads when these change. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..._domain.errors import DirectPathError
from ..._domain.text import several
from ..property_collector.retrieve import collect_objects
from ..property_collector.updates import NEW
from ..read.hosts import host_paths
from ..sdk import vim, vmodl
from ..session.connect import Session
from .from_rows import TASK_PATHS, size_paths
from .views import DEVICES, GRAPHICS, compute_of

_pc = vmodl.query.PropertyCollector

_HOST_PATHS = (
    "name",
    "parent",
    "runtime.connectionState",
    "runtime.powerState",
    "runtime.inMaintenanceMode",
    "runtime.standbyMode",
    "runtime.bootTime",
    "summary.rebootRequired",
    DEVICES,
    "config.network.pnic",
    "triggeredAlarmState",
    "customValue",
)
_VM_PATHS = (
    "name",
    "runtime.host",
    "runtime.powerState",
    "guest.toolsRunningStatus",
    "config.changeVersion",
    "config.template",
    "customValue",
)
_COMPUTE_PATHS = ("name", "triggeredAlarmState", "customValue")
HOST_TRIGGERS = frozenset({NEW, "runtime.connectionState", "runtime.bootTime", DEVICES, GRAPHICS})
"""When one of these changes, devices, size or uplinks of a host may have changed."""
VM_TRIGGERS = frozenset({NEW, "config.changeVersion", "runtime.powerState"})
"""The same for the hardware of a VM."""


def describe(
    session: Session, hosts: Iterable[str], *, graphics: bool = False
) -> tuple[list[Any], dict[type, list[str]]]:
    """Object specs and paths: compute resources of these hosts → hosts → VMs and tasks. Objects that join later are included.
    ``graphics``: watch the graphics of the hosts, too.

    Raises DirectPathError ``vanished`` when none of the hosts exists: a rolling reboot must not report "nothing to do" then.
    """
    wanted = sorted(hosts)
    rows = collect_objects(session, vim.HostSystem, wanted, ("parent",))
    if wanted and not rows:
        raise DirectPathError(
            message=f"The server no longer shows any of these: {several(wanted, 8)}",
            code="vanished",
            cure="Check whether they were removed from the inventory, or whether this account has lost its permissions",
        )
    parents = {compute_of(row): row.get("parent") for row in rows if row.get("parent") is not None}

    def walk(kind: type, path: str, *further: Any) -> Any:
        return _pc.TraversalSpec(type=kind, path=path, skip=False, selectSet=list(further))

    tree = [
        walk(vim.ComputeResource, "host", walk(vim.HostSystem, "vm"), walk(vim.HostSystem, "recentTask")),
        walk(vim.ComputeResource, "recentTask"),
        walk(vim.ComputeResource, "datastore"),
    ]
    objects = [_pc.ObjectSpec(obj=parents[moid], skip=False, selectSet=tree) for moid in sorted(parents)]
    objects.append(_pc.ObjectSpec(obj=session.content.rootFolder, skip=False))
    return objects, _paths(session, graphics=graphics)


def _paths(session: Session, *, graphics: bool) -> dict[type, list[str]]:
    newer_host = ["runtime.inQuarantineMode"] if session.knows(vim.host.RuntimeInfo, "inQuarantineMode") else []
    newer_vm = ["guest.toolsVersionStatus2"] if session.knows(vim.vm.GuestInfo, "toolsVersionStatus2") else []
    newer_vm += ["config.managedBy"] if session.knows(vim.vm.ConfigInfo, "managedBy") else []
    return {
        vim.HostSystem: [*_HOST_PATHS, *newer_host, *([GRAPHICS] if graphics else [])],
        vim.VirtualMachine: [*_VM_PATHS, *newer_vm],
        vim.ClusterComputeResource: [*_COMPUTE_PATHS, "configurationEx"],
        vim.ComputeResource: list(_COMPUTE_PATHS),
        vim.Datastore: ["name", "host"],
        vim.Task: list(TASK_PATHS),
        vim.Folder: ["name", "customValue"],
    }


def deep_paths(session: Session, *, graphics: bool = False) -> list[str]:
    """The paths read of a host in addition to the watched ones. Devices are included, so that all values are from one moment."""
    paths = (*host_paths(session, graphics=graphics), *size_paths(session))
    return [path for path in paths if path not in _HOST_PATHS or path == DEVICES]
