# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal in vCenter: custom attributes of hosts, VMs and clusters. PRIVATE to the collection.

Any controller can resume a run from it, and any administrator sees in the vSphere Client why a host is in maintenance mode. The
attributes are defined when the first value is written, and removed when a run has ended and no value is left. A rolling reboot and
host_maintenance have attributes of their own, and read those of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ..._domain.errors import DirectPathError
from ..._domain.rolling.state.journal import (
    ATTRIBUTES,
    EARLIER_MARK,
    GATE,
    MAINTENANCE_ATTRIBUTES,
    Purpose,
)
from ..._domain.text import duration
from ..http.connections import BrokenAnswer
from ..property_collector.retrieve import collect_objects, collect_view
from ..sdk import vim, vmodl
from ..session.connect import Session
from ..session.faults import words
from ..session.privileges import lacking
from .values import Texts, decode_values, journal_fields, type_of

SubjectKind = Literal["host", "vm", "cluster", "root"]
PATIENCE = 600.0
"""If values of an object cannot be stored for this number of seconds, the journal counts as broken and the run comes to its end. Until
then each write is retried."""
BELIEVE = 30.0
"""If the server does not show a value of this run after this number of seconds, the value is read from the object itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """The object that stores a value. A compute resource that is no cluster stores its lock on its only host."""

    kind: SubjectKind
    moid: str


class Journal(Protocol):
    """Where the journal is stored. Faults and connection errors are raised unchanged: the caller decides what they mean."""

    @property
    def kind(self) -> str: ...

    @property
    def place(self) -> str: ...

    @property
    def why(self) -> str: ...

    @property
    def broken(self) -> DirectPathError | None:
        """Why a value could not be stored in this run; None if all were stored."""

    @property
    def fields(self) -> Mapping[int, str]:
        """Key → name of the attributes that are defined in vCenter. Grows when they are defined."""

    def values(self, seen: Mapping[str, Texts]) -> Mapping[str, Texts]:
        """All values, by object id. ``seen``: what the server shows. Values written by this run are included."""

    def beside(self, subject: Subject) -> tuple[type, str] | None:
        """Type and id of the object to read for the present values of a subject; None if they are not on the server."""

    def now(self, subject: Subject, values: Collection[Any]) -> Texts:
        """The present values of a subject. ``values``: the custom values of the object from ``beside``."""

    def write(self, subject: Subject, texts: Texts, expected: Texts | None = None) -> bool:
        """Store texts. With ``expected``: only if a new read still shows these texts; otherwise returns False."""

    def hold(self, subject: Subject, texts: Texts, expected: Texts | None = None) -> bool:
        """As ``write``, but only until this process ends. For values that could not be written."""

    def forget_written(self) -> None:
        """An answer was lost, so it is unknown what was written: read it again."""

    def look_up(self) -> None:
        """Read which attributes are defined in vCenter."""

    def tidy(self, shown: Collection[str]) -> bool:
        """Remove what only this journal needs, if no value is left. ``shown``: texts that are known to exist.

        Returns True when something was removed.
        """


@dataclass(kw_only=True, slots=True)
class _Written:
    """A value of this run that the server may not show yet. ``before``: older values that it may still show."""

    text: str
    before: frozenset[str]
    at: float


class Overlay:
    """Read your own writes: values of this run replace what the server shows, until it shows them or a different value.

    If a value is not shown for a long time, it is read from the object itself (``read_back``), never dropped: otherwise a server that
    is behind would make the run believe that it did nothing. The value of the object then counts, and is read again later.
    """

    def __init__(self, session: Session, read_back: Callable[[Subject], Texts]) -> None:
        self._session = session
        self._read_back = read_back
        self._written: dict[tuple[Subject, str], _Written] = {}
        self._seen: Mapping[str, Texts] = {}

    def wrote(self, subject: Subject, texts: Texts) -> None:
        """Remember the values that were written."""
        for attribute, text in texts.items():
            old = self._written.get((subject, attribute))
            before = {self._seen.get(subject.moid, {}).get(attribute, "")}
            if old is not None:
                before |= {old.text, *old.before}
            self._written[subject, attribute] = _Written(
                text=text, before=frozenset(before - {text}), at=self._session.clock()
            )

    def over(self, seen: Mapping[str, Texts]) -> Mapping[str, Texts]:
        """``seen`` with the values of this run. Faults and connection errors of ``read_back`` are raised unchanged."""
        self._seen = seen
        for (subject, attribute), written in list(self._written.items()):
            if seen.get(subject.moid, {}).get(attribute, "") not in written.before:
                del self._written[subject, attribute]
        for subject in {subject for (subject, _unused), written in self._written.items() if self._is_late(written)}:
            self._correct(subject)
        # The texts of all other objects stay the same mappings: what was made from them is used again.
        merged = dict(seen)
        for (subject, attribute), written in self._written.items():
            merged[subject.moid] = {**merged.get(subject.moid, {}), attribute: written.text}
        return merged

    def _is_late(self, written: _Written) -> bool:
        return self._session.clock() > written.at + BELIEVE

    def _correct(self, subject: Subject) -> None:
        """Replace the written values by those that the object has."""
        held = self._read_back(subject)
        for (other, attribute), written in self._written.items():
            if other == subject:
                now = held.get(attribute, "")
                written.before = (written.before | {written.text}) - {now}
                written.text, written.at = now, self._session.clock()

    def shown(self, subject: Subject, texts: Texts) -> set[str]:
        """What the server may show of these attributes now."""
        found = {self._seen.get(subject.moid, {}).get(attribute, "") for attribute in texts}
        for attribute in texts:
            written = self._written.get((subject, attribute))
            found |= set() if written is None else {written.text, *written.before}
        return found

    def clear(self) -> None:
        self._written.clear()


def _cause(fault: Any) -> str:
    """A missing privilege by its name, otherwise the text of the server."""
    if isinstance(fault, vim.fault.NoPermission) and fault.privilegeId:
        return f"missing privilege {fault.privilegeId}"
    return words(fault)


_KINDS: Mapping[SubjectKind, Any] = {
    "host": vim.HostSystem,
    "vm": vim.VirtualMachine,
    "cluster": vim.ClusterComputeResource,  # its own type: the server rejects ComputeResource for it
    "root": vim.Folder,  # the root folder, for a pause of the whole vCenter
}


WRITTEN: Mapping[Purpose, tuple[str, ...]] = {"reboot": ATTRIBUTES, "maintenance": MAINTENANCE_ATTRIBUTES}
"""The attributes that every run writes. A run with a health gate also writes GATE, which is defined only then."""
REMOVED: Mapping[Purpose, tuple[str, ...]] = {
    "reboot": (*ATTRIBUTES, GATE),
    "maintenance": (*MAINTENANCE_ATTRIBUTES, EARLIER_MARK),
}
"""The attributes that a run removes when they have no value."""


class AttributeJournal:
    """The journal in custom attributes."""

    kind = "vcenter"

    def __init__(
        self, session: Session, *, why: str, purpose: Purpose = "reboot", written: Collection[str] = ()
    ) -> None:
        """``written``: the attributes that are defined with the first write; empty: all of the purpose."""
        self._purpose = purpose
        self._written = tuple(written) or WRITTEN[purpose]
        self.place = "custom attributes of hosts, virtual machines and clusters"
        self.why = why
        self.fields: dict[int, str] = {}
        self._session = session
        self._keys: dict[str, int] = {}
        self._overlay = Overlay(session, self.fresh)
        self.broken: DirectPathError | None = None
        self._failing: dict[Subject, float] = {}
        """Object → since when its values cannot be stored (local clock)."""
        self._held: dict[Subject, tuple[Texts, frozenset[str]]] = {}
        """Object → values that count for this process only, and what the server may show instead."""
        self.look_up()

    @property
    def is_defined(self) -> bool:
        """All attributes that this run writes are defined."""
        return set(self._written) <= set(self._keys)

    @property
    def is_partly_defined(self) -> bool:
        """A rolling reboot is in progress, or one that ended did not remove its journal completely."""
        return bool(self._keys)

    def look_up(self) -> None:
        """Read which attributes are defined."""
        manager = self._manager
        rows = collect_objects(self._session, vim.CustomFieldsManager, [manager._moId], ("field",))
        self._learn(rows[0].get("field", ()) if rows else ())

    @property
    def _manager(self) -> Any:
        return self._session.content.customFieldsManager

    def _learn(self, definitions: Collection[Any]) -> None:
        self.fields.clear()
        self.fields.update(journal_fields(definitions))
        self._keys = {name: key for key, name in self.fields.items() if name in REMOVED[self._purpose]}

    def define(self, also: Collection[str] = ()) -> None:
        """Define the missing attributes, and those in ``also``. Another run may do the same at the same time."""
        self.look_up()
        for attribute in dict.fromkeys((*self._written, *also)):
            if attribute not in self._keys:
                with suppress(vim.fault.DuplicateName):
                    self._manager.AddCustomFieldDef(attribute, type_of(attribute), None, None)
        self.look_up()

    def values(self, seen: Mapping[str, Texts]) -> Mapping[str, Texts]:
        merged = self._overlay.over(seen)
        if not self._held:
            return merged
        found = {moid: dict(texts) for moid, texts in merged.items()}
        for subject, (texts, shown) in list(self._held.items()):
            if not {seen.get(subject.moid, {}).get(attribute, "") for attribute in texts} <= shown:
                del self._held[subject]  # another run has written to it
                continue
            found.setdefault(subject.moid, {}).update(texts)
        return found

    def hold(self, subject: Subject, texts: Texts, expected: Texts | None = None) -> bool:
        known, shown = self._held.get(subject, ({}, frozenset[str]()))
        fresh = self.fresh(subject)
        if expected is not None and any(
            known.get(name, fresh.get(name, "")) != text for name, text in expected.items()
        ):
            return False
        may_show = {*shown, *(fresh.get(name, "") for name in texts), *self._overlay.shown(subject, texts)}
        self._held[subject] = ({**known, **texts}, frozenset(may_show))
        return True

    def write(self, subject: Subject, texts: Texts, expected: Texts | None = None) -> bool:
        held = self._held.get(subject)
        meant = None if expected is None else {n: t for n, t in expected.items() if held is None or n not in held[0]}
        if meant is not None and not self._is_as(subject, meant):
            return False
        try:
            self._store(subject, {**(held[0] if held is not None else {}), **texts})
        except (vim.fault.NotAuthenticated, vmodl.fault.ManagedObjectNotFound):
            raise
        except vmodl.MethodFault as fault:
            since = self._failing.setdefault(subject, self._session.clock())
            if self.broken is None and self._session.clock() < since + PATIENCE:
                raise
            self.broken = self.broken or DirectPathError(
                message=f"The journal in vCenter could not be written for {duration(self._session.clock() - since)}: {_cause(fault)}",
                code="journal_unwritable",
                cure="Grant the account the privilege to set custom attributes again, or set journal: file. Then run again",
            )
            raise self.broken from fault
        self._failing.pop(subject, None)
        self._held.pop(subject, None)
        return True

    def _store(self, subject: Subject, texts: Texts) -> None:
        if not set(texts) <= set(self._keys):
            self.define(texts)
        entity = self._session.reference(_KINDS[subject.kind], subject.moid)
        for attribute, text in texts.items():
            self._set(entity, attribute, text)
            self._overlay.wrote(subject, {attribute: text})

    def _set(self, entity: Any, attribute: str, text: str) -> None:
        try:
            self._manager.SetField(entity, self._key(attribute), text)
        except vim.fault.NotFound:
            # Another run ended and removed the attributes after this run had read them.
            self.define([attribute])
            self._manager.SetField(entity, self._key(attribute), text)

    def _key(self, attribute: str) -> int:
        """Raises BrokenAnswer when the server does not show an attribute that was just defined."""
        if attribute not in self._keys:
            raise BrokenAnswer(
                f"it does not contain {attribute}, which was just defined", method="RetrievePropertiesEx"
            )
        return self._keys[attribute]

    def _is_as(self, subject: Subject, expected: Texts) -> bool:
        fresh = self.fresh(subject)
        return all(fresh.get(attribute, "") == text for attribute, text in expected.items())

    def beside(self, subject: Subject) -> tuple[type, str] | None:
        return _KINDS[subject.kind], subject.moid

    def now(self, subject: Subject, values: Collection[Any]) -> Texts:
        return decode_values(values, self.fields)

    def fresh(self, subject: Subject) -> Texts:
        """The present values on the server."""
        rows = collect_objects(self._session, _KINDS[subject.kind], [subject.moid], ("customValue",))
        return decode_values(rows[0].get("customValue", ()), self.fields) if rows else {}

    def forget_written(self) -> None:
        self._overlay.clear()

    def tidy(self, shown: Collection[str]) -> bool:
        """Removing a definition removes its values, so it is only done when no value is left."""
        self.look_up()
        if not self._keys or shown or self._in_use():
            return False
        removed = False
        for attribute, key in list(self._keys.items()):
            with suppress(vim.fault.NotFound, vim.fault.NoPermission):
                self._manager.RemoveCustomFieldDef(key)
                removed = True
                del self._keys[attribute], self.fields[key]
        return removed

    def _in_use(self) -> bool:
        paths = dict.fromkeys((vim.HostSystem, vim.VirtualMachine, vim.ComputeResource, vim.Folder), ("customValue",))
        rows = [row for found in collect_view(self._session, paths).values() for row in found]
        root = self._session.content.rootFolder
        rows += collect_objects(self._session, vim.Folder, [root._moId], ("customValue",))
        own = {key: name for name, key in self._keys.items()}
        return any(decode_values(row.get("customValue", ()), own) for row in rows)


PRIVILEGES = ("Global.SetCustomField", "Global.ManageCustomFields")


def missing_privileges(session: Session, subjects: Collection[Subject], *, defined: bool) -> tuple[str, ...]:
    """The privileges that the account lacks for a journal in vCenter. ``defined``: no privilege to define attributes is needed."""
    names = [PRIVILEGES[0]] if defined else list(PRIVILEGES)
    entities = [session.reference(_KINDS[subject.kind], subject.moid) for subject in subjects]
    root = session.content.rootFolder
    found = lacking(session, [root, *entities], names)
    # Attributes are defined at the root folder, and set on the other objects.
    wanted = {
        name for moid, missing in found.items() for name in missing if (moid == root._moId) == (name == PRIVILEGES[1])
    }
    return tuple(sorted(wanted))
