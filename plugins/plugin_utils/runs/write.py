# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a run file and its key. PRIVATE to the collection."""

from __future__ import annotations

import json
import platform
import re
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from ansible.release import __version__ as ansible_version

from ...module_utils._shell.capture import write_private
from ..report.files import trouble_with
from .document import RunFile

ENDING = ".json.gz"


def trouble_with_path(path: Path) -> str:
    """Why the file cannot be written; empty if nothing is known to prevent it."""
    if not path.name.endswith(ENDING) or path.name == ENDING:
        return f"its name does not end with {ENDING}. Set DIRECTPATH_RUN_FILE to a name such as run{ENDING}"
    return trouble_with(str(path))


def key_path(path: Path) -> Path:
    """The file of the key."""
    return path.with_name(path.name.removesuffix(ENDING) + ".key.json")


def write_run(path: Path, run: RunFile) -> None:
    """Replace both files, for their owner only. Raises InputError."""
    files = [(path, run.text(_versions()))]
    if run.key:
        files.insert(0, (key_path(path), run.key_text()))
    write_private(files)


def _own_version() -> str:
    """Of the installed collection, or of a checkout."""
    root = Path(__file__).resolve().parents[3]
    with suppress(OSError, ValueError, KeyError):
        return str(json.loads((root / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]["version"])
    with suppress(OSError):
        found = re.search(r"^version: *(\S+)", (root / "galaxy.yml").read_text(encoding="utf-8"), re.MULTILINE)
        return found[1] if found else "unknown"
    return "unknown"


def _versions() -> dict[str, str]:
    found = {
        "directpath.vsphere": _own_version(),
        "ansible-core": ansible_version,
        "python": platform.python_version(),
    }
    for name in ("pyvmomi",):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
