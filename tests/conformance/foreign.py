# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients of other people get from the simulator: it works, it refuses, or it is wrong. And the table of it.

Wrong is what must never be: a success whose answer is not what the lab says, a write that reports success and changed
nothing, an empty answer where something is there, a failure that does not say what is not modelled. Whether an answer is
right is never judged by the answer itself: each case has a rule written by hand, about the simulator's own state.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator import Simulator
from simulator.api.takes import MARK

README = Path(__file__).parents[2] / "simulator" / "README.md"
WORKS, REFUSES, WRONG = "works", "refuses", "wrong"
VERDICTS = (WORKS, REFUSES, WRONG)

Shows = Callable[[Simulator, str], bool]
"""Whether what a client printed is what the simulator's state says."""
State = Callable[[Simulator], bool]
"""Whether the simulator's state is what a write is for."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One call. Without ``shows``, ``after`` and ``fault`` it is one that has to be refused.

    ``after`` must not hold before the call and must hold after it. ``fault``: the real thing refuses this one, too, with
    this text.
    """

    call: str
    shows: Shows | None = None
    after: State | None = None
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a call ended for the client."""

    succeeded: bool
    text: str
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is known about one call."""

    call: str
    verdict: str
    why: str = ""


def judge(sim: Simulator, case: Case, run: Callable[[], Ended]) -> Row:
    """Make the call and say what it was."""
    if case.after is not None and case.after(sim):
        return Row(call=case.call, verdict=WRONG, why="the effect was there before the call: the case shows nothing")
    mark = sim.journal.mark()
    ended = run()
    told = [text for entry in sim.journal.since(mark) for text in entry.refused]
    told += re.findall(rf"{MARK}[^\n]* not modelled|404 Not Found|not modelled", ended.error)
    expected = case.shows is not None or case.after is not None
    if case.fault:
        right = not ended.succeeded and re.search(case.fault, ended.error) is not None
        return Row(call=case.call, verdict=WORKS if right else WRONG, why=ended.error or ended.text)
    if ended.succeeded and expected:
        right = (case.shows is None or case.shows(sim, ended.text)) and (case.after is None or case.after(sim))
        if right:
            return Row(call=case.call, verdict=WORKS)
    if told and (not ended.succeeded or not ended.text.strip()):
        return Row(call=case.call, verdict=REFUSES, why=told[0])
    return Row(call=case.call, verdict=WRONG, why=(ended.error or ended.text or "an empty answer")[-600:])


# -- the table ------------------------------------------------------------------------------------------------


def section(name: str) -> re.Pattern[str]:
    """The generated part of that name."""
    return re.compile(rf"(<!-- generated: {name} -->\n).*?(<!-- end generated -->)", re.DOTALL)


def count(rows: Sequence[Row], verdict: str) -> int:
    """How many calls were that."""
    return sum(row.verdict == verdict for row in rows)


def rendered(client: str, rows: Sequence[Row]) -> str:
    """The counts, and behind them which calls were what."""
    head = "| client | works | refuses | wrong |\n|---|---|---|---|\n"
    counts = " | ".join(str(count(rows, verdict)) for verdict in VERDICTS)
    text = f"{head}| {client} | {counts} |\n"
    for verdict in VERDICTS:
        calls = [f"`{row.call.strip()}`" for row in rows if row.verdict == verdict]
        if calls:
            text += f"\n<details><summary>{verdict}</summary>\n\n{', '.join(calls)}\n\n</details>\n"
    return text


def committed(name: str) -> int:
    """How many calls worked when the table was written last."""
    found = section(name).search(README.read_text(encoding="utf-8"))
    assert found is not None, f"simulator/README.md has no part named {name}"
    counts = re.search(r"\| \S[^|]* \| (\d+) \| \d+ \| \d+ \|", found[0])
    return int(counts[1]) if counts is not None else 0


def publish(name: str, client: str, rows: Sequence[Row]) -> bool:
    """Write the table; whether it was another one before."""
    text = README.read_text(encoding="utf-8")
    fresh = section(name).sub(lambda match: match[1] + rendered(client, rows) + match[2], text)
    if fresh != text:
        README.write_text(fresh, encoding="utf-8")
    return fresh != text


def check(name: str, client: str, rows: Sequence[Row]) -> None:
    """Fail on a wrong answer, on fewer working calls than are committed, and on a table that has changed (it is written)."""
    wrong = [f"{row.call}: {row.why}" for row in rows if row.verdict == WRONG]
    assert wrong == [], "\n".join(wrong)
    before, now = committed(name), count(rows, WORKS)
    lost = [f"{row.call}: {row.why}" for row in rows if row.verdict == REFUSES]
    assert now >= before, f"{now} calls work, {before} did; refused now:\n" + "\n".join(lost)
    assert not publish(name, client, rows), "simulator/README.md has another table now: look at it and commit it"
