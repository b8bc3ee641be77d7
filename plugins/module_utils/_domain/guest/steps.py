# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of one device in a guest, one for each step. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..facts import Unknown
from .expectation import Expectation
from .problem_codes import problem_of
from .report import GuestDevice, GuestReport

Step: TypeAlias = Literal["", "identity", "present", "driver", "memory", "works"]
STUBS = frozenset(
    {"vfio-pci", "pci-stub", "pciback", "xen-pciback", "uio_pci_generic", "igb_uio", "basicdisplay", "basicrender"}
)
"""Drivers that hold a device without using it (Linux), or that drive any display without its functions (Windows), in lower case."""

TIMED_OUT = 124
"""Exit status of ``timeout`` when it ended the command."""

_NVIDIA, _DISPLAY, _NVME, _NETWORK = "10de", "03", "0108", "02"
_INSTALL = "Install the driver that you would use on bare metal, with prepare in guest or by hand"
_MMIO = "Enable the 64-bit MMIO window of the VM and make it large enough, with EFI firmware: see the guide Memory and large BARs"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """Why a device does not pass a step. ``is_known`` is False when the fact could not be read."""

    code: str
    reason: str
    cure: str
    is_known: bool = True


Check: TypeAlias = Callable[[GuestReport, GuestDevice, Expectation], Trouble | None]
"""A check of one step: None when the device passes it."""


def check_present(_report: GuestReport, device: GuestDevice, _expected: Expectation) -> Trouble | None:
    """The device answers. The kernel keeps the ids of a device that no longer does."""
    if device.answers:
        return None
    return Trouble(
        code="guest_device_gone",
        reason=f"{device.address} does not answer: its configuration space reads as all ones",
        cure="Restart the guest. If it stays, power the VM off, and reboot the host: the card may need a reset",
    )


def check_driver(_report: GuestReport, device: GuestDevice, expected: Expectation) -> Trouble | None:
    """The right driver is bound."""
    driver = device.driver
    if isinstance(driver, Unknown):
        return Trouble(
            code="guest_driver_unknown", reason=f"{driver.gap}", cure="Connect as an administrator", is_known=False
        )
    problem = problem_of(device.problem) if device.problem else None
    if problem is not None and (problem.fails == "driver" or not driver):
        return _windows(device)
    if not driver:
        return Trouble(code="guest_driver_missing", reason=f"No driver is bound to {device.address}", cure=_INSTALL)
    wanted = [name.lower() for name in expected.drivers]
    if wanted and driver.lower() not in wanted:
        return Trouble(
            code="guest_driver_wrong",
            reason=f"The driver of {device.address} is {driver}, not {' or '.join(expected.drivers)}",
            cure=f"{_INSTALL}, and prevent {driver} from binding the device",
        )
    if not wanted and driver.lower() in STUBS:
        return Trouble(
            code="guest_driver_wrong",
            reason=f"{driver} is bound to {device.address}: it does not drive the device",
            cure=f"{_INSTALL}. If {driver} is intended, set driver in expect",
        )
    return None


def check_memory(_report: GuestReport, device: GuestDevice, _expected: Expectation) -> Trouble | None:
    """The memory of the device has addresses, and is switched on. What is known to be wrong comes before what is unknown."""
    if device.problem and problem_of(device.problem).fails == "memory":
        return _windows(device)
    address, unplaced, decoding = device.address, device.unplaced, device.decoding
    if not isinstance(unplaced, Unknown) and (unplaced or not device.placed):
        bars = ", ".join(f"BAR {number}" for number in unplaced)
        missing = (
            f"{bars} of {address} has no address in the guest" if bars else f"{address} has no memory in the guest"
        )
        return Trouble(code="guest_bar_unplaced", reason=missing, cure=_MMIO)
    if not isinstance(decoding, Unknown) and not decoding:
        return Trouble(
            code="guest_memory_off",
            reason=f"Memory decoding of {address} is off (command register), so no driver uses its memory",
            cure="Look at the messages of the driver in the guest (dmesg)",
        )
    gap = next((str(fact.gap) for fact in (unplaced, decoding) if isinstance(fact, Unknown)), "")
    if gap:
        cure = "Connect as root, and install od (coreutils) in the guest"
        return Trouble(code="guest_memory_unknown", reason=gap, cure=cure, is_known=False)
    return None


def asks_whether_it_works(device: GuestDevice, expected: Expectation) -> bool:
    """Whether the last step is expected of this device."""
    return bool(device.problem) or expected.command is not None or _function_of(device, expected) is not None


