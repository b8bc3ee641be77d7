# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A recording has the lines of a terminal and the states of its bar, and the picture of it shows each at its time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.recording import COLUMNS, LINE, LONGEST_GAP, ROWS, Recording, picture, record, shortened, wrapped


def fed(*parts: str) -> Recording:
    made = Recording()
    for at, part in enumerate(parts, start=1):
        made.feed(part, float(at))
    return made


def test_lines_end_as_in_a_terminal() -> None:
    assert fed("one\r\ntw", "o\r\n\r\n").lines == [(1.0, "one"), (2.0, "two"), (2.0, "")]


def test_a_bar_is_redrawn_and_removed() -> None:
    made = fed("\r\x1b[K00:01 bar\r", "\r\x1b[K00:02 bar\r", "\r\x1b[K\rline\r\n")
    assert made.bars == [(1.0, "00:01 bar"), (2.0, "00:02 bar"), (3.0, "")]
    assert made.lines == [(3.0, "line")]


def test_colors_stay_and_what_is_written_over_goes() -> None:
    assert fed("\x1b[0;32mok\x1b[0m\r\n", "old\rnew\r\n").lines == [(1.0, "\x1b[0;32mok\x1b[0m"), (2.0, "new")]


def test_long_lines_have_several_rows() -> None:
    assert wrapped("") == [""]
    assert wrapped("x" * (COLUMNS + 1)) == ["x" * COLUMNS, "x"]
    assert wrapped("\x1b[32m" + "x" * (COLUMNS + 1))[1] == "\x1b[32mx"


def test_pauses_are_shortened() -> None:
    assert shortened([0.1, 60.0, 60.2]) == {0.1: 0.1, 60.0: 0.1 + LONGEST_GAP, 60.2: pytest.approx(0.3 + LONGEST_GAP)}


def test_the_picture_ends_with_the_last_lines() -> None:
    made = fed("par", "tial\r\n", "a<b\r\n", "\r\x1b[Kbar\r", "\r\x1b[K\r\x1b[0;31mred\x1b[0m\r\n")
    text = picture(made, "$ <x>")
    root = ElementTree.fromstring(text)
    assert ["".join(node.itertext()) for node in root.iter() if node.tag.endswith("}text")] == [
        "$ <x>",
        "partial",
        "a<b",
        "red",
        "bar",
    ]
    assert f"#scroll {{ transform: translateY({(ROWS - 3) * LINE}px)" in text
    frames = re.search(r"@keyframes scroll \{(.*)\}", text)
    assert frames is not None
    assert re.findall(r"translateY\((\d+)px", frames[1]) == [str((ROWS - number) * LINE) for number in (0, 1, 2, 3)]
    assert 'fill="#ff7b72"' in text


@pytest.mark.slow
def test_a_command_gets_a_terminal(tmp_path: Path) -> None:
    code = "import os, sys; print(sys.stdout.isatty(), os.get_terminal_size().columns, 'ä→')"
    made = record([sys.executable, "-c", code], tmp_path, os.environ, 30)
    assert [line for _at, line in made.lines] == [f"True {COLUMNS} ä→"]
    with pytest.raises(subprocess.CalledProcessError):
        record([sys.executable, "-c", "raise SystemExit(3)"], tmp_path, os.environ, 30)
