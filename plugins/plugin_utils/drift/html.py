# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drift report as one page: hosts by models of devices, their VMs beside them, and a filter. PRIVATE to the collection.

Everything is in the page as text; its script only hides rows. So it can be read, searched and printed without the script, too.
Clusters in which everything is as wanted are folded where the fleet is large.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._domain.drift.kinds import KINDS
from ...module_utils._domain.drift.report import sentence
from ..html import Html, Tone, badge, details, element, facts, joined, page
from .html_assets import SCRIPT, SIDE, STYLE

Record = Mapping[str, Any]

FOLD_FROM = 60
"""Hosts from which on clusters without a difference are folded."""

_HEADINGS = {"in_sync": "In sync", "drift": "Drift", "unknown": "Could not tell"}
_TONES: Mapping[str, Tone] = {"in_sync": "ok", "drift": "bad", "unknown": "mute"}
_LEGEND = {"ok": "as wanted", "differs": "differs", "unknown": "not known", "expected": "expected"}
_WORDS = {"in_sync": "in sync", "drift": "differs", "unknown": "not known"}


def html(report: Record, *, made: str) -> str:
    """``report`` of all vCenters; ``made``: when, in words."""
    several = len(report["vcenters"]) > 1
    records = [(part, record) for part in report["vcenters"] for record in part["differences"]]
    body = joined(
        facts(_facts(report)),
        _bar(records) if report["vcenters"] else "",
        _differences([(p, r) for p, r in records if not r["ignored"]], several=several),
        _differences([(p, r) for p, r in records if r["ignored"]], several=several, expected=True),
        *(
            _fleet(part, several=several, is_large=report["summary"]["hosts"] >= FOLD_FROM)
            for part in report["vcenters"]
        ),
    )
    foot = f"directpath.vsphere drift report, schema version {report['version']}. Made {made}."
    return page(
        title=f"{_HEADINGS[report['status']]}: PCI passthrough",
        lead=f"{sentence(report)}. {made}",
        body=body,
        foot=foot,
        style=STYLE,
        script=SCRIPT,
    )


def tone_of(kind: str) -> Tone:
    """How a difference is coloured. Its mark says it in words."""
    if kind == "ok":
        return "ok"
    known = KINDS[kind]
    if known.certainty == "unknown":
        return "mute"
    return "bad" if known.is_grave else "warn"


def _facts(report: Record) -> list[tuple[object, object] | tuple[object, object, Tone]]:
    figures = report["summary"]
    entries: list[tuple[object, object] | tuple[object, object, Tone]] = [
        ("status", _HEADINGS[report["status"]], _TONES[report["status"]]),
        ("vCenters", figures["vcenters"]),
        ("hosts", figures["hosts"]),
        ("VMs", figures["vms"]),
        ("differences", figures["drift"], "bad" if figures["drift"] else "ok"),
    ]
    if figures["unknown"]:
        entries.append(("not known", figures["unknown"], "mute"))
    if figures["ignored"]:
        entries.append(("expected", figures["ignored"], "info"))
    return entries


def _bar(records: Sequence[tuple[Record, Record]]) -> Html:
    """The filter: words and a choice of states. Without the script it is not shown."""
    kinds = sorted({str(record["kind"]) for _part, record in records}, key=list(KINDS).index)
    options = [
        element("option", "everything", value=""),
        element("option", "only what differs or is not known", value="!"),
        *(element("option", f"only: {KINDS[kind].title}", value=kind) for kind in kinds),
    ]
    return element(
        "form",
        element(
            "label",
            "Filter ",
            element(
                "input",
                id="words",
                type="search",
                autocomplete="off",
                size="34",
                placeholder="host, VM, cluster, device, word ...",
            ),
        ),
        element("label", "Show ", element("select", *options, id="kind")),
        element("output", "", id="count", aria_live="polite"),
        element("span", " ".join(f"{SIDE[key]} {text}" for key, text in _LEGEND.items()), class_="soft legend"),
        class_="filter",
        id="filter",
        hidden=True,
        role="search",
    )


