# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many random examples a property test looks at.

Every day few, always the same ones: they tell whether a change broke a property, and cost seconds. `make long` looks at
thousands of new ones and prints its seed; a counterexample that it finds becomes a row of a table.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings

SEARCH = int(os.environ.get("DIRECTPATH_SEARCH", "30"))
"""Examples of a property that is not said to need more or fewer."""


def search(share: float = 1.0, **options: Any) -> settings:
    """Settings of a property test that looks at ``share`` times the usual number of examples, and has no deadline.

    ``options``: other settings of hypothesis, such as ``suppress_health_check``.
    """
    return settings(max_examples=max(10, round(SEARCH * share)), deadline=None, **options)
