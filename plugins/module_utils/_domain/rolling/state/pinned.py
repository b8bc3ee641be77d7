# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs that cannot be migrated while they run (pinned VMs), and what is done with them. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...plan import Blocker
from .observed import ClusterView, HostView, VmView
from .policy import Pinned


def pin_reason(vm: VmView, cluster: ClusterView | None) -> str:
    """A clause: why the VM cannot be migrated while it runs. Empty when it can be, or when vCenter handles the VM itself."""
    if vm.agent:
        return ""
    if vm.devices:
        return f"it holds {', '.join(vm.devices)}"
    if cluster is None or not cluster.is_cluster:
        return "its host is in no cluster"
    if vm.local_datastores:
        return f"it is on {', '.join(vm.local_datastores)}, which no other host can access"
    if vm.host_media:
        return f"{', '.join(vm.host_media)} is connected to its host or to a client"
    return ""


def pinned_vms(vms: Iterable[VmView], cluster: ClusterView | None) -> tuple[VmView, ...]:
    """The running VMs that cannot be migrated, in the order in which they are stopped."""
    found = [vm for vm in vms if vm.is_on and pin_reason(vm, cluster)]
    return tuple(sorted(found, key=lambda vm: (vm.order, vm.name, vm.moid)))


def stays_behind(vm: VmView, cluster: ClusterView) -> str:
    """A clause: why DRS would not migrate a VM that could be migrated. Empty when it would, or when vCenter handles the VM itself."""
    if vm.agent:
        return ""
    if vm.drs_moves is False:
        return "DRS does not migrate it automatically"
    if cluster.drs_moves_vms is False and vm.drs_moves is not True:
        return "DRS of the cluster is off or not fully automated"
    if vm.vgpu and cluster.vgpu_moves is False:
        return "it has a vGPU, and the cluster does not migrate such VMs automatically (VgpuMMAutomationTimeoutSecs, KB 88271)"
    return ""


def pinned_blockers(view: HostView, vms: Sequence[VmView], cluster: ClusterView, rule: Pinned) -> tuple[Blocker, ...]:
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
                cure="Shut them down first, or set pinned_vms: shutdown. Then the rolling reboot shuts them down and powers them on later",
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
