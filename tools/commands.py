# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command like a user, without a terminal, and read the recap of ansible-playbook."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 600


class StepError(Exception):
    """A step failed. The message contains its output."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """The exit status of a command, with its output and error output in order."""

    code: int
    output: str


def run(command: Sequence[str], folder: Path, environ: Mapping[str, str], seconds: int = SECONDS) -> Done:
    """Run a command without stdin, and stop it after `seconds` (status 124)."""
    try:
        done = subprocess.run(
            list(command),
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        shown = late.stdout.decode(errors="replace") if isinstance(late.stdout, bytes) else late.stdout or ""
        return Done(code=124, output=f"{shown}\nstopped after {seconds} seconds\n")
    return Done(code=done.returncode, output=done.stdout)


def must(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> str:
    """The output of a command. Raises StepError when it fails."""
    print(f"$ {' '.join(command)}", flush=True)
    done = run(command, folder, environ)
    if done.code != 0:
        raise StepError(f"exit status {done.code}\n{done.output}")
    return done.output


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The recap of ansible-playbook for one host."""

    changed: int
    failed: int
    """Tasks that failed or did not reach the host."""


def recap(output: str) -> dict[str, Tally]:
    """Host → its line in the recap of ansible-playbook. Raises StepError when there is no recap."""
    lines = re.findall(
        r"^(\S+)\s*: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)",
        output.rpartition("PLAY RECAP")[2],
        re.MULTILINE,
    )
    if not lines:
        raise StepError(f"no recap in:\n{output}")
    return {
        host: Tally(changed=int(changes), failed=int(unreachable) + int(failed))
        for host, changes, unreachable, failed in lines
    }


def changed(output: str) -> dict[str, int]:
    """Host → its number of changed tasks, from the recap of ansible-playbook."""
    return {host: tally.changed for host, tally in recap(output).items()}
