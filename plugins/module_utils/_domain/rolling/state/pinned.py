# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs that cannot be migrated while they run (pinned VMs), and what is done with them. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ...planning.plan import Blocker
from .journal import Purpose
from .observed import ClusterView, HostView, VmView
from .policy import Pinned

Reason = tuple[str, Callable[[VmView, "ClusterView | None"], str]]
"""What applies to a running VM, for the documentation; and a function that returns it as a clause, empty if it does not apply to a VM."""


def is_powered_off_by_vcenter(vm: VmView, cluster: ClusterView | None) -> bool:
    """vCenter powers it off, without its guest, as soon as its host is evacuated. Without DRS, vCenter evacuates nothing."""
    stops = vm.evacuation_off or bool(vm.evacuation_policy)
    return stops and cluster is not None and cluster.is_cluster and cluster.drs_moves_vms is not False


PINS: tuple[Reason, ...] = (
    (
        "is powered off by vCenter when its host is evacuated (`maintenance.vm.evacuation.poweroff`, or a compute policy), in a cluster "
        "with DRS",
        lambda vm, cluster: (
            "vCenter would power it off when its host is evacuated "
            f"({vm.evacuation_policy or 'maintenance.vm.evacuation.poweroff'})"
            if is_powered_off_by_vcenter(vm, cluster)
            else ""
        ),
    ),
    (
        "holds a PCI device (fixed or dynamic passthrough) or an SR-IOV network adapter",
        lambda vm, cluster: f"it holds {', '.join(vm.devices)}" if vm.devices else "",
    ),
    (
        "is on a host that is in no cluster",
        lambda vm, cluster: "" if cluster is not None and cluster.is_cluster else "its host is in no cluster",
    ),
    (
        "is on a datastore that no other host of the cluster can access",
        lambda vm, cluster: (
            f"it is on {', '.join(vm.local_datastores)}, which no other host can access" if vm.local_datastores else ""
        ),
    ),
    (
        "has a connected CD drive, floppy drive, USB, serial, parallel or SCSI device of its host or of a client",
        lambda vm, cluster: (
            f"{', '.join(vm.host_media)} is connected to its host or to a client" if vm.host_media else ""
        ),
    ),
)
STAYS: tuple[Reason, ...] = (
    (
        "is not migrated by DRS automatically, by its own setting",
        lambda vm, cluster: "DRS does not migrate it automatically" if vm.drs_moves is False else "",
    ),
    (
        "is in a cluster in which DRS is off or not fully automated, and has no setting of its own",
        lambda vm, cluster: (
            "DRS of the cluster is off or not fully automated"
            if cluster is not None and cluster.drs_moves_vms is False and vm.drs_moves is not True
            else ""
        ),
    ),
    (
        "has a vGPU, and DRS of the cluster does not migrate such VMs (VgpuMMAutomationTimeoutSecs, KB 88271)",
        lambda vm, cluster: (
            "it has a vGPU, and the cluster does not migrate such VMs automatically (VgpuMMAutomationTimeoutSecs, KB 88271)"
            if cluster is not None and vm.vgpu and cluster.vgpu_moves is False
            else ""
        ),
    ),
)


def pin_reason(vm: VmView, cluster: ClusterView | None) -> str:
    """A clause: why the VM cannot be migrated while it runs. Empty when it can be, or when vCenter handles the VM itself."""
    return "" if vm.agent else _first(PINS, vm, cluster)


def stays_behind(vm: VmView, cluster: ClusterView) -> str:
    """A clause: why DRS would not migrate a VM that could be migrated. Empty when it would, or when vCenter handles the VM itself."""
    return "" if vm.agent else _first(STAYS, vm, cluster)


def _first(reasons: tuple[Reason, ...], vm: VmView, cluster: ClusterView | None) -> str:
    return next((reason for _unused, find in reasons if (reason := find(vm, cluster))), "")


def pinned_vms(vms: Iterable[VmView], cluster: ClusterView | None) -> tuple[VmView, ...]:
    """The running VMs that cannot be migrated, in the order in which they are stopped."""
    found = [vm for vm in vms if vm.is_on and pin_reason(vm, cluster)]
    return tuple(sorted(found, key=lambda vm: (vm.order, vm.name, vm.moid)))


STARTED_BY: Mapping[Purpose, str] = {
    "reboot": "Then the rolling reboot shuts them down and powers them on later",
    "maintenance": "Then they are shut down now, and state: absent powers them on",
}


def pinned_blockers(
    view: HostView, vms: Sequence[VmView], cluster: ClusterView, rule: Pinned, purpose: Purpose = "reboot"
) -> tuple[Blocker, ...]:
    """Why the policy does not allow to stop the pinned VMs of a host."""
    pinned = pinned_vms(vms, cluster)
    if not pinned:
        return ()
    never = [vm for vm in pinned if vm.never_stop]
    if never:
        return (
            Blocker(
                code="never_stop",
                message=f"{view.name} runs pinned virtual machines that must never be stopped: {_list(never, cluster)}",
                cure="Move their workload elsewhere and shut them down yourself, or leave out this host",
            ),
        )
    if rule.action == "fail":
        return (
            Blocker(
                code="pinned_vms",
                message=f"{view.name} runs virtual machines that cannot be migrated: {_list(pinned, cluster)}",
                cure=f"Shut them down first, or set pinned_vms: shutdown. {STARTED_BY[purpose]}",
            ),
        )
    without_tools = [vm for vm in pinned if not vm.tools_running]
    if rule.action == "shutdown" and without_tools:
        return (
            Blocker(
                code="tools_not_running",
                message=f"VMware Tools are not running in {', '.join(vm.name for vm in without_tools)} on {view.name}, so the guest "
                "operating system cannot be shut down",
                cure="Start VMware Tools, shut down the guest from inside, or set pinned_vms: shutdown_then_power_off",
            ),
        )
    return ()


def _list(vms: Iterable[VmView], cluster: ClusterView) -> str:
    return "; ".join(f"{vm.name} ({pin_reason(vm, cluster)})" for vm in vms)