def _differences(records: Sequence[tuple[Record, Record]], *, several: bool, expected: bool = False) -> Html:
    if not records:
        return joined()
    heading = "Expected differences" if expected else "Differences"
    head = ["object", "what", "difference", "rule" if expected else "why", "cure"]
    rows = [_difference(part, record, several=several) for part, record in records]
    inner = element(
        "div",
        element("table", element("thead", _head(head)), element("tbody", *rows), class_="list"),
        class_="scroll",
        tabindex="0",
    )
    return details(
        joined(heading, " ", element("span", len(records), class_="soft")), inner, is_open=not expected, class_="part"
    )


def _difference(part: Record, record: Record, *, several: bool) -> Html:
    where = " · ".join(text for text in (part["vcenter"] if several else "", record["cluster"] or "") if text)
    why = [element("div", record["cause"]), *(element("div", text, class_="soft") for text in record["obstacles"])]
    command = element("code", record["command"], class_="command", tabindex="0") if record["command"] else ""
    return element(
        "tr",
        element(
            "th",
            record["object"],
            element("div", f"{record['type']}{' · ' if where else ''}{where}", class_="soft"),
            scope="row",
        ),
        element("td", element("div", record["subject"]), element("div", record["device"], class_="soft")),
        element("td", badge(record["title"], "info" if record["ignored"] else tone_of(record["kind"]))),
        element("td", record["ignored"] if record["ignored"] else joined(*why)),
        element("td", element("div", record["cure"]), command),
        data_kinds=record["kind"],
    )


def _fleet(part: Record, *, several: bool, is_large: bool) -> Html:
    """Hosts of one vCenter by cluster, and the VMs that are on none of them."""
    by_host: dict[str, list[Record]] = {}
    for vm in part["vms"]:
        by_host.setdefault(vm["host"] or "", []).append(vm)
    clusters: dict[str, list[Record]] = {}
    for host in part["hosts"]:
        clusters.setdefault(host["cluster"] or "", []).append(host)
    records: dict[str, list[Record]] = {}
    for record in part["differences"]:
        records.setdefault(record["moid"], []).append(record)
    blocks = [_cluster(name, hosts, by_host, records, is_large=is_large) for name, hosts in sorted(clusters.items())]
    shown = {host["name"] for host in part["hosts"]}
    rest = [vm for name, vms in sorted(by_host.items()) if name not in shown for vm in vms]
    heading = element("h2", f"Hosts and VMs of {part['vcenter']}" if several else "Hosts and VMs")
    return joined(heading if blocks or rest else "", *blocks, _others(rest, records) if rest else "")


def _cluster(
    name: str,
    hosts: Sequence[Record],
    by_host: Mapping[str, Sequence[Record]],
    records: Mapping[str, Sequence[Record]],
    *,
    is_large: bool,
) -> Html:
    models = _models(hosts)
    rows = [_host(host, models, by_host.get(host["name"], ()), records) for host in hosts]
    head = ["host", *(joined(ids, element("div", text, class_="soft")) for ids, text in models.items()), "VMs"]
    machines = [vm for host in hosts for vm in by_host.get(host["name"], ())]
    off = [one for one in (*hosts, *machines) if one["status"] != "in_sync"]
    title = joined(
        name or "hosts of no cluster",
        " ",
        element("span", f"{len(hosts)} hosts, {len(machines)} VMs", class_="soft"),
        " ",
        badge(f"{len(off)} differ or not known", "warn") if off else badge("in sync", "ok"),
    )
    table = element("table", element("thead", _head(head)), element("tbody", *rows), class_="matrix")
    return details(
        title, element("div", table, class_="scroll", tabindex="0"), is_open=bool(off) or not is_large, class_="cluster"
    )


def _models(hosts: Iterable[Record]) -> dict[str, str]:
    """``vendor:device`` → name, the most frequent first."""
    counts: dict[str, int] = {}
    names: dict[str, str] = {}
    for host in hosts:
        for device in host["devices"]:
            counts[device["ids"]] = counts.get(device["ids"], 0) + 1
            names.setdefault(device["ids"], device["name"])
    return {ids: names[ids] for ids in sorted(counts, key=lambda ids: (-counts[ids], ids))}


