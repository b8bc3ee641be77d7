# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drift report as Markdown, for a comment on a pull request or the summary of a CI job. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._domain.drift.report import FleetReport, sentence

Record = Mapping[str, Any]

MOST_ROWS = 200
"""The maximum number of rows in a table. A comment or job summary that is too large is rejected as a whole."""

_HEADINGS = {"in_sync": "In sync", "drift": "Drift", "unknown": "Unknown"}
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~])")


def render_markdown(report: FleetReport, *, made: str) -> str:
    """The text of a merged ``report``. ``made``: when it was made, as text."""
    lines = [f"# {_HEADINGS[report['status']]}", "", f"{sentence(report)}. {made}", ""]
    lines += _rows(
        ("vCenter", "status", "hosts", "VMs", "differences", "unknown", "expected"),
        [_figures(part) for part in report["vcenters"]],
    )
    for part in report["vcenters"]:
        lines += _part(part)
    return "\n".join(lines).rstrip() + "\n"


def _figures(part: Record) -> list[str]:
    figures = part["summary"]
    numbers = [str(figures[key]) for key in ("hosts", "vms", "drift", "unknown", "ignored")]
    return [escaped(part["vcenter"]), _HEADINGS[part["status"]].lower(), *numbers]


def _part(part: Record) -> list[str]:
    counted = [record for record in part["differences"] if not record["ignored"]]
    expected = [record for record in part["differences"] if record["ignored"]]
    lines: list[str] = []
    if counted:
        lines += [f"## {escaped(part['vcenter'])}", ""]
        lines += _rows(
            ("object", "what", "difference", "why", "fix"),
            [_difference(record) for record in counted[:MOST_ROWS]],
        )
        lines += _more(len(counted))
        lines += _commands(counted)
    if expected:
        lines += [f"### Expected on {escaped(part['vcenter'])}", ""]
        lines += _rows(
            ("object", "what", "difference", "rule"),
            [
                [escaped(r["object"]), _what(r), escaped(r["title"]), escaped(r["ignored"])]
                for r in expected[:MOST_ROWS]
            ],
        )
        lines += _more(len(expected))
    lines += _guests(part)
    if part["idle_rules"]:
        lines += [f"Rules without a match: {', '.join(map(escaped, part['idle_rules']))}.", ""]
    return lines


def _guests(part: Record) -> list[str]:
    rows = [
        [
            escaped(guest["vm"]),
            escaped(one["device"]),
            f"**{one['status'].replace('_', ' ')}**",
            one["step"] or "-",
            escaped(one["reason"]),
        ]
        for guest in part.get("guests") or ()
        for one in guest["devices"] or [{**guest, "device": ""}]
    ]
    if not rows:
        return []
    head = ("VM", "device", "result", "verified up to", "why")
    return [f"### In the guests of {escaped(part['vcenter'])}", "", *_rows(head, rows[:MOST_ROWS]), *_more(len(rows))]


def _difference(record: Record) -> list[str]:
    why = " ".join(f"{escaped(text).rstrip('.')}." for text in (record["cause"], *record["obstacles"]))
    return [escaped(record["object"]), _what(record), f"**{escaped(record['title'])}**", why, escaped(record["cure"])]


def _what(record: Record) -> str:
    return escaped(" ".join(text for text in (record["subject"], record["device"]) if text))


def _commands(records: Iterable[Record]) -> list[str]:
    """The commands, each once, in the order to run them: playbooks first."""
    commands = dict.fromkeys(record["command"] for record in records if record["command"])
    ordered = sorted(commands, key=lambda command: not command.startswith("ansible-playbook"))
    shown = [command.replace("```", "'''") for command in ordered[:20]]
    return ["```shell", *shown, "```", ""] if shown else []


def _more(number: int) -> list[str]:
    return [f"And {number - MOST_ROWS} more, in the JSON and HTML reports.", ""] if number > MOST_ROWS else []


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows), ""]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escaped(value: Any) -> str:
    """Any text on one line, with its Markdown characters escaped. Not HTML-escaped: Markdown readers show the text as it is."""
    return _MARKUP.sub(r"\\\1", " ".join(str(value).split()))
