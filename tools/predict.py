# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which examples of the documentation are also run with ``--check``, and whether that predicted the run.

An example is run with ``--check`` first if it is one call of ansible-playbook that may change something. That run must write nothing, and
must have the same exit status, and the same numbers of changed and of failed tasks for each host, as the real run after it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tools.commands import Done, StepError, Tally, recap, run
from tools.lab import control
from tools.markdown import Block

READS = ("plan", "verify", "drift", "status")
"""Playbooks of the collection that change nothing."""
SHELLS = ("shell", "bash", "sh")
_PLAYBOOK = re.compile(r"ansible-playbook directpath\.vsphere\.(?P<name>\w+)[^\n;|&]*\Z")
_MODULE = re.compile(r"directpath\.vsphere\.(\w+):")
_OWN_PLAYBOOK = re.compile(r"ansible-playbook (?!directpath\.vsphere\.)[\w./-]+[^\n;|&]*\Z")


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """What the check run of an example did. ``writes``: those in the journal of the simulator before it and after it."""

    done: Done
    writes: tuple[int, int]


def is_predictable(block: Block) -> bool:
    """Whether a check run of the example says what the example will change."""
    how = block.run
    if how is None or how.unpredicted or "--check" in (*how.args, *block.text.split()):
        return False
    if block.language not in SHELLS:
        modules = _MODULE.findall(block.text)
        return not modules or not all(name.endswith("_info") for name in modules)
    script = re.sub(r"\\\n\s*", "", block.text).strip()
    found = _PLAYBOOK.match(script)
    if found:
        return found["name"] not in READS and "--tags rolling_reboot_plan" not in script
    return _OWN_PLAYBOOK.match(script) is not None


def knows_earlier_tasks(block: Block) -> bool:
    """Whether the tasks of a play count on what earlier tasks of it would change. Modules find that through the process of Ansible."""
    if block.language in SHELLS:
        return "directpath.vsphere." not in block.text
    plays = yaml.safe_load(block.text)
    tasks = [task for play in plays for key in ("pre_tasks", "tasks", "post_tasks") for task in play.get(key) or ()]
    return sum(1 for task in tasks if any(str(key).startswith("directpath.vsphere.") for key in task)) > 1


def with_check(command: Sequence[str], block: Block) -> list[str]:
    """The command of an example, with ``--check``."""
    if block.language in SHELLS:
        return [word.rstrip() + " --check\n" if word == block.text else word for word in command]
    return [command[0], "--check", *command[1:]]


def without_check(text: str) -> str:
    """The text of an example without ``--check``, and without ``--diff`` after it. The same text if it is no check run."""
    return re.sub(r" --check\b( --diff\b)?", "", text)


def predict(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Predicted:
    """Run a command, and count what it writes."""
    before = _count_writes(environ)
    done = run(command, folder, environ)
    return Predicted(done=done, writes=(before, _count_writes(environ)))


def _count_writes(environ: Mapping[str, str]) -> int:
    """How many calls that write the simulator of the page has seen."""
    return len(control(environ, "/journal?writes=1")) if "SIMULATOR_CONTROL_URL" in environ else 0


def mispredictions(predicted: Predicted, real: Done) -> list[str]:
    """The problems of a prediction; empty if it was right."""
    before, after = predicted.writes
    problems = [f"check mode made {after - before} writes"] if after != before else []
    if predicted.done.code != real.code:
        problems.append(f"exit status {predicted.done.code} with --check, {real.code} without it")
    foreseen, made = _tallies(predicted.done), _tallies(real)
    problems += [
        f"{host}: {_describe(foreseen.get(host))} with --check, {_describe(made.get(host))} without it"
        for host in sorted({*foreseen, *made})
        if foreseen.get(host) != made.get(host)
    ]
    return [*problems, f"--- output with --check\n{predicted.done.output}"] if problems else []


def _tallies(done: Done) -> Mapping[str, Tally]:
    try:
        return recap(done.output)
    except StepError:
        return {}


def _describe(tally: Tally | None) -> str:
    return f"changed={tally.changed} failed={tally.failed}" if tally is not None else "no recap"
