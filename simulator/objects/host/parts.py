# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The managers below a host: passthrough, storage, boot devices, assignable hardware."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pyVmomi import vim, vmodl

from ...api import data
from ...api.takes import takes
from ...core.base import Endpoint, ManagedObject
from ...rules import faults
from ...rules.pci import graphics, passthrough
from .. import offers
from . import cards as host_cards
from . import disks as host_disks
from . import power as host_power
from . import storage as host_storage
from . import virtual_functions
from .state import HostState

if TYPE_CHECKING:
    from ...core.call import Call


class HostPart(ManagedObject):
    """A manager of one host; unreachable while the host is."""

    owner: HostState

    def __init__(self, sim: Endpoint, moid: str | None = None) -> None:
        super().__init__(sim, moid)
        if issubclass(self.vim_type, vim.ExtensibleManagedObject):
            self.props |= {"value": None, "availableField": None}

    @property
    def host(self) -> HostState:
        """The host it belongs to."""
        return self.owner

    def missing(self, path: str) -> Any:
        if self.host.connection == "disconnected":
            return vmodl.fault.HostNotConnected()
        return self.host.missing(path)


class HostPciPassthruSystem(HostPart):
    """Which devices the host offers to virtual machines."""

    vim_type = vim.host.PciPassthruSystem
    id_prefix = "pciPassthruSystem"
    live: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "pciPassthruInfo": lambda self: self.host.shown,
        "sriovDevicePoolInfo": lambda self: virtual_functions.pools(self.host),
    }

    def Refresh(self, call: Call) -> None:
        """Show the devices as they are now."""
        self.host.reach()
        if self.host.since_boot < self.host.settings.services_seconds:
            raise vmodl.fault.HostCommunication(msg="The host's services do not answer yet.")
        if self.host.settings.refresh_shows_info:
            self.host.publish()

    @takes(
        "config.id",
        "config.passthruEnabled",
        "config.applyNow",
        "config.hardwareLabel",
        "config.sriovEnabled",
        "config.numVirtualFunction",
    )
    def UpdatePassthruConfig(self, call: Call, config: list[Any]) -> None:
        """Check every element, then apply all; what the host shows follows later."""
        host = self.host
        host.reach()
        requests = [decoded(item) for item in config]
        changed = passthrough.configured(host.pci, requests, ability(host), host.settings)
        host.pci |= changed
        if host_power.has_boot_bank(host):
            host.saved = dict(host.pci)
        host.changed_devices()
        delay = host.settings.info_delay_seconds
        if changed and delay >= 0 and host.publish_timer is None:
            host.publish_timer = host.sim.clock.call_later(delay, host.publish)


def decoded(item: Any) -> passthrough.Request:
    """One HostPciPassthruConfig or HostSriovConfig as plain values; fields a client's API version lacks are unset."""
    sriov = isinstance(item, vim.host.SriovConfig)
    return passthrough.Request(
        address=item.id,
        enabled=item.passthruEnabled,
        apply_now=getattr(item, "applyNow", None),
        label=getattr(item, "hardwareLabel", None),
        sriov_enabled=item.sriovEnabled if sriov else None,
        virtual_functions=item.numVirtualFunction if sriov else None,
    )


def ability(host: HostState) -> passthrough.HostAbility:
    """What the host can do now, and which devices are busy."""
    capability = host.get("capability")
    return passthrough.HostAbility(
        rebind=bool(getattr(capability, "deviceRebindWithoutRebootSupported", False)),
        labels=bool(getattr(capability, "assignHwPciConfigSupported", False)),
        uplinks={nic.address: (nic.switch, nic.device) for nic in host.spec.nics if nic.switch},
        busy_storage=host_storage.busy_addresses(host.spec),
        held=frozenset(host.holders)
        | _cards_of_held(host)
        | frozenset(host_cards.vgpu_users(host))
        | frozenset(+host.functions_used),
    )


