# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the integration targets (tests/integration/targets/NAME), each with its own new simulator.

The targets also run with ``ansible-test integration``. This runner needs no second virtual environment, runs two targets
at a time, and shows the output of failed ones. The lab of a target is the lab.yml in its folder, or the one that its file
``lab`` names, or the demo lab.

``python -m tools.run_targets`` runs all targets, ``python -m tools.run_targets NAME ...`` some.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from tools.commands import run
from tools.envs import clean_environ
from tools.lab import LabError, running
from tools.tree import collection, collections_path, sync
from tools.warm import warm

DEFAULT_LAB = "simulator/labs/demo.yml"
TARGET_SECONDS = 1200
TREE = "integration"


def targets(tree: Path) -> list[str]:
    """All targets that are tests, without those that prepare others (``setup_*``)."""
    found = sorted(path.parent.parent for path in tree.glob("tests/integration/targets/*/tasks/main.yml"))
    return [path.name for path in found if not path.name.startswith("setup_")]


def lab_of(tree: Path, target: str) -> Path:
    """The lab of a target."""
    folder = tree / "tests" / "integration" / "targets" / target
    if (folder / "lab.yml").exists():
        return folder / "lab.yml"
    named = folder / "lab"
    return tree / (named.read_text(encoding="utf-8").strip() if named.exists() else DEFAULT_LAB)


def playbook(target: str, variables: Mapping[str, str]) -> list[dict[str, object]]:
    """The play that ansible-test would create for a target."""
    values = {
        "simulator_environment": dict(variables),
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    return [
        {
            "name": f"Target {target}",
            "hosts": "testhost",
            "gather_facts": False,
            "vars": values,
            "roles": [target],
        }
    ]


def run_target(tree: Path, target: str, environ: Mapping[str, str]) -> tuple[bool, float, str]:
    """Run a target. Returns whether it passed, its seconds, and its output."""
    started = time.monotonic()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="directpath-target-") as folder,
            running(lab_of(tree, target)) as variables,
        ):
            ok, output = _play(tree, target, Path(folder), variables, environ)
    except LabError as problem:
        ok, output = False, str(problem)
    return ok, time.monotonic() - started, output


def _play(
    tree: Path, target: str, folder: Path, variables: Mapping[str, str], environ: Mapping[str, str]
) -> tuple[bool, str]:
    play = folder / "play.yml"
    play.write_text(yaml.safe_dump(playbook(target, variables), sort_keys=False), encoding="utf-8")
    inventory = folder / "inventory"
    inventory.write_text("testhost ansible_connection=local\n", encoding="utf-8")
    command = ["ansible-playbook", "--diff", "--inventory", str(inventory), str(play)]
    done = run(command, folder, {**environ, **variables}, TARGET_SECONDS)
    return done.code == 0, done.output


def target_environ(tree: Path) -> dict[str, str]:
    """The environment of all targets."""
    return clean_environ(Path(sys.prefix)) | {
        "ANSIBLE_COLLECTIONS_PATH": str(collections_path(TREE)),
        "ANSIBLE_ROLES_PATH": str(tree / "tests" / "integration" / "targets"),
        "ANSIBLE_PIPELINING": "1",  # no temporary folder and file for each module
        "SSL_CERT_FILE": os.devnull,  # the CAs of the machine, which each task would load, are not needed here
    }


def main() -> int:
    """Exit status 1 when a target fails, or there is none."""
    parser = argparse.ArgumentParser(prog="python -m tools.run_targets", description=__doc__)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("-v", "--verbose", action="store_true", help="show the output of targets that pass, too")
    options = parser.parse_args()
    sync(TREE)
    tree = collection(TREE)
    chosen = options.targets or targets(tree)
    unknown = sorted(set(chosen) - set(targets(tree)))
    if unknown or not chosen:
        print(f"no such target: {', '.join(unknown)}" if unknown else "no integration target was found")
        return 1
    failed = 0
    environ = target_environ(tree)
    with warm(environ) as variables, ThreadPoolExecutor(max_workers=max(1, options.jobs)) as pool:
        done = pool.map(lambda name: run_target(tree, name, environ | variables), chosen)
        for target, (ok, seconds, output) in zip(chosen, done, strict=True):
            failed += not ok
            print(f"{'ok    ' if ok else 'FAILED'} {target:40}{seconds:7.1f} s", flush=True)
            if options.verbose or not ok:
                print(output, flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
