# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The targets of an intent by the module that sets their entries. PRIVATE to the collection.

Input and results are plain mappings, in the form of the module option ``targets``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils._domain.sriov.entries import is_function_entry

Record = Mapping[str, Any]


def targets_by_module(targets: Sequence[Record]) -> dict[str, list[dict[str, Any]]]:
    """Keys of the record of an intent → targets with the entries for one module only; without those that have none.

    ``passthrough_targets``: for host_passthrough. ``sriov_targets``: for host_sriov. ``sriov_off_targets``: the same, with SR-IOV off.
    """
    functions = _with(targets, functions=True)
    return {
        "passthrough_targets": _with(targets, functions=False),
        "sriov_targets": functions,
        "sriov_off_targets": [
            {**target, "devices": [{**entry, "virtual_functions": 0} for entry in target["devices"]]}
            for target in functions
        ],
    }


def passthrough_devices(devices: Sequence[Any]) -> list[Any]:
    """The entries for host_passthrough."""
    return [entry for entry in devices if not is_function_entry(entry)]


def _with(targets: Sequence[Record], *, functions: bool) -> list[dict[str, Any]]:
    chosen = [
        {**target, "devices": [entry for entry in target["devices"] if is_function_entry(entry) == functions]}
        for target in targets
    ]
    return [target for target in chosen if target["devices"]]
