# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs that cannot leave their host while they run, and what is done with each of them. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...plan import Blocker
from .observed import ClusterView, HostView, VmView
from .policy import Pinned


def pin_reason(vm: VmView, cluster: ClusterView | None) -> str:
    """Why the VM cannot be moved while it runs, as a clause; empty when it can be, or when vCenter sees to it itself."""
    if vm.agent:
        return ""
    if vm.devices:
        return f"it holds {', '.join(vm.devices)}"
    if cluster is None or not cluster.is_cluster:
        return "its host is in no cluster"
    if vm.local_datastores:
        return f"it lies on {', '.join(vm.local_datastores)}, which no other host sees"
    if vm.host_media:
        return f"{', '.join(vm.host_media)} is connected to its host or to a client"
    return ""


def pinned_vms(vms: Iterable[VmView], cluster: ClusterView | None) -> tuple[VmView, ...]:
    """Those that run and cannot be moved, in the order in which they are stopped."""
    found = [vm for vm in vms if vm.is_on and pin_reason(vm, cluster)]
    return tuple(sorted(found, key=lambda vm: (vm.order, vm.name, vm.moid)))


def stays_behind(vm: VmView, cluster: ClusterView) -> str:
    """Why DRS would not move a VM that could be moved, as a clause; empty when it would, or when vCenter sees to it itself."""
    if vm.agent:
        return ""
    if vm.drs_moves is False:
        return "DRS does not move it by itself"
    if cluster.drs_moves_vms is False and vm.drs_moves is not True:
        return "DRS of the cluster is off or not fully automated"
    if vm.vgpu and cluster.vgpu_moves is False:
        return "it has a vGPU, and the cluster does not move such VMs by itself (VgpuMMAutomationTimeoutSecs, KB 88271)"
    return ""


def pinned_blockers(view: HostView, vms: Sequence[VmView], cluster: ClusterView, rule: Pinned) -> tuple[Blocker, ...]:
    """What the policy says against stopping the pinned VMs of a host."""
    pinned = pinned_vms(vms, cluster)
    if not pinned:
        return ()
    never = [vm for vm in pinned if vm.never_stop]
    if never:
        return (
            Blocker(
                code="never_stop",
                message=f"{view.name} runs virtual machines that cannot be moved and must never be stopped: {_list(never, cluster)}",
                cure="Move their work elsewhere by hand and shut them down, or leave this host out",
            ),
        )
    if rule.action == "fail":
        return (
            Blocker(
                code="pinned_vms",
                message=f"{view.name} runs virtual machines that cannot be moved: {_list(pinned, cluster)}",
                cure="Shut them down first, or set pinned_vms: shutdown to have them stopped, and started again afterwards",
            ),
        )
    deaf = [vm for vm in pinned if not vm.tools_running]
    if rule.action == "shutdown" and deaf:
        return (
            Blocker(
                code="tools_not_running",
                message=f"VMware Tools do not run in {', '.join(vm.name for vm in deaf)} on {view.name}, so the guest cannot be "
                "asked to shut down",
                cure="Start the tools, shut the guest down from inside, or set pinned_vms: shutdown_then_power_off",
            ),
        )
    return ()


def _list(vms: Iterable[VmView], cluster: ClusterView) -> str:
    return "; ".join(f"{vm.name} ({pin_reason(vm, cluster)})" for vm in vms)
