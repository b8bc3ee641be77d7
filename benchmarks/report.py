# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures as Markdown tables, with ratios, as seconds of one machine mean nothing on another."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

Result = Mapping[str, Any]

OURS, PYVMOMI, PARSER = "ours", "bare pyVmomi", "HTTP + C parser"
MOST_CALLS, MOST_OVER_PARSER, LEAST_UNDER_PYVMOMI, MOST_MEMORY = 12, 1.3, 5.0, 200.0


def tables(results: Sequence[Result]) -> str:
    """All results, grouped by what was asked and how large the fleet was."""
    parts = [f"Measured {date.today().isoformat()} on {machine()}.", ""]
    reads = [result for result in results if result["kind"] == "read"]
    for what, server in dict.fromkeys((result["what"], result["server"]) for result in reads):
        chosen = [result for result in reads if (result["what"], result["server"]) == (what, server)]
        parts += [f"### Reading all {what} ({server})", "", *_read_table(chosen), ""]
    runs = [result for result in results if result["kind"] == "play"]
    if runs:
        parts += ["### Runs of Ansible on a fleet where nothing is left to do", "", *_play_table(runs), ""]
    return "\n".join(parts)


def machine() -> str:
    """What kind of machine this is, without telling which."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def _read_table(results: Sequence[Result]) -> list[str]:
    lines = [
        "| hosts | reader | property calls | MB on the wire | client CPU s | of HTTP + C parser | of bare pyVmomi "
        "| wall s | of it server CPU s | peak MB |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        same = {other["name"]: other for other in results if other["hosts"] == result["hosts"]}
        cells = [
            f"{result['hosts']}",
            result["name"],
            f"{result['property_calls']}",
            _megabytes(result["bytes"]),
            f"{result['cpu']:.3f}",
            _ratio(result, same.get(PARSER)),
            _ratio(result, same.get(PYVMOMI)),
            f"{result['wall']:.2f}",
            f"{result['server_cpu']:.2f}",
            f"{result['peak_mb']:.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, "", *_growth(results)]


def _growth(results: Sequence[Result]) -> list[str]:
    """CPU a host between the two largest fleets, for each reader: what another host costs."""
    sizes = sorted({result["hosts"] for result in results})
    if len(sizes) < 2:
        return []
    told = []
    for name in dict.fromkeys(result["name"] for result in results):
        cpu = {result["hosts"]: result["cpu"] for result in results if result["name"] == name}
        each = (cpu[sizes[-1]] - cpu[sizes[-2]]) / (sizes[-1] - sizes[-2])
        told.append(f"{name} {each * 1000:.2f} ms")
    return [f"Another host costs: {'; '.join(told)} of client CPU."]


def _play_table(results: Sequence[Result]) -> list[str]:
    lines = [
        "| question | hosts | latency ms | run | calls | logins | kB on the wire | wall s | client CPU s | peak MB "
        "| calls and wall, of ours |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for result in sorted(results, key=lambda result: (result["what"], result["hosts"], result["latency"])):
        ours = _own(results, result)
        times = "" if ours is None else f"{result['calls'] / ours['calls']:.0f}x, {result['wall'] / ours['wall']:.1f}x"
        cells = [
            result["what"],
            f"{result['hosts']}",
            f"{result['latency']}",
            result["name"],
            f"{result['calls']}",
            f"{result['logins']}",
            f"{result['bytes'] / 1e3:.0f}",
            f"{result['wall']:.2f}",
            f"{result['cpu']:.2f}",
            f"{result['peak_mb']:.0f}",
            times,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _own(results: Iterable[Result], result: Result) -> Result | None:
    """Our run of the same question on the same fleet; None for our own."""
    if result["ours"]:
        return None
    asked = ("what", "hosts", "latency")
    same = (other for other in results if all(other[name] == result[name] for name in asked))
    return next((other for other in same if other["ours"]), None)


def _ratio(result: Result, other: Result | None) -> str:
    return f"{result['cpu'] / other['cpu']:.2f}" if other else "-"


def _megabytes(count: int | None) -> str:
    return "-" if count is None else f"{count / 1e6:.2f}"


def missed(results: Iterable[Result]) -> list[str]:
    """Promises that the figures of a fleet of 1,000 hosts do not keep."""
    found = {
        result["name"]: result
        for result in results
        if result["kind"] == "read"
        and result["server"] == "simulator"
        and (result["hosts"], result["what"]) == (1000, "hosts")
    }
    if OURS not in found:
        return []
    ours, parser, pyvmomi = found[OURS], found[PARSER], found[PYVMOMI]
    checks = (
        (ours["property_calls"] <= MOST_CALLS, f"{ours['property_calls']} property calls, {MOST_CALLS} promised"),
        (ours["cpu"] <= MOST_OVER_PARSER * parser["cpu"], f"{ours['cpu'] / parser['cpu']:.2f} of HTTP + C parser"),
        (ours["cpu"] * LEAST_UNDER_PYVMOMI <= pyvmomi["cpu"], f"1/{pyvmomi['cpu'] / ours['cpu']:.1f} of bare pyVmomi"),
        (ours["peak_mb"] <= MOST_MEMORY, f"{ours['peak_mb']:.0f} MB"),
    )
    return [sentence for kept, sentence in checks if not kept]
