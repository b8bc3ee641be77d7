# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of govc that read, on simulator/labs/three_hosts.yml, and what each has to show."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pyVmomi import vim

from simulator import Simulator
from simulator.core.accounts import known_privileges
from tests.conformance.foreign import Case, Shows

HOST, VM = "esx-01.lab", "train-01"


def has(*parts: str) -> Shows:
    """All of these are in the answer."""
    return lambda sim, text: all(part in text for part in parts)


def value(path: str, kind: str = "HostSystem", name: str = HOST) -> Shows:
    """The answer is the value of this property."""
    return lambda sim, text: text.strip() == str(sim.find(kind, name).get(path))


def lines(expected: Callable[[Simulator], list[str]]) -> Shows:
    """The lines of the answer, in any order."""
    return lambda sim, text: sorted(filter(None, map(str.strip, text.splitlines()))) == sorted(expected(sim))


def nothing(sim: Simulator, text: str) -> bool:
    """No line but a heading: this lab has none of it."""
    return len(text.strip().splitlines()) <= 1


def data(test: Callable[[Simulator, Any], bool]) -> Shows:
    """A test of the answer as JSON."""
    return lambda sim, text: test(sim, json.loads(text))


def names(sim: Simulator, kind: type[Any]) -> list[str]:
    """Names of all objects of a type."""
    return [item.name for item in sim.registry.all(kind)]


def paths(kind: type[Any]) -> Shows:
    """The inventory paths of all objects of a type."""
    return lines(lambda sim: [_path(item) for item in sim.registry.all(kind)])


def _path(entity: Any) -> str:
    parts = [node.name for node in entity.ancestors() if node.up is not None]
    return "/" + "/".join(reversed(parts))


def _devices(sim: Simulator, text: str) -> bool:
    found = [line.split()[1] for line in text.splitlines() if line.strip()]
    return found == [type(item)._wsdlName for item in sim.find("VirtualMachine", VM).devices]


def _children(sim: Simulator) -> list[str]:
    """A cluster shows its hosts, networks and its pool, as govc lists them."""
    cluster = sim.find("ClusterComputeResource", "compute")
    below = [*cluster.hosts, *map(sim.obj, cluster.props["network"]), cluster.pool]
    return [f"/DC1/host/compute/{item.name}" for item in below]


def _stores(sim: Simulator, text: str) -> bool:
    return all(
        f"Name:        {item.name}" in text and f"{int(item.get('summary.capacity')) / 2**30:.1f} GB" in text
        for item in sim.registry.all(vim.Datastore)
    )


def _usage(sim: Simulator, text: str) -> bool:
    summary = sim.find("ClusterComputeResource", "compute").get("summary")
    return f"{summary.totalCpu / 1000:.1f}GHz" in text and f"{summary.totalMemory / 2**40:.1f}TB" in text


def _disks(sim: Simulator, text: str) -> bool:
    luns = sim.find("HostSystem", HOST).get("config.storageDevice").scsiLun
    return len(text.strip().splitlines()) == len(luns) + 1 and all(lun.deviceName in text for lun in luns)


def _adapters(sim: Simulator, text: str) -> bool:
    hbas = sim.find("HostSystem", HOST).get("config.storageDevice").hostBusAdapter
    return all(hba.device in text and hba.driver in text for hba in hbas)


def _gpus(sim: Simulator, text: str) -> bool:
    cards = [item.id for item in sim.find("HostSystem", HOST).get("hardware").pciDevice if item.deviceId == 0x20F1]
    return len(cards) == 2 and all(f"PCI ID: {card}" in text for card in cards)


def _privileges(sim: Simulator, text: str) -> bool:
    return known_privileges() <= set(text.split())


