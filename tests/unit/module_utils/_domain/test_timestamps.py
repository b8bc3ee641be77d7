# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Points in time, as people and YAML write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.timestamps import parse_moment, refuse_future

EIGHT = datetime(2026, 1, 5, 8, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05T08:00:00Z",
        " 2026-01-05T08:00:00+00:00 ",
        "2026-01-05T09:00:00+01:00",
        "2026-01-05T03:00:00-05:00",
        "2026-01-05 08:00:00+00:00",  # what YAML makes of the first one, where it is not quoted
        "20260105T080000Z",
    ],
)
def test_the_same_moment(text: str) -> None:
    assert parse_moment(text, "since") == EIGHT


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-01-05", "2026-01-05T08:00:00", "2026-13-05T08:00:00Z", "1767600000"]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_moment(text, "since")
    assert (caught.value.code, caught.value.parameter) == ("bad_moment", "since")
    assert repr(text) in caught.value.message


def test_now_is_not_yet_to_come() -> None:
    refuse_future(EIGHT, EIGHT, "since")
    with pytest.raises(InputError, match=r"2026-01-05T08:00:01Z is in the future: .* shows 2026-01-05T08:00:00Z"):
        refuse_future(EIGHT + 1, EIGHT, "since")
