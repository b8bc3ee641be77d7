# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many names looked up in a large inventory: one that means nothing does not spoil the others. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .._domain.drift_find import NotFound
from .._domain.errors import InputError
from .._domain.hosts import Host
from .._domain.targets import Target, find_vm, resolve_hosts
from .._vsphere.read_vms import VmName

_ABSENT = ("unknown_host", "unknown_cluster", "unknown_vm")


class Names:
    """Holds indices of the inventory, so that a thousand names do not mean a million comparisons."""

    def __init__(self, vms: Sequence[VmName], hosts: Sequence[Host], aliases: Mapping[str, str]) -> None:
        self._vms, self._hosts, self._aliases = vms, hosts, aliases
        self._vm_by_id = {vm.moid: vm for vm in vms}
        self._vm_by_name: dict[str, list[VmName]] = {}
        for vm in vms:
            self._vm_by_name.setdefault(vm.name, []).append(vm)
        self._host_by_name: dict[str, list[Host]] = {}
        for host in hosts:
            self._host_by_name.setdefault(host.name.lower(), []).append(host)
        self._members: dict[str, list[Host]] = {}
        for host in hosts:
            if host.cluster is not None:
                self._members.setdefault(host.cluster, []).append(host)

    def hosts(self, target: Target, absent: list[NotFound]) -> list[str]:
        """Ids of the hosts a target means. Names and clusters that do not exist are added to ``absent``."""
        found: dict[str, None] = {}
        for name in target.hosts:
            known = self._host_by_name.get(name.lower(), [])
            if len(known) != 1:
                known = self._slowly((name,), (), "host", name, absent)
            found.update(dict.fromkeys(host.moid for host in known))
        for cluster in target.clusters:
            members = self._members.get(cluster) or self._slowly((), (cluster,), "cluster", cluster, absent)
            found.update(dict.fromkeys(host.moid for host in members))
        if not target.hosts and not target.clusters:
            found.update(dict.fromkeys(host.moid for host in self._hosts))
        return list(found)

    def vm(self, reference: str, absent: list[NotFound]) -> VmName | None:
        """The VM a reference means; None, and an entry in ``absent``, when there is none."""
        named = self._vm_by_name.get(reference, [])
        if reference in self._vm_by_id:
            return self._vm_by_id[reference]
        if len(named) == 1:
            return named[0]
        try:
            return find_vm(self._vms, reference, "vms")  # type: ignore[return-value]  # one of those it was given
        except InputError as error:
            absent.append(_not_found("vm", reference, error))
            return None

    def _slowly(
        self, names: Sequence[str], clusters: Sequence[str], kind: str, wanted: str, absent: list[NotFound]
    ) -> list[Host]:
        try:
            return list(resolve_hosts(self._hosts, names, clusters, self._aliases))
        except InputError as error:
            absent.append(_not_found(kind, wanted, error))
            return []


def _not_found(kind: str, name: str, error: InputError) -> NotFound:
    """Raises the error again when the name is wrong in another way than meaning nothing."""
    if error.code not in _ABSENT:
        raise error
    near = f". There are: {'; '.join(error.candidates)}" if error.candidates else ""
    return NotFound(type=kind, name=name, cause=f"{error.message}{near}")  # type: ignore[arg-type]  # of the three words
