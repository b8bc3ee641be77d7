# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory says is wanted, per vCenter. PRIVATE to the collection.

Two shapes of inventory mean the same thing and end in the same value:

* inventory hosts are vCenters (or single ESXi servers): ``passthrough_hosts`` and ``passthrough_vms``;
* inventory hosts are ESXi hosts: ``passthrough_devices`` on them or their groups, ``passthrough_vms`` on any of them.

Hosts managed by the same vCenter are served by one module call, made by the first of them in the play (the leader).
Nothing is read or guessed of vSphere here: what is written is checked for form, doubles, contradictions, and regrouped.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import InputError
from .places import Place, choice, items, mapping, names, text, truth, whole_number
from .selectors import parse_device_wishes, refuse_contradictions

CLUSTER_VARIABLE = "passthrough_hosts"
DEVICE_VARIABLE = "passthrough_devices"
VM_VARIABLE = "passthrough_vms"
NAME_VARIABLE = "passthrough_host_name"
VCENTER_VARIABLE = "vcenter_hostname"
PORT_VARIABLE = "vcenter_port"
PREFIX = "passthrough_"
WISHES = (CLUSTER_VARIABLE, DEVICE_VARIABLE, VM_VARIABLE)
VARIABLES = (*WISHES, NAME_VARIABLE, VCENTER_VARIABLE, PORT_VARIABLE)
DEFAULT_PORT = 443

HOST_KEYS = ("cluster", "hosts", "devices")
VM_CHOICES = {
    "state": ("present", "absent", "exactly"),
    "backing": ("auto", "dynamic", "fixed"),
    "power": ("keep", "off", "cycle", "on"),
}
VM_FLAGS = ("allow_power_off", "unlock_memory", "disable_hot_add")
VM_KEYS = ("name", "moid", "devices", *VM_CHOICES, "mmio", "shutdown_timeout", *VM_FLAGS)
ONLY_FOR_ATTACHING = ("state", "backing", "mmio", "disable_hot_add")

