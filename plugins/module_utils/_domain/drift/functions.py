# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The differences between the desired and the observed numbers of virtual functions of one host. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator

from ..host.virtual_functions import is_unsettled
from ..observed.hosts import Host
from ..planning.details import SriovWrite
from ..planning.plan import TargetPlan
from .commands import Commands
from .hosts import found_functions, host_difference, pending_functions_difference, refused_differences
from .kinds import Difference


def function_differences(host: Host, target: TargetPlan, commands: Commands) -> Iterator[Difference]:
    """The differences of a host whose intent has virtual functions. ``target``: the plan that sets their numbers."""
    for blocker in target.blockers:
        yield from refused_differences(host, blocker, commands, wanted="virtual functions")
    obstacles = tuple(f"Nothing on {host.name} is changed until this is fixed: {b.message}" for b in target.blockers)
    for change in target.changes:
        if isinstance(change.detail, SriovWrite):
            device = change.detail.device
            yield host_difference(
                host,
                "functions_differ",
                device,
                wanted=f"{change.detail.virtual_functions} virtual functions",
                found=found_functions(device),
                cause=f"{device.address} has another number of virtual functions than desired",
                cure=f"Set the number to {change.detail.virtual_functions}",
                command=commands.show_host(host.name) if obstacles else commands.enable(),
                obstacles=obstacles,
            )
    selected = frozenset(target.host_facts.selected)
    for device in host.devices:
        if device.address in selected and device.requires_reboot and not device.passthrough_requires_reboot:
            yield pending_functions_difference(host, device, commands)
        sriov = device.sriov
        if sriov is None or not sriov.configured or not device.is_network_adapter or device.address in selected:
            continue
        if not target.blockers:
            yield host_difference(
                host,
                "extra",
                device,
                wanted="no virtual functions",
                found=found_functions(device),
                cause=f"{device.address} has virtual functions and is not in the intent",
                cure="Turn SR-IOV of the function off, or add it to the intent",
                command=commands.without_functions(host.name, device.address, device.ids),
                planned=device.requires_reboot
                and is_unsettled(device, ()),  # the playbooks would do the pending reboot
            )
