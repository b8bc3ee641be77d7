# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of host_maintenance, with the marks of releases before 1.0. PRIVATE to the collection.

Those releases stored a mark in an attribute (``EARLIER_MARK``), or in a file of its own. Marks in the attribute are read with all other
attributes. Those in the file are moved to the file of the journal.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..._domain.rolling.state.journal import EARLIER_MARK
from ..session.connect import Session
from .file_journal import FileJournal, open_journal
from .journal import Journal, Subject
from .values import journal_path


def open_maintenance_journal(
    session: Session, choice: str, *, directory: str, hosts: Sequence[str], read_only: bool
) -> Journal:
    """The journal for these hosts (ids). ``choice`` as in ``open_journal``; ``auto`` also stays with a file of an earlier release."""
    path = journal_path(session.endpoint, directory)
    earlier = FileJournal(path.with_name(f"{path.stem}.parked.json"), why="an earlier run left its marks in this file")
    marks = {moid: texts[EARLIER_MARK] for moid, texts in earlier.values({}).items() if texts.get(EARLIER_MARK)}
    journal = open_journal(
        session,
        "file" if marks and choice == "auto" else choice,
        directory=directory,
        subjects=[Subject(kind="host", moid=moid) for moid in hosts],
        read_only=read_only,
        purpose="maintenance",
    )
    if not marks or not isinstance(journal, FileJournal):
        return journal
    if choice == "auto" and session.is_vcenter:
        journal.why = earlier.why
    keep = journal.hold if read_only else journal.write
    for moid, mark in marks.items():
        keep(Subject(kind="host", moid=moid), {EARLIER_MARK: mark})
    if not read_only:
        for moid in marks:
            earlier.write(Subject(kind="host", moid=moid), {EARLIER_MARK: ""})
        earlier.tidy(())
    return journal
