# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operating system in a VM: its processes, files and PCI functions. Which operations reach it is in services/guest."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pyVmomi import vim, vmodl

from ...api.takes import not_modelled
from ...rules.vm import guest as rules

if TYPE_CHECKING:
    from ...core.clock import Timer
    from .state import VmState

Runner = Callable[[rules.Command], rules.Ran]
FIRST_PID = 2001
FIRST_SLOT = 3
WINDOW = 1 << 40
"""Where the firmware of the guest begins to place large BARs, and how far they are apart."""
_MEMORY, _BUS_MASTER = 0x2, 0x4
_64_BIT = 0x4
_IORESOURCE_MEM, _IORESOURCE_64 = 0x200, 0x100000


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


class GuestOs:
    """The scripted guest of one VM.

    ``runner``: called instead of the script for a program that a client starts; what it returns is what the program did. Nothing of a
    lab can set it: only a test, in Python, lets a guest really run something.
    """

    def __init__(self, vm: VmState, spec: rules.GuestSpec) -> None:
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
        now = self.vm.sim.clock.seconds()
        for pid, process in list(self.processes.items()):
            if process.end is not None and now - process.ended > rules.KEPT_SECONDS:
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
        here, drivers, found = self.vm.host.spec.layout.functions, dict(self.spec.drivers), []
        for number, (_key, address) in enumerate(sorted(self.vm.assigned.items())):
            if (item := here.get(address)) is None:
                continue
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

    def write_sys(self, root: Path) -> None:
        """Write below a folder what a Linux kernel shows of the hardware in /sys (Documentation/ABI/testing/sysfs-bus-pci)."""
        devices = root / "sys" / "bus" / "pci" / "devices"
        if devices.exists():
            shutil.rmtree(devices)
        devices.mkdir(parents=True)
        smbios = root / "sys" / "class" / "dmi" / "id"
        smbios.mkdir(parents=True, exist_ok=True)
        (smbios / "product_uuid").write_text(f"{self.uuid}\n", encoding="ascii")
        for item in self.functions():
            _write_function(root, devices / item.address, item)


def _write_function(root: Path, folder: Path, item: rules.Function) -> None:
    folder.mkdir()
    for name, value in (
        ("vendor", f"0x{item.vendor:04x}"),
        ("device", f"0x{item.device:04x}"),
        ("class", f"0x{item.class_id:06x}"),
        ("subsystem_vendor", f"0x{item.subsystem[0]:04x}"),
        ("subsystem_device", f"0x{item.subsystem[1]:04x}"),
        ("enable", "1" if item.driver else "0"),
        ("resource", "\n".join(_resource_lines(item))),
    ):
        (folder / name).write_text(f"{value}\n", encoding="ascii")
    (folder / "config").write_bytes(_config(item))
    if item.driver:
        driver = root / "sys" / "bus" / "pci" / "drivers" / item.driver
        driver.mkdir(parents=True, exist_ok=True)
        (folder / "driver").symlink_to(driver)


def _resource_lines(item: rules.Function) -> list[str]:
    """Start, end and flags of six BARs and the ROM, as the kernel prints them: all 0 for one that it has no room for."""
    lines = []
    for bar in item.bars:
        flags = _IORESOURCE_MEM | (_IORESOURCE_64 if bar.is_64 else 0)
        end = bar.start + bar.size - 1 if bar.start else bar.size - 1
        lines.append(f"0x{bar.start:016x} 0x{end:016x} 0x{flags:016x}")
        if bar.is_64:
            lines.append("0x" + "0" * 16 + " 0x" + "0" * 16 + " 0x" + "0" * 16)
    nothing = " ".join(["0x" + "0" * 16] * 3)
    return [*lines, *[nothing] * (7 - len(lines))]


def _config(item: rules.Function) -> bytes:
    """The first 64 bytes of the configuration space (PCI Local Bus Specification 3.0, 6.1)."""
    space = bytearray(64)
    control = (_MEMORY if item.decodes else 0) | (_BUS_MASTER if item.driver else 0)
    space[0:2], space[2:4] = item.vendor.to_bytes(2, "little"), item.device.to_bytes(2, "little")
    space[4:6] = control.to_bytes(2, "little")
    space[9:12] = item.class_id.to_bytes(3, "little")
    place = 0x10
    for bar in item.bars:
        space[place : place + 4] = (bar.start & 0xFFFFFFF0 | (_64_BIT if bar.is_64 else 0)).to_bytes(4, "little")
        if bar.is_64:
            space[place + 4 : place + 8] = (bar.start >> 32).to_bytes(4, "little")
        place += 8 if bar.is_64 else 4
    space[0x2C:0x2E], space[0x2E:0x30] = item.subsystem[0].to_bytes(2, "little"), item.subsystem[1].to_bytes(2, "little")
    return bytes(space)
