# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked, by whom, and how it ended. ``writes()`` is the proof that a check run changed nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ..api.data import DataObject, Ref

READS: frozenset[str] = frozenset(
    """
    Fetch RetrieveServiceContent CurrentTime RetrieveProductComponents QueryVMotionCompatibility
    Login LoginByToken LoginExtensionByCertificate LoginBySSPI Logout CloneSession AcquireCloneTicket SessionIsActive
    TerminateSession
    RetrieveProperties RetrievePropertiesEx ContinueRetrievePropertiesEx CancelRetrievePropertiesEx
    CreateFilter DestroyPropertyFilter CreatePropertyCollector DestroyPropertyCollector
    WaitForUpdates WaitForUpdatesEx CheckForUpdates CancelWaitForUpdates
    CreateContainerView CreateListView CreateListViewFromView CreateInventoryView ModifyListView ResetListView
    ResetListViewFromView DestroyView OpenInventoryViewFolder CloseInventoryViewFolder
    FindByUuid FindByDatastorePath FindByDnsName FindByIp FindByInventoryPath FindChild FindAllByUuid FindAllByDnsName
    FindAllByIp
    HasPrivilegeOnEntity HasPrivilegeOnEntities HasUserPrivilegeOnEntities FetchUserPrivilegeOnEntities
    RetrieveEntityPermissions RetrieveAllPermissions RetrieveRolePermissions
    QueryEvents CreateCollectorForEvents ReadNextEvents ReadPreviousEvents RewindCollector ResetCollector
    SetCollectorPageSize DestroyCollector CreateCollectorForTasks ReadNextTasks ReadPreviousTasks
    QueryConfigOption QueryConfigOptionDescriptor QueryConfigOptionEx QueryConfigTarget QueryTargetCapabilities
    RetrieveHardwareUptime QueryHostConnectionInfo QueryMemoryOverhead QueryMemoryOverheadEx QueryTpmAttestationReport
    QueryHostStatus QuerySyncingVsanObjects QueryCmmds GetResourceUsage
    QueryBootDevices QueryConfiguredModuleOptionString RetrieveDiskPartitionInfo RetrieveDynamicPassthroughInfo
    RetrieveVendorDeviceGroupInfo
    QueryOptions QueryAvailableDisksForVmfs QueryPerf QueryPerfCounter QueryAvailablePerfMetric QueryPerfProviderSummary
    ClusterEnterMaintenanceMode RecommendHostsForVm RetrieveDasAdvancedRuntimeInfo
    CheckCompatibility_Task CheckVmConfig_Task CheckPowerOn_Task CheckRelocate_Task CheckMigrate_Task CheckClone_Task
    CheckInstantClone_Task QueryVMotionCompatibilityEx_Task
    Redfish.GET Redfish.POST Redfish.DELETE
    Rest.Login Rest.Logout Rest.Session Rest.GET
    Tagging.ListCategories Tagging.GetCategory Tagging.ListTags Tagging.GetTag Tagging.ListTagsForCategory
    Tagging.ListAttachedTags Tagging.ListAttachedObjects Tagging.ListAttachedTagsOnObjects Tagging.ListAttachedObjectsOnTags
    ComputePolicies.List ComputePolicies.Get ComputePolicies.TagUsage
    DirectPathDevices.List Tasks.Get
    DirectPathProfileManagerList DirectPathProfileManagerQueryCapacity
    GetAlarm GetAlarmState RetrieveUserGroups QueryAssignedLicenses DecodeLicense
    """.split()
)
"""WSDL names of the methods that change no managed state. Everything else counts as a write, known or not, but what is in a guest."""


IN_GUEST: frozenset[str] = frozenset(
    """
    ValidateCredentialsInGuest StartProgramInGuest ListProcessesInGuest TerminateProcessInGuest
    CreateTemporaryFileInGuest DeleteFileInGuest InitiateFileTransferFromGuest InitiateFileTransferToGuest
    GuestFile.GET GuestFile.PUT
    """.split()
)
"""Methods that reach into the guest of a VM. They change nothing that vSphere manages, but they are no reads either."""


@dataclass(kw_only=True)
class Entry:
    """One call. ``outcome`` is "ok", the fault's WSDL name, "http 503" or "dropped"; bytes are 0 in process."""

    seq: int
    time: str
    user: str
    session: str
    moid: str
    type: str
    name: str
    method: str
    args: dict[str, Any]
    write: bool
    outcome: str = "ok"
    refused: list[str] = field(default_factory=list)
    """What the call asked for that is not modelled: the text of its fault, and of those in ``missingSet``."""
    effect: bool = False
    """Whether the call did its work; so may one have whose answer was dropped."""
    bytes_in: int = 0
    bytes_out: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the control page."""
        return dict(self.__dict__)


@dataclass
class Counters:
    """Totals since the start (or the last ``clear``)."""

    calls: int = 0
    http_requests: int = 0
    http_connections: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    logins: int = 0
    failed_logins: int = 0
    methods: Counter[str] = field(default_factory=Counter)


KEEP = 100_000
"""Calls remembered; beyond that the oldest half goes, counters stay."""


class Journal:
    """Calls in order."""

    def __init__(self) -> None:
        self.calls: list[Entry] = []
        self.counters = Counters()
        self._seq = 0

    def open(self, **fields: Any) -> Entry:
        """Record a call that is about to run."""
        self._seq += 1
        entry = Entry(seq=self._seq, write=fields["method"] not in READS | IN_GUEST, **fields)
        self.calls.append(entry)
        if len(self.calls) > KEEP:
            del self.calls[: KEEP // 2]
        self.counters.calls += 1
        self.counters.methods[entry.method] += 1
        return entry

    def writes(self) -> list[Entry]:
        """Calls that are neither on the read list nor in a guest, whatever their outcome."""
        return [entry for entry in self.calls if entry.write]

    def in_guest(self) -> list[Entry]:
        """Calls that reached into a guest, or were refused there."""
        return [entry for entry in self.calls if entry.method in IN_GUEST]

    def count(self, method: str | None = None) -> int:
        """How many calls, of one WSDL method or in all."""
        return len(self.calls) if method is None else sum(entry.method == method for entry in self.calls)

    def mark(self) -> int:
        """A point to count from later."""
        return self._seq

    def since(self, mark: int) -> list[Entry]:
        """Calls after the mark."""
        return [entry for entry in self.calls if entry.seq > mark]

    def clear(self) -> None:
        """Forget calls and counters."""
        self.calls.clear()
        self.counters = Counters()


def summary(value: Any, depth: int = 0) -> Any:
    """Arguments as short plain data; secrets by field name are masked by the caller."""
    if isinstance(value, Ref):
        return value._moId
    if isinstance(value, DataObject):
        if depth > 5:
            return value.__class__.__name__
        shown = {"_type": value._wsdlName}
        for name, item in value.__dict__.items():
            if item is not None and not (isinstance(item, list) and not item):
                shown[name] = "***" if "password" in name.lower() else summary(item, depth + 1)
        return shown
    if isinstance(value, list):
        items = [summary(item, depth + 1) for item in value[:20]]
        return [*items, f"... {len(value) - 20} more"] if len(value) > 20 else items
    if isinstance(value, type):
        return getattr(value, "_wsdlName", value.__name__)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value)
