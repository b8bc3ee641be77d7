# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The free, used and pending devices of several vCenters, as one report and as text for a terminal. PRIVATE to the collection.

The input are results of host_capacity_info; nothing is decided here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils._domain.capacity.stock import STATES
from ...module_utils._domain.text import all_visible, counted, name_ranges, one_line, several, visible_name
from .fleet import endpoint_names

Record = Mapping[str, Any]

SCHEMA, VERSION = "directpath.vsphere.capacity", 1
_COLUMNS = ("total", "free", "used", "held", "pending", "off", "other", "unknown")
_OTHER = ("leaving", "shared", "out_of_service")
"""Summed up on a terminal. The report has each."""
_MOST_LINES = 20
_MOST_NAMES = 5
_WHEN = {
    "now": "now",
    "after_maintenance": "after the host leaves maintenance mode",
    "after_reboot": "after the pending reboot",
    "after_enabling": "after more devices are enabled, and a reboot if the host needs one",
    "after_power_off": "only after VMs are powered off",
    "unknown": "unknown",
}


def capacity_report(results: Mapping[str, Record], endpoints: Mapping[str, Record] | None = None) -> dict[str, Any]:
    """One report for the results (vCenter → result of host_capacity_info), with ``lines`` for a terminal.

    ``endpoints``: with it, the keys of both are leaders (inventory hosts), and it has the address and port of each. A vCenter whose call
    failed has no numbers: it is in ``unread`` with the reason, and ``complete`` is false.
    """
    if endpoints is not None:
        names = endpoint_names(endpoints)
        if len(endpoints) == 1:
            names = {leader: str(endpoint["vcenter"]) for leader, endpoint in endpoints.items()}
        results = {names[leader]: result for leader, result in results.items()}
    read = {name: result for name, result in sorted(results.items()) if "stock" in result}
    unread = {
        name: one_line(result.get("msg") or "it was not read")
        for name, result in sorted(results.items())
        if "stock" not in result
    }
    stock = [{"vcenter": name, **row} for name, result in read.items() for row in result["stock"]]
    asked = any(result["fit"] is not None for result in read.values())
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "complete": not unread,
        "models": _sums(stock, ("model", "label", "kind")),
        "clusters": _sums(stock, ("vcenter", "cluster", "model", "label", "kind")),
        "stock": stock,
        "failures": [
            {"vcenter": name, **failure} for name, result in read.items() for failure in result["failures"] or ()
        ],
        "fit": [{"vcenter": name, **fit} for name, result in read.items() for fit in result["fit"] or ()]
        if asked
        else None,
        "unknown": [{"vcenter": name, **row} for name, result in read.items() for row in result["unknown"]],
        "unread": [{"vcenter": name, "why": why} for name, why in unread.items()],
    }
    shown: dict[str, Any] = all_visible(report)
    return {**shown, "lines": [visible_name(line) for line in _lines(shown, is_read=bool(read))]}


def _sums(stock: Sequence[Record], keys: Sequence[str]) -> list[dict[str, Any]]:
    """The numbers of the rows that have the same values for these keys; sorted by them."""
    counts: dict[tuple[Any, ...], Counter[str]] = {}
    names: dict[tuple[Any, ...], str] = {}
    for row in stock:
        key = tuple(row[name] for name in keys)
        counts.setdefault(key, Counter()).update({state: row[state] for state in STATES})
        names.setdefault(key, row["name"])
    return [
        {
            **dict(zip(keys, key, strict=True)),
            "name": names[key],
            "total": sum(counts[key].values()),
            **{state: counts[key][state] for state in STATES},
        }
        for key in sorted(counts, key=lambda key: tuple((part is not None, str(part)) for part in key))
    ]


