# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the entries of an intent: lists of devices, and VMs. PRIVATE to the collection.

``docs/intent.schema.json`` has the same rules as a JSON Schema, written by ``tools/intent_schema.py``; a property test compares the
two. Rules that a schema cannot express (the same device twice, a label both selected and set) have the codes in RELATIONS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from ...module_utils._domain.errors import InputError
from ...module_utils._domain.host.desired import passthrough_entries, refuse_relabelling
from ...module_utils._domain.host.selector import refuse_contradictions
from ...module_utils._domain.host_entries.kinds import parse_host_entries
from ...module_utils._domain.ranges import RANGES
from ...module_utils._domain.vm.desired.mmio import parse_mmio
from ...module_utils._domain.vm.desired.sriov_networks import DesiredSriovNetwork, parse_sriov_networks
from ...module_utils._domain.vm.desired.units import parse_vm_devices
from ...module_utils._domain.vm.desired.vm import DesiredVm, check_desired
from .guest import guest_entry
from .source_location import Place, PlacedError, choice, items, mapping, text, truth, whole_number

Parsed = TypeVar("Parsed")

VM_CHOICES = {
    "state": ("present", "absent", "exactly"),
    "kinds": ("named", "all"),
    "backing": ("auto", "dynamic", "fixed"),
    "power": ("keep", "off", "cycle", "on"),
    "latency_sensitivity": ("high", "normal"),
}
VM_FLAGS = ("allow_shutdown", "allow_power_off", "unlock_memory", "disable_hot_add", "pin_to_host")
VM_NUMBERS = ("shutdown_timeout", "minimum_hardware_version")
VM_KEYS = ("name", "moid", "devices", "sriov_networks", *VM_CHOICES, "mmio", *VM_NUMBERS, *VM_FLAGS, "guest")
MMIO_KEYS = ("size_gb", "device_gb")
LARGEST_MMIO_GB = int(RANGES["size_gb"].highest)
"""A petabyte: more than any release maps, and the end of the list of powers of two."""
LARGEST_DEVICE_GB = int(RANGES["device_gb"].highest)

RELATIONS = frozenset(
    {
        "address_needs_identity",
        "contradicting_graphics",
        "contradicting_wishes",
        "contradiction",
        "duplicate",
        "duplicate_mac",
        "duplicate_wish",
        "dynamic_by_place",
        "label_chosen_and_set",
        "missing_value",
        "no_intent",
    }
)
"""Codes of conflicts between entries that are valid each by itself."""


def host_devices(place: Place, raw: Any, *, for_several: bool) -> tuple[Any, ...]:
    """Check the desired devices of hosts and return them; the short form of an entry becomes the long one.

    ``for_several``: the list is for more than one host. Raises InputError.
    """
    entries, desired_devices = _devices(place, raw, parse_host_entries)
    plain = passthrough_entries(desired_devices)
    try:
        refuse_contradictions(plain, place.path, default_is_all=True)
        refuse_relabelling(plain)
    except InputError as error:
        _raise_at(place, error)
    for number, desired in enumerate(desired_devices):
        if for_several and desired.selector.address is not None and not desired.selector.names_kind:
            cure = "Add vendor_id and device_id to it, or use it for one host only: another host has another device at this address"
            problem = "has an address for several hosts without vendor_id and device_id of the device"
            place.item(number).fail("address_needs_identity", problem, cure)
    return entries


def vm_entry(place: Place, raw: Any) -> dict[str, Any]:
    """Check the entry of one VM, also for a desired state that is impossible. Returns the entry. Raises InputError."""
    entry = dict(mapping(place, raw, VM_KEYS))
    if ("name" in entry) == ("moid" in entry):
        place.fail(
            "missing_key", "must have exactly one of name and moid", "Give the name of the VM in vSphere, or its moid"
        )
    if "devices" not in entry and "sriov_networks" not in entry:
        place.fail("missing_key", "has no devices", "List the desired devices of the VM, or its sriov_networks")
    named: dict[str, Any] = {}
    for key, value in entry.items():
        where = place.key(key)
        if key in VM_CHOICES:
            entry[key] = choice(where, value, VM_CHOICES[key])
        elif key in VM_FLAGS:
            entry[key] = truth(where, value)
        elif key in VM_NUMBERS:
            entry[key] = whole_number(where, value)
        elif key == "mmio":
            entry[key] = _mmio(where, value)
        elif key == "guest":
            entry[key] = guest_entry(where, value)
        elif key == "devices":
            entry[key], found = _vm_devices(where, value)
            named |= found
        elif key == "sriov_networks":
            named["sriov_networks"] = _sriov_networks(where, value)
        else:
            entry[key] = text(where, value)
    _check(place, entry, named)
    return entry


