# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure and print: ``make bench``, or ``python -m benchmarks --hosts 10,100 --no-peers --json result.json``."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import plays, report
from benchmarks.readers import READERS
from benchmarks.servers import Server, fleet, simulator, vcsim, vcsim_binary
from tools.envs import ROOT, ensure

VMS_PER_HOST = 5
HOSTS_PER_CLUSTER = 16
"""In fleets for looks of a rolling reboot."""
SPEED = 60.0
"""Factor of the simulated time."""


def main() -> int:
    """Exit status 1 if a result breaks a promise (checked for fleets of 100 and 1,000 hosts)."""
    options = _arguments()
    sizes = [int(size) for size in options.hosts.split(",")]
    results = [
        *_readers(sizes, options.repeat),
        *_looks([int(size) for size in options.looks.split(",") if size]),
        *(_plays(sizes, [int(ms) for ms in options.latency.split(",")]) if options.peers else ()),
    ]
    text = report.tables(results)
    print(text)
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1), encoding="utf-8")
    missed = report.missed(results)
    for sentence in missed:
        print(f"MISSED: {sentence}", file=sys.stderr)
    return 1 if missed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--hosts", default="10,100,1000", help="numbers of hosts (default 10,100,1000)")
    parser.add_argument("--looks", default="512", help="numbers of hosts for looks of a rolling reboot (default 512)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each reader; the best one counts (default 3)")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="readers only, no runs of Ansible")
    parser.add_argument(
        "--latency", default="0,20,50", help="milliseconds added to each call in runs of Ansible (default 0,20,50)"
    )
    parser.add_argument("--json", help="also write the results to this file")
    return parser.parse_args()


def _readers(sizes: list[int], repeat: int) -> Iterator[dict[str, Any]]:
    binary = vcsim_binary()
    for size in sizes:
        with simulator(fleet(size, size * VMS_PER_HOST)) as server:
            # The first read makes the simulator serialize every object. It caches the text, so this read is not measured.
            for what in ("hosts", "vms"):
                _read("HTTP alone", what, server)
                yield from _all_readers(server, size, what, repeat)
        if binary is not None:
            with vcsim(binary, size, 0) as server:
                yield from _all_readers(server, size, "hosts", repeat)


def _all_readers(server: Server, size: int, what: str, repeat: int) -> Iterator[dict[str, Any]]:
    # In turns, so that other load of the machine does not slow down only one reader.
    rounds = [{name: _read(name, what, server) for name in READERS} for _unused in range(repeat)]
    for name in READERS:
        best = min((runs[name] for runs in rounds), key=lambda run: run["cpu"])
        print(f"{server.kind} {size:5} {what:5} {name:26} {best['cpu']:7.3f} s CPU", file=sys.stderr)
        yield {"kind": "read", "server": server.kind, "hosts": size, "what": what, "name": name, **best}


def _looks(sizes: list[int]) -> Iterator[dict[str, Any]]:
    for size in sizes:
        with simulator(fleet(size, size * VMS_PER_HOST, per_cluster=HOSTS_PER_CLUSTER)) as server:
            costs = _measured("benchmarks.looks", server)
            print(f"looks at {size} hosts {costs}", file=sys.stderr)
            yield {"kind": "look", "name": "one look", "hosts": size, "vms": size * VMS_PER_HOST, **costs}


def _read(name: str, what: str, server: Server) -> dict[str, Any]:
    return _measured("benchmarks.readers", server, name, what)


def _measured(module: str, server: Server, *arguments: str) -> dict[str, Any]:
    """The costs that a process of its own prints."""
    environ = {**os.environ, "BENCH_SERVER": json.dumps(asdict(server))}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join([module, *arguments])} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _plays(sizes: list[int], latencies: list[int]) -> Iterator[dict[str, Any]]:
    env = ensure("peers")
    for size in sizes:
        with simulator(_converged(size), speed=SPEED) as server:
            plays.settle(server, env, size)
            for latency in latencies:
                server.slow_down(latency)
                for play in (play for play in plays.PLAYS if size <= play.most):
                    cost = plays.measure(play, server, env, size)
                    labels = {"hosts": size, "latency": latency, "what": play.question, "name": play.name}
                    print(*labels.values(), f"{cost['wall']:.2f} s, {cost['calls']} calls", file=sys.stderr)
                    yield {"kind": "play", "this_collection": play.this_collection, **labels, **cost}


def _converged(hosts: int) -> dict[str, Any]:
    """A fleet that has what the intent of the plays says. To attach the devices of 1,000 VMs first would take longer than all plays."""
    return fleet(hosts, hosts * VMS_PER_HOST, ready=100, per_cluster=hosts, attached=hosts)


if __name__ == "__main__":
    sys.exit(main())
