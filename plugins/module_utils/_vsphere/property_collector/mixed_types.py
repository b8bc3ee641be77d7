# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads of a few properties of objects of several types, in one round trip. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..sdk import vmodl
from ..session.connect import Session
from .retrieve import Row, _by_kind, _read_completely, _row

PAGE = 1000
"""Objects in one answer. Each has only a few properties."""

_pc = vmodl.query.PropertyCollector


def collect_named(
    session: Session,
    named: Mapping[type, Iterable[str]],
    paths: Mapping[type, Sequence[str]],
    *,
    links: Mapping[type, Sequence[str]] | None = None,
) -> dict[type, list[Row]]:
    """Read objects of several types (``named``: type → ids), and the objects that their ``links`` (type → properties) refer to.

    One bulk read. Removed objects are left out.
    """
    objects = [
        _pc.ObjectSpec(
            obj=session.reference(kind, moid),
            skip=False,
            selectSet=[
                _pc.TraversalSpec(name=link, type=kind, path=link, skip=False) for link in (links or {}).get(kind, ())
            ],
        )
        for kind, moids in named.items()
        for moid in sorted(set(moids))
    ]
    if not objects:
        return {kind: [] for kind in paths}
    return _by_kind(paths, _read_completely(session, lambda: _retrieve(session, objects, paths)))


def _retrieve(session: Session, objects: list[Any], paths: Mapping[type, Sequence[str]]) -> list[Row]:
    properties = [_pc.PropertySpec(type=kind, all=False, pathSet=list(names)) for kind, names in paths.items()]
    spec = _pc.FilterSpec(objectSet=objects, propSet=properties, reportMissingObjectsInResults=True)
    collector = session.content.propertyCollector
    answer = collector.RetrievePropertiesEx([spec], _pc.RetrieveOptions(maxObjects=PAGE))
    rows: list[Row] = []
    while answer is not None:
        rows.extend(_row(content) for content in answer.objects)
        answer = collector.ContinueRetrievePropertiesEx(answer.token) if answer.token else None
    return rows
