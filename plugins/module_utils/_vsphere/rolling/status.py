# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the journal of all rolling reboots of one server, in a few calls. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..._domain.rolling.state.codec import decode_lock
from ..._domain.rolling.state.journal import LOCK, PAUSE
from ..._domain.rolling.status import Seen, SeenCluster, SeenHost, SeenVm, Status, build_status
from ..._domain.text import several
from ..attributes.file_journal import FileJournal
from ..attributes.journal import AttributeJournal
from ..attributes.values import Texts, decode_values, journal_path
from ..property_collector.retrieve import NAMES_PAGE, Row, collect_objects, collect_view
from ..read.inventory_paths import PLACE_PATHS, Places
from ..sdk import vim
from ..session.answer_checks import reader
from ..session.connect import Session
from .seen import POWER, seen_host, vm_entries

_VALUES = "customValue"
_PATHS: Mapping[type, tuple[str, ...]] = {
    **PLACE_PATHS,
    vim.ClusterComputeResource: (*PLACE_PATHS[vim.ClusterComputeResource], _VALUES),
    vim.HostSystem: ("name", "parent", "runtime.connectionState", "runtime.inMaintenanceMode", _VALUES),
    vim.VirtualMachine: ("name", "parent", "runtime.powerState", "runtime.host", _VALUES),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusRead:
    """What was read, and from where. ``hidden``: sentences about objects that do not show their journal. ``file``: the journal file of
    this machine, whether it exists or not."""

    seen: Seen
    hidden: tuple[str, ...]
    file: Path
    file_exists: bool

    def status(self, is_gone: Callable[[str], bool]) -> Status:
        """As ``build_status``, with what is hidden."""
        status = build_status(self.seen, is_gone)
        return replace(status, unreadable=(*status.unreadable, *self.hidden))


def read_status(session: Session, directory: str) -> StatusRead:
    """Read the journal of vCenter, and the file of this machine for the same server. ``directory``: the folder of the file.

    Raises DirectPathError when the file cannot be read.
    """
    path = journal_path(session.endpoint, directory)
    attributes = AttributeJournal(session, why="") if session.is_vcenter else None
    journal = FileJournal(path, why="", beneath=attributes)
    found = collect_view(session, _PATHS, page=NAMES_PAGE)
    root = collect_objects(session, vim.Folder, [session.content.rootFolder._moId], (_VALUES,)) if attributes else []
    rows = [row for part in found.values() for row in part] + root
    shown = {row.moid: decode_values(row.get(_VALUES, ()), journal.fields) for row in rows}
    texts = journal.values({moid: held for moid, held in shown.items() if held})
    marks = FileJournal(path.with_name(f"{path.stem}.parked.json"), why="").values({})  # of an earlier release
    texts = {moid: {**texts.get(moid, {}), **marks.get(moid, {})} for moid in (*texts, *marks)}
    now = session.instance.CurrentTime().timestamp()
    return StatusRead(
        seen=_seen(found, texts, now, session.content.rootFolder._moId),
        hidden=tuple(_hidden(rows)) if attributes is not None and attributes.is_partly_defined else (),
        file=path,
        file_exists=path.exists(),
    )


@reader
def _seen(found: Mapping[type, Sequence[Row]], texts: Mapping[str, Texts], now: float, root: str) -> Seen:
    places = Places(found)
    names = places.directory("host", found[vim.HostSystem])
    return Seen(
        now=now,
        hosts=tuple(_host(row, texts.get(row.moid, {}), names.label(row.moid)) for row in found[vim.HostSystem]),
        vms=tuple(_vms(found[vim.VirtualMachine], texts, places, {row.moid for row in found[vim.HostSystem]})),
        clusters=tuple(_clusters(found, texts, places)),
        pause=texts.get(root, {}).get(PAUSE, ""),
    )


def _host(row: Row, texts: Texts, name: str) -> SeenHost:
    parent = row.get("parent")
    return seen_host(
        texts,
        moid=row.moid,
        name=name,
        cluster=parent._moId if parent is not None else "",
        connection=str(row.get("runtime.connectionState", "unknown")),
        in_maintenance=bool(row.get("runtime.inMaintenanceMode", False)),
    )


def _vms(rows: Sequence[Row], texts: Mapping[str, Texts], places: Places, hosts: Collection[str]) -> Iterable[SeenVm]:
    """``hosts``: ids of hosts. The mark of an earlier release on a host has the same name as that on a VM."""
    names, known = places.directory("vm", rows), {row.moid: row for row in rows}
    for moid, held in texts.items():
        entries = vm_entries(held)
        if not entries or moid in hosts:
            continue
        row = known.get(moid)
        power = POWER.get(str(row.get("runtime.powerState")), "unknown") if row is not None else "unknown"
        name = names.label(moid) if row is not None else moid
        host = row.get("runtime.host") if row is not None else None
        on_host = host._moId if host is not None else ""
        for entry in entries:
            yield SeenVm(moid=moid, name=name, power=power, entry=entry, on_host=on_host, removed=row is None)


def _clusters(found: Mapping[type, Sequence[Row]], texts: Mapping[str, Texts], places: Places) -> Iterable[SeenCluster]:
    """Clusters; and standalone hosts, whose only host stores the lock."""
    labels = places.clusters()
    for row in found[vim.ClusterComputeResource]:
        held = texts.get(row.moid, {})
        yield SeenCluster(moid=row.moid, name=labels.label(row.moid), lock=decode_lock(held), pause=held.get(PAUSE, ""))
    clusters = {row.moid for row in found[vim.ClusterComputeResource]}
    for row in found[vim.HostSystem]:
        parent = row.get("parent")
        if parent is not None and parent._moId not in clusters:
            held = {LOCK: texts.get(row.moid, {}).get(LOCK, "")}
            yield SeenCluster(moid=parent._moId, name=row.get("name", row.moid), lock=decode_lock(held))


def _hidden(rows: Sequence[Row]) -> Iterable[str]:
    """What is stored on an object that does not show its custom attributes is unknown, not nothing."""
    names = sorted(row.get("name", row.moid) for row in rows if _VALUES in row.missing)
    if names:
        yield f"The account cannot read the custom attributes of {several(names, 5)}, where a journal entry may be"
