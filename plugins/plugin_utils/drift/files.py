# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift reports of many vCenters as one: put together, written as files, judged. PRIVATE to the collection."""

from __future__ import annotations

import datetime
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...module_utils._domain.drift.report import SCHEMA, VERSION, lines, merged, sentence, untold
from ...module_utils._domain.errors import DirectPathError, InputError
from ...module_utils._domain.text import all_visible
from .html import html
from .junit import junit
from .markdown import markdown

FORMATS = ("json", "junit", "markdown", "html")
MOST_IN_A_MESSAGE = 3
MODE = 0o644
"""Reports hold no secret and are there to be read by others: a web server, the next step of a pipeline."""


def put_together(looks: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """One report of (vCenter, result of drift_info) pairs. A look that failed becomes a part of which nothing is known."""
    whole: dict[str, Any] = all_visible(merged(_part(vcenter, result) for vcenter, result in looks))
    return whole


def _part(vcenter: str, result: Mapping[str, Any]) -> Mapping[str, Any]:
    found = result.get("report")
    if not isinstance(found, Mapping):
        message = str(result.get("msg") or "it was not asked")
        return untold(vcenter, message, str(result.get("error_code") or "unexpected"))
    if found.get("schema") != SCHEMA or found.get("version") != VERSION:
        raise InputError(
            message=f"The report of {vcenter} has schema {found.get('schema')} version {found.get('version')}, "
            f"not {SCHEMA} version {VERSION}",
            code="bad_report",
            parameter="results",
            cure="Make it with the same release of the collection",
        )
    return found


def write(report: Mapping[str, Any], paths: Mapping[str, str | None], now: datetime.datetime) -> list[str]:
    """Write each format that has a path; a reader never sees half a file. Raises DirectPathError naming the file."""
    words, moment = f"{now:%Y-%m-%d %H:%M:%S} UTC", f"{now:%Y-%m-%dT%H:%M:%S}"
    makers = {
        "json": lambda: json.dumps({**report, "made": f"{moment}Z"}, indent=1) + "\n",
        "junit": lambda: junit(report, made=moment),
        "markdown": lambda: markdown(report, made=words),
        "html": lambda: html(report, made=words),
    }
    written = []
    for name in FORMATS:
        path = paths.get(name)
        if path:
            written.append(_put(Path(path).expanduser().absolute(), makers[name]()))
    return written


def _put(path: Path, text: str) -> str:
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
            cure="Name a file in a folder that this account may write to",
        ) from error
    return str(path)


def outcome(report: Mapping[str, Any], files: Sequence[str]) -> dict[str, Any]:
    """What is kept of a report in a play: small, whatever the size of the fleet."""
    return {
        "status": report["status"],
        "summary": sentence(report),
        "figures": dict(report["summary"]),
        "differences": lines(report["vcenters"]),
        "vcenters": {
            part["vcenter"]: {"status": part["status"], "summary": sentence(part), "differences": lines([part])}
            for part in report["vcenters"]
        },
        "files": list(files),
    }


def _first(differences: Sequence[str]) -> list[str]:
    """The first few: all of them were told before, and are in the reports."""
    more = len(differences) - MOST_IN_A_MESSAGE
    return [
        *differences[:MOST_IN_A_MESSAGE],
        *([f"And {more} more, told above and in the reports."] if more > 0 else []),
    ]


def verdict(found: Mapping[str, Any], vcenter: str | None, *, on_drift: str, on_unknown: str) -> dict[str, Any]:
    """How a play ends for all vCenters, or for one of them.

    Failed on drift. Unreachable, which gives the play another exit status, where nothing is known to differ and not all is known:
    but failed where another vCenter drifted, as Ansible lets the unreachable ones decide, and drift is what is certain.
    """
    part = found["vcenters"].get(vcenter) if vcenter is not None else found
    if part is None:
        names = sorted(found["vcenters"])
        raise InputError(
            message=f"The report has no vCenter {vcenter!r}",
            code="bad_report",
            parameter="vcenter",
            candidates=names,
            cure="Name one of them",
        )
    told = " ".join([f"{part['summary']}.", *_first(part["differences"])])
    if part["status"] == "drift" and on_drift == "fail":
        return {"failed": True, "error_code": "drift", "msg": f"Drift. {told}"}
    if part["status"] == "unknown" and on_unknown == "fail":
        is_sole = found["status"] == "unknown" or on_drift != "fail"
        return {
            "unreachable" if is_sole else "failed": True,
            "error_code": "drift_unknown",
            "msg": f"Could not tell. {told}",
        }
    return {"msg": part["summary"]}
