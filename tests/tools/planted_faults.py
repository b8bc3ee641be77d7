# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plant known faults, one at a time, and demand that a test fails for each.

``python -m tests.tools.planted_faults`` plants all faults of planted_faults.yml, ``... ID ...`` the named ones; ``--list``
prints them. For each fault it changes one file in a scratch copy of the working files, runs the fault's checks there, and
restores the file. The checkout is never written to. The same checks must pass without the fault: that is shown first.
Run it by hand, before and after a change of the tests: the last line says how many faults were caught and missed, and the
exit status is 1 when one was missed.
"""

from __future__ import annotations

import argparse
import os
import queue
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from tools.commands import Done, run
from tools.envs import ROOT, clean_environ
from tools.tree import working_files

LIST = Path(__file__).with_suffix(".yml")
AREAS = ("domain", "vsphere", "shell", "roles", "simulator")
TOOLS = ("tools.run_targets", "tools.run_docs", "tools.run_examples")
PASSED, FAILED = "passed", "failed"
SHOWN = 2000
"""Characters of output that are shown for a fault that was missed."""


class FaultError(Exception):
    """The list is wrong, or it does not fit the files any more; the message names the fault."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault that somebody could make: in ``file``, ``old`` becomes ``new``.

    ``effect`` says what it would do to a user. ``caught_by``: checks of which each fails with the fault: a pytest node, or
    ``tools.run_targets NAME`` and the like. They are tried in this order until one fails. ``only``: as far as trying could
    tell, nothing else catches it.
    """

    id: str
    area: str
    file: str
    old: str
    new: str
    effect: str
    caught_by: tuple[str, ...]
    only: bool = False

    def planted(self, text: str) -> str:
        """The file's text with the fault in it. Raises FaultError unless ``old`` is there exactly once."""
        found = text.count(self.old)
        if found != 1:
            raise FaultError(f"{self.id}: the old text occurs {found} times in {self.file}, not once")
        return text.replace(self.old, self.new)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one fault: the check that caught it ("" = none), its seconds, and what to show when none did."""

    fault: Fault
    by: str
    seconds: float
    problem: str = ""


class Copy:
    """A scratch copy of the working files, in which pytest and the tools of ``make`` work as in a checkout."""

    _moments = count(1)

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in working_files():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
        # The tools ask git which files there are.
        subprocess.run(["git", "init", "--quiet", str(root)], check=True, stdin=subprocess.DEVNULL)
        inherited = clean_environ(Path(sys.prefix))
        self.environ = {
            name: value if name == "PATH" else value.replace(str(ROOT), str(root))
            for name, value in inherited.items()
            if not name.startswith(("DIRECTPATH_", "EXPLORE"))
        }
        self.environ["HOME"] = str(root / ".cache" / "home")  # a fault may leave something in the user's
        (root / ".cache" / "home").mkdir(parents=True)
        self.environ["CI"] = "true"  # generated tests take the same examples each time: no fault is caught by luck

    @contextmanager
    def planted(self, fault: Fault) -> Iterator[None]:
        """The fault is in the file for the length of the ``with``."""
        file = self.root / fault.file
        original = file.read_bytes()
        times = file.stat()
        # Byte code counts as up to date by size and whole seconds: each state of a file gets seconds of its own.
        moment = times.st_mtime + 2 * next(self._moments)
        file.write_text(fault.planted(original.decode()), encoding="utf-8")
        os.utime(file, (moment, moment))
        try:
            yield
        finally:
            file.write_bytes(original)
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))

    def run(self, checks: Sequence[str]) -> Done:
        """Run pytest nodes together, or one check of the tools."""
        return run(command(checks), self.root, self.environ)


def command(checks: Sequence[str]) -> list[str]:
    """How checks are run: several only where all are pytest nodes."""
    words = checks[0].split(" ")
    if words[0] in TOOLS:
        return [sys.executable, "-m", *words]
    # No -m of the configuration: tests that `make unit` leaves out count as well.
    return [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "", *checks]


def verdict(check: str, done: Done) -> str:
    """PASSED, FAILED (a test failed; not a test that cannot be found or imported), or what else happened, as a clause."""
    if done.code == 0:
        return PASSED
    last = done.output.strip().splitlines()[-1:] or [""]
    tests = re.search(r"(\d+) failed", last[0])
    if done.code == 1 and tests is not None and int(tests[1]) > 0:
        return FAILED
    return f"{check}: exit status {done.code} and no failed test ({last[0]})"


def load(path: Path = LIST) -> tuple[Fault, ...]:
    """The list. Raises FaultError for keys that are missing, unknown or of another type, and for an id that is there twice."""
    faults = tuple(_fault(entry) for entry in yaml.safe_load(path.read_text(encoding="utf-8")))
    ids = [fault.id for fault in faults]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise FaultError(f"more than one fault is called {', '.join(twice)}")
    return faults


def _fault(entry: Mapping[str, Any]) -> Fault:
    name = str(entry.get("id"))
    known = {field.name for field in fields(Fault)}
    missing = known - {"only"} - set(entry)
    if missing or set(entry) - known:
        raise FaultError(f"{name}: missing {sorted(missing)}, unknown {sorted(set(entry) - known)}")
    checks = entry["caught_by"]
    if not isinstance(checks, list) or not checks or entry["area"] not in AREAS:
        raise FaultError(f"{name}: caught_by is a list of checks, and area one of {', '.join(AREAS)}")
    return Fault(**{**entry, "caught_by": tuple(checks)})


def chosen(faults: Sequence[Fault], ids: Sequence[str]) -> list[Fault]:
    """Those with these ids, all when none is given. Raises FaultError."""
    unknown = sorted(set(ids) - {fault.id for fault in faults})
    if unknown:
        raise FaultError(f"no such fault: {', '.join(unknown)}")
    return [fault for fault in faults if not ids or fault.id in ids]


def baseline(copy: Copy, checks: Sequence[str]) -> dict[str, str]:
    """Check → verdict without any fault. Pytest nodes run together; each alone when together they do not pass."""
    nodes = [check for check in checks if check.split(" ")[0] not in TOOLS]
    together = bool(nodes) and copy.run(nodes).code == 0
    alone = [check for check in checks if not together or check not in nodes]
    return dict.fromkeys(nodes, PASSED) | {check: verdict(check, copy.run([check])) for check in alone}


def try_fault(copy: Copy, fault: Fault, before: Mapping[str, str]) -> Result:
    """Plant a fault and run its checks until one fails."""
    started = time.monotonic()
    problems = [f"{before[check]} without the fault" for check in fault.caught_by if before[check] != PASSED]
    with copy.planted(fault):
        for check in fault.caught_by:
            if before[check] != PASSED:
                continue
            done = copy.run([check])
            said = verdict(check, done)
            if said == FAILED:
                return Result(fault=fault, by=check, seconds=time.monotonic() - started)
            problems.append(f"{check}: passed\n" if said == PASSED else f"{said}\n{done.output[-SHOWN:]}")
    return Result(fault=fault, by="", seconds=time.monotonic() - started, problem="\n".join(problems))


def described(fault: Fault) -> str:
    """A fault for people: what it does, and what catches it."""
    title = f"{fault.id} ({fault.file}){', caught by nothing else' if fault.only else ''}"
    return "\n".join([title, f"  {fault.effect}", *(f"  - {check}" for check in fault.caught_by)])


def row(result: Result) -> str:
    """A line of the table."""
    fault = result.fault
    caught = "yes" if result.by else "NO "
    return f"{fault.id:36} {fault.file:58} {caught} {result.seconds:6.1f} s  {result.by or 'nothing'}"


def run_all(faults: Sequence[Fault], jobs: int) -> list[Result]:
    """Try all faults, ``jobs`` at a time, each in a copy of its own."""
    with tempfile.TemporaryDirectory(prefix="directpath-faults-") as folder:
        copies: queue.SimpleQueue[Copy] = queue.SimpleQueue()
        first = Copy(Path(folder, "copy-1"))
        before = baseline(first, list(dict.fromkeys(check for fault in faults for check in fault.caught_by)))
        print(
            f"without a fault: {sum(said == PASSED for said in before.values())} of {len(before)} checks pass",
            flush=True,
        )
        copies.put(first)
        for number in range(2, jobs + 1):
            copies.put(Copy(Path(folder, f"copy-{number}")))

        def one(fault: Fault) -> Result:
            copy = copies.get()
            try:
                result = try_fault(copy, fault, before)
            finally:
                copies.put(copy)
            print(row(result), flush=True)
            if result.problem and not result.by:
                print(result.problem, flush=True)
            return result

        with ThreadPoolExecutor(max_workers=jobs) as pool:
            return list(pool.map(one, faults))


def main() -> int:
    """Exit status 1 when a fault was missed, 2 when the list does not fit the files."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.planted_faults", description=__doc__)
    parser.add_argument("ids", nargs="*", help="faults to plant; all when none is named")
    parser.add_argument("--list", action="store_true", help="print the faults and plant none")
    parser.add_argument("--jobs", type=int, default=1, help="faults at a time, each in a copy of its own")
    options = parser.parse_args()
    try:
        faults = chosen(load(), options.ids)
        for fault in faults:
            fault.planted((ROOT / fault.file).read_text(encoding="utf-8"))
    except FaultError as problem:
        print(problem)
        return 2
    if options.list:
        print("\n\n".join(map(described, faults)))
        return 0
    results = run_all(faults, max(1, options.jobs))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"CPU seconds: {used.ru_utime + used.ru_stime:.0f}")
    caught = sum(bool(result.by) for result in results)
    print(f"{caught} caught, {len(results) - caught} missed")
    return 0 if caught == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
