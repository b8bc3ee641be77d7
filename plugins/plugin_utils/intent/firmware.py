# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of a firmware reboot or of hardware maintenance, selected from results of the info modules. PRIVATE to the collection.

Input and results are plain mappings, as in results and options of modules. Nothing is read from vSphere here.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._domain.names import MOST_CANDIDATES
from .named_records import finder

Record = Mapping[str, Any]


def firmware_targets(
    hosts: Sequence[Record],
    vms: Sequence[Record],
    named_hosts: Sequence[str],
    named_vms: Sequence[str],
    with_devices: Sequence[Record] = (),
) -> dict[str, Any]:
    """The hosts of one vCenter that hosts, VMs and devices select, and why.

    ``hosts``: from host_pci_device_info. ``vms``: from vm_pci_device_info with ``include: all``. ``with_devices``: hosts with the selected
    devices. A VM selects the host that it is registered on: this host has the devices of a running VM, and always its fixed devices.
    ``in_maintenance_mode`` in the result: which of the hosts are in it. ``unknown``: names that do not exist in this vCenter. Raises
    InputError for a name that several objects have.
    """
    why: dict[str, list[str]] = {}
    notes: list[str] = []
    unknown: list[str] = []
    host_named, vm_named = finder("host", hosts, "hosts"), finder("vm", vms, "vms")
    for name in named_hosts:
        record = host_named(name)
        if record is None:
            unknown.append(name)
        else:
            why.setdefault(str(record["name"]), []).append("it was named")
    for name in named_vms:
        record = vm_named(name)
        if record is None:
            unknown.append(name)
            continue
        host, reason, note = _host_of(record)
        why.setdefault(host, []).append(reason)
        notes += [note] if note else []
    for record in with_devices:
        devices = ", ".join(f"{device['address']} {device.get('name', '')}".strip() for device in record["devices"])
        if devices:
            why.setdefault(str(record["name"]), []).append(f"it has {devices}")
    return {
        "hosts": sorted(why),
        "why": {host: list(dict.fromkeys(why[host])) for host in sorted(why)},
        "lines": [f"{host}: {'; '.join(dict.fromkeys(why[host]))}" for host in sorted(why)] + notes,
        "notes": notes,
        "in_maintenance_mode": [
            str(h["name"]) for h in hosts if h.get("in_maintenance_mode") and str(h["name"]) in why
        ],
        "unknown": unknown,
        "known_hosts": sorted(str(record["name"]) for record in hosts),
        "known_vms": sorted(str(record["name"]) for record in vms),
    }


def as_devices(devices: Sequence[Any]) -> list[Any]:
    """Devices of an intent in the form of module options. They are not checked, because the module does that."""
    return [device if isinstance(device, Mapping) and "match" in device else {"match": device} for device in devices]


def _host_of(vm: Record) -> tuple[str, str, str]:
    """(host, why it is selected, a note for the user)."""
    name, host = str(vm["name"]), str(vm["host"])
    devices = vm.get("devices") or ()
    runs = vm.get("power_state") == "poweredOn"
    if not devices:
        return (
            host,
            f"{name} {'runs' if runs else 'is registered'} on it",
            f"{name} has no device: its host {host} is selected",
        )
    labels = ", ".join(str(device.get("address") or device.get("label")) for device in devices)
    if not runs and any(device.get("backing") != "fixed" for device in devices):
        note = f"{name} is off and gets its devices when it starts: its last host {host} is selected"
        return host, f"{name} is registered on it", note
    return host, f"{name} holds devices of it ({labels})", ""


def found_nowhere(results: Iterable[Record]) -> list[str]:
    """Messages for names that no vCenter has. ``results``: results of ``firmware_targets``, one per vCenter."""
    everywhere = list(results)
    if not everywhere:
        return []
    missing = [name for name in everywhere[0]["unknown"] if all(name in result["unknown"] for result in everywhere)]
    known = sorted({name for result in everywhere for key in ("known_hosts", "known_vms") for name in result[key]})
    sentences = []
    for name in dict.fromkeys(missing):
        near = difflib.get_close_matches(name, known, n=MOST_CANDIDATES, cutoff=0.5)
        sentences.append(
            f"There is nothing called {name!r} here." + (f" Near names: {', '.join(near)}." if near else "")
        )
    return sentences
