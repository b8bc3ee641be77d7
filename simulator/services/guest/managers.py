# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The methods of the guest managers. The dispatcher has already checked the privileges that the API names for the parameter ``vm``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from ...api import data
from ...api.data import Ref
from ...api.takes import takes
from ...core.base import Endpoint, ManagedObject
from ...objects.guest.guest_os import GuestOs, Process
from ...objects.vm.vm import VirtualMachine
from ...rules import faults
from .transfers import Transfer, Transfers

if TYPE_CHECKING:
    from ...core.call import Call

AUTH = ("vm", "auth.username", "auth.password", "auth.interactiveSession=false")
BAD_TOOLS = "vix error codes = (3016, 0)"
"""SystemError during a reboot of the guest, as users report it: VIX_E_TOOLS_NOT_RUNNING that hostd has no fault for."""


def guest_of(sim: Endpoint, vm: Ref, auth: Any) -> GuestOs:
    """The guest, once everything has been passed that can refuse an operation in it.

    Faults: API reference of the methods. Their order where several apply is inferred: what is nearer to the caller comes first.
    """
    machine: VirtualMachine = sim.obj(vm)
    if not machine.is_on:
        raise faults.invalid_power_state("poweredOn", machine.power)
    machine.host.reach()
    guest = machine.guest_os
    if guest.reboots and machine.settings.guest_reboot_fault == "system_error":
        raise vmodl.fault.SystemError(reason=BAD_TOOLS)
    if not machine.get("guest").guestOperationsReady:
        raise vim.fault.GuestOperationsUnavailable()
    guest.login(auth.username, auth.password)
    return guest


class GuestAuthManager(ManagedObject):
    """Checks credentials. What it hands out itself (tickets) is not modelled."""

    vim_type = vim.vm.guest.AuthManager

    @takes(*AUTH)
    def ValidateCredentialsInGuest(self, call: Call, vm: Ref, auth: Any) -> None:
        """Nothing, or the fault of a login."""
        guest_of(self.sim, vm, auth)


class GuestProcessManager(ManagedObject):
    """Programs in guests."""

    vim_type = vim.vm.guest.ProcessManager

    @takes(*AUTH, "spec.programPath", "spec.arguments")
    def StartProgramInGuest(self, call: Call, vm: Ref, auth: Any, spec: Any) -> int:
        """Its pid. The call does not wait for the program."""
        if not spec.programPath:
            raise faults.invalid_argument("spec.programPath")
        return guest_of(self.sim, vm, auth).start(auth.username, spec.programPath, spec.arguments)

    @takes(*AUTH, "pids")
    def ListProcessesInGuest(self, call: Call, vm: Ref, auth: Any, pids: Any = None) -> list[Any]:
        """What clients started; a process that does not exist is left out (API reference). The others of a guest are not modelled."""
        guest = guest_of(self.sim, vm, auth)
        return [_shown(process) for process in guest.listed(list(pids or ()))]

    @takes(*AUTH, "pid")
    def TerminateProcessInGuest(self, call: Call, vm: Ref, auth: Any, pid: int) -> None:
        """Kill it."""
        guest_of(self.sim, vm, auth).terminate(pid)


def _shown(process: Process) -> Any:
    return data.new(
        vim.vm.guest.ProcessManager.ProcessInfo,
        name=process.program.replace("\\", "/").rpartition("/")[2],
        pid=process.pid,
        owner=process.owner,
        cmdLine=process.line,
        startTime=process.start,
        endTime=process.end,
        exitCode=process.exit_code,
    )


class GuestFileManager(ManagedObject):
    """Files in guests, and the URLs over which they travel."""

    vim_type = vim.vm.guest.FileManager

    def __init__(self, sim: Endpoint, moid: str) -> None:
        super().__init__(sim, moid)
        self.transfers = Transfers(sim)

    @takes(*AUTH, "prefix", "suffix", "directoryPath")
    def CreateTemporaryFileInGuest(
        self, call: Call, vm: Ref, auth: Any, prefix: str, suffix: str, directoryPath: str | None = None
    ) -> str:
        """Its path. Nothing deletes it but its owner."""
        return guest_of(self.sim, vm, auth).temporary(auth.username, prefix, suffix, directoryPath)

    @takes(*AUTH, "filePath")
    def DeleteFileInGuest(self, call: Call, vm: Ref, auth: Any, filePath: str) -> None:
        """FileNotFound when it is not there."""
        guest_of(self.sim, vm, auth).delete(filePath)

    @takes(*AUTH, "guestFilePath")
    def InitiateFileTransferFromGuest(self, call: Call, vm: Ref, auth: Any, guestFilePath: str) -> Any:
        """Size, attributes and the URL for one GET."""
        guest = guest_of(self.sim, vm, auth)
        if guestFilePath not in guest.files:
            raise vim.fault.FileNotFound(file=guestFilePath)
        made = Transfer(vm=vm._moId, path=guestFilePath, verb="GET")
        return data.new(
            vim.vm.guest.FileManager.FileTransferInformation,
            attributes=_attributes(guest),
            size=len(guest.files[guestFilePath]),
            url=self.transfers.open(made),
        )

    @takes(*AUTH, "guestFilePath", "fileAttributes", "fileSize", "overwrite")
    def InitiateFileTransferToGuest(
        self,
        call: Call,
        vm: Ref,
        auth: Any,
        guestFilePath: str,
        fileAttributes: Any,
        fileSize: int,
        overwrite: bool,
    ) -> str:
        """The URL for one PUT of just as many bytes. The file is made when they have arrived."""
        guest = guest_of(self.sim, vm, auth)
        if guestFilePath in guest.files and not overwrite:
            raise vim.fault.FileAlreadyExists(file=guestFilePath)
        return self.transfers.open(Transfer(vm=vm._moId, path=guestFilePath, verb="PUT", size=fileSize))


def _attributes(guest: GuestOs) -> Any:
    kinds = vim.vm.guest.FileManager
    now = guest.vm.sim.clock.now()
    if guest.is_windows:
        return data.new(kinds.WindowsFileAttributes, modificationTime=now, accessTime=now, hidden=False, readOnly=False)
    owner = data.new(kinds.PosixFileAttributes, modificationTime=now, accessTime=now, ownerId=0, groupId=0)
    owner.permissions = 0o600
    return owner
