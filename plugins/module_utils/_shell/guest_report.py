# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a guest as part of a result. PRIVATE to the collection."""

from __future__ import annotations

from typing import Any

from .._domain.facts import Fact, Unknown
from .._domain.guest.report import GpuTool, GuestDevice, GuestReport, StorageController


def report_result(report: GuestReport) -> dict[str, Any]:
    """All facts of a report. A fact that is unknown is None, and ``unknown`` has the reason."""
    unknown = [str(fact.gap) for fact in _facts(report) if isinstance(fact, Unknown)]
    return {
        "os": report.os,
        "uuid": _known(report.uuid),
        "kernel": report.kernel,
        "boot_id": report.boot_id,
        "uptime": report.uptime,
        "devices": [_device(device) for device in report.devices],
        "gpu_tool": _gpu_tool(report.gpu_tool),
        "commands": [code for _number, code in sorted(report.commands.items())],
        "unknown": list(dict.fromkeys(unknown)),
    }


def _facts(report: GuestReport) -> list[Fact[Any]]:
    of_devices = [fact for item in report.devices for fact in (item.driver, item.decoding, item.unplaced)]
    return [report.uuid, *of_devices]


def _known(fact: Fact[Any]) -> Any:
    return None if isinstance(fact, Unknown) else fact


def _device(device: GuestDevice) -> dict[str, Any]:
    unplaced = _known(device.unplaced)
    return {
        "address": device.address,
        "ids": device.ids,
        "vendor_id": device.vendor_id,
        "device_id": device.device_id,
        "subvendor_id": device.subvendor_id,
        "subdevice_id": device.subdevice_id,
        "class_id": device.class_id,
        "name": device.name,
        "driver": _known(device.driver),
        "answers": device.answers,
        "decoding": _known(device.decoding),
        "unplaced_bars": None if unplaced is None else list(unplaced),
        "placed_bars": device.placed,
        "problem": device.problem,
        "nvme": [_controller(item) for item in device.controllers],
        "links": [{"name": item.name, "state": item.state, "is_up": item.is_up} for item in device.links],
    }


def _controller(item: StorageController) -> dict[str, Any]:
    return {"name": item.name, "state": item.state, "namespace_bytes": list(item.namespaces)}


def _gpu_tool(tool: GpuTool | None) -> dict[str, Any] | None:
    if tool is None:
        return None
    gpus = [
        {"address": gpu.address, "ids": gpu.ids, "memory_mb": gpu.memory_mb, "uuid": gpu.uuid, "name": gpu.name}
        for gpu in tool.gpus
    ]
    return {"status": tool.status, "gpus": gpus, "message": tool.message}
