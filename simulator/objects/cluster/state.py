# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of compute resources: a host on its own, or a cluster with DRS and HA. Their methods are in cluster.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyVmomi import vim

from ...api import data
from ...api.names import escaped
from ...core.base import Endpoint
from ...rules import admission
from ..host import config as host_config
from ..host.state import HostParent, HostState
from ..pool import ResourcePool

if TYPE_CHECKING:
    from ...core.clock import Timer
    from ..vm.state import VmState


@dataclass(frozen=True, kw_only=True)
class VsanState:
    """The vSAN objects of a cluster: bytes left to resync and in how many objects, objects out of reach, objects without redundancy."""

    resync: int = 0
    objects: int = 0
    inaccessible: int = 0
    degraded: int = 0


class ComputeState(HostParent):
    """The state of a host outside of any cluster, or of a cluster."""

    vim_type = vim.ComputeResource
    id_prefix = "domain-s"

    def __init__(self, sim: Endpoint, name: str, *, moid: str | None = None) -> None:
        super().__init__(
            sim, moid, name=name, host=[], datastore=[], network=[], resourcePool=None, environmentBrowser=None
        )
        self.props["configurationEx"] = data.new(vim.ComputeResource.ConfigInfo, vmSwapPlacement="vmDirectory")

    @property
    def hosts(self) -> list[HostState]:
        """Its hosts in order of arrival."""
        return [child for child in self.down.values() if isinstance(child, HostState)]

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


class ClusterState(ComputeState):
    """The state of a cluster. `lab` holds `drs` (mode or false), `drs_vms` (VM name -> mode), `drs_options`, `ha` and `vsan`."""

    vim_type = vim.ClusterComputeResource
    id_prefix = "domain-c"

    def __init__(self, sim: Endpoint, name: str, lab: Mapping[str, Any], *, moid: str | None = None) -> None:
        super().__init__(sim, name, moid=moid)
        mode = lab.get("drs", "fullyAutomated")
        options: Mapping[str, Any] = lab.get("drs_options") or {}
        self.vsan: bool | None = lab.get("vsan")
        self.moved = 0
        self._advised = 0
        self._look: Timer | None = None
        self.vsan_state = VsanState()
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
        self._set_configuration(drs, self.ha_configuration(lab.get("ha", False)), [])
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

    def ha_configuration(self, lab: Any) -> Any:
        """HA as a lab describes it."""
        raise NotImplementedError

    def finish(self, vms: Mapping[str, VmState]) -> None:
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

    def received_by_drs(self) -> None:
        self.moved += 1

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

    def automation_of(self, vm: VmState) -> str:
        """How far DRS may move a VM: its override, else the default; `disabled` when DRS is off for it."""
        config = self.props["configurationEx"]
        if not config.drsConfig.enabled:
            return "disabled"
        for item in config.drsVmConfig:
            if item.key._moId == vm.moid:
                return "disabled" if item.enabled is False else str(item.behavior or config.drsConfig.defaultVmBehavior)
        return str(config.drsConfig.defaultVmBehavior)

    # -- recommendations --------------------------------------------------------------------------------------

    def next_recommendation(self) -> str:
        """The key of a new recommendation."""
        self._advised += 1
        return str(self._advised)

    def recommend(self, vm: VmState, made: list[Any]) -> None:
        """Recommendations for a VM; they replace earlier ones, and go when it is started or stopped."""
        others = [item for item in self.props["recommendation"] if item.target._moId != vm.moid]
        if made or len(others) != len(self.props["recommendation"]):
            self.set("recommendation", [*others, *made])


def _override(vm: VmState, mode: str) -> Any:
    off = mode == "disabled"
    return data.new(vim.cluster.DrsVmConfigInfo, key=vm.ref, enabled=not off, behavior=None if off else mode)
