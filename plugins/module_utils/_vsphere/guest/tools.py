# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMware Tools in VMs: what they report, and the wait until they are ready for guest operations. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..._domain.errors import DirectPathError
from ..._domain.guest.report import GuestOs
from ..._domain.observed.vms import VmName
from ..property_collector.retrieve import NAMES_PAGE, Row, collect_objects
from ..property_collector.wait import State, wait_until
from ..sdk import vim
from ..session.answer_checks import reader
from ..session.connect import Session

RUNNING, STARTING, ABSENT = "guestToolsRunning", "guestToolsExecutingScripts", "guestToolsNotInstalled"
_WATCHED = (
    "runtime.powerState",
    "guest.toolsRunningStatus",
    "guest.toolsVersionStatus2",
    "guest.guestOperationsReady",
)
_PATHS = (*_WATCHED, "config.uuid", "config.guestId", "guest.guestFamily")
_FAMILIES: Mapping[str, GuestOs] = {"linuxGuest": "linux", "windowsGuest": "windows"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolsState:
    """What vSphere shows of the guest of one VM. Empty texts and None: not reported, so unknown.

    ``uuid``: ``config.uuid``, which the SMBIOS of the guest shows. ``running``: ``guest.toolsRunningStatus``; ``version``:
    ``guest.toolsVersionStatus2``. ``ready``: whether VMware Tools serve guest operations. ``os``: None for another system than these two.
    """

    name: VmName
    power_state: str
    uuid: str
    running: str
    version: str
    ready: bool | None
    os: GuestOs | None
    guest_id: str


@reader
def read_tools(session: Session, names: Iterable[VmName]) -> dict[str, ToolsState]:
    """VM id → state of its guest, in one bulk read. Removed VMs are left out."""
    table = {name.moid: name for name in names}
    rows = collect_objects(session, vim.VirtualMachine, table, _PATHS, page=NAMES_PAGE)
    return {row.moid: _state(table[row.moid], row) for row in rows}


def _state(name: VmName, row: Row) -> ToolsState:
    guest_id = str(row.get("config.guestId", ""))
    return ToolsState(
        name=name,
        power_state=str(row.get("runtime.powerState", "unknown")),
        uuid=str(row.get("config.uuid", "")),
        running=str(row.get("guest.toolsRunningStatus", "")),
        version=str(row.get("guest.toolsVersionStatus2", "")),
        ready=row.get("guest.guestOperationsReady"),
        os=_os(str(row.get("guest.guestFamily", "")), guest_id),
        guest_id=guest_id,
    )


def _os(family: str, guest_id: str) -> GuestOs | None:
    """What VMware Tools report, else what the VM was made for (VirtualMachineGuestOsIdentifier): most identifiers that are not of another
    family are of Linux, but only names of distributions are taken for it."""
    if family:
        return _FAMILIES.get(family)
    lower = guest_id.lower()
    if lower.startswith("win"):
        return "windows"
    return "linux" if any(name in lower for name in _DISTRIBUTIONS) else None


_DISTRIBUTIONS = (
    "alma", "amazonlinux", "asianux", "centos", "coreos", "debian", "fedora", "flatcar", "linux", "mandrake", "mandriva", "nld9", "oes",
    "photon", "redhat", "rhel", "rocky", "sles", "suse", "turbolinux", "ubuntu",
)  # fmt: skip


def wait_ready(session: Session, state: ToolsState, *, timeout: float) -> None:
    """Wait until VMware Tools serve guest operations. ``timeout``: seconds.

    Raises DirectPathError (guest_vm_off, guest_tools_missing, guest_not_ready). If the server does not report whether they do, there is no
    wait: it refuses the operation itself.
    """
    name = state.name.name
    refuse_hopeless(name, state.power_state, state.version)
    if state.ready or (state.ready is None and state.running == RUNNING):
        return

    def ready(seen: State) -> bool | None:
        values: dict[str, Any] = seen.get(state.name.moid, {})
        refuse_hopeless(
            name, str(values.get("runtime.powerState", "")), str(values.get("guest.toolsVersionStatus2") or "")
        )
        return True if values.get("guest.guestOperationsReady") else None

    vm = session.reference(vim.VirtualMachine, state.name.moid)
    if wait_until(session, {vm: _WATCHED}, ready, timeout=timeout) is None:
        raise DirectPathError(
            message=f"VMware Tools of {name} are not ready for guest operations after {timeout:.0f} seconds",
            code="guest_not_ready",
            cure="Check whether the guest is up and VMware Tools (open-vm-tools) run in it, or set a longer guest_timeout",
        )


def refuse_hopeless(name: str, power_state: str, version: str) -> None:
    """Raise DirectPathError if no time helps: the VM is not on, or VMware Tools are not installed."""
    if power_state in ("poweredOff", "suspended"):
        raise DirectPathError(
            message=f"{name} is {'suspended' if power_state == 'suspended' else 'powered off'}, so its guest cannot be asked",
            code="guest_vm_off",
            cure="Power the VM on, and wait until the guest is up",
        )
    if version == ABSENT:
        raise DirectPathError(
            message=f"VMware Tools are not installed in the guest of {name}",
            code="guest_tools_missing",
            cure="Install open-vm-tools (Linux) or VMware Tools (Windows) in the guest, or use the connection of Ansible (via: connection)",
        )
