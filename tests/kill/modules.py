# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the module's own processes against a simulated vCenter over TLS, and kill -9 at any write.

Time is the simulator's, also for the processes: a roll takes as long as it takes to compute, its writes come in the same order each
time, and a busy machine changes nothing.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import queue
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from simulator.core.stops import Write
from simulator.simulator import Simulator
from tests.kill.clock import ToldClock
from tests.kill.lab import LAB, TASK, Site
from tests.kill.player import Order, play
from tests.kill.processes import family, gone, kill
from tools.collection_path import ROOT

PATIENCE = 600.0
"""Seconds of ours a run may take."""

WHOLE = 600.0
"""Seconds of a slice in which the whole roll has room."""

NO_DEFAULT_CAS = {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}
"""The machine's own, which a client reads whole at its start, are of no use here."""

_context = multiprocessing.get_context("forkserver")


def prepare() -> None:
    """Start the process that all runs are forked from; it ends with this one."""
    _context.set_forkserver_preload([play.__module__])
    with contextlib.chdir(ROOT):
        forkserver.ensure_running()


@dataclass(frozen=True, kw_only=True)
class Killed:
    """Where a run was killed. ``orphans``: its slice, which a kill of the run alone leaves behind; ``made``: how many writes had
    arrived by then; ``later``: the methods of those that had an effect afterwards. (A call that is refused because the session ended is
    made again after a login.)
    """

    write: Write
    orphans: tuple[int, ...]
    made: int
    later: tuple[str, ...] = ()


@dataclass
class ModuleSite(Site):
    """Where the module's processes run. ``clock_file`` and ``control_port``: how they have the simulator's time."""

    clock_file: Path = field(kw_only=True)
    control_port: int = field(kw_only=True)
    module: str = "host_rolling_reboot"
    task: Mapping[str, Any] = field(default_factory=lambda: dict(TASK))

    def start(self, home: str = "home", seconds: float = WHOLE) -> ForkServerProcess:
        order = Order(
            module=self.module,
            args=dict(self.task),
            slice=seconds,
            environ={**self.credentials(), **NO_DEFAULT_CAS, "PATH": os.environ.get("PATH", os.defpath)},
            home=self.home(home),
            clock=self.clock_file,
            control_port=self.control_port,
        )
        process = _context.Process(target=play, args=(order,))
        process.start()
        return process

    def finish(self, process: ForkServerProcess, home: str = "home") -> int:
        """Its exit code. Fails when it takes too long."""
        process.join(PATIENCE)
        if process.exitcode is None:
            assert process.pid is not None
            kill(family(process.pid))
            raise AssertionError(f"still running after {PATIENCE:.0f} seconds")
        self.told = self._told(self.home(home))
        return process.exitcode

    def roll(self, home: str = "home", seconds: float = WHOLE) -> int:
        return self.finish(self.start(home, seconds), home)

    def _told(self, home: Path) -> str:
        """What is worth reading of a result."""
        path = home / "result.json"
        if not path.exists():
            return "no result"
        result = json.loads(path.read_text(encoding="utf-8"))
        return "\n".join(str(result.get(name)) for name in ("msg", "summary", "reasons", "notes"))

    def kill_at(
        self, number: int, *, when: str = "after", whole_tree: bool = True, seconds: float = WHOLE
    ) -> Killed | None:
        """Run it and kill -9 it at its n-th write: with its slice, or alone. None: it ended before that write.

        A slice that is left alone ends by itself, after what it is about to do.
        """
        found: list[Killed] = []
        running: queue.Queue[int] = queue.Queue()

        def strike(write: Write) -> None:
            members = family(running.get(timeout=PATIENCE))
            # Told before it is gone: whoever waits for that looks at this next.
            found.append(Killed(write=write, orphans=tuple(members[1:]), made=len(self.sim.journal.writes())))
            kill(members if whole_tree else members[:1])

        stop = self.sim.on_write(number, strike, when=when)
        process = self.start(seconds=seconds)
        assert process.pid is not None
        running.put(process.pid)
        self.finish(process)
        self.sim.stops.remove(stop)
        if not found:
            return None
        assert gone(found[0].orphans, PATIENCE), "a slice outlived its run"
        return replace(found[0], later=self._later(found[0].made))

    def _later(self, made: int) -> tuple[str, ...]:
        return tuple(entry.method for entry in self.sim.journal.writes()[made:] if entry.effect)


@contextmanager
def vcenter(folder: Path) -> Iterator[ModuleSite]:
    """A fresh one."""
    clock_file = folder / "clock"
    sim = Simulator.from_lab(LAB, clock=ToldClock(clock_file))
    with sim.serve(port=0, control_port=0) as server:
        yield ModuleSite(
            sim=sim,
            port=server.port,
            ca_file=str(server.ca_file),
            folder=folder,
            clock_file=clock_file,
            control_port=int(server.control_url.rsplit(":", 1)[1].split("/")[0]),
        )
