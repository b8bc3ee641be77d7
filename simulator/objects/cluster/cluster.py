# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute resources: a host on its own, or a cluster with DRS and HA."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pyVmomi import vim

from ...api import data
from ...api.names import escaped
from ...api.takes import takes
from ...core.base import Endpoint, Entity
from ...core.tasks import Task
from ...rules import admission, faults
from ..host import config as host_config
from ..host import vsan as host_vsan
from ..host.host import HostSystem
from . import drs_advice
from . import ha as cluster_ha

if TYPE_CHECKING:
    from ...core.call import Call
    from ...core.clock import Timer
    from ..pool import ResourcePool
    from ..vm.vm import VirtualMachine


def _summary(self: ComputeResource) -> Any:
    cls = (
        vim.ClusterComputeResource.Summary if isinstance(self, ClusterComputeResource) else vim.ComputeResource.Summary
    )
    hosts, usable = self.hosts, [host for host in self.hosts if host.usable]
    cores = sum(host.spec.packages * host.spec.cores for host in hosts)
    values: dict[str, Any] = {}
    if isinstance(self, ClusterComputeResource):
        values = {"numVmotions": self.moved, **cluster_ha.information(self)}
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


class ComputeResource(Entity):
    """A host outside of any cluster, with its root pool."""

    vim_type = vim.ComputeResource
    id_prefix = "domain-s"
    live: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"summary": _summary}

    def __init__(self, sim: Endpoint, name: str, *, moid: str | None = None) -> None:
        super().__init__(
            sim, moid, name=name, host=[], datastore=[], network=[], resourcePool=None, environmentBrowser=None
        )
        self.props["configurationEx"] = data.new(vim.ComputeResource.ConfigInfo, vmSwapPlacement="vmDirectory")

    @property
    def hosts(self) -> list[HostSystem]:
        """Its hosts in order of arrival."""
        return [child for child in self.down.values() if isinstance(child, HostSystem)]

    @property
    def pool(self) -> ResourcePool:
        """Its root resource pool."""
        found: ResourcePool = self.sim.obj(self.props["resourcePool"])
        return found

    @property
    def memory(self) -> int:
        """Bytes its usable hosts have for VMs."""
        usable = [host for host in self.hosts if host.connection == "connected" and not host.in_maintenance]
        total = (host.spec.memory_gb * host_config.GIB for host in usable)
        return sum(size - admission.system_memory(size) for size in total)


