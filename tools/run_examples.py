# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the EXAMPLES of all modules against the simulator, each three times on its own new lab.

The run in check mode must not write (checked in the journal of the simulator), the real run must make the changes that
check mode reported, and a second real run must change nothing. tests/docs/examples.yml names the labs of examples. The
connection options of an example (hostname, username ...) are replaced by those of its lab.

Ansible starts only three times: each example is a host of the inventory, with variables for its own lab.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tools.commands import StepError, Tally, recap, run
from tools.envs import ROOT
from tools.lab import LabError, control, running
from tools.option_tables import documentation
from tools.run_docs import example_environ
from tools.warm import warm

SETTINGS = ROOT / "tests" / "docs" / "examples.yml"
CONNECTION = ("hostname", "username", "password", "port", "validate_certs", "ca_path", "proxy_host", "proxy_port")
PHASE_SECONDS = 1500
AT_A_TIME = 4  # an example that waits for the boot of a host needs no CPU

Phase = Callable[..., dict[str, Tally]]
"""Runs the playbook on some hosts, or on all: ``phase("--check", hosts=...)``."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """One task of the EXAMPLES of a module, with its lab and variables."""

    module: str
    task: Mapping[str, Any]
    lab: str
    vars: Mapping[str, Any] = field(default_factory=dict)
    changes_again: bool = False


def examples(settings: Mapping[str, Any], root: Path = ROOT) -> list[Example]:
    """All examples of all modules. Raises ValueError for a setting of an unknown task."""
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
    """The task without its connection options."""
    result = dict(task)
    for key, value in task.items():
        if key.startswith("directpath.vsphere.") and isinstance(value, Mapping):
            result[key] = {name: option for name, option in value.items() if name not in CONNECTION}
    return result


def playbook() -> list[dict[str, Any]]:
    """The play: each host runs its own example, and does not wait for others."""
    play: dict[str, Any] = {
        "name": "Examples",
        "hosts": "all",
        "strategy": "free",
        "gather_facts": False,
        "environment": "{{ example_environment }}",
        "tasks": [{"name": "Example", "ansible.builtin.include_tasks": "{{ example_file }}"}],
    }
    return [play]


def names(chosen: Sequence[Example]) -> list[str]:
    """The name of the inventory host of each example."""
    return [f"{number:02d}-{example.module}" for number, example in enumerate(chosen, start=1)]


def inventory(chosen: Sequence[Example], labs: Sequence[Mapping[str, str]], folder: Path) -> dict[str, Any]:
    """An inventory with a host for each example. The connection options come from the environment."""
    common = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    hosts = {
        name: {**example.vars, "example_file": str(folder / f"{name}.yml"), "example_environment": dict(lab)}
        for name, example, lab in zip(names(chosen), chosen, labs, strict=True)
    }
    return {"all": {"vars": common, "hosts": hosts}}


def run_examples(chosen: Sequence[Example], environ: Mapping[str, str]) -> list[str | None]:
    """Run the examples. Returns the problem of each, or None."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="directpath-examples-")))
        labs = [stack.enter_context(running(example.lab)) for example in chosen]
        for name, example in zip(names(chosen), chosen, strict=True):
            _write(folder / f"{name}.yml", [dict(example.task)])
        _write(folder / "inventory.yml", inventory(chosen, labs, folder))
        _write(folder / "play.yml", playbook())
        both = {**environ, **stack.enter_context(warm(environ))}
        return judged(chosen, _phase(folder, both), lambda number: control(labs[number], "/journal?writes=1"))


def judged(chosen: Sequence[Example], phase: Phase, writes: Callable[[int], Any]) -> list[str | None]:
    """Run the three phases. Returns the problem of each example, or None. After a problem, an example is not run again.

    ``writes(number)``: the writes in the journal of the lab of an example.
    """
    hosts = names(chosen)
    wrong: dict[str, str] = {}

    def right() -> list[str]:
        return [host for host in hosts if host not in wrong]

    forecast = _tallies("--check", phase("--check"), hosts, wrong)
    for number, host in enumerate(hosts):
        if host not in wrong and (written := writes(number)):
            wrong[host] = f"check mode wrote: {written}"
    real = _tallies("real run", phase(hosts=right()), right(), wrong) if right() else {}
    for host in right():
        if real[host] != forecast[host]:
            wrong[host] = f"check mode said changed={forecast[host]}, the run changed={real[host]}"
    again = _tallies("second run", phase(hosts=right()), right(), wrong) if right() else {}
    for host, example in zip(hosts, chosen, strict=True):
        if host not in wrong and bool(again[host]) != example.changes_again:
            expected = "a change" if example.changes_again else "none"
            wrong[host] = f"a second run changed={again[host]}, expected {expected}"
    return [wrong.get(host) for host in hosts]


def _tallies(what: str, found: Mapping[str, Tally], hosts: Sequence[str], wrong: dict[str, str]) -> dict[str, int]:
    """Host → its number of changed tasks. Adds hosts that failed or did not run to ``wrong``."""
    for host in hosts:
        if host not in found:
            wrong[host] = f"{what}: it was not run"
        elif found[host].failed:
            wrong[host] = f"{what}: it failed"
    return {host: found[host].changed for host in hosts if host not in wrong}


def _phase(folder: Path, environ: Mapping[str, str]) -> Phase:
    def phase(*options: str, hosts: Sequence[str] = ()) -> dict[str, Tally]:
        limit = ["--limit", ",".join(hosts)] if hosts else []
        command = ["ansible-playbook", "--diff", "--forks", str(AT_A_TIME), "-i", "inventory.yml", *limit, *options]
        done = run([*command, "play.yml"], folder, environ, PHASE_SECONDS)
        if done.code != 0:
            print(f"$ {' '.join(command)}\n{done.output}", flush=True)
        return recap(done.output)

    return phase


def _write(file: Path, content: object) -> None:
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def main() -> int:
    """Exit status 1 when an example fails, or there is none."""
    parser = argparse.ArgumentParser(prog="python -m tools.run_examples", description=__doc__)
    parser.add_argument("modules", nargs="*", help="module names; all when none is named")
    wanted = parser.parse_args().modules
    found = examples(yaml.safe_load(SETTINGS.read_text(encoding="utf-8")))
    chosen = [example for example in found if not wanted or example.module in wanted]
    environ = example_environ("examples")
    try:
        problems = run_examples(chosen, environ) if chosen else []
    except (LabError, StepError) as trouble:
        print(f"{trouble}\n0 passed, {len(chosen)} failed")
        return 1
    for example, problem in zip(chosen, problems, strict=True):
        print(f"{'FAILED' if problem else 'ok    '} {example.module}: {example.task['name']}", flush=True)
        if problem:
            print(problem, flush=True)
    failed = sum(problem is not None for problem in problems)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
