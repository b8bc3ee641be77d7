# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the results of intent_info to a folder with an inventory. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...module_utils._domain.errors import InputError
from ...module_utils._vsphere.http.rehearsal import place_of
from .folder import compare_folder, write_folder
from .layout import AdoptedVcenter, inventory_files
from .not_adopted import left_lines

Record = Mapping[str, Any]
CONNECTION = ("vcenter_ca_path", "vcenter_validate_certs", "vcenter_proxy_host", "vcenter_proxy_port")
"""Connection variables that an inventory may hold: none of them is a secret."""


def adopt_results(
    results: Sequence[Record],
    vcenters: Sequence[str],
    connections: Sequence[Record],
    dest: str,
    shape: str,
    *,
    write: bool,
) -> dict[str, Any]:
    """Write the inventory if the folder does not have it yet, and return the keys of the task result.

    ``connections``: for each result, the variables of CONNECTION that its inventory host has. Raises InputError, DirectPathError.
    """
    if not dest.strip():
        raise InputError(
            message="No folder is named",
            code="no_folder",
            parameter="dest",
            cure="Name a new folder: -e adopt_dest=inventory",
        )
    if len(results) != len(vcenters):
        raise InputError(
            message=f"results has {len(results)} entries, and vcenters has {len(vcenters)}",
            code="not_read",
            parameter="vcenters",
            cure="Give one name for each result, in the same order. Nothing was written",
        )
    adopted = [
        AdoptedVcenter(result=_read(vcenter, result), connection=_known(number, connections))
        for number, (vcenter, result) in enumerate(zip(vcenters, _built_in(results), strict=True))
    ]
    files = inventory_files(adopted, shape)
    folder = place_of(Path(dest).expanduser().absolute())
    is_there = compare_folder(folder, files)
    if write and not is_there:
        write_folder(folder, files)
    placed = [(one.place, one.result) for one in adopted]
    return {
        "changed": not is_there,
        "folder": str(folder),
        "files": sorted(files),
        "hosts": sum(len(one.hosts) for one in adopted),
        "vms": sum(len(one.result["vms"]) for one in adopted),
        "not_adopted": sum(len(one.result["not_adopted"]) for one in adopted),
        "lines": left_lines(placed),
    }


def _known(number: int, connections: Sequence[Record]) -> dict[str, Any]:
    given = _built_in(connections[number]) if number < len(connections) else {}
    return {key: given[key] for key in CONNECTION if given.get(key) not in (None, "")}


def _read(vcenter: str, result: Record) -> Record:
    """The result of one vCenter. Raises InputError if it failed: an inventory of the others would look complete."""
    if "not_adopted" not in result:
        raise InputError(
            message=f"{vcenter} was not read: {result.get('msg') or 'the task did not run'}",
            code="not_read",
            parameter="results",
            cure="Correct this, or adopt the other vCenters alone (--limit). Nothing was written",
        )
    return result


def _built_in(value: Any) -> Any:
    """A deep copy with built-in types: results of tasks may have tagged or unsafe variants of them."""
    if isinstance(value, Mapping):
        return {_built_in(key): _built_in(entry) for key, entry in value.items()}
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_built_in(entry) for entry in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return int.__int__(value)
    return float.__float__(value) if isinstance(value, float) else value
