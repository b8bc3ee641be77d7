# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Can everything in this simulator be sent? Labs and object types are tested with this."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .api import wire
from .services.reading import parse, top_level

if TYPE_CHECKING:
    from .core.base import ManagedObject
    from .endpoint import SimulatedEndpoint


def problems(
    sim: SimulatedEndpoint, version: str | None = None, of: Iterable[ManagedObject] | None = None
) -> list[str]:
    """One line for each modelled property that cannot be serialized (a required field unset, a wrong type).

    ``of``: the objects to look at; all when it is not given.
    """
    spoken = version or sim.api_version
    found = []
    for obj in sim.registry if of is None else of:
        known = top_level(obj.vim_type, spoken)
        found += [f"{obj!r}: {name} is no property of {obj.vim_type.__name__}" for name in _stray(obj.props, obj)]
        for name in known:
            if not obj.has(name) or name in obj.personal:
                continue
            path = parse(obj.vim_type, name, spoken)
            assert path is not None
            try:
                value = obj.get(name)
                if value is not None:
                    wire.write_any([], "val", value, path.type, spoken)
            except (TypeError, ValueError, AttributeError) as error:
                found.append(f"{obj!r}: {name}: {error}")
    return found


def _stray(props: dict[str, Any], obj: Any) -> list[str]:
    names = {info.name for info in obj.vim_type._GetPropertyList()}
    return [name for name in props if name not in names]
