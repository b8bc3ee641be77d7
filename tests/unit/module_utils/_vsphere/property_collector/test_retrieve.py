# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A read during which the session was renewed is begun anew: what it looked through belonged to the old session."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector.retrieve import (
    _read_completely,
)


class Sessions(SimpleNamespace):
    """A session that counts its logins."""

    def renewed_since(self, logins: int) -> bool:
        return bool(self.logins != logins)


def test_what_was_read_across_two_sessions_is_not_taken_for_the_whole() -> None:
    session: Any = Sessions(logins=1, stub=SimpleNamespace(repeats=0))
    answers = iter(["a part", "the whole"])

    def read() -> str:
        answer = next(answers)
        session.logins = 2
        return answer

    assert _read_completely(session, read) == "the whole"


def test_a_read_within_one_session_is_made_once() -> None:
    session: Any = Sessions(logins=1, stub=SimpleNamespace(repeats=0))
    answers = iter(["the whole"])
    assert _read_completely(session, lambda: next(answers)) == "the whole"
