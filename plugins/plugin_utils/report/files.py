# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports on the controller's disk, and the clock its users read. PRIVATE to the collection."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ...module_utils._domain.errors import InputError
from ..gantt.axis import TimeZone


def trouble_with(path: str) -> str:
    """Why the file could not be written; empty when nothing speaks against it. Asked before anything is done, not after."""
    target = Path(path)
    if target.is_dir():
        return f"{path} is a directory"
    folder = target.parent
    if not folder.is_dir():
        return f"there is no directory {folder}"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"{folder} may not be written to"


def refusal(paths: Mapping[str, str]) -> InputError | None:
    """Why one of the files (option → path) could not be written, if so."""
    for option, path in paths.items():
        if trouble := trouble_with(path):
            cure = "Name a file in a directory that this user may write to"
            return InputError(message=f"{option}: {trouble}", code="report_unwritable", parameter=option, cure=cure)
    return None


def write_whole(path: str, text: str) -> None:
    """The whole file or none of it: who opens it never sees half. Raises OSError."""
    target = Path(path)
    draft = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}")
    try:
        # Like any file of this user: what it holds (names, times) is no secret, and is meant to be shown.
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def local_zone(now: datetime | None = None) -> TimeZone:
    """The controller's time zone by its name where it has one, else by its distance to UTC."""
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
    """What may be the name of the zone: said by the environment, or by the machine."""
    said = os.environ.get("TZ", "").lstrip(":")
    if said:
        return [] if said.startswith("/") else [said]
    names = []
    link = os.path.realpath("/etc/localtime")
    if "/zoneinfo/" in link:
        names.append(link.rpartition("/zoneinfo/")[2].removeprefix("posix/"))
    with suppress(OSError):
        names.append(Path("/etc/timezone").read_text(encoding="utf-8").strip())
    return names
