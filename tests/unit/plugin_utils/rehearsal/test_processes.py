# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process is run to its end, or killed with all that it started, also what has a session of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from ansible_collections.directpath.vsphere.plugins.plugin_utils.rehearsal.processes import ProcessEnd, run_logged
from tests.unit.patience import PATIENCE, until

FAMILY = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
open(sys.argv[1], "w").write(f"{os.getpid()} {child.pid}")
time.sleep(600)
"""


def run(
    folder: Path, code: str, *, timeout: float = PATIENCE, should_end: Callable[[], bool] = lambda: False
) -> ProcessEnd:
    return run_logged(
        [sys.executable, "-c", code, str(folder / "pids")],
        environ={"PATH": os.environ["PATH"], "GREETING": "hello"},
        descriptors=[],
        log=folder / "log",
        timeout=timeout,
        should_end=should_end,
    )


def is_running(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False


def test_output_and_status(tmp_path: Path) -> None:
    found = run(tmp_path, "import os, sys; print(os.environ['GREETING']); sys.stderr.write('end'); sys.exit(3)")
    assert found == ProcessEnd(status=3)
    assert set((tmp_path / "log").read_text(encoding="utf-8").split()) == {"hello", "end"}


def test_all_is_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    found = run(
        tmp_path, FAMILY, should_end=lambda: pids.exists() and len(pids.read_text(encoding="utf-8").split()) == 2
    )
    assert found.killed
    assert not found.is_late
    assert until(lambda: not any(is_running(int(pid)) for pid in pids.read_text(encoding="utf-8").split()))


def test_what_takes_too_long_is_killed(tmp_path: Path) -> None:
    found = run(tmp_path, "import time; time.sleep(600)", timeout=0.3)
    assert found.killed
    assert found.is_late
