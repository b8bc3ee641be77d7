# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Managed objects that every real endpoint has and that are not modelled: they are there, and refuse all they are asked.

A member that is unset says "this endpoint has none", which is a lie that clients act on. Which ones there are, and their
ids: captured ServiceContent of vCenter and ESXi 6.5 (govmomi, simulator/vpx and simulator/esx), the recorded
configManager of an ESXi 8.0.3 below a vCenter, and for what is newer the API reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyVmomi import VmomiSupport as vs
from pyVmomi import vim

from ..api.data import Ref, memo
from ..api.wire import compatible, is_known
from ..core.base import Endpoint, ManagedObject

VCENTER = {
    "userDirectory": "UserDirectory",
    "serviceManager": "ServiceMgr",
    "perfManager": "PerfMgr",
    "scheduledTaskManager": "ScheduledTaskManager",
    "extensionManager": "ExtensionManager",
    "customizationSpecManager": "CustomizationSpecManager",
    "guestCustomizationManager": "GuestCustomizationManager",
    "diagnosticManager": "DiagMgr",
    "licenseManager": "LicenseManager",
    "fileManager": "FileManager",
    "datastoreNamespaceManager": "DatastoreNamespaceManager",
    "virtualDiskManager": "virtualDiskManager",
    "snmpSystem": "SnmpSystem",
    "vmProvisioningChecker": "ProvChecker",
    "vmCompatibilityChecker": "CompatChecker",
    "ovfManager": "OvfManager",
    "ipPoolManager": "IpPoolManager",
    "dvSwitchManager": "DVSManager",
    "hostProfileManager": "HostProfileManager",
    "clusterProfileManager": "ClusterProfileManager",
    "complianceManager": "MoComplianceManager",
    "localizationManager": "LocalizationManager",
    "storageResourceManager": "StorageResourceManager",
    "overheadMemoryManager": "OverheadMemoryManager",
    "certificateManager": "certificateManager",
    "ioFilterManager": "IoFilterManager",
    "vStorageObjectManager": "VStorageObjectManager",
    "hostSpecManager": "HostSpecificationManager",
    "cryptoManager": "CryptoManager",
    "healthUpdateManager": "HealthUpdateManager",
    "failoverClusterConfigurator": "FailoverClusterConfigurator",
    "failoverClusterManager": "FailoverClusterManager",
    "tenantManager": "TenantManager",
    "siteInfoManager": "SiteInfoManager",
    "storageQueryManager": "StorageQueryManager",
}
"""Member of a vCenter's ServiceContent -> id."""
ESXI = {
    "setting": "HostAgentSettings",
    "userDirectory": "ha-user-directory",
    "serviceManager": "ha-servicemanager",
    "perfManager": "ha-perfmgr",
    "accountManager": "ha-localacctmgr",
    "diagnosticManager": "ha-diagnosticmgr",
    "licenseManager": "ha-license-manager",
    "fileManager": "ha-nfc-file-manager",
    "datastoreNamespaceManager": "ha-datastore-namespace-manager",
    "virtualDiskManager": "ha-vdiskmanager",
    "ovfManager": "ha-ovf-manager",
    "dvSwitchManager": "ha-dvsmanager",
    "localizationManager": "ha-l10n-manager",
    "storageResourceManager": "ha-storage-resource-manager",
    "vStorageObjectManager": "ha-vstorage-object-manager",
    "cryptoManager": "ha-crypto-manager",
}
"""The same of an ESXi host."""
HOST = {
    "cpuScheduler": "cpuScheduler",
    "datastoreSystem": "datastoreSystem",
    "memoryManager": "memorySystem",
    "networkSystem": "networkSystem",
    "vmotionSystem": "vmotionSystem",
    "virtualNicManager": "virtualNicManager",
    "firewallSystem": "firewallSystem",
    "advancedOption": "EsxHostAdvSettings",
    "diagnosticSystem": "diagnosticSystem",
    "autoStartManager": "autoStartManager",
    "snmpSystem": "snmpSystem",
    "dateTimeSystem": "dateTimeSystem",
    "patchManager": "patchManager",
    "imageConfigManager": "imageConfigManager",
    "firmwareSystem": "firmwareSystem",
    "healthStatusSystem": "healthStatusSystem",
    "authenticationManager": "authenticationManager",
    "powerSystem": "powerSystem",
    "cacheConfigurationManager": "cacheConfigManager",
    "esxAgentHostManager": "esxAgentHostManager",
    "iscsiManager": "iscsiManager",
    "vFlashManager": "vFlashManager",
    "vsanSystem": "vsanSystem",
    "messageBusProxy": "messageBusProxy",
    "userDirectory": "userDirectory",
    "accountManager": "accountManager",
    "hostAccessManager": "hostAccessManager",
    "vsanInternalSystem": "ha-vsan-internal-system",
    "certificateManager": "ha-certificate-manager",
    "cryptoManager": "CryptoManagerHost",
    "nvdimmSystem": "ha-nvdimm-system",
}
"""Member of a host's configManager -> what stands before the host's number in its id."""
TYPES = {"CryptoManagerHost": "CryptoManagerHostKMS", "CryptoManager": "CryptoManagerKmip",
         "ha-crypto-manager": "CryptoManagerHost", "VStorageObjectManager": "VcenterVStorageObjectManager",
         "ha-vstorage-object-manager": "HostVStorageObjectManager"}  # fmt: skip
