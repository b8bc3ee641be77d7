# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups and VM-host rules of a cluster: what a specification makes of them, and where they let a VM run.

Sources: API reference (ClusterGroupSpec, ClusterRuleSpec, ClusterVmHostRuleInfo, VmHostAffinityRuleViolation). A mandatory rule binds DRS,
HA and the person who powers a VM on or moves it; it applies while DRS is off, too, because it limits which hosts are compatible with the
VM (vSphere resource management guide and a well known article of its authors; inferred for the API). Rules that keep VMs together or apart
are not modelled.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from ...api import data
from ...rules import faults

if TYPE_CHECKING:
    from ..host.state import HostState
    from ..vm.state import VmState
    from .state import ClusterState

TAKEN = (
    "spec.groupSpec.operation",
    "spec.groupSpec.removeKey",
    *(f"spec.groupSpec.info.{name}" for name in ("name", "userCreated", "vm", "host")),
    "spec.rulesSpec.operation",
    "spec.rulesSpec.removeKey",
    *(
        f"spec.rulesSpec.info.{name}"
        for name in (
            "key",
            "name",
            "enabled",
            "mandatory",
            "userCreated",
            "vmGroupName",
            "affineHostGroupName",
            "antiAffineHostGroupName",
        )
    ),
)
"""What ReconfigureComputeResource_Task honors of groups and rules."""


def groups_after(cluster: ClusterState, old: Iterable[Any], specs: Iterable[Any]) -> list[Any]:
    """The groups after the specification; a name is there once. Raises InvalidArgument."""
    found = {group.name: group for group in old}
    for spec in specs:
        operation = str(spec.operation)
        if operation == "remove":
            if spec.removeKey not in found:
                raise faults.invalid_argument("spec.groupSpec.removeKey")
            found.pop(spec.removeKey)
            continue
        name = spec.info.name
        if not name or (name in found) is (operation == "add"):
            raise faults.invalid_argument("spec.groupSpec.info.name")
        found[name] = _group(cluster, spec.info)
    return list(found.values())


def _group(cluster: ClusterState, info: Any) -> Any:
    inside: list[Any]
    if isinstance(info, vim.cluster.VmGroup):
        inside = [vm.ref for host in cluster.hosts for vm in host.vms]
        field, members = "vm", info.vm
    elif isinstance(info, vim.cluster.HostGroup):
        inside = [host.ref for host in cluster.hosts]
        field, members = "host", info.host
    else:
        raise faults.invalid_argument("spec.groupSpec.info")
    known = {ref._moId for ref in inside}
    if any(ref._moId not in known for ref in members):
        raise faults.invalid_argument(f"spec.groupSpec.info.{field}")
    return data.new(type(info), name=info.name, userCreated=bool(info.userCreated), **{field: list(members)})


def rules_after(old: Iterable[Any], specs: Iterable[Any], groups: Iterable[Any]) -> list[Any]:
    """The rules after the specification. Raises InvalidArgument for a group that is not there, NotSupported for other kinds of rules."""
    found = {rule.key: rule for rule in old}
    for spec in specs:
        operation = str(spec.operation)
        if operation == "remove":
            if spec.removeKey not in found:
                raise faults.invalid_argument("spec.rulesSpec.removeKey")
            found.pop(spec.removeKey)
            continue
        if not isinstance(spec.info, vim.cluster.VmHostRuleInfo):
            raise vmodl.fault.NotSupported(msg="simulator: rules between VMs are not modelled")
        key = max(found, default=0) + 1 if operation == "add" else spec.info.key
        if operation == "edit" and key not in found:
            raise faults.invalid_argument("spec.rulesSpec.info.key")
        if any(rule.name == spec.info.name and rule.key != key for rule in found.values()):
            raise faults.invalid_argument("spec.rulesSpec.info.name")
        found[key] = _rule(spec.info, key)
    _check_references(found.values(), groups)
    return list(found.values())


def _rule(info: Any, key: int) -> Any:
    return data.new(
        vim.cluster.VmHostRuleInfo,
        key=key,
        name=info.name,
        status="green",
        enabled=bool(info.enabled),
        mandatory=bool(info.mandatory),
        userCreated=bool(info.userCreated),
        inCompliance=True,
        vmGroupName=info.vmGroupName,
        affineHostGroupName=info.affineHostGroupName,
        antiAffineHostGroupName=info.antiAffineHostGroupName,
    )


def _check_references(rules: Iterable[Any], groups: Iterable[Any]) -> None:
    kinds = {group.name: type(group) for group in groups}
    for rule in rules:
        if kinds.get(rule.vmGroupName) is not vim.cluster.VmGroup:
            raise faults.invalid_argument("spec.rulesSpec.info.vmGroupName")
        for name in (rule.affineHostGroupName, rule.antiAffineHostGroupName):
            if name and kinds.get(name) is not vim.cluster.HostGroup:
                raise faults.invalid_argument("spec.rulesSpec.info.affineHostGroupName")


def allows(vm: VmState, host: HostState) -> bool:
    """Whether the mandatory rules of the cluster let the VM run on the host."""
    cluster = vm.cluster
    if cluster is None:
        return True
    config = cluster.props["configurationEx"]
    members = {
        group.name: {ref._moId for ref in (group.vm if isinstance(group, vim.cluster.VmGroup) else group.host)}
        for group in config.group
    }
    for rule in config.rule:
        if not (rule.enabled and rule.mandatory) or vm.moid not in members.get(rule.vmGroupName, ()):
            continue
        if rule.affineHostGroupName and host.moid not in members.get(rule.affineHostGroupName, ()):
            return False
        if rule.antiAffineHostGroupName and host.moid in members.get(rule.antiAffineHostGroupName, ()):
            return False
    return True


def check(vm: VmState, host: HostState) -> None:
    """Raise VmHostAffinityRuleViolation for a host where a mandatory rule does not let the VM run (API reference)."""
    if not allows(vm, host):
        raise vim.fault.VmHostAffinityRuleViolation(
            vmName=vm.name,
            hostName=host.name,
            msg=f"Virtual machine {vm.name} on host {host.name} would violate a virtual machine - host affinity rule",
        )


def forget(vm: VmState) -> None:
    """A VM that leaves the inventory is no member of a group any more."""
    cluster = vm.cluster
    if cluster is None:
        return
    config = cluster.props["configurationEx"]
    if not any(vm.moid in {ref._moId for ref in getattr(group, "vm", None) or ()} for group in config.group):
        return
    groups = [data.clone(group) for group in config.group]
    for group in groups:
        if isinstance(group, vim.cluster.VmGroup):
            group.vm = [ref for ref in group.vm if ref._moId != vm.moid]
    cluster.update({"configurationEx.group": groups})
