# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource pools: reservations and what is left of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pyVmomi import vim

from ..api import data
from ..api.takes import takes
from ..core.base import Endpoint, Entity
from ..rules import admission, faults

if TYPE_CHECKING:
    from ..core.call import Call


def _runtime(self: ResourcePool) -> Any:
    cls = vim.ResourcePool.ResourceUsage
    free, used = admission.unreserved_for_vm(self.chain()), self.used
    memory = data.new(
        cls,
        reservationUsed=used,
        reservationUsedForVm=sum(vm.charged for vm in self.vms if vm.is_on),
        unreservedForPool=free,
        unreservedForVm=free,
        overallUsage=used,
        maxUsage=self.owner_resource.memory,
    )
    cpu = data.new(
        cls,
        reservationUsed=0,
        reservationUsedForVm=0,
        unreservedForPool=100000,
        unreservedForVm=100000,
        overallUsage=0,
        maxUsage=100000,
    )
    return data.new(vim.ResourcePool.RuntimeInfo, memory=memory, cpu=cpu, overallStatus="green")


def _summary(self: ResourcePool) -> Any:
    return data.new(vim.ResourcePool.Summary, name=self.name, config=self.props["config"], runtime=_runtime(self))


class PoolOwner(Protocol):
    """The cluster, or the host outside of any cluster, that a pool belongs to."""

    ref: Any

    @property
    def memory(self) -> int:
        """Bytes its usable hosts have for VMs."""


class Member(Entity):
    """A VM, as its pool sees it. `charged` is what its power-on reserved, in bytes."""

    charged: int

    @property
    def is_on(self) -> bool:
        """Whether it runs."""
        raise NotImplementedError


class ResourcePool(Entity):
    """A pool; `reservation_mb` and `limit_mb` as the lab says, the root pool has what its hosts have."""

    vim_type = vim.ResourcePool
    id_prefix = "resgroup"
    live: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"runtime": _runtime, "summary": _summary}

    def __init__(
        self, sim: Endpoint, name: str, owner: PoolOwner, lab: Mapping[str, Any], *, moid: str | None = None
    ) -> None:
        self.owner_resource = owner
        allocation = data.new(
            vim.ResourceAllocationInfo,
            reservation=int(lab.get("reservation_mb", 0)),
            expandableReservation=bool(lab.get("expandable", True)),
            limit=int(lab.get("limit_mb", -1)),
            shares=data.new(vim.SharesInfo, shares=163840, level="normal"),
        )
        cpu = data.new(
            vim.ResourceAllocationInfo,
            reservation=0,
            expandableReservation=True,
            limit=-1,
            shares=data.new(vim.SharesInfo, shares=4000, level="normal"),
        )
        config = data.new(vim.ResourceConfigSpec, memoryAllocation=allocation, cpuAllocation=cpu)
        super().__init__(
            sim,
            moid,
            name=name,
            owner=owner.ref,
            config=config,
            vm=[],
            resourcePool=[],
            childConfiguration=[],
            namespace=None,
        )

    @property
    def vms(self) -> list[Member]:
        """VMs directly in the pool."""
        return [self.sim.obj(ref) for ref in self.props["vm"]]

    @property
    def pools(self) -> list[ResourcePool]:
        """Pools directly below."""
        return [child for child in self.down.values() if isinstance(child, ResourcePool)]

    @property
    def is_root(self) -> bool:
        """Whether it is the pool of a cluster or host itself."""
        return not isinstance(self.up, ResourcePool)

    @property
    def reservation(self) -> int:
        """Bytes it has for sure."""
        if self.is_root:
            return self.owner_resource.memory
        return int(self.props["config"].memoryAllocation.reservation) * admission.MIB

    @property
    def used(self) -> int:
        """Bytes its running VMs and its pools take of it."""
        own = sum(vm.charged for vm in self.vms if vm.is_on)
        return own + sum(max(pool.reservation, pool.used) for pool in self.pools)

    def chain(self) -> list[admission.Pool]:
        """This pool and its ancestors, for admission."""
        found: list[admission.Pool] = []
        node: Entity | None = self
        while isinstance(node, ResourcePool):
            expandable = not node.is_root and bool(node.props["config"].memoryAllocation.expandableReservation)
            found.append(admission.Pool(reservation=node.reservation, used=node.used, expandable=expandable))
            node = node.up
        return found

    def view_children(self) -> list[Entity]:
        return [*super().view_children(), *self.vms]

    @takes("name", "config.entity", "config.cpuAllocation.*", "config.memoryAllocation.*")
    def UpdateConfig(self, call: Call, name: str | None, config: Any) -> None:
        """Change name and reservations."""
        call.require("Resource.EditPool", self)
        if config is not None and config.entity is not None and config.entity._moId != self.moid:
            raise faults.invalid_argument("config.entity")
        if name:
            self.set("name", name)
        if config is not None:
            with self.edit("config") as merged:
                for name in ("cpuAllocation", "memoryAllocation"):
                    given = getattr(config, name)
                    for field, value in given.__dict__.items() if given is not None else ():
                        if value is not None:
                            setattr(getattr(merged, name), field, value)