"""Id, or what stands before the number -> WSDL type where it is a subtype of the declared one."""


class Unmodelled(ManagedObject):
    """An object without any property or method of its own."""

    refuses = True


@memo
def _class(vim_type: type[Any]) -> type[Unmodelled]:
    return type(f"Unmodelled{vim_type._wsdlName}", (Unmodelled,), {"vim_type": vim_type})


def _type(declared: type[Any], key: str, version: str) -> type[Any]:
    return compatible(vs.GetWsdlType(vs.XMLNS_VMODL_BASE, TYPES[key]), version) if key in TYPES else declared


def _members(holder: type[Any], ids: dict[str, str], version: str) -> Iterator[tuple[str, type[Any], str]]:
    """(member, type, id) of the members that an API version has."""
    for info in holder._GetPropertyList():
        if info.name in ids and is_known(version, info.version):
            yield info.name, _type(info.type, ids[info.name], version), ids[info.name]


class Absent:
    """Finds them by id. They are made on the first call: a fleet would have tens of thousands."""

    def __init__(self, sim: Endpoint) -> None:
        self.sim = sim
        self._known: dict[str, tuple[type[Any], ManagedObject | None]] = {}
        self._made: dict[str, Unmodelled] = {}

    def add(self, vim_type: type[Any], moid: str, owner: ManagedObject | None = None) -> Ref:
        """The reference of one that exists from now on, as long as its owner does."""
        self._known[moid] = vim_type, owner
        ref: Ref = vim_type(moid)
        return ref

    def browser(self, owner: ManagedObject) -> Ref:
        """The datastore browser that each host, datastore and environment browser has."""
        return self.add(vim.host.DatastoreBrowser, f"datastoreBrowser-{owner.moid}", owner)

    def find(self, moid: str) -> ManagedObject | None:
        """The object of this id; None when there is none, or its owner is gone."""
        if moid not in self._known:
            return None
        vim_type, owner = self._known[moid]
        if owner is not None and self.sim.registry.find(owner.moid) is not owner:
            return None
        if moid not in self._made:
            made = self._made[moid] = _class(vim_type)(self.sim, moid)
            made.owner = owner
        return self._made[moid]


def service_content(sim: Endpoint) -> dict[str, Ref]:
    """Members of ServiceContent that are not modelled."""
    ids = VCENTER if sim.kind == "vcenter" else ESXI
    found = _members(vim.ServiceInstanceContent, ids, sim.api_version)
    return {name: sim.absent.add(kind, moid) for name, kind, moid in found if name not in sim.content}


def config_manager(host: ManagedObject, version: str, *, but: set[str], direct: bool) -> dict[str, Ref]:
    """Members of a host's configManager that are not modelled; ``but`` those that are."""
    number = "" if direct else host.moid.removeprefix("host-")
    return {
        name: host.sim.absent.add(kind, f"ha-{name.lower()}" if direct else f"{prefix}-{number}", host)
        for name, kind, prefix in _members(vim.host.ConfigManager, HOST, version)
        if name not in but
    }
