# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HA of a cluster: its configuration from the lab, what it has to spare now, and what it does not allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyVmomi import vim

from ...api import data
from ...rules import availability, maintenance
from ..host.state import HostState
from ..pci import optional
from ..vm.state import VmState
from .state import ClusterState

LAB_KEYS = {"failover_hosts", "admission_control", "percent", "dedicated"}


def configuration(lab: Any) -> Any:
    """HA of a lab: false, true, or a mapping of `failover_hosts`, `percent`, `dedicated`, `admission_control`.

    Names in `dedicated` are resolved once the hosts exist, see `dedicate`.
    """
    settings = lab if isinstance(lab, Mapping) else {}
    level = int(settings.get("failover_hosts", 1))
    if "percent" in settings:
        given = settings["percent"]
        shares = given if isinstance(given, Mapping) else {"cpu": given, "memory": given}
        policy_type = vim.cluster.FailoverResourcesAdmissionControlPolicy
        policy = data.new(
            policy_type,
            cpuFailoverResourcesPercent=int(shares.get("cpu", 0)),
            memoryFailoverResourcesPercent=int(shares.get("memory", 0)),
            **optional(policy_type, failoverLevel=level, autoComputePercentages=False),
        )
    elif "dedicated" in settings:
        policy = data.new(vim.cluster.FailoverHostAdmissionControlPolicy, failoverHosts=[])
    else:
        policy = data.new(vim.cluster.FailoverLevelAdmissionControlPolicy, failoverLevel=level)
    return data.new(
        vim.cluster.DasConfigInfo,
        enabled=bool(lab),
        hostMonitoring="enabled",
        vmMonitoring="vmMonitoringDisabled",
        failoverLevel=level,
        admissionControlEnabled=bool(lab) and bool(settings.get("admission_control", True)),
        admissionControlPolicy=policy,
    )


def policy(cluster: ClusterState) -> availability.Policy:
    """What is set aside now; nothing without HA or its admission control."""
    das = cluster.props["configurationEx"].dasConfig
    if not das.enabled or not das.admissionControlEnabled:
        return availability.Policy()
    given = das.admissionControlPolicy
    if isinstance(given, vim.cluster.FailoverResourcesAdmissionControlPolicy):
        cpu, memory = given.cpuFailoverResourcesPercent, given.memoryFailoverResourcesPercent
        return availability.Policy(kind="percent", cpu=int(cpu), memory=int(memory))
    if isinstance(given, vim.cluster.FailoverHostAdmissionControlPolicy):
        hosts = frozenset(ref._moId for ref in given.failoverHosts)
        return availability.Policy(kind="hosts", hosts=hosts)
    level = getattr(given, "failoverLevel", None) or das.failoverLevel or 1
    return availability.Policy(kind="level", level=int(level))


def rooms(cluster: ClusterState, *, without: HostState | None = None) -> list[availability.Room]:
    """The hosts VMs can run on, with the memory they have for them."""
    return [
        availability.Room(moid=host.moid, memory=host.vm_memory)
        for host in cluster.hosts
        if host.usable and host is not without
    ]


def needs(cluster: ClusterState) -> list[int]:
    """What each running VM of the cluster has reserved, overhead included."""
    return [vm.charged for host in cluster.hosts for vm in host.vms if vm.is_on]


def admits_without(cluster: ClusterState, host: HostState) -> bool:
    """Whether what is set aside would still be there without this host."""
    found = policy(cluster)
    if found.kind == "none":
        return True
    return availability.is_met(found, rooms(cluster, without=host), needs(cluster))


def check_power_on(vm: VmState, host: HostState, reserved: int) -> None:
    """Raise InsufficientFailoverResourcesFault when one more VM leaves too little (vSphere Availability guide)."""

    cluster = host.up
    if not isinstance(cluster, ClusterState):
        return
    found = policy(cluster)
    if found.kind == "none":
        return
    if host.moid in found.hosts or not availability.is_met(found, rooms(cluster), [*needs(cluster), reserved]):
        raise maintenance.failover_fault()


def information(cluster: ClusterState) -> dict[str, Any]:
    """The fields of the cluster's summary about HA."""
    usable, running = rooms(cluster), needs(cluster)
    level = availability.failover_level(usable, running)
    found = policy(cluster)
    info: Any = None
    if found.kind == "percent":
        total = sum(host.cpu_mhz for host in cluster.hosts if host.usable)
        info = data.new(
            vim.cluster.FailoverResourcesAdmissionControlInfo,
            currentCpuFailoverResourcesPercent=100 if total else 0,  # no VM here reserves CPU
            currentMemoryFailoverResourcesPercent=availability.free_percent(usable, running),
        )
    elif found.kind == "hosts":
        cls = vim.cluster.FailoverHostAdmissionControlInfo
        status = [
            data.new(cls.HostStatus, host=host.ref, status="green" if host.usable else "red")
            for host in cluster.hosts
            if host.moid in found.hosts
        ]
        info = data.new(cls, hostStatus=status)
    elif found.kind == "level":
        info = data.new(vim.cluster.FailoverLevelAdmissionControlInfo, currentFailoverLevel=level)
    return {"currentFailoverLevel": level, "admissionControlInfo": info}