Variables = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Hosts (by name or by cluster) and the devices wanted on each, in the form the modules take as ``targets``."""

    hosts: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    devices: tuple[Any, ...] = ()

    def record(self, *, with_devices: bool = True) -> dict[str, Any]:
        record: dict[str, Any] = {}
        if self.hosts:
            record["hosts"] = list(self.hosts)
        if self.clusters:
            record["cluster"] = list(self.clusters)
        if with_devices:
            record["devices"] = list(self.devices)
        return record


@dataclass(frozen=True, kw_only=True, slots=True)
class EndpointIntent:
    """Everything wanted of one vCenter (or single ESXi server).

    ``leader`` is the inventory host whose tasks do the work for all of ``inventory_hosts``. ``only_on_hosts`` is filled
    when the play holds only some of the ESXi hosts of this vCenter: VMs on other hosts are then left alone.
    """

    leader: str
    vcenter: str
    port: int
    inventory_hosts: tuple[str, ...]
    targets: tuple[Target, ...]
    vms: tuple[Mapping[str, Any], ...]
    only_on_hosts: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """As plain values, for templates. ``vms_to_release`` are the entries in the form for taking the devices away."""
        return {
            "leader": self.leader,
            "vcenter": self.vcenter,
            "port": self.port,
            "inventory_hosts": list(self.inventory_hosts),
            "targets": [target.record() for target in self.targets],
            "host_targets": [target.record(with_devices=False) for target in self.targets],
            "vms": [dict(vm) for vm in self.vms],
            "vms_to_release": [_without(vm, ONLY_FOR_ATTACHING) for vm in self.vms],
            "only_on_hosts": list(self.only_on_hosts),
            "host_names": [name for target in self.targets for name in target.hosts],
            "cluster_names": sorted({name for target in self.targets for name in target.clusters}),
            "vm_names": [vm.get("name") or vm["moid"] for vm in self.vms],
        }


def load_intent(
    hosts: Mapping[str, Variables],
    *,
    elsewhere: Mapping[str, Variables] | None = None,
    default_vcenter: str | None = None,
) -> tuple[EndpointIntent, ...]:
    """The intent of all inventory hosts of a play, one value per vCenter, in the order of the play.

    ``hosts``: inventory host → those of its variables that begin with ``passthrough_``, and ``vcenter_hostname`` and
    ``vcenter_port``. ``elsewhere``: the same for inventory hosts that the play does not cover (``--limit``).
    ``default_vcenter``: used where an ESXi host has no ``vcenter_hostname``. Raises InputError naming inventory host,
    variable and key.
    """
    for host, variables in hosts.items():
        _check_variable_names(host, variables)
    wanted = {host: variables for host, variables in hosts.items() if any(key in variables for key in WISHES)}
    if not wanted:
        raise InputError(
            message=f"Nothing is wanted: none of the {len(hosts)} hosts of this play has {', '.join(WISHES)}",
            code="no_intent",
            cure="Set one in the inventory, group_vars or host_vars (variables of a play or a role are not seen here)",
        )
    groups: dict[tuple[str, int], dict[str, Variables]] = {}
    for host, variables in wanted.items():
        groups.setdefault(_endpoint(host, variables, default_vcenter), {})[host] = variables
    left_out = {
        _endpoint(host, variables, default_vcenter)
        for host, variables in (elsewhere or {}).items()
        if DEVICE_VARIABLE in variables
    }
    return tuple(_endpoint_intent(key, members, partial=key in left_out) for key, members in groups.items())


def _check_variable_names(host: str, variables: Variables) -> None:
    """A misspelt variable would silently mean "nothing wanted"."""
    known = [name for name in VARIABLES if name.startswith(PREFIX)]
    for key in variables:
        close = difflib.get_close_matches(key, known, n=1, cutoff=0.85)
        if close and key not in VARIABLES:
            cure = "Correct the name, or choose one that does not look like it"
            Place(host, key).fail("unknown_variable", f"is not a variable of this collection; {close[0]} is", cure)


def _endpoint(host: str, variables: Variables, default: str | None) -> tuple[str, int]:
    """Address and port of the vCenter that manages an inventory host."""
    place = Place(host, VCENTER_VARIABLE)
    address = variables.get(VCENTER_VARIABLE)
    if address is None:
        address = default if DEVICE_VARIABLE in variables else host
    if address is None:
        place.fail(
            "missing_value",
            f"is not set, though {DEVICE_VARIABLE} is: which vCenter manages this ESXi host is not known",
            "Set it for the group of the host (for a single ESXi server: its own address), or export VMWARE_HOST",
        )
    port = variables.get(PORT_VARIABLE)
    number = DEFAULT_PORT if port is None else whole_number(Place(host, PORT_VARIABLE), port, 65535)
    return text(place, address).casefold(), number


def _endpoint_intent(key: tuple[str, int], members: Mapping[str, Variables], *, partial: bool) -> EndpointIntent:
    targets: list[Target] = []
    for host, variables in members.items():
        if CLUSTER_VARIABLE in variables:
            if DEVICE_VARIABLE in variables:
                Place(host, DEVICE_VARIABLE).fail(
                    "contradiction",
                    f"is for an ESXi host, but {CLUSTER_VARIABLE}, for a vCenter, is set as well",
                    "Keep one of them; mind that variables of a group reach every host in it",
                )
            targets.extend(_cluster_targets(Place(host, CLUSTER_VARIABLE), variables[CLUSTER_VARIABLE]))
    esxi = {host: variables for host, variables in members.items() if DEVICE_VARIABLE in variables}
    targets.extend(_device_targets(esxi))
    vms_of_vcenter = any(VM_VARIABLE in variables for host, variables in members.items() if host not in esxi)
    limited = partial and not vms_of_vcenter
    return EndpointIntent(
        leader=next(iter(members)),
        vcenter=key[0],
        port=key[1],
        inventory_hosts=tuple(members),
        targets=tuple(targets),
        vms=_vms(members),
        only_on_hosts=tuple(_vsphere_name(host, esxi[host]) for host in esxi) if limited else (),
    )


def _cluster_targets(place: Place, raw: Any) -> list[Target]:
    """``passthrough_hosts`` of a vCenter."""
    targets: list[Target] = []
    seen: dict[tuple[str, str], str] = {}
    for where, value in items(place, raw):
        entry = mapping(where, value, HOST_KEYS)
        clusters = names(where.key("cluster"), entry.get("cluster"))
        hosts = names(where.key("hosts"), entry.get("hosts"))
        if clusters and hosts:
            where.fail("contradiction", "names both a cluster and hosts", "Give one of them, or two entries")
        if not clusters and not hosts:
            where.fail("missing_key", "names neither a cluster nor hosts", "Give one of them")
        if "devices" not in entry:
            where.fail("missing_key", "has no devices", "List the devices wanted there ([] for none)")
        for kind, subject in [*(("cluster", name) for name in clusters), *(("host", name) for name in hosts)]:
            other = seen.get((kind, subject.casefold()))
            if other is not None:
                where.fail("duplicate", f"names {kind} {subject}, as {other} does", "Write one entry with all devices")
            seen[kind, subject.casefold()] = where.path
        devices = _devices(where.key("devices"), entry["devices"])
        if devices:
            targets.append(Target(hosts=hosts, clusters=clusters, devices=devices))
    return targets


def _device_targets(esxi: Mapping[str, Variables]) -> list[Target]:
    """``passthrough_devices`` of ESXi hosts: hosts that want the same are one target.

    So an address that reaches several hosts through a group is seen for what it is: one address for several machines.
    """
    grouped: dict[str, list[str]] = {}
    devices: dict[str, tuple[Any, ...]] = {}
    owners: dict[str, str] = {}
    for host, variables in esxi.items():
        name = _vsphere_name(host, variables)
        other = owners.setdefault(name.casefold(), host)
        if other != host:
            cure = f"Give each ESXi host one inventory host, or correct {NAME_VARIABLE}"
            problem = f"concerns ESXi host {name}, for which inventory host {other} stands already"
            Place(host, DEVICE_VARIABLE).fail("duplicate", problem, cure)
        key = json.dumps(variables[DEVICE_VARIABLE], sort_keys=True, default=repr)
        if key not in devices:
            devices[key] = _devices(Place(host, DEVICE_VARIABLE), variables[DEVICE_VARIABLE])
        grouped.setdefault(key, []).append(name)
    return [Target(hosts=tuple(members), devices=devices[key]) for key, members in grouped.items() if devices[key]]


def _vms(members: Mapping[str, Variables]) -> tuple[Mapping[str, Any], ...]:
    """All wanted VMs of one vCenter. The same entry arriving on several hosts of a group is one entry."""
    found: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}
    for host, variables in members.items():
        own: dict[tuple[str, str], str] = {}
        for where, value in items(Place(host, VM_VARIABLE), variables.get(VM_VARIABLE, ())):
            entry = _vm(where, value)
            key = ("moid", entry["moid"]) if "moid" in entry else ("name", entry["name"])
            if key in own:
                where.fail("duplicate", f"names VM {key[1]}, as {own[key]} does", "Write one entry with all devices")
            own[key] = where.path
            origin, earlier = found.setdefault(key, (host, entry))
            if earlier != entry:
                cure = "Write it once: on the vCenter, or on a group that holds both hosts"
                where.fail("contradiction", f"wants VM {key[1]} otherwise than inventory host {origin} does", cure)
    return tuple(entry for _origin, entry in found.values())


def _vm(place: Place, raw: Any) -> dict[str, Any]:
    entry = dict(mapping(place, raw, VM_KEYS))
    if ("name" in entry) == ("moid" in entry):
        place.fail("missing_key", "must have one of name and moid", "Name the VM as vSphere does")
    if "devices" not in entry:
        place.fail("missing_key", "has no devices", "List the devices wanted in the VM")
    for key, value in entry.items():
        where = place.key(key)
        if key in VM_CHOICES:
            entry[key] = choice(where, value, VM_CHOICES[key])
        elif key in VM_FLAGS:
            entry[key] = truth(where, value)
        elif key == "shutdown_timeout":
            entry[key] = whole_number(where, value)
        elif key == "mmio":
            entry[key] = dict(mapping(where, value, ("size_gb", "device_gb")))
        elif key == "devices":
            entry[key] = list(_devices(where, value, on_vm=True))
        else:
            entry[key] = text(where, value)
    return entry


def _devices(place: Place, raw: Any, *, on_vm: bool = False) -> tuple[Any, ...]:
    """Device entries, checked as the modules check them, returned as written but for the short form, which is spelt out."""
    entries = items(place, raw)
    for where, entry in entries:
        if on_vm and isinstance(entry, Mapping) and "label" in entry:
            where.fail("unknown_key", "has the key label, which is set on hosts", "Choose by match: {label: ...}")
    try:
        wishes = parse_device_wishes([entry for _where, entry in entries], place.path)
        refuse_contradictions(wishes, place.path, default_is_all=not on_vm)
    except InputError as error:
        raise InputError(
            message=f"Inventory host {place.host}: {error.message}",
            code=error.code,
            cure=error.cure,
            parameter=error.parameter or place.path,
            candidates=error.candidates,
        ) from error
    return tuple({"match": entry} if isinstance(entry, str) else entry for _where, entry in entries)


def _vsphere_name(host: str, variables: Variables) -> str:
    return text(Place(host, NAME_VARIABLE), variables.get(NAME_VARIABLE, host))


def _without(entry: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in keys}
