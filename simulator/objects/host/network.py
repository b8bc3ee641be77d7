# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`config.network` and `config.virtualNicManagerInfo` of a host, from its specification and what is passed through."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from typing import Any

from pyVmomi import vim

from ...api import data
from ..specs import HostSpec, Nic, Switch, Vmkernel

PNIC = "key-vim.host.PhysicalNic-"
NIC_TYPES = ("faultToleranceLogging", "management", "vSphereProvisioning", "vSphereReplication", "vmotion", "vsan")


def dvs_uuid(name: str) -> str:
    """The uuid of a distributed switch, made of its name as the lab gives it."""
    raw = name.encode().hex().ljust(32, "0")[:32]
    pairs = [raw[i : i + 2] for i in range(0, 32, 2)]
    return " ".join(pairs[:8]) + "-" + " ".join(pairs[8:])


def present_nics(spec: HostSpec, taken: Collection[str]) -> list[Nic]:
    """NICs the kernel still owns: a device in passthrough has no vmnic."""
    return [nic for nic in spec.nics if nic.address not in taken]


def management_up(spec: HostSpec, taken: Collection[str], down: Collection[str] = ()) -> bool:
    """Whether a management VMkernel adapter still has an uplink with a link; hosts without NICs are not judged."""
    switches = {vmk.switch for vmk in spec.vmkernels if "management" in vmk.services}
    if not any(nic.switch in switches for nic in spec.nics):
        return True
    return any(nic.switch in switches and nic.device not in down for nic in present_nics(spec, taken))


def network_info(spec: HostSpec, taken: Collection[str], down: Collection[str] = ()) -> Any:
    """Build `HostNetworkInfo`; NICs named in `down` have no link."""
    nics = present_nics(spec, taken)
    standard = [switch for switch in spec.switches if switch.kind == "standard"]
    distributed = [switch for switch in spec.switches if switch.kind == "distributed"]
    return data.new(
        vim.host.NetworkInfo,
        pnic=[_pnic(nic, link=nic.device not in down) for nic in nics],
        vswitch=[_vswitch(switch, nics) for switch in standard],
        proxySwitch=[_proxy_switch(switch, nics) for switch in distributed],
        portgroup=[_portgroup(switch, name) for switch in standard for name in switch.portgroups],
        vnic=[_vnic(vmk, spec) for vmk in spec.vmkernels],
        dnsConfig=_dns(spec.name),
        ipV6Enabled=False,
        atBootIpV6Enabled=False,
    )


def _dns(name: str) -> Any:
    """The host's own name; a lab has no name servers."""
    short, _unused, domain = name.partition(".")
    return data.new(
        vim.host.DnsConfig, dhcp=False, hostName=short, domainName=domain, address=[], searchDomain=[domain]
    )


def _pnic(nic: Nic, *, link: bool) -> Any:
    """`linkSpeed` is unset when the link is down (API reference, PhysicalNic)."""
    duplex = data.new(vim.host.PhysicalNic.LinkSpeedDuplex, speedMb=nic.speed, duplex=True)
    return data.new(
        vim.host.PhysicalNic,
        key=PNIC + nic.device,
        device=nic.device,
        pci=nic.address,
        driver=nic.driver,
        linkSpeed=duplex if link else None,
        spec=data.new(vim.host.PhysicalNic.Specification),
        wakeOnLanSupported=False,
        mac=nic.mac,
    )


def _uplinks(switch: Switch, nics: list[Nic]) -> list[str]:
    return [PNIC + nic.device for nic in nics if nic.switch == switch.name]


def _vswitch(switch: Switch, nics: list[Nic]) -> Any:
    return data.new(
        vim.host.VirtualSwitch,
        name=switch.name,
        key=f"key-vim.host.VirtualSwitch-{switch.name}",
        numPorts=7680,
        numPortsAvailable=7600,
        mtu=1500,
        portgroup=[f"key-vim.host.PortGroup-{name}" for name in switch.portgroups],
        pnic=_uplinks(switch, nics),
        spec=data.new(vim.host.VirtualSwitch.Specification, numPorts=128),
    )


def _proxy_switch(switch: Switch, nics: list[Nic]) -> Any:
    return data.new(
        vim.host.HostProxySwitch,
        dvsUuid=dvs_uuid(switch.name),
        dvsName=switch.name,
        key=f"key-vim.host.HostProxySwitch-{switch.name}",
        numPorts=512,
        numPortsAvailable=500,
        mtu=9000,
        pnic=_uplinks(switch, nics),
        spec=data.new(vim.host.HostProxySwitch.Specification),
    )


def _portgroup(switch: Switch, name: str) -> Any:
    policy = data.new(vim.host.NetworkPolicy)
    return data.new(
        vim.host.PortGroup,
        key=f"key-vim.host.PortGroup-{name}",
        vswitch=f"key-vim.host.VirtualSwitch-{switch.name}",
        computedPolicy=policy,
        spec=data.new(vim.host.PortGroup.Specification, name=name, vlanId=0, vswitchName=switch.name, policy=policy),
    )


def _is_distributed(vmk: Vmkernel, spec: HostSpec) -> bool:
    return any(switch.name == vmk.switch and switch.kind == "distributed" for switch in spec.switches)


def _vmk_mac(vmk: Vmkernel, spec: HostSpec) -> str:
    """The first VMkernel adapter has the address of an uplink, the others one of VMware's own."""
    uplink = next((nic.mac for nic in spec.nics if nic.switch == vmk.switch), "")
    if uplink and vmk is spec.vmkernels[0]:
        return uplink
    tail = zlib.crc32(f"{spec.uuid}/{vmk.device}".encode())
    return f"00:50:56:6{tail >> 16 & 15:x}:{tail >> 8 & 255:02x}:{tail & 255:02x}"


def _vnic(vmk: Vmkernel, spec: HostSpec) -> Any:
    ip = data.new(vim.host.IpConfig, dhcp=False, ipAddress=vmk.ip, subnetMask="255.255.0.0")
    port = None
    if _is_distributed(vmk, spec):
        port = data.new(
            vim.dvs.PortConnection, switchUuid=dvs_uuid(vmk.switch), portgroupKey=f"dvportgroup-{vmk.portgroup}"
        )
    return data.new(
        vim.host.VirtualNic,
        device=vmk.device,
        key=f"key-vim.host.VirtualNic-{vmk.device}",
        portgroup="" if port else vmk.portgroup,
        spec=data.new(
            vim.host.VirtualNic.Specification,
            ip=ip,
            mac=_vmk_mac(vmk, spec),
            mtu=1500,
            portgroup=None if port else vmk.portgroup,
            distributedVirtualPort=port,
            netStackInstanceKey="defaultTcpipStack",
        ),
    )


def virtual_nic_manager_info(spec: HostSpec) -> Any:
    """Which VMkernel adapter serves what; selected adapters are named by key."""
    every = [_vnic(vmk, spec) for vmk in spec.vmkernels]
    configs = [
        data.new(
            vim.host.VirtualNicManager.NetConfig,
            nicType=kind,
            multiSelectAllowed=True,
            candidateVnic=every,
            selectedVnic=[
                f"{kind}.key-vim.host.VirtualNic-{vmk.device}" for vmk in spec.vmkernels if kind in vmk.services
            ],
        )
        for kind in NIC_TYPES
    ]
    return data.new(vim.host.VirtualNicManagerInfo, netConfig=configs)
