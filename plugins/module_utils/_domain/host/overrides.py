# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Overrides of protected devices: the user names the address and the identity of the device. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import InputError
from ..names import shown_name
from ..observed.hosts import Host
from ..pci import parse_address
from ..planning.plan import Blocker
from ..planning.unknown_names import UnknownName
from ..text import visible_name
from .protection import Protection, management_addresses

_ENTRY = re.compile(r"(?:(?P<host>.*?)/)?(?P<address>[0-9A-Fa-f:]+\.[0-7])(?:=(?P<what>.*))?", re.DOTALL)
_NEEDS_IDENTITY = frozenset({"boot_disk", "boot_disk_unknown", "usb_boot"})
"""Protections that an address alone cannot override: the disk at the address may have changed, and ESXi may boot from it."""
UNTIL = "1.0.0"
"""From this release on, an address alone overrides no protection."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    """A protected device that the user wants to pass through. ``what``: the expected identity at the address; empty when not given."""

    address: str
    what: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """The effect of the overrides on one host in its current state.

    ``named``: address → identity, for protected devices that may be passed through. ``refused``: address → why its override does not
    apply, as a clause. ``warnings``: sentences about overrides without an identity.
    """

    named: Mapping[str, str]
    refused: Mapping[str, str]
    warnings: tuple[str, ...] = ()


def parse_overrides(entries: Sequence[str], hosts: Sequence[Host]) -> Mapping[str, tuple[Override, ...]]:
    """Host id → overrides of this host.

    An entry is ``esx-01/0000:5e:00.0=eui.0025385b01402f7a``. The host can be left out when the run has only one host. Entries of hosts
    that are not in the run are ignored: the list may be for the whole fleet. Raises InputError (override_needs_host, ambiguous_host,
    bad_address).
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
                message=f"allow_protected {entry!r} does not name one of the {len(hosts)} hosts",
                code="override_needs_host",
                parameter="allow_protected",
                cure="The same address can be a different device on each host: write host/address",
                candidates=[f"{host.name}/{address}" for host in sorted(hosts, key=lambda host: host.name)[:8]],
            )
        meant = [host for host in hosts if name is None or _is_called(host, name)]
        if len(meant) > 1:
            raise _ambiguous(entry, name or "", meant)
        for host in meant:
            result[host.moid].append(Override(address=address, what=(found["what"] or "").strip()))
    return {moid: tuple(found) for moid, found in result.items()}


def _ambiguous(entry: str, name: str, meant: Sequence[Host]) -> InputError:
    return InputError(
        message=f"allow_protected {entry!r} names {len(meant)} hosts: {name!r} is the name of one and the managed object id of another one",
        code="ambiguous_host",
        parameter="allow_protected",
        cure="Write the inventory path of the one you mean in front of the address",
        candidates=[f"/{host.path} ({host.moid})" for host in sorted(meant, key=lambda host: (host.path, host.moid))],
    )


def unknown_overrides(entries: Sequence[str], hosts: Sequence[Host]) -> tuple[UnknownName, ...]:
    """Entries whose host is none of ``hosts``, which are all hosts of the endpoint."""
    found = ((entry, _ENTRY.fullmatch(entry.strip())) for entry in entries)
    return tuple(
        UnknownName(
            option="allow_protected",
            entry=entry,
            name=match["host"],
            noun="ESXi host",
            known=tuple(host.name for host in hosts),
        )
        for entry, match in found
        if match is not None
        and match["host"] is not None
        and not any(_is_called(host, match["host"]) for host in hosts)
    )


def what_is_at(host: Host, address: str) -> str:
    """The identity of the device at an address, as in an override; "" when there is no device.

    The canonical names of the disks of a storage controller, or the MAC addresses of a network adapter, joined by "+". For other devices,
    the vendor and device id. Ids are not enough for disks and NICs, because equal ones have equal ids.
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
    """The full override of a device, such as ``esx-01/0000:5e:00.0=eui.0025385b01402f7a``."""
    return f"{host.name}/{address}={what_is_at(host, address)}"


def check_override(named: str, address: str, now: Host) -> str | None:
    """Why an override with the identity ``named`` does not apply to the host now, as a clause; None when it applies.

    The same check runs right before a write. The host must be read with its fabric.
    """
    there = what_is_at(now, address)
    if named and _same(named, there):
        return None
    if not there:
        return f"there is no device at {address}"
    expected = (
        f"the override expects {named} at {address}" if named else f"the override gives no identity for {address}"
    )
    return f"{expected}, but the device there is {there}"


def _same(one: str, other: str) -> bool:
    return one.replace("-", ":").casefold() == other.replace("-", ":").casefold()


def apply_overrides(
    host: Host, overrides: Sequence[Override], reasons: Mapping[str, tuple[Protection, ...]]
) -> Applied:
    """Apply overrides to the protected devices of a host. ``reasons``: address → protections. Hard protections cannot be overridden."""
    named: dict[str, str] = {}
    refused: dict[str, str] = {}
    warnings: list[str] = []
    # Of several overrides for one address, the one with an identity counts.
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
                f"the override names {address} without the identity of the disk, but ESXi may boot from this disk"
            )
        else:
            named[address] = what_is_at(host, address)
            warnings.append(
                f"allow_protected names {address} on {host.name} by its address alone, which is not accepted from release {UNTIL} on: "
                f'write "{full_form(host, address)}"'
            )
    return Applied(named=named, refused=refused, warnings=tuple(dict.fromkeys(warnings)))


def _is_called(host: Host, name: str) -> bool:
    """True when ``name`` is the host's name, its full inventory path or its managed object id.

    Short names and parts of a path do not count: an override must name exactly one host.
    """
    forms = {form.casefold() for form in (visible_name(name), shown_name(name))}
    return not forms.isdisjoint(form.casefold() for form in (host.name, host.moid, host.path, f"/{host.path}"))


def protection_blockers(
    host: Host,
    addresses: Iterable[str],
    reasons: Mapping[str, tuple[Protection, ...]],
    applied: Applied,
) -> tuple[Blocker, ...]:
    """Blockers for passing through ``addresses``: protected devices without an override, and loss of the last management uplink."""
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
                message=f"{', '.join(sorted(left))} are all management uplinks of {host.name}, and the host needs one of them",
                cure="Take one of them out of the desired devices. This protection cannot be overridden",
                subjects=tuple(sorted(left)),
            )
        )
    return tuple(blockers)


def _protected(host: Host, address: str, reasons: Sequence[Protection], refused: str) -> Blocker:
    device = host.device(address)
    what = device.describe() if device else address
    if any(reason.hard for reason in reasons):
        cure = "This protection cannot be overridden: select another device"
    else:
        cure = (
            "Select another device, or end the use of this one first. If you are sure that the host does not need it, set "
            f'allow_protected: ["{full_form(host, address)}"]'
        )
    return Blocker(
        code="protected",
        message=f"{what} on {host.name} is protected: {'; '.join(reason.reason for reason in reasons)}"
        + (f"; {refused}" if refused else ""),
        cure=cure,
        subjects=(address,),
    )
