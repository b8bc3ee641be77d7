# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where DRS starts a VM: the first host of its cluster that takes it, by free memory.

A VM with a fixed backing starts on its own host only; one with dynamic backings wherever a free match is (vSphere 8.0
networking guide, Dynamic DirectPath).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyVmomi import vim

from ..base import Entity
from . import vm_power

if TYPE_CHECKING:
    from ..dispatch import Call
    from ..tasks import Task
    from .host import HostSystem
    from .vm import VirtualMachine


def hosts_below(entity: Entity) -> list[HostSystem]:
    """Every host in the tree below."""
    found: list[Any] = []
    for child in entity.down.values():
        if child.vim_type is vim.HostSystem:
            found.append(child)
        else:
            found.extend(hosts_below(child))
    return found


def candidates(vm: VirtualMachine) -> list[HostSystem]:
    """Hosts DRS looks at: the whole cluster when DRS is on, else its own host."""
    from .cluster import ClusterComputeResource

    parent = vm.host.up
    if not isinstance(parent, ClusterComputeResource) or not parent.drs_enabled or vm.automation == "disabled":
        return [vm.host]
    if "fixed" in vm.device_kinds:
        return [vm.host]
    usable = [
        host for host in parent.hosts if host.usable and (vm.datastore is None or vm.datastore.is_mounted_on(host))
    ]
    return sorted(usable, key=lambda host: (-host.free_memory, host is not vm.host, host.name))


def choose(vm: VirtualMachine) -> HostSystem:
    """The host that takes the VM. Raises NoCompatibleHost with a fault per host, or the only host's own fault."""
    tried: list[tuple[HostSystem, Any]] = []
    for host in candidates(vm):
        try:
            vm_power.fitting(vm, host)
        except vim.fault.VimFault as fault:
            tried.append((host, fault))
        else:
            return host
    if len(tried) == 1:
        raise tried[0][1]
    raise vim.fault.NoCompatibleHost(
        host=[host.ref for host, _fault in tried],
        error=[fault for _host, fault in tried],
        msg="No host is compatible with the virtual machine.",
    )


def power_on(vm: VirtualMachine, call: Call) -> Task:
    """Start the power-on where DRS wants it; raises when there is no such place."""
    vm_power.check_state(vm, "poweredOff", "poweredOn")
    return vm_power.power_on(vm, call, choose(vm))
