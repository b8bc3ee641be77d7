# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many passthrough devices VMs may use on one host at the same time. PRIVATE to the collection.

ESX(i) 4.x and 5.x: eight (the configuration maximums of these releases); nothing in the API says so or refuses more when a device is
attached, only the power-on fails. Later releases have a limit a VM, which the server tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...observed.hosts import Host
from ...observed.vms import Vm
from ...plan import Blocker
from ..limits import counts_towards_limit

OLD_RELEASES = ("4", "5")
OLD_LIMIT = 8


def device_limit(host: Host, override: int | None = None) -> int | None:
    """Most devices of VMs powered on at the same time on the host; None where there is no such limit."""
    if override is not None:
        return override
    return OLD_LIMIT if host.version.partition(".")[0] in OLD_RELEASES else None


def devices_in_use(host: Host, vms: Iterable[Vm]) -> dict[str, int]:
    """VM id → devices it has on the host while it runs, or may; VMs that are off or have none are left out."""
    counts = {vm.moid: counts_towards_limit(vm.devices) for vm in vms if vm.host_moid == host.moid and vm.may_run}
    return {moid: count for moid, count in counts.items() if count}


def occupied(host: Host) -> int:
    """Devices of the host that running VMs refer to, as far as its users were read."""
    return sum(any(user.powered_on for user in users) for users in host.users.values())


def limit_blocker(host: Host, limit: int, after: Mapping[str, int], names: Mapping[str, str], vm: Vm) -> Blocker | None:
    """Why a VM may not be started with its devices; None while the host has room for all that would run (id → devices)."""
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
        cure="Shut down or detach from one of these VMs, or move one to another host. If the host allows more, say so with "
        "host_device_limit",
    )
