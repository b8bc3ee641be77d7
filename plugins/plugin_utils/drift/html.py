# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drift report as an HTML page: differences, then hosts by device model with their VMs, and a filter. PRIVATE to the collection.

The page holds everything as text, and its script only hides rows. So it can be read, searched and printed without the script.
In a large fleet, clusters without a difference are collapsed. ``templates/drift.html.j2`` lays out the values of ``page_view``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._domain.drift.guests import GUEST_KINDS
from ...module_utils._domain.drift.kinds import KINDS
from ...module_utils._domain.drift.report import FleetReport, sentence
from ..html import Tone, render_page
from .assets import SCRIPT, SIGNS, STYLE

Record = Mapping[str, Any]
View = dict[str, Any]
"""Plain values for the template."""

COLLAPSE_FROM = 60
"""Number of hosts from which clusters without a difference are collapsed."""

_STATUS: Mapping[str, tuple[str, Tone]] = {
    "in_sync": ("In sync", "ok"),
    "drift": ("Drift", "bad"),
    "unknown": ("Unknown", "mute"),
}
_LEGEND = {"ok": "in sync", "differs": "differs", "unknown": "unknown", "expected": "expected"}
_VM_STATUS = {"in_sync": "in sync", "drift": "differs", "unknown": "unknown"}
_POWER = {"poweredOn": "", "poweredOff": " (off)"}


def render_html(report: FleetReport, *, made: str) -> str:
    """The page of a merged ``report``. ``made``: when it was made, as text."""
    return render_page("drift.html.j2", page_view(report, made=made), style=STYLE, script=SCRIPT)


def tone_of(kind: str) -> Tone:
    """The color of a difference or of a device state. Its mark says the same in words."""
    if kind == "ok":
        return "ok"
    known = KINDS[kind]
    if known.certainty == "unknown":
        return "mute"
    return "bad" if known.is_grave else "warn"


def page_view(report: FleetReport, *, made: str) -> View:
    """What the page shows of a merged report."""
    parts = report["vcenters"]
    several = len(parts) > 1
    records = [(part, record) for part in parts for record in part["differences"]]
    kinds = sorted({record["kind"] for _part, record in records}, key=list(KINDS).index)
    is_large = report["summary"]["hosts"] >= COLLAPSE_FROM
    fleets = [_fleet(part, several=several, is_large=is_large) for part in parts]
    return {
        "title": f"{_STATUS[report['status']][0]}: PCI passthrough",
        "lead": f"{sentence(report)}. {made}",
        "foot": f"directpath.vsphere drift report, schema version {report['version']}. Made {made}.",
        "facts": _facts(report),
        "kinds": [(kind, KINDS[kind].title) for kind in kinds] if parts else None,
        "legend": " ".join(f"{SIGNS[key]} {text}" for key, text in _LEGEND.items()),
        "tables": [table for expected in (False, True) if (table := _table(records, expected, several=several))],
        "guests": [row for part in parts for row in _guests(part, several=several)],
        "fleets": [fleet for fleet in fleets if fleet["clusters"] or fleet["other_vms"]],
    }


_IN_GUESTS: Mapping[str, tuple[str, Tone]] = {
    "verified": ("verified", "ok"),
    "failed": ("fails", "bad"),
    "unknown": ("unknown", "mute"),
    "not_verified": ("not verified", "mute"),
}


def _guests(part: Record, *, several: bool) -> list[View]:
    guests: Sequence[Record] = part.get("guests") or ()
    return [
        _guest(part, guest, device, several=several)
        for guest in guests
        for device in guest["devices"] or [{**guest, "device": ""}]
    ]


def _guest(part: Record, guest: Record, device: Record, *, several: bool) -> View:
    """One device in one guest."""
    text, tone = _IN_GUESTS[device["status"]]
    way = guest["inventory_host"] if guest["via"] == "connection" else "VMware Tools"
    number = f" ({device['found']} of {device['count']})" if device.get("found") is not None else ""
    kind = GUEST_KINDS.get(device["status"])
    return {
        "vm": guest["vm"],
        "place": " · ".join(text for text in (part["vcenter"] if several else "", way) if text),
        "device": f"{device['device']}{number}",
        "result": _chip(text, tone, device["reason"]),
        "step": device["step"] or "-",
        "reason": " ".join(text for text in (device["reason"], device["cure"]) if text),
        "kinds": [kind] if kind else [],
    }


def _facts(report: Record) -> list[tuple[str, object, Tone]]:
    figures = report["summary"]
    drift, unknown, ignored = figures["drift"], figures["unknown"], figures["ignored"]
    entries: list[tuple[str, object, Tone]] = [
        ("status", *_STATUS[report["status"]]),
        ("vCenters", figures["vcenters"], ""),
        ("hosts", figures["hosts"], ""),
        ("VMs", figures["vms"], ""),
        ("differences", drift, "bad" if drift else "ok"),
        ("unknown", unknown, "mute"),
        ("expected", ignored, "info"),
    ]
    return [entry for entry in entries if entry[1] or entry[0] not in ("unknown", "expected")]


def _table(records: Iterable[tuple[Record, Record]], expected: bool, *, several: bool) -> View | None:
    rows = [
        _difference(part, record, several=several) for part, record in records if bool(record["ignored"]) is expected
    ]
    table = {
        "heading": "Expected differences" if expected else "Differences",
        "is_open": not expected,
        "head": ["object", "what", "difference", "rule" if expected else "why", "fix"],
        "rows": rows,
    }
    return table if rows else None


