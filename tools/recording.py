# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command in a terminal, and draw what it printed as an animated SVG: lines that scroll up, and below them the bar that is redrawn.

The animation is CSS only, so it also runs in an ``<img>``. A viewer that does not animate, or a user who wants less motion, sees the end.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

COLUMNS, ROWS = 108, 22
LONGEST_GAP, HOLD = 0.7, 6.0
"""Seconds: pauses of the command are shortened to the first; the second is how long the end is shown."""
CHARACTER, LINE, FONT, MARGIN = 7.83, 18, 13, 14
"""Pixels."""
COLORS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "34": "#79c0ff", "35": "#d2a8ff", "36": "#76e3ea"}
GROUND, TEXT, DIM = "#0d1117", "#e6edf3", "#8b949e"
SEQUENCE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")


@dataclass(kw_only=True)
class Recording:
    """Lines, and states of the line that is redrawn, each with the seconds since the start."""

    lines: list[tuple[float, str]] = field(default_factory=list)
    bars: list[tuple[float, str]] = field(default_factory=list)
    _line: str = ""
    _return: bool = False
    _redrawn: bool = False

    def feed(self, text: str, at: float) -> None:
        """Take output of a terminal. Understands colors, line ends, carriage returns and "erase to the end of the line"."""
        for part in re.split(r"(\r|\n|\x1b\[[0-9;?]*[A-Za-z])", text):
            if part == "\n":
                self.lines.append((at, self._line))
                self._line, self._return, self._redrawn = "", False, False
            elif part == "\r":
                self._return = True
            elif (found := SEQUENCE.fullmatch(part)) and found[2] != "m":
                if found[2] == "K" and self._return:
                    self._line, self._redrawn = "", True
            elif part:
                self._line = part if self._return and not found else self._line + part
                self._return = False
        shown = self._line if self._redrawn else ""
        if not self.bars or self.bars[-1][1] != shown:
            self.bars.append((at, shown))


def record(command: Sequence[str], folder: Path, environ: Mapping[str, str], seconds: float) -> Recording:
    """Run the command in a terminal. Raises CalledProcessError when it fails, TimeoutExpired when it takes longer."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = subprocess.Popen(
        command, cwd=folder, env=dict(environ), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    made, began, held = Recording(), time.monotonic(), b""
    try:
        while time.monotonic() - began < seconds:
            try:
                held += os.read(ours, 1 << 16)
            except OSError:  # the last process closed the terminal
                break
            text = held.decode("utf-8", errors="ignore")
            held = b"" if not held or held[-1] < 128 else held[len(text.encode()) :]
            made.feed(text, time.monotonic() - began)
        code = process.wait(timeout=30)
    finally:
        os.close(ours)
        if process.poll() is None:
            process.kill()
            process.wait()
    if code:
        raise subprocess.CalledProcessError(code, command, output="\n".join(text for _at, text in made.lines))
    return made


def shortened(moments: Iterable[float]) -> dict[float, float]:
    """Each moment → its moment in the animation, with shorter pauses."""
    result: dict[float, float] = {}
    last = shown = 0.0
    for moment in sorted(set(moments)):
        shown += min(moment - last, LONGEST_GAP)
        last = moment
        result[moment] = shown
    return result


def picture(made: Recording, title: str) -> str:
    """The SVG."""
    rows = [(at, row) for at, text in made.lines for row in wrapped(text)]
    bars = [(0.0, ""), *made.bars, (made.lines[-1][0], "")]
    when = shortened(at for at, _text in [*rows, *bars])
    total = max(when.values()) + HOLD
    width, height = round(COLUMNS * CHARACTER + 2 * MARGIN), (ROWS + 2) * LINE + 2 * MARGIN
    lower = MARGIN + LINE + ROWS * LINE
    scroll = _steps((when[at] / total, (ROWS - number) * LINE) for number, (at, _row) in enumerate(rows, start=1))
    change = _steps((when[at] / total, -number * LINE) for number, (at, _bar) in enumerate(bars))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">',
            f"<title>{escape(title)}</title>",
            "<style>",
            f"text {{ font: {FONT}px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: {TEXT}; white-space: pre; }}",
            f"#scroll {{ transform: translateY({(ROWS - len(rows)) * LINE}px); animation: scroll {total:.1f}s step-end infinite; }}",
            f"#change {{ transform: translateY({-(len(bars) - 1) * LINE}px); animation: change {total:.1f}s step-end infinite; }}",
            f"@keyframes scroll {{ 0% {{ transform: translateY({ROWS * LINE}px); }} {scroll} }}",
            f"@keyframes change {{ {change} }}",
            "@media (prefers-reduced-motion: reduce) { #scroll, #change { animation: none; } }",
            "</style>",
            f'<clipPath id="a"><rect x="0" y="{MARGIN + LINE}" width="{width}" height="{ROWS * LINE}"/></clipPath>',
            f'<clipPath id="b"><rect x="0" y="{lower}" width="{width}" height="{LINE}"/></clipPath>',
            f'<rect width="{width}" height="{height}" rx="8" fill="{GROUND}"/>',
            f'<text x="{MARGIN}" y="{MARGIN + 10}" style="fill: {DIM}">{escape(title)}</text>',
            f'<g clip-path="url(#a)"><g id="scroll">{_texts((row for _at, row in rows), MARGIN + 2 * LINE - 5)}</g></g>',
            f'<g clip-path="url(#b)"><g id="change">{_texts((shown for _at, shown in bars), lower + LINE - 5)}</g></g>',
            "</svg>",
            "",
        ]
    )


def _steps(positions: Iterable[tuple[float, float]]) -> str:
    """Key frames; of several positions at one moment the last one."""
    last = {f"{100 * share:.2f}%": position for share, position in positions}
    return " ".join(f"{share} {{ transform: translateY({position:g}px); }}" for share, position in last.items())


def _texts(rows: Iterable[str], first: int) -> str:
    drawn = [
        f'<text x="{MARGIN}" y="{first + number * LINE}">{_spans(row)}</text>' for number, row in enumerate(rows) if row
    ]
    return "\n".join(["", *drawn, ""])


def _spans(text: str) -> str:
    color, parts = "", []
    for number, part in enumerate(re.split(r"\x1b\[([0-9;]*)m", text)):
        if number % 2:
            color = next((COLORS[code] for code in part.split(";") if code in COLORS), "")
        elif part:
            parts.append(
                f'<tspan fill="{color}" style="fill: {color}">{escape(part)}</tspan>' if color else escape(part)
            )
    return "".join(parts)


def wrapped(text: str) -> list[str]:
    """The rows of a line in a terminal. A color goes on in the next row."""
    rows, row, used, color = [], "", 0, ""
    for part in re.split(r"(\x1b\[[0-9;]*m)", text):
        if part.startswith("\x1b"):
            color = part
            row += part
            continue
        for character in part:
            if used == COLUMNS:
                rows.append(row)
                row, used = color, 0
            row += character
            used += 1
    return [*rows, row]
