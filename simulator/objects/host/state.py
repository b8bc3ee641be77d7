# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a host, and what follows from it. Its methods are in host.py."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pyVmomi import vim, vmodl

from ...api import data, names
from ...core.base import Endpoint, Entity
from ...core.tasks import Task
from ...rules import admission, faults, limits
from ...rules import knobs as knob_rules
from ...rules.pci import device_modes, graphics, passthrough
from ..pci import Function, passthru_infos, started
from ..specs import HostSpec
from . import config as host_config
from . import graphics as host_graphics
from . import network as host_network
from . import storage as host_storage

if TYPE_CHECKING:
    from ...core.clock import Timer
    from ..vm.state import VmState


class HostParent(Entity):
    """What a host is below: a cluster, or the compute resource of one host."""

    def counted(self) -> None:
        """Something that a cluster counts changed on a host."""

    def received_by_drs(self) -> None:
        """DRS moved a VM to one of the hosts."""


class EnteringMode(Protocol):
    """A maintenance or standby mode that was begun; maintenance.Entering."""

    task: Task

    def look(self) -> None:
        """Something on the host changed: go on, or finish."""

    def stop(self, *, tell: bool = True) -> None:
        """It ended, one way or the other. ``tell``: the cluster counts the host again."""


class HostState(Entity):
    """The state of one ESXi host.

    `pci` is the truth about its devices; `shown` is what the API shows, which lags behind and freezes while the host
    is away. `holders` maps addresses to the running VM that has the device.
    """

    vim_type = vim.HostSystem
    id_prefix = "host"
    mirrors: ClassVar[Mapping[str, tuple[str, ...]]] = {"runtime": ("summary.runtime",)}
    keeps_captured: ClassVar[bool] = True

    def __init__(self, sim: Endpoint, spec: HostSpec, *, moid: str | None = None, direct: bool = False) -> None:
        super().__init__(sim, moid, name=spec.name)
        self.spec = spec
        self.direct = direct
        self.knobs.update(spec.knobs)
        self.pci = started(spec.layout, spec.states)
        self.refit_functions()
        self.shown: Any = self._infos()
        self.taken: frozenset[str] = self._taken()
        self.saved = dict(self.pci)
        self.graphics = graphics.started(spec.shared_gpus, spec.vgpu_modes)
        self.xorg_restarts = 0
        self.running = spec.connection != "notResponding" and not spec.standby
        self.lost_stores: frozenset[str] = frozenset()
        self.unreadable_stores: frozenset[str] = frozenset()
        self.links_down: frozenset[str] = frozenset()
        self.at_boot: list[Callable[[], None]] = []
        self.vsan_action = ""
        self.quick_boots = 0
        self.powered = self.running
        self.power_changed = float("-inf")
        self.cold_boots = 0
        self.boots_drawn = 0
        """How many of its boots took a time of their own (`boot_spread` of a lab)."""
        self.entering: EnteringMode | None = None
        self.holders: dict[str, str] = {}
        self.functions_used: Counter[str] = Counter()
        self.functions_lent: dict[tuple[str, int], str] = {}
        """VM and device key of an SR-IOV adapter that runs -> its virtual function."""
        self.profiles_used: Counter[tuple[str, str]] = Counter()
        self.crashed: list[VmState] = []
        self.captured_partitions: Sequence[Any] | None = ()
        """Partition tables as a captured server showed them; None: it refused them."""
        self.parts: dict[str, Any] = {}
        self.module_options = dict(spec.module_options)
        self.publish_timer: Timer | None = None
        self.next_functions: list[Function] | None = None
        self.next_release = spec.release
        self.next_build = spec.build
        self.journey: list[Timer] = []
        self.back_at = float("-inf")
        self.booted_at = sim.clock.seconds() - spec.up_days * 86400
        self.clock_ahead = timedelta()
        self.boot_time = self.local_time() - timedelta(days=spec.up_days)
        runtime = host_config.runtime(spec, self.boot_time, direct=direct)
        manager = None if direct else "127.0.0.1"
        self.props |= {
            "runtime": runtime,
            "summary": host_config.summary(spec, self.ref, runtime, manager=manager),
            "vm": [],
            "datastore": [],
            "network": [],
            "licensableResource": data.new(vim.LicenseManager.LicensableResourceInfo),
            "systemResources": None,
            "remediationState": None,
            "precheckRemediationResult": None,
            "remediationResult": None,
            "complianceCheckState": None,
            "complianceCheckResult": None,
            "answerFileValidationState": None,
            "answerFileValidationResult": None,
            "configManager": data.new(vim.host.ConfigManager),
            "datastoreBrowser": sim.absent.browser(self),
        }
        self.props["summary"].rebootRequired = self._reboot_required()
        if not spec.known:
            self.props |= {"config": None, "hardware": None, "capability": None}
            self._unbuilt = {}

    def _changed(self, path: str) -> None:
        super()._changed(path)
        if path.startswith("runtime."):
            self.counted()

    def counted(self) -> None:
        """Something its cluster counts changed."""
        if isinstance(self.up, HostParent):
            self.up.counted()

    def received_by_drs(self) -> None:
        """DRS moved a VM here; its cluster counts that."""
        if isinstance(self.up, HostParent):
            self.up.received_by_drs()

    def removed(self) -> None:
        """Leave the lists of compute resource, datastores and networks."""
        for timer in (*self.journey, *([self.publish_timer] if self.publish_timer is not None else [])):
            timer.cancel()
        if self.up is not None:
            self.up.set("host", [ref for ref in self.up.props["host"] if ref._moId != self.moid])
        for store in self.sim.registry.all(vim.Datastore):
            if self.moid in store.mounts:
                store.set_mounted(self, False)
        for network in self.sim.registry.all(vim.Network):
            if self.moid in [ref._moId for ref in network.props["host"]]:
                network.set("host", [ref for ref in network.props["host"] if ref._moId != self.moid])

    def local_time(self) -> datetime:
        """What the clock of the host shows. `runtime.bootTime` is by this clock (API reference, HostRuntimeInfo), so a step of
        vCenter's clock does not change it. An ESXi host that is asked itself has one clock only."""
        clock = self.sim.clock
        return (clock.now() if self.direct else clock.true_now()) + self.clock_ahead

    # -- what HostSystem does ---------------------------------------------------------------------------------

    def changed_devices(self) -> None:
        """Devices changed hands: what the kernel owns, and which virtual functions there are, follows at once."""
        raise NotImplementedError

    def refit_functions(self) -> bool:
        """Make the virtual functions that its settings ask for; whether there are other ones now."""
        raise NotImplementedError

    def graphics_info(self) -> list[Any]:
        """`config.graphicsInfo` as it is now."""
        raise NotImplementedError

    # -- reading ----------------------------------------------------------------------------------------------

    @property
    def short(self) -> str:
        """Its name without the domain."""
        return self.name.split(".", maxsplit=1)[0]

    @property
    def vm_memory(self) -> int:
        """Bytes for virtual machines, running or not."""
        memory = self.spec.memory_gb * host_config.GIB
        return memory - admission.system_memory(memory)

    @property
    def cpu_mhz(self) -> int:
        """All cores together."""
        return self.spec.packages * self.spec.cores * host_config.MHZ

    @property
    def since_boot(self) -> float:
        """Seconds since it was last back from a boot; for ever for one that has not booted yet."""
        return self.sim.clock.seconds() - self.back_at

    @property
    def standby(self) -> bool:
        """Whether it was put into standby and not powered up since."""
        return str(self.props["runtime"].powerState) == "standBy"

    @property
    def settings(self) -> knob_rules.Knobs:
        """The knobs in force on this host."""
        return knob_rules.of(self)

    def next_boot(self) -> knob_rules.Knobs:
        """The knobs for its next boot, with the time that this one boot takes."""
        found, spread = self.settings, self.sim.boot_spread
        if spread is None:
            return found
        factor = spread.factor(self.moid, self.boots_drawn, len(self.spec.past_boots))
        self.boots_drawn += 1
        return dataclasses.replace(
            found, boot_seconds=found.boot_seconds * factor, quick_boot_seconds=found.quick_boot_seconds * factor
        )

    @property
    def connection(self) -> str:
        """connected, disconnected or notResponding."""
        return str(self.props["runtime"].connectionState)

    @property
    def in_maintenance(self) -> bool:
        """Whether the host is in maintenance mode (not: entering it)."""
        return bool(self.props["runtime"].inMaintenanceMode)

    @property
    def usable(self) -> bool:
        """Whether VMs can be placed here."""
        runtime = self.props["runtime"]
        able = self.running and self.connection == "connected" and not runtime.inQuarantineMode
        return able and not self.in_maintenance and self.entering is None

    @property
    def vms(self) -> list[VmState]:
        """The VMs registered here, in order of arrival."""
        return [self.sim.obj(ref) for ref in self.props["vm"] or []]

    @property
    def release(self) -> tuple[int, ...]:
        """The ESXi release as numbers."""
        return limits.release(self.spec.release)

    @property
    def free_memory(self) -> int:
        """Bytes nobody has reserved."""
        memory = self.spec.memory_gb * host_config.GIB
        reserved = sum(vm.charged for vm in self.vms if vm.is_on)
        return admission.host_free(memory, admission.system_memory(memory), reserved)

    @property
    def loads(self) -> list[tuple[int, int]]:
        """MB and vCPUs of what runs on it; nothing where hosts are to look alike (a knob)."""
        return [vm.load for vm in self.vms if vm.is_on] if self.knob("load_follows_vms") else []

    @property
    def reachable_stores(self) -> frozenset[str]:
        """Ids of the datastores it can read and write."""
        return frozenset(ref._moId for ref in self.props["datastore"] if self.moid not in self.sim.obj(ref).unreadable)

    def reach(self) -> None:
        """Raise what a call to this host gives while it is away."""
        if self.connection == "disconnected":
            raise vmodl.fault.HostNotConnected()
        if self.standby:
            raise faults.invalid_state("The host is in standby mode.")
        if self.connection == "notResponding" or not self.running:
            if self.settings.away_fault == "host_communication":
                raise vmodl.fault.HostCommunication()
            raise vmodl.fault.HostNotReachable()

    def missing(self, path: str) -> Any:
        """Properties a site may not get from a host that is away (a knob); cached old values otherwise."""
        if self.connection == "connected":
            return super().missing(path)
        if any(data.overlap(prefix, path) for prefix in self.settings.missing_while_away):
            return (
                vmodl.fault.HostNotConnected() if self.connection == "disconnected" else vmodl.fault.HostNotReachable()
            )
        return super().missing(path)

    def view_children(self) -> list[Entity]:
        return [*super().view_children(), *self.vms]

    # -- device state -----------------------------------------------------------------------------------------

    def _infos(self) -> Any:
        if not self.spec.iommu and self.knob("iommu_off_shape") == "empty":
            return vim.host.PciPassthruInfo.Array()
        return passthru_infos(self.pci, self.spec.layout)

    def _taken(self) -> frozenset[str]:
        return frozenset(address for address, state in self.pci.items() if state.active and not state.physical)

    def _reboot_required(self) -> bool:
        if any(device_modes.wants_reboot(state, self.settings) for state in self.pci.values()):
            return True
        pending = any(passthrough.is_pending(state) for state in self.pci.values())
        return pending and passthrough.reboot_required(pending, self.spec.major, self.settings)

    def learn(self) -> None:
        """vCenter sees the configuration of a host for the first time."""
        self.spec = dataclasses.replace(self.spec, known=True)
        self._unbuilt = dict(self.lazy)
        for name in ("config", "hardware", "capability"):
            del self.props[name]
            self.touch(name)
        for name, ref in self.parts.items():
            self.set(f"configManager.{name}", ref)

    def relearn(self) -> None:
        """The release changed: capability and product follow."""
        self.set("capability", host_config.capability(self.spec.release, self.spec.rebind, self.spec.quick_boot))
        self.set("config.product", host_config.product(self.spec))
        self.set("summary.config.product", host_config.product(self.spec))

    def show_datastores(self) -> None:
        """Datastores whose controller is in passthrough are gone from this host; others are there again."""
        mounts = self.get("config").fileSystemVolume.mountInfo
        seen = {names.escaped(mount.volume.name): bool(mount.mountInfo.accessible) for mount in mounts}
        for store in self.sim.registry.all(vim.Datastore):
            if store.name in seen or self.moid in store.mounts:
                store.set_mounted(self, store.name in seen, accessible=seen.get(store.name, False))

    def volumes(self) -> Any:
        """`config.fileSystemVolume` as it is now."""
        return host_storage.volumes(self.spec, self.taken, lost=self.lost_stores, unreadable=self.unreadable_stores)

    def storage(self) -> Any:
        """`config.storageDevice` as it is now."""
        return host_storage.storage_device(self.spec, self.taken, nvme_in_scsi=self.knob("nvme_in_scsi_topology"))

    def network_info(self) -> Any:
        """`config.network` as it is now."""
        return host_network.network_info(self.spec, self.taken, down=self.links_down)

    def graphics_happened(self, when: graphics.When) -> None:
        """Let the graphics settings take effect that do so now, and show them."""
        busy = {info.pciId for info in self.graphics_info() if info.vm}
        present = graphics.Present(types=self.spec.shared_gpus, modes=self.spec.vgpu_modes)
        found = graphics.in_effect(self.graphics, present, when, busy, self.settings)
        self.spec = dataclasses.replace(self.spec, shared_gpus=found.types, vgpu_modes=found.modes)
        self.show_graphics()

    def show_graphics(self) -> None:
        """Let the API show the graphics as they are; a host that is away shows nothing new."""
        if self.connection != "connected" or not self.spec.known:
            return
        self.update(
            {
                "config.graphicsInfo": self.graphics_info(),
                "config.graphicsConfig": host_graphics.config(self.graphics),
                "config.sharedPassthruGpuTypes": host_graphics.profiles(self.spec, self.taken),
                "config.sharedGpuCapabilities": host_graphics.capabilities(self.spec, self.taken),
            }
        )
        for part in self.sim.registry.owned(self):
            if part.vim_type is vim.host.GraphicsManager:
                for name in ("graphicsInfo", "graphicsConfig", "sharedPassthruGpuTypes", "sharedGpuCapabilities"):
                    part.touch(name)

    def publish(self) -> None:
        """Let the API show the devices as they are; a host that is away shows nothing new."""
        if self.publish_timer is not None:
            self.publish_timer.cancel()
            self.publish_timer = None
        if self.connection != "connected" or not self.spec.known:
            return
        self.shown = self._infos()
        self.set("config.pciPassthruInfo", self.shown)
        self.touch("config.assignableHardwareConfig")
        required = self._reboot_required()
        self.set("summary.rebootRequired", required)
        if self.release >= (9, 1) and "rebootRequiredReason" in data.fields(vim.host.Summary):
            reason = faults.message("com.vmware.vim.host.rebootReason.pciPassthru", "PCI passthrough configuration")
            self.set("summary.rebootRequiredReason", [reason] if required else [])
            waits = any(state.mode_waits == "maintenance" for state in self.pci.values())
            self.set("summary.maintenanceModeRequired", waits)
        for part in self.sim.registry.owned(self):
            if part.vim_type is vim.host.PciPassthruSystem:
                part.touch("pciPassthruInfo")
