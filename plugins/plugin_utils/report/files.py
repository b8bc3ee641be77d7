# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Report files on the controller, and the controller's time zone. PRIVATE to the collection."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ...module_utils._domain.errors import InputError
from ...module_utils._vsphere.http.rehearsal import place_of
from ..gantt.axis import TimeZone


def trouble_with(path: str) -> str:
    """A clause: why the file could not be written; empty if nothing is known to prevent it. Checked before anything is done."""
    target = Path(path)
    if target.is_dir():
        return f"{path} is a directory"
    folder = target.parent
    if not folder.is_dir():
        return f"there is no directory {folder}"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"{folder} is not writable"


def refusal(paths: Mapping[str, str]) -> InputError | None:
    """An error if one of the files (option → path) cannot be written; otherwise None."""
    for option, path in paths.items():
        if trouble := trouble_with(path):
            cure = "Name a file in a directory that this user can write to"
            return InputError(message=f"{option}: {trouble}", code="report_unwritable", parameter=option, cure=cure)
    return None


def write_whole(path: str, text: str, *, mode: int = 0o666, exact: bool = False) -> None:
    """Write the complete file or nothing: a reader never sees a part. Raises OSError.

    ``mode``: of a new file, less the umask unless it is ``exact``. A file that exists keeps its own: a web server may read it.
    """
    target = place_of(path)
    draft = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        if exact:
            os.fchmod(handle, mode)
        with suppress(FileNotFoundError):
            before = target.lstat().st_mode
            if stat.S_ISREG(before):
                os.fchmod(handle, stat.S_IMODE(before))
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def local_zone(now: datetime | None = None) -> TimeZone:
    """The controller's time zone, by name if it has one, otherwise by its offset from UTC."""
    here = (now or datetime.now()).astimezone()
    for name in _zone_names():
        try:
            zone = ZoneInfo(name)
        except (KeyError, ValueError, OSError):  # no such zone, or no time zone data
            continue
        if here.astimezone(zone).utcoffset() == here.utcoffset():
            return TimeZone(info=zone, name="UTC" if name in ("Etc/UTC", "UTC", "Etc/UCT") else name)
    sign = here.strftime("%z")
    name = "UTC" if sign in ("+0000", "") else f"UTC{sign[:3]}:{sign[3:5]}"
    return TimeZone(info=here.tzinfo or ZoneInfo("UTC"), name=name)


def _zone_names() -> list[str]:
    """Candidates for the name of the time zone, from the environment or from the machine."""
    name = os.environ.get("TZ", "").lstrip(":")
    if name:
        return [] if name.startswith("/") else [name]
    names = []
    link = os.path.realpath("/etc/localtime")
    if "/zoneinfo/" in link:
        names.append(link.rpartition("/zoneinfo/")[2].removeprefix("posix/"))
    with suppress(OSError):
        names.append(Path("/etc/timezone").read_text(encoding="utf-8").strip())
    return names
