# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a host that follow from its specification: product, hardware, capability, runtime, summary."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from pyVmomi import vim
from pyVmomi.VmomiSupport import F_OPTIONAL

from ...api import data
from ...rules import limits
from ..pci import optional
from ..specs import HostSpec

GIB = 1024**3
MHZ = 2400
ALWAYS_ABLE = (
    "recursiveResourcePoolsSupported",
    "cpuMemoryResourceConfigurationSupported",
    "rebootSupported",
    "shutdownSupported",
    "vmotionSupported",
    "standbySupported",
    "maintenanceModeSupported",
    "nfsSupported",
    "sanSupported",
    "nicTeamingSupported",
    "vlanTaggingSupported",
    "storageVMotionSupported",
    "nestedHVSupported",
)
FEATURES = (
    "AES",
    "AVX",
    "AVX2",
    "CMPXCHG16B",
    "F16C",
    "FMA",
    "LM",
    "NX",
    "PDPE1GB",
    "RDRAND",
    "SSE41",
    "SSE42",
    "XSAVE",
)
"""CPU features that both processors of a lab have."""
MAY_BE_UNSET = frozenset({
    "activeDiagnosticPartition", "vsanHostConfig", "graphicsInfo", "graphicsConfig", "sharedPassthruGpuTypes",
    "sharedGpuCapabilities", "pciPassthruInfo", "sriovDevicePool", "assignableHardwareBinding", "assignableHardwareConfig",
    "sslThumbprintInfo", "sslThumbprintData", "vFlashConfigInfo", "option", "network", "storageDevice", "fileSystemVolume",
    "virtualNicManagerInfo",
})  # fmt: skip
"""Fields of a host's configuration that are modelled, or that a host may well lack (captured ESXi 6.5, recorded 8.0.3)."""
UNMODELLED = frozenset(data.fields(vim.host.ConfigInfo)) - MAY_BE_UNSET
"""All others: a host has them, so that unset would be a lie."""
CPU_MODELS = {"intel": "Intel(R) Xeon(R) Gold 6342 CPU @ 2.80GHz", "amd": "AMD EPYC 7443P 24-Core Processor"}


@cache
def features(cpu: str) -> list[Any]:
    """`featureCapability` of a host with this processor."""
    names = sorted({*FEATURES, "AMD" if "AMD" in cpu.upper() else "INTEL"})
    return [
        data.new(vim.host.FeatureCapability, key=f"cpuid.{name}", featureName=f"cpuid.{name}", value="1")
        for name in names
    ]


def product(spec: HostSpec) -> Any:
    """AboutInfo of the host itself."""
    return _about(spec.release, spec.build)


@cache
def _about(release: str, build: str) -> Any:
    return data.new(
        vim.AboutInfo,
        name="VMware ESXi",
        fullName=f"VMware ESXi {release} build-{build}",
        vendor="VMware, Inc.",
        version=release,
        build=build,
        localeVersion="INTL",
        localeBuild="000",
        osType="vmnix-x86",
        productLineId="embeddedEsx",
        apiType="HostAgent",
        apiVersion=".".join(release.split(".")[:4]),
        licenseProductName="VMware ESX Server",
        licenseProductVersion=f"{release.split('.')[0]}.0",
    )


def hardware(spec: HostSpec, *, signed_bus: bool) -> Any:
    """Build `HostHardwareInfo`; the list of PCI devices is shared by hosts of one layout."""
    cores = spec.packages * spec.cores
    devices = spec.layout.devices_signed if signed_bus else spec.layout.devices_unsigned
    return data.new(
        vim.host.HardwareInfo,
        systemInfo=data.new(vim.host.SystemInfo, vendor=spec.vendor, model=spec.model, uuid=spec.uuid),
        cpuInfo=data.new(
            vim.host.CpuInfo,
            numCpuPackages=spec.packages,
            numCpuCores=cores,
            numCpuThreads=cores * 2,
            hz=MHZ * 1_000_000,
        ),
        cpuPkg=[_package(spec, index) for index in range(spec.packages)],
        memorySize=spec.memory_gb * GIB,
        numaInfo=numa_info(spec),
        smcPresent=False,
        biosInfo=data.new(vim.host.BIOSInfo, biosVersion="1.6.5", vendor=spec.vendor),
        pciDevice=devices,
        **optional(vim.host.HardwareInfo, dvxClasses=_dvx_classes(spec)),
    )


def _dvx_classes(spec: HostSpec) -> list[Any] | None:
    """`dvxClasses`, since 8.0.0.1."""
    if not spec.dvx or spec.version_numbers < (8, 0):
        return None
    cls = vim.host.DvxClass
    return [
        data.new(cls, deviceClass=item.name, checkpointSupported=True, swDMATracingSupported=True, sriovNic=item.nic)
        for item in spec.dvx
    ]


