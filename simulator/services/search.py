# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SearchIndex: find hosts and VMs by what identifies them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyVmomi import vim

from ..api.data import Ref
from ..api.takes import takes
from ..core.base import Entity, ManagedObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.call import Call


def _value(obj: ManagedObject, path: str) -> Any:
    """A property, None also when it is not modelled."""
    head = path.partition(".")[0]
    return obj.get(path) if obj.has(head) else None


def _uuid(text: str) -> str:
    return text.replace("-", "").lower()


class SearchIndex(ManagedObject):
    """Searches see only what the caller may view."""

    vim_type = vim.SearchIndex

    def _all(self, call: Call, datacenter: Ref | None, vms: bool, test: Callable[[ManagedObject], bool]) -> list[Ref]:
        inside = self.sim.obj(datacenter) if datacenter is not None else None
        found = []
        for obj in self.sim.registry.all(vim.VirtualMachine if vms else vim.HostSystem):
            if inside is not None and inside not in obj.ancestors():
                continue
            if test(obj) and call.allows("System.View", obj):
                found.append(obj.ref)
        return found

    @takes("datacenter", "uuid", "vmSearch", "instanceUuid")
    def FindAllByUuid(
        self, call: Call, datacenter: Ref | None, uuid: str, vms: bool, instance: bool | None
    ) -> list[Ref]:
        """By BIOS uuid, or a VM's instance uuid."""
        if not vms:
            path = "hardware.systemInfo.uuid"
        else:
            path = "config.instanceUuid" if instance else "config.uuid"
        wanted = _uuid(uuid)
        return self._all(call, datacenter, vms, lambda obj: _uuid(str(_value(obj, path) or "")) == wanted)

    @takes("datacenter", "uuid", "vmSearch", "instanceUuid")
    def FindByUuid(self, call: Call, datacenter: Ref | None, uuid: str, vms: bool, instance: bool | None) -> Ref | None:
        """The first of FindAllByUuid."""
        return _first(self.FindAllByUuid(call, datacenter, uuid, vms, instance))

    @takes("datacenter", "dnsName", "vmSearch")
    def FindAllByDnsName(self, call: Call, datacenter: Ref | None, name: str, vms: bool) -> list[Ref]:
        """A VM's guest host name, or a host's name as added or its short form."""
        wanted = name.lower()

        def test(obj: ManagedObject) -> bool:
            known = str((_value(obj, "guest.hostName") if vms else obj.props["name"]) or "").lower()
            return known == wanted or (not vms and known.partition(".")[0] == wanted)

        return self._all(call, datacenter, vms, test)

    @takes("datacenter", "dnsName", "vmSearch")
    def FindByDnsName(self, call: Call, datacenter: Ref | None, name: str, vms: bool) -> Ref | None:
        """The first of FindAllByDnsName."""
        return _first(self.FindAllByDnsName(call, datacenter, name, vms))

    @takes("datacenter", "ip", "vmSearch")
    def FindAllByIp(self, call: Call, datacenter: Ref | None, address: str, vms: bool) -> list[Ref]:
        """A VM's guest address, or any vmkernel address of a host."""

        def test(obj: ManagedObject) -> bool:
            if vms:
                return bool(_value(obj, "guest.ipAddress") == address)
            if obj.props["name"] == address:
                return True
            nics = _value(obj, "config.network.vnic") or []
            return any(nic.spec.ip is not None and nic.spec.ip.ipAddress == address for nic in nics)

        return self._all(call, datacenter, vms, test)

    @takes("datacenter", "ip", "vmSearch")
    def FindByIp(self, call: Call, datacenter: Ref | None, address: str, vms: bool) -> Ref | None:
        """The first of FindAllByIp."""
        return _first(self.FindAllByIp(call, datacenter, address, vms))

    @takes("inventoryPath")
    def FindByInventoryPath(self, call: Call, path: str) -> Ref | None:
        """``DC/vm/folder/name``; a slash inside a name is written %2f."""
        node = self.sim.by_inventory_path(path)
        return node.ref if node is not None and call.allows("System.View", node) else None

    @takes("entity", "name")
    def FindChild(self, call: Call, entity: Ref, name: str) -> Ref | None:
        """A child by name."""
        holder = self.sim.obj(entity)
        for child in holder.view_children() if isinstance(holder, Entity) else []:
            if child.is_named(name) and call.allows("System.View", child):
                return child.ref
        return None


def _first(found: list[Ref]) -> Ref | None:
    return found[0] if found else None
