# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Short builders of worlds for tables of rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import Host, HostDevice
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.scheduling.scheduler import decide
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import (
    Entry,
    Lock,
    VmEntry,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import (
    ClusterView,
    HostView,
    ObservedFleet,
    Precheck,
    VmView,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.phases import (
    Decision,
    HostStatus,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import Policy

NOW = 1_770_000_000.0
BOOT = NOW - 1_000_000
ME, ROLL = "ops@ctl-1", "1f3c9a2e"
CARD = HostDevice(
    address="0000:3b:00.0", vendor_id="10de", device_id="20f1", class_id="0302", name="A100", capable=True, enabled=True
)
ACTIVE = replace(CARD, active=True)
LOCK = Lock(owner=ME, run_id=ROLL, scope="s", since=NOW - 86400, beat=NOW - 10, ttl=300)
FRESH = Precheck(at=NOW - 5, evacuation_faults={})
OF_HOST = set(Host.__dataclass_fields__)


def host(name: str = "esx-1", **more: Any) -> HostView:
    """A host of cluster gpu that owes a reboot and was examined just now; ``more`` goes to Host or HostView, whichever has it."""
    plain: dict[str, Any] = {
        "moid": name,
        "name": name,
        "cluster": "gpu",
        "compute_moid": "gpu",
        "boot_time": BOOT,
        "devices": (CARD,),
        **{key: value for key, value in more.items() if key in OF_HOST},
    }
    seen: dict[str, Any] = {"precheck": FRESH, "model": "R750", "services_answer": True}
    seen |= {key: value for key, value in more.items() if key not in OF_HOST}
    return HostView(host=Host(**plain), **seen)


def vm(name: str = "vm-1", on: str = "esx-1", **more: Any) -> VmView:
    return VmView(**{"moid": name, "name": name, "host_moid": on, "tools_running": True, **more})


def pinned(name: str = "gpu-vm", on: str = "esx-1", **more: Any) -> VmView:
    return vm(name, on, **{"devices": ("PCI device 0",), "fixed": True, **more})


def cluster(name: str = "gpu", **more: Any) -> ClusterView:
    return ClusterView(**{"moid": name, "name": name, "drs_moves_vms": True, "lock": LOCK, **more})


def entry(step: str, **more: Any) -> Entry:
    """An entry written a minute ago."""
    plain: dict[str, Any] = {
        "run_id": ROLL,
        "step": step,
        "at": NOW - 60,
        "started": NOW - 120,
        "boot": BOOT,
        "calls": 1,
        "called": NOW - 60,
    }
    return Entry(**{**plain, **more})


def vm_entry(step: str = "stop", **more: Any) -> VmEntry:
    plain: dict[str, Any] = {
        "run_id": ROLL,
        "host": "esx-1",
        "step": step,
        "at": NOW - 60,
        "calls": 1,
        "called": NOW - 60,
    }
    return VmEntry(**{**plain, **more})


def observed(
    *hosts: HostView, vms: Sequence[VmView] = (), clusters: Sequence[ClusterView] = (cluster(),), **more: Any
) -> ObservedFleet:
    plain: dict[str, Any] = {"me": ME, "run_id": ROLL, "scope": "s"}
    return ObservedFleet(**{**plain, **more}, hosts=hosts, vms=tuple(vms), clusters=tuple(clusters))


def ask(*hosts: HostView, policy: Policy | None = None, now: float = NOW, **more: Any) -> Decision:
    return decide(observed(*hosts, **more), policy or Policy(), now)


def deeds(decision: Decision) -> list[tuple[str, str]]:
    """(kind, name) of each action."""
    return [(action.kind, action.name) for action in decision.actions]


def standing(decision: Decision, name: str = "esx-1") -> HostStatus:
    return next(status for status in decision.hosts if status.name == name)


def codes(decision: Decision, name: str = "esx-1") -> list[str]:
    return [blocker.code for blocker in standing(decision, name).blockers]
