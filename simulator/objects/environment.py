# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EnvironmentBrowser: what a VM could have here. Devices offered by a host, limits by hardware version.

Sources: a captured ConfigTarget and ConfigOption of a 9.x host (one systemId for all devices of a host, signed ids in
`pciDevice`, unsigned ones in `dynamicPassthrough`, whole GPUs in `sriov`), API reference.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from .. import data
from ..base import ManagedObject
from ..rules import faults, limits
from ..rules.knobs import Knobs
from ..takes import takes
from . import guest_options, vm_config
from .folder import config_option_descriptors
from .pci import optional, pci_device

if TYPE_CHECKING:
    from ..dispatch import Call
    from ..simulator import Simulator
    from .cluster import ComputeResource
    from .host import HostSystem


class EnvironmentBrowser(ManagedObject):
    """One for each compute resource; VMs point to the one of theirs."""

    vim_type = vim.EnvironmentBrowser
    id_prefix = "envbrowser"
    owner: ComputeResource

    def __init__(self, sim: Simulator, moid: str | None = None) -> None:
        super().__init__(sim, moid)
        self.props["datastoreBrowser"] = sim.absent.browser(self)

    def _host(self, ref: Any) -> HostSystem:
        """The host asked for, else the first that answers; a host of another compute resource is a wrong argument."""
        hosts = self.owner.hosts
        if ref is not None:
            host: HostSystem = self.sim.obj(ref)
            if host not in hosts:
                raise faults.invalid_argument("host")
            host.reach()
            return host
        for host in hosts:
            if host.connection == "connected":
                return host
        raise vmodl.fault.HostNotConnected()

    @takes("host")
    def QueryConfigTarget(self, call: Call, host: Any = None) -> Any:
        """Devices and sizes of one host; without a host, of all connected hosts together."""
        chosen = self._host(host)
        hosts = [chosen] if host is not None else [item for item in self.owner.hosts if item.connection == "connected"]
        return config_target(chosen, hosts)

    def QueryConfigOptionDescriptor(self, call: Call) -> list[Any]:
        """Hardware versions of the newest host."""
        return config_option_descriptors(max((host.spec.release for host in self.owner.hosts), key=limits.release))

    @takes("key", "host")
    def QueryConfigOption(self, call: Call, key: str | None = None, host: Any = None) -> Any:
        """Limits of a hardware version, the newest when none is named."""
        return self._option(key, host)

    @takes("spec.key", "spec.host")
    def QueryConfigOptionEx(self, call: Call, spec: Any = None) -> Any:
        """The same, by a spec."""
        return self._option(getattr(spec, "key", None), getattr(spec, "host", None))

    def _option(self, key: str | None, ref: Any) -> Any:
        host = self._host(ref)
        newest = limits.newest_version(host.spec.release)
        try:
            version = limits.hardware_version(key) if key else newest
        except ValueError:
            raise faults.invalid_argument("key") from None
        if version not in limits.known_versions(host.spec.release):
            raise faults.invalid_argument("key")
        return config_option(version, host.spec.release, host.settings)

    @takes("host")
    def QueryTargetCapabilities(self, call: Call, host: Any = None) -> Any:
        """Capability of the host."""
        return self._host(host).get("capability")


def config_target(host: HostSystem, hosts: list[HostSystem]) -> Any:
    """Build ConfigTarget. Only devices in passthrough are listed; taken ones stay listed."""
    cls = vim.vm.ConfigTarget
    spec = host.spec
    values: dict[str, Any] = {
        "pciPassthrough": [item for each in hosts for item in passthrough_info(each)],
        "sriov": [item for each in hosts for item in sriov_info(each)],
    }
    known = data.fields(cls)
    dynamic = [item for each in hosts for item in dynamic_info(each)]
    if "dynamicPassthrough" in known and spec.major >= 7:
        values["dynamicPassthrough"] = dynamic
    profiles = sorted({name for each in hosts for name in _profiles(each)})
    shared = vim.vm.PciSharedGpuPassthroughInfo
    values["sharedGpuPassthroughTypes"] = [data.new(shared, name=name, vgpu=name) for name in profiles]
    if spec.major >= 8:
        values |= optional(cls, vgpuDeviceInfo=vgpu_devices(hosts), vgpuProfileInfo=vgpu_profiles(hosts))
    return data.new(
        cls,
        numCpus=spec.packages * spec.cores * 2,
        numCpuCores=spec.packages * spec.cores,
        numNumaNodes=spec.numa_nodes,
        smcPresent=False,
        maxMemMBOptimalPerf=spec.memory_gb * 1024,
        supportedMaxMemMB=min(spec.memory_gb * 1024, 25165824),
        autoVmotion=False,
        **values,
    )


def _offered(host: HostSystem) -> list[Any]:
    return [item for address, item in host.spec.layout.functions.items() if host.pci[address].active]


def passthrough_info(host: HostSystem) -> list[Any]:
    """`pciPassthrough`: devices with their signed ids, and the systemId that a fixed backing has to name."""
    signed = host.settings.negative_bus_bytes
    return [
        data.new(
            vim.vm.PciPassthroughInfo, name="", pciDevice=pci_device(item, signed=signed), systemId=host.spec.system_id
        )
        for item in _offered(host)
    ]


def sriov_info(host: HostSystem) -> list[Any]:
    """`sriov`: physical functions of NICs with virtual functions, and whole GPUs (as captured)."""
    signed = host.settings.negative_bus_bytes
    found = []
    names = {nic.address: nic.device for nic in host.spec.nics}
    for address, item in host.spec.layout.functions.items():
        state = host.pci[address]
        serving = state.sriov is not None and state.sriov.active
        if not serving and not (state.active and item.role == "gpu"):
            continue
        found.append(
            data.new(
                vim.vm.SriovInfo,
                name="",
                pciDevice=pci_device(item, signed=signed),
                systemId=host.spec.system_id,
                virtualFunction=False,
                pnic=names.get(address) if serving else None,
            )
        )
    return found


