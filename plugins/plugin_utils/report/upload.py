# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports that are sent to a server, because the machine that made them may not exist any more when they are read.

PRIVATE to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils._domain.errors import DirectPathError
from ...module_utils._vsphere.http.rehearsal import place_of
from ...module_utils._vsphere.upload.send import Destination, upload

METHODS = ("PUT", "POST")
SETTINGS: dict[str, dict[str, Any]] = {
    "upload_method": {"type": "str", "choices": list(METHODS), "default": "PUT"},
    "upload_headers": {"type": "dict", "no_log": True, "default": {}},
    "upload_ca_path": {"type": "path"},
    "upload_proxy": {"type": "str"},
    "on_upload_failure": {"type": "str", "choices": ["warn", "fail"], "default": "warn"},
}
"""Options of each action that uploads."""
KINDS = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "junit": "application/xml",
    "xml": "application/xml",
    "markdown": "text/markdown; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
}
"""Format, or ending of a file name → media type."""


def destination(option: str, given: Mapping[str, Any]) -> Destination | None:
    """Where the report goes; None if the URL in ``option`` is not set. Raises InputError."""
    return Destination.of(str(given[option]), option=option, **settings(given)) if given.get(option) else None


def settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a destination that are the same for all reports of a task."""
    return {name: given[f"upload_{name}"] for name in ("method", "headers", "ca_path", "proxy")}


def problem_with(text: str, kind: str, to: Destination) -> str:
    """Upload it. Returns a sentence if it failed, and an empty text otherwise."""
    try:
        upload(text.encode("utf-8", errors="replace"), kind, to)
    except DirectPathError as error:
        return error.sentence()
    return ""


def ending(problems: list[str], on_failure: str) -> dict[str, Any]:
    """Keys for the result of a task, for uploads that failed: a warning for each, or a failure."""
    if not problems:
        return {}
    if on_failure == "warn":
        return {"warnings": problems}
    return {"failed": True, "msg": " ".join(problems), "error_code": "report_not_uploaded"}


def read_report(path: str) -> str:
    """The text of a file that was written before. Raises DirectPathError."""
    try:
        return place_of(path, copied=True).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DirectPathError(
            message=f"The report {path} cannot be read: {error.strerror or error}",
            code="report_not_uploaded",
            parameter="path",
            cure="Set the path of a file that was written before",
        ) from error
