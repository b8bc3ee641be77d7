# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drift report of several vCenters, some of which may not have answered. PRIVATE to the collection.

For the control node only: drift_info, with which each run of ``site`` begins, does not pack this file.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..text import full_stop
from .commands import Commands
from .kinds import Difference, DifferenceRecord, Status
from .report import SCHEMA, VERSION, FleetReport, Report, summary

MOST_LINES = 50
"""The largest number of differences in one message; the report has all of them."""

_CONNECTION = frozenset(
    {
        "unknown_name",
        "refused",
        "no_answer",
        "not_vsphere",
        "certificate_untrusted",
        "tls_failed",
        "unavailable",
        "connection_lost",
        "session_lost",
        "invalid_login",
    }
)


def unread_report(vcenter: str, message: str, code: str) -> Report:
    """The report of a vCenter that could not be read: its status is ``unknown``, never ``in_sync``."""
    difference = Difference(
        kind="unreachable" if code in _CONNECTION else "unreadable",
        type="vcenter",
        object=vcenter,
        wanted="an answer",
        found=code,
        cause=message,
        cure=f"See {code} in the troubleshooting guide",
        command=Commands.to(vcenter).module("host_pci_device_info", {}),
    )
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "vcenter": vcenter,
        "status": "unknown",
        "summary": summary(0, 0, [difference.record()]),
        "differences": [difference.record()],
        "idle_rules": [],
        "hosts": [],
        "vms": [],
    }


def merged(reports: Iterable[Report]) -> FleetReport:
    """One report from the reports of several vCenters, sorted by vCenter, with their summary. Drift in one part is drift."""
    parts = sorted(reports, key=lambda part: part["vcenter"])
    statuses = {part["status"] for part in parts}
    status: Status = "drift" if "drift" in statuses else "unknown" if "unknown" in statuses else "in_sync"
    records = [record for part in parts for record in part["differences"]]
    hosts, vms = sum(len(part["hosts"]) for part in parts), sum(len(part["vms"]) for part in parts)
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "status": status,
        "summary": {**summary(hosts, vms, records), "vcenters": len(parts)},
        "vcenters": parts,
    }


def lines(parts: Iterable[Report], most: int = MOST_LINES) -> list[str]:
    """One text for each difference that is not ignored, certain ones first, at most ``most``, and the number of the others."""
    counted = [record for part in parts for record in part["differences"] if not record["ignored"]]
    ordered = sorted(counted, key=lambda record: record["certainty"] != "drift")
    more = len(ordered) - most
    return _sentences(ordered[:most]) + ([f"And {more} more: see the reports."] if more > 0 else [])


def _sentences(records: Iterable[DifferenceRecord]) -> list[str]:
    """The texts of the differences. An obstacle of several differences of one object is shown with the first of them only."""
    shown: set[tuple[str, str, str]] = set()
    written = []
    for record in records:
        keys = {text: (record["type"], record["object"], text) for text in record["obstacles"]}
        obstacles = [text for text, key in keys.items() if key not in shown]
        shown.update(keys.values())
        head = f"{record['object']}{' ' + record['subject'] if record['subject'] else ''}: {record['title']}"
        parts = [full_stop(text) for text in (head, record["cause"], *obstacles, record["cure"]) if text]
        written.append(" ".join([*parts, *([f"Command: {record['command']}"] if record["command"] else [])]))
    return written
