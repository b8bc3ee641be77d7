# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make and remove the VM-host rule that pins a VM. PRIVATE to the collection.

The groups come before the rule that names them, and go after it, in a call of their own: it is not confirmed that one call may do both.
Only the rule and the groups with the names of this VM are written to (``PinNames``).
"""

from __future__ import annotations

from typing import Any

from ..._domain.errors import DirectPathError
from ..._domain.observed.vms import Vm
from ..._domain.planning.details import PinToHost
from ..._domain.vm.placement import PinNames
from ..property_collector.retrieve import collect_objects
from ..property_collector.wait import wait_for_task
from ..sdk import vim
from ..session.connect import Session
from ..session.faults import explained

_TIMEOUT = 300.0
_DOING = "change the VM-host rule of {}"


def write_pin(session: Session, vm: Vm, pin: PinToHost) -> str:
    """Make, correct or remove the rule. Returns what was done, as a clause. Raises DirectPathError."""
    # One write after another to each cluster: what is added or edited is decided from what was read right before.
    with session.turn(f"rules of {pin.compute_moid}"), explained(_DOING, vm.name):
        config = _read(session, pin.compute_moid, vm)
        if pin.host_moid is None:
            _remove(session, vm, pin.compute_moid, config)
            return "its VM-host rule was removed"
        _make(session, vm, pin.compute_moid, pin.host_moid, config)
        return "its VM-host rule was set"


def _read(session: Session, compute: str, vm: Vm) -> Any:
    rows = collect_objects(session, vim.ClusterComputeResource, [compute], ("configurationEx",))
    config = rows[0].get("configurationEx") if rows else None
    if config is None:
        raise DirectPathError(
            message=f"The rules of the cluster of {vm.name} cannot be read",
            code="rules_unreadable",
            cure="Check that the account has System.Read on the cluster",
        )
    return config


def _make(session: Session, vm: Vm, compute: str, host: str, config: Any) -> None:
    names, known = PinNames.of(vm.moid), {group.name for group in config.group or ()}
    machine, place = session.reference(vim.VirtualMachine, vm.moid), session.reference(vim.HostSystem, host)
    groups = [
        vim.cluster.VmGroup(name=names.vms, userCreated=True, vm=[machine]),
        vim.cluster.HostGroup(name=names.hosts, userCreated=True, host=[place]),
    ]
    specs = [vim.cluster.GroupSpec(operation="edit" if group.name in known else "add", info=group) for group in groups]
    _reconfigure(session, vm, compute, vim.cluster.ConfigSpecEx(groupSpec=specs))
    rule = vim.cluster.VmHostRuleInfo(
        name=names.rule,
        enabled=True,
        mandatory=True,
        userCreated=True,
        vmGroupName=names.vms,
        affineHostGroupName=names.hosts,
    )
    key = _key_of(config, names)
    if key is not None:
        rule.key = key
    spec = vim.cluster.RuleSpec(operation="add" if key is None else "edit", info=rule)
    _reconfigure(session, vm, compute, vim.cluster.ConfigSpecEx(rulesSpec=[spec]))


def _remove(session: Session, vm: Vm, compute: str, config: Any) -> None:
    names = PinNames.of(vm.moid)
    key = _key_of(config, names)
    if key is not None:
        spec = vim.cluster.RuleSpec(operation="remove", removeKey=key)
        _reconfigure(session, vm, compute, vim.cluster.ConfigSpecEx(rulesSpec=[spec]))
    groups = [group.name for group in config.group or () if group.name in (names.vms, names.hosts)]
    if groups:
        specs = [vim.cluster.GroupSpec(operation="remove", removeKey=name) for name in groups]
        _reconfigure(session, vm, compute, vim.cluster.ConfigSpecEx(groupSpec=specs))


def _key_of(config: Any, names: PinNames) -> int | None:
    return next((rule.key for rule in config.rule or () if rule.name == names.rule), None)


def _reconfigure(session: Session, vm: Vm, compute: str, spec: Any) -> None:
    cluster = session.reference(vim.ClusterComputeResource, compute)
    task = cluster.ReconfigureComputeResource_Task(spec, modify=True)
    wait_for_task(session, task, doing=_DOING, on=vm.name, timeout=_TIMEOUT)
