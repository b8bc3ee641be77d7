# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rolling reboot watches, and what it reads when that changes. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..._domain.errors import DirectPathError
from ..property_collector.retrieve import collect_objects
from ..property_collector.updates import NEW
from ..read.hosts import host_paths
from ..sdk import vim, vmodl
from ..session.connect import Session
from .from_rows import TASK_PATHS, size_paths
from .views import DEVICES, compute_of

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
HOST_TRIGGERS = frozenset({NEW, "runtime.connectionState", "runtime.bootTime", DEVICES})
"""Changes of these mean that devices, size or uplinks of a host may be others."""
VM_TRIGGERS = frozenset({NEW, "config.changeVersion", "runtime.powerState"})
"""The same for the hardware of a VM."""


def describe(session: Session, hosts: Iterable[str]) -> tuple[list[Any], dict[type, list[str]]]:
    """Object specs and paths: compute resources of these hosts → hosts → VMs and tasks. What joins later is selected by itself.

    Raises DirectPathError ``vanished`` when none of the hosts is there: a roll must not take that for having nothing to do.
    """
    wanted = sorted(hosts)
    rows = collect_objects(session, vim.HostSystem, wanted, ("parent",))
    if wanted and not rows:
        raise DirectPathError(
            message=f"The server does not show any of the {len(wanted)} hosts any more ({', '.join(wanted[:8])})",
            code="vanished",
            cure="See whether they were removed from the inventory, or the rights of this account were",
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
    return objects, _paths(session)


def _paths(session: Session) -> dict[type, list[str]]:
    newer_host = ["runtime.inQuarantineMode"] if session.knows(vim.host.RuntimeInfo, "inQuarantineMode") else []
    newer_vm = ["guest.toolsVersionStatus2"] if session.knows(vim.vm.GuestInfo, "toolsVersionStatus2") else []
    newer_vm += ["config.managedBy"] if session.knows(vim.vm.ConfigInfo, "managedBy") else []
    return {
        vim.HostSystem: [*_HOST_PATHS, *newer_host],
        vim.VirtualMachine: [*_VM_PATHS, *newer_vm],
        vim.ClusterComputeResource: [*_COMPUTE_PATHS, "configurationEx"],
        vim.ComputeResource: list(_COMPUTE_PATHS),
        vim.Datastore: ["name", "host"],
        vim.Task: list(TASK_PATHS),
        vim.Folder: ["name", "customValue"],
    }


def deep_paths(session: Session) -> list[str]:
    """What is read of a host beside what is watched, and its devices once more: both halves of them are of one moment then."""
    paths = (*host_paths(session), *size_paths(session))
    return [path for path in paths if path not in _HOST_PATHS or path == DEVICES]
