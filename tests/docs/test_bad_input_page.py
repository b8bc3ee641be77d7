# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/bad_input.md says what the modules really answer."""

from __future__ import annotations

import pytest

from tests.unit.modules.bad_input.test_bad_input import CASES, WARNINGS
from tools.bad_input_page import PAGE, cell, page, plain


@pytest.mark.slow
def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(CASES, WARNINGS), "run: python -m tools.bad_input_page"


def test_the_page_is_the_same_on_every_machine() -> None:
    assert plain("Cannot log in on localhost:45133: x") == "Cannot log in on localhost:443: x"
    assert plain("from /srv/x/tests/unit/modules/bad_input/host_cases.py: y") == "from some.txt: y"
    assert plain("localhost:1: nothing listens") == "localhost:1: nothing listens"


def test_a_message_stays_in_its_cell() -> None:
    assert cell("a|b *c* <d> [e]") == "a\\|b \\*c\\* \\<d\\> [e]"
