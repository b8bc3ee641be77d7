# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a journal shows of hosts and VMs that were read for another purpose. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..._domain.observed.hosts import Host
from ..._domain.observed.vms import Vm
from ..._domain.rolling.state.codec import decode_host, decode_lock, decode_maintenance, decode_vm
from ..._domain.rolling.state.journal import Entry, Garbage, VmEntry
from ..._domain.rolling.status import Power, Seen, SeenCluster, SeenHost, SeenVm, Status, build_status
from ..attributes.values import Texts

POWER: Mapping[str, Power] = {"poweredOn": "on", "poweredOff": "off", "suspended": "off"}


def status_of_traces(
    hosts: Sequence[Host],
    vms: Sequence[Vm],
    texts: Mapping[str, Texts],
    now: Callable[[], float],
    is_gone: Callable[[str], bool],
) -> Status:
    """The status of these hosts and VMs, from a bulk read of another purpose. ``texts``: object id → attribute → text. ``now`` is called
    only if there is an entry."""
    host_ids = {host.moid for host in hosts}
    if not any(texts.get(moid) for moid in (*host_ids, *(vm.moid for vm in vms))):
        return Status(now=0.0)
    names = {host.compute_moid: host.cluster or host.name for host in hosts}
    alone = {host.compute_moid: host.moid for host in hosts if host.cluster is None}
    return build_status(
        Seen(
            now=now(),
            hosts=tuple(
                seen_host(
                    texts[host.moid],
                    moid=host.moid,
                    name=host.name,
                    cluster=host.compute_moid,
                    connection=host.connection_state,
                    in_maintenance=host.in_maintenance_mode,
                )
                for host in hosts
                if texts.get(host.moid)
            ),
            vms=tuple(
                SeenVm(
                    moid=vm.moid,
                    name=vm.name,
                    power=POWER.get(vm.power_state, "unknown"),
                    entry=entry,
                    on_host=vm.host_moid or "",
                )
                for vm in vms
                if vm.moid not in host_ids
                for entry in vm_entries(texts.get(vm.moid, {}))
            ),
            clusters=tuple(
                SeenCluster(moid=moid, name=name, lock=decode_lock(texts.get(alone.get(moid, moid), {})))
                for moid, name in names.items()
            ),
        ),
        is_gone,
    )


def seen_host(texts: Texts, *, moid: str, name: str, cluster: str, connection: str, in_maintenance: bool) -> SeenHost:
    reboot, _unused, garbage = decode_host(texts)
    kept = decode_maintenance(texts)
    return SeenHost(
        moid=moid,
        name=name,
        cluster=cluster,
        connection=connection,
        in_maintenance=in_maintenance,
        entries=tuple(entry for entry in (reboot, kept) if isinstance(entry, Entry)),
        garbage=(*garbage, *([kept] if isinstance(kept, Garbage) else [])),
    )


def vm_entries(texts: Texts) -> tuple[VmEntry | Garbage, ...]:
    """The entries on a VM, of a rolling reboot and of host_maintenance."""
    if not texts:
        return ()
    return tuple(entry for entry in (decode_vm(texts), decode_vm(texts, "maintenance")) if entry is not None)
