# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance marks: one short text on hosts and VMs, in vCenter (a custom attribute) or in a file. PRIVATE to the collection.

The file is for direct connections to ESXi hosts, and for accounts that may not set custom attributes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..._domain.errors import DirectPathError, InputError
from ..http.connections import BrokenAnswer
from ..property_collector.retrieve import collect_objects, collect_view
from ..sdk import vim, vmodl
from ..session.connect import Session
from ..session.faults import explained
from .file_journal import FileJournal, journal_path
from .journal import Subject, SubjectKind, decode_values, missing_privileges

ATTRIBUTE = "directpath.parked"
_KINDS: Mapping[SubjectKind, type] = {"host": vim.HostSystem, "vm": vim.VirtualMachine}


class Marks(Protocol):
    """Where the texts are stored. ``place`` and ``why`` are for messages."""

    place: str
    why: str

    def read(self) -> Mapping[str, str]:
        """Object id → its text, for all hosts and VMs that have one."""

    def write(self, kind: SubjectKind, moid: str, text: str) -> None:
        """Store a text; an empty text removes it. Raises DirectPathError."""

    def tidy(self) -> None:
        """Remove what only the marks need, if no mark is left."""


class AttributeMarks:
    """A custom attribute, defined with the first text and removed after the last one."""

    place = "custom attributes of hosts and virtual machines"

    def __init__(self, session: Session, *, why: str) -> None:
        self.why = why
        self._session = session
        self._key: int | None = None
        self._look_up()

    @property
    def is_defined(self) -> bool:
        """The attribute is defined."""
        return self._key is not None

    def _look_up(self) -> None:
        manager = self._session.content.customFieldsManager
        rows = collect_objects(self._session, vim.CustomFieldsManager, [manager._moId], ("field",))
        fields = rows[0].get("field", ()) if rows else ()
        self._key = next((item.key for item in fields if item.name == ATTRIBUTE), None)

    def read(self) -> Mapping[str, str]:
        if self._key is None:
            return {}
        found = collect_view(self._session, dict.fromkeys(_KINDS.values(), ("customValue",)))
        rows = [row for kind in found.values() for row in kind]
        texts = {row.moid: decode_values(row.get("customValue", ()), {self._key: ATTRIBUTE}) for row in rows}
        return {moid: known[ATTRIBUTE] for moid, known in texts.items() if known}

    def write(self, kind: SubjectKind, moid: str, text: str) -> None:
        manager = self._session.content.customFieldsManager
        with explained("mark {}", moid):
            if self._key is None:
                with suppress(vim.fault.DuplicateName):
                    manager.AddCustomFieldDef(ATTRIBUTE, None, None, None)
                self._look_up()
            if self._key is None:
                raise BrokenAnswer(
                    f"it does not contain {ATTRIBUTE}, which was just defined", method="RetrievePropertiesEx"
                )
            manager.SetField(self._session.reference(_KINDS[kind], moid), self._key, text)

    def tidy(self) -> None:
        """Removing the definition removes its values, so it stays until none is left. If it may not be removed, it does no harm."""
        if self._key is None or self.read():
            return
        with suppress(vmodl.MethodFault):
            self._session.content.customFieldsManager.RemoveCustomFieldDef(self._key)
            self._key = None


class FileMarks:
    """A JSON file. A write is complete or has no effect."""

    def __init__(self, path: Path, *, why: str) -> None:
        self.place = str(path)
        self.why = why
        self._file = FileJournal(path, why=why)

    def read(self) -> Mapping[str, str]:
        return {moid: texts[ATTRIBUTE] for moid, texts in self._file.values({}).items() if texts.get(ATTRIBUTE)}

    def write(self, kind: SubjectKind, moid: str, text: str) -> None:
        self._file.write(Subject(kind=kind, moid=moid), {ATTRIBUTE: text})

    def tidy(self) -> None:
        self._file.tidy(())

    def holds_anything(self) -> bool:
        """Whether the file contains any text."""
        return self._file.holds_anything()

    def check(self) -> None:
        """Raises DirectPathError when the file cannot be read or written."""
        self._file.check()


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """``kind``: auto, vcenter or file; ``directory``: the folder of the file."""

    kind: str
    directory: str


def open_marks(session: Session, choice: Choice, hosts: Sequence[str], *, read_only: bool) -> Marks:
    """The marks for these hosts (ids). Raises DirectPathError (journal_impossible) when the requested kind cannot be used."""
    path = journal_path(session.endpoint, choice.directory)
    path = path.with_name(f"{path.stem}.parked.json")
    if not session.is_vcenter:
        if choice.kind == "vcenter":
            raise InputError(
                message=f"journal: vcenter, but {session.endpoint.hostname} is an ESXi host",
                code="journal_impossible",
                parameter="journal",
                cure="An ESXi host has no custom attributes: set journal: auto or file",
            )
        return _checked(FileMarks(path, why="a direct connection to an ESXi host has no custom attributes"), read_only)
    if choice.kind == "file":
        return _checked(FileMarks(path, why="it was requested"), read_only)
    marks = AttributeMarks(session, why="any controller can resume the run from there")
    lacking = missing_privileges(session, _subjects(hosts), defined=marks.is_defined)
    if not lacking:
        earlier = FileMarks(path, why="an earlier run left its marks in this file")
        return _checked(earlier, read_only) if choice.kind == "auto" and earlier.holds_anything() else marks
    names = " and ".join(lacking)
    if choice.kind == "vcenter":
        raise DirectPathError(
            message=f"Marks cannot be stored in vCenter: {session.endpoint.username} lacks {names}",
            code="journal_impossible",
            parameter="journal",
            cure=f"Grant {names} on vCenter, or set journal: file",
        )
    return _checked(FileMarks(path, why=f"the account lacks {names} in vCenter"), read_only)


def _subjects(hosts: Collection[str]) -> list[Subject]:
    return [Subject(kind="host", moid=moid) for moid in hosts]


def _checked(marks: FileMarks, read_only: bool) -> FileMarks:
    if not read_only:
        marks.check()
    return marks
