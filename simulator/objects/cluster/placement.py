# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a VM starts, and whether DRS starts it or only recommends a host.

Sources: API reference. PowerOnVM_Task: DRS places a VM that it may place by itself, all others start where they are registered, and a
suspended VM resumes. PowerOnMultiVM_Task: for a VM in manual mode DRS only recommends hosts; ClusterPowerOnVmOption overrides the mode for
one call. DrsBehavior: partly automated means that initial placement is automatic. A VM with a fixed backing starts on its own host only;
one with dynamic backings wherever a free match is (vSphere 8.0 networking guide, Dynamic DirectPath).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from ...api import data
from ...core.base import Entity
from ...rules import faults
from ..host.state import HostState
from ..vm import power as vm_power
from ..vm.state import VmState
from . import drs_advice, groups
from . import ha as cluster_ha

if TYPE_CHECKING:
    from ...core.call import Call

AUTOMATIC = ("fullyAutomated", "partiallyAutomated")
BEHAVIORS = (*AUTOMATIC, "manual")


def hosts_below(entity: Entity) -> list[HostState]:
    """Every host in the tree below."""
    found: list[Any] = []
    for child in entity.down.values():
        if child.vim_type is vim.HostSystem:
            found.append(child)
        else:
            found.extend(hosts_below(child))
    return found


def candidates(vm: VmState) -> list[HostState]:
    """Hosts DRS looks at: the whole cluster when DRS is on, but not what HA keeps for a failover; else its own host."""
    cluster = vm.cluster
    if cluster is None or vm.automation == "disabled" or "fixed" in vm.device_kinds:
        return [vm.host]
    spare = cluster_ha.policy(cluster).hosts
    usable = [
        host
        for host in cluster.hosts
        if host.usable
        and host.moid not in spare
        and groups.allows(vm, host)
        and (vm.datastore is None or vm.datastore.is_mounted_on(host))
    ]
    return sorted(usable, key=lambda host: (-host.free_memory, host is not vm.host, host.name))


def ranked(vm: VmState) -> list[HostState]:
    """The hosts that take the VM, best first. Raises NoCompatibleHost with a fault per host, or the only host's own fault.

    What has nothing to do with a host is raised as it is: no placement helps against it.
    """
    hosts = candidates(vm)
    if hosts:
        vm_power.check_itself(vm)
    good: list[HostState] = []
    tried: list[tuple[HostState, Any]] = []
    pools = vm_power.pools_of(vm) if hosts else []
    for host in hosts:
        try:
            vm_power.fitting(vm, host, pools)
        except vim.fault.VimFault as fault:
            tried.append((host, fault))
        else:
            good.append(host)
    if good:
        return good
    if len(tried) == 1:
        raise tried[0][1]
    raise vim.fault.NoCompatibleHost(
        host=[host.ref for host, _fault in tried],
        error=[fault for _host, fault in tried],
        msg="No host is compatible with the virtual machine.",
    )


def by_itself(vm: VmState) -> HostState:
    """Where PowerOnVM_Task without a host starts a VM."""
    return ranked(vm)[0] if vm.automation in AUTOMATIC else vm.host


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a caller of PowerOnMultiVM_Task asks for: another automation level, or none of its own."""

    override: str = ""


def options(given: list[Any] | None) -> Options:
    """Read ClusterPowerOnVmOption. Raises InvalidArgument for what it has not, NotSupported for what is not modelled."""
    override = ""
    for item in given or []:
        if item.key == "OverrideAutomationLevel":
            override = str(item.value)
            if override not in BEHAVIORS:
                raise faults.invalid_argument("option.value")
        elif item.key == "ReserveResources" and isinstance(item.value, bool):
            if item.value:
                raise vmodl.fault.NotSupported(msg="simulator: ReserveResources is not modelled")
        else:
            raise faults.invalid_argument("option.key")
    return Options(override=override)


@dataclass
class Outcome:
    """The result for the VMs of one call, in the API's own terms."""

    attempted: list[Any] = field(default_factory=list)
    refused: list[Any] = field(default_factory=list)
    recommended: list[Any] = field(default_factory=list)

    def add(self, vm: VmState, call: Call, asked: Options) -> None:
        """Start a VM, or have a host recommended for it."""
        managed = vm.automation != "disabled"
        level = (asked.override or vm.automation) if managed else "disabled"
        vm_power.check_startable(vm)
        if level == "manual":
            self.recommended += drs_advice.placement_advice(vm, ranked(vm))
            return
        started = vm_power.power_on(vm, call, ranked(vm)[0])
        told = not managed or vm.settings.attempted_task == "always"
        self.attempted.append(data.new(vim.cluster.AttemptedVmInfo, vm=vm.ref, task=started.ref if told else None))


def power_on_several(vms: list[VmState], call: Call, asked: Options) -> Any:
    """Build ClusterPowerOnVmResult; a VM that cannot be started does not keep the others from it."""
    outcome = Outcome()
    for vm in vms:
        try:
            outcome.add(vm, call, asked)
        except vmodl.MethodFault as fault:
            outcome.refused.append(data.new(vim.cluster.NotAttemptedVmInfo, vm=vm.ref, fault=fault))
    return data.new(
        vim.cluster.PowerOnVmResult,
        attempted=outcome.attempted,
        notAttempted=outcome.refused,
        recommendations=outcome.recommended,
    )
