# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal in a file, and the choice between the two journals. PRIVATE to the collection.

For direct connections to ESXi hosts, which have no custom attributes, and for accounts that may not set them. One file for each endpoint.
A write is complete or has no effect, even if the machine loses power.
"""

from __future__ import annotations

import json
import os
import shlex
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..._domain.errors import DirectPathError, InputError
from ..._domain.rolling.state.journal import PAUSE, Purpose
from ..file_lock import lock as lock_file
from ..session.connect import Session
from .journal import REMOVED, AttributeJournal, Journal, Subject, missing_privileges
from .values import FILE_VERSION, Texts, journal_path, over, read_file

ASKED_FOR = "it was requested"
"""Why a journal is in a file, if the caller requested it."""


class FileJournal:
    """A JSON file. ``beneath``: the journal of other runs in vCenter, so that a rolling reboot that began there is not missed.

    ``broken``: why a write failed after the journal was opened (a full disk, a removed directory). What is then passed to ``hold`` counts
    for this process only, and is written to the file with the next write that succeeds.
    """

    kind = "file"

    def __init__(self, path: Path, *, why: str, beneath: AttributeJournal | None = None) -> None:
        self.place = str(path)
        self.why = why
        self.fields: Mapping[int, str] = beneath.fields if beneath is not None else {}
        self._beneath = beneath
        self._path = path
        self.broken: DirectPathError | None = None
        self._held: dict[str, dict[str, str]] = {}
        self._known: dict[str, dict[str, str]] = {}
        """What this process has read from the file or written to it. A removed file does not mean an empty journal."""

    def values(self, seen: Mapping[str, Texts]) -> Mapping[str, Texts]:
        return over(seen, self._now())

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
                # An empty value is kept: it hides the value that vCenter may still show.
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
        """The content of the file, and the values that could not be written. If the file was removed, the last known content counts."""
        try:
            found = read_file(self._path)
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
        """Remove the file when it contains no values."""
        if not self._path.exists():
            return False
        with self._locked():
            kept = read_file(self._path)
            if shown or any(text for texts in kept.values() for text in texts.values()):
                return False
            self._path.unlink(missing_ok=True)
        return True

    def forget_written(self) -> None:
        """Does nothing: a file write is complete or fails."""

    def look_up(self) -> None:
        """Read again which attributes are defined in vCenter: a user may have paused there since."""
        if self._beneath is not None:
            self._beneath.look_up()

    def holds_anything(self, purpose: Purpose = "reboot") -> bool:
        """Whether the file contains any value of runs with this purpose. A pause is none: it stays when no run is in progress."""
        names = [name for name in REMOVED[purpose] if name != PAUSE]
        return any(texts.get(name) for texts in read_file(self._path).values() for name in names)

    def check(self) -> None:
        """Raises DirectPathError when the file cannot be read or written."""
        read_file(self._path)
        with self._locked(), self._writing():
            handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
            os.close(handle)
            os.unlink(name)

    def _save(self, objects: Mapping[str, Mapping[str, str]]) -> None:
        """Write a temporary file, sync it, and rename it. Then sync the directory, too."""
        with self._writing():
            handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump({"version": FILE_VERSION, "objects": objects}, file, indent=1, sort_keys=True)
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
        """One process of this machine at a time. The directory is locked, because a lock file could never be removed."""
        with self._writing():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._path.parent, os.O_RDONLY)
        try:
            with self._writing():
                lock_file(handle)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            cure = (
                "Free disk space there, or set a directory that this user can write to, and that remains after the run"
            )
            if isinstance(error, TimeoutError):
                cure = f"Find and stop the process that hangs: fuser -v {shlex.quote(str(self._path.parent))}"
            raise DirectPathError(
                message=f"The journal {self._path} cannot be written: {error.strerror or error}",
                code="journal_unwritable",
                parameter="journal_dir",
                cure=cure,
            ) from error


def _as_expected(own: Mapping[str, str], expected: Texts | None) -> bool:
    return all(own.get(name, "") == text for name, text in (expected or {}).items() if name in own)


def open_journal(
    session: Session,
    choice: str,
    *,
    directory: str,
    subjects: Sequence[Subject],
    read_only: bool,
    purpose: Purpose = "reboot",
) -> Journal:
    """The journal for a run on these hosts and clusters.

    ``choice`` ``auto``: vCenter if possible. A file for an ESXi host, for an account without the privileges, and if a file of an earlier
    run still contains values. Raises DirectPathError (journal_impossible) when the requested journal cannot be used.
    """
    path = journal_path(session.endpoint, directory)
    if not session.is_vcenter:
        if choice == "vcenter":
            raise InputError(
                message=f"journal: vcenter, but {session.endpoint.hostname} is an ESXi host",
                code="journal_impossible",
                parameter="journal",
                cure="An ESXi host has no custom attributes: set journal: auto or file",
            )
        return _opened(FileJournal(path, why="a direct connection to an ESXi host has no custom attributes"), read_only)
    attributes = AttributeJournal(session, why="any controller can resume the run from there", purpose=purpose)
    if choice == "file":
        return _opened(FileJournal(path, why=ASKED_FOR, beneath=attributes), read_only)
    earlier = FileJournal(path, why="an earlier run left its journal in this file", beneath=attributes)
    if choice == "auto" and earlier.holds_anything(purpose):
        return _opened(earlier, read_only)
    lacking = missing_privileges(session, subjects, defined=attributes.is_defined)
    if not lacking:
        return attributes
    names = " and ".join(lacking)
    if choice == "vcenter":
        raise DirectPathError(
            message=f"The journal cannot be stored in vCenter: {session.endpoint.username} lacks {names}",
            code="journal_impossible",
            parameter="journal",
            cure=f"Grant {names} on vCenter, or set journal: file",
        )
    return _opened(FileJournal(path, why=f"the account lacks {names} in vCenter", beneath=attributes), read_only)


def _opened(journal: FileJournal, read_only: bool) -> FileJournal:
    if not read_only:
        journal.check()
    return journal
