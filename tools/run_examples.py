# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Execute every module's EXAMPLES against the simulator, each alone on a fresh lab, three times.

A check run must write nothing (by the simulator's journal), the real run must change what the check run said it would,
and another run must change nothing. tests/docs/examples.yml says for which lab an example is written. Where an example
connects (hostname, username ...), its connection options are replaced by the lab's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tools.commands import StepError, changed, run
from tools.envs import ROOT
from tools.generate import documentation
from tools.lab import LabError, control, running
from tools.run_docs import example_environ

SETTINGS = ROOT / "tests" / "docs" / "examples.yml"
CONNECTION = ("hostname", "username", "password", "port", "validate_certs", "ca_path", "proxy_host", "proxy_port")
STEP_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Example:
    """One task of a module's EXAMPLES, and what it is run with."""

    module: str
    task: Mapping[str, Any]
    lab: str
    vars: Mapping[str, Any] = field(default_factory=dict)
    changes_again: bool = False


def examples(settings: Mapping[str, Any], root: Path = ROOT) -> list[Example]:
    """Every example of every module. A setting for a task that no module has is a ValueError."""
    found = []
    for path in sorted((root / "plugins" / "modules").glob("[a-z]*.py")):
        of_module = (settings.get("modules") or {}).get(path.stem, {})
        for task in yaml.safe_load(documentation(path, "EXAMPLES")):
            own = {**of_module, **(settings.get("tasks") or {}).get(task["name"], {})}
            again = own.get("again", "unchanged")
            if again not in ("changed", "unchanged"):
                raise ValueError(f"again: {again!r} is neither changed nor unchanged")
            found.append(
                Example(
                    module=path.stem,
                    task=without_connection(task),
                    lab=own.get("lab", settings["lab"]),
                    vars=own.get("vars", {}),
                    changes_again=again == "changed",
                )
            )
    unknown = set(settings.get("tasks") or {}) - {str(example.task["name"]) for example in found}
    if unknown:
        raise ValueError(f"no module has an example {', '.join(sorted(unknown))}")
    return found


def without_connection(task: Mapping[str, Any]) -> dict[str, Any]:
    """The task without its connection options; everything else as written."""
    result = dict(task)
    for key, value in task.items():
        if key.startswith("directpath.vsphere.") and isinstance(value, Mapping):
            result[key] = {name: option for name, option in value.items() if name not in CONNECTION}
    return result


def playbook(example: Example) -> list[dict[str, Any]]:
    """One play of the one task; connection options come from the environment."""
    play: dict[str, Any] = {
        "name": "Example",
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {**example.vars, "ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "tasks": [dict(example.task)],
    }
    return [play]


def run_example(example: Example, environ: Mapping[str, str]) -> str | None:
    """None when all three runs did what they should; else what went wrong."""
    try:
        with tempfile.TemporaryDirectory(prefix="directpath-examples-") as folder, running(example.lab) as variables:
            file = Path(folder) / "example.yml"
            file.write_text(yaml.safe_dump(playbook(example), sort_keys=False), encoding="utf-8")
            both = {**environ, **variables}
            forecast = _play(file, both, "--check")
            if writes := control(variables, "/journal?writes=1"):
                return f"check mode wrote: {writes}"
            real = _play(file, both)
            if real != forecast:
                return f"check mode said changed={forecast}, the run changed={real}"
            again = _play(file, both)
            if bool(again) != example.changes_again:
                return f"a second run changed={again}, expected {'a change' if example.changes_again else 'none'}"
    except (LabError, StepError) as problem:
        return str(problem)
    return None


def _play(file: Path, environ: Mapping[str, str], *options: str) -> int:
    """The number of changed tasks."""
    done = run(["ansible-playbook", "--diff", *options, str(file)], file.parent, environ, STEP_SECONDS)
    if done.code != 0:
        raise StepError(f"{' '.join(options) or 'real run'}: exit status {done.code}\n{done.output}")
    return sum(changed(done.output).values())


def main() -> int:
    """Exit status 1 when any example fails, or none was found."""
    parser = argparse.ArgumentParser(prog="python -m tools.run_examples", description=__doc__)
    parser.add_argument("modules", nargs="*", help="module names; all when none is named")
    wanted = parser.parse_args().modules
    found = examples(yaml.safe_load(SETTINGS.read_text(encoding="utf-8")))
    chosen = [example for example in found if not wanted or example.module in wanted]
    environ = example_environ("examples")
    failed = 0
    with ThreadPoolExecutor(max_workers=2) as pool:
        for example, problem in zip(chosen, pool.map(lambda e: run_example(e, environ), chosen), strict=True):
            failed += problem is not None
            print(f"{'FAILED' if problem else 'ok    '} {example.module}: {example.task['name']}", flush=True)
            if problem:
                print(problem, flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
