# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One browser for the tests of all pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.browser import NoBrowser
from tools.devtools import Browser, browser


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    try:
        with browser() as running:
            yield running
    except NoBrowser as reason:
        pytest.skip(str(reason))
