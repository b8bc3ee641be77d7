# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operating system of a guest as guest operations see it: accounts, what a command line is, answers that a lab scripts.

Sources: API reference of GuestProcessManager, GuestFileManager, GuestProgramSpec, GuestProcessInfo (endTime: exit codes are kept for five
minutes) and FileTransferInformation (url: valid for ten minutes);
open-vm-tools (services/plugins/vix/vixTools.c) for what VMware Tools do with a command line.
"""

from __future__ import annotations

import base64
import binascii
import re
import shlex
from dataclasses import dataclass, field

LINUX, WINDOWS = "linuxGuest", "windowsGuest"
FAMILIES = {"linux": LINUX, "windows": WINDOWS}
"""Family in a lab -> VirtualMachineGuestOsFamily."""
REFUSALS = ("GuestComponentsOutOfDate", "OperationDisabledByGuest", "TooManyGuestLogons")
"""Faults that a guest as a whole answers every operation with."""
PROGRAM_FAULTS = ("FileNotFound", "CannotAccessFile", "GuestPermissionDenied")
"""Faults of StartProgramInGuest for one program (API reference)."""
LONGEST_LINUX = 131_071
"""Characters of a command line: VMware Tools give it to the shell as one argument, and Linux limits each (MAX_ARG_STRLEN, execve(2))."""
LONGEST_WINDOWS = 32_766
"""Characters of a command line (Microsoft, CreateProcessW, lpCommandLine)."""
LONGEST_CMD = 8_191
"""Characters that cmd.exe takes (Microsoft, "Command prompt line string limitation")."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """An account of the guest. ``denied``: it may log in and do nothing (GuestPermissionDenied)."""

    name: str
    password: str = field(repr=False)
    denied: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """What a program does whose command line a regular expression finds. A group ``file`` in it names where the output goes.

    In ``output``, ``{uuid}`` stands for the SMBIOS UUID of the guest.
    """

    command: re.Pattern[str]
    exit_code: int = 0
    output: str = ""
    seconds: float = 0.5
    fault: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A region of a PCI function. ``start`` is 0 where the firmware found no room for it."""

    start: int
    size: int
    is_64: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """A PCI function as the guest sees it. ``driver``: bound to it, or empty. ``decodes``: memory decoding is on."""

    address: str
    vendor: int
    device: int
    class_id: int
    subsystem: tuple[int, int] = (0, 0)
    driver: str = ""
    bars: tuple[Bar, ...] = ()
    decodes: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestSpec:
    """The guest operating system of one VM as the lab describes it.

    ``uuid``: what its SMBIOS shows; empty: that of the VM. ``functions``: None means those that follow from the devices of the VM.
    ``drivers``: vendor:device -> driver, for those.
    """

    family: str = LINUX
    uuid: str = ""
    accounts: tuple[Account, ...] = ()
    functions: tuple[Function, ...] | None = None
    drivers: tuple[tuple[str, str], ...] = ()
    programs: tuple[Program, ...] = ()
    refuses: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command line: ``line`` without the redirection of its output to ``file`` (empty: nowhere), ``text`` in the form people read."""

    family: str
    program: str
    line: str
    text: str
    file: str = ""
    too_long: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """What a program did."""

    exit_code: int = 0
    output: bytes = b""
    seconds: float = 0.5


def command(family: str, program: str, arguments: str) -> Command:
    """What VMware Tools make of a program and its arguments.

    On Linux a shell gets ``"program" arguments``, so it can redirect output. On Windows only ``cmd.exe /c`` is a shell (API reference,
    GuestProgramSpec.arguments).
    """
    whole = f'"{program}" {arguments}'
    if family == LINUX:
        rest, file = redirected(arguments)
        return Command(
            family=family,
            program=program,
            line=f'"{program}" {rest}',
            text=f"{program} {rest}",
            file=file,
            too_long=len(whole.encode()) > LONGEST_LINUX,
        )
    shell = re.fullmatch(r"\s*/c\s+(.*)", arguments, re.DOTALL | re.IGNORECASE)
    if shell is None or _base(program) != "cmd.exe":
        return Command(
            family=family,
            program=program,
            line=whole,
            text=f"{program} {decoded(arguments)}",
            too_long=len(whole) > LONGEST_WINDOWS,
        )
    inner = shell[1].strip()
    if len(inner) > 1 and inner.startswith('"') and inner.endswith('"'):  # cmd.exe takes the outer ones away
        inner = inner[1:-1]
    rest, file = redirected(inner, quotes='"', escapes="^")
    return Command(
        family=family,
        program=program,
        line=rest,
        text=f"{program} /c {decoded(rest)}",
        file=file,
        too_long=len(inner) > LONGEST_CMD,
    )


def _base(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2].lower()


def redirected(text: str, *, quotes: str = "'\"", escapes: str = "\\") -> tuple[str, str]:
    """The arguments without the first redirection of standard output outside quotes, and the file it names; errors may go there too."""
    quote, skip = "", False
    for place, mark in enumerate(text):
        if skip:
            skip = False
        elif mark in escapes and quote != "'":
            skip = True
        elif quote:
            quote = "" if mark == quote else quote
        elif mark in quotes:
            quote = mark
        elif (
            mark == ">"
            and text[place - 1 : place] not in ("2", ">", "&")
            and text[place + 1 : place + 2] not in (">", "&")
        ):
            return text[:place].rstrip(), _file(text[place + 1 :], posix=escapes == "\\")
    return text, ""


def _file(rest: str, *, posix: bool) -> str:
    try:
        first = shlex.split(rest, posix=posix)[:1]
    except ValueError:
        return ""
    return first[0].strip('"') if first else ""


def decoded(arguments: str) -> str:
    """The arguments with the script of -EncodedCommand as PowerShell reads it: base64 of UTF-16 (Microsoft, about_PowerShell_exe)."""

    def plain(found: re.Match[str]) -> str:
        try:
            return f"{found[1]} {base64.b64decode(found[2], validate=True).decode('utf-16-le')}"
        except (binascii.Error, UnicodeDecodeError):
            return found[0]

    return re.sub(r"(?i)(-e(?:nc(?:odedcommand)?)?)\s+([A-Za-z0-9+/=]+)", plain, arguments)


def answer(spec: GuestSpec, asked: Command) -> Program | None:
    """The first scripted program that is meant; None when the script has none."""
    return next((item for item in spec.programs if item.command.search(asked.text)), None)


def output_file(item: Program, asked: Command) -> str:
    """Where the output of a scripted program goes; empty: nowhere."""
    if "file" in item.command.groupindex:
        found = item.command.search(asked.text)
        if found is not None and found["file"]:
            return str(found["file"])
    return asked.file
