# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The device selector of the collection, and entries of desired devices that use it. PRIVATE to the collection.

This file has only what needs no hardware. ``matching`` selects the devices of a host.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from ..errors import InputError
from ..pci import parse_address, parse_id, parse_numa_node, parse_pair
from ..plain import Record
from ..suggest import as_whole, matches, suggest_word

if TYPE_CHECKING:
    # Not imported when it runs: who only reads a desired state does not wait for the state of hardware.
    from ..observed.hosts import HostDevice

SELECTOR_KEYS = (
    "vendor_id",
    "device_id",
    "subvendor_id",
    "subdevice_id",
    "class_id",
    "address",
    "slot",
    "name",
    "label",
)
DESIRED_KEYS = ("match", "count", "label")
VM_DESIRED_KEYS = (*DESIRED_KEYS, "virtual_function", "numa_node")
"""Keys of an entry for a VM."""

_ID_KEYS = ("vendor_id", "device_id", "subvendor_id", "subdevice_id")
_CLASS = re.compile(r"(?:0x)?([0-9a-f]{2}|[0-9a-f]{4})", re.IGNORECASE)
_NUMBERED_SLOT = re.compile(r"\bslot\s*#?\s*0*(\d+)\s*$", re.IGNORECASE)
_FORM = (
    'Write vendor:device as lspci -n prints it ("10de:20f1"), an address ("0000:3b:00.0"), '
    "or a mapping of " + ", ".join(SELECTOR_KEYS)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Selector:
    """Conditions on a device; all given conditions must match. None means no condition.

    ``name``: upper and lower case are equal, ``*`` and ``?`` are wildcards. ``class_id``: two or four hexadecimal digits. ``slot``: number
    or description of a slot. ``label``: hardware label of the host device.
    """

    vendor_id: str | None = None
    device_id: str | None = None
    subvendor_id: str | None = None
    subdevice_id: str | None = None
    class_id: str | None = None
    address: str | None = None
    slot: str | None = None
    name: str | None = None
    label: str | None = None
    vmnic: str | None = None
    """A physical NIC. Only an entry with virtual functions has it (``parse_function_entries``)."""

    @property
    def given(self) -> dict[str, str]:
        """The conditions that were given, in the order of SELECTOR_KEYS."""
        values = {key: getattr(self, key) for key in (*SELECTOR_KEYS, "vmnic")}
        return {key: value for key, value in values.items() if value is not None}

    @property
    def text(self) -> str:
        """The shortest form: ``10de:20f1``, an address (both need quotes in YAML), or a YAML mapping."""
        given = self.given
        if set(given) == {"vendor_id", "device_id"}:
            return f"{self.vendor_id}:{self.device_id}"
        if set(given) == {"address"}:
            return given["address"]
        return "{" + ", ".join(f"{key}: {_quoted(value)}" for key, value in given.items()) + "}"

    @property
    def names_kind(self) -> bool:
        """True when it gives the model (vendor and device id)."""
        return self.vendor_id is not None and self.device_id is not None

    def misses(self, device: HostDevice) -> tuple[str, ...]:
        """The keys of the conditions that the device does not meet; empty when it matches."""
        return tuple(key for key, wanted in self.given.items() if not _meets(key, wanted, device))

    def matches(self, device: HostDevice) -> bool:
        return not self.misses(device)

    def covers(self, other: Selector) -> bool:
        """True when this selector certainly matches every device that ``other`` matches."""
        conditions = other.given
        return all(
            conditions.get(key, "").startswith(value) if key == "class_id" else conditions.get(key) == value
            for key, value in self.given.items()
        )


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _meets(key: str, wanted: str, device: HostDevice) -> bool:
    if key == "name":
        return matches(wanted, device.name)
    if key == "class_id":
        return device.class_id.startswith(wanted)
    if key == "slot":
        return _is_slot(wanted, device.slot)
    return bool(getattr(device, key) == wanted)


def _is_slot(wanted: str, slot: str | None) -> bool:
    """True for ``6`` and for ``PCIe Slot 6`` when the slot is described as ``PCIe Slot 6``."""
    if slot is None:
        return False
    if slot.casefold() == wanted.casefold():
        return True
    numbered = _NUMBERED_SLOT.search(slot)
    return numbered is not None and wanted.isdecimal() and int(wanted) == int(numbered[1])


def parse_selector(raw: object, parameter: str = "match") -> Selector:
    """The selector in an option: ``10de:20f1``, an address, or a mapping. Raises InputError with the wrong key in ``parameter``."""
    if isinstance(raw, str):
        if not raw.strip():
            raise _bad_selector(f"{parameter} is empty", parameter)
        if "." in raw:
            return Selector(address=parse_address(raw))
        vendor_id, device_id = parse_pair(raw)
        return Selector(vendor_id=vendor_id, device_id=device_id)
    if not isinstance(raw, Mapping):
        raise _bad_selector(f"{parameter} {raw!r} is {_kind_of(raw)}, not a string or a mapping{_why(raw)}", parameter)
    unknown = sorted(str(key) for key in raw if key not in SELECTOR_KEYS)
    if unknown:
        raise _bad_selector(
            f"{parameter} has the unknown key {', '.join(unknown)}{suggest_word(unknown[0], SELECTOR_KEYS)}",
            parameter,
            candidates=SELECTOR_KEYS,
        )
    given = {key: value for key, value in raw.items() if value is not None}
    if not given:
        raise _bad_selector(f"{parameter} has no condition and would match every device", parameter)
    return Selector(**{key: _condition(key, value, f"{parameter}.{key}") for key, value in given.items()})


def _kind_of(value: object) -> str:
    """The type of a YAML value, in words."""
    if value is None:
        return "nothing"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list"}
    return names.get(type(value), "a mapping" if isinstance(value, Mapping) else f"of type {type(value).__name__}")


def _why(value: object) -> str:
    """A note that explains why a YAML value is a number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return ": without quotes, YAML reads 0000:03:00.0 as a number" if is_number else ""


def _bad_selector(message: str, parameter: str, candidates: Sequence[str] = ()) -> InputError:
    return InputError(message=message, code="bad_selector", parameter=parameter, candidates=candidates, cure=_FORM)


def _condition(key: str, value: object, parameter: str) -> str:
    """One condition in canonical form."""
    if not isinstance(value, str):
        raise InputError(
            message=f"{parameter} {value!r} is {_kind_of(value)}, not a string",
            code="bad_selector",
            parameter=parameter,
            cure="Put the value in quotes: without quotes, YAML reads 1572, 8e05 and 0000:03:00.0 as numbers",
        )
    text = value.strip()
    if not text:
        raise InputError(
            message=f"{parameter} is empty",
            code="bad_selector",
            parameter=parameter,
            cure="Give a value, or leave the key out. Select a device without a name by its vendor and device id",
        )
    if key in _ID_KEYS:
        return parse_id(text, parameter)
    if key == "address":
        return parse_address(text)
    if key == "class_id":
        return _class_id(text, parameter)
    return text


def _class_id(text: str, parameter: str) -> str:
    match = _CLASS.fullmatch(text)
    if match is None:
        raise InputError(
            message=f"{parameter} {text!r} is not a PCI class",
            code="bad_id",
            parameter=parameter,
            cure='Write two or four hexadecimal digits in quotes, such as "03" for all display controllers, "0302" for 3D '
            'controllers, "0108" for NVMe',
        )
    return match[1].lower()


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredDevice:
    """One entry of desired devices. ``count`` None: the default of the module. ``label`` None: any label."""

    selector: Selector
    count: int | Literal["all"] | None = None
    label: str | None = None
    virtual_function: bool = False
    """True for a virtual function of an SR-IOV card, as a fixed device of a VM. Without it, a virtual function is never given to a VM."""
    virtual_functions: int | None = None
    """The number of virtual functions of each selected function; 0 turns SR-IOV off. None: the entry is of another kind."""
    mode: str | None = None
    """The desired device mode (9.1). None: the entry is of another kind."""
    numa_node: int | None = None
    """The virtual NUMA node of the devices in the VM; -1: no affinity. None: a device keeps what it has."""

    @property
    def is_passthrough(self) -> bool:
        """False when the entry is of another kind: it has virtual functions or a mode."""
        return self.virtual_functions is None and self.mode is None

    @property
    def text(self) -> str:
        """For messages: ``2 x 10de:20f1 labeled a100``."""
        amount = "" if self.count is None else f"{self.count} x "
        function = "virtual function " if self.virtual_function else ""
        node = "" if self.numa_node is None else f" on NUMA node {self.numa_node}"
        return f"{amount}{function}{self.selector.text}" + (f" labeled {self.label}" if self.label else "") + node

    def option(self) -> Record:
        """The entry as in the option ``devices``."""
        text = self.selector.text
        if self.virtual_functions is not None:
            chosen: Record = (
                {"vmnic": self.selector.vmnic}
                if self.selector.vmnic is not None
                else {"match": self.selector.given if text.startswith("{") else text}
            )
            return {**chosen, "virtual_functions": self.virtual_functions}
        return {
            "match": self.selector.given if text.startswith("{") else text,
            **({} if self.count is None else {"count": self.count}),
            **({} if self.label is None else {"label": self.label}),
            **({"virtual_function": True} if self.virtual_function else {}),
            **({} if self.numa_node is None else {"numa_node": self.numa_node}),
            **({} if self.mode is None else {"mode": self.mode}),
        }


def parse_desired_devices(
    raw: object, parameter: str = "devices", *, keys: Sequence[str] = DESIRED_KEYS
) -> tuple[DesiredDevice, ...]:
    """The desired devices in an option. Each entry is a mapping with these ``keys``, or only a selector string.

    Raises InputError when an entry is wrong, is listed twice, or conflicts with another.
    """
    desired_devices = tuple(
        parse_entry(entry, f"{parameter}[{number}]", keys)
        for number, entry in enumerate(refuse_no_list(raw, parameter))
    )
    refuse_contradictions(desired_devices, parameter, default_is_all=False)
    return desired_devices


def refuse_no_list(raw: object, parameter: str) -> Sequence[object]:
    """The entries. Raises InputError for anything but a list."""
    if isinstance(raw, str | Mapping) or not isinstance(raw, Sequence):
        raise InputError(
            message=f"{parameter} is {_kind_of(raw)}, not a list",
            code="bad_devices",
            parameter=parameter,
            cure='Write a list, such as ["10de:20f1"] or [{match: "10de:20f1", count: 2}]',
        )
    return raw


def parse_entry(entry: object, parameter: str, keys: Sequence[str] = DESIRED_KEYS) -> DesiredDevice:
    """One entry for passthrough. Raises InputError."""
    if isinstance(entry, str):
        return DesiredDevice(selector=parse_selector(entry, parameter))
    if not isinstance(entry, Mapping):
        raise _bad_desired(
            f"{parameter} {entry!r} is {_kind_of(entry)}, not a string or a mapping{_why(entry)}", parameter
        )
    unknown = sorted(str(key) for key in entry if key not in keys)
    if unknown:
        misplaced = [key for key in unknown if key in SELECTOR_KEYS]
        hint = (
            " (an entry with virtual_functions is for host_sriov)"
            if {"virtual_functions", "vmnic"} & set(unknown)
            else " (an entry with mode is for host_device_mode)"
            if "mode" in unknown
            else f" (a condition belongs under match, as in match: {{{misplaced[0]}: ...}})"
            if misplaced
            else suggest_word(unknown[0], keys)
        )
        raise _bad_desired(f"{parameter} has the unknown key {', '.join(unknown)}{hint}", parameter, candidates=keys)
    if entry.get("match") is None:
        raise _bad_desired(f"{parameter} selects no device: match is missing", parameter)
    return DesiredDevice(
        selector=parse_selector(entry["match"], f"{parameter}.match"),
        count=_count(entry.get("count"), f"{parameter}.count"),
        label=_label(entry.get("label"), f"{parameter}.label"),
        virtual_function=_is_virtual_function(entry.get("virtual_function"), f"{parameter}.virtual_function"),
        numa_node=parse_numa_node(entry.get("numa_node"), f"{parameter}.numa_node"),
    )


def _is_virtual_function(raw: object, parameter: str) -> bool:
    if raw is None or isinstance(raw, bool):
        return bool(raw)
    raise _bad_desired(f"{parameter} {raw!r} is neither true nor false", parameter)


def _bad_desired(message: str, parameter: str, candidates: Sequence[str] = ()) -> InputError:
    return InputError(
        message=message,
        code="bad_devices",
        parameter=parameter,
        candidates=candidates,
        cure='Write "10de:20f1", or {match: "10de:20f1", count: 2, label: a100} with count and label as needed',
    )


def _count(raw: object, parameter: str) -> int | Literal["all"] | None:
    """A number of at least one, "all", or None. Digits in quotes are accepted: templates return them."""
    if raw is None:
        return None
    if raw == "all":
        return "all"
    number = as_whole(raw)
    if number is None or number < 1:
        raise InputError(
            message=f"{parameter} {raw!r} is not a number of devices",
            code="bad_count",
            parameter=parameter,
            cure="Give a whole number of at least 1, or all. To select no device, remove the entry",
        )
    return number


def _label(raw: object, parameter: str) -> str | None:
    if raw is None or isinstance(raw, str):
        return None if raw is None else raw.strip()
    raise InputError(
        message=f"{parameter} {raw!r} is {_kind_of(raw)}, not a string",
        code="bad_label",
        parameter=parameter,
        cure="Put the value in quotes",
    )


def refuse_contradictions(desired_devices: Sequence[DesiredDevice], parameter: str, *, default_is_all: bool) -> None:
    """Raise InputError for entries that are equal, and for entries that cannot both be satisfied.

    ``default_is_all``: an entry without a count means every device (hosts) or one device (VMs). Entries with numbers may have the same
    selector when their labels or their NUMA nodes differ, because they select different devices.
    """
    for left, right in combinations(desired_devices, 2):
        if left.virtual_function != right.virtual_function:
            continue
        if left.selector == right.selector and left.label == right.label and left.numa_node == right.numa_node:
            raise InputError(
                message=f"{parameter} names {left.selector.text} twice",
                code="duplicate_wish",
                parameter=parameter,
                cure="Keep one entry and set its count",
            )
        for wide, narrow in ((left, right), (right, left)):
            if _takes_all(wide, default_is_all) and wide.selector.covers(narrow.selector):
                _refuse_overlap(wide, narrow, parameter, default_is_all)


def _takes_all(desired: DesiredDevice, default_is_all: bool) -> bool:
    return desired.count == "all" or (desired.count is None and default_is_all)


def _refuse_overlap(wide: DesiredDevice, narrow: DesiredDevice, parameter: str, default_is_all: bool) -> None:
    if not _takes_all(narrow, default_is_all):
        why = "and none is left for"
    elif wide.label is not None and narrow.label is not None and wide.label != narrow.label:
        why = "which includes the devices with another label of"
    else:
        return
    raise InputError(
        message=f"{parameter} has conflicting entries: {wide.text} selects every such device, {why} {narrow.text}",
        code="contradicting_wishes",
        parameter=parameter,
        cure="Give the wider entry a count, or make it narrower, so that no device matches both entries",
    )
