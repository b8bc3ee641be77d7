# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rolling reboot as users run it, ansible-playbook against a vCenter over TLS, killed at a write: all of its processes, or one."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from simulator.core.clock import ScaledClock
from simulator.core.stops import Write
from simulator.simulator import Simulator
from tests.kill.lab import LAB, TASK, Site
from tests.kill.processes import at_work_in, family, gone, kill, until
from tests.kill.terminals import OnTerminal
from tools.envs import clean_environ
from tools.tree import collections_path, sync

SPEED = 60.0
"""Seconds of the simulated vCenter in one of ours: so few that a busy machine's hiccup is not a guest that would not stop."""

PATIENCE = 600.0
"""Seconds of ours one playbook may take."""

LONG = 36000.0
"""Seconds of vCenter's in which a host boots: longer than anything waits for the processes of a run that was stopped."""

LAST_BREATH = 120.0
"""Seconds of ours until what a kill left behind has noticed: it looks four times a second."""

UNHURRIED: Mapping[str, int] = dict.fromkeys(
    "drain_timeout stop_timeout reboot_timeout verify_timeout leave_timeout restore_timeout".split(), 72000
)
"""Seconds of vCenter's that everything may take: twenty minutes of ours. Its time runs on while a busy machine starts the next playbook,
and a host that took too long to drain is given back, its VMs started, and drained again: rightly, and in another order than asserted.
"""

Chosen = Callable[[list[int]], list[int]]
"""Which ones of ansible-playbook, its worker with the action plugin, shells, and last the module."""


def everything(members: list[int]) -> list[int]:
    return members


def the_playbook(members: list[int]) -> list[int]:
    return members[:1]


def the_worker(members: list[int]) -> list[int]:
    return members[1:2]


def the_module(members: list[int]) -> list[int]:
    return members[-1:]


def prepare() -> None:
    """The collection as users install it."""
    sync("kill")


@dataclass
class PlaybookSite(Site):
    """Where playbooks are run."""

    playbook: Path = field(kw_only=True)
    variables: dict[str, str] = field(default_factory=dict)
    """More environment variables."""

    def start(self, home: str = "home", *arguments: str) -> subprocess.Popen[str]:
        """ansible-playbook as a process group of its own, in a home of its own. Without arguments: the playbook of the roll."""
        place = self.home(home)
        return subprocess.Popen(
            self.command(*arguments),
            cwd=place,
            env=self.environ(place),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def on_terminal(self, home: str = "home", *arguments: str) -> OnTerminal:
        """The same, on a terminal."""
        place = self.home(home)
        return OnTerminal(self.command(*arguments), cwd=place, env={**self.environ(place), "TERM": "xterm"})

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "ansible.cli.playbook", *(arguments or (str(self.playbook),))]

    def environ(self, place: Path) -> dict[str, str]:
        return {
            **clean_environ(Path(sys.prefix)),
            **self.credentials(),
            "HOME": str(place),
            "TMPDIR": str(place),
            "XDG_RUNTIME_DIR": str(place),
            "ANSIBLE_HOME": str(place / ".ansible"),
            "ANSIBLE_REMOTE_TMP": str(place / ".ansible" / "tmp"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_COLLECTIONS_PATH": str(collections_path("kill")),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            **self.variables,
        }

    def finish(self, process: subprocess.Popen[str], within: Path | None = None) -> int:
        """Its exit code. Fails when it takes too long, or leaves a process behind. ``within``: its home, if others are at work, too."""
        try:
            self.told, _unused = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            kill(family(process.pid))
            self.told, _unused = process.communicate()
            raise AssertionError(f"still running after {PATIENCE:.0f} seconds:\n{self.told}") from None
        assert gone(at_work_in(within or self.folder), LAST_BREATH), f"a process outlived its playbook:\n{self.told}"
        return process.returncode

    def roll(self, home: str = "home") -> int:
        return self.finish(self.start(home))

    def reboots_host(self, name: str, chosen: Chosen) -> int:
        """``kill_at`` the first reboot of a run, which must be that of this host; the exit code. The host takes ``LONG`` to boot: it is
        not back yet when all processes of the run have ended.
        """
        struck: list[str] = []
        boots = self.sim.find("HostSystem", name).knobs
        boots["boot_seconds"] = LONG
        stop = self.sim.on_write(1, lambda write: struck.append(write.name), method="RebootHost_Task")
        try:
            code = self.kill_at(1, "RebootHost_Task", chosen=chosen)
        finally:
            self.sim.stops.remove(stop)
        assert struck == [name], self.told
        # It goes down some seconds after the call.
        assert until(lambda: self.state()["connection"][name] != "connected", LAST_BREATH), (
            "what was left waited until the host was back"
        )
        self.sim.clock.advance(LONG)
        del boots["boot_seconds"]
        return code

    def play(self, name: str, home: str, *arguments: str) -> int:
        """Run a playbook of the collection with an inventory of one host, which knows nothing but the address."""
        return self.finish(self.start(home, name, "-i", "localhost,", *arguments), self.home(home))

    def kill_at(
        self, number: int, method: str, *, chosen: Chosen = everything, when: str = "after", home: str = "home"
    ) -> int:
        """Run the playbook, kill -9 what is chosen of it at its n-th call of a method, and wait for the rest; the exit code.

        A module that is left has no answer to this call before the owner of its run, the worker, has ended. So it does nothing more,
        however long the worker takes to see that ansible-playbook has ended.
        """
        started = threading.Event()
        struck = threading.Event()

        def strike(write: Write) -> None:
            started.wait(PATIENCE)
            # An answered call holds up nothing. With the lock, no guest shuts down, and no host boots, before the kill.
            with self.sim.lock if when == "answered" else nullcontext():
                members = family(process.pid)
                assert len(members) >= 3, members
                struck.set()  # before the process is gone: whoever waits for it looks at this next
                kill(chosen(members))
            if chosen is not the_module:
                assert gone(members[1:2], LAST_BREATH), "the worker outlived ansible-playbook"

        stop = self.sim.on_write(number, strike, when=when, method=method)
        process = self.start(home)
        started.set()
        try:
            code = self.finish(process)
        finally:
            self.sim.stops.remove(stop)
        assert struck.is_set(), f"it ended before its {number}. {method}:\n{self.told}"
        return code


@contextmanager
def vcenter(folder: Path, **options: object) -> Iterator[PlaybookSite]:
    """A fresh one, and a playbook for it: one task, on localhost."""
    task = {"name": "Reboot what owes it", "directpath.vsphere.host_rolling_reboot": {**TASK, **UNHURRIED, **options}}
    playbook = folder / "roll.yml"
    plays = [{"name": "Roll", "hosts": "localhost", "gather_facts": False, "tasks": [task]}]
    playbook.write_text(yaml.safe_dump(plays), encoding="utf-8")
    sim = Simulator.from_lab(LAB, clock=ScaledClock(SPEED))
    with sim.serve(port=0) as server:
        try:
            yield PlaybookSite(sim=sim, port=server.port, ca_file=str(server.ca_file), folder=folder, playbook=playbook)
        finally:
            kill(at_work_in(folder))  # of a test that failed: they would look for the vCenter for hours