def _lines(report: Record, *, is_read: bool) -> list[str]:
    """The report as text. ``is_read``: False if no vCenter was read."""
    rows = [(_model(row), row) for row in report["models"]]
    rows += [(f"  {row['vcenter']} {row['cluster'] or '(no cluster)'}: {_ids(row)}", row) for row in report["clusters"]]
    wide = max((len(label) for label, _row in rows), default=0)
    found = [f"{'':{wide}} " + " ".join(f"{name:>7}" for name in _COLUMNS)] if rows else _no_rows(report, is_read)
    for label, row in rows:
        numbers = {**row, "other": sum(row[state] for state in _OTHER)}
        found.append(f"{label:{wide}} " + " ".join(f"{numbers[name]:>7}" for name in _COLUMNS))
    found += _cut([line for failure in report["failures"] for line in _failure_lines(failure)], "clusters and hosts")
    if report["fit"] is not None:
        found += _fit_lines(report["fit"])
    found += _cut([f"unknown: {row['host']} ({row['vcenter']}) {row['why']}" for row in report["unknown"]], "hosts")
    found += [f"not read: {row['vcenter']}: {row['why']}" for row in report["unread"]]
    return found


def _no_rows(report: Record, is_read: bool) -> list[str]:
    """What it means that no device was found: nothing is known about what was not read."""
    if not is_read:
        return []
    unread = "hosts" if report["unknown"] else "vCenters" if report["unread"] else ""
    return [f"No device is set up for VMs{f' on the {unread} that were read' if unread else ''}."]


def _ids(row: Record) -> str:
    label = f" labeled {row['label']}" if row["label"] else ""
    return f"{row['model']}{label}" + (" (virtual functions)" if row["kind"] == "virtual_function" else "")


def _model(row: Record) -> str:
    return f"{_ids(row)} {row['name']}".rstrip()


def _failure_lines(failure: Record) -> list[str]:
    place = f"{failure['cluster']} ({failure['vcenter']})"
    if not failure["hosts"]:
        return []
    ha = {True: "HA", False: "HA is off"}.get(failure["ha_enabled"], "HA is unknown")
    lines = []
    for host in failure["hosts"]:
        lost = [*host["stuck"], *host["tied"]]
        number = sum(len(host[verdict]) for verdict in ("restarts", "stuck", "tied", "unknown"))
        parts = []
        if host["stuck"]:
            parts.append(f"no other host has the devices of {several(list(host['stuck']), _MOST_NAMES)}")
        if host["tied"]:
            parts.append(f"devices on this host only: {several(list(host['tied']), _MOST_NAMES)}")
        if host["unknown"]:
            parts.append(f"unknown: {several(list(host['unknown']), _MOST_NAMES)}")
        if parts:
            lines.append(
                f"{ha}: {place}: if {host['host']} fails, {len(lost)} of {counted(number, 'running VM')} with devices cannot restart "
                f"elsewhere ({'; '.join(parts)})"
            )
    return lines or [f"{ha}: {place}: if one host fails, another host has the devices of each of its VMs"]


def _fit_lines(fits: Sequence[Record]) -> list[str]:
    fitting = [fit for fit in fits if fit["when"] != "no"]
    total = sum(fit["sets"] for fit in fits)
    groups: dict[str, list[str]] = {}
    for fit in fitting:
        groups.setdefault(_fit(fit), []).append(fit["host"])
    found = [f"fit: {counted(total, 'such VM')} can run now"] if fitting else ["fit: no host has these devices"]
    return found + _cut([f"fit: {', '.join(name_ranges(hosts))} {text}" for text, hosts in groups.items()], "hosts")


def _fit(fit: Record) -> str:
    """What is the same for hosts in one line."""
    nodes = fit["numa_nodes"]
    on = f", all on NUMA node {' or '.join(str(node) for node in nodes)}" if nodes else ""
    place = f"({fit['vcenter']}{' ' + fit['cluster'] if fit['cluster'] else ''})"
    sets = f", {fit['sets']} such VMs" if fit["sets"] > 1 else ""
    return f"{place} {_WHEN[fit['when']]}{sets}{on}"


def _cut(lines: list[str], what: str) -> list[str]:
    more = len(lines) - _MOST_LINES
    return (
        lines if more <= 0 else [*lines[:_MOST_LINES], f"and {more} more {what}: see the report (capacity_report_file)"]
    )
