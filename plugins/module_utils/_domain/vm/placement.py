# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster decides about where its VMs run: DRS, HA, overrides, groups, and VM-host rules. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, kw_only=True, slots=True)
class VmHostRule:
    """A VM-host rule. ``affine``: it names the hosts where the VMs run; else the hosts where they do not run."""

    name: str
    vms: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    affine: bool = True
    mandatory: bool = False
    enabled: bool = True

    def forbids(self, vm: str, host: str) -> bool:
        """True when the VM cannot run on the host (ids) because of this rule."""
        return self.mandatory and self.enabled and vm in self.vms and (host in self.hosts) is not self.affine


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterPlacement:
    """The settings of one cluster. ``unmanaged``: ids of VMs that an override excludes from DRS. ``failover_hosts``: ids of the hosts that
    admission control of HA keeps free of VMs. ``groups``: names of all groups."""

    drs_enabled: bool | None = None
    ha_enabled: bool | None = None
    unmanaged: frozenset[str] = frozenset()
    failover_hosts: frozenset[str] = frozenset()
    rules: tuple[VmHostRule, ...] = ()
    groups: frozenset[str] = frozenset()


Placements: TypeAlias = Mapping[str, "ClusterPlacement | None"]
"""Cluster id → its settings. Missing: not read. None: they could not be read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PinNames:
    """Names of the rule and the groups that pin one VM. They contain the id of the VM, which stays when it is renamed."""

    rule: str
    vms: str
    hosts: str

    @classmethod
    def of(cls, vm: str) -> PinNames:
        name = f"directpath.vsphere pin {vm}"
        return cls(rule=name, vms=f"{name} VM", hosts=f"{name} host")


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    """What there is of the rule and the groups that pin one VM. ``host``: the host where the rule is in effect as it is to be."""

    exists: bool = False
    host: str | None = None
    hosts: frozenset[str] = field(default_factory=frozenset)


def find_pin(placement: ClusterPlacement, vm: str) -> Pin:
    """The rule of this collection for a VM, with what is left of it."""
    names = PinNames.of(vm)
    rule = next((rule for rule in placement.rules if rule.name == names.rule), None)
    exists = rule is not None or bool({names.vms, names.hosts} & placement.groups)
    if rule is None:
        return Pin(exists=exists)
    is_whole = rule.affine and rule.mandatory and rule.enabled and rule.vms == {vm} and len(rule.hosts) == 1
    return Pin(exists=True, host=next(iter(rule.hosts)) if is_whole else None, hosts=rule.hosts)


def forbidding_rules(placement: ClusterPlacement, vm: str, host: str) -> Iterable[str]:
    """Names of the mandatory rules of other users because of which the VM cannot run on the host."""
    own = PinNames.of(vm).rule
    return (rule.name for rule in placement.rules if rule.name != own and rule.forbids(vm, host))
