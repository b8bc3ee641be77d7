# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The maximum number of passthrough devices that running VMs can use on one host. PRIVATE to the collection.

ESX(i) 4.x and 5.x allow eight (configuration maximums of these releases). The API does not report this limit and accepts more devices in a
reconfiguration; only the power-on fails. Later releases have a limit for each VM, which the server reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...observed.hosts import Host
from ...observed.vms import Vm
from ...planning.plan import Blocker
from ..limits import counts_towards_limit

OLD_RELEASES = ("4", "5")
OLD_LIMIT = 8


def device_limit(host: Host, override: int | None = None) -> int | None:
    """The maximum number of devices of running VMs on the host; None when there is no such limit. ``override``: from the user."""
    if override is not None:
        return override
    return OLD_LIMIT if host.version.partition(".")[0] in OLD_RELEASES else None


def devices_in_use(host: Host, vms: Iterable[Vm]) -> dict[str, int]:
    """VM id → number of devices, for VMs of the host that run or may run. VMs without devices are left out."""
    counts = {vm.moid: counts_towards_limit(vm.devices) for vm in vms if vm.host_moid == host.moid and vm.may_run}
    return {moid: count for moid, count in counts.items() if count}


def occupied(host: Host) -> int:
    """The number of devices of the host that running VMs use, from its users that were read."""
    return sum(any(user.powered_on for user in users) for users in host.users.values())


def limit_blocker(host: Host, limit: int, after: Mapping[str, int], names: Mapping[str, str], vm: Vm) -> Blocker | None:
    """The blocker when a VM cannot run with its devices. ``after``: VM id → number of devices of all VMs that would run. ``names``: VM
    id → name."""
    total = sum(after.values())
    if total <= limit:
        return None
    listed = ", ".join(
        f"{names[moid]} {count}" for moid, count in sorted(after.items(), key=lambda item: names[item[0]])
    )
    return Blocker(
        code="host_device_limit",
        message=f"{vm.name} cannot run with its devices: running VMs would have {total} passthrough devices on {host.name} "
        f"({host.version}), which allows {limit} at the same time ({listed})",
        cure="Shut down one of these VMs, detach devices, or migrate a VM to another host. If the host allows more devices, set "
        "host_device_limit",
    )
