# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of an intent in an inventory: one that nothing has does not spoil the others. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from .._domain.drift.compare import NotFound
from .._domain.errors import InputError
from .._domain.host.targets import Inventory, Target
from .._domain.names import Reference

_ABSENT = ("unknown_host", "unknown_cluster", "unknown_vm")


def hosts_of(inventory: Inventory, target: Target, absent: list[NotFound]) -> list[str]:
    """Ids of the hosts a target means. Names and clusters that do not exist are added to ``absent``.

    Raises InputError for a name that stands for several.
    """
    if not target.hosts and not target.clusters:
        return [host.moid for host in inventory.hosts]
    names, members_of = inventory.host_names, inventory.members_of
    found: dict[str, None] = {}
    for name in target.hosts:
        found.update(_tried(lambda name: [names.find(name, "hosts").moid], "host", name, absent))
    for cluster in target.clusters:
        found.update(_tried(lambda name: [host.moid for host in members_of(name)], "cluster", cluster, absent))
    return list(found)


def vm_of(inventory: Inventory, reference: Reference, absent: list[NotFound]) -> str | None:
    """Id of the VM a reference means; None, and an entry in ``absent``, when there is none."""
    found = _tried(lambda _name: [inventory.vm_names.find(reference, "vms").moid], "vm", reference.text, absent)
    return next(iter(found), None)


def _tried(
    find: Callable[[str], Iterable[str]], kind: Literal["cluster", "host", "vm"], name: str, absent: list[NotFound]
) -> dict[str, None]:
    try:
        return dict.fromkeys(find(name))
    except InputError as error:
        if error.code not in _ABSENT:
            raise
        near = f". There are: {'; '.join(error.candidates)}" if error.candidates else ""
        absent.append(NotFound(type=kind, name=name, cause=f"{error.message}{near}"))
        return {}