READS = [
    Case(call="about", shows=has("VMware vCenter Server 8.0.3", "VirtualCenter", "8.0.3.0")),
    Case(call="about -json", shows=data(lambda sim, found: found["about"]["instanceUuid"] == sim.instance_uuid)),
    Case(call="ls", shows=lines(lambda sim: [f"/DC1/{name}" for name in ("vm", "host", "datastore", "network")])),
    Case(call="ls -l", shows=lines(lambda sim: [f"/DC1/{name}/" for name in ("vm", "host", "datastore", "network")])),
    Case(call="ls -json /DC1/host", shows=data(lambda sim, found: found["elements"][0]["Path"] == "/DC1/host/compute")),
    Case(call="ls /DC1/host/compute", shows=lines(_children)),
    Case(call="ls /DC1/vm", shows=paths(vim.VirtualMachine)),
    Case(call="ls -t VirtualMachine /DC1/*", shows=paths(vim.VirtualMachine)),
    Case(call="find / -type h", shows=paths(vim.HostSystem)),
    Case(call="find / -type m", shows=paths(vim.VirtualMachine)),
    Case(call="find / -type m -runtime.powerState poweredOn", shows=lines(lambda sim: ["/DC1/vm/web-01", "/DC1/vm/web-02"])),
    Case(call="find / -type s", shows=paths(vim.Datastore)),
    Case(call="find / -type n", shows=paths(vim.Network)),
    Case(call="find / -type p", shows=paths(vim.ResourcePool)),
    Case(call="find / -type c", shows=paths(vim.ClusterComputeResource)),
    Case(call="find / -type h -name esx-02*", shows=lines(lambda sim: ["/DC1/host/compute/esx-02.lab"])),
    Case(call="tree /DC1", shows=lambda sim, text: all(name in text for name in names(sim, vim.ManagedEntity)[1:])),
    Case(call="collect -s HostSystem:host-1 name", shows=value("name")),
    Case(call="collect -s HostSystem:host-1 hardware.memorySize", shows=value("hardware.memorySize")),
    Case(call="collect -s HostSystem:host-1 config.network.dnsConfig.hostName", shows=value("config.network.dnsConfig.hostName")),
    Case(call="collect -s HostSystem:host-1 configManager.networkSystem", shows=has("HostNetworkSystem:networkSystem-1")),
    Case(call="collect -s VirtualMachine:vm-1 config.hardware.memoryMB", shows=value("config.hardware.memoryMB", "VirtualMachine", VM)),
    Case(call="collect -json VirtualMachine:vm-1 layoutEx.file", shows=has("[shared-compute] train-01/train-01.vmx")),
    Case(call="collect -s ClusterComputeResource:domain-c-1 configurationEx.drsConfig.enabled", shows=has("true")),
    Case(call="collect -s - content.about.version", shows=has("8.0.3")),
    Case(call="collect -s - content.perfManager", shows=has("PerformanceManager:PerfMgr")),
    Case(call="collect -s Datastore:datastore-1 browser", shows=has("HostDatastoreBrowser:datastoreBrowser-datastore-1")),
    Case(call="collect -type m / name", shows=lambda sim, text: all(name in text for name in names(sim, vim.VirtualMachine))),
    Case(call="collect -json HostSystem:host-1 config.pciPassthruInfo",
         shows=data(lambda sim, found: len(found[0]["val"]["_value"]) == len(sim.find("HostSystem", HOST).pci))),
    Case(call="collect HostSystem:host-1", shows=has(HOST, "config ")),
    Case(call="collect VirtualMachine:vm-1", shows=has(VM, "layoutEx ")),
    Case(call="collect -s HostSystem:host-1 config.dateTimeInfo"),
    Case(call="collect -s HostSystem:host-1 config.service"),
    Case(call="collect -s HostNetworkSystem:networkSystem-1 networkInfo"),
    Case(call="collect -s Datastore:datastore-1 iormConfiguration"),
    Case(call="collect PerformanceManager:PerfMgr"),
    Case(call="datacenter.info", shows=has("Hosts:             3", "Clusters:          1", "Virtual Machines:  4")),
    Case(call="datacenter.info -json DC1", shows=data(lambda sim, found: found["datacenters"][0]["name"] == "DC1")),
    Case(call="host.info esx-01.lab", shows=has("Name:              esx-01.lab", "Memory:          524288MB", "connected")),
    Case(call="host.info -json esx-01.lab", shows=data(lambda sim, found: found["hostSystems"][0]["name"] == HOST)),
    Case(call="host.esxcli -host esx-01.lab hardware pci list"),
    Case(call="host.date.info -host esx-01.lab"),
    Case(call="host.service.ls -host esx-01.lab"),
    Case(call="host.portgroup.info -host esx-01.lab"),
    Case(call="host.vswitch.info -host esx-01.lab"),
    Case(call="host.vnic.info -host esx-01.lab"),
    Case(call="host.vnic.hint -host esx-01.lab"),
    Case(call="host.storage.info -host esx-01.lab", shows=_disks),
    Case(call="host.storage.info -host esx-01.lab -t hba", shows=_adapters),
    Case(call="host.storage.info -host esx-01.lab -t lun -unclaimed"),
    Case(call="host.storage.partition -host esx-01.lab /vmfs/devices/disks/none", fault="devicePath"),
    Case(call="host.option.ls -host esx-01.lab"),
    Case(call="host.autostart.info -host esx-01.lab"),
    Case(call="host.cert.info -host esx-01.lab"),
    Case(call="firewall.ruleset.find -host esx-01.lab"),
    Case(call="cluster.usage compute", shows=_usage),
    Case(call="cluster.group.ls -cluster compute", shows=nothing),
    Case(call="cluster.rule.ls -cluster compute", shows=nothing),
    Case(call="cluster.override.info -cluster compute", shows=nothing),
    Case(call="cluster.module.ls"),
    Case(call="pool.info */Resources", shows=has("Name:               Resources", "/DC1/host/compute/Resources")),
    Case(call="pool.info -json */Resources", shows=data(lambda sim, found: found["resourcePools"][0]["name"] == "Resources")),
    Case(call="datastore.info", shows=_stores),
    Case(call="datastore.info -json"),
    Case(call="datastore.ls -ds shared-compute"),
    Case(call="datastore.cluster.info", fault="datastore cluster '\\*' not found"),
    Case(call="dvs.portgroup.info none", fault="network 'none' not found"),
    Case(call="disk.ls -ds shared-compute"),
    Case(call="vm.info train-01", shows=has("Memory:       65536MB", "CPU:          16 vCPU(s)", "poweredOff", HOST)),
    Case(call="vm.info -json train-01", shows=data(lambda sim, found: found["virtualMachines"][0]["name"] == VM)),
    Case(call="vm.info -r train-01", shows=has("Storage uncommitted:  64.0GB", "shared-compute", "VM Network")),
    Case(call="vm.info -t train-01", shows=has("AfterPowerOn:          true", "ToolsUpgradePolicy:    manual")),
    Case(call="vm.info -e train-01", shows=has("ExtraConfig:")),
    Case(call="vm.info -vm.uuid 00000000-0000-0000-0000-000000000000", fault="no such VM|not found"),
    Case(call="vm.option.ls -cluster compute", shows=has("vmx-21")),
    Case(call="vm.option.info -cluster compute", shows=has("ubuntu64Guest", "windows2019srv_64Guest")),
    Case(call="vm.question -vm train-01", shows=has("No pending question")),
    Case(call="device.ls -vm train-01", shows=_devices),
    Case(call="device.ls -json -vm train-01",
         shows=data(lambda sim, found: len(found["devices"]) == len(sim.find("VirtualMachine", VM).devices))),
    Case(call="device.info -vm train-01 disk-*", shows=has("Key:          2000", "File:         [shared-compute] train-01/train-01.vmdk")),
    Case(call="device.info -vm train-01 ethernet-*", shows=has("MAC Address:      00:50:56:42:7d:b7", "VM Network")),
    Case(call="device.pci.ls -vm train-01", shows=nothing),
    Case(call="gpu.host.info -host esx-01.lab", shows=_gpus),
    Case(call="gpu.host.profile.ls -host esx-01.lab", fault="no vGPU profiles available"),
    Case(call="gpu.vm.info -vm train-01", shows=nothing),
    Case(call="snapshot.tree -vm train-01", shows=nothing),
    Case(call="events", shows=nothing),
    Case(call="tasks", shows=nothing),
    Case(call="session.ls", shows=has("administrator@vsphere.local", "govc/")),
    Case(call="role.ls", shows=lambda sim, text: {line.split()[0] for line in text.splitlines()} == set(sim.authz.roles)),
    Case(call="role.ls Admin", shows=_privileges),
    Case(call="role.ls ReadOnly", shows=lines(lambda sim: ["System.Anonymous", "System.Read", "System.View"])),
    Case(call="permissions.ls /DC1"),
    Case(call="license.ls"),
    Case(call="license.assigned.ls"),
    Case(call="extension.info"),
    Case(call="option.ls"),
    Case(call="option.ls config.vpxd.x"),
    Case(call="metric.ls /DC1/host/compute/esx-01.lab"),
    Case(call="metric.info /DC1/host/compute/esx-01.lab"),
    Case(call="metric.sample /DC1/host/compute/esx-01.lab cpu.usage.average"),
    Case(call="logs.ls"),
    Case(call="logs -n 3"),
    Case(call="alarms", shows=nothing),
    Case(call="alarm.info", shows=nothing),
    Case(call="fields.ls", shows=nothing),
    Case(call="folder.info vm", shows=has("Path:      /DC1/vm", "Children:  4")),
    Case(call="storage.policy.ls"),
    Case(call="sso.user.ls"),
    Case(call="volume.ls"),
    Case(call="tags.ls", shows=nothing),
    Case(call="tags.category.ls", shows=nothing),
    Case(call="tags.attached.ls -r /DC1/vm/train-01", shows=nothing),
]  # fmt: skip
