# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where objects are in the inventory: their paths, from the names and parents of a bulk read. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..._domain.names import Directory, Kind, Named
from ..property_collector.retrieve import Row
from ..sdk import vim

PLACE_PATHS: Mapping[type, tuple[str, ...]] = {
    vim.Folder: ("name", "parent"),
    vim.Datacenter: ("name", "parent"),
    vim.ClusterComputeResource: ("name", "parent"),
    vim.ComputeResource: ("name", "parent"),
}
"""What has to be read with objects whose places are asked for."""


class Places:
    """Paths are told from the root folder on, which is not a part of them. Parents that this account may not see are left out."""

    def __init__(self, found: Mapping[type, Sequence[Row]]) -> None:
        self._found = found
        self._rows = {row.moid: row for kind in PLACE_PATHS for row in found.get(kind, ())}
        self._known: dict[str, tuple[Row, ...]] = {}

    def directory(self, kind: Kind, rows: Iterable[Row], aliases: Mapping[str, str] | None = None) -> Directory:
        """All of these objects by name and place."""
        return Directory(kind, [self.named(row) for row in rows], aliases)

    def clusters(self) -> Directory:
        return self.directory("cluster", self._found.get(vim.ClusterComputeResource, ()))

    def named(self, row: Row) -> Named:
        name = row.get("name", row.moid)
        return Named(moid=row.moid, name=name, paths=self._paths(self._parents(row), name))

    def datacenter(self, row: Row) -> str | None:
        """Id of the datacenter an object is in."""
        return next((place.moid for place in self._parents(row) if issubclass(place.kind, vim.Datacenter)), None)

    def _parents(self, row: Row) -> tuple[Row, ...]:
        """What an object is in, outermost first."""
        above = row.get("parent")
        if above is None or above._moId not in self._rows:
            return ()
        known = self._known.get(above._moId)
        if known is None:
            place = self._rows[above._moId]
            known = self._known[place.moid] = (*self._parents(place), place)
        return known

    def _paths(self, parents: tuple[Row, ...], name: str) -> tuple[tuple[str, ...], ...]:
        """The first is the whole path. A host of its own may be named with the compute resource that is made for it, and the folders that
        every datacenter has (``host``, ``vm``) may be left out."""
        folders = tuple(place for place in parents if _is_told(place))
        ways = (folders, parents) if len(folders) < len(parents) else (folders,)
        paths = []
        for way in ways:
            paths.append(_names(way, name))
            roots = {n + 1 for n, place in enumerate(way) if issubclass(place.kind, vim.Datacenter)}
            paths.append(
                _names([place for n, place in enumerate(way) if n not in roots or not _is_folder(place)], name)
            )
        return tuple(dict.fromkeys(paths))


def _is_told(place: Row) -> bool:
    return issubclass(place.kind, vim.ClusterComputeResource) or not issubclass(place.kind, vim.ComputeResource)


def _is_folder(place: Row) -> bool:
    return issubclass(place.kind, vim.Folder)


def _names(places: Iterable[Row], name: str) -> tuple[str, ...]:
    return (*(place.get("name", place.moid) for place in places), name)
