# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Overriding a protection, by naming the device again: where it is, and what is there. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import InputError
from ..names import shown_name
from ..observed.hosts import Host
from ..pci import parse_address
from ..plan import Blocker
from ..text import visible_name
from .protection import Protection, management_addresses

_ENTRY = re.compile(r"(?:(?P<host>.*?)/)?(?P<address>[0-9A-Fa-f:]+\.[0-7])(?:=(?P<what>.*))?")
_NEEDS_IDENTITY = frozenset({"boot_disk", "boot_disk_unknown", "usb_boot"})
"""Codes of protections that no address alone overrides: another disk behind it may be the one that ESXi boots from."""
UNTIL = "1.0.0"
"""The release from which on an address alone overrides nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    """A device that the user takes responsibility for. ``what`` is to be at the address; empty where that was not said."""

    address: str
    what: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """What overrides come to on one host as it is now.

    ``named``: address → what is there, of the protected devices that may be taken. ``refused``: address → why its override does not
    apply, a clause. ``warnings``: sentences about overrides that should say more.
    """

    named: Mapping[str, str]
    refused: Mapping[str, str]
    warnings: tuple[str, ...] = ()


def parse_overrides(entries: Sequence[str], hosts: Sequence[Host]) -> Mapping[str, tuple[Override, ...]]:
    """Host moid → overrides that are meant for it.

    An entry is ``esx-01/0000:5e:00.0=eui.0025385b01402f7a`` or, when one host only is targeted, the same without the host. Entries for
    hosts that are not targeted this time are fine: the list may serve a whole fleet. Raises InputError for anything else.
    """
    result: dict[str, list[Override]] = {host.moid: [] for host in hosts}
    for entry in entries:
        found = _ENTRY.fullmatch(entry.strip())
        if found is None:
            parse_address(entry.strip().rpartition("/")[2])
            continue
        name, address = found["host"], parse_address(found["address"])
        if name is None and len(hosts) > 1:
            raise InputError(
                message=f"allow_protected {entry!r} does not say on which of the {len(hosts)} hosts",
                code="override_needs_host",
                parameter="allow_protected",
                cure="An address is another device on another host: write it with the host's name",
                candidates=[f"{host.name}/{address}" for host in sorted(hosts, key=lambda host: host.name)[:8]],
            )
        for host in hosts:
            if name is None or _is_called(host, name):
                result[host.moid].append(Override(address=address, what=(found["what"] or "").strip()))
    return {moid: tuple(found) for moid, found in result.items()}


def what_is_at(host: Host, address: str) -> str:
    """What tells the device at an address from another one of its model, as an override names it; "" where there is none.

    The canonical names of the disks behind a storage controller, the MAC addresses of a network adapter, else vendor and device id:
    equal drives and ports have equal ids. Several are joined by "+".
    """
    device, fabric = host.device(address), host.fabric
    if device is None:
        return ""
    if fabric is not None:
        disks = {name for adapter in fabric.adapters.read if adapter.address == address for name in adapter.disks}
        macs = {nic.mac for nic in fabric.nics.read if nic.address == address and nic.mac}
        if disks or macs:
            return "+".join(sorted(disks or macs))
    return device.ids


def full_form(host: Host, address: str) -> str:
    """The override of a device, as it is to be written."""
    return f"{host.name}/{address}={what_is_at(host, address)}"


def check_override(named: str, address: str, now: Host) -> str | None:
    """Why an override that named this for the address does not apply to the host as it is now, a clause; None where it does.

    Asked right before a write as well, of a host that was read with its fabric.
    """
    there = what_is_at(now, address)
    if named and _same(named, there):
        return None
    return f"the override names {named or 'nothing'} at {address}, where now {there or 'nothing'} is"


def _same(one: str, other: str) -> bool:
    return one.replace("-", ":").casefold() == other.replace("-", ":").casefold()


def apply_overrides(
    host: Host, overrides: Sequence[Override], reasons: Mapping[str, tuple[Protection, ...]]
) -> Applied:
    """Which protected devices the overrides free. One that nothing overrides stays, whatever is written."""
    named: dict[str, str] = {}
    refused: dict[str, str] = {}
    warnings: list[str] = []
    # Of several for one address the one that says more counts.
    for override in sorted(overrides, key=lambda override: bool(override.what)):
        address, why = override.address, reasons.get(override.address, ())
        if not why or any(reason.hard for reason in why):
            continue
        if override.what:
            problem = check_override(override.what, address, host)
            if problem is None:
                named[address] = what_is_at(host, address)
                refused.pop(address, None)
            else:
                named.pop(address, None)
                refused[address] = problem
            warnings = [text for text in warnings if full_form(host, address) not in text]
        elif any(reason.code in _NEEDS_IDENTITY for reason in why):
            refused[address] = (
                f"the override names {address} without what is there, which is not enough for a disk ESXi may boot from"
            )
        else:
            named[address] = what_is_at(host, address)
            warnings.append(
                f"allow_protected names {address} on {host.name} by its address alone, which ends with {UNTIL}: write "
                f'"{full_form(host, address)}"'
            )
    return Applied(named=named, refused=refused, warnings=tuple(dict.fromkeys(warnings)))


def _is_called(host: Host, name: str) -> bool:
    """By its name, its whole inventory path or its id. No first label and no part of a path: a risk is taken for one host alone, whatever
    others are called."""
    forms = {form.casefold() for form in (visible_name(name), shown_name(name))}
    return not forms.isdisjoint(form.casefold() for form in (host.name, host.moid, host.path, f"/{host.path}"))


def protection_blockers(
    host: Host,
    addresses: Iterable[str],
    reasons: Mapping[str, tuple[Protection, ...]],
    applied: Applied,
) -> tuple[Blocker, ...]:
    """What forbids passing through ``addresses``: each protected one that is not named, and losing management altogether."""
    wanted = sorted(addresses)
    blockers = [
        _protected(host, address, reasons[address], applied.refused.get(address, ""))
        for address in wanted
        if address in reasons and address not in applied.named
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


def _protected(host: Host, address: str, reasons: Sequence[Protection], refused: str) -> Blocker:
    device = host.device(address)
    what = device.describe() if device else address
    if any(reason.hard for reason in reasons):
        cure = "There is no override: choose another device"
    else:
        cure = (
            "Choose another device, or free this one first. If the host can really do without it, name it: "
            f'allow_protected: ["{full_form(host, address)}"]'
        )
    return Blocker(
        code="protected",
        message=f"{what} on {host.name} is protected: {'; '.join(reason.reason for reason in reasons)}"
        + (f"; {refused}" if refused else ""),
        cure=cure,
        subjects=(address,),
    )
