# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of the hosts that a rolling reboot looks at. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..._domain.rolling.state.codec import decode_lock
from ..._domain.rolling.state.journal import PAUSE
from ..._domain.rolling.status import Seen, SeenCluster, SeenVm, Status, build_status
from ..._vsphere.rolling.observed_fleet import ShownFleet
from ..._vsphere.rolling.seen import POWER, seen_host, vm_entries


def status_of_fleet(shown: ShownFleet, clusters: Mapping[str, str], is_gone: Callable[[str], bool]) -> Status:
    """The status of the hosts that a run looks at, from what it has read anyway. ``clusters``: id → name."""
    host_ids = {view.moid for view in shown.hosts}
    hosts = tuple(
        seen_host(
            shown.texts(view.moid),
            moid=view.moid,
            name=view.name,
            cluster=view.host.compute_moid,
            connection=view.host.connection_state,
            in_maintenance=view.in_maintenance,
        )
        for view in shown.hosts
        if view.moid in shown.values
    )
    vms = tuple(
        SeenVm(
            moid=vm.moid, name=vm.name, power=POWER.get(vm.power_state, "unknown"), entry=entry, on_host=vm.host_moid
        )
        for vm in shown.vms
        if vm.moid in shown.values and vm.moid not in host_ids
        for entry in vm_entries(shown.texts(vm.moid))
    )
    found = tuple(
        SeenCluster(
            moid=moid,
            name=name,
            lock=decode_lock(shown.texts(shown.lock_subject(moid).moid)),
            pause=shown.texts(moid).get(PAUSE, ""),
        )
        for moid, name in clusters.items()
    )
    return build_status(Seen(now=shown.now, hosts=hosts, vms=vms, clusters=found), is_gone)
