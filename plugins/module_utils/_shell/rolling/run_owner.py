# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The owner of a run: a token that identifies a process, and whether this process still exists. PRIVATE to the collection.

A token has the form ``user@host:pid:start:space-random``. ``start`` distinguishes the process from a later one with the same id. ``space``
identifies the boot of the machine and the process namespace, so that two containers with the same host name are not confused.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import platform
import re
import secrets
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

_TOKEN = re.compile(
    r"(?P<user>[^@]*)@(?P<host>[^:]*):(?P<pid>[0-9]+):(?P<start>[0-9a-f]+):(?P<space>[0-9a-f]+)-[0-9a-f]+"
)


def make_owner() -> str:
    """A new token for this process, at most 100 characters. Each call returns a different one."""
    started = _start_of(os.getpid())
    return f"{person()}:{os.getpid()}:{started}:{_space()}-{secrets.token_hex(3)}"


def person() -> str:
    """``user@host``: who runs this process, as in a token."""
    return f"{_user()}@{_host()}"


def is_gone(owner: str, *, start_of: Callable[[int], str] | None = None) -> bool:
    """True only if it is certain: the token names a process of this machine, and this process has ended."""
    named = _local(owner)
    return named is not None and (start_of or _start_of)(int(named["pid"])) != named["start"]


def is_local(owner: str) -> bool:
    """Whether the token names a process of this machine, of which ``is_gone`` knows whether it has ended."""
    return _local(owner) is not None


def _local(owner: str) -> re.Match[str] | None:
    named = _TOKEN.fullmatch(owner)
    if named is None or (named["host"], named["space"]) != (_host(), _space()) or named["start"] == "0":
        return None
    return named


def _user() -> str:
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user id without a name, as containers have
        name = f"uid{os.getuid()}"
    return _plain(name)[:24]


def _host() -> str:
    return _plain(platform.node().partition(".")[0])[:40]


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", text)


def _start_of(pid: int) -> str:
    """The start time of a process, as a word to compare; ``-`` if the process does not exist, ``0`` if the start time is unknown."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            words = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return "-"
        return "-" if words[0] in ("Z", "X") else f"{int(words[19]):x}"
    try:
        # Also called by an action plugin, which has no module to run commands.
        shown = subprocess.run(  # pylint: disable=ansible-bad-function
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, check=False, timeout=10
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return "0"
    return hashlib.sha256(shown.strip()).hexdigest()[:10] if shown.strip() else "-"


def machine() -> str:
    """A word for this machine since its last boot. Monotonic clocks can be compared where it is the same."""
    return f"{_host()}:{_space()}"


@cache
def _space() -> str:
    known = [_word(lambda: Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))]
    known.append(_word(lambda: str(Path("/proc/self/ns/pid").readlink())))
    return hashlib.sha256("\0".join(known).encode()).hexdigest()[:6]


def _word(read: Callable[[], str]) -> str:
    try:
        return read()
    except OSError:
        return ""
