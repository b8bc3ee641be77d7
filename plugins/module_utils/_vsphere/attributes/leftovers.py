# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journal values of rolling reboots on hosts, VMs and clusters, in progress or interrupted. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..session.answer_checks import reader
from ..session.connect import Session
from .values import Texts, decode_values, journal_fields, journal_path, over, read_file


@reader
def decode_traces(
    session: Session, definitions: Collection[Any], values: Mapping[str, Collection[Any]], *, directory: str
) -> Mapping[str, Texts]:
    """Object id → attribute → text, from vCenter and from the journal file of this control node. Objects without a text may be left out.

    ``definitions``: the custom attributes that are defined in vCenter. ``values``: ``customValue`` by object id. Both must be from one
    read. Raises DirectPathError when the journal file cannot be read.
    """
    names = journal_fields(definitions)
    seen = {moid: decode_values(found, names) for moid, found in values.items() if names and found}
    return over(seen, read_file(journal_path(session.endpoint, directory)))
