# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Overriding a protection, by naming the device again. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from .errors import InputError
from .hosts import Host
from .names import shown_name
from .pci import parse_address
from .plain import visible_name
from .plan import Blocker
from .protection import Protection, management_addresses


def parse_overrides(entries: Sequence[str], hosts: Sequence[Host]) -> Mapping[str, frozenset[str]]:
    """Host moid → addresses the user takes responsibility for.

    An entry is ``esx-01/0000:5e:00.0`` or, when one host only is targeted, ``0000:5e:00.0``. Entries for hosts that are not
    targeted this time are fine: the list may serve a whole fleet. Raises InputError for anything else.
    """
    result: dict[str, set[str]] = {host.moid: set() for host in hosts}
    for entry in entries:
        name, slash, text = entry.strip().rpartition("/")
        address = parse_address(text)
        if not slash and len(hosts) > 1:
            raise InputError(
                message=f"allow_protected {entry!r} does not say on which of the {len(hosts)} hosts",
                code="override_needs_host",
                parameter="allow_protected",
                cure="An address is another device on another host: write it with the host's name",
                candidates=[f"{host.name}/{address}" for host in sorted(hosts, key=lambda host: host.name)[:8]],
            )
        for host in hosts:
            if not slash or _is_called(host, name):
                result[host.moid].add(address)
    return {moid: frozenset(addresses) for moid, addresses in result.items()}


def _is_called(host: Host, name: str) -> bool:
    """By its name, its whole inventory path or its id. No first label and no part of a path: a risk is taken for one host alone, whatever
    others are called."""
    forms = {form.casefold() for form in (visible_name(name), shown_name(name))}
    return not forms.isdisjoint(form.casefold() for form in (host.name, host.moid, host.path, f"/{host.path}"))


def protection_blockers(
    host: Host,
    addresses: Iterable[str],
    reasons: Mapping[str, tuple[Protection, ...]],
    allowed: Collection[str],
) -> tuple[Blocker, ...]:
    """What forbids passing through ``addresses``: each protected one that is not named, and losing management altogether."""
    wanted = sorted(addresses)
    blockers = [
        _protected(host, address, reasons[address])
        for address in wanted
        if address in reasons and (address not in allowed or any(reason.hard for reason in reasons[address]))
    ]
    left = management_addresses(host)
    if not blockers and left and left <= set(wanted):
        blockers.append(
            Blocker(
                code="last_management_uplink",
                message=f"{', '.join(sorted(left))} are together all the uplinks that {host.name} is managed through",
                cure="Leave one of them to the host. There is no override",
                subjects=tuple(sorted(left)),
            )
        )
    return tuple(blockers)


def _protected(host: Host, address: str, reasons: Sequence[Protection]) -> Blocker:
    device = host.device(address)
    what = device.describe() if device else address
    if any(reason.hard for reason in reasons):
        cure = "There is no override: choose another device"
    else:
        cure = (
            "Choose another device, or free this one first. If the host can really do without it, name it: "
            f'allow_protected: ["{host.name}/{address}"]'
        )
    return Blocker(
        code="protected",
        message=f"{what} on {host.name} is protected: {'; '.join(reason.reason for reason in reasons)}",
        cure=cure,
        subjects=(address,),
    )
