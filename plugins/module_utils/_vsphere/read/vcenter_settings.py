# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read an advanced setting of vCenter. PRIVATE to the collection."""

from __future__ import annotations

from ..._domain.facts import Fact, Gap, Unknown
from ..sdk import vim, vmodl
from ..session.answer_checks import reader
from ..session.connect import Session
from ..session.faults import SESSION_LOST, words


@reader
def read_vcenter_setting(session: Session, name: str) -> Fact[str]:
    """The value of one advanced setting as text; empty when it was never set. One call, which needs System.View only."""
    manager = session.content.setting
    if manager is None:
        return Unknown(gap=Gap(path=name, why="is not shown by this server"))
    try:
        options = manager.QueryOptions(name=name)
    except SESSION_LOST:
        raise
    except vim.fault.InvalidName:
        return ""
    except vmodl.MethodFault as fault:
        return Unknown(gap=Gap(path=name, why=f"could not be read: {words(fault)}"))
    return next((str(option.value) for option in options or () if option.key == name), "")
