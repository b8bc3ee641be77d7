# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server wrote reaches no terminal as it is, whichever way it goes out."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.progress_file import ProgressWriter
from ansible_collections.directpath.vsphere.plugins.plugin_utils.drift.files import (
    FORMATS,
    merge_results,
    rendered,
    write_reports,
)
from ansible_collections.directpath.vsphere.plugins.plugin_utils.html import ENVIRONMENT
from ansible_collections.directpath.vsphere.plugins.plugin_utils.tasks import in_slices as host_rolling_reboot
from tests.unit.module_utils._domain.drift.reports import difference, part

EVIL, SHOWN = "db\x1b[2J\u202e\x9b", "db\\x1b[2J\\u202e\\x9b"


def test_progress_lines(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    ProgressWriter(str(path)).note(f"{EVIL} is shut down", 1.0)
    assert json.loads(path.read_text(encoding="utf-8"))["text"] == f"{SHOWN} is shut down"


def test_what_is_displayed(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(host_rolling_reboot.display, "display", lambda text, **_more: said.append(text))
    task = SimpleNamespace(_live=None)
    host_rolling_reboot.TaskInSlices._print(task, f"{EVIL} is shut down")  # type: ignore[arg-type]  # it needs nothing else
    assert said == [f"{SHOWN} is shut down"]


def test_pages() -> None:
    assert ENVIRONMENT.from_string("<p>{{ name }}</p>").render(name=EVIL) == f"<p>{SHOWN}</p>"


def test_reports_of_drift(tmp_path: Path) -> None:
    report = merge_results([(EVIL, {"report": part(EVIL, found=(difference(object=EVIL),))}), ("b", {"msg": EVIL})])
    paths: dict[str, Any] = {name: str(tmp_path / name) for name in FORMATS}
    for path in write_reports(rendered(report, datetime.datetime(2026, 11, 28, tzinfo=datetime.UTC)), paths):
        text = Path(path).read_text(encoding="utf-8")
        assert not set("\x1b\u202e\x9b") & set(text)
        assert "202e" in text
