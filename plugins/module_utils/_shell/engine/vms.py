# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs that the parameters of a module name, and where they are. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ..._domain.errors import InputError
from ..._domain.host.targets import Inventory
from ..._domain.names import Reference, resolve_each
from ..._domain.observed.hosts import Host
from ..._domain.observed.vms import Vm, VmName
from ..._domain.planning.unknown_names import UnknownName

Entry = TypeVar("Entry")


def parse_vms(
    params: Mapping[str, Any], inherited: Sequence[str], parse: Callable[[Reference, Mapping[str, Any]], Entry]
) -> tuple[Entry, ...]:
    """Read the VMs from ``vms``, or from ``vm`` with the options of the module. ``parse`` makes an entry from its options.

    ``inherited``: names of module options that an entry of ``vms`` takes when it does not set them itself.
    Raises InputError (no_vms) when no VM is named, or an entry does not have exactly one of name and moid.
    """
    common = {name: params[name] for name in inherited}
    if params.get("vm") is not None:
        found = tuple(parse(Reference(name), common) for name in params["vm"])
    else:
        found = tuple(
            parse(
                _reference(number, raw), {**common, **{name: raw[name] for name in common if raw.get(name) is not None}}
            )
            for number, raw in enumerate(params["vms"] or ())
        )
    if not found:
        raise InputError(message="No VM is named", code="no_vms", parameter="vms", cure="Name at least one VM")
    return found


def _reference(number: int, raw: Mapping[str, Any]) -> Reference:
    name, moid = raw.get("name"), raw.get("moid")
    if bool(name) == bool(moid):
        raise InputError(
            message=f"vms[{number}] {'has both name and moid' if name else 'names no VM'}",
            code="no_vms",
            parameter=f"vms[{number}].name",
            cure="Give name or moid",
        )
    return Reference(str(moid), "moid") if moid else Reference(str(name), "name")


def neighbours(inventory: Inventory, hosts: Iterable[Host], chosen: Iterable[VmName]) -> list[VmName]:
    """The VMs, other than the chosen ones, that may hold devices of these hosts: the host lists the VM, the VM names the host, or the VM
    names no host."""
    taken = {vm.moid for vm in chosen}
    listed = {moid for host in hosts for moid in host.residents}
    places = {None, *(host.moid for host in hosts)}
    return [vm for vm in inventory.vms if vm.moid not in taken and (vm.host_moid in places or vm.moid in listed)]


def vms_of(inventory: Inventory, names: Iterable[str], parameter: str) -> frozenset[str]:
    """Ids of the VMs with these names or ids. A name that no VM has is kept: it may be the id of a VM that this account cannot see.

    Raises InputError for a name that more than one VM has.
    """
    meant = resolve_each(inventory.vm_names, dict.fromkeys(sorted(names), True), parameter)
    return frozenset(meant.by_id) | (frozenset(names) - meant.ids.keys())


def unknown_vms(
    inventory: Inventory, names: Iterable[str], parameter: str, hosts: Iterable[Host]
) -> tuple[UnknownName, ...]:
    """The names that no VM has. The id of a VM that only its host lists is no such name.

    Raises InputError for a name that more than one VM has.
    """
    unknown = [name for name in sorted(set(names)) if inventory.vm_names.lookup(name, parameter) is None]
    if not unknown:
        return ()
    listed = {moid for host in hosts for moid in host.residents}
    known = tuple(vm.name for vm in inventory.vms)
    return tuple(
        UnknownName(option=parameter, entry=name, name=name, noun="VM", known=known)
        for name in unknown
        if name not in listed
    )


def place_vms(vms: Iterable[Vm], hosts: Iterable[Host]) -> tuple[Vm, ...]:
    """The VMs with the names of their hosts and clusters filled in."""
    by_id = {host.moid: host for host in hosts}
    placed = []
    for vm in vms:
        host = by_id.get(vm.host_moid or "")
        placed.append(replace(vm, host_name=host.name, cluster=host.cluster) if host is not None else vm)
    return tuple(placed)
