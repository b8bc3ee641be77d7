# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module capture, from its parameters to its result. PRIVATE to the collection."""

from __future__ import annotations

import gzip
import json
import os
import secrets
import stat
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._domain.capture.anonymize import anonymize
from .._domain.capture.document import Capture, to_text, without_time
from .._domain.errors import InputError
from .._domain.text import counted
from .._vsphere.capture.answers import record_answers
from .._vsphere.capture.read import Read, read_capture
from .._vsphere.http.rehearsal import place_of
from .._vsphere.session.connect import Session

ARGUMENTS: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "anonymize": {"type": "bool", "default": True},
    "key_path": {"type": "path"},
    "events": {"type": "bool", "default": True},
    "tags": {"type": "bool", "default": True},
    "answers_path": {"type": "path"},
    "answers_host": {"type": "str"},
}
_ENDINGS = (".json.gz", ".json")
ANSWERS = "directpath.vsphere.answers"
"""The format of a file of answers."""


@dataclass(frozen=True, kw_only=True)
class CaptureRequest:
    """The parsed parameters. ``key``: None for a capture with the names of the site. ``answers``: None to record no answers."""

    path: Path
    key: Path | None
    answers: Path | None
    answers_host: str | None
    events: bool
    tags: bool

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> CaptureRequest:
        """Raises InputError for files that cannot be written."""
        path = place_of(params["path"])
        ending = next((ending for ending in _ENDINGS if path.name.endswith(ending)), None)
        if ending is None or path.name == ending:
            raise InputError(
                message=f"path is {params['path']}, which does not end with .json or .json.gz",
                code="bad_capture_file",
                parameter="path",
                cure="Write a name such as capture.json.gz",
            )
        key = None
        if params["anonymize"]:
            key = place_of(params["key_path"] or path.with_name(path.name.removesuffix(ending) + ".key.json"))
        elif params["key_path"]:
            raise InputError(
                message="key_path is set, but with anonymize: false nothing is replaced, so there is no key",
                code="bad_capture_file",
                parameter="key_path",
                cure="Leave key_path out, or set anonymize: true",
            )
        if key is not None and os.path.realpath(key.parent) == os.path.realpath(path.parent) and key.name == path.name:
            raise InputError(
                message="key_path is the file of the capture itself",
                code="bad_capture_file",
                parameter="key_path",
                cure="Keep the key in another file: who has both knows all names",
            )
        answers = place_of(params["answers_path"]) if params["answers_path"] else None
        if answers is not None and answers in (path, key):
            raise InputError(
                message="answers_path is the file of the capture, or of its key",
                code="bad_capture_file",
                parameter="answers_path",
                cure="Name another file",
            )
        for name, file in (("path", path), ("key_path", key), ("answers_path", answers)):
            if file is not None:
                _refuse_unwritable(name, file)
        return cls(
            path=path,
            key=key,
            answers=answers,
            answers_host=params["answers_host"],
            events=params["events"],
            tags=params["tags"],
        )


def _refuse_unwritable(name: str, file: Path) -> None:
    if problem := _problem(file):
        raise InputError(
            message=problem,
            code="capture_unwritable",
            parameter=name,
            cure="Name a file in a directory that exists and that this user can write to",
        )


def _problem(file: Path) -> str:
    """Why a file cannot be written; empty if nothing is known against it."""
    if os.path.isdir(file):  # unlike Path.is_dir, also for names that no file system takes
        return f"{file} is a directory"
    if not os.path.isdir(file.parent) or not os.access(file.parent, os.W_OK):
        return f"{file} cannot be written: {file.parent} is no directory that this user can write to"
    try:
        os.lstat(file)
    except FileNotFoundError:
        return ""
    except OSError as error:  # a name that is too long
        return f"{file} cannot be written: {error.strerror or error}"
    return ""


