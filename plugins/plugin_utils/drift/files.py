# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift reports of several vCenters: merged into one, written to files, and judged for the play. PRIVATE to the collection."""

from __future__ import annotations

import datetime
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from ...module_utils._domain.drift.fleet_report import lines, merged, unread_report
from ...module_utils._domain.drift.guests import with_guests
from ...module_utils._domain.drift.report import SCHEMA, VERSION, FleetReport, Report, sentence
from ...module_utils._domain.errors import DirectPathError, InputError
from ...module_utils._domain.guest.records import GuestRecord
from ...module_utils._domain.text import all_visible
from ...module_utils._vsphere.http.rehearsal import place_of
from .html import render_html
from .junit import render_junit
from .markdown import render_markdown

FORMATS = ("json", "junit", "markdown", "html")
MOST_IN_A_MESSAGE = 3
REBOOTS = ("pending_reboot", "graphics_pending")
"""Kinds of differences that a reboot of the host resolves."""
MODE = 0o644
"""Reports hold no secret. Others read them: a web server, the next step of a pipeline."""


def merge_results(
    results: Sequence[tuple[str, Mapping[str, Any]]],
    guests: Sequence[Sequence[Mapping[str, Any]]] = (),
    arguments: str = "",
) -> FleetReport:
    """One report from (vCenter, result of drift_info) pairs. A result that failed becomes a part with the status ``unknown``.

    ``guests``: what was verified in the guests of each vCenter, in the same order. ``arguments``: for the commands about them. Raises
    InputError when a report has another schema or version.
    """
    seen = [*guests, *([()] * (len(results) - len(guests)))]
    parts = (
        with_guests(_part(*result), cast(Sequence[GuestRecord], records), arguments)
        for result, records in zip(results, seen, strict=True)
    )
    report: FleetReport = all_visible(merged(parts))
    return report


def _part(vcenter: str, result: Mapping[str, Any]) -> Report:
    report = result.get("report")
    if not isinstance(report, Mapping):
        message = str(result.get("msg") or "it was not read")
        return unread_report(vcenter, message, str(result.get("error_code") or "unexpected"))
    if report.get("schema") != SCHEMA or report.get("version") != VERSION:
        raise InputError(
            message=f"The report of {vcenter} has schema {report.get('schema')} version {report.get('version')}, "
            f"not {SCHEMA} version {VERSION}",
            code="bad_report",
            parameter="results",
            cure="Create it with the same release of the collection",
        )
    return cast(Report, report)


def rendered(report: FleetReport, now: datetime.datetime) -> dict[str, Callable[[], str]]:
    """Format (of ``FORMATS``) → what makes its text. ``now`` is in UTC."""
    text, moment = f"{now:%Y-%m-%d %H:%M:%S} UTC", f"{now:%Y-%m-%dT%H:%M:%S}"
    return {
        "json": lambda: json.dumps({**report, "made": f"{moment}Z"}, indent=1) + "\n",
        "junit": lambda: render_junit(report, made=moment),
        "markdown": lambda: render_markdown(report, made=text),
        "html": lambda: render_html(report, made=text),
    }


def write_reports(renderers: Mapping[str, Callable[[], str]], paths: Mapping[str, str | None]) -> list[str]:
    """Write each format that has a path, and return the absolute paths. A file is replaced as a whole.

    Raises DirectPathError with the path when a file cannot be written.
    """
    return [
        _replace(Path(path).expanduser().absolute(), render())
        for name, render in renderers.items()
        if (path := paths.get(name))
    ]


def _replace(path: Path, text: str) -> str:
    path = place_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as stream:
                stream.write(text)
            os.chmod(temporary, MODE)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise DirectPathError(
            message=f"The report cannot be written to {path}: {error.strerror or error}",
            code="report_not_written",
            cure="Set a path in a directory that this account may write to",
        ) from error
    return str(path)


def summarize(report: FleetReport, files: Sequence[str]) -> dict[str, Any]:
    """The part of a report that a play keeps. It stays small in a large fleet."""
    return {
        "status": report["status"],
        "summary": sentence(report),
        "figures": dict(report["summary"]),
        "differences": lines(report["vcenters"]),
        "pending_reboot": sorted({name for part in report["vcenters"] for name in _pending_reboot(part)}),
        "vcenters": {
            part["vcenter"]: {"status": part["status"], "summary": sentence(part), "differences": lines([part])}
            for part in report["vcenters"]
        },
        "files": list(files),
    }


def _pending_reboot(part: Report) -> list[str]:
    """Names of the hosts that require a reboot. The same reboot is for the graphics settings of a host, too."""
    return [entry["object"] for entry in part["differences"] if entry["kind"] in REBOOTS]


def _first(differences: Sequence[str]) -> list[str]:
    """The first differences. All of them were printed before, and are in the reports."""
    more = len(differences) - MOST_IN_A_MESSAGE
    return [
        *differences[:MOST_IN_A_MESSAGE],
        *([f"And {more} more, printed above and in the reports."] if more > 0 else []),
    ]


def judge(summary: Mapping[str, Any], vcenter: str | None, *, on_drift: str, on_unknown: str) -> dict[str, Any]:
    """How the play ends for one vCenter, or for all of them (None): keys for the task result.

    ``on_drift`` and ``on_unknown``: ``fail`` or ``report``. Drift is a failure. Unknown without drift is ``unreachable``, which gives
    the play another exit status. With drift on another vCenter, unknown is a failure too: Ansible's exit status follows the
    unreachable hosts, and the drift is certain. Raises InputError when the summary has no such vCenter.
    """
    part = summary["vcenters"].get(vcenter) if vcenter is not None else summary
    if part is None:
        names = sorted(summary["vcenters"])
        raise InputError(
            message=f"The report has no vCenter {vcenter!r}",
            code="bad_report",
            parameter="vcenter",
            candidates=names,
            cure="Set one of them",
        )
    message = " ".join([f"{part['summary']}.", *_first(part["differences"])])
    if part["status"] == "drift" and on_drift == "fail":
        return {"failed": True, "error_code": "drift", "msg": f"Drift. {message}"}
    if part["status"] == "unknown" and on_unknown == "fail":
        no_failure = summary["status"] == "unknown" or on_drift != "fail"
        return {
            "unreachable" if no_failure else "failed": True,
            "error_code": "drift_unknown",
            "msg": f"Unknown. {message}",
        }
    return {"msg": part["summary"]}
