# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The targets of an intent by the module that sets their entries. PRIVATE to the collection.

Input and results are plain mappings, in the form of the module option ``targets``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils._domain.host_entries.kinds import EntryKind, kind_of

Record = Mapping[str, Any]


def targets_by_module(targets: Sequence[Record]) -> dict[str, list[dict[str, Any]]]:
    """Keys of the record of an intent → targets with the entries for one module only; without those that have none.

    ``passthrough_targets``: for host_passthrough. ``sriov_targets``: for host_sriov. ``sriov_off_targets``: the same, with SR-IOV off.
    ``mode_targets``: for host_device_mode.
    """
    functions = _of_kind(targets, "sriov")
    return {
        "passthrough_targets": _of_kind(targets, "passthrough"),
        "sriov_targets": functions,
        "sriov_off_targets": [
            {**target, "devices": [{**entry, "virtual_functions": 0} for entry in target["devices"]]}
            for target in functions
        ],
        "mode_targets": _of_kind(targets, "device_mode"),
    }


def passthrough_devices(devices: Sequence[Any]) -> list[Any]:
    """The entries for host_passthrough."""
    return [entry for entry in devices if kind_of(entry) == "passthrough"]


def _of_kind(targets: Sequence[Record], kind: EntryKind) -> list[dict[str, Any]]:
    chosen = [
        {**target, "devices": [entry for entry in target["devices"] if kind_of(entry) == kind]} for target in targets
    ]
    return [target for target in chosen if target["devices"]]
