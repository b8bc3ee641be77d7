# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a pause, and what a request to pause or to end the pause writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import LONGEST
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.pause import (
    LONGEST_REASON,
    Pause,
    decode_pause,
    make_pause,
    plan_pause,
    plan_unpause,
)

NOW = 1_770_000_000.0
ALICE = make_pause("audit", "alice@bastion-7", NOW)
STORED = "audit (by alice@bastion-7, since 2026-02-02 02:40 UTC)"
BOB = make_pause("audit", "bob@laptop", NOW + 3600)


def test_the_text_is_a_clause_that_a_person_can_read() -> None:
    assert ALICE.text() == STORED
    assert decode_pause(STORED) == ALICE


@given(
    st.text(min_size=1, max_size=LONGEST_REASON).map(lambda text: " ".join(text.split())).filter(bool),
    st.from_regex(r"[A-Za-z0-9._-]{1,24}@[A-Za-z0-9._-]{1,40}", fullmatch=True),
    st.floats(min_value=0, max_value=4e9),
)
def test_every_pause_is_decoded_as_it_was_stored_and_fits(reason: str, by: str, now: float) -> None:
    pause = make_pause(reason, by, now)
    assert decode_pause(pause.text()) == pause
    assert len(make_pause("x" * LONGEST_REASON, by, now).text()) <= LONGEST


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", None),
        ("  ", None),
        ("audit until Monday", Pause(reason="audit until Monday")),
        ("two\nlines", Pause(reason="two lines")),
        ("audit (by alice, since yesterday)", Pause(reason="audit (by alice, since yesterday)")),
        ("audit (by a@b, since 2026-99-99 99:99 UTC)", Pause(reason="audit (by a@b, since 2026-99-99 99:99 UTC)")),
        (
            "x (by a@b, since 2026-02-02 02:40 UTC) (by c@d, since 2026-02-02 02:40 UTC)",
            Pause(reason="x (by a@b, since 2026-02-02 02:40 UTC)", by="c@d", since=NOW),
        ),
    ],
)
def test_a_text_that_a_person_wrote_is_a_pause_too(text: str, found: Pause | None) -> None:
    assert decode_pause(text) == found


MORE = make_pause("audit, longer", "alice@bastion-7", NOW + 7200)


@pytest.mark.parametrize(
    ("held", "wanted", "after", "code"),
    [
        ("", ALICE, STORED, ""),
        (STORED, ALICE, STORED, ""),
        (STORED, BOB, STORED, ""),  # the same reason: the pause is there
        (STORED, MORE, "audit, longer (by alice@bastion-7, since 2026-02-02 02:40 UTC)", ""),
        (STORED, make_pause("storage", "bob@laptop", NOW), STORED, "paused_by_other"),
        ("by hand", ALICE, "by hand", "paused_by_other"),
    ],
)
def test_what_a_pause_writes(held: str, wanted: Pause, after: str, code: str) -> None:
    change = plan_pause(held, wanted, "gpu-a")
    assert (change.before, change.after, change.blocker.code if change.blocker else "") == (held, after, code)
    if change.blocker is not None:
        assert "gpu-a is paused already" in change.blocker.message


@pytest.mark.parametrize("held", ["", STORED, "by hand"])
def test_the_end_of_a_pause_ends_every_pause(held: str) -> None:
    change = plan_unpause(held)
    assert (change.after, change.is_empty) == ("", not held)
