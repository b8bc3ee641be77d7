# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One short text on hosts and VMs, kept in vCenter (a custom attribute) or in a file. PRIVATE to the collection.

The file is for ESXi hosts that are asked themselves, and for accounts that may not set custom attributes.
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

PARKED = "directpath.parked"
_KINDS: Mapping[SubjectKind, type] = {"host": vim.HostSystem, "vm": vim.VirtualMachine}


class Marks(Protocol):
    """Where the texts are. ``place`` and ``why`` are for people."""

    place: str
    why: str

    def read(self) -> Mapping[str, str]:
        """Object id → its text, of all hosts and VMs that have one."""

    def write(self, kind: SubjectKind, moid: str, text: str) -> None:
        """Keep a text; an empty one takes it away. Raises DirectPathError."""

    def tidy(self) -> None:
        """Remove what only served the marks, where there is none any more."""


class AttributeMarks:
    """A custom attribute, defined at the first text and removed after the last."""

    place = "custom attributes of hosts and virtual machines"

    def __init__(self, session: Session, *, why: str) -> None:
        self.why = why
        self._session = session
        self._key: int | None = None
        self._look_up()

    @property
    def is_defined(self) -> bool:
        return self._key is not None

    def _look_up(self) -> None:
        manager = self._session.content.customFieldsManager
        rows = collect_objects(self._session, vim.CustomFieldsManager, [manager._moId], ("field",))
        fields = rows[0].get("field", ()) if rows else ()
        self._key = next((item.key for item in fields if item.name == PARKED), None)

    def read(self) -> Mapping[str, str]:
        if self._key is None:
            return {}
        found = collect_view(self._session, dict.fromkeys(_KINDS.values(), ("customValue",)))
        rows = [row for kind in found.values() for row in kind]
        texts = {row.moid: decode_values(row.get("customValue", ()), {self._key: PARKED}) for row in rows}
        return {moid: known[PARKED] for moid, known in texts.items() if known}

    def write(self, kind: SubjectKind, moid: str, text: str) -> None:
        manager = self._session.content.customFieldsManager
        with explained("mark {}", moid):
            if self._key is None:
                with suppress(vim.fault.DuplicateName):
                    manager.AddCustomFieldDef(PARKED, None, None, None)
                self._look_up()
            if self._key is None:
                raise BrokenAnswer(f"it does not hold {PARKED}, which was just defined", method="RetrievePropertiesEx")
            manager.SetField(self._session.reference(_KINDS[kind], moid), self._key, text)

    def tidy(self) -> None:
        """A definition takes its values with it, so it stays while there is one. It does no harm where it may not be removed."""
        if self._key is None or self.read():
            return
        with suppress(vmodl.MethodFault):
            self._session.content.customFieldsManager.RemoveCustomFieldDef(self._key)
            self._key = None


class FileMarks:
    """A JSON file, written whole or not at all."""

    def __init__(self, path: Path, *, why: str) -> None:
        self.place = str(path)
        self.why = why
        self._file = FileJournal(path, why=why)

    def read(self) -> Mapping[str, str]:
        return {moid: texts[PARKED] for moid, texts in self._file.values({}).items() if texts.get(PARKED)}

    def write(self, kind: SubjectKind, moid: str, text: str) -> None:
        self._file.write(Subject(kind=kind, moid=moid), {PARKED: text})

    def tidy(self) -> None:
        self._file.tidy(())

    def holds_anything(self) -> bool:
        return self._file.holds_anything()

    def check(self) -> None:
        """Raises DirectPathError where it could not be written."""
        self._file.check()


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """``kind``: auto, vcenter or file."""

    kind: str
    directory: str


def open_marks(session: Session, choice: Choice, hosts: Sequence[str], *, read_only: bool) -> Marks:
    """The marks to use for these hosts (ids). Raises DirectPathError (journal_impossible) when what was asked for cannot be."""
    path = journal_path(session.endpoint, choice.directory)
    path = path.with_name(f"{path.stem}.parked.json")
    if not session.is_vcenter:
        if choice.kind == "vcenter":
            raise InputError(
                message=f"journal: vcenter, but {session.endpoint.hostname} is an ESXi host",
                code="journal_impossible",
                parameter="journal",
                cure="An ESXi host keeps no custom attributes: set journal: auto or file",
            )
        return _checked(FileMarks(path, why="an ESXi host that is asked itself keeps no custom attributes"), read_only)
    if choice.kind == "file":
        return _checked(FileMarks(path, why="it was asked for"), read_only)
    marks = AttributeMarks(session, why="any controller can go on from there")
    lacking = missing_privileges(session, _subjects(hosts), defined=marks.is_defined)
    if not lacking:
        earlier = FileMarks(path, why="an earlier run left its marks in this file")
        return _checked(earlier, read_only) if choice.kind == "auto" and earlier.holds_anything() else marks
    names = " and ".join(lacking)
    if choice.kind == "vcenter":
        raise DirectPathError(
            message=f"Marks cannot be kept in vCenter: {session.endpoint.username} lacks {names}",
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
