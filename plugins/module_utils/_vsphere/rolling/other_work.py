# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rolling reboot or host_maintenance works on a host, from its journal and the lock of its cluster. PRIVATE to the collection.

Only for messages: read when a write failed because the object had changed, and no event names the other writer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ..._domain.rolling.state.codec import decode_lock
from ..._domain.rolling.state.journal import Lock
from ..._domain.rolling.status import Seen, SeenCluster, build_status, describe_lock, describe_other_work
from ..attributes.values import decode_values, journal_fields
from ..property_collector.parser import PageStart
from ..property_collector.retrieve import Row, collect_around
from ..sdk import vim, vmodl
from ..session.answer_checks import reader
from ..session.connect import Session
from ..session.faults import SESSION_LOST
from .seen import seen_host


def read_other_work(session: Session, hosts: Collection[str]) -> Mapping[str, str]:
    """Host id → a clause: who works on the host, and since when. One read for all hosts, and one of the time if there is a lock.

    Empty on an ESXi host, whose journal is a file, and if the account may not read the attributes.
    """
    manager = session.content.customFieldsManager if session.is_vcenter else None
    if manager is None or not hosts:
        return {}
    starts = [
        PageStart(kind=vim.CustomFieldsManager, moids=[manager._moId]),
        PageStart(kind=vim.HostSystem, moids=sorted(hosts), link="parent", both=True),
    ]
    paths = {
        vim.CustomFieldsManager: ("field",),
        vim.HostSystem: ("name", "parent", "customValue"),
        vim.ClusterComputeResource: ("customValue",),
    }
    try:
        return _work(session, collect_around(session, starts, paths))
    except SESSION_LOST:
        raise
    except vmodl.MethodFault:
        return {}


@reader
def _work(session: Session, found: Mapping[type, Sequence[Row]]) -> Mapping[str, str]:
    managers = found[vim.CustomFieldsManager]
    fields = journal_fields(managers[0].get("field", ()) if managers else ())
    rows = [*found[vim.HostSystem], *found[vim.ClusterComputeResource]]
    texts = {row.moid: held for row in rows if (held := decode_values(row.get("customValue", ()), fields))}
    if not texts:
        return {}
    now = float(session.instance.CurrentTime().timestamp())
    parents = {row.moid: row.get("parent")._moId for row in found[vim.HostSystem] if row.get("parent") is not None}
    seen = [
        seen_host(
            texts.get(row.moid, {}),
            moid=row.moid,
            name=row.get("name", row.moid),
            cluster=parents.get(row.moid, ""),
            connection="",
            in_maintenance=False,
        )
        for row in found[vim.HostSystem]
    ]
    locks = {row.moid: decode_lock(texts.get(row.moid, {})) for row in found[vim.ClusterComputeResource]}
    for moid, parent in parents.items():
        locks.setdefault(parent, decode_lock(texts.get(moid, {})))  # a host outside of a cluster stores the lock itself
    clusters = tuple(SeenCluster(moid=moid, name=moid, lock=lock) for moid, lock in locks.items())
    status = build_status(Seen(now=now, hosts=tuple(seen), clusters=clusters), lambda _owner: False)
    work: dict[str, str] = {}
    for host in seen:
        own = decode_lock(texts.get(host.moid, {}), "maintenance")
        live = [lock for lock in (own, locks.get(host.cluster)) if isinstance(lock, Lock) and not lock.is_stale(now)]
        if clause := describe_other_work(status, host.moid) or (describe_lock(live[0]) if live else ""):
            work[host.moid] = clause
    return work
