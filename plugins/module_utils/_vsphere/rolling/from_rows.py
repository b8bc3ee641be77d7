# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads hosts, clusters, tasks, alarms and datastores from property rows, as plain values. PRIVATE to the collection.

Pure functions of rows that ``FleetInventory`` has read. Virtual machines are read in ``vm_hardware``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..._domain.rolling.state.observed import Admission
from ..property_collector.retrieve import Row
from ..read.fabric import switches_of
from ..sdk import vim
from ..session.answer_checks import reader
from ..session.connect import Session

LIFECYCLE = ("com.vmware.vcintegrity.", "com.vmware.esx.settings.")
"""Prefixes of the task ids of the lifecycle manager (formerly update manager), in lower case."""
_LOOKS_ONLY = ("scan", "check", "compliance", "stage", "download", "recommend", "validate", "export", "sync")
_ENTER = "entermaintenancemode"
_DOWN = frozenset({"reboot", "reboothost", "shutdown", "shutdownhost"})
_VGPU_OPTION = "vgpummautomationtimeoutsecs"


# -- tasks ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class RunningTask:
    """A task that is queued or running. ``identifier``: its description id, such as ``HostSystem.enterMaintenanceMode``."""

    moid: str
    entity: str
    identifier: str
    name: str

    @property
    def kind(self) -> str:
        """The last word of the identifier: ``enterMaintenanceMode``, ``exitMaintenanceMode``, ``reboot``, ``shutdown``, ..."""
        return self.identifier.rpartition(".")[2]

    @property
    def is_entering(self) -> bool:
        return self.kind.casefold() == _ENTER

    @property
    def is_reboot(self) -> bool:
        """A reboot or a shutdown."""
        return self.kind.casefold() in _DOWN

    @property
    def is_remediation(self) -> bool:
        """The lifecycle manager changes hosts; tasks that only scan or check do not count."""
        text = self.identifier.casefold()
        return text.startswith(LIFECYCLE) and not any(word in text for word in _LOOKS_ONLY)


TASK_PATHS = ("info.state", "info.descriptionId", "info.entity", "info.description")


@reader
def running_tasks(rows: Iterable[Row]) -> dict[str, tuple[RunningTask, ...]]:
    """Object id → tasks that are queued or running on it, by name."""
    found: dict[str, list[RunningTask]] = {}
    for row in rows:
        entity = row.get("info.entity")
        if entity is None or str(row.get("info.state")) not in ("queued", "running"):
            continue
        identifier = row.get("info.descriptionId") or row.moid
        shown = getattr(row.get("info.description"), "message", None)
        task = RunningTask(moid=row.moid, entity=entity._moId, identifier=identifier, name=shown or identifier)
        found.setdefault(entity._moId, []).append(task)
    return {moid: tuple(sorted(tasks, key=lambda task: (task.name, task.moid))) for moid, tasks in found.items()}


# -- alarms and custom values ---------------------------------------------------------------------------------------


@reader
def red_alarms(row: Row) -> tuple[str, ...]:
    """Ids of the red, unacknowledged alarms of this object. The property also contains alarms of objects below it; these are skipped."""
    found = {
        state.alarm._moId
        for state in row.get("triggeredAlarmState", ())
        if str(state.overallStatus) == "red"
        and not state.acknowledged
        and not getattr(state, "disabled", None)
        and state.entity._moId == row.moid
    }
    return tuple(sorted(found))


@reader
def custom_texts(row: Row, fields: Mapping[int, str]) -> dict[str, str]:
    """Attribute name → text, for the attributes in ``fields`` (key → name) that have a text."""
    found = {fields[value.key]: value.value for value in row.get("customValue", ()) if value.key in fields}
    return {name: text for name, text in found.items() if text}


