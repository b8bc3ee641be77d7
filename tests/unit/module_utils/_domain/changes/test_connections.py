# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When an event source tries again, when it reports an outage, and when it gives up."""

from __future__ import annotations

from functools import reduce

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.changes.connections import (
    LONGEST_PAUSE,
    MOST_REFUSED,
    ConnectionHistory,
)

NEVER, BEFORE = ConnectionHistory(), ConnectionHistory(connected=True)


def after(history: ConnectionHistory, *codes: str) -> ConnectionHistory:
    return reduce(lambda found, code: found.failed(code, 100.0), codes, history)


def test_pauses_grow_up_to_a_minute() -> None:
    pauses = [after(BEFORE, *["refused"] * count).pause for count in range(10)]
    assert pauses == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]


def test_a_refused_login_is_not_retried_soon() -> None:
    assert after(BEFORE, "invalid_login").pause == LONGEST_PAUSE


FINAL: dict[str, tuple[ConnectionHistory, tuple[str, ...], bool]] = {
    "a wrong password": (NEVER, ("invalid_login",), True),
    "an untrusted certificate": (NEVER, ("certificate_untrusted",), True),
    "a wrong name": (NEVER, ("unknown_name",), True),
    "a server that is down": (NEVER, ("refused",) * 50, False),
    "a server that starts": (NEVER, ("unavailable",) * 50, False),
    "a certificate that is untrusted now": (BEFORE, ("certificate_untrusted",) * 50, False),
    "a login that is refused once": (BEFORE, ("invalid_login",), False),
    "logins that are refused": (BEFORE, ("invalid_login",) * MOST_REFUSED, True),
    "refused logins with an outage between": (BEFORE, ("invalid_login",) * (MOST_REFUSED - 1) + ("refused", "invalid_login"), False),
    "a bug": (BEFORE, ("unexpected",), True),
}  # fmt: skip


@pytest.mark.parametrize("case", FINAL)
def test_what_another_attempt_cannot_help_ends_it(case: str) -> None:
    history, codes, is_final = FINAL[case]
    assert after(history, *codes).is_final(codes[-1]) is is_final


def test_an_outage_is_reported_once() -> None:
    out = after(BEFORE, "refused")
    assert not out.is_to_report(60, 159.0)
    assert out.is_to_report(60, 160.0)
    assert not out.as_reported().failed("refused", 200.0).is_to_report(60, 900.0)
    assert not BEFORE.is_to_report(60, 900.0)
