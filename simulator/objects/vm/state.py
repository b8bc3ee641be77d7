# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a VM, and what follows from it. Its methods are in vm.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pyVmomi import vim

from ...api import data
from ...core.base import Endpoint
from ...core.tasks import Task
from ...rules import admission, limits
from ...rules import knobs as knob_rules
from ...rules.vm import devices as device_rules
from ..cluster.state import ClusterState
from ..guest.guest_os import GuestOs
from ..host.state import HostState
from ..pool import Member
from ..specs import VmSpec

if TYPE_CHECKING:
    from ...core.clock import Timer
    from .. import pci
    from ..datastore import Datastore
    from ..network import Network


class VmState(Member):
    """The state of one VM. `charged` is what its power-on reserved, in bytes; `assigned` maps device keys to host addresses."""

    vim_type = vim.VirtualMachine
    id_prefix = "vm"
    mirrors: ClassVar[Mapping[str, tuple[str, ...]]] = {"runtime": ("summary.runtime",)}

    def __init__(self, sim: Endpoint, spec: VmSpec, host: HostState, *, moid: str | None = None) -> None:
        super().__init__(sim, moid, name=spec.name)
        self.spec = spec
        self.knobs.update(spec.knobs)
        self.first_devices: list[Any] = []
        self.assigned: dict[int, str] = {}
        self.charged = 0
        self.moving = False
        self.evacuated = ""
        """How vCenter stopped it, or is about to, for the evacuation of its host; empty again once it runs."""
        self.busy: Task | None = None
        self.timers: list[Timer] = []
        self.datastore: Datastore | None = None
        self.network: Network | None = None
        self.guest_os = GuestOs(self, spec.guest_os)
        self._version = 0
        connected = host.connection == "connected"
        self.props |= {
            "runtime": _runtime(spec, host.ref, powered_on=spec.power == "on", connected=connected),
            "resourcePool": None,
            "parentVApp": None,
            "datastore": [],
            "network": [],
            "snapshot": None,
            "rootSnapshot": [],
            "guestHeartbeatStatus": "green" if spec.power == "on" and spec.tools else "gray",
            "environmentBrowser": None,
        }
        if spec.power == "on":
            reserved = spec.memory_mb if spec.locked else spec.reservation_mb
            self.charged = reserved * admission.MIB + admission.overhead(spec.memory_mb, spec.cpus)

    # -- reading ----------------------------------------------------------------------------------------------

    @property
    def settings(self) -> knob_rules.Knobs:
        """The knobs in force: its own, then its host's, then the lab's."""
        return knob_rules.of(self, self.host)

    @property
    def host(self) -> HostState:
        """The host it is registered on."""
        found: HostState = self.sim.obj(self.props["runtime"].host)
        return found

    @property
    def power(self) -> str:
        """poweredOn, poweredOff or suspended, as the API shows it."""
        return str(self.props["runtime"].powerState)

    @property
    def is_on(self) -> bool:
        """Whether it runs."""
        return self.power == "poweredOn"

    @property
    def runtime_connection(self) -> str:
        """connected, disconnected, inaccessible ..."""
        return str(self.props["runtime"].connectionState)

    @property
    def devices(self) -> list[Any]:
        """Its virtual devices."""
        return list(self.get("config").hardware.device)

    @property
    def device_kinds(self) -> tuple[str, ...]:
        """Kinds of its passthrough devices; does not build the configuration of a VM that has none."""
        if "config" in self.props:
            return device_rules.kinds(self.props["config"].hardware.device)
        return device_rules.kinds(self.first_devices)

    @property
    def load(self) -> tuple[int, int]:
        """What it takes of its host while it runs: MB and vCPUs."""
        if "config" not in self.props:
            return self.spec.memory_mb, self.spec.cpus
        hardware = self.props["config"].hardware
        return int(hardware.memoryMB), int(hardware.numCPU)

    @property
    def version(self) -> int:
        """Hardware version as a number."""
        return limits.hardware_version(self.get("config").version)

    @property
    def cluster(self) -> ClusterState | None:
        """The cluster of its host."""
        parent = self.host.up
        return parent if isinstance(parent, ClusterState) else None

    @property
    def automation(self) -> str:
        """How far DRS may move it: the override of its cluster, or the cluster's own; `disabled` without DRS."""
        return self.cluster.automation_of(self) if self.cluster is not None else "disabled"

    def lent(self) -> list[pci.Function]:
        """The host devices that it has while it runs, by device key."""
        here = self.host.spec.layout.functions
        return [here[address] for _key, address in sorted(self.assigned.items()) if address in here]

    def next_change_version(self) -> str:
        """A new changeVersion: a time stamp that never repeats."""
        self._version += 1
        now = self.sim.clock.now()
        return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{self._version:06d}Z"

    # -- what VirtualMachine does -----------------------------------------------------------------------------

    @property
    def profiles(self) -> tuple[str, ...]:
        """The profiles of its vGPUs, by device key."""
        raise NotImplementedError

    @property
    def host_media(self) -> str:
        """Label of a connected device of the host or of a client that keeps it where it is; empty: none."""
        raise NotImplementedError

    def set_power(self, state: str) -> None:
        """Show a power state, and let a host that waits for this VM know."""
        raise NotImplementedError

    def show_summary(self) -> None:
        """Rebuild the summary if anybody ever read it."""
        raise NotImplementedError

    def move_by_drs(self, destination: HostState) -> None:
        """DRS takes it to another host."""
        raise NotImplementedError

    def best_host(self) -> HostState:
        """Where it is started when the caller names no host. Raises as ``fitting_hosts``."""
        raise NotImplementedError

    def fitting_hosts(self) -> list[HostState]:
        """The hosts that take it, best first. Raises NoCompatibleHost, or the only host's own fault."""
        raise NotImplementedError

    def stopped(self) -> None:
        """It was powered off: vCenter starts some VMs again."""
        raise NotImplementedError

    # -- changing ---------------------------------------------------------------------------------------------

    def found_off(self) -> None:
        """The host came back and this VM is not running any more."""
        if self.is_on:
            self.set_power("poweredOff")
            self.sim.post_event(
                vim.event.VmPoweredOffEvent, self, message=f"{self.name} is powered off", host=self.host
            )

    def removed(self) -> None:
        """Leave the lists of folder, host, pool, stores and networks."""
        if self.up is not None:
            self.up.forget(self)
        for holder in (self.host, self.props["resourcePool"], self.datastore, self.network):
            target = self.sim.obj(holder) if isinstance(holder, vim.ManagedObject) else holder
            if target is not None:
                target.set("vm", [ref for ref in target.props["vm"] if ref._moId != self.moid])


def _runtime(spec: VmSpec, host: Any, *, powered_on: bool, connected: bool) -> Any:
    """Build `VirtualMachineRuntimeInfo`."""
    return data.new(
        vim.vm.RuntimeInfo,
        host=host,
        connectionState="connected" if connected else "disconnected",
        powerState="poweredOn" if powered_on else "poweredOff",
        faultToleranceState=spec.fault_tolerance,
        toolsInstallerMounted=False,
        numMksConnections=0,
        recordReplayState="inactive",
        onlineStandby=False,
        consolidationNeeded=False,
        maxCpuUsage=spec.cpus * 2400,
        maxMemoryUsage=spec.memory_mb,
        cleanPowerOff=False if powered_on else None,
    )
