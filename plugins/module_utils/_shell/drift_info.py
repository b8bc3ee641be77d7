# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module drift_info, from its parameters to its result, in a bounded number of calls. PRIVATE to the collection.

Half of its code only plans and reports. It is imported while the server answers: so a run of ``site`` that changes nothing waits for one of
both, not for one after the other (docs/decisions/0012-site-looks-first.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING, Any

from .._vsphere.read.hosts import read_names
from .._vsphere.session.connect import Session
from .drift_reading import DriftRequest, read_chosen

if TYPE_CHECKING:
    from .drift_planning import DriftObservation


def observe(session: Session, request: DriftRequest) -> DriftObservation:
    """Read hosts and VMs: one bulk read of names and one of everything else, for any number of them; then the details that
    the differences depend on, with at most the allowed number of calls. Raises InputError."""
    with _imports_planners():
        inventory = read_names(session, managers=True)
        chosen = read_chosen(session, inventory, request)
    from .drift_planning import deepen, endpoint_of

    return deepen(session, endpoint_of(session, inventory, chosen, request), request)


def render(seen: DriftObservation, request: DriftRequest) -> dict[str, Any]:
    """Compare and report. Adds a warning for each rule of ``ignore`` that matches nothing, and for exceptions that name nothing."""
    from .drift_planning import rendered

    return rendered(seen, request)


@contextmanager
def _imports_planners() -> Iterator[None]:
    """Import the planners in a thread while the block waits for the server."""
    thread = Thread(target=_import_planners)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _import_planners() -> None:
    with suppress(Exception):  # the import that needs them raises it
        from . import drift_planning  # noqa: F401
