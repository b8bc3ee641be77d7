# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event log, page by page. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from ..sdk import vim, vmodl

PAGE = 1000
"""Events of one call: what a server returns at most."""


def event_pages(manager: Any, types: Iterable[str], most: int) -> Iterator[list[Any]]:
    """At most ``most`` pages of the events of these types, the oldest first. ``manager``: the EventManager. Raises faults of the server."""
    spec = vim.event.EventFilterSpec(eventTypeId=[f"vim.event.{name}" for name in types])
    collector = manager.CreateCollectorForEvents(spec)
    try:
        collector.RewindCollector()
        for _number in range(most):
            page = list(collector.ReadNextEvents(PAGE) or ())
            yield page
            if len(page) < PAGE:
                return
    finally:
        with suppress(vmodl.MethodFault):
            collector.DestroyCollector()
