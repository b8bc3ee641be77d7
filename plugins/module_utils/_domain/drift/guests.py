# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guests in a drift report: what was verified in them, and a difference for each device that failed or is unknown. PRIVATE to the
collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..guest.records import DeviceRecord, GuestRecord
from ..plain import Record
from .commands import Commands
from .kinds import Difference, Status
from .report import Report, summary

GUEST_KINDS: Mapping[str, str] = {"failed": "guest_failed", "unknown": "guest_unknown"}
"""Status of a device in a guest → kind of difference. ``verified`` and ``not_verified`` are none."""


def troubled_devices(record: GuestRecord) -> list[DeviceRecord]:
    """The devices of a guest that failed or are unknown. One entry without a device if the reason is the same for the whole guest."""
    if record["status"] not in GUEST_KINDS:
        return []
    if record["failed_at"] == "identity" or not record["devices"]:
        return [whole_guest(record)]
    return [device for device in record["devices"] if device["status"] in GUEST_KINDS]


def whole_guest(record: GuestRecord) -> DeviceRecord:
    """The verdict about a guest of which no single device is known, in the form of a device."""
    return {
        "device": "",
        "count": 0,
        "found": None,
        "status": record["status"],
        "step": record["step"],
        "failed_at": record["failed_at"],
        "code": record["code"],
        "reason": record["reason"],
        "cure": record["cure"],
    }


def with_guests(report: Report, guests: Sequence[GuestRecord], arguments: str = "") -> Report:
    """The report with its guests, their differences, and the numbers of both. ``arguments``: what follows a playbook in a command."""
    if not guests:
        return report
    vms = {str(vm["moid"]): vm for vm in report["vms"]}
    command = replace(Commands.to(report["vcenter"]), arguments=arguments).playbook("verify")
    found = [_difference(record, device, vms, command) for record in guests for device in troubled_devices(record)]
    records = [*report["differences"], *(difference.record() for difference in found)]
    counted = {record["certainty"] for record in records if not record["ignored"]}
    kinds = {difference.moid: difference.kind for difference in found}
    status: Status = "drift" if "drift" in counted else "unknown" if "unknown" in counted else "in_sync"
    return {
        **report,
        "status": status,
        "summary": summary(len(report["hosts"]), len(report["vms"]), records),
        "differences": records,
        "guests": [_shown(record) for record in guests],
        "vms": [_marked(vm, kinds.get(str(vm["moid"]))) for vm in report["vms"]],
    }


def _shown(record: GuestRecord) -> GuestRecord:
    """Without what is of no interest in a report, or changes with each update of the guest."""
    shown = record.copy()
    shown.pop("vm_in_intent", None)
    shown.pop("kernel", None)
    return shown


def _marked(vm: Record, kind: str | None) -> Record:
    """The record of a VM with the kind of its guest's difference, and the status that follows from it."""
    if kind is None:
        return dict(vm)
    status = "drift" if vm["status"] == "drift" or kind == GUEST_KINDS["failed"] else "unknown"
    return {**vm, "status": status, "kinds": sorted({*_kinds(vm), kind})}


def _kinds(vm: Record) -> list[str]:
    kinds = vm["kinds"]
    return [str(kind) for kind in kinds] if isinstance(kinds, Sequence) else []


def _difference(record: GuestRecord, device: DeviceRecord, vms: Mapping[str, Record], command: str) -> Difference:
    cluster = vms.get(record["moid"], {}).get("cluster")
    counted = f"{device['found']} of {device['count']}, " if device["found"] is not None else ""
    return Difference(
        kind=GUEST_KINDS[device["status"]],
        type="vm",
        object=record["vm"],
        moid=record["moid"],
        cluster=cluster if isinstance(cluster, str) else None,
        subject=f"guest {device['device']}".strip(),
        wanted="works in the guest",
        found=f"{counted}fails at: {device['failed_at']}" if device["status"] == "failed" else "unknown",
        cause=device["reason"],
        cure=device["cure"],
        command=command,
        planned=False,
    )
