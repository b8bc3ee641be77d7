# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drift report of one vCenter: plain values with a schema version. PRIVATE to the collection.

The schema is ``docs/schemas/drift_report.v1.json``. Within version 1, keys are only added. A report contains no secret and no time stamp:
the same state gives the same report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NotRequired, TypedDict

from ..guest.records import GuestRecord
from ..observed.hosts import Host, HostDevice
from ..observed.vms import Backing, DynamicBacking, FixedBacking, Vm
from ..plain import Record
from ..vm.devices.host_limit import device_limit, occupied
from ..vm.memory import is_reserved
from .compare import ObservedEndpoint, Plans
from .kinds import KINDS, Difference, DifferenceRecord, Status, status_of

SCHEMA = "directpath.vsphere.drift_report"
VERSION = 1


class Summary(TypedDict):
    """Numbers of compared objects, and of differences by certainty and kind. ``vcenters``: only of several vCenters."""

    vcenters: NotRequired[int]
    hosts: int
    vms: int
    drift: int
    unknown: int
    ignored: int
    kinds: dict[str, int]


class Report(TypedDict):
    """The report of one vCenter."""

    schema: str
    version: int
    vcenter: str
    status: Status
    summary: Summary
    differences: list[DifferenceRecord]
    idle_rules: list[str]
    hosts: list[Record]
    vms: list[Record]
    guests: NotRequired[list[GuestRecord]]
    """What was verified in guests; only if the desired state has guests."""


class FleetReport(TypedDict):
    """The report of several vCenters."""

    schema: str
    version: int
    status: Status
    summary: Summary
    vcenters: list[Report]


def report(
    vcenter: str,
    observed: ObservedEndpoint,
    plans: Plans,
    differences: Sequence[Difference],
    idle_rules: Sequence[str] = (),
) -> Report:
    """The report of one vCenter. ``idle_rules``: names of rules that cover no difference."""
    by_object: dict[str, list[Difference]] = {}
    for difference in differences:
        by_object.setdefault(difference.moid, []).append(difference)
    hosts = [_host(host, observed, plans, by_object.get(host.moid, [])) for host in _shown_hosts(observed, by_object)]
    vms = [_vm(vm, by_object.get(vm.moid, [])) for vm in _shown_vms(observed, by_object)]
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "vcenter": vcenter,
        "status": status_of(list(differences)),
        "summary": summary(len(hosts), len(vms), [difference.record() for difference in differences]),
        "differences": [difference.record() for difference in differences],
        "idle_rules": list(idle_rules),
        "hosts": hosts,
        "vms": vms,
    }


def summary(hosts: int, vms: int, records: Sequence[DifferenceRecord]) -> Summary:
    """Numbers of compared hosts and VMs, and of differences by certainty and kind."""
    counted = [record for record in records if not record["ignored"]]
    kinds = Counter(record["kind"] for record in counted)
    return {
        "hosts": hosts,
        "vms": vms,
        "drift": sum(1 for record in counted if record["certainty"] == "drift"),
        "unknown": sum(1 for record in counted if record["certainty"] == "unknown"),
        "ignored": len(records) - len(counted),
        "kinds": {kind: kinds[kind] for kind in KINDS if kinds[kind]},
    }


def sentence(report: Report | FleetReport) -> str:
    """The result of the comparison in one line."""
    figures = report["summary"]
    compared = f"{_counted(figures['hosts'], 'host')} and {_counted(figures['vms'], 'VM')} compared"
    many = f" on {figures['vcenters']} vCenters" if figures.get("vcenters", 1) != 1 else ""
    parts = {
        _counted(figures["drift"], "difference"): figures["drift"],
        f"{figures['unknown']} unknown": figures["unknown"],
        f"{figures['ignored']} ignored": figures["ignored"],
    }
    shown = [part for part, number in parts.items() if number]
    return f"{compared}{many}: {', '.join(shown) or 'in sync'}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _shown_hosts(observed: ObservedEndpoint, found: Collection[str]) -> list[Host]:
    wanted = {*observed.hosts.devices, *(observed.graphics.hosts if observed.graphics is not None else ())}
    shown = (host for host in observed.vms.hosts if host.moid in wanted or host.moid in found)
    return sorted(shown, key=lambda host: (host.cluster or "", host.name, host.moid))


def _shown_vms(observed: ObservedEndpoint, found: Collection[str]) -> list[Vm]:
    named = {desired.moid for desired in observed.desired_vms}
    shown = (vm for vm in observed.vms.everyone() if vm.moid in named or vm.moid in found)
    return sorted(shown, key=lambda vm: (vm.name, vm.moid))


def _host(host: Host, observed: ObservedEndpoint, plans: Plans, differences: Sequence[Difference]) -> Record:
    selected = {
        address
        for target in (*plans.hosts.targets, *plans.functions.targets)
        if target.moid == host.moid
        for address in target.host_facts.selected
    }
    by_address = {difference.subject: difference for difference in differences if difference.subject}
    devices = [
        _device(host, device, device.address in selected, by_address.get(device.address))
        for device in host.devices
        if device.address in selected or device.address in by_address or _is_held(host, device)
    ]
    return {
        **host.record(),
        "wanted": host.moid in observed.hosts.devices,
        "status": status_of(list(differences)),
        "devices_in_use": occupied(host) if host.is_reachable else None,
        "device_limit": device_limit(host, observed.vms.device_limit),
        "devices": devices if host.is_reachable else [],
    }


def _is_held(host: Host, device: HostDevice) -> bool:
    return device.active and bool(host.users.get(device.address))


def _device(host: Host, device: HostDevice, wanted: bool, difference: Difference | None) -> Record:
    """One device in the report. ``state``: ``ok``, or the kind of the difference."""
    return {
        "address": device.address,
        "ids": device.ids,
        "name": device.name,
        "label": device.label,
        "wanted": wanted,
        "setting": device.state,
        "virtual_functions": device.sriov.in_effect if device.sriov is not None else 0,
        "state": difference.kind if difference is not None else "ok",
        "ignored": bool(difference.ignored) if difference is not None else False,
        "vms": [user.vm for user in host.users.get(device.address, ())],
    }


def _vm(vm: Vm, differences: Sequence[Difference]) -> Record:
    return {
        "name": vm.name,
        "moid": vm.moid,
        "host": vm.host_name,
        "cluster": vm.cluster,
        "power_state": vm.power_state,
        "status": status_of(list(differences)),
        "memory_mb": vm.memory.size_mb,
        "fully_reserved": is_reserved(vm.memory),
        "devices": [_attached(backing) for device in vm.devices if (backing := device.backing)],
        "kinds": sorted({difference.kind for difference in differences if not difference.ignored}),
    }


def _attached(backing: Backing) -> Record:
    ids: list[str] = []
    address = None
    if isinstance(backing, FixedBacking):
        ids, address = [f"{backing.vendor_id}:{backing.device_id}"], backing.address
    elif isinstance(backing, DynamicBacking):
        ids, address = [f"{one.vendor_id}:{one.device_id}" for one in backing.allowed], backing.assigned_address
    return {"backing": backing.kind, "ids": ids, "address": address}
