# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operating system in a VM: its processes, files and PCI functions. Which operations reach it is in services/guest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from pyVmomi import vim, vmodl

from ...api.takes import not_modelled
from ...rules.knobs import Knobs
from ...rules.vm import guest as rules

if TYPE_CHECKING:
    from ...core.base import Endpoint
    from ...core.clock import Timer
    from .. import pci

Runner = Callable[[rules.Command], rules.Ran]
FIRST_PID = 2001
FIRST_SLOT = 3
WINDOW = 1 << 40
"""Where the firmware of the guest begins to place large BARs, and how far they are apart."""


@dataclass(kw_only=True)
class Process:
    """A program that StartProgramInGuest started. ``told``: VMware Tools still know how it ended, or will."""

    pid: int
    owner: str
    program: str
    line: str
    start: datetime
    began: float
    end: datetime | None = None
    ended: float = 0.0
    exit_code: int | None = None
    told: bool = True
    timer: Timer | None = None


class Machine(Protocol):
    """The VM around a guest; objects.vm.state.VmState is one."""

    sim: Endpoint

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def settings(self) -> Knobs:
        """The knobs in force."""

    def get(self, path: str) -> Any:
        """A property."""

    def lent(self) -> list[pci.Function]:
        """The host devices that it has while it runs, by device key."""