def _package(spec: HostSpec, index: int) -> Any:
    first = index * spec.cores * 2
    return data.new(
        vim.host.CpuPackage,
        index=index,
        vendor=spec.cpu,
        hz=MHZ * 1_000_000,
        busHz=100_000_000,
        description=CPU_MODELS.get(spec.cpu, CPU_MODELS["intel"]),
        threadId=list(range(first, first + spec.cores * 2)),
    )


def numa_info(spec: HostSpec) -> Any:
    """NUMA nodes with the addresses of their devices (`pciId`, since 6.7). One node is NUMA, too (recorded from 8.0.3)."""
    share = spec.memory_gb * GIB // spec.numa_nodes
    threads = spec.packages * spec.cores * 2 // spec.numa_nodes
    cls = vim.host.NumaNode
    nodes = [
        data.new(
            cls,
            typeId=index,
            cpuID=list(range(index * threads, (index + 1) * threads)),
            memoryRangeBegin=index * share,
            memoryRangeLength=share,
            **optional(cls, memorySize=share, pciId=spec.layout.numa_addresses.get(index, [])),
        )
        for index in range(spec.numa_nodes)
    ]
    return data.new(vim.host.NumaInfo, type="NUMA", numNodes=spec.numa_nodes, numaNode=nodes)


@cache
def capability(release: str, rebind: bool, quick_boot: bool = False) -> Any:
    """`HostCapability`: what a release can do; fields a release does not have stay unset (API reference)."""
    cls = vim.host.Capability
    mine = limits.release(release)
    values: dict[str, Any] = dict.fromkeys(
        (name for name, info in data.fields(cls).items() if info.type is bool and not info.flags & F_OPTIONAL), False
    )
    values |= dict.fromkeys(ALWAYS_ABLE, True)
    since: dict[str, tuple[tuple[int, ...], bool]] = {
        "deviceRebindWithoutRebootSupported": ((7, 0), rebind),
        "assignableHardwareSupported": ((7, 0), True),
        "ahDeviceHintsSupported": ((7, 0, 2), True),
        "assignHwPciConfigSupported": ((7, 0, 2), True),
        "iommuSLDirtyCapable": ((8, 0), True),
        "fptHotplugSupported": ((8, 0, 1), True),
        "directPathInfoSupported": ((9, 1), True),
        "quickBootSupported": ((6, 7), quick_boot),
    }
    values |= optional(cls, **{name: value for name, (start, value) in since.items() if start <= mine})
    return data.new(cls, **values)


def runtime(spec: HostSpec, boot_time: datetime, *, direct: bool) -> Any:
    """`HostRuntimeInfo` at the start."""
    away = spec.connection != "connected" and not direct
    return data.new(
        vim.host.RuntimeInfo,
        connectionState="connected" if direct else spec.connection,
        powerState="standBy" if spec.standby else "unknown" if away else "poweredOn",
        standbyMode="in" if spec.standby else "none",
        inMaintenanceMode=spec.maintenance,
        inQuarantineMode=spec.quarantine,
        bootTime=boot_time,
    )


def summary(spec: HostSpec, host: Any, runtime_info: Any, *, manager: str | None) -> Any:
    """`HostListSummary`; shares the runtime object."""
    cores = spec.packages * spec.cores
    return data.new(
        vim.host.Summary,
        host=host,
        hardware=data.new(
            vim.host.Summary.HardwareSummary,
            vendor=spec.vendor,
            model=spec.model,
            uuid=spec.uuid,
            memorySize=spec.memory_gb * GIB,
            cpuModel=CPU_MODELS.get(spec.cpu, CPU_MODELS["intel"]),
            cpuMhz=MHZ,
            numCpuPkgs=spec.packages,
            numCpuCores=cores,
            numCpuThreads=cores * 2,
            numNics=len(spec.nics),
            numHBAs=len(spec.adapters),
        ),
        runtime=runtime_info,
        config=data.new(
            vim.host.Summary.ConfigSummary,
            name=spec.name,
            port=443,
            product=product(spec),
            vmotionEnabled=any("vmotion" in vmk.services for vmk in spec.vmkernels),
            faultToleranceEnabled=False,
        ),
        quickStats=quick_stats(spec, []),
        overallStatus="green",
        rebootRequired=False,
        managementServerIp=manager,
    )


def quick_stats(spec: HostSpec, loads: list[tuple[int, int]]) -> Any:
    """What is in use: a little by the host itself, and all memory and a tenth of the CPU of (MB, vCPUs) of each VM."""
    cores = spec.packages * spec.cores
    return data.new(
        vim.host.Summary.QuickStats,
        overallCpuUsage=min(cores * MHZ, 500 + sum(vcpus * MHZ // 10 for _unused, vcpus in loads)),
        overallMemoryUsage=min(spec.memory_gb * 1024, 8192 + sum(megabytes for megabytes, _unused in loads)),
    )