# -- datastores -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Mounts:
    """Host id → datastore name → accessible, for the datastores that the host mounts."""

    by_host: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)

    def of(self, host: str) -> Mapping[str, bool]:
        return self.by_host.get(host, {})

    def local(self, hosts: Iterable[str]) -> dict[str, frozenset[str]]:
        """For these hosts of one cluster: host id → the datastores that only this host mounts.

        A host that mounts a datastore without access to it still counts: it may be rebooting.
        """
        among = tuple(hosts)
        seen = Counter(name for host in among for name in self.of(host))
        return {host: frozenset(name for name in self.of(host) if seen[name] == 1) for host in among}


@reader
def mounts(rows: Iterable[Row]) -> Mounts:
    """Read the mounts from datastore rows."""
    found: dict[str, dict[str, bool]] = {}
    for row in sorted(rows, key=lambda row: row.moid):
        for mount in row.get("host", ()):
            info = mount.mountInfo
            if info.mounted is not False:
                accessible = info.accessible if info.accessible is not None else True
                found.setdefault(mount.key._moId, {})[row.get("name", row.moid)] = bool(accessible)
    return Mounts(by_host=found)


# -- hosts ----------------------------------------------------------------------------------------------------------

_MIB = 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """Static facts of a host, read together with its devices."""

    model: str = ""
    memory_mb: int | None = None
    cpu_mhz: int | None = None
    quick_boot: bool | None = None
    build: str = ""
    """Release and build, such as ``8.0.3-24022510``; empty when not readable."""
    uplinks: frozenset[str] = frozenset()


SIZE_PATHS = (
    "summary.hardware",
    "config.product.build",
    "config.network.vswitch",
    "config.network.proxySwitch",
)


def size_paths(session: Session) -> tuple[str, ...]:
    """The paths that ``size`` reads, as far as the API version has them."""
    newer = {
        "config.network.opaqueSwitch": (vim.host.NetworkInfo, "opaqueSwitch"),
        "capability.quickBootSupported": (vim.host.Capability, "quickBootSupported"),
    }
    return (*SIZE_PATHS, *(path for path, since in newer.items() if session.knows(*since)))


@reader
def size(row: Row) -> Size:
    """``row`` has the paths of ``size_paths``, ``config.network.pnic`` and ``config.product.version``."""
    hardware = row.get("summary.hardware")
    if hardware is None:
        return Size(uplinks=_uplinks(row), build=_build(row))
    maker, model = (hardware.vendor or "").strip(), (hardware.model or "").strip()
    return Size(
        model=model if model.casefold().startswith(maker.casefold()) else f"{maker} {model}".strip(),
        memory_mb=hardware.memorySize // _MIB,
        cpu_mhz=hardware.cpuMhz * hardware.numCpuCores,
        # The API does not show whether Quick Boot is enabled. A host that supports it may use it; older releases do not have it.
        quick_boot=row.get("capability.quickBootSupported", False),
        build=_build(row),
        uplinks=_uplinks(row),
    )


def _build(row: Row) -> str:
    """It becomes a word of a journal line."""
    release, number = row.get("config.product.version"), row.get("config.product.build")
    found = f"{release}-{number}" if release and number else ""
    return found if re.fullmatch(r"[0-9A-Za-z.-]{1,40}", found) else ""


def _uplinks(row: Row) -> frozenset[str]:
    return frozenset(uplink for switch in switches_of(row) for uplink in switch.uplinks)


