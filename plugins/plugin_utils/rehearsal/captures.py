# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rehearsal needs to know of a capture, and a capture with the names that its key knows. PRIVATE to the collection."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ...module_utils._domain.capture.document import FORMAT, VERSION
from ...module_utils._domain.capture.restore import with_names
from ...module_utils._domain.errors import DirectPathError, InputError
from ...module_utils._domain.names import decoded


@dataclass(frozen=True, kw_only=True, slots=True)
class CapturedFleet:
    """``kind``: ``vcenter`` or ``esxi``. ``time``: of the capture, in seconds since the epoch. ``reboots``: hosts with past reboots."""

    kind: str
    time: float
    hosts: tuple[str, ...]
    vms: tuple[str, ...]
    reboots: int
    anonymized: bool

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> CapturedFleet:
        """Of the content of a capture."""
        names: dict[str, list[str]] = {"HostSystem": [], "VirtualMachine": []}
        for item in content["objects"]:
            if item["type"] in names and isinstance(item["values"].get("name"), str):
                names[item["type"]].append(decoded(item["values"]["name"]))
        return cls(
            kind=str(content["server"]["kind"]),
            time=datetime.fromisoformat(str(content["server"]["time"]).replace("Z", "+00:00")).timestamp(),
            hosts=tuple(names["HostSystem"]),
            vms=tuple(names["VirtualMachine"]),
            reboots=len(content["reboots"]),
            anonymized=bool(content["anonymized"]),
        )


def read_fleet(path: Path) -> CapturedFleet:
    """Raises DirectPathError (bad_capture)."""
    content = _read(path)
    try:
        if (content["format"], content["version"]) != (FORMAT, VERSION):
            raise ValueError("it has another format, or another version of it")
        return CapturedFleet.of(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _bad(path, str(error)) from error


def restore_names(path: Path, key: Path, dest: Path) -> None:
    """Write an anonymized capture to ``dest`` (mode 0600), with the names that its key knows. Raises DirectPathError (bad_capture)."""
    content, names = _read(path), _read(key)
    if not all(isinstance(name, str) for name in names.values()):
        raise _bad(key, "it is not the key of a capture")
    text = json.dumps(with_names(content, names))
    handle = os.open(dest, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def _read(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
        found = json.loads(gzip.decompress(data) if path.name.endswith(".gz") else data)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise _bad(path, getattr(error, "strerror", None) or str(error)) from error
    if not isinstance(found, dict):
        raise _bad(path, "it is not a mapping")
    return found


def _bad(path: Path, why: str) -> DirectPathError:
    return InputError(
        message=f"{path} is not a capture that can be used: {why}",
        code="bad_capture",
        parameter="rehearse_capture_file",
        cure="Set it to a file that the playbook capture wrote",
    )
