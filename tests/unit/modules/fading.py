# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties taken away from what a server answers, one at a time, in each way a server has of not giving them.

Which properties there are is not written down anywhere: whatever a module reads in a run is taken away in the next ones, so a new
property is covered without anybody thinking of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from unittest import mock

from pyVmomi import vmodl

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere import collect
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.collect import Row

Way = Literal["missing", "unset", "empty"]
WAYS: tuple[Way, ...] = ("missing", "unset", "empty")
"""In ``missingSet`` with the reason; in neither set; there, and an empty list."""


@dataclass(frozen=True, kw_only=True)
class Fade:
    """One property of one type, and how it is not given."""

    kind: str
    path: str
    way: Way

    def __str__(self) -> str:
        return f"{self.kind}.{self.path} {self.way}"

    def applied(self, row: Row) -> Row:
        if row.kind.__name__.rpartition(".")[2] != self.kind or self.path not in (*row.values, *row.missing):
            return row
        values = {path: value for path, value in row.values.items() if path != self.path}
        missing = {path: fault for path, fault in row.missing.items() if path != self.path}
        if self.way == "missing":
            missing[self.path] = vmodl.fault.SystemError(reason="not given", msg="not given")
        if self.way == "empty":
            values[self.path] = type(row.values[self.path])()
        return Row(kind=row.kind, moid=row.moid, values=values, missing=missing)


@dataclass
class Seen:
    """The properties that came in a run: (type, path) → whether a list of entries was among the values."""

    paths: dict[tuple[str, str], bool] = field(default_factory=dict)

    def fades(self) -> tuple[Fade, ...]:
        """Each of them in each way it can be not given: only a list can be empty."""
        return tuple(
            Fade(kind=kind, path=path, way=way)
            for (kind, path), is_list in sorted(self.paths.items())
            for way in WAYS
            if way != "empty" or is_list
        )


@contextmanager
def watched(fade: Fade | None = None) -> Iterator[Seen]:
    """Notes which properties come, and takes one away."""
    seen = Seen()
    original = collect._row

    def row(content: Any) -> Row:
        made = original(content)
        for path, value in made.values.items():
            key = (made.kind.__name__.rpartition(".")[2], path)
            seen.paths[key] = seen.paths.get(key, False) or isinstance(value, list)
        return fade.applied(made) if fade is not None else made

    with mock.patch.object(collect, "_row", row):
        yield seen
