# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A browser is found, or it is said plainly why there is none. (That one can be fetched is seen by the stage that needs it.)"""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import browser
from tools.browser import NoBrowser, ensure


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on it but the folder ``bin``."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("DIRECTPATH_BROWSER", raising=False)
    monkeypatch.setattr(browser, "HOME", tmp_path / "cache")
    return tmp_path / "bin"


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_one_that_is_there_is_taken(bare: Path) -> None:
    found = program(bare / "chromium", "echo Chromium 150")
    assert ensure().path == found


def test_one_that_is_named_comes_first(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bare / "chromium", "echo Chromium 150")
    named = program(tmp_path / "mine", "echo Chromium 99")
    monkeypatch.setenv("DIRECTPATH_BROWSER", str(named))
    assert ensure().path == named


def test_one_that_does_not_start_is_none_and_everything_that_was_tried_is_said(bare: Path) -> None:
    program(bare / "chromium", "echo 'libnss3.so: cannot open shared object file' >&2; exit 127")
    with pytest.raises(NoBrowser) as told:
        ensure()
    assert "libnss3.so: cannot open shared object file" in str(told.value)
    assert "there is no npm" in str(told.value)
    assert "this is no Debian" in str(told.value)


def test_a_package_that_cannot_be_fetched_leaves_nothing_that_counts_as_ready(bare: Path, tmp_path: Path) -> None:
    program(bare / "npm", "echo 'npm error network' >&2; exit 1")
    program(bare / "node", "exit 0")
    for _attempt in range(2):
        with pytest.raises(NoBrowser, match=r"npm error network|built for x86-64"):
            ensure()
    assert not list((tmp_path / "cache").rglob("ready"))
