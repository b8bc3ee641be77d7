# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main workflow on a simulated vCenter: plan, site, site again, and the state of all devices.

``python -m tools.demo`` starts the simulator, runs the playbooks on examples/vcenter, shows the state before and after,
and stops everything. It fails when plan writes, site fails, or the second site changes anything.
"""

from __future__ import annotations

import argparse
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.demo_view import Paint, device_rows, recap, role_lines, table, vm_rows, writes_line
from tools.envs import ROOT, clean_environ
from tools.lab import LabError, control, running
from tools.tree import collections_path, sync

LAB = "simulator/labs/demo.yml"
INVENTORY = "examples/vcenter/inventory.yml"
STEP_SECONDS = 240.0
SPEED = 60.0


class DemoError(Exception):
    """A step of the demo failed. The message names the step and contains its output."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One run of a playbook, with the writes in the journal of the simulator."""

    name: str
    seconds: float
    output: str
    writes: Sequence[Mapping[str, Any]]

    @property
    def changed(self) -> dict[str, int]:
        return {host: changed for host, (changed, _failed) in recap(self.output).items()}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The context of the demo: variables of the simulator, environment of playbooks, terminal."""

    lab: Mapping[str, str]
    environ: Mapping[str, str]
    paint: Paint
    live: bool
    verbose: bool

    def say(self, text: str = "") -> None:
        print(text, flush=True)

    def heading(self, text: str, explanation: str) -> None:
        self.say(f"\n{self.paint(text, 'bold', 'cyan')}\n{self.paint(explanation, 'dim')}\n")

    def ask(self, path: str) -> Any:
        return control(self.lab, path)


def play(stage: Stage, name: str, playbook: str) -> Step:
    """Run a playbook of the collection. Raises DemoError when it fails."""
    command = ["ansible-playbook", f"directpath.vsphere.{playbook}", "--inventory", str(ROOT / INVENTORY)]
    command += ["--extra-vars", "rolling_reboot_consent=true"]
    stage.say(f"  $ ansible-playbook directpath.vsphere.{playbook} -i {INVENTORY} -e rolling_reboot_consent=true\n")
    seen = len(stage.ask("/journal?writes=1&limit=100000"))
    started = time.monotonic()
    code, output = _run(stage, command, started)
    seconds = time.monotonic() - started
    if code != 0:
        raise DemoError(f"{name} ended with status {code}:\n{_end(output)}")
    for line in [] if stage.verbose else role_lines(output):
        stage.say(f"  {_colored(stage.paint, line)}")
    writes = stage.ask("/journal?writes=1&limit=100000")[seen:]
    step = Step(name=name, seconds=seconds, output=output, writes=writes)
    total = sum(step.changed.values())
    stage.say(f"\n  {stage.paint(f'{seconds:.0f} s, changed={total}, {writes_line(writes)}', 'bold')}")
    return step


def _end(output: str) -> str:
    """The end of the output, where the error is; -v shows all of it."""
    return "".join(output.splitlines(keepends=True)[-40:])


def _run(stage: Stage, command: Sequence[str], started: float) -> tuple[int, str]:
    """Run a command. Returns exit status and output. On a terminal, one line shows the current task."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=dict(stage.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    lines: list[str] = []
    try:
        task = ""
        for line in _lines(process, started + STEP_SECONDS):
            if line is not None:
                lines.append(line)
                task = line.partition("[")[2].partition("]")[0] if line.startswith("TASK [") else task
                if stage.verbose:
                    stage.say(f"  {line.rstrip()}")
            if stage.live and not stage.verbose:
                words = task.removeprefix("directpath.vsphere.").partition(" - ")[0][:90]
                print(f"\r\033[K  {time.monotonic() - started:4.0f} s  {words}", end="", flush=True)
        return process.wait(), "".join(lines)
    finally:
        if stage.live and not stage.verbose:
            print("\r\033[K", end="", flush=True)
        if process.poll() is None:
            process.terminate()
            process.wait()


