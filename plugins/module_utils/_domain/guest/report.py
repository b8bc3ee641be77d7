# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest operating system sees of its PCI devices, as the probe in the guest reported it. PRIVATE to the collection.

All text comes from the guest, which may be any machine: it is data. A fact that the probe could not read is ``Unknown``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ..errors import DirectPathError
from ..facts import Fact, Gap, Unknown

GuestOs: TypeAlias = Literal["linux", "windows"]


class GuestError(DirectPathError):
    """The guest gave no report that can be judged. ``code``: ``guest_output_unreadable``, ``guest_output_cut``, ``guest_rebooted``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StorageController:
    """An NVMe controller of a PCI function. ``state``: ``live`` when it works. ``namespaces``: sizes in bytes of those that are visible."""

    name: str
    state: str
    namespaces: tuple[int, ...] = ()

    @property
    def works(self) -> bool:
        return self.state == "live" and any(size > 0 for size in self.namespaces)


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A network interface or an InfiniBand port of a PCI function."""

    name: str
    state: str
    is_up: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestDevice:
    """One PCI function in the guest. Ids and class are lower-case hexadecimal.

    ``address``: the PCI address in the guest, which differs from the one on the host; on Windows the instance id. ``class_id``: six
    digits, or empty. ``driver``: empty when no driver is bound. ``answers``: False when the configuration space reads as all ones.
    ``decoding``: whether the memory of the device is switched on. ``unplaced``: numbers of memory BARs without an address. ``placed``:
    number of memory BARs with an address. ``problem``: the problem code of Windows, 0 for none.
    """

    address: str
    vendor_id: str
    device_id: str
    subvendor_id: str = ""
    subdevice_id: str = ""
    class_id: str = ""
    name: str = ""
    driver: Fact[str] = ""
    answers: bool = True
    decoding: Fact[bool] = True
    unplaced: Fact[tuple[int, ...]] = ()
    placed: int = 0
    problem: int = 0
    controllers: tuple[StorageController, ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def ids(self) -> str:
        return f"{self.vendor_id}:{self.device_id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Gpu:
    """A GPU that ``nvidia-smi`` lists. ``address``: its PCI address in the guest. ``memory_mb``: None when it was not reported."""

    address: str
    ids: str
    memory_mb: int | None
    uuid: str = ""
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuTool:
    """The answer of ``nvidia-smi``. ``status``: its exit status; ``message``: the first line that lists no GPU."""

    status: int
    gpus: tuple[Gpu, ...] = ()
    message: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestReport:
    """All that one probe reported.

    ``uuid``: the SMBIOS UUID of the machine that answered, 32 lower-case hexadecimal digits as the guest writes them. ``boot_id``: differs
    after each boot. ``uptime``: seconds. ``gpu_tool``: None when ``nvidia-smi`` is not installed, or was not needed. ``commands``: number
    of a command of the user → exit status.
    """

    os: GuestOs
    uuid: Fact[str]
    kernel: str = ""
    boot_id: str = ""
    uptime: int | None = None
    devices: tuple[GuestDevice, ...] = ()
    gpu_tool: GpuTool | None = None
    commands: Mapping[int, int] = field(default_factory=dict)


BEGIN = "directpath-guest 1 "
"""The first line of a report, with the operating system behind it. Text before it, such as a message of the day, is ignored."""
END = "directpath-guest end"


def report_lines(text: str, os: GuestOs) -> list[str]:
    """The lines between the first and the last line of a report. Raises GuestError when one of them is missing.

    Only line feeds end a line. Terminals and Windows put a carriage return before them.
    """
    lines = [line.rstrip("\r") for line in text.split("\n")]
    try:
        start = lines.index(BEGIN + os)
    except ValueError:
        other = next((line for line in lines if line.startswith(BEGIN)), "")
        shown = next((line.strip() for line in lines if line.strip()), "")
        why = (
            f"it is from {other.removeprefix(BEGIN)}, not from {os}"
            if other
            else "the report of the probe is not in it"
        )
        raise GuestError(
            message=f"The output of the guest cannot be read: {why}"
            + (f" (it begins with {shown[:80]!r})" if shown else ""),
            code="guest_output_unreadable",
            cure="Check os, the account and its shell: the probe needs /bin/sh on Linux, and PowerShell on Windows",
        ) from None
    try:
        stop = lines.index(END, start)
    except ValueError:
        raise GuestError(
            message="The output of the guest ends in the middle: the connection was lost, or the guest rebooted meanwhile",
            code="guest_output_cut",
            cure="Verify once more when the guest is up",
        ) from None
    return lines[start + 1 : stop]


def unread(what: str, why: str = "could not be read") -> Unknown:
    """A fact that the guest did not report."""
    return Unknown(gap=Gap(path=what, why=why))


def plain_uuid(text: str, why: str) -> Fact[str]:
    """The 32 digits of a UUID. Unknown for other text, and for the placeholders of firmware without a UUID."""
    digits = "".join(sign for sign in text.lower() if sign in "0123456789abcdef")
    if len(digits) == 32 and len(text.strip("{} ").replace("-", "")) == 32 and len(set(digits)) > 1:
        return digits
    return unread("the SMBIOS UUID of the guest", why)


def check_boot(first: str, last: str) -> None:
    """Raise GuestError if a guest booted between the first and the last fact."""
    if first != last:
        raise GuestError(
            message="The guest rebooted while it was read: its boot id at the end differs from the one at the beginning",
            code="guest_rebooted",
            cure="Verify once more when the guest is up",
        )


def gpu_of(line: str) -> Gpu | None:
    """A GPU from a line of ``nvidia-smi --query-gpu=pci.bus_id,pci.device_id,uuid,memory.total,name --format=csv,noheader,nounits``."""
    cells = [cell.strip() for cell in line.split(",", 4)]
    if len(cells) != 5:
        return None
    bus, ids, uuid, memory, name = cells
    place, number = bus.lower().split(":"), ids.lower().removeprefix("0x")
    if len(place) != 3 or len(number) != 8 or not set(number) <= set("0123456789abcdef"):
        return None
    return Gpu(
        address=f"{place[0][-4:]}:{place[1]}:{place[2]}",
        ids=f"{number[4:]}:{number[:4]}",  # nvidia-smi prints the device before the vendor
        memory_mb=int(memory) if memory.isdecimal() else None,
        uuid=uuid,
        name=name,
    )


def gpu_tool_of(status: int, lines: list[str]) -> GpuTool:
    """The answer of ``nvidia-smi``. ``lines``: what it printed."""
    gpus = tuple(gpu for line in lines if (gpu := gpu_of(line)))
    message = next((line.strip() for line in lines if line.strip() and gpu_of(line) is None), "")
    return GpuTool(status=status, gpus=gpus, message=message[:200])
