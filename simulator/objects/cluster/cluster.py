# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute resources: what the API shows of a host on its own or of a cluster, and their methods. Their state is in state.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pyVmomi import vim

from ...api import data
from ...api.takes import takes
from ...core.tasks import Task
from ...rules import admission, faults
from ..host import config as host_config
from . import drs_advice, groups, ha
from .state import ClusterState, ComputeState

if TYPE_CHECKING:
    from ...core.call import Call


def _summary(self: ComputeState) -> Any:
    cls = vim.ClusterComputeResource.Summary if isinstance(self, ClusterState) else vim.ComputeResource.Summary
    hosts, usable = self.hosts, [host for host in self.hosts if host.usable]
    cores = sum(host.spec.packages * host.spec.cores for host in hosts)
    values: dict[str, Any] = {}
    if isinstance(self, ClusterState):
        values = {"numVmotions": self.moved, **ha.information(self)}
    return data.new(
        cls,
        totalCpu=cores * host_config.MHZ,
        totalMemory=sum(host.spec.memory_gb for host in hosts) * host_config.GIB,
        numCpuCores=cores,
        numCpuThreads=cores * 2,
        effectiveCpu=sum(host.spec.packages * host.spec.cores for host in usable) * host_config.MHZ,
        effectiveMemory=self.memory // admission.MIB,
        numHosts=len(hosts),
        numEffectiveHosts=len(usable),
        overallStatus=self.props["overallStatus"],
        **values,
    )


class ComputeResource(ComputeState):
    """A host outside of any cluster, with its root pool."""

    live: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"summary": _summary}


class ClusterComputeResource(ClusterState):
    """A cluster: `ClusterState` with the methods of the API."""

    live: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"summary": _summary, "summaryEx": _summary}

    def ha_configuration(self, lab: Any) -> Any:
        return ha.configuration(lab)

    def GetResourceUsage(self, call: Call) -> Any:
        """What its hosts that answer use and have, and its datastores."""
        hosts = [host for host in self.hosts if host.connection == "connected"]
        stats = [host.get("summary.quickStats") for host in hosts]
        stores = [self.sim.obj(ref).props["summary"] for ref in self.props["datastore"]]
        return data.new(
            vim.cluster.ResourceUsageSummary,
            cpuUsedMHz=sum(item.overallCpuUsage for item in stats),
            cpuCapacityMHz=sum(host.cpu_mhz for host in hosts),
            memUsedMB=sum(item.overallMemoryUsage for item in stats),
            memCapacityMB=sum(host.spec.memory_gb * 1024 for host in hosts),
            storageUsedMB=sum(item.capacity - item.freeSpace for item in stores) // admission.MIB,
            storageCapacityMB=sum(item.capacity for item in stores) // admission.MIB,
        )

    @takes("host")
    def ClusterEnterMaintenanceMode(self, call: Call, host: list[Any], option: Any = None, info: Any = None) -> Any:
        """What DRS would do for these hosts; applies nothing. Only with DRS."""
        return drs_advice.maintenance_advice(self, [self.sim.obj(ref) for ref in host])

    @takes("key")
    def ApplyRecommendation(self, call: Call, key: str) -> None:
        """Start the VM of a recommendation where it says. The API reference names no privilege: that of a power-on is asked for."""
        chosen = self._recommended(key)
        vm, host = self.sim.obj(chosen.target), self.sim.obj(chosen.action[0].targetHost)
        call.require("VirtualMachine.Interact.PowerOn", vm)
        vm.PowerOnVM_Task(call, host.ref)

    @takes("key")
    def CancelRecommendation(self, call: Call, key: str) -> None:
        """Forget a recommendation."""
        chosen = self._recommended(key)
        self.set("recommendation", [item for item in self.props["recommendation"] if item.key != chosen.key])

    def _recommended(self, key: str) -> Any:
        for item in self.props["recommendation"]:
            if item.key == key:
                return item
        raise faults.invalid_argument("key")

    @takes(
        "spec.drsConfig.enabled",
        "spec.drsConfig.enableVmBehaviorOverrides",
        "spec.drsConfig.defaultVmBehavior",
        "spec.drsConfig.option.*",
        "spec.drsVmConfigSpec.operation",
        "spec.drsVmConfigSpec.removeKey",
        "spec.drsVmConfigSpec.info.key",
        "spec.drsVmConfigSpec.info.enabled",
        "spec.drsVmConfigSpec.info.behavior",
        "spec.dasConfig.enabled",
        "spec.dasConfig.failoverLevel",
        "spec.dasConfig.admissionControlEnabled",
        "spec.dasConfig.admissionControlPolicy.*",
        *groups.TAKEN,
        "modify=true",
    )
    def ReconfigureComputeResource_Task(self, call: Call, spec: Any, modify: bool) -> Task:
        """DRS and HA settings, per-VM DRS overrides, groups and VM-host rules; other parts of the spec are not modelled."""

        def body(task: Task) -> None:
            config = self.props["configurationEx"]
            drs = _merged(config.drsConfig, getattr(spec, "drsConfig", None))
            das = _merged(config.dasConfig, getattr(spec, "dasConfig", None))
            overrides = _merged_overrides(config.drsVmConfig, getattr(spec, "drsVmConfigSpec", None) or [])
            members = groups.groups_after(self, config.group, getattr(spec, "groupSpec", None) or [])
            rules = groups.rules_after(config.rule, getattr(spec, "rulesSpec", None) or [], members)
            self.update(
                {
                    "configurationEx.group": members,
                    "configurationEx.rule": rules,
                    "configuration.rule": rules,
                    "configurationEx.drsConfig": drs,
                    "configurationEx.dasConfig": das,
                    "configurationEx.drsVmConfig": overrides,
                    "configuration.drsConfig": drs,
                    "configuration.dasConfig": das,
                    "configuration.drsVmConfig": overrides,
                }
            )
            for host in self.hosts:
                if host.entering is not None:
                    host.entering.look()

        return self.sim.start_task(call, self, "ComputeResource.reconfigureEx", body, duration=1.0)


def _merged(old: Any, new: Any) -> Any:
    """Fields the new value carries win."""
    merged = data.clone(old)
    if new is not None:
        for name, value in new.__dict__.items():
            if value is not None and not (isinstance(value, list) and not value):
                setattr(merged, name, value)
    return merged


def _merged_overrides(old: list[Any], specs: list[Any]) -> list[Any]:
    """drsVmConfigSpec: add and edit replace, remove takes away."""
    found = {item.key._moId: item for item in old}
    for spec in specs:
        if str(spec.operation) == "remove":
            found.pop(spec.removeKey._moId, None)
        else:
            found[spec.info.key._moId] = spec.info
    return list(found.values())