class GuestOs:
    """The scripted guest of one VM.

    ``runner``: called instead of the script for a program that a client starts; what it returns is what the program did. Nothing of a
    lab can set it: only a test, in Python, lets a guest really run something.
    """

    def __init__(self, vm: Machine, spec: rules.GuestSpec) -> None:
        self.vm, self.spec = vm, spec
        self.runner: Runner | None = None
        self.files: dict[str, bytes] = {}
        self.processes: dict[int, Process] = {}
        self.reboots = False
        """Whether the guest restarts right now."""
        self._pid, self._file = FIRST_PID, 0

    @property
    def uuid(self) -> str:
        """The SMBIOS UUID that it shows."""
        return self.spec.uuid or str(self.vm.get("config").uuid)

    # -- who may -----------------------------------------------------------------------------------------------

    def login(self, name: str, password: str) -> None:
        """Raise what the guest answers every operation with, InvalidGuestLogin or GuestPermissionDenied."""
        if self.spec.refuses:
            raise getattr(vim.fault, self.spec.refuses)()
        for account in self.spec.accounts:
            if (account.name, account.password) == (name, password):
                if account.denied:
                    raise vim.fault.GuestPermissionDenied()
                return
        raise vim.fault.InvalidGuestLogin()

    # -- programs ----------------------------------------------------------------------------------------------

    def start(self, owner: str, program: str, arguments: str) -> int:
        """Start a program and return its pid. Raises the fault of a program, and NotSupported for one that nobody scripted."""
        asked = rules.command(self.spec.family, program, arguments)
        if asked.too_long:
            raise vmodl.fault.InvalidArgument(invalidProperty="spec.arguments")
        ran, file = self._ran(asked)
        self._pid += 1
        clock = self.vm.sim.clock
        made = Process(
            pid=self._pid,
            owner=owner,
            program=program,
            line=f'"{program}" {arguments}',
            start=clock.now(),
            began=clock.seconds(),
        )
        self.processes[made.pid] = made
        if file and file not in self.files:
            self.files[file] = b""  # a shell opens it before the program runs
        made.timer = clock.call_later(ran.seconds, lambda: self._finish(made, ran, file))
        return made.pid

    def _ran(self, asked: rules.Command) -> tuple[rules.Ran, str]:
        if self.runner is not None:
            return self.runner(asked), asked.file
        item = rules.answer(self.spec, asked)
        if item is None:
            raise not_modelled(f"a program that the guest of {self.vm.name} has no answer for")
        if item.fault:
            made = getattr(vim.fault, item.fault)()
            if isinstance(made, vim.fault.FileFault):
                made.file = asked.program
            raise made
        text = item.output.replace("{uuid}", self.uuid)
        ran = rules.Ran(exit_code=item.exit_code, output=text.encode(), seconds=item.seconds)
        return ran, rules.output_file(item, asked)

    def _finish(self, process: Process, ran: rules.Ran, file: str) -> None:
        process.timer, process.end, process.exit_code = None, self.vm.sim.clock.now(), ran.exit_code
        process.ended = self.vm.sim.clock.seconds()
        if file:
            self.files[file] = ran.output
        if not process.told:
            self.processes.pop(process.pid, None)

    def listed(self, pids: list[int]) -> list[Process]:
        """Processes by pid, or all; those that ended a while ago are forgotten."""
        now, kept = self.vm.sim.clock.seconds(), self.vm.settings.guest_exit_code_seconds
        for pid, process in list(self.processes.items()):
            if process.end is not None and now - process.ended > kept:
                del self.processes[pid]
        return [process for pid, process in self.processes.items() if not pids or pid in pids]

    def terminate(self, pid: int) -> None:
        """Kill a process. Raises GuestProcessNotFound."""
        process = self.processes.get(pid)
        if process is None or process.end is not None:
            raise vim.fault.GuestProcessNotFound(pid=pid)
        if process.timer is not None:
            process.timer.cancel()
        self._finish(process, rules.Ran(exit_code=-1 if self.spec.family == rules.WINDOWS else 137), "")

    # -- what happens to it ------------------------------------------------------------------------------------

    def stopped(self) -> None:
        """It does not run any more: all its processes are gone."""
        for process in self.processes.values():
            if process.timer is not None:
                process.timer.cancel()
        self.processes.clear()

    def tools_restarted(self) -> None:
        """VMware Tools forget what they started: ends and exit codes are lost, what runs runs on."""
        for pid, process in list(self.processes.items()):
            if process.end is not None:
                del self.processes[pid]
            process.told = False

    # -- files -------------------------------------------------------------------------------------------------

    @property
    def is_windows(self) -> bool:
        """Whether paths have drive letters and backslashes."""
        return self.spec.family == rules.WINDOWS

    def temporary(self, user: str, prefix: str, suffix: str, folder: str | None) -> str:
        """Make an empty file with a name that no other has. Raises FileNotFound for a folder that is not modelled to exist."""
        home = f"C:\\Users\\{user}\\AppData\\Local\\Temp" if self.is_windows else f"/tmp/vmware-{user}"
        if folder and folder.rstrip("/\\") not in (home, "/tmp", "/var/tmp", "C:\\Windows\\Temp"):
            raise vim.fault.FileNotFound(file=folder)
        self._file += 1
        separator = "\\" if self.is_windows else "/"
        path = f"{(folder or home).rstrip(separator)}{separator}{prefix}{self._file}{suffix}"
        self.files[path] = b""
        return path

    def delete(self, path: str) -> None:
        """Delete a file. Raises FileNotFound."""
        if self.files.pop(path, None) is None:
            raise vim.fault.FileNotFound(file=path)

    # -- hardware ----------------------------------------------------------------------------------------------

    def functions(self) -> tuple[rules.Function, ...]:
        """Its PCI functions: those that the lab lists, or one for each host device that the running VM has."""
        if self.spec.functions is not None:
            return self.spec.functions
        drivers, found = dict(self.spec.drivers), []
        for number, item in enumerate(self.vm.lent()):
            memory = int(item.bar_gb * (1 << 30)) or 16 << 20
            found.append(
                rules.Function(
                    address=f"0000:{FIRST_SLOT + 8 * number:02x}:00.0",
                    vendor=item.vendor,
                    device=item.device,
                    class_id=item.class_id << 8,
                    subsystem=(item.subvendor, item.subdevice),
                    driver=drivers.get(item.identity, ""),
                    bars=(rules.Bar(start=WINDOW * (number + 1), size=memory),),
                )
            )
        return tuple(found)
