# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests of `make long`, before a release: random searches with thousands of examples, and tests marked `long`.

The seed is DIRECTPATH_SEED, or a new one. It is printed; the same seed gives the same examples.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys

EXAMPLES = 2000
"""Examples of each property; `make test` looks at 30 (tests/unit/searching.py)."""


def main() -> int:
    """The exit status of pytest."""
    seed = os.environ.get("DIRECTPATH_SEED") or str(secrets.randbelow(2**32))
    if not seed.isdecimal():
        print(f"SEED is {seed!r}, but must be a whole number")
        return 2
    print(f"seed {seed}; to repeat the same examples: make long SEED={seed}", flush=True)
    more = {"DIRECTPATH_SEED": seed, "DIRECTPATH_SEARCH": str(EXAMPLES), "EXPLORE": "all"}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", "-m", "hypothesis or long"]
    command += [f"--hypothesis-seed={seed}", "tests"]
    return subprocess.run(command, env=os.environ | more, stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
