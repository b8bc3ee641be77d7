# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results as Markdown tables with ratios. Seconds of one machine mean nothing on another."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from benchmarks.plays import DRIFT, EMPTY, INFO, PEER, SITE
from benchmarks.readers import THIS_COLLECTION

Result = Mapping[str, Any]

LEAST_CALLS_OF_PEER, LEAST_WALL_OF_PEER = 100, 20.0
MOST_SITE_CALLS, MOST_SITE_OF_INFO = 8, 1.3
"""Of ``site`` with nothing to do, on 100 hosts. Further pages are not counted."""
MOST_DRIFT_CALLS, MOST_DRIFT_SECONDS = 40, 5.0
"""Further pages are not counted. The seconds are those beyond the CPU time of the server."""
LOOKS = {"unchanged": 0.1, "one_changed": 0.1}
"""Most that a look may cost, of one for which everything is built."""
PYVMOMI, PARSER = "bare pyVmomi", "HTTP + C parser"
MOST_CALLS, MOST_OVER_PARSER, LEAST_UNDER_PYVMOMI, MOST_MEMORY = 12, 1.3, 5.0, 200.0


def tables(results: Sequence[Result]) -> str:
    """All results, grouped by question and by size of the fleet."""
    parts = [f"Measured {date.today().isoformat()} on {machine()}.", ""]
    reads = [result for result in results if result["kind"] == "read"]
    for what, server in dict.fromkeys((result["what"], result["server"]) for result in reads):
        chosen = [result for result in reads if (result["what"], result["server"]) == (what, server)]
        parts += [f"## Reading all {what} ({server})", "", *_read_table(chosen), ""]
    looks = [result for result in results if result["kind"] == "look"]
    if looks:
        parts += ["## One look of a rolling reboot", "", *_look_table(looks), ""]
    runs = [result for result in results if result["kind"] == "play"]
    if runs:
        parts += ["## Runs of Ansible on a fleet where nothing is left to do", "", *_play_table(runs), ""]
        parts += ["## `site` with nothing to do", "", *_site_table(runs), ""]
    return "\n".join(parts)


def machine() -> str:
    """The kind of machine, without its name."""
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
    """CPU time for one more host, for each reader: from the difference between the two largest fleets."""
    sizes = sorted({result["hosts"] for result in results})
    if len(sizes) < 2:
        return []
    costs = []
    for name in dict.fromkeys(result["name"] for result in results):
        cpu = {result["hosts"]: result["cpu"] for result in results if result["name"] == name}
        each = (cpu[sizes[-1]] - cpu[sizes[-2]]) / (sizes[-1] - sizes[-2])
        costs.append(f"{name} {each * 1000:.2f} ms")
    return [f"Another host costs: {'; '.join(costs)} of client CPU."]


