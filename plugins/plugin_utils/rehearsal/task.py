# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rehearsal as one task: its private folder, its reports, its result, and what a signal does. PRIVATE to the collection."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from ...module_utils._domain.errors import DirectPathError
from ...module_utils._domain.rehearsal.outcome import RunOutcome
from ...module_utils._domain.rehearsal.report import rehearsal_record, summary_lines
from ...module_utils._domain.text import all_visible
from ...module_utils._shell.rolling.stop_request import taking_signals
from ...module_utils._vsphere.http.rehearsal import VARIABLE
from ..report.files import local_zone, write_whole
from .child import Invocation
from .driver import Driver, Rehearsed
from .options import RehearsalRequest
from .page import render_rehearsal
from .processes import StoppedFromOutside
from .subject import subject_of

PREFIX = "directpath-rehearsal-"
SHORT = "/tmp"
LONGEST = 50
"""Characters. The path of a Unix socket has 103 at most (macOS), and the folder with its parts takes 50."""


def rehearse_task(
    request: RehearsalRequest, invocation: Invocation, collections: Sequence[str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Keys of the task result. Raises DirectPathError."""
    if VARIABLE in os.environ:
        raise DirectPathError(
            message=f"{VARIABLE} is set: a rehearsal cannot start another one",
            code="rehearsal_in_rehearsal",
            cure=f"Remove {VARIABLE} from the environment",
        )
    work = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_place()))
    keep = request.keep_files
    with _signals_stop():
        try:
            rehearsed = Driver(request, invocation, work, collections, say).rehearse()
            keep = keep or any(run.problem for run in _runs(rehearsed))
            return _result(request, rehearsed, str(work) if keep else "")
        except StoppedFromOutside as stopped:
            raise DirectPathError(
                message=f"The rehearsal was stopped by {stopped}. Its twins have ended. The real vCenter was only read",
                code="interrupted",
                cure="Run the playbook again",
            ) from None
        finally:
            _clean(work, keep=keep)
            if request.captures:
                shutil.rmtree(request.captures, ignore_errors=True)


def _place() -> str | None:
    """Where the folder is made: as for all temporary files, unless the path of a socket in it would be too long."""
    return SHORT if len(tempfile.gettempdir()) > LONGEST and os.path.isdir(SHORT) else None


def _runs(rehearsed: Rehearsed) -> list[RunOutcome]:
    others = [run for _unused, run in rehearsed.what_ifs if run is not None]
    return [rehearsed.undisturbed, *rehearsed.spread, *others]


def _result(request: RehearsalRequest, rehearsed: Rehearsed, folder: str) -> dict[str, Any]:
    """Write the reports, and return the result of the task."""
    zone = local_zone()
    subject = subject_of(request, rehearsed)
    record: dict[str, Any] = all_visible(rehearsal_record(subject))
    files = []
    for path, text in (
        (request.html, partial(render_rehearsal, subject, zone=zone, made=datetime.now())),
        (request.json, partial(json.dumps, record, indent=1, sort_keys=True)),
    ):
        if path:
            try:
                write_whole(path, text(), mode=0o600)
            except OSError as error:
                raise DirectPathError(
                    message=f"The report of the rehearsal cannot be written to {path}: {error.strerror or error}",
                    code="report_not_written",
                    cure="Set rehearse_dir to a directory that this user may write to",
                ) from error
            files.append(path)
    lines = summary_lines(subject)
    return {"rehearsal": record, "lines": lines, "files": files, "folder": folder, "status": record["status"]}


def _clean(work: Path, *, keep: bool) -> None:
    """Remove captures, accounts and sockets in any case, and the logs unless they are to be kept."""
    if not keep:
        shutil.rmtree(work, ignore_errors=True)
        return
    for path in [*work.glob("capture-*"), *work.glob("run-*/gate.json")]:
        with suppress(OSError):
            path.unlink()
    for path in work.glob("t*-*"):
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _signals_stop() -> Iterator[None]:
    """A signal ends the block. After Ctrl-C there are several: from the terminal, and from ansible-playbook."""
    is_stopping = False

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal is_stopping
        if not is_stopping:
            is_stopping = True
            raise StoppedFromOutside(f"signal {number}")

    with taking_signals(stop):
        yield
