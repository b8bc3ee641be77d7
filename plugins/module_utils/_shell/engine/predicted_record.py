# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What check mode predicts, as JSON can hold it: it travels from task to task in a file. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..._domain.observed.graphics import GpuEntry, GraphicsConfig
from ..._domain.observed.hosts import Sriov
from ..._domain.observed.vms import (
    AllowedDevice,
    Backing,
    DvxBacking,
    DynamicBacking,
    FixedBacking,
    MemoryState,
    SriovBacking,
    UnknownBacking,
    VgpuBacking,
    VmDevice,
)
from ..._domain.planning.predicted import Predicted, PredictedDevice, PredictedGraphics, PredictedVm

FORMAT = 3
_BACKINGS: Mapping[str, type[Any]] = {
    "fixed": FixedBacking,
    "dynamic": DynamicBacking,
    "vgpu": VgpuBacking,
    "dvx": DvxBacking,
    "sriov": SriovBacking,
    "unknown": UnknownBacking,
}


def to_record(predicted: Predicted) -> dict[str, Any]:
    """The record of a prediction."""
    return {
        "format": FORMAT,
        "hosts": {
            moid: {address: asdict(device) for address, device in devices.items()}
            for moid, devices in predicted.hosts.items()
        },
        "vms": {
            moid: {**asdict(vm), "extra_config": dict(vm.extra_config), "device_groups": dict(vm.device_groups)}
            for moid, vm in predicted.vms.items()
        },
        "rebooted": sorted(predicted.rebooted),
        "graphics": {
            moid: {
                "config": asdict(found.config),
                "in_effect": None if found.in_effect is None else sorted(found.in_effect),
            }
            for moid, found in predicted.graphics.items()
        },
    }


def from_record(record: Mapping[str, Any]) -> Predicted:
    """The prediction of a record. Raises ValueError, KeyError, TypeError or AttributeError for one that this release did not write."""
    if record["format"] != FORMAT:
        raise ValueError(f"format {record['format']!r}")
    return Predicted(
        hosts={
            moid: {address: _device(device) for address, device in devices.items()}
            for moid, devices in record["hosts"].items()
        },
        vms={moid: _vm(vm) for moid, vm in record["vms"].items()},
        rebooted=frozenset(record["rebooted"]),
        graphics={moid: _graphics(found) for moid, found in record["graphics"].items()},
    )


def _graphics(record: Mapping[str, Any]) -> PredictedGraphics:
    entries = tuple(GpuEntry(**entry) for entry in record["config"]["entries"])
    in_effect = record["in_effect"]
    return PredictedGraphics(
        config=GraphicsConfig(**{**record["config"], "entries": entries}),
        in_effect=None if in_effect is None else frozenset(in_effect),
    )


def _device(record: Mapping[str, Any]) -> PredictedDevice:
    sriov = record["sriov"]
    return PredictedDevice(**{**record, "sriov": None if sriov is None else Sriov(**sriov)})


def _vm(record: Mapping[str, Any]) -> PredictedVm:
    devices = (VmDevice(**{**device, "backing": _backing(device["backing"])}) for device in record["devices"])
    groups = {int(key): name for key, name in record.get("device_groups", {}).items()}  # JSON has only text as keys
    changed = {"devices": tuple(devices), "memory": MemoryState(**record["memory"]), "device_groups": groups}
    return PredictedVm(**{**record, **changed})


def _backing(record: Mapping[str, Any]) -> Backing:
    values = dict(record)
    if "allowed" in values:
        values["allowed"] = tuple(AllowedDevice(**entry) for entry in values["allowed"])
    if "parameters" in values:
        values["parameters"] = tuple((key, value) for key, value in values["parameters"])
    if "readings" in values:
        values["readings"] = tuple(values["readings"])
    found: Backing = _BACKINGS[values["kind"]](**values)
    return found
