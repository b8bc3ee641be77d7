# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of a firmware reboot or of hardware maintenance, selected from results of the info modules. PRIVATE to the collection.

Input and results are plain mappings, as in results and options of modules. Nothing is read from vSphere here.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._domain.names import MOST_CANDIDATES, Kind, visible_names
from .named_records import clusters_of, directory_of

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
    ``unknown`` in the result: names that do not exist in this vCenter. Raises InputError for a name that several objects have.
    """
    why: dict[str, list[str]] = {}
    notes: list[str] = []
    unknown: list[str] = []
    host_named, vm_named = _finder("host", hosts, "hosts"), _finder("vm", vms, "vms")
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
        "unknown": unknown,
        "known_hosts": sorted(str(record["name"]) for record in hosts),
        "known_vms": sorted(str(record["name"]) for record in vms),
    }


def as_devices(devices: Sequence[Any]) -> list[Any]:
    """Devices of an intent in the form of module options. They are not checked, because the module does that."""
    return [device if isinstance(device, Mapping) and "match" in device else {"match": device} for device in devices]


def _finder(kind: Kind, records: Sequence[Record], parameter: str) -> Callable[[str], Record | None]:
    """A function that finds a record by name, path or id. It returns None for an unknown name, and raises InputError for an ambiguous
    one."""
    directory = directory_of(kind, records)
    by_id = {str(record["moid"]): record for record in records}

    def find(name: str) -> Record | None:
        found = directory.lookup(name, parameter)
        return None if found is None else by_id[found.moid]

    return find


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


# -- hardware maintenance -----------------------------------------------------------------------------------------------


def share_on_hosts(share: Record, hosts: Sequence[Record], everything: Sequence[Record] = ()) -> dict[str, Any]:
    """The part of the intent for these hosts only: a record of ``intent`` with other targets.

    ``everything``: all hosts of the vCenter, to find names. Raises InputError for a name that several hosts have.
    """
    names = [str(host["name"]) for host in hosts]
    desired = desired_by_host(share["targets"], everything or hosts)
    targets = []
    for host in hosts:
        devices: list[Any] = []
        for own in desired.get(str(host["moid"]), ()):
            devices += [device for device in own if device not in devices]
        if devices:
            targets.append({"hosts": [str(host["name"])], "devices": devices})
    return {
        **share,
        "targets": targets,
        "host_targets": [{"hosts": target["hosts"]} for target in targets],
        "only_on_hosts": names,
        "host_names": names,
        "cluster_names": [],
    }


def desired_by_host(targets: Sequence[Record], hosts: Sequence[Record]) -> dict[str, list[Sequence[Any]]]:
    """Host id → device lists of the targets that include the host. Raises InputError for an ambiguous name."""
    host_named, clusters = _finder("host", hosts, "hosts"), clusters_of(hosts)
    found: dict[str, list[Sequence[Any]]] = {}
    for target in targets:
        named = [host_named(str(name)) for name in target.get("hosts") or ()]
        meant = [clusters.lookup(str(name), "cluster") for name in target.get("cluster") or ()]
        labels = {cluster.moid for cluster in meant if cluster is not None}
        chosen = {str(host["moid"]) for host in named if host is not None}
        chosen |= {str(host["moid"]) for host in hosts if host.get("cluster") in labels}
        for moid in sorted(chosen):
            found.setdefault(moid, []).append(target["devices"])
    return found


def enabled_devices(hosts: Sequence[Record]) -> list[dict[str, Any]]:
    """All devices with passthrough enabled, by address and identity, as ``targets`` of host_passthrough."""
    targets = []
    for host in hosts:
        devices = [{"match": _identity(device)} for device in host["devices"] if device["enabled"]]
        if devices:
            targets.append({"hosts": [str(host["name"])], "devices": devices})
    return targets


def _identity(device: Record) -> dict[str, str]:
    return {name: str(device[name]) for name in ("address", "vendor_id", "device_id")}


def fixed_holders(hosts: Sequence[Record], share: Record, forget: Sequence[str]) -> dict[str, Any]:
    """VMs with fixed devices of these hosts, as ``vms`` of vm_pci_device to detach the devices.

    ``lost``: VMs that would not get their devices back from the intent, except those in ``forget``. ``released``: names of all VMs that
    will have no device of these hosts any more.
    """
    held: dict[str, list[dict[str, Any]]] = {}
    names: dict[str, str] = {}
    released: list[str] = []
    for host in hosts:
        for device in host["devices"]:
            for vm in device["vms"]:
                released.append(str(vm["name"]))
                if vm["fixed"] and device["enabled"]:
                    names[str(vm["moid"])] = str(vm["name"])
                    held.setdefault(str(vm["moid"]), []).append({"match": _identity(device)})
    kept_names = visible_names((*(vm["name"] for vm in share["vms"] if vm.get("name")), *forget))
    kept_ids = {*(vm["moid"] for vm in share["vms"] if vm.get("moid")), *forget}
    lost = sorted(name for moid, name in names.items() if name not in kept_names and moid not in kept_ids)
    return {
        "vms": [{"moid": moid, "devices": held[moid], "power": "off"} for moid in sorted(held)],
        "lost": lost,
        "released": sorted(set(released)),
    }