def _lines(process: subprocess.Popen[str], deadline: float) -> Iterator[str | None]:
    """Yield each line when it arrives, and None four times a second in between."""
    assert process.stdout is not None
    output, incoming = process.stdout, queue.Queue[str | None]()

    def read() -> None:
        for line in output:
            incoming.put(line)
        incoming.put(None)

    threading.Thread(target=read, daemon=True).start()
    while time.monotonic() < deadline:
        try:
            line = incoming.get(timeout=0.25)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        yield line
    raise DemoError(f"a playbook was stopped after {STEP_SECONDS:.0f} s")


def _colored(paint: Paint, line: str) -> str:
    if "refused" in line or "failed" in line:
        return paint(line, "red")
    if line.startswith(" "):
        return paint(line, "yellow" if "requires a reboot" in line else "dim") if "→" not in line else line
    return paint(line, "dim") if line.endswith(("in sync", "as wanted", "requires no reboot")) else paint(line, "bold")


def show(stage: Stage, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Print the tables of devices and VMs."""
    heads = ("host", "device", "before", "", "now", "in use by")
    stage.say(table(heads, device_rows(before, after), stage.paint))
    stage.say()
    stage.say(table(("VM", "host", "power", "devices", "memory"), vm_rows(before, after), stage.paint))


def perform(stage: Stage) -> None:
    """Run the whole demo. Raises DemoError when a step fails."""
    before = stage.ask("/state")
    hosts, vms = len(before["hosts"]), len(before["vms"])
    stage.say(f"{stage.paint('A simulated vCenter', 'bold')} with {hosts} hosts and {vms} VMs. Nothing here is real.")
    stage.heading("1. plan", "Shows all changes that site would make. Writes nothing.")
    plan = play(stage, "plan", "plan")
    if plan.writes or stage.ask("/state")["vms"] != before["vms"]:
        raise DemoError(f"plan wrote to the vCenter: {writes_line(plan.writes)}")
    stage.heading("2. site", "Enables the devices, reboots the one host that needs it, attaches to VMs, verifies.")
    site = play(stage, "site", "site")
    if not site.writes:
        raise DemoError(f"site changed nothing:\n{site.output}")
    after = stage.ask("/state")
    stage.heading("3. site again", "Everything is in the desired state, so nothing may change.")
    again = play(stage, "site again", "site")
    if again.writes or any(again.changed.values()):
        raise DemoError(f"the second site changed something: {writes_line(again.writes)}\n{again.output}")
    stage.heading("Before and now", "From the simulated hosts, not from the output of the playbooks.")
    show(stage, before, after)
    stage.say()
    calls = stage.ask("/counters")["calls"]
    for step in (plan, site, again):
        stage.say(f"  {step.name:12}{step.seconds:4.0f} s   {writes_line(step.writes)}")
    stage.say(f"\n{stage.paint('Done.', 'bold', 'green')} {calls} calls in all. Nothing is left running.")
    stage.say("Next: make lab, then examples/README.md.")


def main() -> int:
    """Exit status 1 when the demo fails, 130 when it is interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__.partition("\n")[0])
    parser.add_argument("--speed", type=float, default=SPEED, help="simulated seconds in one second (default 60)")
    parser.add_argument("--lab", type=Path, default=Path(LAB), help=argparse.SUPPRESS)
    parser.add_argument("-v", "--verbose", action="store_true", help="show the whole output of ansible-playbook")
    options = parser.parse_args()
    live = sys.stdout.isatty()
    paint = Paint(live and not os.environ.get("NO_COLOR"))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sync("run")
    try:
        with running(options.lab, options.speed) as lab:
            environ = clean_environ(Path(sys.prefix)) | dict(lab)
            environ["ANSIBLE_COLLECTIONS_PATH"] = str(collections_path("run"))
            perform(Stage(lab=lab, environ=environ, paint=paint, live=live, verbose=options.verbose))
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.")
        return 130
    except (DemoError, LabError) as problem:
        print(f"\n{paint('The demo failed:', 'bold', 'red')} {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
