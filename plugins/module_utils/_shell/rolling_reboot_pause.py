# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module rolling_reboot_pause, from its parameters to its result. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .._domain.errors import DirectPathError, InputError
from .._domain.rolling.state.journal import PAUSE
from .._domain.rolling.state.pause import (
    LONGEST_REASON,
    PauseChange,
    decode_pause,
    make_pause,
    plan_pause,
    plan_unpause,
)
from .._domain.text import one_line
from .._vsphere.attributes.file_journal import FileJournal
from .._vsphere.attributes.journal import AttributeJournal, Journal, Subject
from .._vsphere.attributes.values import journal_path
from .._vsphere.read.hosts import read_host_names
from .._vsphere.session.connect import Session
from .._vsphere.session.privileges import lacking
from .rolling.arguments import ARGUMENTS as OF_ROLLING
from .rolling.journal_place import lost_journal_warnings
from .rolling.result import changes_of
from .rolling.run_owner import person

ARGUMENTS: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "reason": {"type": "str", "default": ""},
    "clusters": {"type": "list", "elements": "str", "default": []},
    "journal_dir": OF_ROLLING["journal_dir"],
}
WHOLE = "the whole vCenter"
"""How messages and changes name a pause that is not of one cluster."""


@dataclass(frozen=True, kw_only=True)
class PauseRequest:
    """The parsed parameters. ``clusters``: names; empty: the whole vCenter."""

    state: Literal["present", "absent"]
    reason: str
    clusters: tuple[str, ...]
    journal_dir: str

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> PauseRequest:
        """Raises InputError for a pause without a reason, or with one that is too long."""
        reason = one_line(params["reason"])
        if params["state"] == "present" and not reason:
            raise InputError(
                message="A pause needs a reason",
                code="no_reason",
                parameter="reason",
                cure="Set reason (playbook pause: pause_reason). Everybody who waits for the end of the pause reads it",
            )
        if len(reason) > LONGEST_REASON:
            raise InputError(
                message=f"The reason has {len(reason)} characters",
                code="long_reason",
                parameter="reason",
                cure=f"Use at most {LONGEST_REASON} characters",
            )
        return cls(
            state=params["state"],
            reason=reason,
            clusters=tuple(dict.fromkeys(params["clusters"])),
            journal_dir=params["journal_dir"],
        )


@dataclass(frozen=True, kw_only=True)
class _Place:
    """One place that is paused or released: a cluster, or the whole vCenter."""

    subject: Subject
    name: str
    change: PauseChange


def pause(session: Session, request: PauseRequest, check_mode: bool) -> dict[str, Any]:
    """The result of the module. Raises DirectPathError if the pause cannot be stored, or another user has paused for another reason."""
    journal = _journal(session, request)
    wanted = make_pause(request.reason, person(), session.instance.CurrentTime().timestamp())
    places = []
    for subject, name in _subjects(session, request):
        held = _held(journal, subject)
        change = plan_pause(held, wanted, name) if request.state == "present" else plan_unpause(held)
        if change.blocker is not None:
            raise DirectPathError(message=change.blocker.message, code=change.blocker.code, cure=change.blocker.cure)
        places.append(_Place(subject=subject, name=name, change=change))
    due = [place for place in places if not place.change.is_empty]
    if not check_mode:
        _check_privileges(session, journal, due)
        for place in due:
            _store(journal, place)
        if due and request.state == "absent":
            journal.tidy(())
    kind = "pause" if request.state == "present" else "unpause"
    rows = [
        (place.name, kind, "rolling reboots", _shown(place.change.before), _shown(place.change.after)) for place in due
    ]
    lost = lost_journal_warnings(journal, is_vcenter=session.is_vcenter) if request.state == "present" else []
    return {
        "changed": bool(rows),
        **changes_of(rows),
        **({"warnings": lost} if lost else {}),
        "pauses": [_record(place) for place in places if place.change.after],
        "ended": [_record(place, before=True) for place in due if request.state == "absent"],
        "journal": {"kind": journal.kind, "place": journal.place},
        "calls": session.calls,
        "logins": session.own_logins,
    }


def _journal(session: Session, request: PauseRequest) -> Journal:
    """Custom attributes in vCenter. A direct connection to an ESXi host has none: there the file of this machine, as the rolling reboot
    itself uses it."""
    if session.is_vcenter:
        return AttributeJournal(session, why="any controller sees the pause there", written=(PAUSE,))
    if request.clusters:
        raise InputError(
            message=f"{session.endpoint.hostname} is an ESXi host, which has no clusters",
            code="unknown_cluster",
            parameter="clusters",
            cure="Leave clusters out",
        )
    return FileJournal(journal_path(session.endpoint, request.journal_dir), why="an ESXi host has no custom attributes")


def _subjects(session: Session, request: PauseRequest) -> list[tuple[Subject, str]]:
    """The objects that store the pause, and their names. Raises InputError for an unknown cluster."""
    if not request.clusters:
        name = WHOLE if session.is_vcenter else session.endpoint.hostname
        return [(Subject(kind="root", moid=session.content.rootFolder._moId), name)]
    names = read_host_names(session).cluster_names
    found = [names.find(cluster, "clusters") for cluster in request.clusters]
    return [(Subject(kind="cluster", moid=named.moid), names.label(named.moid)) for named in dict.fromkeys(found)]


def _held(journal: Journal, subject: Subject) -> str:
    """The present text, from the object itself."""
    texts = journal.fresh(subject) if isinstance(journal, AttributeJournal) else journal.now(subject, ())
    return texts.get(PAUSE, "")


def _check_privileges(session: Session, journal: Journal, due: Sequence[_Place]) -> None:
    """Before anything is written. Raises DirectPathError (no_permission)."""
    if not isinstance(journal, AttributeJournal) or not due:
        return
    beside = [journal.beside(place.subject) for place in due]
    places = [session.reference(*found) for found in beside if found is not None]
    missing = {name for names in lacking(session, places, ["Global.SetCustomField"]).values() for name in names}
    if not journal.is_defined:
        root = session.content.rootFolder
        missing |= set(lacking(session, [root], ["Global.ManageCustomFields"]).get(root._moId, ()))
    if missing:
        raise DirectPathError(
            message=f"The pause cannot be stored in vCenter: missing privilege {', '.join(sorted(missing))}",
            code="no_permission",
            cure=f"Grant it to {session.endpoint.username}, or create the file of rolling_reboot_pause_file on the machine where the "
            "rolling reboot runs",
        )


def _store(journal: Journal, place: _Place) -> None:
    """Write if the place is still as it was read, and read it again: two users may pause at the same moment."""
    written = journal.write(place.subject, {PAUSE: place.change.after}, {PAUSE: place.change.before})
    held = _held(journal, place.subject)
    if not written or held != place.change.after:
        now = decode_pause(held)
        raise DirectPathError(
            message=f"The pause of {place.name} was changed by another user at the same moment. It is "
            + (f"paused {now.clause()}" if now is not None else "not paused now"),
            code="changed_meanwhile",
            cure="Run the task again if that is not what you want",
        )


def _shown(text: str) -> str:
    return text or "not paused"


def _record(place: _Place, *, before: bool = False) -> dict[str, Any]:
    found = decode_pause(place.change.before if before else place.change.after)
    if found is None:
        raise AssertionError(f"{place.name} has no pause")
    cluster = place.name if place.subject.kind == "cluster" else ""
    return {"cluster": cluster, "reason": found.reason, "by": found.by, "since": found.since}