def _look_table(results: Sequence[Result]) -> list[str]:
    """``full``: everything is built again from what was received before."""
    lines = [
        "| hosts | VMs | CPU ms, everything built again | nothing changed | of it | one host changed | of it "
        "| first look with all reads | peak MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        full = result["full"]
        cells = [
            f"{result['hosts']}",
            f"{result['vms']}",
            f"{full:.1f}",
            *(cell for key in LOOKS for cell in (f"{result[key]:.1f}", f"{result[key] / full:.2f}")),
            f"{result['first']:.0f}",
            f"{result['peak_mb']:.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _play_table(results: Sequence[Result]) -> list[str]:
    lines = [
        "| question | hosts | latency ms | run | calls | of them further pages | logins | kB on the wire | wall s | client CPU s "
        "| server CPU s | peak MB | calls and wall, of this collection |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for result in sorted(results, key=lambda result: (result["what"], result["hosts"], result["latency"])):
        cells = [
            result["what"],
            f"{result['hosts']}",
            f"{result['latency']}",
            result["name"],
            f"{result['calls']}",
            f"{result['pages']}",
            f"{result['logins']}",
            f"{result['bytes'] / 1e3:.0f}",
            f"{result['wall']:.2f}",
            f"{result['cpu']:.2f}",
            f"{result['server_cpu']:.2f}",
            f"{result['peak_mb']:.0f}",
            "; ".join(_times(result, own) for own in _own(results, result)),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _site_table(results: Sequence[Result]) -> list[str]:
    """``site`` beside a play with one module that reads the same hosts, and beside the empty playbook."""
    lines = [
        "| hosts | latency ms | calls | wall s of site | of host_pci_device_info | of the empty playbook |",
        "|---|---|---|---|---|---|",
    ]
    for site in (result for result in results if result["name"] == SITE):
        same = {other["name"]: other for other in results if _is_same_server(site, other)}
        others = (same.get(name) for name in (INFO, EMPTY))
        walls = (f"{other['wall']:.2f} ({site['wall'] / other['wall']:.2f}x)" if other else "-" for other in others)
        cells = [f"{site['hosts']}", f"{site['latency']}", f"{_calls(site)}", f"{site['wall']:.2f}", *walls]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _is_same_server(result: Result, other: Result) -> bool:
    return all(other[name] == result[name] for name in ("hosts", "latency"))


def _calls(result: Result) -> int:
    return int(result["calls"] - result["pages"])


def _own(results: Iterable[Result], result: Result) -> list[Result]:
    """Runs of this collection for the same question on the same fleet; none if the result is one of them."""
    if result["this_collection"]:
        return []
    asked = ("what", "hosts", "latency")
    same = (other for other in results if all(other[name] == result[name] for name in asked))
    return [other for other in same if other["this_collection"]]


def _times(result: Result, own: Result) -> str:
    name = own["name"].partition(": ")[2]
    return f"{result['calls'] / own['calls']:.0f}x, {result['wall'] / own['wall']:.1f}x of {name}"


def _ratio(result: Result, other: Result | None) -> str:
    return f"{result['cpu'] / other['cpu']:.2f}" if other else "-"


def _megabytes(count: int | None) -> str:
    return "-" if count is None else f"{count / 1e6:.2f}"


def missed(results: Sequence[Result]) -> list[str]:
    """Promises that the results do not keep, one sentence each."""
    return [
        *_missed_reads(results),
        *_missed_looks(results),
        *_missed_site(results),
        *_missed_peer(results),
        *_missed_drift(results),
    ]


def _missed_looks(results: Iterable[Result]) -> list[str]:
    return [
        f"a look at {result['hosts']} hosts costs {result[key] / result['full']:.2f} of building everything ({key}), {most} promised"
        for result in results
        if result["kind"] == "look"
        for key, most in LOOKS.items()
        if result[key] > most * result["full"]
    ]


def _missed_site(results: Sequence[Result]) -> list[str]:
    """``site`` with nothing to do on 100 hosts, at each latency, compared with a module that reads the same hosts in the same run."""
    plays = [result for result in results if result["kind"] == "play" and result["hosts"] == 100]
    sentences = []
    for site in (result for result in plays if result["name"] == SITE):
        if _calls(site) > MOST_SITE_CALLS:
            sentences.append(f"site makes {_calls(site)} calls, {MOST_SITE_CALLS} promised")
        for info in (result for result in plays if result["name"] == INFO and _is_same_server(site, result)):
            if site["wall"] > MOST_SITE_OF_INFO * info["wall"]:
                times = f"{site['wall'] / info['wall']:.2f} times as long as host_pci_device_info"
                sentences.append(f"site takes {times}, {MOST_SITE_OF_INFO} promised (latency {site['latency']} ms)")
    return sentences


def _missed_peer(results: Iterable[Result]) -> list[str]:
    """``site`` on 100 hosts, compared with the peer's module for its first phase, at the highest latency that was measured."""
    runs = {
        (result["name"], result["latency"]): result
        for result in results
        if result["hosts"] == 100 and "latency" in result
    }
    sentences = []
    for latency in sorted({latency for _name, latency in runs})[-1:]:
        site, peer = runs.get((SITE, latency)), runs.get((PEER, latency))
        if site is not None and peer is not None:
            if peer["calls"] < LEAST_CALLS_OF_PEER * site["calls"]:
                sentences.append(f"the peer makes {peer['calls'] / site['calls']:.0f}x the calls of site")
            if latency and peer["wall"] < LEAST_WALL_OF_PEER * site["wall"]:
                sentences.append(f"the peer takes {peer['wall'] / site['wall']:.1f}x the time of site")
    return sentences


def _missed_drift(results: Iterable[Result]) -> list[str]:
    sentences = []
    for result in results:
        if result["name"] == DRIFT and result["hosts"] == 1000:
            calls = _calls(result)
            if calls > MOST_DRIFT_CALLS:
                sentences.append(f"drift makes {calls} calls, {MOST_DRIFT_CALLS} promised")
            if not result["latency"] and result["wall"] > result["server_cpu"] + MOST_DRIFT_SECONDS:
                sentences.append(
                    f"drift takes {result['wall']:.1f} s, of which the server works {result['server_cpu']:.1f} s"
                )
    return sentences


def _missed_reads(results: Iterable[Result]) -> list[str]:
    """Promises for reading 1,000 hosts."""
    found = {
        result["name"]: result
        for result in results
        if result["kind"] == "read"
        and result["server"] == "simulator"
        and (result["hosts"], result["what"]) == (1000, "hosts")
    }
    if THIS_COLLECTION not in found:
        return []
    own, parser, pyvmomi = found[THIS_COLLECTION], found[PARSER], found[PYVMOMI]
    checks = (
        (own["property_calls"] <= MOST_CALLS, f"{own['property_calls']} property calls, {MOST_CALLS} promised"),
        (own["cpu"] <= MOST_OVER_PARSER * parser["cpu"], f"{own['cpu'] / parser['cpu']:.2f} of HTTP + C parser"),
        (own["cpu"] * LEAST_UNDER_PYVMOMI <= pyvmomi["cpu"], f"1/{pyvmomi['cpu'] / own['cpu']:.1f} of bare pyVmomi"),
        (own["peak_mb"] <= MOST_MEMORY, f"{own['peak_mb']:.0f} MB"),
    )
    return [sentence for kept, sentence in checks if not kept]
