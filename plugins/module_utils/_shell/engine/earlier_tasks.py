# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode: what the earlier tasks of the same play would have changed, in a file. PRIVATE to the collection.

The file is in the temporary folder of the Ansible process that runs the play (``ansible-local-PID...``), which only this user can open and
which Ansible removes at its end. A module finds the folder through its parent processes, so there is none when the module does not run
below Ansible on the control node (another machine, ``async``, another user), when Ansible was not started with ``--check``, or when
``local_tmp`` is set in ansible.cfg.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from ..._domain.errors import DirectPathError
from ..._domain.planning.plan import Plan
from ..._domain.planning.predicted import NOTHING_PREDICTED, Predicted
from ..._vsphere.file_lock import lock as lock_file
from ..._vsphere.session.endpoint import Endpoint
from .predicted_record import from_record, to_record

_MOST_BYTES = 64 * 2**20
_RANDOM = 8
"""Length of the random part of a folder name (``tempfile.mkdtemp``)."""
ONLY_ASKS = "DIRECTPATH_ONLY_ASKS"
"""Set for tasks of our roles that show what another task is going to do: they see what earlier tasks would change, and add nothing."""
_MAY_PASS = frozenset({"not_active", "no_free_device"})
"""Codes of blockers that end when devices are enabled."""
_SECRET = frozenset({"bmc", "secrets"})
"""Parts of a request that contain passwords."""
_SHORT_OPTIONS = re.compile(r"-[CDKJbkv]*C[CDKJbkv]*")
"""A group of options without a value, with -C among them."""


def controller_folder() -> Path | None:
    """The folder for this in that of the Ansible process above this one that was started with ``--check``. None when there is none."""
    for process in _parents():
        if _is_check_run(process.pid):
            for base in _bases():
                found = _folder_of(process, base)
                if found is not None:
                    return found
    return None


@dataclass(frozen=True, kw_only=True)
class Process:
    """A running process. ``started``: clock ticks since the system started, so that no other process with this id has the same."""

    pid: int
    started: str


class EarlierTasks:
    """What the earlier tasks for one server and account would have changed.

    A task does not see what a task with an equal ``request`` (a dataclass) added: that one is usually the same question, asked twice.
    """

    def __init__(self, folder: Path | None, place: Endpoint, request: Any) -> None:
        self._folder = folder
        self._name = f"directpath-{_digest([place.hostname.lower(), place.port, place.username])[:32]}"
        self._task = _digest(request)

    @classmethod
    def above(cls, place: Endpoint, request: Any) -> EarlierTasks:
        """Those of the Ansible process above this one."""
        return cls(controller_folder(), place, request)

    def why_unknown(self, plan: Plan) -> tuple[str, ...]:
        """A warning if the plan has a blocker that an earlier task may remove, and this task cannot know."""
        codes = {blocker.code for target in plan.blocked for blocker in target.blockers}
        if self._folder is not None or os.environ.get(ONLY_ASKS) or not codes & _MAY_PASS:
            return ()
        return (
            'Check mode does not know here what earlier tasks of the play would change (see the guide "Check before change"). If one of '
            "them enables these devices, give its hosts and devices in assume_enabled",
        )

    def read(self) -> Predicted:
        """What is predicted before this task. Raises DirectPathError for a file that cannot be read."""
        if self._folder is None:
            return NOTHING_PREDICTED
        with _explained(self._folder), self._locked(self._folder):
            found = NOTHING_PREDICTED
            for task, predicted in self._read(self._folder):
                if task != self._task:
                    found = found.then(predicted)
            return found

    def add(self, predicted: Predicted) -> None:
        """Add what this task would change. Raises DirectPathError."""
        if self._folder is None or os.environ.get(ONLY_ASKS):
            return
        with _explained(self._folder), self._locked(self._folder):
            tasks = [(task, found) for task, found in self._read(self._folder) if task != self._task]
            tasks += [(self._task, predicted)] if predicted else []
            content = json.dumps([[task, to_record(found)] for task, found in tasks])
            part = self._folder / f"{self._name}.{os.getpid()}"
            _write(part, content)
            part.replace(self._folder / f"{self._name}.json")

    def _read(self, folder: Path) -> Sequence[tuple[str, Predicted]]:
        try:
            number = os.open(folder / f"{self._name}.json", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return ()
        with os.fdopen(number, "rb") as handle:
            text = handle.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise ValueError("the file is too large")
        try:
            content = json.loads(text)
            if not isinstance(content, list):
                raise ValueError("it is not a list")
            return [(str(task), from_record(record)) for task, record in content]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"this collection did not write {self._name}.json ({error})") from error

    @contextmanager
    def _locked(self, folder: Path) -> Iterator[None]:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        lock = os.open(folder / f"{self._name}.lock", flags, 0o600)
        try:
            lock_file(lock)
            yield
        finally:
            os.close(lock)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(_plain(value)).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """The same for equal values, in each process."""
    if is_dataclass(value):
        shown = {part.name: _plain(getattr(value, part.name)) for part in fields(value) if part.name not in _SECRET}
        return [type(value).__name__, sorted(shown.items())]
    if isinstance(value, Mapping):
        return sorted([_plain(key), _plain(kept)] for key, kept in value.items())
    if isinstance(value, Set):
        return sorted(map(repr, value))
    return [_plain(kept) for kept in value] if isinstance(value, list | tuple) else repr(value)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise DirectPathError(
            message=f"Check mode cannot keep in {folder} what each task of this play would change: {error}",
            code="no_prediction",
            cure="Check that this folder can be written to and has space, and run the playbook again",
        ) from error


def _write(path: Path, content: str) -> None:
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(number, "w", encoding="utf-8") as handle:
        handle.write(content)


def _parents() -> Iterator[Process]:
    """The parent processes, the nearest first. Ends where the system does not tell."""
    pid = os.getppid()
    with suppress(OSError, ValueError, IndexError):
        while pid > 1:
            # The second field is the program in parentheses, which may contain spaces and parentheses.
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            yield Process(pid=pid, started=fields[19])
            pid = int(fields[1])


def _is_check_run(pid: int) -> bool:
    """Whether a process was started with --check or -C."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    return any((len(word) > 3 and "--check".startswith(word)) or _SHORT_OPTIONS.fullmatch(word) for word in words)


def _bases() -> Iterable[Path]:
    """Where Ansible makes its temporary folders, as its environment says. A setting in ansible.cfg is not known to a module."""
    chosen = os.environ.get("ANSIBLE_LOCAL_TEMP")
    if chosen:
        return [Path(chosen).expanduser()]
    return [Path(os.environ.get("ANSIBLE_HOME") or "~/.ansible").expanduser() / "tmp"]


def _folder_of(process: Process, base: Path) -> Path | None:
    """Our folder in a temporary folder of this process, of which it may have several. It is made when it is first needed."""
    start = f"ansible-local-{process.pid}"
    try:
        found = [entry for entry in base.iterdir() if entry.name.startswith(start)]
        own = [entry for entry in found if len(entry.name) == len(start) + _RANDOM and _is_private(entry)]
        if not own:
            return None
        name = f"directpath-{process.started}"
        # A process that was killed left its folder. The process that has its id now made its own later.
        newest = max(own, key=lambda entry: entry.stat().st_ctime_ns)
        place = next((entry / name for entry in own if (entry / name).exists()), newest / name)
        place.mkdir(mode=0o700, exist_ok=True)
        return place if _is_private(place) else None
    except OSError:
        return None


def _is_private(entry: Path) -> bool:
    status = entry.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o077