class HostGraphicsManager(HostPart):
    """How GPUs are shared: what is configured, and what is in effect. See rules/pci/graphics.py."""

    vim_type = vim.host.GraphicsManager
    id_prefix = "graphicsManager"
    live: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "graphicsInfo": lambda self: self.host.get("config.graphicsInfo"),
        "graphicsConfig": lambda self: self.host.get("config.graphicsConfig"),
        "sharedPassthruGpuTypes": lambda self: self.host.get("config.sharedPassthruGpuTypes"),
        "sharedGpuCapabilities": lambda self: self.host.get("config.sharedGpuCapabilities"),
    }

    def RefreshGraphicsManager(self, call: Call) -> None:
        """Show the graphics as they are now."""
        self.host.reach()
        self.host.show_graphics()

    @takes(
        "config.hostDefaultGraphicsType",
        "config.sharedPassthruAssignmentPolicy",
        "config.deviceType.deviceId",
        "config.deviceType.graphicsType",
        "config.deviceType.vgpuMode",
    )
    def UpdateGraphicsConfig(self, call: Call, config: Any) -> None:
        """Replace the whole configuration: an entry that is not in the request is gone."""
        host = self.host
        host.reach()
        graphics.refused(host.settings)
        settings = graphics.Settings(
            default=str(config.hostDefaultGraphicsType),
            policy=str(config.sharedPassthruAssignmentPolicy),
            devices={
                item.deviceId: graphics.DeviceType(str(item.graphicsType), str(getattr(item, "vgpuMode", None) or ""))
                for item in config.deviceType or []
            },
        )
        host.graphics = graphics.checked(settings, {*host.spec.layout.functions, *host.graphics.devices})
        host.graphics_happened("at_once")


class HostServiceSystem(HostPart):
    """The services of a host. Only the restart of Xorg is modeled."""

    vim_type = vim.host.ServiceSystem
    id_prefix = "serviceSystem"

    @takes("id")
    def RestartService(self, call: Call, id: str) -> None:
        """Restart Xorg, which puts graphics settings in effect (vSphere Resource Management 6.7); other services are not modeled."""
        host = self.host
        host.reach()
        if id != "xorg":
            raise vim.fault.NotFound(msg=f"Service {id} was not found.")
        host.xorg_restarts += 1
        host.sim.clock.call_later(host.settings.graphics_info_seconds, self._xorg_runs)

    def _xorg_runs(self) -> None:
        if self.host.running:
            self.host.graphics_happened("xorg")


def _cards_of_held(host: HostState) -> frozenset[str]:
    """Physical functions of which a VM has a virtual function as a whole device."""
    functions = host.spec.layout.functions
    found = (functions[address].physical for address in host.holders if address in functions)
    return frozenset(address for address in found if address)


class HostStorageSystem(HostPart):
    """Disks and volumes; partitions on request."""

    vim_type = vim.host.StorageSystem
    id_prefix = "storageSystem"
    live: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "storageDeviceInfo": lambda self: self.host.get("config.storageDevice"),
        "fileSystemVolumeInfo": lambda self: self.host.get("config.fileSystemVolume"),
        "systemFile": lambda self: None,
        "multipathStateInfo": lambda self: _path_states(self.host.get("config.storageDevice")),
    }

    @takes("devicePath")
    def RetrieveDiskPartitionInfo(self, call: Call, devicePath: list[str]) -> list[Any]:
        """Partition tables by device path; an unknown disk is an invalid argument."""
        self.host.reach()
        if self.host.captured_partitions is None:
            raise vim.fault.HostConfigFault(msg="The captured host refused its partition tables.")
        captured = {table.deviceName: table for table in self.host.captured_partitions}
        found = [
            captured.get(path) or host_disks.partition_info(self.host.spec, self.host.taken, path)
            for path in devicePath
        ]
        if None in found:
            raise faults.invalid_argument("devicePath")
        return found


