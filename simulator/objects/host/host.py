# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HostSystem: what the API shows of a host, and its methods. Its state is in state.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pyVmomi import vim

from ...api import data
from ...api.takes import takes
from ...core.tasks import Task
from ...rules import reboot
from . import cards as host_cards
from . import config as host_config
from . import graphics as host_graphics
from . import maintenance as host_maintenance
from . import network as host_network
from . import power as host_power
from . import standby, virtual_functions
from . import storage as host_storage
from .state import HostState

if TYPE_CHECKING:
    from ...core.call import Call


def _config(self: HostState) -> Any:
    cls = vim.host.ConfigInfo
    return data.new(
        cls,
        host=self.ref,
        product=host_config.product(self.spec),
        pciPassthruInfo=self.shown,
        featureCapability=host_config.features(self.spec.cpu),
        option=[data.new(vim.option.OptionValue, key="VMkernel.Boot.disableACSCheck", value=False)],
    )


class HostSystem(HostState):
    """An ESXi host: `HostState` with the methods of the API."""

    lazy: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "config": _config,
        "config.network": lambda self: self.network_info(),
        "config.virtualNicManagerInfo": lambda self: host_network.virtual_nic_manager_info(self.spec),
        "config.storageDevice": lambda self: self.storage(),
        "config.fileSystemVolume": lambda self: self.volumes(),
        "config.activeDiagnosticPartition": lambda self: host_storage.diagnostic_partition(self.spec, self.taken),
        "config.vsanHostConfig": lambda self: host_storage.vsan_config(self.spec, self.taken, self.ref),
        "config.graphicsInfo": lambda self: self.graphics_info(),
        "config.graphicsConfig": lambda self: host_graphics.config(self.graphics),
        "config.sharedPassthruGpuTypes": lambda self: host_graphics.profiles(self.spec, self.taken),
        "config.sharedGpuCapabilities": lambda self: host_graphics.capabilities(self.spec, self.taken),
        "hardware": lambda self: host_config.hardware(self.spec, signed_bus=self.knob("negative_bus_bytes")),
        "capability": lambda self: host_config.capability(self.spec.release, self.spec.rebind, self.spec.quick_boot),
    }
    gaps: ClassVar[Mapping[str, frozenset[str]]] = {"config": host_config.UNMODELLED}
    live: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "summary.quickStats": lambda self: host_config.quick_stats(self.spec, self.loads),
        "config.assignableHardwareConfig": lambda self: host_cards.label_config(self) if self.spec.major >= 7 else None,
        "config.sriovDevicePool": virtual_functions.pools,
    }

    def graphics_info(self) -> list[Any]:
        users = host_cards.graphics_users(self)
        return host_graphics.info(self.spec, self.taken, users, direct=self.settings.direct_in_graphics_info)

    def refit_functions(self) -> bool:
        return virtual_functions.refit(self)

    def looks_again(self) -> None:
        """Links or volumes changed while it runs: show them, or lose contact with the last management link."""
        if self.connection != "connected" or not self.running:
            return
        if not host_network.management_up(self.spec, self.taken, self.links_down):
            host_power.cut_off(self)
            return
        self.update({"config.network": self.network_info(), "config.fileSystemVolume": self.volumes()})
        self.show_datastores()

    def changed_devices(self) -> None:
        other_functions = self.refit_functions()
        taken = self._taken()
        if taken == self.taken:
            if other_functions and self.props.get("config", True) is not None:
                host_power.show_hardware(self)
            return
        self.taken = taken
        if not host_network.management_up(self.spec, taken, self.links_down):
            host_power.cut_off(self)
            return
        if self.props.get("config", True) is not None:
            host_power.show_devices(self)

    # -- methods ----------------------------------------------------------------------------------------------

    @takes("timeout", "evacuatePoweredOffVms", "maintenanceSpec.vsanMode.objectAction")
    def EnterMaintenanceMode_Task(
        self, call: Call, timeout: int, evacuatePoweredOffVms: bool | None = None, maintenanceSpec: Any = None
    ) -> Task:
        """Waits for every powered-on VM to leave; see maintenance.py."""
        return host_maintenance.enter(self, call, timeout, bool(evacuatePoweredOffVms), maintenanceSpec)

    @takes("timeout")
    def ExitMaintenanceMode_Task(self, call: Call, timeout: int) -> Task:
        """Takes a moment, then VMs may be placed again."""
        return host_maintenance.leave(self, call, timeout)

    @takes("force")
    def RebootHost_Task(self, call: Call, force: bool) -> Task:
        """Accepts, then goes away and comes back; see power.py."""
        return host_power.restart(self, call, force=force, returns=True)

    @takes("force")
    def ShutdownHost_Task(self, call: Call, force: bool) -> Task:
        """Goes away for good."""
        return host_power.restart(self, call, force=force, returns=False)

    @takes("timeoutSec", "evacuatePoweredOffVms")
    def PowerDownHostToStandBy_Task(
        self, call: Call, timeoutSec: int, evacuatePoweredOffVms: bool | None = None
    ) -> Task:
        """Evacuates the host as for maintenance mode and powers it down until PowerUpHostFromStandBy_Task."""
        return standby.enter(self, call, timeoutSec, bool(evacuatePoweredOffVms))

    @takes("timeoutSec")
    def PowerUpHostFromStandBy_Task(self, call: Call, timeoutSec: int) -> Task:
        """Powers it up again; done when it is connected."""
        return standby.leave(self, call, timeoutSec)

    def DisconnectHost_Task(self, call: Call) -> Task:
        """vCenter stops managing the host; nothing on it stops."""
        return host_power.disconnect(self, call)

    @takes("cnxSpec.force", "reconnectSpec.syncState=false")
    def ReconnectHost_Task(self, call: Call, cnxSpec: Any = None, reconnectSpec: Any = None) -> Task:
        """Manage the host again; fails while it is down."""
        return host_power.reconnect(self, call)

    def RetrieveHardwareUptime(self, call: Call) -> int:
        """Seconds since the boot."""
        self.reach()
        return reboot.uptime(self.booted_at, self.sim.clock.seconds())