def capture(session: Session, request: CaptureRequest, check_mode: bool) -> dict[str, Any]:
    """The result of the module. Raises DirectPathError if the server cannot be read or the files cannot be written."""
    began = session.clock()
    read = read_capture(session, tags=request.tags, reboots=request.events)
    answers = [] if request.answers is None else record_answers(session, request.answers_host)
    document, key = (read.capture, None) if request.key is None else anonymize(read.capture)
    text = to_text(document)
    files = [(request.path, text)]
    if request.key is not None:
        files.insert(0, (request.key, json.dumps(key, ensure_ascii=False, indent=1, sort_keys=True) + "\n"))
    if request.answers is not None:
        recorded = {"format": ANSWERS, "version": 1, "answers": [answer.record() for answer in answers]}
        files.append((request.answers, json.dumps(recorded) + "\n"))
    changed = [pair for pair in files if without_time(_stored(pair[0])) != without_time(pair[1])]
    if not check_mode:
        write_private(changed)
    return {
        "changed": False,
        "written": bool(changed),
        **_figures(read, document),
        "path": str(request.path),
        "key_path": "" if request.key is None else str(request.key),
        "anonymized": request.key is not None,
        "size": len(_content(request.path, text)),
        "seconds": round(session.clock() - began, 1),
        "calls": session.calls,
        "logins": session.own_logins,
    }


def _figures(read: Read, document: Capture) -> dict[str, Any]:
    counts = {
        name: sum(item.kind == kind for item in document.objects)
        for name, kind in (("hosts", "HostSystem"), ("vms", "VirtualMachine"), ("clusters", "ClusterComputeResource"))
    }
    rest = read.calls - read.event_pages - read.partition_calls - read.target_calls - read.tag_calls
    lines = [
        f"{counted(counts['hosts'], 'host')} and {counted(counts['vms'], 'VM')} in {counted(read.calls, 'call')}: "
        f"{counted(read.partition_calls, 'call')} for the partition tables of hosts, "
        f"{counted(read.event_pages, 'page')} of events, {counted(read.target_calls, 'call')} for what clusters offer, "
        f"{counted(read.tag_calls, 'call')} for tags, and {counted(rest, 'call')} for everything else",
        f"Past reboots are known of {counted(len(document.reboots), 'host')}",
    ]
    return {
        **counts,
        "cost": {
            "calls": read.calls,
            "event_pages": read.event_pages,
            "partition_calls": read.partition_calls,
            "target_calls": read.target_calls,
            "tag_calls": read.tag_calls,
        },
        "reboots": len(document.reboots),
        "notes": list(read.capture.notes),
        "computed": list(document.computed),
        "lines": [*lines, *read.capture.notes],
    }


# -- files ----------------------------------------------------------------------------------------------------------


def _stored(path: Path) -> str:
    """The text of an earlier capture; empty where there is none, or what is there is none."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or stat.S_IMODE(found.st_mode) != 0o600 or found.st_uid != os.geteuid():
            return ""  # it is a link or a pipe, or others could read it, so it is written again
        content = path.read_bytes()
        return (gzip.decompress(content) if path.name.endswith(".gz") else content).decode()
    except (OSError, EOFError, UnicodeDecodeError, zlib.error):
        return ""


def _content(path: Path, text: str) -> bytes:
    """The bytes of a file. The same text always gives the same bytes."""
    return gzip.compress(text.encode(), mtime=0) if path.name.endswith(".gz") else text.encode()


def write_private(files: Sequence[tuple[Path, str]]) -> None:
    """Replace each file as a whole, and none before all are stored: the key of another capture has other names. Only their owner can read
    them, also where they replace files that others could read."""
    drafts: list[tuple[Path, Path]] = []
    files = [(place_of(path), text) for path, text in files]  # a run file has the path of its user
    at = files[0][0] if files else Path()
    try:
        for at, text in files:
            draft = at.with_name(f".{at.name[:100]}.{secrets.token_hex(4)}")
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            drafts.append((draft, at))
            with os.fdopen(handle, "wb") as file:
                file.write(_content(at, text))
                file.flush()
                os.fsync(file.fileno())
        for draft, at in drafts:
            draft.replace(at)
    except OSError as error:
        for draft, _path in drafts:
            with suppress(OSError):
                draft.unlink()
        raise InputError(
            message=f"{at} cannot be written: {error.strerror or error}",
            code="capture_unwritable",
            parameter="path",
            cure="Name a file in a directory that exists and that this user can write to, with enough space",
        ) from error
