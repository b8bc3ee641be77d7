# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate of a rehearsal: all connections, files, commands and outlets of the collection pass here. PRIVATE to the collection.

The playbook ``rehearse`` sets an environment variable to the path of a JSON file. Then only the twins that the file names can be reached,
and all files go below its folder. If the variable is set and its file cannot be used, everything is refused. Without the variable nothing
here has an effect, and nothing more is imported. See docs/decisions/0041.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .twins import Rehearsal, Twin

VARIABLE = "DIRECTPATH_REHEARSAL"


def current() -> Rehearsal | None:
    """The rehearsal that this process is part of; None in a normal run. Raises DirectPathError (rehearsal_unreadable)."""
    path = os.environ.get(VARIABLE)
    if path is None:
        return None
    from .twins import read_rehearsal

    return read_rehearsal(path)


def twin_of(host: str, port: int | None) -> Twin | None:
    """The twin of a server; None in a normal run. Raises DirectPathError (not_rehearsed) if the server has none."""
    found = current()
    if found is None:
        return None
    from . import twins

    return twins.twin_of(found, host, port)


def place_of(path: str | os.PathLike[str], *, copied: bool = False) -> Path:
    """Where a file really goes: in a rehearsal below its folder, whose directories are made. ``copied``: with the content that the file
    has outside. Raises DirectPathError (rehearsal_unreadable)."""
    found = current()
    if found is None:
        return Path(path)
    from . import twins

    return twins.place_of(found, Path(path), copied=copied)


def is_left_out(kind: str, about: str) -> bool:
    """Whether to do nothing, because this is a rehearsal; it is recorded then. ``about``: without a secret. Raises DirectPathError."""
    found = current()
    if found is None:
        return False
    from . import twins

    twins.record_left_out(found, kind, about)
    return True