def _difference(part: Record, record: Record, *, several: bool) -> View:
    place = (record["type"], part["vcenter"] if several else "", record["cluster"])
    return {
        **{
            key: record[key]
            for key in ("kind", "object", "subject", "device", "title", "cause", "obstacles", "command")
        },
        "place": " · ".join(text for text in place if text),
        "tone": "info" if record["ignored"] else tone_of(record["kind"]),
        "rule": record["ignored"],
        "fix": record["cure"],
    }


def _fleet(part: Record, *, several: bool, is_large: bool) -> View:
    """The hosts of one vCenter by cluster, and the VMs that are on none of these hosts."""
    vms = _grouped(part["vms"], "host")
    records = _grouped(part["differences"], "moid")
    names = {host["name"] for host in part["hosts"]}
    others = [vm for name, group in sorted(vms.items()) if name not in names for vm in group]
    clusters = sorted(_grouped(part["hosts"], "cluster").items())
    return {
        "heading": f"Hosts and VMs of {part['vcenter']}" if several else "Hosts and VMs",
        "clusters": [_cluster(name, hosts, vms, records, is_large=is_large) for name, hosts in clusters],
        "other_vms": [
            {**_vm(vm, records), "kinds": vm["kinds"], "cluster": vm["cluster"] or "-", "host": vm["host"] or "-"}
            for vm in others
        ],
    }


def _grouped(records: Iterable[Record], key: str) -> dict[str, list[Record]]:
    """The records by the value of a key, in their order; records without a value are under ``""``."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(record[key] or "", []).append(record)
    return groups


def _cluster(
    name: str,
    hosts: Sequence[Record],
    vms: Mapping[str, Sequence[Record]],
    records: Mapping[str, Sequence[Record]],
    *,
    is_large: bool,
) -> View:
    models = _models(hosts)
    on_hosts = [vm for host in hosts for vm in vms.get(host["name"], ())]
    differing = sum(one["status"] != "in_sync" for one in (*hosts, *on_hosts))
    return {
        "name": name or "hosts without a cluster",
        "size": f"{_counted(len(hosts), 'host')}, {_counted(len(on_hosts), 'VM')}",
        "status": f"{differing} differ or unknown" if differing else "in sync",
        "tone": "warn" if differing else "ok",
        "is_open": bool(differing) or not is_large,
        "head": ["host", *models.items(), "VMs"],
        "hosts": [_host(host, models, vms.get(host["name"], ()), records) for host in hosts],
    }


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _models(hosts: Iterable[Record]) -> dict[str, str]:
    """Device model (``vendor:device``) → its name. The most frequent model is first."""
    devices = _grouped((device for host in hosts for device in host["devices"]), "ids")
    return {ids: devices[ids][0]["name"] for ids in sorted(devices, key=lambda ids: (-len(devices[ids]), ids))}


def _host(host: Record, models: Iterable[str], vms: Sequence[Record], records: Mapping[str, Sequence[Record]]) -> View:
    found = records.get(host["moid"], ())
    devices = _grouped(host["devices"], "ids")
    addresses = {device["address"] for device in host["devices"]}
    version = f"ESXi {host['version']}" if host["version"] else ""
    return {
        "name": host["name"],
        # A difference without a cell of its own: a missing device, or the host itself.
        "marks": [_mark(record) for record in found if record["subject"] not in addresses],
        "place": f"{version}, in maintenance mode" if host["in_maintenance_mode"] else version,
        "cells": [_cell(devices.get(ids, ())) for ids in models],
        "vms": [_vm(vm, records) for vm in vms],
        "kinds": sorted({record["kind"] for record in found} | {kind for vm in vms for kind in vm["kinds"]}),
    }


def _cell(devices: Sequence[Record]) -> list[View]:
    """The devices of one model on one host: a number for those in sync, a badge with the address for each other one."""
    in_sync = [device for device in devices if device["state"] == "ok"]
    chips = [_chip(f"{len(in_sync)} active", "ok", "; ".join(map(_device_title, in_sync)))] if in_sync else []
    for device in devices:
        if device["state"] != "ok":
            kind = KINDS[device["state"]]
            text = f"{device['address'].removeprefix('0000:')} {kind.mark}"
            tone = "info" if device["ignored"] else tone_of(device["state"])
            chips.append(_chip(text, tone, f"{kind.title}: {_device_title(device)}"))
    return chips


def _device_title(device: Record) -> str:
    users = f" in {', '.join(device['vms'])}" if device["vms"] else ""
    label = f" label {device['label']}" if device["label"] else ""
    return f"{device['address']} {device['setting']}{label}{users}"


def _vm(vm: Record, records: Mapping[str, Sequence[Record]]) -> View:
    first_of_kind = {record["kind"]: record for record in reversed(records.get(vm["moid"], ()))}
    reserved = " reserved" if vm["fully_reserved"] else ""
    state = f"{_counted(len(vm['devices']), 'device')}, {vm['memory_mb'] / 1024:g} GB{reserved}"
    return {
        "text": f"{SIGNS[vm['status']]} {vm['name']}{_POWER.get(vm['power_state'], ' (suspended)')}",
        "tone": _STATUS[vm["status"]][1],
        "title": f"{vm['name']}: {_VM_STATUS[vm['status']]}, {state}",
        "marks": [_mark(record) for record in reversed(first_of_kind.values())],
    }


def _mark(record: Record) -> View:
    kind = KINDS[record["kind"]]
    tone: Tone = "info" if record["ignored"] else tone_of(record["kind"])
    return _chip(kind.mark, tone, f"{kind.title}: {record['cause']}")


def _chip(text: str, tone: Tone, title: str) -> View:
    """A badge with a sign, which says without color what the color says."""
    sign = {"ok": "ok", "mute": "unknown", "info": "expected"}.get(tone, "differs")
    return {"text": f"{SIGNS[sign]} {text}", "tone": tone, "title": title}
