# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rolling reboot on a terminal that is stopped at its worst moment: a host boots, and the VMs that were shut down for it are off."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.kill.playbooks import LAST_BREATH, LONG, PATIENCE, PlaybookSite
from tests.kill.processes import at_work_in, family, gone, kill
from tests.kill.terminals import CTRL_C, OnTerminal

VMS = {"train-01", "train-02"}
NAMED = "run the same playbook again"
"""The last words of what is printed when a run is stopped."""


@contextmanager
def booting(site: PlaybookSite, home: str = "home") -> Iterator[OnTerminal]:
    """A run that waits for its first host to boot, which takes until ``let_it_boot``."""
    boots = site.sim.find("HostSystem", "esx-01.lab").knobs
    boots["boot_seconds"] = LONG
    asked = threading.Event()
    stop = site.sim.on_write(1, lambda _write: asked.set(), when="answered", method="RebootHost_Task")
    terminal = site.on_terminal(home)
    try:
        assert asked.wait(PATIENCE), terminal.text
        terminal.wait_for("rebooting → booting", PATIENCE)
        assert off(site) == VMS
        yield terminal
    finally:
        site.sim.stops.remove(stop)
        kill(set(family(terminal.process.pid)) | set(at_work_in(site.folder)))


def let_it_boot(site: PlaybookSite) -> None:
    site.sim.clock.advance(LONG)
    site.sim.find("HostSystem", "esx-01.lab").knobs.pop("boot_seconds", None)


def off(site: PlaybookSite) -> set[str]:
    """VMs that ran before and are off now."""
    power = site.state()["power"]
    return {name for name, before in site.before["power"].items() if before == "poweredOn" != power[name]}


def all_ended(site: PlaybookSite) -> bool:
    """Whether no process of a run is left, after some patience."""
    return gone(at_work_in(site.folder), LAST_BREATH)


def ctrl_c(terminal: OnTerminal) -> None:
    terminal.press(CTRL_C)
    terminal.wait_for(NAMED, PATIENCE)


def ctrl_c_twice(terminal: OnTerminal) -> None:
    ctrl_c(terminal)
    time.sleep(1.5)  # a second one at once is the same request
    terminal.press(CTRL_C)
    terminal.process.wait(PATIENCE)


def sigterm(terminal: OnTerminal) -> None:
    """``kill`` of ansible-playbook."""
    os.kill(terminal.job, signal.SIGTERM)
    terminal.process.wait(PATIENCE)


def sigterm_to_all(terminal: OnTerminal) -> None:
    """As a service manager stops a service: all processes get the signal."""
    for pid in family(terminal.job):
        with suppress(ProcessLookupError):  # it ended because of those before it
            os.kill(pid, signal.SIGTERM)
    terminal.process.wait(PATIENCE)


def session_lost(terminal: OnTerminal) -> None:
    terminal.hang_up()
    terminal.process.wait(PATIENCE)


def killed(terminal: OnTerminal) -> None:
    """kill -9 of ansible-playbook alone."""
    os.kill(terminal.job, signal.SIGKILL)
    terminal.process.wait(PATIENCE)


def everything_killed(terminal: OnTerminal) -> None:
    """kill -9 of all processes, or a power failure."""
    kill(family(terminal.job))
    terminal.process.wait(PATIENCE)


STOPS: dict[str, Callable[[OnTerminal], None]] = {
    "Ctrl-C": ctrl_c,
    "Ctrl-C twice": ctrl_c_twice,
    "SIGTERM to `ansible-playbook`": sigterm,
    "SIGTERM to all of its processes": sigterm_to_all,
    "SIGHUP": session_lost,
    "SIGKILL of `ansible-playbook`": killed,
    "SIGKILL of all of its processes": everything_killed,
}
"""As the first column of the table in docs/guides/emergency.md names them."""
