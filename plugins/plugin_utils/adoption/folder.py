# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing the files of an adopted inventory into a folder of their own. PRIVATE to the collection.

A file is never overwritten. A folder with other files is refused, because the files of two runs would be one inventory.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ...module_utils._domain.errors import DirectPathError, InputError
from ...module_utils._domain.text import several

MODE, FOLDER_MODE = 0o644, 0o755
"""The files hold no secret. Others read them: a pipeline, another user."""
_CURE = "Name a new folder (adopt_dest), and compare the two with diff -r"


def compare_folder(folder: Path, files: Mapping[str, str]) -> bool:
    """True if the folder already has exactly these files, False if it is empty or does not exist.

    Raises InputError (folder_in_use) for a folder with other files or with other content, or a path that is no folder.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise InputError(
            message=f"{folder} is not a folder", code="folder_in_use", parameter="dest", cure="Name a new folder"
        )
    try:
        found = _read(folder)
    except (OSError, UnicodeDecodeError) as error:
        raise DirectPathError(
            message=f"{folder} cannot be read: {error}",
            code="folder_unreadable",
            cure="Name a folder that this user can read and write",
        ) from error
    if not found:
        return False
    differing = sorted(name for name in {*found, *files} if found.get(name) != files.get(name))
    if differing:
        raise InputError(
            message=f"{folder} has other files or other content: {several(differing, 5)}. Nothing was written",
            code="folder_in_use",
            parameter="dest",
            cure=_CURE,
        )
    return True


def _read(folder: Path) -> dict[str, str | None]:
    """Path → content. None for what is no regular file."""
    if not folder.exists():
        return {}
    found: dict[str, str | None] = {}
    for place, folders, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            known = path.is_file() and not path.is_symlink()
            found[path.relative_to(folder).as_posix()] = path.read_text(encoding="utf-8") if known else None
        for name in folders:
            if Path(place, name).is_symlink():
                found[Path(place, name).relative_to(folder).as_posix()] = None
    return found


def write_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Write all files or none: they are written beside the folder, which then gets their place. Raises DirectPathError."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name[:100]}."))
        try:
            for name, text in files.items():
                path = draft / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("x", encoding="utf-8") as stream:
                    stream.write(text)
                path.chmod(MODE)
            for place in (draft, *(path for path in draft.rglob("*") if path.is_dir())):
                place.chmod(FOLDER_MODE)
            draft.rename(folder)  # fails if another process has written into the folder meanwhile
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    except OSError as error:
        raise DirectPathError(
            message=f"The inventory cannot be written to {folder}: {error.strerror or error}. Nothing was written",
            code="folder_not_written",
            cure="Name a folder that this user can write to",
        ) from error