def _host(
    host: Record, models: Mapping[str, str], vms: Sequence[Record], records: Mapping[str, Sequence[Record]]
) -> Html:
    mine = records.get(host["moid"], ())
    by_model: dict[str, list[Record]] = {}
    for device in host["devices"]:
        by_model.setdefault(device["ids"], []).append(device)
    # What concerns no device that is there (one that is missing, the host itself) stands beside the host's name.
    shown = {device["address"] for device in host["devices"]}
    notes = [
        _mark(record["kind"], record["ignored"], record["cause"]) for record in mine if record["subject"] not in shown
    ]
    place = f"ESXi {host['version']}" if host["version"] else ""
    if host["in_maintenance_mode"]:
        place += ", in maintenance mode"
    kinds = {record["kind"] for record in mine} | {kind for vm in vms for kind in vm["kinds"]}
    return element(
        "tr",
        element("th", host["name"], " ", *notes, element("div", place, class_="soft"), scope="row"),
        *(element("td", *_cell(by_model.get(ids, ()))) for ids in models),
        element("td", *(_vm(vm, records.get(vm["moid"], ())) for vm in vms), class_="vms"),
        data_kinds=" ".join(sorted(kinds)) or None,
    )


def _cell(devices: Sequence[Record]) -> Iterable[Html]:
    """Devices of one model: those in order as a number, each other one by its address."""
    fine = [device for device in devices if device["state"] == "ok"]
    if fine:
        title = "; ".join(_device_title(device) for device in fine)
        yield element("span", f"{SIDE['ok']} {len(fine)} active", class_="badge ok", title=title)
    for device in devices:
        if device["state"] == "ok":
            continue
        kind = device["state"]
        text = f"{device['address'].removeprefix('0000:')} {KINDS[kind].mark}"
        yield _chip(
            text, "info" if device["ignored"] else tone_of(kind), f"{KINDS[kind].title}: {_device_title(device)}"
        )


def _device_title(device: Record) -> str:
    users = f" in {', '.join(device['vms'])}" if device["vms"] else ""
    label = f" label {device['label']}" if device["label"] else ""
    return f"{device['address']} {device['setting']}{label}{users}"


def _vm(vm: Record, records: Sequence[Record]) -> Html:
    power = (
        "" if vm["power_state"] == "poweredOn" else " (off)" if vm["power_state"] == "poweredOff" else " (suspended)"
    )
    state = f"{len(vm['devices'])} devices, {vm['memory_mb'] / 1024:g} GB{' reserved' if vm['fully_reserved'] else ''}"
    marks = [_mark(record["kind"], record["ignored"], record["cause"]) for record in _first_of_each(records)]
    return element(
        "span",
        badge(f"{SIDE.get(vm['status'], SIDE['differs'])} {vm['name']}{power}", _TONES[vm["status"]]),
        *marks,
        class_="vm",
        title=f"{vm['name']}: {_WORDS[vm['status']]}, {state}",
    )


def _first_of_each(records: Sequence[Record]) -> list[Record]:
    return list({record["kind"]: record for record in reversed(records)}.values())[::-1]


def _mark(kind: str, ignored: Any, title: str) -> Html:
    return _chip(KINDS[kind].mark, "info" if ignored else tone_of(kind), f"{KINDS[kind].title}: {title}")


def _chip(text: str, tone: Tone, title: str) -> Html:
    side = {"ok": "ok", "mute": "unknown", "info": "expected"}.get(tone, "differs")
    return element("span", f"{SIDE[side]} {text}", class_=f"badge {tone}", title=title)


def _others(vms: Sequence[Record], records: Mapping[str, Sequence[Record]]) -> Html:
    rows = [
        element(
            "tr",
            element("th", _vm(vm, records.get(vm["moid"], ())), scope="row"),
            element("td", vm["cluster"] or "-"),
            element("td", vm["host"] or "-"),
            data_kinds=" ".join(vm["kinds"]) or None,
        )
        for vm in vms
    ]
    table = element("table", element("thead", _head(["VM", "cluster", "host"])), element("tbody", *rows))
    title = joined("VMs on other hosts ", element("span", len(vms), class_="soft"))
    return details(title, element("div", table, class_="scroll", tabindex="0"), is_open=True, class_="cluster")


def _head(cells: Iterable[object]) -> Html:
    return element("tr", *(element("th", cell, scope="col") for cell in cells))
