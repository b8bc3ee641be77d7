# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way into a guest through VMware Tools: run a script, read its exit code, and its output on request. PRIVATE to the collection.

There is no network connection to the guest. Only the output comes over another connection, from the ESXi host (``download``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from ..._domain.errors import DirectPathError
from ..._domain.guest.report import GuestOs
from ..http.connections import BrokenAnswer
from ..property_collector.retrieve import collect_objects
from ..sdk import vim, vmodl
from ..session.connect import Session
from ..session.faults import CONNECTION_ERRORS, is_transient
from .account import GuestAccount, authentication
from .commands import Program, command_script, program_of
from .download import download
from .faults import explain_guest, is_passing
from .tools import ToolsState, wait_ready

_Result = TypeVar("_Result")

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 4.0
PREFIX, SUFFIX = "directpath-", ".txt"
TIDY = 20.0
"""Seconds for the removal of the temporary file. They are not part of the timeout: the file is removed after a timeout, too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Managers:
    """The managers of guest operations."""

    processes: Any
    files: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a script ended. ``output``: empty unless it was requested. ``left``: the temporary file that could not be removed, or empty."""

    exit_code: int
    output: bytes = b""
    left: str = ""


def read_managers(session: Session) -> Managers:
    """The managers of the server, in one read. Raises DirectPathError (not_supported)."""
    manager = getattr(session.content, "guestOperationsManager", None)
    paths = ("processManager", "fileManager")
    rows = [] if manager is None else collect_objects(session, type(manager), [manager._moId], paths)
    found = [row.get(path) for row in rows for path in paths]
    if len(found) != 2 or None in found:
        raise DirectPathError(
            message="The server offers no guest operations",
            code="not_supported",
            cure="Use the connection of Ansible instead (via: connection)",
        )
    processes, files = found
    return Managers(
        processes=session.reference(type(processes), processes._moId), files=session.reference(type(files), files._moId)
    )


class ToolsRoute:
    """Guest operations in one VM with one account. ``timeout``: seconds for all of them together, the wait for VMware Tools included."""

    def __init__(
        self, session: Session, managers: Managers, state: ToolsState, account: GuestAccount, *, timeout: float
    ) -> None:
        self._session, self._managers, self._state, self._account = session, managers, state, account
        self._timeout, self._end = timeout, session.clock() + timeout
        self._vm = session.reference(vim.VirtualMachine, state.name.moid)

    @property
    def _name(self) -> str:
        return self._state.name.name

    def wait_ready(self) -> None:
        """Wait until VMware Tools serve guest operations. Raises DirectPathError."""
        wait_ready(self._session, self._state, timeout=max(0.0, self._end - self._session.clock()))

    def exit_code(self, os: GuestOs, command: str) -> int:
        """Run a command and return its exit code. Makes no file, and needs no connection to the ESXi host. Raises DirectPathError."""
        return self._run(program_of(os, command_script(os, command), None))

    def output(self, os: GuestOs, script: str) -> Ended:
        """Run a script and return its output. Raises DirectPathError."""
        program_of(os, script, "")  # too long: before there is a file
        with self._temporary_file() as file:
            code = self._run(program_of(os, script, file.path))
            info = self._ask(
                "read the output of the probe", lambda: self._files.InitiateFileTransferFromGuest(*self._who, file.path)
            )
            text = download(self._session.endpoint, info.url, info.size)
        return Ended(exit_code=code, output=text, left=file.path if file.left else "")

    # -- programs ----------------------------------------------------------------------------------------------

    def _run(self, program: Program) -> int:
        spec = vim.vm.guest.ProcessManager.ProgramSpec(programPath=program.path, arguments=program.arguments)
        pid = self._ask(
            "run the probe",
            lambda: self._managers.processes.StartProgramInGuest(*self._who, spec),
            repeats=False,
        )
        pause = FIRST_PAUSE
        while True:
            self._session.sleep(pause)
            found = self._ask(
                "watch the probe", lambda: self._managers.processes.ListProcessesInGuest(*self._who, [pid])
            )
            process = next((one for one in found or () if one.pid == pid), None)
            if process is None:
                raise self._lost()
            if process.exitCode is not None:
                return int(process.exitCode)
            if process.endTime is not None:
                raise self._lost()
            if self._session.clock() >= self._end:
                raise self._too_long(pid)
            pause = min(2 * pause, LONGEST_PAUSE, max(FIRST_PAUSE, self._end - self._session.clock()))

    def _lost(self) -> DirectPathError:
        return DirectPathError(
            message=f"The guest of {self._name}, or its VMware Tools, restarted while the probe ran: its exit code is lost",
            code="guest_rebooted",
            cure="Run the task again when the guest is up",
        )

    def _too_long(self, pid: int) -> DirectPathError:
        ended = "it was terminated"
        try:
            self._managers.processes.TerminateProcessInGuest(*self._who, pid)
        except (vmodl.MethodFault, *CONNECTION_ERRORS):
            ended = f"it may still run (process {pid})"
        return DirectPathError(
            message=f"The probe in the guest of {self._name} did not end in {self._timeout:.0f} seconds; {ended}",
            code="guest_timed_out",
            cure="A broken device can block its driver: check the kernel messages of the guest, or set a longer guest_timeout",
        )

    # -- files -------------------------------------------------------------------------------------------------

    @contextmanager
    def _temporary_file(self) -> Iterator[_TemporaryFile]:
        """A file in the guest that is removed at the end in any case. If it cannot be, an error in the block is more important."""
        path = self._ask(
            "make a temporary file",
            lambda: _absolute(self._files.CreateTemporaryFileInGuest(*self._who, PREFIX, SUFFIX, None)),
            repeats=False,
        )
        file = _TemporaryFile(path=path)
        try:
            yield file
        except DirectPathError as error:
            self._remove(file)
            if file.left:
                error.message = f"{error.message.rstrip('.')}. The temporary file {file.path} is left in the guest"
            raise
        except BaseException:
            self._remove(file)
            raise
        self._remove(file)

    def _remove(self, file: _TemporaryFile) -> None:
        self._end = max(self._end, self._session.clock() + TIDY)
        try:
            self._ask("remove a temporary file", lambda: self._files.DeleteFileInGuest(*self._who, file.path))
        except DirectPathError as error:
            file.left = not isinstance(error.__cause__, vim.fault.FileNotFound)  # removed, and only the answer was lost

    # -- calls -------------------------------------------------------------------------------------------------

    @property
    def _files(self) -> Any:
        return self._managers.files

    @property
    def _who(self) -> tuple[Any, Any]:
        """The first arguments of every guest operation. Made for each call, so that nothing keeps the password in another form."""
        return self._vm, authentication(self._account)

    def _ask(self, doing: str, call: Callable[[], _Result], *, repeats: bool = True) -> _Result:
        """Make one call. Until the deadline it is retried while the guest restarts or is busy; after a broken connection only if it
        ``repeats``, which means that a second time does no harm. Raises DirectPathError."""
        pause = FIRST_PAUSE
        while True:
            try:
                return call()
            except (vmodl.MethodFault, *CONNECTION_ERRORS) as fault:
                may = is_passing(fault) or (repeats and is_transient(fault))
                if not may or self._session.clock() + pause >= self._end:
                    raise explain_guest(fault, doing=doing, vm=self._name) from fault
            self._session.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def _absolute(path: str) -> str:
    """The path unchanged. Raises BrokenAnswer for text that is no absolute path, to which no output may go."""
    if not path.startswith("/") and path[1:3] != ":\\":
        raise BrokenAnswer("it is not the path of a file", method="CreateTemporaryFileInGuest")
    return path


@dataclass(kw_only=True, slots=True)
class _TemporaryFile:
    """A file in the guest. ``left``: it could not be removed."""

    path: str
    left: bool = False