def _sriov_networks(place: Place, raw: Any) -> tuple[DesiredSriovNetwork, ...]:
    try:
        return parse_sriov_networks([entry for _where, entry in items(place, raw)], place.path)
    except InputError as error:
        _raise_at(place, error)


def _check(place: Place, entry: Mapping[str, Any], named: Mapping[str, Any]) -> None:
    name = entry.get("name") or entry["moid"]
    if "guest" in entry and entry.get("state") == "absent":
        place.key("guest").fail(
            "contradiction", "is for a VM with devices, but state is absent", "Remove guest, or change state"
        )
    state, backing = entry.get("state", "present"), entry.get("backing", "auto")
    try:
        minimum = entry.get("minimum_hardware_version")
        check_desired(
            DesiredVm(target=name, moid=name, state=state, backing=backing, minimum_hardware=minimum, **named)
        )
    except InputError as error:
        _raise_at(place, error, below=error.parameter)


def _mmio(place: Place, raw: Any) -> dict[str, Any]:
    entry = dict(mapping(place, raw, MMIO_KEYS))
    if "size_gb" in entry:
        entry["size_gb"] = whole_number(place.key("size_gb"), entry["size_gb"], LARGEST_MMIO_GB)
    if "device_gb" in entry:
        where = place.key("device_gb")
        if not isinstance(entry["device_gb"], Mapping):
            where.wrong_type(entry["device_gb"], "a mapping of vendor:device to gigabytes")
        entry["device_gb"] = {
            # 0: the BARs of the device are small.
            ids: whole_number(where.key(str(ids)), size, LARGEST_DEVICE_GB, minimum=0)
            for ids, size in entry["device_gb"].items()
        }
    try:
        parse_mmio(entry.get("size_gb"), entry.get("device_gb"), place.path)
    except InputError as error:
        _raise_at(place, error)
    return entry


def _vm_devices(place: Place, raw: Any) -> tuple[list[Any], dict[str, Any]]:
    """Device entries of a VM in the long form, and parsed as ``DesiredVm`` has them."""
    for where, entry in items(place, raw):
        if isinstance(entry, Mapping) and "label" in entry:
            where.fail(
                "unknown_key",
                "has the key label, which is for hosts only",
                "Select devices by label with match: {label: ...}",
            )
    entries, (devices, units) = _devices(place, raw, parse_vm_devices)
    return list(entries), {"devices": devices, "units": units}


def _devices(place: Place, raw: Any, parse: Callable[[object, str], Parsed]) -> tuple[tuple[Any, ...], Parsed]:
    """Device entries in the long form, and parsed. The checks are those of the modules."""
    entries = [entry for _where, entry in items(place, raw)]
    try:
        parsed = parse(entries, place.path)
    except InputError as error:
        _raise_at(place, error)
    return tuple({"match": entry} if isinstance(entry, str) else entry for entry in entries), parsed


def _raise_at(place: Place, error: InputError, below: str = "") -> NoReturn:
    """Raise the same error with the inventory host and the place in its variables."""
    path = f"{place.path}.{below}" if below else place.path
    raise PlacedError(
        host=place.host,
        message=error.message if path.split(".")[0] in error.message else f"{path}: {error.message}",
        code=error.code,
        cure=error.cure,
        # The error of a selector already has the full path.
        parameter=error.parameter if error.parameter.startswith(place.path) else path,
        candidates=error.candidates,
    ) from error
