# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishes a drift report: one event and one set of metrics for each vCenter. PRIVATE to the collection."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from ...module_utils._domain.drift.report import FleetReport, sentence
from ...module_utils._shell.outlets.outlet import Outlet, OutletReport, end_all
from ...module_utils._shell.outlets.request import OutletRequest
from .events import DriftState, Event
from .metrics import OF_DRIFT, MetricsFile, owner_of
from .opening import subscribers


class DriftOutlets:
    """Raises InputError for outlets that cannot be used, DirectPathError. Nothing is connected before ``publish``."""

    def __init__(self, request: OutletRequest, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._events = subscribers(request.notify)
        self._metrics: list[Outlet[list[DriftState]]] = []
        if request.metrics_file:
            file = MetricsFile(request.metrics_file, owner_of(OF_DRIFT, ""))
            file.refuse_other_owner()
            self._metrics.append(Outlet("metrics_file", file.write_drift, retries=()))

    def publish(self, report: FleetReport) -> list[OutletReport]:
        """Publish, and wait for the outlets for a limited time."""
        now, run = self._now(), secrets.token_hex(8)
        states = []
        for place, part in enumerate(report["vcenters"], start=1):
            kinds = {kind: number for kind, number in part["summary"]["kinds"].items() if number}
            states.append(DriftState(vcenter=part["vcenter"], status=part["status"], at=now, kinds=kinds))
            more = {"status": part["status"], "kinds": kinds, "summary": sentence(part)}
            for outlet, wanted in self._events:
                if wanted is None or "drift" in wanted:
                    outlet.put(Event(kind="drift", at=now, run=run, vcenter=part["vcenter"], number=place, more=more))
        for metrics in self._metrics:
            metrics.put(states)
        return end_all([outlet for outlet, _unused in self._events] + list(self._metrics))
