# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a run that several threads may write."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.gantt.axis import TimeZone
from ansible_collections.directpath.vsphere.plugins.plugin_utils.tasks import timelines
from ansible_collections.directpath.vsphere.plugins.plugin_utils.tasks.timelines import Timelines
from tests.unit.patience import PATIENCE


def test_a_thread_that_is_too_slow_does_not_replace_the_last_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would leave a page that says "in progress" after the end."""
    path = tmp_path / "t.html"
    renders, may_end = threading.Event(), threading.Event()

    def render(result: Mapping[str, Any], **_others: Any) -> str:
        if result["state"] == "working":
            renders.set()
            assert may_end.wait(PATIENCE)
        return str(result["state"])

    monkeypatch.setattr(timelines, "render_gantt", render)
    monkeypatch.setattr(timelines, "TO_WRITE", 0.01)
    made = Timelines({"timeline_html": str(path)}, TimeZone(info=UTC, name="UTC"), "vc-a")
    slow = threading.Thread(target=made.write, args=({"state": "working", "ended": False},), daemon=True)
    slow.start()
    assert renders.wait(PATIENCE)
    made.write({"state": "finished"})
    may_end.set()
    slow.join(PATIENCE)
    assert path.read_text(encoding="utf-8") == "finished"
    assert made.problems == {}
