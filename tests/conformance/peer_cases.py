# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of other collections that read, on simulator/labs/three_hosts.yml, and what each has to bring back.

Left out are those that ask other services than the SDK (SMS, PBM, the vSAN management API, the Automation SDK's tags).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyVmomi import vim

from simulator import Simulator
from simulator.core.accounts import known_privileges

Test = Callable[[Simulator, dict[str, Any]], bool]
HOST, VM = "esx-01.lab", "train-01"
CLUSTER = {"cluster_name": "compute"}
GUEST = {"name": VM, "datacenter": "DC1"}


@dataclass(frozen=True, kw_only=True)
class Module:
    """One call of a module; without a test it has to be refused."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    shows: Test | None = None


def vm(sim: Simulator, path: str) -> Any:
    """A property of train-01."""
    return sim.find("VirtualMachine", VM).get(path)


def host(sim: Simulator, path: str) -> Any:
    """A property of esx-01.lab."""
    return sim.find("HostSystem", HOST).get(path)


def hosts(key: str, test: Test) -> Test:
    """Each host of the lab is there, and the first passes a test."""

    def shows(sim: Simulator, found: dict[str, Any]) -> bool:
        by_name = found[key]
        return set(by_name) == {item.name for item in sim.registry.all(vim.HostSystem)} and test(sim, by_name[HOST])

    return shows


def is_empty(key: str) -> Test:
    """This lab has none of it."""
    return lambda sim, found: not found[key]


def _machines(sim: Simulator, found: dict[str, Any]) -> bool:
    rows = {row["guest_name"]: row for row in found["virtual_machines"]}
    row = rows[VM]
    return set(rows) == {item.name for item in sim.registry.all(vim.VirtualMachine)} and (
        row["uuid"], row["esxi_hostname"], row["cluster"], row["power_state"], row["datastore_url"]
    ) == (
        vm(sim, "config.uuid"), HOST, "compute", "poweredOff",
        [{"name": "shared-compute", "url": "ds:///vmfs/volumes/shared-compute/"}],
    )  # fmt: skip


def _guest(sim: Simulator, found: dict[str, Any]) -> bool:
    row = found["instance"]
    files = [vm(sim, "config.files.vmPathName"), "[shared-compute] train-01/train-01.vmdk"]
    return (row["hw_memtotal_mb"], row["hw_processor_count"], row["hw_esxi_host"], row["hw_datastores"], row["hw_files"]) == (
        vm(sim, "config.hardware.memoryMB"), vm(sim, "config.hardware.numCPU"), HOST, ["shared-compute"], files
    )  # fmt: skip


def _stores(sim: Simulator, found: dict[str, Any]) -> bool:
    told = {row["name"]: (row["capacity"], row["freeSpace"], row["type"]) for row in found["datastores"]}
    stores = sim.registry.all(vim.Datastore)
    return told == {
        item.name: (item.get("summary.capacity"), item.get("summary.freeSpace"), item.kind) for item in stores
    }


def _roles(sim: Simulator, found: dict[str, Any]) -> bool:
    rows = {row["role_name"]: row["privileges"] for row in found["local_role_info"]}
    return set(rows) == set(sim.authz.roles) and known_privileges() <= set(rows["Admin"]) and rows["NoAccess"] == []


def _adapters(sim: Simulator, row: dict[str, Any]) -> bool:
    told = {item["device"]: (item["location"], item["driver"]) for item in row["vmhba_details"]}
    return told == {item.device: (item.pci, item.driver) for item in host(sim, "config.storageDevice").hostBusAdapter}


def _disks(key: str) -> Test:
    return lambda sim, rows: (
        {row[key] for row in rows} == {item.canonicalName for item in host(sim, "config.storageDevice").scsiLun}
    )


def _facts(sim: Simulator, found: dict[str, Any]) -> bool:
    facts, vnic = found["ansible_facts"], host(sim, "config.network.vnic")[0].spec
    return (
        facts["ansible_processor_cores"],
        facts["ansible_memtotal_mb"],
        facts["ansible_distribution_build"],
        facts["ansible_vmk0"]["macaddress"],
        facts["ansible_all_ipv4_addresses"],
        facts["ansible_host_connection_state"],
    ) == (
        host(sim, "hardware.cpuInfo").numCpuCores,
        host(sim, "hardware.memorySize") >> 20,
        host(sim, "config.product.build"),
        vnic.mac,
        [vnic.ip.ipAddress],
        "connected",
    )


def _cluster(sim: Simulator, found: dict[str, Any]) -> bool:
    row, config = found["clusters"]["compute"], sim.find("ClusterComputeResource", "compute").get("configurationEx")
    used = sum(item.get("summary.quickStats").overallMemoryUsage for item in sim.registry.all(vim.HostSystem))
    drs, ha = (
        (row["drs_enabled"], row["ha_enabled"]) if "drs_enabled" in row else (row["enabled_drs"], row["enable_ha"])
    )
    return (drs, ha, len(row["hosts"]), row["resource_summary"]["memUsedMB"]) == (
        config.drsConfig.enabled, config.dasConfig.enabled, 3, used
    )  # fmt: skip


def _tools(sim: Simulator, found: dict[str, Any]) -> bool:
    row = found["vmtools_info"]
    return (row["vm_name"], row["vm_tools_upgrade_policy"], row["vm_tools_running_status"]) == (
        VM, "manual", vm(sim, "guest.toolsRunningStatus")
    )  # fmt: skip


def _resources(sim: Simulator, found: dict[str, Any]) -> bool:
    (row,) = found["vms"]
    stats = vm(sim, "summary.quickStats")
    return (row["memory"]["size_mb"], row["cpu"]["processor_count"], row["stats"]["memory"]["host_usage_mb"]) == (
        vm(sim, "config.hardware.memoryMB"), vm(sim, "config.hardware.numCPU"), stats.hostMemoryUsage
    )  # fmt: skip


CV, VV = "community.vmware.", "vmware.vmware."
MODULES = [
    Module(name=CV + "vmware_about_info", shows=lambda sim, found: found["about_info"]["instance_uuid"] == sim.instance_uuid),
    Module(name=CV + "vmware_all_snapshots_info", arguments={"datacenter": "DC1"}, shows=is_empty("vmware_all_snapshots_info")),
    Module(name=CV + "vmware_cluster_info", arguments=CLUSTER, shows=_cluster),
    Module(name=CV + "vmware_datacenter_info", shows=lambda sim, found: [row["name"] for row in found["datacenter_info"]] == ["DC1"]),
    Module(name=CV + "vmware_datastore_info", arguments={"datacenter": "DC1"}, shows=_stores),
    Module(name=CV + "vmware_drs_group_info", arguments=CLUSTER, shows=lambda sim, found: found["drs_group_info"] == {"compute": []}),
    Module(name=CV + "vmware_drs_rule_info", arguments=CLUSTER, shows=lambda sim, found: found["drs_rule_info"] == {"compute": []}),
    Module(name=CV + "vmware_dvswitch_info", shows=is_empty("distributed_virtual_switches")),
    Module(name=CV + "vmware_dvs_portgroup_find", shows=is_empty("dvs_portgroups")),
    Module(name=CV + "vmware_dvs_portgroup_info", arguments={"datacenter": "DC1"}, shows=is_empty("dvs_portgroup_info")),
    Module(name=CV + "vmware_folder_info", arguments={"datacenter": "DC1"},
           shows=lambda sim, found: found["folder_info"]["vmFolders"]["moid"] == vm(sim, "parent")._moId),
    Module(name=CV + "vmware_guest_boot_info", arguments={"name": VM},
           shows=lambda sim, found: (found["vm_boot_info"]["current_boot_firmware"], found["vm_boot_info"]["current_boot_delay"])
           == (vm(sim, "config.firmware"), vm(sim, "config.bootOptions.bootDelay"))),
    Module(name=CV + "vmware_guest_disk_info", arguments=GUEST,
           shows=lambda sim, found: found["guest_disk_info"]["0"]["capacity_in_bytes"]
           == vm(sim, "config.hardware.device[2000].capacityInBytes")),
    Module(name=CV + "vmware_guest_find", arguments={"name": VM}, shows=lambda sim, found: found["folders"] == ["/DC1/vm"]),
    Module(name=CV + "vmware_guest_info", arguments=GUEST, shows=_guest),
    Module(name=CV + "vmware_guest_info", arguments=GUEST | {"schema": "vsphere", "properties": ["config.hardware.memoryMB"]},
           shows=lambda sim, found: found["instance"]["config"]["hardware"]["memoryMB"] == vm(sim, "config.hardware.memoryMB")),
    Module(name=CV + "vmware_guest_snapshot_info", arguments=GUEST | {"folder": "/DC1/vm"}, shows=is_empty("guest_snapshots")),
    Module(name=CV + "vmware_guest_tools_info", arguments=GUEST, shows=_tools),
    Module(name=CV + "vmware_guest_vgpu_info", arguments=GUEST, shows=is_empty("vgpu")),
    Module(name=CV + "vmware_host_capability_info", arguments=CLUSTER,
           shows=hosts("hosts_capability_info", lambda sim, row: row["standbySupported"] == host(sim, "capability").standbySupported)),
    Module(name=CV + "vmware_host_disk_info", arguments=CLUSTER, shows=hosts("hosts_disk_info", _disks("canonical_name"))),
    Module(name=CV + "vmware_host_dns_info", arguments=CLUSTER,
           shows=hosts("hosts_dns_info", lambda sim, row: (row["host_name"], row["domain_name"]) == ("esx-01", "lab"))),
    Module(name=CV + "vmware_host_facts", arguments={"esxi_hostname": HOST}, shows=_facts),
    Module(name=CV + "vmware_host_feature_info", arguments=CLUSTER,
           shows=hosts("hosts_feature_info", lambda sim, row: {"cpuid.AES", "cpuid.INTEL"} <= {item["key"] for item in row})),
    Module(name=CV + "vmware_host_iscsi_info", arguments={"esxi_hostname": HOST},
           shows=lambda sim, found: found["iscsi_properties"] == {"iscsi_enabled": False}),
    Module(name=CV + "vmware_host_scsidisk_info", arguments=CLUSTER, shows=hosts("hosts_scsidisk_info", _disks("canonical_name"))),
    Module(name=CV + "vmware_host_ssl_info", arguments=CLUSTER,
           shows=hosts("host_ssl_info", lambda sim, row: row["ssl_thumbprints"] == [])),  # as on a captured ESXi 6.5
    Module(name=CV + "vmware_host_vmhba_info", arguments=CLUSTER, shows=hosts("hosts_vmhbas_info", _adapters)),
    Module(name=CV + "vmware_local_role_info", shows=_roles),
    Module(name=CV + "vmware_object_custom_attributes_info", arguments={"object_type": "VirtualMachine", "object_name": VM},
           shows=is_empty("custom_attributes")),
    Module(name=CV + "vmware_portgroup_info", arguments=CLUSTER, shows=hosts(
        "hosts_portgroup_info", lambda sim, row: [item["portgroup"] for item in row] == ["Management Network", "VM Network"])),
    Module(name=CV + "vmware_resource_pool_info",
           shows=lambda sim, found: [(row["name"], row["owner"]) for row in found["resource_pool_info"]] == [("Resources", "compute")]),
    Module(name=CV + "vmware_target_canonical_info", arguments=CLUSTER, shows=hosts("scsi_tgt_info", lambda sim, row: (
        set(row["scsilun_canonical"].values()) >= {item.canonicalName for item in host(sim, "config.storageDevice").scsiLun}))),
    Module(name=CV + "vmware_vm_info", shows=_machines),
    Module(name=VV + "cluster_info", arguments={"cluster": "compute", "datacenter": "DC1"}, shows=_cluster),
    Module(name=VV + "vm_resource_info", arguments={"name": VM}, shows=_resources),
    Module(name=CV + "vcenter_domain_user_group_info", arguments={"search_string": "administrator"}),
    Module(name=CV + "vcenter_extension_info"),
    Module(name=CV + "vmware_guest_customization_info"),
    Module(name=CV + "vmware_host_acceptance_info", arguments=CLUSTER),
    Module(name=CV + "vmware_host_config_info", arguments=CLUSTER),
    Module(name=CV + "vmware_host_firewall_info", arguments=CLUSTER),
    Module(name=CV + "vmware_host_logbundle_info", arguments={"esxi_hostname": HOST}),
    Module(name=CV + "vmware_host_ntp_info", arguments=CLUSTER),
    Module(name=CV + "vmware_host_package_info", arguments=CLUSTER),
    Module(name=CV + "vmware_host_service_info", arguments=CLUSTER),
    Module(name=CV + "vmware_host_vmnic_info", arguments=CLUSTER),
    Module(name=CV + "vmware_object_role_permission_info", arguments={"object_type": "Datacenter", "object_name": "DC1"}),
    Module(name=CV + "vmware_vcenter_settings_info"),
    Module(name=CV + "vmware_vmkernel_info", arguments=CLUSTER),
    Module(name=CV + "vmware_vswitch_info", arguments=CLUSTER),
    Module(name=VV + "license_info"),
]  # fmt: skip
