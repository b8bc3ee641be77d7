# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts as programs that VMware Tools can start. PRIVATE to the collection.

On Linux, a shell of VMware Tools gets the path and the arguments, so quotes and redirections work. On Windows nothing does: PowerShell
writes the file itself. ``cmd.exe /c`` could redirect, but takes 8191 characters only (API reference, GuestProgramSpec.arguments).
"""

from __future__ import annotations

import base64
import shlex
from dataclasses import dataclass

from ..._domain.errors import InputError
from ..._domain.guest.report import GuestOs

POWERSHELL = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"
SHELL = "/bin/sh"
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
LONGEST = {"linux": 131_000, "windows": 32_700}
"""Characters of a command line: one argument of a Linux program has 128 KiB at most (execve(2)), a command line of Windows 32,767
characters (CreateProcessW). A little less, for the path of the program."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    path: str
    arguments: str


def command_script(os: GuestOs, command: str) -> str:
    """The script for one command of the user, as the probe runs it: VMware Tools may be started with a short PATH."""
    return f"PATH=$PATH:{PATH}\n{command}" if os == "linux" else command


def program_of(os: GuestOs, script: str, output: str | None) -> Program:
    """The program that runs a script. ``output``: the file for its output, which is discarded without one. Raises InputError."""
    made = _linux(script, output) if os == "linux" else _windows(script, output)
    if len(made.arguments.encode()) > LONGEST[os]:
        raise InputError(
            message=f"The commands for a {os} guest are too long: {len(made.arguments)} characters; a command line has {LONGEST[os]}",
            code="guest_command_too_long",
            parameter="commands",
            cure="Put the commands into a script in the guest, and name the script",
        )
    return made


def _linux(script: str, output: str | None) -> Program:
    target = "/dev/null" if output is None else shlex.quote(output)
    return Program(path=SHELL, arguments=f"-c {shlex.quote(script)} </dev/null >{target} 2>&1")


def _windows(script: str, output: str | None) -> Program:
    text = script
    if output is not None:
        name = output.replace("'", "''")
        text = f"[IO.File]::WriteAllLines('{name}',[string[]]@(& {{\n{script}\n}}))\nexit 0"
    encoded = base64.b64encode(text.encode("utf-16-le")).decode("ascii")
    return Program(path=POWERSHELL, arguments=f"-NoProfile -NonInteractive -EncodedCommand {encoded}")
