# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports appear whole or not at all, and say times on the clock their reader has."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.files import local_zone, refusal, write_whole


def test_nobody_ever_reads_half_a_report(tmp_path: Path) -> None:
    path = tmp_path / "t.html"
    texts = {"a" * 2_000_000, "b" * 2_000_000}
    write_whole(str(path), max(texts))
    over = threading.Event()
    seen: set[str] = set()

    def look() -> None:
        while not over.is_set():
            seen.add(path.read_text(encoding="utf-8"))

    reader = threading.Thread(target=look)
    reader.start()
    for _turn in range(10):
        for text in texts:
            write_whole(str(path), text)
    over.set()
    reader.join()
    assert seen <= texts
    assert os.listdir(tmp_path) == ["t.html"]


def test_a_report_that_cannot_be_written_leaves_the_one_before_and_no_rubbish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.html"
    write_whole(str(path), "before")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(str(path), "after")
    assert path.read_text(encoding="utf-8") == "before"
    assert os.listdir(tmp_path) == ["t.html"]


def test_a_report_has_the_mode_this_user_gives_to_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(str(tmp_path / "t.json"), "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "t.json").stat().st_mode) == 0o640


def test_a_link_that_is_there_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("mine", encoding="utf-8")
    (tmp_path / "t.html").symlink_to(tmp_path / "elsewhere")
    write_whole(str(tmp_path / "t.html"), "page")
    assert (tmp_path / "elsewhere").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "t.html").is_symlink()


def test_what_cannot_be_written_is_known_beforehand(tmp_path: Path) -> None:
    assert refusal({"timeline_html": str(tmp_path / "t.html")}) is None
    for path, words in ((tmp_path, "is a directory"), (tmp_path / "no" / "t.html", "there is no directory")):
        refused = refusal({"timeline_json": str(path)})
        assert refused is not None
        assert (refused.code, refused.parameter) == ("report_unwritable", "timeline_json")
        assert words in refused.sentence()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The process's clock, put back afterwards."""
    yield monkeypatch
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (":Asia/Kolkata", "Asia/Kolkata"),
        ("Etc/UTC", "UTC"),
        ("UTC", "UTC"),
        ("CET-1CEST", "UTC+01:00"),
        ("XYZ+3:30", "UTC-03:30"),
    ],
)
def test_the_clock_of_the_machine_is_named(clock: pytest.MonkeyPatch, said: str, name: str) -> None:
    clock.setenv("TZ", said)
    time.tzset()
    noon = datetime(2026, 1, 22, 12, tzinfo=UTC)
    zone = local_zone(noon)
    assert zone.name == name
    assert zone.time_of_day(noon.timestamp()) == noon.astimezone().strftime("%H:%M:%S")
