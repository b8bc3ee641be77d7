# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmarks measure the same work with each reader, count it correctly, and report a broken promise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from benchmarks import plays, report
from benchmarks.readers import READERS
from benchmarks.servers import Server, fleet, simulator
from tests.unit.patience import until
from tools.envs import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with simulator(fleet(3, 7)) as running:
        yield running


def cost(server: Server, *arguments: str, module: str = "benchmarks.readers") -> dict[str, Any]:
    environ = {**os.environ, "BENCH_SERVER": json.dumps(asdict(server))}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(("what", "objects"), [("hosts", 3), ("vms", 7)])
def test_every_reader_reads_the_same(server: Server, what: str, objects: int) -> None:
    costs = {name: cost(server, name, what) for name in READERS}
    # Clusters are read together with the hosts; only the reader of this collection returns hosts alone.
    assert {name: found["objects"] for name, found in costs.items()} == {
        name: objects if name.startswith("this collection") or what == "vms" else objects + 1 for name in READERS
    }
    assert {found["property_calls"] for found in costs.values()} == {1}
    assert min(found["bytes"] for found in costs.values()) > 1000
    assert max(found["bytes"] for found in costs.values()) < 1.3 * min(found["bytes"] for found in costs.values())
    assert all(0 < found["cpu"] < 5 and found["peak_mb"] > 10 for found in costs.values())


def test_latency_is_added_and_taken_away(server: Server) -> None:
    server.slow_down(300)
    slow = cost(server, "HTTP alone", "hosts")
    server.slow_down(0)
    # Three calls: create a view, read a page, destroy the view.
    assert slow["wall"] > 0.9
    assert until(lambda: cost(server, "HTTP alone", "hosts")["wall"] < slow["wall"] - 0.5)


def test_looks_are_those_of_a_run_that_may_start_hosts(server: Server) -> None:
    found = cost(server, module="benchmarks.looks")
    assert found["actions"] == 1  # of three hosts, one at a time may be down: its precheck
    assert all(found[key] > 0 for key in ("first", "full", "unchanged", "one_changed", "peak_mb"))


def look(**figures: float) -> dict[str, Any]:
    costs = {"full": 60.0, "unchanged": 3.0, "one_changed": 5.4, "first": 3000.0, "peak_mb": 80.0, **figures}
    return {"kind": "look", "name": "one look", "hosts": 512, "vms": 2560, **costs}


def test_a_look_costs_a_part_of_building_everything() -> None:
    assert "| 512 | 2560 | 60.0 | 3.0 | 0.05 | 5.4 | 0.09 | 3000 | 80 |" in report.tables([look()])
    assert report.missed([look()]) == []
    assert len(report.missed([look(unchanged=6.6)])) == len(report.missed([look(one_changed=6.6)])) == 1


def result(name: str, **figures: Any) -> dict[str, Any]:
    return {
        "kind": "read",
        "server": "simulator",
        "hosts": 1000,
        "what": "hosts",
        "name": name,
        "property_calls": 6,
        "bytes": 1_000_000,
        "cpu": 1.0,
        "wall": 2.0,
        "server_cpu": 0.5,
        "peak_mb": 50.0,
        **figures,
    }


GOOD = (result("this collection", cpu=0.5), result("HTTP + C parser", cpu=0.5), result("bare pyVmomi", cpu=3.0))


def test_a_kept_promise_is_not_missed() -> None:
    assert report.missed(GOOD) == []
    assert report.missed([{**found, "hosts": 100, "cpu": 9.0} for found in GOOD]) == []


@pytest.mark.parametrize(
    "figures", [{"cpu": 0.66}, {"property_calls": 13}, {"peak_mb": 201.0}], ids=lambda figures: next(iter(figures))
)
def test_a_broken_promise_is_named(figures: dict[str, Any]) -> None:
    assert len(report.missed([result("this collection", **{"cpu": 0.5, **figures}), *GOOD[1:]])) >= 1