def dynamic_info(host: HostSystem) -> list[Any]:
    """`dynamicPassthrough`: what an allowedDevice can name; ids unsigned, one entry a kind and label."""
    cls = getattr(vim.vm, "DynamicPassthroughInfo", None)
    if cls is None or host.spec.major < 7:
        return []
    found: dict[tuple[int, int, str], Any] = {}
    for item in _offered(host):
        label = host.pci[item.address].label
        found[item.vendor, item.device, label] = data.new(
            cls,
            name="",
            vendorName=item.vendor_name,
            deviceName=item.device_name,
            customLabel=label or None,
            vendorId=item.vendor,
            deviceId=item.device,
        )
    return [found[key] for key in sorted(found)]


def _sharing(hosts: list[HostSystem]) -> dict[str, Any]:
    """Card models that serve vGPUs, by identity."""
    found = {}
    for host in hosts:
        for address, kind in host.spec.shared_gpus.items():
            item = host.spec.layout.functions[address]
            if kind == "sharedDirect" and item.profiles:
                found[item.identity] = item
    return found


def _vgpu_id(item: Any) -> int:
    """deviceVendorId: the device id above the vendor id (as captured: 0x20f110de)."""
    return int(item.device) << 16 | int(item.vendor)


def vgpu_devices(hosts: list[HostSystem]) -> list[Any]:
    """`vgpuDeviceInfo`: one entry a model of card."""
    return [
        data.new(
            vim.vm.VgpuDeviceInfo,
            name="",
            deviceName=item.device_name,
            deviceVendorId=_vgpu_id(item),
            maxFbSizeInGib=max(_frame_buffer(name) for name, _count in item.profiles),
            timeSlicedCapable=True,
            migCapable=False,
            computeProfileCapable=True,
            quadroProfileCapable=False,
        )
        for item in _sharing(hosts).values()
    ]


def vgpu_profiles(hosts: list[HostSystem]) -> list[Any]:
    """`vgpuProfileInfo`: one entry a profile; the number in its name is the frame buffer in GiB."""
    return [
        data.new(
            vim.vm.VgpuProfileInfo,
            name="",
            profileName=name,
            deviceVendorId=_vgpu_id(item),
            fbSizeInGib=_frame_buffer(name),
            profileSharing="timeSliced",
            profileClass="compute" if name.endswith("c") else "quadro",
        )
        for item in _sharing(hosts).values()
        for name, _count in item.profiles
    ]


def _frame_buffer(profile: str) -> int:
    return int(profile.rpartition("-")[2].rstrip("cqab"))


def _profiles(host: HostSystem) -> set[str]:
    shared = [address for address, kind in host.spec.shared_gpus.items() if kind == "sharedDirect"]
    return {name for address in shared for name, _count in host.spec.layout.functions[address].profiles}


@cache
def config_option(version: int, release: str, knobs: Knobs) -> Any:
    """Build ConfigOption: the maxima of a hardware version. Only what concerns devices and memory is filled."""
    passthrough = limits.passthrough_max(version, release, knobs)
    option = vim.option.IntOption

    def number(low: int, high: int, usual: int = 0) -> Any:
        return data.new(option, min=low, max=high, defaultValue=usual)

    controller = data.new(
        vim.vm.device.VirtualPCIControllerOption,
        type=vim.vm.device.VirtualPCIController,
        deprecated=False,
        plugAndPlay=False,
        hotRemoveSupported=False,
        devices=number(1, 1, 1),
        numSCSIControllers=number(0, 4),
        numEthernetCards=number(0, 10),
        numVideoCards=number(0, 1, 1),
        numSoundCards=number(0, 1),
        numVmiRoms=number(0, 0),
        numVmciDevices=number(0, 1, 1),
        numPCIPassthroughDevices=number(0, passthrough),
        numSasSCSIControllers=number(0, 4),
        numVmxnet3EthernetCards=number(0, 10),
        numParaVirtualSCSIControllers=number(0, 4),
        numSATAControllers=number(0, 4),
    )
    share = data.new(vim.SharesOption, sharesOption=number(0, 1000000, 1000), defaultLevel="normal")
    allocation = data.new(vim.ResourceAllocationOption, sharesOption=share)
    hardware = data.new(
        vim.vm.VirtualHardwareOption,
        hwVersion=version,
        virtualDeviceOption=[controller],
        deviceListReadonly=False,
        numCPU=[1, 2, 4, 8, 16, 32, 64, 128],
        numCoresPerSocket=number(1, 64, 1),
        numCpuReadonly=False,
        memoryMB=data.new(vim.option.LongOption, min=4, max=25165824 if version >= 18 else 6128640, defaultValue=2048),
        numPCIControllers=number(1, 1, 1),
        numIDEControllers=number(2, 2, 2),
        numUSBControllers=number(0, 1),
        numUSBXHCIControllers=number(0, 1),
        numSIOControllers=number(1, 1, 1),
        numPS2Controllers=number(1, 1, 1),
        resourceConfigOption=data.new(
            vim.ResourceConfigOption, cpuAllocationOption=allocation, memoryAllocationOption=allocation
        ),
        licensingLimit=[],
    )
    return data.new(
        vim.vm.ConfigOption,
        version=limits.vmx(version),
        description=f"Hardware version {version}",
        guestOSDescriptor=guest_options.descriptors(version),
        guestOSDefaultIndex=0,
        hardwareOptions=hardware,
        capabilities=vm_config.capability(),
        datastore=data.new(vim.vm.DatastoreOption),
        supportedMonitorType=["release"],
    )
