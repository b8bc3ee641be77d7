# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired SR-IOV network adapters of a VM. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...errors import InputError
from ...pci import parse_address
from ...plain import Record
from ...suggest import suggest_word

SRIOV_KEYS = ("network", "physical_function", "mac", "allow_guest_mtu_change")
AUTOMATIC = "auto"
_VMNIC = re.compile(r"vmnic[0-9]+")
_MAC = re.compile(r"[0-9a-f]{2}([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}", re.IGNORECASE)
_FORM = "Write a mapping, such as {network: vlan-100} or {network: vlan-100, physical_function: vmnic4}"


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredSriovNetwork:
    """One adapter. ``network``: name or managed object id. ``physical_function``: ``auto``, a vmnic or a PCI address.

    ``mac``: lower case with colons; None: the server generates it, and an adapter keeps the one that it has.
    ``allow_guest_mtu_change``: None: an adapter keeps its setting, and a new one does not allow it.
    """

    network: str
    physical_function: str = AUTOMATIC
    mac: str | None = None
    allow_guest_mtu_change: bool | None = None

    @property
    def is_automatic(self) -> bool:
        return self.physical_function == AUTOMATIC

    @property
    def text(self) -> str:
        """For messages: ``vlan-100 on vmnic4``."""
        place = "" if self.is_automatic else f" on {self.physical_function}"
        return f"{self.network}{place}" + (f" with {self.mac}" if self.mac else "")

    def option(self) -> Record:
        """The entry as in the option ``sriov_networks``."""
        return {
            "network": self.network,
            **({} if self.is_automatic else {"physical_function": self.physical_function}),
            **({} if self.mac is None else {"mac": self.mac}),
            **({} if self.allow_guest_mtu_change is None else {"allow_guest_mtu_change": self.allow_guest_mtu_change}),
        }


def parse_sriov_networks(raw: object, parameter: str = "sriov_networks") -> tuple[DesiredSriovNetwork, ...]:
    """The desired adapters in an option. Raises InputError when an entry is wrong, or two entries have the same MAC address."""
    if isinstance(raw, str | Mapping) or not isinstance(raw, Sequence):
        raise _bad(f"{parameter} is not a list", parameter)
    found = tuple(_entry(entry, f"{parameter}[{number}]") for number, entry in enumerate(raw))
    macs = [entry.mac for entry in found if entry.mac is not None]
    for mac in macs:
        if macs.count(mac) > 1:
            raise InputError(
                message=f"{parameter} has the MAC address {mac} twice",
                code="duplicate_mac",
                parameter=parameter,
                cure="Give each adapter its own address, or leave mac out: the server generates it",
            )
    return found


def _bad(message: str, parameter: str, candidates: Sequence[str] = ()) -> InputError:
    return InputError(message=message, code="bad_sriov_network", parameter=parameter, cure=_FORM, candidates=candidates)


def _entry(raw: object, parameter: str) -> DesiredSriovNetwork:
    if not isinstance(raw, Mapping):
        raise _bad(f"{parameter} {raw!r} is not a mapping", parameter)
    given = {str(key): value for key, value in raw.items() if value is not None}
    unknown = sorted(key for key in given if key not in SRIOV_KEYS)
    if unknown:
        hint = suggest_word(unknown[0], SRIOV_KEYS)
        raise _bad(f"{parameter} has the unknown key {', '.join(unknown)}{hint}", parameter, candidates=SRIOV_KEYS)
    network = given.get("network")
    if not isinstance(network, str) or not network.strip():
        raise _bad(f"{parameter} names no network", f"{parameter}.network")
    allowed = given.get("allow_guest_mtu_change")
    if allowed is not None and not isinstance(allowed, bool):
        where = f"{parameter}.allow_guest_mtu_change"
        raise _bad(f"{where} {allowed!r} is neither true nor false", where)
    return DesiredSriovNetwork(
        network=network,
        physical_function=_physical_function(
            given.get("physical_function", AUTOMATIC), f"{parameter}.physical_function"
        ),
        mac=_mac(given["mac"], f"{parameter}.mac") if "mac" in given else None,
        allow_guest_mtu_change=allowed,
    )


def _physical_function(raw: object, parameter: str) -> str:
    text = raw.strip().lower() if isinstance(raw, str) else ""
    if text == AUTOMATIC or _VMNIC.fullmatch(text):
        return text
    try:
        return parse_address(text)
    except InputError:
        raise InputError(
            message=f"{parameter} {raw!r} is neither auto, nor a physical NIC, nor a PCI address",
            code="bad_physical_function",
            parameter=parameter,
            cure='Write auto, a physical NIC such as vmnic4, or an address in quotes such as "0000:3b:00.0"',
        ) from None


def _mac(raw: object, parameter: str) -> str:
    """Lower case with colons. A YAML value without quotes may be read as a number, so only strings are accepted."""
    text = raw.strip() if isinstance(raw, str) else ""
    if not _MAC.fullmatch(text):
        raise _bad_mac(raw, "is not a MAC address", parameter)
    mac = text.lower().replace("-", ":")
    if int(mac[:2], 16) & 1:
        raise _bad_mac(raw, "is a multicast address, which an adapter cannot have", parameter)
    if mac == "00:00:00:00:00:00":
        raise _bad_mac(raw, "is not the address of an adapter", parameter)
    return mac


def _bad_mac(raw: object, problem: str, parameter: str) -> InputError:
    return InputError(
        message=f"{parameter} {raw!r} {problem}",
        code="bad_mac",
        parameter=parameter,
        cure='Write a unicast address in quotes, such as "00:50:56:00:00:01" (VMware reserves 00:50:56:00:00:00 to '
        "00:50:56:3f:ff:ff for addresses that people assign), or leave mac out",
    )


def is_assigned_by_server(mac: str) -> bool:
    """True for an address from the ranges that vCenter and ESXi generate (vSphere networking guide, MAC address assignment)."""
    octets = mac.split(":")
    return mac.startswith("00:0c:29:") or (mac.startswith("00:50:56:") and int(octets[3], 16) > 0x3F)