def test_the_table_shows_ratios_and_growth() -> None:
    small = [{**found, "hosts": 100, "cpu": found["cpu"] / 10} for found in GOOD]
    text = report.tables([*small, *GOOD])
    assert "| 1000 | this collection | 6 | 1.00 | 0.500 | 1.00 | 0.17 | 2.00 | 0.50 | 50 |" in text
    assert "this collection 0.50 ms" in text
    text = report.tables(
        [play("this collection: a"), play("this collection: c", calls=10), play("b", calls=50, wall=2.0)]
    )
    assert "| q | 10 | 0 | b | 50 | 0 | 1 | 1 | 2.00 | 1.00 | 0.50 | 9 | 10x, 2.0x of a; 5x, 2.0x of c |" in text


def play(name: str, **figures: Any) -> dict[str, Any]:
    return {
        "kind": "play",
        "name": name,
        "this_collection": name.startswith("this collection"),
        "what": "q",
        "hosts": 10,
        "latency": 0,
        "calls": 5,
        "pages": 0,
        "logins": 1,
        "bytes": 1000,
        "cpu": 1.0,
        "wall": 1.0,
        "server_cpu": 0.5,
        "peak_mb": 9.0,
        **figures,
    }


@pytest.mark.parametrize(
    ("calls", "wall", "number"),
    [(7, 4.0, 0), (8, 4.0, 1), (7, 4.1, 1), (8, 4.1, 2)],
)
def test_what_is_promised_of_site_is_judged_where_the_way_is_longest(calls: int, wall: float, number: int) -> None:
    site = play(plays.SITE, hosts=100, latency=50, calls=calls, wall=wall)
    peer = play(plays.PEER, hosts=100, latency=50, calls=700, wall=80.0)
    near = [play(name, hosts=100, latency=0) for name in (plays.SITE, plays.PEER)]
    assert len(report.missed([site, peer, *near])) == number


@pytest.mark.parametrize(
    ("figures", "number"),
    [
        ({"calls": 8, "wall": 1.3}, 0),
        ({"calls": 10, "pages": 2, "wall": 1.3}, 0),
        ({"calls": 9, "wall": 1.3}, 1),
        ({"calls": 8, "wall": 1.31}, 1),
        ({"calls": 9, "wall": 1.31}, 2),
        ({"calls": 9, "wall": 1.31, "hosts": 1000}, 0),
    ],
)
@pytest.mark.parametrize("latency", [0, 50])
def test_a_site_with_nothing_to_do_is_judged_beside_one_module(
    figures: dict[str, Any], number: int, latency: int
) -> None:
    """At another latency, or in another fleet, the module is no measure."""
    site = play(plays.SITE, **{"hosts": 100, "latency": latency, **figures})
    others = [play(plays.INFO, hosts=100, latency=20, wall=0.1), play(plays.INFO, hosts=10, latency=latency, wall=0.1)]
    assert len(report.missed([site, *others, play(plays.INFO, hosts=100, latency=latency)])) == number


def test_a_site_with_nothing_to_do_is_shown_beside_one_module_and_the_empty_playbook() -> None:
    runs = [play(plays.SITE, wall=3.0, calls=9, pages=1), play(plays.INFO, wall=2.0), play(plays.EMPTY, wall=0.5)]
    assert "| 10 | 0 | 8 | 3.00 | 2.00 (1.50x) | 0.50 (6.00x) |" in report.tables(runs)
    assert "| 10 | 0 | 8 | 3.00 | - | 0.50 (6.00x) |" in report.tables([runs[0], runs[2]])


@pytest.mark.parametrize(
    ("figures", "number"),
    [
        ({"calls": 60, "pages": 20, "wall": 8.0, "server_cpu": 3.0}, 0),
        ({"calls": 61, "pages": 20, "wall": 8.0, "server_cpu": 3.0}, 1),
        ({"calls": 20, "wall": 8.1, "server_cpu": 3.0}, 1),
        ({"calls": 20, "wall": 80.0, "server_cpu": 3.0, "latency": 50}, 0),
        ({"calls": 61, "wall": 80.0, "hosts": 100}, 0),
    ],
)
def test_what_is_promised_of_drift(figures: dict[str, Any], number: int) -> None:
    assert len(report.missed([play(plays.DRIFT, **{"hosts": 1000, **figures})])) == number
