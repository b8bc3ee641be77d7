# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role hardware_maintenance works on, from results of modules. PRIVATE to the collection.

Input and results are plain mappings, as in results and options of modules. Nothing is read from vSphere here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils._domain.names import visible_names
from .kinds_of_entries import targets_by_module
from .named_records import clusters_of, finder

Record = Mapping[str, Any]


def maintenance_work(
    found: Record, hosts: Sequence[Record], marks: Record, share: Record, allow_loss: Sequence[str], *, check: bool
) -> dict[str, Any]:
    """What the role hardware_maintenance works on in one vCenter, from what it read before the first change.

    ``found``: from ``firmware_targets``. ``hosts``: all hosts of the vCenter. ``marks``: a check run of host_maintenance on the hosts in
    maintenance mode, empty if there are none. ``share``: the intent for this vCenter. ``allow_loss``: VMs that may lose fixed devices.
    ``check``: a check run, in which the hosts stay in maintenance mode, so that no VM can be powered on. Raises InputError.
    """
    refused = [str(host["name"]) for host in marks.get("hosts") or () if _is_of_another(host)]
    names = [name for name in found["hosts"] if name not in refused]
    chosen = [host for host in hosts if str(host["name"]) in names]
    part = share_on_hosts(share, chosen, hosts)
    holders = fixed_holders(chosen, share, allow_loss)
    return {
        "hosts": names,
        "refusal": _refusal(refused, marks),
        "share": part,
        "share_to_attach": {**part, "vms": [{**vm, "power": "off"} for vm in part["vms"]]} if check else part,
        "devices": enabled_devices(chosen),
        "vms": holders["vms"],
        "released": holders["released"],
        "loss": _loss(holders["lost"]),
    }


def _is_of_another(host: Record) -> bool:
    """Whether another user put the host into maintenance mode: it has no mark of the role."""
    blockers: Sequence[Record] = host.get("blockers") or ()
    return bool(blockers) and blockers[0].get("code") == "maintenance_by_other"


def _refusal(refused: Sequence[str], marks: Record) -> str:
    if not refused:
        return ""
    return (
        f"{', '.join(refused)}: in maintenance mode, but not by this role (its mark is not in {marks['journal']['place']}). Another user "
        f"may be working on {'it' if len(refused) == 1 else 'them'}, so the role changes nothing there: no setting, no reboot, no end of "
        "maintenance mode. The events of the host show who entered maintenance mode. Run this again after that maintenance mode has "
        "ended, or remove the host from hardware_maintenance_hosts."
    )


def _loss(lost: Sequence[str]) -> str:
    if not lost:
        return ""
    return (
        f"{', '.join(lost)} refer{'s' if len(lost) == 1 else ''} to devices of these hosts by PCI address. Other devices may have these "
        "addresses after the work, and the intent does not attach the devices again. Add the VM to passthrough_vms, or to "
        "hardware_maintenance_allow_device_loss."
    )


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
        **targets_by_module(targets),
        "host_targets": [{"hosts": target["hosts"]} for target in targets],
        "graphics": _graphics_on_hosts(share, hosts, everything or hosts),
        "only_on_hosts": names,
        "host_names": names,
        "cluster_names": [],
    }


def _graphics_on_hosts(share: Record, hosts: Sequence[Record], everything: Sequence[Record]) -> list[dict[str, Any]]:
    """The graphics settings of these hosts, each as a target of its own."""
    settings = share.get("graphics") or ()
    found = desired_by_host([{**target, "devices": target} for target in settings], everything) if settings else {}
    return [
        {
            **{key: value for key, value in target.items() if key not in ("hosts", "cluster")},
            "hosts": [str(host["name"])],
        }
        for host in hosts
        for target in found.get(str(host["moid"]), ())
        if isinstance(target, Mapping)
    ]


def desired_by_host(targets: Sequence[Record], hosts: Sequence[Record]) -> dict[str, list[Sequence[Any]]]:
    """Host id → device lists of the targets that include the host. Raises InputError for an ambiguous name."""
    host_named, clusters = finder("host", hosts, "hosts"), clusters_of(hosts)
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


def fixed_holders(hosts: Sequence[Record], share: Record, allow_loss: Sequence[str]) -> dict[str, Any]:
    """VMs with fixed devices of these hosts, as ``vms`` of vm_pci_device to detach the devices.

    ``lost``: VMs that would not get their devices back from the intent, except those in ``allow_loss``. ``released``: names of all VMs that
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
    kept_names = visible_names((*(vm["name"] for vm in share["vms"] if vm.get("name")), *allow_loss))
    kept_ids = {*(vm["moid"] for vm in share["vms"] if vm.get("moid")), *allow_loss}
    lost = sorted(name for moid, name in names.items() if name not in kept_names and moid not in kept_ids)
    return {
        "vms": [{"moid": moid, "devices": held[moid], "power": "off"} for moid in sorted(held)],
        "lost": lost,
        "released": sorted(set(released)),
    }