def check_works(report: GuestReport, device: GuestDevice, expected: Expectation) -> Trouble | None:
    """The device does what it is for, and the command of the user ends with exit status 0."""
    if device.problem:
        return _windows(device)
    check = _function_of(device, expected)
    trouble = check(report, device, expected) if check is not None else None
    return trouble or _command(report, expected)


def _windows(device: GuestDevice) -> Trouble:
    problem = problem_of(device.problem)
    name = device.name or device.ids
    return Trouble(
        code="guest_device_problem",
        reason=f"{name} has problem code {device.problem}: {problem.meaning}",
        cure=problem.cure,
    )


def _command(report: GuestReport, expected: Expectation) -> Trouble | None:
    if expected.command is None:
        return None
    status = report.commands.get(expected.command)
    if status is None:
        return Trouble(
            code="guest_command_unknown",
            reason="The result of the command is not known",
            cure="Verify once more",
            is_known=False,
        )
    if status == 0:
        return None
    ended = "did not end in time" if status == TIMED_OUT else f"ended with exit status {status}"
    return Trouble(
        code="guest_command_failed",
        reason=f"The command for {expected.text} {ended}",
        cure="Run it in the guest to see its output, which is never read",
    )


def _nvidia(report: GuestReport, device: GuestDevice, expected: Expectation) -> Trouble | None:
    tool = report.gpu_tool
    if tool is None:
        return Trouble(
            code="guest_tool_missing",
            reason="nvidia-smi is not installed in the guest, so it is unknown whether the GPU works",
            cure="Install it (it comes with the driver), or set works: none",
            is_known=False,
        )
    if tool.status:
        ended = "did not end in time" if tool.status == TIMED_OUT else f"ended with exit status {tool.status}"
        return _not_working(f"nvidia-smi {ended}{f': {tool.message}' if tool.message else ''}")
    windows = report.os == "windows"
    gpus = [gpu for gpu in tool.gpus if (gpu.ids == device.ids if windows else gpu.address == device.address)]
    alike = sum(one.ids == device.ids for one in report.devices) if windows else 1
    if len(gpus) < alike:
        listed = f"{len(gpus)} of {alike}" if windows else f"{len(tool.gpus)} other"
        return _not_working(f"nvidia-smi does not list {device.name or device.address} (it lists {listed} GPUs)")
    least = expected.min_memory_gb
    if least is None:
        return None
    if any(gpu.memory_mb is None for gpu in gpus):
        return Trouble(
            code="guest_gpu_memory_unknown",
            reason="nvidia-smi reports no memory size",
            cure="Update the driver",
            is_known=False,
        )
    small = [gpu.memory_mb for gpu in gpus if gpu.memory_mb is not None and gpu.memory_mb < least * 1024]
    if small:
        return _not_working(f"{device.address} has {small[0]} MB of memory, less than min_memory_gb {least}")
    return None


def _nvme(_report: GuestReport, device: GuestDevice, _expected: Expectation) -> Trouble | None:
    if any(controller.works for controller in device.controllers):
        return None
    if not device.controllers:
        return _not_working(f"{device.address} has no NVMe controller in the guest")
    first = device.controllers[0]
    if first.state != "live":
        return _not_working(f"NVMe controller {first.name} is {first.state}, not live")
    return _not_working(f"NVMe controller {first.name} has no namespace with a size")


def _link(_report: GuestReport, device: GuestDevice, _expected: Expectation) -> Trouble | None:
    if any(link.is_up for link in device.links):
        return None
    if not device.links:
        return _not_working(f"{device.address} has no network interface in the guest")
    states = ", ".join(f"{link.name} is {link.state}" for link in device.links)
    return Trouble(
        code="guest_not_working",
        reason=f"{device.address} has no link: {states}",
        cure="Set the interface up in the guest, and check cable and switch port. Without a link: set works: none",
    )


def _not_working(reason: str) -> Trouble:
    return Trouble(
        code="guest_not_working",
        reason=reason,
        cure="Look at the messages of the driver in the guest (dmesg, or the event log)",
    )


_FUNCTIONS: Mapping[str, Check] = {"nvidia-smi": _nvidia, "nvme": _nvme, "link": _link}


def _function_of(device: GuestDevice, expected: Expectation) -> Check | None:
    if expected.works != "auto":
        return _FUNCTIONS.get(expected.works)
    if device.class_id.startswith(_DISPLAY) and device.vendor_id == _NVIDIA:
        return _nvidia
    return _nvme if device.class_id.startswith(_NVME) else _link if device.class_id.startswith(_NETWORK) else None
