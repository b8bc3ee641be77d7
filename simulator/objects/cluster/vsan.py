# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""vSAN as a host of the cluster reports it: membership, what is left to resync, which objects cannot be reached.

Sources: API reference (HostVsanSystem, HostVsanInternalSystem, VsanHostNodeState); the JSON texts that the internal system
answers with are not in the reference, their form is what VMware's Ruby vSphere Console reads of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pyVmomi import vim, vmodl

from ...api import data
from ...api.takes import takes
from ..host.parts import HostPart
from .state import ClusterState, VsanState

if TYPE_CHECKING:
    from ...core.call import Call

DATA_AVAILABLE, QUORUM, COMPLIANT, INCOMPLETE = 1, 2, 4, 8
"""Bits of the state of a CONFIG_STATUS entry."""
ACTIVE, RESYNCING = 5, 10
"""componentState of a component that is as it should be, and of one that is being filled."""
HEALTHY_OBJECTS = 8


def _uuid(kind: int, number: int) -> str:
    return f"52{kind:06x}-0000-0000-0000-{number:012x}"


def _node(moid: str) -> str:
    return _uuid(0xA, int("".join(filter(str.isdigit, moid)) or "0"))


def syncing(state: VsanState) -> dict[str, Any]:
    """What QuerySyncingVsanObjects reports: a mirror of two per object, one half of it being filled."""
    found = {}
    share, rest = divmod(state.resync, state.objects) if state.objects else (0, 0)
    for number in range(state.objects):
        uuid = _uuid(1, number)
        left = share + (rest if number == 0 else 0)
        parts = {
            "child-1": _component(uuid, 1, {"componentState": ACTIVE}),
            "child-2": _component(
                uuid, 2, {"componentState": RESYNCING, "bytesToSync": left, "recoveryETA": left >> 27}
            ),
        }
        mirror = {"type": "RAID_1", "attributes": {}, **parts}
        content = {"type": "Configuration", "attributes": {"CSN": 7}, "child-1": mirror}
        found[uuid] = {"config": {"uuid": uuid, "type": "DOM_OBJECT", "content": content}}
    return {"dom_objects": found, "lsom_objects": {}, "disk_objects": {}}


def _component(uuid: str, number: int, attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Component",
        "attributes": {"capacity": 255 << 30, **attributes},
        "componentUuid": f"{uuid[:-2]}c{number}",
        "diskUuid": _uuid(2, number),
    }


def statuses(state: VsanState, owner: str) -> list[dict[str, Any]]:
    """The CONFIG_STATUS entries of the directory: one per object."""
    good = DATA_AVAILABLE | QUORUM | COMPLIANT
    kinds = [good] * HEALTHY_OBJECTS + [good | INCOMPLETE] * state.degraded + [INCOMPLETE] * state.inaccessible
    return [
        {
            "uuid": _uuid(3, number),
            "owner": owner,
            "health": "Healthy",
            "revision": "0",
            "type": "CONFIG_STATUS",
            "flag": "2",
            "content": {"state": value, "CSN": 7},
        }
        for number, value in enumerate(kinds)
    ]


class VsanPart(HostPart):
    """A manager of a host that takes part in vSAN."""

    @property
    def cluster(self) -> ClusterState:
        """The cluster it is a member of."""
        parent = self.host.up
        if not isinstance(parent, ClusterState):
            raise vmodl.fault.NotSupported()
        return parent


class HostVsanSystem(VsanPart):
    """vSAN on one host, which may have none of it."""

    vim_type = vim.host.VsanSystem
    id_prefix = "vsanSystem"
    live: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"config": lambda self: self.host.get("config.vsanHostConfig")}

    def QueryHostStatus(self, call: Call) -> Any:
        """Its place in the cluster, and whether it is on its way into maintenance mode."""
        host = self.host
        host.reach()
        cls = vim.vsan.host.ClusterStatus
        if not host.spec.vsan:
            off = data.new(cls.State, state="disabled")
            return data.new(cls, nodeUuid=_node(host.moid), health="unknown", nodeState=off, memberUuid=[])
        members = [item for item in self.cluster.hosts if item.spec.vsan and item.connection == "connected"]
        state = "master" if members and members[0] is host else "agent"
        if host.entering is not None:
            state = "enteringMaintenanceMode"
        return data.new(
            cls,
            uuid=_uuid(4, 1),
            nodeUuid=_node(host.moid),
            health="healthy",
            nodeState=data.new(cls.State, state=state),
            memberUuid=[_node(item.moid) for item in members],
        )


class HostVsanInternalSystem(VsanPart):
    """The directory of the vSAN objects, as text."""

    vim_type = vim.host.VsanInternalSystem
    id_prefix = "vsanInternalSystem"

    @takes("uuids")
    def QuerySyncingVsanObjects(self, call: Call, uuids: list[str] | None = None) -> str:
        """Objects with components that are being filled; with ``uuids`` only those."""
        self.host.reach()
        found = syncing(self.cluster.vsan_state)
        if uuids:
            found["dom_objects"] = {uuid: item for uuid, item in found["dom_objects"].items() if uuid in uuids}
        return json.dumps(found)

    @takes("queries.*")
    def QueryCmmds(self, call: Call, queries: list[Any]) -> str:
        """Entries of type CONFIG_STATUS, by uuid and owner if given; other types are not modelled."""
        self.host.reach()
        result: list[dict[str, Any]] = []
        for query in queries:
            if query.type != "CONFIG_STATUS":
                raise vmodl.fault.NotSupported(
                    msg=f"simulator: directory entries of type {query.type} are not modelled"
                )
            result += [
                entry
                for entry in statuses(self.cluster.vsan_state, _node(self.cluster.hosts[0].moid))
                if query.uuid in (None, "", entry["uuid"]) and query.owner in (None, "", entry["owner"])
            ]
        return json.dumps({"result": result})
