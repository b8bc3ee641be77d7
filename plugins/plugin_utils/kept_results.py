# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of tasks of a rehearsal, in files of its folder, for the playbook that started it. PRIVATE to the collection."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..module_utils._vsphere.http.rehearsal import current

FOLDER = "results"


def keep_result(kind: str, record: Mapping[str, Any]) -> None:
    """Keep a result, if this is a rehearsal. ``kind``: what it is of. Raises DirectPathError (rehearsal_unreadable), OSError."""
    found = current()
    if found is None:
        return
    place = found.folder / FOLDER
    place.mkdir(mode=0o700, exist_ok=True)
    # Templates may be rendered twice: the last one counts.
    path = place / f"{time.time_ns():020d}-{kind}-{secrets.token_hex(4)}.json"
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(record, file, default=str)


def place_in(given: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """``name:port`` of the server that the arguments of a task name."""
    host = str(given.get("hostname") or environ.get("VMWARE_HOST") or "")
    return f"{host}:{given.get('port') or environ.get('VMWARE_PORT') or 443}"


def kept_results(folder: Path, kind: str) -> Iterator[dict[str, Any]]:
    """The results of one kind, the oldest first. ``folder``: of the run. A file that a killed process did not finish is left out."""
    for path in sorted((folder / FOLDER).glob(f"*-{kind}-*.json")):
        try:
            yield json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue


def left_out(folder: Path) -> dict[tuple[str, str], int]:
    """What was not rehearsed in a run: (kind, about) → how often."""
    found: dict[tuple[str, str], int] = {}
    try:
        lines = (folder / "left_out.jsonl").read_text(encoding="utf-8").splitlines()
    except OSError:
        return found
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        key = (str(record["kind"]), str(record["about"]))
        found[key] = found.get(key, 0) + 1
    return found