class ClusterComputeResource(ComputeResource):
    """A cluster. `lab` holds `drs` (mode or false), `drs_vms` (VM name -> mode), `drs_options`, `ha` and `vsan`."""

    vim_type = vim.ClusterComputeResource
    id_prefix = "domain-c"
    live: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"summary": _summary, "summaryEx": _summary}

    def __init__(self, sim: Endpoint, name: str, lab: Mapping[str, Any]) -> None:
        super().__init__(sim, name)
        mode = lab.get("drs", "fullyAutomated")
        options: Mapping[str, Any] = lab.get("drs_options") or {}
        self.vsan: bool | None = lab.get("vsan")
        self.moved = 0
        self._advised = 0
        self._look: Timer | None = None
        self.vsan_state = host_vsan.State()
        ha = lab.get("ha") or {}
        self.dedicated = tuple(ha.get("dedicated", ())) if isinstance(ha, Mapping) else ()
        drs = data.new(
            vim.cluster.DrsConfigInfo,
            enabled=mode is not False,
            enableVmBehaviorOverrides=True,
            defaultVmBehavior=mode or "manual",
            vmotionRate=3,
            option=[data.new(vim.option.OptionValue, key=str(key), value=str(value)) for key, value in options.items()],
        )
        self.overrides: dict[str, str] = {
            escaped(str(vm)): str(value) for vm, value in (lab.get("drs_vms") or {}).items()
        }
        self._set_configuration(drs, cluster_ha.configuration(lab.get("ha", False)), [])
        self.props |= {
            "lifecycleManaged": False,
            "configManagerEnabled": False,
            "hciConfig": None,
            "recommendation": [],
            "drsFault": [],
            "drsRecommendation": [],
            "migrationHistory": [],
            "actionHistory": [],
        }

    def _set_configuration(self, drs: Any, das: Any, overrides: list[Any]) -> None:
        cls = vim.cluster.ConfigInfoEx
        self.props["configuration"] = data.new(
            vim.cluster.ConfigInfo, drsConfig=drs, dasConfig=das, drsVmConfig=overrides
        )
        vsan_type = vim.vsan.cluster.ConfigInfo
        default = data.new(vsan_type.HostDefaultInfo, autoClaimStorage=False)
        vsan = data.new(vsan_type, enabled=self.has_vsan, defaultConfig=default)
        self.props["configurationEx"] = data.new(
            cls, vmSwapPlacement="vmDirectory", drsConfig=drs, dasConfig=das, drsVmConfig=overrides, vsanConfigInfo=vsan
        )

    def finish(self, vms: Mapping[str, VirtualMachine]) -> None:
        """Once hosts and VMs exist: write what the lab says about them into the configuration."""
        overrides = [_override(vms[name], mode) for name, mode in self.overrides.items()]
        config = self.props["configurationEx"]
        if self.dedicated:
            chosen = [host.ref for host in self.hosts if host.name in self.dedicated or host.short in self.dedicated]
            config.dasConfig.admissionControlPolicy.failoverHosts = chosen
        self._set_configuration(config.drsConfig, config.dasConfig, overrides)

    @property
    def drs_enabled(self) -> bool:
        """Whether DRS is on."""
        return bool(self.props["configurationEx"].drsConfig.enabled)

    @property
    def has_vsan(self) -> bool:
        """What the lab says, else whether any host has vSAN disks."""
        return any(host.spec.vsan for host in self.hosts) if self.vsan is None else self.vsan

    @property
    def moves_vgpu(self) -> bool:
        """Whether DRS moves VMs with a vGPU by itself (KB 88271: VgpuMMAutomationTimeoutSecs is -1)."""
        options = {item.key: str(item.value) for item in self.props["configurationEx"].drsConfig.option}
        return options.get("VgpuMMAutomationTimeoutSecs") == "-1"

    def counted(self) -> None:
        """Hosts or VMs came, went, started or stopped: the summary is another, and DRS has another look."""
        self.touch("summary")
        if self._look is None and any(host.entering is not None for host in self.hosts):
            self._look = self.sim.clock.call_later(0, self._look_again)

    def _look_again(self) -> None:
        self._look = None
        for host in self.hosts:
            if host.entering is not None:
                host.entering.look()

    def automation_of(self, vm: VirtualMachine) -> str:
        """How far DRS may move a VM: its override, else the default; `disabled` when DRS is off for it."""
        config = self.props["configurationEx"]
        if not config.drsConfig.enabled:
            return "disabled"
        for item in config.drsVmConfig:
            if item.key._moId == vm.moid:
                return "disabled" if item.enabled is False else str(item.behavior or config.drsConfig.defaultVmBehavior)
        return str(config.drsConfig.defaultVmBehavior)

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

    # -- recommendations --------------------------------------------------------------------------------------

    def next_recommendation(self) -> str:
        """The key of a new recommendation."""
        self._advised += 1
        return str(self._advised)

    def recommend(self, vm: VirtualMachine, made: list[Any]) -> None:
        """Recommendations for a VM; they replace earlier ones, and go when it is started or stopped."""
        others = [item for item in self.props["recommendation"] if item.target._moId != vm.moid]
        if made or len(others) != len(self.props["recommendation"]):
            self.set("recommendation", [*others, *made])

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
        "modify=true",
    )
    def ReconfigureComputeResource_Task(self, call: Call, spec: Any, modify: bool) -> Task:
        """DRS and HA settings and per-VM DRS overrides; other parts of the spec are not modelled."""

        def body(task: Task) -> None:
            config = self.props["configurationEx"]
            drs = _merged(config.drsConfig, getattr(spec, "drsConfig", None))
            das = _merged(config.dasConfig, getattr(spec, "dasConfig", None))
            overrides = _merged_overrides(config.drsVmConfig, getattr(spec, "drsVmConfigSpec", None) or [])
            self.update(
                {
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


def _override(vm: VirtualMachine, mode: str) -> Any:
    off = mode == "disabled"
    return data.new(vim.cluster.DrsVmConfigInfo, key=vm.ref, enabled=not off, behavior=None if off else mode)


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
