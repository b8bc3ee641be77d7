# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory paths of objects, from the names and parents of a bulk read. PRIVATE to the collection."""

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
"""Property paths to read together with objects, to know their inventory paths."""


class Places:
    """The inventory paths of a bulk read. They begin below the root folder. Parents that the account cannot see are left out."""

    def __init__(self, found: Mapping[type, Sequence[Row]]) -> None:
        self._found = found
        self._rows = {row.moid: row for kind in PLACE_PATHS for row in found.get(kind, ())}
        self._known: dict[str, tuple[Row, ...]] = {}

    def directory(self, kind: Kind, rows: Iterable[Row], aliases: Mapping[str, str] | None = None) -> Directory:
        """A directory of these objects, by name and path. ``aliases``: further name → id."""
        return Directory(kind, [self.named(row) for row in rows], aliases)

    def clusters(self) -> Directory:
        """A directory of all clusters."""
        return self.directory("cluster", self._found.get(vim.ClusterComputeResource, ()))

    def named(self, row: Row) -> Named:
        """An object with its name and its paths."""
        name = row.get("name", row.moid)
        return Named(moid=row.moid, name=name, paths=self._paths(self._parents(row), name))

    def datacenter(self, row: Row) -> str | None:
        """Id of the datacenter of an object; None if it is not visible."""
        return next((place.moid for place in self._parents(row) if issubclass(place.kind, vim.Datacenter)), None)

    def _parents(self, row: Row) -> tuple[Row, ...]:
        """The parents of an object, outermost first."""
        above = row.get("parent")
        if above is None or above._moId not in self._rows:
            return ()
        known = self._known.get(above._moId)
        if known is None:
            place = self._rows[above._moId]
            known = self._known[place.moid] = (*self._parents(place), place)
        return known

    def _paths(self, parents: tuple[Row, ...], name: str) -> tuple[tuple[str, ...], ...]:
        """All paths that a user may write; the first is the full one. Optional parts are the compute resource of a standalone host, and the
        folders that every datacenter has (``host``, ``vm``)."""
        folders = tuple(place for place in parents if _is_in_path(place))
        ways = (folders, parents) if len(folders) < len(parents) else (folders,)
        paths = []
        for way in ways:
            paths.append(_names(way, name))
            roots = {n + 1 for n, place in enumerate(way) if issubclass(place.kind, vim.Datacenter)}
            paths.append(
                _names([place for n, place in enumerate(way) if n not in roots or not _is_folder(place)], name)
            )
        return tuple(dict.fromkeys(paths))


def _is_in_path(place: Row) -> bool:
    return issubclass(place.kind, vim.ClusterComputeResource) or not issubclass(place.kind, vim.ComputeResource)


def _is_folder(place: Row) -> bool:
    return issubclass(place.kind, vim.Folder)


def _names(places: Iterable[Row], name: str) -> tuple[str, ...]:
    return (*(place.get("name", place.moid) for place in places), name)
