# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict about the devices of one VM from the report of its guest. PRIVATE to the collection.

Each step is stronger than the one before: identity (the guest is this VM), present, driver, memory, works. ``verified`` needs every step
that is expected. A fact that is unknown is ``unknown``, unless the device is seen to work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ..errors import DirectPathError
from ..facts import Fact, Unknown
from ..text import counted, visible_name
from .expectation import Expectation
from .records import DeviceRecord, FindingRecord, VerdictRecord
from .report import GuestDevice, GuestReport
from .steps import Check, Step, asks_whether_it_works, check_driver, check_memory, check_present, check_works

Status: TypeAlias = Literal["verified", "failed", "unknown", "not_verified"]
STEPS: tuple[Step, ...] = ("identity", "present", "driver", "memory", "works")


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What is known about one device, or about all of one kind. ``step``: the strongest step that was reached; ``failed_at``: the one that
    was not. ``reason`` and ``cure`` are empty when the device is verified."""

    status: Status
    step: Step = ""
    failed_at: Step = ""
    code: str = ""
    reason: str = ""
    cure: str = ""

    def record(self) -> FindingRecord:
        return {
            "status": self.status,
            "step": self.step or None,
            "failed_at": self.failed_at or None,
            "code": self.code or None,
            "reason": visible_name(self.reason),
            "cure": visible_name(self.cure),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceVerdict:
    """The verdict about the devices of one expectation. ``device``: ids; ``found``: number of devices, None when it is unknown."""

    device: str
    count: int
    found: int | None
    finding: Finding

    def record(self) -> DeviceRecord:
        return {"device": self.device, "count": self.count, "found": self.found, **self.finding.record()}


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestVerdict:
    """The verdict about one VM: the worst of its devices, or why nothing was verified."""

    finding: Finding
    devices: tuple[DeviceVerdict, ...] = ()
    os: str = ""
    kernel: str = ""

    def record(self) -> VerdictRecord:
        found: VerdictRecord = {
            "status": self.finding.status,
            "step": self.finding.step or None,
            "failed_at": self.finding.failed_at or None,
            "code": self.finding.code or None,
            "reason": visible_name(self.finding.reason),
            "cure": visible_name(self.finding.cure),
            "devices": [device.record() for device in self.devices],
        }
        if self.os:
            found["os"], found["kernel"] = self.os, visible_name(self.kernel)
        return found


def not_verified(reason: str, expected: Sequence[Expectation] = ()) -> GuestVerdict:
    """Nothing was asked of the guest. It is no failure, and never ``verified``."""
    return _nothing(Finding(status="not_verified", reason=reason), expected)


def unreadable(error: DirectPathError, expected: Sequence[Expectation] = ()) -> GuestVerdict:
    """The guest could not be read: the state of its devices is unknown."""
    finding = Finding(status="unknown", failed_at="identity", code=error.code, reason=error.message, cure=error.cure)
    return _nothing(finding, expected)


def judge(report: GuestReport, expected: Sequence[Expectation], vm_uuid: str | None) -> GuestVerdict:
    """The verdict about one VM. ``vm_uuid``: ``config.uuid`` of the VM, None when it could not be read."""
    answered = GuestVerdict(finding=Finding(status="unknown"), os=report.os, kernel=report.kernel)
    identity = check_identity(report.uuid, vm_uuid)
    if identity is not None:
        return replace(answered, finding=identity, devices=_nothing(identity, expected).devices)
    if not expected:
        nothing = Finding(
            status="unknown",
            step="identity",
            failed_at="present",
            code="guest_nothing_expected",
            reason="It is unknown which devices the guest must see: the ids of the attached devices are not known",
            cure="Set expect in guest",
        )
        return replace(answered, finding=nothing)
    devices = tuple(_judge_devices(report, one) for one in expected)
    worst = min((one.finding for one in devices), key=_rank)
    return replace(answered, finding=worst, devices=devices)


def same_machine(guest: str, vm: str) -> bool:
    """Whether two UUIDs of 32 digits are equal in one of the two byte orders of SMBIOS.

    From SMBIOS 2.6 on, the first three fields are little-endian (DSP0134, System Information, UUID). Virtual hardware from version 13 has
    such a table; vSphere shows ``config.uuid`` in the order of the .vmx file.
    """
    return vm in (guest, swapped(guest))


def swapped(uuid: str) -> str:
    """The UUID with the bytes of its first three fields in the other order."""
    raw = bytes.fromhex(uuid)
    return (raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]).hex()


def check_identity(guest: Fact[str], vm_uuid: str | None) -> Finding | None:
    """None when the guest is this VM. Otherwise everything else that it says is about an unknown machine."""
    vm = (vm_uuid or "").replace("-", "").lower()
    if len(vm) != 32:
        return _unknown_identity(
            code="guest_uuid_unknown",
            reason="The UUID of the VM (config.uuid) could not be read from vCenter",
            cure="Give the account System.Read on the VM",
        )
    if isinstance(guest, Unknown):
        return _unknown_identity(
            code="guest_uuid_unknown",
            reason=f"It is unknown whether the machine that answered is this VM: {guest.gap}",
            cure="Connect with an account that can read it",
        )
    if not same_machine(guest, vm):
        return _unknown_identity(
            code="guest_wrong_machine",
            reason=f"The machine that answered is not this VM: its SMBIOS UUID is {guest}, that of the VM is {vm}",
            cure="Correct inventory_host in guest, or the address of this inventory host",
        )
    return None


def _unknown_identity(*, code: str, reason: str, cure: str) -> Finding:
    return Finding(status="unknown", failed_at="identity", code=code, reason=reason, cure=cure)


def _nothing(finding: Finding, expected: Sequence[Expectation]) -> GuestVerdict:
    """The same finding for the VM and for each of its devices."""
    devices = tuple(DeviceVerdict(device=one.text, count=one.count, found=None, finding=finding) for one in expected)
    return GuestVerdict(finding=finding, devices=devices)


def _rank(finding: Finding) -> tuple[int, int]:
    """Failed before unknown before verified; then the weakest step."""
    order: Mapping[Status, int] = {"failed": 0, "unknown": 1, "not_verified": 2, "verified": 3}
    return order[finding.status], STEPS.index(finding.step) if finding.step else -1


def _judge_devices(report: GuestReport, expected: Expectation) -> DeviceVerdict:
    devices = [device for device in report.devices if expected.matches(device)]
    if len(devices) < expected.count:
        finding = Finding(
            status="failed",
            step="identity",
            failed_at="present",
            code="guest_device_missing",
            reason=f"The guest sees {counted(len(devices), 'device')} {expected.text}, but must see {expected.count}",
            cure="Check that the device is attached (vm_pci_device_info), and restart the guest if it was attached while the guest ran",
        )
    else:
        finding = min((_judge_device(report, device, expected) for device in devices), key=_rank)
    return DeviceVerdict(device=expected.text, count=expected.count, found=len(devices), finding=finding)


def _judge_device(report: GuestReport, device: GuestDevice, expected: Expectation) -> Finding:
    """The steps of one device, in their order. A device that works settles what was unknown before."""
    reached: Step = "identity"
    doubt: Finding | None = None
    for step, check in _CHECKS:
        if step == "works" and not asks_whether_it_works(device, expected):
            break
        trouble = check(report, device, expected)
        if trouble is None:
            if doubt is None or step == "works":
                reached, doubt = step, None
            continue
        finding = Finding(
            status="failed" if trouble.is_known else "unknown",
            step=reached,
            failed_at=step,
            code=trouble.code,
            reason=trouble.reason,
            cure=trouble.cure,
        )
        if trouble.is_known:
            return finding
        doubt = doubt or finding
    return doubt or Finding(status="verified", step=reached)


_CHECKS: tuple[tuple[Step, Check], ...] = (
    ("present", check_present),
    ("driver", check_driver),
    ("memory", check_memory),
    ("works", check_works),
)
