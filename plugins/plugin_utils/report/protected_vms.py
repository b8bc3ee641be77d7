# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of VMs that must never be stopped, and that no vCenter of the play knows. PRIVATE to the collection.

A slip in such a name would take the protection away. One list may name VMs of all vCenters of the play, so it is compared with all of them.
A result is that of vm_pci_device_info with ``on_missing: skip``: ``found`` and ``missing`` together are the names that it looked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._domain.suggest import suggest_word

Record = Mapping[str, Any]

LOOKED = "__rolling_reboot_known"
"""The variable in which each leader registers what it found in its vCenter."""


def still_to_look(wanted: Record, endpoints: Mapping[str, Record], hostvars: Mapping[str, Record]) -> dict[str, Any]:
    """``names`` that no vCenter has so far, and ``leaders`` of the vCenters that were not asked for all of them.

    ``wanted``: ``names`` that must exist, without those in ``missing``. ``endpoints``: leader → its part of the intent, for all vCenters
    of the play. A vCenter was not asked if it is in a later part of the play (``serial``), or if the play does nothing in it.
    """
    results = _registered(endpoints, hostvars)
    names = _unknown(_required(wanted), results.values())
    leaders = [leader for leader in endpoints if not _was_asked(results.get(leader), names)] if names else []
    return {"names": names, "leaders": leaders}


def protection_problem(
    wanted: Record,
    endpoints: Mapping[str, Record],
    hostvars: Mapping[str, Record],
    leader: str,
    elsewhere: Record | None = None,
) -> str:
    """Why the run must stop before the first change; empty if all names are known.

    ``leader``: the inventory host whose result must be complete. ``elsewhere``: the registered loop over the leaders of
    ``still_to_look``.
    """
    results = _registered(endpoints, hostvars)
    own = results.get(leader) or {}
    if own.get("failed") or "error_code" in own:
        # For example two VMs with one of the names.
        return f"{wanted['option']}: {own.get('msg', 'the VMs could not be read')}"
    for result in (elsewhere or {}).get("results") or ():
        results[str(result.get("item"))] = result
    names = _unknown(_required(wanted), results.values())
    if not names:
        return ""
    unread = [leader for leader in endpoints if not _was_asked(results.get(leader), names)]
    asked = [str(endpoints[leader]["place"]) for leader in endpoints if leader not in unread]
    sentences = [
        f"{wanted['option']} contains {name}, but no VM of {_joined(asked)} has this name"
        f"{suggest_word(name, _similar(name, results.values()))}."
        for name in names
    ]
    sentences += [
        f"{endpoints[leader]['place']} could not be read: {results.get(leader, {}).get('msg', 'no answer')}"
        for leader in unread
    ]
    cure = f"Nothing was done. Correct the name, or list it in {wanted['option']}_missing if the VM may be gone."
    return " ".join((*sentences, cure))


def _registered(endpoints: Iterable[str], hostvars: Mapping[str, Record]) -> dict[str, Record]:
    found = {}
    for leader in endpoints:
        variables = hostvars[leader]
        if LOOKED in variables:
            found[leader] = variables[LOOKED]
    return found


def _required(wanted: Record) -> list[str]:
    missing = set(_listed(wanted["missing"]))
    return [name for name in dict.fromkeys(_listed(wanted["names"])) if name not in missing]


def _listed(value: Sequence[str] | str) -> list[str]:
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else [str(name) for name in value]


def _unknown(names: Sequence[str], results: Iterable[Record]) -> list[str]:
    found = {name for result in results for name in result.get("found") or ()}
    return [name for name in names if name not in found]


def _was_asked(result: Record | None, names: Sequence[str]) -> bool:
    return result is not None and all(name in (result.get("missing") or ()) for name in names)


def _similar(name: str, results: Iterable[Record]) -> list[str]:
    return [similar for result in results for similar in (result.get("missing") or {}).get(name) or ()]


def _joined(places: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(places[:-1]), *places[-1:])))
