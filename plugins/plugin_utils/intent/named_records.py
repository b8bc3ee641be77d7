# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Search of names in results of modules, with the rules for names in the inventory. PRIVATE to the collection.

A record has ``name`` (a path that begins with a slash if several objects have the name), ``moid`` and, if it is known, ``path``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._domain.names import Directory, Kind, Named

Record = Mapping[str, Any]

_FOLDERS = ("host", "vm")


def directory_of(kind: Kind, records: Iterable[Record]) -> Directory:
    """A directory of hosts or VMs in results."""
    return Directory(
        kind, [named(str(record["name"]), str(record["moid"]), str(record.get("path") or "")) for record in records]
    )


def finder(kind: Kind, records: Sequence[Record], parameter: str) -> Callable[[str], Record | None]:
    """A function that finds a record by name, path or id. It returns None for an unknown name, and raises InputError for an ambiguous
    one."""
    directory = directory_of(kind, records)
    by_id = {str(record["moid"]): record for record in records}

    def find(name: str) -> Record | None:
        found = directory.lookup(name, parameter)
        return None if found is None else by_id[found.moid]

    return find


def clusters_of(hosts: Iterable[Record]) -> Directory:
    """A directory of the clusters of these hosts. The names of the clusters in the hosts are their ids here."""
    found: dict[str, str] = {}
    for host in hosts:
        if host.get("cluster"):
            found.setdefault(str(host["cluster"]), str(host.get("path") or "").rpartition("/")[0])
    return Directory("cluster", [named(label, label, path) for label, path in found.items()])


def named(label: str, moid: str, path: str) -> Named:
    """An object with its name and paths. The path is text: a name with slashes gives too many parts, which does not affect the search."""
    if not path and label.startswith("/"):
        path = label[1:]
    name = path.rpartition("/")[2] if label == f"/{path}" else label
    above = tuple(path.removesuffix(name).strip("/").split("/")) if path.endswith(name) and path != name else ()
    short = next((n for n, part in enumerate(above) if n and part in _FOLDERS), None)
    ways = (above, above if short is None else above[:short] + above[short + 1 :])
    return Named(moid=moid, name=name, paths=tuple(dict.fromkeys((*way, name) for way in ways)))