def _path_states(device: Any) -> Any:
    if device is None or device.multipathInfo is None:
        return None
    cls = vim.host.MultipathStateInfo
    paths = [path for lun in device.multipathInfo.lun for path in lun.path]
    return data.new(cls, path=[data.new(cls.Path, name=path.name, pathState=path.pathState) for path in paths])


class HostBootDeviceSystem(HostPart):
    """The boot order of the firmware; most servers do not tell (a knob)."""

    vim_type = vim.host.BootDeviceSystem
    id_prefix = "bootDeviceSystem"

    def QueryBootDevices(self, call: Call) -> Any:
        """A boot order by description. It names no disk."""
        self.host.reach()
        if not self.host.settings.query_boot_devices:
            raise vmodl.fault.NotSupported()
        cls = vim.host.BootDeviceSystem
        devices = [data.new(cls.BootDevice, key="0001", description="Hard drive C:")]
        if self.host.spec.boot == "usb":
            devices.insert(0, data.new(cls.BootDevice, key="0000", description="Internal USB"))
        return data.new(vim.host.BootDeviceInfo, bootDevices=devices, currentBootDeviceKey=devices[0].key)


class HostAssignableHardwareManager(HostPart):
    """Which device instance a running VM has (7.0 and later)."""

    vim_type = vim.host.AssignableHardwareManager
    id_prefix = "assignableHardwareManager"
    live: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "binding": lambda self: [
            data.new(vim.host.AssignableHardwareBinding, instanceId=f"pci-{address}", vm=self.sim.obj(moid).ref)
            for address, moid in sorted(self.host.holders.items())
        ],
        "config": lambda self: host_cards.label_config(self.host),
    }

    def RetrieveDynamicPassthroughInfo(self, call: Call) -> list[Any]:
        """Devices a dynamic backing can name, ids unsigned."""
        self.host.reach()
        return host_cards.dynamic_info(self.host)

    def RetrieveVendorDeviceGroupInfo(self, call: Call) -> list[Any]:
        """The vendor device groups of this host (8.0.0.1 and later)."""
        self.host.reach()
        return offers.groups([self.host])

    @takes("config.attributeOverride.*")
    def UpdateAssignableHardwareConfig(self, call: Call, config: Any) -> None:
        """Attribute overrides set hardware labels: instanceId `pci-<address>`, name `hardwareLabel`."""
        host = self.host
        host.reach()
        requests = []
        for item in config.attributeOverride or []:
            address = item.instanceId.removeprefix("pci-")
            if item.name != "hardwareLabel" or address not in host.pci:
                raise faults.invalid_argument("config.attributeOverride")
            requests.append(
                passthrough.Request(
                    address=address, enabled=host.pci[address].enabled, apply_now=False, label=str(item.value or "")
                )
            )
        host.pci |= passthrough.configured(host.pci, requests, ability(host), host.settings)
        host.publish()


class HostKernelModuleSystem(HostPart):
    """The configured parameters of the drivers of NICs and storage adapters. Other modules are not modelled.

    An unknown module is NotFound, and parameters take effect when the module is loaded again (API reference).
    """

    vim_type = vim.host.KernelModuleSystem
    id_prefix = "kernelModuleSystem"

    @takes("name")
    def QueryConfiguredModuleOptionString(self, call: Call, name: str) -> str:
        """The parameters as they are configured; the driver may have been loaded with others."""
        self._check(name)
        return self.host.module_options.get(name, "")

    @takes("name", "options")
    def UpdateModuleOptionString(self, call: Call, name: str, options: str) -> None:
        """Replace the parameters."""
        self._check(name)
        self.host.module_options[name] = options

    def _check(self, name: str) -> None:
        self.host.reach()
        spec = self.host.spec
        if name not in {nic.driver for nic in spec.nics} | {adapter.driver for adapter in spec.adapters}:
            raise vim.fault.NotFound(msg=f"Module {name} is not found.")
