# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EnvironmentBrowser: what a VM could have here. Devices offered by a host, limits by hardware version.

Sources: a captured ConfigTarget and ConfigOption of a 9.x host (one systemId for all devices of a host, signed ids in
`pciDevice`, unsigned ones in `dynamicPassthrough`, whole GPUs in `sriov`), API reference.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from ..api import data
from ..api.takes import takes
from ..core.base import Endpoint, ManagedObject
from ..rules import faults, limits
from .cluster.state import ComputeState
from .config_options import config_option
from .folder import config_option_descriptors
from .host.cards import dynamic_info, offered
from .host.state import HostState
from .offers import dvx_classes, groups
from .pci import optional, pci_device

if TYPE_CHECKING:
    from ..core.call import Call


SUPPORTED_MEMORY_MB = 33538048
"""`supportedMaxMemMB`: what the release supports, whatever the host has (recorded from 9.x)."""


class EnvironmentBrowser(ManagedObject):
    """One for each compute resource; VMs refer to the one of their compute resource."""

    vim_type = vim.EnvironmentBrowser
    id_prefix = "envbrowser"
    owner: ComputeState

    def __init__(self, sim: Endpoint, moid: str | None = None) -> None:
        super().__init__(sim, moid)
        self.props["datastoreBrowser"] = sim.absent.browser(self)

    def _host(self, ref: Any) -> HostState:
        """The host asked for, else the first that answers; a host of another compute resource is a wrong argument."""
        hosts = self.owner.hosts
        if ref is not None:
            host: HostState = self.sim.obj(ref)
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
        """Every hardware version that a host here offers, with these hosts (API reference, VirtualMachineConfigOptionDescriptor.host).

        Whether a vCenter fills the hosts in is not confirmed: knob `descriptor_hosts`.
        """
        hosts = self.owner.hosts
        found = config_option_descriptors(max((host.spec.release for host in hosts), key=limits.release))
        for each in found if self.knob("descriptor_hosts") == "listed" else []:
            number = limits.hardware_version(each.key)
            each.host = [host.ref for host in hosts if number in limits.known_versions(host.spec.release)]
        return found

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


def config_target(host: HostState, hosts: list[HostState]) -> Any:
    """Build ConfigTarget. Only devices in passthrough are listed; taken ones stay listed.

    That of a cluster counts the processors of all hosts together, `maxCpusPerHost` those of the largest (recorded from 9.x).
    """
    cls = vim.vm.ConfigTarget
    threads = [each.spec.packages * each.spec.cores * 2 for each in hosts]
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
    values["sharedGpuPassthroughTypes"] = [data.new(shared, name="", vgpu=name) for name in profiles]
    if spec.major >= 8:
        values |= optional(cls, vgpuDeviceInfo=vgpu_devices(hosts), vgpuProfileInfo=vgpu_profiles(hosts))
        values |= optional(cls, vendorDeviceGroupInfo=groups(hosts), dvxClassInfo=dvx_classes(hosts))
    return data.new(
        cls,
        numCpus=sum(threads),
        numCpuCores=sum(each.spec.packages * each.spec.cores for each in hosts),
        numNumaNodes=sum(each.spec.numa_nodes for each in hosts),
        smcPresent=False,
        maxMemMBOptimalPerf=spec.memory_gb * 1024,
        **optional(cls, supportedMaxMemMB=SUPPORTED_MEMORY_MB, maxCpusPerHost=max(threads)),
        **optional(cls, maxSimultaneousThreads=2),
        **values,
    )


def passthrough_info(host: HostState) -> list[Any]:
    """`pciPassthrough`: devices with their signed ids, and the systemId that a fixed backing has to name."""
    signed = host.settings.negative_bus_bytes
    return [
        data.new(
            vim.vm.PciPassthroughInfo, name="", pciDevice=pci_device(item, signed=signed), systemId=host.spec.system_id
        )
        for item in offered(host)
    ]


def sriov_info(host: HostState) -> list[Any]:
    """`sriov`: physical functions with virtual functions, the latter as well, and GPUs that provide vGPUs through SR-IOV.

    A device in passthrough is listed in `pciPassthrough` only, even if it could do SR-IOV (recorded from 9.x: an X710 there, A100s here).
    """
    signed = host.settings.negative_bus_bytes
    found = []
    names = {nic.address: nic.device for nic in host.spec.nics}
    for address, item in host.spec.layout.functions.items():
        state = host.pci[address]
        serving = state.sriov is not None and state.sriov.active
        if (
            not serving
            and not item.physical
            and not (item.sriov_vgpu and host.spec.shared_gpus.get(address) == "sharedDirect")
        ):
            continue
        found.append(
            data.new(
                vim.vm.SriovInfo,
                name="",
                pciDevice=pci_device(item, signed=signed),
                systemId=host.spec.system_id,
                virtualFunction=bool(item.physical),
                pnic=names.get(address) if serving else None,
            )
        )
    return found


def _sharing(hosts: list[HostState]) -> dict[str, Any]:
    """Card models that provide vGPUs, by identity."""
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


def vgpu_devices(hosts: list[HostState]) -> list[Any]:
    """`vgpuDeviceInfo`: one entry a model of card."""
    return [
        data.new(
            vim.vm.VgpuDeviceInfo,
            name="",
            deviceName=item.device_name,
            deviceVendorId=_vgpu_id(item),
            maxFbSizeInGib=max(_frame_buffer(name) for name, _count in item.profiles),
            timeSlicedCapable=bool(item.profiles),
            migCapable=bool(item.mig_profiles),
            computeProfileCapable=any(name.endswith("c") for name, _count in item.profiles),
            quadroProfileCapable=any(name.endswith("q") for name, _count in item.profiles),
        )
        for item in _sharing(hosts).values()
    ]


def vgpu_profiles(hosts: list[HostState]) -> list[Any]:
    """`vgpuProfileInfo`: every profile of the models, also those the present mode does not offer (recorded from 9.x)."""
    return [
        data.new(
            vim.vm.VgpuProfileInfo,
            name="",
            profileName=name,
            deviceVendorId=_vgpu_id(item),
            fbSizeInGib=_frame_buffer(name),
            profileSharing="mig" if name in item.mig_profiles else "timeSliced",
            profileClass="quadro" if name.endswith("q") else "compute",
        )
        for item in _sharing(hosts).values()
        for name in (*item.mig_profiles, *(name for name, _count in item.profiles))
    ]


def _frame_buffer(profile: str) -> int:
    """GiB, from the last number in the name: 10 of grid_a100-10c, 5 of grid_a100-1-5cme."""
    return int(re.split(r"\D+", profile.rpartition("-")[2])[0])


def _profiles(host: HostState) -> set[str]:
    shared = [address for address, kind in host.spec.shared_gpus.items() if kind == "sharedDirect"]
    return {name for address in shared for name, _count in host.spec.layout.functions[address].profiles}
