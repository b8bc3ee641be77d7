# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names in what modules returned, found as in the inventory itself. PRIVATE to the collection.

A record has ``name`` (a path with a slash before it where several objects have the name), ``moid`` and, where it is known, ``path``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...module_utils._domain.names import Directory, Kind, Named

Record = Mapping[str, Any]

_FOLDERS = ("host", "vm")


def directory_of(kind: Kind, records: Iterable[Record]) -> Directory:
    """Hosts or VMs of results."""
    return Directory(
        kind, [named(str(record["name"]), str(record["moid"]), str(record.get("path") or "")) for record in records]
    )


def clusters_of(hosts: Iterable[Record]) -> Directory:
    """The clusters of these hosts. What the hosts call them stands for their ids."""
    found: dict[str, str] = {}
    for host in hosts:
        if host.get("cluster"):
            found.setdefault(str(host["cluster"]), str(host.get("path") or "").rpartition("/")[0])
    return Directory("cluster", [named(label, label, path) for label, path in found.items()])


def named(label: str, moid: str, path: str) -> Named:
    """A path is text here: a name that holds slashes makes more parts of it than there are, which does no harm to finding it."""
    if not path and label.startswith("/"):
        path = label[1:]
    name = path.rpartition("/")[2] if label == f"/{path}" else label
    above = tuple(path.removesuffix(name).strip("/").split("/")) if path.endswith(name) and path != name else ()
    short = next((n for n, part in enumerate(above) if n and part in _FOLDERS), None)
    ways = (above, above if short is None else above[:short] + above[short + 1 :])
    return Named(moid=moid, name=name, paths=tuple(dict.fromkeys((*way, name) for way in ways)))