@reader
def links(row: Row, uplinks: Iterable[str]) -> dict[str, bool]:
    """Uplink → has a link. An uplink that the host no longer has counts as down."""
    speeds = {pnic.device: pnic.linkSpeed is not None for pnic in row.get("config.network.pnic", ())}
    return {uplink: speeds.get(uplink, False) for uplink in sorted(uplinks)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """What the host used at the last reading, in MHz and MB."""

    cpu_mhz: int | None = None
    memory_mb: int | None = None


USE_PATHS = ("summary.quickStats.overallCpuUsage", "summary.quickStats.overallMemoryUsage")


@reader
def use(row: Row) -> Use:
    return Use(
        cpu_mhz=row.get("summary.quickStats.overallCpuUsage"),
        memory_mb=row.get("summary.quickStats.overallMemoryUsage"),
    )


def load(have: Size, used: Use) -> float:
    """0 to 1: the share of CPU or memory in use, whichever is higher; 0 when both are unknown."""
    shares = [
        part / whole
        for part, whole in ((used.cpu_mhz, have.cpu_mhz), (used.memory_mb, have.memory_mb))
        if part and whole
    ]
    return min(1.0, max(shares, default=0.0))


def memory_free(have: Size, used: Use) -> int | None:
    """Free memory in MB; None when it is unknown."""
    if have.memory_mb is None or used.memory_mb is None:
        return None
    return max(0, have.memory_mb - used.memory_mb)


# -- clusters -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """Settings of a cluster. ``overrides``: VM id → whether DRS migrates it automatically."""

    drs: bool | None = None
    drs_enabled: bool = False
    vgpu_moves: bool | None = None
    vsan: bool = False
    overrides: Mapping[str, bool] = field(default_factory=dict)


@reader
def rules(config: Any) -> Rules:
    """``config``: the configurationEx of a cluster. None gives unknown values."""
    drs = getattr(config, "drsConfig", None)
    if drs is None:
        return Rules()
    automated = str(drs.defaultVmBehavior) == "fullyAutomated"
    return Rules(
        drs=bool(drs.enabled) and automated,
        drs_enabled=bool(drs.enabled),
        vgpu_moves=_vgpu_moves(drs),
        vsan=bool(getattr(getattr(config, "vsanConfigInfo", None), "enabled", False)),
        overrides={} if drs.enableVmBehaviorOverrides is False else _overrides(config, automated),
    )


def _overrides(config: Any, automated: bool) -> dict[str, bool]:
    found = {}
    for item in config.drsVmConfig or ():
        if item.enabled is False:
            found[item.key._moId] = False
        elif item.behavior is not None:
            found[item.key._moId] = str(item.behavior) == "fullyAutomated"
        else:
            found[item.key._moId] = automated
    return found


def _vgpu_moves(drs: Any) -> bool:
    """DRS evacuates VMs with a vGPU automatically only if this option is -1 (KB 88271, KB 94881)."""
    return any(
        option.key.casefold() == _VGPU_OPTION and str(option.value).strip() == "-1" for option in drs.option or ()
    )


@reader
def admission(config: Any, summary: Any) -> Admission | None:
    """HA admission control in numbers. None when it is off, unknown, or uses dedicated failover hosts, which reserve no share."""
    das = getattr(config, "dasConfig", None)
    if das is None or not das.enabled or not das.admissionControlEnabled or summary is None:
        return None
    kinds, policy = vim.cluster, das.admissionControlPolicy
    info = getattr(summary, "admissionControlInfo", None)
    if isinstance(policy, kinds.FailoverResourcesAdmissionControlPolicy):
        if not isinstance(info, kinds.FailoverResourcesAdmissionControlInfo):
            return None
        return min(
            (
                Admission(
                    unit="percent",
                    wanted=policy.cpuFailoverResourcesPercent,
                    current=info.currentCpuFailoverResourcesPercent,
                ),
                Admission(
                    unit="percent",
                    wanted=policy.memoryFailoverResourcesPercent,
                    current=info.currentMemoryFailoverResourcesPercent,
                ),
            ),
            key=lambda found: found.current - found.wanted,
        )
    if policy is not None and not isinstance(policy, kinds.FailoverLevelAdmissionControlPolicy):
        return None
    wanted = policy.failoverLevel if policy is not None else das.failoverLevel
    current = getattr(info, "currentFailoverLevel", None)
    if current is None:
        current = getattr(summary, "currentFailoverLevel", None)
    if wanted is None or current is None:
        return None
    return Admission(unit="hosts", wanted=wanted, current=current)
