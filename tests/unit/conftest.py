# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How generated tests look for examples.

A developer's machine looks at new examples on every run; CI takes the same ones each time, so that it fails for what was changed and
not by luck. What a developer's machine finds becomes a table row.
"""

from __future__ import annotations

import os
from contextlib import suppress

with suppress(ImportError):  # environments that only show that the collection runs on older tools have no hypothesis
    from hypothesis import settings

    settings.register_profile("ci", derandomize=True, print_blob=True)
    settings.register_profile("dev", print_blob=True)
    settings.load_profile("ci" if os.environ.get("CI") else "dev")
