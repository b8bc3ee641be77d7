# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of a rolling reboot in a file, and which of both journals is used. PRIVATE to the collection.

For ESXi hosts that are asked themselves, which keep no custom attributes, and for accounts that may not set them. One file an endpoint;
every write is whole or not there at all, also when the machine loses power.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..._domain.errors import DirectPathError, InputError
from ..session.connect import Session
from ..session.endpoint import Endpoint
from .journal import AttributeJournal, Journal, Subject, Texts, missing_privileges

VERSION = 1
ASKED_FOR = "it was asked for"
"""Why a journal is in a file that the caller wanted there."""


def journal_path(endpoint: Endpoint, directory: str) -> Path:
    """One file an endpoint, named after it."""
    name = re.sub(r"[^a-z0-9.-]", "_", endpoint.hostname.lower())
    return Path(directory).expanduser() / f"{name}_{endpoint.port}.json"


class FileJournal:
    """A JSON file. ``beneath`` shows what vCenter holds of other runs: a roll that was begun there is not overlooked.

    ``broken`` says why a write failed after the journal was opened (a full disk, a directory that is gone). What is then ``held`` counts
    for this process only, and goes to the file with the next write that succeeds.
    """

    kind = "file"

    def __init__(self, path: Path, *, why: str, beneath: AttributeJournal | None = None) -> None:
        self.place = str(path)
        self.why = why
        self.fields: Mapping[int, str] = beneath.fields if beneath is not None else {}
        self._path = path
        self.broken: DirectPathError | None = None
        self._held: dict[str, dict[str, str]] = {}
        self._known: dict[str, dict[str, str]] = {}
        """What this process has seen in the file, or written there: a file that is gone did not become empty."""

    def values(self, seen: Mapping[str, Texts]) -> Mapping[str, Texts]:
        kept = self._now()
        return {moid: {**seen.get(moid, {}), **kept.get(moid, {})} for moid in (*seen, *kept)}

    def beside(self, subject: Subject) -> tuple[type, str] | None:
        return None

    def now(self, subject: Subject, values: Collection[Any]) -> Texts:
        return self._now().get(subject.moid, {})

    def write(self, subject: Subject, texts: Texts, expected: Texts | None = None) -> bool:
        try:
            with self._locked():
                kept = self._now()
                if not _as_expected(kept.get(subject.moid, {}), expected):
                    return False
                if not texts:
                    return True
                # An emptied value stays as one: it hides what vCenter may show of it.
                kept[subject.moid] = {**kept.get(subject.moid, {}), **texts}
                self._save(kept)
        except DirectPathError as error:
            if error.code == "journal_unwritable":
                self.broken = self.broken or error
            raise
        self._known, self._held = kept, {}
        return True

    def hold(self, subject: Subject, texts: Texts, expected: Texts | None = None) -> bool:
        own = self._now().get(subject.moid, {})
        if not _as_expected(own, expected):
            return False
        self._held[subject.moid] = {**own, **texts}
        return True

    def _now(self) -> dict[str, dict[str, str]]:
        """What is in the file, and what could not be written there. A file that went away while it held something is gone, not empty."""
        try:
            found = self._read()
        except DirectPathError as error:
            if not (self._known and isinstance(error.__cause__, OSError)):
                raise
            self.broken = self.broken or error
            found = {}
        if not found and any(text for texts in self._known.values() for text in texts.values()):
            found = {moid: dict(texts) for moid, texts in self._known.items()}
        else:
            self._known = {moid: dict(texts) for moid, texts in found.items()}
        return {**found, **self._held}

    def tidy(self, shown: Collection[str]) -> bool:
        """Remove the file once it holds nothing that counts."""
        if not self._path.exists():
            return False
        with self._locked():
            kept = self._read()
            if shown or any(text for texts in kept.values() for text in texts.values()):
                return False
            self._path.unlink(missing_ok=True)
        return True

    def forget_written(self) -> None:
        """Nothing: a file is written or it is not."""

    def holds_anything(self) -> bool:
        return any(text for texts in self._read().values() for text in texts.values())

    def check(self) -> None:
        """Raises DirectPathError when it could not be read or written."""
        self._read()
        with self._locked(), self._writing():
            handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
            os.close(handle)
            os.unlink(name)

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            objects: dict[str, dict[str, str]] = content["objects"]
            if content["version"] != VERSION:
                raise ValueError(f"version {content['version']}")
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DirectPathError(
                message=f"The journal {self._path} cannot be read: {error}",
                code="journal_unreadable",
                cure="It tells which hosts are in progress: put it in order. Only when no host is, remove it",
            ) from error
        return objects

    def _save(self, objects: Mapping[str, Mapping[str, str]]) -> None:
        """Into a file beside it, to the disk, then in its place; then the directory to the disk, too."""
        with self._writing():
            handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump({"version": VERSION, "objects": objects}, file, indent=1, sort_keys=True)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self._path)
            except BaseException:
                with suppress(OSError):
                    os.unlink(name)
                raise
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process of this machine at a time. The directory is what is locked: a file to lock would have to stay for ever."""
        with self._writing():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DirectPathError(
                message=f"The journal {self._path} cannot be written: {error.strerror or error}",
                code="journal_unwritable",
                parameter="journal_dir",
                cure="Make room there, or name a directory that this user may write to, and that outlives the run",
            ) from error


def _as_expected(own: Mapping[str, str], expected: Texts | None) -> bool:
    return all(own.get(name, "") == text for name, text in (expected or {}).items() if name in own)


def open_journal(
    session: Session, choice: str, *, directory: str, subjects: Sequence[Subject], read_only: bool
) -> Journal:
    """The journal that a roll over these hosts and clusters is to use.

    ``choice`` ``auto``: vCenter where it can be, a file for an ESXi host, for an account without the privileges, and where a file of an
    earlier run still holds something. Raises DirectPathError when what was asked for cannot be.
    """
    path = journal_path(session.endpoint, directory)
    if not session.is_vcenter:
        if choice == "vcenter":
            raise InputError(
                message=f"journal: vcenter, but {session.endpoint.hostname} is an ESXi host",
                code="journal_impossible",
                parameter="journal",
                cure="An ESXi host keeps no custom attributes: set journal: auto or file",
            )
        return _opened(FileJournal(path, why="an ESXi host that is asked itself keeps no custom attributes"), read_only)
    attributes = AttributeJournal(session, why="any controller can go on from there")
    if choice == "file":
        return _opened(FileJournal(path, why=ASKED_FOR, beneath=attributes), read_only)
    earlier = FileJournal(path, why="an earlier run left its journal in this file", beneath=attributes)
    if choice == "auto" and earlier.holds_anything():
        return _opened(earlier, read_only)
    lacking = missing_privileges(session, subjects, defined=attributes.is_defined)
    if not lacking:
        return attributes
    names = " and ".join(lacking)
    if choice == "vcenter":
        raise DirectPathError(
            message=f"The journal cannot be kept in vCenter: {session.endpoint.username} lacks {names}",
            code="journal_impossible",
            parameter="journal",
            cure=f"Grant {names} on vCenter, or set journal: file",
        )
    return _opened(FileJournal(path, why=f"the account lacks {names} in vCenter", beneath=attributes), read_only)


def _opened(journal: FileJournal, read_only: bool) -> FileJournal:
    if not read_only:
        journal.check()
    return journal
