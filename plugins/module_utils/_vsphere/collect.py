# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bulk property reads: a handful of round trips for any number of objects. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .sdk import vim, vmodl
from .session import Session

PAGE = 200
"""Objects a page. The server may return fewer; the token says whether more follow."""

_pc = vmodl.query.PropertyCollector
_Result = TypeVar("_Result")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One object: its values by path, and the paths the server would not give (with the fault that says why)."""

    kind: type
    moid: str
    values: Mapping[str, Any]
    missing: Mapping[str, Any] = field(default_factory=dict)

    def get(self, path: str, default: Any = None) -> Any:
        """The value at a path; the default where it is unset."""
        value = self.values.get(path)
        return default if value is None else value


def collect_view(session: Session, paths: Mapping[type, Sequence[str]], container: Any = None) -> dict[type, list[Row]]:
    """Everything of the given types below a container (default: the whole inventory): one view, one bulk read.

    Rows are sorted by managed object id, so that results do not depend on the server's order.
    """

    def read() -> list[Row]:
        root = container or session.content.rootFolder
        view = session.content.viewManager.CreateContainerView(root, list(paths), True)
        try:
            walk = _pc.TraversalSpec(name="view", type=vim.view.ContainerView, path="view", skip=False)
            objects = [_pc.ObjectSpec(obj=view, skip=True, selectSet=[walk])]
            return _retrieve(session, objects, paths)
        finally:
            with suppress(vmodl.MethodFault):
                view.DestroyView()

    return _by_kind(paths, _whole(session, read))


def collect_objects(session: Session, kind: type, moids: Iterable[str], paths: Sequence[str]) -> list[Row]:
    """Named objects of one type: one bulk read. None asked for, none read."""
    wanted = sorted(set(moids))
    if not wanted or not paths:
        return []
    objects = [_pc.ObjectSpec(obj=session.reference(kind, moid), skip=False) for moid in wanted]
    return _by_kind(
        {kind: paths}, _whole(session, lambda: _retrieve(session, objects, {kind: paths}, may_be_gone=True))
    )[kind]


def collect_through(
    session: Session, start: type, moids: Iterable[str], link: str, paths: Mapping[type, Sequence[str]]
) -> dict[type, list[Row]]:
    """Objects reached from named ones by one property (``vm`` of hosts): one bulk read."""
    walk = _pc.TraversalSpec(name="link", type=start, path=link, skip=False)
    objects = [
        _pc.ObjectSpec(obj=session.reference(start, moid), skip=True, selectSet=[walk]) for moid in sorted(set(moids))
    ]
    if not objects:
        return {kind: [] for kind in paths}
    return _by_kind(paths, _whole(session, lambda: _retrieve(session, objects, paths)))


def _whole(session: Session, read: Callable[[], _Result]) -> _Result:
    """Run a read; when the session was renewed half way its views and tokens are gone, so start again once."""
    logins = session.logins
    try:
        result = read()
    except vmodl.MethodFault:
        if session.logins == logins:
            raise
        return read()
    return result if session.logins == logins else read()


def _retrieve(
    session: Session, objects: list[Any], paths: Mapping[type, Sequence[str]], *, may_be_gone: bool = False
) -> list[Row]:
    """``may_be_gone``: objects removed since they were named are left out, instead of failing the read of all others. Never for a
    view: one that vanished with its session would look like an empty inventory."""
    wanted = [_pc.PropertySpec(type=kind, all=False, pathSet=list(names)) for kind, names in paths.items()]
    spec = _pc.FilterSpec(objectSet=objects, propSet=wanted, reportMissingObjectsInResults=may_be_gone)
    collector = session.content.propertyCollector
    page = collector.RetrievePropertiesEx([spec], _pc.RetrieveOptions(maxObjects=PAGE))
    rows: list[Row] = []
    while page is not None:
        rows.extend(_row(content) for content in page.objects)
        page = collector.ContinueRetrievePropertiesEx(page.token) if page.token else None
    return rows


def _row(content: Any) -> Row:
    return Row(
        kind=type(content.obj),
        moid=content.obj._moId,
        values={entry.name: entry.val for entry in content.propSet},
        missing={entry.path: entry.fault for entry in content.missingSet or ()},
    )


def _by_kind(paths: Mapping[type, Sequence[str]], rows: Iterable[Row]) -> dict[type, list[Row]]:
    """Sort rows under the types asked for (a ClusterComputeResource is a ComputeResource), each object once."""
    table: dict[type, dict[str, Row]] = {kind: {} for kind in paths}
    for row in rows:
        for kind, found in table.items():
            if issubclass(row.kind, kind):
                found[row.moid] = row
                break
    return {kind: [found[moid] for moid in sorted(found)] for kind, found in table.items()}
